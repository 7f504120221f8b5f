//! The book: decoding, the L3 book and the best bid and offer, beside a book of the standard collections.
//!
//! Both books are fed by the same decoder from the same bytes and must tell of the same tops. A run begins with books
//! that the first part of the day has filled, which is not timed; what is timed is the rest, with about 20,000 or 190,000
//! orders at rest, a hundred a symbol in both, so that only the memory that is touched grows. `decode only` is the part
//! that is not the book's.

use benches::market::{Market, Numbering, decode, queue};
use benches::naive;
use benches::report::Report;
use benches::rounds::{Contender, Run, compare, count};
use criterion::{Criterion, Throughput};
use feeds::itch::ItchDecoder;
use flow::records::BookTop;
use flow::{Event, Inputs, Kind, Kinds, Out, Params, Stage, Window};
use stages::Space;
use stages::book::{BookStage, PARAMS};
use std::hint::black_box;
use std::time::{Duration, Instant};

/// That of the binary.
#[global_allocator]
static ALLOCATOR: tidegate::os::Allocator = tidegate::os::Allocator;

/// A day: what fills the books, and what is timed.
struct Day {
    name: &'static str,
    filling: Market,
    timed: Market,
}

impl Day {
    fn new(name: &'static str, symbols: u32, live_orders: u32, filling: u64) -> Day {
        let (filling, timed) = Market::new(filling + 500_000, symbols, live_orders).split(filling);
        Day { name, filling, timed }
    }

    /// Feeds the first part to `on_event`, then times it on the second.
    fn run<T>(&self, state: &mut T, mut on_event: impl FnMut(&mut T, &Event, &[Event])) -> Duration {
        let (mut decoder, mut queue) = (ItchDecoder::new(None), queue());
        feed(&mut decoder, self.filling.window(), &mut queue, |event, coming| on_event(state, event, coming));
        let window = self.timed.window();
        let start = Instant::now();
        feed(&mut decoder, window, &mut queue, |event, coming| on_event(state, event, coming));
        start.elapsed()
    }
}

fn feed(decoder: &mut ItchDecoder, mut window: [Window; 1], queue: &mut Inputs, take: impl FnMut(&Event, &[Event])) {
    decode(decoder, &mut window, queue, take);
}

/// Sums the tops up.
#[derive(Default)]
struct Tops(u64);

impl Tops {
    fn add(&mut self, (bid, bid_qty, ask, ask_qty): naive::Top) {
        let top = (bid.0 ^ ask.0.rotate_left(20)) as u64 ^ bid_qty.rotate_left(40) ^ ask_qty.rotate_left(50);
        self.0 = self.0.rotate_left(1).wrapping_add(top);
    }
}

fn ours(day: &Day) -> Run {
    let book = BookStage::new(&Params::defaults(PARAMS), Space { instruments: 1 << 16, fills: 65_536 });
    let mut state = (book, Out::new(1, Kinds::of(&[Kind::BookTop])), Tops::default(), Numbering::default());
    let time = day.run(&mut state, |(book, out, tops, numbering), event, coming| {
        book.foresee(coming);
        let event = numbering.next(event);
        out.begin(&event);
        book.on_event(&event, out);
        for told in out.events() {
            let top: &BookTop = told.record();
            tops.add((top.bid_px, top.bid_qty.0, top.ask_px, top.ask_qty.0));
        }
    });
    Run { time, check: state.2.0 }
}

fn naively(day: &Day) -> Run {
    let mut state = (naive::Books::default(), Tops::default());
    let time = day.run(&mut state, |(books, tops), event, _| {
        if let Some(top) = books.on_event(event).top {
            tops.add(top);
        }
    });
    Run { time, check: state.1.0 }
}

fn decoding(day: &Day) -> Duration {
    day.run(&mut 0u64, |sum, event, _| *sum ^= black_box(u64::from(event.instrument)))
}

fn live_orders(day: &Day) -> usize {
    let mut books = naive::Books::default();
    day.run(&mut books, |books, event, _| {
        let _ = books.on_event(event);
    });
    books.live_orders()
}

fn main() {
    let days =
        [Day::new("20k live orders", 200, 20_000, 500_000), Day::new("190k live orders", 1_900, 190_000, 1_500_000)];
    let mut report = Report::new("book");
    let mut criterion = Criterion::default().sample_size(10).measurement_time(Duration::from_millis(500));
    criterion = criterion.warm_up_time(Duration::from_millis(1)).configure_from_args();
    for (day, rounds) in days.iter().zip([21, 15]) {
        println!("  {}: {} at the end", day.name, live_orders(day));
        let check = ours(day).check;
        let mut contenders = [
            Contender::new("tidegate", || ours(day)),
            Contender::new("std collections", || naively(day)),
            Contender::new("decode only", || Run { time: decoding(day), check }),
        ];
        compare(&mut report, day.name, day.timed.messages, count(rounds), &mut contenders);
    }
    let day = &days[0];
    let mut group = criterion.benchmark_group("book");
    group.throughput(Throughput::Elements(day.timed.messages));
    group.bench_function("tidegate", |b| b.iter_custom(|n| (0..n).map(|_| ours(day).time).sum()));
    group.bench_function("std collections", |b| b.iter_custom(|n| (0..n).map(|_| naively(day).time).sum()));
    group.finish();
    criterion.final_summary();
}
