//! The measures in a report: the summary fields that their registry entries name.

use crate::pipeline::LastMeasures;
use crate::rows::{Cell, value};
use flow::Listed;
use serde::Serialize;
use stages::measures::MEASURES;
use std::collections::BTreeMap;

/// The last values of an instrument's measures.
#[derive(Clone, Debug, Serialize)]
pub struct MeasuresReport {
    /// Symbol.
    pub symbol: String,
    /// Values as in rows, by measure and field.
    pub values: BTreeMap<&'static str, BTreeMap<&'static str, Cell>>,
}

/// The last values of an instrument's measures, if it has any.
pub(super) fn measures(last: &LastMeasures, listed: &Listed) -> Option<MeasuresReport> {
    let mut values = BTreeMap::<_, BTreeMap<_, _>>::new();
    for entry in MEASURES {
        for (kind, field) in entry.summary_fields() {
            if let Some(event) = last.last(kind, listed.instrument) {
                values.entry(entry.name).or_default().insert(field.name, value(field, event, listed));
            }
        }
    }
    (!values.is_empty()).then(|| MeasuresReport { symbol: listed.symbol.clone(), values })
}
