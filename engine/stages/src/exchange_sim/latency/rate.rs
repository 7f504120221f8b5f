//! Rate-limited latency: a gateway that serves one message after another, so that bursts queue.
//!
//! Each message occupies the gateway for `service_ns`, then travels as in the constant model. Bound: O(1).

use super::constant::Constant;
use super::model::{LONGEST_NS, Latency};
use flow::{EventId, IntParam, Ns, Params};

/// How long the gateway is busy with a message.
pub(crate) const SERVICE_NS: IntParam =
    IntParam::new("service_ns", (0, LONGEST_NS), "1000", "time that a message takes at the gateway, in the rate model")
        .unit("ns");

/// The model.
pub(super) struct Rate {
    travel: Constant,
    service_ns: u64,
    /// When the gateway has served everything it received.
    free: Ns,
}

impl Rate {
    /// From `service_ns` and the parameters of the constant model.
    pub(super) fn new(params: &Params) -> Rate {
        Rate { travel: Constant::new(params), service_ns: params.get(SERVICE_NS), free: Ns(0) }
    }
}

impl Latency for Rate {
    fn least(&self) -> u64 {
        self.travel.least() + self.service_ns
    }

    fn order(&mut self, id: EventId, ts: Ns) -> u64 {
        self.free = Ns(self.free.max(ts).0.saturating_add(self.service_ns));
        (self.free.0 - ts.0).saturating_add(self.travel.order(id, ts))
    }

    fn reply(&self, cause: EventId, now: Ns) -> u64 {
        self.travel.reply(cause, now)
    }

    fn memory(&self) -> u64 {
        self.free.0
    }

    fn recall(&mut self, memory: u64) {
        self.free = Ns(memory);
    }
}
