//! Limit on how many orders are open at once, over all instruments.
//!
//! An order and the replace that is in flight for it are one. The table's own size is a limit too: it is told when it,
//! and not the limit, stops an order.

use crate::risk::breach::{Breach, CheckEntry, limit};
use crate::risk::gate::Gate;
use crate::risk::open::SLOTS;
use crate::risk::proposal::Proposal;

pub(super) const ENTRY: CheckEntry = CheckEntry {
    number: 7,
    name: "open-orders",
    unit: "orders",
    about: "Too many orders would be open.",
    limit: Some(limit("max_open_orders", 65_536, "1_000").unit("orders")),
    params: &[SLOTS.param()],
};

#[inline]
pub(super) fn breach(gate: &Gate, proposal: &Proposal, limit: i64) -> Option<Breach> {
    let after = gate.open.orders() + usize::from(!proposal.is_replace());
    if limit == 0 || after > limit as usize {
        return Breach::of(limit, after as i128);
    }
    if gate.open.is_full() {
        return Breach::of(gate.open.slots() as i64, gate.open.slots() as i128 + 1);
    }
    None
}
