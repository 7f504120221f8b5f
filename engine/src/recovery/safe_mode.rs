//! Safe mode: no pipeline, only a venue session and one cancel-all.
//!
//! For a pipeline that panics at the same input again and again. Nothing is replayed, and nothing is sent except the
//! cancel-all. The venue's answers are not read here; the next run that resumes takes them.

use super::carry::answers;
use super::error::RecoveryError;
use crate::config::{Fault, Faults, Settings};
use crate::gateway::GatewayError;
use flow::VenueError;
use sinks::GATEWAYS;
use sinks::journal::JournalReader;
use std::path::Path;

/// Cancels all orders at the venue that the settings name; returns its name, or `None` for the simulated one.
///
/// # Errors
/// When the journal cannot be read, or the venue cannot be reached.
pub fn cancel_at_venue(settings: &Settings, journal: &Path) -> Result<Option<&'static str>, RecoveryError> {
    let Some(entry) = flow::find(GATEWAYS, settings.stages["router"].get(stages::router::VENUE)) else {
        return Ok(None);
    };
    let received = answers(&JournalReader::open(journal)?)?;
    let mut venue = (entry.open)(&settings.venues[entry.name]).map_err(|e| Faults::from(Fault::from(e)))?;
    let failed = |e: VenueError| RecoveryError::Gateway(GatewayError::Venue(e));
    venue.resume(received).map_err(failed)?;
    venue.cancel_all().map_err(failed)?;
    Ok(Some(entry.name))
}
