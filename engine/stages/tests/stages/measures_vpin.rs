//! VPIN by aggressor against a reference that keeps every share; what one trade may do; what a state must hold.

use crate::harness::{self, Emitted, INSTRUMENTS, Pipeline};
use crate::measures_trades::{counted, day, opening, trade, trades};
use flow::records::{Vpin, VpinFlow};
use flow::{Event, Flags, Ns, Qty, Real, Side, StateError};
use proptest::prelude::*;
use stages::Space;
use stages::measures::vpin::Vpin as VpinMeasure;
use stages::measures::{Host, One};

/// Quantity of a bucket and window.
const TERMS: [(u64, u32); 5] = [(1, 1), (7, 3), (10, 5), (50, 2), (64, 9)];

fn pipeline((quantity, window): (u64, u32)) -> Pipeline<Host<One<VpinMeasure>>> {
    let (quantity, window) = (quantity.to_string(), window.to_string());
    let params = harness::params("vpin", &[("bucket_qty", &quantity), ("window", &window)]);
    let mut pipeline =
        Pipeline::new(Host::alone(&params, Space { instruments: INSTRUMENTS, fills: 64, positions: 64 }).unwrap());
    opening().0.iter().for_each(|event| assert!(pipeline.feed(event).is_empty()));
    pipeline
}

/// What follows from the last of these trades: all shares in a row, cut into buckets.
fn reference(trades: &[Event], (quantity, window): (u64, u32)) -> Vec<Emitted> {
    let last = trades.last().unwrap();
    let Some((instrument, volume, side)) = counted(last) else { return Vec::new() };
    let (mut shares, mut closed_before) = (Vec::new(), 0);
    let (mut bought, mut sold, mut unsigned) = (0, 0, 0);
    for event in trades {
        let Some((_, qty, side)) = counted(event).filter(|t| t.0 == instrument) else { continue };
        let today = day(instrument, event.ts) == day(instrument, last.ts);
        let sum = match side {
            Side::Buy => &mut bought,
            Side::Sell => &mut sold,
            Side::None => &mut unsigned,
        };
        *sum += if today { qty } else { 0 };
        if side != Side::None {
            shares.extend(std::iter::repeat_n(side == Side::Buy, qty as usize));
        }
        if !today {
            closed_before = shares.len() as u64 / quantity;
        }
    }
    let added = if side == Side::None { 0 } else { volume };
    let closed = shares.len() as u64 / quantity - (shares.len() as u64 - added) / quantity;
    if closed == 0 {
        return Vec::new();
    }
    let buckets: Vec<u64> =
        shares.chunks_exact(quantity as usize).map(|b| b.iter().filter(|bought| **bought).count() as u64).collect();
    let of_window = buckets.len().checked_sub(window as usize).map(|from| &buckets[from..]);
    let imbalance = |b: &[u64]| b.iter().map(|bought| bought.abs_diff(quantity - bought)).sum::<u64>();
    let vpin = Vpin {
        vpin: Real::of(of_window.map(|b| imbalance(b) as f64 / (quantity * u64::from(window)) as f64)),
        bucket_qty: Qty(quantity),
        buckets: buckets.len() as u64 - closed_before,
        closed: closed as u32,
        window,
        mode: 1,
        instance: 0,
        reserved: [0; 6],
    };
    let flow = VpinFlow {
        buy_qty: Qty(bought),
        sell_qty: Qty(sold),
        unsigned_qty: Qty(unsigned),
        bucket_buy_qty: Qty(buckets[buckets.len() - 1]),
        bucket_sell_qty: Qty(quantity - buckets[buckets.len() - 1]),
    };
    let vpin = Event::new(Ns(0), instrument, Flags::NONE, &vpin);
    vec![Emitted::bare(&vpin), Emitted::bare(&Event::new(Ns(0), instrument, Flags::LAST_OF_GROUP, &flow))]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    #[test]
    fn buckets_are_the_twins(trades in trades(), terms in 0..TERMS.len()) {
        let (mut pipeline, terms) = (pipeline(TERMS[terms]), TERMS[terms]);
        for at in 0..trades.len() {
            let emitted = pipeline.feed(&trades[at]);
            prop_assert_eq!(&emitted, &reference(&trades[..=at], terms), "after {:?}", trades[at]);
            for value in emitted.iter().filter_map(|s| s.0.get::<Vpin>()) {
                prop_assert!(value.vpin.known().is_none_or(|v| (0.0..=1.0).contains(&v)));
            }
        }
    }

    #[test]
    fn cutting_a_trade_changes_no_bucket(pieces in prop::collection::vec(1..40_u64, 1..20), bought in any::<bool>()) {
        let side = if bought { Side::Buy } else { Side::Sell };
        let (mut whole, mut cut) = (pipeline((10, 4)), pipeline((10, 4)));
        for other in [whole.feed(&trade(1, Side::Sell, 13)), cut.feed(&trade(1, Side::Sell, 13))] {
            prop_assert_eq!(other.len(), 2);
        }
        let at_once = whole.feed(&trade(1, side, pieces.iter().sum()));
        let last = pieces.iter().flat_map(|qty| cut.feed(&trade(1, side, *qty))).collect::<Vec<_>>();
        let values = |emitted: &[Emitted]| emitted.iter().filter_map(|s| s.0.get::<Vpin>()).next_back().map(|v| v.vpin);
        prop_assert_eq!(values(&at_once), values(&last));
        let listings = opening().1;
        prop_assert_eq!(harness::saved(&whole.stage, &listings), harness::saved(&cut.stage, &listings));
    }
}

#[test]
fn the_largest_trade_fills_buckets_without_end() {
    for terms in [(1, 1), (3, 4_096), (1_000_000_000_000_000, 4_096)] {
        let mut pipeline = pipeline(terms);
        pipeline.feed(&trade(1, Side::Sell, 1));
        let mut filled = 1 % u128::from(terms.0);
        for _ in 0..4 {
            let emitted = pipeline.feed(&trade(1, Side::Buy, u64::MAX));
            let (vpin, flow) = (emitted[0].0.record::<Vpin>(), emitted[1].0.record::<VpinFlow>());
            let volume = filled + u128::from(u64::MAX);
            filled = volume % u128::from(terms.0);
            assert_eq!(vpin.closed, u32::try_from(volume / u128::from(terms.0)).unwrap_or(u32::MAX));
            assert!(vpin.vpin.known().is_some_and(|v| v > 0.999_999 && v <= 1.0));
            assert_eq!((flow.bucket_buy_qty, flow.buy_qty), (Qty(terms.0), Qty(u64::MAX)));
        }
    }
}

#[test]
fn states_of_other_terms_or_with_wrong_sums_are_refused() {
    let listings = opening().1;
    let mut pipeline = self::pipeline((10, 3));
    for qty in [25, 4, 40] {
        pipeline.feed(&trade(4, Side::Buy, qty));
    }
    let bytes = harness::saved(&pipeline.stage, &listings);
    for terms in [(11, 3), (10, 4)] {
        let fault = harness::load(&mut self::pipeline(terms).stage, &listings, &bytes);
        assert!(matches!(fault, Err(StateError::Inconsistent(_))), "{fault:?}");
    }
    let whole = (0..bytes.len()).filter(|cut| harness::load(&mut pipeline.stage, &listings, &bytes[..*cut]).is_ok());
    assert_eq!(whole.count(), 0);
    // The last byte is that the state has no moves of bars; before it stands the ring of the
    // last instrument, three imbalances of 10.
    let mut wrong = bytes.clone();
    let at = bytes.len() - 2;
    assert_eq!(bytes[at], 10);
    wrong[at] = 9;
    let fault = harness::load(&mut pipeline.stage, &listings, &wrong);
    assert!(matches!(fault, Err(StateError::Inconsistent(_))), "{fault:?}");
}
