//! One value per instrument.
//!
//! The array is allocated and touched when the stage is built, so no event allocates or takes a page fault. Only values
//! that differ from the default are saved, by the key of their listing.
//!
//! Bound: one value per instrument of the space. Instrument 0 stands for no instrument and has no value.

use super::MeasureState;
use crate::{Space, keyed};
use flow::{StateError, StateReader, StateWriter, table};
use serde::{Serialize, de::DeserializeOwned};
use std::hint::black_box;

/// An array of values by instrument.
pub struct PerInstrument<T>(Box<[T]>);

impl<T: Clone + Default> PerInstrument<T> {
    /// The default value for every instrument of the space.
    pub fn new(space: Space) -> PerInstrument<T> {
        // If the compiler knew that the value is all zeros, it would ask for zeroed pages, and the first event would fault.
        PerInstrument(table(space.instruments as usize, black_box(T::default())))
    }
}

impl<T> PerInstrument<T> {
    /// The value of an instrument.
    #[inline]
    pub fn get(&self, instrument: u32) -> Option<&T> {
        if instrument == 0 { None } else { self.0.get(instrument as usize) }
    }

    /// The value of an instrument, mutable.
    #[inline]
    pub fn get_mut(&mut self, instrument: u32) -> Option<&mut T> {
        if instrument == 0 { None } else { self.0.get_mut(instrument as usize) }
    }

    /// All values, including that of instrument 0.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.0.iter_mut()
    }
}

impl<T: Clone + Default + PartialEq + Send + Serialize + DeserializeOwned> MeasureState for PerInstrument<T> {
    fn save(&self, to: &mut StateWriter<'_>) {
        let untouched = T::default();
        keyed::save(to, self.0.len(), |at| Some(&self.0[at]).filter(|value| **value != untouched));
    }

    fn load(&mut self, from: &mut StateReader<'_>) -> Result<(), StateError> {
        self.0.fill(T::default());
        keyed::load(from, self.0.len(), |at, value| {
            self.0[at] = value;
            Ok(())
        })
    }
}
