//! The measures in a report: the summary fields that their registry entries name.

use crate::pipeline::LastMeasures;
use crate::rows::{Cell, value};
use flow::Listed;
use serde::Serialize;
use stages::Instances;
use stages::measures::MEASURES;
use std::collections::BTreeMap;

/// The last values of an instrument's measures.
#[derive(Clone, Debug, Serialize)]
pub struct MeasuresReport {
    /// Symbol.
    pub symbol: String,
    /// Values as in rows, by instance and field.
    pub values: BTreeMap<String, BTreeMap<&'static str, Cell>>,
}

/// The last values of an instrument's measures, if it has any.
pub(super) fn measures(last: &LastMeasures, listed: &Listed, names: &Instances) -> Option<MeasuresReport> {
    let mut values = BTreeMap::<String, BTreeMap<_, _>>::new();
    for (entry, (name, number)) in MEASURES.iter().flat_map(|entry| names.measures(entry).map(move |one| (entry, one)))
    {
        for (kind, field) in entry.summary_fields() {
            if let Some(event) = last.last(kind, number, listed.instrument) {
                values.entry(name.to_owned()).or_default().insert(field.name, value(field, event, listed));
            }
        }
    }
    (!values.is_empty()).then(|| MeasuresReport { symbol: listed.symbol.clone(), values })
}
