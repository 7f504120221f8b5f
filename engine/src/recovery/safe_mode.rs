//! Safe mode: no pipeline, only a venue session and one cancel of everything.
//!
//! For a pipeline that panics at the same input again and again, and for a gateway whose own thread panicked. Nothing is
//! replayed, and nothing is sent except the cancels; the venue confirms that they have reached it. Its answers are not
//! read here; the next run that resumes takes them. Bound: one pass over both logs.

use super::error::RecoveryError;
use super::past::{Past, order_of};
use crate::config::{Fault, Faults, Settings};
use crate::gateway::{GatewayError, OpenOrders, cancel_everything, is_definition, settles};
use flow::{OpenOrder, SOURCE_RETURNS, Venue};
use sinks::journal::Home;
use std::path::Path;
use std::time::Duration;

/// How long the venue may take to confirm.
const WITHIN: Duration = Duration::from_secs(3);

/// Cancels all orders at the venue that the settings name; returns its name, or `None` for the simulated one.
///
/// # Errors
/// When the journal cannot be read, or the venue does not confirm.
pub fn cancel_at_venue(settings: &Settings, journal: &Path) -> Result<Option<&'static str>, RecoveryError> {
    let Some(entry) = settings.registries.gateway(settings.stages["router"].get(stages::router::VENUE)) else {
        return Ok(None);
    };
    let home = Home::open(journal)?;
    let mut venue = (entry.open)(&settings.venues[entry.name]).map_err(|e| Faults::from(Fault::from(e)))?;
    let orders = if venue.cancels_all() { Vec::new() } else { open_orders(&home, venue.as_mut())? };
    cancel_everything(venue.as_mut(), &orders, home.current().info.run_id(), WITHIN)
        .map_err(|e| RecoveryError::Gateway(GatewayError::Venue(e)))?;
    Ok(Some(entry.name))
}

/// The orders that may be open: those that the inputs leave, and those whose route was not settled. The venue learns of which
/// instruments they are.
fn open_orders(home: &Home, venue: &mut dyn Venue) -> Result<Vec<OpenOrder>, RecoveryError> {
    let past = Past::of(home.journals())?;
    let (mut orders, mut settled) = (OpenOrders::default(), 0);
    past.inputs.iter().filter(|input| is_definition(input)).for_each(|definition| venue.define(definition));
    past.routes.iter().filter_map(order_of).for_each(|(order, qty)| orders.add(order, qty));
    for member in past.journals {
        for input in member.reader().inputs() {
            let input = input?;
            if is_definition(&input) {
                venue.define(&input);
            }
            if input.source == SOURCE_RETURNS {
                orders.apply(&input);
                settled = settled.max(settles(&input).unwrap_or(0));
            }
        }
    }
    for member in past.journals {
        for outcome in member.reader().outcomes() {
            let outcome = outcome?;
            if let Some((order, qty)) = order_of(&outcome).filter(|_| outcome.id.0 > settled) {
                orders.add(order, qty);
            }
        }
    }
    Ok(orders.iter().collect())
}
