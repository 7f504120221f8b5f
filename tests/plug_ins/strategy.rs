//! Never trades.
//!
//! No state.

use super::common::{ACCOUNT, QTY, SYMBOLS};
use crate::Space;
use flow::{
    Event, Kind, Kinds, Out, Param, ParamError, Params, Scope, Stage, StateError, StateReader, StateWriter, StrategyId,
};

/// Number of the strategy `dummy`.
pub const DUMMY: StrategyId = StrategyId(28);

/// What can be set.
pub const PARAMS: &[Param] = &[SYMBOLS.param(), ACCOUNT.param(), QTY.param()];

/// The strategy.
pub struct DummyStage;

impl DummyStage {
    /// The registry's builder.
    ///
    /// # Errors
    /// None.
    pub fn build(_: &Params, _: Space) -> Result<Box<dyn Stage>, ParamError> {
        Ok(Box::new(DummyStage))
    }
}

impl Stage for DummyStage {
    fn reads(&self) -> Kinds {
        Kinds::of(&[Kind::BookTop, Kind::Pulse])
    }

    fn emits(&self) -> Kinds {
        Kinds::of(&[Kind::Signal, Kind::Reason, Kind::Intent])
    }

    fn scope(&self) -> Scope {
        Scope::Instrument
    }

    fn fan_out(&self) -> usize {
        3
    }

    fn on_event(&mut self, _: &Event, _: &mut Out) {}

    fn save(&self, _: &mut StateWriter<'_>) {}

    fn load(&mut self, _: &mut StateReader<'_>) -> Result<(), StateError> {
        Ok(())
    }
}
