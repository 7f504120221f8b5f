//! An instance of a strategy or a measure. Bound: one name.

use flow::Kind;

/// An instance that a table names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Instance {
    /// Its name.
    pub name: String,
    /// The name of its entry.
    pub uses: &'static str,
    /// The number that its table gives; 0 = none.
    pub given: u16,
    /// Its number; 0 until it has one.
    pub number: u16,
}

/// The number under which commands name an instance of the measure that emits these kinds: behind those of all strategies, the
/// plain one by its first kind.
pub(crate) fn owner_of_measure(emits: &[Kind], number: u8) -> u16 {
    const FIRST: u16 = 1 << 15;
    if number == 0 { FIRST | u16::from(emits[0].0) } else { FIRST | 1 << 8 | u16::from(number) }
}
