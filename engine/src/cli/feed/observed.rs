//! What came of one input, as it was watched: by kind and by symbol, its gaps, its lags.
//!
//! Each input counts once, where it ends a message or a group or stands alone; what follows another kind belongs to it, and
//! definitions, cursors and what the ingress would leave out, since its symbol is not watched, are not counted. A lag is that of a live input whose
//! exchange says a time: a file's inputs are due at the exchange's time, so it has none. Bound: a count an instrument, two histograms a kind,
//! and the first messages.

use super::lag::Lags;
use crate::rows::words::market;
use crate::rows::{RowKind, row, row_kind};
use chrono::DateTime;
use flow::{Event, Kind, Kinds, Listings, Ns, Symbols, follower_of, kind_info};
use stages::Instances;
use std::collections::BTreeMap;
use std::time::Duration;

/// Kinds that define, or say how far a source has come, and no more.
const DEFINING: Kinds = Kinds::of(&[Kind::Listing, Kind::Contract, Kind::Name, Kind::Cursor, Kind::TradeVenue]);

/// What came of one kind.
#[derive(Default)]
pub(super) struct OfKind {
    pub(super) count: u64,
    pub(super) lags: Lags,
}

/// What came of an input.
pub(super) struct Observed {
    is_live: bool,
    watched: Option<Symbols>,
    listings: Listings,
    names: Instances,
    pub(super) kinds: BTreeMap<u8, OfKind>,
    pub(super) symbols: BTreeMap<String, u64>,
    pub(super) gaps: u64,
    /// How long after the start the first message came.
    pub(super) first_after: Option<Duration>,
    /// Messages that are still to be shown.
    to_show: usize,
    rows: Vec<RowKind>,
    /// The first of a row whose followers have not come yet.
    begun: Vec<Event>,
}

impl Observed {
    pub(super) fn new(is_live: bool, watched: Option<Symbols>, to_show: usize) -> Observed {
        Observed {
            is_live,
            watched,
            listings: Listings::default(),
            names: Instances::default(),
            kinds: BTreeMap::new(),
            symbols: BTreeMap::new(),
            gaps: 0,
            first_after: None,
            to_show,
            rows: Vec::new(),
            begun: Vec::new(),
        }
    }

    /// The instruments of the source are numbered anew.
    pub(super) fn begin_anew(&mut self) {
        self.listings = Listings::default();
        self.begun.clear();
    }

    /// One input more, `after` the start; the line that shows it, if it is one of the first.
    pub(super) fn take(&mut self, event: &Event, after: Duration) -> Option<String> {
        self.listings.observe(event);
        if DEFINING.has(event.kind) {
            return None;
        }
        let symbol = self.listings.get(event.instrument).map(|listed| listed.symbol.as_str());
        if let (Some(watched), Some(symbol)) = (&self.watched, symbol)
            && !watched.contains(symbol)
        {
            return None;
        }
        let is_follower = kind_info(event.kind).is_some_and(|kind| kind.follows.is_some());
        if !is_follower {
            self.count(event, after);
        }
        if self.to_show > 0 { self.shown(event) } else { None }
    }

    fn count(&mut self, event: &Event, after: Duration) {
        let of = self.kinds.entry(event.kind.0).or_default();
        of.count += 1;
        if event.kind == Kind::Gap {
            self.gaps += 1;
            return;
        }
        if event.kind == Kind::Anomaly {
            return;
        }
        self.first_after.get_or_insert(after);
        if let Some(exchange) = event.exchange_ts().filter(|_| self.is_live) {
            of.lags.note(difference(event.ts, exchange));
        }
        if let Some(listed) = self.listings.get(event.instrument) {
            match self.symbols.get_mut(&listed.symbol) {
                Some(count) => *count += 1,
                None => _ = self.symbols.insert(listed.symbol.clone(), 1),
            }
        }
    }

    /// Inputs that are market data.
    pub(super) fn messages(&self) -> u64 {
        let is_data = |kind: &&u8| ![Kind::Gap.0, Kind::Anomaly.0].contains(kind);
        self.kinds.iter().filter(|(kind, _)| is_data(kind)).map(|(_, of)| of.count).sum()
    }

    /// Of all kinds together.
    pub(super) fn lags(&self) -> Lags {
        let mut all = Lags::default();
        self.kinds.values().for_each(|of| all.add(&of.lags));
        all
    }

    /// The symbols that are watched and of which nothing came.
    pub(super) fn silent(&self) -> Vec<&str> {
        let watched = self.watched.iter().flatten();
        watched.filter(|symbol| !self.symbols.contains_key(*symbol)).map(String::as_str).collect()
    }

    /// The symbols of which something came, or that were listed.
    pub(super) fn known(&self) -> impl Iterator<Item = &str> {
        self.listings.iter().map(|listed| listed.symbol.as_str())
    }

    /// A message as a line, once all of it is there.
    fn shown(&mut self, event: &Event) -> Option<String> {
        self.begun.push(*event);
        let first = self.begun[0];
        let name = kind_info(first.kind)?.name;
        if !self.rows.iter().any(|kind| kind.name == name) {
            self.rows.extend(row_kind(name));
        }
        let kind = self.rows.iter().find(|kind| kind.name == name)?;
        let Some(row) = row(kind, &self.begun, &self.listings, &self.names) else {
            // What its followers are not behind has no row.
            let is_waiting = follower_of(first.kind).is_some() && self.begun.len() < 64;
            if !is_waiting {
                self.begun.clear();
            }
            return None;
        };
        self.begun.clear();
        self.to_show -= 1;
        let symbol = self.listings.get(first.instrument).map_or("", |listed| listed.symbol.as_str());
        let time = clock(first.exchange_ts().unwrap_or(first.ts));
        Some(format!("  {time}  {symbol:8} {name:10} {}", market(first.kind, &row)))
    }
}

/// From one time to another, below zero if that is earlier.
fn difference(to: Ns, from: Ns) -> i64 {
    i64::try_from(i128::from(to.0) - i128::from(from.0)).unwrap_or(i64::MAX)
}

/// The clock of a time in UTC, to the microsecond.
fn clock(ts: Ns) -> String {
    DateTime::from_timestamp_nanos(ts.0.cast_signed()).format("%H:%M:%S%.6f").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use flow::records::{Gap, Trade};
    use flow::{Definition, Flags, Inputs, Px, Qty};

    fn trade(arrival: u64, exchange: u64, instrument: u32) -> Event {
        let trade = Trade { exchange_ts: Ns(exchange), px: Px(1_500_000_000), qty: Qty(100), ..Trade::default() };
        Event::new(Ns(arrival), instrument, Flags::LAST_OF_GROUP, &trade)
    }

    fn observed(is_live: bool, watched: Option<&[&str]>) -> Observed {
        let watched = watched.map(|symbols| symbols.iter().map(|symbol| (*symbol).to_owned()).collect());
        let mut observed = Observed::new(is_live, watched, 2);
        let mut inputs = Inputs::with_capacity(0);
        for (local, symbol) in [(1, "AAPL"), (2, "MSFT")] {
            let symbol = symbol.to_owned();
            Definition { symbol, price_decimals: 2, ..Definition::default() }.push(&mut inputs, Ns(1), local, 0);
        }
        inputs.waiting().iter().for_each(|e| assert_eq!(observed.take(e, Duration::ZERO), None));
        observed
    }

    #[test]
    fn messages_are_counted_by_kind_and_symbol_and_the_first_are_shown() {
        let mut live = observed(true, Some(&["AAPL", "QQQ"]));
        let second = Duration::from_secs(1);
        let lines: Vec<_> =
            [trade(5_000, 3_000, 1), trade(6_000, 6_500, 1), trade(7_000, 6_900, 1), trade(8_000, 1, 2)]
                .iter()
                .map(|event| live.take(event, second))
                .collect();
        assert_eq!(lines[0].as_deref(), Some("  00:00:00.000003  AAPL     trade      100 at 1.50, aggressor none"));
        assert!(lines[1].is_some() && lines[2].is_none(), "two were to be shown: {lines:?}");
        assert_eq!((live.messages(), live.symbols["AAPL"], live.symbols.len()), (3, 3, 1), "MSFT is not watched");
        assert_eq!((live.silent(), live.first_after), (vec!["QQQ"], Some(second)));
        assert_eq!((live.lags().most(), live.lags().ahead()), (Some(2_000), Some((1, -500))));
    }

    #[test]
    fn a_gap_is_no_message_and_a_file_has_no_lag() {
        let mut file = observed(false, None);
        let gap = Gap { exchange_ts: Ns(5), expected: 7, received: 9, ..Gap::default() };
        let line = file.take(&Event::new(Ns(5), 0, Flags::NONE, &gap), Duration::ZERO);
        assert!(line.is_some_and(|line| line.ends_with("messages 7 to before 9 are missing")));
        assert_eq!((file.gaps, file.messages(), file.first_after), (1, 0, None));
        file.take(&trade(5_000, 3_000, 2), Duration::ZERO);
        assert_eq!((file.messages(), file.lags().most()), (1, None));
    }
}
