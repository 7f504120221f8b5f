//! Interleaved rounds, as `tidegate bench` has them, reported line by line.

use crate::report::Report;
use serde_json::json;
pub use tidegate::bench::rounds::{Contender, Ratio, Run, interleave, least, median, rounded, times};

/// How many rounds: `full` when run by `cargo bench`, one when only tested.
pub fn count(full: usize) -> usize {
    if std::env::args().any(|a| a == "--bench") { full } else { 1 }
}

/// Runs every contender once in each round and reports ns per unit of the `units` that each run works on.
///
/// # Panics
/// When two contenders disagree on the check.
pub fn compare(report: &mut Report, group: &str, units: u64, rounds: usize, contenders: &mut [Contender<'_>]) {
    let times = times(group, units, rounds, contenders);
    for (contender, own) in contenders.iter().zip(&times) {
        let (ns, ratio) = (Ratio::spread(own.clone()), Ratio::of(own, &times[0]));
        report.row(json!({
            "group": group, "name": contender.name, "rounds": rounds, "units": units,
            "ns_per_unit": ns.median, "ns_per_unit_low": ns.low, "ns_per_unit_high": ns.high, "least_ns": least(own),
            "ratio": ratio.median, "ratio_low": ratio.low, "ratio_high": ratio.high,
        }));
    }
}
