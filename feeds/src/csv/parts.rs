//! The fields of a row that are parts of a bar.
//!
//! Bound: a place for each part. Worst case: one pass over the row for every part.

use super::columns::{Columns, PARTS, Part};
use super::time::Stamp;
use crate::text::RowError;
use std::ops::Range;

/// The fields of a row that are parts of a bar.
pub(super) struct Parts<'a> {
    row: &'a [u8],
    columns: &'a Columns,
    places: [Range<usize>; PARTS],
}

impl<'a> Parts<'a> {
    pub(super) fn of(row: &'a [u8], columns: &'a Columns) -> Result<Parts<'a>, RowError> {
        let mut places = [const { 0..0 }; PARTS];
        match columns.places(row, &mut places) {
            found if found == columns.count => Ok(Parts { row, columns, places }),
            found => Err(RowError { at: 0, what: format!("{found} columns instead of {}", columns.count) }),
        }
    }

    fn text(&self, part: Part) -> &'a [u8] {
        &self.row[self.places[part as usize].clone()]
    }

    pub(super) fn fault(&self, part: Part, what: &str) -> RowError {
        let text = String::from_utf8_lossy(self.text(part));
        let cut: String = text.chars().take(32).collect();
        let what = format!("column {} ({}) {cut:?} {what}", self.columns.number(part), part.name());
        RowError { at: self.places[part as usize].start, what }
    }

    /// A part as `read` reads it.
    pub(super) fn read<T>(
        &self,
        part: Part,
        read: impl FnOnce(&[u8]) -> Result<T, &'static str>,
    ) -> Result<T, RowError> {
        read(self.text(part)).map_err(|what| self.fault(part, what))
    }

    /// A part that a file may be without, and a row too.
    pub(super) fn optional<T>(
        &self,
        part: Part,
        absent: T,
        read: impl FnOnce(&[u8]) -> Result<T, &'static str>,
    ) -> Result<T, RowError> {
        if self.text(part).is_empty() { Ok(absent) } else { self.read(part, read) }
    }

    pub(super) fn stamp(&self) -> Result<Stamp, RowError> {
        if !self.columns.has(Part::Clock) {
            return self.read(Part::Time, Stamp::of);
        }
        let (date, clock) = (self.text(Part::Time), self.text(Part::Clock));
        let mut joined = [b' '; 64];
        let end = date.len() + 1 + clock.len();
        if end > joined.len() {
            return Err(self.fault(Part::Time, "is too long for a date"));
        }
        joined[..date.len()].copy_from_slice(date);
        joined[date.len() + 1..end].copy_from_slice(clock);
        self.read(Part::Time, |_| Stamp::of(&joined[..end]))
    }
}

/// The time of a row.
pub(super) fn stamp(row: &[u8], columns: &Columns) -> Result<Stamp, RowError> {
    Parts::of(row, columns)?.stamp()
}
