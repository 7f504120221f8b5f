//! A table with its columns.
//!
//! Bound: some ten columns a table.

use super::column::{Column, columns};
use super::spec::{TableSpec, completes};
use flow::Kinds;

/// A table with its columns.
#[derive(Debug)]
pub struct Table {
    /// What it is made from.
    pub spec: &'static TableSpec,
    /// Its columns, the common ones first.
    pub columns: Vec<Column>,
}

impl Table {
    /// The table of a spec.
    pub fn of(spec: &'static TableSpec) -> Table {
        Table { spec, columns: columns(spec) }
    }

    /// The kinds that it reads: its own, and those that follow them.
    pub fn reads(&self) -> Kinds {
        let own = self.spec.kinds.iter().map(|kind| Kinds::of(&[*kind]));
        let all = own.chain(self.spec.kinds.iter().filter_map(|kind| completes(*kind)).map(|kind| Kinds::of(&[kind])));
        all.fold(Kinds::NONE, Kinds::or)
    }
}
