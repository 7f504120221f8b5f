//! Group: the legs of a group pass together or not at all. The stage decides it, since it alone sees all legs.

use crate::risk::breach::CheckEntry;

pub(super) const ENTRY: CheckEntry = CheckEntry {
    number: 11,
    name: "group",
    unit: "legs",
    about: "Another leg of its group was refused, or did not come.",
    limit: None,
    params: &[],
};
