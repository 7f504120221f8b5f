//! Benchmarks: what `tidegate bench` and the programs in `benches/` share.
//!
//! [`rounds`] alternates between contenders, so that disturbances hit all of them alike; [`hop`] and [`rings`] measure how
//! events cross cores; [`Recording`] holds a file in memory, on which [`stages`] measures decoding and the book, and
//! [`pipeline`](mod@pipeline) the whole pipeline; [`open_loop`] sends messages at intended times and measures up to the
//! bytes of the order; [`ask`] measures what a question to a journal costs; [`Market`] makes a synthetic day. [`compare`] shows what changed between two results beyond noise.
//!
//! Every median of rounds comes with its interval of about 95 % (`_low`, `_high`) and, where useful, the minimum, which on
//! a shared machine is nearest to the true cost of the code. Bound: all input is in memory.

pub mod ask;
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

/// The head of every result.
#[derive(Clone, Debug, Serialize)]
pub struct Setting {
    /// Name of the benchmark.
    pub bench: &'static str,
    /// The build of Tidegate.
    pub tidegate: String,
    /// The host.
    pub host: Host,
    /// CPU time stolen by the hypervisor during the benchmark, in per cent.
    pub steal_percent: f64,
    #[serde(skip)]
    began: Steal,
}

impl Setting {
    /// Begins the benchmark `bench`.
    pub fn begin(bench: &'static str) -> Setting {
        let (host, began) = (Host::here(), Steal::now());
        Setting { bench, tidegate: crate::build_id(), host, steal_percent: 0.0, began }
    }

    /// Ends the benchmark.
    #[must_use]
    pub fn end(mut self) -> Setting {
        self.steal_percent = rounds::rounded(Steal::now().percent_since(self.began));
        self
    }
}

/// Cores for the threads of a benchmark: the last ones, since the first serve interrupts; none if there are too few.
pub fn own_cores(threads: usize) -> Vec<usize> {
    let cores = ring::thread::cores();
    cores.len().checked_sub(threads).map_or(Vec::new(), |first| cores[first..].to_vec())
}
