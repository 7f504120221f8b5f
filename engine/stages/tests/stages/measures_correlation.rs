//! Correlation: the worked number, which returns count, places, and a reference that adds all up at every bar.

use crate::harness::{self, INSTRUMENTS, Pipeline};
use crate::measures_indicators::{alone, bar, near};
use crate::measures_state::minute;
use crate::stream::listing;
use flow::records::{self, Bar};
use flow::{BookKind, Event, InstrumentType, Kind, Px};
use proptest::prelude::*;
use stages::Space;
use stages::measures::correlation::Correlation;
use stages::measures::{Host, Measure, One};
use std::collections::BTreeMap;

type Stages = Pipeline<Host<One<Correlation>>>;

/// A bar of an instrument in a minute of the first day, with its close.
fn bar_of(instrument: u32, at: u32, close: Px) -> Event {
    let start_s = minute(0, at);
    let whole = Bar { open: close, high: close, low: close, close, start_s, interval_s: 60 };
    Event { instrument, ..Event::new(bar(start_s, [1; 3]).ts, instrument, flow::Flags::LAST_OF_GROUP, &whole) }
}

fn feed(pipeline: &mut Stages, event: &Event) -> Vec<records::Correlation> {
    let emitted = pipeline.feed(event);
    assert!(emitted.iter().all(|e| e.0.instrument == event.instrument));
    emitted.iter().map(|e| *e.0.record()).collect()
}

#[test]
fn the_worked_correlation() {
    let mut pipeline: Stages = alone("correlation", &[("least", "4")]);
    let returns = [(0.01, 0.012), (0.02, 0.018), (-0.01, -0.02), (0.005, 0.001_f64)];
    let px = |log: f64| Px((1e15 * libm::exp(log)).round() as i64);
    let (mut first, mut second, mut all) = (0.0, 0.0, Vec::new());
    for (at, (x, y)) in (0..).zip([(0.0, 0.0)].into_iter().chain(returns)) {
        (first, second) = (first + x, second + y);
        assert!(feed(&mut pipeline, &bar_of(2, at, px(first))).is_empty(), "the other has no bar of that time");
        all.push(feed(&mut pipeline, &bar_of(3, at, px(second))));
    }
    assert!(all[0].is_empty(), "the first bar has no return");
    assert!(all[1..4].iter().all(|said| said.len() == 1 && said[0].correlation.known().is_none()));
    let last = all[4][0];
    near(last.correlation, 0.982811038086);
    let expected = records::Correlation {
        correlation: last.correlation,
        other: 2,
        start_s: minute(0, 4),
        interval_s: 60,
        common: 4,
        bars: 120,
        ..records::Correlation::default()
    };
    assert_eq!(last, expected);
}

#[test]
fn a_bar_behind_a_gap_or_beside_another_of_its_time_counts_not() {
    let mut pipeline: Stages = alone("correlation", &[]);
    let mut said = |instrument, at, px| {
        let records = feed(&mut pipeline, &bar_of(instrument, at, Px(px)));
        records.iter().map(|r| (r.other, r.common)).collect::<Vec<_>>()
    };
    assert_eq!([said(1, 0, 100), said(2, 0, 100), said(1, 1, 101)], [const { Vec::new() }; 3]);
    assert_eq!(said(2, 1, 101), [(1, 1)]);
    assert_eq!([said(1, 2, 102), said(1, 2, 103)], [const { Vec::new() }; 2]);
    assert_eq!(said(2, 2, 102), [(1, 2)], "once, whichever bars there are");
    assert_eq!(
        [said(2, 4, 100), said(1, 3, 100)],
        [const { Vec::new() }; 2],
        "no bar at 3 for the one, no pair for the other"
    );
    assert_eq!([said(1, 4, 100), said(2, 5, 0)], [const { Vec::new() }; 2], "nothing has a logarithm below zero");
    assert_eq!([said(1, 5, 100), said(2, 6, 100)], [const { Vec::new() }; 2]);
}

#[test]
fn one_that_does_not_change_has_none() {
    let mut pipeline: Stages = alone("correlation", &[("least", "2")]);
    let mut last = Vec::new();
    for at in 0..5 {
        feed(&mut pipeline, &bar_of(1, at, Px(100)));
        last = feed(&mut pipeline, &bar_of(2, at, Px(100 + i64::from(at))));
    }
    assert_eq!((last[0].common, last[0].correlation.known()), (4, None));
}

#[test]
fn sixty_four_have_a_place() {
    let space = Space { instruments: 80, fills: 64, positions: 64 };
    let params = harness::params("correlation", &[("least", "2")]);
    let mut pipeline: Stages = Pipeline::new(Host::alone(&params, space).unwrap());
    let listings = (1..=66).flat_map(|at| listing(at, BookKind::None, InstrumentType::Equity));
    listings.filter(|event| event.kind == Kind::Listing).for_each(|event| assert!(pipeline.feed(&event).is_empty()));
    let mut said = Vec::new();
    for at in 0..2 {
        said = (1..=66).map(|instrument| feed(&mut pipeline, &bar_of(instrument, at, Px(100))).len()).collect();
    }
    let expected: Vec<usize> = (0..64).chain([0, 0]).collect();
    assert_eq!(said, expected);
}

#[test]
fn no_more_can_be_needed_than_is_kept() {
    let space = Space { instruments: INSTRUMENTS, fills: 64, positions: 64 };
    let refused = Correlation::new(&harness::params("correlation", &[("bars", "29")]), space).err().expect("30 of 29");
    assert_eq!((refused.key.as_str(), refused.found.as_str()), ("correlation.least", "30"));
}

/// Returns by time and instrument.
type Times = BTreeMap<u32, BTreeMap<u32, f64>>;

/// Pearson's, from the returns that two have in common.
fn pearson(times: &Times, one: u32, other: u32) -> (u16, Option<f64>) {
    let both = times.values().filter_map(|returns| returns.get(&one).copied().zip(returns.get(&other).copied()));
    let (x, y): (Vec<f64>, Vec<f64>) = both.unzip();
    let n = x.len() as f64;
    let (mean_x, mean_y) = (x.iter().sum::<f64>() / n, y.iter().sum::<f64>() / n);
    let sum = |f: &dyn Fn(f64, f64) -> f64| x.iter().zip(&y).map(|(x, y)| f(x - mean_x, y - mean_y)).sum::<f64>();
    let [xy, xx, yy] = [sum(&|x, y| x * y), sum(&|x, _| x * x), sum(&|_, y| y * y)];
    let has = xx > 1e-12 && yy > 1e-12 && x.len() >= 3;
    (x.len() as u16, has.then(|| xy / (xx * yy).sqrt()))
}

proptest! {
    #[test]
    fn it_is_what_all_returns_of_the_last_times_come_to(
        bars in prop::collection::vec((0..4_u32, 1..5_u32, 90..110_i64), 1..400),
    ) {
        const LAST: usize = 7;
        let mut pipeline: Stages = alone("correlation", &[("bars", "7"), ("least", "3")]);
        let (mut at, mut closes, mut times) = (0, BTreeMap::<u32, (u32, i64)>::new(), Times::new());
        for (step, instrument, close) in bars {
            at += u32::from(step == 3);
            let found = feed(&mut pipeline, &bar_of(instrument, at, Px(close)));
            let before = closes.insert(instrument, (at, close)).filter(|(before, _)| before + 1 == at);
            let Some((_, before)) = before else {
                prop_assert!(found.is_empty());
                continue;
            };
            times.entry(at).or_default().insert(instrument, libm::log(close as f64 / before as f64));
            while times.len() > LAST {
                times.pop_first();
            }
            let others: Vec<u32> = times[&at].keys().copied().filter(|other| *other != instrument).collect();
            let mut said: Vec<u32> = found.iter().map(|r| r.other).collect();
            said.sort_unstable();
            prop_assert_eq!(said, others);
            for record in found {
                let (common, correlation) = pearson(&times, instrument, record.other);
                prop_assert_eq!(record.common, common);
                let found = record.correlation.known();
                if let Some((found, expected)) = found.zip(correlation) {
                    prop_assert!((found - expected).abs() < 1e-8, "{} for {}", found, expected);
                }
                prop_assert_eq!(found.is_some(), correlation.is_some());
            }
        }
    }
}
