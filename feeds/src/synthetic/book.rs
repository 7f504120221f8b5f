//! The exchange's own books: resting orders in price-time order.
//!
//! The orders of all symbols share one slab; a level is a doubly linked FIFO queue through it. Each side of a symbol is
//! a window of levels, addressed by price modulo its width (a power of two), with one bit per level so that the next
//! best price is found word by word. Both sides share one code path: a price is converted to a *rank* that grows
//! towards the touch (the tick itself for bids, its mirror image for asks), so the best level has the highest rank.
//!
//! Invariant: all ranks of a side lie within one window below the best. [`Books::obstacle`] returns an order that a new
//! best price would push out of the window; the caller deletes it first, as an exchange purges orders far from the
//! market.
//!
//! Bound: adding, reducing and removing an order take constant time except for the search for the next best level, at
//! most width ÷ 64 words. This code belongs to the exchange alone, so that the engine's book can be tested against it.

/// No order.
pub(super) const NONE: u32 = u32::MAX;
/// Ticks are greater than 0 and less than this.
pub(super) const TICKS: u32 = 1 << 20;

/// A side of a book.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    Bid,
    Ask,
}

impl Side {
    pub(super) const fn opposite(self) -> Side {
        match self {
            Side::Bid => Side::Ask,
            Side::Ask => Side::Bid,
        }
    }

    /// The side's letter on the wire.
    pub(super) const fn letter(self) -> u8 {
        match self {
            Side::Bid => b'B',
            Side::Ask => b'S',
        }
    }

    /// Converts a tick to a rank, or a rank to a tick.
    #[inline]
    pub(super) const fn mirror(self, tick: u32) -> u32 {
        match self {
            Side::Bid => tick,
            Side::Ask => TICKS - tick,
        }
    }
}

/// The owner of an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Owner {
    Maker,
    Patient,
}

/// A resting order; `quantity` 0 marks a free place in the slab.
#[derive(Clone, Copy)]
pub(super) struct Order {
    pub(super) reference: u64,
    pub(super) rank: u32,
    pub(super) quantity: u32,
    before: u32,
    after: u32,
    pub(super) symbol: u16,
    pub(super) side: Side,
    pub(super) owner: Owner,
}

impl Order {
    pub(super) fn tick(&self) -> u32 {
        self.side.mirror(self.rank)
    }
}

#[derive(Clone, Copy)]
struct Level {
    first: u32,
    last: u32,
    quantity: u64,
}

#[derive(Clone, Copy)]
struct Ladder {
    /// Rank of the best level; 0 if the side is empty.
    best: u32,
    base: u32,
    mask: u32,
}

impl Ladder {
    #[inline]
    fn slot(&self, rank: u32) -> usize {
        (self.base + (rank & self.mask)) as usize
    }
}

/// The books of all symbols.
pub(super) struct Books {
    orders: Vec<Order>,
    free: u32,
    live: u32,
    levels: Vec<Level>,
    occupied: Vec<u64>,
    ladders: Vec<[Ladder; 2]>,
}

impl Books {
    /// Empty books, with a window of `widths[i]` levels (a power of two, at least 64) on each side of symbol i.
    pub(super) fn new(widths: &[u32], expected_orders: usize) -> Books {
        let mut base = 0;
        let mut ladder = |width: u32| {
            debug_assert!(width.is_power_of_two() && width >= 64);
            let ladder = Ladder { best: 0, base, mask: width - 1 };
            base += width;
            ladder
        };
        let ladders = widths.iter().map(|&w| [ladder(w), ladder(w)]).collect();
        Books {
            orders: Vec::with_capacity(expected_orders),
            free: NONE,
            live: 0,
            levels: vec![Level { first: NONE, last: NONE, quantity: 0 }; base as usize],
            occupied: vec![0; base as usize / 64],
            ladders,
        }
    }

    /// Number of resting orders.
    #[inline]
    pub(super) fn live(&self) -> u32 {
        self.live
    }

    /// Number of places in the slab, used or free.
    #[inline]
    pub(super) fn places(&self) -> u32 {
        self.orders.len() as u32
    }

    /// The order at a place of the slab, if there is one.
    #[inline]
    pub(super) fn order(&self, place: u32) -> Option<&Order> {
        self.orders.get(place as usize).filter(|o| o.quantity > 0)
    }

    /// The best tick of a side.
    #[inline]
    pub(super) fn best(&self, symbol: usize, side: Side) -> Option<u32> {
        let best = self.ladders[symbol][side as usize].best;
        (best > 0).then(|| side.mirror(best))
    }

    /// The best tick of a side and the quantity there.
    pub(super) fn touch(&self, symbol: usize, side: Side) -> Option<(u32, u64)> {
        let ladder = &self.ladders[symbol][side as usize];
        (ladder.best > 0).then(|| (side.mirror(ladder.best), self.levels[ladder.slot(ladder.best)].quantity))
    }

    /// The place of the first order in the queue at the best price.
    #[inline]
    pub(super) fn front(&self, symbol: usize, side: Side) -> Option<u32> {
        let ladder = &self.ladders[symbol][side as usize];
        (ladder.best > 0).then(|| self.levels[ladder.slot(ladder.best)].first)
    }

    /// The place of the last order in the queue at the best price.
    #[inline]
    pub(super) fn back(&self, symbol: usize, side: Side) -> Option<u32> {
        let ladder = &self.ladders[symbol][side as usize];
        (ladder.best > 0).then(|| self.levels[ladder.slot(ladder.best)].last)
    }

    /// The lowest rank in the current window.
    #[inline]
    pub(super) fn deepest(&self, symbol: usize, side: Side) -> u32 {
        let ladder = &self.ladders[symbol][side as usize];
        ladder.best.saturating_sub(ladder.mask).max(1)
    }

    /// The place of an order that must be deleted before `rank` can become the best of its side.
    pub(super) fn obstacle(&self, symbol: usize, side: Side, rank: u32) -> Option<u32> {
        let ladder = &self.ladders[symbol][side as usize];
        if ladder.best == 0 || rank <= ladder.best {
            return None;
        }
        let reach = rank.min(ladder.best + ladder.mask + 1);
        (ladder.best + 1..=reach).map(|r| self.levels[ladder.slot(r)].first).find(|&first| first != NONE)
    }

    /// Appends an order to its level's queue. Its rank must fit the window and must not cross the other side.
    pub(super) fn add(
        &mut self,
        symbol: usize,
        side: Side,
        rank: u32,
        quantity: u32,
        owner: Owner,
        reference: u64,
    ) -> u32 {
        debug_assert!(quantity > 0 && rank > 0 && rank < TICKS);
        let place = if self.free == NONE { self.orders.len() as u32 } else { self.free };
        let ladder = &mut self.ladders[symbol][side as usize];
        let slot = ladder.slot(rank);
        ladder.best = ladder.best.max(rank);
        let level = &mut self.levels[slot];
        let (before, after) = (level.last, NONE);
        let order = Order { reference, rank, quantity, before, after, symbol: symbol as u16, side, owner };
        level.last = place;
        level.quantity += u64::from(quantity);
        if before == NONE {
            level.first = place;
            self.occupied[slot / 64] |= 1 << (slot % 64);
        } else {
            self.orders[before as usize].after = place;
        }
        match self.orders.get_mut(place as usize) {
            Some(free) => {
                self.free = free.after;
                *free = order;
            }
            None => self.orders.push(order),
        }
        self.live += 1;
        place
    }

    /// Reduces an order by `quantity`; removes it when nothing is left.
    pub(super) fn reduce(&mut self, place: u32, quantity: u32) {
        let order = &mut self.orders[place as usize];
        assert!(quantity <= order.quantity, "an order gives no more than it has");
        order.quantity -= quantity;
        let order = *order;
        let slot = self.ladders[order.symbol as usize][order.side as usize].slot(order.rank);
        self.levels[slot].quantity -= u64::from(quantity);
        if order.quantity == 0 {
            self.unlink(place, &order, slot);
        }
    }

    fn unlink(&mut self, place: u32, order: &Order, slot: usize) {
        match order.before {
            NONE => self.levels[slot].first = order.after,
            before => self.orders[before as usize].after = order.after,
        }
        match order.after {
            NONE => self.levels[slot].last = order.before,
            after => self.orders[after as usize].before = order.before,
        }
        self.orders[place as usize].after = self.free;
        self.free = place;
        self.live -= 1;
        if self.levels[slot].first == NONE {
            self.occupied[slot / 64] &= !(1 << (slot % 64));
            let ladder = self.ladders[order.symbol as usize][order.side as usize];
            if ladder.best == order.rank {
                self.ladders[order.symbol as usize][order.side as usize].best = self.next_below(&ladder);
            }
        }
    }

    /// Rank of the next occupied level below the best; 0 if there is none.
    fn next_below(&self, ladder: &Ladder) -> u32 {
        let mut distance = 1;
        while distance <= ladder.mask {
            let slot = ladder.slot(ladder.best.wrapping_sub(distance));
            let bit = (slot % 64) as u32;
            let rest = self.occupied[slot / 64] << (63 - bit);
            if rest != 0 {
                let found = distance + rest.leading_zeros();
                return if found <= ladder.mask { ladder.best - found } else { 0 };
            }
            distance += bit + 1;
        }
        0
    }
}
