//! Indicators of bars: the worked numbers, when they become known, and which bars count.

use crate::harness::{self, INSTRUMENTS, Pipeline};
use crate::measures_state::{cents, minute};
use crate::measures_trades::opening;
use flow::records::{self, Bar, DonchianNow, EventBar};
use flow::{AverageMethod, ChannelBreak, Event, Flags, Kind, Ns, Px, Real, Record};
use stages::Space;
use stages::measures::atr::Atr;
use stages::measures::average::Average;
use stages::measures::bollinger::Bollinger;
use stages::measures::donchian::Donchian;
use stages::measures::macd::Macd;
use stages::measures::rsi::Rsi;
use stages::measures::swings::Swings;
use stages::measures::{Host, Measure, One};

/// A stock of New York, by its number in the opening.
pub(crate) const STOCK: u32 = 2;

/// The closes of the worked series, in cents.
const CLOSES: [i64; 20] = [
    4434, 4409, 4415, 4361, 4433, 4483, 4510, 4542, 4584, 4608, 4589, 4603, 4561, 4628, 4628, 4600, 4603, 4641, 4622,
    4564,
];

/// An indicator alone.
pub(crate) fn alone<M: Measure>(name: &str, set: &[(&str, &str)]) -> Pipeline<Host<One<M>>> {
    let space = Space { instruments: INSTRUMENTS, fills: 64, positions: 64 };
    let mut pipeline = Pipeline::new(Host::alone(&harness::params(name, set), space).unwrap());
    let listings = opening().0.into_iter().filter(|event| event.kind == Kind::Listing);
    listings.for_each(|event| assert!(pipeline.feed(&event).is_empty()));
    pipeline
}

/// A bar of a minute that begins there, with prices in cents.
pub(crate) fn bar(start_s: u32, [high, low, close]: [i64; 3]) -> Event {
    let [high, low, close] = [high, low, close].map(cents);
    let bar = Bar { open: close, high, low, close, start_s, interval_s: 60 };
    Event::new(Ns(u64::from(start_s + 60) * Ns::SECOND), STOCK, Flags::LAST_OF_GROUP, &bar)
}

/// The worked series: highs 0.30 above the closes and lows 0.25 below, but for two.
pub(crate) fn worked() -> impl Iterator<Item = Event> {
    (0..).zip(CLOSES).map(|(at, close)| {
        let (up, down) = (if at == 5 { 70 } else { 30 }, if at == 13 { 85 } else { 25 });
        bar(minute(0, at), [close + up, close - down, close])
    })
}

/// What a measure says of each bar of the worked series.
pub(crate) fn said<M: Measure, R: Record>(name: &str, set: &[(&str, &str)]) -> Vec<R> {
    let mut pipeline = alone::<M>(name, set);
    let of_bar = |event: Event| pipeline.feed(&event).iter().find_map(|emitted| emitted.0.get::<R>().copied());
    worked().filter_map(of_bar).collect()
}

/// Whether a number is the worked one, to a part in a thousand million.
#[track_caller]
pub(crate) fn near(found: Real, expected: f64) {
    let found = found.known().expect("a number");
    assert!((found - expected).abs() <= expected.abs() * 1e-9, "{found} for {expected}");
}

/// What is known, from the first on.
#[track_caller]
pub(crate) fn known_from(first: usize, numbers: impl Iterator<Item = Real>) -> Vec<f64> {
    let numbers: Vec<_> = numbers.map(Real::known).collect();
    assert!(
        numbers[..first].iter().all(Option::is_none) && numbers[first..].iter().all(Option::is_some),
        "{numbers:?}"
    );
    numbers.into_iter().flatten().collect()
}

#[test]
fn the_worked_averages() {
    let averages: Vec<records::Average> = said::<Average, _>("average", &[("bars", "5")]);
    let known = known_from(4, averages.iter().map(|a| a.average));
    assert_eq!(known.len(), 16);
    near(averages[4].average, 44.104);
    near(averages[19].average, 45.9960536194);
    let last = records::Average {
        average: averages[19].average,
        close: cents(4564),
        start_s: minute(0, 19),
        interval_s: 60,
        bars: 5,
        method: AverageMethod::Exponential.code(),
        ..Default::default()
    };
    assert_eq!(averages[19], last);

    let simple: Vec<records::Average> = said::<Average, _>("average", &[("bars", "5"), ("method", "sma")]);
    known_from(4, simple.iter().map(|a| a.average));
    near(simple[4].average, 44.104);
    near(simple[19].average, 46.06);
    assert_eq!(simple[19].method, AverageMethod::Simple.code());
    let of_one: Vec<records::Average> = said::<Average, _>("average", &[("bars", "1")]);
    assert_eq!(known_from(0, of_one.iter().map(|a| a.average)), CLOSES.map(|close| close as f64 / 100.0));
}

#[test]
fn a_bar_counts_if_it_is_whole_new_and_of_the_length() {
    let mut pipeline = alone::<Average>("average", &[("bars", "2")]);
    let mut average = |event: &Event| {
        let emitted = pipeline.feed(event);
        emitted.first().map(|e| e.0.record::<records::Average>().average.known())
    };
    assert_eq!(average(&bar(minute(0, 0), [100, 100, 100])), Some(None));
    let of_five = Bar { high: cents(9), low: cents(9), close: cents(9), interval_s: 300, ..Bar::default() };
    assert_eq!(average(&Event::new(Ns(1), STOCK, Flags::NONE, &of_five)), None, "another length");
    let partial = Bar { close: Px::NONE, interval_s: 60, ..of_five };
    assert_eq!(average(&Event::new(Ns(1), STOCK, Flags::NONE, &partial)), None, "no close");
    let known = bar(minute(0, 1), [900, 900, 900]);
    assert_eq!(average(&Event { flags: Flags::SNAPSHOT, ..known }), None, "of a snapshot");
    assert_eq!(average(&Event { instrument: 0, ..known }), None, "of no instrument");
    assert_eq!(average(&Event { instrument: 4, ..known }), Some(None), "another instrument");
    // The bar of the next day follows the last one of this.
    let inferred = Event { flags: Flags::INFERRED_AGGRESSOR, ..bar(minute(1, 0), [200, 200, 200]) };
    assert_eq!(average(&inferred), Some(Some(1.5)));
    let daily = Bar { interval_s: 86_400, close: cents(9), ..of_five };
    let mut days = alone::<Average>("average", &[("bars", "1"), ("interval", "1d")]);
    assert_eq!(days.feed(&Event::new(Ns(1), STOCK, Flags::NONE, &daily)).len(), 1, "a length may be a day");
    let emitted = days.feed(&Event::new(Ns(1), STOCK, Flags::INFERRED_AGGRESSOR, &daily));
    assert!(!emitted[0].0.flags.has(Flags::INFERRED_AGGRESSOR), "no side is in it");
}

#[test]
fn a_length_that_is_none_is_refused() {
    let space = Space { instruments: INSTRUMENTS, fills: 64, positions: 64 };
    let refused = Average::new(&harness::params("average", &[("interval", "7s")]), space);
    assert_eq!(refused.err().map(|e| e.key), Some("average.interval".to_owned()));
}

#[test]
fn the_worked_indices() {
    let indices: Vec<records::Rsi> = said::<Rsi, _>("rsi", &[]);
    known_from(14, indices.iter().map(|i| i.rsi));
    let worked = [70.4641350211, 66.2496185536, 66.4809418347, 69.3468531629, 66.2947126589, 57.9150206701];
    indices[14..].iter().zip(worked).for_each(|(index, expected)| near(index.rsi, expected));
    let last = records::Rsi {
        rsi: indices[19].rsi,
        close: cents(4564),
        start_s: minute(0, 19),
        interval_s: 60,
        bars: 14,
        ..Default::default()
    };
    assert_eq!(indices[19], last);
}

#[test]
fn an_index_without_change_is_in_the_middle() {
    let mut pipeline = alone::<Rsi>("rsi", &[("bars", "2")]);
    let mut index = |at, close| {
        let emitted = pipeline.feed(&bar(minute(0, at), [close, close, close]));
        emitted[0].0.record::<records::Rsi>().rsi.known()
    };
    assert_eq!([index(0, 100), index(1, 100), index(2, 100), index(3, 100)], [None, None, Some(50.0), Some(50.0)]);
    assert_eq!([index(4, 101), index(5, 100)], [Some(100.0), Some(100.0 / 3.0)]);
}

#[test]
fn the_worked_convergence() {
    let set = [("fast", "3"), ("slow", "6"), ("signal", "3")];
    let macds: Vec<records::Macd> = said::<Macd, _>("macd", &set);
    known_from(5, macds.iter().map(|m| m.macd));
    known_from(7, macds.iter().map(|m| m.signal));
    known_from(7, macds.iter().map(|m| m.histogram));
    let last = macds[19];
    near(last.macd, -0.06354852124);
    near(last.signal, 0.01960537665);
    near(last.histogram, -0.08315389789);
    assert_eq!((last.start_s, last.interval_s), (minute(0, 19), 60));
    assert_eq!((last.fast, last.slow, last.signal_bars), (3, 6, 3));
}

#[test]
fn a_fast_average_that_is_not_faster_is_refused() {
    let space = Space { instruments: INSTRUMENTS, fills: 64, positions: 64 };
    let refused = Macd::new(&harness::params("macd", &[("fast", "26")]), space).err().expect("as slow as the slow one");
    assert_eq!((refused.key.as_str(), refused.found.as_str()), ("macd.fast", "26"));
}

#[test]
fn the_worked_ranges() {
    let ranges: Vec<records::Atr> = said::<Atr, _>("atr", &[("bars", "5")]);
    known_from(4, ranges.iter().map(|r| r.atr));
    let worked = [0.692, 0.7936, 0.74888, 0.723104, 0.7224832, 0.68798656];
    ranges[4..].iter().zip(worked).for_each(|(range, expected)| near(range.atr, expected));
    // The first has no close before; that of the sixth is 45.53 less the close of 44.33.
    assert_eq!([ranges[0].true_range, ranges[5].true_range], [55, 120].map(cents));
    let last = records::Atr {
        atr: ranges[19].atr,
        true_range: cents(4622 - 4539),
        close: cents(4564),
        start_s: minute(0, 19),
        interval_s: 60,
        bars: 5,
        ..Default::default()
    };
    assert_eq!(ranges[19], last);
}

#[test]
fn the_first_range_of_a_day_holds_the_gap() {
    let mut pipeline = alone::<Atr>("atr", &[]);
    pipeline.feed(&bar(minute(0, 389), [1_010, 990, 1_000]));
    let emitted = pipeline.feed(&bar(minute(1, 0), [1_210, 1_190, 1_200]));
    assert_eq!(emitted[0].0.record::<records::Atr>().true_range, cents(210));
}

#[test]
fn the_worked_bands() {
    let bands: Vec<records::Bollinger> = said::<Bollinger, _>("bollinger", &[("bars", "5")]);
    for of in [|b: &records::Bollinger| b.middle, |b: &records::Bollinger| b.upper, |b: &records::Bollinger| b.lower] {
        known_from(4, bands.iter().map(of));
    }
    let last = bands[19];
    near(last.upper, 46.5730302135);
    near(last.middle, 46.06);
    near(last.lower, 45.5469697865);
    assert_eq!((last.start_s, last.interval_s, last.bars), (minute(0, 19), 60, 5));
    let wide: Vec<records::Bollinger> = said::<Bollinger, _>("bollinger", &[("bars", "5"), ("times", "4")]);
    near(wide[19].upper, 46.06 + 2.0 * 0.5130302135);
}

#[test]
fn bands_of_equal_closes_are_their_mean() {
    let mut pipeline = alone::<Bollinger>("bollinger", &[("bars", "3")]);
    let emitted: Vec<_> = (0..9).map(|at| pipeline.feed(&bar(minute(0, at), [7, 7, 7]))[0]).collect();
    let last: &records::Bollinger = emitted[8].0.record();
    assert_eq!([last.middle, last.upper, last.lower].map(Real::known), [Some(0.07); 3]);
    assert!(pipeline.feed(&Event { instrument: 0, ..bar(minute(0, 9), [7, 7, 7]) }).is_empty(), "of no instrument");
    assert!(pipeline.feed(&Event { instrument: INSTRUMENTS, ..bar(minute(0, 9), [7, 7, 7]) }).is_empty());
}

#[test]
fn the_worked_channels() {
    let set = [("bars", "5")];
    let (before, now) =
        (said::<Donchian, records::Donchian>("donchian", &set), said::<Donchian, DonchianNow>("donchian", &set));
    let is_known = |px: &Px| px.known().is_some();
    assert_eq!(before.iter().filter(|c| is_known(&c.upper) && is_known(&c.lower)).count(), 15);
    assert_eq!(now.iter().filter(|c| is_known(&c.upper_now) && is_known(&c.middle_now)).count(), 16);
    let last = records::Donchian {
        close: cents(4564),
        upper: cents(4671),
        lower: cents(4575),
        start_s: minute(0, 19),
        interval_s: 60,
        bars: 5,
        broke: ChannelBreak::Down.code(),
        ..Default::default()
    };
    assert_eq!(before[19], last);
    let [upper_now, lower_now, middle_now] = [4671, 4539, 4605].map(cents);
    assert_eq!(now[19], DonchianNow { upper_now, lower_now, middle_now, ..Default::default() });
}

#[test]
fn a_channel_is_broken_by_a_close_strictly_outside() {
    let mut pipeline = alone::<Donchian>("donchian", &[("bars", "2")]);
    let mut broke = |at, prices| {
        let emitted = pipeline.feed(&bar(minute(0, at), prices));
        ChannelBreak::from_code(emitted[0].0.record::<records::Donchian>().broke).unwrap()
    };
    assert_eq!([broke(0, [110, 90, 100]), broke(1, [300, 100, 200])], [ChannelBreak::None; 2], "not known");
    assert_eq!(broke(2, [310, 300, 300]), ChannelBreak::None, "at the highest");
    assert_eq!(broke(3, [320, 300, 311]), ChannelBreak::Up);
    assert_eq!(broke(4, [320, 50, 300]), ChannelBreak::None, "its low alone");
    assert_eq!(broke(5, [320, 10, 49]), ChannelBreak::Down);
}

/// What is said of each bar of the worked series, if trades and not the clock have ended them; `instance` made them.
fn said_of_events<M: Measure, R: Record>(name: &str, set: &[(&str, &str)], instance: u8) -> Vec<R> {
    let mut pipeline = alone::<M>(name, &[&[("of", "event-bars")], set].concat());
    let mut of_bar = |event: Event| {
        let Bar { open, high, low, close, start_s, .. } = *event.record();
        let bar = EventBar { open, high, low, close, start_s, instance, ..EventBar::default() };
        let event = Event::new(event.ts, event.instrument, event.flags, &bar);
        pipeline.feed(&event).iter().filter_map(|emitted| emitted.0.get::<R>().copied()).collect::<Vec<_>>()
    };
    worked().flat_map(&mut of_bar).collect()
}

/// An indicator counts bars, whatever has ended them: numbers are those of bars of a minute, and only the length is absent.
#[test]
fn indicators_of_event_bars_are_those_of_the_same_bars_of_time() {
    fn same<M: Measure, R: Record + PartialEq + std::fmt::Debug>(
        name: &str,
        set: &[(&str, &str)],
        without: fn(R) -> R,
    ) {
        let mut pipeline = alone::<M>(name, set);
        let of_time = |event: Event| {
            pipeline.feed(&event).iter().filter_map(|e| e.0.get::<R>().copied()).map(without).collect::<Vec<_>>()
        };
        let of_time: Vec<R> = worked().flat_map(of_time).collect();
        assert!(!of_time.is_empty(), "{name}");
        assert_eq!(said_of_events::<M, R>(name, set, 0), of_time, "{name}");
        let of_other = [set, &[("event_bars", "7")]].concat();
        assert_eq!(said_of_events::<M, R>(name, &of_other, 7), of_time, "{name} of another instance");
        assert!(said_of_events::<M, R>(name, set, 7).is_empty(), "{name} of an instance that was not asked for");
    }
    macro_rules! same {
        ($measure:ty, $record:ident, $name:literal, $set:expr) => {
            same::<$measure, records::$record>($name, $set, |row| records::$record { interval_s: 0, ..row });
        };
    }
    same!(Average, Average, "average", &[("bars", "5")]);
    same!(Average, Average, "average", &[("bars", "5"), ("method", "sma")]);
    same!(Rsi, Rsi, "rsi", &[("bars", "3")]);
    same!(Macd, Macd, "macd", &[("fast", "3"), ("slow", "6"), ("signal", "3")]);
    same!(Atr, Atr, "atr", &[("bars", "5")]);
    same!(Bollinger, Bollinger, "bollinger", &[("bars", "5")]);
    same!(Donchian, Donchian, "donchian", &[("bars", "5")]);
    same!(Swings, Swing, "swings", &[("bars", "2")]);
}
