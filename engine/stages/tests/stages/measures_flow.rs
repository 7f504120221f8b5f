//! Order flow of bars: the worked numbers, the edges of a session, and a reference that keeps every bar.

use crate::harness::{self, INSTRUMENTS, Pipeline};
use crate::measures_trades::opening;
use flow::records::{Bar, BarFlow, BrokenTrade, Flow, FlowVolume, Session, Trade};
use flow::{Calendar, Event, Flags, FlowDirection, Kind, Ns, Px, Qty, Real, Seen, SessionPhase, Side, Stage};
use proptest::prelude::*;
use stages::Space;
use stages::bars::BarStage;
use stages::measures::flow_of_bars::FlowOfBars;
use stages::measures::{Host, One};

const SPACE: Space = Space { instruments: INSTRUMENTS, fills: 64, positions: 64 };
/// 2026-01-12 00:00 in New York, a Monday.
pub(crate) const MIDNIGHT: u32 = 1_768_194_000;
pub(crate) const DAY: u32 = 86_400;
/// Half past nine, in seconds of the day.
pub(crate) const OPEN: u32 = 34_200;
/// Four in the afternoon.
pub(crate) const CLOSE: u32 = 57_600;

type Measured = (Flow, FlowVolume);

fn pipeline(set: &[(&str, &str)]) -> Pipeline<Host<One<FlowOfBars>>> {
    let mut pipeline = Pipeline::new(Host::alone(&harness::params("flow", set), SPACE).unwrap());
    opening().0.iter().for_each(|event| assert!(pipeline.feed(event).is_empty()));
    pipeline
}

/// A trade date of New York: the days since Monday and when its hours end, in seconds of the day; 0 = it has none.
pub(crate) fn session(day: u32, close: u32) -> Event {
    let start_s = MIDNIGHT + day * DAY;
    let at = |second: u32| if close == 0 { Ns::NONE } else { Ns(u64::from(start_s + second) * Ns::SECOND) };
    let phase = (if close == 0 { SessionPhase::Closed } else { SessionPhase::Pre }).code();
    let (open_ts, close_ts, calendar) = (at(OPEN), at(close), Calendar::UsEquities.code());
    let (end_s, date) = (start_s + DAY, 20_260_112 + day);
    let said = Session { open_ts, close_ts, start_s, end_s, date, calendar, phase, ..Session::default() };
    Event::new(Ns(u64::from(start_s) * Ns::SECOND), 0, Flags::LAST_OF_GROUP, &said)
}

/// A bar of a minute.
#[derive(Clone, Copy, Debug)]
struct Fed {
    start_s: u32,
    volume: u64,
    bought: u64,
    sold: u64,
}

impl Fed {
    fn delta(&self) -> i64 {
        self.bought as i64 - self.sold as i64
    }

    fn events(&self, instrument: u32, interval_s: u32) -> [Event; 2] {
        let (volume, buy_volume, sell_volume) = (Qty(self.volume), Qty(self.bought), Qty(self.sold));
        let bar = Bar { start_s: self.start_s, interval_s, ..Bar::default() };
        let flow = BarFlow { volume, buy_volume, sell_volume, interval_s, ..BarFlow::default() };
        let ts = Ns(u64::from(self.start_s + interval_s) * Ns::SECOND);
        [Event::new(ts, instrument, Flags::NONE, &bar), Event::new(ts, instrument, Flags::LAST_OF_GROUP, &flow)]
    }
}

fn feed(pipeline: &mut Pipeline<Host<One<FlowOfBars>>>, instrument: u32, bar: &Fed) -> Option<Measured> {
    let [first, second] = bar.events(instrument, 60);
    assert!(pipeline.feed(&first).is_empty());
    let emitted = pipeline.feed(&second);
    assert!(emitted.is_empty() || emitted.len() == 2, "{emitted:?}");
    emitted.first().map(|first| (*first.0.record(), *emitted[1].0.record()))
}

/// Sixteen bars of 10,000 without a side that outweighs, four with these deltas, and the last one.
fn worked(deltas: [i64; 4], bought: u64) -> Measured {
    let mut pipeline = pipeline(&[]);
    pipeline.feed(&session(0, CLOSE));
    let of = |delta: i64| ((10_000 + delta) / 2).unsigned_abs();
    let before = std::iter::repeat_n(0, 16).chain(deltas).map(|delta| (10_000, of(delta), of(-delta)));
    let bars = before.chain([(23_000, bought, 23_000 - bought)]);
    let all = (0..).zip(bars).map(|(minute, (volume, bought, sold))| {
        let bar = Fed { start_s: MIDNIGHT + OPEN + 60 * minute, volume, bought, sold };
        feed(&mut pipeline, 2, &bar).unwrap()
    });
    all.last().unwrap()
}

#[test]
fn the_worked_scores() {
    let (flow, volumes) = worked([-1_250, -1_250, -1_250, -1_500], 17_250);
    assert_eq!((flow.delta, flow.change, flow.start_s), (11_500, Real::of(6_250.0), MIDNIGHT + OPEN + 1_200));
    assert_eq!(
        (volumes.volume_ratio, volumes.buy_pressure, volumes.sell_pressure),
        (2.3.into(), 75.0.into(), 25.0.into())
    );
    assert_eq!((flow.published_score, flow.published_direction), (100, FlowDirection::Buy.code()));
    assert_eq!((flow.score, flow.direction), (70, FlowDirection::Buy.code()), "the side had 55 % of five minutes");
    assert_eq!(
        (flow.unusual_volume, flow.accelerating),
        (Seen::Yes.code(), Seen::No.code()),
        "nothing had a side before"
    );
    assert_eq!(
        (volumes.side_pressure, flow.momentum),
        ((3_462_500.0 / 63_000.0).into(), (100_000.0 / 12_750.0).into())
    );

    let (flow, volumes) = worked([1_850, 1_850, 1_850, 2_000], 4_600);
    assert_eq!((flow.change, volumes.buy_pressure), (Real::of(-6_250.0), Real::of(20.0)));
    assert_eq!((flow.published_score, flow.published_direction), (70, FlowDirection::Sell.code()));
    assert_eq!((flow.score, flow.direction), (70, FlowDirection::Sell.code()));
}

/// The bars of an instrument, and what is known of the last.
#[derive(Default)]
struct Reference(Vec<Fed>);

impl Reference {
    fn change(&self, end: usize) -> Option<i64> {
        (end >= 3).then(|| self.0[end - 3..end].iter().map(Fed::delta).sum())
    }

    /// Of the numbers of the seven bars before the last those that are known, if there are four.
    fn mean(&self, of: impl Fn(usize) -> Option<f64>) -> Option<f64> {
        let last = self.0.len() - 1;
        let known: Vec<f64> = (last.saturating_sub(7)..last).filter_map(of).collect();
        (known.len() >= 4).then(|| known.iter().sum::<f64>() / known.len() as f64)
    }

    fn compare(&self, (flow, volumes): &Measured) {
        let (all, last) = (self.0.len(), self.0[self.0.len() - 1]);
        let near = |found: Real, expected: Option<f64>, what: &str| {
            let expected = expected.filter(|number| number.is_finite());
            let is_near = match (found.known(), expected) {
                (Some(found), Some(expected)) => (found - expected).abs() <= 1e-9 * expected.abs().max(1.0),
                (found, expected) => found.is_none() && expected.is_none(),
            };
            assert!(is_near, "{what}: {found:?} for {expected:?} of {:?}", self.0);
        };
        let (change, earlier) = (self.change(all), all.checked_sub(3).and_then(|end| self.change(end)));
        let changes = self.mean(|at| self.change(at + 1).map(|change| change.abs() as f64));
        let ratio = self.mean(|at| Some(self.0[at].volume as f64)).map(|mean| last.volume as f64 / mean);
        let per_cent = |part: u64, whole: u64| Some(100.0 * part as f64 / whole as f64);
        let three = &self.0[all.saturating_sub(3)..];
        let whole = three.iter().map(|bar| bar.volume).sum();
        let pressure = change.filter(|change| *change != 0).and_then(|change| {
            per_cent(three.iter().map(|bar| if change > 0 { bar.bought } else { bar.sold }).sum(), whole)
        });
        assert_eq!((flow.delta, volumes.volume), (last.delta(), Qty(last.volume)));
        near(flow.change, change.map(|change| change as f64), "change");
        near(volumes.volume_ratio, ratio, "ratio");
        near(volumes.buy_pressure, per_cent(last.bought, last.volume), "bought");
        near(volumes.sell_pressure, per_cent(last.sold, last.volume), "sold");
        near(volumes.side_pressure, pressure, "pressure");
        let moved = change.zip(earlier).map(|(change, earlier)| (change - earlier) as f64);
        near(flow.momentum, moved.zip(changes).map(|(moved, mean)| moved / mean), "momentum");
        let speeds = change.zip(earlier).is_some_and(|(now, then)| now * then > 0 && now.abs() > then.abs());
        assert_eq!(flow.accelerating, u8::from(speeds));
        let large = change.zip(changes).is_some_and(|(change, mean)| mean > 0.0 && change.abs() as f64 > 2.0 * mean);
        let unusual = ratio.is_some_and(|ratio| ratio > 2.0);
        let score =
            |is: [bool; 3]| is.iter().zip([30, 40, 30]).filter(|(is, _)| **is).map(|(_, points)| points).sum::<u8>();
        let is_above = |pressure: Option<f64>| pressure.is_some_and(|pressure| pressure > 70.0);
        assert_eq!(flow.score, score([unusual, large, is_above(pressure)]), "{:?}", self.0);
        let large = change.is_some_and(|change| change.abs() > 3 * 4);
        assert_eq!(flow.published_score, score([unusual, large, is_above(per_cent(last.bought, last.volume))]));
        let direction =
            |at_zero| change.map_or(0, |change| if change == 0 { at_zero } else { 1 + u8::from(change < 0) });
        assert_eq!((flow.direction, flow.published_direction), (direction(0), direction(2)));
    }
}

/// Minutes since the last bar, instrument, unsigned, bought, sold.
type Step = (u32, u32, u64, u64, u64);

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let minutes = prop_oneof![20 => 1..3_u32, 1 => 0..700_u32];
    prop::collection::vec((minutes, 1..4_u32, 0..3_u64, 0..20_u64, 0..20_u64), 1..200)
}

/// Where a bar of an instrument belongs: its date; `None` out of hours. The even one is New York's, the odd ones never close.
fn place(instrument: u32, start_s: u32) -> Option<u32> {
    if !instrument.is_multiple_of(2) {
        return Some(start_s / DAY);
    }
    let (date, second) = ((start_s - MIDNIGHT) / DAY, (start_s - MIDNIGHT) % DAY);
    // Tuesday ends at one, Wednesday is none.
    let close = match date {
        1 => 46_800,
        2 => 0,
        _ => CLOSE,
    };
    (second >= OPEN && second < close).then_some(date)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]
    #[test]
    fn flow_is_the_twins(steps in steps(), save_at in 0..200_usize) {
        let set = [("look_back", "3"), ("mean_bars", "7"), ("least_bars", "4"), ("published_change", "4")];
        let mut pipeline = pipeline(&set);
        let (mut start_s, mut told) = (MIDNIGHT + 33_000, None);
        let mut references: [(Option<u32>, Reference); 4] = Default::default();
        for (at, (minutes, instrument, unsigned, bought, sold)) in steps.into_iter().enumerate() {
            start_s += 60 * minutes;
            let today = (start_s - MIDNIGHT) / DAY;
            if told != Some(today) {
                told = Some(today);
                let close = match today { 1 => 46_800, 2 => 0, _ => CLOSE };
                prop_assert!(pipeline.feed(&session(today, close)).is_empty());
            }
            if at == save_at {
                let (listings, saved) = (opening().1, harness::saved(&pipeline.stage, &opening().1));
                let mut loaded = self::pipeline(&set);
                harness::load(&mut loaded.stage, &listings, &saved).unwrap();
                prop_assert!(harness::saved(&loaded.stage, &listings) == saved);
                pipeline = loaded;
            }
            let bar = Fed { start_s, volume: unsigned + bought + sold, bought, sold };
            let measured = feed(&mut pipeline, instrument, &bar);
            let place = place(instrument, start_s);
            prop_assert_eq!(measured.is_some(), place.is_some());
            let Some(measured) = measured else { continue };
            let (date, reference) = &mut references[instrument as usize];
            if *date != place {
                (*date, reference.0) = (place, Vec::new());
            }
            reference.0.push(bar);
            reference.compare(&measured);
        }
    }
}

fn trade(second: u32, flags: Flags, qty: u64) -> Event {
    let ts = Ns(u64::from(MIDNIGHT + OPEN + second) * Ns::SECOND);
    Event::new(ts, 2, flags, &Trade { px: Px(Px::ONE), qty: Qty(qty), ..Trade::default() })
}

#[test]
fn volume_alone_is_left_out_also_of_the_bar_that_the_trade_behind_it_ends() {
    let mut bars = Pipeline::new(BarStage::new(&harness::params("bars", &[]), SPACE).unwrap());
    opening().0.iter().for_each(|event| drop(bars.feed(event)));
    let mut pipeline = pipeline(&[]);
    pipeline.feed(&session(0, CLOSE));
    let bought = Flags::side_only(Side::Buy);
    let alone = Flags::VOLUME_ONLY;
    let breaks = |second: u32, qty: u64| {
        let trade = trade(second, alone, qty);
        let broken = BrokenTrade { px: Px(Px::ONE), qty: Qty(qty), trade_ts: trade.ts, ..BrokenTrade::default() };
        Event::new(trade.ts, 2, alone, &broken)
    };
    let inputs = [
        trade(1, bought, 10),
        trade(2, alone, 700),
        trade(3, alone, 50),
        breaks(3, 50),
        trade(4, Flags::NONE, 5),
        trade(61, alone, 900),
        trade(62, bought, 7),
        trade(121, bought, 1),
        trade(185, alone.with(Flags::SNAPSHOT), 4),
        trade(186, bought, 2),
    ];
    let mut measured = Vec::new();
    for input in &inputs {
        let mut emitted = pipeline.feed(input);
        for bar in bars.feed(input).iter().filter(|e| e.0.kind != Kind::Anomaly) {
            emitted.extend(pipeline.feed(&Event { ts: input.ts, ..bar.0 }));
        }
        measured.extend(emitted.iter().filter_map(|e| e.0.get::<FlowVolume>()).map(|v| (v.volume.0, v.buy_pressure)));
    }
    let hundred = Real::of(100.0);
    assert_eq!(measured, [(15, Real::of(1_000.0 / 15.0)), (7, hundred), (1, hundred)]);
}

#[test]
fn bars_of_another_length_without_sides_or_of_a_snapshot_make_no_flow() {
    let mut pipeline = pipeline(&[]);
    let bar = Fed { start_s: MIDNIGHT + OPEN, volume: 5, bought: 2, sold: 1 };
    for event in bar.events(1, 300) {
        assert!(pipeline.feed(&event).is_empty());
    }
    for event in bar.events(1, 60) {
        assert!(pipeline.feed(&Event { flags: event.flags.with(Flags::SNAPSHOT), ..event }).is_empty());
    }
    let [first, second] = bar.events(1, 60);
    assert!(pipeline.feed(&second).is_empty(), "its prices did not come");
    let unknown = BarFlow { volume: Qty(5), interval_s: 60, ..BarFlow::UNKNOWN };
    pipeline.feed(&first);
    assert!(pipeline.feed(&Event::new(second.ts, 1, second.flags, &unknown)).is_empty());
    pipeline.feed(&first);
    assert_eq!(pipeline.feed(&second).len(), 2);
    assert!(!pipeline.stage.reads().has(Kind::Tick));
}

#[test]
fn a_length_that_is_none_or_a_day_is_refused() {
    for length in ["7s", "1d"] {
        let params = harness::params("flow", &[("interval", length)]);
        assert_eq!(Host::<One<FlowOfBars>>::alone(&params, SPACE).err().unwrap().key, "flow.interval");
    }
}
