//! Market hours as the `session` inputs told them.
//!
//! A bar is told when it is over, and where a market never closes its next trade date has begun by then. So the date before is kept
//! beside the last one of every calendar.
//!
//! Bound: two sessions a calendar. Worst case: where nothing was told of a date, the calendar says how long it is.

use flow::records::Session;
use flow::{BarDay, Calendar, Event, Ns, SessionPhase, Sessions, StateError, StateReader, StateWriter};

/// The last two trade dates of every calendar.
#[derive(Default)]
pub(crate) struct ToldHours {
    last: Sessions,
    before: Sessions,
}

impl ToldHours {
    /// Takes in a `session`.
    #[cold]
    pub(crate) fn take(&mut self, event: &Event) {
        let session: &Session = event.record();
        let Some(calendar) = Calendar::from_code(session.calendar) else { return };
        if let Some(last) = self.last.last(calendar).filter(|last| last.date != session.date) {
            self.before.take(last);
        }
        self.last.take(session);
    }

    /// When market hours of the trade date of `ts` begin and end: the whole date where they are not known or nothing was told, twice
    /// the same instant where there are none.
    #[cold]
    pub(crate) fn of(&self, calendar: Calendar, ts: Ns) -> (Ns, Ns) {
        match self.told(calendar, ts) {
            Some(session) if session.open_ts != Ns::NONE => (session.open_ts, session.close_ts),
            Some(session) if session.phase != SessionPhase::Unknown.code() => (ts, ts),
            _ => {
                let day = calendar.trade_date(ts);
                (day.start, day.end)
            }
        }
    }

    /// The trade date of `ts` with its market hours, as far as they were told.
    #[cold]
    pub(crate) fn day(&self, calendar: Calendar, ts: Ns) -> BarDay {
        self.told(calendar, ts).map_or_else(|| BarDay::without_hours(calendar, ts), BarDay::from)
    }

    fn told(&self, calendar: Calendar, ts: Ns) -> Option<&Session> {
        self.last.at(calendar, ts).or_else(|| self.before.at(calendar, ts))
    }

    pub(crate) fn save(&self, to: &mut StateWriter<'_>) {
        self.last.save(to);
        self.before.save(to);
    }

    pub(crate) fn load(&mut self, from: &mut StateReader<'_>) -> Result<(), StateError> {
        self.last.load(from)?;
        self.before.load(from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flow::{Flags, Record};

    const DAY: u64 = 86_400;

    fn told<R: Record>(record: &R) -> Event {
        Event::new(Ns(0), 0, Flags::NONE, record)
    }

    #[test]
    fn the_date_before_is_known_until_another_has_passed() {
        let (mut hours, at) = (ToldHours::default(), |second: u64| Ns(second * Ns::SECOND));
        assert_eq!(hours.of(Calendar::Utc, at(DAY + 5)), (at(DAY), at(2 * DAY)), "nothing was told");
        for date in 1..4_u32 {
            let (start_s, end_s) = (date * DAY as u32, (date + 1) * DAY as u32);
            let open = at(u64::from(start_s) + 3_600);
            for (phase, calendar) in [(SessionPhase::Pre, Calendar::Utc), (SessionPhase::Open, Calendar::Utc)] {
                let (phase, calendar) = (phase.code(), calendar.code());
                let (open_ts, close_ts) = (open, Ns(open.0 + 9));
                hours.take(&told(&Session {
                    open_ts,
                    close_ts,
                    start_s,
                    end_s,
                    date,
                    calendar,
                    phase,
                    ..Session::default()
                }));
            }
        }
        let of = |date: u64| hours.of(Calendar::Utc, at(date * DAY + 7));
        let told = |date: u64| (at(date * DAY + 3_600), Ns(at(date * DAY + 3_600).0 + 9));
        assert_eq!((of(3), of(2)), (told(3), told(2)));
        assert_eq!(of(1), (at(DAY), at(2 * DAY)), "forgotten: the whole date");
        assert_eq!(hours.of(Calendar::Fx, at(7)).1.0 % Ns::SECOND, 0, "of another calendar nothing was told");
    }

    #[test]
    fn a_holiday_has_no_hours_and_unknown_ones_are_the_whole_date() {
        let mut hours = ToldHours::default();
        let none = |calendar: Calendar, phase: SessionPhase| Session {
            open_ts: Ns::NONE,
            close_ts: Ns::NONE,
            end_s: DAY as u32,
            calendar: calendar.code(),
            phase: phase.code(),
            ..Session::default()
        };
        hours.take(&told(&none(Calendar::Utc, SessionPhase::Closed)));
        assert_eq!(hours.of(Calendar::Utc, Ns(5)), (Ns(5), Ns(5)));
        hours.take(&told(&none(Calendar::Utc, SessionPhase::Unknown)));
        assert_eq!(hours.of(Calendar::Utc, Ns(5)), (Ns(0), Ns(DAY * Ns::SECOND)));
    }
}
