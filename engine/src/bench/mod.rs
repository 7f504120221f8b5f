//! Measuring: what `tidegate bench` and the programs in `benches/` have in common.
//!
//! [`rounds`] alternates between contenders, so that what else the machine does hits all of them alike; [`hop`] and [`rings`]
//! measure how events cross cores; [`Recording`] holds a file in memory, and [`stages`] measures decoding and the book
//! on it, [`pipeline`](mod@pipeline) the whole pipeline; [`open_loop`] sends messages at intended times and measures to the bytes of
//! the order; [`Market`] makes the bytes that need no file. [`compare`] reads two results and says what changed beyond noise.
//!
//! Every figure that is a median of rounds stands beside its interval of about 95 % (`_low`, `_high`) and, where it says
//! something, the least: on a shared machine that is the nearest to what the code costs. Bound: what is measured on is in
//! memory.

pub(crate) mod commands;
pub mod compare;
pub mod hop;
mod market;
pub mod open_loop;
pub mod pipeline;
pub mod recording;
pub mod rings;
pub mod rounds;
pub mod stages;

pub use market::{Market, Numbering, decode, frames, queue};
pub use recording::{Recording, RecordingError};

use serde::Serialize;
use tuning::{Host, Steal};

/// What stands at the head of every result.
#[derive(Clone, Debug, Serialize)]
pub struct Setting {
    /// What was measured.
    pub bench: &'static str,
    /// The build.
    pub tidegate: String,
    /// Where.
    pub host: Host,
    /// Share of the time that a hypervisor took away meanwhile, in per cent.
    pub steal_percent: f64,
    #[serde(skip)]
    began: Steal,
}

impl Setting {
    /// Begins the measurement called `bench`.
    pub fn begin(bench: &'static str) -> Setting {
        let (host, began) = (Host::here(), Steal::now());
        Setting { bench, tidegate: crate::build_id(), host, steal_percent: 0.0, began }
    }

    /// Ends it.
    #[must_use]
    pub fn end(mut self) -> Setting {
        self.steal_percent = rounds::rounded(Steal::now().percent_since(self.began));
        self
    }
}

/// Cores for the threads of a measurement: the last ones, since the first serve the system's interrupts; none where there
/// are fewer.
pub fn own_cores(threads: usize) -> Vec<usize> {
    let cores = ring::thread::cores();
    cores.len().checked_sub(threads).map_or(Vec::new(), |first| cores[first..].to_vec())
}
