//! The recorded numbers of inputs whose numbers have moved.
//!
//! Between two recorded inputs all numbers have moved by the same, so the places where that changes are enough. An input that is
//! not in the record counts on from the one before it. Bound: [`MOST`] places; those that are left out are older than anything
//! that is on its way.

use flow::EventId;
use std::collections::VecDeque;

/// Places that are kept.
const MOST: usize = 1 << 16;

/// By how much numbers have moved, from which on.
#[derive(Default)]
pub(super) struct Renumbered {
    /// A number of now, and by how much the recorded one is higher.
    places: VecDeque<(u64, i64)>,
}

impl Renumbered {
    /// The input `seq` is `recorded` in the record.
    #[inline]
    pub(super) fn moved(&mut self, seq: u64, recorded: u64) {
        let by = recorded.cast_signed() - seq.cast_signed();
        if self.places.back().map_or(0, |place| place.1) != by {
            if self.places.len() == MOST {
                self.places.pop_front();
            }
            self.places.push_back((seq, by));
        }
    }

    /// The id with the recorded number.
    #[inline]
    pub(super) fn of(&self, id: EventId) -> EventId {
        let place = self.places.iter().rev().find(|place| place.0 <= id.seq());
        let by = place.map_or(0, |place| place.1);
        EventId::new(id.seq().saturating_add_signed(by), id.position(), id.ordinal())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_behind_a_place_have_moved_with_it() {
        let mut numbers = Renumbered::default();
        for (seq, recorded) in [(1, 1), (2, 2), (5, 3), (6, 4), (7, 9)] {
            numbers.moved(seq, recorded);
        }
        let of = |seq| numbers.of(EventId::new(seq, 3, 4));
        assert_eq!([1, 2, 3, 4, 5, 6, 7, 8].map(|seq| of(seq).seq()), [1, 2, 3, 4, 3, 4, 9, 10]);
        assert_eq!((of(5).position(), of(5).ordinal()), (3, 4));
    }
}
