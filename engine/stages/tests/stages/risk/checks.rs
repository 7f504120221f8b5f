//! Every check at its limit and one past it, and without a limit or a reference.

use super::rig::{Rig, cents, id, passed, refusal};
use flow::records::{Ack, Anomaly, BookTop, Bust, Cancelled, Fill, Listing, OrderStatus, Reject, Request, Status};
use flow::{Account, AnomalyKind, InstrumentType, IntParam, OrderId, Px, Qty, Side, StatusKind, StrategyId};
use stages::risk::{CEILINGS, CHECKS, CheckEntry, Flaw, PARAMS, check, check_name};
use std::collections::BTreeSet;

#[test]
fn numbers_and_names_are_unique_and_every_parameter_is_the_stages() {
    let unique = |of: fn(&CheckEntry) -> String| CHECKS.iter().map(of).collect::<BTreeSet<_>>().len() == CHECKS.len();
    assert!(unique(|entry| entry.number.to_string()) && unique(|entry| entry.name.to_owned()));
    let listed =
        CHECKS.iter().flat_map(|entry| entry.limit.map(|l| l.param()).into_iter().chain(entry.params.to_vec()));
    let listed: BTreeSet<_> = listed.map(|param| param.name).chain([CEILINGS.name()]).collect();
    assert_eq!(listed, PARAMS.iter().map(|param| param.name).collect());
    assert_eq!(listed.len(), PARAMS.len());
}

#[test]
fn a_check_is_found_by_its_number() {
    for entry in CHECKS {
        assert_eq!((check_name(entry.number), check(entry.number).unwrap().name), (entry.name, entry.name));
    }
    assert_eq!((check_name(0), check_name(u16::MAX)), ("unknown", "unknown"));
}

/// The page has a row for each check, in their order, and one for each parameter.
#[test]
fn the_page_lists_every_check_and_parameter() {
    let page = include_str!("../../../docs/risk.md");
    let cell = |limit: Option<IntParam>| limit.map_or("–".to_owned(), |limit| format!("`{}`", limit.name()));
    let row = |e: &CheckEntry| format!("| {} | `{}` | {} | {} | ", e.number, e.name, e.unit, cell(e.limit));
    let places: Vec<_> = CHECKS.iter().map(|entry| page.find(&row(entry)).ok_or(row(entry))).collect();
    assert!(places.iter().all(Result::is_ok) && places.is_sorted(), "{places:?}");
    for param in PARAMS {
        assert!(page.contains(&format!("\n| `{}` | ", param.name)), "{}", param.name);
    }
}

#[test]
fn without_a_limit_nothing_passes() {
    for entry in CHECKS {
        let Some(limit) = entry.limit else { continue };
        let mut rig = Rig::new(&[(limit.name(), 0)]);
        let (check, limit, _) = refusal(rig.buy(1));
        assert_eq!((check, limit), (entry.name, 0));
    }
}

#[test]
fn what_makes_no_sense_says_why() {
    let mut rig = Rig::new(&[]);
    let sound = rig.terms(1, 10_000);
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
        assert_eq!(refusal(rig.ask(Side::Buy, &request)), ("sanity", 0, flaw as i64), "{request:?}");
    }
    assert_eq!(refusal(rig.ask(Side::None, &sound)), ("sanity", 0, Flaw::Side as i64));
    for instrument in [0, 2, 4, u32::MAX] {
        let words = rig.feed(9, instrument, Side::Buy, &sound);
        assert_eq!(refusal(words[0]), ("sanity", 0, Flaw::Listing as i64), "{instrument}");
    }
    assert_eq!(refusal(rig.replace(77, 1)), ("sanity", 0, Flaw::Predecessor as i64));
    assert!(passed(rig.ask(Side::Buy, &sound)));
}

/// Touch, side, price (0 = a market order) in cents, and the refusal.
type Below = ((i64, i64), Side, Option<i64>, Option<(&'static str, i64)>);

#[test]
fn a_spread_trades_below_zero_by_the_size_of_its_price() {
    let by_price = ("sanity", Flaw::Price as i64);
    let price = Some(by_price);
    let market = |bid, ask| BookTop { bid_px: cents(bid), ask_px: cents(ask), ..Default::default() };
    for (kind, refused) in [
        (InstrumentType::Spread, None),
        (InstrumentType::Future, None),
        (InstrumentType::Equity, price),
        (InstrumentType::Call, price),
        (InstrumentType::Put, price),
        (InstrumentType::Unknown, price),
    ] {
        let mut rig = Rig::new(&[("max_notional", 17_000), ("collar_bps", 150)]);
        let terms = Listing { tick_px: cents(1), multiplier: 1_000 * Px::ONE, ..Default::default() };
        rig.input(1, Side::None, &Listing { instrument_type: kind as u8, ..terms });
        let cases: &[Below] = &[
            ((-1_750, -1_700), Side::Buy, None, None),
            ((-1_750, -1_700), Side::Buy, Some(-1_700), None),
            ((-1_750, -1_700), Side::Buy, Some(-1_699), Some(("price-collar", 151))),
            ((-1_750, -1_700), Side::Sell, None, Some(("max-notional", 17_500))),
            ((-1_750, -1_700), Side::Sell, Some(-1_701), Some(("max-notional", 17_010))),
            // About zero the size of the reference is 1.00, so 150 basis points are a cent and a half.
            ((-1, 1), Side::Buy, None, None),
            ((-1, 1), Side::Sell, Some(-1), None),
            ((-1, 1), Side::Buy, Some(2), Some(("price-collar", 200))),
            ((-1, 1), Side::Buy, Some(0), None),
            ((0, 2), Side::Sell, None, None),
        ];
        for ((bid, ask), side, px, wanted) in cases {
            rig.input(1, Side::None, &market(*bid, *ask));
            let order = rig.terms(1, px.unwrap_or(0));
            let request = if px.is_some() { order } else { Request { order_type: 2, px: Px::NONE, ..order } };
            let word = rig.ask(*side, &request);
            let at = px.unwrap_or(if *side == Side::Buy { *ask } else { *bid });
            let wanted = refused.filter(|_| at <= 0).or(*wanted);
            match wanted {
                None if refused.is_some() => assert_ne!(refusal(word).0, "sanity", "{kind:?} {at}"),
                None => assert!(passed(word), "{kind:?} {at}: {word:?}"),
                Some((check, value)) if refused.is_none() => {
                    assert_eq!((refusal(word).0, refusal(word).2), (check, value), "{kind:?} {at}");
                }
                Some(_) if at <= 0 => assert_eq!((refusal(word).0, refusal(word).2), by_price, "{kind:?} {at}"),
                Some(_) => {}
            }
        }
    }
}

#[test]
fn a_us_stock_has_cents_from_one_dollar_up() {
    let mut rig = Rig::new(&[("collar_bps", 100_000)]);
    let stock = Listing { tick_px: Px(100_000), multiplier: Px::ONE, calendar: *b"XNAS", ..Default::default() };
    let stock = Listing { instrument_type: InstrumentType::Equity as u8, currency: *b"USD\0", ..stock };
    for terms in [stock, Listing { tick_px: Px(0), ..stock }, Listing { tick_px: cents(1), ..stock }] {
        rig.input(1, Side::None, &terms);
        for (px, on) in [(76_779_900_000, false), (76_780_000_000, true), (1_000_100_000, false), (999_900_000, true)] {
            let request = Request { px: Px(px), ..rig.terms(1, 1) };
            let word = rig.ask(Side::Buy, &request);
            if on { assert!(passed(word), "{px}: {word:?}") } else { assert_eq!(refusal(word).2, Flaw::Tick as i64) }
        }
    }
}

/// Whatever the limits allow; a market order too. Once the listing tells the terms, the same order passes.
#[test]
fn an_instrument_without_multiplier_or_tick_is_not_traded() {
    let mut rig = Rig::new(&[("max_notional", 1_000_000_000_000)]);
    let listing = |multiplier, tick_px| Listing { tick_px, multiplier, ..Default::default() };
    let market = Request { order_type: 2, px: Px::NONE, ..rig.terms(1, 10_000) };
    for (multiplier, tick, check) in
        [(0, cents(1), "multiplier-unknown"), (50 * Px::ONE, Px(0), "tick-unknown"), (0, Px(0), "multiplier-unknown")]
    {
        rig.input(1, Side::None, &listing(multiplier, tick));
        assert_eq!(refusal(rig.buy(1)), (check, 0, 1));
        assert_eq!(refusal(rig.ask(Side::Buy, &market)), (check, 0, 1));
    }
    rig.input(1, Side::None, &listing(50 * Px::ONE, cents(25)));
    assert!(passed(rig.buy(1)));
}

/// A trading status and an operational halt are two things: an order waits for the end of both. Replaces are orders too.
#[test]
fn a_halted_instrument_gets_no_order() {
    let mut rig = Rig::new(&[]);
    let status = |what: StatusKind, code: [u8; 4]| Status { code, what: what.code(), ..Default::default() };
    assert!(passed(rig.buy(1)));
    rig.input(2, Side::None, &status(StatusKind::Trading, *b"H   "));
    rig.input(0, Side::None, &status(StatusKind::Trading, *b"H   "));
    assert!(passed(rig.buy(1)), "of another instrument, and of none");
    rig.input(1, Side::None, &status(StatusKind::Trading, *b"P   "));
    rig.input(1, Side::None, &status(StatusKind::OperationalHalt, *b"H   "));
    assert_eq!(refusal(rig.buy(1)), ("instrument-halted", 0, 1));
    rig.input(1, Side::None, &status(StatusKind::ShortSale, *b"0   "));
    rig.input(1, Side::None, &status(StatusKind::Trading, *b"T   "));
    assert_eq!(refusal(rig.buy(1)), ("instrument-halted", 0, 1));
    rig.input(1, Side::None, &status(StatusKind::OperationalHalt, *b"T   "));
    assert!(passed(rig.buy(1)));
}

#[test]
fn a_venue_that_does_not_answer_blocks_what_goes_there_alone() {
    let (here, there) = (StrategyId(32), StrategyId(33));
    let mut rig = Rig::routed(&[(here, 2), (there, 3)]);
    let ask = |rig: &mut Rig, strategy, counter| {
        let order_id = OrderId::new(Account(1), strategy, counter).0;
        let request = Request { order_id, ..rig.terms(1, 10_000) };
        rig.ask(Side::Buy, &request)
    };
    assert!(passed(ask(&mut rig, here, 1)));
    let order_id = OrderId::new(Account(1), here, 1).0;
    let late = Anomaly { what: AnomalyKind::UnansweredOrder as u16, detail: order_id, ..Default::default() };
    rig.returned(1, Side::Buy, &late);
    assert_eq!(refusal(ask(&mut rig, here, 2)), ("venue", 0, 2));
    assert!(passed(ask(&mut rig, there, 1)));
    rig.returned(1, Side::Buy, &Ack { order_id, ..Default::default() });
    assert!(passed(ask(&mut rig, here, 3)));
}

#[test]
fn a_venue_that_does_not_answer_blocks() {
    let mut rig = Rig::new(&[]);
    let found = |what: AnomalyKind, detail| Anomaly { what: what as u16, detail, ..Default::default() };
    assert!(passed(rig.buy(1)));
    rig.input(1, Side::None, &found(AnomalyKind::SessionLost, 1));
    assert!(passed(rig.buy(1)), "a feed cannot say that");
    rig.returned(1, Side::None, &found(AnomalyKind::SessionLost, 1));
    assert_eq!(refusal(rig.buy(1)), ("venue", 0, 1));
    rig.returned(1, Side::None, &found(AnomalyKind::SessionBack, 9));
    assert!(passed(rig.buy(1)));
    rig.returned(1, Side::Buy, &found(AnomalyKind::UnansweredOrder, id(77)));
    assert!(passed(rig.buy(1)), "no such order is open");
    for answer in ["ack", "reject", "cancelled"] {
        let order_id = rig.last();
        rig.returned(1, Side::Buy, &found(AnomalyKind::UnansweredOrder, order_id));
        rig.returned(1, Side::Buy, &found(AnomalyKind::UnansweredOrder, order_id));
        assert_eq!(refusal(rig.buy(1)), ("venue", 0, 2));
        rig.returned(1, Side::Buy, &Reject { order_id, action: 2, ..Default::default() });
        assert_eq!(refusal(rig.buy(1)), ("venue", 0, 2), "that names no route");
        match answer {
            "ack" => drop(rig.returned(1, Side::Buy, &Ack { order_id, ..Default::default() })),
            "reject" => {
                drop(rig.returned(1, Side::Buy, &Reject { order_id, cause: 1, action: 2, ..Default::default() }))
            }
            _ => drop(rig.returned(1, Side::Buy, &Cancelled { order_id, ..Default::default() })),
        }
        assert!(passed(rig.buy(1)), "{answer}");
    }
}

/// A venue that says that more is filled than it tells, or cannot say anything, blocks the instrument there until it can.
#[test]
fn what_a_venue_does_not_explain_blocks_the_instrument() {
    let mut rig = Rig::new(&[]);
    let status =
        |order_id, missing, state| OrderStatus { order_id, missing: Qty(missing), state, ..Default::default() };
    assert!(passed(rig.buy(1)));
    let open = rig.last();
    rig.returned(1, Side::Buy, &status(open, 0, 0));
    assert_eq!(refusal(rig.buy(1)), ("venue", 0, 2), "it cannot say");
    rig.returned(1, Side::Buy, &status(open, 0, 1));
    assert!(passed(rig.buy(1)), "it can");
    rig.returned(1, Side::Buy, &status(open, 5, 3));
    rig.returned(1, Side::Buy, &Cancelled { order_id: open, ..Default::default() });
    assert_eq!(refusal(rig.buy(1)), ("venue", 0, 2), "the end of the order explains nothing");
    rig.returned(1, Side::Buy, &status(open, 2, 3));
    assert_eq!(refusal(rig.buy(1)), ("venue", 0, 2), "a part does not");
    rig.returned(1, Side::Buy, &status(open, 0, 3));
    assert!(passed(rig.buy(1)));
    rig.returned(1, Side::Buy, &status(id(900), 1, 3));
    assert_eq!(refusal(rig.buy(1)), ("venue", 0, 2), "also of an order that is not open here");
}

#[test]
fn quantity_and_worth_at_their_limits() {
    let mut rig = Rig::new(&[("max_quantity", 100), ("max_notional", 9_000)]);
    assert!(passed(rig.buy(90)));
    assert_eq!(refusal(rig.buy(91)), ("max-notional", 9_000, 9_100));
    assert_eq!(refusal(rig.buy(101)), ("max-quantity", 100, 101));
    assert_eq!(refusal(rig.buy(u64::MAX)), ("max-quantity", 100, i64::MAX));
    let cent_over = rig.terms(90, 10_001);
    assert_eq!(refusal(rig.ask(Side::Sell, &cent_over)), ("max-notional", 9_000, 9_001));
    let market = Request { order_type: 2, px: Px::NONE, ..cent_over };
    assert_eq!(refusal(rig.ask(Side::Buy, &market)), ("max-notional", 9_000, 9_001));
    assert!(passed(rig.ask(Side::Sell, &market)));
    rig.market(0, 10_001);
    let market = Request { qty: Qty(1), ..market };
    assert_eq!(refusal(rig.ask(Side::Sell, &market)), ("max-notional", 9_000, i64::MAX));
}

#[test]
fn the_collar_is_about_the_middle() {
    let mut rig = Rig::new(&[("collar_bps", 100)]);
    for (px, value) in [(10_100, None), (9_900, None), (10_101, Some(101)), (9_899, Some(101))] {
        let request = rig.terms(1, px);
        let word = rig.ask(Side::Buy, &request);
        match value {
            None => assert!(passed(word), "{px}"),
            Some(value) => assert_eq!(refusal(word), ("price-collar", 100, value)),
        }
    }
    rig.market(0, 20_000);
    assert_eq!(refusal(rig.buy(1)), ("price-collar", 100, 5_000));
    rig.market(0, 0);
    assert_eq!(refusal(rig.buy(1)), ("price-collar", 100, i64::MAX));
}

#[test]
fn the_position_counts_what_is_open() {
    let mut rig = Rig::new(&[("max_position", 100)]);
    assert!(passed(rig.buy(60)));
    assert!(passed(rig.sell(100)), "each side for itself");
    assert_eq!(refusal(rig.buy(41)), ("position", 100, 101));
    rig.input(1, Side::Buy, &Fill { order_id: id(1), qty: Qty(60), ..Default::default() });
    assert_eq!(refusal(rig.buy(41)), ("position", 100, 101), "filled or open is the same");
    assert!(passed(rig.sell(60)), "60 - 160 = -100");
    assert_eq!(refusal(rig.sell(1)), ("position", 100, 101));
    rig.input(1, Side::Sell, &Cancelled { order_id: id(2), ..Default::default() });
    assert!(passed(rig.sell(1)));
}

/// What is short in one account hides nothing of what is long in another.
#[test]
fn accounts_do_not_net() {
    let mut rig = Rig::new(&[("max_position", 100)]);
    let of = |account, counter| OrderId::new(Account(account), StrategyId(1), counter).0;
    let ask = |rig: &mut Rig, account, side, qty| {
        let terms = rig.terms(qty, 10_000);
        let order_id = of(account, rig.seq);
        (rig.ask(side, &Request { order_id, ..terms }), order_id)
    };
    // On paper 100 are sold; live no more than 100 may be bought all the same.
    let (paper, sold) = ask(&mut rig, 2, Side::Sell, 100);
    assert!(passed(paper));
    rig.input(1, Side::Sell, &Fill { order_id: sold, qty: Qty(100), ..Default::default() });
    let (live, bought) = ask(&mut rig, 1, Side::Buy, 60);
    assert!(passed(live));
    rig.input(1, Side::Buy, &Fill { order_id: bought, qty: Qty(60), ..Default::default() });
    assert_eq!(refusal(ask(&mut rig, 1, Side::Buy, 41).0), ("position", 100, 101));
    assert_eq!(refusal(ask(&mut rig, 2, Side::Sell, 1).0), ("position", 100, 101));
    assert!(passed(ask(&mut rig, 2, Side::Buy, 200).0), "from -100 to 100");
    // Of a fill that is carried over the account is known by its order id.
    let (third, carried) = (of(3, 900), of(3, 901));
    for (order_id, match_id) in [(third, 1), (carried, 2)] {
        rig.input(1, Side::Buy, &Fill { order_id, match_id, qty: Qty(50), ..Default::default() });
    }
    assert_eq!(refusal(ask(&mut rig, 3, Side::Buy, 1).0), ("position", 100, 101));
    rig.input(1, Side::Buy, &Bust { order_id: carried, match_id: 2, qty: Qty(50), ..Default::default() });
    assert!(passed(ask(&mut rig, 3, Side::Buy, 50).0));
}

/// Without room for another account and instrument an order that would need it is refused, and one that does not is not.
#[test]
fn positions_beyond_the_bound_are_refused() {
    let mut rig = Rig::new(&[("max_position", 100), ("max_positions", 2)]);
    let order = |rig: &mut Rig, account, qty| {
        let terms = rig.terms(qty, 10_000);
        let order_id = OrderId::new(Account(account), StrategyId(1), rig.seq).0;
        (rig.ask(Side::Buy, &Request { order_id, ..terms }), order_id)
    };
    let [(first, one), (second, second_order)] = [order(&mut rig, 1, 10), order(&mut rig, 2, 10)];
    assert!(passed(first) && passed(second));
    assert_eq!(refusal(order(&mut rig, 3, 10).0), ("position", 2, i64::MAX));
    assert!(passed(order(&mut rig, 2, 10).0));
    rig.input(1, Side::Buy, &Cancelled { order_id: one, ..Default::default() });
    let (third, third_order) = order(&mut rig, 3, 10);
    assert!(passed(third), "the first account has nothing any more");
    // A fill that nobody ordered has no room: now nothing is certain.
    let order_id = OrderId::new(Account(4), StrategyId(1), 900).0;
    rig.input(1, Side::Buy, &Fill { order_id, qty: Qty(5), ..Default::default() });
    assert_eq!(refusal(order(&mut rig, 2, 10).0), ("position", 2, i64::MAX));
    // One that only reduces passes, though there is no room to count it, and ends when there is some.
    let order_id = OrderId::new(Account(5), StrategyId(1), 900).0;
    let reducing = Request { order_id, reduces: 1, ..rig.terms(10, 10_000) };
    assert!(passed(rig.ask(Side::Buy, &reducing)));
    for ended in [second_order, third_order, order_id] {
        rig.input(1, Side::Buy, &Cancelled { order_id: ended, ..Default::default() });
    }
}

#[test]
fn a_replace_gives_back_what_it_replaces() {
    let mut rig = Rig::new(&[("max_position", 100), ("max_open_orders", 1)]);
    assert!(passed(rig.buy(60)));
    assert_eq!(refusal(rig.replace(1, 101)), ("position", 100, 101));
    assert!(passed(rig.replace(1, 100)));
    assert_eq!(refusal(rig.replace(1, 90)), ("sanity", 0, Flaw::Predecessor as i64), "one at a time");
    assert_eq!(refusal(rig.buy(1)), ("position", 100, 101), "the larger of the two counts");
    rig.input(1, Side::Buy, &Reject { order_id: id(3), action: 3, ..Default::default() });
    assert_eq!(refusal(rig.buy(1)), ("open-orders", 1, 2), "the old one lives on");
    rig.input(1, Side::Buy, &Fill { order_id: id(1), qty: Qty(20), ..Default::default() });
    assert_eq!(refusal(rig.replace(1, 20)), ("sanity", 0, Flaw::Quantity as i64), "20 are executed");
    assert!(passed(rig.replace(1, 100)), "20 are had, 80 would be open");
}

#[test]
fn open_orders_have_a_limit_and_a_table() {
    let mut rig = Rig::new(&[("max_open_orders", 3), ("open_order_slots", 2)]);
    assert!(passed(rig.buy(1)) && passed(rig.buy(1)));
    assert_eq!(refusal(rig.buy(1)), ("open-orders", 2, 3), "the table");
    assert_eq!(refusal(rig.replace(1, 2)), ("open-orders", 2, 3), "a replace takes a place");
    rig.input(1, Side::Buy, &Reject { order_id: id(1), action: 2, ..Default::default() });
    assert!(!passed(rig.buy(1)), "a cancel that is refused frees nothing");
    rig.input(1, Side::Buy, &Reject { order_id: id(1), action: 1, ..Default::default() });
    assert!(passed(rig.buy(1)));
}

#[test]
fn the_throttle_counts_what_passed_within_the_window() {
    let mut rig = Rig::new(&[("max_messages", 2), ("throttle_window_ms", 10)]);
    assert!(passed(rig.buy(1)) && passed(rig.buy(1)));
    rig.ms += 9;
    assert_eq!(refusal(rig.buy(1)), ("throttle", 2, 3));
    rig.ms += 1;
    assert!(passed(rig.buy(1)) && passed(rig.buy(1)) && !passed(rig.buy(1)));
}

#[test]
fn old_data_and_old_ids_are_refused() {
    let mut rig = Rig::new(&[("max_data_age_ms", 10)]);
    rig.ms += 10;
    assert!(passed(rig.buy(1)));
    rig.ms += 1;
    assert_eq!(refusal(rig.buy(1)), ("stale-data", 10, 11));
    rig.market(9_999, 10_001);
    let request = Request { order_id: id(1), ..rig.terms(1, 10_000) };
    assert_eq!(refusal(rig.ask(Side::Buy, &request)), ("duplicate-id", 1, 1));
    assert!(passed(rig.buy(1)));
}

/// A bust gives the position back, once; it opens nothing, and its correction closes nothing.
#[test]
fn a_bust_changes_the_position_and_nothing_that_is_open() {
    let mut rig = Rig::new(&[("max_position", 100), ("max_open_orders", 1)]);
    assert!(passed(rig.buy(60)));
    let fill = Fill { order_id: id(1), match_id: 5, px: cents(10_000), qty: Qty(40), cause: 0 };
    rig.input(1, Side::Buy, &fill);
    let bust = Bust { order_id: id(1), match_id: 5, px: cents(10_000), qty: Qty(40), fee: 0 };
    rig.input(1, Side::Buy, &Bust { qty: Qty(41), ..bust });
    rig.input(1, Side::Buy, &bust);
    rig.input(1, Side::Buy, &bust);
    assert_eq!(refusal(rig.buy(81)), ("position", 100, 101), "20 are open, nothing is held");
    assert_eq!(refusal(rig.buy(80)).0, "open-orders", "the order is still open");
    rig.input(1, Side::Buy, &Fill { qty: Qty(30), ..fill });
    assert_eq!(refusal(rig.buy(51)), ("position", 100, 101), "30 are held, 20 are open");
    rig.input(1, Side::Buy, &Fill { match_id: 6, qty: Qty(20), ..fill });
    assert!(passed(rig.buy(50)), "50 are held, nothing is open");
}
