//! The order flow resembles a market: mix, activity, signs, spreads, depth, tails.

use super::naive::Naive;
use super::{bytes_of, config};
use std::collections::BTreeMap;
use std::sync::OnceLock;

/// The day that all tests here analyse.
fn day() -> &'static Naive {
    static DAY: OnceLock<Naive> = OnceLock::new();
    DAY.get_or_init(|| Naive::read(&bytes_of(&config(11, 600_000, 100, 10_000)), |_, _, _| {}))
}

fn correlation(pairs: &[(f64, f64)]) -> f64 {
    let n = pairs.len() as f64;
    let (mx, my) = (pairs.iter().map(|p| p.0).sum::<f64>() / n, pairs.iter().map(|p| p.1).sum::<f64>() / n);
    let covariance: f64 = pairs.iter().map(|p| (p.0 - mx) * (p.1 - my)).sum();
    let (vx, vy) = pairs.iter().fold((0.0, 0.0), |v, p| (v.0 + (p.0 - mx).powi(2), v.1 + (p.1 - my).powi(2)));
    covariance / (vx * vy).sqrt()
}

/// Time, whether the aggressor bought, and price of a symbol's trades.
type Trades = Vec<(u64, bool, u32)>;

/// Locates, the most traded first, with their trades in order.
fn by_trades() -> Vec<(u16, Trades)> {
    let mut trades: BTreeMap<u16, Trades> = BTreeMap::new();
    for t in &day().trades {
        trades.entry(t.locate).or_default().push((t.time, t.buyer_initiated, t.price));
    }
    let mut ranked: Vec<_> = trades.into_iter().collect();
    ranked.sort_by_key(|(_, trades)| std::cmp::Reverse(trades.len()));
    ranked
}

#[test]
fn the_mix_is_that_of_a_real_day() {
    let total = day().messages as f64;
    let share = |kinds: &str| kinds.chars().map(|k| day().counts[&k] as f64).sum::<f64>() / total;
    println!("{:?}", day().counts);
    let within = |name: &str, found: f64, low: f64, high: f64| {
        println!("{name}: {:.2} %", 100.0 * found);
        assert!((low..high).contains(&found), "{name}: {found}");
    };
    within("add", share("AF"), 0.42, 0.48);
    within("delete", share("D"), 0.36, 0.43);
    within("execute", share("EC"), 0.06, 0.10);
    within("cancel", share("X"), 0.01, 0.04);
    within("replace", share("U"), 0.01, 0.07);
    within("rest", 1.0 - share("AFDECXU"), 0.001, 0.02);
}

#[test]
fn activity_follows_zipfs_law() {
    let mut counts: Vec<u64> = day().by_locate.iter().filter(|(l, _)| **l > 0).map(|(_, n)| *n).collect();
    counts.sort_unstable_by(|a, b| b.cmp(a));
    let logs: Vec<(f64, f64)> =
        counts[..50].iter().enumerate().map(|(k, n)| ((k as f64 + 1.0).ln(), (*n as f64).ln())).collect();
    let (mx, my) = (logs.iter().map(|l| l.0).sum::<f64>() / 50.0, logs.iter().map(|l| l.1).sum::<f64>() / 50.0);
    let slope = logs.iter().map(|l| (l.0 - mx) * (l.1 - my)).sum::<f64>()
        / logs.iter().map(|l| (l.0 - mx).powi(2)).sum::<f64>();
    println!("Zipf slope {slope:.3}");
    assert!((-1.15..-0.85).contains(&slope), "slope {slope}");
}

#[test]
fn signs_of_trades_are_autocorrelated() {
    for lag in [1, 2, 5, 10] {
        let mut pairs = Vec::new();
        for (_, trades) in by_trades().iter().take(20) {
            let sign = |i: usize| if trades[i].1 { 1.0 } else { -1.0 };
            pairs.extend((lag..trades.len()).map(|i| (sign(i - lag), sign(i))));
        }
        let rho = correlation(&pairs);
        println!("sign autocorrelation, lag {lag}: {rho:.3}");
        assert!((0.05..0.9).contains(&rho), "lag {lag}: {rho}");
    }
}

#[test]
fn flow_moves_prices_and_returns_have_fat_tails() {
    let (mut impact, mut returns) = (Vec::new(), Vec::new());
    for (_, trades) in by_trades().iter().take(10) {
        let mut moves = Vec::new();
        for chunk in trades.chunks_exact(20) {
            let flow: f64 = chunk.iter().map(|t| if t.1 { 1.0 } else { -1.0 }).sum();
            let change = f64::from(chunk[19].2) / f64::from(chunk[0].2) - 1.0;
            moves.push((flow, change));
        }
        let deviation = (moves.iter().map(|m| m.1 * m.1).sum::<f64>() / moves.len() as f64).sqrt();
        impact.extend(moves.iter().map(|m| (m.0, m.1 / deviation)));
        returns.extend(moves.iter().map(|m| m.1 / deviation));
    }
    let kurtosis = returns.iter().map(|r| r.powi(4)).sum::<f64>() / returns.len() as f64;
    let rho = correlation(&impact);
    println!("flow and return: {rho:.3}; kurtosis {kurtosis:.2}; {} returns", returns.len());
    assert!(rho > 0.2, "flow and return correlate by {rho}");
    assert!(kurtosis > 3.5, "a normal distribution has 3, this has {kurtosis}");
}

#[test]
fn executions_come_in_clusters() {
    let times: Vec<u64> = by_trades()[0].1.iter().map(|t| t.0).collect();
    let gaps: Vec<f64> = times.windows(2).map(|w| (w[1] - w[0]) as f64).collect();
    let mean = gaps.iter().sum::<f64>() / gaps.len() as f64;
    let variance = gaps.iter().map(|g| (g - mean).powi(2)).sum::<f64>() / gaps.len() as f64;
    let ratio = variance.sqrt() / mean;
    println!("gaps between executions: deviation {ratio:.2} of the mean");
    assert!(ratio > 1.3, "a Poisson process has 1, this has {ratio}");
}

#[test]
fn liquid_symbols_have_narrow_spreads_and_deep_books() {
    for (locate, trades) in by_trades().iter().take(5) {
        let spreads = &day().spreads[locate];
        let later = &spreads[spreads.len() / 4..];
        let mean = later.iter().map(|s| f64::from(*s)).sum::<f64>() / later.len() as f64 / 100.0;
        let wide = later.iter().filter(|s| **s > 2_000).count() as f64 / later.len() as f64;
        let bids: Vec<(u32, u64)> = day().side(*locate, true).into_iter().rev().collect();
        let near: u64 = bids.iter().take(3).map(|l| l.1).sum();
        let next: u64 = bids.iter().skip(3).take(12).map(|l| l.1).sum();
        println!(
            "locate {locate} at {}: spread {mean:.2} ticks ({:.1} % over 20), {} levels, three best {near}, next twelve {next}",
            trades[0].2,
            100.0 * wide,
            bids.len()
        );
        assert!(mean < 12.0 && next > near, "locate {locate}");
    }
}

#[test]
fn the_number_of_resting_orders_is_held() {
    let live = &day().live_after;
    let held = &live[live.len() / 4..];
    let (low, high) = (held.iter().min().expect("some"), held.iter().max().expect("some"));
    println!("live orders after the ramp-up: {low} to {high}");
    assert!(*low > 9_300 && *high < 10_700, "{low} to {high}");
}
