//! Breakouts: what begins and ends one, its ranges, and the edges of a session.

use crate::harness::Pipeline;
use crate::measures_state::{alone, bar, cents, minute, profile};
use flow::records::{self, BreakoutRange};
use flow::{BreakoutStep, Event, Flags, Ns, PriceDirection, ProfileOf, Px, Real, Seen};
use stages::measures::breakout::Breakout;
use stages::measures::{Host, One};

use BreakoutStep::{Accepted, Ended, Failed, Out, Returned};
use PriceDirection::{Down, Up};

type Stages = Pipeline<Host<One<Breakout>>>;
type Row = (records::Breakout, BreakoutRange);

/// Value area of the session before, in cents: point of control, upper and lower end.
const AREA: [i64; 3] = [1_050, 1_100, 1_000];

fn rows(pipeline: &mut Stages, event: &Event) -> Vec<Row> {
    let emitted = pipeline.feed(event);
    emitted.chunks(2).map(|two| (*two[0].0.record(), *two[1].0.record())).collect()
}

/// A measure that knows the session before.
fn known(set: &[(&str, &str)]) -> Stages {
    let mut pipeline = alone("breakout", set);
    profile(minute(0, 0), ProfileOf::Previous, AREA).iter().for_each(|e| assert!(pipeline.feed(e).is_empty()));
    pipeline
}

/// Bars of the first day from the open on, each with what it caused. They reach a cent from their close.
fn run(pipeline: &mut Stages, closes: impl IntoIterator<Item = i64>) -> Vec<(u32, Row)> {
    let bars = (0..).zip(closes).map(|(at, close)| (at, bar(minute(0, at), close, 1)));
    bars.flat_map(|(at, bar)| rows(pipeline, &bar).into_iter().map(move |row| (at, row))).collect()
}

/// The minute, what happened, the direction, and since how many bars.
fn short(rows: &[(u32, Row)]) -> Vec<(u32, BreakoutStep, PriceDirection, u16)> {
    let of = |told: &records::Breakout| (BreakoutStep::from_code(told.what), PriceDirection::from_code(told.direction));
    let named =
        |at: &u32, told: &records::Breakout| of(told).0.zip(of(told).1).map(|(step, way)| (*at, step, way, told.bars));
    rows.iter().filter_map(|(at, (told, _))| named(at, told)).collect()
}

fn again(close: i64, times: usize) -> impl Iterator<Item = i64> {
    std::iter::repeat_n(close, times)
}

#[test]
fn a_close_a_row_beyond_the_range_begins_a_breakout_and_one_inside_ends_it() {
    let found = run(&mut known(&[]), [1_050, 1_109, 1_110, 1_125, 1_101, 1_100]);
    assert_eq!(short(&found), [(2, Out, Up, 0), (5, Failed, Up, 3)], "a cent less than a row, and a cent above it");
    let (out, range) = found[0].1;
    assert_eq!((out.close, out.vah, out.val), (cents(1_110), cents(1_100), cents(1_000)));
    assert_eq!((out.start_s, out.since_s, out.range_of), (minute(0, 2), minute(0, 2), ProfileOf::Previous.code()));
    assert_eq!((out.gap, out.crossed), (Seen::No.code(), Seen::No.code()));
    assert_eq!((range.poc, range.row_px, range.least_px), (cents(1_050), cents(10), cents(10)));
    assert_eq!((range.extreme, range.atr), (cents(1_111), Real::NONE), "there are no fourteen bars");
    let (failed, range) = found[1].1;
    assert_eq!((failed.since_s, failed.start_s, range.extreme), (minute(0, 2), minute(0, 5), cents(1_126)));

    let found = run(&mut known(&[]), [1_000, 991, 990, 985, 1_000]);
    assert_eq!(short(&found), [(2, Out, Down, 0), (4, Failed, Down, 2)]);
    assert_eq!(found[1].1.1.extreme, cents(984), "the lowest of its bars");
}

#[test]
fn thirty_bars_divide_a_failure_from_a_return_and_sixty_make_it_accepted() {
    let found = run(&mut known(&[]), again(1_120, 30).chain([1_050]));
    assert_eq!(short(&found), [(0, Out, Up, 0), (30, Failed, Up, 30)]);
    let found = run(&mut known(&[]), again(1_120, 31).chain([1_050]));
    assert_eq!(short(&found), [(0, Out, Up, 0), (31, Returned, Up, 31)]);
    let found = run(&mut known(&[]), again(1_120, 61).chain([1_115, 1_050, 1_120]));
    assert_eq!(short(&found), [(0, Out, Up, 0), (60, Accepted, Up, 60), (62, Returned, Up, 62), (63, Out, Up, 0)]);
}

#[test]
fn the_first_bar_of_a_session_breaks_out_with_a_gap() {
    let found = run(&mut known(&[]), [1_120, 1_050, 1_120]);
    let gaps: Vec<u8> = found.iter().map(|(_, (told, _))| told.gap).collect();
    assert_eq!((short(&found).len(), gaps), (3, vec![1, 1, 0]), "the failure says how it began");
}

#[test]
fn the_other_side_is_another_breakout_and_the_first_has_not_failed() {
    let found = run(&mut known(&[]), [1_050, 1_120, 995, 990, 1_120, 1_050]);
    let steps = [(1, Out, Up, 0), (3, Out, Down, 0), (4, Out, Up, 0), (5, Failed, Up, 1)];
    assert_eq!(short(&found), steps, "five cents below the range are no breakout and no return");
    let crossed: Vec<u8> = found.iter().map(|(_, (told, _))| told.crossed).collect();
    assert_eq!(crossed, [0, 1, 1, 1]);
    assert_eq!((found[1].1.1.extreme, found[2].1.1.extreme), (cents(989), cents(1_121)), "each has its own");
}

#[test]
fn a_breakout_ends_with_the_last_bar_of_its_session_or_the_next_that_comes() {
    let mut pipeline = known(&[]);
    let last = rows(&mut pipeline, &bar(minute(0, 389), 1_120, 1));
    let what: Vec<_> = last.iter().map(|(told, _)| told.what).collect();
    assert_eq!(what, [Out.code(), Ended.code()]);
    assert!(rows(&mut pipeline, &bar(minute(0, 390), 1_120, 1)).is_empty(), "it has ended");

    let mut pipeline = known(&[]);
    assert_eq!(rows(&mut pipeline, &bar(minute(0, 388), 1_120, 1)).len(), 1);
    let ended = rows(&mut pipeline, &bar(minute(0, 391), 1_000, 1));
    assert_eq!((ended[0].0.what, ended[0].0.start_s, ended[0].0.close), (Ended.code(), minute(0, 388), cents(1_120)));

    let mut pipeline = known(&[]);
    assert_eq!(rows(&mut pipeline, &bar(minute(0, 388), 1_120, 1)).len(), 1);
    profile(minute(1, 0), ProfileOf::Previous, AREA).iter().for_each(|e| drop(pipeline.feed(e)));
    let next = rows(&mut pipeline, &bar(minute(1, 0), 980, 1));
    let what: Vec<_> = next.iter().map(|(told, _)| (told.what, told.direction, told.gap)).collect();
    assert_eq!(what, [(Ended.code(), Up.code(), 1), (Out.code(), Down.code(), 1)], "the one before ends first");
}

#[test]
fn a_quarter_of_the_true_range_is_asked_for_where_it_is_more_than_a_row() {
    let mut pipeline = known(&[("atr_bars", "2")]);
    // Twenty-one cents are too few for the third, whose true range is 111, and twenty-two are enough for the fourth.
    let all = [1_050, 1_050, 1_121, 1_122].into_iter().zip(0..);
    let found: Vec<Row> = all.flat_map(|(close, at)| rows(&mut pipeline, &bar(minute(0, at), close, 40))).collect();
    let [(out, range)] = &found[..] else { panic!("{found:?}") };
    assert_eq!(out.start_s, minute(0, 3));
    let atr = ((80.0 + 111.0) / 2.0 + 80.0) / 2.0;
    assert!((range.atr.known().unwrap() - atr / 100.0).abs() < 1e-12, "{:?}", range.atr);
    assert_eq!(range.least_px, Px((atr * 0.25 * 1e7).ceil() as i64));
}

#[test]
fn without_a_session_before_the_range_is_the_last_hour_as_it_stood_before_the_bar() {
    let mut pipeline: Stages = alone("breakout", &[]);
    let tell = |pipeline: &mut Stages, at: u32, area| {
        profile(minute(0, at), ProfileOf::Rolling, area).iter().for_each(|e| drop(pipeline.feed(e)));
    };
    for at in 0..60 {
        tell(&mut pipeline, at, AREA);
        assert!(rows(&mut pipeline, &bar(minute(0, at), 1_200, 1)).is_empty(), "no hour is over yet");
    }
    // The hour that holds the bar would have it inside.
    tell(&mut pipeline, 60, [1_120, 1_300, 1_100]);
    let out = rows(&mut pipeline, &bar(minute(0, 60), 1_200, 1))[0].0;
    assert_eq!((out.what, out.vah, out.range_of), (Out.code(), cents(1_100), ProfileOf::Rolling.code()));
    // While price is out the range stays, whatever the hour does.
    tell(&mut pipeline, 61, [1_120, 1_250, 1_150]);
    assert!(rows(&mut pipeline, &bar(minute(0, 61), 1_200, 1)).is_empty());
    let failed = rows(&mut pipeline, &bar(minute(0, 62), 1_050, 1))[0].0;
    assert_eq!((failed.what, failed.vah), (Failed.code(), cents(1_100)));
    let next = rows(&mut pipeline, &bar(minute(0, 63), 1_270, 1))[0].0;
    assert_eq!((next.what, next.vah), (Out.code(), cents(1_250)));
}

#[test]
fn the_profile_of_the_trade_that_ends_a_bar_is_not_the_bars() {
    let mut pipeline: Stages = alone("breakout", &[("range_minutes", "1")]);
    let all = profile(minute(0, 0), ProfileOf::Rolling, AREA);
    all.iter().for_each(|e| drop(pipeline.feed(e)));
    for (at, area) in [(0, [5_050, 5_100, 5_000]), (1, AREA)] {
        // A trade of the next minute ends the bar: what it makes of the profile comes before the bar, in the same input.
        pipeline.next_input();
        for event in profile(minute(0, at + 1), ProfileOf::Rolling, area) {
            assert!(pipeline.feed_again(&event).is_empty());
        }
        let emitted = pipeline.feed_again(&bar(minute(0, at), 1_200, 1));
        let found: Vec<records::Breakout> = emitted.iter().filter_map(|e| e.0.get().copied()).collect();
        let vah: Vec<Px> = found.iter().map(|out| out.vah).collect();
        assert_eq!(vah, if at == 0 { vec![] } else { vec![cents(1_100)] }, "as it stood before the bar");
    }
}

#[test]
fn a_profile_of_another_day_or_without_prices_and_bars_out_of_hours_are_no_range_and_no_bar() {
    let mut pipeline: Stages = alone("breakout", &[]);
    let [first, area] = profile(minute(0, 0), ProfileOf::Previous, AREA);
    [first, area].iter().for_each(|e| drop(pipeline.feed(e)));
    assert!(rows(&mut pipeline, &bar(minute(0, 0) - 60, 1_200, 1)).is_empty(), "before the open");
    assert!(rows(&mut pipeline, &bar(minute(1, 0), 1_200, 1)).is_empty(), "the profile is of the day before");
    let mut pipeline = known(&[]);
    let empty = flow::records::Profile { poc: Px::NONE, ..*first.record() };
    pipeline.feed(&Event::new(Ns(first.ts.0 + 1), first.instrument, Flags::NONE, &empty));
    assert!(rows(&mut pipeline, &bar(minute(0, 0), 1_200, 1)).is_empty());
}
