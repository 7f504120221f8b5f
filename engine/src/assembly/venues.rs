//! Wires the path of orders: from the tail to the venue, and from the venue to the head.

use super::error::AssemblyError;
use crate::config::{Fault, Settings, keys};
use crate::drive::{Control, DriveError};
use crate::gateway::{DefinitionSink, GatewayThread, Link, LiveVenueReplies, VenueSession, VenueStatus};
use crate::ingress::{Ingress, SimVenueReplies};
use crate::pipeline::{Slot, Tail};
use crate::plan::{Carries, Plan};
use flow::{Event, Sink};
use ring::{Consumer, Producer};
use sinks::GatewayEntry;
use stages::exchange_sim::SimulatedVenue;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

/// Whether orders go to a venue outside the process, or inputs are only replayed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Venues {
    /// Orders go out.
    Live,
    /// The venue's answers come from the journal.
    Repeated,
}

/// A gateway that has not started.
pub(super) struct Ready {
    name: &'static str,
    session: VenueSession,
    routes: Consumer<Slot>,
    link: Arc<Link>,
    status: Arc<VenueStatus>,
}

impl Ready {
    /// The run writes the journal of that id.
    pub(super) fn set_journal(&self, id: u64) {
        self.link.set_journal(id);
    }

    /// The venue is to learn this name or listing.
    pub(super) fn define(&self, definition: Event) {
        self.link.define(definition);
    }

    /// Starts the gateway's thread.
    pub(super) fn start(self) -> Result<GatewayThread, AssemblyError> {
        let started = GatewayThread::spawn(self.name, self.session, self.routes, self.link, self.status);
        Ok(started.map_err(DriveError::from)?)
    }
}

/// The simulated venue of the settings; its returns come over `inbox`, and `watermark` is the tail's.
///
/// # Errors
/// When a parameter is invalid.
pub(super) fn simulated(
    settings: &Settings,
    instruments: u32,
    inbox: Consumer<Slot>,
    watermark: Arc<AtomicU64>,
) -> Result<SimVenueReplies, Fault> {
    let params = &settings.venues["sim"];
    let venue = SimulatedVenue::new(params, settings.space(instruments))?;
    Ok(SimVenueReplies::new(venue, inbox, watermark, settings.pipeline.get(keys::MAX_RETURNS)))
}

/// The ends of the rings that lead to a venue and back; empty for a pipeline that does not trade.
#[derive(Default)]
pub(super) struct VenueWiring {
    returns: Option<SimVenueReplies>,
    live_replies: Option<LiveVenueReplies>,
    back: Option<Producer<Slot>>,
    routes: Option<(Producer<Slot>, Arc<AtomicU64>)>,
    definitions: Option<Box<dyn Sink>>,
    pub(super) gateway: Option<Ready>,
}

impl VenueWiring {
    /// The rings that the plan requires, metered by `control`.
    pub(super) fn of(
        settings: &Settings,
        plan: &Plan,
        instruments: u32,
        control: &Control,
        venues: Venues,
    ) -> Result<VenueWiring, AssemblyError> {
        let Some(returns) = plan.wiring.carrying(Carries::Returns) else {
            return Ok(VenueWiring::default());
        };
        let (back, inbox) = control.meters.ring(plan.ring, returns).map_err(DriveError::from)?;
        match plan.gateway {
            Some(gateway) => VenueWiring::out(settings, plan, gateway, control, venues, (back, inbox)),
            None => {
                let returns = simulated(settings, instruments, inbox, Arc::clone(&control.watermark));
                let returns = returns.map_err(|fault| settings.placed(vec![fault]))?;
                Ok(VenueWiring { returns: Some(returns), back: Some(back), ..VenueWiring::default() })
            }
        }
    }

    fn out(
        settings: &Settings,
        plan: &Plan,
        gateway: &'static GatewayEntry,
        control: &Control,
        venues: Venues,
        (back, inbox): (Producer<Slot>, Consumer<Slot>),
    ) -> Result<VenueWiring, AssemblyError> {
        let (name, link) = (gateway.name, Arc::new(Link::default()));
        let live_replies = |answers| {
            LiveVenueReplies::new(inbox, answers, Arc::clone(&link), Arc::clone(&control.watermark), plan.max_returns)
        };
        if venues == Venues::Repeated {
            return Ok(VenueWiring {
                live_replies: Some(live_replies(None)),
                back: Some(back),
                ..VenueWiring::default()
            });
        }
        let venue = (gateway.open)(&settings.venues[name]).map_err(|e| settings.placed(vec![e.into()]))?;
        let ring = |carries| {
            let row = plan.wiring.carrying(carries).expect("a plan with a gateway has its rings");
            control.meters.ring(plan.ring, row).map_err(DriveError::from)
        };
        let ((to_gateway, routes), (to_head, answers)) = (ring(Carries::Routes)?, ring(Carries::Answers)?);
        let live_replies = live_replies(Some(answers));
        let (switch, status) = (Arc::clone(&control.kill_switch), Arc::clone(&control.venue));
        let session = VenueSession::new(venue, to_head, Arc::clone(&link), switch, Arc::clone(&status));
        let handed_over = link.handed_over();
        let definitions = Some(Box::new(DefinitionSink::new(Arc::clone(&link))) as Box<dyn Sink>);
        let ready = Ready { name, session, routes, link, status };
        let routes = Some((to_gateway, handed_over));
        Ok(VenueWiring {
            live_replies: Some(live_replies),
            back: Some(back),
            routes,
            definitions,
            gateway: Some(ready),
            returns: None,
        })
    }

    /// Connects head and tail.
    pub(super) fn join(&mut self, ingress: Ingress, tail: Tail) -> (Ingress, Tail) {
        let ingress = ingress.with_returns(self.returns.take()).with_live_replies(self.live_replies.take());
        let tail = tail.with_returns(self.back.take()).with_routes(self.routes.take());
        (ingress, tail.with_prompt(self.definitions.take()))
    }
}
