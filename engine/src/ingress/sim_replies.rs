//! Returns from the pipeline, and the answers of the simulated venue.
//!
//! The tail sends every route and every refusal back over a ring. A route becomes two things: `sent`, an input, and the
//! order's arrival at the venue, which takes its turn in the merge but is not an input. The venue's answers wait here too.
//! All are ordered by (due time, id, sub), never by when they happen to arrive. The due time is the cause's time plus a
//! modelled latency, so the sequence does not depend on where the pipeline is cut.
//!
//! The *window* rule guarantees this: whatever the pipeline returns is due at least L after its cause. From an idle
//! pipeline, with the next input at T, everything before T + L may enter; then the pipeline must go idle and its returns be
//! taken before anything later enters.
//!
//! Under wall time nothing waits for the pipeline, so what has come back by some moment depends on how fast it was. There an
//! arrival is an input too, and a replay takes each return when the record does, whatever else has come by then.
//!
//! Bound: `pipeline.max_returns` pending returns; one more halts the run. Worst case: a replay under wall time looks at every
//! pending return for the one that is recorded.

use super::renumbered::Renumbered;
use super::waiting::{Lane, Pending, Waiting};
use crate::deliberate::{Fault, is_on};
use crate::pipeline::{Group, Slot};
use flow::records::{Arrival, Route, Sent};
use flow::{
    Approved, Event, EventId, Flags, Kind, Ns, POSITION_VENUE, SOURCE_RETURNS, StateError, StateReader, StateWriter,
};
use ring::Consumer;
use stages::book::Books;
use stages::exchange_sim::{Replies, SimulatedVenue};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering as Memory};

/// What a return turned out to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Returned {
    /// An input.
    Input,
    /// An order's arrival at the venue, which is an input under wall time only.
    Arrival,
}

/// The pending returns, and the simulated venue.
pub struct SimVenueReplies {
    venue: SimulatedVenue,
    /// L: a return is due at least this many nanoseconds after its cause.
    least_latency: u64,
    replies: Replies,
    inbox: Consumer<Slot>,
    watermark: Arc<AtomicU64>,
    waiting: Waiting,
    overflowed: bool,
    /// End of the open window: inputs before it may enter without waiting for the pipeline.
    window: Option<Ns>,
    /// Whether the venue has yet to see the last input.
    venue_behind: bool,
    /// How many answers the venue has given since the input with this `seq`.
    answers: (u64, u16),
    /// Returns taken so far, for the deliberate fault that orders by arrival.
    arrivals: u64,
    /// The numbers by which the venue knows events, where those of the run are others.
    known_as: Option<Renumbered>,
}

impl SimVenueReplies {
    /// Takes returns from `inbox`; `watermark` is the tail's. At most `bound` returns wait. A venue
    /// that keeps no book looks at that of the head's group.
    pub fn new(
        venue: SimulatedVenue,
        inbox: Consumer<Slot>,
        watermark: Arc<AtomicU64>,
        bound: usize,
    ) -> SimVenueReplies {
        SimVenueReplies {
            least_latency: venue.least_latency(),
            venue,
            replies: Replies::default(),
            inbox,
            watermark,
            waiting: Waiting::new(bound),
            overflowed: false,
            window: None,
            venue_behind: false,
            answers: (0, 0),
            arrivals: 0,
            known_as: None,
        }
    }

    /// The venue knows events by the numbers that [`SimVenueReplies::moved`] gives: what it draws, it draws by those.
    pub(super) fn drawing_as_recorded(self) -> SimVenueReplies {
        SimVenueReplies { known_as: Some(Renumbered::default()), ..self }
    }

    /// The input `seq`, which has just entered, is known as `recorded`; those behind it count on from there.
    #[inline]
    pub(super) fn moved(&mut self, seq: u64, recorded: u64) {
        if let Some(known_as) = &mut self.known_as {
            known_as.moved(seq, recorded);
        }
    }

    /// Whether the pipeline has finished everything up to `seq`; if so, all its returns are here.
    #[inline(always)]
    pub(super) fn pipeline_is_idle(&mut self, seq: u64) -> bool {
        if is_on(Fault::DrainBeforeWatermark) {
            self.drain();
            // Widens the race that the rule excludes.
            std::thread::yield_now();
            return self.watermark.load(Memory::Acquire) == seq;
        }
        let idle = self.watermark.load(Memory::Acquire) == seq;
        self.drain();
        idle
    }

    /// Whether an input at `time` may enter now; `idle` is the result of [`SimVenueReplies::pipeline_is_idle`]. An idle
    /// pipeline opens the next window.
    #[inline]
    pub(super) fn admits(&mut self, time: Ns, idle: bool) -> bool {
        if self.window.is_some_and(|end| time < end) {
            return true;
        }
        if idle {
            self.window = Some(Ns(time.0.saturating_add(self.least_latency)));
        }
        idle
    }

    /// Whether a market input at `time` may enter now, before every return; `seq` is the last assigned. Inside the window
    /// the pipeline need not be checked: returns not yet taken are due at the window's end or later. After it the pipeline
    /// must be idle, and the next window opens.
    #[inline]
    pub(super) fn admits_first(&mut self, time: Ns, seq: u64) -> bool {
        // Under this fault returns are ordered by arrival, so each must be taken as it arrives.
        if is_on(Fault::OrderOfArrival) || !self.returns_follow(time) {
            return false;
        }
        if self.window.is_some_and(|end| time < end) {
            return true;
        }
        let idle = self.pipeline_is_idle(seq);
        self.returns_follow(time) && self.admits(time, idle)
    }

    /// Whether every pending return comes after an input at `time`.
    #[inline]
    fn returns_follow(&self, time: Ns) -> bool {
        time < self.waiting.due() && !self.overflowed
    }

    /// Whether an order's arrival at `time` may take its turn now. It is not an input, so it does not open a window.
    #[inline]
    pub(super) fn admits_arrival(&self, time: Ns, idle: bool) -> bool {
        idle || self.window.is_some_and(|end| time < end)
    }

    /// Takes the returns that the tail has sent so far. Also called while the head waits for room, which rules out a
    /// deadlock between head and tail.
    #[inline]
    pub(super) fn drain(&mut self) {
        let SimVenueReplies { inbox, venue, waiting, overflowed, arrivals, known_as, .. } = self;
        // Empty or closed makes no difference here: the end of a run is signalled elsewhere.
        let _ = inbox.take(usize::MAX, |slot| {
            let event = &slot.0;
            let due = venue.arrival(known(known_as, event.id), event.ts);
            let id = tie_break(arrivals, event.id);
            let mut wait = |sub, event| {
                *overflowed |= !waiting.push(Lane::Pipeline, Pending { due, id, sub, event });
            };
            if let Some(route) = event.get::<Route>() {
                let sent =
                    Sent { order_id: route.order_id, cause: event.id.0, action: route.action, ..Sent::default() };
                let mut input = Event::new(due, event.instrument, Flags::LAST_OF_GROUP.with_side(event.side()), &sent);
                input.source = SOURCE_RETURNS;
                wait(0, input);
                wait(1, *event);
            } else {
                wait(0, Event { source: SOURCE_RETURNS, ..*event });
            }
        });
    }

    /// When the next return is due, and whether it is an order's arrival at the venue.
    #[inline]
    pub(super) fn due(&self) -> Option<(Ns, bool)> {
        self.waiting.first().map(|next| (next.due, next.event.kind == Kind::Route))
    }

    /// Takes the next return into `to`. `None` can occur only in a replay, when the journal has a return that did not come.
    #[inline]
    pub(super) fn take(&mut self, to: &mut Event) -> Option<Returned> {
        *to = self.waiting.pop()?.event;
        Some(if to.kind == Kind::Route { Returned::Arrival } else { Returned::Input })
    }

    /// Whether the return that is `recorded` waits here.
    pub(super) fn has(&self, recorded: &Event) -> bool {
        self.waiting.position(|pending| is_of(recorded, pending)).is_some()
    }

    /// Takes the return that is `recorded` into `to`, in a replay under wall time. `None` if it did not come.
    pub(super) fn take_recorded(&mut self, recorded: &Event, to: &mut Event) -> Option<Returned> {
        let at = self.waiting.position(|pending| is_of(recorded, pending))?;
        *to = self.waiting.remove(at)?.event;
        Some(if to.kind == Kind::Route { Returned::Arrival } else { Returned::Input })
    }

    /// An order arrives at the venue; `seq` is the last assigned, and `group` has finished it.
    pub(super) fn arrive(&mut self, now: Ns, route: Event, seq: u64, group: &Group) {
        let route = Event { id: known(&self.known_as, route.id), ..route };
        let books = self.shown(group);
        self.venue.on_route(now, &Approved::grant(route), books, &mut self.replies);
        self.answer(seq);
    }

    /// Lets the venue prefetch memory for market inputs that will probably come.
    #[inline]
    pub(super) fn prefetch(&mut self, lookahead: &[Event]) {
        self.venue.prefetch(lookahead);
    }

    /// A market input or a tick has entered: the venue processes it before the next admission, after the pipeline has it. The venue's
    /// answers are due later than anything the pipeline does, so no order waits for the venue's book update. Where it looks at
    /// the pipeline's book it looks now, too, before the input changes that.
    #[inline]
    pub(super) fn defer_to_venue(&mut self, input: &Event, group: &Group) {
        self.venue_behind = self.venue.concerns(input);
        if self.venue_behind
            && let Some(books) = self.shown(group)
        {
            self.venue.before_market(input, books);
        }
    }

    /// Passes the last input to the venue, if the venue has yet to see it; `group` has finished it.
    #[inline]
    pub(super) fn pass_to_venue(&mut self, last: &Event, group: &Group) {
        if std::mem::take(&mut self.venue_behind) {
            let books = self.shown(group);
            match &self.known_as {
                None => self.venue.on_market(last, books, &mut self.replies),
                Some(known_as) => {
                    let known = Event { id: known_as.of(last.id), ..*last };
                    self.venue.on_market(&known, books, &mut self.replies);
                }
            }
            self.answer(last.id.seq());
        }
    }

    /// The book that the venue looks at, if it keeps none.
    #[inline]
    fn shown<'a>(&self, group: &'a Group) -> Option<&'a Books> {
        if self.venue.keeps_a_book() { None } else { group.books() }
    }

    /// Queues the venue's answers until they are due, in the order in which it gave them.
    #[inline]
    fn answer(&mut self, seq: u64) {
        if !self.replies.is_empty() {
            self.take_answers(seq);
        }
    }

    fn take_answers(&mut self, seq: u64) {
        if self.answers.0 != seq {
            self.answers = (seq, 0);
        }
        self.overflowed |= self.replies.overflowed();
        for event in self.replies.events() {
            let id = EventId::new(seq, POSITION_VENUE, self.answers.1);
            self.answers.1 = self.answers.1.checked_add(1).expect("at most 65,535 answers for one input");
            let id = tie_break(&mut self.arrivals, id);
            let pending = Pending { due: event.ts, id, sub: 0, event: *event };
            self.overflowed |= !self.waiting.push(Lane::Venue, pending);
        }
        self.replies.clear();
    }

    /// Whether more returns came than may wait: the run halts.
    #[inline]
    pub(super) fn overflowed(&self) -> bool {
        self.overflowed
    }

    /// The most returns that may wait.
    pub(super) fn bound(&self) -> usize {
        self.waiting.bound()
    }

    /// Saves the pending returns and the venue's state. The pipeline must be idle; `group` is the head's.
    ///
    /// # Panics
    /// When the venue has not seen the last input: the head must have been polled once more after it.
    pub fn save(&self, group: &Group, to: &mut StateWriter<'_>) {
        assert!(!self.venue_behind, "the venue has seen every input when the pipeline is idle");
        let mut waiting: Vec<_> = self.waiting.iter().collect();
        waiting.sort_unstable_by_key(|p| p.key());
        let keys = waiting.iter().map(|p| (p.due, p.id.0, p.sub, to.key(p.event.instrument), bytes_of(&p.event)));
        let keys: Vec<_> = keys.collect();
        to.put(&keys);
        to.put(&self.answers);
        self.venue.save(self.shown(group), to);
    }

    /// Restores what [`SimVenueReplies::save`] wrote.
    ///
    /// # Errors
    /// When the bytes are not a state of such returns.
    pub fn load(&mut self, from: &mut StateReader<'_>) -> Result<(), StateError> {
        self.waiting.clear();
        for (due, id, sub, key, bytes) in from.get::<Vec<(Ns, u64, u8, String, Vec<u8>)>>()? {
            let bytes: [u8; 64] =
                bytes.try_into().map_err(|_| StateError::Inconsistent("an event that is not 64 bytes"))?;
            let mut event: Event = bytemuck::cast(bytes);
            event.instrument = if event.instrument == 0 { 0 } else { from.instrument(&key)? };
            let id = EventId(id);
            let lane = if id.position() == POSITION_VENUE { Lane::Venue } else { Lane::Pipeline };
            self.overflowed |= !self.waiting.push(lane, Pending { due, id, sub, event });
        }
        self.answers = from.get()?;
        self.venue.load(from)
    }
}

/// The input that says that a route arrives at the venue at `at`.
pub(super) fn arrival_of(route: &Event, at: Ns) -> Event {
    let Route { order_id, action, .. } = *route.record();
    let arrival = Arrival { order_id, cause: route.id.0, action, ..Arrival::default() };
    let input = Event::new(at, route.instrument, Flags::LAST_OF_GROUP.with_side(route.side()), &arrival);
    Event { source: SOURCE_RETURNS, ..input }
}

/// Whether a pending return is the one that became this input.
fn is_of(recorded: &Event, pending: &Pending) -> bool {
    match (recorded.get::<Arrival>(), pending.event.kind == Kind::Route) {
        (Some(arrival), is_route) => is_route && pending.event.id.0 == arrival.cause,
        (None, is_route) => !is_route && Event { id: recorded.id, ts: recorded.ts, ..pending.event } == *recorded,
    }
}

/// The id by which the venue knows an event.
#[inline]
fn known(known_as: &Option<Renumbered>, id: EventId) -> EventId {
    known_as.as_ref().map_or(id, |known_as| known_as.of(id))
}

/// The id that breaks ties of the due time; under the fault, the order of arrival.
#[inline]
fn tie_break(arrivals: &mut u64, id: EventId) -> EventId {
    if is_on(Fault::OrderOfArrival) {
        *arrivals += 1;
        return EventId(*arrivals);
    }
    id
}

fn bytes_of(event: &Event) -> Vec<u8> {
    bytemuck::bytes_of(event).to_vec()
}
