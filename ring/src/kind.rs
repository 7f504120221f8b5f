//! Which ring to use, its capacity, and the errors of a request for one.

use std::fmt;
use std::str::FromStr;

/// The largest capacity a ring can have: 16,777,216 slots, 1 GiB.
pub const MAX_CAPACITY: usize = 1 << 24;

/// The ring implementations behind the common interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum Kind {
    /// The phase ring: a value and its publication mark share one cache line.
    #[default]
    Phase,
    /// The `disruptor` crate, polled: values and the cursor that publishes them are on separate cache lines.
    Disruptor,
}

impl Kind {
    /// Every kind, in documentation order.
    pub const ALL: [Self; 2] = [Self::Phase, Self::Disruptor];

    /// The name in configuration files and on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Phase => "phase",
            Self::Disruptor => "disruptor",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Kind {
    type Err = UnknownName;

    fn from_str(name: &str) -> Result<Self, UnknownName> {
        Self::ALL
            .into_iter()
            .find(|kind| kind.name() == name)
            .ok_or_else(|| UnknownName::new("ring", name, &Self::ALL.map(Self::name)))
    }
}

/// A name that matches none of the valid ones.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown {what} `{name}`; one of: {valid}")]
pub struct UnknownName {
    /// What the name should have named.
    pub what: &'static str,
    /// The unknown name.
    pub name: String,
    /// The valid names, separated by commas.
    pub valid: String,
}

impl UnknownName {
    pub(crate) fn new(what: &'static str, name: &str, valid: &[&str]) -> Self {
        Self { what, name: name.to_owned(), valid: valid.join(", ") }
    }
}

/// Why a ring could not be created.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RingError {
    /// The capacity is not a power of two, zero, or larger than [`MAX_CAPACITY`].
    #[error(
        "a ring's capacity must be a power of two from 1 to {MAX_CAPACITY}, not {capacity}; the nearest is {nearest}"
    )]
    Capacity {
        /// The requested capacity.
        capacity: usize,
        /// The next larger valid capacity, or [`MAX_CAPACITY`].
        nearest: usize,
    },
}

/// Returns `capacity` if it is valid.
pub(crate) fn checked_capacity(capacity: usize) -> Result<usize, RingError> {
    if capacity.is_power_of_two() && capacity <= MAX_CAPACITY {
        return Ok(capacity);
    }
    let nearest = capacity.checked_next_power_of_two().map_or(MAX_CAPACITY, |above| above.clamp(1, MAX_CAPACITY));
    Err(RingError::Capacity { capacity, nearest })
}

/// How many events a consumer takes before it frees their slots: an eighth of the capacity, at least one.
///
/// Freeing costs a store on a cache line that the producer reads, so it does not happen on every event; freeing only at
/// the end of a long take would starve a producer that waits for a slot.
pub(crate) const fn quantum(capacity: usize) -> usize {
    if capacity < 8 { 1 } else { capacity / 8 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_found_by_its_name_and_an_unknown_one_lists_them() {
        for kind in Kind::ALL {
            assert_eq!(kind.to_string().parse(), Ok(kind));
        }
        let error = "Phase".parse::<Kind>().unwrap_err();
        assert_eq!(error.to_string(), "unknown ring `Phase`; one of: phase, disruptor");
    }

    #[test]
    fn only_powers_of_two_within_the_bound_are_capacities() {
        for shift in 0..=24 {
            assert_eq!(checked_capacity(1 << shift), Ok(1 << shift));
        }
        for (capacity, nearest) in
            [(0, 1), (3, 4), (1000, 1024), (MAX_CAPACITY * 2, MAX_CAPACITY), (usize::MAX, MAX_CAPACITY)]
        {
            assert_eq!(checked_capacity(capacity), Err(RingError::Capacity { capacity, nearest }));
        }
        let error = checked_capacity(1000).unwrap_err();
        assert!(error.to_string().ends_with("not 1000; the nearest is 1024"), "{error}");
    }

    #[test]
    fn a_consumer_frees_slots_in_eighths() {
        assert_eq!([1, 2, 4, 8, 16, 1024].map(quantum), [1, 1, 1, 1, 2, 128]);
    }
}
