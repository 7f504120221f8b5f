//! The stage: applies messages to the books and emits what changed.
//!
//! For one input it emits, in this order: the anomaly of the input, the trade, the levels that changed, and, if the
//! input closes its group, the new top and an anomaly if the book has become crossed. Groups are per instrument; within
//! a group the top is not published. Before the levels it says where an order stands that it shows, and before a top what the
//! depth comes to by each weighing, where a measure asks for it. After a gap it goes on, and marks what it emits as doubtful. For a break it emits the broken trade, whole. Worst
//! case: six events, and one a weighing.

use super::books::{BookId, BookPath, Books, Keeping, Place};
use super::order::{LevelChange, order_ref_of};
use super::outcome::{Fault, LevelUpdate, Reduced};
use super::params::{MAX_PRINTS, limits};
use super::prefetcher::Upcoming;
use super::prints::Prints;
use super::touch::Top;
use super::weighing::{EVENTS, Weighing, Weighings};
use crate::Space;
use crate::lookahead::Lookahead;
use flow::records::{Add, Anomaly, BookTop, Cancel, Delete, Exec, Level, Listing, Quote, Replace};
use flow::{
    AnomalyKind, BookKind, Event, Flags, InstrumentState, InstrumentType, Kind, Kinds, Ns, Out, ParamError, Params,
    Qty, Scope, Side, Stage, StateError, StateReader, StateWriter, TradingState, Trust,
};
use std::any::Any;
use std::mem::offset_of;

/// Flags of an input that its `level` and `book-top` events inherit.
pub(super) const KEPT: u16 = Flags::INHERITED.0;

/// Messages about single orders.
pub(crate) const ORDER_MESSAGES: Kinds = Kinds::of(&[Kind::Add, Kind::Exec, Kind::Cancel, Kind::Delete, Kind::Replace]);

/// Keeps the book of every instrument.
pub struct BookStage {
    pub(super) books: Books,
    ahead: Lookahead<Upcoming>,
    /// Whose messages are missing.
    pub(super) trust: Trust,
    /// The trades that can be broken.
    pub(super) prints: Prints,
    weighings: Weighings,
    /// Whether it says of every order that it shows where it stands.
    pub(super) says_orders: bool,
    /// Whether a measure wants the best levels with each.
    pub(super) says_levels: bool,
}

impl BookStage {
    /// Builds the stage with the parameters of [`super::PARAMS`].
    pub fn new(params: &Params, space: Space) -> BookStage {
        BookStage::of(Books::new(limits(params, space)), Prints::new(params.get(MAX_PRINTS)), space)
    }

    /// The stage without a memory of trades: for the simulated venue, which looks at its books alone.
    pub(crate) fn without_prints(params: &Params, space: Space) -> BookStage {
        BookStage::of(Books::aside(limits(params, space)), Prints::new(0), space)
    }

    fn of(books: Books, prints: Prints, space: Space) -> BookStage {
        let (trust, weighings) = (Trust::new(space.instruments), Weighings::new(&[]));
        BookStage {
            books,
            ahead: Lookahead::new(Upcoming::NOWHERE),
            trust,
            prints,
            weighings,
            says_orders: false,
            says_levels: false,
        }
    }

    /// Says before every top what the depth comes to by each of these; the order is that of the events.
    ///
    /// # Panics
    /// When more than [`Weighing::MOST`] of them differ.
    #[must_use]
    pub fn weighing(mut self, asked: &[Weighing]) -> BookStage {
        self.weighings = Weighings::new(asked);
        self
    }

    /// The registry's builder.
    ///
    /// # Errors
    /// Never: every value in its range makes a stage.
    pub fn build(params: &Params, space: Space) -> Result<Box<dyn Stage>, ParamError> {
        Ok(Box::new(BookStage::new(params, space)))
    }

    /// Read access to the books.
    pub fn books(&self) -> &Books {
        &self.books
    }

    /// For the simulated venue, which loads them without the rest.
    pub(crate) fn books_mut(&mut self) -> &mut Books {
        &mut self.books
    }

    fn listing(&mut self, event: &Event, out: &mut Out) {
        let listing: &Listing = event.record();
        self.trust.belongs(event.instrument, event.source);
        let kind = BookKind::from_code(listing.book).unwrap_or_default();
        if let (Place::Book(book), BookKind::None) = (self.books.place(event.instrument), kind) {
            self.books.clear(book);
            self.publish_top(book, event, Ns::NONE, out);
        }
        let signed = listing.instrument_type != InstrumentType::Equity as u8;
        let own_references = event.flags.has(Flags::OWN_REFERENCES);
        let keeping = Keeping { kind, source: event.source, signed, own_references };
        if let Err(fault) = self.books.list(event.instrument, keeping) {
            push_anomaly(event, Ns::NONE, fault, out);
        }
    }

    #[inline(always)]
    fn add(&mut self, path: BookPath, event: &Event, out: &mut Out) {
        let add: &Add = event.record();
        match self.books.add_at(path, add.order_ref, event.side(), add.px, add.qty.0) {
            Ok(change) => {
                self.say_order(path.book, event, add.order_ref, add.qty, &change, out);
                self.changed(path.book, event, change, out);
            }
            Err(fault) => self.close(path.book, event, Err(fault), out),
        }
    }

    /// An `exec`, `cancel` or `delete`.
    #[inline(always)]
    fn reduce(&mut self, path: BookPath, event: &Event, out: &mut Out) {
        let reduction = Reduction::of(event);
        let qty = (event.kind != Kind::Delete).then_some(reduction.qty.0);
        let reduced = match self.books.reduce_at(path, reduction.order_ref, qty) {
            Ok(reduced) => reduced,
            Err(fault) => return self.close(path.book, event, Err(fault), out),
        };
        if reduced.over {
            push_anomaly(
                event,
                reduction.exchange_ts,
                Fault { what: AnomalyKind::Overfill, detail: reduction.order_ref },
                out,
            );
        }
        if let Some(exec) = event.get::<Exec>() {
            self.trade(event, exec, reduced.change.side, exec.px.known().unwrap_or(reduced.change.px), out);
        }
        self.changed(path.book, event, reduced.change, out);
    }

    /// Emits the change of one level; the rest of the book did not change.
    #[inline(always)]
    fn changed(&mut self, book: BookId, event: &Event, change: LevelChange, out: &mut Out) {
        let exchange_ts = exchange_ts(event);
        push_last_level(event, exchange_ts, change, out);
        if !event.flags.has(Flags::LAST_OF_GROUP) || self.books.is_dirty(book) {
            return self.close(book, event, Ok(()), out);
        }
        if let Some((top, crossed)) = self.books.publish_top_after(book, &change) {
            self.push_top(book, event, exchange_ts, (top, crossed), out);
        }
    }

    #[inline(never)]
    fn replace(&mut self, book: BookId, event: &Event, out: &mut Out) -> Result<(), Fault> {
        let replace: &Replace = event.record();
        let Replace { exchange_ts, order_ref, new_ref, px, qty } = *replace;
        let replaced = self.books.replace(book, order_ref, new_ref, px, qty.0)?;
        match replaced.fault {
            Some(fault) => push_anomaly(event, exchange_ts, fault, out),
            None => self.say_order_anew(book, event, new_ref, out),
        }
        match replaced.changes {
            [Some(first), Some(second)] => {
                push_level(event, exchange_ts, first, Flags::NONE, out);
                push_last_level(event, exchange_ts, second, out);
            }
            [first, second] => {
                first.into_iter().chain(second).for_each(|c| push_last_level(event, exchange_ts, c, out))
            }
        }
        Ok(())
    }

    fn by_level(&mut self, book: BookId, event: &Event, out: &mut Out) -> Result<(), Fault> {
        let side = event.side();
        match event.kind {
            Kind::Add => {
                let add: &Add = event.record();
                let change = self.books.raise(book, add.order_ref, side, add.px, add.qty.0)?;
                self.say_order(book, event, add.order_ref, add.qty, &change, out);
                push_last_level(event, add.exchange_ts, change, out);
            }
            Kind::Exec => self.exec_by_level(book, event, out)?,
            Kind::Cancel => {
                let Cancel { exchange_ts, order_ref, px, qty, .. } = *event.record();
                let reduced = self.books.lower(book, order_ref, side, px, qty.0)?;
                push_reduced(event, exchange_ts, order_ref, reduced, AnomalyKind::LevelUnderflow, out);
            }
            Kind::Delete => {
                let Delete { exchange_ts, order_ref, px, qty, .. } = *event.record();
                let reduced = self.books.lower(book, order_ref, side, px, qty.0)?;
                push_reduced(event, exchange_ts, order_ref, reduced, AnomalyKind::LevelUnderflow, out);
            }
            Kind::Replace => {
                let replace: &Replace = event.record();
                return Err(Fault { what: AnomalyKind::UnknownOrder, detail: replace.order_ref });
            }
            _ => {}
        }
        Ok(())
    }

    /// An execution emits its trade even where the level does not hold the quantity.
    fn exec_by_level(&mut self, book: BookId, event: &Event, out: &mut Out) -> Result<(), Fault> {
        let exec: &Exec = event.record();
        match self.books.lower(book, exec.order_ref, event.side(), exec.px, exec.qty.0) {
            Ok(reduced) => self.executed(event, exec, reduced, out),
            Err(fault) if fault.what == AnomalyKind::LevelUnderflow => {
                push_anomaly(event, exec.exchange_ts, fault, out);
                self.trade(event, exec, event.side(), exec.px, out);
            }
            Err(fault) => return Err(fault),
        }
        Ok(())
    }

    fn executed(&mut self, event: &Event, exec: &Exec, reduced: Reduced, out: &mut Out) {
        if reduced.over {
            let fault = Fault { what: AnomalyKind::LevelUnderflow, detail: exec.order_ref };
            push_anomaly(event, exec.exchange_ts, fault, out);
        }
        self.trade(event, exec, reduced.change.side, exec.px.known().unwrap_or(reduced.change.px), out);
        push_last_level(event, exec.exchange_ts, reduced.change, out);
    }

    fn quotes(&mut self, book: BookId, event: &Event) -> Result<(), Fault> {
        if let Some(quote) = event.get::<Quote>() {
            let bid = self.books.set_quote(book, Side::Buy, quote.bid_px, quote.bid_qty.0);
            let ask = self.books.set_quote(book, Side::Sell, quote.ask_px, quote.ask_qty.0);
            bid.and(ask)?;
        }
        Ok(())
    }

    /// A level with its absolute total.
    #[inline]
    fn level(&mut self, event: &Event, out: &mut Out) {
        let Place::Book(book) = self.books.place(event.instrument) else { return self.other(event, out) };
        if self.books.kind(book) != BookKind::ByLevel {
            return self.other(event, out);
        }
        let Level { exchange_ts, px, qty: Qty(qty), orders, .. } = *event.record();
        let change = LevelChange { side: event.side(), px, qty, orders };
        let LevelUpdate { before, top } = self.books.apply_level(book, &change, event.flags.has(Flags::LAST_OF_GROUP));
        if let Err(fault) = before {
            push_anomaly(event, exchange_ts, fault, out);
        }
        if let Some((top, crossed)) = top {
            self.push_top(book, event, exchange_ts, (top, crossed), out);
        }
    }

    /// Everything but order messages of books by order and `level` inputs of books by level.
    #[inline(never)]
    fn other(&mut self, event: &Event, out: &mut Out) {
        match event.kind {
            Kind::Trade => return self.fed_trade(event),
            Kind::Break => return self.broken(event, out),
            Kind::Gap | Kind::Command => return self.data_state(event, out),
            Kind::Listing => self.listing(event, out),
            Kind::Clear if event.instrument == 0 => {
                self.books.clear_source(event.source);
                return self.restore(event, event.source, out);
            }
            _ => {}
        }
        let book = match self.books.place(event.instrument) {
            Place::Book(book) => book,
            Place::Bookless => return,
            Place::Unlisted if event.kind == Kind::Listing => return,
            Place::Unlisted => {
                let fault = Fault { what: AnomalyKind::UnknownInstrument, detail: u64::from(event.instrument) };
                return push_anomaly(event, exchange_ts(event), fault, out);
            }
        };
        let done = match self.books.kind(book) {
            _ if event.kind == Kind::Clear => {
                self.books.clear(book);
                Ok(())
            }
            BookKind::ByLevel => self.by_level(book, event, out),
            BookKind::Quotes => self.quotes(book, event),
            BookKind::ByOrder | BookKind::None => Ok(()),
        };
        self.close(book, event, done, out);
    }

    /// Ends an input that may have changed any number of levels.
    #[inline(never)]
    fn close(&mut self, book: BookId, event: &Event, done: Result<(), Fault>, out: &mut Out) {
        if let Err(fault) = done {
            push_anomaly(event, exchange_ts(event), fault, out);
        }
        if event.flags.has(Flags::LAST_OF_GROUP) {
            self.publish_top(book, event, exchange_ts(event), out);
        } else {
            self.books.mark_dirty(book);
        }
    }

    fn publish_top(&mut self, book: BookId, event: &Event, exchange_ts: Ns, out: &mut Out) {
        if let Some((top, crossed)) = self.books.publish_top(book) {
            self.push_top(book, event, exchange_ts, (top, crossed), out);
        }
    }

    /// Emits the top, and whether it has just become crossed.
    #[inline(always)]
    fn push_top(&self, book: BookId, event: &Event, exchange_ts: Ns, (top, crossed): (Top, bool), out: &mut Out) {
        let flags = Flags(event.flags.0 & KEPT);
        self.weighings.tell(self.books.view(book), event, flags, out);
        let record = BookTop {
            exchange_ts,
            bid_px: top.bid_px,
            bid_qty: Qty(top.bid_qty),
            ask_px: top.ask_px,
            ask_qty: Qty(top.ask_qty),
        };
        let is_crossed = matches!((top.bid_px.known(), top.ask_px.known()), (Some(bid), Some(ask)) if bid >= ask);
        let badge = if is_crossed { Flags::CROSSED } else { Flags::NONE };
        out.push(event.instrument, flags.with(badge).with(Flags::LAST_OF_GROUP), &record);
        if crossed {
            push_crossed(event, exchange_ts, top, out);
        }
    }

    /// Applies an input and emits what changed.
    #[inline(always)]
    fn apply(&mut self, event: &Event, out: &mut Out) {
        if !is_order_message(event.kind) {
            return if event.kind == Kind::Level { self.level(event, out) } else { self.other(event, out) };
        }
        let Some(path) = self.books.path(event.instrument, order_ref_of(event)) else { return self.other(event, out) };
        match event.kind {
            Kind::Add => self.add(path, event, out),
            Kind::Replace => {
                let done = self.replace(path.book, event, out);
                self.close(path.book, event, done, out);
            }
            _ => self.reduce(path, event, out),
        }
    }
}

/// The books that a stage shows to others on its thread: those of a book stage.
#[inline]
pub fn shown_by(stage: &dyn Stage) -> Option<&Books> {
    stage.shared()?.downcast_ref()
}

impl Stage for BookStage {
    fn reads(&self) -> Kinds {
        let of_prints = if self.prints.keeps() { &[Kind::Trade, Kind::Break][..] } else { &[] };
        let others = [Kind::Listing, Kind::Clear, Kind::Level, Kind::Quote, Kind::Gap, Kind::Command];
        ORDER_MESSAGES.or(Kinds::of(of_prints)).or(Kinds::of(&others))
    }

    fn emits(&self) -> Kinds {
        let own = [Kind::Level, Kind::Trade, Kind::BrokenTrade, Kind::BookTop, Kind::Anomaly, Kind::DataState];
        let depth = if self.weighings.len() > 0 { &[Kind::WeighedDepth][..] } else { &[] };
        let orders = if self.says_orders { &[Kind::OrderShown][..] } else { &[] };
        let levels = if self.says_levels { &[Kind::LevelsShown][..] } else { &[] };
        Kinds::of(&own).or(Kinds::of(depth)).or(Kinds::of(orders)).or(Kinds::of(levels))
    }

    fn scope(&self) -> Scope {
        Scope::Instrument
    }

    fn fan_out(&self) -> usize {
        EVENTS + self.weighings.len()
    }

    #[inline(always)]
    fn on_event(&mut self, event: &Event, out: &mut Out) {
        if self.trust.any_doubtful() {
            self.before_in_doubt(event, out);
        }
        self.apply(event, out);
        if self.trust.any_doubtful() {
            self.after_in_doubt(event, out);
        }
    }

    /// Order messages: they carry the reference whose memory is fetched ahead.
    fn prefetches(&self) -> Kinds {
        ORDER_MESSAGES
    }

    #[inline]
    fn prefetch(&mut self, lookahead: &[Event]) {
        self.ahead.advance(&self.books, lookahead);
    }

    /// The books: the simulated venue looks at them if it is on the same thread.
    fn shared(&self) -> Option<&dyn Any> {
        Some(&self.books)
    }

    fn trading_state(&self, to: &mut TradingState) {
        let (doubtful, which) = self.trust.doubtful();
        to.doubtful = doubtful;
        to.doubtful_instruments.extend(which.take(TradingState::ROWS));
    }

    fn instrument_state(&self, instrument: u32, levels: usize, to: &mut InstrumentState) {
        let doubtful = self.trust.is_doubtful(instrument);
        to.book = self.books.book(instrument).map(|book| book.state(levels, doubtful));
    }

    fn save(&self, to: &mut StateWriter<'_>) {
        self.books.save(to);
        self.trust.save(to);
        self.prints.save(to);
    }

    fn load(&mut self, from: &mut StateReader<'_>) -> Result<(), StateError> {
        self.books.load(from)?;
        self.trust.load(from)?;
        self.prints.load(from)
    }
}

/// The fields that `exec`, `cancel` and `delete` have at the same offsets.
struct Reduction {
    exchange_ts: Ns,
    order_ref: u64,
    qty: Qty,
}

const _: () = assert!(
    offset_of!(Exec, order_ref) == offset_of!(Cancel, order_ref)
        && offset_of!(Exec, order_ref) == offset_of!(Delete, order_ref)
        && offset_of!(Exec, qty) == offset_of!(Cancel, qty)
);

impl Reduction {
    #[inline]
    fn of(event: &Event) -> Reduction {
        let qty = event.body[offset_of!(Cancel, qty)..][..8].try_into().expect("eight bytes");
        Reduction { exchange_ts: exchange_ts(event), order_ref: order_ref_of(event), qty: Qty(u64::from_le_bytes(qty)) }
    }
}

#[inline]
fn is_order_message(kind: Kind) -> bool {
    matches!(kind, Kind::Add | Kind::Exec | Kind::Cancel | Kind::Delete | Kind::Replace)
}

/// Exchange time of an input: the first word of its body. A listing has none.
#[inline]
pub(super) fn exchange_ts(event: &Event) -> Ns {
    let word = event.body[..8].try_into().expect("eight bytes");
    if event.kind == Kind::Listing { Ns::NONE } else { Ns(u64::from_le_bytes(word)) }
}

#[cold]
pub(super) fn push_anomaly(event: &Event, exchange_ts: Ns, fault: Fault, out: &mut Out) {
    let anomaly = fault.what.event(event.ts, event.instrument, exchange_ts, fault.detail);
    out.push(event.instrument, anomaly.flags, anomaly.record::<Anomaly>());
}

#[inline]
fn push_level(event: &Event, exchange_ts: Ns, change: LevelChange, last: Flags, out: &mut Out) {
    let LevelChange { side, px, qty, orders } = change;
    let flags = Flags(event.flags.0 & KEPT).with_side(side).with(last);
    out.push(event.instrument, flags, &Level { exchange_ts, px, qty: Qty(qty), orders, reserved: [0; 12] });
}

/// Pushes the last level that an input changes: it closes the group if the input does.
#[inline]
fn push_last_level(event: &Event, exchange_ts: Ns, change: LevelChange, out: &mut Out) {
    push_level(event, exchange_ts, change, Flags(event.flags.0 & Flags::LAST_OF_GROUP.0), out);
}

#[inline]
fn push_reduced(event: &Event, exchange_ts: Ns, order_ref: u64, reduced: Reduced, over: AnomalyKind, out: &mut Out) {
    if reduced.over {
        push_anomaly(event, exchange_ts, Fault { what: over, detail: order_ref }, out);
    }
    push_last_level(event, exchange_ts, reduced.change, out);
}

#[cold]
fn push_crossed(event: &Event, exchange_ts: Ns, top: Top, out: &mut Out) {
    let what = AnomalyKind::CrossedBook;
    let crossing = what.event_at(event.ts, event.instrument, exchange_ts, top.ask_px.0 as u64, top.bid_px, Qty(0));
    out.push(event.instrument, crossing.flags, crossing.record::<Anomaly>());
}
