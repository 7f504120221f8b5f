//! The venue's table of order ids.
//!
//! Open addressing in a table of fixed size, at least twice as many slots as ids, hashed by a multiplication. Removal
//! shifts entries back, so there are no tombstones. Ids are issued and forgotten in sequence: eight consecutive ids are
//! neighbours, so the recent ones share cache lines. The table is never iterated, so the layout never shows in results.
//! Bound: the capacity; O(1) expected.

/// Consecutive ids that are neighbours: two cache lines.
const RUN: u64 = 8;
/// Marks a free slot; no order has this id.
const VACANT: u64 = 0;

/// A map from ids to numbers.
pub(super) struct Ids {
    places: Box<[(u64, u32)]>,
    shift: u32,
}

impl Ids {
    /// Room for `ids` ids.
    pub(super) fn new(ids: usize) -> Ids {
        let places = (ids.max(RUN as usize) * 2).next_power_of_two();
        Ids { places: flow::table(places, (VACANT, u32::MAX)), shift: 64 - (places as u64 / RUN).trailing_zeros() }
    }

    fn home(&self, id: u64) -> usize {
        let run = (id / RUN).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> self.shift;
        (run * RUN + id % RUN) as usize
    }

    fn next(&self, place: usize) -> usize {
        (place + 1) & (self.places.len() - 1)
    }

    fn find(&self, id: u64) -> Result<usize, usize> {
        let mut place = self.home(id);
        while self.places[place].0 != VACANT {
            if self.places[place].0 == id {
                return Ok(place);
            }
            place = self.next(place);
        }
        Err(place)
    }

    /// The number of an id.
    pub(super) fn get(&self, id: u64) -> Option<u32> {
        self.find(id).ok().map(|place| self.places[place].1)
    }

    /// Sets the number of an id other than 0.
    pub(super) fn set(&mut self, id: u64, number: u32) {
        let (Ok(place) | Err(place)) = self.find(id);
        self.places[place] = (id, number);
    }

    /// Forgets an id.
    pub(super) fn forget(&mut self, id: u64) {
        let Ok(mut hole) = self.find(id) else { return };
        let mut place = self.next(hole);
        while self.places[place].0 != VACANT {
            let home = self.home(self.places[place].0);
            let mask = self.places.len() - 1;
            if place.wrapping_sub(home) & mask >= place.wrapping_sub(hole) & mask {
                self.places[hole] = self.places[place];
                hole = place;
            }
            place = self.next(place);
        }
        self.places[hole] = (VACANT, u32::MAX);
    }

    /// Forgets all.
    pub(super) fn clear(&mut self) {
        self.places.fill((VACANT, u32::MAX));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    #[test]
    fn as_a_map_says() {
        let (mut ids, mut model, mut state) = (Ids::new(16), BTreeMap::new(), 1_u64);
        for step in 0..200_000_u32 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let id = 1 + (state >> 40) % 40;
            if model.len() < 16 && state >> 63 == 0 {
                ids.set(id, step);
                model.insert(id, step);
            } else {
                ids.forget(id);
                model.remove(&id);
            }
            assert!((1..=40).all(|id| ids.get(id) == model.get(&id).copied()), "step {step}");
        }
    }
}
