//! The value area of a profile, as a measure of a later family keeps it.
//!
//! Bound: 40 bytes.

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
