//! Safe mode: no pipeline, only a venue session and one cancel of everything.
//!
//! For a pipeline that panics at the same input again and again, and for a gateway whose own thread panicked. Nothing is
//! replayed, and nothing is sent except the cancels; the venue confirms that they have reached it. Its answers are not
//! read here; the next run that resumes takes them. Bound: one pass over both logs.

use super::error::RecoveryError;
use super::past::{Past, order_of};
use crate::config::{Faults, Settings, UsedGateway};
use crate::gateway::{GatewayError, OpenOrders, cancel_everything, is_definition, settles};
use flow::{Event, Gateway, OpenOrder, Venue};
use sinks::journal::Home;
use std::path::Path;
use std::time::Duration;

/// How long the venue may take to confirm.
const WITHIN: Duration = Duration::from_secs(3);

/// What came of the cancel at a venue.
pub struct CancelledAt {
    /// The venue.
    pub venue: String,
    /// Whether it has confirmed.
    pub done: Result<(), RecoveryError>,
}

/// Cancels all orders at the venues outside the process that the settings name.
///
/// # Errors
/// When the settings are invalid, or the journal is not there.
pub fn cancel_at_venues(settings: &Settings, journal: &Path) -> Result<Vec<CancelledAt>, RecoveryError> {
    let routing = settings.order_routing().map_err(|faults| settings.placed(faults))?;
    let home = Home::open(journal)?;
    let gateways = routing.gateways.iter().enumerate();
    let cancelled = gateways.map(|(at, used)| CancelledAt {
        venue: used.name.clone(),
        done: cancel(settings, &home, Gateway::new(at), used),
    });
    Ok(cancelled.collect())
}

fn cancel(settings: &Settings, home: &Home, gateway: Gateway, used: &UsedGateway) -> Result<(), RecoveryError> {
    let opened = (used.entry.open)(&settings.venues[&used.name]);
    let mut venue = opened.map_err(|e| Faults::from(used.fault(e)))?;
    let orders = if venue.cancels_all() { Vec::new() } else { open_orders(home, gateway, venue.as_mut())? };
    let cancelled = cancel_everything(venue.as_mut(), &orders, home.current().info.run_id(), WITHIN);
    cancelled.map_err(|e| RecoveryError::Gateway(GatewayError::Venue(e)))
}

/// The orders that may be open at the venue of a gateway: those that the inputs leave, and those whose route was not settled. The venue learns of which
/// instruments they are.
fn open_orders(home: &Home, gateway: Gateway, venue: &mut dyn Venue) -> Result<Vec<OpenOrder>, RecoveryError> {
    let past = Past::of(home.journals())?;
    let (mut orders, mut settled) = (OpenOrders::default(), 0);
    past.inputs.iter().filter(|input| is_definition(input)).for_each(|definition| venue.define(definition));
    let sent_there = |event: &Event| order_of(event).filter(|routed| routed.venue == gateway.venue());
    past.routes.iter().filter_map(sent_there).for_each(|routed| orders.add(&routed.known()));
    for member in past.journals {
        for input in member.reader().inputs() {
            let input = input?;
            if is_definition(&input) {
                venue.define(&input);
            }
            if input.source == gateway.source() {
                orders.apply(&input);
                settled = settled.max(settles(&input).unwrap_or(0));
            }
        }
    }
    for member in past.journals {
        for outcome in member.reader().outcomes() {
            let outcome = outcome?;
            if let Some(routed) = sent_there(&outcome).filter(|_| outcome.id.0 > settled) {
                orders.add(&routed.known());
            }
        }
    }
    Ok(orders.iter().collect())
}
