//! The venue itself: its parts, and the steps that both ways in share.

use super::Replies;
use super::answers::{Answers, Cause};
use super::consumed::ConsumedDepth;
use super::fees::Fees;
use super::instrument::SimInstrument;
use super::latency::{Lanes, Sample};
use super::queue::{self, QueueModel};
use super::resting::{self, NONE, RestingOrder, RestingOrders};
use crate::Space;
use crate::book::{Book, BookStage};
use flow::{CancelReason, Event, EventId, Kinds, Liquidity, Ns, Out, ParamError, Params, Px, Side, Stage};

/// A venue that fills orders against the market's own book. See the module.
pub struct SimulatedVenue {
    pub(super) answers: Answers,
    pub(super) queue: Box<dyn QueueModel>,
    pub(super) resting: RestingOrders,
    pub(super) consumed: ConsumedDepth,
    pub(super) sim_instruments: Box<[SimInstrument]>,
    pub(super) book: BookStage,
    books: Kinds,
    prefetches: Kinds,
    /// What the book says is for nobody: the venue looks at the book itself.
    discarded: Out,
}

impl SimulatedVenue {
    /// Builds it with the parameters of [`super::PARAMS`].
    ///
    /// # Errors
    /// When the latency model is `recorded`: that one is built by [`SimulatedVenue::with_recorded`].
    pub fn new(params: &Params, space: Space) -> Result<SimulatedVenue, ParamError> {
        SimulatedVenue::with_recorded(params, space, Vec::new())
    }

    /// [`SimulatedVenue::new`] with the rows of the latency model `recorded`, in the order of time.
    ///
    /// # Errors
    /// When that model is chosen and the rows are none or not in order.
    pub fn with_recorded(params: &Params, space: Space, rows: Vec<Sample>) -> Result<SimulatedVenue, ParamError> {
        let limit = |name| u32::try_from(params.int(name)).expect("the ranges are below 2^32");
        let lanes = Lanes::new(params, rows)?;
        let book = BookStage::new(params, space);
        Ok(SimulatedVenue {
            answers: Answers { lanes, fees: Fees::new(params), venue_orders: 0, matches: 0 },
            queue: queue::build(params),
            resting: RestingOrders::new(limit("max_own_orders")),
            consumed: ConsumedDepth::new(limit("max_taken_levels")),
            sim_instruments: vec![SimInstrument::UNLISTED; space.instruments as usize].into_boxed_slice(),
            books: book.reads(),
            prefetches: book.prefetches(),
            book,
            discarded: Out::new(flow::POSITION_VENUE, Kinds::NONE),
        })
    }

    /// The latency model's floor: nothing that the pipeline sends comes back earlier.
    pub fn least_latency(&self) -> u64 {
        self.answers.lanes.least()
    }

    /// When an event that left the pipeline (a route, or a refusal) at `ts` with id `id` arrives. Called once an event, in
    /// the tail's order; later calls never give earlier times.
    pub fn arrival(&mut self, id: EventId, ts: Ns) -> Ns {
        self.answers.lanes.arrival(id, ts)
    }

    /// The market's book of an instrument, as the venue keeps it.
    pub fn book(&self, instrument: u32) -> Option<Book<'_>> {
        self.book.books().book(instrument)
    }

    /// Where an order of ours stands, if it rests.
    pub fn standing(&self, order_id: u64) -> Option<Standing> {
        let resting::Known::Live(at) = self.resting.known(order_id) else { return None };
        let own = self.resting.get(at);
        Some(Standing { px: own.px, ahead: own.waits_for(), open: own.open(), filled: own.filled })
    }

    /// Prepares for market inputs that will probably come, the next one first; changes nothing but the time they take.
    #[inline]
    pub fn prefetch(&mut self, lookahead: &[Event]) {
        if lookahead.first().is_some_and(|next| self.prefetches.has(next.kind)) {
            self.book.prefetch(lookahead);
        }
    }

    /// Keeps the market's book.
    #[inline]
    pub(super) fn keep(&mut self, event: &Event) {
        if self.books.has(event.kind) {
            self.discarded.begin(event);
            self.book.on_event(event, &mut self.discarded);
        }
    }

    /// An order that rests is executed; when nothing is left of it, it ends.
    pub(super) fn filled(&mut self, cause: Cause, at: u32, qty: u64, replies: &mut Replies) {
        let own = self.resting.get_mut(at);
        let sim_instrument = &mut self.sim_instruments[own.instrument as usize];
        self.answers.fill(cause, own, sim_instrument, (own.px, qty, Liquidity::Added), replies);
        if own.open() == 0 {
            self.resting.end(&mut sim_instrument.lists, at);
        }
    }

    /// An order that rests is cancelled. `route` is what asked for it; 0 = nobody did.
    pub(super) fn cancel(&mut self, cause: Cause, route: u64, at: u32, reason: CancelReason, replies: &mut Replies) {
        let instrument = self.resting.get(at).instrument as usize;
        let own = self.resting.end(&mut self.sim_instruments[instrument].lists, at);
        self.answers.cancelled(cause, route, &own, reason, replies);
    }

    /// Ends the orders on an instrument whose day is over.
    #[inline]
    pub(super) fn expire(&mut self, cause: Cause, instrument: u32, replies: &mut Replies) {
        if self.sim_instruments[instrument as usize].lists.expires <= cause.now {
            self.end_day(cause, instrument, replies);
        }
    }

    #[cold]
    fn end_day(&mut self, cause: Cause, instrument: u32, replies: &mut Replies) {
        let mut earliest = Ns::NONE;
        for side in [Side::Buy, Side::Sell] {
            let mut next = self.sim_instruments[instrument as usize].lists.heads[resting::half(side)];
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
        self.sim_instruments[instrument as usize].lists.expires = earliest;
    }
}

/// Where an order of ours stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Its price.
    pub px: Px,
    /// Displayed shares of others that come before it.
    pub ahead: u64,
    /// What is still to be filled.
    pub open: u64,
    /// What was filled.
    pub filled: u64,
}
