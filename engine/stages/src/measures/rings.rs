//! A ring of the last values of every instrument.
//!
//! The rings lie one behind the other in one table, all of the same length. Saved from the oldest value on, so equal pasts are equal
//! bytes wherever a ring begins. Bound: its length for every instrument of the space, taken when one is listed.

use super::MeasureState;
use crate::{Space, keyed};
use flow::{GrowingTable, StateError, StateReader, StateWriter};
use serde::{Serialize, de::DeserializeOwned};

/// Where a ring stands.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
struct Place {
    /// Slot for the next value.
    head: u16,
    held: u16,
}

/// The rings of all instruments.
pub struct Rings<T> {
    places: GrowingTable<Place>,
    slots: GrowingTable<T>,
    len: usize,
}

impl<T: Copy + Default> Rings<T> {
    /// Rings of `len` values.
    pub fn new(space: Space, len: u16) -> Rings<T> {
        let (instruments, len) = (space.instruments as usize, usize::from(len));
        Rings {
            places: GrowingTable::new(instruments, Place::default()),
            slots: GrowingTable::new(instruments * len, T::default()),
            len,
        }
    }

    /// Whether an instrument has a ring: number 0, which is none, has not.
    pub fn has(&self, instrument: u32) -> bool {
        instrument != 0 && (instrument as usize) < self.places.bound()
    }

    /// Adds a value, and gives the one whose place it takes: that of `len` values earlier, if there are as many.
    pub fn push(&mut self, instrument: u32, value: T) -> Option<T> {
        let (at, len) = (instrument as usize, self.len);
        let place = self.places.get_mut(at)?;
        let slot = &mut self.slots.span_mut(at * len, len)[usize::from(place.head)];
        let oldest = std::mem::replace(slot, value);
        let is_full = usize::from(place.held) == len;
        place.head = if usize::from(place.head) + 1 == len { 0 } else { place.head + 1 };
        place.held += u16::from(!is_full);
        is_full.then_some(oldest)
    }

    /// The values of an instrument from the oldest on, once its ring is full.
    pub fn full(&self, instrument: u32) -> Option<impl Iterator<Item = T> + Clone> {
        let is_full = self.places.get(instrument as usize).is_some_and(|place| usize::from(place.held) == self.len);
        is_full.then(|| self.held(instrument))
    }

    /// The values that an instrument has so far, from the oldest on.
    pub fn held(&self, instrument: u32) -> impl Iterator<Item = T> + Clone {
        let (at, len) = (instrument as usize, self.len);
        let Place { head, held } = self.places.get(at).copied().unwrap_or_default();
        let slots = self.slots.values().get(at * len..at * len + usize::from(held)).unwrap_or_default();
        // A ring that is not full begins at its first slot.
        let (newest, oldest) = slots.split_at(usize::from(head).min(slots.len()));
        oldest.iter().chain(newest).copied()
    }

    /// Forgets the values of an instrument.
    pub fn empty(&mut self, instrument: u32) {
        if let Some(place) = self.places.get_mut(instrument as usize) {
            *place = Place::default();
        }
    }
}

impl<T: Copy + Default + Send + Serialize + DeserializeOwned> MeasureState for Rings<T> {
    fn list(&mut self, instrument: u32) {
        let at = instrument as usize;
        self.places.reach(at);
        if at < self.places.bound() {
            self.slots.reach((at + 1) * self.len - 1);
        }
    }

    fn save(&self, to: &mut StateWriter<'_>) {
        keyed::save(to, self.places.values().len(), |at| {
            let (len, Place { head, held }) = (self.len, self.places[at]);
            let slot = |back: usize| self.slots[at * len + (usize::from(head) + len - back) % len];
            (held > 0).then(|| (1..=usize::from(held)).rev().map(slot).collect::<Vec<T>>())
        });
    }

    fn load(&mut self, from: &mut StateReader<'_>) -> Result<(), StateError> {
        self.places.clear();
        self.slots.clear();
        let len = self.len;
        keyed::load(from, self.places.bound(), |at, ring: Vec<T>| {
            if ring.len() > len {
                return Err(StateError::Inconsistent("a ring of more values than it holds"));
            }
            let held = ring.len() as u16;
            self.places[at] = Place { head: if ring.len() == len { 0 } else { held }, held };
            self.slots.span_mut(at * len, len)[..ring.len()].copy_from_slice(&ring);
            Ok(())
        })
    }
}
