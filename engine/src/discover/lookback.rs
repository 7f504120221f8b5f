//! The look-back: how far back the last return says something about the next ones.
//!
//! Returns are those of bars that begin where the one before has ended; behind a gap or a night there is none. The autocorrelation of a lag
//! is Σ(x(t) − m)(x(t + lag) − m) ÷ Σ(x − m)², over the pairs whose bars are so far apart. Of n returns that know nothing of each other one
//! lag in twenty is beyond 1.96 ÷ √n, so of sixty lags three are found by chance; the file lists all that were found. Bound: one pass over
//! the returns for each lag.

use super::gather::OneBar;
use super::{LEAST_RETURNS, LONGEST_LAG};
use flow::Interval;
use stages::measures::volatility::log_ratio;

/// Lags that say something.
#[derive(Debug, PartialEq)]
pub(crate) struct LookBack {
    /// Each with its autocorrelation, from the shortest on.
    pub(crate) lags: Vec<(u32, f64)>,
    /// What an autocorrelation must exceed.
    pub(crate) bound: f64,
    /// How many returns there are.
    pub(crate) returns: usize,
}

/// The returns of bars that follow each other: the place of each in time, counted in bars, the start of its bar, and the return.
pub(super) fn returns(bars: &[OneBar], interval: Interval) -> Vec<(u32, u32, f64)> {
    let is_day = interval.is_day();
    let is_next =
        |one: &OneBar, next: &OneBar| is_day || one.start_s.checked_add(interval.seconds()) == Some(next.start_s);
    let one = |(at, two): (usize, &[OneBar])| {
        let place = if is_day { at as u32 } else { two[1].start_s / interval.seconds() };
        let returned = log_ratio(two[1].close, two[0].close).filter(|_| is_next(&two[0], &two[1]))?;
        Some((place, two[1].start_s, returned))
    };
    bars.windows(2).enumerate().filter_map(one).collect()
}

/// The look-back of an instrument.
pub(super) fn look_back(bars: &[OneBar], interval: Interval) -> Result<LookBack, String> {
    let returns = returns(bars, interval);
    let n = returns.len();
    if n < LEAST_RETURNS {
        return Err(format!("{n} returns of bars that follow each other, and it takes {LEAST_RETURNS}"));
    }
    let mean = returns.iter().map(|(_, _, x)| x).sum::<f64>() / n as f64;
    let off: Vec<(u32, f64)> = returns.iter().map(|(place, _, x)| (*place, x - mean)).collect();
    let all = off.iter().map(|(_, x)| x * x).sum::<f64>();
    if returns.iter().all(|(_, _, x)| *x == returns[0].2) {
        return Err("its prices do not change".to_owned());
    }
    let bound = 1.96 / (n as f64).sqrt();
    let lags = (1..=LONGEST_LAG).map(|lag| (lag, products(&off, lag) / all)).filter(|(_, r)| r.abs() > bound).collect();
    Ok(LookBack { lags, bound, returns: n })
}

/// The sum of the products of what is so far apart.
fn products(off: &[(u32, f64)], lag: u32) -> f64 {
    let (mut later, mut sum) = (0, 0.0);
    for (place, x) in off {
        while off.get(later).is_some_and(|(other, _)| *other < place + lag) {
            later += 1;
        }
        match off.get(later) {
            Some((other, y)) if *other == place + lag => sum += x * y,
            Some(_) => {}
            None => break,
        }
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;
    use flow::Px;

    fn bars(starts: impl IntoIterator<Item = (u32, i64)>) -> Vec<OneBar> {
        let bar = |(minute, close)| OneBar { start_s: 60 * minute, close: Px(close * 10_000_000), volume: None };
        starts.into_iter().map(bar).collect()
    }

    #[test]
    fn what_comes_back_every_fourth_bar_has_even_lags() {
        // Up, down, rest, rest: the lag of 4 and its multiples are alike, those between are not.
        let closes = (0..400).map(|n| (n, if n % 4 == 1 { 10_100 } else { 10_000 }));
        let found = look_back(&bars(closes), "1m".parse().unwrap()).unwrap();
        assert_eq!((found.returns, found.lags.last().map(|(lag, _)| *lag)), (399, Some(60)));
        let of = |lag| found.lags.iter().find(|(l, _)| *l == lag).map(|(_, r)| *r);
        assert!((of(4).unwrap() - 0.99).abs() < 0.01 && (of(1).unwrap() + 0.5).abs() < 0.01, "{:?}", found.lags);
        assert_eq!(of(2), None, "the returns are +, −, 0, 0");
    }

    #[test]
    fn behind_a_gap_there_is_no_return_and_lags_count_time() {
        let gap = bars([(0, 100), (1, 101), (3, 102), (4, 103), (5, 102)]);
        let found = returns(&gap, "1m".parse().unwrap());
        assert_eq!(
            found.iter().map(|(place, start, _)| (*place, *start)).collect::<Vec<_>>(),
            [(1, 60), (4, 240), (5, 300)]
        );
        assert_eq!(products(&[(1, 2.0), (4, 3.0), (5, 5.0)], 1), 15.0);
        assert_eq!(products(&[(1, 2.0), (4, 3.0), (5, 5.0)], 4), 10.0);
        let days = returns(&gap, "1d".parse().unwrap());
        assert_eq!(days.iter().map(|(place, ..)| *place).collect::<Vec<_>>(), [0, 1, 2, 3]);
    }

    #[test]
    fn too_little_is_said_and_what_rests_has_none() {
        let of = |n, by: i64| {
            look_back(&bars((0..n).map(|at| (at, 10_000 + by * i64::from(at % 2)))), "1m".parse().unwrap())
        };
        assert_eq!(of(120, 1), Err("119 returns of bars that follow each other, and it takes 120".into()));
        assert_eq!(of(121, 0), Err("its prices do not change".into()));
        assert!(of(121, 1).is_ok());
    }
}
