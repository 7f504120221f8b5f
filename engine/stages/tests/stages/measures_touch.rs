//! The measures of the touch on random walks with one-sided, locked and crossed books, against references that keep everything; and the
//! worked numbers of their pages.

use crate::harness::{self, INSTRUMENTS, Pipeline};
use crate::stream::opening;
use flow::records::{BookTop, BrokenTrade, OrderFlowImbalance, PriceImpact, QuotedSpread, Trade};
use flow::{Event, Flags, Ns, Px, Qty, Real, Side, TouchState};
use proptest::prelude::*;
use stages::Space;
use stages::measures::ofi::Ofi;
use stages::measures::price_impact::KyleLambda;
use stages::measures::spread::Spread;
use stages::measures::{Host, Measure, One};

const SPACE: Space = Space { instruments: INSTRUMENTS, fills: 64, positions: 64 };
/// 2026-01-12 15:00 UTC.
const START: u64 = 1_768_230_000;
const CENT: i64 = 10_000_000;
const DAY: u64 = 86_400_000;

fn pipeline<M: Measure>(name: &str, set: &[(&str, &str)]) -> Pipeline<Host<One<M>>> {
    let mut pipeline = Pipeline::new(Host::alone(&harness::params(name, set), SPACE).unwrap());
    opening().0.iter().for_each(|event| assert!(pipeline.feed(event).is_empty()));
    pipeline
}

fn at(millis: u64) -> Ns {
    Ns(START * Ns::SECOND + millis * 1_000_000)
}

/// A touch in cents; a side without quantity has no price.
fn top(millis: u64, (bid, bid_qty): (i64, u64), (ask, ask_qty): (i64, u64)) -> Event {
    let px = |cents: i64, qty: u64| if qty == 0 { Px::NONE } else { Px(cents * CENT) };
    let (bid_px, ask_px) = (px(bid, bid_qty), px(ask, ask_qty));
    let top = BookTop { bid_px, bid_qty: Qty(bid_qty), ask_px, ask_qty: Qty(ask_qty), ..BookTop::default() };
    Event::new(at(millis), 1, Flags::NONE, &top)
}

fn trade(millis: u64, side: Side, qty: u64) -> Event {
    Event::new(at(millis), 1, Flags::side_only(side), &Trade { px: Px(CENT), qty: Qty(qty), ..Trade::default() })
}

fn breaks(millis: u64, broken: &Event) -> Event {
    let Trade { px, qty, .. } = *broken.record();
    let record = BrokenTrade { px, qty, trade_ts: broken.ts, ..BrokenTrade::default() };
    Event::new(at(millis), 1, broken.flags, &record)
}

fn near(found: Real, expected: f64, scale: f64) -> bool {
    found.known().is_some_and(|found| (found - expected).abs() <= scale)
}

#[test]
fn the_worked_spreads() {
    let mut pipeline = pipeline::<Spread>("spread", &[]);
    let mut of = |bid, ask| *pipeline.feed(&top(0, bid, ask))[0].0.record::<QuotedSpread>();
    let apart = of((10_000, 300), (10_002, 100));
    assert_eq!((apart.spread, apart.touch), (Px(2 * CENT), TouchState::Apart.code()));
    assert!(near(apart.bps, 0.02 / 100.01 * 10_000.0, 1e-9));
    for (bid, ask, touch) in [
        ((10_002, 300), (10_002, 100), TouchState::Locked),
        ((10_003, 300), (10_002, 100), TouchState::Crossed),
        ((10_003, 0), (10_002, 100), TouchState::OneSided),
        ((10_003, 1), (10_002, 0), TouchState::OneSided),
        ((0, 0), (0, 0), TouchState::OneSided),
    ] {
        let found = of(bid, ask);
        assert_eq!((found.spread, found.bps, found.touch), (Px::NONE, Real::NONE, touch.code()));
    }
    let below_zero = of((-300, 1), (-100, 1));
    assert_eq!((below_zero.spread, below_zero.bps), (Px(200 * CENT), Real::NONE));
}

#[test]
fn spreads_at_the_limits_of_prices() {
    let mut pipeline = pipeline::<Spread>("spread", &[]);
    let (bid_px, ask_px, one) = (Px(i64::MIN), Px(i64::MAX - 1), Qty(1));
    let top = BookTop { bid_px, bid_qty: one, ask_px, ask_qty: one, ..BookTop::default() };
    let found = *pipeline.feed(&Event::new(at(0), 1, Flags::NONE, &top))[0].0.record::<QuotedSpread>();
    assert_eq!((found.spread, found.bps, found.touch), (Px::NONE, Real::NONE, TouchState::Apart.code()));
}

#[test]
fn the_worked_flow() {
    let mut pipeline = pipeline::<Ofi>("ofi", &[]);
    let quotes = [
        ((10_000, 300), (10_002, 100)),
        ((10_001, 200), (10_002, 150)),
        ((10_001, 250), (10_002, 120)),
        ((10_000, 400), (10_002, 120)),
        ((10_000, 380), (10_001, 90)),
        ((10_000, 380), (10_003, 210)),
    ];
    let mut found = Vec::new();
    for (second, (bid, ask)) in (0..).zip(quotes) {
        found.extend(pipeline.feed(&top(second * 1_000, bid, ask)).iter().map(|e| *e.0.record::<OrderFlowImbalance>()));
    }
    let changes: Vec<i64> = found.iter().map(|found| found.change).collect();
    assert_eq!(changes, [150, 80, -250, -110, 90]);
    assert_eq!(found.last().map(|last| (last.session, last.recent)), Some((-40, -40)));
    // A minute later all of it has left the window, and none of it the session; a day later both begin anew.
    let later = *pipeline.feed(&top(65_000, (10_000, 381), (10_003, 210)))[0].0.record::<OrderFlowImbalance>();
    assert_eq!((later.change, later.recent, later.session), (1, 1, -39));
    assert!(pipeline.feed(&top(DAY, (10_000, 1), (10_003, 1))).is_empty());
    let next = *pipeline.feed(&top(DAY + 1, (10_000, 3), (10_003, 1)))[0].0.record::<OrderFlowImbalance>();
    assert_eq!((next.change, next.recent, next.session), (2, 2, 2));
}

/// A trade and a touch of each minute of the worked case.
#[test]
fn the_worked_impact() {
    let mut pipeline = pipeline::<KyleLambda>("price-impact", &[]);
    let minute = 60_000;
    let mut last = None;
    let mut feed = |event: &Event| {
        let found = pipeline.feed(event).first().map(|e| *e.0.record::<PriceImpact>());
        last = found.or(last);
        found.is_some()
    };
    let mut bid = 10_000;
    assert!(!feed(&top(0, (bid, 1), (bid + 10, 1))));
    // The bid alone moves, so the mid moves by half as many cents.
    let moves = [2, -4, 3, 0, -2, 6];
    for (number, (x, moved)) in (1..).zip([100_i64, -150, 120, 20, -90, 260].into_iter().zip(moves)) {
        let side = if x > 0 { Side::Buy } else { Side::Sell };
        assert!(feed(&trade(number * minute, side, x.unsigned_abs())), "the minute before has ended");
        assert!(!feed(&trade(number * minute + 1, Side::None, 7)), "nobody's trade");
        let broken = trade(number * minute + 2, Side::Buy, 1_000);
        assert!(!feed(&broken) && !feed(&breaks(number * minute + 3, &broken)), "as if it had not been");
        bid += moved;
        assert!(!feed(&top(number * minute + 4, (bid, 1), (10_010, 1))));
    }
    assert!(feed(&trade(7 * minute, Side::Buy, 1)));
    let found = last.unwrap();
    assert_eq!((found.intervals, found.signed_qty, found.interval_s, found.window), (6, 260, 60, 30));
    assert!(near(found.slope, 1.200_775_656e-4, 1e-13), "{found:?}");
    assert!(near(found.intercept, -1.036_694_5e-3, 1e-10) && near(found.r2, 0.993_958, 1e-6), "{found:?}");
}

/// A step of a walk: a pause, then a touch or a trade.
#[derive(Clone, Copy, Debug)]
struct Walked {
    pause: u64,
    bid: (i64, u64),
    ask: (i64, u64),
    traded: Option<(bool, u64)>,
}

/// Walks over a few prices, so that sides are empty, locked and crossed again and again.
fn walks() -> impl Strategy<Value = Vec<Walked>> {
    let side = || (9_998..10_003_i64, 0..5_u64);
    let traded = prop::option::weighted(0.4, (any::<bool>(), 1..9_u64));
    let pause = prop_oneof![20 => 0..700_u64, 1 => 3_000..9_000_u64, 1 => Just(DAY)];
    let step = (pause, side(), side(), traded).prop_map(|(pause, bid, ask, traded)| Walked { pause, bid, ask, traded });
    prop::collection::vec(step, 1..250)
}

/// A side as the formula has it: an empty one infinitely bad.
fn quoted((px, qty): (i64, u64), worst: f64) -> (f64, i64) {
    if qty == 0 { (worst, 0) } else { (px as f64, qty as i64) }
}

/// The formula as it is written.
fn change(before: &Walked, now: &Walked) -> i64 {
    let [(pb0, qb0), (pb, qb)] = [before, now].map(|w| quoted(w.bid, f64::NEG_INFINITY));
    let [(pa0, qa0), (pa, qa)] = [before, now].map(|w| quoted(w.ask, f64::INFINITY));
    let when = |holds: bool, qty: i64| if holds { qty } else { 0 };
    when(pb >= pb0, qb) - when(pb <= pb0, qb0) - when(pa <= pa0, qa) + when(pa >= pa0, qa0)
}

/// Twice the mid in cents.
fn twice_mid(walked: &Walked) -> Option<i64> {
    (walked.bid.1 > 0 && walked.ask.1 > 0).then(|| walked.bid.0 + walked.ask.0)
}

/// Slope, intercept and share by the textbook, about the means; prices in cents.
fn line(points: &[(f64, f64)]) -> Option<(f64, f64, Option<f64>)> {
    let of = points.len() as f64;
    let (x, y) = (points.iter().map(|p| p.0).sum::<f64>() / of, points.iter().map(|p| p.1).sum::<f64>() / of);
    let sum = |each: fn((f64, f64)) -> f64| points.iter().map(|p| each((p.0 - x, p.1 - y))).sum::<f64>();
    let (xx, xy, yy) = (sum(|(x, _)| x * x), sum(|(x, y)| x * y), sum(|(_, y)| y * y));
    (points.len() >= 3 && xx > 1e-6).then(|| (xy / xx, y - xy / xx * x, (yy > 1e-6).then(|| xy * xy / xx / yy)))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    #[test]
    fn flow_is_the_formula_summed_up(walk in walks(), window in 1..4_u64) {
        let mut pipeline = pipeline::<Ofi>("ofi", &[("window", &window.to_string())]);
        let (mut millis, mut seen): (u64, Vec<(u64, i64)>) = (0, Vec::new());
        let mut before: Option<Walked> = None;
        for now in walk {
            let last_day = (START * 1_000 + millis) / DAY;
            millis += now.pause;
            let found = pipeline.feed(&top(millis, now.bid, now.ask));
            let is_first = before.is_none() || (START * 1_000 + millis) / DAY != last_day;
            prop_assert_eq!(found.is_empty(), is_first);
            if is_first {
                seen.clear();
            } else {
                seen.push((millis, change(&before.unwrap(), &now)));
                let found = found[0].0.record::<OrderFlowImbalance>();
                let piece = |millis: u64| at(millis).0 / (window * Ns::SECOND / 60);
                let recent = seen.iter().filter(|(then, _)| piece(*then) + 60 > piece(millis)).map(|(_, e)| e).sum::<i64>();
                let session = seen.iter().map(|(_, e)| e).sum::<i64>();
                prop_assert_eq!((found.change, found.session, found.recent), (seen.last().unwrap().1, session, recent));
            }
            before = Some(now);
        }
    }

    #[test]
    fn impact_is_the_line_through_the_last_intervals(walk in walks(), seconds in 1..3_u64, intervals in 3..8_usize) {
        let set = [("seconds", seconds.to_string()), ("window", intervals.to_string())];
        let set = [(set[0].0, set[0].1.as_str()), (set[1].0, set[1].1.as_str())];
        let mut pipeline = pipeline::<KyleLambda>("price-impact", &set);
        let mut millis = 0;
        // Number of the interval, its signed volume and twice the mid where it ended; the last one still runs.
        let mut kept: Vec<(u64, i64, Option<i64>)> = Vec::new();
        let (mut stood, mut day) = (None, 0);
        for now in walk {
            millis += now.pause;
            let (number, today) = ((START * 1_000 + millis) / (seconds * 1_000), (START * 1_000 + millis) / DAY);
            if std::mem::replace(&mut day, today) != today {
                kept = vec![(number, 0, None)];
            }
            let has_ended = number - kept.last().unwrap().0;
            if has_ended > 0 {
                kept.last_mut().unwrap().2 = stood;
                let last = kept.last().unwrap().0;
                kept.extend((last + 1..=number).skip((has_ended as usize).saturating_sub(20)).map(|n| (n, 0, stood)));
            }
            let event = match now.traded {
                Some((bought, qty)) => {
                    kept.last_mut().unwrap().1 += if bought { qty as i64 } else { -(qty as i64) };
                    trade(millis, if bought { Side::Buy } else { Side::Sell }, qty)
                }
                None => {
                    stood = twice_mid(&now);
                    top(millis, now.bid, now.ask)
                }
            };
            let found = pipeline.feed(&event);
            prop_assert_eq!(found.is_empty(), has_ended == 0);
            let Some(found) = found.first().map(|found| found.0.record::<PriceImpact>()) else { continue };
            let ended = &kept[..kept.len() - 1];
            let moves = ended.windows(2).map(|two| Some((two[1].1 as f64, (two[1].2? - two[0].2?) as f64)));
            let mut moves: Vec<Option<(f64, f64)>> = moves.collect();
            moves.reverse();
            moves.truncate(intervals);
            let points: Vec<(f64, f64)> = moves.into_iter().flatten().collect();
            prop_assert_eq!(usize::from(found.intervals), points.len());
            prop_assert_eq!(found.signed_qty, ended.last().unwrap().1);
            match line(&points) {
                None => prop_assert_eq!((found.slope, found.intercept, found.r2), (Real::NONE, Real::NONE, Real::NONE)),
                Some((slope, intercept, share)) => {
                    // Twice a cent is two hundred to the unit.
                    prop_assert!(near(found.slope, slope / 200.0, 1e-11) && near(found.intercept, intercept / 200.0, 1e-11));
                    prop_assert!(share.map_or(found.r2 == Real::NONE, |share| near(found.r2, share, 1e-9)));
                }
            }
        }
    }
}
