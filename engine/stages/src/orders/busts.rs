//! What the portfolio has booked, in the life of its order: fills, corrections, and fills that were taken back.
//!
//! A fill that fits its order moves it on; one that does not counts in no order. A bust finds the order under whatever id it
//! lives on. Bound: one lookup per table.

use super::chains::Ended;
use super::cycle::{State, Step};
use super::held::Held;
use super::manager::{OrderManager, push_anomaly};
use super::roots::NO_ORDER;
use super::table::Order;
use crate::portfolio::Key;
use flow::records::{Booked, Position};
use flow::{Account, AnomalyKind, Booking, Event, Flags, OrderId, Out, StrategyId};

impl OrderManager {
    /// Takes what the portfolio says it has booked.
    pub(super) fn booked(&mut self, event: &Event, out: &mut Out) {
        let booked: &Booked = event.record();
        let after = match Booking::from_code(booked.what) {
            Some(Booking::Busted) => return self.unfill(self.roots.get(booked.number), booked.qty.0),
            Some(Booking::Filled) => self.filled(booked, event, out),
            Some(Booking::Enlarged) if self.roots.get(booked.corrects) != NO_ORDER => {
                push_anomaly(AnomalyKind::IllegalTransition, event, booked.order_id, out);
                None
            }
            Some(Booking::Corrected | Booking::Enlarged) => None,
            None => return,
        };
        let is_corrected = booked.what == Booking::Corrected.code();
        let root = if is_corrected { self.correct(booked) } else { after.map_or(NO_ORDER, |order| order.root) };
        if self.roots.next() != booked.number {
            self.forget_fills(booked.number);
        }
        // Counted before room is made: the fill that is forgotten may be the only other fill of the same order.
        if root != NO_ORDER {
            self.chains.count(root, OrderId(booked.order_id));
        }
        let gone = self.roots.add(root);
        if gone != NO_ORDER {
            self.chains.forget(gone);
        }
        if let Some(after) = after {
            self.put(after);
        }
    }

    /// The next fill has a number that does not follow: those before it are not the portfolio's, and a bust cannot name them.
    #[cold]
    fn forget_fills(&mut self, next: u64) {
        for root in self.roots.all().1.into_iter().filter(|root| *root != NO_ORDER) {
            self.chains.forget(root);
        }
        self.roots.begin_after(next.saturating_sub(1));
    }

    /// Takes what is held now.
    pub(super) fn position(&mut self, event: &Event) {
        let Position { qty, account, strategy, .. } = *event.record();
        // Where this table is full, so is the portfolio's, which says so.
        let key = Key::new(account, strategy, event.instrument);
        if let Some(held) = self.holdings.open(key.word(), || Held::at(key)) {
            held.qty = qty;
        }
    }

    /// A fill; returns the order that it counts in, as it is with the fill.
    fn filled(&mut self, booked: &Booked, event: &Event, out: &mut Out) -> Option<Order> {
        let id = OrderId(booked.order_id);
        let Some(order) = self.orders.get(id) else {
            // Carried over, or booked by hand: whoever holds something may have to send an order for it.
            if id.account() != Account::NONE && id.strategy() != StrategyId::NONE {
                self.counters.know(id.account(), id.strategy());
            }
            // Of one that was carried over, or that nobody here sent, only the position counts.
            if !event.flags.has(Flags::SNAPSHOT) && !id.is_unsolicited() {
                self.unmatched(id, Step::PartialFill, event, out);
            }
            return None;
        };
        let qty = booked.qty.0;
        let step = if qty == order.left() { Step::FinalFill } else { Step::PartialFill };
        let fits = qty <= order.left() && event.side() == order.side && event.instrument == order.instrument;
        let Some(state) = order.state.after(step, true).filter(|_| fits) else {
            push_anomaly(AnomalyKind::IllegalTransition, event, id.0, out);
            return None;
        };
        Some(Order { state, filled: order.filled + qty, ..order })
    }

    /// A fill that corrects a busted one; returns the first id of the order that it counts in.
    #[cold]
    fn correct(&mut self, booked: &Booked) -> OrderId {
        let (root, qty) = (self.roots.get(booked.corrects), booked.qty.0);
        if root != NO_ORDER {
            self.change(root, |state, filled, back| {
                let ended = Ended { state, filled: filled.saturating_add(qty), busted: back.saturating_sub(qty) };
                (Step::Correct, ended)
            });
        }
        root
    }

    /// Takes filled quantity off an order; it does not become open again.
    #[cold]
    fn unfill(&mut self, root: OrderId, qty: u64) {
        if root == NO_ORDER {
            return;
        }
        self.change(root, |state, filled, back| {
            let left = filled.saturating_sub(qty);
            let step = if left == 0 { Step::BustRest } else { Step::BustPart };
            (step, Ended { state, filled: left, busted: back.saturating_add(qty) })
        });
    }

    /// Changes the filled quantity of an order, open or terminal, under its current id.
    fn change(&mut self, root: OrderId, to: impl Fn(State, u64, u64) -> (Step, Ended)) {
        let chain = self.chains.get_mut(root).expect("an order of a remembered fill has a chain");
        // An order with fills accepts busts and corrections. Only a damaged state, which has another order's end in its place,
        // may not: then the quantities are those of the report, and the state stays.
        let after = |state: State, step, filled| state.after(step, filled > 0).unwrap_or(state);
        if let Some(ended) = &mut chain.ended {
            let (step, now) = to(ended.state, ended.filled, ended.busted);
            *ended = Ended { state: after(ended.state, step, now.filled), ..now };
            return;
        }
        let mut order = self.orders.get(chain.last).expect("an open order is in the table");
        let (step, now) = to(order.state, order.filled, order.busted);
        (order.filled, order.busted) = (now.filled, now.busted);
        order.state = after(order.state, step, now.filled);
        self.put(order);
    }

    /// How an order ended, by the first of its ids; `None` if it is open, or if none of its fills is remembered.
    pub(super) fn ended(&self, root: OrderId) -> Option<Ended> {
        self.chains.get(root).and_then(|c| c.ended)
    }
}
