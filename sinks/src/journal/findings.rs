//! Where a log stands, as an examination found it: what an acceptance needs to go on writing it.

use super::format::LogKind;
use super::log_keeper::Kept;
use super::seal::Sidecar;
use flow::EventId;
use std::collections::VecDeque;

/// Where a log stands.
#[derive(Debug, Default)]
pub(super) struct LogFindings {
    /// Segments that are full, sealed and noted as such.
    pub(super) kept: VecDeque<Kept>,
    /// Segments with records after them: not full, or not yet sealed or noted.
    pub(super) open: Vec<Open>,
    /// Segments after the end, which hold nothing that counts.
    pub(super) spare: Vec<u64>,
    /// How many of these are not empty.
    pub(super) spoiled: u64,
    /// Number of the segment that the writer creates next.
    pub(super) next_number: u64,
    /// Number of the last record.
    pub(super) written: u64,
    /// Seq of the last record; 0 without one.
    pub(super) last_seq: u64,
    /// The hash chain after the sealed part.
    pub(super) chain: [u8; 32],
    /// Outcomes: everything up to this seq is complete.
    pub(super) completed: u64,
    /// Number and time of the last sealed record.
    pub(super) sealed: (u64, u64),
    /// Time of the last record.
    pub(super) last_ns: u64,
}

/// A segment that is not finished.
#[derive(Debug)]
pub(super) struct Open {
    pub(super) number: u64,
    /// Number of its first record.
    pub(super) first_record: u64,
    /// How many records it holds.
    pub(super) used: u64,
    /// Where its sidecar ends; without the blocks.
    pub(super) seal: Sidecar,
}

/// A segment whose sealed records are what was sealed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Whole {
    pub(super) log: LogKind,
    pub(super) number: u64,
    /// Number of its sealed records, at least one.
    pub(super) records: u64,
    /// Ids of the first and of the last of them.
    pub(super) first: EventId,
    pub(super) last: EventId,
}
