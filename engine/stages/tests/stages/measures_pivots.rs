//! Pivot levels: the worked numbers, when they are known, and what of a session counts.

use crate::measures_indicators::{STOCK, bar};
use crate::measures_state::{alone, cents, minute};
use flow::records::{Bar, PivotLevels, Pivots};
use flow::{Event, Flags, Ns, Px};
use stages::measures::pivots::Pivots as PivotsMeasure;
use stages::measures::{Host, One};

type Stages = crate::harness::Pipeline<Host<One<PivotsMeasure>>>;

fn feed(pipeline: &mut Stages, event: &Event) -> Option<(Pivots, PivotLevels)> {
    let emitted = pipeline.feed(event);
    emitted.first().map(|first| (*first.0.record(), *emitted[1].0.record()))
}

/// The prices of the worked case, over three bars; the last bar of the hours is the third.
fn worked(day: u32) -> [Event; 3] {
    let at = |number| minute(day, number);
    [bar(at(5), [4_600, 4_580, 4_590]), bar(at(6), [4_671, 4_600, 4_610]), bar(at(389), [4_600, 4_539, 4_564])]
}

#[test]
fn the_worked_levels_come_with_the_last_bar_of_the_hours() {
    let mut pipeline: Stages = alone("pivots", &[]);
    let [first, second, last] = worked(0);
    let before = bar(minute(0, 0) - 60, [9_000, 1, 5_000]);
    [before, first, second].iter().for_each(|bar| assert_eq!(feed(&mut pipeline, bar), None));
    let (pivots, levels) = feed(&mut pipeline, &last).unwrap();
    let expected = Pivots {
        pivot: Px(45_913_333_333),
        r1: Px(46_436_666_667),
        s1: Px(45_116_666_667),
        start_s: minute(0, 389),
        since_s: minute(0, 5),
        bars: 3,
        ..Pivots::default()
    };
    assert_eq!(pivots, expected);
    let [r2, s2, r3, s3] = [47_233_333_333, 44_593_333_333, 47_756_666_667, 43_796_666_667].map(Px);
    assert_eq!(levels, PivotLevels { r2, s2, r3, s3, close: cents(4_564) });
    assert_eq!(feed(&mut pipeline, &bar(minute(0, 395), [9_000, 1, 5_000])), None, "after the close");
    assert_eq!(feed(&mut pipeline, &bar(minute(1, 0), [100, 100, 100])), None, "they have been emitted");
}

#[test]
fn where_the_last_bar_has_no_trade_they_come_with_the_next_session() {
    let mut pipeline: Stages = alone("pivots", &[]);
    let [first, second, last] = worked(0);
    feed(&mut pipeline, &first);
    assert_eq!(feed(&mut pipeline, &second), None);
    let (pivots, levels) = feed(&mut pipeline, &bar(minute(1, 3), [100, 100, 100])).unwrap();
    assert_eq!((pivots.start_s, pivots.since_s, pivots.bars), (minute(1, 3), minute(0, 5), 2));
    assert_eq!(
        (pivots.pivot, levels.close),
        (Px((46_710_000_000 + 45_800_000_000 + 46_100_000_000) / 3), cents(4_610))
    );
    // A bar that begins a session and ends it: its own levels are the newer ones.
    let mut short: Stages = alone("pivots", &[]);
    feed(&mut short, &first);
    let only = Event { ts: last.ts, ..bar(minute(1, 389), [300, 300, 300]) };
    let (pivots, levels) = feed(&mut short, &only).unwrap();
    assert_eq!([pivots.pivot, pivots.r1, levels.s3], [cents(300); 3]);
}

#[test]
fn a_trade_date_or_a_bar_of_a_day_may_count_as_a_whole() {
    let mut pipeline: Stages = alone("pivots", &[("of", "session")]);
    let before = bar(minute(0, 0) - 60, [9_000, 3_000, 5_000]);
    assert_eq!(feed(&mut pipeline, &before), None);
    assert_eq!(feed(&mut pipeline, &worked(0)[2]), None, "the date goes on");
    let (pivots, _) = feed(&mut pipeline, &bar(minute(1, 3), [100, 100, 100])).unwrap();
    assert_eq!((pivots.bars, pivots.pivot), (2, Px((90_000_000_000 + 30_000_000_000 + 45_640_000_000) / 3)));

    let mut days: Stages = alone("pivots", &[("interval", "1d")]);
    let [high, low, close] = [4_671, 4_539, 4_564].map(cents);
    let day = Bar { high, low, close, start_s: minute(0, 0) - 34_200, interval_s: 86_400, ..Bar::default() };
    let (pivots, _) = feed(&mut days, &Event::new(Ns(0), STOCK, Flags::NONE, &day)).unwrap();
    assert_eq!((pivots.pivot, pivots.bars), (Px(45_913_333_333), 1));
}
