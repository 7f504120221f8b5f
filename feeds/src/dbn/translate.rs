//! From records to inputs: what each record type means to the pipeline.
//!
//! Each record becomes the inputs of its kind, in order; the feed's page has the table. A mixed live stream carries the
//! same book or trade in several record types; so that nothing counts twice, the first type that can supply an
//! instrument's book does, and the first that can supply its trades does.
//!
//! An event that changes a book is held back until the next input while its group is open, because the record that
//! closes the group may itself make no input. Bound: one event held back, at most forty levels per record
//! ([`Inputs::MARGIN`]).

use super::bars::{Bars, Waiting};
use super::definitions::Definitions;
use super::fields::{DEPTH, NO_TOP, bar_seconds, best, best_of_all, decimal, ladder, side, told};
use super::instruments::{At, Instruments, LIMIT};
use super::tally::Tally;
use crate::ladder::{Change, Rung, walk};
use dbn::record::{HasRType, Record as _, RecordHeader};
use dbn::{
    BboMsg, CbboMsg, Cmbp1Msg, FlagSet, InstrumentDefMsg, MboMsg, Mbp1Msg, Mbp10Msg, Metadata, OhlcvMsg, RecordRef,
    StatusMsg, SymbolMappingMsg, TradeMsg, rtype,
};
use flow::records::{Add, Bar, BarFlow, Cancel, Clear, Level, Quote, Replace, Status, Trade};
use flow::{AnomalyKind, BookKind, Event, Flags, Inputs, Kind, Ns, Px, Qty, Record, Side, StatusKind};
use std::ffi::c_char;
use std::sync::Arc;

/// Turns the records of one stream into inputs.
pub(super) struct Translator {
    instruments: Instruments,
    /// Takes the definitions of a file that has nothing else.
    pub(super) collected: Option<Definitions>,
    pub(super) tally: Tally,
    held: Option<(Event, u64)>,
    bars: Bars,
    record: u64,
    last_due: Ns,
    /// Buffers for the ladder of one record and for its changes.
    next: Vec<Rung>,
    levels: Vec<(Flags, Level)>,
}

/// The fields that every record has: header, due time, flags.
#[derive(Clone, Copy)]
struct Head {
    at: At,
    exchange_ts: Ns,
    flags: Flags,
}

/// The terms of a trade, from any record type.
#[derive(Clone, Copy)]
struct Print {
    px: i64,
    qty: u32,
    side: c_char,
}

impl Translator {
    /// For a stream whose instruments `beside` may define; with `collected`, definitions go there and make no inputs.
    pub(super) fn new(
        metadata: &Metadata,
        beside: Option<Arc<Definitions>>,
        collected: Option<Definitions>,
    ) -> Translator {
        Translator {
            instruments: Instruments::new(metadata, beside),
            collected,
            tally: Tally::default(),
            held: None,
            bars: Bars::default(),
            record: 0,
            last_due: Ns(0),
            next: Vec::with_capacity(DEPTH),
            levels: Vec::with_capacity(4 * DEPTH),
        }
    }

    /// Begins a joined stream.
    pub(super) fn join(&mut self, metadata: &Metadata, to: &mut Inputs) {
        self.flush(to);
        self.instruments.join(metadata);
    }

    pub(super) fn records(&self) -> u64 {
        self.record
    }

    /// Pushes the inputs of one record; the queue must have room for them.
    pub(super) fn record(&mut self, record: RecordRef<'_>, to: &mut Inputs) {
        let kind = record.header().rtype;
        self.record += 1;
        self.tally.count(kind);
        match kind {
            rtype::MBO => self.typed(record, to, Self::mbo),
            rtype::MBP_0 => self.typed(record, to, Self::trades),
            rtype::MBP_1 => self.typed(record, to, Self::mbp_1),
            rtype::MBP_10 => self.typed(record, to, Self::mbp_10),
            rtype::BBO_1S | rtype::BBO_1M => self.typed(record, to, Self::bbo),
            rtype::CMBP_1 | rtype::TCBBO => self.typed(record, to, Self::cmbp_1),
            rtype::CBBO_1S | rtype::CBBO_1M => self.typed(record, to, Self::cbbo),
            rtype::INSTRUMENT_DEF => self.typed(record, to, Self::definition),
            rtype::STATUS => self.typed(record, to, Self::status),
            rtype::SYMBOL_MAPPING => self.typed(record, to, |me, m: &SymbolMappingMsg, _| me.instruments.map(m)),
            _ if bar_seconds(kind).is_some() => self.typed(record, to, Self::ohlcv),
            _ => {}
        }
    }

    /// Reports a record that could not be decoded and was skipped by its length.
    pub(super) fn skipped(&mut self, header: Option<(u8, u64)>, what: AnomalyKind, to: &mut Inputs) {
        let (kind, ts) = header.unwrap_or_default();
        self.record += 1;
        self.tally.count(kind);
        let due = self.due(ts, u64::MAX);
        self.flush(to);
        to.push(what.event(due, 0, Ns(ts), u64::from(kind)), self.record);
    }

    fn typed<T: HasRType<Header = RecordHeader>>(
        &mut self,
        record: RecordRef<'_>,
        to: &mut Inputs,
        translate: fn(&mut Self, &T, &mut Inputs),
    ) {
        match record.try_get::<T>() {
            Ok(message) => translate(self, message, to),
            Err(_) => unreachable!("the decoder passes only records that are long enough for their type"),
        }
    }

    // --- Common to all records ---

    /// The exchange's time, else the capture's, else that of the last record.
    fn due(&mut self, ts_event: u64, ts_recv: u64) -> Ns {
        let due = told(ts_event).or(told(ts_recv)).unwrap_or(self.last_due);
        self.last_due = due;
        due
    }

    fn head(&mut self, header: &RecordHeader, ts_recv: u64, flags: FlagSet, book: BookKind) -> Head {
        self.tally.flags(flags);
        let mut ours = Flags::NONE;
        if flags.is_last() {
            ours = ours.with(Flags::LAST_OF_GROUP);
        }
        if flags.is_snapshot() {
            ours = ours.with(Flags::SNAPSHOT);
        }
        let due = self.due(header.ts_event, ts_recv);
        let RecordHeader { rtype, publisher_id: publisher, instrument_id: id, .. } = *header;
        let ts = told(ts_recv).unwrap_or(due).0;
        let at = At { id, publisher, rtype, book, ts, due, record: self.record };
        Head { at, exchange_ts: told(header.ts_event).unwrap_or(Ns::NONE), flags: ours }
    }

    /// The local instrument; reports an anomaly if there are too many.
    fn local(&mut self, head: &Head, to: &mut Inputs) -> Option<u32> {
        if !self.instruments.unchanged(head.at) {
            self.flush(to);
        }
        let local = self.instruments.local(head.at, to);
        if local.is_none() {
            self.out_of_range(head, to);
        }
        local
    }

    fn out_of_range(&mut self, head: &Head, to: &mut Inputs) {
        self.flush(to);
        let anomaly = AnomalyKind::InstrumentRange.event(head.at.due, 0, head.exchange_ts, u64::from(LIMIT));
        to.push(anomaly, self.record);
    }

    fn push<R: Record>(&mut self, head: &Head, local: u32, flags: Flags, record: &R, to: &mut Inputs) {
        self.flush(to);
        let event = Event::new(head.at.due, local, flags, record);
        let opens = !flags.has(Flags::LAST_OF_GROUP) && R::KIND != Kind::Trade;
        if opens { self.held = Some((event, self.record)) } else { to.push(event, self.record) }
    }

    /// Emits the event that is held back.
    pub(super) fn flush(&mut self, to: &mut Inputs) {
        if let Some((event, record)) = self.held.take() {
            to.push(event, record);
        }
    }

    /// This record ends the group of `local` without changing a book, so the event held back gets the end-of-group
    /// flag.
    fn close_group(&mut self, head: &Head, local: u32) {
        if let Some((event, _)) = &mut self.held
            && event.instrument == local
        {
            event.flags = event.flags.with(Flags(head.flags.0 & Flags::LAST_OF_GROUP.0));
        }
    }

    fn trade(&mut self, head: &Head, local: u32, print: Print, to: &mut Inputs) {
        if !self.instruments.supplies_trades(local, head.at) {
            return self.tally.passed_over();
        }
        let (px, qty) = (Px(print.px), Qty(u64::from(print.qty)));
        let trade = Trade { exchange_ts: head.exchange_ts, px, qty, ..Trade::default() };
        self.push(head, local, head.flags.with_side(side(print.side)), &trade, to);
    }

    // --- Order by order ---

    fn mbo(&mut self, m: &MboMsg, to: &mut Inputs) {
        let book = if m.flags.is_tob() { BookKind::Quotes } else { BookKind::ByOrder };
        let mut head = self.head(&m.hd, m.ts_recv, m.flags, book);
        let action = m.action as u8;
        self.tally.action(action);
        let Some(local) = self.local(&head, to) else { return };
        if action == b'T' {
            self.close_group(&head, local);
            return self.trade(&head, local, Print { px: m.price, qty: m.size, side: m.side }, to);
        }
        // Only an add says whether a venue shows orders or no more than its top.
        let kept = self.instruments.book(local);
        if action != b'A' && kept != BookKind::None {
            head.at.book = kept;
        } else if kept != book {
            self.flush(to);
        }
        if !self.instruments.supplies_book(local, head.at, to) {
            return self.tally.passed_over();
        }
        if head.at.book == BookKind::Quotes {
            return self.top_of_book(&head, local, m, to);
        }
        let (exchange_ts, order_ref, px, qty) = (head.exchange_ts, m.order_id, Px(m.price), Qty(u64::from(m.size)));
        let flags = head.flags.with_side(side(m.side));
        let placed = px.known().is_some() && flags.side() != Side::None;
        match action {
            b'A' | b'M' if !placed => {
                self.flush(to);
                to.push(
                    AnomalyKind::BadValue.event_at(head.at.due, local, exchange_ts, order_ref, px, qty),
                    self.record,
                );
            }
            b'A' => self.push(&head, local, flags, &Add { exchange_ts, order_ref, px, qty, ..Add::default() }, to),
            b'C' => {
                self.push(&head, local, flags, &Cancel { exchange_ts, order_ref, px, qty, ..Cancel::default() }, to)
            }
            b'M' => {
                self.push(&head, local, flags, &Replace { exchange_ts, order_ref, new_ref: order_ref, px, qty }, to)
            }
            b'R' => self.push(&head, local, flags, &Clear { exchange_ts, ..Clear::default() }, to),
            b'F' | b'N' => self.close_group(&head, local),
            other => {
                self.flush(to);
                to.push(
                    AnomalyKind::UnknownMessage.event(head.at.due, local, exchange_ts, u64::from(other)),
                    self.record,
                );
            }
        }
    }

    /// A record of a venue that shows only its top: an add replaces its whole side, and one without a price empties it.
    fn top_of_book(&mut self, head: &Head, local: u32, m: &MboMsg, to: &mut Inputs) {
        let exchange_ts = head.exchange_ts;
        let top = &mut self.instruments.slot(local).top;
        let before = top.unwrap_or(NO_TOP);
        match (m.action as u8, side(m.side)) {
            (b'A', side @ (Side::Buy | Side::Sell)) => {
                let (px, qty) =
                    (Px(m.price), if Px(m.price).known().is_some() { Qty(u64::from(m.size)) } else { Qty(0) });
                let quote = match side {
                    Side::Buy => Quote { exchange_ts, bid_px: px, bid_qty: qty, ..before },
                    _ => Quote { exchange_ts, ask_px: px, ask_qty: qty, ..before },
                };
                *top = Some(quote);
                self.push(head, local, head.flags, &quote, to);
            }
            (b'R', _) => {
                *top = None;
                self.push(head, local, head.flags, &Clear { exchange_ts, ..Clear::default() }, to);
            }
            (b'F' | b'N', _) => self.close_group(head, local),
            (action, _) => {
                let what = match action {
                    b'A' => AnomalyKind::BadValue,
                    b'C' | b'M' => AnomalyKind::UnknownOrder,
                    _ => AnomalyKind::UnknownMessage,
                };
                let detail = if what == AnomalyKind::UnknownMessage { u64::from(action) } else { m.order_id };
                self.flush(to);
                to.push(what.event(head.at.due, local, exchange_ts, detail), self.record);
            }
        }
    }

    // --- Level by level ---

    fn trades(&mut self, m: &TradeMsg, to: &mut Inputs) {
        let head = self.head(&m.hd, m.ts_recv, m.flags, BookKind::None);
        let Some(local) = self.local(&head, to) else { return };
        self.close_group(&head, local);
        self.trade(&head, local, Print { px: m.price, qty: m.size, side: m.side }, to);
    }

    fn mbp_1(&mut self, m: &Mbp1Msg, to: &mut Inputs) {
        let head = self.head(&m.hd, m.ts_recv, m.flags, BookKind::Quotes);
        let print = (m.action as u8 == b'T').then_some(Print { px: m.price, qty: m.size, side: m.side });
        self.quoted(&head, best(&m.levels[0]), print, to);
    }

    fn cmbp_1(&mut self, m: &Cmbp1Msg, to: &mut Inputs) {
        let head = self.head(&m.hd, m.ts_recv, m.flags, BookKind::Quotes);
        let print = (m.action as u8 == b'T').then_some(Print { px: m.price, qty: m.size, side: m.side });
        self.quoted(&head, best_of_all(&m.levels[0]), print, to);
    }

    /// A sample at the end of an interval. Its `ts_event` is that of the last trade, so the capture's time is used.
    fn bbo(&mut self, m: &BboMsg, to: &mut Inputs) {
        let head = self.sampled(&m.hd, m.ts_recv, m.flags);
        self.quoted(&head, best(&m.levels[0]), None, to);
    }

    fn cbbo(&mut self, m: &CbboMsg, to: &mut Inputs) {
        let head = self.sampled(&m.hd, m.ts_recv, m.flags);
        self.quoted(&head, best_of_all(&m.levels[0]), None, to);
    }

    fn sampled(&mut self, header: &RecordHeader, ts_recv: u64, flags: FlagSet) -> Head {
        let mut header = *header;
        header.ts_event = told(ts_recv).map_or(header.ts_event, |ts| ts.0);
        self.head(&header, ts_recv, flags, BookKind::Quotes)
    }

    /// The quote before the trade, then the trade. A quote is complete in itself, so each closes its group.
    fn quoted(&mut self, head: &Head, quote: Quote, print: Option<Print>, to: &mut Inputs) {
        let Some(local) = self.local(head, to) else { return };
        let head = Head { flags: head.flags.with(Flags::LAST_OF_GROUP), ..*head };
        if self.instruments.supplies_book(local, head.at, to) {
            let quote = Quote { exchange_ts: head.exchange_ts, ..quote };
            self.push(&head, local, head.flags, &quote, to);
        } else {
            self.tally.passed_over();
        }
        if let Some(print) = print {
            self.trade(&head, local, print, to);
        }
    }

    /// The trade, then the changes of the ten levels on each side.
    fn mbp_10(&mut self, m: &Mbp10Msg, to: &mut Inputs) {
        let head = self.head(&m.hd, m.ts_recv, m.flags, BookKind::ByLevel);
        let Some(local) = self.local(&head, to) else { return };
        let supplies = self.instruments.supplies_book(local, head.at, to);
        if m.action as u8 == b'T' {
            self.close_group(&head, local);
            self.trade(&head, local, Print { px: m.price, qty: m.size, side: m.side }, to);
        }
        if !supplies {
            return self.tally.passed_over();
        }
        let mut levels = std::mem::take(&mut self.levels);
        let slot = self.instruments.slot(local);
        for (side, shown) in [(Side::Buy, &mut slot.bids), (Side::Sell, &mut slot.asks)] {
            ladder(&m.levels, side, &mut self.next);
            let lengths = [shown.len(), self.next.len()];
            walk(side, shown, &self.next, |change| levels.push(level(&head, side, change, lengths)));
            std::mem::swap(shown, &mut self.next);
        }
        let last = levels.len().saturating_sub(1);
        for (i, (flags, level)) in levels.drain(..).enumerate() {
            let flags = if i < last { flags.without(Flags::LAST_OF_GROUP) } else { flags };
            self.push(&head, local, flags, &level, to);
        }
        self.levels = levels;
    }

    // --- Bars, definitions, statuses ---

    /// A bar has the time of its start, and enters at its end: nobody knows its values before.
    fn ohlcv(&mut self, m: &OhlcvMsg, to: &mut Inputs) {
        let head = self.head(&m.hd, u64::MAX, FlagSet::default(), BookKind::None);
        let interval_s = bar_seconds(m.hd.rtype).unwrap_or_default();
        let start_s = u32::try_from(head.at.due.0 / Ns::SECOND).unwrap_or(u32::MAX);
        let end = Ns(head.at.due.0.saturating_add(u64::from(interval_s) * Ns::SECOND));
        let Some(local) = self.local(&head, to) else { return };
        let (open, high, low, close) = (Px(m.open), Px(m.high), Px(m.low), Px(m.close));
        let bar = Bar { open, high, low, close, start_s, interval_s };
        let flow = BarFlow { volume: Qty(m.volume), interval_s, ..BarFlow::UNKNOWN };
        if self.bars.is_full() {
            self.flush(to);
            self.bars.pop(to);
        }
        self.bars.push(end, Waiting { instrument: local, record: self.record, bar, flow });
    }

    /// Emits the bars that end before this record or with it; false if that leaves no room for the record's inputs.
    pub(super) fn release(&mut self, record: RecordRef<'_>, to: &mut Inputs) -> bool {
        let Some(first) = self.bars.first() else { return true };
        let reached = told(record.raw_index_ts()).unwrap_or(self.last_due);
        first > reached || self.release_until(reached, to)
    }

    /// Emits the bars that end by `reached`; false if that leaves no room for a record's inputs.
    pub(super) fn release_until(&mut self, reached: Ns, to: &mut Inputs) -> bool {
        while self.bars.first().is_some_and(|end| end <= reached) && to.has_room() {
            self.flush(to);
            self.bars.pop(to);
        }
        to.has_room()
    }

    fn definition(&mut self, m: &InstrumentDefMsg, to: &mut Inputs) {
        if let Some(collected) = &mut self.collected {
            return collected.add(m, self.instruments.is_opra());
        }
        let head = self.head(&m.hd, m.ts_recv, FlagSet::default(), BookKind::None);
        self.flush(to);
        if self.instruments.define(head.at, m, to).is_none() {
            self.out_of_range(&head, to);
        }
    }

    fn status(&mut self, m: &StatusMsg, to: &mut Inputs) {
        let head = self.head(&m.hd, m.ts_recv, FlagSet::default(), BookKind::None);
        let local = if m.hd.instrument_id == 0 { Some(0) } else { self.local(&head, to) };
        let Some(local) = local else { return };
        let is_short_sale = m.action == dbn::StatusAction::SsrChange as u16;
        let what = if is_short_sale { StatusKind::ShortSale } else { StatusKind::Trading }.code();
        let (code, reason) = (decimal(m.action), decimal(m.reason));
        let status = Status { exchange_ts: head.exchange_ts, code, reason, what, ..Status::default() };
        self.push(&head, local, Flags::LAST_OF_GROUP, &status, to);
    }
}

/// The input of one change. A level that only moved into or out of the visible range is no market event, so it is
/// flagged as snapshot.
fn level(head: &Head, side: Side, change: Change, [old, new]: [usize; 2]) -> (Flags, Level) {
    let (rung, qty, moved) = match change {
        Change::Added { rung, beyond } => (rung, rung.qty, beyond && old == DEPTH),
        Change::Removed { rung, beyond } => (rung, 0, beyond && new == DEPTH),
        Change::Changed { new, .. } => (new, new.qty, false),
    };
    let orders = if qty == 0 { 0 } else { rung.orders };
    let flags = if moved { head.flags.with(Flags::SNAPSHOT) } else { head.flags };
    let level = Level { exchange_ts: head.exchange_ts, px: Px(rung.px), qty: Qty(qty), orders, ..Level::default() };
    (flags.with_side(side), level)
}
