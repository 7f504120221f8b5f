//! The way out and back: from the tail to the venue, and to the head.

use super::RunError;
use crate::config::{Fault, Faults, Settings};
use crate::gateway::{Desk, GatewayThread, Link};
use crate::ingress::{Away, Ingress, Returns};
use crate::line::{RingMeter, Slot};
use crate::plan::{GatewayPlan, Plan};
use crate::run::{Control, Tail};
use flow::{OrderId, ParamError};
use ring::{Consumer, Producer};
use stages::venue::SimulatedVenue;
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
    desk: Desk,
    routes: Consumer<Slot>,
    link: Arc<Link>,
}

/// The ways of a line; empty ones for a line that does not trade.
#[derive(Default)]
pub(super) struct Ways {
    returns: Option<Returns>,
    away: Option<Away>,
    back: Option<Producer<Slot>>,
    routes: Option<(Producer<Slot>, Arc<Link>)>,
    waiting: Option<Waiting>,
}

impl Ways {
    /// The ways that the plan asks for, of a line under `control`.
    pub(super) fn of(
        settings: &Settings,
        plan: &Plan,
        instruments: u32,
        control: &Control,
        venues: Venues,
    ) -> Result<Ways, RunError> {
        if !plan.trades {
            return Ok(Ways::default());
        }
        let (back, inbox) = ring::channel(plan.ring, RING)?;
        control.meters.add_ring(RingMeter::new("tail > returns".to_owned(), &back));
        match plan.gateway {
            Some(gateway) => Ways::out(settings, plan, gateway, control, venues, (back, inbox)),
            None => {
                let params = &settings.venues["sim"];
                let rows = super::latency::rows(params)?;
                let venue = SimulatedVenue::with_recorded(params, settings.space(instruments), rows);
                let venue = venue.map_err(|e| wrong(&e))?;
                let returns = Returns::new(venue, inbox, Arc::clone(&control.word), plan.max_returns);
                Ok(Ways { returns: Some(returns), back: Some(back), ..Ways::default() })
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
    ) -> Result<Ways, RunError> {
        let (name, link) = (gateway.line.name, Arc::new(Link::default()));
        let away = |heard| Away::new(inbox, heard, Arc::clone(&link), Arc::clone(&control.word), plan.max_returns);
        if venues == Venues::Repeated {
            return Ok(Ways { away: Some(away(None)), back: Some(back), ..Ways::default() });
        }
        let venue = (gateway.line.open)(&settings.venues[name]).map_err(|e| wrong(&e))?;
        let (to_gateway, routes) = ring::channel(plan.ring, gateway.ring)?;
        let (to_head, heard) = ring::channel(plan.ring, RING)?;
        control.meters.add_ring(RingMeter::new("tail > gateway".to_owned(), &to_gateway));
        control.meters.add_ring(RingMeter::new("gateway > ingress".to_owned(), &to_head));
        let away = away(Some(heard));
        let desk = Desk::new(venue, to_head, Arc::clone(&link));
        let waiting = Waiting { name, desk, routes, link: Arc::clone(&link) };
        let routes = Some((to_gateway, link));
        Ok(Ways { away: Some(away), back: Some(back), routes, waiting: Some(waiting), returns: None })
    }

    /// Whether orders leave the process.
    pub(super) fn lead_out(&self) -> bool {
        self.waiting.is_some()
    }

    /// Asks for orders of a journal before.
    pub(super) fn ask(&mut self, orders: Vec<OrderId>) {
        if let Some(away) = &mut self.away {
            away.ask(orders);
        }
    }

    /// Joins head and tail.
    pub(super) fn join(&mut self, ingress: Ingress, tail: Tail) -> (Ingress, Tail) {
        let ingress = ingress.with_returns(self.returns.take()).with_away(self.away.take());
        (ingress, tail.with_returns(self.back.take()).with_routes(self.routes.take()))
    }

    /// Starts the gateway, if there is one.
    pub(super) fn start(self) -> Result<Option<GatewayThread>, RunError> {
        let started = self.waiting.map(|w| GatewayThread::spawn(w.name, w.desk, w.routes, w.link));
        Ok(started.transpose()?)
    }
}

pub(super) fn wrong(e: &ParamError) -> Faults {
    Faults(vec![Fault::new(Path::new("configuration"), &e.key, &e.found, &e.valid)])
}
