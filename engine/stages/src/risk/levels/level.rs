//! A table of limits as the gate keeps it, whether an account's money is real, and which limits add something up.

use super::scope::LimitScope;

/// A table of limits.
#[derive(Clone, Debug)]
pub(in crate::risk) struct Level {
    /// Its number, from 1, in the order of the configuration.
    pub(in crate::risk) number: u16,
    pub(in crate::risk) scope: LimitScope,
    /// In force, by the place of the check.
    pub(in crate::risk) limits: Box<[Option<i64>]>,
    /// The same as configured.
    pub(in crate::risk) configured: Box<[Option<i64>]>,
    /// The most that a command may set each of them to.
    pub(in crate::risk) ceilings: Box<[Option<i64>]>,
}

/// The places of the checks that compare what a level adds up.
#[derive(Clone, Copy, Debug)]
pub(in crate::risk) struct Summed {
    pub(in crate::risk) position: usize,
    pub(in crate::risk) open_orders: usize,
    pub(in crate::risk) throttle: usize,
}

/// Whether an account's money is real.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mode {
    /// It is.
    Live,
    /// It is not.
    Paper,
}

impl Mode {
    /// Its name in configurations.
    pub const fn name(self) -> &'static str {
        match self {
            Mode::Live => "live",
            Mode::Paper => "paper",
        }
    }
}
