//! Saving and loading a measure's state.

use flow::{StateError, StateReader, StateWriter};

/// Saves and loads state.
pub trait MeasureState: Send {
    /// Takes memory for an instrument that is listed, so that no later event of it does.
    fn list(&mut self, instrument: u32);
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
