//! What a call on the books returns: a level's new totals, or the fault that left the books unchanged.

use super::order::LevelChange;
use super::touch::Top;
use flow::AnomalyKind;

/// Why a message was left out, or what was wrong with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Which anomaly.
    pub what: AnomalyKind,
    /// The number that [`AnomalyKind::detail`] describes.
    pub detail: u64,
}

/// The result of an execution, a partial cancel or a delete.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reduced {
    /// The level afterwards.
    pub change: LevelChange,
    /// The message asked for more than was there.
    pub over: bool,
}

/// The result of setting a level to an absolute total.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LevelUpdate {
    /// The quantity before; or why nothing was changed.
    pub before: Result<u64, Fault>,
    /// The top, if it differs from the one published last, and whether it has just become crossed.
    pub top: Option<(Top, bool)>,
}

/// The result of a replace. The old order is gone in every case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Replaced {
    /// The levels that changed, the old price first.
    pub changes: [Option<LevelChange>; 2],
    /// Why the new terms were not booked.
    pub fault: Option<Fault>,
}
