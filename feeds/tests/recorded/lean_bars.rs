//! LEAN's bars: every one against a naive reading of its row, and as many as another program counted.

use crate::trial;
use chrono::{Days, NaiveDate, NaiveDateTime, TimeZone};
use chrono_tz::America::New_York;
use feeds::lean::FEED;
use feeds::reader::open_streams;
use feeds::{FEEDS, Request};
use flow::records::{Bar, BarFlow, Quote};
use flow::{Event, Inputs, Kind, Params, Polled, Px};
use libtest_mimic::Trial;
use std::io::Read;
use std::path::{Path, PathBuf};

const USA: &str = "lean/equity/usa";

fn open(paths: Vec<PathBuf>) -> Result<feeds::Input, String> {
    let request = Request { paths, date: None, params: Params::defaults(FEED.params) };
    FEED.input(&request, FEEDS).map_err(|error| error.to_string())
}

/// The inputs of these files.
fn read(paths: Vec<PathBuf>) -> Vec<Event> {
    let mut source = open(paths).unwrap_or_else(|e| panic!("{e}")).start();
    let (mut inputs, mut read) = (Inputs::with_capacity(1024), Vec::new());
    loop {
        match source.poll(&mut inputs).unwrap_or_else(|e| panic!("{e}")) {
            Polled::Ended => return read,
            Polled::Idle(_) | Polled::Anew => std::thread::yield_now(),
            Polled::Ready => {
                while let Some((event, _)) = inputs.front() {
                    assert!(read.last().is_none_or(|last: &Event| last.ts <= event.ts), "time goes back");
                    read.push(*event);
                    inputs.pop();
                }
            }
        }
    }
}

/// The rows of a zip of one member.
fn rows(path: &Path) -> Vec<Vec<String>> {
    let mut text = String::new();
    for stream in open_streams(path).unwrap_or_else(|e| panic!("{e}")) {
        let mut stream = stream.unwrap_or_else(|e| panic!("{e}"));
        stream.read.read_to_string(&mut text).expect("a text");
    }
    text.lines().map(|row| row.split(',').map(str::to_owned).collect()).collect()
}

fn px(text: &str) -> Px {
    Px::from_scaled(text.parse().expect("a price"), 4)
}

fn seconds(local: NaiveDateTime) -> u64 {
    New_York.from_local_datetime(&local).unwrap().timestamp() as u64
}

/// Start and end of the bar of a row, in seconds since 1970.
fn span(row: &[String], resolution: &str, day: Option<NaiveDate>) -> (u64, u64) {
    let midnight = |day: NaiveDate| seconds(day.and_hms_opt(0, 0, 0).unwrap());
    let since = |day| midnight(day) + row[0].parse::<u64>().expect("milliseconds") / 1_000;
    match (resolution, day) {
        ("second", Some(day)) => (since(day), since(day) + 1),
        ("minute", Some(day)) => (since(day), since(day) + 60),
        _ => {
            let shown = NaiveDateTime::parse_from_str(&row[0], "%Y%m%d %H:%M").expect("a time");
            let day = shown.date();
            let hour = seconds(shown);
            if resolution == "hour" { (hour, hour + 3_600) } else { (midnight(day), midnight(day + Days::new(1))) }
        }
    }
}

fn day_of(path: &Path) -> Option<NaiveDate> {
    let name = path.file_name()?.to_str()?;
    NaiveDate::parse_from_str(name.get(..8)?, "%Y%m%d").ok()
}

/// The bars of trades of a file are what its rows say; how many there are.
fn trade_bars(path: &Path, resolution: &str) -> usize {
    let (rows, inputs) = (rows(path), read(vec![path.to_owned()]));
    let bars: Vec<_> = inputs.iter().filter_map(|event| Some((event.ts, *event.get::<Bar>()?))).collect();
    let flows: Vec<_> = inputs.iter().filter_map(|event| event.get::<BarFlow>()).collect();
    assert_eq!([bars.len(), flows.len(), inputs.len() - 2], [rows.len(), rows.len(), 2 * rows.len()]);
    for ((row, (ts, bar)), flow) in rows.iter().zip(bars).zip(flows) {
        let (start, end) = span(row, resolution, day_of(path));
        assert_eq!((u64::from(bar.start_s), ts.0), (start, end * 1_000_000_000), "{row:?}");
        assert_eq!(
            [bar.open, bar.high, bar.low, bar.close].to_vec(),
            row[1..5].iter().map(|t| px(t)).collect::<Vec<_>>()
        );
        assert_eq!((flow.volume.0.to_string(), flow.vwap), (row[5].clone(), Px::NONE), "{row:?}");
    }
    rows.len()
}

/// The quotes of a file of bars are the last ones of its rows, at their end; how many there are.
fn quote_bars(path: &Path, resolution: &str) -> usize {
    let (rows, inputs) = (rows(path), read(vec![path.to_owned()]));
    let quotes: Vec<_> = inputs.iter().filter_map(|event| Some((event.ts, *event.get::<Quote>()?))).collect();
    assert_eq!(quotes.len(), rows.len());
    for (row, (ts, quote)) in rows.iter().zip(quotes) {
        let (_, end) = span(row, resolution, day_of(path));
        assert_eq!([ts.0, quote.exchange_ts.0], [end * 1_000_000_000; 2], "{row:?}");
        assert_eq!([quote.bid_px, quote.ask_px], [px(&row[4]), px(&row[9])], "{row:?}");
        assert_eq!([quote.bid_qty.0.to_string(), quote.ask_qty.0.to_string()], [row[5].clone(), row[10].clone()]);
    }
    rows.len()
}

/// Two days of bars of both, in order: at the same end the bar comes before the quote.
fn two_days(path: &Path) {
    let file = |name: &str| path.with_file_name(name);
    let names = ["20131008_quote.zip", "20131008_trade.zip", "20131007_quote.zip", "20131007_trade.zip"];
    let inputs = read(names.map(file).to_vec());
    let count = |kind| inputs.iter().filter(|event| event.kind == kind).count();
    assert_eq!([Kind::Listing, Kind::Clear, Kind::Bar, Kind::Quote].map(count), [1, 1, 828 + 828, 908 + 910]);
    let first: Vec<_> = inputs.iter().skip(2).take(3).map(|event| event.kind).collect();
    assert_eq!(first, [Kind::Bar, Kind::BarFlow, Kind::Quote]);
}

fn counted(folder: &str, name: &str, expected: usize, count: fn(&Path, &str) -> usize) -> Trial {
    let file = format!("{USA}/{folder}/{name}.zip");
    let (named, resolution) = (format!("lean_bars::{folder}_{name}").replace('/', "_"), folder.split('/').next());
    let resolution = resolution.unwrap_or_default().to_owned();
    trial(named, &file, move |path| assert_eq!(count(&path, &resolution), expected))
}

/// What is not of equities is refused, and says so.
fn refused(class: &'static str, file: &'static str) -> Trial {
    trial(format!("lean_bars::{class}_is_refused"), file, move |path| {
        let error = open(vec![path]).err().expect("another class");
        assert!(error.contains(&format!("class {class}; the lean feed reads US equities only")), "{error}");
    })
}

pub(crate) fn trials() -> Vec<Trial> {
    let hours = [("aapl", 40_831), ("aig", 40_811), ("bac", 40_818), ("ibm", 40_813), ("spy", 40_832)];
    let days = ["aapl", "aig", "bac", "ibm", "spy"].map(|name| (name, 5_849));
    let later =
        [("eem", 5_245), ("fb", 2_947), ("goog", 4_183), ("iwm", 5_244), ("qqq", 3_964), ("uso", 3_910), ("wm", 5_399)];
    let trades = [
        ("minute/spy", "20131007_trade", 828),
        ("minute/spy", "20131008_trade", 828),
        ("minute/spy", "20131009_trade", 813),
        ("minute/ibm", "20131007_trade", 453),
        ("second/spy", "20131007_trade", 16_675),
        ("second/ibm", "20131007_trade", 5_123),
        ("second/bac", "20131007_trade", 12_315),
    ];
    let quotes = [
        ("minute/spy", "20131007_quote", 908),
        ("minute/ibm", "20131007_quote", 554),
        ("second/spy", "20131007_quote", 27_409),
    ];
    let spy = format!("{USA}/minute/spy/20131008_quote.zip");
    hours
        .map(|(name, count)| counted("hour", name, count, trade_bars))
        .into_iter()
        .chain(days.into_iter().chain(later).map(|(name, count)| counted("daily", name, count, trade_bars)))
        .chain(trades.map(|(folder, name, count)| counted(folder, name, count, trade_bars)))
        .chain(quotes.map(|(folder, name, count)| counted(folder, name, count, quote_bars)))
        .chain([
            trial("lean_bars::two_days_of_both".to_owned(), &spy, |path| two_days(&path)),
            refused("crypto", "lean/crypto/coinbase/minute/btcusd/20180405_trade.zip"),
            refused("future", "lean/future/cme/minute/es/20131007_trade.zip"),
            refused("forex", "lean/forex/oanda/tick/eurusd/20140501_quote.zip"),
            refused("option", "lean/option/usa/minute/goog/20151223_trade_american.zip"),
        ])
        .collect()
}
