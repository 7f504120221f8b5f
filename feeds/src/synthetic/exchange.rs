//! The matching engine: what can happen to a book, one message each.
//!
//! Every change of a book is one method that changes it and writes the message that says so, so the books and the tape
//! cannot part. An incoming order that can trade takes resting orders from the best price on, first come first served
//! ([`Exchange::take`]), and only its remainder may rest; an order that rests is first moved off the opposite touch
//! ([`Exchange::rest`]). Hence no book is crossed or locked after any message.
//!
//! Bound: a taker fills against at most [`MAX_FILLS`] orders, resting expires at most [`MAX_EXPIRED`].

use super::book::{Books, Owner, Side, TICKS};
use super::clock::Clock;
use super::config::SyntheticConfig;
use super::dice::Dice;
use super::symbol::{Directory, Handle, Symbol};
use super::tape::Tape;
use super::zipf::Zipf;
use crate::itch::wire::{self, Head, Message};

/// The exchange's own best prices after a message; prices in 1/10,000 of a dollar, 0 with quantity 0 where a side is empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Truth {
    /// 1-based number of the message in the file.
    pub message_number: u64,
    /// Locate of the message, 0 when it is about no symbol (then the rest is 0).
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
/// The most hopeless orders that are expired to make room for one that rests.
pub(super) const MAX_EXPIRED: u32 = 4;
/// Prices on the wire are in 1/10,000 of a dollar.
pub(super) const PER_TICK: u32 = 100;
/// The participants that quote under their name.
pub(super) const PARTICIPANTS: [[u8; 4]; 4] = [*b"MKRA", *b"MKRB", *b"DESK", *b"WHLS"];
/// Chance, out of 65,536, that a market maker quotes under its name.
const NAMED: u32 = 4_000;

/// Sees the truth after each message.
pub(super) type Observer = Box<dyn FnMut(Truth) + Send>;

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
    /// Layers that each market maker keeps on a side.
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
        let Directory { symbols, by_rank } =
            Directory::new(config.symbols as usize, config.messages, config.live_orders, &zipf, &mut dice);
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

    /// The head of a message about no symbol.
    pub(super) fn head_of_all(&self) -> Head {
        self.tape.head(0)
    }

    /// Writes a message, and tells the observer, if there is one, what the book of its symbol is now.
    #[inline]
    pub(super) fn say(&mut self, head: Head, message: &impl Message) {
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
        let truth = Truth { message_number: self.tape.written(), locate, bid_px, bid_qty, ask_px, ask_qty };
        if let Some(observer) = &mut self.observer {
            observer(truth);
        }
    }

    /// The next order reference: nearly one after the other, unique over all symbols.
    #[inline]
    fn next_reference(&mut self) -> u64 {
        self.reference += 1 + u64::from(self.dice.streak(8_000, 3));
        self.reference
    }

    /// The next match number, remembered by the symbol.
    #[inline]
    pub(super) fn next_match(&mut self, symbol: usize) -> u64 {
        self.matched += 1;
        self.symbols[symbol].last_match = self.matched;
        self.matched
    }

    /// The order of a handle, if it still rests.
    #[inline]
    pub(super) fn alive(&self, handle: Handle) -> Option<u32> {
        self.books.order(handle.place).filter(|o| o.reference == handle.reference).map(|_| handle.place)
    }

    /// The nearest tick to `tick` where an order of `side` can rest: not through the opposite touch and within the
    /// window. Expires what is in the way of a new best price. `None`: there is no such tick, or too much in the way.
    fn make_room(&mut self, symbol: usize, side: Side, tick: u32) -> Option<u32> {
        let opposite = self.books.best(symbol, side.opposite()).map_or(TICKS, |tick| side.mirror(tick));
        let wanted = side.mirror(tick.clamp(1, TICKS - 1)).min(opposite - 1);
        let rank = wanted.max(self.books.deepest(symbol, side));
        if rank >= opposite {
            return None;
        }
        for _ in 0..MAX_EXPIRED {
            match self.books.obstacle(symbol, side, rank) {
                Some(place) => self.delete(place),
                None => return Some(rank),
            }
        }
        None
    }

    /// Lets an order rest at `tick` or as near to it as it can.
    pub(super) fn rest(&mut self, symbol: usize, side: Side, tick: u32, quantity: u32, owner: Owner) -> Option<Handle> {
        let rank = self.make_room(symbol, side, tick)?;
        let reference = self.next_reference();
        let place = self.books.add(symbol, side, rank, quantity, owner, reference);
        let (head, order_ref, shares) = (self.head(symbol), reference, quantity);
        let (side, stock, price) = (side.letter(), self.symbols[symbol].name, side.mirror(rank) * PER_TICK);
        if owner == Owner::Maker && self.dice.chance(NAMED) {
            let attribution = PARTICIPANTS[symbol % PARTICIPANTS.len()];
            self.say(head, &wire::AddOrderMpid { head, order_ref, side, shares, stock, price, attribution });
        } else {
            self.say(head, &wire::AddOrder { head, order_ref, side, shares, stock, price });
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
        self.say(head, &wire::OrderDelete { head, order_ref: order.reference });
    }

    /// Takes `quantity`, less than all, off an order.
    pub(super) fn cancel(&mut self, place: u32, quantity: u32) {
        let Some(&order) = self.books.order(place) else { return };
        debug_assert!(quantity > 0 && quantity < order.quantity);
        self.books.reduce(place, quantity);
        let head = self.head(usize::from(order.symbol));
        self.say(head, &wire::OrderCancel { head, order_ref: order.reference, shares: quantity });
    }

    /// Replaces an order by one at another price, at the end of the queue there. `None`: it could not;
    /// the order may have been expired.
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
        self.say(head, &wire::OrderReplace { head, order_ref, new_ref, shares, price });
        Some(Handle { place, reference })
    }

    /// Executes the front of the queue on `side` for up to `quantity`; what it traded. `price` differs from the order's
    /// for price improvement and crosses; `printed` is false where a cross reports the volume in bulk.
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
            None => self.say(head, &wire::OrderExecuted { head, order_ref, shares, match_number }),
            Some(price) => {
                let printable = if printed { b'Y' } else { b'N' };
                let with_price =
                    wire::OrderExecutedWithPrice { head, order_ref, shares, match_number, printable, price };
                self.say(head, &with_price);
            }
        }
        traded
    }

    /// Trades an incoming order against what rests on `side`, up to its limit; what is left of it, and whether the limit
    /// was reached, so that the remainder can rest.
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

    /// Now and then an execution is better for the taker than the displayed price, by half a tick.
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
