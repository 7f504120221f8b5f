//! The files of one symbol, put in order: of each day one of trades, one of quotes, or both.
//!
//! LEAN keeps `tick/SYMBOL/YYYYMMDD_trade.zip` with the member `YYYYMMDD_SYMBOL_Trade_Tick.csv` in it, the bars of a day as
//! `minute/SYMBOL/YYYYMMDD_trade.zip` with `YYYYMMDD_SYMBOL_minute_trade.csv`, and those of all days as `hour/SYMBOL.zip` with
//! `SYMBOL.csv`. The day is taken from the member's name, else from the file's; the symbol from the member's, else from the
//! folder's. What a file holds is seen by its first row; how long its bars are is told by the names alone ([`bars`](super::bars)).

use super::bars::{self, Resolution};
use super::decoder::Rows;
use super::rows::Row;
use crate::OpenError;
use crate::reader::{Stream, date, open_streams};
use crate::text::first;
use chrono::NaiveDate;
use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};

/// The bytes of a file.
type Bytes = Box<dyn Read + Send>;

/// What the files of an input hold.
pub(super) struct Found {
    pub(super) rows: Option<Rows>,
    pub(super) symbol: Option<String>,
    /// Of each day trades and quotes, as far as there are any.
    pub(super) days: BTreeMap<Option<NaiveDate>, [Option<Bytes>; 2]>,
    /// The first bytes of a file that holds neither.
    pub(super) other: Option<(PathBuf, Vec<u8>)>,
}

fn fault(what: String, next: &str) -> OpenError {
    OpenError { what, next: next.to_owned() }
}

/// What a file has, by its first row.
#[derive(Clone, Copy)]
struct Kind {
    is_bars: bool,
    is_quotes: bool,
}

/// What a file has whose first bytes these are; `None` if it has neither ticks nor bars of equities.
fn kind(head: &[u8]) -> Option<Kind> {
    let kind = |row| match Row::recognised(row) {
        Some(is_quotes) => Some(Kind { is_bars: false, is_quotes }),
        None => bars::recognised(row).map(|is_quotes| Kind { is_bars: true, is_quotes }),
    };
    match first(head) {
        (row, true) => kind(row),
        // A single row may have no end.
        (row, false) => kind(row).filter(|_| head.len() < 200),
    }
}

/// Whether a file whose first bytes these are is one of this feed.
pub(super) fn is_known(head: &[u8]) -> bool {
    kind(head).is_some()
}

/// The files of these paths, which must be of one symbol and of one resolution.
pub(super) fn found(paths: &[PathBuf]) -> Result<Found, OpenError> {
    let mut found = Found { rows: None, symbol: None, days: BTreeMap::new(), other: None };
    for path in paths {
        check_class(path)?;
        for stream in open_streams(path)? {
            let stream = stream?;
            let of_pipe = stream.is_pipe.then_some(Kind { is_bars: false, is_quotes: false });
            match of_pipe.or_else(|| kind(&stream.head)) {
                Some(kind) => found.add(path, kind, stream)?,
                None => drop(found.other.get_or_insert((path.clone(), stream.head))),
            }
        }
    }
    Ok(found)
}

impl Found {
    fn add(&mut self, path: &Path, kind: Kind, stream: Stream) -> Result<(), OpenError> {
        let rows = rows(path, kind, &stream.name)?;
        if *self.rows.get_or_insert(rows) != rows {
            let what = format!("{} has bars of another length than the files before it, or none", path.display());
            return Err(fault(what, "give the files of each length, and those of ticks, as an input of their own"));
        }
        let symbol = symbol_in(&stream.name).or_else(|| symbol_of_folder(path));
        match (&self.symbol, symbol) {
            (Some(one), Some(other)) if *one != other => {
                let next = "give the files of each as an input of its own";
                return Err(fault(format!("there are files of several symbols: {one}, {other}"), next));
            }
            (None, symbol) => self.symbol = symbol,
            _ => {}
        }
        let file = path.file_name().map(|name| name.to_string_lossy()).unwrap_or_default();
        let is_dated = matches!(rows, Rows::Bars(resolution) if resolution.is_dated());
        let day = date::in_name(&stream.name).or_else(|| date::in_name(&file)).filter(|_| !is_dated);
        let place = &mut self.days.entry(day).or_default()[usize::from(kind.is_quotes)];
        if place.is_some() {
            let what = if kind.is_quotes { "quotes" } else { "trades" };
            let of_day = day.map_or_else(|| "without a day in its name".to_owned(), |day| format!("of {day}"));
            let what = format!("{} is a second file of {what} {of_day}", path.display());
            return Err(fault(what, "give one file of trades and one of quotes of each day"));
        }
        *place = Some(stream.read);
        Ok(())
    }
}

/// What the rows of a file are: how long its bars are is told by its name, or by its folder's.
fn rows(path: &Path, kind: Kind, member: &str) -> Result<Rows, OpenError> {
    if !kind.is_bars {
        return Ok(Rows::Ticks);
    }
    Resolution::of(path, member).map(Rows::Bars).ok_or_else(|| {
        let what = format!("{} has bars, and neither its name nor its folder says how long they are", path.display());
        fault(what, "keep LEAN's names: minute/spy/20131007_trade.zip, hour/spy.zip, daily/spy.zip")
    })
}

/// Classes of assets whose prices LEAN keeps in another form.
const OTHERS: [&str; 9] =
    ["crypto", "cryptofuture", "future", "futureoption", "forex", "cfd", "option", "indexoption", "index"];

/// LEAN's folders are class, market and resolution: what is not of equities is refused by its folder.
fn check_class(path: &Path) -> Result<(), OpenError> {
    let folders: Vec<_> = path.iter().map(|name| name.to_string_lossy().to_ascii_lowercase()).collect();
    let is_resolution = |name: &str| name == "tick" || Resolution::called(name).is_some();
    let class = folders.windows(3).find(|three| is_resolution(&three[2])).map(|three| three[0].as_str());
    match class.filter(|class| OTHERS.contains(class)) {
        Some(class) => {
            let what = format!("{} is in a folder of the class {class}", path.display());
            Err(fault(what, "the lean feed reads US equities only: give files of equity/usa"))
        }
        None => Ok(()),
    }
}

/// The symbol in `YYYYMMDD_SYMBOL_Trade_Tick.csv` or `YYYYMMDD_SYMBOL_minute_trade.csv`, in capitals.
fn symbol_in(name: &str) -> Option<String> {
    let name = name.rsplit(['/', '\\']).next()?.to_ascii_lowercase();
    let (kind, symbol) = match name.split('_').collect::<Vec<_>>()[..] {
        [day, symbol, kind, "tick.csv"] if day.len() == 8 => (kind.to_owned(), symbol),
        [day, symbol, resolution, kind] if day.len() == 8 && Resolution::called(resolution).is_some() => {
            (kind.strip_suffix(".csv")?.to_owned(), symbol)
        }
        _ => return None,
    };
    (["trade", "quote"].contains(&kind.as_str()) && !symbol.is_empty()).then(|| symbol.to_ascii_uppercase())
}

/// The symbol in `…/tick/SYMBOL/YYYYMMDD_trade.zip`, `…/minute/SYMBOL/YYYYMMDD_trade.zip` or `…/hour/SYMBOL.zip`, in capitals.
fn symbol_of_folder(path: &Path) -> Option<String> {
    let folder = path.parent()?;
    let name = |path: &Path| path.file_name().map(|name| name.to_string_lossy().into_owned());
    let of = |path: &Path| name(path).map(|name| (name.eq_ignore_ascii_case("tick"), Resolution::called(&name)));
    match (of(folder), folder.parent().and_then(of)) {
        (Some((_, Some(resolution))), _) if resolution.is_dated() => {
            Some(path.file_stem()?.to_string_lossy().to_ascii_uppercase())
        }
        (_, Some((true, _) | (_, Some(_)))) => Some(name(folder)?.to_ascii_uppercase()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_classes_are_refused_by_their_folder() {
        let class = |path: &str| check_class(Path::new(path)).map_err(|error| error.to_string());
        assert_eq!(class("data/equity/usa/minute/spy/20131007_trade.zip"), Ok(()));
        assert_eq!(class("future/spy.zip"), Ok(()), "a folder of somebody's own");
        let error = class("/data/crypto/coinbase/minute/btcusd/20180405_trade.zip").unwrap_err();
        assert!(error.contains("class crypto; the lean feed reads US equities only"), "{error}");
    }

    #[test]
    fn names_give_the_symbol() {
        assert_eq!(symbol_in("20131007_spy_Trade_Tick.csv").as_deref(), Some("SPY"));
        assert_eq!(symbol_in("a/20131007_brk.b_Quote_Tick.csv").as_deref(), Some("BRK.B"));
        assert_eq!(symbol_in("20131007_spy_minute_trade.csv").as_deref(), Some("SPY"));
        assert_eq!(symbol_in("20131007_spy_second_quote.csv").as_deref(), Some("SPY"));
        assert_eq!(symbol_in("20131007_goog_minute_trade_american_call_6500000_20151224.csv"), None);
        assert_eq!(symbol_in("20131007_trade.csv"), None);
        assert_eq!(symbol_of_folder(Path::new("usa/tick/ibm/20131007_trade.zip")).as_deref(), Some("IBM"));
        assert_eq!(symbol_of_folder(Path::new("usa/minute/ibm/20131007_trade.zip")).as_deref(), Some("IBM"));
        assert_eq!(symbol_of_folder(Path::new("usa/hour/ibm.zip")).as_deref(), Some("IBM"));
        assert_eq!(symbol_of_folder(Path::new("usa/daily/brk.b.zip")).as_deref(), Some("BRK.B"));
        assert_eq!(symbol_of_folder(Path::new("usa/minute/20131007_trade.zip")), None);
        assert_eq!(symbol_of_folder(Path::new("usa/ibm/20131007_trade.zip")), None);
    }
}
