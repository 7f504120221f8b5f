//! Which order of one side is which of the other.
//!
//! An order is known by what made it: the recorded input of its slot, or the order whose answer did; and by strategy, account,
//! instrument, side, the order that it replaces, and its place among those that agree in all of that. What an order's events
//! still have no counterpart for waits with it. Bound: orders that have not ended on a side where they are, and the last [`KEPT`]
//! of the others.

use super::cause::Because;
use super::tally::Place;
use flow::{Event, Kind, OrderId};
use std::collections::{BTreeMap, VecDeque};

/// Orders that are kept although they have ended.
pub(super) const KEPT: usize = 1 << 16;

/// Number of an order in the table.
pub(super) type At = u32;

/// What an order is among those that the same thing made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Key {
    pub(super) account: u8,
    pub(super) strategy: u16,
    pub(super) instrument: u32,
    pub(super) side: u16,
    pub(super) replaces: Option<At>,
}

impl Key {
    /// Of a request, and of the order that it replaces.
    pub(super) fn of(request: &Event, id: u64, replaces: Option<At>) -> Key {
        let (account, strategy) = (OrderId(id).account().0, OrderId(id).strategy().0);
        Key { account, strategy, instrument: request.instrument, side: request.flags.0 & 3, replaces }
    }
}

/// An order that something made.
#[derive(Debug)]
pub(super) struct Child {
    key: Key,
    /// Its place among those of the same key.
    nth: u32,
    at: At,
    on: [bool; 2],
}

/// An event that has no counterpart yet.
#[derive(Clone, Copy, Debug)]
pub(super) struct Waiting {
    pub(super) side: usize,
    pub(super) event: Event,
    /// Why it differs, if its slot is over, and where it stands in the list.
    pub(super) found: Option<(Because, Option<Place>)>,
}

/// An order of one side or of both.
#[derive(Debug, Default)]
pub(super) struct Order {
    ids: [u64; 2],
    /// Quantity that is not filled, on each side.
    left: [u64; 2],
    over: [bool; 2],
    pub(super) waiting: Vec<Waiting>,
    pub(super) children: Vec<Child>,
    /// Since when it differs.
    pub(super) differs: Option<flow::Ns>,
    retired: bool,
}

impl Order {
    /// Whether it is on both sides.
    pub(super) fn is_paired(&self) -> bool {
        self.ids.iter().all(|id| *id != 0)
    }

    /// Whether it has ended wherever it is.
    fn is_over(&self) -> bool {
        (0..2).all(|side| self.over[side] || self.ids[side] == 0)
    }
}

/// All orders that are kept.
#[derive(Default)]
pub(super) struct Orders {
    table: BTreeMap<At, Order>,
    next: At,
    by_id: [BTreeMap<u64, At>; 2],
    over: VecDeque<At>,
}

impl Orders {
    /// The order of that id on a side; one that was there before the record is the same on both.
    pub(super) fn of(&mut self, side: usize, id: u64) -> At {
        if let Some(at) = self.by_id[side].get(&id) {
            return *at;
        }
        let at = match self.by_id[1 - side].get(&id) {
            // An order of that number is another one if it was made here.
            Some(at) if self.table[at].ids == [id; 2] => *at,
            _ => self.add(),
        };
        let order = self.table.get_mut(&at).expect("it is there");
        order.ids = [id; 2];
        self.by_id[side].insert(id, at);
        at
    }

    /// A request makes an order: the one of the other side that it is, or a new one. `siblings` are what the same thing made.
    pub(super) fn make(&mut self, siblings: &mut Vec<Child>, side: usize, key: Key, id: u64, qty: u64) -> At {
        let nth = siblings.iter().filter(|child| child.key == key && child.on[side]).count() as u32;
        let known = siblings.iter_mut().find(|child| child.key == key && child.nth == nth);
        let at = match known.filter(|child| self.table.contains_key(&child.at)) {
            Some(child) => {
                child.on[side] = true;
                child.at
            }
            None => {
                let (at, mut on) = (self.add(), [false; 2]);
                on[side] = true;
                siblings.push(Child { key, nth, at, on });
                at
            }
        };
        let order = self.table.get_mut(&at).expect("it is there");
        (order.ids[side], order.left[side]) = (id, qty);
        self.by_id[side].insert(id, at);
        at
    }

    fn add(&mut self) -> At {
        self.next += 1;
        self.table.insert(self.next, Order::default());
        self.next
    }

    /// An order.
    pub(super) fn get(&mut self, at: At) -> &mut Order {
        self.table.get_mut(&at).expect("an order is kept while something of it comes")
    }

    /// Takes note of what an event says of an order: whether it has ended on that side.
    pub(super) fn note(&mut self, at: At, side: usize, event: &Event) {
        use flow::records::{Ack, Fill, Reject};
        let replaced = event.get::<Ack>().map(|ack| ack.replaces).filter(|id| *id != 0);
        let order = self.table.get_mut(&at).expect("an order is kept while something of it comes");
        let ended = match event.kind {
            Kind::Refused | Kind::Cancelled => true,
            Kind::Reject => flow::Action::makes_an_order(event.record::<Reject>().action),
            Kind::Fill => {
                let left = order.left[side].saturating_sub(event.record::<Fill>().qty.0);
                order.left[side] = left;
                left == 0
            }
            _ => false,
        };
        if ended {
            self.ended(at, side);
        }
        if let Some(replaced) = replaced.and_then(|id| self.by_id[side].get(&id).copied()) {
            self.ended(replaced, side);
        }
    }

    fn ended(&mut self, at: At, side: usize) {
        let Some(order) = self.table.get_mut(&at) else { return };
        order.over[side] = true;
        if order.is_over() && !std::mem::replace(&mut order.retired, true) {
            self.over.push_back(at);
        }
    }

    /// Takes the orders out that need not be kept any longer; all of them if `all`.
    pub(super) fn leave(&mut self, all: bool) -> Vec<Order> {
        let mut left = Vec::new();
        while self.over.len() > KEPT {
            let at = self.over.pop_front().expect("there is one");
            // The other side may have made it since.
            if self.table.get_mut(&at).is_some_and(|order| !order.is_over() && std::mem::take(&mut order.retired)) {
                continue;
            }
            if let Some(order) = self.table.remove(&at) {
                for (by_id, id) in self.by_id.iter_mut().zip(order.ids) {
                    by_id.remove(&id);
                }
                left.push(order);
            }
        }
        if all {
            left.extend(std::mem::take(&mut self.table).into_values());
        }
        left
    }
}
