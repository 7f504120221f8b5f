//! What every check finds of a request, for a person who asks why it passed. The pipeline asks for the first breach alone.
//!
//! A limit of 0 refuses everything and says the value that it refuses; so asked with that limit, a check that passes tells
//! what it found. Bound: one pass over the checks and the levels.

use super::breach::{Breach, CheckEntry};

/// What a check finds of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Checked {
    /// Number of the check.
    pub check: u16,
    /// Number of the table of limits; 0 = the section.
    pub level: u16,
    /// Its limit, in its unit; absent if it has none, or another one for what only reduces.
    pub limit: Option<i64>,
    /// What it found, in its unit; absent if it says so only when it refuses.
    pub value: Option<i64>,
    /// Whether it lets the request pass.
    pub passes: bool,
}

/// What a check finds with a limit; `breach` makes it with any.
pub(super) fn found(
    entry: &CheckEntry,
    level: u16,
    limit: Option<i64>,
    breach: impl Fn(i64) -> Option<Breach>,
) -> Checked {
    let refused = breach(limit.unwrap_or(0));
    let limit = refused.map_or(entry.limit.and(limit), |refused| Some(refused.limit));
    let asked = || entry.limit.and_then(|_| breach(0)).map(|asked| asked.value);
    let value = refused.map(|refused| refused.value).or_else(asked);
    Checked { check: entry.number, level, limit, value, passes: refused.is_none() }
}
