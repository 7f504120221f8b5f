//! The orders that were displayed last, found by their references.
//!
//! A ring over all instruments: an order that is displayed takes the place of the one that was displayed longest ago. So nothing has to
//! be told of the end of an order, and memory does not follow how long orders rest. A reference that comes again is that of the newer
//! order. Of an order that is not found it is known that it came no later than the last one that was forgotten.
//!
//! Bound: so many orders. Worst case: colliding references cost a probe each; a book that is emptied costs a walk over all.

use crate::hash_index::HashIndex;
use flow::{Ns, Reserve, StateError, StateReader, StateWriter};
use serde::{Serialize, de::DeserializeOwned};
use std::collections::BTreeMap;

/// An order, and what a measure notes of it.
#[derive(Clone, Copy)]
pub(super) struct Shown<T> {
    reference: u64,
    /// When it was displayed.
    pub(super) ts: Ns,
    /// 0 = nothing is known of it any more.
    instrument: u32,
    pub(super) of: T,
}

/// The orders of all instruments.
pub(super) struct ShownOrders<T> {
    index: HashIndex,
    ring: Reserve<Shown<T>>,
    /// Where the oldest is: at the front until the ring is full.
    oldest: usize,
    /// When the last one was displayed that is forgotten.
    forgotten: Ns,
}

/// The hash key of a reference.
#[inline]
fn key(instrument: u32, reference: u64) -> u64 {
    reference ^ u64::from(instrument).rotate_right(20)
}

#[inline]
fn key_of<T>(order: &Shown<T>) -> u64 {
    key(order.instrument, order.reference)
}

/// An instrument without orders has this place among the saved keys.
const NOBODY: u32 = u32::MAX;

impl<T: Copy> ShownOrders<T> {
    /// Room for so many; `vacant` is any value.
    pub(super) fn new(most: u32, vacant: T) -> ShownOrders<T> {
        let vacant = Shown { reference: 0, ts: Ns(0), instrument: 0, of: vacant };
        let ring = Reserve::new(most as usize, vacant);
        ShownOrders { index: HashIndex::new(most as usize), ring, oldest: 0, forgotten: Ns(0) }
    }

    #[inline]
    fn slot(&self, instrument: u32, reference: u64) -> usize {
        self.index.seek(key(instrument, reference), |at| {
            let order = &self.ring[at as usize];
            order.reference == reference && order.instrument == instrument
        })
    }

    /// An order is displayed.
    pub(super) fn push(&mut self, instrument: u32, reference: u64, ts: Ns, of: T) {
        self.forget(instrument, reference);
        let order = Shown { reference, ts, instrument, of };
        let mut number = self.ring.len();
        if !self.ring.push(order) {
            number = self.oldest;
            let Shown { instrument, reference, ts, .. } = self.ring[number];
            self.forget(instrument, reference);
            (self.forgotten, self.ring[number]) = (ts, order);
            self.oldest = if number + 1 == self.ring.len() { 0 } else { number + 1 };
        }
        let slot = self.slot(instrument, reference);
        let ring = &self.ring;
        self.index.set(slot, number as u32, |at| key_of(&ring[at as usize]));
    }

    /// An order, if it is one of the last.
    #[inline]
    pub(super) fn find(&mut self, instrument: u32, reference: u64) -> Option<&mut Shown<T>> {
        let number = self.index.get(self.slot(instrument, reference))?;
        self.ring.get_mut(number as usize)
    }

    /// When the last one was displayed that is not found any more.
    pub(super) fn forgotten(&self) -> Ns {
        self.forgotten
    }

    /// Forgets an order. Its place is taken when its time has come.
    pub(super) fn forget(&mut self, instrument: u32, reference: u64) {
        let slot = self.slot(instrument, reference);
        let Some(number) = self.index.get(slot).filter(|_| instrument != 0) else { return };
        let ring = &self.ring;
        self.index.remove(slot, |at| key_of(&ring[at as usize]));
        self.ring[number as usize].instrument = 0;
    }

    /// Forgets the orders of all instruments of which `is` says so.
    #[cold]
    pub(super) fn forget_all(&mut self, is: impl Fn(u32) -> bool) {
        for number in 0..self.ring.len() {
            let Shown { instrument, reference, .. } = self.ring[number];
            if instrument != 0 && is(instrument) {
                self.forget(instrument, reference);
            }
        }
    }
}

/// A saved order: the place of its instrument among the keys, its reference, its time, what was noted.
type Saved<T> = (u32, u64, Ns, T);

impl<T: Copy + Serialize + DeserializeOwned> ShownOrders<T> {
    /// Saves the orders from the oldest on, with the places of those that are forgotten.
    pub(super) fn save(&self, to: &mut StateWriter<'_>) {
        let (mut keys, mut places) = (Vec::new(), BTreeMap::<u32, u32>::new());
        let mut all: Vec<Saved<T>> = Vec::with_capacity(self.ring.len());
        for order in self.ring[self.oldest..].iter().chain(&self.ring[..self.oldest]) {
            let place = match order.instrument {
                0 => NOBODY,
                instrument => *places.entry(instrument).or_insert_with(|| {
                    keys.push(to.key(instrument));
                    keys.len() as u32 - 1
                }),
            };
            let reference = if place == NOBODY { 0 } else { order.reference };
            all.push((place, reference, order.ts, order.of));
        }
        to.put(&(self.forgotten, keys, all));
    }

    /// Loads them.
    ///
    /// # Errors
    /// When they do not decode, are too many, an instrument is unknown, or a reference is there twice.
    pub(super) fn load(&mut self, from: &mut StateReader<'_>) -> Result<(), StateError> {
        self.index.clear();
        self.ring.clear();
        self.oldest = 0;
        let (forgotten, keys, all) = from.get::<(Ns, Vec<String>, Vec<Saved<T>>)>()?;
        self.forgotten = forgotten;
        let instruments = keys.iter().map(|key| from.instrument(key)).collect::<Result<Vec<_>, _>>()?;
        let limit = self.ring.bound();
        for (place, reference, ts, of) in all {
            let instrument = match place {
                NOBODY => 0,
                place => instruments.get(place as usize).copied().unwrap_or(0),
            };
            if place != NOBODY && instrument == 0 {
                return Err(StateError::Inconsistent("an order of no instrument"));
            }
            let (number, slot) = (self.ring.len(), self.slot(instrument, reference));
            if instrument != 0 && self.index.get(slot).is_some() {
                return Err(StateError::Inconsistent("one reference twice"));
            }
            if !self.ring.push(Shown { reference, ts, instrument, of }) {
                return Err(StateError::TooLarge { what: "orders", found: limit + 1, limit });
            }
            if instrument != 0 {
                let ring = &self.ring;
                self.index.set(slot, number as u32, |at| key_of(&ring[at as usize]));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flow::Listings;

    #[test]
    fn the_last_orders_are_found_and_the_oldest_is_forgotten() {
        let mut orders = ShownOrders::new(3, 0_u8);
        for n in 1..=3_u8 {
            orders.push(1, n.into(), Ns(n.into()), n);
        }
        assert_eq!((orders.forgotten(), orders.find(1, 1).map(|order| order.of)), (Ns(0), Some(1)));
        orders.push(2, 1, Ns(4), 4);
        assert_eq!((orders.forgotten(), orders.find(1, 1).is_some()), (Ns(1), false));
        assert_eq!(orders.find(2, 1).map(|order| (order.ts, order.of)), Some((Ns(4), 4)));
        orders.forget(1, 2);
        orders.push(1, 3, Ns(5), 5);
        assert_eq!((orders.forgotten(), orders.find(1, 3).map(|order| order.ts)), (Ns(2), Some(Ns(5))));
        orders.push(1, 9, Ns(6), 6);
        assert_eq!(orders.find(1, 3).map(|order| order.ts), Some(Ns(5)), "the older one of this reference had gone");
        orders.forget_all(|instrument| instrument == 1);
        assert!(orders.find(1, 3).is_none() && orders.find(2, 1).is_some());
    }

    /// Beside one that never was saved, with references that come again and orders that are forgotten.
    #[test]
    fn a_saved_ring_goes_on_as_it_would_have() {
        let listings = Listings::default();
        for saved_after in 0..40_u64 {
            let (mut whole, mut loaded) = (ShownOrders::new(5, 0_u64), ShownOrders::new(5, 0_u64));
            let step = |orders: &mut ShownOrders<u64>, n: u64| match n % 5 {
                4 => orders.forget(7, n % 3),
                _ => orders.push(7, n * 5 % 7, Ns(n), n),
            };
            (0..saved_after).for_each(|n| step(&mut whole, n));
            let mut to = StateWriter::new(&listings);
            whole.save(&mut to);
            let bytes = to.into_bytes();
            let mut from = StateReader::new(&listings, &bytes);
            loaded.load(&mut from).and_then(|()| from.finish()).unwrap();
            for n in saved_after..saved_after + 40 {
                step(&mut whole, n);
                step(&mut loaded, n);
                let of =
                    |orders: &mut ShownOrders<u64>| (0..9).map(|r| orders.find(7, r).map(|o| o.of)).collect::<Vec<_>>();
                assert_eq!((of(&mut whole), whole.forgotten()), (of(&mut loaded), loaded.forgotten()));
            }
        }
    }
}
