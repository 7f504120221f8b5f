//! What a market usually is, learned from recorded days and written as a file that a configuration includes.
//!
//! A sink at the end of a short pipeline keeps of each instrument its bars and how often each size of a trade came. When the input has
//! ended, everything is computed from that at once, by the rules of the measures that will read it: the bucket of VPIN, the limits of the
//! volatility regime, the look-back, the normal volume of each minute and the correlations. A number for which there is too little data
//! is left out, and the file says why; none is made up.
//!
//! Values that a parameter reads are written as values, the rest as comments. The bytes of the file depend on the input and the version
//! alone: symbols are sorted, and no clock is read.
//!
//! Bound: 24 bytes a bar and 48 for each size of a trade that occurs, for every instrument. Worst case: [`MOST_CORRELATED`] instruments,
//! of which each two are compared bar by bar.

mod correlations;
mod gather;
mod learn;
mod lookback;
mod write;

pub(crate) use gather::{Kept, LearnSink};
pub(crate) use learn::{Learned, OneSymbol, Rules, learn};
pub(crate) use write::{About, toml};

/// The stages that make bars of whatever an input has.
pub(crate) const STAGES: &str = "book,bars";
/// Buckets of an average day.
pub(crate) const BUCKETS_A_DAY: u64 = 50;
/// The least size of a bucket, in median trades: below that nearly every bucket is one-sided.
pub(crate) const LEAST_TRADES: u64 = 10;
/// The longest lag of the look-back.
pub(crate) const LONGEST_LAG: u32 = 60;
/// The fewest returns from which a look-back or limits are learned: two of the longest lag.
pub(crate) const LEAST_RETURNS: usize = 120;
/// The fewest returns that two instruments must have in common.
pub(crate) const LEAST_COMMON: u32 = 30;
/// The least limit that is written as more than nothing.
pub(crate) const SMALLEST: f64 = 1e-9;
/// The most instruments that are compared with each other.
pub(crate) const MOST_CORRELATED: usize = 64;
