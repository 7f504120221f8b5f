//! Sessions: the days over which flow is summed.
//!
//! A session is a trade date of the listing's calendar (a day of UTC if the calendar is not known), the same as that of a `1d`
//! bar. It begins with the first event of the date, not with a clock: an instrument without trades keeps the sums of its last
//! one.

use super::PerInstrument;
use flow::records::Listing;
use flow::{Calendar, Event, Mic, Ns};
use serde::{Deserialize, Serialize};

/// The last second of a session, Unix time. Four bytes, since every instrument has one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session(u32);

impl Session {
    /// No session yet: every time is after it.
    pub const NONE: Session = Session(u32::MAX);

    /// Its number, for rows that outlive a journal: its last second.
    pub(super) fn code(self) -> u32 {
        self.0
    }

    /// The session with that number.
    pub(super) fn from_code(code: u32) -> Session {
        Session(code)
    }

    /// Its last second.
    pub(super) fn last(self) -> Ns {
        Ns(u64::from(self.0) * Ns::SECOND)
    }

    /// Whether `ts` belongs to a later session.
    #[inline]
    pub fn is_over(self, ts: Ns) -> bool {
        ts.0 >= u64::from(self.0.wrapping_add(1)) * Ns::SECOND
    }
}

impl Default for Session {
    fn default() -> Session {
        Session::NONE
    }
}

/// The calendars of all instruments.
pub(super) type Calendars = PerInstrument<Calendar>;

impl PerInstrument<Calendar> {
    /// Takes in the calendar of a `listing`.
    pub(super) fn list(&mut self, event: &Event) {
        if let Some(calendar) = self.get_mut(event.instrument) {
            *calendar = Calendar::of(Mic(event.record::<Listing>().calendar));
        }
    }

    /// The week of trade dates that `ts` is in.
    #[cold]
    pub(super) fn week(&self, instrument: u32, ts: Ns) -> u32 {
        self.get(instrument).copied().unwrap_or_default().trade_date(ts).week()
    }

    /// The session at `ts`.
    #[cold]
    pub(super) fn session(&self, instrument: u32, ts: Ns) -> Session {
        let calendar = self.get(instrument).copied().unwrap_or_default();
        let end = calendar.trade_date(ts).end;
        Session(u32::try_from(end.0 / Ns::SECOND).map_or(u32::MAX - 1, |s| s.saturating_sub(1)))
    }
}
