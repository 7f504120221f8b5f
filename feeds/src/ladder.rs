//! The differences between two states of one side of a book.
//!
//! Feeds that publish the N best levels of each side (LOBSTER's rows, Databento's MBP-10) send the book's *state*; the
//! pipeline needs the *changes*. Both ladders are sorted from the best price, so one merge pass finds every difference.
//! Bound: at most as many changes as both ladders have levels, in linear time.

use flow::Side;

/// One level: price in the feed's unit, quantity, number of orders (0 = unknown).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rung {
    pub(crate) px: i64,
    pub(crate) qty: u64,
    pub(crate) orders: u32,
}

/// One difference between an old and a new ladder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    /// In the new ladder only. `beyond`: worse than all of the old one, so it may merely have moved into the visible
    /// range.
    Added { rung: Rung, beyond: bool },
    /// In the old ladder only. `beyond`: worse than all of the new one, so it may merely have moved out of the visible
    /// range.
    Removed { rung: Rung, beyond: bool },
    /// In both, with a different quantity or number of orders.
    Changed { old: Rung, new: Rung },
}

/// Whether `a` is a better price than `b` on this side.
pub(crate) fn better(side: Side, a: i64, b: i64) -> bool {
    if side == Side::Buy { a > b } else { a < b }
}

/// Whether the levels are sorted from the best price, without duplicates.
pub(crate) fn ordered(side: Side, rungs: &[Rung]) -> bool {
    rungs.is_sorted_by(|a, b| better(side, a.px, b.px))
}

/// Calls `each` on every difference, from the best price down.
pub(crate) fn walk(side: Side, old: &[Rung], new: &[Rung], mut each: impl FnMut(Change)) {
    let (mut i, mut j) = (0, 0);
    while i < old.len() || j < new.len() {
        match (old.get(i), new.get(j)) {
            (Some(o), Some(n)) if o.px == n.px => {
                if o != n {
                    each(Change::Changed { old: *o, new: *n });
                }
                (i, j) = (i + 1, j + 1);
            }
            (Some(o), n) if n.is_none_or(|n| better(side, o.px, n.px)) => {
                each(Change::Removed { rung: *o, beyond: n.is_none() });
                i += 1;
            }
            (o, Some(n)) => {
                each(Change::Added { rung: *n, beyond: o.is_none() });
                j += 1;
            }
            (_, None) => unreachable!("the walk ends when both ladders do"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    fn ladder(side: Side, levels: &BTreeMap<i64, u64>) -> Vec<Rung> {
        let rungs = levels.iter().map(|(px, qty)| Rung { px: *px, qty: *qty, orders: 0 });
        if side == Side::Buy { rungs.rev().collect() } else { rungs.collect() }
    }

    proptest! {
        #[test]
        fn the_changes_turn_the_old_ladder_into_the_new(
            old in prop::collection::btree_map(1i64..20, 1u64..4, 0..10),
            new in prop::collection::btree_map(1i64..20, 1u64..4, 0..10),
            buy: bool,
        ) {
            let side = if buy { Side::Buy } else { Side::Sell };
            let (from, to) = (ladder(side, &old), ladder(side, &new));
            prop_assert!(ordered(side, &from) && ordered(side, &to));
            let mut now = old.clone();
            walk(side, &from, &to, |change| match change {
                Change::Added { rung, beyond } => {
                    assert_eq!(beyond, old.keys().all(|px| better(side, *px, rung.px)));
                    assert_eq!(now.insert(rung.px, rung.qty), None);
                }
                Change::Removed { rung, beyond } => {
                    assert_eq!(beyond, new.keys().all(|px| better(side, *px, rung.px)));
                    assert_eq!(now.remove(&rung.px), Some(rung.qty));
                }
                Change::Changed { old, new } => {
                    assert_eq!(now.insert(new.px, new.qty), Some(old.qty));
                    assert_ne!(old.qty, new.qty);
                }
            });
            prop_assert_eq!(now, new);
        }
    }
}
