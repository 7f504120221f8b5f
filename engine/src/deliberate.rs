//! Deliberate faults, to prove that tests would catch them and that a halt does not need a healthy pipeline.
//!
//! Each [`Fault`] breaks one rule of the merge that makes a cut pipeline emit the same as an uncut one; [`spins`] makes a
//! stage hang, and [`wavers`] makes one emit something else each time. They exist only with the feature `deliberate-faults`,
//! which only those tests turn on; without it [`is_on`] and [`spins`] are a constant `false`, and [`wavers`] is 0.

/// A rule to break.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Fault {
    /// An input is stamped with its own due time even when the clock of the merge is later.
    RawDue = 1,
    /// Returns are ordered by arrival, not by id.
    OrderOfArrival = 2,
    /// A group raises its watermark before it has handed on what its inputs caused.
    WatermarkFirst = 3,
    /// The ingress takes returns before it reads the watermark.
    DrainBeforeWatermark = 4,
    /// A cut sends no watermark after a turn that forwarded nothing.
    NoWatermarkOnEmpty = 5,
    /// The run ends without waiting for pending returns.
    EndAtOnce = 6,
}

impl Fault {
    /// Every fault.
    pub const ALL: [Fault; 6] = [
        Fault::RawDue,
        Fault::OrderOfArrival,
        Fault::WatermarkFirst,
        Fault::DrainBeforeWatermark,
        Fault::NoWatermarkOnEmpty,
        Fault::EndAtOnce,
    ];
}

#[cfg(feature = "deliberate-faults")]
mod switch {
    use super::Fault;
    use std::sync::LazyLock;
    use std::sync::atomic::{AtomicU8, Ordering};

    static ON: AtomicU8 = AtomicU8::new(0);

    /// Turns one fault on, or all of them off.
    pub fn inject(fault: Option<Fault>) {
        ON.store(fault.map_or(0, |f| f as u8), Ordering::SeqCst);
    }

    /// Whether a fault is on.
    pub fn is_on(fault: Fault) -> bool {
        ON.load(Ordering::SeqCst) == fault as u8
    }

    /// Whether the group of `risk` hangs at this input: from the one that the variable `TIDEGATE_SPIN_AT` names.
    pub fn spins(seq: u64) -> bool {
        static FROM: LazyLock<Option<u64>> = LazyLock::new(|| std::env::var("TIDEGATE_SPIN_AT").ok()?.parse().ok());
        FROM.is_some_and(|from| seq >= from)
    }

    /// A number that is another one each time for the outcomes of the input that the variable `TIDEGATE_WAVER_AT` names; else 0.
    pub fn wavers(seq: u64) -> u8 {
        static AT: LazyLock<Option<u64>> = LazyLock::new(|| std::env::var("TIDEGATE_WAVER_AT").ok()?.parse().ok());
        static TIMES: AtomicU8 = AtomicU8::new(0);
        if *AT == Some(seq) { TIMES.fetch_add(1, Ordering::SeqCst).wrapping_add(1) } else { 0 }
    }
}

#[cfg(feature = "deliberate-faults")]
pub use switch::{inject, is_on, spins, wavers};

/// Whether a fault is on.
#[cfg(not(feature = "deliberate-faults"))]
#[inline]
pub const fn is_on(_: Fault) -> bool {
    false
}

/// A number that is another one each time for the outcomes of an input, as of a stage that is not deterministic; else 0.
#[cfg(not(feature = "deliberate-faults"))]
#[inline]
pub const fn wavers(_: u64) -> u8 {
    0
}

/// Whether a stage hangs at this input.
#[cfg(not(feature = "deliberate-faults"))]
#[inline]
pub const fn spins(_: u64) -> bool {
    false
}
