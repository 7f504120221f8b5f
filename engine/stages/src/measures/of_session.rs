//! Values that start anew with each session.

use super::{Context, PerInstrument, Session};
use flow::Ns;
use serde::{Deserialize, Serialize};

/// A value of the running session.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OfSession<T> {
    value: T,
    session: Session,
}

impl<T: Default> PerInstrument<OfSession<T>> {
    /// The value of an instrument in the session that holds `ts`; the first call of a session finds the default.
    #[inline]
    pub fn in_session(&mut self, instrument: u32, ts: Ns, context: &Context) -> Option<&mut T> {
        let now = self.get_mut(instrument)?;
        if now.session.is_over(ts) {
            *now = OfSession { value: T::default(), session: context.session(instrument, ts) };
        }
        Some(&mut now.value)
    }
}
