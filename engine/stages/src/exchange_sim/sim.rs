//! The venue's parts, and the steps that routes and market data share.

use super::Replies;
use super::consumed::{self, ConsumedDepth};
use super::fees::Fees;
use super::instrument::SimInstrument;
use super::latency::Session;
use super::queue::{self, QueueModel};
use super::reports::{Cause, ExecutionReports};
use super::resting::{self, NONE, RestingOrder, RestingOrders};
use crate::Space;
use crate::book::{Book, BookStage};
use flow::{
    CancelReason, Event, EventId, Flags, GrowingTable, Kinds, Liquidity, Ns, Out, ParamError, Params, Px, Sessions,
    Side, Stage,
};

/// A venue that fills our orders against the market's own book. See the module.
pub struct SimulatedVenue {
    pub(super) reports: ExecutionReports,
    pub(super) queue: Box<dyn QueueModel>,
    pub(super) resting: RestingOrders,
    pub(super) consumed: ConsumedDepth,
    pub(super) instruments: GrowingTable<SimInstrument>,
    pub(super) sessions: Sessions,
    pub(super) book: BookStage,
    books: Kinds,
    prefetches: Kinds,
    /// Discards the events of the book stage: the venue reads the book itself.
    discarded: Out,
}

impl SimulatedVenue {
    /// Builds the venue with the parameters of [`super::PARAMS`].
    ///
    /// # Errors
    /// When the latency model is `recorded` and its rows are missing, do not parse, or are out of order.
    pub fn new(params: &Params, space: Space) -> Result<SimulatedVenue, ParamError> {
        let session = Session::new(params)?;
        let book = BookStage::without_prints(params, space);
        Ok(SimulatedVenue {
            reports: ExecutionReports { session, fees: Fees::new(params), venue_orders: 0, matches: 0 },
            queue: queue::build(params),
            resting: RestingOrders::new(params.get(resting::MAX_OWN_ORDERS)),
            consumed: ConsumedDepth::new(params.get(consumed::MAX_TAKEN_LEVELS)),
            instruments: GrowingTable::new(space.instruments as usize, SimInstrument::UNLISTED),
            sessions: Sessions::default(),
            books: book.reads(),
            prefetches: book.prefetches(),
            book,
            discarded: Out::new(flow::POSITION_VENUE, Kinds::NONE),
        })
    }

    /// The smallest latency to the venue: no reply is due earlier than this after its cause.
    pub fn least_latency(&self) -> u64 {
        self.reports.session.least()
    }

    /// When an event that left the pipeline (a route, or a refusal) at `ts` with id `id` arrives. Called once per event, in
    /// the tail's order; arrival times never decrease.
    pub fn arrival(&mut self, id: EventId, ts: Ns) -> Ns {
        self.reports.session.arrival(id, ts)
    }

    /// The market's book of an instrument, as the venue keeps it.
    pub fn book(&self, instrument: u32) -> Option<Book<'_>> {
        self.book.books().book(instrument)
    }

    /// The queue position of a resting order.
    pub fn queue_position(&self, order_id: u64) -> Option<QueuePosition> {
        let resting::OrderStatus::Live(at) = self.resting.status_of(order_id) else { return None };
        let order = self.resting.get(at);
        Some(QueuePosition { px: order.px, ahead: order.queue_ahead(), open: order.open(), filled: order.filled })
    }

    /// Prefetches memory for the market inputs that are likely next; results do not depend on it.
    #[inline]
    pub fn prefetch(&mut self, lookahead: &[Event]) {
        if lookahead.first().is_some_and(|next| self.prefetches.has(next.kind)) {
            self.book.prefetch(lookahead);
        }
    }

    /// Updates the market's book.
    #[inline]
    pub(super) fn update_book(&mut self, event: &Event) {
        if self.books.has(event.kind) {
            self.discarded.begin(event);
            self.book.on_event(event, &mut self.discarded);
        }
    }

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
        let crossed = self.book(instrument).is_some_and(|b| b.top().crossed());
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

/// The queue position of a resting order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QueuePosition {
    /// Its price.
    pub px: Px,
    /// Displayed shares of others ahead of it.
    pub ahead: u64,
    /// Open quantity.
    pub open: u64,
    /// Filled quantity.
    pub filled: u64,
}
