//! What a report says of the measures: the fields that their entries name.

use crate::pipeline::LastMeasures;
use crate::rows::{Cell, value};
use flow::Listed;
use serde::Serialize;
use stages::measures::MEASURES;
use std::collections::BTreeMap;

/// What the measures of an instrument came to.
#[derive(Clone, Debug, Serialize)]
pub struct MeasuresReport {
    /// Symbol.
    pub symbol: String,
    /// Values as rows show them, by measure and field.
    pub values: BTreeMap<&'static str, BTreeMap<&'static str, Cell>>,
}

/// What the measures of an instrument came to, if there were any.
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
