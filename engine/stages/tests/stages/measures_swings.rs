//! Swings and fractals: the worked series, equals, when they are known, and a reference that looks at all bars at once.

use crate::measures_indicators::{alone, bar};
use crate::measures_state::{cents, minute};
use flow::records::Swing;
use flow::{Event, Px, SwingExtreme, SwingType};
use proptest::prelude::*;
use stages::measures::swings::Swings;
use stages::measures::{Host, One};

use SwingExtreme::{High, Low};
use SwingType::{Fractal, Swing as SwingOfBars};

type Stages = crate::harness::Pipeline<Host<One<Swings>>>;

const WORKED: [i64; 13] = [1, 2, 3, 5, 4, 3, 4, 6, 6, 5, 3, 2, 4];

/// What is said of bars, each with the number of the bar that said it: list, extreme, the bar that turned.
fn said(set: &[(&str, &str)], bars: impl IntoIterator<Item = (i64, i64)>) -> Vec<(u32, SwingType, SwingExtreme, u32)> {
    let mut pipeline: Stages = alone("swings", set);
    let mut all = Vec::new();
    for (at, (high, low)) in (0..).zip(bars) {
        for emitted in pipeline.feed(&bar(minute(0, at), [high, low, low])) {
            let swing: &Swing = emitted.0.record();
            assert_eq!((swing.confirmed_s, swing.interval_s), (minute(0, at), 60));
            let (what, extreme) = (SwingType::from_code(swing.what), SwingExtreme::from_code(swing.extreme));
            let turned = (swing.start_s - minute(0, 0)) / 60;
            all.push((at, what.unwrap(), extreme.unwrap(), turned));
        }
    }
    all
}

#[test]
fn the_worked_swings_and_fractals() {
    let of_two = [("bars", "2"), ("fractal_bars", "2")];
    // Lows fall all the time, so none of them is an extreme.
    let highs = said(&of_two, (0..).zip(WORKED).map(|(at, high)| (high * 100, 50 - at)));
    assert_eq!(highs, [(5, SwingOfBars, High, 3), (5, Fractal, High, 3), (9, SwingOfBars, High, 7)]);
    let lows = said(&of_two, (0..).zip(WORKED).map(|(at, low)| (9_000 + at, low * 100)));
    assert_eq!(lows, [(7, SwingOfBars, Low, 5), (7, Fractal, Low, 5)]);
}

#[test]
fn a_swing_says_its_price_and_the_one_before() {
    let mut pipeline: Stages = alone("swings", &[("bars", "1"), ("fractal_bars", "250")]);
    let prices = [(10, 9), (30, 8), (20, 7), (40, 9), (10, 5)];
    let emitted: Vec<Swing> = (0..)
        .zip(prices)
        .flat_map(|(at, (high, low))| pipeline.feed(&bar(minute(0, at), [high, low, low])))
        .map(|emitted| *emitted.0.record())
        .collect();
    let shown: Vec<_> = emitted.iter().map(|s| (s.px, s.before, s.bars, s.extreme)).collect();
    let [high, low] = [High, Low].map(|extreme| extreme.code());
    let expected = [(cents(30), Px::NONE, 1, high), (cents(7), Px::NONE, 1, low), (cents(40), cents(30), 1, high)];
    assert_eq!(shown, expected);
}

#[test]
fn another_instrument_and_another_day_have_their_own_neighbours() {
    let mut pipeline: Stages = alone("swings", &[("bars", "1"), ("fractal_bars", "250")]);
    let peak = [bar(minute(0, 388), [10, 10, 10]), bar(minute(0, 389), [30, 20, 20]), bar(minute(1, 0), [20, 20, 20])];
    let other = |event: &Event| Event { instrument: 4, ..*event };
    assert!(pipeline.feed(&peak[0]).is_empty() && pipeline.feed(&peak[1]).is_empty());
    assert!(pipeline.feed(&other(&peak[2])).is_empty());
    assert!(pipeline.feed(&Event { instrument: 0, ..peak[2] }).is_empty());
    let emitted = pipeline.feed(&peak[2]);
    assert_eq!(emitted.len(), 1, "the next day confirms it");
    assert_eq!(emitted[0].0.record::<Swing>().start_s, minute(0, 389));
}

/// Whether the bar at `at` is beyond `k` on each side, of numbers to be highest.
fn is_extreme(numbers: &[i64], at: usize, k: usize, what: SwingType) -> bool {
    if at < k || at + k >= numbers.len() {
        return false;
    }
    let (left, right) = (&numbers[at - k..at], &numbers[at + 1..=at + k]);
    let right_is_below = right.iter().all(|n| *n < numbers[at] || (what == SwingOfBars && *n == numbers[at]));
    left.iter().all(|n| *n < numbers[at]) && right_is_below
}

proptest! {
    #[test]
    fn all_that_a_look_at_all_bars_finds_is_said_and_no_sooner(
        bars in prop::collection::vec((0..6_i64, 0..4_i64), 0..60), k in 1_usize..4, fractal in 1_usize..4,
    ) {
        let reaches: Vec<_> = bars.iter().map(|(low, height)| (100 + low + height, 100 + low)).collect();
        let (highs, lows): (Vec<i64>, Vec<i64>) = reaches.iter().map(|(high, low)| (*high, -*low)).unzip();
        let mut expected = Vec::new();
        for at in 0..reaches.len() {
            for (what, k) in [(SwingOfBars, k), (Fractal, fractal)] {
                for (extreme, numbers) in [(High, &highs), (Low, &lows)] {
                    if at >= k && is_extreme(&numbers[..=at], at - k, k, what) {
                        expected.push((at as u32, what, extreme, (at - k) as u32));
                    }
                }
            }
        }
        let (k, fractal) = (k.to_string(), fractal.to_string());
        prop_assert_eq!(said(&[("bars", k.as_str()), ("fractal_bars", fractal.as_str())], reaches), expected);
    }
}
