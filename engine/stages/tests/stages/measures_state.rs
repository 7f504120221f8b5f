//! Market state: the worked decisions, what is unknown, and which bars and profiles count.

use crate::harness::{self, Emitted, INSTRUMENTS, Pipeline};
use crate::measures_flow::{CLOSE, DAY, MIDNIGHT, OPEN, session};
use crate::measures_trades::opening;
use flow::records::{self, Bar, MarketStateNumbers, Profile, ProfileArea};
use flow::{Event, Flags, MarketBalance, Ns, ProfileOf, Px, Real, Seen, Stage};
use stages::Space;
use stages::measures::market_state::MarketState;
use stages::measures::{Host, Measure, One};

const SPACE: Space = Space { instruments: INSTRUMENTS, fills: 64, positions: 64 };
/// A stock of New York, by its number in the opening.
const STOCK: u32 = 2;

/// A measure alone, which knows the hours of two days.
pub(crate) fn alone<M: Measure>(name: &str, set: &[(&str, &str)]) -> Pipeline<Host<One<M>>> {
    let mut pipeline = Pipeline::new(Host::alone(&harness::params(name, set), SPACE).unwrap());
    opening().0.iter().for_each(|event| assert!(pipeline.feed(event).is_empty()));
    [0, 1].iter().for_each(|day| assert!(pipeline.feed(&session(*day, CLOSE)).is_empty()));
    pipeline
}

pub(crate) fn cents(cents: i64) -> Px {
    Px(cents * Px::ONE / 100)
}

/// Start of the minute of a day's session with that number.
pub(crate) fn minute(day: u32, number: u32) -> u32 {
    MIDNIGHT + day * DAY + OPEN + 60 * number
}

/// A bar of a minute, so many cents from its close up to its high and down to its low.
pub(crate) fn bar(start_s: u32, close: i64, reach: i64) -> Event {
    let [high, low, close] = [close + reach, close - reach, close].map(cents);
    let bar = Bar { open: close, high, low, close, start_s, interval_s: 60 };
    Event::new(Ns(u64::from(start_s + 60) * Ns::SECOND), STOCK, Flags::LAST_OF_GROUP, &bar)
}

/// A profile that a trade in the minute that begins there told, with its area. Rows are ten cents high.
pub(crate) fn profile(start_s: u32, of: ProfileOf, [poc, vah, val]: [i64; 3]) -> [Event; 2] {
    let [poc, vah, val] = [poc, vah, val].map(cents);
    let ts = Ns(u64::from(start_s) * Ns::SECOND);
    let first = Profile { poc, vah, val, of: of.code(), ..Profile::default() };
    let area = ProfileArea { row_px: cents(10), ..ProfileArea::default() };
    [Event::new(ts, STOCK, Flags::NONE, &first), Event::new(ts, STOCK, Flags::NONE, &area)]
}

fn feed(
    pipeline: &mut Pipeline<Host<One<MarketState>>>,
    event: &Event,
) -> Option<(records::MarketState, MarketStateNumbers)> {
    let emitted: Vec<Emitted> = pipeline.feed(event);
    emitted.first().map(|first| (*first.0.record(), *emitted[1].0.record()))
}

/// Twenty bars at one close and one at another, with the profile of an example.
fn worked(before: i64, close: i64) -> (records::MarketState, MarketStateNumbers) {
    let mut pipeline = alone("state", &[]);
    pipeline.feed(&profile(minute(0, 0), ProfileOf::Rolling, [25_000, 25_100, 24_900])[0]);
    let closes = std::iter::repeat_n(before, 20).chain([close]);
    let told = (0..).zip(closes).map(|(at, close)| feed(&mut pipeline, &bar(minute(0, at), close, 5)).unwrap());
    told.last().unwrap()
}

fn states(told: &records::MarketState) -> (MarketBalance, MarketBalance) {
    let of = |code| MarketBalance::from_code(code).unwrap();
    (of(told.state), of(told.published_state))
}

fn near(found: Real, expected: f64) {
    let found = found.known().unwrap();
    assert!((found - expected).abs() < 1e-9, "{found} for {expected}");
}

#[test]
fn the_worked_states() {
    use MarketBalance::{Balance, Down, Up};
    let (told, numbers) = worked(24_826, 25_050);
    assert_eq!(states(&told), (Balance, Balance), "within the value area");
    near(numbers.momentum, 224.0 * 100.0 / 24_826.0);
    near(numbers.poc_distance, 0.2);

    let (told, numbers) = worked(25_248, 25_400);
    assert_eq!(states(&told), (Up, Up));
    assert_eq!(
        (told.close, told.poc, told.vah, told.val),
        (cents(25_400), cents(25_000), cents(25_100), cents(24_900))
    );
    assert_eq!((numbers.close_before, told.start_s, told.changed), (cents(25_248), minute(0, 20), Seen::Yes.code()));
    near(numbers.momentum, 152.0 * 100.0 / 25_248.0);
    // Thirteen parts of a true range of 0.10 and one of 254.05 less 252.48.
    near(numbers.atr, (13.0 * 0.10 + 1.57) / 14.0);
    near(numbers.threshold, (13.0 * 0.10 + 1.57) / 14.0 * 20_f64.sqrt() / 254.0 * 100.0);

    assert_eq!(states(&worked(25_298, 25_400).0), (Up, Balance), "0.40 % is more than the range makes likely");
    assert_eq!(states(&worked(24_874, 24_700).0), (Down, Down));
}

#[test]
fn a_momentum_that_the_range_makes_likely_is_balance() {
    let mut pipeline = alone::<MarketState>("state", &[]);
    pipeline.feed(&profile(minute(0, 0), ProfileOf::Rolling, [25_000, 25_100, 24_900])[0]);
    let closes = std::iter::repeat_n(25_248, 20).chain([25_400]);
    let told = (0..).zip(closes).map(|(at, close)| feed(&mut pipeline, &bar(minute(0, at), close, 50)).unwrap());
    let (told, numbers) = told.last().unwrap();
    assert_eq!(states(&told), (MarketBalance::Balance, MarketBalance::Up));
    assert!(numbers.threshold.known() > numbers.momentum.known());
}

#[test]
fn what_is_not_known_yet_is_unknown_and_a_session_begins_anew() {
    let mut pipeline = alone::<MarketState>("state", &[("look_back", "3"), ("atr_bars", "2")]);
    let told = |pipeline: &mut _, at, day, close| feed(pipeline, &bar(minute(day, at), close, 5));
    let unknown = (MarketBalance::Unknown, MarketBalance::Unknown);
    let (first, numbers) = told(&mut pipeline, 0, 0, 1_000).unwrap();
    assert_eq!((states(&first), first.poc, first.changed), (unknown, Px::NONE, Seen::No.code()), "no profile yet");
    assert_eq!((numbers.close_before, numbers.momentum), (Px::NONE, Real::NONE));
    assert_eq!((numbers.threshold, numbers.atr, numbers.poc_distance), (Real::NONE, Real::NONE, Real::NONE));
    pipeline.feed(&profile(minute(0, 1), ProfileOf::Rolling, [900, 950, 850])[0]);
    let all: Vec<_> = (1..5).map(|at| told(&mut pipeline, at, 0, 1_100).unwrap()).collect();
    let found: Vec<_> = all.iter().map(|(told, _)| (states(told).1, told.changed)).collect();
    let unknown_yet = (MarketBalance::Unknown, 0);
    let then = [unknown_yet, unknown_yet, (MarketBalance::Up, 1), (MarketBalance::Balance, 1)];
    assert_eq!(found, then, "the fourth bar looks back to the first, the fifth to the second");
    assert_eq!((all[0].1.atr.known().is_some(), all[2].1.close_before), (true, cents(1_000)));

    let outside = minute(0, 390);
    assert_eq!(feed(&mut pipeline, &bar(outside, 1_100, 5)), None, "market hours are over");
    let (next, numbers) = told(&mut pipeline, 0, 1, 1_100).unwrap();
    assert_eq!((states(&next), next.poc), (unknown, Px::NONE), "the profile is of the day before");
    assert_eq!((numbers.close_before, numbers.atr, next.changed), (Px::NONE, Real::NONE, Seen::No.code()));
}

#[test]
fn the_limits_are_strict_and_the_value_area_has_its_ends() {
    let decided = |close, momentum: &str| {
        let set = [("look_back", "1"), ("atr_bars", "1"), ("atr_factor", "0"), ("published_momentum", momentum)];
        let mut pipeline = alone::<MarketState>("state", &set);
        pipeline.feed(&profile(minute(0, 0), ProfileOf::Rolling, [1_000, 1_010, 990])[0]);
        feed(&mut pipeline, &bar(minute(0, 0), 1_000, 0)).unwrap();
        states(&feed(&mut pipeline, &bar(minute(0, 1), close, 0)).unwrap().0)
    };
    use MarketBalance::{Balance, Down, Up};
    assert_eq!(decided(1_010, "0.5"), (Balance, Balance), "its highest tick is in it");
    assert_eq!(decided(1_011, "1.1"), (Up, Balance), "1.1 % is not more than 1.1 %");
    assert_eq!(decided(1_011, "1.09"), (Up, Up));
    assert_eq!(decided(990, "0.5"), (Balance, Balance));
    assert_eq!(decided(989, "1.0"), (Down, Down));
}

#[test]
fn only_the_last_hour_of_the_instance_that_is_named_counts_and_only_whole_bars_of_the_length() {
    let mut pipeline = alone::<MarketState>("state", &[("profile", "128")]);
    let [plain, area] = profile(minute(0, 0), ProfileOf::Rolling, [1_000, 1_010, 990]);
    let of = |of: ProfileOf, poc| {
        let record = Profile { of: of.code(), poc, instance: 128, ..*plain.record::<Profile>() };
        Event::new(plain.ts, STOCK, Flags::NONE, &record)
    };
    assert!(!pipeline.stage.reads().has(area.kind), "rows decide nothing");
    for event in [plain, of(ProfileOf::Session, cents(3)), of(ProfileOf::Previous, cents(4))] {
        pipeline.feed(&event);
    }
    let first = bar(minute(0, 0), 1_000, 5);
    assert_eq!(feed(&mut pipeline, &first).unwrap().0.poc, Px::NONE);
    pipeline.feed(&of(ProfileOf::Rolling, cents(5)));
    assert_eq!(feed(&mut pipeline, &bar(minute(0, 1), 1_000, 5)).unwrap().0.poc, cents(5));
    // A trade that ends a bar is in the profile of the next one.
    pipeline.next_input();
    pipeline.feed_again(&of(ProfileOf::Rolling, cents(6)));
    let ended = pipeline.feed_again(&bar(minute(0, 1), 1_000, 5));
    assert_eq!(ended[0].0.record::<records::MarketState>().poc, cents(5));
    assert_eq!(feed(&mut pipeline, &bar(minute(0, 1), 1_000, 5)).unwrap().0.poc, cents(6));
    pipeline.feed(&of(ProfileOf::Rolling, Px::NONE));
    assert_eq!(feed(&mut pipeline, &bar(minute(0, 2), 1_000, 5)).unwrap().0.poc, Px::NONE, "nothing is left of it");

    let whole: &Bar = first.record();
    let long = Event::new(first.ts, STOCK, first.flags, &Bar { interval_s: 300, ..*whole });
    let without = Event::new(first.ts, STOCK, first.flags, &Bar { low: Px::NONE, ..*whole });
    let snapshot = Event { flags: Flags::SNAPSHOT, ..first };
    [long, without, snapshot].iter().for_each(|event| assert_eq!(feed(&mut pipeline, event), None));
}
