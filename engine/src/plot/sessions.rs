//! The sessions of a page, each with its profiles.
//!
//! A session is a trade date of the listing's calendar. Of its own profile the last of each row is kept, which is how the measure
//! says to read them; of the profiles of past sessions, which come when it begins, what stands out of them.

use flow::records::{Profile, ProfileArea, ProfileNode, ProfileRow, Session};
use flow::{BarDay, Calendar, Event, Kind, Kinds, Ns, ProfileOf, Px};
use std::collections::BTreeMap;

/// A profile: its prices, and the rows that stand out of it.
#[derive(Default)]
pub(super) struct Area {
    /// Its prices.
    pub(super) profile: Profile,
    /// Height of a row; absent before that is known.
    pub(super) row_px: Option<Px>,
    /// The rows that stand out of it.
    pub(super) nodes: Vec<ProfileNode>,
}

/// A trade date with its profiles.
pub(super) struct OneSession {
    /// Its date and hours.
    pub(super) hours: Session,
    /// Volume, and of it bought and sold, of each row, by the lowest price of the row.
    pub(super) rows: BTreeMap<i64, [u64; 3]>,
    /// The profile of the session itself, when it ended or as far as it came.
    pub(super) own: Option<Area>,
    /// That of the session before.
    pub(super) previous: Option<Area>,
    /// That of past sessions together.
    pub(super) composite: Option<Area>,
}

impl OneSession {
    fn area(&mut self, of: u8) -> Option<&mut Option<Area>> {
        match ProfileOf::from_code(of)? {
            ProfileOf::Session => Some(&mut self.own),
            ProfileOf::Previous => Some(&mut self.previous),
            ProfileOf::Composite => Some(&mut self.composite),
            ProfileOf::Rolling => None,
        }
    }

    /// Whether it is in market hours; where they are not known, on the date.
    fn is_open(&self, ts: Ns) -> bool {
        let hours = self.hours.open_ts.known().zip(self.hours.close_ts.known());
        hours.is_none_or(|(open, close)| open <= ts && ts < close)
    }
}

/// The sessions of every calendar that the input has, by calendar and first instant.
#[derive(Default)]
pub(super) struct Sessions {
    sessions: BTreeMap<(u8, u32), OneSession>,
    /// The profile that a `profile-area` is of.
    last: Option<u8>,
}

impl Sessions {
    /// What is read, besides [`Session`].
    pub(super) const READS: Kinds = Kinds::of(&[Kind::Profile, Kind::ProfileArea, Kind::ProfileRow, Kind::ProfileNode]);

    /// A calendar says which date it is, and what its hours are.
    pub(super) fn learn(&mut self, hours: &Session) {
        let fresh = || OneSession { hours: *hours, rows: BTreeMap::new(), own: None, previous: None, composite: None };
        self.sessions.entry((hours.calendar, hours.start_s)).or_insert_with(fresh).hours = *hours;
    }

    /// The sessions of one calendar, in their order.
    pub(super) fn of(&self, calendar: u8) -> impl Iterator<Item = &OneSession> {
        self.sessions.range((calendar, 0)..=(calendar, u32::MAX)).map(|(_, session)| session)
    }

    /// The trade date of a time, with market hours where they were told.
    pub(super) fn day(&self, calendar: Calendar, ts: Ns) -> BarDay {
        let seconds = (ts.0 / Ns::SECOND) as u32;
        let told = self.sessions.range((calendar.code(), 0)..=(calendar.code(), seconds)).next_back();
        let told = told.map(|(_, session)| &session.hours).filter(|hours| hours.holds(ts));
        told.map_or_else(|| BarDay::without_hours(calendar, ts), BarDay::from)
    }

    fn at(&mut self, calendar: u8, ts: Ns) -> Option<&mut OneSession> {
        let seconds = (ts.0 / Ns::SECOND) as u32;
        let (_, session) = self.sessions.range_mut((calendar, 0)..=(calendar, seconds)).next_back()?;
        Some(session).filter(|session| seconds < session.hours.end_s)
    }

    /// Takes what was measured of an instrument with this calendar. Returns the profile of the session that runs, if that is what came, in
    /// market hours. Of several instances of the measure the plain one is shown.
    pub(super) fn take(&mut self, event: &Event, calendar: u8) -> Option<Profile> {
        let last = self.last;
        let session = self.at(calendar, event.ts)?;
        if let Some(row) = event.get::<ProfileRow>().filter(|row| row.instance == 0) {
            session.rows.insert(row.px.0, [row.volume.0, row.buy_volume.0, row.sell_volume.0]);
            if row.volume.0 == 0 {
                session.rows.remove(&row.px.0);
            }
        } else if let Some(node) = event.get::<ProfileNode>().filter(|node| node.instance == 0) {
            let area = session.area(node.of)?.get_or_insert_default();
            if node.index == 0 {
                area.nodes.clear();
            }
            area.nodes.push(*node);
        } else if let Some(profile) = event.get::<Profile>().filter(|profile| profile.instance == 0) {
            let is_open = session.is_open(event.ts);
            let area = session.area(profile.of).map(Option::get_or_insert_default);
            if let Some(area) = area {
                area.profile = *profile;
                if profile.nodes == 0 {
                    area.nodes.clear();
                }
            }
            self.last = Some(profile.of);
            return Some(*profile).filter(|profile| is_open && profile.of == ProfileOf::Session.code());
        } else if let Some(more) = event.get::<ProfileArea>()
            && let Some(Some(area)) = last.and_then(|of| session.area(of))
        {
            area.row_px = more.row_px.known().filter(|height| height.0 > 0);
        } else {
            self.last = None;
        }
        None
    }
}
