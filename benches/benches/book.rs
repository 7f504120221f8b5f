//! The book: decoding, the L3 book and the best bid and offer, beside a book of the standard collections.
//!
//! Both books are fed by the same decoder from the same bytes and must give the same tops. A run begins with books
//! that the first part of the day has filled, which is not timed; what is timed is the rest, with about 20,000 or 190,000
//! orders at rest, a hundred a symbol in both, so that only the memory that is touched grows. `decode only` is the part
//! that is not the book's.

use benches::day::{Day, Tops, book};
use benches::naive;
use benches::report::Report;
use benches::rounds::{Contender, Run, compare, count};
use criterion::{Criterion, Throughput};
use std::hint::black_box;
use std::time::Duration;

/// That of the binary.
#[global_allocator]
static ALLOCATOR: tidegate::os::Allocator = tidegate::os::Allocator;

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

fn main() {
    let days =
        [Day::new("20k live orders", 200, 20_000, 500_000), Day::new("190k live orders", 1_900, 190_000, 1_500_000)];
    let mut report = Report::new("book");
    let mut criterion = Criterion::default().sample_size(10).measurement_time(Duration::from_millis(500));
    criterion = criterion.warm_up_time(Duration::from_millis(1)).configure_from_args();
    for (day, rounds) in days.iter().zip([21, 15]) {
        println!("  {}: {} at the end", day.name, day.live_orders());
        let check = book(day).check;
        let mut contenders = [
            Contender::new("tidegate", || book(day)),
            Contender::new("std collections", || naively(day)),
            Contender::new("decode only", || Run { time: decoding(day), check }),
        ];
        compare(&mut report, day.name, day.timed.messages, count(rounds), &mut contenders);
    }
    let day = &days[0];
    let mut group = criterion.benchmark_group("book");
    group.throughput(Throughput::Elements(day.timed.messages));
    group.bench_function("tidegate", |b| b.iter_custom(|n| (0..n).map(|_| book(day).time).sum()));
    group.bench_function("std collections", |b| b.iter_custom(|n| (0..n).map(|_| naively(day).time).sum()));
    group.finish();
    criterion.final_summary();
}
