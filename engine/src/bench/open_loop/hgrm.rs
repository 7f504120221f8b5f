//! A histogram as text, in the format of HdrHistogram's own tools and plotter.

use hdrhistogram::Histogram;
use std::fmt::Write as _;

/// Ticks per halving of the distance to 100 %.
const TICKS: u32 = 5;

/// The percentile distribution, in nanoseconds (`.hgrm`).
pub fn hgrm(histogram: &Histogram<u64>) -> String {
    let mut text = format!("{:>12} {:>14} {:>10} {:>14}\n\n", "Value", "Percentile", "TotalCount", "1/(1-Percentile)");
    let mut total = 0;
    for value in histogram.iter_quantiles(TICKS) {
        total += value.count_since_last_iteration();
        let quantile = value.quantile_iterated_to();
        let _ = write!(text, "{:12.3} {quantile:2.12} {total:10}", value.value_iterated_to() as f64);
        let _ = if quantile < 1.0 { writeln!(text, " {:14.2}", 1.0 / (1.0 - quantile)) } else { writeln!(text) };
    }
    let (mean, deviation) = (histogram.mean(), histogram.stdev());
    let _ = writeln!(text, "#[Mean    = {mean:12.3}, StdDeviation   = {deviation:12.3}]");
    let _ = writeln!(text, "#[Max     = {:12.3}, Total count    = {:12}]", histogram.max() as f64, histogram.len());
    let _ = writeln!(text, "#[Buckets = {:12}, SubBuckets     = {:12}]", histogram.buckets(), 2_048);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_distribution_ends_at_its_greatest_value() {
        let mut histogram = crate::pipeline::histogram();
        (1..=1_000).for_each(|ns| histogram.record(ns).unwrap());
        let text = hgrm(&histogram);
        assert!(text.contains("Value     Percentile TotalCount 1/(1-Percentile)"), "{text}");
        assert!(text.contains("     500.000 0.500000000000        500           2.00"), "{text}");
        assert!(text.contains("    1000.000 1.000000000000       1000\n#[Mean    =      500.500"), "{text}");
        assert!(text.contains("#[Max     =     1000.000, Total count    =         1000]"), "{text}");
    }
}
