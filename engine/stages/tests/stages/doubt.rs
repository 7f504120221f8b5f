//! Messages that are missing: the book goes on and marks what it emits, and says when its data are whole again.

use crate::harness::{self, Emitted, Pipeline, kinds};
use crate::stream::opening;
use flow::records::{Add, BookTop, Clear, Command, DataState, Gap, Listing, Name, Quote};
use flow::{CommandAction, Event, Flags, Kind, Ns, Px, Qty, Record, Side, Stage};
use stages::Space;
use stages::book::BookStage;
use stages::strategies::{BUY_AND_HOLD, BuyAndHoldStage, RANDOM, RandomStage, Setup};

const LAST: Flags = Flags::LAST_OF_GROUP;

/// Instruments 1 to 3 are of source 1, 4 to 6 of source 2; 5 has a book of quotes.
fn book() -> Pipeline<BookStage> {
    let mut book = harness::book(100, 100, 8);
    opening().0.iter().for_each(|event| drop(book.feed(event)));
    book
}

fn of<R: Record>(source: u8, instrument: u32, flags: Flags, record: &R) -> Event {
    Event { source, ..Event::new(Ns(5), instrument, flags, record) }
}

fn gap(source: u8, instrument: u32) -> Event {
    of(source, instrument, LAST, &Gap { exchange_ts: Ns(7), expected: 5, received: 9, ..Gap::default() })
}

fn add(source: u8, instrument: u32, order_ref: u64, flags: Flags) -> Event {
    let px = Px(100 + order_ref as i64);
    of(source, instrument, flags.with_side(Side::Buy), &Add { order_ref, px, qty: Qty(1), ..Add::default() })
}

/// The instrument, the source and the state of each `data-state` among these.
fn states(emitted: &[Emitted]) -> Vec<(u32, u8, u8)> {
    let states = emitted.iter().filter_map(|e| e.0.get::<DataState>().map(|s| (e.0.instrument, s.of, s.state)));
    states.collect()
}

fn is_marked(emitted: &[Emitted]) -> bool {
    let marked: Vec<bool> = emitted.iter().map(|e| e.0.flags.has(Flags::DOUBTFUL)).collect();
    assert!(!marked.is_empty() && marked.iter().all(|m| *m == marked[0]), "{emitted:?}");
    marked[0]
}

#[test]
fn after_a_gap_the_book_goes_on_and_marks_what_it_emits() {
    let mut book = book();
    let emitted = book.feed(&gap(1, 0));
    assert_eq!((kinds(&emitted), states(&emitted)), (vec![Kind::DataState], vec![(0, 1, 2)]));
    assert_eq!(emitted[0].0.record::<DataState>().exchange_ts, Ns(7));
    assert!(is_marked(&book.feed(&add(1, 1, 1, LAST))), "of that source");
    assert!(!is_marked(&book.feed(&add(2, 4, 2, LAST))), "of another source");
    assert_eq!(states(&book.feed(&gap(2, 4))), [(4, 0, 2)], "of one instrument");
    assert!(is_marked(&book.feed(&add(2, 4, 3, LAST))));
    // A saved state doubts too.
    let listings = opening().1;
    let bytes = harness::saved(&book.stage, &listings);
    let mut other = self::book();
    harness::load(&mut other.stage, &listings, &bytes).unwrap();
    assert_eq!(harness::saved(&other.stage, &listings), bytes);
    assert!(is_marked(&other.feed(&add(2, 4, 4, LAST))) && is_marked(&other.feed(&add(1, 2, 5, LAST))));
}

#[test]
fn the_doubt_ends_with_the_snapshot_that_a_clear_begins() {
    let mut book = book();
    book.feed(&gap(1, 0));
    let clear = Clear { exchange_ts: Ns(8), ..Clear::default() };
    assert!(book.feed(&of(1, 1, Flags::SNAPSHOT, &clear)).is_empty());
    assert!(is_marked(&book.feed(&add(1, 1, 1, Flags::SNAPSHOT))), "the snapshot has not ended");
    let emitted = book.feed(&add(1, 1, 2, Flags::SNAPSHOT.with(LAST)));
    assert_eq!(kinds(&emitted), [Kind::DataState, Kind::Level, Kind::BookTop]);
    assert_eq!((states(&emitted), is_marked(&emitted)), (vec![(1, 0, 1)], false));
    assert!(is_marked(&book.feed(&add(1, 2, 3, LAST))), "another instrument waits for its own");
    // A clear of all that begins nothing is the beginning of a session.
    assert_eq!(states(&book.feed(&of(1, 0, LAST, &clear))), [(0, 1, 1)]);
    assert!(!is_marked(&book.feed(&add(1, 2, 4, LAST))));
    assert!(states(&book.feed(&of(1, 0, LAST, &clear))).is_empty(), "there was no doubt");
}

/// A source that joins late says so before it lists anything.
#[test]
fn what_is_listed_after_a_gap_is_doubtful_unless_a_session_began_between() {
    let clear = of(1, 0, LAST, &Clear::default());
    for (begins, marked) in [(false, true), (true, false)] {
        let mut book = harness::book(100, 100, 8);
        assert_eq!(states(&book.feed(&gap(1, 0))), [(0, 1, 2)]);
        if begins {
            assert_eq!(states(&book.feed(&clear)), [(0, 1, 1)]);
        }
        opening().0.iter().for_each(|event| drop(book.feed(event)));
        assert_eq!(is_marked(&book.feed(&add(1, 1, 1, LAST))), marked);
        assert!(!is_marked(&book.feed(&add(2, 4, 1, LAST))), "another source");
    }
}

#[test]
fn a_quote_is_all_there_is_to_know_of_a_book_of_quotes() {
    let mut book = book();
    book.feed(&gap(2, 0));
    let quote = Quote { bid_px: Px(1), ask_px: Px(2), bid_qty: Qty(1), ask_qty: Qty(1), ..Quote::default() };
    let emitted = book.feed(&of(2, 5, LAST, &quote));
    assert_eq!((states(&emitted), is_marked(&emitted)), (vec![(5, 0, 1)], false));
    assert!(is_marked(&book.feed(&add(2, 4, 3, LAST))));
}

#[test]
fn an_operator_can_end_the_doubt() {
    let mut book = book();
    let trust = Command { action: CommandAction::Trust.code(), ..Command::default() };
    for (instrument, left) in [(4, vec![1]), (0, vec![])] {
        book.feed(&gap(1, 1));
        book.feed(&gap(2, 4));
        assert_eq!(states(&book.feed(&of(254, instrument, LAST, &trust))), [(instrument, 0, 1)]);
        let marked = [(1, 1), (2, 4)].into_iter().enumerate().filter_map(|(n, (source, at))| {
            is_marked(&book.feed(&add(source, at, 10 + u64::from(instrument) + n as u64, LAST))).then_some(at)
        });
        assert_eq!(marked.collect::<Vec<_>>(), left);
    }
    let halt = Command { action: CommandAction::Halt.code(), ..Command::default() };
    assert!(book.feed(&of(254, 0, LAST, &halt)).is_empty());
}

fn state(instrument: u32, of: u8, state: u8) -> Event {
    self::of(of.max(1), instrument, LAST, &DataState { of, state, ..DataState::default() })
}

fn top(instrument: u32) -> Event {
    let top = BookTop { bid_px: Px(5), ask_px: Px(6), bid_qty: Qty(1), ask_qty: Qty(1), ..BookTop::default() };
    of(1, instrument, LAST, &top)
}

/// Whether a strategy signals at a change of the data's state or at the top after it, while they are doubtful and after.
fn signals<S: Stage>(stage: S) -> [bool; 3] {
    let mut strategy = Pipeline::new(stage);
    for instrument in [1, 2] {
        let mut name = Name { len: 1, parts: 1, ..Name::default() };
        name.text[0] = b'A';
        strategy.feed(&of(1, instrument, Flags::NONE, &name));
        if strategy.stage.reads().has(Kind::Listing) {
            strategy.feed(&of(1, instrument, LAST, &Listing::default()));
        }
    }
    [state(0, 1, 2), state(2, 0, 1), state(0, 0, 1)].map(|state| {
        let emitted = [strategy.feed_whole(&state), strategy.feed_whole(&top(1))].concat();
        emitted.iter().any(|e| e.0.kind == Kind::Signal)
    })
}

#[test]
fn nobody_signals_on_doubtful_data() {
    let space = Space { instruments: 8, fills: 16, positions: 64 };
    let hold = BuyAndHoldStage::new(&harness::params("buy-and-hold", &[]), Setup::plain(BUY_AND_HOLD, space)).unwrap();
    assert_eq!(signals(hold), [false, false, true], "of another instrument does not help");
    let random = RandomStage::new(&harness::params("random", &[("every", "1")]), Setup::plain(RANDOM, space)).unwrap();
    assert_eq!(signals(random), [false, false, true]);
}
