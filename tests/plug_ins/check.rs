//! Smallest quantity of one order.

use crate::risk::breach::{Breach, CheckEntry, limit};
use crate::risk::gate::Gate;
use crate::risk::proposal::Proposal;

pub(super) const ENTRY: CheckEntry = CheckEntry {
    number: 99,
    name: "dummy",
    unit: "smallest units",
    about: "The order is for less than one order must be.",
    limit: Some(limit("min_quantity", 1_000_000_000_000_000, "0").unit("smallest units")),
    params: &[],
};

#[inline]
pub(super) fn breach(_: &Gate, proposal: &Proposal, limit: i64) -> Option<Breach> {
    let qty = proposal.request.qty.0;
    (qty < limit as u64).then_some(Breach { limit, value: i64::try_from(qty).unwrap_or(i64::MAX) })
}
