//! The last names that were told, so that a repetition is known.
//!
//! Bound: `MOST` names; the oldest is forgotten first, and what it names is then new again.

use serde::{Deserialize, Serialize};
use std::collections::{BTreeSet, VecDeque};

/// The last `MOST` names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(bound(deserialize = "Name: Ord + Deserialize<'de>"))]
pub(super) struct LastNames<Name: Ord, const MOST: usize> {
    names: BTreeSet<Name>,
    in_order: VecDeque<Name>,
}

impl<Name: Ord, const MOST: usize> Default for LastNames<Name, MOST> {
    fn default() -> Self {
        LastNames { names: BTreeSet::new(), in_order: VecDeque::new() }
    }
}

impl<Name: Ord + Copy, const MOST: usize> LastNames<Name, MOST> {
    /// Whether it was told.
    pub(super) fn has(&self, name: &Name) -> bool {
        self.names.contains(name)
    }

    /// It is told.
    pub(super) fn add(&mut self, name: Name) {
        if !self.names.insert(name) {
            return;
        }
        self.in_order.push_back(name);
        if self.in_order.len() > MOST
            && let Some(oldest) = self.in_order.pop_front()
        {
            self.names.remove(&oldest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_is_forgotten_first() {
        let mut names = LastNames::<u64, 3>::default();
        [1, 2, 2, 3, 1].iter().for_each(|name| names.add(*name));
        assert!([1, 2, 3].iter().all(|name| names.has(name)));
        names.add(4);
        assert_eq!([1, 2, 3, 4].map(|name| names.has(&name)), [false, true, true, true]);
    }
}
