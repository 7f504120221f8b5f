//! Maximum quantity of one order.

use crate::risk::breach::{Breach, CheckEntry, limit};
use crate::risk::gate::Gate;
use crate::risk::proposal::Proposal;

/// The largest limit, so that sums of open quantities stay exact.
const MOST: u64 = 1_000_000_000_000_000;

pub(super) const ENTRY: CheckEntry = CheckEntry {
    number: 3,
    name: "max-quantity",
    unit: "smallest units",
    about: "The quantity of the order is too large.",
    limit: Some(limit("max_quantity", MOST, "10_000").unit("smallest units")),
    params: &[],
};

/// A position of any size can be closed at once, as far as sums go.
pub(super) fn breach_reducing(gate: &Gate, proposal: &Proposal, _: i64) -> Option<Breach> {
    breach(gate, proposal, MOST as i64)
}

/// The total quantity counts; for a replace, including what is already executed.
#[inline(always)]
pub(super) fn breach(_: &Gate, proposal: &Proposal, limit: i64) -> Option<Breach> {
    let qty = proposal.request.qty.0;
    if limit != 0 && qty <= limit as u64 {
        return None;
    }
    Breach::of(limit, i128::from(qty))
}
