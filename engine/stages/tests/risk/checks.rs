//! Every check at its limit and one past it, and without a limit or a reference.

use crate::desk::{Desk, cents, id, passed, refusal};
use flow::records::{Bust, Cancelled, Fill, Reject, Request};
use flow::{Px, Qty, Side};
use stages::risk::{CHECKS, Check, Flaw, PARAMS};

#[test]
fn the_registry_is_numbered_and_whole() {
    for (number, line) in (1..).zip(CHECKS) {
        assert_eq!((line.number, line.check as u16), (number, number), "{}", line.name);
        assert!(line.params.iter().all(|p| PARAMS.iter().any(|q| q.name == p.name)), "{}", line.name);
    }
}

#[test]
fn without_a_limit_nothing_passes() {
    for line in CHECKS.iter().filter(|l| !l.params.is_empty()) {
        let mut desk = Desk::new(&[(line.params[0].name, 0)]);
        let (check, limit, _) = refusal(desk.buy(1));
        assert_eq!((check, limit), (line.check, 0));
    }
}

#[test]
fn what_makes_no_sense_says_why() {
    let mut desk = Desk::new(&[]);
    let sound = desk.terms(1, 10_000);
    let flaws: [(Flaw, Request); 8] = [
        (Flaw::OrderType, Request { order_type: 3, ..sound }),
        (Flaw::Tif, Request { tif: 5, ..sound }),
        (Flaw::Quantity, Request { qty: Qty(0), ..sound }),
        (Flaw::Price, Request { px: Px(0), ..sound }),
        (Flaw::Price, Request { px: Px::NONE, ..sound }),
        (Flaw::Price, Request { order_type: 2, ..sound }),
        (Flaw::Tick, Request { px: Px(cents(10_000).0 + 1), ..sound }),
        (Flaw::OrderId, Request { order_id: 5, ..sound }),
    ];
    for (flaw, request) in flaws {
        assert_eq!(refusal(desk.ask(Side::Buy, &request)), (Check::Sanity, 0, flaw as i64), "{request:?}");
    }
    assert_eq!(refusal(desk.ask(Side::None, &sound)), (Check::Sanity, 0, Flaw::Side as i64));
    for instrument in [0, 2, 4, u32::MAX] {
        let words = desk.feed(9, instrument, Side::Buy, &sound);
        assert_eq!(refusal(words[0]), (Check::Sanity, 0, Flaw::Listing as i64), "{instrument}");
    }
    assert_eq!(refusal(desk.replace(77, 1)), (Check::Sanity, 0, Flaw::Predecessor as i64));
    assert!(passed(desk.ask(Side::Buy, &sound)));
}

#[test]
fn quantity_and_worth_at_their_limits() {
    let mut desk = Desk::new(&[("max_quantity", 100), ("max_notional", 9_000)]);
    assert!(passed(desk.buy(90)));
    assert_eq!(refusal(desk.buy(91)), (Check::Notional, 9_000, 9_100));
    assert_eq!(refusal(desk.buy(101)), (Check::Quantity, 100, 101));
    assert_eq!(refusal(desk.buy(u64::MAX)), (Check::Quantity, 100, i64::MAX));
    let cent_over = desk.terms(90, 10_001);
    assert_eq!(refusal(desk.ask(Side::Sell, &cent_over)), (Check::Notional, 9_000, 9_001));
    let market = Request { order_type: 2, px: Px::NONE, ..cent_over };
    assert_eq!(refusal(desk.ask(Side::Buy, &market)), (Check::Notional, 9_000, 9_001));
    assert!(passed(desk.ask(Side::Sell, &market)));
    desk.market(0, 10_001);
    let market = Request { qty: Qty(1), ..market };
    assert_eq!(refusal(desk.ask(Side::Sell, &market)), (Check::Notional, 9_000, i64::MAX));
}

#[test]
fn the_collar_is_about_the_middle() {
    let mut desk = Desk::new(&[("collar_bps", 100)]);
    for (px, value) in [(10_100, None), (9_900, None), (10_101, Some(101)), (9_899, Some(101))] {
        let request = desk.terms(1, px);
        let word = desk.ask(Side::Buy, &request);
        match value {
            None => assert!(passed(word), "{px}"),
            Some(value) => assert_eq!(refusal(word), (Check::Collar, 100, value)),
        }
    }
    desk.market(0, 20_000);
    assert_eq!(refusal(desk.buy(1)), (Check::Collar, 100, 5_000));
    desk.market(0, 0);
    assert_eq!(refusal(desk.buy(1)), (Check::Collar, 100, i64::MAX));
}

#[test]
fn the_position_counts_what_is_open() {
    let mut desk = Desk::new(&[("max_position", 100)]);
    assert!(passed(desk.buy(60)));
    assert!(passed(desk.sell(100)), "each side for itself");
    assert_eq!(refusal(desk.buy(41)), (Check::Position, 100, 101));
    desk.input(1, Side::Buy, &Fill { order_id: id(1), qty: Qty(60), ..Default::default() });
    assert_eq!(refusal(desk.buy(41)), (Check::Position, 100, 101), "filled or open is the same");
    assert!(passed(desk.sell(60)), "60 - 160 = -100");
    assert_eq!(refusal(desk.sell(1)), (Check::Position, 100, 101));
    desk.input(1, Side::Sell, &Cancelled { order_id: id(2), ..Default::default() });
    assert!(passed(desk.sell(1)));
}

#[test]
fn a_replace_gives_back_what_it_replaces() {
    let mut desk = Desk::new(&[("max_position", 100), ("max_open_orders", 1)]);
    assert!(passed(desk.buy(60)));
    assert_eq!(refusal(desk.replace(1, 101)), (Check::Position, 100, 101));
    assert!(passed(desk.replace(1, 100)));
    assert_eq!(refusal(desk.replace(1, 90)), (Check::Sanity, 0, Flaw::Predecessor as i64), "one at a time");
    assert_eq!(refusal(desk.buy(1)), (Check::Position, 100, 101), "the larger of the two counts");
    desk.input(1, Side::Buy, &Reject { order_id: id(3), action: 3, ..Default::default() });
    assert_eq!(refusal(desk.buy(1)), (Check::OpenOrders, 1, 2), "the old one lives on");
    desk.input(1, Side::Buy, &Fill { order_id: id(1), qty: Qty(20), ..Default::default() });
    assert_eq!(refusal(desk.replace(1, 20)), (Check::Sanity, 0, Flaw::Quantity as i64), "20 are executed");
    assert!(passed(desk.replace(1, 100)), "20 are had, 80 would be open");
}

#[test]
fn open_orders_have_a_limit_and_a_table() {
    let mut desk = Desk::new(&[("max_open_orders", 3), ("open_order_slots", 2)]);
    assert!(passed(desk.buy(1)) && passed(desk.buy(1)));
    assert_eq!(refusal(desk.buy(1)), (Check::OpenOrders, 2, 3), "the table");
    assert_eq!(refusal(desk.replace(1, 2)), (Check::OpenOrders, 2, 3), "a replace takes a place");
    desk.input(1, Side::Buy, &Reject { order_id: id(1), action: 2, ..Default::default() });
    assert!(!passed(desk.buy(1)), "a cancel that is refused frees nothing");
    desk.input(1, Side::Buy, &Reject { order_id: id(1), action: 1, ..Default::default() });
    assert!(passed(desk.buy(1)));
}

#[test]
fn the_throttle_counts_what_passed_within_the_window() {
    let mut desk = Desk::new(&[("max_messages", 2), ("throttle_window_ms", 10)]);
    assert!(passed(desk.buy(1)) && passed(desk.buy(1)));
    desk.ms += 9;
    assert_eq!(refusal(desk.buy(1)), (Check::Throttle, 2, 3));
    desk.ms += 1;
    assert!(passed(desk.buy(1)) && passed(desk.buy(1)) && !passed(desk.buy(1)));
}

#[test]
fn old_data_and_old_ids_are_refused() {
    let mut desk = Desk::new(&[("max_data_age_ms", 10)]);
    desk.ms += 10;
    assert!(passed(desk.buy(1)));
    desk.ms += 1;
    assert_eq!(refusal(desk.buy(1)), (Check::Stale, 10, 11));
    desk.market(9_999, 10_001);
    let request = Request { order_id: id(1), ..desk.terms(1, 10_000) };
    assert_eq!(refusal(desk.ask(Side::Buy, &request)), (Check::Duplicate, 1, 1));
    assert!(passed(desk.buy(1)));
}

/// A bust gives the position back, once; it opens nothing, and its correction closes nothing.
#[test]
fn a_bust_changes_the_position_and_nothing_that_is_open() {
    let mut desk = Desk::new(&[("max_position", 100), ("max_open_orders", 1)]);
    assert!(passed(desk.buy(60)));
    let fill = Fill { order_id: id(1), match_id: 5, px: cents(10_000), qty: Qty(40), cause: 0 };
    desk.input(1, Side::Buy, &fill);
    let bust = Bust { order_id: id(1), match_id: 5, px: cents(10_000), qty: Qty(40), fee: 0 };
    desk.input(1, Side::Buy, &Bust { qty: Qty(41), ..bust });
    desk.input(1, Side::Buy, &bust);
    desk.input(1, Side::Buy, &bust);
    assert_eq!(refusal(desk.buy(81)), (Check::Position, 100, 101), "20 are open, nothing is held");
    assert_eq!(refusal(desk.buy(80)).0, Check::OpenOrders, "the order is still open");
    desk.input(1, Side::Buy, &Fill { qty: Qty(30), ..fill });
    assert_eq!(refusal(desk.buy(51)), (Check::Position, 100, 101), "30 are held, 20 are open");
    desk.input(1, Side::Buy, &Fill { match_id: 6, qty: Qty(20), ..fill });
    assert!(passed(desk.buy(50)), "50 are held, nothing is open");
}
