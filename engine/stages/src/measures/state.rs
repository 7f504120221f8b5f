//! Saving and loading a measure's state.

use flow::records::Memory;
use flow::{Lasting, StateError, StateReader, StateWriter};

/// Saves and loads state.
pub trait MeasureState: Send {
    /// Whether some of it outlives the journal.
    const LASTS: bool = false;

    /// Takes memory for an instrument that is listed, so that no later event of it does.
    fn list(&mut self, instrument: u32);
    /// Says what outlives the journal, as rows of instruments with keys from 1; nothing by default.
    fn remember(&self, _to: &mut Lasting) {}
    /// Takes a row back. It comes after the listing and before any trade; one that cannot be true is left out.
    fn recall(&mut self, _instrument: u32, _row: &Memory) {}
    /// Saves the state, keyed by listing; equal states save equal bytes.
    fn save(&self, to: &mut StateWriter<'_>);
    /// Loads a state in place of the current one.
    ///
    /// # Errors
    /// When the bytes are not a valid state.
    fn load(&mut self, from: &mut StateReader<'_>) -> Result<(), StateError>;
}

/// A measure without state.
impl MeasureState for () {
    fn list(&mut self, _: u32) {}

    fn save(&self, _: &mut StateWriter<'_>) {}

    fn load(&mut self, _: &mut StateReader<'_>) -> Result<(), StateError> {
        Ok(())
    }
}
