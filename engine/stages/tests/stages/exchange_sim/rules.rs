//! The rules of the venue, one by one.

use super::harness::{BACK, Emitted, SimInstrument, limit, params};
use super::reference::DAY;
use flow::records::{Add, Session, Status, Tick};
use flow::{Calendar, EventId, Flags, Kind, Ns, Params, Px, Qty, SessionPhase, Side, StateError, StatusKind, Tif};
use stages::Space;
use stages::exchange_sim::SimulatedVenue;

/// Asks of 10 at 101, 20 at 102, 30 at 103; a bid of 40 at 99.
fn market() -> SimInstrument {
    let mut rig = SimInstrument::new(&[]);
    for (order_ref, px, qty) in [(11, 101, 10), (12, 102, 20), (13, 103, 30)] {
        rig.add(order_ref, Side::Sell, px, qty);
    }
    rig.add(21, Side::Buy, 99, 40);
    rig
}

#[test]
fn a_marketable_order_walks_the_depth_up_to_its_limit() {
    let mut rig = market();
    let emitted = rig.new_order(limit(1, Side::Buy, 102, 50));
    assert_eq!(emitted, [Emitted::Ack(1, 0), Emitted::Fill(1, 101, 10, 2), Emitted::Fill(1, 102, 20, 2)]);
    assert_eq!(rig.venue.queue_position(1).map(|s| (s.open, s.filled, s.ahead)), Some((20, 30, 0)));
    // What is displayed was bought: it is not there for us again, though the market does not know.
    let emitted = rig.new_order(limit(2, Side::Buy, 103, 100).tif(Tif::ImmediateOrCancel));
    assert_eq!(emitted, [Emitted::Ack(2, 0), Emitted::Fill(2, 103, 30, 2), Emitted::Cancelled(2, 70, 2)]);
    let emitted = rig.new_order(limit(3, Side::Buy, 0, 5).market());
    assert_eq!(emitted, [Emitted::Ack(3, 0), Emitted::Cancelled(3, 5, 5)]);
    // What is added is new: the order that rests has it.
    assert_eq!(rig.add(14, Side::Sell, 102, 15), [Emitted::Fill(1, 102, 15, 1)]);
}

#[test]
fn fill_or_kill_is_all_or_nothing() {
    let mut rig = market();
    let order = |id, qty| limit(id, Side::Buy, 102, qty).tif(Tif::FillOrKill);
    assert_eq!(rig.new_order(order(1, 31)), [Emitted::Ack(1, 0), Emitted::Cancelled(1, 31, 3)]);
    let fills = [Emitted::Ack(2, 0), Emitted::Fill(2, 101, 10, 2), Emitted::Fill(2, 102, 20, 2)];
    assert_eq!(rig.new_order(order(2, 30)), fills);
    assert_eq!(rig.new_order(order(3, 1)), [Emitted::Ack(3, 0), Emitted::Cancelled(3, 1, 3)]);
}

#[test]
fn a_market_order_takes_any_price() {
    let mut rig = market();
    let emitted = rig.new_order(limit(1, Side::Sell, 0, 45).market().tif(Tif::Day));
    assert_eq!(emitted, [Emitted::Ack(1, 0), Emitted::Fill(1, 99, 40, 2), Emitted::Cancelled(1, 5, 5)]);
    rig.delete(21);
    assert_eq!(rig.new_order(limit(2, Side::Sell, 0, 1).market()), [Emitted::Reject(2, 1, 3)]);
}

#[test]
fn what_is_ahead_counts_and_what_is_behind_does_not() {
    let mut rig = market();
    rig.new_order(limit(1, Side::Buy, 99, 30));
    rig.add(22, Side::Buy, 99, 70);
    assert_eq!(rig.ahead(1), 40);
    assert_eq!(rig.cancel(22, 10), []);
    assert_eq!(rig.ahead(1), 40);
    assert_eq!(rig.exec(22, 5), [], "out of priority: those ahead were not touched, so neither were we");
    assert_eq!(rig.cancel(21, 15), []);
    assert_eq!(rig.ahead(1), 25);
    assert_eq!(rig.exec(21, 20), []);
    assert_eq!(rig.ahead(1), 5);
    assert_eq!(rig.replace(21, 23, 99, 5), [], "it went behind us");
    assert_eq!(rig.ahead(1), 0);
    assert_eq!(rig.exec(22, 12), [Emitted::Fill(1, 99, 12, 1)]);
    // A trade at a worse price: we would have been hit first.
    rig.add(24, Side::Buy, 98, 100);
    assert_eq!(rig.exec(24, 100), [Emitted::Fill(1, 99, 18, 1)]);
}

#[test]
fn trades_of_a_feed_that_cancels_after_them() {
    let mut rig = market();
    rig.new_order(limit(1, Side::Buy, 99, 30));
    let sold = Flags::side_only(Side::Sell);
    assert_eq!(rig.trade(1, sold, 99, 25), []);
    assert_eq!(rig.trade(1, sold, 99, 25), [Emitted::Fill(1, 99, 10, 1)]);
    rig.cancel(21, 25);
    rig.cancel(21, 15);
    assert_eq!(rig.ahead(1), 0);
    assert_eq!(rig.trade(1, sold, 99, 5), [Emitted::Fill(1, 99, 5, 1)]);
    assert_eq!(rig.trade(1, Flags::AUCTION, 90, 500), [], "an auction fills nobody");
}

#[test]
fn our_own_orders_queue_behind_each_other() {
    let mut rig = market();
    rig.new_order(limit(1, Side::Buy, 100, 30));
    rig.new_order(limit(2, Side::Buy, 100, 30));
    rig.add(22, Side::Buy, 98, 100);
    assert_eq!(rig.exec(22, 40), [Emitted::Fill(1, 100, 30, 1), Emitted::Fill(2, 100, 10, 1)]);
    assert_eq!(rig.add(15, Side::Sell, 100, 15), [Emitted::Fill(2, 100, 15, 1)]);
}

#[test]
fn a_cancel_that_comes_late_finds_it_done() {
    let mut rig = market();
    rig.new_order(limit(1, Side::Buy, 99, 10));
    rig.exec(21, 40);
    rig.add(22, Side::Buy, 98, 10);
    // The cancel is on its way; the fill comes first.
    assert_eq!(rig.exec(22, 10), [Emitted::Fill(1, 99, 10, 1)]);
    assert_eq!(rig.cancel_order(1), [Emitted::Reject(1, 2, 2)]);
    assert_eq!(rig.cancel_order(77), [Emitted::Reject(77, 2, 1)]);
    rig.new_order(limit(2, Side::Buy, 99, 10));
    assert_eq!(rig.cancel_order(2), [Emitted::Cancelled(2, 10, 1)]);
    assert_eq!(rig.cancel_order(2), [Emitted::Reject(2, 2, 2)]);
}

#[test]
fn new_terms_keep_the_place_only_when_less_is_wanted() {
    let mut rig = market();
    rig.new_order(limit(1, Side::Buy, 99, 30));
    rig.add(22, Side::Buy, 99, 70);
    assert_eq!(rig.replace_order(limit(2, Side::Buy, 99, 20), 1), [Emitted::Ack(2, 1)]);
    assert_eq!(rig.ahead(2), 40);
    assert_eq!(rig.replace_order(limit(3, Side::Buy, 99, 25), 2), [Emitted::Ack(3, 2)]);
    assert_eq!(rig.ahead(3), 110);
    let emitted = rig.replace_order(limit(4, Side::Buy, 101, 25), 3);
    assert_eq!(emitted, [Emitted::Ack(4, 3), Emitted::Fill(4, 101, 10, 2)]);
    assert_eq!(rig.venue.queue_position(4).map(|s| (s.open, s.filled)), Some((15, 10)));
    assert_eq!(rig.replace_order(limit(5, Side::Buy, 101, 10), 4), [Emitted::Reject(5, 3, 2)], "10 are executed");
    assert_eq!(rig.replace_order(limit(4, Side::Buy, 101, 30), 4), [Emitted::Reject(4, 3, 5)]);
    assert_eq!(rig.replace_order(limit(6, Side::Buy, 101, 30), 3), [Emitted::Reject(6, 3, 2)]);
}

#[test]
fn a_day_order_ends_with_the_day() {
    let mut rig = market();
    rig.new_order(limit(1, Side::Buy, 99, 30).tif(Tif::Day));
    rig.new_order(limit(2, Side::Buy, 99, 30));
    rig.now = DAY - 1;
    assert_eq!(rig.add(22, Side::Buy, 90, 1), []);
    rig.now = DAY;
    assert_eq!(rig.add(23, Side::Buy, 90, 1), [Emitted::Cancelled(1, 30, 4)]);
    assert!(rig.venue.queue_position(2).is_some());
}

fn hours(code: &[u8; 4]) -> Status {
    Status { code: *code, what: StatusKind::Session.code(), ..Status::default() }
}

#[test]
fn a_day_order_ends_with_market_hours() {
    let mut rig = market();
    rig.new_order(limit(1, Side::Buy, 99, 30).tif(Tif::Day));
    rig.new_order(limit(2, Side::Buy, 99, 30));
    rig.new_order(limit(3, Side::Sell, 104, 5).tif(Tif::Day));
    rig.new_order(limit(4, Side::Buy, 98, 1).tif(Tif::Day));
    assert_eq!(rig.market(0, Flags::NONE, &hours(b"Q\0\0\0")), []);
    rig.now = 1_000;
    assert_eq!(rig.market(0, Flags::NONE, &hours(b"M\0\0\0")), [], "it changes the state and nothing else");
    let mut later = SimInstrument::new(&[]);
    later.load(&rig.saved()).unwrap();
    later.join(&rig);
    // The shares ahead and those of all our orders at 99 trade: the day order, the first in time, has none of them.
    let ended = [Emitted::Cancelled(1, 30, 4), Emitted::Cancelled(4, 1, 4), Emitted::Cancelled(3, 5, 4)];
    for rig in [&mut rig, &mut later] {
        rig.now = 2_000;
        assert_eq!(
            rig.market(1, Flags::NONE, &Add { order_ref: 31, px: Px(90), qty: Qty(1), ..Add::default() }),
            ended
        );
        assert_eq!(rig.exec(21, 40), [], "they ended once");
        rig.add(22, Side::Buy, 99, 70);
        assert_eq!(rig.exec(22, 70), [Emitted::Fill(2, 99, 30, 1)], "what is for longer than the day goes on");
        assert_eq!(rig.cancel_order(1), [Emitted::Reject(1, 2, 2)]);
    }
}

#[test]
fn where_a_venue_does_not_say_when_hours_end_the_calendar_does() {
    let session = |now: u64| Session {
        close_ts: Ns(5_000),
        end_s: 86_400,
        calendar: Calendar::Utc.code(),
        phase: if now < 5_000 { SessionPhase::Open } else { SessionPhase::Closed }.code(),
        ..Session::default()
    };
    for tells in [false, true] {
        let mut rig = market();
        if tells {
            rig.market(0, Flags::NONE, &hours(b"Q\0\0\0"));
        }
        rig.new_order(limit(1, Side::Buy, 99, 30).tif(Tif::Day));
        rig.market(0, Flags::NONE, &session(1_000));
        assert_eq!(rig.new_order(limit(2, Side::Buy, 98, 1).tif(Tif::Day)), [Emitted::Ack(2, 0)]);
        rig.now = 5_000;
        let other = Session { calendar: Calendar::Cme.code(), ..session(5_000) };
        assert_eq!(rig.market(0, Flags::NONE, &other), []);
        assert_eq!(rig.add(31, Side::Buy, 90, 1), [], "another calendar's market closed");
        assert_eq!(rig.market(0, Flags::NONE, &session(5_000)), [], "it changes the state and nothing else");
        let (ended, late) = match tells {
            false => (vec![Emitted::Cancelled(1, 30, 4), Emitted::Cancelled(2, 1, 4)], Emitted::Reject(3, 1, 9)),
            true => (vec![], Emitted::Ack(3, 0)),
        };
        assert_eq!(rig.add(32, Side::Buy, 90, 1), ended, "a venue that tells hours is not overruled by a calendar");
        assert_eq!(rig.new_order(limit(3, Side::Buy, 99, 30).tif(Tif::Day)), [late]);
        let mut later = SimInstrument::new(&[]);
        later.load(&rig.saved()).unwrap();
        later.join(&rig);
        let again = later.new_order(limit(4, Side::Buy, 99, 30).tif(Tif::Day));
        assert_eq!(
            again,
            [if tells { Emitted::Ack(4, 0) } else { Emitted::Reject(4, 1, 9) }],
            "a restart opens nothing"
        );
    }
}

#[test]
fn where_nothing_happens_a_day_ends_in_its_slice() {
    let mut rig = market();
    rig.new_order(limit(1, Side::Buy, 99, 30).tif(Tif::Day));
    rig.market(0, Flags::NONE, &hours(b"M\0\0\0"));
    let tick = |first, last, interval_s| Tick { first, last, interval_s, ..Tick::default() };
    assert_eq!(rig.market(0, Flags::NONE, &tick(1, 7, 60)), [], "the end of a bar is no end of a day");
    assert_eq!(rig.market(0, Flags::NONE, &tick(2, 7, Tick::CLOSE)), [], "another slice");
    assert_eq!(rig.market(0, Flags::NONE, &tick(1, 1, Tick::CLOSE)), [Emitted::Cancelled(1, 30, 4)]);
    assert_eq!(rig.market(0, Flags::NONE, &tick(1, 4_000, Tick::CLOSE)), []);
}

#[test]
fn after_the_close_a_day_order_is_rejected_until_hours_begin() {
    let mut rig = market();
    rig.market(0, Flags::NONE, &hours(b"M\0\0\0"));
    assert_eq!(rig.new_order(limit(1, Side::Buy, 99, 30).tif(Tif::Day)), [Emitted::Reject(1, 1, 9)]);
    assert_eq!(rig.new_order(limit(2, Side::Buy, 99, 30).market().tif(Tif::Day)), [Emitted::Reject(2, 1, 9)]);
    assert_eq!(rig.new_order(limit(3, Side::Buy, 99, 30)), [Emitted::Ack(3, 0)]);
    let ioc = limit(4, Side::Buy, 101, 5).tif(Tif::ImmediateOrCancel);
    assert_eq!(rig.new_order(ioc), [Emitted::Ack(4, 0), Emitted::Fill(4, 101, 5, 2)]);
    rig.market(0, Flags::NONE, &hours(b"O\0\0\0"));
    assert_eq!(rig.new_order(limit(5, Side::Buy, 98, 1).tif(Tif::Day)), [Emitted::Ack(5, 0)]);
    let own = Status { code: *b"13\0\0", what: StatusKind::Trading.code(), ..Status::default() };
    assert_eq!(rig.market(1, Flags::NONE, &own), [Emitted::Cancelled(5, 1, 4)], "its own status says it at once");
}

#[test]
fn wrong_orders_are_rejected() {
    let mut rig = market();
    assert_eq!(rig.new_order(limit(1, Side::Buy, 99, 0)), [Emitted::Reject(1, 1, 4)]);
    assert_eq!(rig.new_order(limit(1, Side::None, 99, 1)), [Emitted::Reject(1, 1, 4)]);
    assert_eq!(rig.new_order(limit(1, Side::Buy, -1, 1)), [Emitted::Reject(1, 1, 4)]);
    assert_eq!(rig.new_order(limit(1, Side::Buy, 99, 1).on(7)), [Emitted::Reject(1, 1, 3)]);
    for id in 1..=16 {
        assert_eq!(rig.new_order(limit(id, Side::Buy, 99, 1)), [Emitted::Ack(id, 0)]);
    }
    assert_eq!(rig.new_order(limit(17, Side::Buy, 99, 1)), [Emitted::Reject(17, 1, 6)]);
    assert_eq!(rig.new_order(limit(16, Side::Buy, 99, 1)), [Emitted::Reject(16, 1, 5)]);
    let all: Vec<Emitted> = (1..=16).map(|id| Emitted::Cancelled(id, 1, 6)).collect();
    assert_eq!(rig.cancel_all(0, 0), all);
}

#[test]
fn restated_orders_stand_ahead() {
    let mut rig = market();
    rig.new_order(limit(1, Side::Buy, 99, 30));
    rig.market(1, Flags::NONE, &flow::records::Clear::default());
    assert_eq!(rig.ahead(1), 0);
    let add = |order_ref, qty| Add { order_ref, px: Px(99), qty: Qty(qty), ..Add::default() };
    let restated = Flags::side_only(Side::Buy).with(Flags::SNAPSHOT);
    rig.market(1, restated, &add(31, 25));
    rig.market(1, restated, &add(32, 15));
    rig.market(1, Flags::side_only(Side::Buy), &add(33, 15));
    assert_eq!(rig.ahead(1), 40);
}

#[test]
fn too_many_answers_are_said_and_nothing_half() {
    let mut rig = market();
    rig.take_at_most(8);
    for id in 1..=6 {
        rig.new_order(limit(id, Side::Buy, 100, 1));
    }
    let listing = flow::Event::new(
        Ns(0),
        1,
        Flags::side_only(Side::Sell).with(Flags::LAST_OF_GROUP),
        &Add { order_ref: 44, px: Px(100), qty: Qty(6), ..Add::default() },
    );
    rig.pass(&listing);
    let kinds: Vec<Kind> = rig.replies.events().iter().map(|e| e.kind).collect();
    let pair = [Kind::Fill, Kind::FillCost];
    assert_eq!(kinds, [&pair[..], &pair, &pair, &pair, &[Kind::Anomaly]].concat());
    assert!(rig.replies.overflowed());
}

#[test]
fn latencies() {
    let space = Space { instruments: 8, fills: 64, positions: 64 };
    let venue = |set: &[(&str, &str)]| {
        SimulatedVenue::new(&params(set), &Params::defaults(stages::book::PARAMS), space).unwrap()
    };
    let id = |seq| EventId::new(seq, 9, 0);
    let mut constant = venue(&[]);
    assert_eq!((constant.least_latency(), constant.arrival(id(1), Ns(1_000))), (50_000, Ns(51_000)));
    assert_eq!(BACK, 7);
    let mut rate = venue(&[("latency", "rate"), ("service_ns", "100"), ("order_latency_ns", "1000")]);
    assert_eq!(rate.least_latency(), 1_100);
    let burst: Vec<u64> = (1..5).map(|seq| rate.arrival(id(seq), Ns(10)).0).collect();
    assert_eq!(burst, [1_110, 1_210, 1_310, 1_410]);
    assert_eq!(rate.arrival(id(9), Ns(5_000)), Ns(6_100));
    let rows = "ts_ns,order_ns,reply_ns\n100,10,1\n200,20,3\n";
    let mut recorded = venue(&[("latency", "recorded"), ("latency_file", rows)]);
    assert_eq!(recorded.least_latency(), 10);
    let at = [50, 100, 155, 200, 300].map(|ts| recorded.arrival(id(ts), Ns(ts)).0 - ts);
    assert_eq!(at, [10, 10, 15, 20, 20]);
    assert!(SimulatedVenue::without_book(&params(&[("latency", "recorded")]), space).is_err());
    // Jitter is drawn by id, stays in its bound, and never lets one overtake another.
    let set = [("order_latency_ns", "100"), ("jitter_ns", "1000")];
    let (mut one, mut other) = (venue(&set), venue(&set));
    let mut last = Ns(0);
    for seq in 1..500 {
        let at = one.arrival(id(seq), Ns(seq * 10));
        assert_eq!(at, other.arrival(id(seq), Ns(seq * 10)));
        assert!(at >= last && at.0 >= seq * 10 + 100 && at.0 <= seq * 10 + 1_100);
        last = at;
    }
    // Apart from the others an event has its own latency, whatever came before.
    let apart = one.arrival(id(7), Ns(1_000_000));
    assert_eq!(apart, venue(&set).arrival(id(7), Ns(1_000_000)));
}

#[test]
fn a_state_that_cannot_be_is_refused() {
    let mut rig = market();
    rig.new_order(limit(1, Side::Buy, 101, 30));
    rig.new_order(limit(2, Side::Buy, 98, 30));
    let bytes = rig.saved();
    for cut in 0..bytes.len() {
        assert!(SimInstrument::new(&[]).load(&bytes[..cut]).is_err(), "cut at {cut}");
    }
    for id in 3..=16 {
        rig.new_order(limit(id, Side::Buy, 98, 30));
    }
    rig.new_order(limit(17, Side::Buy, 98, 30));
    let full = rig.saved();
    let mut large = SimInstrument::new(&[("max_own_orders", "32")]);
    large.load(&full).unwrap();
    large.join(&rig);
    large.new_order(limit(18, Side::Buy, 98, 30));
    match SimInstrument::new(&[]).load(&large.saved()) {
        Err(StateError::TooLarge { what: "own orders", limit: 16, .. }) => {}
        other => panic!("{other:?}"),
    }
}
