//! From an ITCH message to inputs.
//!
//! One message makes one group: no input, one input, or (for the first message of a stock) the stock's definition and
//! the input. The stock's locate is the instrument number. An input is due at the exchange's time. Where that went
//! back, an anomaly says so, and the merge keeps its own clock. Nothing is allocated except a stock's symbol when it
//! is defined. Where only some stocks are watched, the frequent messages of others are counted, and no more of them is read than
//! their head. Bound: that of [`Stocks`].

use super::stocks::Stocks;
use super::table::Frequent;
use super::venue::{self, NASDAQ};
use super::wire::{
    self, AddOrder, AddOrderMpid, BrokenTrade, CrossTrade, DAY_NS, DECIMALS, LENGTHS, Message, MwcbStatus,
    OperationalHalt, OrderCancel, OrderDelete, OrderExecuted, OrderExecutedWithPrice, OrderReplace, RegSho, Stock,
    StockDirectory, StockTradingAction, SystemEvent, TYPES, Trade,
};
use crate::reader::date;
use chrono::{DateTime, NaiveDate};
use chrono_tz::America::New_York;
use flow::records::{Add, Break, Cancel, Clear, Delete, Exec, Gap, Replace, Status, Trade as Traded};
use flow::{
    AnomalyKind, BookKind, Count, Definition, Event, FeedError, Flags, Inputs, InstrumentType, Mic, Ns, Px, Qty,
    Record, Selection, Side, StatusKind, midnight,
};

/// Translates the messages of one input. Its state: the trading date, the venue, which stocks are defined, counters.
pub(super) struct Translator {
    midnight: Ns,
    date: DateStatus,
    venue: Option<Mic>,
    /// The latest time so far.
    last: Ns,
    /// The time of the message before, which is earlier where time went back.
    previous: Ns,
    record: u64,
    stocks: Stocks,
    counts: Box<[u64; 256]>,
    unknown: u64,
    malformed: u64,
    empty_crosses: u64,
}

/// Whether the trading date is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum DateStatus {
    /// It is known.
    Known,
    /// The time of a capture may supply it.
    Pending,
    /// Nothing supplied it.
    Unknown,
}

/// Where the inputs of one message go, and their common fields.
struct Group<'a> {
    to: &'a mut Inputs,
    due: Ns,
    instrument: u32,
    record: u64,
}

impl Group<'_> {
    #[inline(always)]
    fn push<R: Record>(&mut self, flags: Flags, record: &R) {
        self.to.push(Event::new(self.due, self.instrument, flags.with(Flags::LAST_OF_GROUP), record), self.record);
    }

    fn status(&mut self, what: StatusKind, code: u8, reason: [u8; 4]) {
        let (what, code) = (what.code(), [code, 0, 0, 0]);
        self.push(Flags::NONE, &Status { exchange_ts: self.due, code, reason, what, ..Status::default() });
    }
}

#[inline(always)]
fn px(price: u32) -> Px {
    Px::from_scaled(i64::from(price), DECIMALS as u32)
}

impl Translator {
    /// A translator of messages of `date`, the trading date in New York.
    pub(super) fn new(date: Option<NaiveDate>) -> Translator {
        let midnight = midnight(date.unwrap_or(date::UNKNOWN), New_York);
        Translator {
            midnight,
            date: if date.is_some() { DateStatus::Known } else { DateStatus::Pending },
            venue: None,
            last: midnight,
            previous: midnight,
            record: 0,
            stocks: Stocks::none(),
            counts: Box::new([0; 256]),
            unknown: 0,
            malformed: 0,
            empty_crosses: 0,
        }
    }

    /// Takes the date from the time of a capture's packet, in seconds since 1970, unless it is known. Time 0 means unknown.
    pub(super) fn take_date(&mut self, seconds: u64) {
        if self.date != DateStatus::Pending || seconds == 0 {
            return;
        }
        if let Some(time) = i64::try_from(seconds).ok().and_then(|s| DateTime::from_timestamp(s, 0)) {
            self.midnight = midnight(time.with_timezone(&New_York).date_naive(), New_York);
            (self.last, self.previous, self.date) = (self.midnight, self.midnight, DateStatus::Known);
        }
    }

    /// Messages follow: nothing supplies the date any more.
    pub(super) fn settle_date(&mut self) {
        if self.date == DateStatus::Pending {
            self.date = DateStatus::Unknown;
        }
    }

    pub(super) fn date_is_unknown(&self) -> bool {
        self.date == DateStatus::Unknown
    }

    /// The error that the next message cannot be read.
    pub(super) fn fault(&self, what: String, offset: u64, next: &'static str) -> FeedError {
        FeedError { what, offset, record: self.record + 1, next }
    }

    /// Sets the venue, before the first message; `None` leaves it to the capture's group.
    pub(super) fn set_venue(&mut self, venue: Option<Mic>) {
        self.venue = venue;
    }

    /// Takes the venue from the multicast group of a capture's first packet, unless it is known already.
    pub(super) fn take_group(&mut self, group: [u8; 4]) {
        self.venue.get_or_insert_with(|| venue::of_group(group).unwrap_or(NASDAQ));
    }

    /// Messages so far, including skipped and rejected ones.
    pub(super) fn records(&self) -> u64 {
        self.record
    }

    /// Skips duplicate, late or empty messages.
    pub(super) fn skip(&mut self, messages: u64) {
        self.record += messages;
    }

    /// The exchange time of a message that is not translated yet, if it has one.
    pub(super) fn time_of(&self, message: &[u8]) -> Option<Ns> {
        let head = wire::head_of(message)?;
        (head.timestamp < DAY_NS).then(|| Ns(self.midnight.0 + head.timestamp))
    }

    /// Reports that messages are missing before `next`, the message that follows them (empty if none does).
    pub(super) fn gap(&self, expected: u64, received: u64, next: &[u8], to: &mut Inputs) {
        let exchange_ts = self.time_of(next).unwrap_or(self.last);
        let gap = Gap { exchange_ts, expected, received, ..Gap::default() };
        to.push(Event::new(exchange_ts, 0, Flags::NONE, &gap), self.record + 1);
        to.push(AnomalyKind::SequenceGap.event(exchange_ts, 0, exchange_ts, received - expected), self.record + 1);
    }

    /// Reports an anomaly at the last known time.
    pub(super) fn anomaly(&self, what: AnomalyKind, detail: u64, to: &mut Inputs) {
        to.push(what.event(self.last, 0, Ns::NONE, detail), self.record + 1);
    }

    /// Clears all orders, because a new session begins.
    pub(super) fn clear(&self, to: &mut Inputs) {
        let clear = Clear { exchange_ts: self.last, ..Clear::default() };
        to.push(Event::new(self.last, 0, Flags::LAST_OF_GROUP, &clear), self.record + 1);
    }

    /// Translates the leading messages of a BinaryFILE as long as they are frequent and valid; returns how many bytes
    /// they took. [`Translator::message`] handles the next one. The counters that change with every message stay in
    /// registers, which is why this is a function of its own.
    #[inline(never)]
    pub(super) fn frequent(&mut self, bytes: &[u8], to: &mut Inputs) -> usize {
        if self.stocks.foreign().is_some() {
            return self.frequent_of_some(bytes, to);
        }
        let (mut at, mut made) = (0, 0);
        let (midnight, mut last, before) = (self.midnight.0, self.last, self.record);
        let (listed, counts) = (self.stocks.listed(), &mut *self.counts);
        let (events, numbers) = to.spare();
        for (event, number) in events.iter_mut().zip(numbers) {
            let Some((len, rest)) = bytes.get(at..).and_then(|rest| rest.split_first_chunk()) else { break };
            let len = usize::from(u16::from_be_bytes(*len));
            let Some(message) = rest.first_chunk().and_then(|message| Frequent::read(message, len)) else { break };
            let (new, time) = (!listed.has(message.locate), Ns(midnight + message.timestamp));
            if (message.names_stock() & new) | (time < last) {
                break;
            }
            at += 2 + len;
            made += 1;
            last = time;
            counts[usize::from(message.code())] += 1;
            let flags = Flags(message.side).with(Flags::LAST_OF_GROUP);
            *event = Event::from_words(last, u32::from(message.locate), message.kind(), flags, message.body(last.0));
            *number = before + made;
        }
        if made > 0 {
            (self.last, self.previous, self.record) = (last, last, before + made);
        }
        to.fill(made as usize);
        at
    }

    /// [`Translator::frequent`] where not all stocks are watched: what is of another is counted, and its body left unread.
    #[inline(never)]
    fn frequent_of_some(&mut self, bytes: &[u8], to: &mut Inputs) -> usize {
        let (mut at, mut made, mut left_out) = (0, 0, 0);
        let (midnight, mut last, before) = (self.midnight.0, self.last, self.record);
        let (listed, counts) = (self.stocks.listed(), &mut *self.counts);
        let foreign = self.stocks.foreign().expect("the caller looked");
        let (events, numbers) = to.spare();
        let mut slots = events.iter_mut().zip(numbers);
        while let Some((len, rest)) = bytes.get(at..).and_then(|rest| rest.split_first_chunk()) {
            let len = usize::from(u16::from_be_bytes(*len));
            let Some(message) = rest.first_chunk().and_then(|message| Frequent::read(message, len)) else { break };
            let (new, time) = (!listed.has(message.locate), Ns(midnight + message.timestamp));
            if (message.names_stock() & new) | (time < last) {
                break;
            }
            if foreign.has(message.locate) {
                left_out += 1;
            } else {
                let Some((event, number)) = slots.next() else { break };
                made += 1;
                let flags = Flags(message.side).with(Flags::LAST_OF_GROUP);
                let body = message.body(time.0);
                *event = Event::from_words(time, u32::from(message.locate), message.kind(), flags, body);
                *number = before + made + left_out;
            }
            at += 2 + len;
            last = time;
            counts[usize::from(message.code())] += 1;
        }
        if at > 0 {
            (self.last, self.previous, self.record) = (last, last, before + made + left_out);
        }
        to.fill(made as usize);
        to.leave_out(left_out);
        at
    }

    /// Only these stocks are watched from now on.
    pub(super) fn watch(&mut self, watched: &Selection) {
        self.stocks.watch(watched);
    }

    /// Translates a message of at least one byte. `to` must have room.
    #[inline]
    pub(super) fn message(&mut self, bytes: &[u8], to: &mut Inputs) {
        self.record += 1;
        let code = bytes[0];
        let len = usize::from(LENGTHS[usize::from(code)]);
        if len == 0 || bytes.len() < len {
            return self.reject(code, len, to);
        }
        let Some(head) = wire::head_of(bytes).filter(|h| h.timestamp < DAY_NS) else {
            return self.reject(code, len, to);
        };
        let exchange_ts = Ns(self.midnight.0 + head.timestamp);
        if exchange_ts < self.previous {
            self.went_back(exchange_ts, to);
        }
        let group = Group { to, due: exchange_ts, instrument: u32::from(head.locate), record: self.record };
        match self.translate(code, bytes, group) {
            Some(()) => {
                (self.last, self.previous) = (self.last.max(exchange_ts), exchange_ts);
                self.counts[usize::from(code)] += 1;
            }
            None => self.reject(code, len, to),
        }
    }

    /// Reports a message that is earlier than the one before.
    #[cold]
    fn went_back(&self, exchange_ts: Ns, to: &mut Inputs) {
        let back = self.previous.0 - exchange_ts.0;
        to.push(AnomalyKind::BackwardTime.event(self.last, 0, exchange_ts, back), self.record);
    }

    /// Rejects a message; `len` is 0 if its type is unknown.
    #[cold]
    fn reject(&mut self, code: u8, len: usize, to: &mut Inputs) {
        let what = if len == 0 && code.is_ascii_alphabetic() {
            self.unknown += 1;
            AnomalyKind::UnknownMessage
        } else {
            self.malformed += 1;
            AnomalyKind::MalformedMessage
        };
        to.push(what.event(self.last, 0, Ns::NONE, u64::from(code)), self.record);
    }

    /// Returns `None` if the content violates the specification.
    #[inline(always)]
    fn translate(&mut self, code: u8, bytes: &[u8], mut group: Group<'_>) -> Option<()> {
        match code {
            b'A' => self.add(&AddOrder::read(bytes)?, [0; 4], group),
            b'F' => {
                let m = AddOrderMpid::read(bytes)?;
                self.add(&AddOrder::read(bytes)?, m.attribution, group)
            }
            b'E' => executed(&OrderExecuted::read(bytes)?, group),
            b'C' => executed_with_price(&OrderExecutedWithPrice::read(bytes)?, group),
            b'X' => cancelled(&OrderCancel::read(bytes)?, group),
            b'D' => deleted(&OrderDelete::read(bytes)?, group),
            b'U' => replaced(&OrderReplace::read(bytes)?, group),
            b'P' => self.trade(&Trade::read(bytes)?, group),
            b'Q' => self.cross(&CrossTrade::read(bytes)?, group),
            b'B' => {
                let m = BrokenTrade::read(bytes)?;
                stock_only(&group)?;
                group
                    .push(Flags::NONE, &Break { exchange_ts: group.due, match_id: m.match_number, ..Break::default() });
                Some(())
            }
            _ => self.state(code, bytes, group),
        }
    }

    /// Messages about the state of the system or of a stock, and those that are only counted.
    fn state(&mut self, code: u8, bytes: &[u8], mut group: Group<'_>) -> Option<()> {
        match code {
            b'S' => system(&SystemEvent::read(bytes)?, &mut group),
            b'R' => {
                let m = StockDirectory::read(bytes)?;
                stock_only(&group)?;
                self.define(&m.stock, m.round_lot, &mut group);
            }
            b'H' => {
                let m = StockTradingAction::read(bytes)?;
                self.known(&m.stock, &mut group)?;
                group.status(StatusKind::Trading, m.state, m.reason);
            }
            b'h' => {
                let m = OperationalHalt::read(bytes)?;
                self.known(&m.stock, &mut group)?;
                group.status(StatusKind::OperationalHalt, m.action, [m.market, 0, 0, 0]);
            }
            b'Y' => {
                let m = RegSho::read(bytes)?;
                self.known(&m.stock, &mut group)?;
                group.status(StatusKind::ShortSale, m.action, [0; 4]);
            }
            b'W' => {
                group.instrument = 0;
                group.status(StatusKind::CircuitBreaker, MwcbStatus::read(bytes)?.breached, [0; 4]);
            }
            _ => {}
        }
        Some(())
    }

    /// Defines the stock if necessary; a message without a stock is malformed.
    #[inline(always)]
    fn known(&mut self, stock: &Stock, group: &mut Group<'_>) -> Option<()> {
        stock_only(group)?;
        if !self.stocks.listed().has(group.instrument as u16) {
            self.define(stock, 0, group);
        }
        Some(())
    }

    #[cold]
    fn define(&mut self, stock: &Stock, round_lot: u32, group: &mut Group<'_>) {
        let definition = Definition {
            symbol: self.stocks.list(group.instrument as u16, stock),
            venue: self.venue.unwrap_or(NASDAQ),
            calendar: NASDAQ,
            currency: *b"USD\0",
            instrument_type: InstrumentType::Equity,
            book: BookKind::ByOrder,
            own_references: false,
            tick_px: px(1),
            price_decimals: DECIMALS,
            qty_decimals: 0,
            round_lot,
            multiplier: Px::ONE,
        };
        definition.push(group.to, group.due, group.instrument, group.record);
    }

    #[inline(always)]
    fn add(&mut self, m: &AddOrder, attribution: [u8; 4], mut group: Group<'_>) -> Option<()> {
        let side = match m.side {
            b'B' => Side::Buy,
            b'S' => Side::Sell,
            _ => return None,
        };
        self.known(&m.stock, &mut group)?;
        let (exchange_ts, qty) = (group.due, Qty(m.shares.into()));
        let add = Add { exchange_ts, order_ref: m.order_ref, px: px(m.price), qty, attribution, reserved: [0; 4] };
        group.push(Flags::side_only(side), &add);
        Some(())
    }

    fn trade(&mut self, m: &Trade, mut group: Group<'_>) -> Option<()> {
        self.known(&m.stock, &mut group)?;
        let (exchange_ts, qty) = (group.due, Qty(m.shares.into()));
        let trade = Traded { exchange_ts, px: px(m.price), qty, match_id: m.match_number, order_ref: m.order_ref };
        group.push(Flags::HIDDEN, &trade);
        Some(())
    }

    fn cross(&mut self, m: &CrossTrade, mut group: Group<'_>) -> Option<()> {
        self.known(&m.stock, &mut group)?;
        if m.shares == 0 {
            self.empty_crosses += 1;
            return Some(());
        }
        let (exchange_ts, qty) = (group.due, Qty(m.shares));
        let trade = Traded { exchange_ts, px: px(m.price), qty, match_id: m.match_number, order_ref: 0 };
        group.push(Flags::AUCTION, &trade);
        Some(())
    }

    /// Counts of messages by type, then of irregular ones.
    pub(super) fn counts(&self) -> Vec<Count> {
        let by_type = TYPES.iter().map(|t| (char::from(t.code).to_string(), self.counts[usize::from(t.code)]));
        let rest = [
            ("unknown messages", self.unknown),
            ("malformed messages", self.malformed),
            ("crosses without shares", self.empty_crosses),
        ];
        let rest = rest.into_iter().filter(|(_, n)| *n > 0).map(|(name, n)| (name.to_owned(), n));
        by_type.chain(rest).map(|(name, count)| Count { name, count }).collect()
    }
}

/// Rejects a stock message without a locate: instrument 0 would address all stocks.
#[inline(always)]
fn stock_only(group: &Group<'_>) -> Option<()> {
    (group.instrument != 0).then_some(())
}

fn system(m: &SystemEvent, group: &mut Group<'_>) {
    group.instrument = 0;
    if m.event == b'O' {
        let clear = Clear { exchange_ts: group.due, ..Clear::default() };
        group.to.push(Event::new(group.due, 0, Flags::NONE, &clear), group.record);
    }
    group.status(StatusKind::Session, m.event, [0; 4]);
}

#[inline(always)]
fn executed(m: &OrderExecuted, mut group: Group<'_>) -> Option<()> {
    stock_only(&group)?;
    let (exchange_ts, qty) = (group.due, Qty(m.shares.into()));
    let exec = Exec { exchange_ts, order_ref: m.order_ref, px: Px::NONE, qty, match_id: m.match_number };
    group.push(Flags::NONE, &exec);
    Some(())
}

fn executed_with_price(m: &OrderExecutedWithPrice, mut group: Group<'_>) -> Option<()> {
    stock_only(&group)?;
    let flags = match m.printable {
        b'Y' => Flags::NONE,
        b'N' => Flags::NON_PRINTABLE,
        _ => return None,
    };
    let (exchange_ts, qty) = (group.due, Qty(m.shares.into()));
    let exec = Exec { exchange_ts, order_ref: m.order_ref, px: px(m.price), qty, match_id: m.match_number };
    group.push(flags, &exec);
    Some(())
}

#[inline(always)]
fn cancelled(m: &OrderCancel, mut group: Group<'_>) -> Option<()> {
    stock_only(&group)?;
    let (exchange_ts, qty) = (group.due, Qty(m.shares.into()));
    let cancel = Cancel { exchange_ts, order_ref: m.order_ref, px: Px::NONE, qty, reserved: [0; 8] };
    group.push(Flags::NONE, &cancel);
    Some(())
}

#[inline(always)]
fn deleted(m: &OrderDelete, mut group: Group<'_>) -> Option<()> {
    stock_only(&group)?;
    let exchange_ts = group.due;
    let delete = Delete { exchange_ts, order_ref: m.order_ref, px: Px::NONE, qty: Qty(0), reserved: [0; 8] };
    group.push(Flags::NONE, &delete);
    Some(())
}

#[inline(always)]
fn replaced(m: &OrderReplace, mut group: Group<'_>) -> Option<()> {
    stock_only(&group)?;
    let (exchange_ts, qty) = (group.due, Qty(m.shares.into()));
    let replace = Replace { exchange_ts, order_ref: m.order_ref, new_ref: m.new_ref, px: px(m.price), qty };
    group.push(Flags::NONE, &replace);
    Some(())
}
