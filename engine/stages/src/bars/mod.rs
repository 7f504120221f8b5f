//! Bars: trades summed up over spans of time.
//!
//! Every instrument has one running sum per length. A bar opens with the first trade in its span and closes exactly once:
//! at the tick of its end, or at the instrument's first trade at or past the end if that comes before the tick.
//! `docs/bars.md` has the definitions, the parameter and the cost.
//!
//! Bound: [`MAX_INTERVALS`] lengths; memory for every instrument is allocated and written at construction. Worst case of
//! an event: a trade closes and opens a bar of each length; a tick closes those of its slice.

mod stage;
mod sum;

pub use stage::{BarStage, MAX_INTERVALS, PARAMS};
