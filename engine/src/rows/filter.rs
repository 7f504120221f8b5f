//! Filters for rows: by symbol, time, count and record.

use chrono::{DateTime, NaiveDateTime};
use flow::Ns;
use std::sync::{Arc, OnceLock};

/// Which rows are printed.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Only these symbols; empty = all.
    pub symbols: Vec<String>,
    /// From this ingress time on.
    pub from: Option<Ns>,
    /// Before this ingress time.
    pub to: Option<Ns>,
    /// At most this many rows.
    pub limit: Option<u64>,
    /// Only every Nth record.
    pub every: Option<u64>,
    /// Set at the end if rows of the wanted symbols came up, but none between `from` and `to`: the times of the first and the
    /// last.
    pub missed: Arc<OnceLock<[Ns; 2]>>,
}

/// A text that is not a time.
#[derive(Debug, thiserror::Error)]
#[error(
    "{0:?} is not a time from 1970 to 2262: write nanoseconds since 1970, or 2012-06-21T09:30:00-04:00, or 2012-06-21T13:30:00 in UTC"
)]
pub struct FilterError(String);

/// Reads a time: nanoseconds since the epoch, RFC 3339, or a date and time in UTC.
///
/// # Errors
/// When it is none of these, or not from 1970 to 2262.
pub fn parse_time(text: &str) -> Result<Ns, FilterError> {
    if let Ok(ns) = text.parse() {
        return Ok(Ns(ns));
    }
    let zoned = DateTime::parse_from_rfc3339(text).map(|t| t.timestamp_nanos_opt());
    let utc = || text.parse::<NaiveDateTime>().map(|t| t.and_utc().timestamp_nanos_opt());
    let ns = zoned.ok().or_else(|| utc().ok()).flatten();
    ns.and_then(|n| u64::try_from(n).ok()).map(Ns).ok_or_else(|| FilterError(text.to_owned()))
}

impl Filter {
    /// Whether a row with this symbol and record passes. The writer applies the limit.
    pub fn passes(&self, symbol: Option<&str>, record: Option<u64>) -> bool {
        (self.symbols.is_empty() || symbol.is_some_and(|s| self.symbols.iter().any(|w| w == s)))
            && self.every.is_none_or(|n| record.is_some_and(|r| r % n == 0))
    }

    /// Whether a row of this time passes.
    pub fn holds(&self, ts: Ns) -> bool {
        self.from.is_none_or(|from| ts >= from) && self.to.is_none_or(|to| ts < to)
    }
}
