//! Volume-weighted average prices: the worked numbers, anchors, broken trades and bars.

use crate::measures_indicators::{STOCK, bar, near};
use crate::measures_state::{alone, cents, minute};
use flow::records::{BarFlow, BrokenTrade, Trade, Vwap, VwapBands};
use flow::{Event, Flags, Ns, Px, Qty, Real, VolumeFrom, VwapAnchor};
use stages::measures::vwap::Vwap as VwapMeasure;
use stages::measures::{Host, One};

type Stages = crate::harness::Pipeline<Host<One<VwapMeasure>>>;

/// A trade in the minute of a session's day, at a price in cents.
pub(crate) fn trade((day, number): (u32, u32), px: i64, qty: u64) -> Event {
    let ts = Ns(u64::from(minute(day, 0)) * Ns::SECOND + u64::from(number) * 60 * Ns::SECOND);
    Event::new(ts, STOCK, Flags::NONE, &Trade { px: cents(px), qty: Qty(qty), ..Trade::default() })
}

/// The input that breaks it, in another minute.
pub(crate) fn breaks(at: (u32, u32), broken: &Event) -> Event {
    let Trade { px, qty, .. } = *broken.record();
    let record = BrokenTrade { px, qty, trade_ts: broken.ts, ..BrokenTrade::default() };
    Event { flags: broken.flags, ..Event::new(trade(at, 0, 0).ts, STOCK, Flags::NONE, &record) }
}

fn feed(pipeline: &mut Stages, event: &Event) -> Option<Vwap> {
    pipeline.feed(event).first().map(|emitted| *emitted.0.record())
}

fn average(pipeline: &mut Stages, event: &Event) -> Option<(i64, u64, u32)> {
    feed(pipeline, event).map(|v| (v.vwap.0, v.volume.0, v.trades))
}

#[test]
fn the_worked_averages_of_trades() {
    let mut pipeline: Stages = alone("vwap", &[]);
    let second = trade((0, 1), 1_010, 300);
    assert_eq!(average(&mut pipeline, &trade((0, 0), 1_000, 100)), Some((10_000_000_000, 100, 1)));
    assert_eq!(average(&mut pipeline, &second), Some((10_075_000_000, 400, 2)));
    let third = feed(&mut pipeline, &trade((0, 2), 1_002, 50)).unwrap();
    let expected = Vwap {
        vwap: Px(10_068_888_889),
        px: cents(1_002),
        volume: Qty(450),
        since_s: minute(0, 0),
        trades: 3,
        volume_from: VolumeFrom::Trades.code(),
        anchor: VwapAnchor::Hours.code(),
        ..Vwap::default()
    };
    assert_eq!(third, expected);
    assert_eq!(average(&mut pipeline, &breaks((0, 3), &second)), Some((10_006_666_667, 150, 2)));
    assert_eq!(average(&mut pipeline, &breaks((0, 3), &trade((0, 0), 1_000, 100))), Some((10_020_000_000, 50, 1)));
    let empty = feed(&mut pipeline, &breaks((0, 4), &trade((0, 2), 1_002, 50))).unwrap();
    assert_eq!((empty.vwap, empty.trades), (Px::NONE, 0), "all are broken");
    assert_eq!(average(&mut pipeline, &trade((0, 9), 1_100, 7)), Some((11_000_000_000, 7, 1)));
}

#[test]
fn what_counts_depends_on_the_anchor() {
    // Before the open, in the hours of two days, and after the close of the first.
    let before = Event { ts: Ns(u64::from(minute(0, 0) - 60) * Ns::SECOND), ..trade((0, 0), 900, 10) };
    let trades = [before, trade((0, 0), 1_000, 10), trade((0, 395), 1_200, 10), trade((1, 5), 2_000, 10)];
    let counts = |set: &[(&str, &str)]| {
        let mut pipeline: Stages = alone("vwap", set);
        trades.map(|trade| feed(&mut pipeline, &trade).map(|v| v.trades))
    };
    assert_eq!(counts(&[]), [None, Some(1), None, Some(1)]);
    assert_eq!(counts(&[("anchor", "session")]), [Some(1), Some(2), Some(3), Some(1)]);
    assert_eq!(counts(&[("anchor", "once")]), [Some(1), Some(2), Some(3), Some(4)]);
    let since = minute(0, 1).to_string();
    assert_eq!(counts(&[("anchor", "once"), ("since_s", since.as_str())]), [None, None, Some(1), Some(2)]);
}

#[test]
fn a_broken_trade_of_another_session_or_outside_changes_nothing() {
    let first = trade((0, 0), 1_000, 10);
    let after = trade((0, 395), 1_200, 10);
    let mut hours: Stages = alone("vwap", &[]);
    feed(&mut hours, &first);
    assert_eq!(feed(&mut hours, &breaks((0, 396), &after)), None, "outside");
    feed(&mut hours, &trade((1, 0), 1_100, 10));
    assert_eq!(feed(&mut hours, &breaks((1, 1), &first)), None, "of the day before");
    let mut once: Stages = alone("vwap", &[("anchor", "once")]);
    assert_eq!(feed(&mut once, &breaks((0, 1), &first)), None, "before any");
    feed(&mut once, &trade((0, 1), 1_100, 10));
    assert_eq!(feed(&mut once, &breaks((0, 2), &first)), None, "before the first that counted");
    let volume_alone = Event { flags: Flags::VOLUME_ONLY, ..trade((0, 3), 5_000, 1_000) };
    assert_eq!(feed(&mut once, &volume_alone), None);
    assert_eq!(feed(&mut once, &Event { instrument: 0, ..first }), None);
}

#[test]
fn a_bar_counts_at_its_typical_price() {
    let mut pipeline: Stages = alone("vwap", &[("volume_from", "bars-typical")]);
    let mut after = |start_s, prices, volume| {
        let first = bar(start_s, prices);
        assert_eq!(feed(&mut pipeline, &first), None, "its volumes come next");
        let flow = BarFlow { volume, interval_s: 60, ..BarFlow::UNKNOWN };
        feed(&mut pipeline, &Event::new(first.ts, STOCK, Flags::LAST_OF_GROUP, &flow))
    };
    assert_eq!(after(minute(0, 0) - 60, [900, 900, 900], Qty(5)), None, "before the open");
    let first = after(minute(0, 0), [1_020, 990, 1_005], Qty(100)).unwrap();
    assert_eq!((first.vwap, first.px, first.since_s), (cents(1_005), cents(1_005), minute(0, 0)));
    assert_eq!(after(minute(0, 1), [1_000, 1_000, 1_000], Qty::NONE), None, "nobody knows how much");
    // Thirds are not rounded before they are added up.
    let second = after(minute(0, 2), [1_001, 1_000, 1_000], Qty(200)).unwrap();
    assert_eq!((second.vwap, second.trades), (Px(10_018_888_889), 2));
    assert_eq!(second.volume_from, VolumeFrom::BarsTypical.code());
}

#[test]
fn sums_that_no_integer_holds_are_absent_until_the_next_anchor() {
    let mut pipeline: Stages = alone("vwap", &[]);
    feed(&mut pipeline, &trade((0, 0), 1_000, u64::MAX - 1));
    let lost = feed(&mut pipeline, &trade((0, 1), 1_000, 10)).unwrap();
    assert_eq!((lost.vwap, lost.trades), (Px::NONE, 2));
    assert_eq!(average(&mut pipeline, &trade((1, 0), 1_000, 10)), Some((10_000_000_000, 10, 1)));
}

fn bands(pipeline: &mut Stages, event: &Event) -> VwapBands {
    let emitted = pipeline.feed(event);
    assert_eq!(emitted.len(), 2);
    *emitted[1].0.record()
}

#[test]
fn the_worked_bands_of_trades() {
    let mut pipeline: Stages = alone("vwap", &[]);
    let first = bands(&mut pipeline, &trade((0, 0), 1_000, 100));
    assert_eq!([first.deviation, first.upper, first.lower].map(Real::known), [Some(0.0), Some(10.0), Some(10.0)]);
    bands(&mut pipeline, &trade((0, 1), 1_010, 300));
    let last = trade((0, 2), 1_002, 50);
    let all = bands(&mut pipeline, &last);
    near(all.deviation, 0.044333194096);
    near(all.upper, 10.157555277192);
    near(all.lower, 9.980222500808);
    // 100 at 10.00 and 300 at 10.10 are 0.075 and 0.025 away from 10.075.
    let without = bands(&mut pipeline, &breaks((0, 3), &last));
    near(without.deviation, (0.25 * 0.075 * 0.075 + 0.75 * 0.025 * 0.025_f64).sqrt());
    near(bands(&mut pipeline, &breaks((0, 3), &trade((0, 0), 1_000, 100))).lower, 10.10);
    let none = bands(&mut pipeline, &breaks((0, 3), &trade((0, 1), 1_010, 300)));
    assert_eq!([none.deviation, none.upper, none.lower], [Real::NONE; 3]);
}

#[test]
fn bands_of_bars_are_of_typical_prices() {
    let mut pipeline: Stages = alone("vwap", &[("volume_from", "bars-typical"), ("times", "1")]);
    let mut after = |at, prices| {
        let first = bar(minute(0, at), prices);
        assert!(pipeline.feed(&first).is_empty());
        let flow = BarFlow { volume: Qty(100), interval_s: 60, ..BarFlow::UNKNOWN };
        bands(&mut pipeline, &Event::new(first.ts, STOCK, Flags::LAST_OF_GROUP, &flow))
    };
    after(0, [1_000, 1_000, 1_000]);
    let two = after(1, [1_030, 1_000, 1_000]);
    near(two.deviation, 0.05);
    near(two.upper, 10.10);
    near(two.lower, 10.0);
}

#[test]
fn a_week_begins_on_monday_and_goes_on_over_its_sessions() {
    let mut week: Stages = alone("vwap", &[("anchor", "week")]);
    let monday = trade((0, 0), 1_000, 10);
    let before = Event { ts: Ns(u64::from(minute(0, 0) - 60) * Ns::SECOND), ..trade((0, 0), 900, 10) };
    let counts = |week: &mut Stages, event: &Event| feed(week, event).map(|v| (v.trades, v.since_s));
    let first = minute(0, 0) - 60;
    assert_eq!(counts(&mut week, &before), Some((1, first)), "all of a date counts");
    assert_eq!(counts(&mut week, &monday), Some((2, first)));
    assert_eq!(counts(&mut week, &trade((1, 0), 1_100, 10)), Some((3, first)));
    let friday = feed(&mut week, &trade((4, 395), 1_200, 10)).unwrap();
    assert_eq!((friday.vwap, friday.trades, friday.since_s), (cents(1_050), 4, first));
    assert_eq!(friday.anchor, VwapAnchor::Week.code());
    assert_eq!(
        feed(&mut week, &breaks((4, 396), &monday)).map(|v| v.vwap),
        Some(Px(10_666_666_667)),
        "of the same week"
    );
    assert_eq!(counts(&mut week, &trade((7, 0), 2_000, 10)), Some((1, minute(7, 0))), "the Monday after");
    assert_eq!(feed(&mut week, &breaks((7, 1), &trade((4, 395), 1_200, 10))), None, "of the week before");
}
