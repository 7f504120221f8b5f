//! The feed without its socket: messages in both encodings, conditions, the conversation.

use super::Frames;
use super::address::Address;
use super::conditions::{self, Effect};
use super::fake::{Body, Minute, Sent};
use super::message::{Encoding, Message};
use super::session::{Credentials, Session, Turn};
use super::subscription::Channel;
use flow::records::{Bands, Bar, BarFlow, Break, CorrectedBar, CorrectedBarFlow, Listing, Quote, Status, Trade};
use flow::{Event, Flags, Kind, Ns, Px, Qty, SecretPlace, Side, Symbols};
use proptest::prelude::*;
use secret::Secret;

const AT: Ns = Ns(1_700_000_000_123_456_789);

fn sent(body: Body) -> Sent {
    Sent { symbol: "AAPL".to_owned(), tape: 'C', time: AT, body }
}

fn trade(id: u64, px: f64, qty: u64, conditions: &[&str]) -> Sent {
    let conditions = conditions.iter().map(|c| (*c).to_owned()).collect();
    sent(Body::Trade { id, exchange: 'V', px, qty, conditions })
}

fn quote(bid: f64, ask: f64) -> Sent {
    sent(Body::Quote { bid: (bid, 3), ask: (ask, 2) })
}

/// The inputs of messages, in both encodings, which must give the same.
fn inputs(messages: &[Sent]) -> Vec<Event> {
    let both = [serde_json::to_vec(messages).unwrap(), rmp_serde::to_vec_named(messages).unwrap()];
    let [text, packed] = [0, 1].map(|n| {
        let mut all = Vec::new();
        let mut frames = Frames::default();
        frames.read(&both[n], n == 0, AT, &mut |inputs| all.extend_from_slice(inputs)).unwrap();
        all
    });
    assert_eq!(text, packed, "the encodings differ");
    text
}

fn of<R: flow::Record>(inputs: &[Event], kind: Kind) -> Vec<(Flags, R)> {
    inputs.iter().filter(|e| e.kind == kind).map(|e| (e.flags, *e.record::<R>())).collect()
}

#[test]
fn the_examples_of_the_page_are_read() {
    let trade = br#"[{"T":"t","i":96921,"S":"AAPL","x":"D","p":126.55,"s":1,"t":"2021-02-22T15:51:44.208Z","c":["@","I"],"z":"C"}]"#;
    let mut all = Vec::new();
    Frames::default().read(trade, true, AT, &mut |inputs| all.extend_from_slice(inputs)).unwrap();
    assert_eq!(all.iter().map(|e| e.kind).collect::<Vec<_>>(), [Kind::Name, Kind::Listing, Kind::Trade]);
    let listing: Listing = *all[1].record();
    assert_eq!((listing.venue, listing.calendar), (*b"IEXG", *b"XNYS"));
    let found: Trade = *all[2].record();
    let match_id = u64::from(b'D') << 56 | 96_921;
    let exchange_ts = Ns(1_614_009_104_208_000_000);
    let px = Px::from_scaled(12_655, 2);
    assert_eq!(found, Trade { exchange_ts, px, qty: Qty(1), match_id, ..Trade::default() });
    assert_eq!(all[2].ts, AT, "the time of an input is its arrival");
}

#[test]
fn a_trade_is_compared_with_the_quote_before_it() {
    let all = inputs(&[
        trade(1, 10.00, 5, &["@"]),
        quote(9.99, 10.01),
        trade(2, 10.01, 6, &["@", "F"]),
        trade(3, 10.00, 7, &["W"]),
        trade(4, 10.00, 8, &["@", "O"]),
        trade(5, 9.99, 9, &["@", "I"]),
        trade(6, 9.99, 9, &["@", "6", "M"]),
    ]);
    let inferred = Flags::INFERRED_AGGRESSOR.with(Flags::BY_QUOTE);
    let expected = [
        (5, Flags::NONE),
        (6, inferred.with_side(Side::Buy)),
        (7, Flags::VOLUME_ONLY),
        (8, Flags::AUCTION),
        (9, inferred.with_side(Side::Sell)),
    ];
    let found = of::<Trade>(&all, Kind::Trade);
    let found: Vec<_> = found.iter().map(|(f, t)| (t.qty.0, f.without(Flags::LAST_OF_GROUP))).collect();
    assert_eq!(found, expected, "the official close is no trade");
    let quotes = of::<Quote>(&all, Kind::Quote);
    assert_eq!((quotes[0].1.bid_qty, quotes[0].1.ask_qty), (Qty(300), Qty(200)), "round lots");
}

#[test]
fn a_side_without_an_order_is_absent() {
    let all = inputs(&[sent(Body::Quote { bid: (0.0, 0), ask: (10.0, 1) })]);
    let (_, quote) = of::<Quote>(&all, Kind::Quote)[0];
    assert_eq!((quote.bid_px, quote.bid_qty, quote.ask_px), (Px::NONE, Qty(0), Px::from_scaled(10, 0)));
}

#[test]
fn what_is_taken_back_is_a_break_and_what_is_corrected_is_that_and_a_trade_that_makes_no_price() {
    let old = (1, 10.0, 100);
    let all = inputs(&[
        trade(1, 10.0, 100, &["@"]),
        sent(Body::Correction { exchange: 'V', old, new: (2, 10.5, 90) }),
        sent(Body::Cancel { id: 2, exchange: 'V', px: 10.5, qty: 90 }),
    ]);
    let trades = of::<Trade>(&all, Kind::Trade);
    let breaks: Vec<_> = of::<Break>(&all, Kind::Break).iter().map(|(_, b)| b.match_id).collect();
    assert_eq!(breaks, trades.iter().map(|(_, t)| t.match_id).collect::<Vec<_>>());
    let (flags, corrected) = trades[1];
    assert_eq!((corrected.px, corrected.qty), (Px::from_scaled(105, 1), Qty(90)));
    assert!(flags.has(Flags::VOLUME_ONLY) && flags.has(Flags::LAST_OF_GROUP));
    let group = all.iter().filter(|e| e.kind == Kind::Break).map(|e| e.flags.has(Flags::LAST_OF_GROUP));
    assert_eq!(group.collect::<Vec<_>>(), [false, true], "a correction is one group");
}

#[test]
fn halts_of_all_tapes_have_one_language() {
    let status = |tape, code: &str| {
        let body = Body::Status { code: code.to_owned(), reason: "LUDP".to_owned() };
        Sent { tape, ..sent(body) }
    };
    let all = inputs(&[
        status('C', "H"),
        status('C', "T"),
        status('A', "2"),
        status('B', "3"),
        status('A', "E"),
        status('A', "5"),
        status('C', "P"),
    ]);
    let said: Vec<_> = of::<Status>(&all, Kind::Status).iter().map(|(_, s)| (s.what, s.code[0], s.reason)).collect();
    let expected = [(2, b'H'), (2, b'T'), (2, b'H'), (2, b'T'), (4, b'E'), (2, b'P')];
    assert_eq!(said, expected.map(|(what, code)| (what, code, *b"LUDP")));
}

#[test]
fn a_bar_that_comes_again_corrects_the_first_and_is_no_second_one() {
    let minute = |volume, close| Minute { prices: [10.0, 10.5, 9.75, close], volume, trades: 7, vwap: 10.123456 };
    let at = Ns(AT.0 - AT.0 % (60 * Ns::SECOND));
    let message = |body| Sent { time: at, ..sent(body) };
    let daily = r#"[{"T":"d","S":"AAPL","o":1,"h":1,"l":1,"c":1,"v":1,"t":"2021-02-22T05:00:00Z"}]"#;
    let all = inputs(&[message(Body::Bar(minute(100, 10.25))), message(Body::UpdatedBar(minute(130, 10.5)))]);
    let kinds: Vec<_> = all.iter().map(|e| e.kind).collect();
    let bars = [Kind::Bar, Kind::BarFlow, Kind::CorrectedBar, Kind::CorrectedBarFlow];
    assert_eq!(kinds, [&[Kind::Name, Kind::Listing], &bars[..]].concat());
    let ends: Vec<_> = all[2..].iter().map(|e| e.flags.has(Flags::LAST_OF_GROUP)).collect();
    assert_eq!(ends, [false, true, false, true]);
    let (bar, again): (&Bar, &CorrectedBar) = (all[2].record(), all[4].record());
    assert_eq!((bar.start_s, bar.interval_s), (again.start_s, again.interval_s));
    assert_eq!([bar.close, again.close], [Px::from_scaled(1_025, 2), Px::from_scaled(105, 1)]);
    let flow: &CorrectedBarFlow = all[5].record();
    assert_eq!((flow.volume, flow.trades, flow.interval_s), (Qty(130), 7, 60));
    assert_eq!((flow.vwap, flow.buy_volume), (Px(10_123_456_000), BarFlow::UNKNOWN.buy_volume), "as of a bar");
    let mut count = 0;
    Frames::default().read(daily.as_bytes(), true, AT, &mut |inputs| count += inputs.len()).unwrap();
    assert_eq!(count, 0, "the bar of a day that is not over");
}

#[test]
fn price_bands_are_read_and_a_side_without_a_limit_is_absent() {
    // The example of Alpaca's page.
    let page = br#"[{"T":"l","S":"IONM","u":3.24,"d":2.65,"i":"B","t":"2023-04-06T13:34:45.565004401Z","z":"C"}]"#;
    let mut all = Vec::new();
    Frames::default().read(page, true, AT, &mut |inputs| all.extend_from_slice(inputs)).unwrap();
    let (exchange_ts, indicator, tape) = (Ns(1_680_788_085_565_004_401), *b"B\0\0\0", *b"C\0\0\0");
    let (limit_up_px, limit_down_px) = (Px::from_scaled(324, 2), Px::from_scaled(265, 2));
    let expected = Bands { exchange_ts, limit_up_px, limit_down_px, indicator, tape, ..Bands::default() };
    assert_eq!(of::<Bands>(&all, Kind::Bands), [(Flags::LAST_OF_GROUP, expected)]);
    let all = inputs(&[sent(Body::Luld { up: 3.24, down: 0.0, indicator: 'B' })]);
    let (_, bands) = of::<Bands>(&all, Kind::Bands)[0];
    assert_eq!((bands.limit_up_px, bands.limit_down_px), (limit_up_px, Px::NONE));
    let without = br#"[{"T":"l","S":"IONM","u":3.24,"i":"B","t":"2023-04-06T13:34:45Z","z":"C"}]"#;
    let fault = Frames::default().read(without, true, AT, &mut |_| ()).unwrap_err();
    assert_eq!(fault, "a message of type 'l' has no valid `d`");
}

#[test]
fn a_message_without_what_it_needs_is_named_and_the_others_are_taken() {
    let frame = br#"[{"T":"t","S":"A","i":1,"x":"V","p":1.5,"s":1,"t":"2021-02-22T15:51:44Z","z":"A"},
        {"T":"t","S":"A","i":2,"x":"V","s":1,"t":"2021-02-22T15:51:44Z","z":"A"},
        {"T":"t","S":"A","i":3,"x":"V","p":1.5,"s":1.5,"t":"2021-02-22T15:51:44Z","z":"A"},
        {"T":"q","S":"A","bp":1.4,"bs":1,"ap":1.5,"as":1,"t":"2021-02-22T15:51:44Z","z":"A","new":{"x":[1]}},
        {"T":"?","S":"A"}]"#;
    let mut kinds = Vec::new();
    let end = Frames::default().read(frame, true, AT, &mut |inputs| kinds.extend(inputs.iter().map(|e| e.kind)));
    assert_eq!(kinds, [Kind::Name, Kind::Listing, Kind::Trade, Kind::Quote]);
    assert!(end.unwrap_err().starts_with("a message of type 't' has no valid `"));
}

#[test]
fn the_condition_that_makes_least_of_a_trade_decides() {
    assert!(conditions::TABLES.iter().all(|table| {
        let letters: std::collections::BTreeSet<_> = table.iter().map(|(letter, ..)| letter).collect();
        letters.len() == table.len()
    }));
    let print = |tape, codes: &[&str]| {
        let json = serde_json::to_string(&[serde_json::json!({"T": "t", "c": codes})]).unwrap();
        let mut print = None;
        let take = &mut |m: &Message<'_>| match &m.c {
            super::message::Value::Conditions(c) => print = Some(conditions::print(tape, c)),
            other => panic!("{other:?}"),
        };
        Encoding::Json.read(json.as_bytes(), take).unwrap();
        print.unwrap()
    };
    // The same letter means one thing on one tape and another on the other.
    assert_eq!((print('A', &["B"]).effect, print('C', &["B"]).effect), (Effect::VolumeOnly, Effect::Regular));
    assert_eq!(print('C', &["@", "F", "T", "I"]).effect, Effect::Regular);
    assert_eq!(print('A', &["7", "V"]).effect, Effect::VolumeOnly);
    assert_eq!((print('A', &["?"]).effect, print('A', &["?"]).unknown), (Effect::Regular, 1));
}

#[test]
fn addresses() {
    let found = Address::parse("wss://stream.data.alpaca.markets", "v2/iex").unwrap();
    assert!(found.is_secure && found.port == 443 && found.url == "wss://stream.data.alpaca.markets/v2/iex");
    let found = Address::parse("ws://[::1]:9000/", "v2/sip").unwrap();
    assert_eq!((found.host.as_str(), found.port, found.is_secure), ("::1", 9_000, false));
    for wrong in ["", "http://x", "ws://", "alpaca.markets"] {
        assert_eq!(Address::parse(wrong, "v2/iex"), None, "{wrong:?}");
    }
}

pub(super) fn credentials() -> Credentials {
    let folder = tempfile::tempdir().unwrap();
    let read = |name: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, name).unwrap();
        Secret::read(&SecretPlace::File(path.display().to_string())).unwrap()
    };
    Credentials { key: read("the-key"), secret: read("the-secret") }
}

pub(super) fn symbols(names: &[&str]) -> Option<Symbols> {
    Some(names.iter().map(|name| (*name).to_owned()).collect())
}

fn session(of: Option<Symbols>) -> Session {
    Session::new(Encoding::Json, vec![Channel::Trades, Channel::Quotes], credentials(), of)
}

fn said(session: &mut Session, frame: &str) -> Turn {
    session.frame(Encoding::Json, frame.as_bytes(), &mut |_| ()).unwrap()
}

fn texts(turn: Turn) -> Vec<String> {
    turn.send.into_iter().map(|bytes| String::from_utf8(bytes).unwrap()).collect()
}

#[test]
fn the_conversation_is_that_of_the_page() {
    let mut session = session(symbols(&["AAPL", "AMD"]));
    let auth = texts(said(&mut session, r#"[{"T":"success","msg":"connected"}]"#));
    assert_eq!(auth, [r#"{"action":"auth","key":"the-key","secret":"the-secret"}"#]);
    let subscribe = texts(said(&mut session, r#"[{"T":"success","msg":"authenticated"}]"#));
    assert_eq!(subscribe, [r#"{"action":"subscribe","trades":["AAPL","AMD"],"quotes":["AAPL","AMD"]}"#]);
    let turn = said(&mut session, r#"[{"T":"subscription","trades":["AAPL"],"quotes":["AMD","CLDR"],"bars":["*"]}]"#);
    let sentence = turn.say.unwrap();
    assert_eq!(sentence, "subscribed to trades (AAPL), quotes (2), bars (all)");
    let change = texts(session.watch(symbols(&["AMD", "SPY"])));
    let asked = |action, symbol| format!(r#"{{"action":"{action}","trades":["{symbol}"],"quotes":["{symbol}"]}}"#);
    assert_eq!(change, [asked("unsubscribe", "AAPL"), asked("subscribe", "SPY")]);
    assert_eq!(texts(session.watch(None)), [asked("subscribe", "*")]);
    assert_eq!(texts(session.watch(symbols(&["AMD"]))), [asked("unsubscribe", "*"), asked("subscribe", "AMD")]);
}

#[test]
fn a_refusal_says_what_to_do() {
    for (code, is_lasting, word) in
        [(402, true, "`secret`"), (406, false, "another connection"), (409, true, "`source`"), (500, false, "again")]
    {
        let frame = format!(r#"[{{"T":"error","code":{code},"msg":"no"}}]"#);
        let refused = session(None).frame(Encoding::Json, frame.as_bytes(), &mut |_| ()).unwrap_err();
        assert_eq!(refused.is_lasting, is_lasting, "{code}");
        let text = refused.to_string();
        assert!(text.starts_with(&format!("Alpaca says {code}, no; ")) && text.contains(word), "{text}");
        assert!(!text.contains("the-secret"), "{text}");
    }
}

#[test]
fn more_symbols_than_the_plan_has_are_told_with_the_figures() {
    let names: Vec<_> = (0..20).map(|n| format!("S{n}")).collect();
    let mut session = session(Some(names.into_iter().collect()));
    said(&mut session, r#"[{"T":"success","msg":"connected"}]"#);
    said(&mut session, r#"[{"T":"success","msg":"authenticated"}]"#);
    let turn = said(&mut session, r#"[{"T":"error","code":405,"msg":"symbol limit exceeded"}]"#);
    let sentence = turn.say.unwrap();
    assert!(sentence.contains("20 symbols with trades and quotes are 40"), "{sentence}");
    assert!(session.is_subscribed(), "the connection is as it was");
}

#[test]
fn what_is_watched_is_answered_when_it_comes_or_is_refused() {
    let mut session = session(symbols(&["AAPL", "AMD"]));
    said(&mut session, r#"[{"T":"success","msg":"connected"}]"#);
    assert_eq!(said(&mut session, r#"[{"T":"success","msg":"authenticated"}]"#).answer, None, "it was only asked for");
    let half = said(&mut session, r#"[{"T":"subscription","trades":["AAPL","AMD"],"quotes":["AAPL"]}]"#);
    assert_eq!(half.answer, None, "not of every channel");
    let whole = r#"[{"T":"subscription","trades":["AAPL","AMD"],"quotes":["AMD","AAPL"],"bars":["X"]}]"#;
    assert_eq!(said(&mut session, whole).answer, Some(Ok(())));
    let refused = r#"[{"T":"error","code":405,"msg":"symbol limit exceeded"}]"#;
    assert_eq!(session.watch(symbols(&["AMD", "SPY"])).answer, None);
    let answer = said(&mut session, refused).answer;
    assert!(
        answer.is_some_and(|answer| answer.is_err_and(|why| why.contains("2 symbols with trades and quotes are 4")))
    );
    // What was left has gone; the list before needs it again.
    let asked = r#"{"action":"subscribe","trades":["AAPL"],"quotes":["AAPL"]}"#;
    assert_eq!(texts(session.watch(symbols(&["AAPL", "AMD"]))), [asked]);
    assert_eq!(said(&mut session, whole).answer, Some(Ok(())));
    let nothing = session.watch(symbols(&["AMD", "AAPL"]));
    assert_eq!((nothing.send.len(), nothing.answer), (0, Some(Ok(()))), "it comes already");
    assert_eq!(session.watch(None).answer, None);
    assert_eq!(said(&mut session, r#"[{"T":"subscription","trades":["*"],"quotes":["*"]}]"#).answer, Some(Ok(())));
}

#[test]
fn a_connection_that_was_refused_all_asks_for_all_that_fits_later() {
    let mut session = session(symbols(&["A", "B", "C"]));
    said(&mut session, r#"[{"T":"success","msg":"connected"}]"#);
    said(&mut session, r#"[{"T":"success","msg":"authenticated"}]"#);
    said(&mut session, r#"[{"T":"error","code":405,"msg":"symbol limit exceeded"}]"#);
    let asked = r#"{"action":"subscribe","trades":["A","B"],"quotes":["A","B"]}"#;
    assert_eq!(texts(session.watch(symbols(&["A", "B"]))), [asked]);
}

proptest! {
    #[test]
    fn prices_of_up_to_nine_decimals_are_exact(units in 1u64..4_000_000, nano in 0u64..1_000_000_000) {
        let text = format!("{units}.{nano:09}");
        let frame = format!(r#"[{{"T":"t","p":{text}}}]"#);
        let mut px = None;
        Encoding::Json.read(frame.as_bytes(), &mut |m| px = m.p.px()).unwrap();
        prop_assert_eq!(px, Some(Px((units * 1_000_000_000 + nano) as i64)));
    }

    #[test]
    fn times_are_exact_in_both_encodings(seconds in 0u64..4_000_000_000, nanos in 0u64..1_000_000_000) {
        let at = Ns(seconds * Ns::SECOND + nanos);
        for (n, frame) in [serde_json::to_vec(&[Sent { time: at, ..quote(1.0, 2.0) }]).unwrap(),
            rmp_serde::to_vec_named(&[Sent { time: at, ..quote(1.0, 2.0) }]).unwrap()].iter().enumerate() {
            let mut found = None;
            let encoding = [Encoding::Json, Encoding::MessagePack][n];
            encoding.read(frame, &mut |m| found = m.t.time()).unwrap();
            prop_assert_eq!(found, Some(at));
        }
    }

    #[test]
    fn no_bytes_break_it(bytes in prop::collection::vec(any::<u8>(), 0..200), is_text: bool) {
        let _ = Frames::default().read(&bytes, is_text, AT, &mut |_| ());
    }

    /// A byte of a real frame is another one.
    #[test]
    fn no_damage_breaks_it(at in 0usize..1_000, byte: u8, is_text: bool) {
        let messages = [trade(1, 10.0, 5, &["@", "I"]), quote(9.99, 10.01)];
        let mut frame = if is_text { serde_json::to_vec(&messages).unwrap() } else { rmp_serde::to_vec_named(&messages).unwrap() };
        let at = at % frame.len();
        frame[at] = byte;
        let _ = Frames::default().read(&frame, is_text, AT, &mut |_| ());
    }
}
