//! LOBSTER from synthetic files: what rows become, what errors report, and that cuts change nothing.

use crate::reader::{Folder, drain, zip};
use chrono::NaiveDate;
use feeds::{FEEDS, OpenError, Request, drive, lobster};
use flow::records::{Anomaly, Level, Listing, Name, Status, Trade};
use flow::{AnomalyKind, Decoder, Event, FeedError, Flags, Kind, Ns, Params, Px, Qty, Side, Value, midnight, zone_of};
use proptest::prelude::*;

const MESSAGES: &str = "\
34200.1,1,11,5,100000,1
34200.2,1,12,7,100300,-1
34200.3,2,12,3,100300,-1
34200.4,4,11,5,100000,1
34200.5,5,0,9,100100,-1
34200.6,3,12,4,100300,-1
34200.7,6,-1,30,100100,-1
34200.8,7,0,0,-1,-1
";
const BOOK: &str = "\
100200,10,100000,5,100400,8,99900,6
100200,10,100000,5,100300,7,99900,6
100200,10,100000,5,100300,4,99900,6
100200,10,99900,6,100300,4,99800,1
100200,10,99900,6,100300,4,99800,1
100200,10,99900,6,100400,8,99800,1
100200,10,99900,6,100400,8,99800,1
100200,10,99900,6,100400,8,99800,1
";

fn day() -> NaiveDate {
    NaiveDate::from_ymd_opt(2012, 6, 21).unwrap()
}

fn decode(messages: &str, book: &str) -> (Vec<(Event, u64)>, Result<(), FeedError>) {
    drive::collect(&mut lobster::decoder("TEST", &[day()]), &[messages.as_bytes(), book.as_bytes()], 4096, 0)
}

fn at(record: u64, inputs: &[(Event, u64)]) -> Vec<Event> {
    inputs.iter().filter(|(_, r)| *r == record).map(|(e, _)| *e).collect()
}

fn levels(events: &[Event]) -> Vec<(Side, i64, u64)> {
    let level = |e: &Event| e.get::<Level>().map(|l| (e.side(), l.px.0 / 100_000, l.qty.0));
    events.iter().filter_map(level).collect()
}

#[test]
fn rows_become_messages_and_what_they_do_not_explain() {
    let (inputs, end) = decode(MESSAGES, BOOK);
    end.unwrap();
    let kinds = |record| at(record, &inputs).iter().map(|e| e.kind).collect::<Vec<_>>();
    assert_eq!(kinds(1), [Kind::Name, Kind::Listing, Kind::Level, Kind::Level, Kind::Level, Kind::Level]);
    assert_eq!(kinds(2), [Kind::Add, Kind::Level], "an order pushes the worst level out of sight");
    assert_eq!(levels(&at(2, &inputs)), [(Side::Sell, 100_400, 0)]);
    assert_eq!(kinds(3), [Kind::Cancel]);
    assert_eq!(kinds(4), [Kind::Exec, Kind::Level], "a level comes into sight");
    assert_eq!(levels(&at(4, &inputs)), [(Side::Buy, 99_800, 1)]);
    assert_eq!(kinds(5), [Kind::Trade]);
    assert_eq!(kinds(6), [Kind::Delete, Kind::Level]);
    assert_eq!((kinds(7), kinds(8)), (vec![Kind::Trade], vec![Kind::Status]));
    for (event, record) in inputs.iter().filter(|(e, _)| e.kind == Kind::Level) {
        assert!(event.flags.has(Flags::SNAPSHOT), "record {record}: {event:?}");
    }
    for record in 2..=8 {
        let events = at(record, &inputs);
        let closing = events.iter().filter(|e| e.flags.has(Flags::LAST_OF_GROUP)).count();
        assert!(closing == 1 && events.last().unwrap().flags.has(Flags::LAST_OF_GROUP), "record {record}");
    }
}

#[test]
fn sides_times_and_terms_are_exact() {
    let (inputs, _) = decode(MESSAGES, BOOK);
    let start = midnight(day(), zone_of(flow::Mic(*b"XNAS")));
    assert_eq!(start.0, 1_340_251_200_000_000_000, "midnight in New York, in summer");
    let hidden = at(5, &inputs)[0];
    assert_eq!(hidden.ts, Ns(start.0 + 34_200_500_000_000));
    assert!(hidden.side() == Side::Buy && hidden.flags.has(Flags::HIDDEN), "a hidden sell order was bought from");
    let trade = hidden.record::<Trade>();
    assert_eq!((trade.px, trade.qty, trade.exchange_ts), (Px(10_010_000_000), Qty(9), hidden.ts));
    assert_eq!(at(4, &inputs)[0].side(), Side::Buy, "an execution has the resting side");
    let auction = at(7, &inputs)[0];
    assert!(auction.side() == Side::None && auction.flags.has(Flags::AUCTION));
    assert_eq!(at(8, &inputs)[0].record::<Status>().code, *b"H\0\0\0");
    let listing = *at(1, &inputs)[1].record::<Listing>();
    assert_eq!((&listing.venue, listing.price_decimals, listing.book, listing.tick_px.0), (b"XNAS", 4, 1, 10_000_000));
}

/// The aggressors of the trades that `messages` bring on `day`, over a book that stays as it is.
fn aggressors(day: NaiveDate, messages: &str) -> Vec<Side> {
    let book = "1001000,10,1000000,10\n".repeat(messages.lines().count());
    let (inputs, end) =
        drive::collect(&mut lobster::decoder("TEST", &[day]), &[messages.as_bytes(), book.as_bytes()], 4096, 0);
    end.unwrap();
    assert!(inputs.iter().all(|(e, _)| e.kind != Kind::Anomaly), "{inputs:?}");
    inputs.iter().filter(|(e, _)| e.kind == Kind::Trade).map(|(e, _)| e.side()).collect()
}

#[test]
fn hidden_executions_have_a_side_until_nasdaq_masks_it() {
    let hidden =
        "34200.1,1,1,10,1000000,1\n34200.2,5,0,10,1000900,1\n34200.3,5,0,10,1000100,1\n34200.4,5,0,30,1000900,1\n";
    let on = |y, m, d| aggressors(NaiveDate::from_ymd_opt(y, m, d).unwrap(), hidden);
    assert_eq!(on(2012, 6, 21), [Side::Sell; 3]);
    assert_eq!(on(2014, 7, 13), [Side::Sell; 3], "the last day with sides");
    assert_eq!(on(2014, 7, 14), [Side::None; 3], "the first one without");
    assert_eq!(on(2019, 6, 3), [Side::None; 3]);
    assert_eq!(on(1970, 1, 1), [Side::None; 3], "the date is not known, so neither is the meaning");
}

#[test]
fn masking_takes_only_the_side_of_hidden_executions() {
    let day = NaiveDate::from_ymd_opt(2019, 6, 3).unwrap();
    assert_eq!(aggressors(day, "34200.1,4,1,10,1000000,-1\n34200.2,6,-1,9,1000900,-1\n"), [Side::Buy, Side::None]);
    let (visible, end) = drive::collect(
        &mut lobster::decoder("TEST", &[day]),
        &[b"34200.1,1,1,4,1000000,1\n34200.2,4,1,4,1001000,-1\n", b"1001000,10,1000000,10\n1001000,6,1000000,10\n"],
        4096,
        0,
    );
    end.unwrap();
    let exec = at(2, &visible)[0];
    assert!(exec.kind == Kind::Exec && exec.side() == Side::Sell, "a visible execution still has its resting side");
    assert_eq!(aggressors(day, "34200.1,1,1,10,1000000,1\n34200.2,5,0,10,1000900,0\n"), [Side::None], "not read");
}

#[test]
fn the_first_row_is_a_snapshot_and_keeps_only_its_trade() {
    let (inputs, end) = decode("34200.1,4,11,5,100000,1\n", "100200,10,100000,5\n");
    end.unwrap();
    let first = at(1, &inputs);
    let kinds: Vec<_> = first.iter().map(|e| e.kind).collect();
    assert_eq!(kinds, [Kind::Name, Kind::Listing, Kind::Trade, Kind::Level, Kind::Level]);
    assert_eq!(first[2].side(), Side::Sell);
}

#[test]
fn a_row_that_contradicts_the_messages_is_reported_and_prevails() {
    let book = BOOK.replacen("100300,4,99900,6", "100300,5,99900,6", 1);
    let (inputs, end) = decode(MESSAGES, &book);
    end.unwrap();
    let third = at(3, &inputs);
    let kinds: Vec<_> = third.iter().map(|e| e.kind).collect();
    assert_eq!(kinds, [Kind::Cancel, Kind::Anomaly, Kind::Level]);
    let anomaly = third[1].record::<Anomaly>();
    assert_eq!((anomaly.what, anomaly.px.0, anomaly.qty), (AnomalyKind::Mismatch as u16, 10_030_000_000, Qty(5)));
    assert_eq!(levels(&third), [(Side::Sell, 100_300, 5)]);
}

#[test]
fn invalid_messages_are_anomalies() {
    let odd = |row: &str| {
        let (inputs, end) = decode(&format!("34200.1,1,1,1,100000,1\n{row}\n"), "2,1,1,1\n2,1,1,1\n");
        end.unwrap();
        at(2, &inputs).iter().filter_map(|e| e.get::<Anomaly>()).map(|a| (a.what, a.detail)).next()
    };
    assert_eq!(odd("34200.2,8,1,1,1,1"), Some((AnomalyKind::UnknownMessage as u16, 8)));
    assert_eq!(odd("34200.2,1,77,0,1,1"), Some((AnomalyKind::BadValue as u16, 77)));
    assert_eq!(odd("34200.2,1,77,1,9223372036854775807,1"), Some((AnomalyKind::BadValue as u16, 77)));
    assert_eq!(odd("34200.2,4,77,1,1,0"), Some((AnomalyKind::BadValue as u16, 77)));
    assert_eq!(odd("34200.0,7,0,0,1,-1"), Some((AnomalyKind::BackwardTime as u16, 100_000_000)));
    assert_eq!(odd("34200.2,7,0,0,1,-1"), None);
}

#[test]
fn errors_report_where_and_what_to_do() {
    let says = |messages: &str, book: &str, record: u64, offset: u64, what: &str| {
        let fault = decode(messages, book).1.unwrap_err();
        assert!(fault.what.contains(what), "{fault}");
        assert_eq!((fault.record, fault.offset), (record, offset), "{fault}");
    };
    let (m, b) = ("34200.1,1,1,1,100000,1\n", "2,1,1,1\n");
    says("", "", 1, 0, "empty");
    says(m, &b.repeat(2), 2, 23, "the message file ends after 1 rows");
    says(&m.repeat(2), b, 2, 8, "the orderbook file ends after 1 rows");
    says(&format!("{m}34200.1,1,1"), &b.repeat(2), 2, 23, "message file, row 2: 3 columns");
    says(&m.repeat(2), &format!("{b}2,1,1\n"), 2, 8, "orderbook file, row 2: 3 columns instead of 4");
    says(&format!("{m}34200.2,x,1,1,1,1\n"), &b.repeat(2), 2, 31, "column 2 \"x\" is not an integer");
    says(m, "2,1,1\n", 1, 0, "4 per level");
    says(&format!("{m} \n"), &b.repeat(2), 2, 23, "1 columns");
    says(&format!("{m}\n\n"), &b.repeat(2), 2, 25, "the message file ends after 1 rows");
    says(&format!("\u{feff}{m}34200.2,x,1,1,1,1\n"), &b.repeat(2), 2, 34, "column 2 \"x\" is not an integer");
    says("\u{feff}x", b, 1, 3, "1 columns instead of 6");
    says(b, m, 1, 0, "4 columns instead of 6");
}

#[test]
fn what_an_editor_leaves_in_a_text_is_no_part_of_it() {
    let plain = decode(MESSAGES, BOOK);
    let marked = |text: &str| format!("\u{feff}{text}");
    let spaced = |text: &str| format!("\n\r\n{}\r\n\n", text.replacen('\n', "\n\n\r\n\n", 3));
    assert_eq!(decode(&marked(MESSAGES), &marked(BOOK)), plain, "a byte order mark");
    assert_eq!(decode(MESSAGES, &marked(BOOK)), plain, "in one of the two");
    assert_eq!(decode(&format!("{MESSAGES}\n"), &format!("{BOOK}\n")), plain, "an empty last line");
    assert_eq!(decode(&spaced(MESSAGES), BOOK), plain, "empty lines anywhere");
    assert_eq!(decode(&marked(&spaced(MESSAGES)), &marked(&spaced(BOOK))), plain);
    let second = MESSAGES.replacen('\n', "\n\u{feff}", 1);
    assert!(decode(&second, BOOK).1.is_err(), "a mark inside the text is no signature");
}

#[test]
fn times_with_more_than_nine_decimals_are_rounded_and_counted() {
    let mut decoder = lobster::decoder("TEST", &[day()]);
    let messages = MESSAGES.replace("34200.4,", "34200.399999999999,").replace("34200.5,", "34200.500000000004,");
    let (inputs, end) = drive::collect(&mut decoder, &[messages.as_bytes(), BOOK.as_bytes()], 4096, 0);
    end.unwrap();
    assert_eq!(inputs, decode(MESSAGES, BOOK).0);
    let rounded = decoder.counts().into_iter().find(|c| c.name == "times-rounded");
    assert_eq!(rounded.map(|c| c.count), Some(2));
}

#[test]
fn a_missing_last_line_end_and_windows_line_ends_are_fine() {
    let (plain, _) = decode(MESSAGES, BOOK);
    let (other, end) = decode(&MESSAGES.replace('\n', "\r\n"), BOOK.trim_end());
    end.unwrap();
    assert_eq!(plain, other);
}

#[test]
fn a_deep_snapshot_passes_a_small_queue() {
    let row: Vec<String> = (0..300).map(|i| format!("{},1,{},2", 50_000 + i, 40_000 - i)).collect();
    let (inputs, end) = decode("34200.1,1,1,1,100000,1\n", &format!("{}\n", row.join(",")));
    end.unwrap();
    assert_eq!(inputs.iter().filter(|(e, _)| e.kind == Kind::Level).count(), 600);
    assert_eq!(inputs.iter().filter(|(e, _)| e.flags.has(Flags::LAST_OF_GROUP)).count(), 2, "listing and snapshot");
}

#[test]
fn counts_cover_every_type() {
    let mut decoder = lobster::decoder("TEST", &[day()]);
    drive::run(&mut decoder, &[MESSAGES.as_bytes(), BOOK.as_bytes()], 1, 0, |_, _| {}).unwrap();
    let counts: Vec<_> = decoder.counts().into_iter().map(|c| (c.name, c.count)).collect();
    let expected = [
        ("submission", 2),
        ("cancellation", 1),
        ("deletion", 1),
        ("execution", 1),
        ("hidden-execution", 1),
        ("cross", 1),
        ("halt", 1),
        ("unknown", 0),
        ("times-rounded", 0),
        ("levels-injected", 2),
        ("levels-dropped", 1),
        ("rows-equal", 7),
        ("rows-differing", 0),
    ];
    assert_eq!(counts, expected.map(|(name, count)| (name.to_owned(), count)));
}

/// The name that LOBSTER gives a file.
fn named(symbol: &str, day: &str, which: &str) -> String {
    format!("{symbol}_{day}_34200000_57600000_{which}_2.csv")
}

/// What a zip of these members gives.
fn unpacked(members: &[(String, &str)], symbol: &str, date: Option<NaiveDate>) -> Result<drive::Driven, OpenError> {
    let folder = Folder::new();
    let members: Vec<_> = members.iter().map(|(name, text)| (&**name, text.as_bytes())).collect();
    let path = folder.file("days.zip", &zip(&members));
    let feed = flow::find(FEEDS, "lobster").unwrap();
    let mut params = Params::defaults(feed.params);
    params.set(&feed.params[0], Value::Text(symbol.to_owned()));
    feed.input(&Request { paths: vec![path], date, params }, feeds::FEEDS)
        .map(feeds::Input::start)
        .map(|mut source| drain(&mut *source))
}

/// The symbol that the inputs begin with.
fn symbol_of(inputs: &[(Event, u64)]) -> String {
    let name = inputs[0].0.record::<Name>();
    String::from_utf8_lossy(&name.text[..usize::from(name.len)]).into_owned()
}

#[test]
fn a_zip_may_have_folders() {
    let (day, whole) = ("2012-06-21", decode(MESSAGES, BOOK).0);
    for folder in ["", "data/", "data/2019-01-02_a/", "data\\"] {
        let file = |which| format!("{folder}{}", named("TEST", day, which));
        let (inputs, end) = unpacked(&[(file("orderbook"), BOOK), (file("message"), MESSAGES)], "", None).unwrap();
        end.unwrap();
        assert_eq!((symbol_of(&inputs).as_str(), &inputs), ("TEST", &whole), "{folder}");
    }
}

#[test]
fn the_days_of_a_zip_follow_each_other_in_order() {
    let file = |day: &str, which: &str| named("TEST", day, which);
    let second = "34200.1,1,11,5,100000,1\n34200.2,5,0,9,100100,-1";
    let second_book = "100200,10,100000,5\n100200,10,100000,5";
    let members = [
        (file("2012-06-22", "orderbook"), second_book),
        (file("2012-06-22", "message"), second),
        (file("2012-06-21", "message"), MESSAGES),
        (file("2014-07-15", "message"), second),
        (file("2012-06-21", "orderbook"), BOOK),
        (file("2014-07-15", "orderbook"), second_book),
    ];
    let (inputs, end) = unpacked(&members, "", None).unwrap();
    end.unwrap();
    let first = decode(MESSAGES, BOOK).0;
    assert_eq!(inputs[..first.len()], first, "the first day is as it is alone");
    let days: Vec<_> = (9..=12).map(|record| at(record, &inputs)).collect();
    let kinds: Vec<Vec<_>> = days.iter().map(|day| day.iter().map(|e| e.kind).collect()).collect();
    let snapshot = vec![Kind::Clear, Kind::Level, Kind::Level];
    assert_eq!(kinds, [snapshot.clone(), vec![Kind::Trade], snapshot, vec![Kind::Trade]]);
    let second_day = midnight(NaiveDate::from_ymd_opt(2012, 6, 22).unwrap(), zone_of(flow::Mic(*b"XNAS")));
    assert_eq!(days[0][0].ts, Ns(second_day.0 + 34_200_100_000_000));
    assert_eq!(levels(&days[0]), [(Side::Buy, 100_000, 5), (Side::Sell, 100_200, 10)], "the depth of a day is its own");
    assert!(days.iter().all(|d| d.last().unwrap().flags.has(Flags::LAST_OF_GROUP)));
    assert_eq!([days[1][0].side(), days[3][0].side()], [Side::Buy, Side::None], "each day by its own rule");
    assert!(
        inputs.is_sorted_by_key(|(e, _)| e.ts) && inputs.iter().filter(|(e, _)| e.kind == Kind::Listing).count() == 1
    );
}

#[test]
fn what_does_not_make_days_is_said() {
    let (m, b) = ("34200.1,1,1,1,100000,1\n", "2,1,1,1\n");
    let file = |symbol: &str, day: &str, which: &str| named(symbol, day, which);
    let two = |symbol: &str, day: &str| [(file(symbol, day, "message"), m), (file(symbol, day, "orderbook"), b)];
    let days = [two("TEST", "2012-06-21"), two("TEST", "2012-06-22")].concat();
    let says = |members: &[(String, &str)], date, what: &str| {
        let e = unpacked(members, "", date).unwrap_err().to_string();
        assert!(e.contains(what) && !e.contains("damaged") && !e.contains("again"), "{e}");
    };
    says(&days, NaiveDate::from_ymd_opt(2012, 6, 21), "has 2 days, each in the name of its files; leave the date out");
    says(&days[..3], None, "contains no orderbook file of 2012-06-22");
    says(&[&days[1..2], &days[2..3]].concat(), None, "contains no message file of 2012-06-21");
    says(&[&days[..], &[("m.csv".to_owned(), m)]].concat(), None, "m.csv has no day in its name");
    let deeper = (days[0].0.replace("_2.csv", "_5.csv"), m);
    says(&[&days[..], &[deeper]].concat(), None, "are both message files of one day");
    let symbols = [two("TEST", "2012-06-21"), two("OTHER", "2012-06-21")].concat();
    says(&symbols, None, "has files of several symbols: OTHER, TEST");
    let (inputs, end) = unpacked(&symbols, "OTHER", None).unwrap();
    assert_eq!((symbol_of(&inputs).as_str(), end), ("OTHER", Ok(())), "one of several");
    let (inputs, _) = unpacked(&days, "NAMED", None).unwrap();
    assert_eq!(symbol_of(&inputs), "NAMED", "the only symbol by another name");
    let short = [(days[0].0.clone(), m), (days[1].0.clone(), b), (days[2].0.clone(), ""), (days[3].0.clone(), b)];
    says(&short, None, "contains no message file of 2012-06-22");
    let uneven = [days[0].clone(), days[1].clone(), days[2].clone(), (days[3].0.clone(), "2,1,1,1\n2,1,1,1\n")];
    let (inputs, end) = unpacked(&uneven, "", None).unwrap();
    let e = end.unwrap_err();
    assert!(e.what.contains("the message file of 2012-06-22 ends after 1 rows"), "{e}");
    assert_eq!((e.record, e.offset, inputs.last().unwrap().1), (3, m.len() as u64, 2), "{e}");
}

proptest! {
    #[test]
    fn days_may_be_cut_anywhere(cut in 1usize..300, room in 0usize..300) {
        let (messages, book) = (format!("{MESSAGES}\u{1c}\n{MESSAGES}"), format!("{BOOK}\u{1c}\n{BOOK}"));
        let streams = [messages.as_bytes(), book.as_bytes()];
        let two = || lobster::decoder("TEST", &[day(), day().succ_opt().unwrap()]);
        let whole = drive::collect(&mut two(), &streams, 4096, 0);
        prop_assert_eq!(whole.0.last().unwrap().1, 16);
        prop_assert_eq!(drive::collect(&mut two(), &streams, cut, room), whole);
        let one = drive::collect(&mut lobster::decoder("TEST", &[day()]), &streams, cut, room).1.unwrap_err();
        prop_assert!(one.what.contains("has the mark of another day"));
    }

    #[test]
    fn cuts_and_queues_change_nothing(cut in 1usize..300, room in 0usize..300, spaced: bool) {
        let whole = decode(MESSAGES, BOOK);
        let text = |text: &str| if spaced { format!("\u{feff}\r\n\n{text}\n\n") } else { text.to_owned() };
        let (messages, book) = (text(MESSAGES), text(BOOK));
        let streams = [messages.as_bytes(), book.as_bytes()];
        prop_assert_eq!(drive::collect(&mut lobster::decoder("TEST", &[day()]), &streams, cut, room), whole);
    }

    #[test]
    fn damaged_files_never_panic(at in 0usize..400, byte: u8, in_book: bool, cut in 1usize..100) {
        let (mut messages, mut book) = (MESSAGES.as_bytes().to_vec(), BOOK.as_bytes().to_vec());
        let file = if in_book { &mut book } else { &mut messages };
        let at = at % file.len();
        file[at] = byte;
        let one = drive::collect(&mut lobster::decoder("TEST", &[day()]), &[&messages, &book], cut, 0);
        let two = drive::collect(&mut lobster::decoder("TEST", &[day()]), &[&messages, &book], 4096, 0);
        prop_assert_eq!(one, two);
    }

    #[test]
    fn no_bytes_panic(bytes in prop::collection::vec(prop::sample::select(&b"0123456789,.-\n\r x"[..]), 0..300)) {
        lobster::fuzz(&bytes);
    }
}
