//! Measures of order flow: who pushes, and how hard.
//!
//! [`CvdStage`] sums signed volume, [`ImbalanceStage`] compares the sides of the book, [`VpinStage`] measures how one-sided
//! equal pieces of volume are. Each is a file, a kind of event and a page: `docs/cvd.md`, `docs/imbalance.md`,
//! `docs/vpin.md` have definitions, parameters and cost. What is a sum of market numbers stays an integer; a measure is
//! one division at the end.
//!
//! Bound: arrays by instrument, allocated and written at construction. Worst case of an event: a trade that closes more
//! buckets than the window of `vpin` holds, linear in the window.

mod buckets;
mod bulk;
mod cvd;
mod imbalance;
mod ladders;
mod session;
mod vpin;

pub use cvd::{CvdStage, PARAMS as CVD_PARAMS};
pub use imbalance::{ImbalanceStage, PARAMS as IMBALANCE_PARAMS};
pub use vpin::{PARAMS as VPIN_PARAMS, VpinStage};

use flow::records::Trade;
use flow::{Event, Flags, Px, Qty};

/// The trade of an event and the place of its instrument among so many, if it is news that a trade took place: not one of
/// a snapshot, without quantity or without price.
#[inline]
fn traded(event: &Event, instruments: usize) -> Option<(usize, &Trade)> {
    let (at, trade) = (event.instrument as usize, event.record::<Trade>());
    let counts = at != 0 && at < instruments && trade.qty.0 != 0 && trade.px != Px::NONE;
    (counts && !event.flags.has(Flags::SNAPSHOT)).then_some((at, trade))
}

/// The aggressor of a trade as masks over its quantity, all ones or all zeros: its side is as good as random, so a branch on
/// it, or an address, could not be guessed.
#[derive(Clone, Copy)]
struct Aggressor {
    bought: u64,
    sold: u64,
}

impl Aggressor {
    #[inline]
    fn of(event: &Event) -> Aggressor {
        // The two low bits are the side: 1 buyer, 2 seller.
        let (low, high) = (u64::from(event.flags.0 & 1), u64::from(event.flags.0 >> 1 & 1));
        Aggressor { bought: (low & !high).wrapping_neg(), sold: (high & !low).wrapping_neg() }
    }

    #[inline]
    fn is_known(self) -> bool {
        self.bought | self.sold != 0
    }

    /// What was bought of a quantity, and what was sold.
    #[inline]
    fn split(self, qty: Qty) -> (u64, u64) {
        (qty.0 & self.bought, qty.0 & self.sold)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flow::Side;
    use flow::records::Trade;

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
