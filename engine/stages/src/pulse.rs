//! The stage `pulse`: says when all that an input caused has been delivered.
//!
//! The idea: what an input causes comes in pieces. A trade comes before the touch that it leaves, and a measure's new value
//! after both, so whoever acts on one of them acts on half-new state. This stage is the first of the pipeline. What the
//! first stage emits is delivered last, after all that the later stages made of the same input; so its one event, `pulse`,
//! is the moment at which everything is new. Strategies collect, and decide at the pulse alone.
//!
//! There is a pulse after each input that ends a group of market data, and after each tick, session, report, command and halt. While
//! a group of another source is still open there is none: its instruments would be half new. A group that stays open for
//! longer than a second, because its source broke off, is no longer waited for.
//!
//! Bound: a time per source. Worst case: a look at each of the 256 sources, when a group has been open for too long.

use crate::Space;
use flow::records::Pulse;
use flow::{
    Event, Flags, Kind, Kinds, Ns, Out, Param, ParamError, Params, Scope, Stage, StateError, StateReader, StateWriter,
};

/// It has none.
pub const PARAMS: &[Param] = &[];

/// How long it waits for the end of another source's group.
const PATIENCE: u64 = Ns::SECOND;

/// Inputs that are a group of their own.
const SINGLE: Kinds = Kinds::of(&[
    Kind::Tick,
    Kind::Session,
    Kind::Command,
    Kind::Halt,
    Kind::Refused,
    Kind::Sent,
    Kind::Ack,
    Kind::Fill,
    Kind::Reject,
    Kind::Cancelled,
    Kind::Bust,
    Kind::DropCopy,
    Kind::OrderStatus,
    Kind::External,
]);

/// The stage.
pub struct PulseStage {
    /// Since when a group of each source is open; [`Ns::NONE`] = none is.
    open_since: [Ns; 256],
    open: usize,
    /// None of them has been open for longer than since then; [`Ns::NONE`] = none is open.
    oldest: Ns,
}

impl PulseStage {
    /// No group is open.
    pub fn new() -> PulseStage {
        PulseStage { open_since: [Ns::NONE; 256], open: 0, oldest: Ns::NONE }
    }

    /// The registry's builder.
    ///
    /// # Errors
    /// None.
    pub fn build(_params: &Params, _space: Space) -> Result<Box<dyn Stage>, ParamError> {
        Ok(Box::new(PulseStage::new()))
    }

    /// A group of this source goes on, or has ended.
    #[cold]
    fn set_open(&mut self, source: u8, now: Ns, is_open: bool) {
        let since = &mut self.open_since[usize::from(source)];
        match (*since == Ns::NONE, is_open) {
            (true, true) => (*since, self.open) = (now, self.open + 1),
            (false, false) => (*since, self.open) = (Ns::NONE, self.open - 1),
            _ => {}
        }
        self.oldest = if self.open == 0 { Ns::NONE } else { self.oldest.min(*since) };
        debug_assert_eq!(self.open, self.open_since.iter().filter(|since| **since != Ns::NONE).count());
    }

    /// Gives up groups that have been open for too long.
    #[cold]
    fn give_up(&mut self, now: Ns) {
        if now.0.saturating_sub(self.oldest.0) <= PATIENCE {
            return;
        }
        for source in 0..=u8::MAX {
            let since = self.open_since[usize::from(source)];
            if since != Ns::NONE && now.0.saturating_sub(since.0) > PATIENCE {
                self.set_open(source, now, false);
            }
        }
        self.oldest = self.open_since.into_iter().min().unwrap_or(Ns::NONE);
    }
}

impl Default for PulseStage {
    fn default() -> PulseStage {
        PulseStage::new()
    }
}

impl Stage for PulseStage {
    fn reads(&self) -> Kinds {
        Kinds::MARKET_DATA.or(SINGLE)
    }

    fn emits(&self) -> Kinds {
        Kinds::of(&[Kind::Pulse])
    }

    fn scope(&self) -> Scope {
        Scope::Global
    }

    fn fan_out(&self) -> usize {
        1
    }

    #[inline]
    fn on_event(&mut self, event: &Event, out: &mut Out) {
        let ends = event.flags.has(Flags::LAST_OF_GROUP) || !Kinds::MARKET_DATA.has(event.kind);
        if !ends || self.open > 0 {
            self.set_open(event.source, event.ts, !ends);
            self.give_up(event.ts);
        }
        if ends && self.open == 0 {
            out.push(event.instrument, Flags::LAST_OF_GROUP, &Pulse::after(event));
        }
    }

    fn save(&self, to: &mut StateWriter<'_>) {
        let open = (0..=u8::MAX).zip(self.open_since).filter(|(_, since)| *since != Ns::NONE);
        to.put(&open.collect::<Vec<_>>());
    }

    fn load(&mut self, from: &mut StateReader<'_>) -> Result<(), StateError> {
        *self = PulseStage::new();
        for (source, since) in from.get::<Vec<(u8, Ns)>>()? {
            if since == Ns::NONE {
                return Err(StateError::Inconsistent("a group that is open since no time"));
            }
            self.set_open(source, since, true);
        }
        Ok(())
    }
}
