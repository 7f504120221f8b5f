//! A leg: from the trade with which it starts to its extreme so far, and what each trade makes of it.
//!
//! It is open as long as price makes new extremes, closed when price has come back a part of it, open again at the next extreme, and over
//! when price goes beyond its start or comes to the point of control of the range. What bars say of it, the market does. Bound: a
//! few numbers. Worst case: a comparison or two a trade.

use super::minutes::{Spot, is_beyond, opposite};
use super::params::Settings;
use flow::{LegEnd, LegType, PriceDirection, Px, Real};
use serde::{Deserialize, Serialize};

/// The row of the point of control: its lowest and highest price.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct PocRow {
    pub(super) low: Px,
    pub(super) high: Px,
}

impl PocRow {
    /// The row that a price is in, of rows of this height that are counted from price 0.
    pub(super) fn of(poc: Px, height: Px) -> PocRow {
        let height = height.0.max(1);
        let low = poc.0.div_euclid(height).saturating_mul(height);
        PocRow { low: Px(low), high: Px(low.saturating_add(height - 1)) }
    }

    /// Whether price has come to it, or beyond it, on the way in a direction.
    pub(super) fn is_reached(self, direction: PriceDirection, px: Px) -> bool {
        match direction {
            PriceDirection::Up => px >= self.low,
            PriceDirection::Down => px <= self.high,
        }
    }
}

/// A leg that counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Leg {
    pub(super) of: LegType,
    pub(super) direction: PriceDirection,
    pub(super) start: Spot,
    pub(super) extreme: Spot,
    pub(super) poc: PocRow,
    pub(super) is_closed: bool,
    /// What of its minutes was left out when it was found.
    pub(super) left_out: u64,
}

/// What a trade makes of a leg.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Turn {
    /// It is over.
    Ends(LegEnd),
    /// It has a new extreme; `true` if it was closed.
    Extends(bool),
    /// It is closed.
    Closes,
    /// It is as it was.
    Stays,
}

impl Leg {
    /// What a trade at this price makes of it.
    #[inline]
    pub(super) fn turn(&self, px: Px, settings: &Settings) -> Turn {
        let back = opposite(self.direction);
        let to_poc = match self.of {
            LegType::Impulse => back,
            LegType::Reclaim => self.direction,
        };
        if is_beyond(back, px, self.start.px) {
            Turn::Ends(LegEnd::Start)
        } else if self.poc.is_reached(to_poc, px) {
            Turn::Ends(LegEnd::Poc)
        } else if is_beyond(self.direction, px, self.extreme.px) {
            Turn::Extends(self.is_closed)
        } else if !self.is_closed && self.is_back(px, settings.closed, u8::MAX) {
            Turn::Closes
        } else {
            Turn::Stays
        }
    }

    /// Distance from start to extreme.
    pub(super) fn size(&self) -> i128 {
        self.forth(self.extreme.px, self.start.px)
    }

    /// How far a price lies beyond another, in the leg's direction.
    pub(super) fn forth(&self, px: Px, from: Px) -> i128 {
        let up = i128::from(px.0) - i128::from(from.0);
        match self.direction {
            PriceDirection::Up => up,
            PriceDirection::Down => -up,
        }
    }

    /// Whether price has come back from so many percent of the leg up to so many, both inside.
    pub(super) fn is_back(&self, px: Px, least: u8, most: u8) -> bool {
        let (back, size) = (self.forth(self.extreme.px, px) * 100, self.size());
        i128::from(least) * size <= back && (most == u8::MAX || back <= i128::from(most) * size)
    }

    /// How much of it price has come back, in per cent.
    pub(super) fn retraced(&self, px: Px) -> Real {
        Real::of((self.forth(self.extreme.px, px) * 100) as f64 / self.size() as f64)
    }

    /// Height of the rows in which its nodes are looked for, in ticks.
    pub(super) fn row_ticks(&self, tick: Px, parts: u32) -> u64 {
        let ticks = self.size() / (i128::from(parts) * i128::from(tick.0.max(1)));
        u64::try_from(ticks).unwrap_or(u64::MAX).max(1)
    }
}
