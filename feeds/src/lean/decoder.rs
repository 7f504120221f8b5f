//! The decoder: rows of trades and of quotes, or of bars of either, merged by the time at which they enter.
//!
//! At the same millisecond trades come before quotes, so that the quote which a trade is compared with is one of an earlier
//! time: which of the two was first the files do not say. A row of quotes quotes one side; the other one stays as it was. A bar
//! of quotes has both, and is the quote at its end.
//! Bound: a row of each file. Worst case: one pass over it.

use super::bars::{self, BarRow, QuoteBar, Resolution, TradeBar};
use super::conditions;
use super::rows::{self, Row};
use crate::bar;
use crate::text::{Line, RowError};
use chrono::NaiveDate;
use flow::records::{Bar, BarFlow, Clear, Quote, Trade, TradeVenue};
use flow::{
    Count, Decoder, Definition, Event, FeedError, Flags, Inputs, Ns, Px, Qty, Record, Signer, SigningRule, Step, Window,
};
use std::collections::VecDeque;

/// The only instrument of this source.
const INSTRUMENT: u32 = 1;

/// Nanoseconds of a millisecond.
const MS: u64 = 1_000_000;

/// The files, in the order of the decoder's windows.
const FILES: [&str; 2] = ["file of trades", "file of quotes"];

/// What the rows are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rows {
    Ticks,
    Bars(Resolution),
}

/// A trading day: its date, and where its times count from. Where every row has its date there is one day, of no date.
#[derive(Clone, Copy)]
pub(super) struct Day {
    pub(super) date: NaiveDate,
    pub(super) midnight: Ns,
}

/// Which prints are volume only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Prints {
    /// By their conditions.
    ByConditions,
    /// None: every print makes a price.
    All,
}

/// A row of a file.
#[derive(Clone, Copy)]
enum Entry {
    Tick(Row),
    Bar(BarRow),
}

impl Entry {
    /// When it enters, on a day that began at `midnight`: a bar at its end.
    fn due(&self, midnight: Ns) -> Ns {
        match self {
            Entry::Tick(row) => Ns(midnight.0 + row.ms() * MS),
            Entry::Bar(BarRow::Trades(TradeBar { span, .. }) | BarRow::Quotes(QuoteBar { span, .. })) => span.end,
        }
    }
}

/// The next row of a file.
#[derive(Clone, Copy)]
enum Head {
    Unread,
    Row(Entry),
    DayEnded,
    Ended,
}

/// What was read.
#[derive(Clone, Copy, Debug, Default)]
struct Tally {
    trades: u64,
    quotes: u64,
    bars: u64,
    quote_bars: u64,
    volume_only: u64,
    auction: u64,
    suspicious: u64,
    backward: u64,
}

/// Decodes the ticks or the bars of one symbol, from a window of trades and one of quotes, either of which may be empty.
pub struct Lean {
    definition: Definition,
    kind: Rows,
    prints: Prints,
    rule: SigningRule,
    /// Whether the venue of a trade is an input.
    says_venues: bool,
    day: Day,
    later: VecDeque<Day>,
    heads: [Head; 2],
    /// Rows of each file, and where the day's begins in its stream.
    rows: [u64; 2],
    starts: [u64; 2],
    signer: Signer,
    best: Quote,
    is_listed: bool,
    /// Whether the day has given an input.
    has_begun: bool,
    last: Ns,
    tally: Tally,
}

impl Lean {
    /// A decoder for the listing `definition` on these days.
    pub(super) fn new(
        definition: Definition,
        mut days: VecDeque<Day>,
        kind: Rows,
        (rule, prints): (SigningRule, Prints),
    ) -> Lean {
        Lean {
            definition,
            kind,
            prints,
            rule,
            says_venues: false,
            day: days.pop_front().expect("at least one day"),
            later: days,
            heads: [Head::Unread; 2],
            rows: [0; 2],
            starts: [0; 2],
            signer: Signer::default(),
            best: NO_QUOTE,
            is_listed: false,
            has_begun: false,
            last: Ns(0),
            tally: Tally::default(),
        }
    }

    /// Whether to say before every trade at which venue it was.
    pub(super) fn saying_venues(self, says_venues: bool) -> Lean {
        Lean { says_venues, ..self }
    }

    /// Reads the next row of a file, if it has not been read yet; `false` where more bytes are needed.
    fn look(&mut self, file: usize, windows: &mut [Window]) -> Result<bool, FeedError> {
        if !matches!(self.heads[file], Head::Unread) {
            return Ok(true);
        }
        let window = &mut windows[file];
        let (head, used) = match Line::next(window, self.starts[file]) {
            Line::Starved => return Ok(false),
            Line::Ended => (Head::Ended, 0),
            Line::DayEnded { used } => (Head::DayEnded, used),
            Line::Whole { text, used } => {
                let start = text.start;
                let text = &window.bytes()[text];
                let row = match self.kind {
                    Rows::Ticks => Row::of(text, file == 1).map(Entry::Tick),
                    Rows::Bars(resolution) => bars::row(text, file == 1, resolution, self.day.midnight).map(Entry::Bar),
                };
                let row = row.map_err(|error| self.row_fault(window, file, start, &error))?;
                self.rows[file] += 1;
                (Head::Row(row), used)
            }
        };
        windows[file].consume(used);
        self.heads[file] = head;
        Ok(true)
    }

    fn row_fault(&self, window: &Window, file: usize, start: usize, error: &RowError) -> FeedError {
        let row = self.rows[file] + 1;
        let (of_day, next) = match self.kind {
            Rows::Ticks => (format!(" of {}", self.day.date), NO_TICK),
            Rows::Bars(resolution) if resolution.is_dated() => (String::new(), NO_BAR),
            Rows::Bars(_) => (format!(" of {}", self.day.date), NO_BAR),
        };
        FeedError {
            what: format!("{}{of_day}, row {row}: {}", FILES[file], error.what),
            offset: window.offset() - self.starts[file] + (start + error.at) as u64,
            record: row,
            next,
        }
    }

    /// Begins the next day; `false` if there is none.
    fn next_day(&mut self, windows: &[Window]) -> bool {
        let Some(day) = self.later.pop_front() else { return false };
        self.starts = [windows[0].offset(), windows[1].offset()];
        (self.day, self.rows, self.heads) = (day, [0; 2], [Head::Unread; 2]);
        (self.signer, self.best, self.has_begun) = (Signer::default(), NO_QUOTE, false);
        true
    }

    /// Lists the instrument, or clears what was quoted the day before.
    fn begin(&mut self, due: Ns, to: &mut Inputs) {
        let record = self.records();
        match std::mem::replace(&mut self.is_listed, true) {
            false => self.definition.push(to, due, INSTRUMENT, record),
            true => push(to, due, Flags::LAST_OF_GROUP, &Clear { exchange_ts: due, ..Clear::default() }, record),
        }
    }

    fn translate(&mut self, row: &Entry, to: &mut Inputs) {
        let mut due = row.due(self.day.midnight);
        let exchange_ts = due;
        if due < self.last {
            // A row out of order comes when it is read.
            self.tally.backward += 1;
            due = self.last;
        }
        self.last = due;
        if !std::mem::replace(&mut self.has_begun, true) {
            self.begin(due, to);
        }
        match row {
            Entry::Tick(Row::Trade(trade)) => self.trade(trade, [due, exchange_ts], to),
            Entry::Tick(Row::Quote(quote)) => self.quote(quote, [due, exchange_ts], to),
            Entry::Bar(BarRow::Trades(bar)) => self.bar(bar, due, to),
            Entry::Bar(BarRow::Quotes(bar)) => self.quote_bar(bar, due, to),
        }
    }

    fn trade(&mut self, trade: &rows::Trade, [due, exchange_ts]: [Ns; 2], to: &mut Inputs) {
        self.tally.trades += 1;
        if trade.is_suspicious {
            self.tally.suspicious += 1;
            return;
        }
        let mut flags = match self.prints {
            Prints::ByConditions => conditions::flags(trade.conditions),
            Prints::All => Flags::NONE,
        };
        let is_volume_only = flags.has(Flags::VOLUME_ONLY);
        self.tally.volume_only += u64::from(is_volume_only);
        self.tally.auction += u64::from(flags.has(Flags::AUCTION) && !is_volume_only);
        // A print that makes no price is no price for the next one either, and an auction has no aggressor.
        if !is_volume_only {
            let signed = self.signer.trade(trade.px).flags(self.rule);
            flags = if flags.has(Flags::AUCTION) { flags } else { flags.with(signed) };
        }
        if self.says_venues && trade.venue[0] != 0 {
            let mut said = TradeVenue { exchange_ts, ..TradeVenue::default() };
            said.venue[..trade.venue.len()].copy_from_slice(&trade.venue);
            push(to, due, Flags::NONE, &said, self.records());
        }
        let record = Trade { exchange_ts, px: trade.px, qty: trade.qty, ..Trade::default() };
        push(to, due, flags.with(Flags::LAST_OF_GROUP), &record, self.records());
    }

    fn quote(&mut self, quote: &rows::Quote, [due, exchange_ts]: [Ns; 2], to: &mut Inputs) {
        self.tally.quotes += 1;
        if quote.is_suspicious {
            self.tally.suspicious += 1;
            return;
        }
        if let Some((px, qty)) = quote.bid {
            (self.best.bid_px, self.best.bid_qty) = (px, qty);
        }
        if let Some((px, qty)) = quote.ask {
            (self.best.ask_px, self.best.ask_qty) = (px, qty);
        }
        self.signer.quote(self.best.bid_px, self.best.ask_px);
        self.best.exchange_ts = exchange_ts;
        push(to, due, Flags::LAST_OF_GROUP, &self.best, self.records());
    }

    fn bar(&mut self, bar: &TradeBar, due: Ns, to: &mut Inputs) {
        self.tally.bars += 1;
        let [open, high, low, close] = bar.prices;
        let (start_s, interval_s) = (bar.span.start_s, bar.span.interval_s);
        let flow = BarFlow { volume: bar.volume, interval_s, ..BarFlow::UNKNOWN };
        let bar = Bar { open, high, low, close, start_s, interval_s };
        bar::push(to, due, INSTRUMENT, &bar, &flow, self.records());
    }

    /// The pipeline has no bar of quotes: what enters is the quote with which it ends.
    fn quote_bar(&mut self, bar: &QuoteBar, due: Ns, to: &mut Inputs) {
        self.tally.quote_bars += 1;
        let nothing = (Px::NONE, Qty(0));
        let ((bid_px, bid_qty), (ask_px, ask_qty)) = (bar.bid.unwrap_or(nothing), bar.ask.unwrap_or(nothing));
        let quote = Quote { exchange_ts: bar.span.end, bid_px, bid_qty, ask_px, ask_qty };
        push(to, due, Flags::LAST_OF_GROUP, &quote, self.records());
    }
}

const NO_TICK: &str = "all earlier rows were used; if it is the last row, the file was cut short: get all of it; else look at \
                       the row: LEAN writes no such one for ticks of equities";
const NO_BAR: &str = "all earlier rows were used; if it is the last row, the file was cut short: get all of it; else look at \
                      the row: LEAN writes no such one for bars of equities";

/// Nothing is quoted.
const NO_QUOTE: Quote =
    Quote { exchange_ts: Ns(0), bid_px: Px::NONE, bid_qty: Qty(0), ask_px: Px::NONE, ask_qty: Qty(0) };

fn push<R: Record>(to: &mut Inputs, due: Ns, flags: Flags, record: &R, number: u64) {
    to.push(Event::new(due, INSTRUMENT, flags, record), number);
}

impl Decoder for Lean {
    fn decode(&mut self, windows: &mut [Window], to: &mut Inputs) -> Result<Step, FeedError> {
        assert!(windows.len() == 2, "ticks have two windows: trades, then quotes");
        while to.has_room() {
            if !self.look(0, windows)? || !self.look(1, windows)? {
                return Ok(Step::Starved);
            }
            let midnight = self.day.midnight;
            let next = match self.heads {
                [Head::Row(trade), Head::Row(quote)] => usize::from(quote.due(midnight) < trade.due(midnight)),
                [Head::Row(_), _] => 0,
                [_, Head::Row(_)] => 1,
                _ => match self.next_day(windows) {
                    true => continue,
                    false => return Ok(Step::Ended),
                },
            };
            let Head::Row(row) = std::mem::replace(&mut self.heads[next], Head::Unread) else {
                unreachable!("a row was chosen")
            };
            self.translate(&row, to);
        }
        Ok(Step::Full)
    }

    fn instruments(&self) -> u32 {
        INSTRUMENT + 1
    }

    fn counts(&self) -> Vec<Count> {
        let Tally { trades, quotes, bars, quote_bars, volume_only, auction, suspicious, backward } = self.tally;
        let counts = [
            ("trade", trades),
            ("quote", quotes),
            ("bar", bars),
            ("quote-bar", quote_bars),
            ("volume-only", volume_only),
            ("auction", auction),
            ("suspicious", suspicious),
            ("backward", backward),
        ];
        counts.map(|(name, count)| Count { name: name.to_owned(), count }).into()
    }

    fn records(&self) -> u64 {
        self.tally.trades + self.tally.quotes + self.tally.bars + self.tally.quote_bars
    }
}
