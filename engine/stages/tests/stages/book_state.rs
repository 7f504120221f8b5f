//! Books saved and loaded: the same future, the same bytes for the same books, bounds kept.

use crate::harness::{self, Pipeline};
use crate::stream::{opening, source_of, steps};
use flow::records::{Add, Delete, Level, Quote};
use flow::{BookKind, Event, Flags, Ns, Px, Qty, Side, StateError, StateWriter};
use proptest::prelude::*;
use stages::book::BookStage;

/// A message without effect that closes the group of an instrument.
fn nothing(instrument: u32) -> Event {
    let delete = Delete { order_ref: 1_000, ..Default::default() };
    Event { source: source_of(instrument), ..Event::new(Ns(1), instrument, Flags::LAST_OF_GROUP, &delete) }
}

/// The inputs that make the same books by another way: levels from the worst to the best, orders behind one another.
fn rebuilt(pipeline: &Pipeline<BookStage>) -> Vec<Event> {
    let mut inputs = Vec::new();
    for (instrument, kind) in (1..).zip([BookKind::ByOrder, BookKind::ByOrder, BookKind::ByLevel, BookKind::ByOrder]) {
        let book = pipeline.stage.books().book(instrument).unwrap();
        for side in [Side::Sell, Side::Buy] {
            let mut levels: Vec<_> = book.depth(side).collect();
            levels.reverse();
            let flags = Flags::side_only(side);
            for level in levels {
                if kind == BookKind::ByLevel {
                    let record = Level { px: level.px, qty: level.qty, orders: level.orders, ..Default::default() };
                    inputs.push(Event::new(Ns(1), instrument, flags, &record));
                }
                for o in book.queue(side, level.px) {
                    let record = Add { order_ref: o.reference, px: o.px, qty: o.qty, ..Default::default() };
                    inputs.push(Event::new(Ns(1), instrument, flags, &record));
                }
            }
        }
    }
    let top = pipeline.stage.books().book(5).unwrap().top();
    let (bid_qty, ask_qty) = (Qty(top.bid_qty), Qty(top.ask_qty));
    let quote = Quote { bid_px: top.bid_px, bid_qty, ask_px: top.ask_px, ask_qty, ..Default::default() };
    inputs.push(Event::new(Ns(1), 5, Flags::NONE, &quote));
    inputs.into_iter().map(|e| Event { source: source_of(e.instrument), ..e }).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]
    #[test]
    fn a_loaded_book_goes_on_alike(steps in steps(400), at in 0..400_usize, others in steps(100)) {
        let (opening, listings) = opening();
        let (mut pipeline, mut other) = (harness::book(64, 40, 5), harness::book(64, 40, 5));
        for event in &opening {
            pipeline.feed(event);
        }
        for step in &others {
            other.feed(&step.event(2));
        }
        for (i, step) in steps.iter().enumerate() {
            let event = step.event(i as u64 + 2);
            if i == at.min(steps.len() - 1) {
                let bytes = harness::saved(&pipeline.stage, &listings);
                harness::load(&mut other.stage, &listings, &bytes).unwrap();
                prop_assert_eq!(harness::saved(&other.stage, &listings), bytes);
            }
            let emitted = pipeline.feed(&event);
            if i >= at.min(steps.len() - 1) {
                other.feed_alike(&event, &emitted);
            }
        }
        prop_assert_eq!(harness::saved(&pipeline.stage, &listings), harness::saved(&other.stage, &listings));
    }

    #[test]
    fn equal_books_are_equal_bytes(steps in steps(400)) {
        let (opening, listings) = opening();
        let (mut pipeline, mut other) = (harness::book(1_000, 1_000, 5), harness::book(1_000, 1_000, 5));
        for event in &opening {
            pipeline.feed(event);
            other.feed(event);
        }
        for event in steps.iter().map(|s| s.event(2)).filter(|e| e.kind != flow::Kind::Listing) {
            pipeline.feed(&event);
        }
        for event in rebuilt(&pipeline) {
            other.feed(&event);
        }
        for instrument in 1..6 {
            pipeline.feed(&nothing(instrument));
            other.feed(&nothing(instrument));
        }
        // The trades that made the books differ, and are remembered.
        let books = |pipeline: &Pipeline<BookStage>| {
            let mut writer = StateWriter::new(&listings);
            pipeline.stage.books().save(&mut writer);
            writer.into_bytes()
        };
        prop_assert_eq!(books(&pipeline), books(&other));
    }
}

impl Pipeline<BookStage> {
    /// Feeds an event and compares what follows with what another pipeline emitted.
    fn feed_alike(&mut self, event: &Event, emitted: &[harness::Emitted]) {
        assert_eq!(self.feed(event), emitted, "after {event:?}");
    }
}

#[test]
fn a_state_that_does_not_fit_is_refused() {
    let (opening, listings) = opening();
    let mut pipeline = harness::book(64, 64, 5);
    opening.iter().for_each(|e| drop(pipeline.feed(e)));
    for order_ref in 0..20 {
        let add = Add { order_ref, px: Px(100 + order_ref as i64), qty: Qty(1), ..Default::default() };
        pipeline.feed(&Event { source: 1, ..Event::new(Ns(1), 1, Flags::side_only(Side::Buy), &add) });
    }
    let bytes = harness::saved(&pipeline.stage, &listings);
    let refusal = |orders, levels, books| {
        let mut small = harness::book(orders, levels, books);
        match harness::load(&mut small.stage, &listings, &bytes) {
            Err(StateError::TooLarge { what, limit, .. }) => (what, limit),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(refusal(16, 64, 5), ("orders", 16));
    assert_eq!(refusal(64, 16, 5), ("price levels", 16));
    assert_eq!(refusal(64, 64, 4), ("books", 4));
    for cut in 0..bytes.len() {
        assert!(harness::load(&mut pipeline.stage, &listings, &bytes[..cut]).is_err());
    }
    assert!(harness::load(&mut pipeline.stage, &listings, &bytes).is_ok(), "a failed load does not spoil the next one");
}
