//! The merge: many sources, one sequence.
//!
//! [`Ingress::choose`] picks the next candidate by (time, rank, order of arguments). [`Ingress::admit`] checks that the
//! pending returns allow it to enter, then numbers, times, logs and hands it over. An order's arrival at the simulated
//! venue takes its turn here too, but is not an input. Bound: one queue per source. Worst case: one look at every source
//! per input.

mod construction;
mod state;

use super::sim_replies::{Returned, SimVenueReplies};
use super::source_queue::{Peek, SourceQueue};
use super::{Admitted, Clock, Commands, Head, IngressError, Origin, Retrace, Then, TickSource};
use crate::deliberate::{Fault, is_on};
use crate::gateway::LiveVenueReplies;
use flow::records::{EndOfInput, Listing};
use flow::{AnomalyKind, Event, EventId, Flags, HaltReason, Kind, Mic, Ns};
use sinks::journal::InputLog;
use std::sync::mpsc::Sender;

/// The next candidate of the merge, and its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Choice {
    Return(Ns),
    Arrival(Ns),
    Tick(Ns),
    Command(Ns),
    Feed(usize, Ns),
    /// All sources have ended.
    End(Ns),
    /// A source may still deliver something earlier.
    Pending,
    /// Nothing is left.
    Exhausted,
}

/// Where the sequence stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Open,
    /// The end of input has entered; only returns follow.
    Returning,
    /// Too many returns: the anomaly has entered, the halt is next.
    Halting,
    Ended,
}

/// The merging ingress.
pub struct Ingress {
    feeds: Vec<SourceQueue>,
    ticks: TickSource,
    clock: Clock,
    commands: Commands,
    returns: Option<SimVenueReplies>,
    live_replies: Option<LiveVenueReplies>,
    retrace: Option<Retrace>,
    now: Ns,
    seq: u64,
    phase: Phase,
    /// The recorded inputs have been replayed and nothing follows: the pipeline stops but keeps its state.
    resting: bool,
    /// Only feeds, ticks and simulated replies are merged, unpaced: most inputs can take the fast path.
    fast_path: bool,
    /// The feed of the last market input.
    last_feed: usize,
    /// Inputs by instrument.
    activity: Box<[u64]>,
    log: Option<InputLog>,
    origins: Option<Sender<Origin>>,
}

impl Ingress {
    /// The next candidate in merge order.
    fn choose(&mut self, idle: bool) -> Result<Choice, IngressError> {
        let mut returned = self.returns.as_ref().and_then(SimVenueReplies::due).map(|(due, arrival)| {
            let at = due.max(self.now);
            (at, if arrival { Choice::Arrival(at) } else { Choice::Return(at) })
        });
        if let Some(retrace) = &mut self.retrace
            && let Some(next) = retrace.next()?
        {
            return Ok(recorded_choice(next, returned));
        }
        if !self.end_replay()? {
            return Ok(Choice::Pending);
        }
        let wall = self.clock.wall();
        if self.resting {
            return Ok(Choice::Exhausted);
        }
        let arrived = self.clock.arrival(self.now);
        if self.commands.has_initial() {
            return Ok(Choice::Command(arrived));
        }
        let mut venue_at_rest = true;
        if let Some(live_replies) = &mut self.live_replies {
            if !live_replies.has_begun(self.seq, idle)? {
                return Ok(Choice::Pending);
            }
            returned = live_replies.is_waiting().then_some((arrived, Choice::Return(arrived)));
            venue_at_rest = self.phase != Phase::Returning || live_replies.is_at_rest(idle, arrived);
        }
        if self.phase == Phase::Returning {
            return Ok(choose_return(returned, wall, venue_at_rest));
        }
        let (market, pending) = self.poll_feeds(wall)?;
        if pending && wall.is_none() {
            return Ok(Choice::Pending);
        }
        let tick = Some(self.ticks.due()).filter(|due| *due != Ns::NONE).map(|due| due.max(self.now));
        let command = self.commands.due(arrived).map(|due| due.max(self.now));
        let candidates = [
            returned,
            tick.map(|at| (at, Choice::Tick(at))),
            command.map(|at| (at, Choice::Command(at))),
            market.map(|(at, i)| (at, Choice::Feed(i, at))),
        ];
        let feeds_ended = market.is_none() && !pending;
        // Once the sources have ended, the last bars close at once rather than at their time.
        let last_ticks = |choice| feeds_ended && matches!(choice, Choice::Tick(_));
        let ready = |&(at, choice): &(Ns, Choice)| last_ticks(choice) || wall.is_none_or(|wall| at <= wall);
        // `min_by_key` returns the first of equals, and the array is in rank order.
        let next = candidates.into_iter().flatten().filter(ready).min_by_key(|(at, _)| *at);
        let only_returns = feeds_ended && tick.is_none() && command.is_none();
        Ok(match next {
            Some((at, choice)) if self.clock.holds_back(at) && !last_ticks(choice) => Choice::Pending,
            Some((at, choice)) if !only_returns || at == self.now => choice,
            _ if feeds_ended => Choice::End(self.now),
            _ => Choice::Pending,
        })
    }

    /// The same choice as [`Ingress::choose`], with fewer checks. Applies when only feeds, ticks and simulated replies are
    /// merged and every feed has an input to show.
    #[inline]
    fn choose_fast(&mut self) -> Result<Option<Choice>, IngressError> {
        if !self.fast_path || self.phase != Phase::Open {
            return Ok(None);
        }
        let earliest = match self.peek_feeds() {
            None => self.poll_feeds(None)?,
            found => (found, false),
        };
        let (Some((market, i)), false) = earliest else { return Ok(None) };
        let tick = self.ticks.due();
        let (at, next) = match tick.max(self.now) {
            at if tick != Ns::NONE && at <= market => (at, Choice::Tick(at)),
            _ => (market, Choice::Feed(i, market)),
        };
        let returned = self.returns.as_ref().and_then(SimVenueReplies::due);
        let returned = returned.map(|(due, arrival)| (due.max(self.now), arrival)).filter(|(due, _)| *due <= at);
        Ok(Some(returned.map_or(next, |(at, arrival)| if arrival { Choice::Arrival(at) } else { Choice::Return(at) })))
    }

    /// The recorded inputs have been replayed: the sources are placed after them and the journal is accepted, or the run
    /// rests. `false` while that takes its time.
    #[inline]
    fn end_replay(&mut self) -> Result<bool, IngressError> {
        let Some(retrace) = &mut self.retrace else { return Ok(true) };
        match retrace.then() {
            Then::Stop => self.resting = true,
            Then::Continue(acceptance) => {
                for feed in self.feeds.iter_mut().filter(|_| self.phase == Phase::Open) {
                    if !feed.skip()? {
                        return Ok(false);
                    }
                }
                let Some(log) = acceptance.accepted()? else { return Ok(false) };
                self.log = Some(log);
            }
        }
        self.retrace = None;
        Ok(true)
    }

    /// The earliest queued market input: its time and its feed. `None` if a live feed has an empty queue.
    #[inline]
    fn peek_feeds(&self) -> Option<(Ns, usize)> {
        let mut best: Option<(Ns, usize)> = None;
        for (i, feed) in self.feeds.iter().enumerate() {
            let Some(next) = feed.lookahead().first() else {
                if feed.has_ended() {
                    continue;
                }
                return None;
            };
            let due = if is_on(Fault::RawDue) { next.ts } else { next.ts.max(self.now) };
            if best.is_none_or(|(least, _)| due < least) {
                best = Some((due, i));
            }
        }
        best
    }

    /// The feed with the earliest input, and whether some feed that has not ended has nothing queued.
    #[inline]
    fn poll_feeds(&mut self, wall: Option<Ns>) -> Result<(Option<(Ns, usize)>, bool), IngressError> {
        let mut best: Option<(Ns, usize)> = None;
        let mut pending = false;
        for (i, feed) in self.feeds.iter_mut().enumerate() {
            match feed.peek()? {
                Peek::Due(ts) => {
                    let due = if is_on(Fault::RawDue) { ts } else { wall.unwrap_or(ts).max(self.now) };
                    if best.is_none_or(|(least, _)| due < least) {
                        best = Some((due, i));
                    }
                }
                Peek::Nothing => pending = true,
                Peek::Ended => {}
            }
        }
        Ok((best, pending))
    }

    /// Whether the pending returns allow `choice` to enter now.
    #[inline]
    fn may_enter(&mut self, choice: Choice, idle: bool) -> bool {
        let Some(returns) = &mut self.returns else {
            return self.live_replies.is_none() || choice != Choice::Exhausted || idle;
        };
        match choice {
            _ if self.clock.wall().is_some() => true,
            Choice::Return(at) | Choice::Tick(at) | Choice::Command(at) | Choice::Feed(_, at) | Choice::End(at) => {
                returns.admits(at, idle)
            }
            Choice::Arrival(at) => returns.admits_arrival(at, idle),
            Choice::Exhausted => idle || is_on(Fault::EndAtOnce),
            Choice::Pending => false,
        }
    }

    /// Numbers, times and logs an input.
    #[inline]
    fn stamp(&mut self, event: &mut Event, ts: Ns) -> Result<(), IngressError> {
        assert!(self.seq < EventId::MAX_SEQ, "sequence numbers are exhausted: start a new journal");
        self.seq += 1;
        self.now = self.now.max(ts);
        event.id = EventId::new(self.seq, 0, 0);
        event.ts = if is_on(Fault::RawDue) { ts } else { self.now };
        if self.retrace.is_some() || self.log.is_some() { self.check_or_log(event) } else { Ok(()) }
    }

    /// Checks a stamped input against the recorded one during a replay; logs it otherwise.
    fn check_or_log(&mut self, event: &Event) -> Result<(), IngressError> {
        if let Some(retrace) = &mut self.retrace {
            return retrace.confirm(event).inspect_err(|_| self.phase = Phase::Ended);
        }
        if let Some(log) = &mut self.log
            && let Err(e) = log.append(event)
        {
            self.seq -= 1;
            self.phase = Phase::Ended;
            return Err(IngressError::Log(e));
        }
        Ok(())
    }

    #[inline(always)]
    fn admit_feed(&mut self, i: usize, ts: Ns, to: &mut Event) -> Result<(), IngressError> {
        let record = match &mut self.retrace {
            Some(retrace) => {
                *to = retrace.take();
                self.feeds[i].count(0);
                None
            }
            None => Some(self.feeds[i].take(to)),
        };
        if let Some(count) = self.activity.get_mut(to.instrument as usize) {
            *count += u64::from(to.instrument != 0);
        }
        if to.kind == Kind::Listing {
            let calendar = Mic(to.record::<Listing>().calendar);
            self.ticks.listed(to.instrument, flow::zone_of(calendar));
        }
        self.origin(Some(i), record, to);
        self.ticks.activity(ts);
        self.stamp(to, ts)?;
        self.last_feed = i;
        if let Some(returns) = &mut self.returns {
            returns.prefetch(self.feeds[i].lookahead());
            returns.defer_to_venue();
        }
        Ok(())
    }

    #[inline]
    fn origin(&self, input: Option<usize>, record: Option<u64>, event: &Event) {
        if self.origins.is_some() {
            self.send_origin(input, record, event);
        }
    }

    fn send_origin(&self, input: Option<usize>, record: Option<u64>, event: &Event) {
        if let Some(origins) = &self.origins {
            let origin = Origin { seq: self.seq + 1, input, record, exchange_ts: event.exchange_ts() };
            // The receiver is dropped only when the rows have ended, and then the run ends too.
            let _ = origins.send(origin);
        }
    }

    fn admit_own(&mut self, event: Event, ts: Ns, to: &mut Event) -> Result<(), IngressError> {
        *to = event;
        self.origin(None, None, to);
        self.stamp(to, ts)
    }

    /// Carries out a choice that may enter; `false` if it was not an input.
    #[inline]
    fn enter(&mut self, choice: Choice, to: &mut Event) -> Result<bool, IngressError> {
        match choice {
            Choice::Feed(i, at) => self.admit_feed(i, at, to)?,
            Choice::Tick(at) => {
                let tick = self.ticks.take();
                self.admit_own(Event::new(at, 0, Flags::NONE, &tick), at, to)?;
            }
            Choice::Command(at) => {
                let command = match &mut self.retrace {
                    Some(retrace) => retrace.take(),
                    None => self.commands.take(),
                };
                if let Some(live_replies) = &mut self.live_replies {
                    live_replies.on_command(&command);
                }
                self.admit_own(command, at, to)?;
                if self.retrace.is_none() {
                    self.commands.on_stored(self.seq);
                }
            }
            Choice::Return(at) | Choice::Arrival(at) => return self.enter_return(at, to),
            Choice::End(at) => {
                let end = EndOfInput { inputs: self.seq, ..EndOfInput::default() };
                self.phase = Phase::Returning;
                self.admit_own(Event::new(at, 0, Flags::LAST_OF_GROUP, &end), at, to)?;
            }
            Choice::Pending | Choice::Exhausted => unreachable!("the caller enters candidates only"),
        }
        Ok(true)
    }

    fn enter_return(&mut self, at: Ns, to: &mut Event) -> Result<bool, IngressError> {
        if let Some(live_replies) = &mut self.live_replies {
            let event = match &self.retrace {
                Some(retrace) => {
                    let recorded = retrace.take();
                    live_replies.replay(&recorded);
                    recorded
                }
                None => live_replies.take(),
            };
            self.admit_own(event, at, to)?;
            return Ok(true);
        }
        let returns = self.returns.as_mut().expect("a return was chosen, so there are returns");
        match returns.take(to) {
            None => {
                self.phase = Phase::Ended;
                let recorded = self.retrace.as_ref().map(|r| format!("{:?}", r.take())).unwrap_or_default();
                Err(IngressError::Diverged { recorded, made: "no venue reply".to_owned() })
            }
            Some(Returned::Arrival) => {
                self.now = self.now.max(at);
                returns.arrive(self.now, *to, self.seq);
                Ok(false)
            }
            Some(Returned::Input) => {
                let at = if is_on(Fault::RawDue) { to.ts } else { at };
                self.origin(None, None, to);
                self.stamp(to, at)?;
                Ok(true)
            }
        }
    }

    /// More returns than may wait: an anomaly, a halt, then the run ends.
    fn overflow(&mut self, to: &mut Event) -> Result<Admitted, IngressError> {
        let limit = self.returns.as_ref().map_or(0, SimVenueReplies::bound);
        if self.phase == Phase::Halting {
            self.phase = Phase::Ended;
            self.admit_own(crate::ingress::halt(HaltReason::ReturnsFull, limit as u64, Ns::NONE), self.now, to)?;
            return Ok(Admitted::One);
        }
        self.phase = Phase::Halting;
        self.admit_own(AnomalyKind::ReturnsFull.event(self.now, 0, Ns::NONE, limit as u64), self.now, to)?;
        Ok(Admitted::One)
    }

    /// The general path: considers every kind of candidate and admits the next one if it may enter.
    #[inline(never)]
    fn admit_slow(&mut self, to: &mut Event) -> Result<Admitted, IngressError> {
        loop {
            if self.phase == Phase::Ended {
                let full = self.returns.as_ref().filter(|r| r.overflowed());
                return full.map_or(Ok(Admitted::Ended), |r| Err(IngressError::Returns { limit: r.bound() }));
            }
            if self.retrace.is_none()
                && let Some(back) = self.clock.take_step_back()
            {
                self.admit_own(AnomalyKind::BackwardClock.event(self.now, 0, Ns::NONE, back), self.now, to)?;
                return Ok(Admitted::One);
            }
            let idle = self.returns.as_mut().is_none_or(|r| r.pipeline_is_idle(self.seq));
            let idle = self.live_replies.as_mut().map_or(idle, |a| a.pipeline_is_idle(self.seq));
            if self.returns.as_ref().is_some_and(SimVenueReplies::overflowed) {
                return self.overflow(to);
            }
            let choice = self.choose_fast().transpose().unwrap_or_else(|| self.choose(idle)).inspect_err(|e| {
                if !matches!(e, IngressError::Source { .. }) {
                    self.phase = Phase::Ended;
                }
            })?;
            if choice == Choice::Pending || !self.may_enter(choice, idle) {
                return Ok(Admitted::Pending);
            }
            if choice == Choice::Exhausted && self.resting {
                return Ok(Admitted::Ended);
            }
            if choice == Choice::Exhausted {
                self.log.iter().for_each(InputLog::end);
                self.phase = Phase::Ended;
            } else if self.enter(choice, to)? {
                return Ok(Admitted::One);
            }
        }
    }
}

/// The choice after the end of input: the next return, once it is due, until nothing more can come back.
fn choose_return(returned: Option<(Ns, Choice)>, wall: Option<Ns>, venue_at_rest: bool) -> Choice {
    match returned {
        _ if is_on(Fault::EndAtOnce) => Choice::Exhausted,
        Some((at, choice)) if wall.is_none_or(|wall| at <= wall) => choice,
        None if venue_at_rest => Choice::Exhausted,
        _ => Choice::Pending,
    }
}

/// The next candidate during a replay: the recorded input, after any order arrivals due before it.
fn recorded_choice(next: &Event, returned: Option<(Ns, Choice)>) -> Choice {
    let at = next.ts;
    match returned {
        Some((due, arrival @ Choice::Arrival(_))) if due <= at => return arrival,
        _ => {}
    }
    match (next.kind, next.source) {
        (Kind::Tick, 0) => Choice::Tick(at),
        (Kind::EndOfInput, 0) => Choice::End(at),
        (_, flow::SOURCE_OPERATOR | 0) => Choice::Command(at),
        (_, flow::SOURCE_RETURNS) => Choice::Return(at),
        (_, feed) => Choice::Feed(usize::from(feed) - 1, at),
    }
}

impl Head for Ingress {
    fn begin_turn(&mut self) {
        self.clock.begin_turn();
        let modelled = self.live_replies.is_none() && self.retrace.is_none();
        self.fast_path = modelled && !self.resting && self.clock.is_free() && self.commands.are_none();
    }

    #[inline]
    fn admit(&mut self, to: &mut Event) -> Result<Admitted, IngressError> {
        if let Some(returns) = &mut self.returns {
            returns.pass_to_venue(to);
        }
        if self.fast_path
            && self.phase == Phase::Open
            && let Some((due, i)) = self.peek_feeds()
            && due < self.ticks.due()
            && self.returns.as_mut().is_none_or(|returns| returns.admits_first(due, self.seq))
        {
            self.admit_feed(i, due, to)?;
            return Ok(Admitted::One);
        }
        self.admit_slow(to)
    }

    #[inline]
    fn lookahead(&self) -> &[Event] {
        self.feeds.get(self.last_feed).map_or(&[], SourceQueue::lookahead)
    }

    fn awaits_returns(&self) -> bool {
        self.returns.is_some()
    }

    fn on_backpressure(&mut self) {
        if let Some(returns) = &mut self.returns {
            returns.drain();
        }
        if let Some(live_replies) = &mut self.live_replies {
            live_replies.drain();
        }
    }

    fn stop(&mut self) {
        if self.retrace.is_some() {
            self.phase = Phase::Ended;
        }
        self.feeds.iter_mut().for_each(SourceQueue::end);
    }

    #[inline]
    fn seq(&self) -> u64 {
        self.seq
    }
}
