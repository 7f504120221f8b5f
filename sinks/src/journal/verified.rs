//! What a verification found: the faults, and the state of both logs.

use super::error::Fault;
use super::gaps::Gaps;
use super::manifest::Closed;

/// The result of a verification.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// The first faults, in the order of the files.
    pub faults: Vec<Fault>,
    /// Number of further faults.
    pub more_faults: u64,
    /// The input log.
    pub inputs: LogState,
    /// The outcome log.
    pub outcomes: LogState,
    /// Gaps that the outcome log has recorded. They are not faults.
    pub gaps: Option<Gaps>,
    /// Where the logs end, if the journal was closed in order.
    pub closed: Option<Closed>,
    /// Why the newest records, which lay in memory, are not in the logs; in words. It is not a fault.
    pub lost_memory: Option<String>,
}

/// The state of one log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogState {
    /// Number of segment files.
    pub segments: u64,
    /// Records written, including dropped ones.
    pub records: u64,
    /// Sealed records in the files.
    pub sealed: u64,
    /// Records after them, trusted by their ids.
    pub unsealed: u64,
    /// Seq of the last record.
    pub last_seq: u64,
    /// The hash chain after the sealed part, in hexadecimal: a copy kept elsewhere proves that the end was not cut off.
    pub chain: String,
    /// A half-written record follows the end: the writer died there.
    pub torn: bool,
}

impl Verified {
    /// Whether there is no fault.
    pub fn is_intact(&self) -> bool {
        self.faults.is_empty()
    }
}

/// Collects faults up to a limit.
pub(super) struct Faults {
    pub(super) list: Vec<Fault>,
    pub(super) more: u64,
    limit: usize,
    /// What a crash leaves does not count.
    pub(super) lenient: bool,
}

impl Faults {
    /// Keeps the first `limit` faults, at least one.
    pub(super) fn new(limit: usize) -> Faults {
        Faults { list: Vec::new(), more: 0, limit: limit.max(1), lenient: false }
    }

    pub(super) fn push(&mut self, fault: Fault) {
        if self.lenient && fault.what.is_left_by_a_crash() {
            return;
        }
        if self.list.len() < self.limit { self.list.push(fault) } else { self.more += 1 }
    }

    pub(super) fn count(&self) -> u64 {
        self.list.len() as u64 + self.more
    }
}
