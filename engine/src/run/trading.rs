//! The way back: from the tail to the head, with the venue between.

use super::RunError;
use crate::config::{Fault, Faults, Settings};
use crate::ingress::Returns;
use crate::line::Slot;
use crate::plan::Plan;
use ring::Producer;
use stages::Space;
use stages::venue::SimulatedVenue;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

/// Slots of the ring of returns. The head takes returns whenever it waits, so a small one is enough.
const RING: usize = 4_096;

/// What comes back to the head, and the tail's end of it.
pub(super) type WayBack = (Option<Returns>, Option<Producer<Slot>>);

/// The way back of a line that trades; nothing for one that does not.
pub(super) fn way_back(
    settings: &Settings,
    plan: &Plan,
    instruments: u32,
    word: &Arc<AtomicU64>,
) -> Result<WayBack, RunError> {
    if !plan.trades {
        return Ok((None, None));
    }
    let venue = SimulatedVenue::new(&settings.venues["sim"], Space { instruments }).map_err(|e| {
        Faults(vec![Fault::new(Path::new("configuration"), &format!("sim.{}", e.key), &e.found, &e.valid)])
    })?;
    let (producer, consumer) = ring::channel(plan.ring, RING)?;
    Ok((Some(Returns::new(venue, consumer, Arc::clone(word), plan.max_returns)), Some(producer)))
}
