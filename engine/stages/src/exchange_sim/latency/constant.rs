//! Constant latency: a time to the venue, a time back, and optional jitter on each.
//!
//! Jitter is uniform from 0 to its bound and drawn from the event's id, so the constant is the floor. Bound: O(1).

use super::model::{LONGEST_NS, Latency, drawn};
use flow::{EventId, IntParam, Ns, Params};

/// Salts that make the two directions of one event independent.
const THERE: u64 = 0x7468_6572_6500;
const BACK: u64 = 0x6261_636b_0000;

/// Time to the venue.
pub(crate) const ORDER_LATENCY_NS: IntParam =
    IntParam::new("order_latency_ns", (0, LONGEST_NS), "50000", "time to the venue; the floor of the constant model")
        .unit("ns");
/// Time back.
pub(crate) const REPLY_LATENCY_NS: IntParam =
    IntParam::new("reply_latency_ns", (0, LONGEST_NS), "50000", "time back").unit("ns");
/// What is added to each.
pub(crate) const JITTER_NS: IntParam =
    IntParam::new("jitter_ns", (0, LONGEST_NS), "0", "most that is added to each time, drawn by the event's id")
        .unit("ns");

/// The model.
pub(super) struct Constant {
    order_ns: u64,
    reply_ns: u64,
    jitter_ns: u64,
}

impl Constant {
    /// From `order_latency_ns`, `reply_latency_ns` and `jitter_ns`.
    pub(super) fn new(params: &Params) -> Constant {
        Constant {
            order_ns: params.get(ORDER_LATENCY_NS),
            reply_ns: params.get(REPLY_LATENCY_NS),
            jitter_ns: params.get(JITTER_NS),
        }
    }
}

impl Latency for Constant {
    fn least(&self) -> u64 {
        self.order_ns
    }

    fn order(&mut self, id: EventId, _ts: Ns) -> u64 {
        self.order_ns + drawn(id, THERE, self.jitter_ns)
    }

    fn reply(&self, cause: EventId, _now: Ns) -> u64 {
        self.reply_ns + drawn(cause, BACK, self.jitter_ns)
    }
}
