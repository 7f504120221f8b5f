//! The memory that a run takes, and whether the system can give it.

use serde::Serialize;
use std::fmt;
use tuning::Free;

/// The system cannot give the memory of a run.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the run needs {need}, and can get {} MB: {}; lower the bounds of its tables (the parameters `max_…`), or give it more",
    free.bytes >> 20, free.by
)]
pub struct NotEnough {
    /// What the run needs.
    pub need: Need,
    /// What it can get.
    pub free: Free,
}

/// The memory of a run, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Need {
    /// Tables of the stages, the simulated venue, the head and the tail.
    pub tables: u64,
    /// Rings between threads.
    pub rings: u64,
    /// Segments of the journal in memory, when its disk is as far behind as it may be.
    pub journal: u64,
    /// Inputs: buffers, decoders, and the synthetic exchange.
    pub inputs: u64,
}

/// What threads, libraries and the binary itself take.
const REST: u64 = 32 << 20;

impl Need {
    /// The sum, with what the binary itself takes.
    pub fn total(&self) -> u64 {
        [self.tables, self.rings, self.journal, self.inputs].into_iter().fold(REST, u64::saturating_add)
    }

    /// Checks that the system can give it.
    ///
    /// # Errors
    /// When it cannot.
    pub fn fits(self) -> Result<(), NotEnough> {
        match Free::now() {
            Some(free) if free.bytes < self.total() => Err(NotEnough { need: self, free }),
            _ => Ok(()),
        }
    }
}

impl fmt::Display for Need {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mb = |bytes: u64| bytes.div_ceil(1 << 20);
        let Need { tables, rings, journal, inputs } = *self;
        write!(f, "{} MB of memory: {} of tables, {} of rings, ", mb(self.total()), mb(tables), mb(rings))?;
        write!(f, "{} of journal, {} of inputs, {} for the rest", mb(journal), mb(inputs), mb(REST))
    }
}
