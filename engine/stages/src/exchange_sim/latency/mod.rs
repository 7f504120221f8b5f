//! How long a message takes to the venue and back: models as plug-ins, one file and one entry each.
//!
//! A model says how long a message takes; that a session keeps its order is [`Lanes`]' matter: what left first arrives
//! first, in both directions, however the single times vary. Whatever is drawn is drawn by the id of an event, never by
//! the order or the time in which something arrived, so that a run is the same however the entry is cut.
//! Bound: O(1) a message; the recorded model O(log rows).

mod constant;
mod model;
mod rate;
mod recorded;

pub use recorded::Sample;

use constant::Constant;
use flow::{EventId, Ns, ParamError, Params, StateError, StateReader, StateWriter};
use model::Latency;
use rate::Rate;
use recorded::Recorded;

/// Makes a model; the rows are for the recorded one.
type Build = fn(&Params, Vec<Sample>) -> Result<Box<dyn Latency>, ParamError>;

/// An entry of the registry of latency models.
struct Entry {
    name: &'static str,
    build: Build,
}

/// Every model.
const LATENCIES: &[Entry] = &[
    Entry { name: "constant", build: |params, _| Ok(Box::new(Constant::new(params))) },
    Entry { name: "rate", build: |params, _| Ok(Box::new(Rate::new(params))) },
    Entry { name: "recorded", build: |params, rows| Ok(Box::new(Recorded::new(params, rows)?)) },
];

/// Their names.
pub(super) const NAMES: &[&str] = &["constant", "rate", "recorded"];

/// The two directions of one session.
pub(super) struct Lanes {
    model: Box<dyn Latency>,
    /// When the last message to the venue arrives.
    there: Ns,
    /// When the last answer is due.
    back: Ns,
}

impl Lanes {
    /// The model that the parameter `latency` names; `rows` are for the recorded one.
    pub(super) fn new(params: &Params, rows: Vec<Sample>) -> Result<Lanes, ParamError> {
        let name = params.text("latency");
        let entry = LATENCIES.iter().find(|l| l.name == name).expect("the parameter is a choice of these names");
        Ok(Lanes { model: (entry.build)(params, rows)?, there: Ns(0), back: Ns(0) })
    }

    /// See [`Latency::least`].
    pub(super) fn least(&self) -> u64 {
        self.model.least()
    }

    /// When a message that leaves at `ts` arrives.
    pub(super) fn arrival(&mut self, id: EventId, ts: Ns) -> Ns {
        let at = ts.0.saturating_add(self.model.order(id, ts));
        self.there = self.there.max(Ns(at));
        self.there
    }

    /// When an answer to `cause` that is given at `now` is due.
    #[inline]
    pub(super) fn due(&mut self, cause: EventId, now: Ns) -> Ns {
        let at = now.0.saturating_add(self.model.reply(cause, now));
        self.back = self.back.max(Ns(at));
        self.back
    }

    pub(super) fn save(&self, to: &mut StateWriter<'_>) {
        to.put(&(self.there, self.back, self.model.memory()));
    }

    pub(super) fn load(&mut self, from: &mut StateReader<'_>) -> Result<(), StateError> {
        let (there, back, memory) = from.get()?;
        (self.there, self.back) = (there, back);
        self.model.recall(memory);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_model_has_its_entry_and_its_name() {
        assert_eq!(LATENCIES.iter().map(|l| l.name).collect::<Vec<_>>(), NAMES);
    }
}
