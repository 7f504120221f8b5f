//! Sessions: the days that sums of flow are counted over.
//!
//! A session is a calendar day in the time zone of the listing's calendar (UTC where it is not known), the same day as
//! that of a bar of `1d`. It begins with the first event of the day, not with a clock: an instrument without trades keeps
//! the sums of its last day.

use flow::records::Listing;
use flow::{Event, Interval, Mic, Ns, zone_of};
use serde::{Deserialize, Serialize};

/// The last second of a session, Unix time. Four bytes, since every instrument has one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Session(u32);

impl Session {
    /// None yet: over at any time. Not all zero, so that filling memory with it touches the memory.
    pub(super) const NONE: Session = Session(u32::MAX);

    /// Whether `ts` belongs to a later one.
    #[inline]
    pub(super) fn is_over(self, ts: Ns) -> bool {
        ts.0 >= u64::from(self.0.wrapping_add(1)) * Ns::SECOND
    }
}

/// An instrument that no listing defined: its days are UTC's. Not zero, so that filling memory with it touches it.
const NO_CALENDAR: Mic = Mic(*b"----");

/// The calendar of every instrument.
pub(super) struct Calendars(Box<[Mic]>);

impl Calendars {
    pub(super) fn new(instruments: u32) -> Calendars {
        Calendars(vec![NO_CALENDAR; instruments as usize].into_boxed_slice())
    }

    /// Learns the calendar of a `listing`.
    pub(super) fn observe(&mut self, event: &Event) {
        if let Some(listing) = event.get::<Listing>() {
            self.set(event.instrument as usize, Some(listing.calendar));
        }
    }

    /// Sets a calendar, if there is one to set and the instrument is below the bound.
    pub(super) fn set(&mut self, at: usize, calendar: Option<[u8; 4]>) {
        if let (Some(known), Some(told)) = (self.0.get_mut(at), calendar) {
            *known = Mic(told);
        }
    }

    /// The calendar, if a listing told one.
    pub(super) fn get(&self, at: usize) -> Option<[u8; 4]> {
        (self.0[at] != NO_CALENDAR).then_some(self.0[at].0)
    }

    pub(super) fn forget(&mut self) {
        self.0.fill(NO_CALENDAR);
    }

    /// The session that holds `ts`.
    #[cold]
    pub(super) fn session(&self, at: usize, ts: Ns) -> Session {
        let day = Interval::from_seconds(86_400).expect("a day is a length");
        let (_, end) = day.bounds(ts, zone_of(self.0[at]));
        Session(u32::try_from(end.0 / Ns::SECOND).map_or(u32::MAX - 1, |s| s.saturating_sub(1)))
    }
}
