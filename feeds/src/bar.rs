//! A bar of a feed: the time that it covers, and the two inputs that it becomes.
//!
//! Nobody knows the values of a bar before its end. So that is when it enters, whatever time its feed files it under. A bar of a
//! day covers a trade date, as a bar that the pipeline builds itself does. A bar that comes again because trades of it came late is a
//! correction, as the one that the pipeline makes of a broken trade: whoever has read the first reads no second. Worst case: two inputs
//! a bar.

use chrono::NaiveDate;
use flow::records::{Bar, BarFlow, CorrectedBar, CorrectedBarFlow};
use flow::{Calendar, Event, Flags, Inputs, Interval, Ns, TradeDate, midnight};

/// Seconds of a day.
pub(crate) const DAY_S: u32 = 86_400;

/// The time that a bar covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Span {
    /// Its start, in seconds since 1970.
    pub(crate) start_s: u32,
    /// The first instant after it.
    pub(crate) end: Ns,
    pub(crate) interval_s: u32,
}

impl Span {
    /// So many seconds from a start on, in seconds since 1970; `None` before 1970 and after 2105.
    pub(crate) fn starting(start_s: i64, interval_s: u32) -> Option<Span> {
        let start_s = u32::try_from(start_s).ok()?;
        let end_s = u64::from(start_s) + u64::from(interval_s);
        Some(Span { start_s, end: Ns(end_s * Ns::SECOND), interval_s })
    }

    /// A date of a calendar.
    pub(crate) fn of_date(date: NaiveDate, calendar: Calendar) -> Option<Span> {
        let noon = midnight(date, calendar.zone()).known()?.0.checked_add(12 * 3_600 * Ns::SECOND)?;
        Span::of_trade_date(&calendar.trade_date(Ns(noon)))
    }

    /// The date of a calendar to which an instant belongs, in seconds since 1970.
    pub(crate) fn of_day_at(second: i64, calendar: Calendar) -> Option<Span> {
        let at = u64::from(u32::try_from(second).ok()?) * Ns::SECOND;
        Span::of_trade_date(&calendar.trade_date(Ns(at)))
    }

    fn of_trade_date(day: &TradeDate) -> Option<Span> {
        let start_s = u32::try_from(day.start.0 / Ns::SECOND).ok()?;
        Some(Span { start_s, end: day.end, interval_s: DAY_S })
    }
}

/// The seconds of a bar's length: of those of the stage `bars`, or one second.
pub(crate) fn seconds(text: &str) -> Option<u32> {
    if text == "1s" { Some(1) } else { text.parse::<Interval>().ok().map(Interval::seconds) }
}

/// A bar enters at its end.
pub(crate) fn push(to: &mut Inputs, end: Ns, instrument: u32, bar: &Bar, flow: &BarFlow, record: u64) {
    to.push(Event::new(end, instrument, Flags::NONE, bar), record);
    to.push(Event::new(end, instrument, Flags::LAST_OF_GROUP, flow), record);
}

/// A bar that has closed before is corrected when the correction comes.
pub(crate) fn push_corrected(to: &mut Inputs, at: Ns, instrument: u32, bar: &Bar, flow: &BarFlow, record: u64) {
    let Bar { open, high, low, close, start_s, interval_s } = *bar;
    let bar = CorrectedBar { open, high, low, close, start_s, interval_s };
    let BarFlow { volume, vwap, buy_volume, sell_volume, trades, interval_s } = *flow;
    let flow = CorrectedBarFlow { volume, vwap, buy_volume, sell_volume, trades, interval_s };
    to.push(Event::new(at, instrument, Flags::NONE, &bar), record);
    to.push(Event::new(at, instrument, Flags::LAST_OF_GROUP, &flow), record);
}
