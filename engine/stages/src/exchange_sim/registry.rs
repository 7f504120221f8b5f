//! The registry of simulated venues: one entry each.

use super::{PARAMS, SimulatedVenue};
use crate::Space;
use flow::{Param, ParamError, Params};

/// An entry of the registry.
pub struct VenueEntry {
    /// Name in configurations and on the command line.
    pub name: &'static str,
    /// Page of documentation.
    pub doc: &'static str,
    /// What it is.
    pub about: &'static str,
    /// What can be set.
    pub params: &'static [Param],
    /// Builds it, with a book of the second parameters; all memory that it will ever use is reserved here.
    pub build: fn(&Params, &Params, Space) -> Result<SimulatedVenue, ParamError>,
}

flow::registered!(VenueEntry);

/// Every venue.
pub const VENUES: &[VenueEntry] = &[VenueEntry {
    name: "sim",
    doc: "engine/stages/docs/venue.md",
    about: "A simulated venue: fills orders against the market's own book, by depth and by queue position.",
    params: PARAMS,
    build: SimulatedVenue::new,
}];
