//! The touch: best bid and ask, as prices for readers and as ladder keys inside a book.

use super::order::{key_of, px_of};
use flow::{Px, Side};

/// Best bid and ask; an empty side has price [`Px::NONE`] and quantity 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Top {
    /// Best bid.
    pub bid_px: Px,
    /// Quantity at the best bid.
    pub bid_qty: u64,
    /// Best ask.
    pub ask_px: Px,
    /// Quantity at the best ask.
    pub ask_qty: u64,
}

impl Top {
    #[inline]
    pub(super) fn of([bid, ask]: &[Touch; 2]) -> Top {
        let px = |side, key| if key == i64::MIN { Px::NONE } else { px_of(side, key) };
        Top { bid_px: px(Side::Buy, bid.key), bid_qty: bid.qty, ask_px: px(Side::Sell, ask.key), ask_qty: ask.qty }
    }

    /// Whether both sides exist and the bid is at or above the ask.
    #[inline]
    pub fn crossed(&self) -> bool {
        self.bid_px != Px::NONE && self.bid_px >= self.ask_px
    }
}

/// One side of a top, its price as a ladder key; an empty side is below every key.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Touch {
    pub(super) key: i64,
    pub(super) qty: u64,
}

impl Touch {
    pub(super) const NONE: Touch = Touch { key: i64::MIN, qty: 0 };

    #[inline]
    pub(super) fn new(side: Side, px: Px, qty: u64) -> Touch {
        if px == Px::NONE { Touch::NONE } else { Touch { key: key_of(side, px), qty } }
    }
}
