//! The rows of an answer, each from what keeps it.
//!
//! Bound: the rows that are kept of one kind.

use super::kept::Row;
use super::silence::Standing;
use super::values::Values;
use super::words::Named;
use crate::ingress::FeedStatus;
use crate::pipeline::{Pnl, Purse};
use crate::recovery::LimitNow;
use crate::rows::{Cell, RowKind, price, quantity, row, row_kind};
use flow::records::{BookTop, Position};
use flow::{Currency, Event, Flags, Kind, LevelState, Listed, Ns, Px, decimal, kind_info};
use serde_json::{Value, json};

/// Levels of a book, a side.
const LEVELS: usize = 10;
/// Columns of an export that a journal cannot fill.
const NEVER: [&str; 2] = ["input", "record"];

/// A row as it is made: names and values in order.
pub(super) type Line = Vec<(String, Value)>;

fn value(cell: &Cell) -> Value {
    serde_json::to_value(cell).expect("a cell is a plain value")
}

fn field(name: &str, value: Value) -> (String, Value) {
    (name.to_owned(), value)
}

/// What is shown of one instrument, or of none.
pub(super) struct Shown<'a> {
    pub(super) values: &'a Values,
    /// What ages are of.
    pub(super) now: Ns,
    /// 0 for none.
    pub(super) instrument: u32,
}

impl Shown<'_> {
    pub(super) fn rows(&self, named: Named) -> Vec<Line> {
        match named {
            Named::Last(kind, columns) => self.of_kind(kind, false, columns),
            Named::All(kind) => self.of_kind(kind, true, &[]),
            Named::Everything => {
                let kinds = self.values.kept.kinds(self.instrument);
                kinds.into_iter().flat_map(|kind| self.of_kind(kind, false, &[])).collect()
            }
            Named::Book => self.book().into_iter().collect(),
            Named::Spread => self.spread().into_iter().collect(),
            Named::Stale => self.stale(),
            Named::Positions => self.positions(),
            Named::Halt => vec![self.halt()],
            Named::Feeds => self.feeds(),
            Named::Anomalies => self.shown_all(Kind::Anomaly, self.values.kept.anomalies(), &[]),
            Named::Limits => self.limits(),
            Named::Money => self.money(),
        }
    }

    /// Why there is no row.
    pub(super) fn why(&self, named: Named) -> String {
        let values = self.values;
        match named {
            Named::Last(kind, _) | Named::All(kind) => {
                let name = kind_info(kind).map_or("this kind", |info| info.name);
                if !values.kept.keeps(kind) {
                    return format!("{name} is not kept: it is about single orders, or its number of rows is set to 0");
                }
                self.none_of(kind, name)
            }
            Named::Positions | Named::Money => self.none_of(Kind::Position, "position"),
            Named::Anomalies => self.none_of(Kind::Anomaly, "anomaly"),
            Named::Stale => "no instrument is stale".to_owned(),
            Named::Spread => self.none_of(Kind::BookTop, "book-top"),
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

    /// Why there is no row of a kind that is kept.
    fn none_of(&self, kind: Kind, name: &str) -> String {
        if self.values.records(kind) {
            return "there was none yet".to_owned();
        }
        format!("none came in, and what the pipeline makes of {name} this run does not record: see outcomes.kinds")
    }

    /// The rows of a kind, of all that say it: the last of each, or all.
    fn of_kind(&self, kind: Kind, all: bool, columns: &[&str]) -> Vec<Line> {
        let mut rows: Vec<&Row> = Vec::new();
        for series in self.values.kept.rows(self.instrument, kind) {
            let first = if all { 0 } else { series.len().saturating_sub(1) };
            rows.extend(series.iter().skip(first));
        }
        rows.sort_by_key(|row| row.first.id);
        self.shown_all(kind, rows.into_iter(), columns)
    }

    fn shown_all<'b>(&self, kind: Kind, rows: impl Iterator<Item = &'b Row>, columns: &[&str]) -> Vec<Line> {
        let Some(of) = kind_info(kind).and_then(|info| row_kind(info.name)) else { return Vec::new() };
        rows.filter_map(|row| self.shown(&of, row, columns)).collect()
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
        shown.push(field("age_ns", self.age(of.first.ts)));
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
        shown.push(field("spread", value(&price(apart, self.listed()))));
        Some(shown)
    }

    fn book(&self) -> Option<Line> {
        let state = self.values.books.as_ref()?.book(self.instrument, LEVELS)?;
        let listed = self.listed();
        let side = |levels: &[LevelState]| {
            let level = |of: &LevelState| {
                let orders = of.orders.map_or(Cell::Null, |orders| Cell::Uint(orders.into()));
                vec![price(of.px, listed), quantity(of.qty, listed), orders]
            };
            value(&Cell::List(levels.iter().map(level).collect()))
        };
        let mut shown = vec![
            field("symbol", json!(listed.map(|listed| listed.symbol.as_str()))),
            field("bids", side(&state.bids)),
            field("asks", side(&state.asks)),
            field("bid_levels", json!(state.bid_levels)),
            field("ask_levels", json!(state.ask_levels)),
            field("doubtful", json!(state.doubtful)),
        ];
        let changed = self.values.books.as_ref()?.changed(self.instrument);
        changed.into_iter().for_each(|ts| shown.push(field("age_ns", self.age(ts))));
        Some(shown)
    }

    /// How the instrument's market data stands; without an instrument those of which it is stale.
    fn stale(&self) -> Vec<Line> {
        let shown = |(listed, of): (&Listed, Standing)| {
            let mut shown = vec![
                field("symbol", json!(listed.symbol)),
                field("stale", json!(of.is_stale)),
                field("phase", json!(of.phase.name())),
            ];
            let long = |ns: Ns| value(&Cell::Long(ns.0));
            of.silent.into_iter().for_each(|silent| shown.push(field("silent_ns", long(silent))));
            of.heard.into_iter().for_each(|heard| shown.push(field("ts_ns", long(heard))));
            of.heard.into_iter().for_each(|heard| shown.push(field("age_ns", self.age(heard))));
            shown
        };
        let silence = &self.values.silence;
        if self.instrument == 0 {
            let stale = silence.stale(self.values.stats().listings.iter(), self.now);
            return stale.into_iter().map(shown).collect();
        }
        self.listed().map(|listed| shown((listed, silence.of(listed, self.now)))).into_iter().collect()
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
                let told = |event: &Event| event.get::<Position>().map(|p| (p.account, p.strategy));
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
        let mut shown = vec![field("halted", json!(halt.is_some()))];
        let Some(halt) = halt else { return shown };
        shown.push(field("reason", json!(halt.reason)));
        shown.push(field("actor", json!(halt.actor)));
        shown.push(field("asked_ts_ns", json!(halt.asked_ts)));
        shown.push(field("seq", json!(halt.seq)));
        let asked = halt.asked_ts.and_then(|text| text.parse().ok()).filter(|_| self.values.is_wall);
        asked.into_iter().for_each(|ts| shown.push(field("age_ns", self.age(Ns(ts)))));
        shown
    }

    fn feeds(&self) -> Vec<Line> {
        let tallies = self.values.sources();
        let feed = |feed: &FeedStatus| {
            let mut shown = vec![field("source", json!(feed.name)), field("standing", json!(feed.standing().name()))];
            if let Some(tally) = tallies.get(&feed.id) {
                shown.push(field("inputs", json!(tally.inputs)));
                shown.push(field("ts_ns", value(&Cell::Long(tally.last.0))));
                shown.push(field("age_ns", self.age(tally.last)));
            }
            shown
        };
        self.values.feeds.all().iter().map(|one| feed(one)).collect()
    }

    fn limits(&self) -> Vec<Line> {
        let limit = |of: LimitNow| {
            let table = of.target.table;
            vec![
                field("check", json!(stages::risk::check_name(of.target.check))),
                field("table", json!(table)),
                field("of", json!(self.values.instances.limit(table))),
                field("limit", value(&Cell::Int(of.limit))),
                field("ceiling", value(&Cell::Int(of.ceiling))),
            ]
        };
        self.values.limits().map(limit).collect()
    }

    fn money(&self) -> Vec<Line> {
        let amount = |nano: i128| json!(decimal(nano, 9, 2));
        let purse = |((account, currency), money): (Purse, Pnl)| {
            vec![
                field("account", json!(account.0)),
                field("currency", json!(Currency::listed(currency).to_string())),
                field("realised", amount(money.realised)),
                field("unrealised", amount(money.unrealised)),
                field("fees", amount(money.fees)),
                field("without_multiplier", json!(money.without_multiplier)),
                field("without_fees", json!(money.without_fees)),
            ]
        };
        self.values.money().into_iter().map(purse).collect()
    }
}
