//! The decoder: reads row `i` of both files in lockstep.
//!
//! The messages drive the pipeline's book. The decoder keeps the visible levels of the last orderbook row, applies the
//! next message to them, and compares the result with the next row. A difference at the edge of the visible range is a
//! level that moved into or out of it, and is emitted as a `level`. A difference inside the range is reported as an
//! anomaly, and the row's values prevail.
//!
//! Bound: two ladders of the row's depth and the inputs of one row. Worst case: linear in the length of a row.

use super::day::Day;
use super::rows::{self, Message};
use crate::ladder::{Change, Rung, better, walk};
use crate::text::{Line, RowError, columns};
use flow::records::{Add, Cancel, Clear, Delete, Exec, Level, Status, Trade};
use flow::{
    AnomalyKind, Count, Decoder, Definition, Event, FeedError, Flags, Inputs, Ns, Px, Qty, Record, Side, StatusKind,
    Step, Window,
};
use std::collections::VecDeque;

/// Decimals of a price.
const DECIMALS: u32 = 4;
/// The only instrument of this source.
const INSTRUMENT: u32 = 1;
/// The most levels that a row may have on each side.
const MAX_LEVELS: usize = 4096;

/// The two files, in the order of the decoder's windows.
const FILES: [&str; 2] = ["message file", "orderbook file"];

/// Statistics of the two files.
#[derive(Clone, Copy, Debug, Default)]
struct Tally {
    kinds: [u64; 8],
    unknown: u64,
    rounded: u64,
    injected: u64,
    dropped: u64,
    equal: u64,
    differing: u64,
}

/// Decodes the message and the orderbook files of one symbol, from one window each, in this order. On every day but the first
/// the book is cleared before its first row.
pub struct Lobster {
    definition: Definition,
    day: Day,
    later: VecDeque<Day>,
    /// Where the files of the day begin in their streams.
    starts: [u64; 2],
    levels: usize,
    records: u64,
    /// Records before the day.
    before: u64,
    asks: Vec<Rung>,
    bids: Vec<Rung>,
    next_asks: Vec<Rung>,
    next_bids: Vec<Rung>,
    pending: Vec<Event>,
    sent: usize,
    last: Ns,
    tally: Tally,
}

impl Lobster {
    /// A decoder for the listing `definition` on these days.
    pub(super) fn new(definition: Definition, mut days: VecDeque<Day>) -> Lobster {
        Lobster {
            definition,
            day: days.pop_front().expect("at least one day"),
            later: days,
            starts: [0; 2],
            levels: 0,
            records: 0,
            before: 0,
            asks: Vec::new(),
            bids: Vec::new(),
            next_asks: Vec::new(),
            next_bids: Vec::new(),
            pending: Vec::new(),
            sent: 0,
            last: Ns(0),
            tally: Tally::default(),
        }
    }

    /// Decodes the next row of both files into `pending`; returns a step if there is no row.
    fn row(&mut self, windows: &mut [Window], to: &mut Inputs) -> Result<Option<Step>, FeedError> {
        let lines = [0, 1].map(|file| Line::next(&mut windows[file], self.starts[file]));
        let [Line::Whole { text: message, used: message_used }, Line::Whole { text: book, used: book_used }] = lines
        else {
            return self.no_row(lines, windows);
        };
        let texts = [message.start, book.start];
        let message_row = &windows[0].bytes()[message];
        let book_row = &windows[1].bytes()[book];
        let levels = if self.levels == 0 { depth(book_row) } else { Ok(self.levels) };
        let read = rows::message(message_row).map_err(|e| (0, e)).and_then(|message| {
            let (asks, bids) = (&mut self.next_asks, &mut self.next_bids);
            let levels = levels.and_then(|levels| rows::book(book_row, levels, asks, bids).map(|()| levels));
            levels.map(|levels| (message, levels)).map_err(|e| (1, e))
        });
        let (message, levels) = read.map_err(|(file, e)| self.row_fault(windows, file, texts[file] + e.at, &e.what))?;
        windows[0].consume(message_used);
        windows[1].consume(book_used);
        (self.levels, self.records) = (levels, self.records + 1);
        self.translate(&message, to);
        Ok(None)
    }

    fn no_row(&mut self, lines: [Line; 2], windows: &mut [Window]) -> Result<Option<Step>, FeedError> {
        let is_empty = self.records == self.before;
        let short = match lines {
            [Line::Ended | Line::DayEnded { .. }, Line::Ended | Line::DayEnded { .. }] if is_empty => {
                return Err(self.at(windows, 0, "both files are empty".to_owned(), "give files with rows in them"));
            }
            [Line::Ended, Line::Ended] => return Ok(Some(Step::Ended)),
            [Line::DayEnded { used: messages }, Line::DayEnded { used: book }] => {
                windows[0].consume(messages);
                windows[1].consume(book);
                return self.next_day(windows);
            }
            [Line::Ended | Line::DayEnded { .. }, Line::Whole { .. }] => 0,
            [Line::Whole { .. }, Line::Ended | Line::DayEnded { .. }] => 1,
            _ => return Ok(Some(Step::Starved)),
        };
        let rows = self.records - self.before;
        let what = format!("the {} ends after {rows} rows, but the {} continues", self.file(short), FILES[1 - short]);
        Err(self.at(windows, short, what, "the two belong together row by row: give both of the same download, whole"))
    }

    /// Begins the next day, whose first row is a snapshot again.
    fn next_day(&mut self, windows: &[Window]) -> Result<Option<Step>, FeedError> {
        let Some(day) = self.later.pop_front() else {
            let what = format!("the {} has the mark of another day", self.file(0));
            return Err(self.at(windows, 0, what, "a byte 1C on a line of its own is no row of LOBSTER: take it out"));
        };
        self.starts = [windows[0].offset(), windows[1].offset()];
        (self.day, self.levels, self.before) = (day, 0, self.records);
        Ok(None)
    }

    /// A file in messages; of which day, if there are several.
    fn file(&self, file: usize) -> String {
        match self.starts == [0; 2] && self.later.is_empty() {
            true => FILES[file].to_owned(),
            false => format!("{} of {}", FILES[file], self.day.date),
        }
    }

    fn at(&self, windows: &[Window], file: usize, what: String, next: &'static str) -> FeedError {
        FeedError { what, offset: windows[file].offset() - self.starts[file], record: self.records + 1, next }
    }

    fn row_fault(&self, windows: &[Window], file: usize, at: usize, what: &str) -> FeedError {
        let what = format!("{}, row {}: {what}", self.file(file), self.records - self.before + 1);
        let next = "all earlier rows were used; if it is the last row, the file was cut short: get all of it; \
                    else look at the row: LOBSTER does not write such a one";
        let fault = self.at(windows, file, what, next);
        FeedError { offset: fault.offset + at as u64, ..fault }
    }

    /// Translates one row into inputs.
    fn translate(&mut self, message: &Message, to: &mut Inputs) {
        let due = Ns(self.day.midnight.0 + message.time.0);
        self.pending.clear();
        self.sent = 0;
        self.count(message);
        if self.records == self.before + 1 {
            match self.before {
                0 => self.definition.push(to, due, INSTRUMENT, 1),
                _ => self.push(due, Flags::NONE, &Clear { exchange_ts: due, ..Clear::default() }),
            }
            self.first(message, due);
        } else {
            self.emit(message, due);
            let agree = [Side::Sell, Side::Buy].map(|side| self.compare(side, due));
            if agree == [true, true] { self.tally.equal += 1 } else { self.tally.differing += 1 }
        }
        std::mem::swap(&mut self.asks, &mut self.next_asks);
        std::mem::swap(&mut self.bids, &mut self.next_bids);
        if let Some(last) = self.pending.last_mut() {
            last.flags = last.flags.with(Flags::LAST_OF_GROUP);
        }
    }

    fn count(&mut self, message: &Message) {
        self.tally.rounded += u64::from(message.rounded);
        match usize::try_from(message.kind) {
            Ok(kind @ 1..=7) => self.tally.kinds[kind] += 1,
            _ => self.tally.unknown += 1,
        }
    }

    /// The first row is the initial snapshot. It already includes the effect of its message, so only a trade is
    /// emitted.
    fn first(&mut self, message: &Message, due: Ns) {
        self.last = due;
        match message.kind {
            4 if priced(message) => self.trade(message, due, Flags::NONE),
            1..=3 => {}
            _ => self.emit(message, due),
        }
        for (side, rungs) in [(Side::Buy, &self.next_bids), (Side::Sell, &self.next_asks)] {
            self.pending.extend(rungs.iter().map(|rung| level(due, side, rung.px, rung.qty)));
        }
    }

    /// Emits the message and applies it to the ladder.
    fn emit(&mut self, message: &Message, due: Ns) {
        if due < self.last {
            self.anomaly(AnomalyKind::BackwardTime, due, self.last.0 - due.0, message);
        }
        self.last = self.last.max(due);
        let side = match message.direction {
            1 => Side::Buy,
            -1 => Side::Sell,
            _ => Side::None,
        };
        match message.kind {
            1..=4 if !priced(message) || side == Side::None => {
                self.anomaly(AnomalyKind::BadValue, due, order_ref(message), message)
            }
            5 if !priced(message) || (side == Side::None && self.day.tells_hidden_side) => {
                self.anomaly(AnomalyKind::BadValue, due, order_ref(message), message)
            }
            1 => self.add(message, due, side),
            2..=4 => self.reduce(message, due, side),
            5 => self.trade(message, due, Flags::HIDDEN),
            6 if !priced(message) => self.anomaly(AnomalyKind::BadValue, due, order_ref(message), message),
            6 => self.trade(message, due, Flags::AUCTION),
            7 => self.halt(message, due),
            kind => self.anomaly(AnomalyKind::UnknownMessage, due, kind as u64, message),
        }
    }

    fn add(&mut self, message: &Message, due: Ns, side: Side) {
        let (order_ref, px, qty) = (order_ref(message), price(message.px), Qty(message.qty as u64));
        let add = Add { exchange_ts: due, order_ref, px, qty, ..Add::default() };
        self.push(due, Flags::side_only(side), &add);
        let ladder = self.ladder(side);
        let at = ladder.partition_point(|rung| better(side, rung.px, message.px));
        match ladder.get_mut(at) {
            Some(rung) if rung.px == message.px => rung.qty += qty.0,
            _ => ladder.insert(at, Rung { px: message.px, qty: qty.0, orders: 0 }),
        }
    }

    fn reduce(&mut self, message: &Message, due: Ns, side: Side) {
        let (order_ref, px, qty) = (order_ref(message), price(message.px), Qty(message.qty as u64));
        let flags = Flags::side_only(side);
        match message.kind {
            2 => self.push(due, flags, &Cancel { exchange_ts: due, order_ref, px, qty, ..Cancel::default() }),
            3 => self.push(due, flags, &Delete { exchange_ts: due, order_ref, px, qty, ..Delete::default() }),
            _ => self.push(due, flags, &Exec { exchange_ts: due, order_ref, px, qty, match_id: 0 }),
        }
        let ladder = self.ladder(side);
        if let Some(at) = ladder.iter().position(|rung| rung.px == message.px) {
            match ladder[at].qty.checked_sub(qty.0) {
                Some(left @ 1..) => ladder[at].qty = left,
                _ => drop(ladder.remove(at)),
            }
        }
    }

    /// A trade that changes no displayed level. The direction is the resting side; an auction has no aggressor, and a hidden
    /// execution none that the file tells any more ([`Day::tells_hidden_side`]).
    fn trade(&mut self, message: &Message, due: Ns, flags: Flags) {
        let aggressor = match message.direction {
            _ if flags.has(Flags::AUCTION) => Side::None,
            _ if flags.has(Flags::HIDDEN) && !self.day.tells_hidden_side => Side::None,
            1 => Side::Sell,
            -1 => Side::Buy,
            _ => Side::None,
        };
        let (order_ref, px, qty) = (order_ref(message), price(message.px), Qty(message.qty.max(0) as u64));
        self.push(due, flags.with_side(aggressor), &Trade { exchange_ts: due, px, qty, match_id: 0, order_ref });
    }

    /// A trading status, coded like the venue's own message: halted, quotation only, trading.
    fn halt(&mut self, message: &Message, due: Ns) {
        let code = match message.px {
            -1 => *b"H\0\0\0",
            0 => *b"Q\0\0\0",
            1 => *b"T\0\0\0",
            _ => return self.anomaly(AnomalyKind::BadValue, due, 0, message),
        };
        self.push(
            due,
            Flags::NONE,
            &Status { exchange_ts: due, code, what: StatusKind::Trading.code(), ..Status::default() },
        );
    }

    /// Emits the row's levels that the messages do not explain; true if all levels visible in both agree.
    fn compare(&mut self, side: Side, due: Ns) -> bool {
        let (predicted, row) = match side {
            Side::Buy => (&self.bids, &self.next_bids),
            _ => (&self.asks, &self.next_asks),
        };
        let (mut agree, full) = (true, row.len() == self.levels);
        let (pending, tally) = (&mut self.pending, &mut self.tally);
        walk(side, predicted, row, |change| {
            let (rung, qty, explained) = match change {
                Change::Added { rung, beyond } => (rung, rung.qty, beyond),
                Change::Removed { rung, beyond } => (rung, 0, beyond && full),
                Change::Changed { new, .. } => (new, new.qty, false),
            };
            if !explained {
                agree = false;
                let raw = rung.px.unsigned_abs();
                let mismatch = AnomalyKind::Mismatch.event_at(due, INSTRUMENT, due, raw, price(rung.px), Qty(qty));
                pending.push(without_group(mismatch));
            }
            match change {
                Change::Added { .. } => tally.injected += 1,
                Change::Removed { .. } => tally.dropped += 1,
                Change::Changed { .. } => {}
            }
            pending.push(level(due, side, rung.px, qty));
        });
        agree
    }

    fn ladder(&mut self, side: Side) -> &mut Vec<Rung> {
        if side == Side::Buy { &mut self.bids } else { &mut self.asks }
    }

    fn push<R: Record>(&mut self, due: Ns, flags: Flags, record: &R) {
        self.pending.push(Event::new(due, INSTRUMENT, flags, record));
    }

    fn anomaly(&mut self, what: AnomalyKind, due: Ns, detail: u64, message: &Message) {
        let px = if message.px.unsigned_abs() < 1 << 40 { price(message.px) } else { Px::NONE };
        let qty = Qty(message.qty.max(0) as u64);
        self.pending.push(without_group(what.event_at(due, INSTRUMENT, due, detail, px, qty)));
    }
}

/// An anomaly never ends a group: the last input of the row does.
fn without_group(event: Event) -> Event {
    Event { flags: event.flags.without(Flags::LAST_OF_GROUP), ..event }
}

fn level(due: Ns, side: Side, px: i64, qty: u64) -> Event {
    let level = Level { exchange_ts: due, px: price(px), qty: Qty(qty), ..Level::default() };
    Event::new(due, INSTRUMENT, Flags::SNAPSHOT.with_side(side), &level)
}

/// Whether price and size are valid for an order.
fn priced(message: &Message) -> bool {
    (1..=999_999_999_999).contains(&message.px) && message.qty > 0
}

fn price(px: i64) -> Px {
    Px::from_scaled(px, DECIMALS)
}

fn order_ref(message: &Message) -> u64 {
    message.order.max(0) as u64
}

fn depth(book_row: &[u8]) -> Result<usize, RowError> {
    let columns = columns(book_row);
    if columns.is_multiple_of(4) && columns / 4 <= MAX_LEVELS {
        return Ok(columns / 4);
    }
    Err(RowError {
        at: 0,
        what: format!("{columns} columns; there must be 4 per level, for at most {MAX_LEVELS} levels"),
    })
}

impl Decoder for Lobster {
    fn decode(&mut self, windows: &mut [Window], to: &mut Inputs) -> Result<Step, FeedError> {
        assert!(windows.len() == 2, "LOBSTER has two windows: messages, then orderbook");
        loop {
            while let Some(event) = self.pending.get(self.sent) {
                if !to.has_room() {
                    return Ok(Step::Full);
                }
                to.push(*event, self.records);
                self.sent += 1;
            }
            if !to.has_room() {
                return Ok(Step::Full);
            }
            if let Some(step) = self.row(windows, to)? {
                return Ok(step);
            }
        }
    }

    fn instruments(&self) -> u32 {
        INSTRUMENT + 1
    }

    fn counts(&self) -> Vec<Count> {
        let names = ["submission", "cancellation", "deletion", "execution", "hidden-execution", "cross", "halt"];
        let kinds = names.iter().zip(&self.tally.kinds[1..]).map(|(name, count)| (*name, *count));
        let rest = [
            ("unknown", self.tally.unknown),
            ("times-rounded", self.tally.rounded),
            ("levels-injected", self.tally.injected),
            ("levels-dropped", self.tally.dropped),
            ("rows-equal", self.tally.equal),
            ("rows-differing", self.tally.differing),
        ];
        kinds.chain(rest).map(|(name, count)| Count { name: name.to_owned(), count }).collect()
    }

    fn records(&self) -> u64 {
        self.records
    }
}
