//! No displayed share is sold to us twice, and no print fills more than it traded: each case was built against a venue
//! that was kinder.

use super::harness::{Emitted, SimInstrument, limit};
use flow::records::{Add, Clear, Level, Quote};
use flow::{Flags, Px, Qty, Side, Tif};

const NEITHER: Flags = Flags::side_only(Side::None);
const BUY: Flags = Flags::side_only(Side::Buy);
const SELL: Flags = Flags::side_only(Side::Sell);
/// Instruments by order, by level, and with quotes.
const BOOKS: [u32; 3] = [1, 3, 4];

/// What we can still buy at once at that price or better.
fn bought(rig: &mut SimInstrument, instrument: u32, id: u64, px: i64) -> u64 {
    let emitted = rig.new_order(limit(id, Side::Buy, px, 1_000).on(instrument).tif(Tif::ImmediateOrCancel));
    let fills = emitted.iter().map(|e| if let Emitted::Fill(_, _, qty, _) = e { *qty } else { 0 });
    fills.sum()
}

/// The market's ask.
fn ask(rig: &mut SimInstrument, instrument: u32, px: i64, qty: u64) -> Vec<Emitted> {
    match instrument {
        1 => rig.add(px as u64 * 1_000 + qty, Side::Sell, px, qty),
        3 => rig.level(Side::Sell, px, qty),
        _ => quote(rig, px, qty),
    }
}

fn quote(rig: &mut SimInstrument, ask_px: i64, ask_qty: u64) -> Vec<Emitted> {
    let bid = Quote { bid_px: Px(90), bid_qty: Qty(5), ..Quote::default() };
    rig.market(4, Flags::NONE, &Quote { ask_px: Px(ask_px), ask_qty: Qty(ask_qty), ..bid })
}

#[test]
fn a_print_of_what_we_had_from_the_book_fills_nobody() {
    for instrument in BOOKS {
        let mut rig = SimInstrument::new(&[]);
        ask(&mut rig, instrument, 105, 10);
        rig.new_order(limit(1, Side::Buy, 100, 60).on(instrument));
        assert_eq!(ask(&mut rig, instrument, 99, 10), [Emitted::Fill(1, 100, 10, 1)], "it crosses us");
        // Somebody else buys these ten, at a price that is worse than ours: they were ours.
        assert_eq!(rig.trade(instrument, BUY, 99, 10), [], "book of {instrument}: the aggressor is on our side");
        assert_eq!(rig.trade(instrument, NEITHER, 99, 10), [], "book of {instrument}: nobody says who it was");
        assert_eq!(rig.trade(instrument, NEITHER, 99, 25), [Emitted::Fill(1, 100, 15, 1)], "ten of them were ours");
        assert_eq!(rig.trade(instrument, SELL, 99, 5), [Emitted::Fill(1, 100, 5, 1)], "a seller meets us first");
        let unseen = rig.trade(instrument, BUY.with(Flags::HIDDEN), 99, 5);
        assert_eq!(unseen, [Emitted::Fill(1, 100, 5, 1)], "who sold was never displayed, and met us first");
    }
}

#[test]
fn what_one_order_had_is_gone_for_the_next() {
    for instrument in BOOKS {
        let mut rig = SimInstrument::new(&[]);
        ask(&mut rig, instrument, 101, 10);
        assert_eq!(bought(&mut rig, instrument, 1, 101), 10);
        assert_eq!(rig.new_order(limit(2, Side::Buy, 101, 30).on(instrument)), [Emitted::Ack(2, 0)]);
        // Further groups, some of them unfinished: the same ten shares are displayed all the while.
        let bid = Flags::side_only(Side::Buy);
        rig.input(&flow::Event::new(
            flow::Ns(0),
            instrument,
            bid,
            &Level { px: Px(95), qty: Qty(1), ..Level::default() },
        ));
        assert_eq!(rig.market(instrument, bid, &Level { px: Px(95), qty: Qty(2), ..Level::default() }), []);
        assert_eq!(rig.trade(instrument, NEITHER, 101, 10), []);
        let kill = limit(3, Side::Buy, 101, 1).on(instrument).tif(Tif::FillOrKill);
        assert_eq!(rig.new_order(kill), [Emitted::Ack(3, 0), Emitted::Cancelled(3, 1, 3)]);
    }
}

#[test]
fn an_order_that_is_replaced_takes_along_what_was_taken_of_it() {
    let taken = || {
        let mut rig = SimInstrument::new(&[]);
        rig.add(11, Side::Sell, 101, 10);
        rig.add(12, Side::Sell, 101, 4);
        assert_eq!(bought(&mut rig, 1, 1, 101), 14);
        rig
    };
    for new_ref in [11, 13] {
        let mut rig = taken();
        rig.replace(11, new_ref, 101, 15);
        assert_eq!(bought(&mut rig, 1, 2, 101), 5, "it grows by 5");
        rig.replace(new_ref, new_ref, 101, 9);
        assert_eq!(bought(&mut rig, 1, 3, 101), 0);
        rig.replace(new_ref, new_ref, 101, 12);
        assert_eq!(bought(&mut rig, 1, 4, 101), 3, "these 3 were added");
        let mut rig = taken();
        rig.add(14, Side::Sell, 103, 20);
        rig.replace(11, new_ref, 103, 15);
        assert_eq!(bought(&mut rig, 1, 2, 103), 25, "10 of the 35 are those that we had at 101");
    }
    let mut rig = taken();
    // Seven are new: of the fourteen that we had, none has left.
    rig.add(15, Side::Sell, 101, 7);
    rig.replace(12, 12, 102, 4);
    assert_eq!(bought(&mut rig, 1, 2, 102), 7, "what we had leaves last");
}

#[test]
fn one_print_fills_our_two_sides_together_no_more_than_it_traded() {
    for instrument in BOOKS {
        let mut rig = SimInstrument::new(&[]);
        ask(&mut rig, instrument, 105, 10);
        rig.new_order(limit(1, Side::Buy, 100, 6).on(instrument));
        rig.new_order(limit(2, Side::Sell, 100, 50).on(instrument));
        let both = [Emitted::Fill(1, 100, 6, 1), Emitted::Fill(2, 100, 4, 1)];
        assert_eq!(rig.trade(instrument, NEITHER, 100, 10), both);
        rig.new_order(limit(3, Side::Buy, 101, 30).on(instrument));
        let hidden = rig.trade(instrument, Flags::HIDDEN, 100, 40);
        assert_eq!(hidden, [Emitted::Fill(3, 101, 30, 1), Emitted::Fill(2, 100, 10, 1)]);
    }
}

#[test]
fn shares_that_are_shown_again_are_not_new() {
    let restated = SELL.with(Flags::SNAPSHOT);
    let mut rig = SimInstrument::new(&[]);
    rig.add(11, Side::Sell, 101, 10);
    assert_eq!(bought(&mut rig, 1, 1, 101), 10);
    rig.market(1, Flags::NONE, &Clear::default());
    rig.market(1, restated, &Add { order_ref: 11, px: Px(101), qty: Qty(10), ..Add::default() });
    assert_eq!(bought(&mut rig, 1, 2, 101), 0, "the book was told again");
    rig.add(12, Side::Sell, 101, 3);
    assert_eq!(bought(&mut rig, 1, 3, 101), 3, "and this is news");
    rig.market(1, Flags::NONE, &Clear::default());
    rig.market(1, restated, &Add { order_ref: 11, px: Px(101), qty: Qty(8), ..Add::default() });
    rig.add(13, Side::Sell, 101, 6);
    assert_eq!(bought(&mut rig, 1, 4, 101), 6, "five of the thirteen are not shown any more");
    rig.market(1, Flags::NONE, &Clear::default());
    rig.add(14, Side::Sell, 101, 9);
    assert_eq!(bought(&mut rig, 1, 5, 101), 9, "a new book");
}

#[test]
fn a_level_out_of_sight_comes_back_as_it_was() {
    let level = |qty| Level { px: Px(101), qty: Qty(qty), ..Level::default() };
    let restated = SELL.with(Flags::SNAPSHOT);
    let mut rig = SimInstrument::new(&[]);
    rig.level(Side::Sell, 101, 10);
    assert_eq!(bought(&mut rig, 3, 1, 101), 10);
    // A better price comes, and the feed shows one level only; then it goes.
    rig.level(Side::Sell, 100, 5);
    rig.market(3, restated, &level(0));
    rig.level(Side::Sell, 100, 0);
    rig.market(3, restated, &level(12));
    assert_eq!(bought(&mut rig, 3, 2, 101), 2, "ten of them we had");
    rig.market(3, restated, &level(0));
    rig.level(Side::Sell, 101, 12);
    assert_eq!(bought(&mut rig, 3, 3, 101), 12, "no level came back, this one is new");
    rig.market(3, restated, &level(0));
    rig.market(3, SELL, &Add { px: Px(101), qty: Qty(7), ..Add::default() });
    assert_eq!(bought(&mut rig, 3, 4, 101), 7);

    quote(&mut rig, 101, 10);
    assert_eq!(bought(&mut rig, 4, 5, 101), 10);
    quote(&mut rig, 100, 5);
    quote(&mut rig, 101, 12);
    assert_eq!(bought(&mut rig, 4, 6, 101), 2);
    // Through 101 to 103: that level is gone for good.
    quote(&mut rig, 100, 5);
    quote(&mut rig, 103, 5);
    quote(&mut rig, 101, 12);
    assert_eq!(bought(&mut rig, 4, 7, 101), 12);
}
