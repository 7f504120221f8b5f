//! How long a message takes to the venue and back: models as plug-ins, one file and one entry each.
//!
//! A model says how long a message takes; that a session keeps its order is [`Lanes`]' matter: what left first arrives
//! first, in both directions, however the single times vary. Whatever is drawn is drawn by the id of an event, never by
//! the order or the time in which something arrived, so that a run is the same however the entry is cut.
//! Bound: O(1) a message; the recorded model O(log rows).

mod constant;
mod rate;
mod recorded;

pub use recorded::Sample;

use constant::Constant;
use flow::{EventId, Ns, ParamError, Params, StateError, StateReader, StateWriter};
use rate::Rate;
use recorded::Recorded;

/// How long a message takes.
pub(super) trait Latency: Send {
    /// The least time to the venue, ever.
    fn least(&self) -> u64;
    /// The time to the venue of the message `id` that leaves at `ts`; called once a message, in order.
    fn order(&mut self, id: EventId, ts: Ns) -> u64;
    /// The time back of an answer to the event `cause` at `now`.
    fn reply(&self, cause: EventId, now: Ns) -> u64;
    /// What the model has to remember between messages.
    fn memory(&self) -> u64 {
        0
    }
    /// Gives it back.
    fn recall(&mut self, _memory: u64) {}
}

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

/// A number from 0 to `most`, drawn by an event's id: SplitMix64's mixer, then a multiplication instead of a remainder.
#[inline]
fn drawn(id: EventId, salt: u64, most: u64) -> u64 {
    let mut z = (id.0 & !EventId::RING_BIT) ^ salt;
    z = z.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^= z >> 31;
    ((u128::from(z) * (u128::from(most) + 1)) >> 64) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_model_has_its_entry_and_its_name() {
        assert_eq!(LATENCIES.iter().map(|l| l.name).collect::<Vec<_>>(), NAMES);
    }

    #[test]
    fn what_is_drawn_is_in_range_and_spread() {
        let all: Vec<u64> = (0..10_000).map(|i| drawn(EventId(i), 7, 9)).collect();
        assert!((0..10).all(|n| all.iter().filter(|d| **d == n).count() > 800), "a tenth each, about");
        assert_eq!(drawn(EventId(5), 7, 0), 0);
        assert_eq!(drawn(EventId(5), 7, u64::MAX), drawn(EventId(5 | EventId::RING_BIT), 7, u64::MAX));
    }
}
