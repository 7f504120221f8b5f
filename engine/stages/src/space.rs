//! The sizes that every stage is built for.

/// How many instruments, fills and positions a stage must hold.
#[derive(Clone, Copy, Debug)]
pub struct Space {
    /// Instrument indices are below this number.
    pub instruments: u32,
    /// Number of fills that are remembered, so that a bust finds its own.
    pub fills: u32,
    /// The most positions: one for each account, strategy and instrument.
    pub positions: usize,
}
