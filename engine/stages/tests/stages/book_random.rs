//! Book and reference under the same random messages: every event that they say, and all that can be seen of them, is equal.

use crate::book_reference::Reference;
use crate::harness::{self, INSTRUMENTS, Pipeline};
use crate::stream::{Step, opening, steps};
use flow::{Px, Qty, Side, Stage};
use proptest::prelude::*;
use stages::book::{BookStage, Depth};

/// Compares all that can be seen of an instrument.
fn compare(pipeline: &Pipeline<BookStage>, reference: &Reference, instrument: u32) {
    let book = pipeline.stage.books().book(instrument);
    let Some(Some(naive)) = reference.books.get(&instrument) else {
        assert!(book.is_none());
        return;
    };
    let book = book.expect("a book");
    let top = book.top();
    assert_eq!([(top.bid_px, top.bid_qty), (top.ask_px, top.ask_qty)], naive.top());
    for side in [Side::Buy, Side::Sell] {
        let depth: Vec<Depth> = book.depth(side).collect();
        assert_eq!(book.best(side), depth.first().copied());
        assert!(depth.iter().map(|l| (l.px, l.qty.0, l.orders)).eq(naive.depth(side)));
        for level in &depth {
            let queue = book.queue(side, level.px).map(|o| (o.reference, o.side, o.px, o.qty.0));
            let at = |o: &&crate::book_reference::ReferenceOrder| (o.side, o.px) == (side, level.px);
            assert!(queue.eq(naive.orders.iter().filter(at).map(|o| (o.reference, o.side, o.px, o.qty))));
        }
        assert_eq!(book.queue(side, Px::NONE).count(), 0);
    }
    for reference in 0..24 {
        assert_eq!(book.ahead(reference).map(|a| (a.qty.0, a.orders)), naive.ahead(reference));
        let order = naive.orders.iter().find(|o| o.reference == reference);
        assert_eq!(book.order(reference).map(|o| (o.px, o.qty)), order.map(|o| (o.px, Qty(o.qty))));
    }
}

fn run(steps: &[Step], [orders, levels, books]: [u32; 3]) {
    let (mut pipeline, mut reference) = (harness::book(orders, levels, books), Reference::new(orders, levels, books));
    let stream = steps.iter().enumerate().map(|(i, step)| step.event(i as u64 + 2));
    let events: Vec<_> = opening().0.into_iter().chain(stream).collect();
    for (i, event) in events.iter().enumerate() {
        // What is shown beforehand is sometimes right, sometimes not, sometimes short: it must not matter.
        let shown = if i % 3 == 0 { i * 2 / 3 } else { i + 1 };
        pipeline.stage.prefetch(&events[shown..]);
        assert_eq!(pipeline.feed(event), reference.feed(event), "after {event:?}");
        compare(&pipeline, &reference, event.instrument);
    }
    for instrument in 0..INSTRUMENTS {
        compare(&pipeline, &reference, instrument);
    }
    let live = reference.books.values().flatten().map(|b| b.orders.len()).sum::<usize>();
    assert_eq!(pipeline.stage.books().live_orders(), live);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(160))]
    #[test]
    fn book_is_the_twin(steps in steps(500)) {
        run(&steps, [10_000, 10_000, 16]);
    }

    #[test]
    fn book_is_the_twin_at_its_bounds(steps in steps(500), books in 3..7_u32) {
        run(&steps, [16, 16, books]);
    }
}
