//! The way out and back: from the tail to the venue, and to the head.

use super::RunError;
use crate::config::{Fault, Faults, Settings};
use crate::gateway::{GatewayThread, Link, VenueSession};
use crate::ingress::{Ingress, LiveVenueReplies, SimVenueReplies};
use crate::pipeline::{RingMeter, Slot};
use crate::plan::{GatewayPlan, Plan};
use crate::run::{Control, Tail};
use flow::{OrderId, ParamError};
use ring::{Consumer, Producer};
use stages::exchange_sim::SimulatedVenue;
use std::path::Path;
use std::sync::Arc;

/// Slots of the ring of returns. The head takes returns whenever it waits, so a small one is enough.
const RING: usize = 4_096;

/// Whether a venue outside the process is traded with, or the inputs are only repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Venues {
    /// It is.
    Live,
    /// What it said is in the record.
    Repeated,
}

/// A gateway that has not begun.
struct Waiting {
    name: &'static str,
    session: VenueSession,
    routes: Consumer<Slot>,
    link: Arc<Link>,
}

/// The ways of a pipeline; empty ones for a pipeline that does not trade.
#[derive(Default)]
pub(super) struct VenueWiring {
    returns: Option<SimVenueReplies>,
    live_replies: Option<LiveVenueReplies>,
    back: Option<Producer<Slot>>,
    routes: Option<(Producer<Slot>, Arc<Link>)>,
    waiting: Option<Waiting>,
}

impl VenueWiring {
    /// The ways that the plan asks for, of a pipeline under `control`.
    pub(super) fn of(
        settings: &Settings,
        plan: &Plan,
        instruments: u32,
        control: &Control,
        venues: Venues,
    ) -> Result<VenueWiring, RunError> {
        if !plan.trades {
            return Ok(VenueWiring::default());
        }
        let (back, inbox) = ring::channel(plan.ring, RING)?;
        control.meters.add_ring(RingMeter::new("tail > returns".to_owned(), &back));
        match plan.gateway {
            Some(gateway) => VenueWiring::out(settings, plan, gateway, control, venues, (back, inbox)),
            None => {
                let params = &settings.venues["sim"];
                let rows = super::latency::rows(params)?;
                let venue = SimulatedVenue::with_recorded(params, settings.space(instruments), rows);
                let venue = venue.map_err(|e| wrong(&e))?;
                let returns = SimVenueReplies::new(venue, inbox, Arc::clone(&control.watermark), plan.max_returns);
                Ok(VenueWiring { returns: Some(returns), back: Some(back), ..VenueWiring::default() })
            }
        }
    }

    fn out(
        settings: &Settings,
        plan: &Plan,
        gateway: GatewayPlan,
        control: &Control,
        venues: Venues,
        (back, inbox): (Producer<Slot>, Consumer<Slot>),
    ) -> Result<VenueWiring, RunError> {
        let (name, link) = (gateway.entry.name, Arc::new(Link::default()));
        let live_replies = |heard| {
            LiveVenueReplies::new(inbox, heard, Arc::clone(&link), Arc::clone(&control.watermark), plan.max_returns)
        };
        if venues == Venues::Repeated {
            return Ok(VenueWiring {
                live_replies: Some(live_replies(None)),
                back: Some(back),
                ..VenueWiring::default()
            });
        }
        let venue = (gateway.entry.open)(&settings.venues[name]).map_err(|e| wrong(&e))?;
        let (to_gateway, routes) = ring::channel(plan.ring, gateway.ring)?;
        let (to_head, heard) = ring::channel(plan.ring, RING)?;
        control.meters.add_ring(RingMeter::new("tail > gateway".to_owned(), &to_gateway));
        control.meters.add_ring(RingMeter::new("gateway > ingress".to_owned(), &to_head));
        let live_replies = live_replies(Some(heard));
        let session = VenueSession::new(venue, to_head, Arc::clone(&link));
        let waiting = Waiting { name, session, routes, link: Arc::clone(&link) };
        let routes = Some((to_gateway, link));
        Ok(VenueWiring {
            live_replies: Some(live_replies),
            back: Some(back),
            routes,
            waiting: Some(waiting),
            returns: None,
        })
    }

    /// Whether orders leave the process.
    pub(super) fn lead_out(&self) -> bool {
        self.waiting.is_some()
    }

    /// Asks for orders of a journal before.
    pub(super) fn ask(&mut self, orders: Vec<OrderId>) {
        if let Some(live_replies) = &mut self.live_replies {
            live_replies.ask(orders);
        }
    }

    /// Joins head and tail.
    pub(super) fn join(&mut self, ingress: Ingress, tail: Tail) -> (Ingress, Tail) {
        let ingress = ingress.with_returns(self.returns.take()).with_live_replies(self.live_replies.take());
        (ingress, tail.with_returns(self.back.take()).with_routes(self.routes.take()))
    }

    /// Starts the gateway, if there is one.
    pub(super) fn start(self) -> Result<Option<GatewayThread>, RunError> {
        let started = self.waiting.map(|w| GatewayThread::spawn(w.name, w.session, w.routes, w.link));
        Ok(started.transpose()?)
    }
}

pub(super) fn wrong(e: &ParamError) -> Faults {
    Faults(vec![Fault::new(Path::new("configuration"), &e.key, &e.found, &e.valid)])
}
