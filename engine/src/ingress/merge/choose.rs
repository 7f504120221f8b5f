//! Which candidate enters next: the order of the merge, during a replay, in the open, and at the end.
//!
//! Until the sources have all shown an input or ended, only what is due by the time already reached may enter: whatever
//! they still deliver comes after it. Once the run stops, the sources give nothing more, no tick closes a bar, and nothing
//! is stored but commands and, from a venue outside the process, its answers. What the simulated exchange still had to say
//! is not lost: the next start derives it again from the same inputs. Bound: one look at every source. Worst case: a stop
//! waits [`DRAIN`] for a venue that does not answer.

use super::{Choice, Ingress, Phase};
use crate::deliberate::{Fault, is_on};
use crate::ingress::source_queue::Peek;
use crate::ingress::{IngressError, Refusals, SimVenueReplies, Then};
use flow::{Event, Gateway, Kind, Ns};
use std::time::Duration;

/// How long a stop waits for the answers of a venue outside the process.
const DRAIN: Duration = Duration::from_millis(500);

/// A return that waits, and the time it is due.
type Returned = Option<(Ns, Choice)>;

impl Ingress {
    /// The next candidate in merge order.
    pub(super) fn choose(&mut self, idle: bool) -> Result<Choice, IngressError> {
        let returned = self.returns.as_ref().and_then(SimVenueReplies::due).map(|(due, arrival)| {
            let at = due.max(self.now);
            (at, if arrival { Choice::Arrival(at) } else { Choice::Return(at) })
        });
        if let Some(choice) = self.choose_recorded(returned)? {
            return Ok(choice);
        }
        if self.resting {
            return Ok(Choice::Exhausted);
        }
        let arrived = self.clock.arrival(self.now);
        let is_ending = self.phase == Phase::Returning || self.stopping.is_some();
        if self.commands.has_initial() && !is_ending {
            return Ok(Choice::Command(arrived));
        }
        // Under wall time an operator and a venue outside the process need not wait for what arrived before them.
        let first = if self.clock.wall().is_some() { self.now } else { arrived };
        let mut begun = true;
        for replies in &mut self.live_replies {
            begun &= replies.has_begun(self.seq, idle && self.stopping.is_none())?;
        }
        if !begun && self.stopping.is_none() {
            return Ok(Choice::Pending);
        }
        let venues_at_rest = is_ending && self.venues_are_at_rest(idle, arrived);
        let answered = self.answered(arrived).filter(|_| begun).map(|choice| (first, choice));
        if is_ending {
            Ok(self.choose_ending(returned, answered, venues_at_rest))
        } else {
            self.choose_open([returned, answered], arrived, idle)
        }
    }

    /// Whether every gateway has said all that it had to say.
    fn venues_are_at_rest(&mut self, idle: bool, now: Ns) -> bool {
        let mut all = true;
        for replies in &mut self.live_replies {
            all &= replies.is_at_rest(idle, now);
        }
        all && !self.refusals.as_ref().is_some_and(Refusals::is_waiting)
    }

    /// What enters next of refusals and of what gateways say, each of these in turn.
    pub(super) fn answered(&self, at: Ns) -> Option<Choice> {
        if self.refusals.as_ref().is_some_and(Refusals::is_waiting) {
            return Some(Choice::Return(at));
        }
        let count = self.live_replies.len();
        let mut gateways = (self.next_gateway..count).chain(0..self.next_gateway.min(count));
        let next = gateways.find(|gateway| self.live_replies[*gateway].is_waiting());
        next.map(|gateway| Choice::Answer(gateway, at))
    }

    /// The next candidate while the sources go on.
    fn choose_open(
        &mut self,
        [returned, answered]: [Returned; 2],
        arrived: Ns,
        idle: bool,
    ) -> Result<Choice, IngressError> {
        let wall = self.clock.wall();
        let (market, pending) = match wall {
            Some(wall) => self.poll_by_arrival(wall)?,
            None => self.poll_feeds()?,
        };
        let feeds_ended = market.is_none() && !pending;
        match wall {
            // The last bars close now, and no further one begins.
            Some(_) if feeds_ended => self.ticks.stop_heartbeat(),
            Some(wall) => self.ticks.activity(wall),
            None => {}
        }
        let waits_for_sources = pending && wall.is_none();
        let (reached, arrived) = if waits_for_sources { (Some(self.now), self.now) } else { (wall, arrived) };
        // What shows that a calendar's time has come is an input that comes later. After the last one no calendar speaks.
        let seen = wall.unwrap_or_else(|| market.map_or(Ns(0), |(at, _)| at));
        let session = self.ticks.session_due(seen).map(|due| due.max(self.now));
        let tick = Some(self.ticks.tick_due()).filter(|due| *due != Ns::NONE).map(|due| due.max(self.now));
        let command = self.commands.due(arrived).map(|due| due.max(self.now));
        let command = command.map(|at| (if wall.is_some_and(|wall| at <= wall) { self.now } else { at }, at));
        let candidates = [
            returned,
            answered,
            session.map(|at| (at, Choice::Session(at, seen))),
            tick.map(|at| (at, Choice::Tick(at))),
            command.map(|(rank, at)| (rank, Choice::Command(at))),
            market.map(|(at, i)| (at, Choice::Feed(i, at))).filter(|_| !waits_for_sources),
        ];
        // Once the sources have ended, the last bars close at once rather than at their time.
        let last_ticks = |choice| feeds_ended && matches!(choice, Choice::Tick(_));
        if feeds_ended && wall.is_some() && self.returns.is_some() && !idle {
            // They must not overtake what the last inputs caused.
            return Ok(answered.or(returned).map_or(Choice::Pending, |(_, choice)| choice));
        }
        let soon = feeds_ended && self.returns.is_some();
        let ready =
            |&(at, choice): &(Ns, Choice)| last_ticks(choice) || soon || reached.is_none_or(|reached| at <= reached);
        // `min_by_key` returns the first of equals, and the array is in rank order.
        let next = candidates.into_iter().flatten().filter(ready).min_by_key(|(at, _)| *at);
        let only_returns = feeds_ended && tick.is_none() && command.is_none();
        Ok(match next {
            Some((at, choice)) if at > self.now && self.clock.holds_back(at) && !last_ticks(choice) => Choice::Pending,
            Some((at, choice)) if !only_returns || at == self.now => choice,
            _ if feeds_ended => Choice::End(self.now),
            _ => Choice::Pending,
        })
    }

    /// The choice once the sources give nothing more: returns and commands, until nothing can come back.
    fn choose_ending(&mut self, mut returned: Returned, mut answered: Returned, venues_at_rest: bool) -> Choice {
        let wall = self.clock.wall();
        let now = wall.unwrap_or(self.now);
        let command = self.commands.due(now).is_some_and(|due| due <= now);
        let time_is_up = self.stopping.is_some_and(|since| since.elapsed() >= DRAIN);
        let is_state = self.stopping.is_some() && self.returns.is_some();
        if time_is_up || is_state && !command {
            returned = None;
        }
        if time_is_up {
            answered = None;
        }
        match answered.or(returned) {
            _ if is_on(Fault::EndAtOnce) => Choice::Exhausted,
            // Nothing else comes from the sources: what the simulated exchange answers need not wait for the wall.
            Some((at, choice)) if at <= now || !command && (wall.is_none() || self.returns.is_some()) => choice,
            _ if command => Choice::Command(now),
            None if venues_at_rest || time_is_up => Choice::Exhausted,
            _ => Choice::Pending,
        }
    }

    /// The next candidate during a replay; `None` once it is over. A stop ends it in between: nothing has been stored.
    fn choose_recorded(&mut self, returned: Returned) -> Result<Option<Choice>, IngressError> {
        let Some(retrace) = &mut self.retrace else {
            return Ok(None);
        };
        if self.stopping.is_some() {
            return Ok(Some(Choice::Exhausted));
        }
        if let Some(next) = retrace.next()? {
            let arrived = returned.filter(|_| self.clock.wall().is_none());
            return Ok(Some(recorded_choice(next, arrived)));
        }
        Ok(if self.end_replay()? { None } else { Some(Choice::Pending) })
    }

    /// The recorded inputs have been replayed: the sources are placed after them and the journal is accepted, or the run
    /// rests. `false` while that takes its time.
    #[cold]
    fn end_replay(&mut self) -> Result<bool, IngressError> {
        let Some(retrace) = &mut self.retrace else { return Ok(true) };
        match retrace.then() {
            Then::Stop => self.resting = true,
            Then::Continue(acceptance) => {
                let times = (self.now, self.clock.wall());
                for (i, feed) in self.feeds.iter_mut().enumerate() {
                    if !feed.resume(times, i != self.last_feed, &mut self.directory)? {
                        return Ok(false);
                    }
                }
                let Some(log) = acceptance.accepted()? else { return Ok(false) };
                self.log = Some(log);
                self.commands.begin_with(self.joining.announced(&self.feeds));
            }
        }
        self.clock.go_on_from(self.now);
        self.retrace = None;
        if self.phase == Phase::Returning {
            // The record ends after its end of input: the orders may not have been cancelled there.
            self.cancel_orders();
        }
        Ok(true)
    }

    /// The same choice as [`Ingress::choose`], with fewer checks. Applies when only feeds, ticks and simulated replies are
    /// merged and every feed has an input to show.
    #[inline]
    pub(super) fn choose_fast(&mut self) -> Result<Option<Choice>, IngressError> {
        if !self.fast_path || self.phase != Phase::Open {
            return Ok(None);
        }
        let earliest = match self.peek_feeds() {
            None => self.poll_feeds()?,
            found => (found, false),
        };
        let (Some((market, i)), false) = earliest else { return Ok(None) };
        let tick = self.ticks.tick_due();
        let (at, next) = match tick.max(self.now) {
            at if tick != Ns::NONE && at <= market => (at, Choice::Tick(at)),
            _ => (market, Choice::Feed(i, market)),
        };
        let session = self.ticks.session_due(market).map(|due| due.max(self.now)).filter(|due| *due <= at);
        let (at, next) = session.map_or((at, next), |at| (at, Choice::Session(at, market)));
        let returned = self.returns.as_ref().and_then(SimVenueReplies::due);
        let returned = returned.map(|(due, arrival)| (due.max(self.now), arrival)).filter(|(due, _)| *due <= at);
        Ok(Some(returned.map_or(next, |(at, arrival)| if arrival { Choice::Arrival(at) } else { Choice::Return(at) })))
    }

    /// The earliest queued market input: its time and its feed. `None` if a live feed has an empty queue.
    #[inline]
    pub(super) fn peek_feeds(&self) -> Option<(Ns, usize)> {
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

    /// The feed whose input arrived first, under wall time; of several at the same moment each in turn, so that none keeps
    /// another one out. And whether some feed that has not ended has nothing queued.
    fn poll_by_arrival(&mut self, wall: Ns) -> Result<(Option<(Ns, usize)>, bool), IngressError> {
        let mut best: Option<(Ns, usize)> = None;
        let mut pending = false;
        for i in (self.last_feed + 1..self.feeds.len()).chain(0..self.feeds.len().min(self.last_feed + 1)) {
            match self.feeds[i].peek(Some(wall))? {
                Peek::Due(arrival) => {
                    // The clock of whoever stamped it may be ahead.
                    let arrival = arrival.min(wall);
                    if best.is_none_or(|(first, _)| arrival < first) {
                        best = Some((arrival, i));
                    }
                }
                Peek::Nothing => pending = true,
                Peek::Ended => {}
            }
        }
        Ok((best.map(|(arrival, i)| (arrival.max(self.now), i)), pending))
    }

    /// The feed with the earliest input, and whether some feed that has not ended has nothing queued.
    #[inline]
    fn poll_feeds(&mut self) -> Result<(Option<(Ns, usize)>, bool), IngressError> {
        let mut best: Option<(Ns, usize)> = None;
        let mut pending = false;
        for (i, feed) in self.feeds.iter_mut().enumerate() {
            match feed.peek(None)? {
                Peek::Due(ts) => {
                    let due = if is_on(Fault::RawDue) { ts } else { ts.max(self.now) };
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
}

/// The next candidate during a replay: the recorded input, after any order arrivals due before it that are no inputs.
fn recorded_choice(next: &Event, returned: Returned) -> Choice {
    let at = next.ts;
    match returned {
        Some((due, arrival @ Choice::Arrival(_))) if due <= at => return arrival,
        _ => {}
    }
    match (next.kind, next.source) {
        (Kind::Tick, 0) => Choice::Tick(at),
        (Kind::Session, 0) => Choice::Session(at, at),
        (Kind::EndOfInput, 0) => Choice::End(at),
        (_, flow::SOURCE_OPERATOR | 0) => Choice::Command(at),
        (Kind::Arrival, flow::SOURCE_RETURNS) => Choice::Arrival(at),
        (_, flow::SOURCE_RETURNS) => Choice::Return(at),
        (_, source) => match Gateway::of_source(source) {
            Some(gateway) => Choice::Answer(gateway.number(), at),
            None => Choice::Feed(usize::from(source) - 1, at),
        },
    }
}
