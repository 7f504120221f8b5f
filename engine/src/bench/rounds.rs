//! Interleaved rounds.
//!
//! Each round runs every contender once, and each round starts with a different one. A contender's figure is the median of
//! its rounds; its ratio to the first contender is the median of the ratios within each round. Both have a confidence
//! interval from order statistics (about 95 %, with no assumption on the distribution). The minimum is kept as well.

use serde::Serialize;
use std::time::Duration;

/// One run of a contender.
#[derive(Clone, Copy, Debug)]
pub struct Run {
    /// Time taken.
    pub time: Duration,
    /// A checksum of the work: contenders that do the same work must agree.
    pub check: u64,
}

/// A contender: a name, and a closure that does the whole work once and times it.
pub struct Contender<'a> {
    /// Name in the figures.
    pub name: &'static str,
    /// Runs the work once.
    pub run: Box<dyn FnMut() -> Run + 'a>,
}

impl<'a> Contender<'a> {
    /// A contender that runs `run`.
    pub fn new(name: &'static str, run: impl FnMut() -> Run + 'a) -> Contender<'a> {
        Contender { name, run: Box::new(run) }
    }
}

/// Calls `run` once per round with the number of each of `count` contenders, in an order that rotates from round to round.
pub fn interleave(rounds: usize, count: usize, mut run: impl FnMut(usize)) {
    for round in 0..rounds {
        for turn in 0..count {
            run((round + turn) % count);
        }
    }
}

/// Nanoseconds per unit of every contender, round by round, after one untimed run of each.
///
/// # Panics
/// When two contenders have different checksums.
pub fn times(group: &str, units: u64, rounds: usize, contenders: &mut [Contender<'_>]) -> Vec<Vec<f64>> {
    let agreed = contenders.iter_mut().map(|c| ((c.run)().check, c.name)).collect::<Vec<_>>();
    assert!(agreed.iter().all(|(check, _)| *check == agreed[0].0), "{group}: the contenders disagree: {agreed:?}");
    let mut times: Vec<Vec<f64>> = vec![Vec::new(); contenders.len()];
    interleave(rounds, contenders.len(), |which| {
        let run = (contenders[which].run)();
        times[which].push(run.time.as_nanos() as f64 / units as f64);
    });
    times
}

/// A median with its interval.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Ratio {
    /// Median of the rounds.
    pub median: f64,
    /// Lower end of the interval.
    pub low: f64,
    /// Upper end of the interval.
    pub high: f64,
}

impl Ratio {
    /// The ratio of two series measured in the same rounds.
    ///
    /// # Panics
    /// When a series is empty.
    pub fn of(own: &[f64], base: &[f64]) -> Ratio {
        Ratio::spread(own.iter().zip(base).map(|(a, b)| a / b).collect())
    }

    /// The median of values, with its interval.
    ///
    /// # Panics
    /// When there are no values.
    pub fn spread(mut values: Vec<f64>) -> Ratio {
        values.sort_by(f64::total_cmp);
        let n = values.len();
        let low = (n as f64 / 2.0 - 0.98 * (n as f64).sqrt()).max(0.0) as usize;
        Ratio { median: rounded(median(&values)), low: rounded(values[low]), high: rounded(values[n - 1 - low]) }
    }
}

/// The median.
///
/// # Panics
/// When there are no values.
pub fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    if sorted.len() % 2 == 1 { sorted[middle] } else { (sorted[middle - 1] + sorted[middle]) / 2.0 }
}

/// The minimum.
pub fn least(values: &[f64]) -> f64 {
    rounded(values.iter().copied().fold(f64::INFINITY, f64::min))
}

/// Rounds to three decimals, more than any of these figures deserves.
pub fn rounded(value: f64) -> f64 {
    (value * 1_000.0).round() / 1_000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_and_its_interval_leave_outliers_out() {
        let base = vec![1.0; 21];
        let own: Vec<f64> = (0..21).map(|i| if i == 20 { 1e9 } else { f64::from(i) }).collect();
        assert_eq!(Ratio::of(&own, &base), Ratio { median: 10.0, low: 6.0, high: 14.0 });
        assert_eq!(median(&[3.0, 1.0, 2.0, 10.0]), 2.5);
        assert_eq!(least(&[3.0, 1.0, 2.0]), 1.0);
    }

    #[test]
    fn every_contender_runs_once_a_round_and_leads_one() {
        let mut order = Vec::new();
        interleave(3, 3, |which| order.push(which));
        assert_eq!(order, [0, 1, 2, 1, 2, 0, 2, 0, 1]);
    }
}
