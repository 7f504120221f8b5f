//! The registries of sinks and of gateways to venues: one line each.

use crate::{journal, wire};
use flow::{Param, ParamError, Params, Venue};

/// A line of the registry.
#[derive(Debug)]
pub struct SinkLine {
    /// Name in configurations and on the command line.
    pub name: &'static str,
    /// Page of documentation, from the root of the project.
    pub doc: &'static str,
    /// What it is.
    pub about: &'static str,
    /// What can be set.
    pub params: &'static [Param],
}

flow::registered!(SinkLine);

/// Every sink.
pub const SINKS: &[SinkLine] = &[SinkLine {
    name: "journal",
    doc: "sinks/docs/journal.md",
    about: "inputs and outcomes in memory-mapped, sealed logs that any process can read along and replay",
    params: journal::PARAMS,
}];

/// A line of the registry of gateways.
#[derive(Debug)]
pub struct GatewayLine {
    /// Name in configurations and on the command line.
    pub name: &'static str,
    /// Page of documentation, from the root of the project.
    pub doc: &'static str,
    /// What it is.
    pub about: &'static str,
    /// What can be set.
    pub params: &'static [Param],
    /// Makes the venue's adapter; it connects when its gateway resumes.
    pub open: fn(&Params) -> Result<Box<dyn Venue>, ParamError>,
}

flow::registered!(GatewayLine);

/// Every gateway to a venue outside the process.
pub const GATEWAYS: &[GatewayLine] = &[GatewayLine {
    name: "wire",
    doc: "sinks/docs/wire.md",
    about: "A venue that speaks 64-byte events over TCP, with answers that it numbers and keeps",
    params: wire::PARAMS,
    open: wire::open,
}];
