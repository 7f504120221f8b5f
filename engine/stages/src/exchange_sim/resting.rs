//! Our resting orders: a pool, a list by time, and per side of an instrument a list by price, then time.
//!
//! They are beside the market's book, never in it. An order carries the queue that was ahead of it when it arrived, kept
//! up to date; our own orders at one price keep their order in the list. The most recent ids of finished orders are
//! remembered, to tell "too late" from "unknown" and to reject a repeated id. Most market data concerns prices where we
//! have no order: a bit per hashed price in [`Lists`] rules them out without touching an order.
//!
//! Bound: the capacity; inserting is linear in our orders on that side of the instrument.

use super::ids::Ids;
use crate::pool::Pool;
use flow::{IntParam, Ns, Px, Side, table};

/// Room for orders of ours.
pub(super) const MAX_OWN_ORDERS: IntParam<u32> = IntParam::new(
    "max_own_orders",
    (16, 1_048_576),
    "16384",
    "orders of ours that rest at once; as many done ones are remembered",
)
.unit("orders");

/// No order.
pub(super) use crate::pool::NONE;
/// In the table of ids: a finished order.
const DONE: u32 = u32::MAX - 1;

/// A free slot in the ring of finished ids. Not zero, so that filling memory with it touches it.
const NOBODY: u64 = u64::MAX;

/// An order of ours that rests at the venue.
#[derive(Clone, Copy, Debug)]
pub(super) struct RestingOrder {
    pub(super) id: u64,
    /// The venue's order number.
    pub(super) venue_order: u64,
    pub(super) instrument: u32,
    pub(super) side: Side,
    pub(super) px: Px,
    /// Total quantity, filled part included.
    pub(super) qty: u64,
    /// Filled quantity.
    pub(super) filled: u64,
    /// Displayed shares of others ahead in the queue.
    pub(super) ahead: u64,
    /// Of those, shares that traded but that the feed has not removed yet; at most `ahead`.
    pub(super) traded: u64,
    /// Number of orders ahead. 0 where the feed does not report orders.
    pub(super) ahead_orders: u32,
    /// When it expires; [`Ns::NONE`] = never.
    pub(super) expires: Ns,
    /// Next in the list of its side.
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

    /// Open quantity.
    pub(super) fn open(&self) -> u64 {
        self.qty - self.filled
    }

    /// Displayed shares that must still trade or leave before it can fill.
    pub(super) fn queue_ahead(&self) -> u64 {
        self.ahead - self.traded
    }

    /// Whether its limit allows a trade at `px`.
    pub(super) fn accepts(&self, px: Px) -> bool {
        trades_at(self.side, self.px, px)
    }

    /// Removes shares from the queue ahead; if `known`, they were counted as traded before.
    pub(super) fn shrink(&mut self, qty: u64, known: bool) {
        if known {
            self.traded = self.traded.saturating_sub(qty);
        }
        self.ahead = self.ahead.saturating_sub(qty);
        self.traded = self.traded.min(self.ahead);
    }
}

/// Whether an order on `side` with this limit can trade at `px`.
pub(super) fn trades_at(side: Side, limit: Px, px: Px) -> bool {
    match side {
        Side::Buy => px <= limit,
        Side::Sell => px >= limit,
        Side::None => false,
    }
}

/// What the venue knows about an order id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum OrderStatus {
    /// Resting, in this slot.
    Live(u32),
    /// Finished.
    Done,
    /// Never seen, or forgotten.
    Unknown,
}

/// All resting orders, and the ids that were seen.
pub(super) struct RestingOrders {
    orders: Pool<RestingOrder>,
    first: u32,
    last: u32,
    ids: Ids,
    /// Ring of finished ids.
    done: Box<[u64]>,
    done_next: usize,
}

/// Our orders on one instrument: the heads of its two lists, and summaries that spare a look at them.
#[derive(Clone, Copy)]
pub(super) struct Lists {
    pub(super) heads: [u32; 2],
    /// A bit per hashed price, by side. Bits of orders that have ended stay until a search misses.
    marks: [u64; 2],
    /// Earliest expiry, or earlier.
    pub(super) expires: Ns,
    /// Whether a side's bits may belong to orders that have ended.
    stale: [bool; 2],
}

impl Lists {
    pub(super) const EMPTY: Lists = Lists { heads: [NONE; 2], marks: [0; 2], expires: Ns::NONE, stale: [false; 2] };

    /// Whether no order rests here.
    #[inline]
    pub(super) fn are_empty(&self) -> bool {
        self.heads[0] & self.heads[1] == NONE
    }

    /// Whether an order may rest at that price; if false, none does.
    #[inline]
    pub(super) fn may_hold(&self, side: Side, px: Px) -> bool {
        self.marks[half(side)] & mark(px) != 0
    }
}

/// The bit of a price; neighbouring prices differ.
#[inline]
fn mark(px: Px) -> u64 {
    1 << ((px.0 as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 58)
}

/// Index of a side in [`Lists::heads`].
pub(super) fn half(side: Side) -> usize {
    usize::from(side == Side::Sell)
}

impl RestingOrders {
    pub(super) fn new(capacity: u32) -> RestingOrders {
        RestingOrders {
            orders: Pool::new(capacity, RestingOrder::VACANT),
            first: NONE,
            last: NONE,
            ids: Ids::new(2 * capacity as usize),
            done: table(capacity as usize, NOBODY),
            done_next: 0,
        }
    }

    pub(super) fn capacity(&self) -> usize {
        self.orders.capacity()
    }

    /// Whether another order can rest.
    pub(super) fn has_room(&self) -> bool {
        self.orders.left() > 0
    }

    pub(super) fn get(&self, at: u32) -> &RestingOrder {
        &self.orders[at]
    }

    pub(super) fn get_mut(&mut self, at: u32) -> &mut RestingOrder {
        &mut self.orders[at]
    }

    pub(super) fn status_of(&self, id: u64) -> OrderStatus {
        match self.ids.get(id) {
            None => OrderStatus::Unknown,
            Some(DONE) => OrderStatus::Done,
            Some(at) => OrderStatus::Live(at),
        }
    }

    /// All resting orders, the oldest first.
    pub(super) fn by_time(&self) -> impl Iterator<Item = u32> {
        let mut at = self.first;
        std::iter::from_fn(move || {
            let this = at;
            at = self.orders.get(at)?.later;
            Some(this)
        })
    }

    /// The oldest resting order.
    pub(super) fn oldest(&self) -> u32 {
        self.first
    }

    /// The next younger order.
    pub(super) fn younger(&self, at: u32) -> u32 {
        self.orders[at].later
    }

    /// The first of our orders at that price.
    #[inline]
    pub(super) fn first_at(&self, lists: &Lists, side: Side, px: Px) -> u32 {
        if lists.may_hold(side, px) { self.seek(lists.heads[half(side)], px) } else { NONE }
    }

    /// [`RestingOrders::first_at`]; a miss clears the bits of orders that have ended.
    #[inline]
    pub(super) fn first_at_pruning(&self, lists: &mut Lists, side: Side, px: Px) -> u32 {
        if !lists.may_hold(side, px) {
            return NONE;
        }
        let found = self.seek(lists.heads[half(side)], px);
        if found == NONE && lists.stale[half(side)] {
            self.rebuild_marks(lists, half(side));
        }
        found
    }

    fn seek(&self, head: u32, px: Px) -> u32 {
        let mut next = head;
        while next != NONE {
            let order = self.get(next);
            if order.px == px {
                return next;
            }
            next = if order.accepts(px) { order.after } else { NONE };
        }
        NONE
    }

    /// Recomputes the bits of one side from its orders.
    #[cold]
    fn rebuild_marks(&self, lists: &mut Lists, half: usize) {
        let mut next = lists.heads[half];
        (lists.marks[half], lists.stale[half]) = (0, false);
        while next != NONE {
            let order = self.get(next);
            lists.marks[half] |= mark(order.px);
            next = order.after;
        }
    }

    /// The day of an instrument's orders is over at `now`; they are cancelled with its next event, or in its slice.
    pub(super) fn end_day(&mut self, lists: &mut Lists, now: Ns) {
        for head in lists.heads {
            let mut next = head;
            while next != NONE {
                let order = &mut self.orders[next];
                if order.expires != Ns::NONE {
                    order.expires = order.expires.min(now);
                    lists.expires = lists.expires.min(now);
                }
                next = order.after;
            }
        }
    }

    /// Inserts an order after those of equal price. The caller has checked [`RestingOrders::has_room`].
    pub(super) fn rest(&mut self, lists: &mut Lists, order: RestingOrder) {
        let at = self.orders.take().expect("the caller has checked the room");
        self.ids.set(order.id, at);
        lists.marks[half(order.side)] |= mark(order.px);
        lists.expires = lists.expires.min(order.expires);
        let head = &mut lists.heads[half(order.side)];
        let (mut before, mut after) = (NONE, *head);
        while after != NONE && trades_at(order.side, self.orders[after].px, order.px) {
            (before, after) = (after, self.orders[after].after);
        }
        self.orders[at] = RestingOrder { before, after, earlier: self.last, later: NONE, ..order };
        match before {
            NONE => *head = at,
            before => self.orders[before].after = at,
        }
        if after != NONE {
            self.orders[after].before = at;
        }
        match self.last {
            NONE => self.first = at,
            last => self.orders[last].later = at,
        }
        self.last = at;
    }

    /// Removes an order and marks its id as finished.
    pub(super) fn end(&mut self, lists: &mut Lists, at: u32) -> RestingOrder {
        let order = self.orders[at];
        lists.stale[half(order.side)] = true;
        match order.before {
            NONE => lists.heads[half(order.side)] = order.after,
            before => self.orders[before].after = order.after,
        }
        if order.after != NONE {
            self.orders[order.after].before = order.before;
        }
        match order.earlier {
            NONE => self.first = order.later,
            earlier => self.orders[earlier].later = order.later,
        }
        match order.later {
            NONE => self.last = order.earlier,
            later => self.orders[later].earlier = order.earlier,
        }
        self.orders.give(at);
        self.remember(order.id);
        order
    }

    /// Gives an order a new id; the old one is finished.
    pub(super) fn rename(&mut self, at: u32, id: u64) {
        let old = std::mem::replace(&mut self.orders[at].id, id);
        self.ids.set(id, at);
        self.remember(old);
    }

    /// Marks an id as finished and forgets the one that finished longest ago.
    pub(super) fn remember(&mut self, id: u64) {
        let oldest = std::mem::replace(&mut self.done[self.done_next], id);
        self.done_next = (self.done_next + 1) % self.done.len();
        if oldest != NOBODY {
            self.ids.forget(oldest);
        }
        self.ids.set(id, DONE);
    }

    /// The finished ids that are remembered, the oldest first.
    pub(super) fn remembered(&self) -> impl Iterator<Item = u64> {
        let (young, old) = self.done.split_at(self.done_next);
        old.iter().chain(young).copied().filter(|id| *id != NOBODY)
    }

    /// Forgets all orders and ids; the caller resets the heads of the lists.
    pub(super) fn clear(&mut self) {
        self.orders.clear();
        (self.first, self.last) = (NONE, NONE);
        self.ids.clear();
        self.done.fill(NOBODY);
        self.done_next = 0;
    }
}
