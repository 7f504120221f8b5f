//! Signed volume against a reference that adds up the whole day at every trade.

use crate::harness::{self, Emitted, INSTRUMENTS, Pipeline};
use crate::measures_trades::{counted, day, opening, trade, trades};
use flow::records::Cvd;
use flow::{Event, Flags, Kind, Ns, Qty, Side, Stage};
use proptest::prelude::*;
use stages::Space;
use stages::measures::cvd::Cvd as CvdMeasure;
use stages::measures::{Host, One};

fn pipeline() -> Pipeline<Host<One<CvdMeasure>>> {
    let space = Space { instruments: INSTRUMENTS, fills: 64, positions: 64 };
    let mut pipeline = Pipeline::new(Host::alone(&harness::params("cvd", &[]), space).unwrap());
    opening().0.iter().for_each(|event| assert!(pipeline.feed(event).is_empty()));
    pipeline
}

/// What follows from the last of these trades.
fn reference(trades: &[Event]) -> Vec<Emitted> {
    let last = trades.last().unwrap();
    let Some((instrument, ..)) = counted(last) else { return Vec::new() };
    let same_day = |e: &&Event| day(instrument, e.ts) == day(instrument, last.ts);
    let of_day = trades.iter().filter(same_day).filter_map(counted).filter(|t| t.0 == instrument);
    let of_day: Vec<_> = of_day.collect();
    let sum = |side| of_day.iter().filter(|t| t.2 == side).map(|t| t.1).sum::<u64>();
    let cvd = Cvd {
        cvd: sum(Side::Buy) as i64 - sum(Side::Sell) as i64,
        buy_qty: Qty(sum(Side::Buy)),
        sell_qty: Qty(sum(Side::Sell)),
        unsigned_qty: Qty(sum(Side::None)),
        trades: of_day.len() as u32,
        instance: 0,
        reserved: [0; 3],
    };
    vec![Emitted::bare(&Event::new(Ns(0), instrument, Flags::LAST_OF_GROUP, &cvd))]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]
    #[test]
    fn signed_volume_is_the_twins(trades in trades()) {
        let mut pipeline = pipeline();
        for at in 0..trades.len() {
            prop_assert_eq!(pipeline.feed(&trades[at]), reference(&trades[..=at]), "after {:?}", trades[at]);
        }
    }
}

#[test]
fn the_worked_numbers() {
    let mut pipeline = pipeline();
    let sizes = [(100, true), (200, true), (50, true), (300, false), (100, false), (150, true), (80, false)];
    let cvd = sizes.map(|(qty, bought)| {
        let emitted = pipeline.feed(&trade(1, if bought { Side::Buy } else { Side::Sell }, qty));
        emitted[0].0.record::<Cvd>().cvd
    });
    assert_eq!(cvd, [100, 300, 350, 50, -50, 100, 20]);
}

#[test]
fn a_cleared_book_begins_no_session() {
    assert!(!pipeline().stage.reads().has(Kind::Clear));
}

#[test]
fn sums_saturate() {
    let mut pipeline = pipeline();
    for _ in 0..3 {
        pipeline.feed(&trade(1, Side::Buy, u64::MAX));
    }
    let emitted = pipeline.feed(&trade(1, Side::Sell, 1));
    let cvd = emitted[0].0.record::<Cvd>();
    assert_eq!((cvd.buy_qty, cvd.sell_qty), (Qty(u64::MAX), Qty(1)));
    assert_eq!(cvd.cvd, i64::MAX);
}
