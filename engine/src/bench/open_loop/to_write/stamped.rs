//! A gateway that notes when the socket has taken an order: the adapter `wire`, and a reading of the clock behind each `write`.
//!
//! The adapter is wrapped and not changed, so what is measured is the gateway as it trades: its thread, its session, its frames.
//! The reading is made on the gateway's thread, right after the flush that handed the order to the socket. Bound: room for as
//! many orders as were told, allocated and touched when the session opens; orders beyond it are not timed.

use flow::records::Route;
use flow::{
    Action, Approved, AskPace, Event, Known, OpenOrder, Opened, OrderId, ParamError, Params, Patience, Venue,
    VenueError, VenueReply,
};
use quanta::Clock;
use sinks::{GATEWAYS, GatewayEntry};
use std::cell::RefCell;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// The adapter that is wrapped.
const WRAPPED: &GatewayEntry = &GATEWAYS[0];

/// The entry.
pub(super) static ENTRY: GatewayEntry = GatewayEntry {
    name: "loopback",
    doc: "engine/docs/bench.md",
    about: "The adapter `wire`, with the time at which the socket took each order",
    params: WRAPPED.params,
    open,
};

/// An order that the socket has: the id of its route, and the clock.
#[derive(Clone, Copy, Debug)]
pub(super) struct Written {
    pub(super) route: u64,
    pub(super) at: u64,
}

/// Where a gateway leaves what it has noted, when it ends.
pub(super) type Noted = Arc<Mutex<Vec<Written>>>;

thread_local! {
    /// For the gateways that this thread opens: how many orders to note, and where.
    static NEXT: RefCell<(usize, Noted)> = RefCell::default();
}

/// Gateways that this thread opens from now on note up to so many orders there.
pub(super) fn note(orders: usize) -> Noted {
    let noted = Noted::default();
    NEXT.set((orders, Arc::clone(&noted)));
    noted
}

fn open(params: &Params) -> Result<Box<dyn Venue>, ParamError> {
    let wire = (WRAPPED.open)(params)?;
    let (room, noted) = NEXT.with_borrow(Clone::clone);
    let (given, written) = (Vec::new(), Vec::new());
    Ok(Box::new(Stamped { wire, clock: Clock::new(), room, given, written, noted }))
}

struct Stamped {
    wire: Box<dyn Venue>,
    clock: Clock,
    room: usize,
    /// Routes of orders that the adapter was given, and that the socket may not have.
    given: Vec<u64>,
    written: Vec<Written>,
    noted: Noted,
}

impl Drop for Stamped {
    fn drop(&mut self) {
        if !self.written.is_empty() {
            *self.noted.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = std::mem::take(&mut self.written);
        }
    }
}

impl Venue for Stamped {
    fn patience(&self) -> Patience {
        self.wire.patience()
    }

    fn ask_pace(&self) -> AskPace {
        self.wire.ask_pace()
    }

    fn define(&mut self, definition: &Event) {
        self.wire.define(definition);
    }

    fn resume(&mut self, known: &Known) -> Result<Option<Opened>, VenueError> {
        if self.written.capacity() == 0 {
            self.given.reserve(64);
            self.written.resize(self.room, Written { route: 1, at: 1 });
            self.written.clear();
        }
        self.wire.resume(known)
    }

    fn send(&mut self, route: &Approved<Event>) {
        if Action::makes_an_order(route.get().record::<Route>().action) {
            self.given.push(route.get().id.0);
        }
        self.wire.send(route);
    }

    fn ask(&mut self, order_id: OrderId) {
        self.wire.ask(order_id);
    }

    fn cancels_all(&self) -> bool {
        self.wire.cancels_all()
    }

    fn cancel_all(&mut self) {
        self.wire.cancel_all();
    }

    fn cancel(&mut self, order: &OpenOrder) {
        self.wire.cancel(order);
    }

    fn flush(&mut self) -> Result<bool, VenueError> {
        let all = self.wire.flush()?;
        if all && !self.given.is_empty() {
            let at = self.clock.raw();
            let room = self.room - self.written.len();
            self.written.extend(self.given.drain(..).take(room).map(|route| Written { route, at }));
        }
        Ok(all)
    }

    fn poll(&mut self) -> Result<Option<VenueReply>, VenueError> {
        self.wire.poll()
    }

    fn silence(&self) -> Option<Duration> {
        self.wire.silence()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_adapter_that_is_wrapped_is_the_wire() {
        assert_eq!(WRAPPED.name, "wire");
    }
}
