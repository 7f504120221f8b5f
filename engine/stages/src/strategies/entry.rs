//! An entry of the registry of strategies.

use super::occasion::Occasion;
use crate::Space;
use crate::instance::Instance;
use flow::{Param, ParamError, Params, Stage, StrategyId};

/// What an instance of a strategy is built with, besides its parameters.
#[derive(Clone, Copy)]
pub struct Setup<'a> {
    /// Its number in the ids of its orders, and in all that it emits.
    pub number: StrategyId,
    /// The instances of measures that a table names.
    pub measures: &'a [Instance],
    /// The sizes of its tables.
    pub space: Space,
}

impl Setup<'static> {
    /// That of a strategy beside which only plain instances run.
    pub fn plain(number: StrategyId, space: Space) -> Setup<'static> {
        Setup { number, measures: &[], space }
    }
}

/// Builds an instance of a strategy.
type BuildStrategy = fn(&Params, Setup<'_>) -> Result<Box<dyn Stage>, ParamError>;

/// A strategy that a configuration can name.
pub struct StrategyEntry {
    /// Name in configurations, on the command line and in rows.
    pub name: &'static str,
    /// Its documentation page.
    pub doc: &'static str,
    /// What it does, in one sentence.
    pub about: &'static str,
    /// The number of its plain instance in the ids of orders, from 1 to 28; never given twice.
    pub number: StrategyId,
    /// Its parameters.
    pub params: &'static [Param],
    /// Builds an instance; allocates and touches all the memory that it will ever use. Several of them share what a stage may
    /// emit for one event: at a pulse each emits only as long as there is [`flow::Out::room`].
    pub build: BuildStrategy,
    /// What a copy of it acts on, so that its code is warm when it acts; `None` = only what lies behind it is rehearsed.
    pub rehearsal: Option<Occasion>,
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
