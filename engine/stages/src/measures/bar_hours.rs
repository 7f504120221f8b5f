//! Bars of market hours: which bar of an instrument is in the hours of its session, and which is the first and the last.
//!
//! A bar counts if it starts in them. Hours are looked up when the first bar of another trade date comes, not before. Bound: 24
//! bytes an instrument.

use super::{Context, Session};
use flow::records::Bar;
use flow::{Event, Flags, Interval, IntervalError, Ns, ParamError, TextParam};
use serde::{Deserialize, Serialize};

/// The length of the bars of an indicator, which may be of any length.
pub(super) const INTERVAL: TextParam =
    TextParam::new("interval", "1m", "length of the bars, one that the pipeline or a feed provides");

/// The session of an instrument's last bar, and its market hours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct BarHours {
    session: Session,
    from: Ns,
    until: Ns,
}

impl BarHours {
    /// The hours of another session, if a bar that begins at `start` begins one.
    pub(super) fn next(&self, instrument: u32, start: Ns, context: &Context) -> Option<BarHours> {
        if !self.session.is_over(start) {
            return None;
        }
        let (from, until) = context.market_hours(instrument, start);
        Some(BarHours { session: context.session(instrument, start), from, until })
    }

    /// Whether an instant is in their session, before or after them or within.
    pub(super) fn are_of(&self, instrument: u32, ts: Ns, context: &Context) -> bool {
        self.session == context.session(instrument, ts)
    }

    /// Whether an instant is in the week of their session.
    pub(super) fn are_of_week(&self, instrument: u32, ts: Ns, context: &Context) -> bool {
        context.week(instrument, self.session.last()) == context.week(instrument, ts)
    }

    /// When they begin.
    pub(super) fn from(&self) -> Ns {
        self.from
    }

    /// Whether a bar that begins at `start` is in them.
    pub(super) fn hold(&self, start: Ns) -> bool {
        self.from <= start && start < self.until
    }

    /// Whether their session is over by `ts`.
    pub(super) fn is_past(&self, ts: Ns) -> bool {
        self.session.is_over(ts)
    }

    /// Whether they are over by `ts`.
    pub(super) fn are_over(&self, ts: Ns) -> bool {
        ts >= self.until
    }
}

/// The first instant of a bar.
pub(super) fn start_of(bar: &Bar) -> Ns {
    Ns(u64::from(bar.start_s) * Ns::SECOND)
}

/// The first instant after a bar.
pub(super) fn end_of(bar: &Bar) -> Ns {
    Ns((u64::from(bar.start_s) + u64::from(bar.interval_s)) * Ns::SECOND)
}

/// The bar of an event, if it has that length, has all its prices and is new.
pub(super) fn whole_bar(event: &Event, interval_s: u32) -> Option<&Bar> {
    let bar: &Bar = event.get()?;
    let has_prices = [bar.high, bar.low, bar.close].iter().all(|px| px.known().is_some());
    (bar.interval_s == interval_s && has_prices && !event.flags.has(Flags::SNAPSHOT)).then_some(bar)
}

/// The length of bars that a parameter gives.
///
/// # Errors
/// When it is no length, or a day.
pub(super) fn length_below_a_day(key: &str, text: &str) -> Result<Interval, ParamError> {
    let interval = length(key, text)?;
    if interval.is_day() {
        return Err(ParamError {
            key: key.to_owned(),
            found: text.to_owned(),
            valid: "valid: a length below 1d".to_owned(),
        });
    }
    Ok(interval)
}

/// The same, where it may be a day.
///
/// # Errors
/// When it is no length.
pub(super) fn length(key: &str, text: &str) -> Result<Interval, ParamError> {
    let refused = |e: IntervalError| ParamError { key: key.to_owned(), found: text.to_owned(), valid: e.to_string() };
    text.parse().map_err(refused)
}
