//! What a measure keeps, out and in.

use flow::{StateError, StateReader, StateWriter};

/// State out and in.
pub trait MeasureState: Send {
    /// State out, keyed by listing: equal states give equal bytes.
    fn save(&self, to: &mut StateWriter<'_>);
    /// State in, in place of what is here.
    ///
    /// # Errors
    /// When the bytes are not such a state.
    fn load(&mut self, from: &mut StateReader<'_>) -> Result<(), StateError>;
}

/// A measure that keeps nothing.
impl MeasureState for () {
    fn save(&self, _: &mut StateWriter<'_>) {}

    fn load(&mut self, _: &mut StateReader<'_>) -> Result<(), StateError> {
        Ok(())
    }
}
