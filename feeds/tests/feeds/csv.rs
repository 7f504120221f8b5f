//! CSV from synthetic files: what rows become, what is asked for, what errors report, and that neither cuts nor the order of rows
//! change anything.

use crate::reader::{Folder, drain, gzip, zip};
use chrono::{DateTime, TimeZone};
use chrono_tz::Tz;
use feeds::csv::{self, FEED};
use feeds::{FEEDS, Request, drive};
use flow::records::{Bar, BarFlow, Listing};
use flow::{Event, FeedError, Kind, Listings, Ns, Params, Px, Qty};
use proptest::prelude::*;
use std::path::{Path, PathBuf};

const SET: [(&str, &str); 3] = [("zone", "America/New_York"), ("stamp", "end"), ("interval", "1m")];
const HEADER: &str = "datetime,open,high,low,close,volume\n";

fn params(settings: &[(&str, &str)]) -> Params {
    let mut params = Params::defaults(FEED.params);
    for (name, value) in settings {
        let param = FEED.params.iter().find(|param| param.name == *name).expect("a parameter");
        params.set(param, param.parse(name, value).expect("a value"));
    }
    params
}

/// The inputs of these files, in pieces of so many bytes.
fn decode(files: &[(&str, &str)], settings: &[(&str, &str)], cut: usize) -> (Vec<Event>, Result<(), FeedError>) {
    let names: Vec<_> = files.iter().map(|(name, _)| *name).collect();
    let texts: Vec<_> = files.iter().map(|(_, text)| text.as_bytes()).collect();
    let mut decoder = csv::decoder(&names, &params(settings)).expect("the settings are valid");
    let (inputs, end) = drive::collect(&mut decoder, &texts, cut, 0);
    (inputs.into_iter().map(|(event, _)| event).collect(), end)
}

fn bars(inputs: &[Event]) -> Vec<(u32, Ns, Bar)> {
    inputs.iter().filter_map(|event| Some((event.instrument, event.ts, *event.get::<Bar>()?))).collect()
}

fn flows(inputs: &[Event]) -> Vec<BarFlow> {
    inputs.iter().filter_map(|event| event.get::<BarFlow>().copied()).collect()
}

fn at(text: &str) -> Ns {
    Ns(text.parse::<DateTime<chrono::Utc>>().expect("a time").timestamp_nanos_opt().expect("a time").cast_unsigned())
}

fn one(text: &str, settings: &[(&str, &str)]) -> (Vec<Event>, Result<(), FeedError>) {
    decode(&[("SPY.csv", text)], settings, 4096)
}

fn error(text: &str, settings: &[(&str, &str)]) -> String {
    one(text, settings).1.expect_err("it is refused").to_string()
}

#[test]
fn a_bar_enters_at_its_end_with_all_that_the_row_has() {
    let text = "datetime,open,high,low,close,volume,vwap,transactions\n\
                2024-03-01 09:30:00-05:00,508.98,509.25,508.9,509.1,1200.0,509.01555,17\n\
                2024-03-01 09:31:00-05:00,509.1,509.1,509.1,509.1,,,\n";
    let (inputs, end) = one(text, &[("interval", "1m")]);
    end.expect("a whole file");
    let kinds: Vec<_> = inputs.iter().map(|event| event.kind).collect();
    assert_eq!(kinds, [Kind::Name, Kind::Listing, Kind::Bar, Kind::BarFlow, Kind::Bar, Kind::BarFlow]);
    let found = bars(&inputs);
    assert_eq!(
        found.iter().map(|bar| bar.1).collect::<Vec<_>>(),
        [at("2024-03-01T14:31:00Z"), at("2024-03-01T14:32:00Z")]
    );
    let [open, high, low, close] = [508_980, 509_250, 508_900, 509_100].map(|px| Px::from_scaled(px, 3));
    let start_s = (at("2024-03-01T14:30:00Z").0 / Ns::SECOND) as u32;
    assert_eq!(found[0].2, Bar { open, high, low, close, start_s, interval_s: 60 });
    let full = BarFlow {
        volume: Qty(1_200),
        vwap: Px::from_scaled(50_901_555, 5),
        trades: 17,
        interval_s: 60,
        ..BarFlow::UNKNOWN
    };
    assert_eq!(flows(&inputs), [full, BarFlow { interval_s: 60, ..BarFlow::UNKNOWN }], "what is not there is absent");
}

#[test]
fn the_listing_says_what_is_known() {
    let text = format!("{HEADER}2024-03-01 09:31,1,1,1,1,0\n");
    let listing = |settings: &[(&str, &str)]| {
        let (inputs, _) = one(&text, &[&SET[..], settings].concat());
        let mut listings = Listings::default();
        inputs.iter().for_each(|event| listings.observe(event));
        listings.get(1).expect("it is listed").clone()
    };
    let bare = listing(&[]);
    assert_eq!((bare.symbol.as_str(), bare.terms), ("SPY", Listing { price_decimals: 255, ..Listing::default() }));
    let full = listing(&[("symbol", "X"), ("venue", "ARCX"), ("tick", "0.01")]);
    let terms = Listing {
        venue: *b"ARCX",
        calendar: *b"ARCX",
        tick_px: Px::from_scaled(1, 2),
        price_decimals: 2,
        ..Listing::default()
    };
    assert_eq!((full.symbol.as_str(), full.terms), ("X", terms));
}

#[test]
fn files_are_merged_by_the_end_of_their_bars() {
    let rows = |minutes: &[u32]| {
        let rows = minutes.iter().map(|m| format!("2024-03-01 09:{m}:00,1,1,1,1,{m}\n"));
        HEADER.to_owned() + &rows.collect::<String>()
    };
    let [a, b, more] = [rows(&[31, 33, 34]), rows(&[34, 33, 32]), rows(&[35, 36])];
    let (inputs, end) = decode(&[("A_1.csv", &a), ("B_1.csv", &b), ("A_2.csv", &more)], &SET, 7);
    end.expect("whole files");
    let minute = |ts: Ns| ts.0 / (60 * Ns::SECOND) % 60;
    let found: Vec<_> = bars(&inputs).iter().map(|(instrument, ts, _)| (*instrument, minute(*ts))).collect();
    assert_eq!(found, [(1, 31), (2, 32), (1, 33), (2, 33), (1, 34), (2, 34), (1, 35), (1, 36)]);
    let (_, end) = decode(&[("A_1.csv", &a), ("A_2.csv", &a)], &SET, 4096);
    assert!(
        end.expect_err("twice").what.contains("the bar of A that ends at 2024-03-01 14:31:00 UTC is in another file")
    );
}

#[test]
fn what_a_file_does_not_tell_is_asked_for() {
    let text = format!("{HEADER}2019-02-11 09:31:00,1,1,1,1,5\n2019-02-11 09:33:00,1,1,1,1,5\n");
    let error = error(&text, &[]);
    for part in [
        "SPY.csv does not tell the zone of its times",
        "nor whether a time is the start or the end of its bar",
        "nor how long a bar is (its first 2 times are 120 s apart or more, which need not be it)",
        "its first row is \"2019-02-11 09:31:00,1,1,1,1,5\"",
        "tidegate replay --feed csv --input SPY.csv --set csv.zone=America/New_York --set csv.stamp=start --set csv.interval=1m",
    ] {
        assert!(error.contains(part), "{part}: {error}");
    }
    let unix = "timestamp,open,high,low,close\n1709303400,1,1,1,1\n";
    let error = self::error(unix, &[("interval", "1m")]);
    assert!(!error.contains("zone") && error.contains("csv.stamp=start") && !error.contains("csv.interval"), "{error}");
    let dates = "date,open,high,low,close\n2024-03-01,1,1,1,1\n";
    let error = self::error(dates, &[]);
    assert!(error.contains("SPY.csv does not tell of which calendar its days are;"), "{error}");
    assert!(error.contains("--input SPY.csv --set csv.calendar=XNYS, at byte 0"), "{error}");
}

#[test]
fn a_bar_of_a_day_is_a_trade_date() {
    let text = "date,open,high,low,close\n2024-03-08,1,1,1,1\n20240311,2,2,2,2\n";
    let ends = |calendar: &str, text: &str, settings: &[(&str, &str)]| {
        let (inputs, end) = one(text, &[&[("calendar", calendar)], settings].concat());
        end.expect("a whole file");
        bars(&inputs)
            .iter()
            .map(|(_, ts, bar)| (u64::from(bar.start_s) * Ns::SECOND, ts.0, bar.interval_s))
            .collect::<Vec<_>>()
    };
    let span = |start: &str, end: &str| (at(start).0, at(end).0, 86_400);
    let new_york =
        [span("2024-03-08T05:00:00Z", "2024-03-09T05:00:00Z"), span("2024-03-11T04:00:00Z", "2024-03-12T04:00:00Z")];
    assert_eq!(ends("XNYS", text, &[]), new_york);
    let chicago =
        [span("2024-03-07T23:00:00Z", "2024-03-08T23:00:00Z"), span("2024-03-10T22:00:00Z", "2024-03-11T22:00:00Z")];
    assert_eq!(ends("GLBX", text, &[]), chicago);
    assert_eq!(ends("----", text, &[])[0], span("2024-03-08T00:00:00Z", "2024-03-09T00:00:00Z"));
    let start = [("stamp", "start"), ("interval", "1d")];
    for stamps in [["2024-03-08 00:00:00Z", "2024-03-11 00:00:00Z"], ["2024-03-08 14:30:00Z", "2024-03-11 13:30:00Z"]] {
        let text = format!("timestamp,open,high,low,close\n{},1,1,1,1\n{},2,2,2,2\n", stamps[0], stamps[1]);
        assert_eq!(ends("XNYS", &text, &start), new_york, "{stamps:?}");
    }
    let close = "timestamp,open,high,low,close\n1709931600,1,1,1,1\n1710187200,2,2,2,2\n";
    assert_eq!(ends("XNYS", close, &[("stamp", "end"), ("interval", "1d")]), new_york, "16:00 here, midnight there");
}

#[test]
fn clocks_that_change_say_what_they_show() {
    let row = |time: &str| format!("{HEADER}2024-{time},1,1,1,1,1\n");
    let end = |time: &str| bars(&one(&row(time), &SET).0)[0].1;
    assert_eq!(end("03-08 09:31"), at("2024-03-08T14:31:00Z"));
    assert_eq!(end("03-11 09:31"), at("2024-03-11T13:31:00Z"));
    assert!(error(&row("03-10 02:30"), &SET).contains("is a time that the clocks of its zone skip"));
    assert!(error(&row("11-03 01:30"), &SET).contains("is a time that the clocks of its zone show twice"));
}

#[test]
fn a_wrong_row_is_named() {
    let good = "2024-03-01 09:31:00,2,3,1,2,5\n";
    for (row, what) in [
        ("2024-03-01 09:32:00,2,3,1,2\n", "row 3: 5 columns instead of 6"),
        ("2024-03-01 09:32:00,2,3,1,x,5\n", "row 3: column 5 (close) \"x\" is not a price"),
        ("2024-03-01 09:32:00,2,,1,2,5\n", "row 3: column 3 (high) \"\" is not a price"),
        ("2024-03-01 09:32:00,2,3,1,2,0.5\n", "row 3: column 6 (volume) \"0.5\" is not a whole number"),
        ("2024-03-01 09:32:00,2,1.5,1,2,5\n", "column 3 (high) \"1.5\" is not the highest price"),
        ("2024-03-01 09:32:00,2,3,2.5,2,5\n", "column 4 (low) \"2.5\" is not the lowest price"),
        ("2024-03-01 09:32:00,2,3,0.1234567891,2,5\n", "\"0.1234567891\" has more than nine decimals"),
        ("2024-03-01 09:32:00Z,2,3,1,2,5\n", "is a time with its offset, but the first row has a time without offset"),
        ("03/01/2024 09:32,2,3,1,2,5\n", "column 1 (time) \"03/01/2024 09:32\" is not a time"),
        ("2024-03-01 09:31:00,2,3,1,2,5\n", "row 3: it has the time of the row before it"),
        ("2024-03-01 09:31:30,2,3,1,2,5\n", "it is 30 s from the row before it, but a bar is 60 s long"),
        ("1969-03-01 09:31:00,2,3,1,2,5\n", "is not between 1970 and 2105"),
    ] {
        let settings = [&SET[..], &[("order", "oldest-first")]].concat();
        let (inputs, end) = one(&format!("{HEADER}{good}{row}"), &settings);
        let error = end.expect_err(row);
        assert!(error.what.contains(what), "{what}: {}", error.what);
        assert_eq!((error.record, bars(&inputs).len()), (2, 1), "{row}");
    }
    let three = format!("{HEADER}{good}2024-03-01 09:32:00,2,3,1,2,5\n2024-03-01 09:30:00,2,3,1,2,5\n");
    assert!(error(&three, &SET).contains("row 4: the file is oldest first, but this row is older"));
    let three = format!("{HEADER}{good}2024-03-01 09:30:00,2,3,1,2,5\n2024-03-01 09:32:00,2,3,1,2,5\n");
    assert!(error(&three, &SET).contains("row 4: the file is newest first, but this row is newer"));
}

#[test]
fn columns_can_have_any_names_or_none() {
    let expected = bars(&one(&format!("{HEADER}2024-03-01 09:31,2,3,1,2,5\n"), &SET).0);
    let numbers = ("columns", "time=1,open=2,high=3,low=4,close=5,volume=6");
    for (text, columns) in [
        ("ts,o,h,l,c,v\n2024-03-01 09:31,2,3,1,2,5\n", ("columns", "time=ts,open=o,high=h,low=l,close=c,volume=v")),
        ("2024-03-01 09:31,2,3,1,2,5\n", numbers),
        ("\u{feff}a,b,c,d,e,f\r\n\r\n2024-03-01 09:31,2,3,1,2,5", numbers),
        ("Date;Time;Open;High;Low;Close\n20240301;09:31;2;3;1;2\n", ("columns", "")),
        (
            "\"Close\",\"Low\",\"High\",\"Open\",\"DateTime\"\n\"2\",\"1\",\"3\",\"2\",\"2024-03-01 09:31\"\n",
            ("columns", ""),
        ),
    ] {
        let (inputs, end) = one(text, &[&SET[..], &[columns]].concat());
        end.expect(text);
        assert_eq!(bars(&inputs), expected, "{text}");
    }
    let missing = error("time,open,high,low,last\n", &SET);
    assert!(missing.contains("has no column \"close\"") && missing.contains("csv.columns=close=NAME"), "{missing}");
}

#[test]
fn an_input_is_found_refused_and_recognised() {
    let folder = tempfile::tempdir().expect("a folder");
    let write = |name: &str, text: &str| -> PathBuf {
        let path = folder.path().join(name);
        std::fs::write(&path, text).expect("the file is written");
        path
    };
    let found = |path: &Path, settings: &[(&str, &str)]| {
        let request = Request { paths: vec![path.to_owned()], date: None, params: params(settings) };
        FEED.input(&request, FEEDS).map(|input| input.instruments()).map_err(|error| error.to_string())
    };
    let bars = write("SPY_1min.csv", &format!("{HEADER}2024-03-01 09:31:00,1,1,1,1,5\n"));
    assert_eq!(found(&bars, &SET), Ok(2));
    let refused = found(&bars, &[]).expect_err("no zone");
    assert!(
        refused.contains(&format!("--input {} --set csv.zone=America/New_York --set csv.stamp=start", bars.display()))
            && !refused.contains("interval"),
        "{refused}"
    );
    let recognised = feeds::recognised_as(&bars, FEEDS).expect("a file");
    assert_eq!(recognised.map(|feed| feed.name), Some("csv"));
    let ticks = write("ticks.csv", "14400464,1674100,100,P,20002000,0\n14400464,1674100,100,P,20002000,0\n");
    assert!(found(&ticks, &SET).expect_err("ticks").contains("it looks like lean"));
    let bare = write("bare.csv", "2024-03-01 09:31:00,1,1,1,1,5\n");
    assert!(found(&bare, &SET).expect_err("no header").contains("has no column \"time\""));
    for (name, value) in [
        ("zone", "EST5"),
        ("interval", "7s"),
        ("calendar", "NYSE"),
        ("venue", "nyse!"),
        ("tick", "0"),
        ("columns", "px=1"),
    ] {
        let error = found(&bars, &[&SET[..], &[(name, value)]].concat()).expect_err(name);
        assert!(error.contains(&format!("csv.{name}: {value:?} is not valid; write")), "{error}");
    }
}

#[test]
fn gzip_and_zip_are_read_like_files() {
    let folder = Folder::new();
    let text = format!("{HEADER}2024-03-01 09:32:00,1,1,1,1,5\n2024-03-01 09:31:00,1,1,1,1,5\n");
    let read = |path: PathBuf| {
        let request = Request { paths: vec![path], date: None, params: params(&SET) };
        let mut source = FEED.input(&request, FEEDS).unwrap_or_else(|e| panic!("{e}")).start();
        let (inputs, end) = drain(source.as_mut());
        end.expect("a whole file");
        inputs.into_iter().map(|(event, _)| event).collect::<Vec<_>>()
    };
    let (plain, _) = decode(&[("A.csv", &text)], &SET, 4096);
    assert_eq!(read(folder.file("A.csv.gz", &gzip(text.as_bytes()))), plain);
    let (both, _) = decode(&[("A.csv", &text), ("B.csv", &text)], &SET, 4096);
    let members = [("week/A.csv", text.as_bytes()), ("week/B.csv.z", text.as_bytes())];
    assert_eq!(read(folder.file("week.zip", &zip(&members))), both);
}

/// A bar of a minute, as a naive writer has it: minutes since a Monday, prices in cents.
fn row() -> impl Strategy<Value = (u32, i64, [i64; 3], u64)> {
    (1..3_u32, -5_000..5_000_i64, [0..50_i64, 0..50_i64, 0..50_i64], 0..10_000_u64)
}

fn written(minute: u32, px: i64, [up, down, move_]: [i64; 3], volume: u64, form: usize, zone: Tz) -> (String, Bar, Ns) {
    let start = 1_709_535_600 + i64::from(minute) * 60;
    let (high, low, close) = (px + up, px - down, px + (move_ - 25).clamp(-down, up));
    let money = |px: i64| format!("{}{}.{:02}", if px < 0 { "-" } else { "" }, px.abs() / 100, px.abs() % 100);
    let shown = zone.timestamp_opt(start, 0).unwrap();
    let time = match form {
        0 => shown.format("%Y-%m-%d %H:%M:%S").to_string(),
        1 => shown.to_rfc3339(),
        2 => start.to_string(),
        3 => format!("{start}000000000"),
        _ => shown.format("%Y%m%d  %H:%M").to_string(),
    };
    let bar = Bar {
        open: Px::from_scaled(px, 2),
        high: Px::from_scaled(high, 2),
        low: Px::from_scaled(low, 2),
        close: Px::from_scaled(close, 2),
        start_s: start as u32,
        interval_s: 60,
    };
    let text = [time, money(px), money(high), money(low), money(close), format!("{volume}.0")].join(",");
    (text, bar, Ns((start as u64 + 60) * Ns::SECOND))
}

proptest! {
    #[test]
    fn what_is_written_is_read(
        rows in prop::collection::vec(row(), 2..40), form in 0..5_usize, is_newest_first: bool, cut in 1..300_usize
    ) {
        let (mut minute, mut texts, mut expected) = (0, Vec::new(), Vec::new());
        for (step, px, moves, volume) in rows {
            minute += step;
            let (text, bar, end) = written(minute, px, moves, volume, form, chrono_tz::America::Chicago);
            texts.push(text);
            expected.push((1, end, bar, Qty(volume)));
        }
        if is_newest_first {
            texts.reverse();
        }
        let text = HEADER.to_owned() + &texts.join("\n");
        let settings = [("zone", "America/Chicago"), ("stamp", "start"), ("interval", "1m")];
        let (inputs, end) = decode(&[("X.csv", &text)], &settings, cut);
        prop_assert!(end.is_ok(), "{:?}", end);
        let found: Vec<_> = bars(&inputs).into_iter().zip(flows(&inputs)).map(|((i, ts, bar), flow)| (i, ts, bar, flow.volume)).collect();
        prop_assert_eq!(found, expected);
    }

    #[test]
    fn cuts_change_nothing(cut in 1..200_usize, broken in 0..400_usize, with in prop::sample::select(&b"x,\n0-"[..])) {
        let rows = |order: &[u32]| {
            let rows = order.iter().map(|m| format!("2024-03-01 09:{m}:00,1.25,2,1,1.5,{m}.0\n"));
            HEADER.to_owned() + &rows.collect::<String>()
        };
        let [a, b] = [rows(&[31, 33, 34, 35]), rows(&[36, 35, 33, 32])];
        let mut text = a.into_bytes();
        let at = broken % (2 * text.len());
        if let Some(byte) = text.get_mut(at) {
            *byte = with;
        }
        let text = String::from_utf8(text).expect("ASCII");
        let files = [("A.csv", text.as_str()), ("B.csv", b.as_str())];
        prop_assert_eq!(decode(&files, &SET, 4096), decode(&files, &SET, cut));
    }
}
