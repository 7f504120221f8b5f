//! Recorded inputs at their recorded times, to which the simulated exchange answers anew.
//!
//! **Idea.** What came from outside stays as it was recorded: market data, ticks, sessions, commands, each with its time. What
//! followed from orders is left out: answers of venues, refusals, arrivals. The exchange sees the inputs and the new orders and
//! answers, and an answer takes its place by (time, rank) as in the merge: before a recorded input of the same time. So a run
//! under event time whose settings did not change has the same inputs again, byte for byte. Under wall time, and of a venue
//! outside the process, the answers are new ones, due by the modelled latency.
//!
//! Numbers follow from what enters now, so they move against the record where there are more answers or fewer. What the exchange
//! draws from the number of an event (jitter) it draws from the recorded one, or else all later answers would move too.
//!
//! A record that did not come to its true end says nothing of what followed its last input, so nothing enters after that
//! instant.
//!
//! Bound: what is [read ahead](super::read_ahead), and the places where numbers moved. Worst case: as in
//! [`sim_replies`](super::sim_replies).

use super::read_ahead::ReadAhead;
use super::sim_replies::{Returned, SimVenueReplies};
use super::{Admitted, Head, IngressError};
use crate::pipeline::Group;
use flow::records::{Anomaly, Halt};
use flow::{AnomalyKind, Event, EventId, Gateway, HaltReason, Kind, Ns, SOURCE_OPERATOR, SOURCE_RETURNS};

/// Learns which inputs are answers, of the record and now. An input that is none has the same place among those in both.
pub trait Listener: Send {
    /// A recorded input that is left out.
    fn left_out(&mut self, recorded: &Event);
    /// An answer that has entered.
    fn answered(&mut self, answer: &Event);
    /// All of the record up to the first number was told, and all answers up to the second one.
    fn through(&mut self, recorded: u64, now: u64);
}

/// How much of a record is taken.
#[derive(Clone, Copy, Debug)]
pub struct Extent {
    /// The input before the first one.
    pub after: u64,
    /// The last one.
    pub through: u64,
    /// Whether the record came to its true end, with everything that its last inputs caused.
    pub is_whole: bool,
}

/// The inputs of a journal and the simulated exchange, as the head of a pipeline.
pub struct Answered {
    inputs: ReadAhead,
    extent: Extent,
    /// Recorded inputs as they were read, and the place of the next one.
    block: Vec<Event>,
    at: usize,
    /// The last recorded input that entered or was left out: its number and its time.
    read: (u64, Ns),
    is_read: bool,
    returns: Option<SimVenueReplies>,
    listener: Box<dyn Listener>,
    now: Ns,
    seq: u64,
    activity: Box<[u64]>,
    ended: bool,
}

impl Answered {
    /// Repeats `inputs`, which end where the extent does, for as many instruments as their run had; `returns` is the exchange, if orders may come.
    pub fn new(
        inputs: ReadAhead,
        extent: Extent,
        instruments: u32,
        returns: Option<SimVenueReplies>,
        listener: Box<dyn Listener>,
    ) -> Answered {
        Answered {
            inputs,
            extent,
            block: Vec::new(),
            at: 0,
            read: (extent.after, Ns(0)),
            is_read: false,
            returns: returns.map(SimVenueReplies::drawing_as_recorded),
            listener,
            now: Ns(0),
            seq: extent.after,
            activity: flow::table(instruments as usize, 0),
            ended: false,
        }
    }

    /// Inputs by instrument.
    pub fn activity(&self) -> &[u64] {
        &self.activity
    }

    /// Passes recorded inputs that are left out; afterwards one that enters is the next, or the record is read.
    #[cold]
    fn find_next(&mut self) -> Result<(), IngressError> {
        while !self.is_read {
            if let Some(event) = self.block.get(self.at) {
                if enters(event) {
                    break;
                }
                self.read = (event.id.seq(), event.ts);
                self.listener.left_out(event);
                self.at += 1;
            } else {
                self.listener.through(self.read.0, self.seq);
                self.block = self.inputs.next(std::mem::take(&mut self.block))?;
                self.at = 0;
                self.is_read = self.block.is_empty();
            }
        }
        Ok(())
    }

    /// A recorded input enters.
    #[inline]
    fn enter(&mut self, to: &mut Event, group: &Group) {
        *to = self.block[self.at];
        self.at += 1;
        self.read = (to.id.seq(), to.ts);
        if to.kind != Kind::Tick
            && let Some(count) = self.activity.get_mut(to.instrument as usize)
        {
            *count += u64::from(to.instrument != 0);
        }
        let recorded = to.id.seq();
        self.stamp(to);
        if let Some(returns) = &mut self.returns {
            returns.moved(self.seq, recorded);
            if reaches_the_exchange(to) {
                returns.prefetch(&self.block[self.at..]);
                returns.defer_to_venue(to, group);
            }
        }
    }

    fn stamp(&mut self, event: &mut Event) {
        self.seq += 1;
        self.now = self.now.max(event.ts);
        event.id = EventId::new(self.seq, 0, 0);
        event.ts = self.now;
    }

    /// The exchange's turn, if a return is due by `by`: whether it entered. `Ok(None)` if none is due.
    fn take_return(&mut self, by: Option<Ns>, idle: bool, to: &mut Event, group: &Group) -> Option<Admitted> {
        loop {
            let returns = self.returns.as_mut()?;
            let (due, arrives) = returns.due().filter(|(due, _)| by.is_none_or(|by| *due <= by))?;
            let at = due.max(self.now);
            let may = if arrives { returns.admits_arrival(at, idle) } else { returns.admits(at, idle) };
            if !may {
                return Some(Admitted::Pending);
            }
            match returns.take(to)? {
                Returned::Arrival => {
                    self.now = at;
                    returns.arrive(at, *to, self.seq, group);
                }
                Returned::Input => {
                    to.ts = at;
                    self.stamp(to);
                    self.listener.answered(to);
                    return Some(Admitted::One);
                }
            }
        }
    }

    /// Until when returns may still come behind the last recorded input.
    fn horizon(&self) -> Option<Ns> {
        if self.extent.is_whole { None } else { Some(Ns(self.read.1.0.saturating_sub(1))) }
    }

    fn admit_next(&mut self, to: &mut Event, group: &Group) -> Result<Admitted, IngressError> {
        if self.block.get(self.at).is_none_or(|event| !enters(event)) {
            self.find_next()?;
        }
        let next = self.block.get(self.at).map(|event| event.ts);
        let Some(returns) = &mut self.returns else {
            if next.is_some() {
                self.enter(to, group);
                return Ok(Admitted::One);
            }
            return Ok(self.end());
        };
        if let Some(at) = next
            && returns.admits_first(at, self.seq)
        {
            self.enter(to, group);
            return Ok(Admitted::One);
        }
        let idle = returns.pipeline_is_idle(self.seq);
        if returns.overflowed() {
            return Err(IngressError::Returns { limit: returns.bound() });
        }
        let by = if next.is_some() { next } else { self.horizon() };
        if let Some(admitted) = self.take_return(by, idle, to, group) {
            return Ok(admitted);
        }
        match next {
            Some(at) if self.returns.as_mut().is_none_or(|returns| returns.admits(at, idle)) => {
                self.enter(to, group);
                Ok(Admitted::One)
            }
            None if idle => Ok(self.end()),
            _ => Ok(Admitted::Pending),
        }
    }

    fn end(&mut self) -> Admitted {
        if !std::mem::replace(&mut self.ended, true) {
            self.listener.through(self.read.0, self.seq);
        }
        Admitted::Ended
    }
}

/// Whether the exchange sees an input: what feeds and calendars say, and ticks.
#[inline]
fn reaches_the_exchange(input: &Event) -> bool {
    match input.source {
        0 => matches!(input.kind, Kind::Tick | Kind::Session),
        source => source != SOURCE_OPERATOR,
    }
}

/// Whether a recorded input enters again: it neither answers an order nor follows from too many answers.
fn enters(event: &Event) -> bool {
    let returns_full = match event.kind {
        Kind::Anomaly => event.source == 0 && event.record::<Anomaly>().what == AnomalyKind::ReturnsFull.code(),
        Kind::Halt => event.record::<Halt>().reason == HaltReason::ReturnsFull.code(),
        _ => false,
    };
    event.source != SOURCE_RETURNS && Gateway::of_source(event.source).is_none() && !returns_full
}

impl Head for Answered {
    fn begin_turn(&mut self) {}

    fn admit(&mut self, to: &mut Event, group: &Group) -> Result<Admitted, IngressError> {
        if let Some(returns) = &mut self.returns {
            returns.pass_to_venue(to, group);
        }
        if self.ended {
            return Ok(Admitted::Ended);
        }
        self.admit_next(to, group).inspect_err(|_| self.ended = true)
    }

    fn lookahead(&self) -> &[Event] {
        &self.block[self.at..]
    }

    fn awaits_returns(&self) -> bool {
        self.returns.is_some()
    }

    fn on_backpressure(&mut self) {
        self.returns.iter_mut().for_each(SimVenueReplies::drain);
    }

    fn stop(&mut self) {
        self.ended = true;
    }

    fn seq(&self) -> u64 {
        self.seq
    }
}
