//! The venue: its parts, and the market's book that it looks at.
//!
//! A book of its own is kept as the book stage keeps it, without emitting events. Where that stage is on the same thread, the
//! venue looks at the stage's instead: it is shown it once before an input changes it, for what can then no longer be told, and
//! once after. Both see the same, so both answer the same. Bound: with a book of its own, the tables of a book stage.

use super::Replies;
use super::consumed::{self, ConsumedDepth};
use super::fees::Fees;
use super::instrument::SimInstrument;
use super::latency::Session;
use super::market::Impact;
use super::matching::Matching;
use super::queue::{self, QueueModel};
use super::reports::ExecutionReports;
use super::resting::{self, RestingOrders};
use crate::Space;
use crate::book::{Book, BookStage, Books};
use flow::{Approved, Event, EventId, GrowingTable, Kind, Kinds, Ns, Out, ParamError, Params, Px, Sessions, Stage};

/// A venue that fills our orders against the market's own book. See the module.
pub struct SimulatedVenue {
    pub(super) reports: ExecutionReports,
    pub(super) queue: Box<dyn QueueModel>,
    pub(super) resting: RestingOrders,
    pub(super) consumed: ConsumedDepth,
    pub(super) instruments: GrowingTable<SimInstrument>,
    pub(super) sessions: Sessions,
    /// Its own book, if it is not shown another one.
    pub(super) own: Option<OwnBook>,
    /// What the input that is under way does to a queue.
    impact: Impact,
}

/// A book of the venue's own.
pub(super) struct OwnBook {
    stage: BookStage,
    reads: Kinds,
    prefetches: Kinds,
    /// Discards the events of the book stage: the venue reads the book itself.
    discarded: Out,
}

impl OwnBook {
    fn new(params: &Params, space: Space) -> OwnBook {
        let stage = BookStage::without_prints(params, space);
        let (reads, prefetches) = (stage.reads(), stage.prefetches());
        OwnBook { stage, reads, prefetches, discarded: Out::new(flow::POSITION_VENUE, Kinds::NONE) }
    }

    pub(super) fn books(&self) -> &Books {
        self.stage.books()
    }

    pub(super) fn books_mut(&mut self) -> &mut Books {
        self.stage.books_mut()
    }

    #[inline]
    fn update(&mut self, event: &Event) {
        if self.reads.has(event.kind) {
            self.discarded.begin(event);
            self.stage.on_event(event, &mut self.discarded);
        }
    }
}

impl SimulatedVenue {
    /// Builds the venue with the parameters of [`super::PARAMS`] and a book of its own, with those of `book`.
    ///
    /// # Errors
    /// When the latency model is `recorded` and its rows are missing, do not parse, or are out of order.
    pub fn new(params: &Params, book: &Params, space: Space) -> Result<SimulatedVenue, ParamError> {
        let venue = SimulatedVenue::without_book(params, space)?;
        Ok(SimulatedVenue { own: Some(OwnBook::new(book, space)), ..venue })
    }

    /// The same without a book: it is shown one with every call.
    ///
    /// # Errors
    /// As [`SimulatedVenue::new`].
    pub fn without_book(params: &Params, space: Space) -> Result<SimulatedVenue, ParamError> {
        let session = Session::new(params)?;
        Ok(SimulatedVenue {
            reports: ExecutionReports { session, fees: Fees::new(params), venue_orders: 0, matches: 0 },
            queue: queue::build(params),
            resting: RestingOrders::new(params.get(resting::MAX_OWN_ORDERS)),
            consumed: ConsumedDepth::new(params.get(consumed::MAX_TAKEN_LEVELS)),
            instruments: GrowingTable::new(space.instruments as usize, SimInstrument::UNLISTED),
            sessions: Sessions::default(),
            own: None,
            impact: Impact::None,
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

    /// Whether it keeps a book of its own. One that does not is shown the pipeline's.
    #[inline]
    pub fn keeps_a_book(&self) -> bool {
        self.own.is_some()
    }

    /// The market's book of an instrument, as the venue keeps it; `None` also where it keeps none.
    pub fn book(&self, instrument: u32) -> Option<Book<'_>> {
        self.own.as_ref()?.books().book(instrument)
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
        if let Some(own) = &mut self.own
            && lookahead.first().is_some_and(|next| own.prefetches.has(next.kind))
        {
            own.stage.prefetch(lookahead);
        }
    }

    /// Whether a market input has to do with it: it is of the whole source or changes how an instrument is traded, or we have orders
    /// there; with a book of its own, any.
    #[inline]
    pub fn concerns(&self, event: &Event) -> bool {
        let changes = event.instrument == 0 || matches!(event.kind, Kind::Listing | Kind::Status);
        changes || self.keeps_a_book() || self.is_at_work(event.instrument)
    }

    /// Whether we have orders on an instrument, or took from what is displayed there.
    #[inline]
    fn is_at_work(&self, instrument: u32) -> bool {
        self.instruments.get(instrument as usize).is_some_and(|sim| !sim.is_idle())
    }

    /// A market input that [concerns](SimulatedVenue::concerns) it and that the ingress has stamped is about to change the book that
    /// it is `shown`. With a book of its own it is not called.
    #[inline]
    pub fn before_market(&mut self, event: &Event, shown: &Books) {
        if self.is_at_work(event.instrument) {
            self.impact = self.matching(Some(shown)).impact_of(event);
        }
    }

    /// Applies a market input that the ingress has stamped: updates its own book, or takes note of what the input has changed
    /// in the one that is `shown`; and fills resting orders.
    ///
    /// # Panics
    /// When it has no book and is shown none.
    #[inline]
    pub fn on_market(&mut self, event: &Event, shown: Option<&Books>, replies: &mut Replies) {
        if self.own.is_some() {
            if self.is_at_work(event.instrument) {
                self.impact = self.matching(None).impact_of(event);
            }
            self.own.iter_mut().for_each(|own| own.update(event));
        }
        let impact = std::mem::replace(&mut self.impact, Impact::None);
        self.matching(shown).on_market(event, impact, replies);
    }

    /// An approved route arrives at `now`.
    ///
    /// # Panics
    /// As [`SimulatedVenue::on_market`].
    pub fn on_route(&mut self, now: Ns, route: &Approved<Event>, shown: Option<&Books>, replies: &mut Replies) {
        self.matching(shown).on_route(now, route, replies);
    }

    /// Its parts, and the market's book.
    #[inline]
    fn matching<'a>(&'a mut self, shown: Option<&'a Books>) -> Matching<'a> {
        let SimulatedVenue { reports, queue, resting, consumed, instruments, sessions, own, .. } = self;
        let books = own.as_ref().map(OwnBook::books).or(shown).expect("a venue without a book is shown one");
        Matching { books, reports, queue: &**queue, resting, consumed, instruments, sessions }
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
