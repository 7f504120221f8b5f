//! Slope of depth behind the book stage, against a line through the book's own depth at every top that it emits.

use crate::harness::{self, INSTRUMENTS, Pipeline};
use crate::stream::{listing, opening, steps};
use flow::records::{DepthSlope, Level};
use flow::{BookKind, Event, EventId, Flags, InstrumentType, Kind, Kinds, Ns, Out, Px, Qty, Real, Side, Stage};
use proptest::prelude::*;
use stages::Space;
use stages::book::{BookStage, Weighing};
use stages::measures::depth_slope::DepthSlope as SlopeMeasure;
use stages::measures::{Host, One};

const SPACE: Space = Space { instruments: INSTRUMENTS, fills: 64, positions: 64 };

/// A book that tells the slope of so many levels, and the measure behind it.
struct Line {
    book: Pipeline<BookStage>,
    measure: Host<One<SlopeMeasure>>,
    told: Out,
    measured: Out,
    seq: u64,
}

impl Line {
    fn new(levels: u32) -> Line {
        let params = harness::params("depth-slope", &[("levels", &levels.to_string())]);
        Line {
            book: harness::book_weighing(64, 256, 8, &[Weighing::slope(levels)]),
            measure: Host::alone(&params, SPACE).unwrap(),
            told: Out::new(8, harness::EVERYTHING),
            measured: Out::new(36, Kinds::ALL),
            seq: 0,
        }
    }

    /// What the measure says of each top that this input causes, with its instrument.
    fn feed(&mut self, input: &Event) -> Vec<(u32, DepthSlope)> {
        self.seq += 1;
        let input = Event { id: EventId::new(self.seq, 0, 0), ..*input };
        self.told.begin(&input);
        self.book.stage.on_event(&input, &mut self.told);
        let mut found = Vec::new();
        for event in std::iter::once(&input).chain(self.told.events()) {
            if self.measure.reads().has(event.kind) {
                self.measured.begin(event);
                self.measure.on_event(event, &mut self.measured);
                let slopes = self.measured.events().iter().map(|slope| (slope.instrument, *slope.record()));
                let before = found.len();
                found.extend(slopes);
                assert_eq!(found.len() - before, usize::from(event.kind == Kind::BookTop), "one for each top");
            }
        }
        found
    }

    /// The slope of a side by the textbook, about the means.
    fn naive(&self, instrument: u32, side: Side, levels: usize) -> Option<f64> {
        let book = self.book.stage.books().book(instrument)?;
        let best = |side| book.depth(side).next().map(|level| level.px.0 as f64 / 1e9);
        let mid = (best(Side::Buy)? + best(Side::Sell)?) / 2.0;
        let sign = if side == Side::Buy { -1.0 } else { 1.0 };
        let mut depth = 0.0;
        let points: Vec<(f64, f64)> = book
            .depth(side)
            .take(levels)
            .map(|level| {
                depth += level.qty.0 as f64;
                (sign * (level.px.0 as f64 / 1e9 - mid), depth)
            })
            .collect();
        let of = points.len() as f64;
        let (x, y) = (points.iter().map(|p| p.0).sum::<f64>() / of, points.iter().map(|p| p.1).sum::<f64>() / of);
        let xy = points.iter().map(|p| (p.0 - x) * (p.1 - y)).sum::<f64>();
        let xx = points.iter().map(|p| (p.0 - x) * (p.0 - x)).sum::<f64>();
        (points.len() > 1).then_some(xy / xx)
    }
}

fn near(found: Real, expected: Option<f64>) -> bool {
    match (found.known(), expected) {
        (Some(found), Some(expected)) => (found - expected).abs() <= 1e-6 * expected.abs(),
        (found, expected) => found.is_none() && expected.is_none(),
    }
}

#[test]
fn the_worked_slopes() {
    let mut line = Line::new(5);
    for event in listing(3, BookKind::ByLevel, InstrumentType::Equity) {
        line.feed(&event);
    }
    let levels = [
        (Side::Buy, 99_980, 500),
        (Side::Buy, 99_990, 200),
        (Side::Sell, 100_040, 300),
        (Side::Sell, 100_030, 400),
        (Side::Buy, 100_000, 300),
        (Side::Sell, 100_020, 100),
    ];
    let mut last = Vec::new();
    for (side, px, qty) in levels {
        let level = Level { px: Px(px * 1_000_000), qty: Qty(qty), ..Level::default() };
        last = line.feed(&Event { source: 1, ..Event::new(Ns(1), 3, Flags::LAST_OF_GROUP.with_side(side), &level) });
    }
    let [(3, found)] = last[..] else { panic!("one slope: {last:?}") };
    assert!(near(found.bid, Some(35_000.0)) && near(found.ask, Some(35_000.0)), "{found:?}");
    assert_eq!(found.levels, 5);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]
    #[test]
    fn slopes_are_of_the_books_own_depth(steps in steps(300), levels in 2..6_u32) {
        let mut line = Line::new(levels);
        for input in opening().0.into_iter().chain(steps.iter().map(|step| step.event(2))) {
            let found = line.feed(&input);
            let Some((instrument, last)) = found.last() else { continue };
            for (slope, side) in [(last.bid, Side::Buy), (last.ask, Side::Sell)] {
                let expected = line.naive(*instrument, side, levels as usize);
                prop_assert!(near(slope, expected), "{slope:?} is {expected:?}");
            }
        }
    }
}
