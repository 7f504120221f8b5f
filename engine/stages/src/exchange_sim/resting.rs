//! Our orders that rest: a slab, a list of all by time, and a list by price and time for each side of an instrument.
//!
//! They stand beside the market's book, never in it. What an order knows of its queue is what the market had ahead of
//! it when it came, kept up to date; our own orders at one price follow each other by their place in the list. Ids of
//! orders that are done are remembered, the last so many, to tell "too late" from "unknown" and to refuse an id twice.
//! Most of what the market says is of prices at which nothing of ours rests: [`Lists`] tells so by a mark, without a
//! look at any order.
//! Bound: the capacity; entering is linear in the orders of ours on that side of that instrument.

use super::ids::Ids;
use flow::{Ns, Px, Side};

/// No order.
pub(super) const NONE: u32 = u32::MAX;
/// In the table of ids: an order that is done.
const DONE: u32 = u32::MAX - 1;

/// In the ring of ids that are done: a free place. Not zero, so that filling memory with it touches it.
const NOBODY: u64 = u64::MAX;

/// An order of ours that rests.
#[derive(Clone, Copy, Debug)]
pub(super) struct RestingOrder {
    pub(super) id: u64,
    /// The venue's number of it.
    pub(super) venue_order: u64,
    pub(super) instrument: u32,
    pub(super) side: Side,
    pub(super) px: Px,
    /// All that was ever wanted.
    pub(super) qty: u64,
    /// What was executed of it.
    pub(super) filled: u64,
    /// Displayed shares of others that were there before.
    pub(super) ahead: u64,
    /// Of those, traded but not yet taken off the book by the feed; at most `ahead`.
    pub(super) traded: u64,
    /// Orders that were there before: the first so many of the real queue. 0 where the feed does not know orders.
    pub(super) ahead_orders: u32,
    /// When it ends by itself; [`Ns::NONE`] = never.
    pub(super) expires: Ns,
    /// The next in its side's list.
    pub(super) after: u32,
    pub(super) before: u32,
    pub(super) later: u32,
    pub(super) earlier: u32,
}

impl RestingOrder {
    pub(super) const VACANT: RestingOrder = RestingOrder {
        id: 0,
        venue_order: 0,
        instrument: 0,
        side: Side::None,
        px: Px::NONE,
        qty: 0,
        filled: 0,
        ahead: 0,
        traded: 0,
        ahead_orders: 0,
        expires: Ns::NONE,
        after: NONE,
        before: NONE,
        later: NONE,
        earlier: NONE,
    };

    /// What is still to be filled.
    pub(super) fn open(&self) -> u64 {
        self.qty - self.filled
    }

    /// Displayed shares that still have to trade or leave before it.
    pub(super) fn waits_for(&self) -> u64 {
        self.ahead - self.traded
    }

    /// Whether it is willing to trade at `px`.
    pub(super) fn accepts(&self, px: Px) -> bool {
        willing(self.side, self.px, px)
    }

    /// Takes shares off what is ahead; `known` of them were already counted as traded.
    pub(super) fn shrink(&mut self, qty: u64, known: bool) {
        if known {
            self.traded = self.traded.saturating_sub(qty);
        }
        self.ahead = self.ahead.saturating_sub(qty);
        self.traded = self.traded.min(self.ahead);
    }
}

/// Whether an order on `side` with this limit trades at `px`.
pub(super) fn willing(side: Side, limit: Px, px: Px) -> bool {
    match side {
        Side::Buy => px <= limit,
        Side::Sell => px >= limit,
        Side::None => false,
    }
}

/// What the venue knows of an id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Known {
    /// It rests there.
    Live(u32),
    /// It was there.
    Done,
    /// Nothing.
    Unknown,
}

/// All of them.
pub(super) struct RestingOrders {
    orders: Box<[RestingOrder]>,
    free: u32,
    left: usize,
    first: u32,
    last: u32,
    ids: Ids,
    /// Ids that are done, a ring.
    done: Box<[u64]>,
    done_next: usize,
}

/// Our orders on an instrument: the heads of its two lists, and what can be said of all of them at once.
#[derive(Clone, Copy)]
pub(super) struct Lists {
    pub(super) heads: [u32; 2],
    /// A bit for each price of a side, by its hash. Those of orders that have ended stay until somebody looks in vain.
    marks: [u64; 2],
    /// None of them ends by itself before.
    pub(super) expires: Ns,
    /// Whether a side's marks may be those of orders that have ended.
    stale: [bool; 2],
    /// Whether the best prices, as they stood when they were last looked at, may cross the first of them.
    pub(super) crossed: bool,
}

impl Lists {
    pub(super) const EMPTY: Lists =
        Lists { heads: [NONE; 2], marks: [0; 2], expires: Ns::NONE, stale: [false; 2], crossed: false };

    /// Whether none rests here.
    #[inline]
    pub(super) fn are_empty(&self) -> bool {
        self.heads[0] & self.heads[1] == NONE
    }

    /// Whether one may rest at that price; if not, none does.
    #[inline]
    pub(super) fn may_hold(&self, side: Side, px: Px) -> bool {
        self.marks[half(side)] & mark(px) != 0
    }
}

/// The mark of a price: neighbours have different ones.
#[inline]
fn mark(px: Px) -> u64 {
    1 << ((px.0 as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 58)
}

/// Which list.
pub(super) fn half(side: Side) -> usize {
    usize::from(side == Side::Sell)
}

impl RestingOrders {
    pub(super) fn new(capacity: u32) -> RestingOrders {
        let vacant =
            |at: u32| RestingOrder { later: if at + 1 < capacity { at + 1 } else { NONE }, ..RestingOrder::VACANT };
        RestingOrders {
            orders: (0..capacity).map(vacant).collect(),
            free: 0,
            left: capacity as usize,
            first: NONE,
            last: NONE,
            ids: Ids::new(2 * capacity as usize),
            done: vec![NOBODY; capacity as usize].into_boxed_slice(),
            done_next: 0,
        }
    }

    pub(super) fn capacity(&self) -> usize {
        self.orders.len()
    }

    /// Whether another one can rest.
    pub(super) fn has_room(&self) -> bool {
        self.left > 0
    }

    pub(super) fn get(&self, at: u32) -> &RestingOrder {
        &self.orders[at as usize]
    }

    pub(super) fn get_mut(&mut self, at: u32) -> &mut RestingOrder {
        &mut self.orders[at as usize]
    }

    pub(super) fn known(&self, id: u64) -> Known {
        match self.ids.get(id) {
            None => Known::Unknown,
            Some(DONE) => Known::Done,
            Some(at) => Known::Live(at),
        }
    }

    /// All that rest, the oldest first.
    pub(super) fn by_time(&self) -> impl Iterator<Item = u32> {
        let mut at = self.first;
        std::iter::from_fn(move || {
            let this = at;
            at = self.orders.get(at as usize)?.later;
            Some(this)
        })
    }

    /// The oldest.
    pub(super) fn oldest(&self) -> u32 {
        self.first
    }

    /// The next younger.
    pub(super) fn younger(&self, at: u32) -> u32 {
        self.orders[at as usize].later
    }

    /// The first order at that price.
    #[inline]
    pub(super) fn first_at(&self, lists: &Lists, side: Side, px: Px) -> u32 {
        if lists.may_hold(side, px) { self.seek(lists.heads[half(side)], px) } else { NONE }
    }

    /// [`RestingOrders::first_at`], and what was looked for in vain because of old marks will not be again.
    #[inline]
    pub(super) fn first_there(&self, lists: &mut Lists, side: Side, px: Px) -> u32 {
        if !lists.may_hold(side, px) {
            return NONE;
        }
        let found = self.seek(lists.heads[half(side)], px);
        if found == NONE && lists.stale[half(side)] {
            self.renew(lists, half(side));
        }
        found
    }

    fn seek(&self, head: u32, px: Px) -> u32 {
        let mut next = head;
        while next != NONE {
            let own = self.get(next);
            if own.px == px {
                return next;
            }
            next = if own.accepts(px) { own.after } else { NONE };
        }
        NONE
    }

    /// Marks the prices at which orders rest now.
    #[cold]
    fn renew(&self, lists: &mut Lists, half: usize) {
        let mut next = lists.heads[half];
        (lists.marks[half], lists.stale[half]) = (0, false);
        while next != NONE {
            let own = self.get(next);
            lists.marks[half] |= mark(own.px);
            next = own.after;
        }
    }

    /// Enters an order behind its equals. The caller asked [`RestingOrders::has_room`].
    pub(super) fn rest(&mut self, lists: &mut Lists, own: RestingOrder) {
        let at = self.free;
        self.free = self.orders[at as usize].later;
        self.left -= 1;
        self.ids.set(own.id, at);
        lists.marks[half(own.side)] |= mark(own.px);
        lists.expires = lists.expires.min(own.expires);
        lists.crossed = true;
        let head = &mut lists.heads[half(own.side)];
        let (mut before, mut after) = (NONE, *head);
        while after != NONE && willing(own.side, self.orders[after as usize].px, own.px) {
            (before, after) = (after, self.orders[after as usize].after);
        }
        self.orders[at as usize] = RestingOrder { before, after, earlier: self.last, later: NONE, ..own };
        match before {
            NONE => *head = at,
            before => self.orders[before as usize].after = at,
        }
        if after != NONE {
            self.orders[after as usize].before = at;
        }
        match self.last {
            NONE => self.first = at,
            last => self.orders[last as usize].later = at,
        }
        self.last = at;
    }

    /// Takes an order out; its id is done.
    pub(super) fn end(&mut self, lists: &mut Lists, at: u32) -> RestingOrder {
        let own = self.orders[at as usize];
        lists.stale[half(own.side)] = true;
        match own.before {
            NONE => lists.heads[half(own.side)] = own.after,
            before => self.orders[before as usize].after = own.after,
        }
        if own.after != NONE {
            self.orders[own.after as usize].before = own.before;
        }
        match own.earlier {
            NONE => self.first = own.later,
            earlier => self.orders[earlier as usize].later = own.later,
        }
        match own.later {
            NONE => self.last = own.earlier,
            later => self.orders[later as usize].earlier = own.earlier,
        }
        self.orders[at as usize] = RestingOrder { later: self.free, ..RestingOrder::VACANT };
        self.free = at;
        self.left += 1;
        self.remember(own.id);
        own
    }

    /// An order goes on under another id; the old one is done.
    pub(super) fn rename(&mut self, at: u32, id: u64) {
        let old = std::mem::replace(&mut self.orders[at as usize].id, id);
        self.ids.set(id, at);
        self.remember(old);
    }

    /// An id is done; the one that was done longest ago is forgotten for it.
    pub(super) fn remember(&mut self, id: u64) {
        let oldest = std::mem::replace(&mut self.done[self.done_next], id);
        self.done_next = (self.done_next + 1) % self.done.len();
        if oldest != NOBODY {
            self.ids.forget(oldest);
        }
        self.ids.set(id, DONE);
    }

    /// Ids that are done and remembered, the oldest first.
    pub(super) fn remembered(&self) -> impl Iterator<Item = u64> {
        let (young, old) = self.done.split_at(self.done_next);
        old.iter().chain(young).copied().filter(|id| *id != NOBODY)
    }

    /// Forgets everything; the lists' heads are the caller's.
    pub(super) fn clear(&mut self) {
        let capacity = self.orders.len() as u32;
        for at in 0..capacity {
            self.orders[at as usize] =
                RestingOrder { later: if at + 1 < capacity { at + 1 } else { NONE }, ..RestingOrder::VACANT };
        }
        (self.free, self.left, self.first, self.last) = (0, capacity as usize, NONE, NONE);
        self.ids.clear();
        self.done.fill(NOBODY);
        self.done_next = 0;
    }
}
