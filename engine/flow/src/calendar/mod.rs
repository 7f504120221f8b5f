//! Calendars: which trade date an instant belongs to, and when that date's market is open.
//!
//! A calendar cuts time into trade dates without a gap: every instant belongs to one, also by night and on a Sunday, so
//! whatever is summed over a day has a day to belong to. Where a date begins is a rule of the calendar ([`Calendar`]) and
//! follows from the instant alone. Which dates are sessions, and their hours, follows from the rules of the market, from the
//! exceptions of this build and from those of the configuration ([`Calendars`]). Nothing here reads a clock.
//!
//! Bound: a few conversions between time zones a question; nobody asks per event. Worst case: the same. `docs/sessions.md` of
//! the stages has the rules, their sources and what they cover.

mod exceptions;
mod rules;
mod sessions;

pub use exceptions::{Calendars, ExceptionError};
pub use sessions::Sessions;

use crate::words::words;
use crate::{Mic, Ns};
use chrono::{DateTime, Datelike, Days, NaiveDate, NaiveDateTime, NaiveTime, TimeZone, Weekday};
use chrono_tz::Tz;
use rules::{Session, at};

words! {
    /// A calendar: where trade dates begin, and when the market is open.
    #[derive(Default)]
    Calendar: u8 {
        /// A day is one of UTC, and trading never stops: crypto, and every market that is not known.
        #[default]
        Utc = 0 "----",
        /// Stocks and options of the United States: the calendar of the New York Stock Exchange.
        UsEquities = 1 "XNYS",
        /// Futures of CME: 17:00 in Chicago begins the next trade date.
        Cme = 2 "GLBX",
        /// Currencies: 17:00 in New York begins the next trade date.
        Fx = 3 "FX--",
        /// The London Stock Exchange.
        London = 4 "XLON",
        /// Eurex: a day of Berlin; its hours are not known here.
        Eurex = 5 "XEUR",
    }
    /// What a market does.
    #[derive(Default)]
    SessionPhase: u8 {
        /// Its hours are not known.
        #[default]
        Unknown = 0 "unknown",
        /// It is closed: by night, on a weekend, on a holiday.
        Closed = 1 "closed",
        /// It trades before market hours.
        Pre = 2 "pre",
        /// Market hours.
        Open = 3 "open",
        /// It trades after market hours.
        Post = 4 "post",
    }
}

/// The codes that a listing can have as its calendar, and what each stands for.
pub const CALENDARS: &[(&str, Calendar)] = &[
    ("XNAS", Calendar::UsEquities),
    ("XNYS", Calendar::UsEquities),
    ("XBOS", Calendar::UsEquities),
    ("XPSX", Calendar::UsEquities),
    ("XASE", Calendar::UsEquities),
    ("ARCX", Calendar::UsEquities),
    ("BATS", Calendar::UsEquities),
    ("BATY", Calendar::UsEquities),
    ("EDGA", Calendar::UsEquities),
    ("EDGX", Calendar::UsEquities),
    ("XCIS", Calendar::UsEquities),
    ("XCHI", Calendar::UsEquities),
    ("MEMX", Calendar::UsEquities),
    ("EPRL", Calendar::UsEquities),
    ("LTSE", Calendar::UsEquities),
    ("IEXG", Calendar::UsEquities),
    ("EQUS", Calendar::UsEquities),
    ("OPRA", Calendar::UsEquities),
    ("XCBO", Calendar::UsEquities),
    ("GLBX", Calendar::Cme),
    ("XCME", Calendar::Cme),
    ("XCBT", Calendar::Cme),
    ("XNYM", Calendar::Cme),
    ("XCEC", Calendar::Cme),
    ("XCBF", Calendar::Cme),
    ("FX--", Calendar::Fx),
    ("XLON", Calendar::London),
    ("XEUR", Calendar::Eurex),
];

/// The first trade date of CME's present hours.
const CME_SINCE: NaiveDate = NaiveDate::from_ymd_opt(2012, 11, 19).expect("a date");
const SECONDS_A_DAY: u32 = 86_400;

/// A date of a calendar, and the time that belongs to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TradeDate {
    /// The date.
    pub date: NaiveDate,
    /// Its first instant.
    pub start: Ns,
    /// The first instant of the next one.
    pub end: Ns,
}

/// When a market is open on a trade date. Without a pre-market `pre` is `open`, without a post-market `post` is `close`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MarketDay {
    /// Trading before market hours begins.
    pub pre: Ns,
    /// Market hours begin.
    pub open: Ns,
    /// Market hours end.
    pub close: Ns,
    /// Trading after market hours ends.
    pub post: Ns,
    /// How many seconds earlier than usual market hours end; 0 = they end as usual.
    pub early_s: u32,
}

/// What is known of a market's hours on a trade date.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hours {
    /// Nothing.
    Unknown,
    /// It does not trade.
    Closed,
    /// It is open.
    Open(MarketDay),
}

/// The usual hours of a calendar, in seconds of the local day; what is below 0 is of the day before.
struct Usual {
    pre: i64,
    open: i64,
    close: u32,
    post: u32,
    /// How long trading goes on after an early close.
    after_early: u32,
}

impl Calendar {
    /// How many there are.
    pub const COUNT: usize = Self::ALL.len();

    /// The calendar of a listing's code; [`Calendar::Utc`] if the code is not in [`CALENDARS`].
    pub fn of(code: Mic) -> Calendar {
        let known = CALENDARS.iter().find(|(name, _)| name.as_bytes() == code.0);
        known.map_or(Calendar::Utc, |(_, calendar)| *calendar)
    }

    /// The zone of its wall clock.
    pub fn zone(self) -> Tz {
        match self {
            Calendar::Utc => Tz::UTC,
            Calendar::UsEquities | Calendar::Fx => Tz::America__New_York,
            Calendar::Cme => Tz::America__Chicago,
            Calendar::London => Tz::Europe__London,
            Calendar::Eurex => Tz::Europe__Berlin,
        }
    }

    /// The second of the local day before at which a trade date begins; `None` = at midnight.
    fn evening(self, date: NaiveDate) -> Option<u32> {
        match self {
            Calendar::Cme if date < CME_SINCE => Some(at(15, 30)),
            Calendar::Cme | Calendar::Fx => Some(at(17, 0)),
            _ => None,
        }
    }

    /// The first instant of a trade date.
    fn start(self, date: NaiveDate) -> Ns {
        match self.evening(date) {
            Some(second) => instant(date - Days::new(1), second, self.zone()),
            None => midnight(date, self.zone()),
        }
    }

    /// The trade date that an instant belongs to.
    pub fn trade_date(self, ts: Ns) -> TradeDate {
        let local = DateTime::from_timestamp_nanos(i64::try_from(ts.0).unwrap_or(i64::MAX)).with_timezone(&self.zone());
        let (today, tomorrow) = (local.date_naive(), next(local.date_naive()));
        let turn = self.start(tomorrow);
        if self.evening(tomorrow).is_some() && ts >= turn {
            return TradeDate { date: tomorrow, start: turn, end: self.start(next(tomorrow)) };
        }
        TradeDate { date: today, start: self.start(today), end: turn }
    }

    /// When its wall clock shows that second of a trade date's local day: 0 is where the trade date begins, 86,400 where it
    /// ends, and a time of the evening in which the date began is that of this evening.
    pub fn clock(self, day: &TradeDate, second: u32) -> Ns {
        match second {
            0 => return day.start,
            SECONDS_A_DAY.. => return day.end,
            _ => {}
        }
        let shown = instant(day.date, second, self.zone());
        if shown < day.end { shown.max(day.start) } else { instant(day.date - Days::new(1), second, self.zone()) }
    }

    fn usual(self, date: NaiveDate) -> Usual {
        let evening = |second: u32| i64::from(second) - i64::from(SECONDS_A_DAY);
        let (open, close, post) = match self {
            Calendar::UsEquities => {
                let (pre, open) = (at(4, 0).into(), at(9, 30).into());
                return Usual { pre, open, close: at(16, 0), post: at(20, 0), after_early: at(4, 0) };
            }
            Calendar::Cme if date < CME_SINCE => (evening(at(15, 30)), at(15, 15), at(15, 15)),
            Calendar::Cme => (evening(at(17, 0)), at(16, 0), at(16, 0)),
            Calendar::Fx => (evening(at(17, 0)), at(17, 0), at(17, 0)),
            Calendar::London => (at(8, 0).into(), at(16, 30), at(16, 30)),
            Calendar::Utc | Calendar::Eurex => (0, SECONDS_A_DAY, SECONDS_A_DAY),
        };
        Usual { pre: open, open, close, post, after_early: 0 }
    }

    /// What the rules say of a date; `None` where they say nothing.
    fn rule(self, date: NaiveDate) -> Option<Session> {
        match self {
            Calendar::Utc => Some(Session::Full),
            Calendar::Eurex => None,
            _ if date < rules::COVERED => None,
            Calendar::UsEquities => Some(rules::us_equities(date)),
            Calendar::Cme => Some(rules::cme(date)),
            Calendar::London => Some(rules::london(date)),
            Calendar::Fx => Some(rules::weekdays(date)),
        }
    }

    /// The hours of a trade date that is such a session.
    fn hours(self, day: &TradeDate, session: Session) -> Hours {
        let usual = self.usual(day.date);
        let time = |second: i64| match u32::try_from(second) {
            Ok(SECONDS_A_DAY..) => day.end,
            Ok(second) => instant(day.date, second, self.zone()),
            Err(_) => instant(day.date - Days::new(1), (second + i64::from(SECONDS_A_DAY)) as u32, self.zone()),
        };
        let (close, post) = match session {
            Session::Closed => return Hours::Closed,
            Session::Full => (usual.close, usual.post),
            Session::Early(close) => (close, close + usual.after_early),
        };
        Hours::Open(MarketDay {
            pre: time(usual.pre),
            open: time(usual.open),
            close: time(close.into()),
            post: time(post.into()),
            early_s: usual.close.saturating_sub(close),
        })
    }
}

impl MarketDay {
    /// What the market does at an instant of the date.
    pub fn phase(&self, ts: Ns) -> SessionPhase {
        if ts < self.pre || ts >= self.post {
            SessionPhase::Closed
        } else if ts < self.open {
            SessionPhase::Pre
        } else if ts < self.close {
            SessionPhase::Open
        } else {
            SessionPhase::Post
        }
    }
}

impl Hours {
    /// What the market does at an instant of the date.
    pub fn phase(&self, ts: Ns) -> SessionPhase {
        match self {
            Hours::Unknown => SessionPhase::Unknown,
            Hours::Closed => SessionPhase::Closed,
            Hours::Open(day) => day.phase(ts),
        }
    }

    /// When the market does something else next, if it does before the date ends.
    pub fn next_change(&self, ts: Ns) -> Option<Ns> {
        let Hours::Open(day) = self else { return None };
        [day.pre, day.open, day.close, day.post].into_iter().find(|change| *change > ts)
    }
}

impl TradeDate {
    /// The Monday of its week, as eight digits.
    pub fn week(&self) -> u32 {
        let monday = self.date.week(Weekday::Mon).first_day();
        TradeDate { date: monday, ..*self }.digits()
    }

    /// The date as eight digits, `20200130`.
    pub fn digits(&self) -> u32 {
        self.date.year().unsigned_abs() * 10_000 + self.date.month() * 100 + self.date.day()
    }
}

fn next(date: NaiveDate) -> NaiveDate {
    date.succ_opt().unwrap_or(NaiveDate::MAX)
}

/// The instant at which the clocks of a zone show a second of a date; where they skip it, the first one after it.
fn instant(date: NaiveDate, second: u32, zone: Tz) -> Ns {
    let time = NaiveTime::from_num_seconds_from_midnight_opt(second % SECONDS_A_DAY, 0).expect("a second of a day");
    earliest(date.and_time(time), zone)
}

/// First instant of a date in a zone; where clocks skip midnight, the first instant after it.
pub fn midnight(date: NaiveDate, zone: Tz) -> Ns {
    earliest(date.and_time(NaiveTime::MIN), zone)
}

fn earliest(shown: NaiveDateTime, zone: Tz) -> Ns {
    let at = (0..3).find_map(|hour| zone.from_local_datetime(&(shown + chrono::TimeDelta::hours(hour))).earliest());
    let at = at.expect("clocks skip no more than an hour or two");
    // Behind the last instant that has nanoseconds, in 2262, there is none: what would be then never comes.
    let beyond = if at.timestamp() > 0 { Ns::NONE } else { Ns(0) };
    at.timestamp_nanos_opt().map_or(beyond, |nanos| Ns(u64::try_from(nanos).unwrap_or(0)))
}

/// The zone of the wall clock of a listing's calendar.
pub fn zone_of(code: Mic) -> Tz {
    Calendar::of(code).zone()
}
