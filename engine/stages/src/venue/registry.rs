//! The registry of venues that a run can trade with: one line each.

use super::{PARAMS, SimulatedVenue};
use crate::Space;
use flow::{Param, ParamError, Params};

/// A line of the registry.
pub struct VenueLine {
    /// Name in configurations and on the command line.
    pub name: &'static str,
    /// Page of documentation.
    pub doc: &'static str,
    /// What it is.
    pub about: &'static str,
    /// What can be set.
    pub params: &'static [Param],
    /// Builds it; all memory that it will ever use is allocated and touched here.
    pub build: fn(&Params, Space) -> Result<SimulatedVenue, ParamError>,
}

flow::registered!(VenueLine);

/// Every venue.
pub const VENUES: &[VenueLine] = &[VenueLine {
    name: "sim",
    doc: "engine/stages/docs/venue.md",
    about: "A simulated venue: fills orders against the market's own book, by depth and by queue position.",
    params: PARAMS,
    build: SimulatedVenue::new,
}];
