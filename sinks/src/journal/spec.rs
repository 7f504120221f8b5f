//! The settings of a new journal, checked before anything is created.

use super::error::JournalError;
use super::format::HEADER_SLOTS;
use super::memory::{AHEAD, bytes_needed};
use flow::{IntParam, Kinds, Param, Params, TextParam};

/// The smallest and the largest segment in records: one page, and 4 GiB.
const SEGMENT_RECORDS: (u64, u64) = (HEADER_SLOTS as u64, 1 << 26);

const RECORDS: IntParam = IntParam::new(
    "segment_records",
    SEGMENT_RECORDS,
    "262144",
    "records per segment file, 64 bytes each; three segments of each log are there from the start",
)
.unit("records");
const HIGH_WATER_MB: IntParam = IntParam::new(
    "high_water_mb",
    (0, 1 << 30),
    "0",
    "journal size above which the oldest outcome segments are dropped",
)
.unit("MiB, 0 = unlimited");
const SYNC_MS: IntParam = IntParam::new(
    "sync_ms",
    (1, 500),
    "250",
    "interval between syncs to disk; a power failure loses at most two intervals",
)
.unit("ms");

const MEMORY: TextParam = TextParam::new(
    "memory",
    "auto",
    "where the active segments lie: auto (/dev/shm if there is room), disk, or a folder, best of a tmpfs",
);
const BEHIND: IntParam = IntParam::new(
    "behind",
    (1 + AHEAD as u64, 1024),
    "8",
    "segments of each log in memory at most: when the disk is that far behind, inputs wait",
)
.unit("segments");

/// When `run` begins a new journal.
pub const ROLL: TextParam = TextParam::new(
    "roll",
    "20:00 America/New_York",
    "when `run` begins a new journal: times of day and their time zone, or never",
);
/// How long closed journals stay.
pub const KEEP_DAYS: IntParam =
    IntParam::new("keep_days", (0, 36_500), "0", "days after its end that a closed journal stays")
        .unit("days, 0 = for ever");
/// How much closed journals may take.
pub const KEEP_MB: IntParam =
    IntParam::new("keep_mb", (0, 1 << 40), "0", "size of all closed journals above which the oldest are removed")
        .unit("MiB, 0 = unlimited");
/// How much closed journals may take before followers hold none of them any more.
pub const HOLD_MB: IntParam = IntParam::new(
    "hold_mb",
    (0, 1 << 40),
    "16384",
    "size of all closed journals up to which one stays that a follower has not read, whatever keep_days and keep_mb say",
)
.unit("MiB, 0 = followers hold nothing");

/// The journal's parameters.
pub(crate) const PARAMS: &[Param] = &[
    RECORDS.param(),
    HIGH_WATER_MB.param(),
    SYNC_MS.param(),
    MEMORY.param(),
    BEHIND.param(),
    ROLL.param(),
    KEEP_DAYS.param(),
    KEEP_MB.param(),
    HOLD_MB.param(),
];

/// The journals before one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Follows {
    /// Id of the last one.
    pub journal_id: u64,
    /// Id of the first one of the run, by which a venue knows the engine.
    pub first_id: u64,
}

/// The settings of a new journal.
#[derive(Clone, Debug)]
pub struct JournalSpec {
    /// Id of the build that writes it.
    pub build_id: String,
    /// The full effective configuration.
    pub config_text: String,
    /// Number of the journal within its run, from 1.
    pub number: u64,
    /// The journals that it follows.
    pub follows: Option<Follows>,
    /// Records per segment, a multiple of 64.
    pub segment_records: u64,
    /// Instrument numbers of the run are below this. A replay is as large as the run was, whatever its events name: a
    /// number that no listing has is then as unknown to the replay as it was to the run, and costs no memory.
    pub instruments: u32,
    /// Kinds that the outcome log keeps.
    pub outcome_kinds: Kinds,
    /// The settings that may change at a resume.
    pub upkeep: Upkeep,
}

/// How the helper maintains a journal.
#[derive(Clone, Debug)]
pub struct Upkeep {
    /// Journal size in bytes above which the oldest outcome segments are dropped; 0 = unlimited.
    pub high_water_bytes: u64,
    /// Interval between syncs in milliseconds.
    pub sync_ms: u64,
    /// Where the active segments lie: `auto`, `disk` or a folder.
    pub memory: String,
    /// Segments of each log that may be in memory, and so not on the disk.
    pub behind: u64,
}

impl Upkeep {
    /// Reads the values of the registered parameters.
    pub fn from_params(params: &Params) -> Upkeep {
        Upkeep {
            high_water_bytes: params.get(HIGH_WATER_MB) << 20,
            sync_ms: params.get(SYNC_MS),
            memory: params.get(MEMORY).to_owned(),
            behind: params.get(BEHIND),
        }
    }
}

impl Default for Upkeep {
    fn default() -> Upkeep {
        Upkeep::from_params(&Params::defaults(PARAMS))
    }
}

impl JournalSpec {
    /// The most instruments of a run: what 253 sources can number.
    pub const MAX_INSTRUMENTS: u32 = 1 << 24;

    /// A journal with default settings.
    pub fn new(build_id: impl Into<String>, config_text: impl Into<String>) -> JournalSpec {
        JournalSpec::from_params(&Params::defaults(PARAMS), build_id, config_text)
    }

    /// Reads the values of the registered parameters; the outcome log keeps every kind.
    pub fn from_params(params: &Params, build_id: impl Into<String>, config_text: impl Into<String>) -> JournalSpec {
        JournalSpec {
            build_id: build_id.into(),
            config_text: config_text.into(),
            number: 1,
            follows: None,
            segment_records: params.get(RECORDS).next_multiple_of(HEADER_SLOTS as u64),
            instruments: 1,
            outcome_kinds: Kinds::ALL,
            upkeep: Upkeep::from_params(params),
        }
    }

    /// Bytes of memory that the journal takes when its disk is as far behind as it may be.
    pub fn memory_bytes(&self) -> u64 {
        bytes_needed(self.segment_records, self.upkeep.behind)
    }

    /// Whether the settings are valid.
    pub(super) fn check(&self) -> Result<(), JournalError> {
        check_segment_records(self.segment_records)?;
        check_instruments(self.instruments)?;
        if self.upkeep.sync_ms == 0 {
            let valid = "valid: 1 or more milliseconds".to_owned();
            return Err(JournalError::Setting { key: "sync_ms", found: "0".to_owned(), valid });
        }
        Ok(())
    }
}

pub(super) fn check_instruments(instruments: u32) -> Result<(), JournalError> {
    if instruments <= JournalSpec::MAX_INSTRUMENTS {
        return Ok(());
    }
    let valid = format!("valid: at most {}", JournalSpec::MAX_INSTRUMENTS);
    Err(JournalError::Setting { key: "instruments", found: instruments.to_string(), valid })
}

pub(super) fn check_segment_records(records: u64) -> Result<(), JournalError> {
    let (low, high) = SEGMENT_RECORDS;
    if (low..=high).contains(&records) && records.is_multiple_of(low) {
        return Ok(());
    }
    let valid = format!("valid: a multiple of {low} from {low} to {high}");
    Err(JournalError::Setting { key: "segment_records", found: records.to_string(), valid })
}
