//! What an instant shows, in units and names: of all symbols, or of one.

use super::error::InstantError;
use super::rebuilt::{Rebuilt, Took};
use super::written::written;
use crate::config::nearest;
use crate::control::{OrderStatus, PositionStatus, TradingStatus};
use crate::pipeline::{Answer, Group, HeadState, HeldPosition, TailState};
use crate::rows::{Cell, fields, price, quantity};
use flow::{BookState, Event, InstrumentState, Kind, LevelState, Listed, TradingState, kind_info};
use serde::{Serialize, Serializer};
use stages::measures::MEASURES;
use std::collections::BTreeMap;
use std::time::Duration;

/// Levels a side.
const LEVELS: usize = 10;

/// A run at an instant.
#[derive(Clone, Debug, Serialize)]
pub struct Instant {
    /// Folder of the journal that the instant lies in.
    pub journal: String,
    /// The last input up to it.
    pub seq: u64,
    /// Its time, ns since 1970, in digits.
    pub ts_ns: String,
    /// The same for people.
    pub time: String,
    /// Its kind.
    pub kind: &'static str,
    /// The snapshot that the repetition began from; absent = the beginning of the journal.
    pub snapshot: Option<String>,
    /// The input after which it began.
    pub from_seq: u64,
    /// How many inputs were repeated.
    pub repeated: u64,
    /// The build that wrote the journal, if it is another one.
    pub other_build: Option<String>,
    /// From the start of the command until this was known, in µs.
    pub took_us: u64,
    /// Where that went.
    pub took: Took,
    /// Where trading stood, as `ctl status --json` says it.
    pub trading: TradingStatus,
    /// All symbols, in the order of their listing; empty if one was asked for.
    pub symbols: Vec<SymbolRow>,
    /// The symbol that was asked for.
    pub symbol: Option<SymbolShown>,
}

/// A symbol among all.
#[derive(Clone, Debug, Serialize)]
pub struct SymbolRow {
    /// Symbol.
    pub symbol: String,
    /// Venue.
    pub venue: String,
    /// Best bid, as it was published last.
    pub bid_px: Cell,
    /// Quantity there.
    pub bid_qty: Cell,
    /// Best ask.
    pub ask_px: Cell,
    /// Quantity there.
    pub ask_qty: Cell,
    /// Sum of the positions of all strategies and accounts.
    pub position: i64,
    /// How many of these are not flat.
    pub positions: u64,
    /// Open orders.
    pub open_orders: u64,
}

/// One symbol.
#[derive(Clone, Debug, Serialize)]
pub struct SymbolShown {
    /// Symbol.
    pub symbol: String,
    /// Venue.
    pub venue: String,
    /// Its book; absent if it has none.
    pub book: Option<BookShown>,
    /// The last trade; absent if there was none.
    pub last_trade: Option<ValueShown>,
    /// The last event of each kind of each measure that has emitted one.
    pub measures: Vec<ValueShown>,
    /// Its positions, also those that are flat again.
    pub positions: Vec<PositionStatus>,
    /// Its open orders, by id.
    pub orders: Vec<OrderStatus>,
}

/// A book.
#[derive(Clone, Debug, Serialize)]
pub struct BookShown {
    /// The best bids, best first.
    pub bids: Vec<LevelShown>,
    /// The best asks, best first.
    pub asks: Vec<LevelShown>,
    /// How many levels the bids have.
    pub bid_levels: u64,
    /// How many the asks have.
    pub ask_levels: u64,
    /// Whether it is doubtful after lost messages.
    pub doubtful: bool,
}

/// A level.
#[derive(Clone, Debug, Serialize)]
pub struct LevelShown {
    /// Price.
    pub px: Cell,
    /// Quantity.
    pub qty: Cell,
    /// Orders; absent if the book does not know.
    pub orders: Option<u32>,
}

/// An event with its values.
#[derive(Clone, Debug, Serialize)]
pub struct ValueShown {
    /// Whose it is: the instance of a measure, or `trade`.
    pub name: String,
    /// Its kind.
    pub kind: &'static str,
    /// The input that caused it.
    pub seq: u64,
    /// Its time, ns since 1970, in digits.
    pub ts_ns: String,
    /// Its values, by the columns of its row.
    #[serde(serialize_with = "as_map")]
    pub values: Vec<(&'static str, Cell)>,
}

fn as_map<S: Serializer>(values: &[(&'static str, Cell)], to: S) -> Result<S::Ok, S::Error> {
    to.collect_map(values.iter().map(|(name, value)| (name, value)))
}

impl Instant {
    /// What a rebuilt run shows: of one symbol, or of all. `took` is the time so far.
    ///
    /// # Errors
    /// When no such symbol is listed, or several venues have it.
    pub fn of(
        rebuilt: &Rebuilt,
        symbol: Option<&str>,
        took: impl FnOnce() -> Duration,
    ) -> Result<Instant, InstantError> {
        let Rebuilt { place, stats, names, .. } = rebuilt;
        let mut stages = TradingState::default();
        each(&rebuilt.groups, |stage| stage.trading_state(&mut stages));
        // By id: a stage has them in an order that depends on where the repetition began.
        stages.orders = stands(rebuilt, 0).orders;
        stages.orders.truncate(TradingState::ROWS);
        let mut tail = TailState::default();
        stats.trading_state(&stages, &mut tail);
        let head = HeadState { seq: place.input.id.seq(), now: place.input.ts, ..HeadState::default() };
        let one = symbol.map(|symbol| listed(rebuilt, symbol)).transpose()?.map(|of| one(rebuilt, of, &stages));
        let symbols = if one.is_none() { all(rebuilt, &stages) } else { Vec::new() };
        let trading = TradingStatus::of(&Answer::of(head, stages, tail), Duration::ZERO, names);
        Ok(Instant {
            journal: place.member.dir.display().to_string(),
            seq: place.input.id.seq(),
            ts_ns: place.input.ts.0.to_string(),
            time: written(place.input.ts),
            kind: kind_info(place.input.kind).map_or("unknown", |info| info.name),
            snapshot: rebuilt.snapshot.clone(),
            from_seq: rebuilt.from,
            repeated: rebuilt.repeated(),
            other_build: rebuilt.other_build.clone(),
            took_us: took().as_micros() as u64,
            took: rebuilt.took,
            trading,
            symbols,
            symbol: one,
        })
    }
}

fn each(groups: &[Group], say: impl FnMut(&dyn flow::Stage)) {
    groups.iter().flat_map(Group::stages).for_each(say);
}

/// What all stages say of an instrument.
fn stands(rebuilt: &Rebuilt, instrument: u32) -> InstrumentState {
    let mut state = InstrumentState::default();
    each(&rebuilt.groups, |stage| stage.instrument_state(instrument, LEVELS, &mut state));
    state.orders.sort_unstable_by_key(|order| order.id.0);
    state
}

/// The listing that a name means: a symbol, or `SYMBOL@VENUE`.
fn listed<'a>(rebuilt: &'a Rebuilt, name: &str) -> Result<&'a Listed, InstantError> {
    let listings = &rebuilt.stats.listings;
    let found: Vec<_> = listings.iter().filter(|l| l.symbol == name || listings.key(l.instrument) == name).collect();
    match found.as_slice() {
        [one] => Ok(one),
        [] => {
            let meant = nearest(name, listings.iter().map(|l| l.symbol.as_str()));
            let meant = meant.map_or_else(String::new, |symbol| format!("; did you mean {symbol}?"));
            Err(InstantError::NoSymbol { symbol: name.to_owned(), meant })
        }
        several => {
            let keys = several.iter().map(|l| listings.key(l.instrument)).collect();
            Err(InstantError::ManySymbols { symbol: name.to_owned(), keys })
        }
    }
}

fn all(rebuilt: &Rebuilt, stages: &TradingState) -> Vec<SymbolRow> {
    let mut orders = BTreeMap::<u32, u64>::new();
    stands(rebuilt, 0).orders.iter().for_each(|order| *orders.entry(order.instrument).or_default() += 1);
    let mut held = BTreeMap::<u32, (i64, u64)>::new();
    for ((_, _, instrument), (position, _)) in rebuilt.stats.trades.positions(stages) {
        let sum = held.entry(instrument).or_default();
        *sum = (sum.0 + position.qty, sum.1 + u64::from(position.qty != 0));
    }
    let row = |listed: &Listed| {
        let (top, of) = (rebuilt.stats.top(listed.instrument), Some(listed));
        let [bid_px, ask_px] = [top.map(|t| t.bid_px), top.map(|t| t.ask_px)].map(|px| px.and_then(flow::Px::known));
        let [bid_qty, ask_qty] = [bid_px.zip(top).map(|(_, t)| t.bid_qty), ask_px.zip(top).map(|(_, t)| t.ask_qty)];
        let (position, positions) = held.get(&listed.instrument).copied().unwrap_or_default();
        SymbolRow {
            symbol: listed.symbol.clone(),
            venue: listed.venue().as_str().to_owned(),
            bid_px: bid_px.map_or(Cell::Null, |px| price(px, of)),
            bid_qty: bid_qty.map_or(Cell::Null, |qty| quantity(qty, of)),
            ask_px: ask_px.map_or(Cell::Null, |px| price(px, of)),
            ask_qty: ask_qty.map_or(Cell::Null, |qty| quantity(qty, of)),
            position,
            positions,
            open_orders: orders.get(&listed.instrument).copied().unwrap_or_default(),
        }
    };
    rebuilt.stats.listings.iter().map(row).collect()
}

fn one(rebuilt: &Rebuilt, listed: &Listed, stages: &TradingState) -> SymbolShown {
    let Rebuilt { stats, names, .. } = rebuilt;
    let instrument = listed.instrument;
    let state = stands(rebuilt, instrument);
    let quoted = stats.quoted(instrument);
    let held = stats.trades.positions(stages).into_iter().filter(|((_, _, at), _)| *at == instrument);
    let positions = held.map(|((account, strategy, instrument), (position, money))| {
        PositionStatus::of(&HeldPosition { account, strategy, instrument, position, money }, Some(&quoted), names)
    });
    let value = |name: &str, kind: Kind, number: u8| {
        let event = stats.measures.last(kind, number, instrument)?;
        Some(shown(name, event, fields(event, Some(listed), names)))
    };
    let instances = MEASURES.iter().flat_map(|entry| names.measures(entry).map(move |of| (entry, of)));
    let measures = instances.flat_map(|(entry, (name, number))| {
        entry.build.emits.iter().filter_map(move |kind| value(name, *kind, number))
    });
    SymbolShown {
        symbol: listed.symbol.clone(),
        venue: listed.venue().as_str().to_owned(),
        book: state.book.as_ref().map(|book| book_shown(book, listed)),
        last_trade: value("trade", Kind::Trade, 0),
        measures: measures.collect(),
        positions: positions.collect(),
        orders: state.orders.iter().map(|order| OrderStatus::of(order, Some(&quoted))).collect(),
    }
}

fn shown(name: &str, event: &Event, fields: Vec<crate::rows::Shown>) -> ValueShown {
    ValueShown {
        name: name.to_owned(),
        kind: kind_info(event.kind).map_or("unknown", |info| info.name),
        seq: event.id.seq(),
        ts_ns: event.ts.0.to_string(),
        values: fields.into_iter().map(|field| (field.name, field.value)).collect(),
    }
}

fn book_shown(book: &BookState, listed: &Listed) -> BookShown {
    let level = |level: &LevelState| LevelShown {
        px: price(level.px, Some(listed)),
        qty: quantity(level.qty, Some(listed)),
        orders: level.orders,
    };
    let BookState { bids, asks, bid_levels, ask_levels, doubtful } = book;
    BookShown {
        bids: bids.iter().map(level).collect(),
        asks: asks.iter().map(level).collect(),
        bid_levels: *bid_levels,
        ask_levels: *ask_levels,
        doubtful: *doubtful,
    }
}
