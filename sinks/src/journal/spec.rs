//! What a journal is to be: given at its creation, checked before anything is made.

use super::error::JournalError;
use super::format::HEADER_SLOTS;
use flow::{Effective, Kinds, Param, ParamType, Params};

/// Fewest and most records of a segment: a page's worth, and 4 GiB.
const SEGMENT_RECORDS: (u64, u64) = (HEADER_SLOTS as u64, 1 << 26);

/// What can be set of a journal.
pub(crate) const PARAMS: &[Param] = &[
    Param {
        name: "segment_records",
        ty: ParamType::Int(SEGMENT_RECORDS.0, SEGMENT_RECORDS.1),
        unit: "records",
        default: "262144",
        effective: Effective::Restart,
        about: "records of one segment file, 64 bytes each; three segments of each log are allocated ahead",
    },
    Param {
        name: "high_water_mb",
        ty: ParamType::Int(0, 1 << 30),
        unit: "MiB, 0 = no mark",
        default: "0",
        effective: Effective::Restart,
        about: "size of the journal from which on the oldest outcome segments are dropped",
    },
    Param {
        name: "sync_ms",
        ty: ParamType::Int(1, 500),
        unit: "ms",
        default: "250",
        effective: Effective::Restart,
        about: "how often what was written is synced to the disk; a power cut costs at most two intervals",
    },
];

/// What a journal is to be.
#[derive(Clone, Debug)]
pub struct JournalSpec {
    /// Build that writes it.
    pub build_id: String,
    /// The full effective configuration.
    pub config_text: String,
    /// Snapshot that the run starts from.
    pub snapshot: Option<String>,
    /// Records of a segment, a multiple of 64.
    pub segment_records: u64,
    /// Kinds that the outcome log keeps.
    pub outcome_kinds: Kinds,
    /// The part that may be another at a resume.
    pub upkeep: Upkeep,
}

/// How a journal is looked after while it is written.
#[derive(Clone, Copy, Debug)]
pub struct Upkeep {
    /// Bytes from which on the oldest outcome segments are dropped; 0 = never.
    pub high_water_bytes: u64,
    /// Milliseconds between two syncs.
    pub sync_ms: u64,
}

impl Upkeep {
    /// From the values of the registry's parameters.
    pub fn from_params(params: &Params) -> Upkeep {
        Upkeep { high_water_bytes: params.int("high_water_mb") << 20, sync_ms: params.int("sync_ms") }
    }
}

impl Default for Upkeep {
    fn default() -> Upkeep {
        Upkeep::from_params(&Params::defaults(PARAMS))
    }
}

impl JournalSpec {
    /// A journal with default settings.
    pub fn new(build_id: impl Into<String>, config_text: impl Into<String>) -> JournalSpec {
        JournalSpec::from_params(&Params::defaults(PARAMS), build_id, config_text)
    }

    /// From the values of the registry's parameters; the outcome log keeps every kind that it is given.
    pub fn from_params(params: &Params, build_id: impl Into<String>, config_text: impl Into<String>) -> JournalSpec {
        JournalSpec {
            build_id: build_id.into(),
            config_text: config_text.into(),
            snapshot: None,
            segment_records: params.int("segment_records").next_multiple_of(HEADER_SLOTS as u64),
            outcome_kinds: Kinds::ALL,
            upkeep: Upkeep::from_params(params),
        }
    }

    /// Whether such a journal can be.
    pub(super) fn check(&self) -> Result<(), JournalError> {
        check_segment_records(self.segment_records)?;
        if self.upkeep.sync_ms == 0 {
            let valid = "valid: 1 or more milliseconds".to_owned();
            return Err(JournalError::Setting { key: "sync_ms", found: "0".to_owned(), valid });
        }
        Ok(())
    }
}

pub(super) fn check_segment_records(records: u64) -> Result<(), JournalError> {
    let (low, high) = SEGMENT_RECORDS;
    if (low..=high).contains(&records) && records.is_multiple_of(low) {
        return Ok(());
    }
    let valid = format!("valid: a multiple of {low} from {low} to {high}");
    Err(JournalError::Setting { key: "segment_records", found: records.to_string(), valid })
}
