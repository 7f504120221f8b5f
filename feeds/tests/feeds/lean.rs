//! LEAN's ticks and bars from synthetic files: what rows become, in which order, what errors report, and that cuts change nothing.

use chrono::NaiveDate;
use feeds::lean::Resolution;
use feeds::{FEEDS, Request, drive, lean};
use flow::records::{Bar, Quote, Trade};
use flow::{Decoder, Event, FeedError, Flags, Kind, Mic, Ns, Params, Px, Side, midnight, zone_of};
use proptest::prelude::*;

const TRADES: &str = "\
34200000,100000,5,P,1,0
34200010,100100,6,Q,20000020,0
34200010,100200,7,Q,20100000,0
34200020,100000,8,P,20000040,0
34200030,100050,9,P,1,0
34200030,100000,9,P,1,1
";
const QUOTES: &str = "\
34200000,99900,10,0,0,P,1,0
34200005,0,0,100100,20,Q,1,0
34200010,100100,1,0,0,Q,1,0
34200020,100000,3,0,0,P,1,1
34200025,100000,3,0,0,P,1,0
";

fn day(day: u32) -> NaiveDate {
    NaiveDate::from_ymd_opt(2013, 10, day).expect("a date")
}

/// The inputs of these texts, in pieces of so many bytes.
fn decode(trades: &str, quotes: &str, days: u32, cut: usize) -> (Vec<Event>, Result<(), FeedError>) {
    let days: Vec<_> = (7..7 + days).map(day).collect();
    let (inputs, end) =
        drive::collect(&mut lean::decoder("TEST", &days), &[trades.as_bytes(), quotes.as_bytes()], cut, 0);
    (inputs.into_iter().map(|(event, _)| event).collect(), end)
}

fn ms(event: &Event, of: u32) -> u64 {
    (event.ts.0 - midnight(day(of), zone_of(Mic(*b"XNYS"))).0) / 1_000_000
}

fn px(tenth_thousandths: i64) -> Px {
    Px::from_scaled(tenth_thousandths, 4)
}

#[test]
fn rows_are_merged_by_time_and_trades_come_first() {
    let (inputs, end) = decode(TRADES, QUOTES, 1, 4096);
    end.expect("whole files");
    let kinds: Vec<_> = inputs.iter().map(|event| (event.kind, ms(event, 7) - 34_200_000)).collect();
    let trade = |at| (Kind::Trade, at);
    let quote = |at| (Kind::Quote, at);
    let rows = [trade(0), quote(0), quote(5), trade(10), trade(10), quote(10), trade(20), quote(25), trade(30)];
    assert_eq!(kinds[..2], [(Kind::Name, 0), (Kind::Listing, 0)]);
    assert_eq!(kinds[2..], rows, "what is suspicious makes no input");
    assert!(inputs[1..].iter().all(|event| event.flags.has(Flags::LAST_OF_GROUP)));
}

#[test]
fn a_trade_is_compared_with_what_was_before_it() {
    let (inputs, _) = decode(TRADES, QUOTES, 1, 4096);
    let trades: Vec<_> = inputs.iter().filter(|event| event.kind == Kind::Trade).collect();
    let inferred = Flags::INFERRED_AGGRESSOR;
    let expected = [
        // Nothing is known yet.
        (5, Flags::NONE),
        // Above the middle of 9.99 and 10.01, the quotes of 5 ms earlier; that of the same time has crossed nothing yet.
        (6, inferred.with(Flags::BY_QUOTE).with_side(Side::Buy)),
        // An average price.
        (7, Flags::VOLUME_ONLY),
        // An opening print.
        (8, Flags::AUCTION),
        // In the middle of 10.00 and 10.01; above the opening print, and not below the average price.
        (9, inferred.with_side(Side::Buy)),
    ];
    for (event, (qty, flags)) in trades.iter().zip(expected) {
        let found = (event.record::<Trade>().qty.0, event.flags.without(Flags::LAST_OF_GROUP));
        assert_eq!(found, (qty, flags));
    }
    assert_eq!(trades.len(), expected.len());
}

#[test]
fn a_quote_keeps_its_other_side() {
    let (inputs, _) = decode("", QUOTES, 1, 4096);
    let quotes: Vec<_> = inputs.iter().filter_map(|event| event.get::<Quote>()).collect();
    let both = |q: &&Quote| [(q.bid_px, q.bid_qty.0), (q.ask_px, q.ask_qty.0)];
    let (none, ask) = ((Px::NONE, 0), (px(100_100), 20));
    let expected =
        [[(px(99_900), 10), none], [(px(99_900), 10), ask], [(px(100_100), 1), ask], [(px(100_000), 3), ask]];
    assert_eq!(quotes.iter().map(both).collect::<Vec<_>>(), expected);
}

#[test]
fn a_second_day_begins_with_nothing() {
    let two = |text: &str| format!("{text}\n\x1c\n{text}");
    let (inputs, end) = decode(&two(TRADES), &two(QUOTES), 2, 4096);
    end.expect("whole files");
    let (one, _) = decode(TRADES, QUOTES, 1, 4096);
    let [first, second] = [&inputs[..one.len()], &inputs[one.len()..]];
    assert_eq!(first, one);
    assert_eq!((second[0].kind, ms(&second[0], 8)), (Kind::Clear, 34_200_000));
    let same = |a: &Event, b: &Event| (a.kind, a.flags, ms(a, 7)) == (b.kind, b.flags, ms(b, 8));
    assert!(one[2..].iter().zip(&second[1..]).all(|(a, b)| same(a, b)) && second.len() == one.len() - 1);
}

#[test]
fn a_wrong_row_is_named_and_what_came_before_it_is_used() {
    let (inputs, end) = decode("34200000,100000,5,P,1,0\n34200001,100000,5,P\n", "", 1, 4096);
    let error = end.expect_err("a row of four columns");
    assert!(error.what.contains("file of trades of 2013-10-07, row 2: 4 columns instead of 6"), "{}", error.what);
    assert_eq!((error.record, error.offset, inputs.len()), (2, 24, 3));
}

#[test]
fn a_row_out_of_order_comes_when_it_is_read() {
    let (inputs, end) = decode("34200005,100000,5,P,1,0\n34200001,100000,6,P,1,0\n", "", 1, 4096);
    end.expect("whole files");
    let trades: Vec<_> = inputs.iter().filter(|event| event.kind == Kind::Trade).collect();
    assert_eq!(trades.iter().map(|event| ms(event, 7)).collect::<Vec<_>>(), [34_200_005; 2]);
    let told = trades[1].record::<Trade>().exchange_ts;
    assert_eq!(trades[1].ts.0 - told.0, 4_000_000, "its own time stays in it");
    let decoder = &mut lean::decoder("TEST", &[day(7)]);
    let text = b"34200005,100000,5,P,1,0\n34200001,100000,6,P,1,0\n";
    drive::collect(decoder, &[text, b""], 4096, 0).1.expect("whole files");
    assert!(decoder.counts().iter().any(|count| count.name == "backward" && count.count == 1));
    assert_eq!(decoder.records(), 2);
    assert!(Ns(0) < trades[0].ts);
}

const BARS: &str = "\
34200000,100000,100100,99900,100050,500
34260000,100050,100050,100050,100050,0
34380000,100000,100200,100000,100100,70
";
const QUOTE_BARS: &str = "\
34200000,99900,100000,99800,99950,3,100100,100200,100000,100050,5
34320000,,,,,,100100,100200,100000,100060,7
";

/// The inputs of these texts of bars of minutes, in pieces of so many bytes.
fn decode_bars(trades: &str, quotes: &str, cut: usize) -> (Vec<Event>, Result<(), FeedError>) {
    let mut decoder = lean::bar_decoder("TEST", Resolution::Minute, &[day(7)]);
    let (inputs, end) = drive::collect(&mut decoder, &[trades.as_bytes(), quotes.as_bytes()], cut, 0);
    (inputs.into_iter().map(|(event, _)| event).collect(), end)
}

#[test]
fn bars_enter_at_their_end_and_before_the_quote_of_the_same_time() {
    let (inputs, end) = decode_bars(BARS, QUOTE_BARS, 4096);
    end.expect("whole files");
    let found: Vec<_> = inputs[2..].iter().map(|event| (event.kind, ms(event, 7) - 34_200_000)).collect();
    let bar = |at| [(Kind::Bar, at), (Kind::BarFlow, at)];
    let [one, two, three] = [bar(60_000), bar(120_000), bar(240_000)];
    let expected = [&one[..], &[(Kind::Quote, 60_000)], &two, &[(Kind::Quote, 180_000)], &three].concat();
    assert_eq!(found, expected);
    let start_s = (midnight(day(7), zone_of(Mic(*b"XNYS"))).0 / Ns::SECOND) as u32 + 34_200;
    let [open, high, low, close] = [100_000, 100_100, 99_900, 100_050].map(px);
    assert_eq!(inputs[2].record::<Bar>(), &Bar { open, high, low, close, start_s, interval_s: 60 });
    let quotes: Vec<_> = inputs.iter().filter_map(|event| event.get::<Quote>()).collect();
    assert_eq!((quotes[0].bid_px, quotes[0].bid_qty.0, quotes[0].ask_px), (px(99_950), 3, px(100_050)));
    assert_eq!((quotes[1].bid_px, quotes[1].bid_qty.0, quotes[1].ask_px), (Px::NONE, 0, px(100_060)), "one side");
}

#[test]
fn a_wrong_bar_is_named() {
    let (inputs, end) = decode_bars("34200000,1,2,1,2,5\n34260000,3,2,1,2,5\n", "", 4096);
    let error = end.expect_err("the high is not the highest");
    assert!(error.what.contains("file of trades of 2013-10-07, row 2: four prices are not open"), "{}", error.what);
    assert_eq!((error.record, error.offset, inputs.len()), (2, 28, 4));
}

/// LEAN's folders around a file of this name with this text, and what opening it says.
fn opened(file: &str, text: &str) -> Result<String, String> {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join(file);
    std::fs::create_dir_all(path.parent().expect("a folder")).expect("the folder is made");
    std::fs::write(&path, text).expect("the file is written");
    let request = Request { paths: vec![path], date: None, params: Params::defaults(lean::FEED.params) };
    let input = lean::FEED.input(&request, FEEDS).map_err(|error| error.to_string())?;
    let feeds::Input::Bytes(opened) = input else { panic!("it is one file") };
    Ok(opened.warnings.join(","))
}

#[test]
fn the_names_tell_how_long_bars_are() {
    for file in ["equity/usa/minute/spy/20131007_trade.csv", "20131007_spy_second_trade.csv"] {
        assert_eq!(opened(file, BARS), Ok(String::new()), "{file}");
    }
    let hours = "19980102 09:00,973100,975300,970300,970300,384500\n";
    for file in ["hour/spy.csv", "daily/spy.csv"] {
        assert_eq!(opened(file, hours), Ok(String::new()), "{file}: no date is missing");
    }
    let error = opened("spy.csv", hours).expect_err("it may be an hour or a day");
    assert!(error.contains("neither its name nor its folder says how long they are; keep LEAN's names"), "{error}");
}

proptest! {
    #[test]
    fn cuts_change_nothing(cut in 1_usize..200) {
        let whole = decode(TRADES, QUOTES, 1, 4096);
        let pieces = decode(TRADES, QUOTES, 1, cut);
        prop_assert_eq!(whole.0, pieces.0);
        prop_assert!(pieces.1.is_ok());
        prop_assert_eq!(decode_bars(BARS, QUOTE_BARS, 4096), decode_bars(BARS, QUOTE_BARS, cut));
    }
}
