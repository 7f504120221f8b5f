//! Limit on how many orders are open at once, over all instruments.
//!
//! An order and the replace that is in flight for it are one. The table's own size is a limit too: it is told when it,
//! and not the limit, stops an order.

use super::checks::{Breach, Check};
use super::gate::Gate;
use super::limits::limit;
use super::proposal::Proposal;
use flow::{IntParam, Param};

/// The table's size.
pub(super) const SLOTS: IntParam<usize> = IntParam::new(
    "open_order_slots",
    (2, 131_072),
    "4_096",
    "size of the table of open orders; a replace in flight takes a second place",
)
.unit("orders");

/// What a command can set.
pub(super) const LIMIT: IntParam = limit("max_open_orders", 65_536, "1_000").unit("orders");

pub(super) const PARAMS: &[Param] = &[LIMIT.param(), SLOTS.param()];

#[inline]
pub(super) fn breach(gate: &Gate, proposal: &Proposal) -> Option<Breach> {
    let limit = gate.limits.of(Check::OpenOrders);
    let after = gate.open.orders() + usize::from(!proposal.is_replace());
    if limit == 0 || after > limit as usize {
        return Breach::of(limit, after as i128);
    }
    if gate.open.is_full() {
        return Breach::of(gate.open.slots() as i64, gate.open.slots() as i128 + 1);
    }
    None
}
