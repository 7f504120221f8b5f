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
use flow::{Event, Flags, Px};

/// The trade of an event and the place of its instrument among so many, if it is news that a trade took place: not one of
/// a snapshot, without quantity or without price.
#[inline]
fn traded(event: &Event, instruments: usize) -> Option<(usize, &Trade)> {
    let (at, trade) = (event.instrument as usize, event.record::<Trade>());
    let counts = at != 0 && at < instruments && trade.qty.0 != 0 && trade.px != Px::NONE;
    (counts && !event.flags.has(Flags::SNAPSHOT)).then_some((at, trade))
}
