//! Sessions: what the calendars of the listed instruments say of the time, as inputs.
//!
//! A calendar speaks when its first instrument is listed, and from then on whenever its trade date begins and its market
//! opens, closes or changes hours. A boundary comes before everything else that is due then. It is one input however many
//! instruments there are, and changes the state of whoever reads it and nothing else; what follows for each instrument comes
//! with the ticks behind it, slice by slice. What a calendar said is recorded, and a replay takes it from the record.
//!
//! Bound: one pending boundary a calendar, at most five of them a trade date. Worst case: a gap in the inputs costs the boundaries
//! of a fortnight; of a longer one only where it begins and where it ends are told.

use flow::records::Session;
use flow::{Calendar, Calendars, Event, Flags, Hours, Ns, StateError, StateReader, StateWriter, TradeDate};

/// A gap that is longer than this is not told day by day.
const LONG: u64 = 14 * 86_400 * Ns::SECOND;

/// A calendar, and where it stands.
struct Running {
    calendar: Calendar,
    /// Since when its market does what it does, and until when the trade date lasts; `None` before it has spoken.
    stands: Option<(Ns, Ns)>,
    /// When it speaks next.
    next: Ns,
}

impl Running {
    fn new(calendar: Calendar) -> Running {
        Running { calendar, stands: None, next: Ns(0) }
    }

    /// When it speaks next, if that is asked for the time `reached`.
    fn due(&self, reached: Ns) -> Ns {
        match self.stands {
            Some((_, end)) if self.next == end && reached.0 - end.0.min(reached.0) > LONG => {
                self.calendar.trade_date(reached).start
            }
            _ => self.next,
        }
    }

    /// Its market does what it does at `since`; what it says of that.
    fn stand(&mut self, since: Ns, calendars: &Calendars) -> Session {
        let (day, hours) = calendars.day(self.calendar, since);
        let next = hours.next_change(since).map_or(day.end, |change| change.min(day.end));
        (self.stands, self.next) = (Some((since, day.end)), next);
        session(self.calendar, &day, &hours, since)
    }
}

fn seconds(ts: Ns) -> u32 {
    u32::try_from(ts.0 / Ns::SECOND).unwrap_or(u32::MAX)
}

fn session(calendar: Calendar, day: &TradeDate, hours: &Hours, since: Ns) -> Session {
    let (open_ts, close_ts, early_s) = match hours {
        Hours::Open(day) => (day.open, day.close, day.early_s),
        Hours::Closed | Hours::Unknown => (Ns::NONE, Ns::NONE, 0),
    };
    Session {
        open_ts,
        close_ts,
        start_s: seconds(day.start),
        end_s: seconds(day.end),
        since_s: seconds(since),
        date: day.digits(),
        early_s,
        calendar: calendar.code(),
        phase: hours.phase(since).code(),
        reserved: [0; 2],
    }
}

/// Decides which calendars speak, and when.
pub(super) struct SessionSource {
    calendars: Calendars,
    running: Vec<Running>,
    due: Ns,
}

impl SessionSource {
    pub(super) fn new(calendars: Calendars) -> SessionSource {
        SessionSource { calendars, running: Vec::with_capacity(Calendar::COUNT), due: Ns::NONE }
    }

    pub(super) fn calendars(&self) -> &Calendars {
        &self.calendars
    }

    /// An instrument of that calendar is listed.
    pub(super) fn listed(&mut self, calendar: Calendar) {
        if !self.running.iter().any(|r| r.calendar == calendar) {
            self.running.push(Running::new(calendar));
            self.running.sort_by_key(|r| r.calendar);
            self.find_next();
        }
    }

    /// When a calendar speaks next; [`Ns::NONE`] if none does.
    pub(super) fn due(&self) -> Ns {
        self.due
    }

    /// The first calendar that speaks by `reached`, and when it does.
    fn first(&self, reached: Ns) -> Option<(Ns, usize)> {
        let due = self.running.iter().zip(0..).map(|(r, at)| (r.due(reached), at));
        due.filter(|(due, _)| *due <= reached).min()
    }

    /// When a calendar speaks next, if one does by `reached`.
    pub(super) fn due_by(&self, reached: Ns) -> Option<Ns> {
        if self.due > reached { None } else { self.first(reached).map(|(due, _)| due) }
    }

    /// What the calendar says that speaks by `reached`, at the time `at`; and whether hours or a trade date end there.
    pub(super) fn take(&mut self, at: Ns, reached: Ns) -> (Event, bool) {
        let (due, which) = self.first(reached).expect("the merge chose a session");
        let running = &mut self.running[which];
        let was = running.stands;
        let said = running.stand(if was.is_none() { at } else { due }, &self.calendars);
        self.find_next();
        (Event::new(at, 0, Flags::NONE, &said), was.is_some() && ends(&said))
    }

    /// Takes note of a recorded session; says whether hours or a trade date end there.
    pub(super) fn repeat(&mut self, said: &Session) -> bool {
        let Some(running) = self.running.iter_mut().find(|r| r.calendar.code() == said.calendar) else { return false };
        let was = running.stands;
        running.stand(Ns(u64::from(said.since_s) * Ns::SECOND), &self.calendars);
        self.find_next();
        was.is_some() && ends(said)
    }

    fn find_next(&mut self) {
        self.due = self.running.iter().map(|r| r.next).min().unwrap_or(Ns::NONE);
    }

    /// Saves where the calendars stand.
    pub(super) fn save(&self, to: &mut StateWriter<'_>) {
        let running = self.running.iter().map(|r| (r.calendar, r.stands.map(|(since, _)| since)));
        to.put(&running.collect::<Vec<_>>());
    }

    /// Restores what [`SessionSource::save`] wrote.
    pub(super) fn load(&mut self, from: &mut StateReader<'_>) -> Result<(), StateError> {
        self.running.clear();
        for (calendar, since) in from.get::<Vec<(Calendar, Option<Ns>)>>()? {
            let mut running = Running::new(calendar);
            since.map(|since| running.stand(since, &self.calendars));
            self.running.push(running);
        }
        self.find_next();
        Ok(())
    }
}

/// Whether market hours or the trade date before end where this begins.
fn ends(said: &Session) -> bool {
    let since = Ns(u64::from(said.since_s) * Ns::SECOND);
    said.since_s == said.start_s || since == said.close_ts
}

#[cfg(test)]
mod tests {
    use super::*;
    use flow::{Listings, SessionPhase};

    /// 25 November 2026, 12:00 in New York: the day before Thanksgiving.
    const NOON: u64 = 1_795_626_000 * Ns::SECOND;
    const HOUR: u64 = 3_600 * Ns::SECOND;

    fn source() -> SessionSource {
        let mut source = SessionSource::new(Calendars::of_this_build());
        source.listed(Calendar::UsEquities);
        source.listed(Calendar::UsEquities);
        source
    }

    /// What is said by `reached`: hours since noon, date, phase, and whether something ended.
    fn said(source: &mut SessionSource, reached: Ns) -> Vec<(u64, u32, SessionPhase, bool)> {
        let mut said = Vec::new();
        while let Some(due) = source.due_by(reached) {
            let (event, ends) = source.take(due.max(Ns(NOON)), reached);
            let session: &Session = event.record();
            let phase = SessionPhase::from_code(session.phase).unwrap();
            said.push(((event.ts.0 - NOON) / HOUR, session.date % 100, phase, ends));
        }
        said
    }

    #[test]
    fn each_boundary_is_told_once_and_a_half_day_closes_sooner() {
        let mut source = source();
        assert_eq!(said(&mut source, Ns(NOON)), [(0, 25, SessionPhase::Open, false)]);
        assert_eq!(said(&mut source, Ns(NOON + 4 * HOUR - 1)), []);
        let expected = [
            (4, 25, SessionPhase::Post, true),
            (8, 25, SessionPhase::Closed, false),
            (12, 26, SessionPhase::Closed, true),
            (36, 27, SessionPhase::Closed, true),
            (40, 27, SessionPhase::Pre, false),
            (45, 27, SessionPhase::Open, false),
            (49, 27, SessionPhase::Post, true),
            (53, 27, SessionPhase::Closed, false),
        ];
        assert_eq!(said(&mut source, Ns(NOON + 59 * HOUR)), expected);
    }

    #[test]
    fn of_a_long_gap_only_the_ends_are_told() {
        let mut source = source();
        said(&mut source, Ns(NOON));
        // Ten years later, on a Saturday.
        let gap = said(&mut source, Ns(NOON + 87_768 * HOUR));
        assert_eq!(gap.iter().map(|(hours, ..)| *hours).collect::<Vec<_>>(), [4, 8, 87_756], "{gap:?}");
    }

    #[test]
    fn a_state_and_a_record_bring_it_where_it_was() {
        let mut source = source();
        let mut repeated = SessionSource::new(Calendars::of_this_build());
        repeated.listed(Calendar::UsEquities);
        for hours in [0, 3, 4, 5, 8, 20, 36, 49, 60, 87_648] {
            let reached = Ns(NOON + hours * HOUR);
            while let Some(due) = source.due_by(reached) {
                let (event, ends) = source.take(due.max(Ns(NOON)), reached);
                assert_eq!(repeated.repeat(event.record()), ends);
                assert_eq!(repeated.due(), source.due(), "as the record says");
                let listings = Listings::default();
                let mut state = StateWriter::new(&listings);
                source.save(&mut state);
                let mut loaded = SessionSource::new(Calendars::of_this_build());
                loaded.load(&mut StateReader::new(&listings, &state.into_bytes())).unwrap();
                assert_eq!((loaded.due(), loaded.due_by(reached)), (source.due(), source.due_by(reached)));
            }
        }
    }
}
