//! What measures and bars say after messages were missing: that their sums are short of them.

use crate::harness::{self, INSTRUMENTS, Pipeline};
use crate::measures_trades::{opening, trade};
use flow::records::{Gap, Tick};
use flow::{Event, Flags, Kind, Ns, Side, Stage};
use stages::Space;
use stages::bars::BarStage;
use stages::measures::cvd::Cvd;
use stages::measures::{Host, One};

const SPACE: Space = Space { instruments: INSTRUMENTS, fills: 64, positions: 64 };
const DAY: u64 = 86_400 * Ns::SECOND;

fn opened<S: Stage>(stage: S) -> Pipeline<S> {
    let mut pipeline = Pipeline::new(stage);
    opening().0.iter().for_each(|event| drop(pipeline.feed(event)));
    pipeline
}

fn cvd() -> Pipeline<Host<One<Cvd>>> {
    opened(Host::alone(&harness::params("cvd", &[]), SPACE).unwrap())
}

/// A trade that much later.
fn later(instrument: u32, after: u64) -> Event {
    let trade = trade(instrument, Side::Buy, 5);
    Event { ts: Ns(trade.ts.0 + after), ..trade }
}

/// A gap of an instrument, or of all of the source of that one, that much later than the first trade.
fn gap(instrument: u32, of: u32, after: u64) -> Event {
    let listed = opening().0.into_iter().find(|event| event.instrument == of).unwrap();
    let record = Gap { expected: 5, received: 9, ..Gap::default() };
    Event { source: listed.source, ..Event::new(later(of, after).ts, instrument, Flags::LAST_OF_GROUP, &record) }
}

fn is_marked<S: Stage>(pipeline: &mut Pipeline<S>, event: &Event) -> bool {
    let emitted = pipeline.feed(event);
    assert!(!emitted.is_empty(), "of {event:?}");
    let marked = emitted.iter().filter(|e| e.0.flags.has(Flags::AFTER_GAP)).count();
    assert!(marked == 0 || marked == emitted.len(), "{emitted:?}");
    marked > 0
}

#[test]
fn a_measure_says_so_until_the_session_ends() {
    let mut cvd = cvd();
    assert!(!is_marked(&mut cvd, &later(1, 0)));
    cvd.feed(&gap(1, 1, 1));
    assert!(is_marked(&mut cvd, &later(1, 2)));
    assert!(!is_marked(&mut cvd, &later(2, 2)), "another instrument has all its messages");
    assert!(!is_marked(&mut cvd, &later(1, 2 * DAY)), "another session has its own sums");
}

#[test]
fn the_gap_of_a_source_is_that_of_all_it_lists() {
    let (listed, mut cvd) = (opening().0, cvd());
    cvd.feed(&gap(0, 1, 1));
    for event in &listed {
        let expected = event.source == listed[0].source;
        assert_eq!(is_marked(&mut cvd, &later(event.instrument, 2)), expected, "{event:?}");
    }
    let mut late = Pipeline::new(Host::<One<Cvd>>::alone(&harness::params("cvd", &[]), SPACE).unwrap());
    late.feed(&gap(0, 1, 1));
    listed.iter().for_each(|event| drop(late.feed(event)));
    assert!(is_marked(&mut late, &later(1, 2)), "it was listed after the gap");
}

#[test]
fn a_saved_state_knows_the_gap() {
    let (mut cvd, mut other, listings) = (cvd(), cvd(), opening().1);
    cvd.feed(&gap(0, 1, 1));
    cvd.feed(&gap(2, 2, 3));
    let bytes = harness::saved(&cvd.stage, &listings);
    harness::load(&mut other.stage, &listings, &bytes).unwrap();
    assert_eq!(harness::saved(&other.stage, &listings), bytes);
    for instrument in [1, 2] {
        assert!(is_marked(&mut other, &later(instrument, 4)));
        assert!(!is_marked(&mut other, &later(instrument, 2 * DAY)));
    }
}

#[test]
fn only_the_bar_of_the_gap_says_so() {
    let params = harness::params("bars", &[("intervals", "5s,1d")]);
    let mut bars = opened(BarStage::new(&params, SPACE).unwrap());
    let second = Ns::SECOND;
    // The first trade may stand anywhere in its bar: what follows stands in bars of its own.
    let start = 5 - later(1, 0).ts.0 / second % 5;
    for (after, has_gap) in [(start, false), (start + 5, true), (start + 10, false)] {
        assert!(bars.feed(&later(1, after * second)).is_empty());
        if has_gap {
            bars.feed(&gap(1, 1, (after + 1) * second));
        }
        let tick = Tick { first: 1, last: INSTRUMENTS - 1, interval_s: 5, ..Tick::default() };
        let end = Event { ts: later(1, (after + 5) * second).ts, ..Event::new(Ns(0), 0, Flags::NONE, &tick) };
        assert_eq!(is_marked(&mut bars, &end), has_gap, "after {after} s");
    }
    let of_the_day = bars.feed(&later(1, 2 * DAY));
    let day = of_the_day.iter().find(|e| e.0.kind == Kind::Bar).expect("the bar of the day");
    assert!(day.0.flags.has(Flags::AFTER_GAP));
}
