//! Deliberate faults of the merge, to prove that its tests would see them.
//!
//! Each breaks one rule on which the sameness of cut and uncut lines rests. They exist only with the feature
//! `deliberate-faults`, which nothing but that test turns on; without it [`is_on`] is a constant.

/// A rule to break.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Fault {
    /// An input is stamped with its own due time although now is later.
    RawDue = 1,
    /// Returns are taken in the order in which they came, not by id.
    OrderOfArrival = 2,
    /// A group raises its word before it has handed on what its inputs caused.
    WatermarkFirst = 3,
    /// The ingress takes returns before it reads the word.
    DrainBeforeWord = 4,
    /// A cut carries no word when nothing was forwarded in a turn.
    NoWatermarkOnEmpty = 5,
    /// The run ends without waiting for what is pending.
    EndAtOnce = 6,
}

impl Fault {
    /// Every fault.
    pub const ALL: [Fault; 6] = [
        Fault::RawDue,
        Fault::OrderOfArrival,
        Fault::WatermarkFirst,
        Fault::DrainBeforeWord,
        Fault::NoWatermarkOnEmpty,
        Fault::EndAtOnce,
    ];
}

#[cfg(feature = "deliberate-faults")]
mod switch {
    use super::Fault;
    use std::sync::atomic::{AtomicU8, Ordering};

    static ON: AtomicU8 = AtomicU8::new(0);

    /// Turns one fault on, or all off.
    pub fn inject(fault: Option<Fault>) {
        ON.store(fault.map_or(0, |f| f as u8), Ordering::SeqCst);
    }

    /// Whether the rule is broken.
    pub fn is_on(fault: Fault) -> bool {
        ON.load(Ordering::SeqCst) == fault as u8
    }
}

#[cfg(feature = "deliberate-faults")]
pub use switch::{inject, is_on};

/// Whether the rule is broken.
#[cfg(not(feature = "deliberate-faults"))]
#[inline]
pub const fn is_on(_: Fault) -> bool {
    false
}
