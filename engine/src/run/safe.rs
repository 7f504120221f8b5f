//! Safe mode: no pipeline, only the gateway, and one cancel-all.
//!
//! For a pipeline that panics at the same input again and again: nothing is repeated, nothing is sent but the intent that all
//! orders end. What the venue says of them is not taken here; it comes when a run goes on.

use super::RunError;
use super::trading::wrong;
use crate::config::Settings;
use crate::gateway::GatewayError;
use crate::recovery;
use flow::VenueError;
use sinks::GATEWAYS;
use sinks::journal::JournalReader;
use std::path::Path;

/// Cancels everything at the venue that the settings trade with; gives its name, or `None` for the simulated one.
///
/// # Errors
/// When the journal cannot be read, or the venue cannot be reached.
pub fn cancel_at_venue(settings: &Settings, journal: &Path) -> Result<Option<&'static str>, RunError> {
    let Some(entry) = flow::find(GATEWAYS, settings.stages["router"].text("venue")) else {
        return Ok(None);
    };
    let received = recovery::answers(&JournalReader::open(journal)?)?;
    let mut venue = (entry.open)(&settings.venues[entry.name]).map_err(|e| wrong(&e))?;
    let failed = |e: VenueError| RunError::Gateway(GatewayError::Venue(e));
    venue.resume(received).map_err(failed)?;
    venue.cancel_all().map_err(failed)?;
    Ok(Some(entry.name))
}
