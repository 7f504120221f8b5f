//! The registry of sinks: one line each.

use crate::journal;
use flow::{Param, Registered};

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

impl Registered for SinkLine {
    fn name(&self) -> &'static str {
        self.name
    }
    fn doc(&self) -> &'static str {
        self.doc
    }
    fn about(&self) -> &'static str {
        self.about
    }
    fn params(&self) -> &'static [Param] {
        self.params
    }
}

/// Every sink.
pub const SINKS: &[SinkLine] = &[SinkLine {
    name: "journal",
    doc: "sinks/docs/journal.md",
    about: "inputs and outcomes in memory-mapped, sealed logs that any process can read along and replay",
    params: journal::PARAMS,
}];
