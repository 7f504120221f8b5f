//! Busts and corrections of fills that are remembered.
//!
//! After a bust it is as if the fill had never happened: the position is rebuilt from the fills that stand, in their order.
//! That is what a clearing house does, and the only rule under which average price and realised profit hold no part of a
//! void trade. A trade in the other direction at the bust's price would give the same money in total, but split it by an
//! average that the void trade has moved.
//!
//! Bound: the remembered fills of a position; older fills are one sum. Worst case: a bust when all remembered fills belong
//! to one position.

use super::chains::Ended;
use super::cycle::{State, Step};
use super::manager::{OrderManager, push_anomaly, push_anomaly_at};
use super::positions::{Entry, Key, NO_FILL, Note};
use crate::executions::{Execution, Unbooked};
use flow::records::{Bust, Fill};
use flow::{Account, AnomalyKind, Event, OrderId, Out, Side, StrategyId, known_money};

impl OrderManager {
    /// Books a fill in its position and remembers it; `last` is the current id of its order, if it counts in one.
    pub(super) fn book(&mut self, fill: Execution<Note>, last: OrderId) -> Option<Entry> {
        let key = key_of(&fill);
        self.positions.open(key)?;
        // Carried over, or booked by hand: whoever holds something may have to send an order for it.
        if fill.note.root.0 == 0 && key.account() != Account::NONE && key.strategy() != StrategyId::NONE {
            self.counters.know(key.account(), key.strategy());
        }
        // Counted before room is made: the fill that is forgotten may be the only other fill of the same order.
        if fill.note.root.0 != 0 {
            self.chains.count(fill.note.root, last);
        }
        if let Some(gone) = self.fills.make_room() {
            self.forget(&gone);
        }
        let at = self.fills.add(fill);
        let entry = self.positions.open(key).expect("it was opened");
        if !fill.busted {
            entry.now.fill(&fill);
        }
        let before = std::mem::replace(&mut entry.newest, at);
        if before == NO_FILL {
            entry.oldest = at;
        }
        let entry = *entry;
        if before != NO_FILL {
            self.fills.at_mut(before).note.next = at;
        }
        Some(entry)
    }

    /// Forgets the oldest fill: its position's base sum takes it in.
    fn forget(&mut self, gone: &Execution<Note>) {
        let entry = self.positions.get_mut(key_of(gone)).expect("a remembered fill has a position");
        if !gone.busted {
            entry.base.fill(gone);
        }
        entry.oldest = gone.note.next;
        if gone.note.next == NO_FILL {
            entry.newest = NO_FILL;
        }
        if gone.note.root.0 != 0 {
            self.chains.forget(gone.note.root);
        }
    }

    /// Reverses a fill.
    #[cold]
    pub(super) fn bust(&mut self, event: &Event, out: &mut Out) {
        let bust: &Bust = event.record();
        let at = match self.fills.bust(event) {
            Ok(at) => at,
            Err(why) => return self.unbooked(why, event, out),
        };
        let busted = *self.fills.at(at);
        if busted.note.root.0 != 0 {
            self.unfill(busted.note.root, busted.qty);
        }
        let entry = self.remake(key_of(&busted));
        entry.charge(known_money(bust.fee).map(|fee| -fee));
        let entry = *entry;
        self.push_position(&entry, event, out);
        self.push_money(&entry, event, out);
    }

    /// Rebuilds a position: its base sum, then the remembered fills that stand.
    fn remake(&mut self, key: Key) -> &mut Entry {
        let entry = self.positions.get_mut(key).expect("a remembered fill has a position");
        entry.now = entry.base;
        let mut next = entry.oldest;
        while next != NO_FILL {
            let fill = self.fills.at(next);
            if !fill.busted {
                entry.now.fill(fill);
            }
            next = fill.note.next;
        }
        entry
    }

    fn unbooked(&self, why: Unbooked, event: &Event, out: &mut Out) {
        let bust: &Bust = event.record();
        let id = OrderId(bust.order_id);
        let what = match why {
            Unbooked::Unknown if !self.counters.has_issued(id) => {
                return push_anomaly(AnomalyKind::UnknownOwnOrder, event, id.0, out);
            }
            Unbooked::Unknown => AnomalyKind::UnknownFill,
            Unbooked::Repeated => AnomalyKind::RepeatedBust,
            Unbooked::Mismatch => AnomalyKind::BustMismatch,
        };
        push_anomaly_at(what, event, bust.match_id, (bust.px, bust.qty), out);
    }

    /// A fill that corrects a busted one; returns the order that it counts in.
    #[cold]
    pub(super) fn correct(&mut self, busted: &Execution<Note>, event: &Event, out: &mut Out) -> OrderId {
        let fill: &Fill = event.record();
        let root = busted.note.root;
        if root.0 == 0 {
            return root;
        }
        if fill.qty.0 > busted.qty {
            push_anomaly(AnomalyKind::IllegalTransition, event, fill.order_id, out);
            return OrderId(0);
        }
        self.change(root, |state, filled, back| {
            let ended =
                Ended { state, filled: filled.saturating_add(fill.qty.0), busted: back.saturating_sub(fill.qty.0) };
            (Step::Correct, ended)
        });
        root
    }

    /// Takes filled quantity off an order; it does not become open again.
    fn unfill(&mut self, root: OrderId, qty: u64) {
        self.change(root, |state, filled, back| {
            let left = filled.saturating_sub(qty);
            let step = if left == 0 { Step::BustRest } else { Step::BustPart };
            (step, Ended { state, filled: left, busted: back.saturating_add(qty) })
        });
    }

    /// Changes the filled quantity of an order, open or terminal, under its current id.
    fn change(&mut self, root: OrderId, to: impl Fn(State, u64, u64) -> (Step, Ended)) {
        let chain = self.chains.get_mut(root).expect("an order of a remembered fill has a chain");
        let legal = "an order with fills accepts busts and corrections";
        if let Some(ended) = &mut chain.ended {
            let (step, now) = to(ended.state, ended.filled, ended.busted);
            *ended = Ended { state: ended.state.after(step, now.filled > 0).expect(legal), ..now };
            return;
        }
        let mut order = self.orders.get(chain.last).expect("an open order is in the table");
        let (step, now) = to(order.state, order.filled, order.busted);
        (order.filled, order.busted) = (now.filled, now.busted);
        order.state = order.state.after(step, now.filled > 0).expect(legal);
        self.put(order);
    }

    /// How an order ended, by the first of its ids; `None` if it is open, or if none of its fills is remembered.
    pub(super) fn ended(&self, root: OrderId) -> Option<Ended> {
        self.chains.get(root).and_then(|c| c.ended)
    }
}

pub(super) fn key_of<T>(fill: &Execution<T>) -> Key {
    Key::new(fill.order.account(), fill.order.strategy(), fill.instrument)
}

/// The execution of a fill, in an order or (root 0) in none.
pub(super) fn remembered(event: &Event, side: Side, root: OrderId) -> Execution<Note> {
    Execution::of(event, side, Note { root, ..Note::NONE })
}
