//! The router: chooses the venue of an order, and nothing else.
//!
//! An `order` becomes a `route` with the same terms to the venue of its strategy or account. A cancel request becomes a `route` too; it
//! never passed through risk, which does not block cancels. One of all orders goes to every venue that may have some. The stage has
//! no state. `docs/router.md` has the table. Bound: one route per event, of a cancel of all one per venue.

mod routing;

pub(crate) use routing::Routing;
pub use routing::{ROUTE, route};

use crate::Space;
use flow::records::{CancelRequest, Order, Route};
use flow::{
    Action, Event, Flags, Kind, Kinds, OrderId, Out, Param, ParamError, Params, Px, Scope, Stage, StateError,
    StateReader, StateWriter, StrategyId, TextParam,
};

/// The venue of orders whose strategy and account have none of their own.
pub const VENUE: TextParam = TextParam::new("venue", "sim", "venue of orders whose strategy and account have none");

/// What can be set.
pub const PARAMS: &[Param] = &[VENUE.param()];

/// Routes every order to its venue.
pub struct RouterStage {
    routing: Routing,
}

impl RouterStage {
    /// The registry's builder. The parameters have a table [`ROUTE`] for each strategy and account with a venue of its own.
    ///
    /// # Errors
    /// When the name of the venue is empty.
    pub fn build(params: &Params, _: Space) -> Result<Box<dyn Stage>, ParamError> {
        let venue = params.get(VENUE);
        if venue.trim().is_empty() {
            let (key, found) = ("router.venue".to_owned(), venue.to_owned());
            return Err(ParamError { key, found, valid: "valid: the name of a venue".to_owned() });
        }
        Ok(Box::new(RouterStage { routing: Routing::of(params) }))
    }

    #[inline]
    fn order(&self, order: &Order) -> Route {
        let Order { order_id, px, qty, replaces, order_type, tif, .. } = *order;
        let action = if replaces == 0 { Action::New } else { Action::Replace };
        let venue = self.routing.venue(OrderId(order_id));
        Route { order_id, px, qty, replaces, venue, action: action.code(), order_type, tif, reserved: [0; 3] }
    }

    /// A request without an order id is a mass cancel: account and strategy, or all if they are 0, with counter 0.
    #[inline]
    fn cancel(&self, event: &Event, request: &CancelRequest, out: &mut Out) {
        if request.order_id == 0 {
            return self.cancel_all(event, request, out);
        }
        let venue = self.routing.venue(OrderId(request.order_id));
        push(event, &cancel(request.order_id, venue, Action::Cancel), out);
    }

    #[cold]
    #[inline(never)]
    fn cancel_all(&self, event: &Event, request: &CancelRequest, out: &mut Out) {
        let of = OrderId::new(request.account, request.strategy, 0);
        for venue in self.routing.venues(request.strategy) {
            push(event, &cancel(of.0, *venue, Action::CancelAll), out);
        }
    }
}

#[inline]
fn cancel(order_id: u64, venue: u16, action: Action) -> Route {
    Route { order_id, px: Px::NONE, venue, action: action.code(), ..Default::default() }
}

#[inline]
fn push(event: &Event, route: &Route, out: &mut Out) {
    out.push(event.instrument, Flags::side_only(event.side()), route);
}

impl Stage for RouterStage {
    fn reads(&self) -> Kinds {
        Kinds::of(&[Kind::Order, Kind::CancelRequest])
    }

    fn emits(&self) -> Kinds {
        Kinds::of(&[Kind::Route])
    }

    fn scope(&self) -> Scope {
        Scope::Instrument
    }

    fn fan_out(&self) -> usize {
        self.routing.venues(StrategyId::NONE).len()
    }

    #[inline]
    fn on_event(&mut self, event: &Event, out: &mut Out) {
        if let Some(request) = event.get::<CancelRequest>() {
            self.cancel(event, request, out);
        } else if let Some(approved) = event.get::<Order>() {
            push(event, &self.order(approved), out);
        }
    }

    fn save(&self, _: &mut StateWriter<'_>) {}

    fn load(&mut self, _: &mut StateReader<'_>) -> Result<(), StateError> {
        Ok(())
    }
}
