//! An instance of a strategy or a measure. Bound: one name.

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
