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
    /// The rows, oldest first. Each has `age_ns`, unless its time is not known.
    pub rows: Vec<Map<String, Value>>,
    /// Why there is none.
    pub why: Option<String>,
}

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
            rows.retain(|row| TELLING.iter().any(|column| row.get(*column).is_some_and(|value| is_told(value, one))));
        }
        let why = rows.is_empty().then(|| shown.why(named));
        let seq = self.reached.map_or(0, |reached| reached.seq);
        Ok(LastAnswer { key: key.to_owned(), seq, now_ns: shown.now.0.to_string(), rows, why })
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
    fn rows(&self, named: Named) -> Vec<Map<String, Value>> {
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
                    "it is not known: these values begin amid the day; it is from where its feed begins it anew".to_owned()
                }
                _ => "it is not kept: add the symbol to metrics.books".to_owned(),
            },
            _ => "there was none yet".to_owned(),
        }
    }

    /// The rows of a kind, of all that say it: the last of each, or all.
    fn of_kind(&self, kind: Kind, all: bool, columns: &[&str]) -> Vec<Map<String, Value>> {
        let Some(of) = kind_info(kind).and_then(|info| row_kind(info.name)) else { return Vec::new() };
        let mut rows: Vec<&Row> = Vec::new();
        for series in self.values.kept.rows(self.instrument, kind) {
            let first = if all { 0 } else { series.len().saturating_sub(1) };
            rows.extend(series.iter().skip(first));
        }
        rows.sort_by_key(|row| row.first.id);
        rows.into_iter().filter_map(|row| self.shown(&of, row, columns)).collect()
    }

    fn row(&self, row: &Row, columns: &[&str]) -> Option<Map<String, Value>> {
        self.shown(&row_kind(kind_info(row.first.kind)?.name)?, row, columns)
    }

    fn shown(&self, kind: &RowKind, of: &Row, columns: &[&str]) -> Option<Map<String, Value>> {
        let cells = row(kind, &of.events(), &self.values.stats().listings, &self.values.instances)?;
        let always = ["kind", "seq", "ts_ns", "symbol"];
        let is_shown = |name: &str| {
            !NEVER.contains(&name) && (columns.is_empty() || columns.contains(&name) || always.contains(&name))
        };
        let cells = cells.iter().filter(|(name, _)| is_shown(name));
        let mut shown: Map<String, Value> = cells.map(|(name, cell)| ((*name).to_owned(), value(cell))).collect();
        shown.insert("age_ns".to_owned(), self.age(of.first.ts));
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

    fn spread(&self) -> Option<Map<String, Value>> {
        let row = self.top()?;
        let BookTop { bid_px, ask_px, .. } = row.first.record::<BookTop>();
        let apart = bid_px.known().zip(ask_px.known()).map_or(Px::NONE, |(bid, ask)| Px(ask.0 - bid.0));
        let mut shown = self.row(row, &["bid_px", "ask_px"])?;
        shown.insert("spread".to_owned(), value(&price(apart, self.listed())));
        Some(shown)
    }

    fn book(&self) -> Option<Map<String, Value>> {
        let state = self.values.books.as_ref()?.book(self.instrument, LEVELS)?;
        let listed = self.listed();
        let side = |levels: &[flow::LevelState]| {
            let level = |of: &flow::LevelState| {
                let orders = of.orders.map_or(Cell::Null, |orders| Cell::Uint(orders.into()));
                vec![price(of.px, listed), quantity(of.qty, listed), orders]
            };
            value(&Cell::List(levels.iter().map(level).collect()))
        };
        let mut shown = Map::new();
        shown.insert("symbol".to_owned(), json!(listed.map(|listed| listed.symbol.as_str())));
        shown.insert("bids".to_owned(), side(&state.bids));
        shown.insert("asks".to_owned(), side(&state.asks));
        shown.insert("bid_levels".to_owned(), json!(state.bid_levels));
        shown.insert("ask_levels".to_owned(), json!(state.ask_levels));
        shown.insert("doubtful".to_owned(), json!(state.doubtful));
        let changed = self.values.books.as_ref()?.changed(self.instrument);
        changed.into_iter().for_each(|ts| drop(shown.insert("age_ns".to_owned(), self.age(ts))));
        Some(shown)
    }

    /// The positions of the instrument; when a position changed is known if it did since these values began.
    fn positions(&self) -> Vec<Map<String, Value>> {
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
                ["seq", "ts_ns", "exchange_ts_ns", "age_ns"].into_iter().for_each(|unknown| drop(one.remove(unknown)));
            }
            shown.push(one);
        }
        shown
    }

    fn halt(&self) -> Map<String, Value> {
        let halt = self.values.stats().halt();
        let mut shown = Map::new();
        shown.insert("halted".to_owned(), json!(halt.is_some()));
        let Some(halt) = halt else { return shown };
        shown.insert("reason".to_owned(), json!(halt.reason));
        shown.insert("actor".to_owned(), json!(halt.actor));
        shown.insert("asked_ts_ns".to_owned(), json!(halt.asked_ts));
        shown.insert("seq".to_owned(), json!(halt.seq));
        let asked = halt.asked_ts.and_then(|text| text.parse().ok()).filter(|_| self.values.is_wall);
        asked.into_iter().for_each(|ts| drop(shown.insert("age_ns".to_owned(), self.age(Ns(ts)))));
        shown
    }

    fn feeds(&self) -> Vec<Map<String, Value>> {
        let tallies = self.values.sources();
        let feed = |feed: &crate::ingress::FeedStatus| {
            let mut shown = Map::new();
            shown.insert("source".to_owned(), json!(feed.name));
            shown.insert("standing".to_owned(), json!(feed.standing().name()));
            if let Some(tally) = tallies.get(&feed.id) {
                shown.insert("inputs".to_owned(), json!(tally.inputs));
                shown.insert("ts_ns".to_owned(), value(&Cell::Long(tally.last.0)));
                shown.insert("age_ns".to_owned(), self.age(tally.last));
            }
            shown
        };
        self.values.feeds.all().iter().map(|one| feed(one)).collect()
    }

    fn limits(&self) -> Vec<Map<String, Value>> {
        let limit = |of: crate::recovery::LimitNow| {
            let mut shown = Map::new();
            let table = of.target.table;
            shown.insert("check".to_owned(), json!(stages::risk::check_name(of.target.check)));
            shown.insert("table".to_owned(), json!(table));
            shown.insert("of".to_owned(), json!(self.values.instances.limit(table)));
            shown.insert("limit".to_owned(), value(&Cell::Int(of.limit)));
            shown.insert("ceiling".to_owned(), value(&Cell::Int(of.ceiling)));
            shown
        };
        self.values.limits().map(limit).collect()
    }

    fn money(&self) -> Vec<Map<String, Value>> {
        let amount = |nano: i128| json!(decimal(nano, 9, 2));
        let purse = |((account, currency), money): (crate::pipeline::Purse, crate::pipeline::Pnl)| {
            let mut shown = Map::new();
            shown.insert("account".to_owned(), json!(account.0));
            shown.insert("currency".to_owned(), json!(Currency::listed(currency).to_string()));
            shown.insert("realised".to_owned(), amount(money.realised));
            shown.insert("unrealised".to_owned(), amount(money.unrealised));
            shown.insert("fees".to_owned(), amount(money.fees));
            shown.insert("without_multiplier".to_owned(), json!(money.without_multiplier));
            shown.insert("without_fees".to_owned(), json!(money.without_fees));
            shown
        };
        self.values.money().into_iter().map(purse).collect()
    }
}
