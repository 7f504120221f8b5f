//! The router: chooses the venue of an order, and nothing else.
//!
//! An `order` becomes a `route` with the same terms. A cancel request becomes a `route` too; it never passed through risk,
//! which does not block cancels. The stage has no state. `docs/router.md` has the table. Bound: one route per event.

use crate::Space;
use flow::records::{CancelRequest, Order, Route};
use flow::{
    Action, Event, Flags, Kind, Kinds, OrderId, Out, Param, ParamError, Params, Px, Scope, Stage, StateError,
    StateReader, StateWriter, TextParam,
};

/// The venue's number in routes.
const VENUE_NUMBER: u16 = 1;

/// The venue of every order.
pub const VENUE: TextParam = TextParam::new("venue", "sim", "venue of every order");

/// What can be set.
pub const PARAMS: &[Param] = &[VENUE.param()];

/// Routes every order to the configured venue.
#[derive(Default)]
pub struct RouterStage;

impl RouterStage {
    /// The registry's builder.
    ///
    /// # Errors
    /// When the name of the venue is empty.
    pub fn build(params: &Params, _: Space) -> Result<Box<dyn Stage>, ParamError> {
        let venue = params.get(VENUE);
        if venue.trim().is_empty() {
            let (key, found) = ("router.venue".to_owned(), venue.to_owned());
            return Err(ParamError { key, found, valid: "valid: the name of a venue".to_owned() });
        }
        Ok(Box::new(RouterStage))
    }
}

#[inline]
fn order(order: &Order) -> Route {
    let Order { order_id, px, qty, replaces, order_type, tif, .. } = *order;
    let action = if replaces == 0 { Action::New } else { Action::Replace };
    Route { order_id, px, qty, replaces, venue: VENUE_NUMBER, action: action.code(), order_type, tif, reserved: [0; 3] }
}

/// A request without an order id is a mass cancel: account and strategy, or all if they are 0, with counter 0.
fn cancel(request: &CancelRequest) -> Route {
    let of = OrderId::new(request.account, request.strategy, 0);
    let (action, order_id) =
        if request.order_id == 0 { (Action::CancelAll, of.0) } else { (Action::Cancel, request.order_id) };
    Route { order_id, px: Px::NONE, venue: VENUE_NUMBER, action: action.code(), ..Default::default() }
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
        1
    }

    #[inline]
    fn on_event(&mut self, event: &Event, out: &mut Out) {
        let route = if let Some(request) = event.get::<CancelRequest>() {
            cancel(request)
        } else if let Some(approved) = event.get::<Order>() {
            order(approved)
        } else {
            return;
        };
        out.push(event.instrument, Flags::side_only(event.side()), &route);
    }

    fn save(&self, _: &mut StateWriter<'_>) {}

    fn load(&mut self, _: &mut StateReader<'_>) -> Result<(), StateError> {
        Ok(())
    }
}
