//! Percentiles of latencies.

use crate::pipeline::Meters;
use hdrhistogram::Histogram;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Percentiles of a distribution, in nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Percentiles {
    /// Number of samples.
    pub samples: u64,
    /// Median.
    pub p50_ns: u64,
    /// 90th percentile.
    pub p90_ns: u64,
    /// 99th percentile.
    pub p99_ns: u64,
    /// 99.9th percentile.
    pub p999_ns: u64,
    /// Maximum.
    pub max_ns: u64,
}

impl From<&Histogram<u64>> for Percentiles {
    fn from(times: &Histogram<u64>) -> Percentiles {
        let at = |q| times.value_at_quantile(q);
        Percentiles {
            samples: times.len(),
            p50_ns: at(0.5),
            p90_ns: at(0.9),
            p99_ns: at(0.99),
            p999_ns: at(0.999),
            max_ns: times.max(),
        }
    }
}

/// Percentiles by stage; `group NAME` is an event's whole pass through a group.
pub(crate) fn latencies(meters: &Meters) -> BTreeMap<String, Percentiles> {
    meters.latencies().iter().map(|l| (l.name.clone(), Percentiles::from(&l.histogram))).collect()
}
