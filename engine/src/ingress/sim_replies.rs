//! What comes back from the pipeline, and the simulated venue's answers.
//!
//! The tail hands every route and every refusal back over a ring. A route becomes two things: `sent`, an input, and the
//! order's arrival at the venue, which takes its turn in the merge but is no input. The venue's answers wait here too.
//! All are ordered by (due time, id, sub), never by when they happened to arrive: the due time is the cause's time and a
//! modelled latency, so the sequence is the same wherever the pipeline is cut.
//!
//! The rule that makes it so is the *window*: whatever the pipeline sends back comes at least L later than its cause. From
//! an idle pipeline everything before T + L may enter, T being the time of the first; then the pipeline must come to rest and
//! its returns be taken before anything later enters. Bound: `pipeline.max_returns` waiting returns; one more halts the run.

use super::waiting::{Lane, Pending, Waiting};
use crate::deliberate::{Fault, is_on};
use crate::pipeline::Slot;
use flow::records::{Route, Sent};
use flow::{
    Approved, Event, EventId, Flags, Kind, Ns, POSITION_VENUE, SOURCE_RETURNS, StateError, StateReader, StateWriter,
};
use ring::Consumer;
use stages::exchange_sim::{Replies, SimulatedVenue};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering as Memory};

/// What the next return is, when its turn has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Returned {
    /// An input.
    Input,
    /// An order has reached the venue: no input.
    Arrival,
}

/// Returns that wait, and the venue that answers.
pub struct SimVenueReplies {
    venue: SimulatedVenue,
    /// What comes back from the pipeline is at least so much later than its cause.
    least_latency: u64,
    replies: Replies,
    inbox: Consumer<Slot>,
    watermark: Arc<AtomicU64>,
    waiting: Waiting,
    overflowed: bool,
    /// Inputs before this time may enter without waiting for the pipeline.
    window: Option<Ns>,
    /// Whether the last input is one that the venue has yet to see.
    owes: bool,
    /// The answers given since the input of this `seq`.
    answers: (u64, u16),
    /// What came so far, for the fault that orders by it.
    arrivals: u64,
}

impl SimVenueReplies {
    /// Takes returns from `inbox`; `word` is the tail's. At most `bound` wait.
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
            owes: false,
            answers: (0, 0),
            arrivals: 0,
        }
    }

    /// Whether the pipeline has finished everything up to `seq`; what it sent back is then all here.
    #[inline(always)]
    pub(super) fn pipeline_is_idle(&mut self, seq: u64) -> bool {
        if is_on(Fault::DrainBeforeWord) {
            self.drain();
            // What comes now is what the rule is for: the fault leaves room for it.
            std::thread::yield_now();
            return self.watermark.load(Memory::Acquire) == seq;
        }
        let idle = self.watermark.load(Memory::Acquire) == seq;
        self.drain();
        idle
    }

    /// Whether an input at `time` may enter now; `idle` is what [`SimVenueReplies::line_is_idle`] said. Opens the next window.
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

    /// Whether a feed's input at `time` may enter now, before everything that comes back; `seq` is the last given. Inside the window
    /// that needs no look at the pipeline: what was not taken yet is due at its end or later. Behind it the pipeline must be at rest,
    /// and the next window opens.
    #[inline]
    pub(super) fn let_pass(&mut self, time: Ns, seq: u64) -> bool {
        // Where what comes back counts in the order of its arrival, each is taken as it arrives.
        if is_on(Fault::OrderOfArrival) || !self.follow(time) {
            return false;
        }
        if self.window.is_some_and(|end| time < end) {
            return true;
        }
        let idle = self.pipeline_is_idle(seq);
        self.follow(time) && self.admits(time, idle)
    }

    /// Whether everything that waits has its turn after an input at `time`.
    #[inline]
    fn follow(&self, time: Ns) -> bool {
        time < self.waiting.due() && !self.overflowed
    }

    /// Whether an arrival at `time` may take its turn now: it is no input and opens no window.
    #[inline]
    pub(super) fn admits_arrival(&self, time: Ns, idle: bool) -> bool {
        idle || self.window.is_some_and(|end| time < end)
    }

    /// Takes what the tail has sent back so far. Also called while the head waits for room, so that nobody waits for
    /// somebody who waits for him.
    #[inline]
    pub(super) fn drain(&mut self) {
        let SimVenueReplies { inbox, venue, waiting, overflowed, arrivals, .. } = self;
        // Whether the ring is empty or closed makes no difference here: the run's end is told otherwise.
        let _ = inbox.take(usize::MAX, |slot| {
            let event = &slot.0;
            let due = venue.arrival(event.id, event.ts);
            let id = in_turn(arrivals, event.id);
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

    /// When the next return is due.
    #[inline]
    pub(super) fn due(&self) -> Option<(Ns, bool)> {
        self.waiting.first().map(|next| (next.due, next.event.kind == Kind::Route))
    }

    /// Takes the next return into `to`. There is one when [`SimVenueReplies::due`] says so; a record may ask for one that did not come.
    #[inline]
    pub(super) fn take(&mut self, to: &mut Event) -> Option<Returned> {
        *to = self.waiting.pop()?.event;
        Some(if to.kind == Kind::Route { Returned::Arrival } else { Returned::Input })
    }

    /// An order reaches the venue; `seq` is the last given.
    pub(super) fn arrive(&mut self, now: Ns, route: Event, seq: u64) {
        self.venue.on_route(now, &Approved::grant(route), &mut self.replies);
        self.answer(seq);
    }

    /// The venue may prepare for market inputs that will probably come.
    #[inline]
    pub(super) fn prefetch(&mut self, lookahead: &[Event]) {
        self.venue.prefetch(lookahead);
    }

    /// A market input has entered: the venue will see it, but not before the pipeline has. What the venue makes of it comes back
    /// later than anything that the pipeline makes of it, so no order waits for a book that is not its own.
    #[inline]
    pub(super) fn owe(&mut self) {
        self.owes = true;
    }

    /// Shows the venue the last input, if it is still to see it, before anything else happens here.
    #[inline]
    pub(super) fn show(&mut self, last: &Event) {
        if std::mem::take(&mut self.owes) {
            self.venue.on_market(last, &mut self.replies);
            self.answer(last.id.seq());
        }
    }

    /// The venue's answers wait for their time, in the order in which it gave them.
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
            self.answers.1 = self.answers.1.checked_add(1).expect("more than 65,535 answers for one input");
            let id = in_turn(&mut self.arrivals, id);
            let pending = Pending { due: event.ts, id, sub: 0, event: *event };
            self.overflowed |= !self.waiting.push(Lane::Venue, pending);
        }
        self.replies.clear();
    }

    /// Whether more came back than may wait: the run halts.
    #[inline]
    pub(super) fn overflowed(&self) -> bool {
        self.overflowed
    }

    /// The most that may wait.
    pub(super) fn bound(&self) -> usize {
        self.waiting.bound()
    }

    /// What waits and what the venue knows. The pipeline is idle.
    ///
    /// # Panics
    /// When the head was not asked for another input since the last one.
    pub fn save(&self, to: &mut StateWriter<'_>) {
        assert!(!self.owes, "the venue has seen every input when the pipeline is idle");
        let mut waiting: Vec<_> = self.waiting.iter().collect();
        waiting.sort_unstable_by_key(|p| p.key());
        let keys = waiting.iter().map(|p| (p.due, p.id.0, p.sub, to.key(p.event.instrument), bytes_of(&p.event)));
        let keys: Vec<_> = keys.collect();
        to.put(&keys);
        to.put(&self.answers);
        self.venue.save(to);
    }

    /// The other way round.
    ///
    /// # Errors
    /// When the bytes are not such a state.
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

/// The id that orders what is due at once; under the fault its turn to come.
#[inline]
fn in_turn(arrivals: &mut u64, id: EventId) -> EventId {
    if is_on(Fault::OrderOfArrival) {
        *arrivals += 1;
        return EventId(*arrivals);
    }
    id
}

fn bytes_of(event: &Event) -> Vec<u8> {
    bytemuck::bytes_of(event).to_vec()
}
