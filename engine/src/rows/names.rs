//! Names that the table of kinds does not know: those of plug-ins.

use flow::StrategyId;

/// How a row names a strategy and a check of risk. What has no name is shown by its number.
#[derive(Clone, Copy)]
pub struct Names {
    /// A strategy's name.
    pub strategy: fn(StrategyId) -> Option<&'static str>,
    /// A check's name.
    pub check: fn(u16) -> Option<&'static str>,
}

impl Names {
    /// The names in the registries of the stages.
    pub const REGISTERED: Names =
        Names { strategy: stages::strategies::name, check: |number| Some(stages::risk::check_name(number)) };
}
