//! Compares a slot: finds whose each event is, pairs both sides, and looks for the cause of what differs.
//!
//! What differs is looked at in the order in which it happened, so that whatever came first is a cause of what followed: first
//! what the recorded input made, market data before decisions, then answer by answer. Bound: the events of the slot.

use super::cause::{Asked, Because, Changes, Marks};
use super::loose;
use super::mask::{Masks, Role, order_of, role};
use super::orders::{At, Child, Key, Order, Orders, Waiting};
use super::side::Item;
use super::tally::Tally;
use flow::records::{ReplaceRequest, Request};
use flow::{Event, Kind, Kinds, Ns};

/// When something happened within a slot: whether behind an answer, when, what kind of thing, where.
type When = (bool, Ns, u8, usize);

/// A difference of this slot.
#[derive(Clone, Copy)]
struct Found {
    when: When,
    sides: [Option<Event>; 2],
    order: Option<At>,
    /// It waits for the other side, with this side's event of the order.
    waits: Option<usize>,
}

/// The comparison of slots.
pub(super) struct Slots {
    masks: Masks,
    changes: Changes,
    marks: Marks,
    orders: Orders,
    tally: Tally,
    /// Orders that the recorded input of the slot made.
    siblings: Vec<Child>,
    found: Vec<Found>,
}

impl Slots {
    pub(super) fn new(changes: Changes) -> Slots {
        Slots {
            masks: Masks::new(changes.elsewhere),
            changes,
            marks: Marks::default(),
            orders: Orders::default(),
            tally: Tally::new(),
            siblings: Vec::new(),
            found: Vec::new(),
        }
    }

    /// Compares two outcomes of no order in the same slot; `false` if they are not the same thing, and then nothing is counted.
    #[inline]
    pub(super) fn compare_plain(&mut self, a: &Event, b: &Event) -> bool {
        if a.kind == b.kind && a.id.position() == b.id.position() && self.masks.same(a, b) {
            self.tally.same(a.kind);
            return true;
        }
        self.masks.pair(a, b) && self.plain_differs(a, b)
    }

    #[cold]
    fn plain_differs(&mut self, a: &Event, b: &Event) -> bool {
        let sides = [Some(*a), Some(*b)];
        self.found.push(Found { when: (false, a.ts, 0, 0), sides, order: None, waits: None });
        self.explain();
        true
    }

    /// Compares what is left of a slot.
    pub(super) fn take(&mut self, items: &[Vec<Item>; 2]) {
        self.siblings.clear();
        let owners = [0, 1].map(|side| self.owners(side, &items[side]));
        let loose = [0, 1].map(|side| {
            let all = items[side].iter().zip(&owners[side]);
            all.filter(|(item, owner)| owner.is_none() && counts(item)).map(|(item, _)| item).collect::<Vec<_>>()
        });
        for (place, sides) in loose::pairs(&loose[0], &loose[1], &self.masks).into_iter().enumerate() {
            self.compare([sides[0].map(|item| &item.event), sides[1].map(|item| &item.event)], when(sides, place));
        }
        for side in [0, 1] {
            for (place, (item, owner)) in items[side].iter().zip(&owners[side]).enumerate() {
                if let Some(at) = owner.filter(|_| counts(item)) {
                    self.of_order(side, at, item, place);
                }
            }
        }
        self.waiting(&owners);
        self.explain();
        for order in self.orders.leave(false) {
            self.settle(&order);
        }
    }

    /// The order of each event, if it is of one: the one that it names, or else the one whose answer caused it.
    fn owners(&mut self, side: usize, items: &[Item]) -> Vec<Option<At>> {
        let (mut turn, mut answered) = (0, None);
        let mut owners = Vec::with_capacity(items.len());
        for item in items {
            let event = &item.event;
            self.tally.totals.take(side, event);
            if item.turn != turn {
                (turn, answered) = (item.turn, None);
            }
            let owner = match event.kind {
                Kind::Request => {
                    let Request { order_id, qty, .. } = *event.record();
                    Some(self.made(side, answered, event, order_id, qty.0, None))
                }
                Kind::ReplaceRequest => {
                    let ReplaceRequest { order_id, new_id, qty, .. } = *event.record();
                    let replaces = self.orders.of(side, order_id);
                    Some(self.made(side, answered, event, new_id, qty.0, Some(replaces)))
                }
                _ => order_of(event).map(|id| self.orders.of(side, id)).or(answered),
            };
            if item.is_input() {
                answered = owner;
            }
            owners.push(owner);
        }
        owners
    }

    /// A request makes an order.
    fn made(&mut self, side: usize, by: Option<At>, event: &Event, id: u64, qty: u64, replaces: Option<At>) -> At {
        let key = Key::of(event, id, replaces);
        match by {
            None => self.orders.make(&mut self.siblings, side, key, id, qty),
            Some(by) => {
                let mut children = std::mem::take(&mut self.orders.get(by).children);
                let at = self.orders.make(&mut children, side, key, id, qty);
                self.orders.get(by).children = children;
                at
            }
        }
    }

    /// Compares two events, or takes one that has no counterpart as a difference.
    fn compare(&mut self, sides: [Option<&Event>; 2], when: When) {
        match sides {
            [Some(a), Some(b)] if self.masks.same(a, b) => self.tally.same(a.kind),
            sides => {
                let sides = sides.map(Option::<&Event>::copied);
                self.found.push(Found { when, sides, order: None, waits: None });
            }
        }
    }

    /// An event of an order: its counterpart waits, or it waits itself.
    fn of_order(&mut self, side: usize, at: At, item: &Item, place: usize) {
        let event = &item.event;
        self.orders.note(at, side, event);
        let order = self.orders.get(at);
        let other = order.waiting.iter().position(|w| w.side != side && w.event.kind == event.kind);
        let Some(other) = other else {
            order.waiting.push(Waiting { side, event: *event, found: None });
            return;
        };
        let Waiting { event: before, found, .. } = order.waiting.remove(other);
        let sides = if side == 1 { [before, *event] } else { [*event, before] };
        let both = [Some(&sides[0]), Some(&sides[1])];
        match found {
            Some((because, listed)) => {
                self.tally.count(both, because);
                self.tally.complete(listed, both);
            }
            None if self.masks.same(&sides[0], &sides[1]) => self.tally.same(event.kind),
            None => {
                let when = (item.turn > 0, event.ts, rank(event.kind), place);
                self.found.push(Found { when, sides: sides.map(Some), order: Some(at), waits: None });
            }
        }
    }

    /// What waits since this slot is a difference already, whatever comes.
    fn waiting(&mut self, owners: &[Vec<Option<At>>; 2]) {
        let mut seen: Vec<At> = owners.iter().flatten().flatten().copied().collect();
        seen.sort_unstable();
        seen.dedup();
        for at in seen {
            for (waits, waiting) in self.orders.get(at).waiting.iter().enumerate() {
                if waiting.found.is_some() {
                    continue;
                }
                let event = waiting.event;
                let mut sides = [None; 2];
                sides[waiting.side] = Some(event);
                // Behind an answer or not, the time says when it was.
                let when = (true, event.ts, rank(event.kind), waits);
                self.found.push(Found { when, sides, order: Some(at), waits: Some(waits) });
            }
        }
    }

    /// Finds the cause of each difference of the slot, the first ones first.
    fn explain(&mut self) {
        let mut found = std::mem::take(&mut self.found);
        found.sort_by_key(|found| found.when);
        for of in found.drain(..) {
            let sides = [of.sides[0].as_ref(), of.sides[1].as_ref()];
            let (differs, is_paired) = match of.order {
                Some(at) => {
                    let order = self.orders.get(at);
                    (order.differs, order.is_paired())
                }
                None => (None, true),
            };
            let because = self.changes.because(&Asked { sides, order: differs }, &self.marks);
            sides.into_iter().flatten().for_each(|event| self.marks.mark(event, of.order.is_some()));
            let listed = self.tally.list(sides, because, is_paired);
            if let Some(at) = of.order {
                let order = self.orders.get(at);
                let ts = sides.into_iter().flatten().map(|event| event.ts).min();
                order.differs = order.differs.or(ts);
                if let Some(waits) = of.waits {
                    order.waiting[waits].found = Some((because, listed));
                    continue;
                }
            }
            self.tally.count(sides, because);
        }
        self.found = found;
    }

    /// Nothing more comes of an order: what waits has no counterpart.
    fn settle(&mut self, order: &Order) {
        for Waiting { side, event, found } in &order.waiting {
            let mut sides = [None; 2];
            sides[*side] = Some(event);
            let rest = Because { class: super::cause::Class::Rest, since: None };
            self.tally.count(sides, found.map_or(rest, |found| found.0));
        }
    }

    /// The end: what was found.
    pub(super) fn finish(mut self) -> Tally {
        for order in self.orders.leave(true) {
            self.settle(&order);
        }
        self.tally
    }
}

/// Whether an event is compared: of the answers what the simulated exchange can say, but not that a refusal came back or that a
/// route arrived.
fn counts(item: &Item) -> bool {
    const SAID: Kinds =
        Kinds::of(&[Kind::Sent, Kind::Ack, Kind::Fill, Kind::FillCost, Kind::Reject, Kind::Cancelled, Kind::Bust]);
    !item.is_input() || SAID.has(item.event.kind)
}

/// What comes first of what happens at one time.
fn rank(kind: Kind) -> u8 {
    match (role(kind), kind) {
        (Role::Market, _) => 0,
        (_, Kind::Signal | Kind::Reason) => 1,
        (Role::Decision, _) => 2,
        (_, Kind::Refused) => 3,
        (Role::Verdict, _) => 4,
        (Role::Answer, _) => 5,
        (Role::Position | Role::Other, _) => 6,
    }
}

fn when(sides: [Option<&Item>; 2], place: usize) -> When {
    let item = sides[0].or(sides[1]).expect("a pair has a side");
    (item.turn > 0, item.event.ts, rank(item.event.kind), place)
}
