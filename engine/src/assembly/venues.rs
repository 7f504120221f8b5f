//! Wires the path of orders: from the tail to the venues, and from the venues to the head.

use super::error::AssemblyError;
use crate::config::{Fault, Settings, UsedGateway, keys};
use crate::drive::{Control, DriveError};
use crate::gateway::{Answers, DefinitionSink, GatewayThread, Link, LiveVenueReplies, VenueSession, VenueStatus};
use crate::ingress::{Ingress, Refusals, SimVenueReplies};
use crate::pipeline::{Routes, Slot, Tail};
use crate::plan::{Carries, Plan};
use flow::{Event, Gateway, Sink};
use ring::{Consumer, Producer};
use sinks::Threading;
use stages::exchange_sim::{SimulatedVenue, book_params};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

/// Whether orders go to venues outside the process, or inputs are only replayed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Venues {
    /// Orders go out.
    Live,
    /// The answers of venues come from the journal.
    Repeated,
}

/// A gateway that has not started.
pub(super) struct Ready {
    name: String,
    threading: Threading,
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
        let named = (self.name.as_str(), self.threading);
        let started = GatewayThread::spawn(named, self.session, self.routes, self.link, self.status);
        Ok(started.map_err(DriveError::from)?)
    }
}

/// The simulated venue of the settings; its returns come over `inbox`, and `watermark` is the tail's. It keeps a book, or `looks` at
/// that of the head's group.
///
/// # Errors
/// When a parameter is invalid.
pub(super) fn simulated(
    settings: &Settings,
    instruments: u32,
    inbox: Consumer<Slot>,
    watermark: Arc<AtomicU64>,
    looks: bool,
) -> Result<SimVenueReplies, Fault> {
    let (params, space) = (&settings.venues["sim"], settings.space(instruments));
    let venue = match looks {
        true => SimulatedVenue::without_book(params, space)?,
        false => SimulatedVenue::new(params, &book_params(params, &settings.stages["book"]), space)?,
    };
    Ok(SimVenueReplies::new(venue, inbox, watermark, settings.pipeline.get(keys::MAX_RETURNS)))
}

/// The ends of the rings that lead to venues and back; empty for a pipeline that does not trade.
#[derive(Default)]
pub(super) struct VenueWiring {
    returns: Option<SimVenueReplies>,
    refusals: Option<Refusals>,
    back: Option<Producer<Slot>>,
    live_replies: Vec<LiveVenueReplies>,
    routes: Vec<Routes>,
    definitions: Vec<Box<dyn Sink>>,
    pub(super) gateways: Vec<Ready>,
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
        let mut wiring = VenueWiring::default();
        let Some(row) = plan.wiring.carrying(Carries::Returns).next() else { return Ok(wiring) };
        let (back, inbox) = control.meters.ring(plan.ring, row, None).map_err(DriveError::from)?;
        wiring.back = Some(back);
        let watermark = Arc::clone(&control.watermark);
        if plan.routing.simulated {
            let returns = simulated(settings, instruments, inbox, watermark, plan.venue_looks);
            wiring.returns = Some(returns.map_err(|fault| settings.placed(vec![fault]))?);
        } else {
            wiring.refusals = Some(Refusals::new(inbox, watermark));
        }
        control.kill_switch.set_gateways(plan.routing.gateways.len());
        for (number, used) in plan.routing.gateways.iter().enumerate() {
            wiring.add(settings, plan, Gateway::new(number), used, control, venues)?;
        }
        Ok(wiring)
    }

    fn add(
        &mut self,
        settings: &Settings,
        plan: &Plan,
        gateway: Gateway,
        used: &UsedGateway,
        control: &Control,
        venues: Venues,
    ) -> Result<(), AssemblyError> {
        let UsedGateway { name, entry, threading } = used;
        let ring = |carries| {
            let row = plan.wiring.carrying(carries).nth(gateway.number()).expect("a gateway of the plan has its rings");
            control.meters.ring(plan.ring, row, None).map_err(DriveError::from)
        };
        let link = Arc::new(Link::default());
        let (to_gateway, routes) = ring(Carries::Routes)?;
        if venues == Venues::Repeated {
            // Nobody counts the routes of a replay that sends nothing.
            self.routes.push(Routes { ring: to_gateway, handed_over: Arc::default() });
            self.live_replies.push(LiveVenueReplies::new(gateway, Answers::Record(routes), link, plan.max_returns));
            return Ok(());
        }
        let venue = (entry.open)(&settings.venues[name]).map_err(|e| settings.placed(vec![used.fault(e)]))?;
        let (to_head, answers) = ring(Carries::Answers)?;
        let status = Arc::clone(&control.venues[gateway.number()]);
        status.name(name);
        let switch = Arc::clone(&control.kill_switch);
        let session = VenueSession::new(gateway, venue, to_head, Arc::clone(&link), switch, Arc::clone(&status));
        self.routes.push(Routes { ring: to_gateway, handed_over: link.handed_over() });
        self.definitions.push(Box::new(DefinitionSink::new(Arc::clone(&link))));
        let replies = LiveVenueReplies::new(gateway, Answers::Gateway(answers), Arc::clone(&link), plan.max_returns);
        self.live_replies.push(replies);
        self.gateways.push(Ready { name: name.clone(), threading: *threading, session, routes, link, status });
        Ok(())
    }

    /// Connects head and tail.
    pub(super) fn join(&mut self, ingress: Ingress, tail: Tail) -> (Ingress, Tail) {
        let ingress = ingress.with_returns(self.returns.take()).with_refusals(self.refusals.take());
        let ingress = ingress.with_live_replies(std::mem::take(&mut self.live_replies));
        let tail = tail.with_returns(self.back.take()).with_routes(std::mem::take(&mut self.routes));
        (ingress, self.definitions.drain(..).fold(tail, Tail::with_prompt))
    }
}
