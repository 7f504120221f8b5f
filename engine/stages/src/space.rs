//! The sizes that every stage is built for.

/// How many instruments and fills a stage must hold.
#[derive(Clone, Copy, Debug)]
pub struct Space {
    /// Instrument indices are below this number.
    pub instruments: u32,
    /// Number of fills that a stage remembers if it follows fills: the same everywhere, so all judge a bust alike.
    pub fills: u32,
}
