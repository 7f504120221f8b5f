//! Group: the legs of a group pass together or not at all. The stage decides it, since only the stage sees all legs.

use crate::risk::breach::CheckEntry;

pub(super) const ENTRY: CheckEntry = CheckEntry {
    number: 11,
    name: "group",
    unit: "legs",
    about: "Another leg of its group was refused or is missing.",
    limit: None,
    params: &[],
};
