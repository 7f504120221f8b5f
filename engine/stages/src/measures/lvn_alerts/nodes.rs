//! Low-volume nodes of a profile, each armed or not; their bands, and the space between them.
//!
//! A band is a closed interval of prices around a node, or on one side of it, in whole 1e-9; so is the wider one within which nothing is
//! armed. Bound: ten nodes of a profile, as many as it emits.

use flow::{PriceDirection, Px};
use serde::{Deserialize, Serialize};

/// How wide bands are.
pub(super) struct Bands {
    pub(super) bps: u32,
    pub(super) rearm_bps: u32,
    pub(super) leg_rows: u32,
    pub(super) leg_bps: u32,
    pub(super) leg_rearm: u32,
}

/// Prices around a node: from the first to the second an alert fires, beyond the third and the fourth it is armed.
pub(super) struct Band {
    low: i64,
    high: i64,
    far_low: i64,
    far_high: i64,
}

impl Band {
    fn fires(&self, px: Px) -> bool {
        self.low <= px.0 && px.0 <= self.high
    }

    fn arms(&self, px: Px) -> bool {
        px.0 < self.far_low || px.0 > self.far_high
    }
}

/// The nodes of a profile.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Nodes {
    px: [Px; Nodes::MOST],
    len: u8,
    /// A bit for each.
    armed: u16,
    /// Those of the leg before it was open again, of which one at the same price is as armed as it was.
    old_px: [Px; Nodes::MOST],
    old_len: u8,
    old_armed: u16,
    /// Of a leg: where it goes, and the height of a row. It is open where neither is known and there are nodes.
    direction: Option<PriceDirection>,
    row_px: Px,
    is_open: bool,
}

impl Nodes {
    /// The most of a profile.
    pub(super) const MOST: usize = 10;

    pub(super) fn len(&self) -> usize {
        self.len.into()
    }

    pub(super) fn px(&self, at: usize) -> Px {
        self.px[at]
    }

    fn is_armed(&self, at: usize) -> bool {
        self.armed >> at & 1 == 1
    }

    fn arm(&mut self, at: usize, is_armed: bool) {
        self.armed = self.armed & !(1 << at) | u16::from(is_armed) << at;
    }

    /// The nodes with whether they are armed, if their profile is closed.
    pub(super) fn live(&self) -> impl Iterator<Item = (Px, bool)> {
        let len = if self.is_open { 0 } else { self.len() };
        (0..len).map(|at| (self.px[at], self.is_armed(at)))
    }

    /// A leg has closed; its row and its nodes come next.
    pub(super) fn close(&mut self, direction: Option<PriceDirection>) {
        let (old_px, old_len, old_armed) = (self.px, self.len, self.armed);
        *self = Nodes { old_px, old_len, old_armed, direction, ..Nodes::default() };
    }

    /// The leg is open again: nothing fires until it closes.
    pub(super) fn open(&mut self) {
        self.is_open = true;
    }

    pub(super) fn set_row(&mut self, row_px: Px) {
        self.row_px = row_px;
    }

    /// Adds a node. It is armed as one at its price was when the leg was open, else unless the last price is in its band.
    pub(super) fn add(&mut self, px: Px, last: Option<Px>, bands: &Bands) {
        let at = self.len();
        if at == Nodes::MOST {
            return;
        }
        (self.px[at], self.len) = (px, self.len + 1);
        let old = (0..usize::from(self.old_len)).find(|at| self.old_px[*at] == px);
        let is_armed = match old {
            Some(old) => self.old_armed >> old & 1 == 1,
            None => !last.is_some_and(|last| self.band(at, bands).fires(last)),
        };
        self.arm(at, is_armed);
    }

    /// The bands of a node.
    pub(super) fn band(&self, at: usize, bands: &Bands) -> Band {
        let px = self.px[at].0;
        let share = |bps: u32| i64::from(bps).saturating_mul(px.saturating_abs());
        let (near, far) = if self.direction.is_some() {
            let rows = i64::from(bands.leg_rows).saturating_mul(self.row_px.0);
            let near = rows.max(share(bands.leg_bps) / 10_000);
            (near, near.saturating_mul(bands.leg_rearm.into()) / 100)
        } else {
            // Less than so much, and beyond so much.
            ((share(bands.bps) - 1).div_euclid(10_000), share(bands.rearm_bps) / 10_000)
        };
        let (below, above) = match self.direction {
            Some(PriceDirection::Up) => (0, near),
            Some(PriceDirection::Down) => (near, 0),
            None => (near, near),
        };
        Band {
            low: px.saturating_sub(below),
            high: px.saturating_add(above),
            far_low: px.saturating_sub(far.max(near)),
            far_high: px.saturating_add(far.max(near)),
        }
    }

    /// A trade has crossed a bound. Says whether the alert of a node fires.
    pub(super) fn crossed(&mut self, at: usize, px: Px, band: &Band) -> bool {
        if band.arms(px) {
            self.arm(at, true);
        }
        let fires = !self.is_open && self.is_armed(at) && band.fires(px);
        if fires {
            self.arm(at, false);
        }
        fires
    }
}

/// Prices among which no trade crosses a bound: above the first and below the second.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Space {
    above: Px,
    below: Px,
}

impl Space {
    /// Every price.
    pub(super) const ALL: Space = Space { above: Px(i64::MIN), below: Px(i64::MAX) };
    /// No price.
    pub(super) const NONE: Space = Space { above: Px(0), below: Px(0) };

    #[inline]
    pub(super) fn holds(&self, px: Px) -> bool {
        self.above < px && px < self.below
    }

    /// Leaves what a band does not bound, around a price. The ends of a band belong to it.
    pub(super) fn narrow(&mut self, px: Px, band: &Band) {
        let Band { low, high, far_low, far_high } = *band;
        // The last price before each change, seen from below, and the first after it.
        for first in [far_low, low, high.saturating_add(1), far_high.saturating_add(1)] {
            if first <= px.0 {
                self.above = self.above.max(Px(first.saturating_sub(1)));
            } else {
                self.below = self.below.min(Px(first));
            }
        }
    }
}
