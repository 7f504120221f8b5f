//! Latency to the venue and back: pluggable models, one file and one entry each.
//!
//! A model gives the latency of one message. [`Session`] keeps messages in order: what is sent first arrives first, in
//! both directions, however latencies vary. Randomness is drawn from an event's id, never from arrival order or time, so
//! a run is the same however the pipeline is cut. Bound: O(1) per message; the recorded model is O(log rows).

mod constant;
mod model;
mod rate;
mod recorded;

pub(super) use constant::{JITTER_NS, ORDER_LATENCY_NS, REPLY_LATENCY_NS};
pub(super) use rate::SERVICE_NS;
pub(super) use recorded::LATENCY_FILE;

use constant::Constant;
use flow::{ChoiceParam, EventId, Ns, ParamError, Params, StateError, StateReader, StateWriter, choices};
use model::Latency;
use rate::Rate;
use recorded::Recorded;

/// Builds a model.
pub(super) type BuildModel = fn(&Params) -> Result<Box<dyn Latency>, ParamError>;

/// Every model by its name.
pub(super) const LATENCY: ChoiceParam<BuildModel> = ChoiceParam::new(
    "latency",
    choices! {
        "constant" => |params| Ok(Box::new(Constant::new(params))),
        "rate" => |params| Ok(Box::new(Rate::new(params))),
        recorded::NAME => |params| Ok(Box::new(Recorded::new(params)?)),
    },
    "constant",
    "model of the time to the venue and back",
);

/// The two directions of one session.
pub(super) struct Session {
    model: Box<dyn Latency>,
    /// When the last message to the venue arrives.
    there: Ns,
    /// When the last reply is due.
    back: Ns,
}

impl Session {
    /// The model that the parameter `latency` names.
    pub(super) fn new(params: &Params) -> Result<Session, ParamError> {
        Ok(Session { model: params.get(LATENCY)(params)?, there: Ns(0), back: Ns(0) })
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

    /// When a reply to `cause`, made at `now`, is due.
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
