//! The registries of sinks and of gateways to venues: one entry each.

use crate::tailer::Tailer;
use crate::{journal, wire};
use flow::{Param, ParamError, Params, Venue};

/// An entry of the sink registry.
#[derive(Debug)]
pub struct SinkEntry {
    /// Name in configuration files and on the command line.
    pub name: &'static str,
    /// Path of its documentation page, from the root of the project.
    pub doc: &'static str,
    /// One-line description.
    pub about: &'static str,
    /// Its parameters.
    pub params: &'static [Param],
    /// Where it works.
    pub place: SinkPlace,
}

/// Where a sink works.
#[derive(Clone, Copy, Debug)]
pub enum SinkPlace {
    /// At the tail of the run, which has its parameters in its configuration: the journal alone.
    InTheRun,
    /// Beside the run, in a process that `tidegate sink` is: opened with its parameters.
    BesideIt(fn(&Params) -> Result<Box<dyn Tailer>, ParamError>),
}

flow::registered!(SinkEntry);

/// Every sink.
pub const SINKS: &[SinkEntry] = &[
    SinkEntry {
        name: "journal",
        doc: "sinks/docs/journal.md",
        about: "inputs and outcomes in memory-mapped, sealed logs that any process can tail and replay",
        params: journal::PARAMS,
        place: SinkPlace::InTheRun,
    },
    #[cfg(feature = "parquet")]
    SinkEntry {
        name: "parquet",
        doc: "sinks/docs/parquet.md",
        about: "the same tables as Parquet files, by day and hour",
        params: crate::parquet::PARAMS,
        place: SinkPlace::BesideIt(crate::parquet::open),
    },
    #[cfg(feature = "questdb")]
    SinkEntry {
        name: "questdb",
        doc: "sinks/docs/questdb.md",
        about: "tables in QuestDB: trades, books, bars, measures, signals, orders, fills, positions, risk",
        params: crate::questdb::PARAMS,
        place: SinkPlace::BesideIt(crate::questdb::open),
    },
];

/// An entry of the gateway registry.
#[derive(Debug)]
pub struct GatewayEntry {
    /// Name in configuration files and on the command line.
    pub name: &'static str,
    /// Path of its documentation page, from the root of the project.
    pub doc: &'static str,
    /// One-line description.
    pub about: &'static str,
    /// Its parameters.
    pub params: &'static [Param],
    /// Creates the venue's adapter, which connects when its gateway resumes.
    pub open: fn(&Params) -> Result<Box<dyn Venue>, ParamError>,
}

flow::registered!(GatewayEntry);

/// Every gateway to a venue outside the process.
pub const GATEWAYS: &[GatewayEntry] = &[GatewayEntry {
    name: "wire",
    doc: "sinks/docs/wire.md",
    about: "A venue that exchanges 64-byte events over TCP, and that numbers and keeps its answers",
    params: wire::PARAMS,
    open: wire::open,
}];
