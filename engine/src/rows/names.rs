//! Names that the table of kinds does not have: those of plug-ins.

use flow::StrategyId;

/// How rows name strategies and risk checks. Those without a name are shown by number.
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
