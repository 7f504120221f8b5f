//! Bars: open, high, low, close and volume over fixed intervals.
//!
//! Each instrument has one open bar per interval. A bar opens with the first trade in its interval and closes exactly once:
//! at the tick of its end, or at the instrument's first trade at or past the end if that comes first. `docs/bars.md` has the
//! definitions, the parameter and the cost.
//!
//! Bound: [`MAX_INTERVALS`] intervals; memory of an instrument is written when it is listed. Worst case of
//! an event: a trade closes and opens a bar of each interval; a tick closes the bars of its slice; a broken trade has the prices
//! of its bars looked for among all trades that are remembered.

mod prints;
mod stage;
mod sum;

pub use stage::{BarStage, INTERVALS, MAX_INTERVALS, PARAMS};
