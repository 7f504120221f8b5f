//! What a step at the venue sees: the market's book, and the venue's own parts; and what routes and market data share.

use super::Replies;
use super::consumed::ConsumedDepth;
use super::instrument::SimInstrument;
use super::queue::QueueModel;
use super::reports::{Cause, ExecutionReports};
use super::resting::{self, NONE, RestingOrder, RestingOrders};
use crate::book::Books;
use flow::{CancelReason, Flags, GrowingTable, Liquidity, Ns, Sessions, Side};

/// The market's book, to look at, and what the venue keeps beside it.
pub(super) struct Matching<'a> {
    pub(super) books: &'a Books,
    pub(super) reports: &'a mut ExecutionReports,
    pub(super) queue: &'a dyn QueueModel,
    pub(super) resting: &'a mut RestingOrders,
    pub(super) consumed: &'a mut ConsumedDepth,
    pub(super) instruments: &'a mut GrowingTable<SimInstrument>,
    pub(super) sessions: &'a mut Sessions,
}

impl Matching<'_> {
    /// Fills a resting order and removes it when nothing is open.
    pub(super) fn fill_resting(&mut self, cause: Cause, at: u32, qty: u64, replies: &mut Replies) {
        let mark = self.mark(self.resting.get(at).instrument);
        let order = self.resting.get_mut(at);
        let sim = &mut self.instruments[order.instrument as usize];
        self.reports.fill(cause, order, sim, (order.px, qty, Liquidity::Added, mark), replies);
        if order.open() == 0 {
            self.resting.end(&mut sim.lists, at);
        }
    }

    /// What a fill on that instrument is marked with now: whether the market would hardly have given it.
    pub(super) fn mark(&self, instrument: u32) -> Flags {
        let crossed = self.books.book(instrument).is_some_and(|b| b.top().crossed());
        let doubtful = crossed || self.instruments[instrument as usize].is_closed();
        if doubtful { Flags::DOUBTFUL } else { Flags::NONE }
    }

    /// Cancels a resting order. `route` is the request; 0 = the venue did it by itself.
    pub(super) fn cancel(&mut self, cause: Cause, route: u64, at: u32, reason: CancelReason, replies: &mut Replies) {
        let instrument = self.resting.get(at).instrument as usize;
        let order = self.resting.end(&mut self.instruments[instrument].lists, at);
        self.reports.cancelled(cause, route, &order, reason, replies);
    }

    /// Cancels the day orders of an instrument whose day is over.
    #[inline]
    pub(super) fn expire(&mut self, cause: Cause, instrument: u32, replies: &mut Replies) {
        if self.instruments[instrument as usize].lists.expires <= cause.now {
            self.end_day(cause, instrument, replies);
        }
    }

    #[cold]
    fn end_day(&mut self, cause: Cause, instrument: u32, replies: &mut Replies) {
        let mut earliest = Ns::NONE;
        for side in [Side::Buy, Side::Sell] {
            let mut next = self.instruments[instrument as usize].lists.heads[resting::half(side)];
            while next != NONE {
                let (this, RestingOrder { expires, after, .. }) = (next, *self.resting.get(next));
                next = after;
                if expires <= cause.now {
                    self.cancel(cause, 0, this, CancelReason::EndOfDay, replies);
                } else {
                    earliest = earliest.min(expires);
                }
            }
        }
        self.instruments[instrument as usize].lists.expires = earliest;
    }
}
