//! What each side did: orders and fills by account and strategy, and the last word on every position.
//!
//! Bound: a row a strategy of an account, and one a position.

use flow::records::{Fill, Order, Position, PositionMoney};
use flow::{Event, Kind, OrderId};
use std::collections::BTreeMap;

/// What a strategy of an account did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Done {
    /// Orders that risk approved.
    pub(super) orders: u64,
    /// Requests that risk refused.
    pub(super) refused: u64,
    pub(super) fills: u64,
    /// Quantity filled.
    pub(super) qty: u64,
}

/// What is held, as its last events say.
pub(super) type Held = (Position, PositionMoney);

/// Both sides, what is recorded first.
#[derive(Default)]
pub(super) struct Totals {
    /// By account and strategy.
    pub(super) done: BTreeMap<(u8, u16), [Done; 2]>,
    /// By account, strategy and instrument.
    pub(super) held: BTreeMap<(u8, u16, u32), [Option<Held>; 2]>,
}

impl Totals {
    /// Takes an event of a side.
    pub(super) fn take(&mut self, side: usize, event: &Event) {
        match event.kind {
            Kind::Order => self.done(side, event.record::<Order>().order_id).orders += 1,
            Kind::Refused if !event.is_echo() => {
                self.done(side, event.record::<flow::records::Refused>().order_id).refused += 1;
            }
            Kind::Fill => {
                let Fill { order_id, qty, .. } = *event.record();
                let done = self.done(side, order_id);
                done.fills += 1;
                done.qty = done.qty.saturating_add(qty.0);
            }
            Kind::Position => {
                let position: Position = *event.record();
                let key = (position.account.0, position.strategy.0, event.instrument);
                self.held(side, key).0 = position;
            }
            Kind::PositionMoney => {
                let money: PositionMoney = *event.record();
                let key = (money.account.0, money.strategy.0, event.instrument);
                self.held(side, key).1 = money;
            }
            _ => {}
        }
    }

    fn done(&mut self, side: usize, order: u64) -> &mut Done {
        let id = OrderId(order);
        &mut self.done.entry((id.account().0, id.strategy().0)).or_default()[side]
    }

    fn held(&mut self, side: usize, key: (u8, u16, u32)) -> &mut Held {
        self.held.entry(key).or_default()[side].get_or_insert_default()
    }
}
