//! Trades as the flow measures count them, with a branch-free aggressor; and what a broken one takes out of a sum.

use flow::records::{BrokenTrade, Trade};
use flow::{Event, Flags, Px, Qty};

/// The trade of an event, if it counts: it has a quantity, makes a price and is not part of a snapshot.
#[inline]
pub fn counted(event: &Event) -> Option<&Trade> {
    let trade: &Trade = event.get()?;
    counts(trade.qty, trade.px, event.flags).then_some(trade)
}

/// The broken trade of an event, if it counted.
#[cold]
pub fn counted_before(event: &Event) -> Option<&BrokenTrade> {
    let trade: &BrokenTrade = event.get()?;
    counts(trade.qty, trade.px, event.flags).then_some(trade)
}

#[inline]
fn counts(qty: Qty, px: Px, flags: Flags) -> bool {
    const LEFT_OUT: u16 = Flags::SNAPSHOT.0 | Flags::VOLUME_ONLY.0;
    qty.0 != 0 && px != Px::NONE && flags.0 & LEFT_OUT == 0
}

/// Takes a quantity out of a sum. A sum at its limit may have lost some, so nobody knows what it would be, and it stays.
pub(super) fn take_out(sum: &mut u64, qty: u64) {
    if *sum != u64::MAX {
        *sum = sum.saturating_sub(qty);
    }
}

/// The aggressor of a trade as masks over its quantity, all ones or all zeros. The side is practically random, so a branch
/// on it, or an address computed from it, could not be predicted.
#[derive(Clone, Copy)]
pub struct Aggressor {
    /// All ones where the aggressor bought.
    pub bought: u64,
    /// All ones where it sold.
    pub sold: u64,
}

impl Aggressor {
    /// The aggressor of an event.
    #[inline]
    pub fn of(event: &Event) -> Aggressor {
        // The two low bits are the side: 1 buyer, 2 seller.
        let (low, high) = (u64::from(event.flags.0 & 1), u64::from(event.flags.0 >> 1 & 1));
        Aggressor { bought: (low & !high).wrapping_neg(), sold: (high & !low).wrapping_neg() }
    }

    /// Whether there is an aggressor.
    #[inline]
    pub fn is_known(self) -> bool {
        self.bought | self.sold != 0
    }

    /// The bought part and the sold part of a quantity.
    #[inline]
    pub fn split(self, qty: Qty) -> (u64, u64) {
        (qty.0 & self.bought, qty.0 & self.sold)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flow::Side;

    #[test]
    fn masks_are_those_of_the_side() {
        for bits in 0..4 {
            let mut event = Event::new(flow::Ns(0), 1, Flags::LAST_OF_GROUP, &Trade::default());
            event.flags.0 |= bits;
            let (bought, sold) = Aggressor::of(&event).split(Qty(7));
            let expected = match event.side() {
                Side::Buy => (7, 0),
                Side::Sell => (0, 7),
                Side::None => (0, 0),
            };
            assert_eq!((bought, sold), expected);
            assert_eq!(Aggressor::of(&event).is_known(), event.side() != Side::None);
        }
    }
}
