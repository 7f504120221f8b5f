//! Sessions that a market decided once: closures, early closes, and days that are no holiday for once.
//!
//! They stand in a text, one a line: calendar, date, and `closed`, `open` or the local time of an early close; `#` begins a
//! comment. Those of this build are in `exceptions.txt`; a configuration may add a text of its own, which overrules them.
//! Bound: the lines of both texts. Worst case: a search of the table.

use super::{CALENDARS, Calendar, Hours, Session, TradeDate, at};
use crate::{Mic, Ns};
use chrono::NaiveDate;
use std::collections::BTreeMap;

/// What this build knows.
const OF_THIS_BUILD: &str = include_str!("exceptions.txt");

/// Why a text is no list of exceptions.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {found:?}; {}", Self::VALID)]
pub struct ExceptionError {
    /// The line, from 1.
    pub line: usize,
    /// What stands there.
    pub found: String,
}

impl ExceptionError {
    /// What a line must be.
    pub const VALID: &str =
        "valid: a calendar (as XNYS), a date (2025-01-09) and closed, open or the time of an early close (13:00)";
}

/// All calendars, with their exceptions.
#[derive(Clone, Debug)]
pub struct Calendars {
    exceptions: BTreeMap<(Calendar, NaiveDate), Session>,
}

impl Calendars {
    /// The calendars as this build knows them.
    pub fn of_this_build() -> Calendars {
        let mut calendars = Calendars { exceptions: BTreeMap::new() };
        calendars.overrule(OF_THIS_BUILD).expect("a test reads this text");
        calendars
    }

    /// Takes in a text of exceptions, which overrule those before.
    ///
    /// # Errors
    /// At the first line that is none; what stands before it is taken in.
    pub fn overrule(&mut self, text: &str) -> Result<(), ExceptionError> {
        for (line, full) in (1..).zip(text.lines()) {
            let entry = full.split('#').next().unwrap_or_default();
            let words: Vec<&str> = entry.split_whitespace().collect();
            if words.is_empty() {
                continue;
            }
            let (key, session) =
                exception(&words).ok_or_else(|| ExceptionError { line, found: full.trim().to_owned() })?;
            self.exceptions.insert(key, session);
        }
        Ok(())
    }

    /// The hours of a trade date.
    pub fn hours(&self, calendar: Calendar, day: &TradeDate) -> Hours {
        let exception = self.exceptions.get(&(calendar, day.date)).copied();
        let session = exception.or_else(|| calendar.rule(day.date));
        session.map_or(Hours::Unknown, |session| calendar.hours(day, session))
    }

    /// The trade date of an instant and its hours.
    pub fn day(&self, calendar: Calendar, ts: Ns) -> (TradeDate, Hours) {
        let day = calendar.trade_date(ts);
        (day, self.hours(calendar, &day))
    }
}

/// The exception in three words.
fn exception(words: &[&str]) -> Option<((Calendar, NaiveDate), Session)> {
    let [code, date, what] = words else { return None };
    let known = CALENDARS.iter().any(|(name, _)| name == code);
    let calendar = Calendar::of(Mic(code.as_bytes().try_into().ok().filter(|_| known)?));
    let session = match *what {
        "closed" => Session::Closed,
        "open" => Session::Full,
        time => {
            let (hour, minute) = time.split_once(':')?;
            let (hour, minute) = (hour.parse::<u32>().ok()?, minute.parse::<u32>().ok()?);
            Session::Early((hour < 24 && minute < 60).then(|| at(hour, minute))?)
        }
    };
    Some(((calendar, date.parse().ok()?), session))
}
