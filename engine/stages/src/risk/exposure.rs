//! What one account holds of one instrument and has open in it. Bound: three numbers.

use flow::Side;

/// What an account holds of an instrument, and has open in it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Exposure {
    /// Signed position.
    pub(super) position: i64,
    /// Open quantity of buys and of sells.
    pub(super) open: [u64; 2],
}

impl Exposure {
    /// Nothing.
    pub(super) const NONE: Exposure = Exposure { position: 0, open: [0; 2] };

    /// Open quantity of a side, mutable.
    #[inline]
    pub(super) fn open_mut(&mut self, side: Side) -> &mut u64 {
        &mut self.open[usize::from(side == Side::Sell)]
    }

    /// Open quantity of a side.
    #[inline]
    pub(super) fn open(&self, side: Side) -> u64 {
        self.open[usize::from(side == Side::Sell)]
    }
}
