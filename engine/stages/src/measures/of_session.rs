//! Values that reset at each new session.

use super::{Context, PerInstrument, Session};
use flow::Ns;
use serde::{Deserialize, Serialize};

/// A value that belongs to the current session.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OfSession<T> {
    value: T,
    session: Session,
}

impl<T> OfSession<T> {
    /// The value, and the number of the session that it belongs to.
    pub(super) fn coded(&self) -> (&T, u32) {
        (&self.value, self.session.code())
    }

    /// A value of the session with that number.
    pub(super) fn decoded(value: T, session: u32) -> OfSession<T> {
        OfSession { value, session: Session::from_code(session) }
    }
}

impl<T: Clone + Default> PerInstrument<OfSession<T>> {
    /// The value of an instrument in the session of `ts`; at the first call in a session it is the default.
    #[inline]
    pub fn in_session(&mut self, instrument: u32, ts: Ns, context: &Context) -> Option<&mut T> {
        let now = self.get_mut(instrument)?;
        if now.session.is_over(ts) {
            *now = OfSession { value: T::default(), session: context.session(instrument, ts) };
        }
        Some(&mut now.value)
    }

    /// The value of an instrument, if the session of `ts` is the one that it belongs to.
    #[cold]
    pub fn of_session(&mut self, instrument: u32, ts: Ns, context: &Context) -> Option<&mut T> {
        let now = self.get_mut(instrument)?;
        (now.session == context.session(instrument, ts)).then_some(&mut now.value)
    }
}
