//! The value area of a profile, as a measure of a later family keeps it.
//!
//! A trade that ends a bar is in the profile of the next one, and of the two that follow from it the profile may come first. So a bar is held against
//! what earlier inputs have left. Bound: 104 bytes a profile.

use flow::records::Profile;
use flow::{Ns, Px};
use serde::{Deserialize, Serialize};

/// A value area with its point of control, all known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct ValueArea {
    pub(super) poc: Px,
    pub(super) vah: Px,
    pub(super) val: Px,
    /// Height of a row; 0 until the `profile-area` that follows has come.
    pub(super) row_px: Px,
    /// When it was emitted.
    ts: Ns,
}

impl ValueArea {
    /// That of a `profile`; none where it has no volume.
    pub(super) fn of(profile: &Profile, ts: Ns) -> Option<ValueArea> {
        let (poc, vah, val) = (profile.poc.known()?, profile.vah.known()?, profile.val.known()?);
        Some(ValueArea { poc, vah, val, row_px: Px(0), ts })
    }

    /// Whether it was emitted at or after an instant.
    pub(super) fn is_since(&self, from: Ns) -> bool {
        self.ts >= from
    }
}

/// The last value area of a profile, and the one that earlier inputs have left.
///
/// Between two inputs only the last one says anything: it alone is saved and compared, so equal states are equal bytes.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub(super) struct LastArea {
    now: Option<ValueArea>,
    #[serde(skip)]
    before: Option<ValueArea>,
    /// The input that brought the last one.
    #[serde(skip)]
    seq: u64,
}

impl PartialEq for LastArea {
    fn eq(&self, other: &LastArea) -> bool {
        self.now == other.now
    }
}

impl LastArea {
    /// Takes one that an input has brought.
    pub(super) fn take(&mut self, area: Option<ValueArea>, seq: u64) {
        if seq != self.seq {
            (self.before, self.seq) = (self.now, seq);
        }
        self.now = area;
    }

    /// Takes the height of a row of the last one.
    pub(super) fn take_row(&mut self, row_px: Px) {
        if let Some(area) = &mut self.now {
            area.row_px = row_px;
        }
    }

    /// What earlier inputs have left, at one with that number.
    pub(super) fn before(&self, seq: u64) -> Option<ValueArea> {
        if seq == self.seq { self.before } else { self.now }
    }
}
