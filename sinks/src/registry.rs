//! The registries of sinks and of gateways to venues: one entry each.

use crate::{journal, wire};
use flow::{Param, ParamError, Params, Venue};

/// An entry of the registry.
#[derive(Debug)]
pub struct SinkEntry {
    /// Name in configurations and on the command line.
    pub name: &'static str,
    /// Page of documentation, from the root of the project.
    pub doc: &'static str,
    /// What it is.
    pub about: &'static str,
    /// What can be set.
    pub params: &'static [Param],
}

flow::registered!(SinkEntry);

/// Every sink.
pub const SINKS: &[SinkEntry] = &[SinkEntry {
    name: "journal",
    doc: "sinks/docs/journal.md",
    about: "inputs and outcomes in memory-mapped, sealed logs that any process can read along and replay",
    params: journal::PARAMS,
}];

/// An entry of the registry of gateways.
#[derive(Debug)]
pub struct GatewayEntry {
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

flow::registered!(GatewayEntry);

/// Every gateway to a venue outside the process.
pub const GATEWAYS: &[GatewayEntry] = &[GatewayEntry {
    name: "wire",
    doc: "sinks/docs/wire.md",
    about: "A venue that speaks 64-byte events over TCP, with answers that it numbers and keeps",
    params: wire::PARAMS,
    open: wire::open,
}];
