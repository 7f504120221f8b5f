//! The trade date of each calendar as the last `session` input said it.
//!
//! A stage that acts on hours keeps this table, so that all stages and the simulated exchange go by what is recorded. Bound:
//! one `session` a calendar. Worst case: one look.

use super::Calendar;
use crate::records::Session;
use crate::{Ns, StateError, StateReader, StateWriter};

/// The last `session` of every calendar.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Sessions([Option<Session>; Calendar::COUNT]);

impl Sessions {
    /// Takes note of a `session` input.
    pub fn take(&mut self, session: &Session) {
        if let Some(last) = self.0.get_mut(usize::from(session.calendar)) {
            *last = Some(*session);
        }
    }

    /// The last session of a calendar that was told.
    pub fn last(&self, calendar: Calendar) -> Option<&Session> {
        self.0[usize::from(calendar.code())].as_ref()
    }

    /// The session of a calendar whose trade date an instant belongs to.
    #[inline]
    pub fn at(&self, calendar: Calendar, ts: Ns) -> Option<&Session> {
        self.last(calendar).filter(|session| session.holds(ts))
    }

    /// The end of the trade date that an instant belongs to.
    pub fn end(&self, calendar: Calendar, ts: Ns) -> Ns {
        let said = self.at(calendar, ts).map(|session| Ns(u64::from(session.end_s) * Ns::SECOND));
        said.unwrap_or_else(|| calendar.trade_date(ts).end)
    }

    /// Saves the table.
    pub fn save(&self, to: &mut StateWriter<'_>) {
        let bodies = self.0.iter().flatten().map(|session| bytemuck::bytes_of(session).to_vec());
        to.put(&bodies.collect::<Vec<_>>());
    }

    /// Restores what [`Sessions::save`] wrote.
    ///
    /// # Errors
    /// When the bytes are no such table.
    pub fn load(&mut self, from: &mut StateReader<'_>) -> Result<(), StateError> {
        *self = Sessions::default();
        for body in from.get::<Vec<Vec<u8>>>()? {
            let session = bytemuck::try_pod_read_unaligned::<Session>(&body);
            self.take(&session.map_err(|_| StateError::Inconsistent("a session that is not 40 bytes"))?);
        }
        Ok(())
    }
}

impl Session {
    /// Whether an instant belongs to its trade date.
    #[inline]
    pub fn holds(&self, ts: Ns) -> bool {
        (u64::from(self.start_s) * Ns::SECOND..u64::from(self.end_s) * Ns::SECOND).contains(&ts.0)
    }

    /// Whether market hours of its trade date are over at an instant of it; `false` where they are not known.
    #[inline]
    pub fn is_over(&self, ts: Ns) -> bool {
        ts >= self.close_ts
    }
}
