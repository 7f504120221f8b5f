//! Fills that are remembered, taken back and corrected.
//!
//! A bust makes its fill never to have happened: the position is what the fills that stand make of it, in their order, so it
//! is made anew from those. That is what a clearing house and a ledger of lots come to, and the only rule under which what
//! is left has an average and a realised profit that no void trade is part of. A trade in the other direction at the bust's price
//! would bring the same money in all, but split it by an average that the void trade has moved.
//!
//! Bound: fills of a position that are remembered; those before them are one sum. Worst case: a bust when all remembered fills are one
//! position's.

use super::chains::Ended;
use super::cycle::{State, Step};
use super::positions::{Key, NO_FILL, Place};
use super::stage::{OrdersStage, tell, tell_about};
use crate::executions::{Execution, Unbooked};
use flow::records::{Bust, Fill};
use flow::{AnomalyKind, Event, OrderId, Out, Side};

/// What the stage needs to know of a fill.
#[derive(Clone, Copy, Debug)]
pub(super) struct Note {
    /// The first id of the order that it counts in; 0 if it counts in none.
    pub(super) root: OrderId,
    /// The next fill of the same position.
    pub(super) next: u32,
}

impl Note {
    pub(super) const NONE: Note = Note { root: OrderId(0), next: NO_FILL };
}

impl OrdersStage {
    /// Books a fill in its position and remembers it; `last` is the order's id, where it counts in one.
    pub(super) fn book(&mut self, fill: Execution<Note>, last: OrderId) -> Option<Place> {
        let key = key_of(&fill);
        self.positions.open(key)?;
        // Before room is made: what is forgotten may be the only other fill of the same order.
        if fill.note.root.0 != 0 {
            self.chains.count(fill.note.root, last);
        }
        if let Some(gone) = self.fills.make_room() {
            self.forget(&gone);
        }
        let at = self.fills.add(fill);
        let place = self.positions.open(key).expect("it was opened");
        if !fill.busted {
            place.now.fill(&fill);
        }
        let before = std::mem::replace(&mut place.newest, at);
        if before == NO_FILL {
            place.oldest = at;
        }
        let place = *place;
        if before != NO_FILL {
            self.fills.at_mut(before).note.next = at;
        }
        Some(place)
    }

    /// The oldest fill makes room: the sum takes it in.
    fn forget(&mut self, gone: &Execution<Note>) {
        let place = self.positions.get_mut(key_of(gone)).expect("a fill that is remembered has a position");
        if !gone.busted {
            place.base.fill(gone);
        }
        place.oldest = gone.note.next;
        if gone.note.next == NO_FILL {
            place.newest = NO_FILL;
        }
        if gone.note.root.0 != 0 {
            self.chains.forget(gone.note.root);
        }
    }

    /// Takes a fill back.
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
        let place = self.remake(key_of(&busted));
        place.fees = place.fees.saturating_sub(i128::from(bust.fee));
        let place = *place;
        self.tell_position(&place, event, out);
        self.tell_money(&place, event, out);
    }

    /// Makes a position of a fill that is remembered anew: what is not remembered, then the fills that stand.
    fn remake(&mut self, key: Key) -> &mut Place {
        let place = self.positions.get_mut(key).expect("a fill that is remembered has a position");
        place.now = place.base;
        let mut next = place.oldest;
        while next != NO_FILL {
            let fill = self.fills.at(next);
            if !fill.busted {
                place.now.fill(fill);
            }
            next = fill.note.next;
        }
        place
    }

    fn unbooked(&self, why: Unbooked, event: &Event, out: &mut Out) {
        let bust: &Bust = event.record();
        let id = OrderId(bust.order_id);
        let what = match why {
            Unbooked::Unknown if !self.counters.has_given(id) => {
                return tell(AnomalyKind::UnknownOwnOrder, event, id.0, out);
            }
            Unbooked::Unknown => AnomalyKind::UnknownFill,
            Unbooked::Repeated => AnomalyKind::RepeatedBust,
            Unbooked::Mismatch => AnomalyKind::BustMismatch,
        };
        tell_about(what, event, bust.match_id, (bust.px, bust.qty), out);
    }

    /// A fill in place of one that was taken back: what it counts in.
    #[cold]
    pub(super) fn correct(&mut self, busted: &Execution<Note>, event: &Event, out: &mut Out) -> OrderId {
        let fill: &Fill = event.record();
        let root = busted.note.root;
        if root.0 == 0 {
            return root;
        }
        if fill.qty.0 > busted.qty {
            tell(AnomalyKind::IllegalTransition, event, fill.order_id, out);
            return OrderId(0);
        }
        self.change(root, |state, filled, back| {
            let ended =
                Ended { state, filled: filled.saturating_add(fill.qty.0), busted: back.saturating_sub(fill.qty.0) };
            (Step::Correct, ended)
        });
        root
    }

    /// Takes executed quantity off an order; it is not open again.
    fn unfill(&mut self, root: OrderId, qty: u64) {
        self.change(root, |state, filled, back| {
            let left = filled.saturating_sub(qty);
            let step = if left == 0 { Step::BustRest } else { Step::BustPart };
            (step, Ended { state, filled: left, busted: back.saturating_add(qty) })
        });
    }

    /// Changes what an order has executed, under its last id, whether it lives or is over.
    fn change(&mut self, root: OrderId, to: impl Fn(State, u64, u64) -> (Step, Ended)) {
        let chain = self.chains.get_mut(root).expect("who is counted in a fill that is remembered is known");
        let legal = "an order that has executed something takes busts and corrections";
        if let Some(ended) = &mut chain.ended {
            let (step, now) = to(ended.state, ended.filled, ended.busted);
            *ended = Ended { state: ended.state.after(step, now.filled > 0).expect(legal), ..now };
            return;
        }
        let mut order = self.orders.get(chain.last).expect("what is not over is in the table");
        let (step, now) = to(order.state, order.filled, order.busted);
        (order.filled, order.busted) = (now.filled, now.busted);
        order.state = order.state.after(step, now.filled > 0).expect(legal);
        self.orders.put(order);
    }

    /// What became of an order that is over, by the first of its ids; `None` if it lives, or none of its fills is remembered.
    pub fn ended(&self, root: OrderId) -> Option<Ended> {
        self.chains.get(root).and_then(|c| c.ended)
    }
}

pub(super) fn key_of<T>(fill: &Execution<T>) -> Key {
    Key::new(fill.order.account(), fill.order.strategy(), fill.instrument)
}

/// What a fill of this event is remembered as, before it is known what it counts in.
pub(super) fn remembered(event: &Event, side: Side, root: OrderId) -> Execution<Note> {
    Execution::of(event, side, Note { root, ..Note::NONE })
}
