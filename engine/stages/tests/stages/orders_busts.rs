//! Busts and corrections by worked examples: the order, the position, what is an anomaly.

use crate::harness::{self, Behind, Pipeline, kinds};
use crate::orders_harness::*;
use flow::{Action, AnomalyKind, Event, Flags, Kind, Listings, OrderId, Px, Side};
use stages::orders::{Ended, OrdersStage, State};

const NONE: OrderId = OrderId(0);
const ONE: i64 = Px::ONE;

/// Order 1 of that quantity on instrument 1, taken by the venue.
fn with_order(qty: u64) -> Pipeline<Behind<OrdersStage>> {
    let mut pipeline = pipeline(8, 8, 8);
    pipeline.feed(&new(1, Side::Buy, qty));
    pipeline.feed(&ack(1, id(1), NONE));
    pipeline
}

fn buys(number: u64, px: i64, qty: u64) -> Event {
    execution(1, id(1), number, Side::Buy, (px * ONE, qty))
}

/// Feeds events of which none is an anomaly.
#[track_caller]
fn feed(pipeline: &mut Pipeline<Behind<OrdersStage>>, events: &[Event]) {
    for event in events {
        let emitted = pipeline.feed(event);
        assert!(anomalies(&emitted).is_empty(), "{event:?}: {emitted:?}");
    }
}

/// Quantity, average, realised of the position on instrument 1.
fn held(pipeline: &Pipeline<Behind<OrdersStage>>) -> (i64, Px, i128) {
    let position = pipeline.stage.portfolio.positions().find(|p| p.2 == 1).expect("it is open");
    (position.3.qty, position.3.avg_px(), position.3.realised)
}

fn ended(state: State, filled: u64, busted: u64) -> Option<Ended> {
    Some(Ended { state, filled, busted })
}

#[test]
fn an_order_is_busted_when_nothing_of_it_stands() {
    let mut pipeline = with_order(10);
    let (first, second) = (buys(1, 10, 4), buys(2, 11, 6));
    feed(&mut pipeline, &[first, second]);
    assert_eq!(pipeline.stage.ended(id(1)), ended(State::Done, 10, 0));
    let emitted = pipeline.feed(&bust(&first, 3));
    assert_eq!(kinds(&emitted), [Kind::Position, Kind::PositionMoney, Kind::Booked]);
    assert_eq!((position(&emitted).unwrap().qty, position(&emitted).unwrap().avg_px), (6, Px(11 * ONE)));
    assert_eq!(money(&emitted).unwrap().fees, -3, "what is given back comes off the fees");
    assert_eq!(pipeline.stage.ended(id(1)), ended(State::Done, 6, 4));
    feed(&mut pipeline, &[bust(&second, 0)]);
    assert_eq!(pipeline.stage.ended(id(1)), ended(State::Busted, 0, 10));
    assert_eq!(held(&pipeline), (0, Px::NONE, 0));
    assert_eq!(anomalies(&pipeline.feed(&cancelled(1, id(1)))), [(AnomalyKind::IllegalTransition as u16, id(1).0)]);
    feed(&mut pipeline, &[reject(1, id(1), Action::Cancel)]);
}

#[test]
fn what_is_busted_is_not_open_again() {
    let mut pipeline = with_order(10);
    let first = buys(1, 10, 4);
    feed(&mut pipeline, &[first, bust(&first, 0)]);
    let order = pipeline.stage.order(id(1)).unwrap();
    assert_eq!((order.state, order.filled, order.busted, order.left()), (State::Live, 0, 4, 6));
    assert_eq!(anomalies(&pipeline.feed(&buys(2, 10, 7)))[0].0, AnomalyKind::IllegalTransition as u16, "six are left");
    feed(&mut pipeline, &[buys(3, 10, 6)]);
    assert_eq!(pipeline.stage.ended(id(1)), ended(State::Done, 6, 4));
}

#[test]
fn a_cancelled_order_stays_done_while_something_stands() {
    let mut pipeline = with_order(10);
    let (first, second) = (buys(1, 10, 4), buys(2, 10, 1));
    feed(&mut pipeline, &[first, second, cancelled(1, id(1)), bust(&first, 0)]);
    assert_eq!(pipeline.stage.ended(id(1)), ended(State::Done, 1, 4));
    feed(&mut pipeline, &[bust(&second, 0)]);
    assert_eq!(pipeline.stage.ended(id(1)), ended(State::Busted, 0, 5));
}

/// The venue names the order that was filled; it is another one by now.
#[test]
fn a_bust_finds_the_order_under_its_last_id() {
    let mut pipeline = with_order(10);
    let first = buys(1, 10, 4);
    feed(&mut pipeline, &[first, change(Action::Replace, 1, id(1), 12), bust(&first, 0)]);
    assert_eq!(pipeline.stage.order(id(1)).unwrap().state, State::ReplacePending);
    feed(&mut pipeline, &[ack(1, id(2), id(1)), execution(1, id(2), 2, Side::Buy, (10 * ONE, 3))]);
    let order = pipeline.stage.order(id(2)).unwrap();
    assert_eq!((order.root, order.filled, order.busted, order.left()), (id(1), 3, 4, 5));
    feed(&mut pipeline, &[change(Action::Replace, 1, id(2), 20), ack(1, id(3), id(2))]);
    feed(&mut pipeline, &[bust(&execution(1, id(2), 2, Side::Buy, (10 * ONE, 3)), 0)]);
    let order = pipeline.stage.order(id(3)).unwrap();
    assert_eq!((order.state, order.filled, order.busted, order.left()), (State::Live, 0, 7, 13));
    feed(&mut pipeline, &[buys(1, 11, 4)]);
    let order = pipeline.stage.order(id(3)).unwrap();
    assert_eq!((order.state, order.filled, order.busted, order.left()), (State::PartlyFilled, 4, 3, 13), "corrected");
}

#[test]
fn a_correction_takes_the_place_of_the_busted_fill() {
    let mut pipeline = with_order(10);
    let whole = buys(1, 10, 10);
    feed(&mut pipeline, &[whole, bust(&whole, 5)]);
    assert_eq!(pipeline.stage.ended(id(1)).unwrap().state, State::Busted);
    let less = buys(1, 9, 8);
    feed(&mut pipeline, &[less]);
    assert_eq!((pipeline.stage.ended(id(1)), held(&pipeline).0), (ended(State::Done, 8, 2), 8));
    let again = pipeline.feed(&buys(1, 9, 1));
    assert_eq!(anomalies(&again), [(AnomalyKind::RepeatedFill as u16, 1)], "the correction stands");
    assert_eq!((again.len(), held(&pipeline).0), (1, 8));
    assert!(pipeline.feed(&cost_of(&buys(1, 9, 1), 7)).is_empty(), "and its cost with it");
    assert_eq!(pipeline.feed(&cost_of(&buys(1, 9, 1), 7)).len(), 1, "a cost of its own counts");
    let mut pipeline = with_order(10);
    feed(&mut pipeline, &[whole, bust(&whole, 0)]);
    let emitted = pipeline.feed(&buys(1, 9, 11));
    assert_eq!(anomalies(&emitted), [(AnomalyKind::IllegalTransition as u16, id(1).0)], "more than was busted");
    assert_eq!(
        (position(&emitted).unwrap().qty, pipeline.stage.ended(id(1)).unwrap().filled),
        (11, 0),
        "but money all the same"
    );
}

#[test]
fn what_names_no_fill_beyond_doubt_reverses_nothing() {
    let mut pipeline = with_order(10);
    let first = buys(1, 10, 4);
    feed(&mut pipeline, &[first]);
    let other = |change: fn(&mut Event)| {
        let mut event = bust(&first, 7);
        change(&mut event);
        event
    };
    use flow::records::Bust;
    let cases: [(Event, AnomalyKind, u64); 8] = [
        (other(|e| e.record_mut::<Bust>().match_id = 2), AnomalyKind::UnknownFill, 2),
        (other(|e| e.record_mut::<Bust>().match_id = 0), AnomalyKind::UnknownFill, 0),
        (other(|e| e.record_mut::<Bust>().order_id = id(9).0), AnomalyKind::UnknownFill, 1),
        (other(|e| e.record_mut::<Bust>().qty.0 = 5), AnomalyKind::BustMismatch, 1),
        (other(|e| e.record_mut::<Bust>().qty.0 = 3), AnomalyKind::BustMismatch, 1),
        (other(|e| e.record_mut::<Bust>().px.0 += 1), AnomalyKind::BustMismatch, 1),
        (other(|e| e.flags = Flags::side_only(Side::Sell)), AnomalyKind::BustMismatch, 1),
        (other(|e| e.instrument = 2), AnomalyKind::BustMismatch, 1),
    ];
    for (event, what, detail) in cases {
        let emitted = pipeline.feed(&event);
        assert_eq!(
            (kinds(&emitted), anomalies(&emitted)),
            (vec![Kind::Anomaly], vec![(what as u16, detail)]),
            "{event:?}"
        );
    }
    assert_eq!((held(&pipeline).0, pipeline.stage.order(id(1)).unwrap().filled), (4, 4));
    feed(&mut pipeline, &[bust(&first, 0)]);
    let again = pipeline.feed(&bust(&first, 7));
    assert_eq!((kinds(&again), anomalies(&again)), (vec![Kind::Anomaly], vec![(AnomalyKind::RepeatedBust as u16, 1)]));
    let (mut old, fills) = (with_order(100), u64::from(FILLS));
    (1..=fills + 1).for_each(|n| drop(old.feed(&buys(n, 10, 1))));
    let emitted = old.feed(&bust(&buys(1, 10, 1), 0));
    assert_eq!(anomalies(&emitted), [(AnomalyKind::UnknownFill as u16, 1)], "it is forgotten");
    feed(&mut old, &[bust(&buys(2, 10, 1), 0)]);
    assert_eq!(held(&old).0, FILLS.into());
}

/// Two stages that were loaded from different moments disagree about a fill: a report changes quantities, and nothing panics.
#[test]
fn a_bust_of_what_is_busted_already_leaves_the_state_of_its_order() {
    let listings = Listings::default();
    let mut first = with_order(10);
    let whole = buys(1, 10, 10);
    feed(&mut first, &[whole]);
    let before = harness::saved(&first.stage.portfolio, &listings);
    feed(&mut first, &[bust(&whole, 0)]);
    assert_eq!(first.stage.ended(id(1)), ended(State::Busted, 0, 10));
    harness::load(&mut first.stage.portfolio, &listings, &before).unwrap();
    feed(&mut first, &[bust(&whole, 0)]);
    assert_eq!((first.stage.ended(id(1)).unwrap().state, held(&first).0), (State::Busted, 0));
}

/// Positions as if the busted fill had never been: the table of the page.
#[test]
fn a_position_is_what_the_fills_that_stand_make_of_it() {
    let other = OrderId::new(ACCOUNT, STRATEGY, 2);
    let day = [
        buys(1, 10, 100),
        buys(2, 20, 100),
        execution(1, other, 3, Side::Sell, (18 * ONE, 100)),
        execution(1, other, 4, Side::Sell, (19 * ONE, 50)),
    ];
    let after = |busted: usize| {
        let mut pipeline = pipeline(8, 8, 8);
        for event in &day {
            pipeline.feed(event);
        }
        pipeline.feed(&bust(&day[busted], 0));
        held(&pipeline)
    };
    let px = |tenths: i64| Px(tenths * ONE / 10);
    let money = |units: i128| units * i128::from(ONE);
    assert_eq!(after(0), (-50, px(190), money(-200)));
    assert_eq!(after(1), (-50, px(190), money(800)));
    assert_eq!(after(2), (150, px(150), money(200)));
    assert_eq!(after(3), (100, px(150), money(300)));
}

/// Fills of another journal count for their position alone, and so do their busts.
#[test]
fn what_another_journal_left_can_be_taken_back() {
    let mut pipeline = pipeline(8, 8, 8);
    let left = execution(1, id(40), 9, Side::Sell, (10 * ONE, 5));
    feed(&mut pipeline, &[Event { flags: left.flags.with(Flags::SNAPSHOT), ..left }, bust(&left, 1)]);
    assert_eq!((held(&pipeline).0, pipeline.stage.ended(id(40))), (0, None));
}

/// Two ways to the same fills, orders and positions: the same bytes. Tables were filled in other orders, the ring has
/// wrapped in one of them, and what was forgotten came in another order.
#[test]
fn equal_states_are_equal_bytes() {
    let listings = Listings::default();
    let limit = u64::from(FILLS);
    let fills: Vec<_> = (1..=limit).map(|n| execution(1, id(1 + n % 3), n, Side::Buy, (n as i64, 1))).collect();
    let begin = || {
        let mut pipeline = pipeline(8, 8, 8);
        for n in 1..=3 {
            pipeline.feed(&new(1, Side::Buy, 50));
            pipeline.feed(&ack(1, id(n), NONE));
        }
        pipeline
    };
    let (mut one, mut two) = (begin(), begin());
    let early: Vec<_> = (0..3).map(|n| execution(2, id(50), 100 + n, Side::Sell, (7, 1))).collect();
    early.iter().for_each(|e| drop(one.feed(e)));
    early.iter().rev().for_each(|e| drop(two.feed(e)));
    fills.iter().for_each(|e| feed(&mut one, &[*e]));
    fills.iter().for_each(|e| feed(&mut two, &[*e]));
    [2, 9, 4].iter().for_each(|n| feed(&mut one, &[bust(&fills[*n], 1)]));
    [9, 4, 2].iter().for_each(|n| feed(&mut two, &[bust(&fills[*n], 1)]));
    let saved = harness::saved(&one.stage, &listings);
    assert!(saved == harness::saved(&two.stage, &listings));
    let mut three = pipeline(8, 8, 8);
    harness::load(&mut three.stage, &listings, &saved).unwrap();
    let next = buys(500, 3, 2);
    for pipeline in [&mut one, &mut two, &mut three] {
        pipeline.feed(&next);
    }
    assert!(harness::saved(&three.stage, &listings) == harness::saved(&two.stage, &listings));
}
