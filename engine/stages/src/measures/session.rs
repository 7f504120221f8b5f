//! Sessions: the days over which flow is summed.
//!
//! A session is a calendar day in the time zone of the listing's calendar (UTC if unknown), the same day as that of a `1d`
//! bar. It begins with the first event of the day, not with a clock: an instrument without trades keeps the sums of its
//! last day.

use super::PerInstrument;
use flow::records::Listing;
use flow::{Event, Interval, Mic, Ns, zone_of};
use serde::{Deserialize, Serialize};

/// The last second of a session, Unix time. Four bytes, since every instrument has one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session(u32);

impl Session {
    /// No session yet: every time is after it.
    pub const NONE: Session = Session(u32::MAX);

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

/// The calendar of an instrument, four letters; `----` if no listing gave one, and its days are in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Calendar([u8; 4]);

impl Default for Calendar {
    fn default() -> Calendar {
        Calendar(*b"----")
    }
}

/// The calendars of all instruments.
pub(super) type Calendars = PerInstrument<Calendar>;

impl PerInstrument<Calendar> {
    /// Takes in the calendar of a `listing`.
    pub(super) fn list(&mut self, event: &Event) {
        if let Some(calendar) = self.get_mut(event.instrument) {
            *calendar = Calendar(event.record::<Listing>().calendar);
        }
    }

    /// The session at `ts`.
    #[cold]
    pub(super) fn session(&self, instrument: u32, ts: Ns) -> Session {
        let calendar = self.get(instrument).copied().unwrap_or_default();
        let day = Interval::from_seconds(86_400).expect("a day is a length");
        let (_, end) = day.bounds(ts, zone_of(Mic(calendar.0)));
        Session(u32::try_from(end.0 / Ns::SECOND).map_or(u32::MAX - 1, |s| s.saturating_sub(1)))
    }
}
