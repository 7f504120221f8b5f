//! Volatility: the worked numbers, what a year has, and what has no return.

use crate::measures_indicators::{STOCK, alone, known_from, near};
use crate::measures_state::{cents, minute};
use flow::records::{Bar, Volatility, VolatilityRanges};
use flow::{Event, Flags, Ns, Px, Real};
use stages::measures::volatility::Volatility as VolatilityMeasure;
use stages::measures::{Host, One};

type Stages = crate::harness::Pipeline<Host<One<VolatilityMeasure>>>;

fn feed(pipeline: &mut Stages, at: u32, interval_s: u32, prices: [Px; 4]) -> (Volatility, VolatilityRanges) {
    let [open, high, low, close] = prices;
    let bar = Bar { open, high, low, close, start_s: minute(0, 0) + at * interval_s, interval_s };
    let emitted = pipeline.feed(&Event::new(Ns(1), STOCK, Flags::LAST_OF_GROUP, &bar));
    (*emitted[0].0.record(), *emitted[1].0.record())
}

/// The worked closes, as bars without a reach.
const CLOSES: [i64; 6] = [10_000, 10_050, 10_020, 10_100, 10_070, 10_140];

#[test]
fn the_worked_volatility_of_returns() {
    let mut pipeline: Stages = alone("volatility", &[("interval", "1d"), ("bars", "5")]);
    let all: Vec<_> = (0..).zip(CLOSES).map(|(at, close)| feed(&mut pipeline, at, 86_400, [cents(close); 4])).collect();
    known_from(5, all.iter().map(|(v, _)| v.volatility));
    known_from(5, all.iter().map(|(_, ranges)| ranges.parkinson));
    let (last, ranges) = all[5];
    near(last.realised_variance, 1.5388874502e-4);
    near(last.volatility, 0.0852028591);
    near(last.zero_mean, 0.0880681143);
    assert_eq!((last.start_s, last.interval_s, last.bars), (minute(5, 0), 86_400, 5));
    assert_eq!((ranges.bars_a_year, ranges.rogers_satchell.known()), (252, Some(0.0)), "bars that reach nowhere");
}

#[test]
fn the_worked_variances_of_a_bar() {
    let mut pipeline: Stages = alone("volatility", &[("bars", "2"), ("bars_a_year", "1")]);
    let prices = [10_000, 10_200, 9_900, 10_100].map(cents);
    let (_, ranges) = (0..3).map(|at| feed(&mut pipeline, at, 60, prices)).last().unwrap();
    let variance = |real: Real| real.known().map(|number| number * number).unwrap();
    let worked = [(ranges.parkinson, 3.2143224e-4), (ranges.garman_klass, 4.0735305e-4)];
    for (found, expected) in worked.into_iter().chain([(ranges.rogers_satchell, 3.9611477e-4)]) {
        assert!((variance(found) - expected).abs() < 5.1e-12, "{found:?} for {expected}");
    }
    // Without an open nobody knows them; the returns do not need it.
    let (first, ranges) = feed(&mut pipeline, 3, 60, [Px::NONE, prices[1], prices[2], prices[3]]);
    assert_eq!((first.volatility.known(), ranges.parkinson), (Some(0.0), Real::NONE));
    feed(&mut pipeline, 4, 60, prices);
    assert!(feed(&mut pipeline, 5, 60, prices).1.parkinson.known().is_some());
}

#[test]
fn a_price_that_is_not_above_zero_has_no_return() {
    let mut pipeline: Stages = alone("volatility", &[("bars", "2")]);
    let known =
        |pipeline: &mut Stages, at, close| feed(pipeline, at, 60, [cents(close); 4]).0.volatility.known().is_some();
    let closes = [100, 101, 100, 0, 100, 101, 100, -5, 7];
    let found: Vec<_> = (0..).zip(closes).map(|(at, close)| known(&mut pipeline, at, close)).collect();
    assert_eq!(found, [false, false, true, false, false, false, true, false, false]);
}

#[test]
fn a_year_has_the_bars_of_its_sessions() {
    let year = |interval: &str, interval_s| {
        let mut pipeline: Stages = alone("volatility", &[("interval", interval)]);
        feed(&mut pipeline, 0, interval_s, [cents(100); 4]).1.bars_a_year
    };
    assert_eq!([year("1m", 60), year("5m", 300), year("1d", 86_400)], [98_280, 19_656, 252]);
}
