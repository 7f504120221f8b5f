//! An entry of the registry of strategies.

use crate::registry::Build;
use flow::{Param, StrategyId};

/// A strategy that a configuration can name.
pub struct StrategyEntry {
    /// Name in configurations, on the command line and in rows.
    pub name: &'static str,
    /// Its documentation page.
    pub doc: &'static str,
    /// What it does, in one sentence.
    pub about: &'static str,
    /// Its number in the ids of its orders, from 1 to 28; never given twice.
    pub number: StrategyId,
    /// Its parameters.
    pub params: &'static [Param],
    /// Builds its stage; allocates and touches all the memory that it will ever use.
    pub build: Build,
}

flow::registered!(StrategyEntry);

/// The position before that of the first strategy: see [`crate::STAGES`].
const BEFORE: u8 = 71;

/// The last position of a strategy.
const LAST: u8 = 99;

impl StrategyEntry {
    /// The fixed position of its stage in the ids of events.
    ///
    /// # Panics
    /// When the number of the strategy is out of its range.
    pub fn position(&self) -> u8 {
        assert!((1..=u16::from(LAST - BEFORE)).contains(&self.number.0), "{}: a number from 1 to 28", self.name);
        BEFORE + self.number.0 as u8
    }
}
