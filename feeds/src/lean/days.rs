//! The files of one symbol, put in order: of each day one of trades, one of quotes, or both.
//!
//! LEAN keeps `tick/SYMBOL/YYYYMMDD_trade.zip` with the member `YYYYMMDD_SYMBOL_Trade_Tick.csv` in it. The day is taken from the
//! member's name, else from the file's; the symbol from the member's, else from the folder's. What a file holds is seen by
//! its first row.

use super::rows::Row;
use crate::OpenError;
use crate::reader::{date, open_streams};
use crate::text::first;
use chrono::NaiveDate;
use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};

/// The bytes of a file.
type Bytes = Box<dyn Read + Send>;

/// What the files of an input hold.
pub(super) struct Found {
    pub(super) symbol: Option<String>,
    /// Of each day trades and quotes, as far as there are any.
    pub(super) days: BTreeMap<Option<NaiveDate>, [Option<Bytes>; 2]>,
    /// The first bytes of a file that holds neither.
    pub(super) other: Option<(PathBuf, Vec<u8>)>,
}

fn fault(what: String, next: &str) -> OpenError {
    OpenError { what, next: next.to_owned() }
}

/// Whether a file whose first bytes these are has quotes; `None` if it has neither trades nor quotes.
pub(super) fn has_quotes(head: &[u8]) -> Option<bool> {
    match first(head) {
        (row, true) => Row::recognised(row),
        // A single row may have no end.
        (row, false) => Row::recognised(row).filter(|_| head.len() < 200),
    }
}

/// The files of these paths, which must be of one symbol.
pub(super) fn found(paths: &[PathBuf]) -> Result<Found, OpenError> {
    let mut found = Found { symbol: None, days: BTreeMap::new(), other: None };
    for path in paths {
        for stream in open_streams(path)? {
            let stream = stream?;
            let Some(is_quotes) = (if stream.is_pipe { Some(false) } else { has_quotes(&stream.head) }) else {
                found.other.get_or_insert((path.clone(), stream.head));
                continue;
            };
            let symbol = symbol_in(&stream.name).or_else(|| symbol_of_folder(path));
            match (&found.symbol, symbol) {
                (Some(one), Some(other)) if *one != other => {
                    let next = "give the files of each as an input of its own";
                    return Err(fault(format!("there are files of several symbols: {one}, {other}"), next));
                }
                (None, symbol) => found.symbol = symbol,
                _ => {}
            }
            let file = path.file_name().map(|name| name.to_string_lossy()).unwrap_or_default();
            let day = date::in_name(&stream.name).or_else(|| date::in_name(&file));
            let place = &mut found.days.entry(day).or_default()[usize::from(is_quotes)];
            if place.is_some() {
                let what = if is_quotes { "quotes" } else { "trades" };
                let of_day = day.map_or_else(|| "without a day in its name".to_owned(), |day| format!("of {day}"));
                let what = format!("{} is a second file of {what} {of_day}", path.display());
                return Err(fault(what, "give one file of trades and one of quotes of each day"));
            }
            *place = Some(stream.read);
        }
    }
    Ok(found)
}

/// The symbol in `YYYYMMDD_SYMBOL_Trade_Tick.csv`, in capitals.
fn symbol_in(name: &str) -> Option<String> {
    let name = name.rsplit(['/', '\\']).next()?;
    let [day, symbol, kind, "Tick.csv" | "tick.csv"] = name.split('_').collect::<Vec<_>>()[..] else { return None };
    let is_file = day.len() == 8 && ["trade", "quote"].contains(&kind.to_ascii_lowercase().as_str());
    (is_file && !symbol.is_empty()).then(|| symbol.to_ascii_uppercase())
}

/// The symbol in `…/tick/SYMBOL/YYYYMMDD_trade.zip`, in capitals.
fn symbol_of_folder(path: &Path) -> Option<String> {
    let folder = path.parent()?;
    let is_ticks = folder.parent()?.file_name()?.eq_ignore_ascii_case("tick");
    is_ticks.then(|| folder.file_name().map(|name| name.to_string_lossy().to_ascii_uppercase())).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_give_the_symbol() {
        assert_eq!(symbol_in("20131007_spy_Trade_Tick.csv").as_deref(), Some("SPY"));
        assert_eq!(symbol_in("a/20131007_brk.b_Quote_Tick.csv").as_deref(), Some("BRK.B"));
        assert_eq!(symbol_in("20131007_spy_minute_trade.csv"), None);
        assert_eq!(symbol_in("20131007_trade.csv"), None);
        assert_eq!(symbol_of_folder(Path::new("usa/tick/ibm/20131007_trade.zip")).as_deref(), Some("IBM"));
        assert_eq!(symbol_of_folder(Path::new("usa/minute/ibm/20131007_trade.zip")), None);
    }
}
