//! The fields of a row of text, parsed as integers and in order. Worst case: one pass over the row.

use atoi::FromRadix10SignedChecked;

/// What is wrong with a row, and at which byte.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RowError {
    pub(crate) at: usize,
    pub(crate) what: String,
}

/// Reads the fields of a row in order.
pub(crate) struct Fields<'a> {
    row: &'a [u8],
    at: usize,
    column: usize,
}

impl<'a> Fields<'a> {
    /// The fields of a row that must have so many.
    ///
    /// # Errors
    /// When it has another number.
    pub(crate) fn of(row: &'a [u8], expected: usize) -> Result<Fields<'a>, RowError> {
        let found = columns(row);
        if found != expected {
            return Err(RowError { at: 0, what: format!("{found} columns instead of {expected}") });
        }
        Ok(Fields { row, at: 0, column: 0 })
    }

    /// Where the next field begins.
    pub(crate) fn at(&self) -> usize {
        self.at
    }

    /// The next integer, which ends at a comma or at the end of the row.
    ///
    /// # Errors
    /// When it is none.
    pub(crate) fn integer(&mut self) -> Result<i64, RowError> {
        let (value, used) = i64::from_radix_10_signed_checked(&self.row[self.at.min(self.row.len())..]);
        let digit_last = used > 0 && self.row[self.at + used - 1].is_ascii_digit();
        let ends = self.row.get(self.at + used).is_none_or(|b| *b == b',');
        match value {
            Some(value) if digit_last && ends => {
                self.step(used);
                Ok(value)
            }
            _ => Err(self.fault("is not an integer")),
        }
    }

    /// The next field as text, up to a comma or the end of the row.
    pub(crate) fn text(&mut self) -> &'a [u8] {
        let rest = &self.row[self.at.min(self.row.len())..];
        let field = &rest[..memchr::memchr(b',', rest).unwrap_or(rest.len())];
        self.step(field.len());
        field
    }

    /// The next field as `read` reads it; `what` says what it should be.
    ///
    /// # Errors
    /// When it is something else.
    pub(crate) fn read<T>(&mut self, what: &str, read: impl FnOnce(&[u8]) -> Option<T>) -> Result<T, RowError> {
        let before = (self.at, self.column);
        let value = read(self.text());
        value.ok_or_else(|| {
            (self.at, self.column) = before;
            self.fault(what)
        })
    }

    fn step(&mut self, used: usize) {
        self.at += used + 1;
        self.column += 1;
    }

    fn fault(&self, what: &str) -> RowError {
        let at = self.at.min(self.row.len());
        let rest = &self.row[at..];
        let end = memchr::memchr(b',', rest).unwrap_or(rest.len()).min(24);
        let field = String::from_utf8_lossy(&rest[..end]);
        RowError { at, what: format!("column {} {field:?} {what}", self.column + 1) }
    }

    /// Whether there are no more.
    pub(crate) fn ended(&self) -> bool {
        self.at > self.row.len()
    }
}

/// The number of columns of a row.
pub(crate) fn columns(row: &[u8]) -> usize {
    memchr::memchr_iter(b',', row).count() + 1
}
