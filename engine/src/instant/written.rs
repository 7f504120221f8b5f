//! Times as people read them.

use chrono::{DateTime, SecondsFormat};
use flow::Ns;

/// A time for people.
pub(super) fn written(ts: Ns) -> String {
    let ns = i64::try_from(ts.0).ok().map(DateTime::from_timestamp_nanos);
    ns.map_or_else(|| ts.0.to_string(), |at| at.to_rfc3339_opts(SecondsFormat::AutoSi, true))
}
