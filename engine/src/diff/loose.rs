//! Pairs what is of no order: the n-th of a stage, kind, instrument and instance is the n-th of the other side.
//!
//! Both sides are nearly in the same order, so the search begins behind the last pair. Bound: the square of the events of a slot,
//! where nothing is in its place.

use super::mask::Masks;
use super::side::Item;

/// What both sides have, and what one alone has; the items stay in their order.
pub(super) fn pairs<'a>(a: &[&'a Item], b: &[&'a Item], masks: &Masks) -> Vec<[Option<&'a Item>; 2]> {
    let mut taken = vec![false; b.len()];
    let (mut found, mut from) = (Vec::with_capacity(a.len().max(b.len())), 0);
    for item in a {
        let is_it = |at: &usize| !taken[*at] && is_beside(item, b[*at]) && masks.pair(&item.event, &b[*at].event);
        // The first that is free, since places count; what is before the last pair was passed over.
        let at = (from..b.len()).find(is_it).filter(|at| !skipped(&taken, from, *at, b, item, masks));
        let at = at.or_else(|| (0..b.len()).find(is_it));
        if let Some(at) = at {
            taken[at] = true;
            from = at + 1;
        }
        found.push([Some(*item), at.map(|at| b[at])]);
    }
    found.extend(b.iter().zip(&taken).filter(|(_, taken)| !**taken).map(|(item, _)| [None, Some(*item)]));
    found
}

/// Whether both follow from the recorded input of the slot, or both from an answer.
fn is_beside(a: &Item, b: &Item) -> bool {
    (a.turn == 0) == (b.turn == 0)
}

/// Whether an earlier one of the same name is free.
fn skipped(taken: &[bool], from: usize, at: usize, b: &[&Item], item: &Item, masks: &Masks) -> bool {
    at > from && (0..from).any(|i| !taken[i] && is_beside(item, b[i]) && masks.pair(&item.event, &b[i].event))
}
