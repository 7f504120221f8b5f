//! How alike the returns of each two instruments are, by the rule of the measure `correlation` and with its sums, over the whole input.
//!
//! Bound: [`MOST_CORRELATED`] instruments, the first by name that have returns; two pointers over the returns of each pair.

use super::gather::OneBar;
use super::lookback::returns;
use super::{LEAST_COMMON, MOST_CORRELATED};
use flow::Interval;
use stages::measures::correlation::Sums;

/// What two instruments come to.
#[derive(Debug, PartialEq)]
pub(crate) struct Pair {
    /// The two, in the order of their names.
    pub(crate) symbols: [String; 2],
    /// Returns that they have in common.
    pub(crate) common: u32,
    /// The correlation; none with too few of them, or where one of the two does not change.
    pub(crate) correlation: Option<f64>,
}

/// All of them.
pub(crate) struct Correlations {
    /// Each two.
    pub(crate) pairs: Vec<Pair>,
    /// Instruments with returns that were left out.
    pub(crate) left_out: usize,
}

/// The correlations of instruments, which are in the order of their names.
pub(super) fn correlations<'a>(all: impl Iterator<Item = (&'a str, &'a [OneBar])>, interval: Interval) -> Correlations {
    let integers = |bars| -> Vec<(u32, i64)> {
        returns(bars, interval).into_iter().map(|(_, start_s, returned)| (start_s, Sums::parts(returned))).collect()
    };
    let (mut series, mut left_out) = (Vec::new(), 0);
    for (symbol, bars) in all {
        if bars.len() < 2 {
            continue;
        }
        if series.len() == MOST_CORRELATED {
            left_out += 1;
        } else {
            series.push((symbol, integers(bars)));
        }
    }
    let mut pairs = Vec::new();
    for (at, (one, x)) in series.iter().enumerate() {
        pairs.extend(series[at + 1..].iter().map(|(other, y)| pair([one, other], x, y)));
    }
    Correlations { pairs, left_out }
}

fn pair(symbols: [&str; 2], x: &[(u32, i64)], y: &[(u32, i64)]) -> Pair {
    let (mut sums, mut later) = (Sums::default(), 0);
    for (start_s, returned) in x {
        while y.get(later).is_some_and(|(other, _)| other < start_s) {
            later += 1;
        }
        if let Some((_, other)) = y.get(later).filter(|(other, _)| other == start_s) {
            sums.add(*returned, *other);
        }
    }
    let common = sums.common();
    Pair {
        symbols: symbols.map(str::to_owned),
        common,
        correlation: sums.correlation().filter(|_| common >= LEAST_COMMON),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worked_correlation_is_over_the_times_that_both_have() {
        let of = |values: &[(u32, f64)]| values.iter().map(|(at, r)| (*at, Sums::parts(*r))).collect::<Vec<_>>();
        let four = [(1, 0.01), (2, 0.02), (4, -0.01), (6, 0.005)];
        let x: Vec<_> = (0..8).flat_map(|n| four.map(|(at, r)| (at + 10 * n, r))).collect();
        let y: Vec<_> = (0..8)
            .flat_map(|n| {
                [(1, 0.012), (2, 0.018), (3, 0.9), (4, -0.02), (6, 0.001), (7, -0.9)].map(|(at, r)| (at + 10 * n, r))
            })
            .collect();
        let found = pair(["A", "B"], &of(&x), &of(&y));
        assert_eq!(found.common, 32);
        assert!((found.correlation.unwrap() - 0.982811038).abs() < 1e-9, "{found:?}");
        assert_eq!(pair(["A", "B"], &of(&x[..29]), &of(&y)).correlation, None, "too few");
        let still: Vec<_> = x.iter().map(|(at, _)| (*at, 0.0)).collect();
        assert_eq!(pair(["A", "B"], &of(&x), &of(&still)).correlation, None);
    }
}
