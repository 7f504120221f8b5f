//! Which of the two files of a day a stream is, by its first row.
//!
//! Bound: one row. Worst case: a row of very many levels, of which only those in the head of the file are looked at.

use super::rows;
use crate::text::{columns, first};
use std::fmt;

/// Which of the two files a stream is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    Messages,
    Book,
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Role::Messages => "message",
            Role::Book => "orderbook",
        })
    }
}

impl Role {
    /// Recognised by the first row: six columns that parse as a message, or a whole number of levels.
    pub(super) fn of(head: &[u8]) -> Option<Role> {
        let (row, is_whole) = first(head);
        let columns = columns(row);
        if rows::message(row).is_ok() {
            return Some(Role::Messages);
        }
        // A row of very many levels exceeds the head: check complete levels only.
        let levels = columns / 4;
        let cut = memchr::memchr_iter(b',', row).nth((levels * 4).saturating_sub(1)).unwrap_or(row.len());
        let whole = if is_whole { columns.is_multiple_of(4) } else { levels > 0 };
        let read = whole && rows::book(&row[..cut], levels, &mut Vec::new(), &mut Vec::new()).is_ok();
        read.then_some(Role::Book)
    }
}
