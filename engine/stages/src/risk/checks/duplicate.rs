//! Duplicate ids: the counter of an account and strategy must rise.
//!
//! An order is also refused if its pair of account and strategy would be one more than `max_pairs`.

use crate::risk::breach::{Breach, CheckEntry};
use crate::risk::gate::Gate;
use crate::risk::ids::MAX_PAIRS;
use crate::risk::proposal::Proposal;

pub(super) const ENTRY: CheckEntry = CheckEntry {
    number: 10,
    name: "duplicate-id",
    unit: "counter",
    about: "The order id is not above the last one of its account and strategy.",
    limit: None,
    params: &[MAX_PAIRS.param()],
};

#[inline(always)]
pub(super) fn breach(gate: &Gate, proposal: &Proposal, _: i64) -> Option<Breach> {
    let (id, ids) = (proposal.id(), &gate.ids);
    let last = ids.last(id);
    if id.counter() <= last {
        return Breach::of(last as i64, i128::from(id.counter()));
    }
    if last == 0 && ids.is_full() {
        return Breach::of(ids.most() as i64, ids.most() as i128 + 1);
    }
    None
}
