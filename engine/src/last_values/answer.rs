//! Answers by key: `AAPL/top`, `AAPL/bars/1m`, `system/halt`.
//!
//! A key has a symbol, or `system` for what is of no instrument; a [word](super::words) or the name of a kind; and, if only one of
//! several is meant, what tells it apart: an interval, an instance, a strategy, an account. Rows are those of an export of the
//! journal, each with its age; what is not known is absent. Bound: the rows that are kept of one kind.

use super::kept::Row;
use super::values::Values;
use super::words::{Named, OF_RUN, OF_SYMBOL, Word};
use crate::config::one_of;
use crate::ingress::wall_now;
use crate::rows::{Cell, RowKind, price, quantity, row, row_kind};
use flow::records::BookTop;
use flow::{Currency, Event, Flags, Kind, Listed, Ns, Px, decimal, kind_info, kind_named};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// The name in place of a symbol for what is of no instrument.
pub const SYSTEM: &str = "system";
/// Levels of a book, a side.
const LEVELS: usize = 10;
/// Columns that tell rows of a kind apart.
const TELLING: [&str; 9] =
    ["interval", "instance", "what", "strategy", "account", "source", "currency", "check", "table"];
/// Columns of an export that a journal cannot fill.
const NEVER: [&str; 2] = ["input", "record"];

/// What is kept under a key.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LastAnswer {
    /// The key.
    pub key: String,
    /// The last input that the values include.
    pub seq: u64,
    /// The time that ages are of, ns since 1970, in digits: that of the host, or of the newest event if the run has the clock of
    /// the exchange.
    pub now_ns: String,
    /// The names of the values, in order.
    pub columns: Vec<String>,
    /// The rows, oldest first. Each has `age_ns`, unless its time is not known.
    pub rows: Vec<Map<String, Value>>,
    /// Why there is none.
    pub why: Option<String>,
}

/// A row as it is made: names and values in order.
type Line = Vec<(String, Value)>;

/// Nothing can be kept under a key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NoSuchKey(String);

/// The names that keys can have: the symbols, and the words by what they are of.
pub fn keys(values: &Values) -> Value {
    let words = |words: &[Word]| words.iter().map(|word| (word.name, word.about)).collect::<BTreeMap<_, _>>();
    let symbols: Vec<&str> = values.stats().listings.iter().map(|listed| listed.symbol.as_str()).collect();
    let kinds: Vec<&str> =
        flow::KINDS.iter().filter(|info| values.kept.keeps(info.kind)).map(|info| info.name).collect();
    json!({
        "keys": "SYMBOL/WORD, SYMBOL@MIC/WORD, system/WORD; behind it /NAME for one of several",
        "symbols": symbols,
        "of_a_symbol": words(OF_SYMBOL),
        "of_the_run": words(OF_RUN),
        "kinds": kinds,
    })
}

impl Values {
    /// What is kept under a key.
    ///
    /// # Errors
    /// When nothing can be: no such symbol is listed, or no such word there is.
    pub fn answer(&self, key: &str) -> Result<LastAnswer, NoSuchKey> {
        let (instrument, word, one) = self.parsed(key)?;
        let named = named(instrument, word)?;
        let shown = Shown { values: self, now: self.now(), instrument };
        let mut rows = shown.rows(named);
        if let Some(one) = one {
            let tells = |(name, value): &(String, Value)| TELLING.contains(&name.as_str()) && is_told(value, one);
            rows.retain(|row| row.iter().any(tells));
        }
        let why = rows.is_empty().then(|| shown.why(named));
        let seq = self.reached.map_or(0, |reached| reached.seq);
        let mut columns = Vec::new();
        for (name, _) in rows.iter().flatten() {
            if !columns.contains(name) {
                columns.push(name.clone());
            }
        }
        let rows = rows.into_iter().map(|row| row.into_iter().collect()).collect();
        Ok(LastAnswer { key: key.to_owned(), seq, now_ns: shown.now.0.to_string(), columns, rows, why })
    }

    fn now(&self) -> Ns {
        if self.is_wall { wall_now() } else { self.kept.newest() }
    }

    /// The instrument of a key, 0 for none; its word; and the one of several that is meant. A symbol may have slashes.
    fn parsed<'a>(&self, key: &'a str) -> Result<(u32, &'a str, Option<&'a str>), NoSuchKey> {
        let split = |rest: &'a str| match rest.split_once('/') {
            Some((word, one)) => (word, Some(one)),
            None => (rest, None),
        };
        if let Some(rest) = key.strip_prefix(SYSTEM).and_then(|rest| rest.strip_prefix('/')) {
            let (word, one) = split(rest);
            return Ok((0, word, one));
        }
        let listings = &self.stats().listings;
        let mut found: Vec<(&Listed, &'a str)> = Vec::new();
        for (at, _) in key.match_indices('/') {
            let (symbol, rest) = (&key[..at], &key[at + 1..]);
            let is_meant = |listed: &&Listed| listed.symbol == symbol || listings.key(listed.instrument) == symbol;
            found.extend(listings.iter().filter(is_meant).map(|listed| (listed, rest)));
        }
        match found.as_slice() {
            [(listed, rest)] => {
                let (word, one) = split(rest);
                Ok((listed.instrument, word, one))
            }
            [] => {
                let Some((symbol, _)) = key.split_once('/') else {
                    let text = format!("{key:?} is no key: write SYMBOL/WORD, as AAPL/top, or {SYSTEM}/WORD");
                    return Err(NoSuchKey(text));
                };
                let meant = crate::config::nearest(symbol, listings.iter().map(|listed| listed.symbol.as_str()));
                let meant = meant.map_or_else(String::new, |meant| format!("; did you mean {meant}?"));
                Err(NoSuchKey(format!("{symbol}: no such symbol is listed{meant}")))
            }
            [(listed, _), ..] => {
                let (symbol, key) = (&listed.symbol, listings.key(listed.instrument));
                Err(NoSuchKey(format!("several instruments have the symbol {symbol}: write SYMBOL@MIC, such as {key}")))
            }
        }
    }
}

fn named(instrument: u32, word: &str) -> Result<Named, NoSuchKey> {
    let words = if instrument == 0 { OF_RUN } else { OF_SYMBOL };
    let found = words.iter().find(|one| one.name == word).map(|one| one.named);
    let kind = || kind_named(word).map(|info| Named::Last(info.kind, &[]));
    found.or_else(kind).ok_or_else(|| {
        let names = words.iter().map(|one| one.name).chain(flow::KINDS.iter().map(|info| info.name));
        let meant = crate::config::nearest(word, names);
        let meant = meant.map_or_else(String::new, |meant| format!("did you mean {meant}? "));
        let valid = one_of("", words.iter().map(|one| one.name));
        NoSuchKey(format!("{word:?} is kept of nothing; {meant}{valid}, or a kind of `tidegate schema`"))
    })
}

/// Whether a value is the one that a key names.
fn is_told(value: &Value, one: &str) -> bool {
    match value {
        Value::String(text) => text == one,
        other => other.to_string() == one,
    }
}

fn value(cell: &Cell) -> Value {
    serde_json::to_value(cell).expect("a cell is a plain value")
}

/// What is shown of one instrument, or of none.
struct Shown<'a> {
    values: &'a Values,
    now: Ns,
    instrument: u32,
}

impl Shown<'_> {
    fn rows(&self, named: Named) -> Vec<Line> {
        match named {
            Named::Last(kind, columns) => self.of_kind(kind, false, columns),
            Named::All(kind) => self.of_kind(kind, true, &[]),
            Named::Everything => {
                let kinds = self.values.kept.kinds(self.instrument);
                kinds.into_iter().flat_map(|kind| self.of_kind(kind, false, &[])).collect()
            }
            Named::Book => self.book().into_iter().collect(),
            Named::Spread => self.spread().into_iter().collect(),
            Named::Positions => self.positions(),
            Named::Halt => vec![self.halt()],
            Named::Feeds => self.feeds(),
            Named::Anomalies => self.values.kept.anomalies().filter_map(|row| self.row(row, &[])).collect(),
            Named::Limits => self.limits(),
            Named::Money => self.money(),
        }
    }

    /// Why there is no row.
    fn why(&self, named: Named) -> String {
        let values = self.values;
        match named {
            Named::Last(kind, _) | Named::All(kind) => {
                let name = kind_info(kind).map_or("this kind", |info| info.name);
                if !values.kept.keeps(kind) {
                    return format!("{name} is not kept: it is about single orders, or its number of rows is set to 0");
                }
                if kind.is_measure() && !values.records(kind) {
                    return format!("this run does not record {name}: add it to outcomes.kinds");
                }
                "there was none yet".to_owned()
            }
            Named::Book => match &values.books {
                Some(books) if books.keeps(self.instrument) => {
                    "it is not known: these values begin amid the day; it is from where its feed begins it anew"
                        .to_owned()
                }
                _ => "it is not kept: add the symbol to metrics.books".to_owned(),
            },
            _ => "there was none yet".to_owned(),
        }
    }

    /// The rows of a kind, of all that say it: the last of each, or all.
    fn of_kind(&self, kind: Kind, all: bool, columns: &[&str]) -> Vec<Line> {
        let Some(of) = kind_info(kind).and_then(|info| row_kind(info.name)) else { return Vec::new() };
        let mut rows: Vec<&Row> = Vec::new();
        for series in self.values.kept.rows(self.instrument, kind) {
            let first = if all { 0 } else { series.len().saturating_sub(1) };
            rows.extend(series.iter().skip(first));
        }
        rows.sort_by_key(|row| row.first.id);
        rows.into_iter().filter_map(|row| self.shown(&of, row, columns)).collect()
    }

    fn row(&self, row: &Row, columns: &[&str]) -> Option<Line> {
        self.shown(&row_kind(kind_info(row.first.kind)?.name)?, row, columns)
    }

    fn shown(&self, kind: &RowKind, of: &Row, columns: &[&str]) -> Option<Line> {
        let cells = row(kind, &of.events(), &self.values.stats().listings, &self.values.instances)?;
        let always = ["kind", "seq", "ts_ns", "symbol"];
        let is_shown = |name: &str| {
            !NEVER.contains(&name) && (columns.is_empty() || columns.contains(&name) || always.contains(&name))
        };
        // Where a journal does not say the time of the exchange, it is left out.
        let is_known = |(name, cell): &&(&str, Cell)| *name != "exchange_ts_ns" || *cell != Cell::Null;
        let cells = cells.iter().filter(|(name, _)| is_shown(name)).filter(is_known);
        let mut shown: Line = cells.map(|(name, cell)| ((*name).to_owned(), value(cell))).collect();
        shown.push(("age_ns".to_owned(), self.age(of.first.ts)));
        Some(shown)
    }

    fn age(&self, ts: Ns) -> Value {
        value(&Cell::Long(self.now.0.saturating_sub(ts.0)))
    }

    fn listed(&self) -> Option<&Listed> {
        self.values.stats().listings.get(self.instrument)
    }

    fn top(&self) -> Option<&Row> {
        self.values.kept.rows(self.instrument, Kind::BookTop).find_map(|series| series.back())
    }

    fn spread(&self) -> Option<Line> {
        let row = self.top()?;
        let BookTop { bid_px, ask_px, .. } = row.first.record::<BookTop>();
        let apart = bid_px.known().zip(ask_px.known()).map_or(Px::NONE, |(bid, ask)| Px(ask.0 - bid.0));
        let mut shown = self.row(row, &["bid_px", "ask_px"])?;
        shown.push(("spread".to_owned(), value(&price(apart, self.listed()))));
        Some(shown)
    }

    fn book(&self) -> Option<Line> {
        let state = self.values.books.as_ref()?.book(self.instrument, LEVELS)?;
        let listed = self.listed();
        let side = |levels: &[flow::LevelState]| {
            let level = |of: &flow::LevelState| {
                let orders = of.orders.map_or(Cell::Null, |orders| Cell::Uint(orders.into()));
                vec![price(of.px, listed), quantity(of.qty, listed), orders]
            };
            value(&Cell::List(levels.iter().map(level).collect()))
        };
        let mut shown = Line::new();
        shown.push(("symbol".to_owned(), json!(listed.map(|listed| listed.symbol.as_str()))));
        shown.push(("bids".to_owned(), side(&state.bids)));
        shown.push(("asks".to_owned(), side(&state.asks)));
        shown.push(("bid_levels".to_owned(), json!(state.bid_levels)));
        shown.push(("ask_levels".to_owned(), json!(state.ask_levels)));
        shown.push(("doubtful".to_owned(), json!(state.doubtful)));
        let changed = self.values.books.as_ref()?.changed(self.instrument);
        changed.into_iter().for_each(|ts| shown.push(("age_ns".to_owned(), self.age(ts))));
        Some(shown)
    }

    /// The positions of the instrument; when a position changed is known if it did since these values began.
    fn positions(&self) -> Vec<Line> {
        let Some(kind) = row_kind("position") else { return Vec::new() };
        let held = self.values.positions();
        let of = held.into_iter().filter(|((.., instrument), _)| *instrument == self.instrument);
        let mut shown = Vec::new();
        for (_, (position, money)) in of {
            let event = Event::new(Ns(0), self.instrument, Flags::NONE, &position);
            let second = Event::new(Ns(0), self.instrument, Flags::NONE, &money);
            let same = |row: &&Row| {
                let told = |event: &Event| event.get::<flow::records::Position>().map(|p| (p.account, p.strategy));
                told(&row.first) == told(&event)
            };
            let mut series = self.values.kept.rows(self.instrument, Kind::Position);
            let kept = series.find_map(|rows| rows.back().filter(same));
            let row = kept.copied().unwrap_or(Row { first: event, second: Some(second) });
            let Some(mut one) = self.shown(&kind, &row, &[]) else { continue };
            if kept.is_none() {
                one.retain(|(name, _)| !["seq", "ts_ns", "age_ns"].contains(&name.as_str()));
            }
            shown.push(one);
        }
        shown
    }

    fn halt(&self) -> Line {
        let halt = self.values.stats().halt();
        let mut shown = Line::new();
        shown.push(("halted".to_owned(), json!(halt.is_some())));
        let Some(halt) = halt else { return shown };
        shown.push(("reason".to_owned(), json!(halt.reason)));
        shown.push(("actor".to_owned(), json!(halt.actor)));
        shown.push(("asked_ts_ns".to_owned(), json!(halt.asked_ts)));
        shown.push(("seq".to_owned(), json!(halt.seq)));
        let asked = halt.asked_ts.and_then(|text| text.parse().ok()).filter(|_| self.values.is_wall);
        asked.into_iter().for_each(|ts| shown.push(("age_ns".to_owned(), self.age(Ns(ts)))));
        shown
    }

    fn feeds(&self) -> Vec<Line> {
        let tallies = self.values.sources();
        let feed = |feed: &crate::ingress::FeedStatus| {
            let mut shown = Line::new();
            shown.push(("source".to_owned(), json!(feed.name)));
            shown.push(("standing".to_owned(), json!(feed.standing().name())));
            if let Some(tally) = tallies.get(&feed.id) {
                shown.push(("inputs".to_owned(), json!(tally.inputs)));
                shown.push(("ts_ns".to_owned(), value(&Cell::Long(tally.last.0))));
                shown.push(("age_ns".to_owned(), self.age(tally.last)));
            }
            shown
        };
        self.values.feeds.all().iter().map(|one| feed(one)).collect()
    }

    fn limits(&self) -> Vec<Line> {
        let limit = |of: crate::recovery::LimitNow| {
            let mut shown = Line::new();
            let table = of.target.table;
            shown.push(("check".to_owned(), json!(stages::risk::check_name(of.target.check))));
            shown.push(("table".to_owned(), json!(table)));
            shown.push(("of".to_owned(), json!(self.values.instances.limit(table))));
            shown.push(("limit".to_owned(), value(&Cell::Int(of.limit))));
            shown.push(("ceiling".to_owned(), value(&Cell::Int(of.ceiling))));
            shown
        };
        self.values.limits().map(limit).collect()
    }

    fn money(&self) -> Vec<Line> {
        let amount = |nano: i128| json!(decimal(nano, 9, 2));
        let purse = |((account, currency), money): (crate::pipeline::Purse, crate::pipeline::Pnl)| {
            let mut shown = Line::new();
            shown.push(("account".to_owned(), json!(account.0)));
            shown.push(("currency".to_owned(), json!(Currency::listed(currency).to_string())));
            shown.push(("realised".to_owned(), amount(money.realised)));
            shown.push(("unrealised".to_owned(), amount(money.unrealised)));
            shown.push(("fees".to_owned(), amount(money.fees)));
            shown.push(("without_multiplier".to_owned(), json!(money.without_multiplier)));
            shown.push(("without_fees".to_owned(), json!(money.without_fees)));
            shown
        };
        self.values.money().into_iter().map(purse).collect()
    }
}
