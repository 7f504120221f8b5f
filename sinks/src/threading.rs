//! Where the thread of a gateway runs, and what it does while there is nothing to do.
//!
//! Parameters that every gateway may have: its entry lists [`CORE`] and [`IDLE`] among its own, and the engine reads them. An
//! entry without them has a thread that is not pinned and sleeps. They change when an order leaves and when an answer is read,
//! and no result. Bound: two look-ups by name, once a run.

use flow::{ChoiceParam, OptionalIntParam, Params, choices};

/// What a gateway's thread does while there is nothing to do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum GatewayIdle {
    /// It gives its core back after some looks, and looks again after a sleep.
    #[default]
    Sleep,
    /// It keeps its core and looks again at once.
    Spin,
}

impl GatewayIdle {
    /// Its name in configurations.
    pub const fn name(self) -> &'static str {
        match self {
            GatewayIdle::Sleep => "sleep",
            GatewayIdle::Spin => "spin",
        }
    }
}

/// The core of a gateway's thread.
pub const CORE: OptionalIntParam<usize> = OptionalIntParam::new(
    "core",
    (0, 65_535),
    "core of the gateway's thread, which no other thread has; none: not pinned",
);

/// What it does while there is nothing to do.
pub const IDLE: ChoiceParam<GatewayIdle> = ChoiceParam::new(
    "idle",
    choices! {
        GatewayIdle::Sleep.name() => GatewayIdle::Sleep,
        GatewayIdle::Spin.name() => GatewayIdle::Spin,
    },
    GatewayIdle::Sleep.name(),
    "what the gateway does while there is nothing to do; sleep: some 0.1 ms between two looks; spin: it takes a whole core, and an order leaves at once",
);

/// How the thread of a gateway is run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Threading {
    /// The core that it is pinned to, if any.
    pub core: Option<usize>,
    /// What it does while there is nothing to do.
    pub idle: GatewayIdle,
}

impl Threading {
    /// That of a gateway with these parameters.
    pub fn of(params: &Params) -> Threading {
        Threading { core: params.find(CORE).flatten(), idle: params.find(IDLE).unwrap_or_default() }
    }

    /// Whether a parameter of that name is one of these, which change no result.
    pub fn has(param: &str) -> bool {
        param == CORE.name() || param == IDLE.name()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gateway_without_these_parameters_sleeps_and_is_not_pinned() {
        assert_eq!(Threading::of(&Params::default()), Threading { core: None, idle: GatewayIdle::Sleep });
        let (core, idle) = (CORE.param(), IDLE.param());
        let mut params = Params::defaults(&[core, idle]);
        assert_eq!(Threading::of(&params), Threading::default());
        params.set(&core, core.parse("wire.core", "0").unwrap());
        params.set(&idle, idle.parse("wire.idle", "spin").unwrap());
        assert_eq!(Threading::of(&params), Threading { core: Some(0), idle: GatewayIdle::Spin });
    }
}
