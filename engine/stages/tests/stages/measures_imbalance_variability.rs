//! Variability of the imbalance: the worked numbers, and a reference that keeps what stood at the end of every second.

use crate::harness::{self, INSTRUMENTS, Pipeline};
use crate::stream::opening;
use flow::records::{BookTop, ImbalanceVariability};
use flow::{Event, Flags, Ns, Params, Px, Qty};
use proptest::prelude::*;
use stages::Space;
use stages::measures::imbalance_variability::ImbalanceVariability as VariabilityMeasure;
use stages::measures::{Host, One};

const SPACE: Space = Space { instruments: INSTRUMENTS, fills: 64, positions: 64 };
/// 2026-01-12 15:00 UTC.
const START: u64 = 1_768_230_000;

fn params(window: u64, least: u64) -> Params {
    harness::params("imbalance-variability", &[("window", &window.to_string()), ("least", &least.to_string())])
}

fn pipeline(window: u64, least: u64) -> Pipeline<Host<One<VariabilityMeasure>>> {
    let mut pipeline = Pipeline::new(Host::alone(&params(window, least), SPACE).unwrap());
    opening().0.iter().for_each(|event| assert!(pipeline.feed(event).is_empty()));
    pipeline
}

/// A touch with these quantities, a side of none without a price.
fn top(tenths: u64, instrument: u32, bid: u64, ask: u64) -> Event {
    let px = |qty: u64, px: i64| if qty == 0 { Px::NONE } else { Px(px) };
    let (bid_px, ask_px) = (px(bid, 100), px(ask, 101));
    let top = BookTop { bid_px, bid_qty: Qty(bid), ask_px, ask_qty: Qty(ask), ..BookTop::default() };
    Event::new(Ns(START * Ns::SECOND + tenths * 100_000_000), instrument, Flags::NONE, &top)
}

fn feed(pipeline: &mut Pipeline<Host<One<VariabilityMeasure>>>, event: &Event) -> Option<ImbalanceVariability> {
    pipeline.feed(event).first().map(|emitted| *emitted.0.record())
}

/// Samples, mean and variability.
fn numbers(found: &ImbalanceVariability) -> (u16, Option<f64>, Option<f64>) {
    (found.samples, found.mean.known(), found.variability.known())
}

fn near(found: Option<f64>, expected: Option<f64>) -> bool {
    match (found, expected) {
        (Some(found), Some(expected)) => (found - expected).abs() < 1e-9,
        (found, expected) => found == expected,
    }
}

#[test]
fn the_worked_numbers() {
    let mut pipeline = pipeline(4, 2);
    let mut at = |second: u64, bid, ask| feed(&mut pipeline, &top(second * 10, 1, bid, ask)).as_ref().map(numbers);
    assert_eq!(at(0, 300, 100), None);
    assert_eq!(at(1, 100, 300), Some((1, None, None)));
    let (samples, mean, variability) = at(3, 100, 0).unwrap();
    assert!(samples == 3 && near(mean, Some(-1.0 / 6.0)) && near(variability, Some(0.471_404_521)));
    assert_eq!(at(5, 100, 100), Some((2, Some(-0.5), Some(0.0))));
    assert_eq!(at(5, 300, 100), None, "the second runs on");
}

#[test]
fn a_book_that_leans_wholly_to_one_side_and_then_to_the_other_varies_by_almost_one() {
    let mut pipeline = pipeline(10, 2);
    let mut last = None;
    for second in 0..21 {
        let (bid, ask) = if second % 2 == 0 { (u64::MAX, 1) } else { (1, u64::MAX) };
        last = feed(&mut pipeline, &top(second * 10, 1, bid, ask));
    }
    assert_eq!(last.as_ref().map(numbers), Some((10, Some(0.0), Some(1.0))));
}

#[test]
fn a_new_trade_date_begins_with_an_empty_window() {
    let mut pipeline = pipeline(4, 1);
    feed(&mut pipeline, &top(0, 1, 3, 1));
    assert_eq!(feed(&mut pipeline, &top(10, 1, 1, 1)).map(|found| found.samples), Some(1));
    let tomorrow = 86_400 * 10;
    assert_eq!(feed(&mut pipeline, &top(tomorrow, 1, 1, 3)), None);
    let found = feed(&mut pipeline, &top(tomorrow + 10, 1, 1, 1)).unwrap();
    assert_eq!(numbers(&found), (1, Some(-0.5), Some(0.0)));
}

#[test]
fn more_samples_than_the_window_holds_are_refused() {
    let refused = |window, least| Host::<One<VariabilityMeasure>>::alone(&params(window, least), SPACE).is_err();
    assert!(refused(10, 11) && !refused(10, 10));
}

/// What stood at the end of every second from the first on.
#[derive(Default)]
struct Naive {
    tops: Vec<(u64, Option<f64>)>,
}

impl Naive {
    /// The samples of the last seconds before `second`, and how they are spread.
    fn expected(&self, second: u64, window: u64, least: u64) -> (u16, Option<f64>, Option<f64>) {
        let first = self.tops[0].0;
        let stood = |end: u64| self.tops.iter().rev().find(|(at, _)| *at < end).and_then(|(_, l1)| *l1);
        let from = second.saturating_sub(window).max(first);
        let samples: Vec<f64> = (from + 1..=second).filter_map(stood).collect();
        let of = samples.len() as f64;
        let mean = samples.iter().sum::<f64>() / of;
        let variance = samples.iter().map(|sample| (sample - mean) * (sample - mean)).sum::<f64>() / of;
        let is_enough = samples.len() as u64 >= least;
        (samples.len() as u16, is_enough.then_some(mean), is_enough.then_some(variance.sqrt()))
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    #[test]
    fn agrees_with_a_reference_that_keeps_everything(
        steps in prop::collection::vec((0..60_u64, 1..3_u32, 0..4_u64, 0..4_u64), 1..200),
        window in 2..12_u64,
        least in 1..3_u64,
    ) {
        let mut pipeline = pipeline(window, least);
        let mut naive = [Naive::default(), Naive::default()];
        let mut tenths = 0;
        for (pause, instrument, bid, ask) in steps {
            // Most changes lie in one second, some a window apart.
            tenths += if pause < 50 { pause / 10 } else { pause };
            let (second, of) = (tenths / 10, &mut naive[instrument as usize - 1]);
            let found = feed(&mut pipeline, &top(tenths, instrument, bid, ask));
            let is_later = of.tops.last().is_some_and(|(last, _)| *last < second);
            prop_assert_eq!(found.is_some(), is_later);
            if let Some(found) = found {
                let (samples, mean, variability) = of.expected(second, window, least);
                prop_assert_eq!(found.samples, samples);
                prop_assert!(near(found.mean.known(), mean) && near(found.variability.known(), variability));
                prop_assert!(found.variability.known().is_none_or(|number| (0.0..=1.0).contains(&number)));
            }
            let l1 = (bid > 0 && ask > 0).then(|| (bid as f64 - ask as f64) / (bid + ask) as f64);
            of.tops.push((second, l1));
        }
    }
}
