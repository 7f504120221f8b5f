//! A book that is plainly right: orders in one list by time, everything else counted out of it whenever it is asked.

use crate::harness::{Emitted, INSTRUMENTS, PRINTS};
use flow::records::{
    Add, Anomaly, BookTop, Break, BrokenTrade, Cancel, Delete, Exec, Level, Listing, Quote, Replace, Trade,
};
use flow::{AnomalyKind, Event, Flags, Kind, Ns, Px, Qty, Record, Side};
use std::collections::{BTreeMap, BTreeSet};

/// A live order.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct ReferenceOrder {
    pub(crate) reference: u64,
    pub(crate) side: Side,
    pub(crate) px: Px,
    pub(crate) qty: u64,
}

/// A book of any kind.
#[derive(Clone, Debug, Default)]
pub(crate) struct TwinBook {
    kind: u8,
    source: u8,
    own_references: bool,
    equity: bool,
    /// By time: what lost its place stands at the end.
    pub(crate) orders: Vec<ReferenceOrder>,
    /// Books that know no orders.
    pub(crate) totals: BTreeMap<(Side, Px), (u64, u32)>,
    last_top: Option<[(Px, u64); 2]>,
}

const NO_SIDES: [(Px, u64); 2] = [(Px::NONE, 0); 2];

impl TwinBook {
    /// Levels of a side, best first: price, total, orders.
    pub(crate) fn depth(&self, side: Side) -> Vec<(Px, u64, u32)> {
        let prices: BTreeSet<Px> = self.prices().into_iter().filter(|p| p.0 == side).map(|p| p.1).collect();
        let mut levels: Vec<_> =
            prices.into_iter().map(|px| (px, self.total(side, px), self.count(side, px))).collect();
        if side == Side::Buy {
            levels.reverse();
        }
        levels
    }

    fn prices(&self) -> BTreeSet<(Side, Px)> {
        self.orders.iter().map(|o| (o.side, o.px)).chain(self.totals.keys().copied()).collect()
    }

    fn total(&self, side: Side, px: Px) -> u64 {
        let at = self.orders.iter().filter(|o| (o.side, o.px) == (side, px));
        at.map(|o| o.qty).sum::<u64>() + self.totals.get(&(side, px)).map_or(0, |t| t.0)
    }

    fn count(&self, side: Side, px: Px) -> u32 {
        let queued = self.orders.iter().filter(|o| (o.side, o.px) == (side, px)).count() as u32;
        queued + self.totals.get(&(side, px)).map_or(0, |t| t.1)
    }

    /// Orders and shares before an order in its queue.
    pub(crate) fn ahead(&self, reference: u64) -> Option<(u64, u32)> {
        let at = self.orders.iter().position(|o| o.reference == reference)?;
        let me = self.orders[at];
        let before = self.orders[..at].iter().filter(|o| (o.side, o.px) == (me.side, me.px));
        Some(before.fold((0, 0), |(qty, n), o| (qty + o.qty, n + 1)))
    }

    /// Best bid and best ask.
    pub(crate) fn top(&self) -> [(Px, u64); 2] {
        [Side::Buy, Side::Sell].map(|side| self.depth(side).first().map_or((Px::NONE, 0), |l| (l.0, l.1)))
    }

    fn clear(&mut self) {
        self.orders.clear();
        self.totals.clear();
    }
}

/// All books; `None` for a listing without one.
pub(crate) struct Reference {
    pub(crate) books: BTreeMap<u32, Option<TwinBook>>,
    limits: [usize; 3],
    /// Every trade with a number, and whether it is broken.
    trades: Vec<(Event, bool)>,
}

impl Reference {
    pub(crate) fn new(orders: u32, levels: u32, books: u32) -> Reference {
        let limits = [orders as usize, levels as usize, books as usize];
        Reference { books: BTreeMap::new(), limits, trades: Vec::new() }
    }

    pub(crate) fn feed(&mut self, event: &Event) -> Vec<Emitted> {
        let mut out = Emission { event: *event, emitted: Vec::new() };
        match event.kind {
            Kind::Trade => {
                self.remember(event);
                return Vec::new();
            }
            Kind::Break => {
                self.broken(event.record::<Break>().match_id, &mut out);
                return out.emitted;
            }
            _ => self.handle(event, &mut out),
        }
        for trade in out.emitted.iter().filter(|e| e.0.kind == Kind::Trade) {
            self.remember(&Event { ts: event.ts, ..trade.0 });
        }
        // A clear of a whole source emits nothing, also if a book has the number 0.
        let of_source = event.kind == Kind::Clear && event.instrument == 0;
        if !of_source
            && let Some(Some(book)) = self.books.get_mut(&event.instrument)
            && event.flags.has(Flags::LAST_OF_GROUP)
        {
            out.top(book);
        }
        out.emitted
    }

    fn remember(&mut self, trade: &Event) {
        if trade.record::<Trade>().match_id != 0 {
            self.trades.push((*trade, false));
        }
    }

    fn broken(&mut self, match_id: u64, out: &mut Emission) {
        let instrument = out.event.instrument;
        let is_it = |t: &&mut (Event, bool)| (t.0.instrument, t.0.record::<Trade>().match_id) == (instrument, match_id);
        match self.trades.iter_mut().rev().take(PRINTS).find(is_it) {
            Some((trade, broken @ false)) => {
                *broken = true;
                let Trade { exchange_ts, px, qty, .. } = *trade.record();
                let told = [Flags::SNAPSHOT, Flags::POSSIBLE_DUPLICATE, Flags::EXTERNAL, Flags::HIDDEN, Flags::AUCTION];
                let told = told.into_iter().chain([Flags::INFERRED_AGGRESSOR]).filter(|f| trade.flags.has(*f));
                let flags = told.fold(Flags::LAST_OF_GROUP.with_side(trade.side()), Flags::with);
                out.push(flags, &BrokenTrade { exchange_ts, trade_ts: trade.ts, px, qty, match_id });
            }
            _ => out.wrong(AnomalyKind::UnknownBreak, match_id),
        }
    }

    fn levels(&self) -> usize {
        self.books.values().flatten().map(|b| b.prices().len()).sum()
    }

    fn orders(&self) -> usize {
        self.books.values().flatten().map(|b| b.orders.len()).sum()
    }

    /// Whether a book with which this one shares its references has an order of that reference.
    fn lives(&self, instrument: u32, reference: u64) -> bool {
        let Some(Some(own)) = self.books.get(&instrument) else { return false };
        let shares = |b: &TwinBook| b.source == own.source && !b.own_references && !own.own_references;
        let books = self.books.iter().filter_map(|(i, b)| b.as_ref().filter(|b| *i == instrument || shares(b)));
        books.flat_map(|b| &b.orders).any(|o| o.reference == reference)
    }

    fn handle(&mut self, event: &Event, out: &mut Emission) {
        let instrument = event.instrument;
        if let Some(terms) = event.get::<Listing>() {
            return self.list(event, terms, out);
        }
        if event.kind == Kind::Clear && instrument == 0 {
            for book in self.books.values_mut().flatten().filter(|b| b.source == event.source) {
                book.clear();
                book.last_top = None;
            }
            return;
        }
        let kind = match self.books.get(&instrument) {
            None => return out.wrong(AnomalyKind::UnknownInstrument, u64::from(instrument)),
            Some(None) => return,
            Some(Some(book)) => book.kind,
        };
        match kind {
            _ if event.kind == Kind::Clear => self.book(instrument).clear(),
            1 => self.by_level(event, out),
            2 => self.by_order(event, out),
            _ => self.quote(event, out),
        }
    }

    fn book(&mut self, instrument: u32) -> &mut TwinBook {
        self.books.get_mut(&instrument).unwrap().as_mut().unwrap()
    }

    fn list(&mut self, event: &Event, terms: &Listing, out: &mut Emission) {
        let have = self.books.get(&event.instrument).cloned();
        if event.instrument == 0 || event.instrument >= INSTRUMENTS {
            return out.wrong(AnomalyKind::UnknownInstrument, u64::from(event.instrument));
        }
        match have {
            Some(Some(mut book)) if terms.book == 0 => {
                book.clear();
                out.top(&mut book);
                self.books.insert(event.instrument, None);
            }
            _ if terms.book == 0 => {
                self.books.insert(event.instrument, None);
            }
            Some(Some(mut book)) => {
                if (book.kind, book.source) != (terms.book, event.source) {
                    book.clear();
                    book.own_references = event.flags.has(Flags::OWN_REFERENCES);
                }
                (book.kind, book.source, book.equity) = (terms.book, event.source, terms.instrument_type == 1);
                self.books.insert(event.instrument, Some(book));
            }
            _ if self.books.values().flatten().count() == self.limits[2] => {
                out.wrong(AnomalyKind::BookFull, self.limits[2] as u64);
            }
            _ => {
                let equity = terms.instrument_type == 1;
                let own_references = event.flags.has(Flags::OWN_REFERENCES);
                let (kind, source) = (terms.book, event.source);
                let book = TwinBook { kind, source, own_references, equity, ..Default::default() };
                self.books.insert(event.instrument, Some(book));
            }
        }
    }

    fn bad(&mut self, instrument: u32, side: Side, px: Px, qty: u64) -> bool {
        let equity = self.book(instrument).equity;
        qty == 0 || side == Side::None || px == Px::NONE || (equity && px.0 <= 0)
    }

    /// Why an order cannot be added.
    fn refusal(&mut self, instrument: u32, order: ReferenceOrder) -> Option<(AnomalyKind, u64)> {
        let ReferenceOrder { reference, side, px, qty } = order;
        if self.bad(instrument, side, px, qty) {
            Some((AnomalyKind::BadValue, reference))
        } else if self.lives(instrument, reference) {
            Some((AnomalyKind::DuplicateOrder, reference))
        } else if self.orders() == self.limits[0] {
            Some((AnomalyKind::BookFull, self.limits[0] as u64))
        } else {
            self.no_level(instrument, side, px)
        }
    }

    fn no_level(&mut self, instrument: u32, side: Side, px: Px) -> Option<(AnomalyKind, u64)> {
        let new = !self.book(instrument).prices().contains(&(side, px));
        (new && self.levels() == self.limits[1]).then_some((AnomalyKind::BookFull, self.limits[1] as u64))
    }

    fn by_order(&mut self, event: &Event, out: &mut Emission) {
        let instrument = event.instrument;
        if let Some(add) = event.get::<Add>() {
            let order = ReferenceOrder { reference: add.order_ref, side: event.side(), px: add.px, qty: add.qty.0 };
            match self.refusal(instrument, order) {
                Some((what, detail)) => out.wrong(what, detail),
                None => self.book(instrument).orders.push(order),
            }
            if out.emitted.is_empty() {
                out.level(self.book(instrument), order.side, order.px, true);
            }
            return;
        }
        if let Some(replace) = event.get::<Replace>() {
            return self.replace(instrument, replace, out);
        }
        let (reference, take) = match event.kind {
            Kind::Exec => (event.record::<Exec>().order_ref, event.record::<Exec>().qty.0),
            Kind::Cancel => (event.record::<Cancel>().order_ref, event.record::<Cancel>().qty.0),
            Kind::Delete => (event.record::<Delete>().order_ref, u64::MAX),
            _ => return,
        };
        if take == 0 {
            return out.wrong(AnomalyKind::BadValue, reference);
        }
        let book = self.book(instrument);
        let Some(at) = book.orders.iter().position(|o| o.reference == reference) else {
            return out.wrong(AnomalyKind::UnknownOrder, reference);
        };
        let ReferenceOrder { side, px, qty, .. } = book.orders[at];
        if take > qty && event.kind != Kind::Delete {
            out.wrong(AnomalyKind::Overfill, reference);
        }
        if let Some(exec) = event.get::<Exec>() {
            out.trade(exec, side, px);
        }
        if take < qty {
            book.orders[at].qty -= take;
        } else {
            book.orders.remove(at);
        }
        out.level(book, side, px, true);
    }

    fn replace(&mut self, instrument: u32, replace: &Replace, out: &mut Emission) {
        let book = self.book(instrument);
        let Some(at) = book.orders.iter().position(|o| o.reference == replace.order_ref) else {
            return out.wrong(AnomalyKind::UnknownOrder, replace.order_ref);
        };
        let old = book.orders[at];
        let before = book.total(old.side, old.px);
        let new = ReferenceOrder { reference: replace.new_ref, px: replace.px, qty: replace.qty.0, ..old };
        if new.reference == old.reference && new.px == old.px && (1..=old.qty).contains(&new.qty) {
            book.orders[at] = new;
        } else {
            book.orders.remove(at);
            match self.refusal(instrument, new) {
                Some((what, detail)) => out.wrong(what, detail),
                None => self.book(instrument).orders.push(new),
            }
        }
        let fine = out.emitted.is_empty();
        let book = self.book(instrument);
        if !fine || new.px != old.px || book.total(old.side, old.px) != before {
            out.level(book, old.side, old.px, !fine || new.px == old.px);
        }
        if fine && new.px != old.px {
            out.level(book, new.side, new.px, true);
        }
    }

    fn by_level(&mut self, event: &Event, out: &mut Emission) {
        let (instrument, side) = (event.instrument, event.side());
        let (reference, px, qty) = match event.kind {
            Kind::Level => {
                let level: &Level = event.record();
                return self.set(instrument, side, level.px, level.qty.0, level.orders, out);
            }
            Kind::Add => (event.record::<Add>().order_ref, event.record::<Add>().px, event.record::<Add>().qty.0),
            Kind::Exec => (event.record::<Exec>().order_ref, event.record::<Exec>().px, event.record::<Exec>().qty.0),
            Kind::Cancel => {
                let cancel: &Cancel = event.record();
                (cancel.order_ref, cancel.px, cancel.qty.0)
            }
            Kind::Delete => {
                let delete: &Delete = event.record();
                (delete.order_ref, delete.px, delete.qty.0)
            }
            Kind::Replace => return out.wrong(AnomalyKind::UnknownOrder, event.record::<Replace>().order_ref),
            _ => return,
        };
        if self.bad(instrument, side, px, qty) {
            return out.wrong(AnomalyKind::BadValue, reference);
        }
        let had = self.book(instrument).total(side, px);
        if event.kind == Kind::Add {
            if let Some((what, detail)) = self.no_level(instrument, side, px) {
                return out.wrong(what, detail);
            }
            self.book(instrument).totals.insert((side, px), (had + qty, 0));
        } else {
            if qty > had {
                out.wrong(AnomalyKind::LevelUnderflow, reference);
            }
            if let Some(exec) = event.get::<Exec>() {
                out.trade(exec, side, px);
            }
            match had.saturating_sub(qty) {
                0 => self.book(instrument).totals.remove(&(side, px)),
                left => self.book(instrument).totals.insert((side, px), (left, 0)),
            };
        }
        if event.kind == Kind::Add || had > 0 {
            out.level(self.book(instrument), side, px, true);
        }
    }

    fn set(&mut self, instrument: u32, side: Side, px: Px, qty: u64, orders: u32, out: &mut Emission) {
        if self.bad(instrument, side, px, 1) {
            return out.wrong(AnomalyKind::BadValue, 0);
        }
        if qty == 0 {
            self.book(instrument).totals.remove(&(side, px));
        } else if let Some((what, detail)) = self.no_level(instrument, side, px) {
            out.wrong(what, detail);
        } else {
            self.book(instrument).totals.insert((side, px), (qty, orders));
        }
    }

    fn quote(&mut self, event: &Event, out: &mut Emission) {
        let Some(quote) = event.get::<Quote>() else { return };
        let sides = [(Side::Buy, quote.bid_px, quote.bid_qty.0), (Side::Sell, quote.ask_px, quote.ask_qty.0)];
        let mut faults = Vec::new();
        for (side, px, qty) in sides {
            self.book(event.instrument).totals.retain(|(s, _), _| *s != side);
            if px != Px::NONE && qty > 0 {
                let mut unused = Emission { event: *event, emitted: Vec::new() };
                self.set(event.instrument, side, px, qty, 0, &mut unused);
                faults.extend(unused.emitted);
            }
        }
        out.emitted.extend(faults.first());
    }
}

/// Collects what the reference emits on an event.
struct Emission {
    event: Event,
    emitted: Vec<Emitted>,
}

impl Emission {
    fn exchange_ts(&self) -> Ns {
        self.event.exchange_ts().unwrap_or(Ns::NONE)
    }

    fn kept(&self, more: &[Flags]) -> Flags {
        let kept = [Flags::SNAPSHOT, Flags::POSSIBLE_DUPLICATE, Flags::EXTERNAL];
        let all = kept.iter().chain(more).filter(|f| self.event.flags.has(**f));
        all.fold(Flags::NONE, |flags, f| flags.with(*f))
    }

    fn push<R: Record>(&mut self, flags: Flags, record: &R) {
        self.emitted.push(Emitted::bare(&Event::new(Ns(0), self.event.instrument, flags, record)));
    }

    fn wrong(&mut self, what: AnomalyKind, detail: u64) {
        let exchange_ts = self.exchange_ts();
        let record =
            Anomaly { exchange_ts, px: Px::NONE, qty: Qty(0), detail, what: what as u16, ..Default::default() };
        self.push(Flags::LAST_OF_GROUP, &record);
    }

    fn trade(&mut self, exec: &Exec, resting: Side, px: Px) {
        if self.event.flags.has(Flags::NON_PRINTABLE) {
            return;
        }
        let aggressor = match resting {
            _ if self.event.flags.has(Flags::AUCTION) => Side::None,
            Side::Buy => Side::Sell,
            _ => Side::Buy,
        };
        let flags = self.kept(&[Flags::HIDDEN, Flags::AUCTION]).with_side(aggressor);
        let px = if exec.px == Px::NONE { px } else { exec.px };
        let Exec { exchange_ts, order_ref, qty, match_id, .. } = *exec;
        self.push(flags, &Trade { exchange_ts, px, qty, match_id, order_ref });
    }

    fn level(&mut self, book: &TwinBook, side: Side, px: Px, last: bool) {
        let mut flags = self.kept(&[]).with_side(side);
        if last && self.event.flags.has(Flags::LAST_OF_GROUP) {
            flags = flags.with(Flags::LAST_OF_GROUP);
        }
        let (qty, orders) = (Qty(book.total(side, px)), book.count(side, px));
        self.push(flags, &Level { exchange_ts: self.exchange_ts(), px, qty, orders, ..Default::default() });
    }

    fn top(&mut self, book: &mut TwinBook) {
        let now = book.top();
        let before = book.last_top.replace(now).unwrap_or(NO_SIDES);
        if now == before {
            return;
        }
        let exchange_ts = self.exchange_ts();
        let [(bid_px, bid), (ask_px, ask)] = now;
        let record = BookTop { exchange_ts, bid_px, bid_qty: Qty(bid), ask_px, ask_qty: Qty(ask) };
        let crossed = |top: [(Px, u64); 2]| top.iter().all(|s| s.0 != Px::NONE) && top[0].0 >= top[1].0;
        let badge = if crossed(now) { Flags::CROSSED } else { Flags::NONE };
        self.push(self.kept(&[]).with(badge).with(Flags::LAST_OF_GROUP), &record);
        if crossed(now) && !crossed(before) {
            let what = AnomalyKind::CrossedBook as u16;
            let detail = ask_px.0 as u64;
            self.push(
                Flags::LAST_OF_GROUP,
                &Anomaly { exchange_ts, px: bid_px, qty: Qty(0), detail, what, ..Default::default() },
            );
        }
    }
}
