//! Books by level and quotes: the queue models, worked by hand, and trades that are reported apart from the levels.

use super::harness::{Emitted, SimInstrument, limit};
use flow::records::{Cancel, Exec, Quote};
use flow::{Flags, Px, Qty, Side};

const BUY: Flags = Flags::side_only(Side::Buy);
const SELL: Flags = Flags::side_only(Side::Sell);

/// A bid of 100 shares at 100 behind 300, then another 100 behind it.
fn queued(set: &[(&str, &str)]) -> SimInstrument {
    let mut rig = SimInstrument::new(set);
    rig.level(Side::Buy, 100, 300);
    rig.level(Side::Sell, 102, 50);
    assert_eq!(rig.new_order(limit(1, Side::Buy, 100, 100).on(3)), [Emitted::Ack(1, 0)]);
    rig.level(Side::Buy, 100, 400);
    assert_eq!(rig.ahead(1), 300, "what is added stands behind");
    rig
}

#[test]
fn a_decrease_is_divided_by_the_model() {
    for (model, power, first, second) in [("pro-rata-behind", "1", 270, 216), ("power", "2", 264, 201)] {
        let mut rig = queued(&[("queue_model", model), ("queue_power", power)]);
        // 40 gone of 300 and 100: 30, or by the squares 36.
        rig.level(Side::Buy, 100, 360);
        assert_eq!(rig.ahead(1), first, "{model}");
        // 72 gone of 270 and 90: 54. Of 264 and 96: 72 x 69,696 / 78,912 = 63.59.
        rig.level(Side::Buy, 100, 288);
        assert_eq!(rig.ahead(1), second, "{model}");
        // All gone: nobody is ahead.
        rig.level(Side::Buy, 100, 0);
        assert_eq!(rig.ahead(1), 0, "{model}");
        assert_eq!(rig.trade(3, SELL, 100, 30), [Emitted::Fill(1, 100, 30, 1)]);
    }
}

#[test]
fn a_trade_is_taken_off_once_though_it_is_reported_twice() {
    let mut rig = queued(&[]);
    assert_eq!(rig.trade(3, SELL, 100, 250), []);
    assert_eq!(rig.ahead(1), 50);
    // The level falls by the trade and by 30 more, of which 50/150 stood ahead.
    rig.level(Side::Buy, 100, 120);
    assert_eq!(rig.ahead(1), 40);
    assert_eq!(rig.trade(3, SELL, 100, 70), [Emitted::Fill(1, 100, 30, 1)]);
    // The other side's trades at our price are not ours.
    assert_eq!(rig.trade(3, BUY, 100, 500), []);
    assert_eq!(rig.trade(3, SELL, 99, 500), [Emitted::Fill(1, 100, 70, 1)]);
}

#[test]
fn executions_by_level_are_trades_and_decreases_at_once() {
    let mut rig = queued(&[]);
    let exec = |qty| Exec { px: Px(100), qty: Qty(qty), ..Exec::default() };
    assert_eq!(rig.market(3, BUY, &exec(280)), []);
    assert_eq!(rig.ahead(1), 20);
    // A cancel of 60 where 20 stand ahead and 100 behind: 10.
    rig.market(3, BUY, &Cancel { px: Px(100), qty: Qty(60), ..Cancel::default() });
    assert_eq!(rig.ahead(1), 10);
    assert_eq!(rig.market(3, BUY, &exec(25)), [Emitted::Fill(1, 100, 15, 1)]);
    // An auction and what is printed elsewhere fill nobody.
    assert_eq!(rig.market(3, BUY.with(Flags::AUCTION), &exec(10)), []);
}

#[test]
fn quotes_leave_the_queue_open_while_the_touch_is_elsewhere() {
    let mut rig = SimInstrument::new(&[]);
    let quote = |bid, bid_qty, ask, ask_qty| Quote {
        bid_px: Px(bid),
        bid_qty: Qty(bid_qty),
        ask_px: Px(ask),
        ask_qty: Qty(ask_qty),
        ..Quote::default()
    };
    rig.market(4, Flags::NONE, &quote(100, 300, 102, 50));
    rig.new_order(limit(1, Side::Buy, 100, 80).on(4));
    assert_eq!(rig.ahead(1), 300);
    rig.market(4, Flags::NONE, &quote(101, 40, 102, 50));
    assert_eq!(rig.ahead(1), 300, "the bid went up: nothing is known of ours");
    rig.market(4, Flags::NONE, &quote(100, 500, 102, 50));
    assert_eq!(rig.ahead(1), 500, "it is the best again: we stand at its end");
    rig.market(4, Flags::NONE, &quote(99, 10, 102, 50));
    assert_eq!(rig.ahead(1), 0, "nobody is left at our price");
    assert_eq!(rig.market(4, Flags::NONE, &quote(99, 10, 100, 50)), [Emitted::Fill(1, 100, 50, 1)]);
    assert_eq!(rig.market(4, Flags::NONE, &quote(99, 10, 100, 50)), [], "the same shares are not sold twice");
    assert_eq!(rig.market(4, Flags::NONE, &quote(99, 10, 99, 90)), [Emitted::Fill(1, 100, 30, 1)]);
}
