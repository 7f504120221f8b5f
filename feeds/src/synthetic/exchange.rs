//! The matching engine: what can happen to a book, one message each.
//!
//! Every change of a book is one method that changes it and writes the message that says so, so the books and the tape
//! cannot part. An incoming order that can trade takes resting orders from the best price on, first come first served
//! ([`Exchange::take`]), and only its remainder may rest; an order that rests is first moved off the opposite touch
//! ([`Exchange::rest`]). Hence no book is crossed or locked after any message.
//!
//! Bound: a taker fills against at most [`MAX_FILLS`] orders, resting expires at most [`MAX_EXPIRED`].

use super::Truth;
use super::book::{Books, Owner, Side, TICKS};
use super::clock::Clock;
use super::config::SyntheticConfig;
use super::dice::Dice;
use super::symbol::{Directory, Handle, Symbol};
use super::tape::Tape;
use super::zipf::Zipf;

/// The most resting orders that one taker trades with.
pub(super) const MAX_FILLS: u32 = 12;
/// The most hopeless orders that are expired to make room for one that rests.
pub(super) const MAX_EXPIRED: u32 = 4;
/// Prices on the wire are in 1/10,000 of a dollar.
pub(super) const PER_TICK: u32 = 100;
/// The participants that quote under their name.
const PARTICIPANTS: [&[u8; 4]; 4] = [b"MKRA", b"MKRB", b"DESK", b"WHLS"];

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

    /// Tells the observer, if there is one, what the symbol's book is now.
    #[inline]
    pub(super) fn observe(&mut self, locate: u16) {
        if self.observer.is_some() {
            self.report(locate);
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
        let locate = symbol as u16 + 1;
        let price = side.mirror(rank) * PER_TICK;
        let name = &self.symbols[symbol].name;
        let named = owner == Owner::Maker && self.dice.chance(4_000);
        let participant = PARTICIPANTS[symbol % PARTICIPANTS.len()];
        let (kind, length) = if named { (b'F', 40) } else { (b'A', 36) };
        self.tape.put(kind, length, locate, |w| {
            let w = w.u64(reference).side(side).u32(quantity).text(name).u32(price);
            if named { w.text(participant) } else { w }
        });
        self.observe(locate);
        let handle = Handle { place, reference };
        self.symbols[symbol].remember(handle);
        Some(handle)
    }

    /// Deletes an order.
    pub(super) fn delete(&mut self, place: u32) {
        let Some(&order) = self.books.order(place) else { return };
        self.books.reduce(place, order.quantity);
        self.tape.put(b'D', 19, order.symbol + 1, |w| w.u64(order.reference));
        self.observe(order.symbol + 1);
    }

    /// Takes `quantity`, less than all, off an order.
    pub(super) fn cancel(&mut self, place: u32, quantity: u32) {
        let Some(&order) = self.books.order(place) else { return };
        debug_assert!(quantity > 0 && quantity < order.quantity);
        self.books.reduce(place, quantity);
        self.tape.put(b'X', 23, order.symbol + 1, |w| w.u64(order.reference).u32(quantity));
        self.observe(order.symbol + 1);
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
        let price = order.side.mirror(rank) * PER_TICK;
        self.tape.put(b'U', 35, order.symbol + 1, |w| w.u64(order.reference).u64(reference).u32(quantity).u32(price));
        self.observe(order.symbol + 1);
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
        let number = self.next_match(symbol);
        self.books.reduce(place, traded);
        let locate = order.symbol + 1;
        match price {
            None => self.tape.put(b'E', 31, locate, |w| w.u64(order.reference).u32(traded).u64(number)),
            Some(price) => self.tape.put(b'C', 36, locate, |w| {
                let w = w.u64(order.reference).u32(traded).u64(number);
                w.byte(if printed { b'Y' } else { b'N' }).u32(price)
            }),
        }
        self.observe(locate);
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
