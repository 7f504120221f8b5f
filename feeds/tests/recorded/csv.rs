//! CSV bars of three vendors: sums against figures of another program, and every bar against a naive reading of its row.

use crate::trial;
use chrono::{NaiveDateTime, TimeZone};
use chrono_tz::America::New_York;
use feeds::csv::FEED;
use feeds::{FEEDS, Request};
use flow::records::{Bar, BarFlow, Name};
use flow::{Event, Inputs, Ns, Params, Polled};
use libtest_mimic::Trial;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

const POLYGON: &str = "bars_1min/polygon_spy/SPY_1min.csv";
const IBKR: &str = "ibkr/AAPL_1min.csv";
const EQKER: &str = "bars_1min/eqker_2019/SPY_1min.csv";

/// The settings of the week of twelve symbols, whose files do not tell them.
const WEEK: [(&str, &str); 2] = [("zone", "America/New_York"), ("stamp", "end")];

fn request(paths: Vec<PathBuf>, settings: &[(&str, &str)]) -> Request {
    let mut params = Params::defaults(FEED.params);
    for (name, value) in settings {
        let param = FEED.params.iter().find(|param| param.name == *name).expect("a parameter");
        params.set(param, param.parse(name, value).expect("a value"));
    }
    Request { paths, date: None, params }
}

/// A bar as the feed gave it.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Given {
    end: Ns,
    bar: Bar,
    flow: BarFlow,
}

/// Bars by symbol, in the order of time over all of them.
fn read(paths: Vec<PathBuf>, settings: &[(&str, &str)]) -> BTreeMap<String, Vec<Given>> {
    let mut source = FEED.input(&request(paths, settings), FEEDS).unwrap_or_else(|e| panic!("{e}")).start();
    let (mut inputs, mut bars, mut names) = (Inputs::with_capacity(1024), BTreeMap::new(), BTreeMap::new());
    let mut last = Ns(0);
    let mut see = |event: &Event| {
        assert!(event.ts >= last, "time goes back");
        last = event.ts;
        if let Some(name) = event.get::<Name>() {
            names.insert(event.instrument, String::from_utf8_lossy(&name.text).trim_matches('\0').to_owned());
        }
        let of: &mut Vec<Given> = bars.entry(names[&event.instrument].clone()).or_default();
        if let Some(bar) = event.get::<Bar>() {
            of.push(Given { end: event.ts, bar: *bar, flow: BarFlow::UNKNOWN });
        }
        if let Some(flow) = event.get::<BarFlow>() {
            of.last_mut().expect("a bar comes first").flow = *flow;
        }
    };
    loop {
        match source.poll(&mut inputs).unwrap_or_else(|e| panic!("{e}")) {
            Polled::Ended => return bars,
            Polled::Idle(_) | Polled::Anew => std::thread::yield_now(),
            Polled::Ready => {
                while let Some((event, _)) = inputs.front() {
                    see(event);
                    inputs.pop();
                }
            }
        }
    }
}

/// The rows of a file, without its header.
fn rows(path: &Path) -> Vec<Vec<String>> {
    let text = std::fs::read_to_string(path).expect("a text");
    text.lines().skip(1).map(|row| row.split(',').map(str::to_owned).collect()).collect()
}

/// A decimal number in 1e-9.
fn nanos(text: &str) -> i64 {
    let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
    format!("{whole}{decimals:0<9}").parse().expect("a number")
}

/// Every bar is what its row says, whose time is that many seconds behind its start.
fn same(given: &[Given], rows: &[Vec<String>], behind: u64) {
    assert_eq!(given.len(), rows.len());
    for (given, row) in given.iter().zip(rows) {
        let shown = NaiveDateTime::parse_from_str(&row[0][..19], "%Y-%m-%d %H:%M:%S").expect("a time");
        let second = New_York.from_local_datetime(&shown).unwrap().timestamp() as u64;
        assert_eq!(u64::from(given.bar.start_s), second - behind, "{row:?}");
        assert_eq!(given.end.0, (second - behind + 60) * Ns::SECOND, "{row:?}");
        let Bar { open, high, low, close, .. } = given.bar;
        assert_eq!([open, high, low, close].map(|px| px.0), [1, 2, 3, 4].map(|at| nanos(&row[at])), "{row:?}");
        let whole = |at: usize| row[at].split('.').next().and_then(|n| n.parse::<u64>().ok()).expect("a number");
        assert_eq!(given.flow.volume.0, whole(5), "{row:?}");
        if row.len() > 6 {
            assert_eq!((given.flow.vwap.0, u64::from(given.flow.trades)), (nanos(&row[6]), whole(7)), "{row:?}");
        }
    }
}

fn volume(given: &[Given]) -> u64 {
    given.iter().map(|given| given.flow.volume.0).sum()
}

fn trades(given: &[Given]) -> u64 {
    given.iter().map(|given| u64::from(given.flow.trades)).sum()
}

/// The average price by volume, with six decimals.
fn vwap(given: &[Given]) -> String {
    let money: u128 = given.iter().map(|g| g.flow.vwap.0 as u128 * u128::from(g.flow.volume.0)).sum();
    let micro = (money * 10 / u128::from(volume(given)) / 1_000 + 5) / 10;
    format!("{}.{:06}", micro / 1_000_000, micro % 1_000_000)
}

fn polygon(path: PathBuf) {
    let rows = rows(&path);
    let bars = read(vec![path], &[]);
    let bars = &bars["SPY"];
    same(bars, &rows, 0);
    assert_eq!((bars.len(), volume(bars), trades(bars)), (49_720, 4_165_552_159, 34_352_495));
    assert_eq!(vwap(bars), "512.324073");
    let at = |hour, minute| New_York.with_ymd_and_hms(2024, 3, 1, hour, minute, 0).unwrap().timestamp() as u32;
    let day: Vec<_> = bars.iter().filter(|b| (at(9, 30)..at(16, 0)).contains(&b.bar.start_s)).copied().collect();
    let high = day.iter().map(|given| given.bar.high).max().expect("bars");
    let low = day.iter().map(|given| given.bar.low).min().expect("bars");
    let prices = [day[0].bar.open, high, low, day[389].bar.close].map(|px| px.0);
    assert_eq!(prices, [508_980_000_000, 513_290_000_000, 508_560_000_000, 512_840_000_000]);
    assert_eq!((day.len(), volume(&day), vwap(&day).as_str()), (390, 59_359_407, "511.347942"));
}

fn ibkr(path: PathBuf) {
    let rows = rows(&path);
    let bars = read(vec![path], &[]);
    let bars = &bars["AAPL"];
    same(bars, &rows, 0);
    assert_eq!((bars.len(), volume(bars), trades(bars)), (960, 31_624_698, 152_058));
}

/// The files of the week beside this one.
fn week(path: &Path) -> Vec<PathBuf> {
    let folder = std::fs::read_dir(path.parent().expect("a folder")).expect("a folder");
    let mut files: Vec<_> = folder.map(|file| file.expect("a file").path()).collect();
    files.sort();
    assert_eq!(files.len(), 12);
    files
}

fn twelve_symbols(path: PathBuf) {
    let files = week(&path);
    let bars = read(files.clone(), &WEEK);
    let mut common: Option<BTreeSet<u64>> = None;
    for file in files {
        let name = file.file_name().and_then(|name| name.to_str()).expect("a name");
        let of = &bars[name.trim_end_matches("_1min.csv")];
        let mut rows = rows(&file);
        rows.reverse();
        same(of, &rows, 60);
        let ends: BTreeSet<_> = of.iter().map(|given| given.end.0).collect();
        common = Some(common.map_or(ends.clone(), |common| &common & &ends));
    }
    assert_eq!(bars.len(), 12);
    assert_eq!(common.map(|common| common.len()), Some(1_872));
    assert_eq!(volume(&bars["VIX"]), 0, "an index has a volume of 0 in these files");
}

/// Their times are the end of bars in New York, which no one can see in them.
fn a_week_without_settings(path: PathBuf) {
    let error = FEED.input(&request(week(&path), &[]), FEEDS).err().expect("it does not tell").to_string();
    assert!(error.contains("AAPL_1min.csv does not tell the zone of its times, nor whether a time is the start"));
    assert!(error.contains("its first row is \"2019-02-15 16:00:00,170.23,170.42,170.21,170.38,427888\""), "{error}");
    assert!(error.ends_with("--set csv.zone=America/New_York --set csv.stamp=start"), "{error}");
}

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        trial("csv::polygon".to_owned(), POLYGON, polygon),
        trial("csv::interactive_brokers".to_owned(), IBKR, ibkr),
        trial("csv::twelve_symbols_newest_first".to_owned(), EQKER, twelve_symbols),
        trial("csv::a_week_without_settings".to_owned(), EQKER, a_week_without_settings),
    ]
}
