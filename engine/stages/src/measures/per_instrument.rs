//! One value per instrument.
//!
//! The table is reserved for every instrument of the space and filled as they are listed, so no other event takes a page
//! fault and few instruments take little memory. Only values that differ from the default are saved, by the key of their
//! listing.
//!
//! Bound: one value per instrument of the space. Instrument 0 stands for no instrument and has no value.

use super::MeasureState;
use crate::{Space, keyed};
use flow::{GrowingTable, StateError, StateReader, StateWriter};
use serde::{Serialize, de::DeserializeOwned};

/// Values by instrument.
pub struct PerInstrument<T>(GrowingTable<T>);

impl<T: Clone + Default> PerInstrument<T> {
    /// The default value for every instrument of the space.
    pub fn new(space: Space) -> PerInstrument<T> {
        PerInstrument(GrowingTable::new(space.instruments as usize, T::default()))
    }

    /// The value of an instrument; `None` where there never was one but the default.
    #[inline]
    pub fn get(&self, instrument: u32) -> Option<&T> {
        if instrument == 0 { None } else { self.0.get(instrument as usize) }
    }

    /// The value of an instrument, mutable.
    #[inline]
    pub fn get_mut(&mut self, instrument: u32) -> Option<&mut T> {
        if instrument == 0 { None } else { self.0.get_mut(instrument as usize) }
    }

    /// The values with their instruments.
    pub(super) fn iter(&self) -> impl Iterator<Item = (u32, &T)> {
        (0..).zip(self.0.values()).skip(1)
    }

    /// All values that may not be the default.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.0.values_mut().iter_mut()
    }
}

impl<T: Clone + Default + PartialEq + Send + Serialize + DeserializeOwned> MeasureState for PerInstrument<T> {
    fn list(&mut self, instrument: u32) {
        self.0.reach(instrument as usize);
    }

    fn save(&self, to: &mut StateWriter<'_>) {
        let untouched = T::default();
        keyed::save(to, self.0.values().len(), |at| Some(&self.0[at]).filter(|value| **value != untouched));
    }

    fn load(&mut self, from: &mut StateReader<'_>) -> Result<(), StateError> {
        self.0.clear();
        keyed::load(from, self.0.bound(), |at, value| {
            self.0[at] = value;
            Ok(())
        })
    }
}
