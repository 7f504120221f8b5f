//! One message of each type, its bytes written by hand from the specification's table.

use super::*;
use flow::records::{Add, Break, Cancel, Clear, Delete, Exec, Listing, Name, Replace, Status, Trade};
use flow::{Flags, Listings, Ns, Px, Qty, Record, Side};

/// The inputs of one message; all must be due at its time, belong to record 1, and end with the last of a group.
fn inputs(code: u8, rest: &[u8]) -> Vec<Event> {
    let (inputs, end) = decode(&framed(&message(code, rest)));
    end.unwrap();
    assert!(inputs.iter().all(|(e, record)| e.ts == Ns(AT) && *record == 1), "{inputs:?}");
    assert!(inputs.last().is_none_or(|(e, _)| e.flags.has(Flags::LAST_OF_GROUP)), "{inputs:?}");
    inputs.into_iter().map(|(e, _)| e).collect()
}

/// The only input of a message.
fn only<R: Record>(code: u8, rest: &[u8]) -> (Event, R) {
    let inputs = inputs(code, rest);
    assert_eq!(inputs.len(), 1, "{inputs:?}");
    (inputs[0], *inputs[0].record::<R>())
}

/// The input that follows the definition which a stock's first message creates.
fn behind_definition<R: Record>(code: u8, rest: &[u8]) -> (Event, R) {
    let inputs = inputs(code, rest);
    assert_eq!(inputs.iter().map(|e| e.kind).collect::<Vec<_>>(), [Kind::Name, Kind::Listing, R::KIND]);
    let mut listings = Listings::default();
    inputs.iter().for_each(|e| listings.observe(e));
    let listed = listings.get(7).unwrap();
    assert_eq!((listed.symbol.as_str(), listed.terms.round_lot), ("AAPL", 0));
    (inputs[2], *inputs[2].record::<R>())
}

const REF: [u8; 8] = [1, 2, 3, 4, 5, 6, 7, 8];
const REF_NUMBER: u64 = 0x0102_0304_0506_0708;
const MATCH: [u8; 8] = [0, 0, 0, 0, 0, 1, 0, 9];
const MATCH_NUMBER: u64 = 0x1_0009;
const SHARES: [u8; 4] = [0, 0, 1, 0x2c];
/// 320.1400
const PRICE: [u8; 4] = [0x00, 0x30, 0xd9, 0x78];
const PX: Px = Px(320_140_000_000);
const ORDER_TAIL: &[u8] = b"\x00\x00\x01\x2cAAPL    \x00\x30\xd9\x78";

fn add(code: u8, side: u8, tail: &[u8]) -> (Event, Add) {
    behind_definition(code, &[&REF[..], &[side], ORDER_TAIL, tail].concat())
}

#[test]
fn a_and_f_add_an_order() {
    for (side, want) in [(b'B', Side::Buy), (b'S', Side::Sell)] {
        let (event, a) = add(b'A', side, b"");
        let want_add = Add { exchange_ts: Ns(AT), order_ref: REF_NUMBER, px: PX, qty: Qty(300), ..Add::default() };
        assert_eq!((a, event.side(), event.instrument), (want_add, want, 7));
        let (event, f) = add(b'F', side, b"NITE");
        assert_eq!((f, event.side()), (Add { attribution: *b"NITE", ..want_add }, want));
    }
}

#[test]
fn e_executes_at_the_orders_price() {
    let (event, e) = only::<Exec>(b'E', &[&REF[..], &SHARES, &MATCH].concat());
    let want = Exec { exchange_ts: Ns(AT), order_ref: REF_NUMBER, px: Px::NONE, qty: Qty(300), match_id: MATCH_NUMBER };
    assert_eq!((e, event.flags, event.instrument), (want, Flags::LAST_OF_GROUP, 7));
}

#[test]
fn c_executes_at_its_own_price_and_may_be_printed_elsewhere() {
    for (printable, flags) in [(b'Y', Flags::NONE), (b'N', Flags::NON_PRINTABLE)] {
        let (event, e) = only::<Exec>(b'C', &[&REF[..], &SHARES, &MATCH, &[printable], &PRICE].concat());
        let want = Exec { exchange_ts: Ns(AT), order_ref: REF_NUMBER, px: PX, qty: Qty(300), match_id: MATCH_NUMBER };
        assert_eq!((e, event.flags), (want, flags.with(Flags::LAST_OF_GROUP)));
    }
}

#[test]
fn x_d_and_u_change_an_order() {
    let (_, x) = only::<Cancel>(b'X', &[&REF[..], &SHARES].concat());
    let reduced = Cancel { exchange_ts: Ns(AT), order_ref: REF_NUMBER, px: Px::NONE, qty: Qty(300), reserved: [0; 8] };
    assert_eq!(x, reduced);
    let (_, d) = only::<Delete>(b'D', &REF);
    let gone = Delete { exchange_ts: Ns(AT), order_ref: REF_NUMBER, px: Px::NONE, qty: Qty(0), reserved: [0; 8] };
    assert_eq!(d, gone);
    let (_, u) = only::<Replace>(b'U', &[&REF[..], &[0, 0, 0, 0, 0, 0, 0, 3], &SHARES, &PRICE].concat());
    let other = Replace { exchange_ts: Ns(AT), order_ref: REF_NUMBER, new_ref: 3, px: PX, qty: Qty(300) };
    assert_eq!(u, other);
}

#[test]
fn p_trades_hidden_interest_without_an_aggressor() {
    for side in [b'B', b'S'] {
        let (event, p) = behind_definition::<Trade>(b'P', &[&[0; 8][..], &[side], ORDER_TAIL, &MATCH].concat());
        let want = Trade { exchange_ts: Ns(AT), px: PX, qty: Qty(300), match_id: MATCH_NUMBER, order_ref: 0 };
        assert_eq!((p, event.flags), (want, Flags::HIDDEN.with(Flags::LAST_OF_GROUP)));
    }
}

#[test]
fn q_prints_an_auction_unless_it_did_not_happen() {
    let cross = |shares: [u8; 8]| [&shares[..], b"AAPL    ", &PRICE, &MATCH, b"O"].concat();
    let (event, q) = behind_definition::<Trade>(b'Q', &cross([0, 0, 0, 1, 0, 0, 0, 0]));
    let want = Trade { exchange_ts: Ns(AT), px: PX, qty: Qty(1 << 32), match_id: MATCH_NUMBER, order_ref: 0 };
    assert_eq!((q, event.flags), (want, Flags::AUCTION.with(Flags::LAST_OF_GROUP)));
    let bytes = framed(&message(b'Q', &cross([0; 8])));
    let mut decoder = ItchDecoder::new(date());
    let (inputs, _) = drive::collect(&mut decoder, &[&bytes], 9, 0);
    assert_eq!(kinds(&inputs), [Kind::Name, Kind::Listing], "no trade");
    assert_eq!((count(&decoder, "Q"), count(&decoder, "crosses without shares")), (1, 1));
}

#[test]
fn b_breaks_a_trade() {
    let (event, b) = only::<Break>(b'B', &MATCH);
    assert_eq!((b.match_id, b.exchange_ts, event.instrument), (MATCH_NUMBER, Ns(AT), 7));
}

#[test]
fn r_names_and_lists() {
    let rest = b"AAPL    QN\x00\x00\x00\x64NCZ PNN1N\x00\x00\x00\x00N";
    let inputs = inputs(b'R', rest);
    assert_eq!(inputs.iter().map(|e| e.kind).collect::<Vec<_>>(), [Kind::Name, Kind::Listing]);
    let (name, terms) = (inputs[0].record::<Name>(), inputs[1].record::<Listing>());
    assert_eq!((&name.text[..4], name.len, inputs[1].instrument), (&b"AAPL"[..], 4, 7));
    let want = Listing {
        tick_px: Px(100_000),
        multiplier: Px::ONE,
        round_lot: 100,
        venue: *b"XNAS",
        currency: *b"USD\0",
        calendar: *b"XNAS",
        underlying: 0,
        price_decimals: 4,
        qty_decimals: 0,
        instrument_type: 1,
        book: 2,
    };
    assert_eq!(*terms, want);
}

#[test]
fn a_stock_is_defined_once() {
    let r = framed(&message(b'R', b"AAPL    QN\x00\x00\x00\x64NCZ PNN1N\x00\x00\x00\x00N"));
    let a = framed(&message(b'A', &[&REF[..], b"B", ORDER_TAIL].concat()));
    let (inputs, _) = decode(&[r, a.clone(), a].concat());
    assert_eq!(kinds(&inputs), [Kind::Name, Kind::Listing, Kind::Add, Kind::Add]);
    assert_eq!(inputs.iter().map(|(_, record)| *record).collect::<Vec<_>>(), [1, 1, 2, 3]);
}

#[test]
fn s_reports_the_session_and_its_start_clears() {
    let (event, s) = only::<Status>(b'S', b"Q");
    assert_eq!((s.code, s.what, s.exchange_ts, event.instrument), (*b"Q\0\0\0", 1, Ns(AT), 0));
    let start = inputs(b'S', b"O");
    assert_eq!((start[0].record::<Clear>().exchange_ts, start[0].instrument), (Ns(AT), 0));
    assert!(!start[0].flags.has(Flags::LAST_OF_GROUP));
    assert_eq!((start[1].record::<Status>().code, start.len()), (*b"O\0\0\0", 2));
}

#[test]
fn h_operational_halts_y_and_w_are_states() {
    let (event, h) = behind_definition::<Status>(b'H', b"AAPL    H T1  ");
    assert_eq!((h.code, h.reason, h.what, event.instrument), (*b"H\0\0\0", *b"T1  ", 2, 7));
    let (_, o) = behind_definition::<Status>(b'h', b"AAPL    QT");
    assert_eq!((o.code, o.reason, o.what), (*b"T\0\0\0", *b"Q\0\0\0", 3));
    let (_, y) = behind_definition::<Status>(b'Y', b"AAPL    1");
    assert_eq!((y.code, y.what), (*b"1\0\0\0", 4));
    let (event, w) = only::<Status>(b'W', b"2");
    assert_eq!((w.code, w.what, event.instrument), (*b"2\0\0\0", 5, 0));
}

#[test]
fn the_other_types_are_counted() {
    let lengths = [(b'I', 50), (b'J', 35), (b'K', 28), (b'L', 26), (b'N', 20), (b'O', 48), (b'V', 35)];
    for (code, len) in lengths {
        let bytes = framed(&message(code, &vec![b' '; len - 11]));
        let mut decoder = ItchDecoder::new(date());
        let (inputs, end) = drive::collect(&mut decoder, &[&bytes], 64, 0);
        assert_eq!((inputs.len(), end), (0, Ok(())), "{}", char::from(code));
        assert_eq!(count(&decoder, &char::from(code).to_string()), 1);
        assert_eq!(decoder.counts().iter().map(|c| c.count).sum::<u64>(), 1);
    }
}

#[test]
fn what_violates_the_specification_is_malformed() {
    let full = [&REF[..], b"B", ORDER_TAIL].concat();
    let odd_side = [&REF[..], b"x", ORDER_TAIL].concat();
    let mut late = message(b'A', &full);
    late[5..11].copy_from_slice(&86_400_000_000_000u64.to_be_bytes()[2..]);
    let mut last = late.clone();
    last[5..11].copy_from_slice(&86_399_999_999_999u64.to_be_bytes()[2..]);
    let mut no_stock = message(b'D', &REF);
    no_stock[1..3].copy_from_slice(&[0, 0]);
    let short = message(b'A', &full[..24]);
    let printable = message(b'C', &[&REF[..], &SHARES, &MATCH, b"?", &PRICE].concat());
    for bad in [message(b'A', &odd_side), late, no_stock, short, vec![b'A'], printable] {
        let (inputs, end) = decode(&[framed(&bad), framed(&message(b'D', &REF))].concat());
        assert_eq!(kinds(&inputs), [Kind::Anomaly, Kind::Delete], "the next message is read: {end:?}");
        assert_eq!(anomalies(&inputs), [(AnomalyKind::MalformedMessage, bad[0].into())]);
        assert_eq!(inputs[0].1, 1);
    }
    assert_eq!(kinds(&decode(&framed(&last)).0), [Kind::Name, Kind::Listing, Kind::Add], "the day's last nanosecond");
}

#[test]
fn a_longer_message_is_read_as_far_as_it_is_known() {
    let (_, d) = only::<Delete>(b'D', &[&REF[..], b"appended later"].concat());
    assert_eq!(d.order_ref, REF_NUMBER);
}

#[test]
fn an_unknown_type_is_skipped_by_its_length() {
    let (inputs, end) = decode(&[framed(b"Z12"), framed(&message(b'D', &REF))].concat());
    assert_eq!((kinds(&inputs), end), (vec![Kind::Anomaly, Kind::Delete], Ok(())));
    assert_eq!(anomalies(&inputs), [(AnomalyKind::UnknownMessage, u64::from(b'Z'))]);
    assert_eq!(inputs[1].1, 2, "it counts as a record");
}
