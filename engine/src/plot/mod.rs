//! The page of a day: what the pipeline makes of one instrument, as one file that a browser opens without a network.
//!
//! A sink at the end of the pipeline keeps what the page shows: the bars with the volumes by price and side, the measures of each
//! bar, the profiles of the sessions, and as marks what happened. At the end it becomes compact JSON. The page is that, with
//! the styles and the script of the folder `page`, which draws on a canvas: nothing foreign, nothing that is fetched. The script
//! measures nothing. It draws what was emitted, and says of imbalances in a footprint what the parameters of the measure say.
//!
//! Bound: [`MOST_BARS`] bars with [`MOST_ROWS`] rows in their footprints, and [`MOST_MARKS`] marks; an input with more bars is refused as
//! soon as that is known, and marks beyond are counted. Worst case: some 200 MB and a page of 60 MB; a day of SPY by minutes is 0.4 MB.

mod badges;
mod bars;
mod json;
mod marks;
mod page;
mod sessions;
mod sink;

pub(crate) use sink::{Day, DaySink, Kept, first};

/// The most bars of a page.
const MOST_BARS: usize = 20_000;
/// The most rows that the footprints of its bars have together.
const MOST_ROWS: usize = 2_000_000;
/// The most marks.
const MOST_MARKS: usize = 20_000;

/// The stages of which a page shows something, in the order of the pipeline.
pub(crate) const STAGES: [&str; 12] = [
    "book",
    "bars",
    "profile",
    "cvd",
    "flow",
    "footprint",
    "vpin",
    "state",
    "breakout",
    "legs",
    "lvn-alerts",
    "market-alerts",
];

/// What makes a row of a footprint imbalanced: the parameters of the measure.
#[derive(Clone, Copy, Debug, serde::Serialize)]
pub(crate) struct Imbalance {
    /// It is this many times the other side.
    pub(crate) ratio: f64,
    /// And this part of the bar's volume, in per cent.
    pub(crate) least_part: f64,
}
