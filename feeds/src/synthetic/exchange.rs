//! The matching engine: every operation on a book, with its message.
//!
//! Each change of a book is one method that makes the change and writes its message, so books and tape cannot diverge.
//! An incoming order that can trade takes resting orders from the best price on, first come, first served
//! ([`Exchange::take`]), and only the remainder may rest; an order that rests is first moved off the opposite touch
//! ([`Exchange::rest`]). Hence no book is crossed or locked after any message.
//!
//! Bound: a taker trades with at most [`MAX_FILLS`] orders; resting an order purges at most [`MAX_PURGED`].

use super::book::{Books, Owner, Side, TICKS};
use super::clock::Clock;
use super::config::SyntheticConfig;
use super::dice::Dice;
use super::symbol::{Directory, Handle, Symbol};
use super::tape::Tape;
use super::zipf::Zipf;
use crate::itch::wire::{self, Head, Message};

/// The exchange's best prices after a message, in 1/10,000 of a dollar; price and quantity are 0 where a side is empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TopOfBook {
    /// 1-based number of the message in the file.
    pub message_number: u64,
    /// Locate of the message; 0 if it concerns no symbol (all other fields are then 0).
    pub locate: u16,
    /// Best bid.
    pub bid_px: u32,
    /// Shares displayed at the best bid.
    pub bid_qty: u64,
    /// Best ask.
    pub ask_px: u32,
    /// Shares displayed at the best ask.
    pub ask_qty: u64,
}

/// The most resting orders that one taker trades with.
pub(super) const MAX_FILLS: u32 = 12;
/// The most far-off orders that are deleted to make room for a new one.
pub(super) const MAX_PURGED: u32 = 4;
/// Wire price units (1/10,000 of a dollar) per tick.
pub(super) const PER_TICK: u32 = 100;
/// The participants that quote under their own name.
pub(super) const PARTICIPANTS: [[u8; 4]; 4] = [*b"MKRA", *b"MKRB", *b"DESK", *b"WHLS"];
/// Probability, in 1/65,536, that a market maker quotes under its own name.
const NAMED: u32 = 4_000;

/// Receives the best prices after each message.
pub(super) type Observer = Box<dyn FnMut(TopOfBook) + Send>;

/// The exchange with its agents.
pub(super) struct Exchange {
    pub(super) dice: Dice,
    pub(super) clock: Clock,
    pub(super) tape: Tape,
    pub(super) books: Books,
    pub(super) symbols: Vec<Symbol>,
    pub(super) by_rank: Vec<u16>,
    pub(super) zipf: Zipf,
    pub(super) target: u32,
    /// Layers of quotes of each market maker on one side.
    pub(super) layers: u32,
    /// The symbol that woke last.
    pub(super) last: usize,
    pub(super) observer: Option<Observer>,
    reference: u64,
    matched: u64,
}

impl Exchange {
    pub(super) fn new(config: &SyntheticConfig) -> Exchange {
        let mut dice = Dice::new(config.seed);
        let zipf = Zipf::new(config.symbols as usize);
        let Directory { symbols, by_rank } = Directory::new(config, &zipf, &mut dice);
        let widths: Vec<u32> = symbols.iter().map(|s| s.width).collect();
        let expected = u64::from(config.live_orders).min(config.messages) as usize;
        Exchange {
            books: Books::new(&widths, expected + expected / 16),
            dice,
            clock: Clock::new(),
            tape: Tape::new(),
            last: usize::from(by_rank[0]),
            symbols,
            by_rank,
            zipf,
            target: config.live_orders,
            layers: (config.live_orders / config.symbols / 4).clamp(1, super::symbol::LAYERS as u32),
            observer: None,
            reference: 1_000,
            matched: 10_000,
        }
    }

    /// The head of a message about a symbol.
    #[inline]
    pub(super) fn head(&self, symbol: usize) -> Head {
        self.tape.head(symbol as u16 + 1)
    }

    /// The head of a message that concerns no symbol.
    pub(super) fn system_head(&self) -> Head {
        self.tape.head(0)
    }

    /// Writes a message and reports the symbol's best prices to the observer, if there is one.
    #[inline]
    pub(super) fn emit(&mut self, head: Head, message: &impl Message) {
        self.tape.put(message);
        if self.observer.is_some() {
            self.report(head.locate);
        }
    }

    #[cold]
    fn report(&mut self, locate: u16) {
        let touch = |side| match locate {
            0 => (0, 0),
            _ => self.books.touch(usize::from(locate) - 1, side).map_or((0, 0), |(t, q)| (t * PER_TICK, q)),
        };
        let ((bid_px, bid_qty), (ask_px, ask_qty)) = (touch(Side::Bid), touch(Side::Ask));
        let top = TopOfBook { message_number: self.tape.written(), locate, bid_px, bid_qty, ask_px, ask_qty };
        if let Some(observer) = &mut self.observer {
            observer(top);
        }
    }

    /// The next order reference: almost consecutive, unique across all symbols.
    #[inline]
    fn next_reference(&mut self) -> u64 {
        self.reference += 1 + u64::from(self.dice.streak(8_000, 3));
        self.reference
    }

    /// The next match number, stored as the symbol's last.
    #[inline]
    pub(super) fn next_match(&mut self, symbol: usize) -> u64 {
        self.matched += 1;
        self.symbols[symbol].last_match = self.matched;
        self.matched
    }

    /// The place of a handle's order, if it still rests.
    #[inline]
    pub(super) fn resting(&self, handle: Handle) -> Option<u32> {
        self.books.order(handle.place).filter(|o| o.reference == handle.reference).map(|_| handle.place)
    }

    /// The nearest rank to `tick` where an order of `side` can rest: not through the opposite touch, and within the
    /// window. Deletes what is in the way of a new best price. `None` if there is no such rank, or too much in the way.
    fn make_room(&mut self, symbol: usize, side: Side, tick: u32) -> Option<u32> {
        let opposite = self.books.best(symbol, side.opposite()).map_or(TICKS, |tick| side.mirror(tick));
        let wanted = side.mirror(tick.clamp(1, TICKS - 1)).min(opposite - 1);
        let rank = wanted.max(self.books.deepest(symbol, side));
        if rank >= opposite {
            return None;
        }
        for _ in 0..MAX_PURGED {
            match self.books.obstacle(symbol, side, rank) {
                Some(place) => self.delete(place),
                None => return Some(rank),
            }
        }
        None
    }

    /// Rests an order at `tick` or as near to it as possible.
    pub(super) fn rest(&mut self, symbol: usize, side: Side, tick: u32, quantity: u32, owner: Owner) -> Option<Handle> {
        let rank = self.make_room(symbol, side, tick)?;
        let reference = self.next_reference();
        let place = self.books.add(symbol, side, rank, quantity, owner, reference);
        let (head, order_ref, shares) = (self.head(symbol), reference, quantity);
        let (side, stock, price) = (side.letter(), self.symbols[symbol].name, side.mirror(rank) * PER_TICK);
        if owner == Owner::Maker && self.dice.chance(NAMED) {
            let attribution = PARTICIPANTS[symbol % PARTICIPANTS.len()];
            self.emit(head, &wire::AddOrderMpid { head, order_ref, side, shares, stock, price, attribution });
        } else {
            self.emit(head, &wire::AddOrder { head, order_ref, side, shares, stock, price });
        }
        let handle = Handle { place, reference };
        self.symbols[symbol].remember(handle);
        Some(handle)
    }

    /// Deletes an order.
    pub(super) fn delete(&mut self, place: u32) {
        let Some(&order) = self.books.order(place) else { return };
        self.books.reduce(place, order.quantity);
        let head = self.head(usize::from(order.symbol));
        self.emit(head, &wire::OrderDelete { head, order_ref: order.reference });
    }

    /// Reduces an order by `quantity`, which is less than all of it.
    pub(super) fn cancel(&mut self, place: u32, quantity: u32) {
        let Some(&order) = self.books.order(place) else { return };
        debug_assert!(quantity > 0 && quantity < order.quantity);
        self.books.reduce(place, quantity);
        let head = self.head(usize::from(order.symbol));
        self.emit(head, &wire::OrderCancel { head, order_ref: order.reference, shares: quantity });
    }

    /// Replaces an order by one at another price, at the end of the queue there. Returns `None` if it could not; the
    /// order may then have been deleted.
    pub(super) fn replace(&mut self, place: u32, tick: u32, quantity: u32) -> Option<Handle> {
        let order = *self.books.order(place)?;
        let symbol = usize::from(order.symbol);
        let rank = self.make_room(symbol, order.side, tick)?;
        self.books.order(place).filter(|o| o.reference == order.reference)?;
        self.books.reduce(place, order.quantity);
        let reference = self.next_reference();
        let place = self.books.add(symbol, order.side, rank, quantity, order.owner, reference);
        let (head, price) = (self.head(symbol), order.side.mirror(rank) * PER_TICK);
        let (order_ref, new_ref, shares) = (order.reference, reference, quantity);
        self.emit(head, &wire::OrderReplace { head, order_ref, new_ref, shares, price });
        Some(Handle { place, reference })
    }

    /// Executes the front of the queue on `side` for up to `quantity`; returns the traded quantity. `price` is set if
    /// it differs from the order's, for price improvement and crosses; `printed` is false if a cross reports the volume
    /// in bulk.
    pub(super) fn execute(
        &mut self,
        symbol: usize,
        side: Side,
        quantity: u32,
        price: Option<u32>,
        printed: bool,
    ) -> u32 {
        let Some(place) = self.books.front(symbol, side) else { return 0 };
        let Some(&order) = self.books.order(place) else { return 0 };
        let traded = quantity.min(order.quantity);
        self.books.reduce(place, traded);
        let (head, order_ref, shares, match_number) =
            (self.head(symbol), order.reference, traded, self.next_match(symbol));
        match price {
            None => self.emit(head, &wire::OrderExecuted { head, order_ref, shares, match_number }),
            Some(price) => {
                let printable = if printed { b'Y' } else { b'N' };
                let with_price =
                    wire::OrderExecutedWithPrice { head, order_ref, shares, match_number, printable, price };
                self.emit(head, &with_price);
            }
        }
        traded
    }

    /// Matches an incoming order against `side` up to its limit; returns the remainder, and whether it may rest because
    /// the limit was reached.
    pub(super) fn take(&mut self, symbol: usize, side: Side, limit: u32, quantity: u32) -> (u32, bool) {
        let mut left = quantity;
        for _ in 0..MAX_FILLS {
            let Some(best) = self.books.best(symbol, side) else { return (left, true) };
            if side.mirror(best) < side.mirror(limit) {
                return (left, true);
            }
            if left == 0 {
                break;
            }
            let price = self.improved(symbol, side, best);
            left -= self.execute(symbol, side, left, price, true);
        }
        (left, false)
    }

    /// Occasionally gives the taker a price better than the displayed one, by half a tick.
    fn improved(&mut self, symbol: usize, side: Side, best: u32) -> Option<u32> {
        let spread_open = self.books.best(symbol, side.opposite()).is_some();
        if !spread_open || !self.dice.chance(600) {
            return None;
        }
        let price = best * PER_TICK;
        Some(match side {
            Side::Bid => price + PER_TICK / 2,
            Side::Ask => price - PER_TICK / 2,
        })
    }
}
