//! Which column of a file is what of a bar.
//!
//! The first row names the columns; names are compared without case. A parameter maps other names, or numbers from 1 on: then the
//! first row may be data already. The columns are parted by a tab, a semicolon or a comma, whichever of them the first row has.
//! Bound: one row.

use std::ops::Range;

/// What a column can be of a bar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Time,
    /// The clock of the time, where the date is in a column of its own.
    Clock,
    Open,
    High,
    Low,
    Close,
    Volume,
    Vwap,
    Trades,
}

use Part::{Clock, Close, High, Low, Open, Time, Trades, Volume, Vwap};

/// How many parts there are.
pub(super) const PARTS: usize = 9;

/// Every part with its name in the parameter, and the names by which it is known, the likeliest first.
const NAMES: [(Part, &str, &[&str]); PARTS] = [
    (Time, "time", &["timestamp", "datetime", "date", "time"]),
    (Clock, "clock", &[]),
    (Open, "open", &["open"]),
    (High, "high", &["high"]),
    (Low, "low", &["low"]),
    (Close, "close", &["close"]),
    (Volume, "volume", &["volume"]),
    (Vwap, "vwap", &["vwap", "average"]),
    (Trades, "trades", &["transactions", "barcount", "trades", "trade_count"]),
];

/// What a bar cannot be without.
const NEEDED: [Part; 5] = [Time, Open, High, Low, Close];

impl Part {
    /// Its name in the parameter and in messages.
    pub(super) fn name(self) -> &'static str {
        NAMES[self as usize].1
    }

    fn called(name: &str) -> Option<Part> {
        NAMES.iter().find(|(_, known, _)| *known == name).map(|(part, ..)| *part)
    }
}

/// The columns of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Columns {
    at: [Option<usize>; PARTS],
    /// How many a row has.
    pub(super) count: usize,
    pub(super) delimiter: u8,
    /// Whether the first row names them.
    pub(super) has_header: bool,
    /// Whether the names are those of a vendor whose times are the start of a bar.
    pub(super) starts_told: bool,
}

/// A mapping of the parameter: a part, and the name or number of its column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Mapped {
    part: Part,
    column: String,
}

impl Mapped {
    /// Reads `part=column`.
    pub(super) fn of(text: &str) -> Option<Mapped> {
        let (part, column) = text.split_once('=')?;
        let column = column.trim();
        Some(Mapped { part: Part::called(part.trim())?, column: column.to_owned() }).filter(|_| !column.is_empty())
    }

    fn number(&self) -> Option<usize> {
        self.column.parse::<usize>().ok().and_then(|number| number.checked_sub(1))
    }
}

/// Why the columns are not known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Unmapped {
    pub(super) what: String,
    pub(super) part: Part,
}

impl Columns {
    /// The columns of a file with this first row.
    ///
    /// # Errors
    /// When a part is missing that a bar needs, a mapped column is not there, or two columns have one name.
    pub(super) fn of(first: &[u8], mapped: &[Mapped]) -> Result<Columns, Unmapped> {
        let delimiter = *b"\t;,".iter().find(|d| first.contains(d)).unwrap_or(&b',');
        let names: Vec<String> =
            fields(first, delimiter).map(|f| String::from_utf8_lossy(&first[f]).to_ascii_lowercase()).collect();
        let mut columns =
            Columns { at: [None; PARTS], count: names.len(), delimiter, has_header: true, starts_told: false };
        for (part, _, known) in NAMES {
            let own = mapped.iter().find(|m| m.part == part);
            let found = match own {
                Some(mapped) => Some(place(&names, mapped)?),
                None => known.iter().find_map(|name| names.iter().position(|n| n == name)),
            };
            let name =
                found.map(|at| &names[at]).filter(|name| own.is_none_or(|m| m.number().is_none()) && !name.is_empty());
            if name.is_some_and(|name| names.iter().filter(|n| *n == name).count() > 1) {
                return Err(Unmapped { what: format!("has two columns {:?}", name.map_or("", |n| n)), part });
            }
            columns.at[part as usize] = found;
        }
        columns.find_clock(&names);
        let missing = NEEDED.into_iter().find(|part| columns.at[*part as usize].is_none());
        if let Some(part) = missing {
            let what = format!("has no column {:?} (its first row is {:?})", part.name(), shown(first));
            return Err(Unmapped { what, part });
        }
        columns.has_header = !columns.is_data(first);
        let has = |name: &str| names.iter().any(|n| n == name);
        columns.starts_told = has("vwap") && has("transactions") || has("average") && has("barcount");
        Ok(columns)
    }

    /// A date and a time in columns of their own are one time.
    fn find_clock(&mut self, names: &[String]) {
        let named = |at: Option<usize>, name: &str| at.is_some_and(|at| names[at] == name);
        if self.at[Clock as usize].is_none() && named(self.at[Time as usize], "date") {
            self.at[Clock as usize] = names.iter().position(|name| name == "time");
        }
    }

    /// Whether a row has a number where the price is.
    fn is_data(&self, row: &[u8]) -> bool {
        let mut places = [const { 0..0 }; PARTS];
        self.places(row, &mut places) == self.count
            && crate::text::decimal::px(&row[places[Open as usize].clone()]).is_ok()
    }

    pub(super) fn has(&self, part: Part) -> bool {
        self.at[part as usize].is_some()
    }

    /// The column of a part from 1 on, for messages.
    pub(super) fn number(&self, part: Part) -> usize {
        self.at[part as usize].map_or(0, |at| at + 1)
    }

    /// Where the parts stand in a row; how many columns it has.
    pub(super) fn places(&self, row: &[u8], to: &mut [Range<usize>; PARTS]) -> usize {
        let mut count = 0;
        for (at, field) in fields(row, self.delimiter).enumerate() {
            count += 1;
            for (part, place) in to.iter_mut().enumerate() {
                if self.at[part] == Some(at) {
                    *place = field.clone();
                }
            }
        }
        count
    }
}

/// The column that a mapping names.
fn place(names: &[String], mapped: &Mapped) -> Result<usize, Unmapped> {
    let by_number = mapped.number().filter(|at| *at < names.len());
    let by_name = || names.iter().position(|name| *name == mapped.column.to_ascii_lowercase());
    by_number.or_else(by_name).ok_or_else(|| Unmapped {
        what: format!("has no column {:?}; its {} columns are {}", mapped.column, names.len(), names.join(", ")),
        part: mapped.part,
    })
}

/// Where the fields of a row are, without the spaces and the quotation marks around them.
fn fields(row: &[u8], delimiter: u8) -> impl Iterator<Item = Range<usize>> + '_ {
    let ends = memchr::memchr_iter(delimiter, row).chain([row.len()]);
    ends.scan(0, move |start, end| {
        let field = *start..end;
        *start = end + 1;
        Some(bare(row, field))
    })
}

fn bare(row: &[u8], field: Range<usize>) -> Range<usize> {
    let trim = |field: Range<usize>| {
        let start = row[field.clone()].iter().position(|b| *b != b' ').map_or(field.end, |at| field.start + at);
        let end = row[start..field.end].iter().rposition(|b| *b != b' ').map_or(start, |at| start + at + 1);
        start..end
    };
    let field = trim(field);
    match row[field.clone()] {
        [b'"', .., b'"'] => trim(field.start + 1..field.end - 1),
        _ => field,
    }
}

/// The start of a row, for messages.
pub(super) fn shown(row: &[u8]) -> String {
    let cut = row.len().min(80);
    format!("{}{}", String::from_utf8_lossy(&row[..cut]), if cut < row.len() { "…" } else { "" })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(first: &str, mapped: &[&str]) -> Result<Columns, Unmapped> {
        let mapped: Vec<_> = mapped.iter().map(|m| Mapped::of(m).expect("a mapping")).collect();
        Columns::of(first.as_bytes(), &mapped)
    }

    #[test]
    fn headers_of_vendors() {
        let polygon = of("datetime,open,high,low,close,volume,vwap,transactions", &[]).unwrap();
        assert_eq!(polygon.at, [Some(0), None, Some(1), Some(2), Some(3), Some(4), Some(5), Some(6), Some(7)]);
        assert!(polygon.has_header && polygon.starts_told);
        let ibkr = of("date,open,high,low,close,volume,average,barCount", &[]).unwrap();
        assert!(ibkr.starts_told && ibkr.at == polygon.at);
        let other = of("\"Close\";\"Open\"; High ;Low;Timestamp;date", &[]).unwrap();
        assert_eq!((other.number(Time), other.number(Close), other.number(High)), (5, 1, 3));
        assert!(!other.starts_told && !other.has(Volume) && other.delimiter == b';');
        let two = of("Date\tTime\tOpen\tHigh\tLow\tClose", &[]).unwrap();
        assert_eq!((two.number(Time), two.number(Clock)), (1, 2));
    }

    #[test]
    fn columns_are_mapped_by_name_and_by_number() {
        let named = of("ts,o,h,l,c,v", &["time=TS", "open=o", "high=h", "low=l", "close=c", "volume=6"]).unwrap();
        assert_eq!((named.number(Time), named.number(Volume), named.has_header), (1, 6, true));
        let numbers = ["time=1", "open=2", "high=3", "low=4", "close=5"];
        assert!(!of("1709303400,1,2,1,2", &numbers).unwrap().has_header);
        assert!(of("ts,o,h,l,c", &numbers).unwrap().has_header);
    }

    #[test]
    fn what_is_missing_is_named() {
        let wrong = |first: &str, mapped: &[&str]| of(first, mapped).unwrap_err().what;
        assert!(wrong("time,open,high,low", &[]).contains("no column \"close\""));
        assert!(wrong("time,open,high,low,close", &["volume=vol"]).contains("its 5 columns are time, open"));
        assert!(wrong("time,open,high,low,close", &["volume=6"]).contains("no column \"6\""));
        assert!(wrong("time,open,high,low,close,close", &[]).contains("two columns \"close\""));
        for text in ["", "time", "=ts", "size=5", "time="] {
            assert_eq!(Mapped::of(text), None, "{text}");
        }
    }
}
