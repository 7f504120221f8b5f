//! The merge: many sources, one sequence.
//!
//! [`Ingress::choose`] picks the next candidate by (time, rank, order of arguments). [`Ingress::admit`] checks that the
//! pending returns allow it to enter, then numbers, times, logs and hands it over. An order's arrival at the simulated
//! venue takes its turn here too; it is an input only under wall time, where nothing else says when it came. Bound: one
//! queue per source. Worst case: one look at every source per input.

mod choose;
mod construction;
#[cfg(test)]
mod key_tests;
#[cfg(test)]
mod live_tests;
mod returned;
mod roll;
mod state;
#[cfg(test)]
mod tests;

use super::commands::Concerned;
use super::directory::Directory;
use super::joining::Joining;
use super::locals::is_local;
use super::refusals::Refusals;
use super::rolling::Rolling;
use super::sim_replies::SimVenueReplies;
use super::source_queue::SourceQueue;
use super::{
    Admitted, Asker, Clock, Commands, Head, IngressError, OperatorCommand, Origin, Retrace, TickSource, wall_now,
};
use crate::deliberate::{Fault, is_on};
use crate::gateway::{KillSwitch, LiveVenueReplies};
use crate::pipeline::{Group, HeadState};
use flow::records::{EndOfInput, Listing};
use flow::{AnomalyKind, Calendar, CommandAction, Event, EventId, Flags, HaltReason, Kind, MarketHours, Mic, Ns};
use sinks::journal::InputLog;
use std::sync::Arc;
use std::sync::mpsc::Sender;
use std::time::{Duration, Instant};

/// How long a stop waits for room in the journal, if it still has a command or an answer to store.
const STOP_WITHOUT_ROOM: Duration = Duration::from_millis(300);

/// The next candidate of the merge, and its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Choice {
    /// A refusal, or what the simulated exchange says.
    Return(Ns),
    Arrival(Ns),
    /// What a gateway says.
    Answer(usize, Ns),
    Tick(Ns),
    /// What a calendar says that is due by the second time.
    Session(Ns, Ns),
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
    directory: Directory,
    ticks: TickSource,
    clock: Clock,
    commands: Commands,
    /// The instrument that the next command concerns.
    concerned: Concerned,
    joining: Joining,
    returns: Option<SimVenueReplies>,
    /// Refusals, where no order goes to the simulated exchange.
    refusals: Option<Refusals>,
    /// What gateways say, by their numbers, and whose turn it is.
    live_replies: Vec<LiveVenueReplies>,
    next_gateway: usize,
    retrace: Option<Retrace>,
    now: Ns,
    seq: u64,
    phase: Phase,
    /// The recorded inputs have been replayed and nothing follows: the pipeline stops but keeps its state.
    resting: bool,
    /// Since when the run stops: nothing more enters from the sources.
    stopping: Option<Instant>,
    /// All sources have ended, and all that they caused has come back.
    complete: bool,
    /// Cancels what is open at a venue outside the process when the run ends.
    cancel_at_end: Option<Arc<KillSwitch>>,
    /// Only feeds, ticks and simulated replies are merged, unpaced: most inputs can take the fast path.
    fast_path: bool,
    /// The feed of the last market input.
    last_feed: usize,
    /// Inputs by instrument.
    activity: Box<[u64]>,
    log: Option<InputLog>,
    rolling: Option<Rolling>,
    origins: Option<Sender<Origin>>,
}

impl Ingress {
    /// Whether the pending returns allow `choice` to enter now.
    #[inline]
    fn may_enter(&mut self, choice: Choice, idle: bool) -> bool {
        let Some(returns) = &mut self.returns else {
            return self.refusals.is_none() || choice != Choice::Exhausted || idle;
        };
        let is_wall = self.clock.wall().is_some();
        match choice {
            // What the record has next may still be under way.
            Choice::Return(_) | Choice::Arrival(_) if is_wall => {
                self.retrace.as_ref().is_none_or(|retrace| idle || returns.has(&retrace.take()))
            }
            Choice::Exhausted => idle || is_on(Fault::EndAtOnce),
            Choice::Pending => false,
            _ if is_wall => true,
            Choice::Return(at)
            | Choice::Tick(at)
            | Choice::Session(at, _)
            | Choice::Command(at)
            | Choice::Answer(_, at)
            | Choice::Feed(_, at)
            | Choice::End(at) => returns.admits(at, idle),
            Choice::Arrival(at) => returns.admits_arrival(at, idle),
        }
    }

    /// Numbers, times and logs an input.
    #[inline(always)]
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

    /// Admits the next input of a feed; `false` if it is left out.
    #[inline(always)]
    fn admit_feed(&mut self, i: usize, ts: Ns, to: &mut Event, group: &Group) -> Result<bool, IngressError> {
        self.last_feed = i;
        let record = match &mut self.retrace {
            Some(retrace) => {
                *to = retrace.take();
                self.feeds[i].repeat(to, &mut self.directory);
                None
            }
            None => {
                let record = self.feeds[i].take(to);
                if is_local(to) && !self.decide(i, to) {
                    return Ok(false);
                }
                self.feeds[i].count(record, to);
                Some(record)
            }
        };
        if let Some(count) = self.activity.get_mut(to.instrument as usize) {
            *count += u64::from(to.instrument != 0);
        }
        if matches!(to.kind, Kind::Listing | Kind::Status) {
            self.note(to, ts);
        }
        self.origin(Some(i), record, to);
        self.ticks.activity(ts);
        self.stamp(to, ts)?;
        self.feeds[i].entered(to.ts);
        if let Some(returns) = &mut self.returns {
            returns.prefetch(self.feeds[i].lookahead());
            returns.defer_to_venue(to, group);
        }
        Ok(true)
    }

    /// Takes note of what ticks depend on: who is listed, and when market hours end.
    #[cold]
    fn note(&mut self, event: &Event, ts: Ns) {
        if let Some(listing) = event.get::<Listing>() {
            self.ticks.listed(event.instrument, Calendar::of(Mic(listing.calendar)));
        } else if event.instrument == 0 && MarketHours::of(event.record()) == Some(MarketHours::Over) {
            self.ticks.hours_ended(ts.max(self.now));
        }
    }

    /// Decides on an input of a feed whose instrument is still local; `false` if it is left out.
    #[cold]
    fn decide(&mut self, i: usize, event: &mut Event) -> bool {
        let (before, rest) = self.feeds.split_at_mut(i);
        let Some((feed, after)) = rest.split_first_mut() else { return false };
        let has_ended = |id: u8| {
            let at = usize::from(id).wrapping_sub(1);
            let other = before.get(at).or_else(|| after.get(at.wrapping_sub(i + 1)));
            other.is_none_or(SourceQueue::is_over)
        };
        feed.decide(event, &mut self.directory, has_ended)
    }

    #[inline]
    fn origin(&self, input: Option<usize>, record: Option<u64>, event: &Event) {
        if self.origins.is_some() {
            self.send_origin(input, record, event);
        }
    }

    fn send_origin(&self, input: Option<usize>, record: Option<u64>, event: &Event) {
        if let Some(origins) = &self.origins {
            let record = record.filter(|number| *number > 0);
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
    fn enter(&mut self, choice: Choice, to: &mut Event, group: &Group) -> Result<bool, IngressError> {
        match choice {
            Choice::Feed(i, at) => return self.admit_feed(i, at, to, group),
            Choice::Tick(at) => {
                let tick = match &self.retrace {
                    Some(retrace) if self.clock.wall().is_some() => {
                        let recorded = retrace.take();
                        self.ticks.repeat(recorded.record(), recorded.ts);
                        recorded
                    }
                    _ => Event::new(at, 0, Flags::NONE, &self.ticks.take()),
                };
                self.admit_own(tick, at, to)?;
                self.returns.iter_mut().for_each(|returns| returns.defer_to_venue(to, group));
            }
            Choice::Session(at, seen) => {
                let session = match &self.retrace {
                    Some(retrace) => {
                        let recorded = retrace.take();
                        self.ticks.repeat_session(recorded.record(), recorded.ts);
                        recorded
                    }
                    None => self.ticks.take_session(at, seen),
                };
                self.admit_own(session, at, to)?;
                self.returns.iter_mut().for_each(|returns| returns.defer_to_venue(to, group));
            }
            Choice::Command(at) => {
                let command = match &mut self.retrace {
                    Some(retrace) => Some(retrace.take()),
                    None => self.commands.take(),
                };
                let Some(mut command) = command else { return Ok(false) };
                self.directory.carry(&command);
                if self.retrace.is_none() {
                    self.concerned.put_into(&mut command, |symbol| self.directory.named(symbol));
                }
                self.live_replies.iter_mut().for_each(|replies| replies.on_command(&command));
                self.admit_own(command, at, to)?;
                if self.retrace.is_none() {
                    self.joining.wait(self.commands.on_stored(self.seq));
                }
                self.joining.take(to, &mut self.feeds)?;
            }
            Choice::Return(at) | Choice::Arrival(at) => return self.enter_return(at, to, group),
            Choice::Answer(gateway, at) => self.enter_answer(gateway, at, to)?,
            Choice::End(at) => {
                let end = EndOfInput { inputs: self.seq, ..EndOfInput::default() };
                self.phase = Phase::Returning;
                self.admit_own(Event::new(at, 0, Flags::LAST_OF_GROUP, &end), at, to)?;
                if self.retrace.is_none() {
                    self.cancel_orders();
                }
            }
            Choice::Pending | Choice::Exhausted => unreachable!("the caller enters candidates only"),
        }
        Ok(true)
    }

    /// The run ends: no further order goes to the venue, and what is open there is cancelled, if the settings say so. The
    /// cancels leave at once; the command is stored like an operator's.
    #[cold]
    fn cancel_orders(&mut self) {
        if let Some(kill_switch) = self.cancel_at_end.take() {
            kill_switch.refuse_new_orders();
            // The end follows from the inputs, a stop does not.
            let asked_ts = self.stopping.map_or(Ns::NONE, |_| wall_now());
            let cancel = OperatorCommand::plain(CommandAction::CancelAll, Asker { asked_ts, ..Asker::ENGINE }).event();
            self.commands.submit(vec![cancel], kill_switch);
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
    fn admit_slow(&mut self, to: &mut Event, group: &Group) -> Result<Admitted, IngressError> {
        loop {
            if self.phase == Phase::Ended {
                self.commands.close();
                let full = self.returns.as_ref().filter(|r| r.overflowed());
                return full.map_or(Ok(Admitted::Ended), |r| Err(IngressError::Returns { limit: r.bound() }));
            }
            if self.clock.has_stepped()
                && self.retrace.is_none()
                && self.stopping.is_none()
                && self.has_room()?
                && let Some(step) = self.clock.take_step()
            {
                self.admit_own(step.anomaly().event(self.now, 0, Ns::NONE, step.ns), self.now, to)?;
                return Ok(Admitted::One);
            }
            let idle = self.returns.as_mut().is_none_or(|r| r.pipeline_is_idle(self.seq));
            let idle = self.refusals.as_mut().map_or(idle, |refusals| refusals.pipeline_is_idle(self.seq));
            self.live_replies.iter_mut().for_each(LiveVenueReplies::drain);
            if self.returns.as_ref().is_some_and(SimVenueReplies::overflowed) {
                return if self.has_room()? { self.overflow(to) } else { Ok(Admitted::Pending) };
            }
            let choice = self.choose_fast().transpose().unwrap_or_else(|| self.choose(idle)).inspect_err(|e| {
                if !matches!(e, IngressError::Source { .. }) {
                    self.phase = Phase::Ended;
                }
            })?;
            let Some(choice) = self.unless_it_rolls(choice, idle, group) else { continue };
            if choice == Choice::Pending || !self.may_enter(choice, idle) {
                return Ok(Admitted::Pending);
            }
            let is_input = match choice {
                Choice::Arrival(_) => self.clock.wall().is_some(),
                _ => choice != Choice::Exhausted,
            };
            if is_input && !self.has_room()? {
                // A stop does not wait for the disk: what is not stored by then was not carried out.
                if self.stopping.is_none_or(|since| since.elapsed() < STOP_WITHOUT_ROOM) {
                    return Ok(Admitted::Pending);
                }
                self.phase = Phase::Ended;
                continue;
            }
            if choice == Choice::Exhausted && self.resting {
                return Ok(Admitted::Ended);
            }
            if choice == Choice::Exhausted {
                self.complete = self.phase == Phase::Returning && self.stopping.is_none();
                self.log.iter().filter(|_| self.complete).for_each(InputLog::end);
                self.phase = Phase::Ended;
            } else if self.enter(choice, to, group)? {
                return Ok(Admitted::One);
            }
        }
    }
}

impl Head for Ingress {
    fn begin_turn(&mut self) {
        self.clock.begin_turn();
        let modelled = self.refusals.is_none() && self.live_replies.is_empty() && self.retrace.is_none();
        let open = !self.resting && self.stopping.is_none() && self.rolling.is_none();
        self.fast_path = modelled && open && self.clock.is_free() && self.commands.are_none();
    }

    #[inline]
    fn admit(&mut self, to: &mut Event, group: &Group) -> Result<Admitted, IngressError> {
        if let Some(returns) = &mut self.returns {
            returns.pass_to_venue(to, group);
        }
        if self.fast_path
            && self.phase == Phase::Open
            && let Some((due, i)) = self.peek_feeds()
            && due < self.ticks.due()
            && self.returns.as_mut().is_none_or(|returns| returns.admits_first(due, self.seq))
        {
            if !self.has_room()? {
                return Ok(Admitted::Pending);
            }
            if self.admit_feed(i, due, to, group)? {
                return Ok(Admitted::One);
            }
        }
        self.admit_slow(to, group)
    }

    #[inline]
    fn lookahead(&self) -> &[Event] {
        self.feeds.get(self.last_feed).map_or(&[], SourceQueue::lookahead)
    }

    fn is_replaying(&self) -> bool {
        self.retrace.is_some()
    }

    fn awaits_returns(&self) -> bool {
        self.returns.is_some()
    }

    fn on_backpressure(&mut self) {
        if let Some(returns) = &mut self.returns {
            returns.drain();
        }
        self.refusals.iter_mut().for_each(Refusals::drain);
        self.live_replies.iter_mut().for_each(LiveVenueReplies::drain);
    }

    fn stop(&mut self) {
        if self.stopping.is_none() {
            self.stopping = Some(Instant::now());
            self.fast_path = false;
            self.cancel_orders();
        }
    }

    #[inline]
    fn seq(&self) -> u64 {
        self.seq
    }

    fn trading_state(&self, to: &mut HeadState) {
        self.say(to);
    }
}
