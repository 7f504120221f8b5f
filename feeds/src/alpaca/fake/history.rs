//! What the fake has of the past: the market of its seed, day by day, and what it has told since it began.
//!
//! A weekday before today is a market of its own seed, from the open to the close in New York, made when it is asked for; today's is
//! what was published. So the same question about the past has the same answer, whoever asks and how often. Trades that were taken back
//! stay and say so, as the real ones do. Bound: [`KEPT`] messages that were published, [`DAYS`] days. Worst case: a question about many days, each
//! made anew.

use super::market::Market;
use super::wire::{Body, Minute, Sent, Time};
use chrono::{DateTime, Datelike};
use chrono::{NaiveDate, NaiveTime, TimeZone, Weekday};
use chrono_tz::America::New_York;
use flow::Ns;
use serde::ser::{SerializeMap, Serializer};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

/// Messages that were published and are kept.
const KEPT: usize = 1 << 18;
/// Days that are kept once they were made.
const DAYS: usize = 16;
/// The longest range that is answered.
pub(super) const LONGEST_DAYS: i64 = 400;

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum What {
    Trades,
    Quotes,
    Bars,
}

impl What {
    pub(super) fn name(self) -> &'static str {
        match self {
            What::Trades => "trades",
            What::Quotes => "quotes",
            What::Bars => "bars",
        }
    }
}

/// What became of a trade later.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Update {
    Canceled,
    Corrected,
    Incorrect,
}

/// A row of an answer.
#[derive(Clone, Debug)]
pub(super) struct Row {
    pub(super) time: Ns,
    tape: char,
    body: Body,
    update: Option<Update>,
}

impl Serialize for Row {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut map = to.serialize_map(None)?;
        map.serialize_entry("t", &Time(self.time))?;
        self.body.fields(&mut map)?;
        if !matches!(self.body, Body::Bar(_)) {
            map.serialize_entry("z", &self.tape)?;
        }
        if let Some(update) = self.update {
            map.serialize_entry("u", &update)?;
        }
        map.end()
    }
}

/// The past.
pub(super) struct History {
    symbols: Vec<String>,
    seed: u64,
    a_day: u64,
    made: BTreeMap<NaiveDate, Arc<Vec<Sent>>>,
    published: VecDeque<Sent>,
}

impl History {
    pub(super) fn new(symbols: &[String], seed: u64, a_day: u64) -> History {
        let (symbols, made, published) = (symbols.to_vec(), BTreeMap::new(), VecDeque::new());
        History { symbols, seed, a_day, made, published }
    }

    /// Keeps what was told.
    pub(super) fn keep(&mut self, messages: &[Sent]) {
        self.published.extend(messages.iter().cloned());
        let over = self.published.len().saturating_sub(KEPT);
        self.published.drain(..over);
    }

    /// The rows of a symbol within these times, oldest first.
    pub(super) fn rows(&mut self, what: What, symbol: &str, [from, to]: [Ns; 2], interval_s: u32, now: Ns) -> Vec<Row> {
        let mut messages: Vec<Sent> = Vec::new();
        let today = date(now);
        let mut day = date(from);
        while day <= date(to) && day < today {
            let of = self.day(day);
            messages.extend(of.iter().filter(|sent| sent.symbol == symbol).cloned());
            day = day.succ_opt().unwrap_or(today);
        }
        messages.extend(self.published.iter().filter(|sent| sent.symbol == symbol).cloned());
        let mut rows = match what {
            What::Quotes => quotes(messages),
            What::Trades => trades(messages),
            What::Bars => bars(&trades(messages), interval_s),
        };
        rows.retain(|row| (from..=to).contains(&row.time));
        rows
    }

    fn day(&mut self, day: NaiveDate) -> Arc<Vec<Sent>> {
        if let Some(made) = self.made.get(&day) {
            return Arc::clone(made);
        }
        let made = Arc::new(self.made_of(day));
        if self.made.len() >= DAYS {
            self.made.pop_first();
        }
        self.made.insert(day, Arc::clone(&made));
        made
    }

    fn made_of(&self, day: NaiveDate) -> Vec<Sent> {
        let opens = session(day, 9, 30);
        let Some([opens, closes]) = opens.zip(session(day, 16, 0)).map(|(opens, closes)| [opens, closes]) else {
            return Vec::new();
        };
        let symbols: Vec<_> = self.symbols.iter().map(String::as_str).collect();
        let number = u64::from(day.num_days_from_ce().unsigned_abs());
        let mut market = Market::new(&symbols, self.seed ^ number << 20);
        let step = (closes - opens) / self.a_day.max(1);
        // Not on whole steps: a time has nanoseconds.
        let time = |n: u64| Ns(opens + n * step + n * 7_919 % step.max(1));
        (0..self.a_day).flat_map(|n| market.next(time(n))).collect()
    }
}

/// The date of a time in New York.
fn date(at: Ns) -> NaiveDate {
    DateTime::from_timestamp_nanos(at.0.cast_signed()).with_timezone(&New_York).date_naive()
}

/// A time of a weekday in New York, in nanoseconds since 1970.
fn session(day: NaiveDate, hour: u32, minute: u32) -> Option<u64> {
    let is_weekend = matches!(day.weekday(), Weekday::Sat | Weekday::Sun);
    let at = day.and_time(NaiveTime::from_hms_opt(hour, minute, 0)?);
    let at = New_York.from_local_datetime(&at).single().filter(|_| !is_weekend)?;
    u64::try_from(at.timestamp_nanos_opt()?).ok()
}

fn row(sent: Sent) -> Row {
    Row { time: sent.time, tape: sent.tape, body: sent.body, update: None }
}

fn quotes(messages: Vec<Sent>) -> Vec<Row> {
    messages.into_iter().filter(|sent| matches!(sent.body, Body::Quote { .. })).map(row).collect()
}

/// The trades, each with what became of it.
fn trades(messages: Vec<Sent>) -> Vec<Row> {
    let mut rows: Vec<Row> = Vec::new();
    // Numbers begin anew each day, so the last one of a number is meant.
    let is = |row: &Row, number: u64| matches!(row.body, Body::Trade { id, .. } if id == number);
    for sent in messages {
        match &sent.body {
            Body::Trade { .. } => rows.push(row(sent)),
            Body::Cancel { id, .. } => {
                if let Some(of) = rows.iter_mut().rev().find(|row| is(row, *id)) {
                    of.update = Some(Update::Canceled);
                }
            }
            Body::Correction { exchange, old, new } => {
                if let Some(of) = rows.iter_mut().rev().find(|row| is(row, old.0)) {
                    of.update = Some(Update::Incorrect);
                }
                let (id, px, qty) = *new;
                let body = Body::Trade { id, exchange: *exchange, px, qty, conditions: vec!["@".to_owned()] };
                rows.push(Row { time: sent.time, tape: sent.tape, body, update: Some(Update::Corrected) });
            }
            _ => {}
        }
    }
    // Some are told late.
    rows.sort_by_key(|row| row.time);
    rows
}

/// The bars of trades that stand and make a price.
fn bars(trades: &[Row], interval_s: u32) -> Vec<Row> {
    let length = u64::from(interval_s) * Ns::SECOND;
    let mut bars: Vec<(Row, f64)> = Vec::new();
    for trade in trades.iter().filter(|row| !matches!(row.update, Some(Update::Canceled | Update::Incorrect))) {
        let Body::Trade { px, qty, conditions, .. } = &trade.body else { continue };
        if conditions.iter().any(|code| ["B", "W"].contains(&code.as_str())) {
            continue;
        }
        let start = Ns(trade.time.0 / length * length);
        if bars.last().is_none_or(|(bar, _)| bar.time != start) {
            let body = Body::Bar(Minute { prices: [*px; 4], volume: 0, trades: 0, vwap: 0.0 });
            bars.push((Row { time: start, tape: trade.tape, body, update: None }, 0.0));
        }
        let Some((Row { body: Body::Bar(minute), .. }, turnover)) = bars.last_mut() else {
            continue;
        };
        let Minute { prices: [_, high, low, close], volume, trades, vwap } = minute;
        (*high, *low, *close) = (high.max(*px), low.min(*px), *px);
        (*volume, *trades, *turnover) = (*volume + qty, *trades + 1, *turnover + px * *qty as f64);
        *vwap = (*turnover / *volume as f64 * 1e6).round() / 1e6;
    }
    bars.into_iter().map(|(bar, _)| bar).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const FRIDAY: &str = "2026-11-27T00:00:00Z";

    fn at(text: &str) -> Ns {
        let at = DateTime::parse_from_rfc3339(text).expect("a time").timestamp_nanos_opt().expect("in range");
        Ns(at.cast_unsigned())
    }

    #[test]
    fn the_past_is_the_same_whenever_it_is_asked_for_and_ends_before_today() {
        let symbols = ["AAPL".to_owned(), "SPY".to_owned()];
        let range = [at("2026-11-20T00:00:00Z"), at("2026-11-28T00:00:00Z")];
        let ask = |what| History::new(&symbols, 7, 3_000).rows(what, "SPY", range, 60, at(FRIDAY));
        let text = |rows: &[Row]| serde_json::to_string(rows).expect("rows");
        let trades = ask(What::Trades);
        assert_eq!(text(&trades), text(&ask(What::Trades)));
        assert!(trades.windows(2).all(|pair| pair[0].time <= pair[1].time));
        let days: std::collections::BTreeSet<_> = trades.iter().map(|row| date(row.time)).collect();
        let days: Vec<_> = days.iter().map(ToString::to_string).collect();
        assert_eq!(days, ["2026-11-20", "2026-11-23", "2026-11-24", "2026-11-25"], "no weekend, and not today");
        let updates = |update| trades.iter().filter(|row| row.update == Some(update)).count();
        assert!(updates(Update::Canceled) > 0 && updates(Update::Corrected) > 0);
        assert_eq!(updates(Update::Corrected), updates(Update::Incorrect));
        let bars = ask(What::Bars);
        assert!(bars.iter().all(|bar| bar.time.0.is_multiple_of(60 * Ns::SECOND)) && bars.len() > 500);
        assert!(
            text(&bars[..1]).starts_with("[{\"t\":\"2026-11-20T14:30:00.000000000Z\",\"o\":"),
            "{}",
            text(&bars[..1])
        );
    }

    #[test]
    fn what_was_published_is_in_the_past_too() {
        let mut history = History::new(&["SPY".to_owned()], 7, 100);
        let mut market = Market::new(&["SPY"], 1);
        let now = at(FRIDAY);
        (0..50).for_each(|n| history.keep(&market.next(Ns(now.0 + n))));
        let rows = history.rows(What::Quotes, "SPY", [now, Ns(now.0 + 100)], 60, now);
        assert!(!rows.is_empty() && rows.iter().all(|row| row.time >= now));
    }
}
