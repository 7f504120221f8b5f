//! The stage: its parameters, and the handler of every input.

use super::chains::Ended;
use super::cycle::Step;
use super::flatten::AT_ONCE;
use super::manager::OrderManager;
use super::reports::cancel_all;
use super::table::Order;
use crate::Space;
use flow::records::{Cancelled, Sent};
use flow::{
    Action, Event, InstrumentState, Kind, Kinds, OrderId, Out, ParamError, Params, Scope, Stage, StateError,
    StateReader, StateWriter, TradingState, WorkingOrder,
};

/// Keeps orders and counters.
pub struct OrdersStage {
    manager: OrderManager,
}

impl OrdersStage {
    /// Builds the stage with the parameters of [`super::PARAMS`].
    pub fn new(params: &Params, space: Space) -> OrdersStage {
        OrdersStage { manager: OrderManager::new(params, space) }
    }

    /// The registry's builder.
    ///
    /// # Errors
    /// Never: every value in its range makes a stage.
    pub fn build(params: &Params, space: Space) -> Result<Box<dyn Stage>, ParamError> {
        Ok(Box::new(OrdersStage::new(params, space)))
    }

    /// The open order of that id.
    pub fn order(&self, id: OrderId) -> Option<Order> {
        self.manager.orders.get(id)
    }

    /// All open orders, in arbitrary order.
    pub fn orders(&self) -> impl Iterator<Item = &Order> {
        self.manager.orders.iter()
    }

    /// Whether positions are being closed because an operator commanded it.
    pub fn is_flattening(&self) -> bool {
        self.manager.flatten.is_active()
    }

    /// How an order ended, by the first of its ids; `None` if it is open, or if none of its fills is remembered.
    pub fn ended(&self, root: OrderId) -> Option<Ended> {
        self.manager.ended(root)
    }
}

fn working(order: &Order) -> WorkingOrder {
    let Order { id, instrument, side, filled, .. } = *order;
    WorkingOrder { id, instrument, side, left: order.left(), filled }
}

impl Stage for OrdersStage {
    fn reads(&self) -> Kinds {
        Kinds::of(&[
            Kind::Listing,
            Kind::Trade,
            Kind::Intent,
            Kind::Refused,
            Kind::Sent,
            Kind::Ack,
            Kind::Reject,
            Kind::Cancelled,
            Kind::Booked,
            Kind::Position,
            Kind::Command,
            Kind::Halt,
            Kind::Status,
            Kind::Tick,
        ])
    }

    fn emits(&self) -> Kinds {
        Kinds::of(&[Kind::Request, Kind::CancelRequest, Kind::ReplaceRequest, Kind::Anomaly, Kind::CommandOutcome])
    }

    fn scope(&self) -> Scope {
        Scope::Global
    }

    /// One event of a report or an intent. Besides, a part of a flatten.
    fn fan_out(&self) -> usize {
        1 + AT_ONCE
    }

    #[inline]
    fn on_event(&mut self, event: &Event, out: &mut Out) {
        match event.kind {
            // Where the next order will be kept is in the cache when it comes.
            Kind::Trade => self.manager.orders.prefetch_next(),
            Kind::Intent => self.manager.intent(event, out),
            Kind::Ack => self.manager.ack(event, out),
            Kind::Booked => self.manager.booked(event, out),
            Kind::Position => self.manager.position(event),
            Kind::Reject => self.manager.reject(event, out),
            Kind::Refused => self.manager.refused(event, out),
            Kind::Sent => {
                let sent: &Sent = event.record();
                if sent.action != Action::CancelAll.code() {
                    self.manager.step(OrderId(sent.order_id), Step::Sent, event, out);
                }
            }
            Kind::Cancelled => {
                let cancelled: &Cancelled = event.record();
                self.manager.step(OrderId(cancelled.order_id), Step::Cancelled, event, out);
            }
            Kind::Command => self.manager.command(event, out),
            Kind::Halt => cancel_all(out),
            Kind::Listing => self.manager.listing(event),
            Kind::Status => self.manager.status(event),
            _ => {}
        }
        if self.manager.flatten.is_active() {
            self.manager.flatten_further(event, out);
        }
    }

    fn warm(&self) {
        self.manager.warm();
    }

    /// Reads its orders once, which takes up to some milliseconds with the largest tables.
    fn trading_state(&self, to: &mut TradingState) {
        to.open_orders = self.manager.orders.len() as u64;
        to.orders.extend(self.orders().take(to.open_orders as usize).take(TradingState::ROWS).map(working));
        to.flatten = self.manager.flatten_state();
    }

    fn instrument_state(&self, instrument: u32, _: usize, to: &mut InstrumentState) {
        to.orders.extend(self.orders().filter(|o| instrument == 0 || o.instrument == instrument).map(working));
    }

    fn save(&self, to: &mut StateWriter<'_>) {
        self.manager.save(to);
    }

    fn load(&mut self, from: &mut StateReader<'_>) -> Result<(), StateError> {
        self.manager.load(from)
    }
}
