//! A file of bars: its next bar in the order of time.
//!
//! A file that is oldest first gives each row as it is read. One that is newest first must be read whole before its first bar is
//! known, so its rows wait. Bound: one row, or [`MOST`] of them where a file is newest first; what has more is refused.

use super::plan::{Plan, Settings};
use super::rows::Row;
use crate::reader::HEAD;
use crate::text::{Line, RowError};
use flow::{FeedError, Ns, Window};
use std::sync::Arc;

/// The most rows of a file that is newest first: four years of the minutes of a stock from 04:00 to 20:00.
pub(super) const MOST: usize = 1 << 20;

/// What a file gives next.
#[derive(Clone, Debug)]
pub(super) enum Head {
    Unread,
    Bar(Row),
    Failed(FeedError),
    Ended,
}

/// What a row gave.
enum Next {
    Row(Row),
    Starved,
    Ended,
}

/// A file of bars of one instrument.
pub(super) struct File {
    name: String,
    path: String,
    pub(super) instrument: u32,
    settings: Arc<Settings>,
    plan: Option<Plan>,
    pub(super) head: Head,
    /// Rows of a file that is newest first; the oldest is the last.
    waiting: Vec<Row>,
    is_whole: bool,
    /// The row before.
    before: Option<Row>,
    /// Rows that are not empty, the header among them.
    lines: u64,
    pub(super) rows: u64,
}

impl File {
    pub(super) fn new(name: String, path: String, instrument: u32, settings: Arc<Settings>) -> File {
        File {
            name,
            path,
            instrument,
            settings,
            plan: None,
            head: Head::Unread,
            waiting: Vec::new(),
            is_whole: false,
            before: None,
            lines: 0,
            rows: 0,
        }
    }

    /// Finds the next bar, if it is not known yet; `false` where more bytes are needed.
    pub(super) fn look(&mut self, window: &mut Window) -> bool {
        if !matches!(self.head, Head::Unread) {
            return true;
        }
        match self.next(window) {
            Ok(Next::Starved) => return false,
            Ok(Next::Row(row)) => self.head = Head::Bar(row),
            Ok(Next::Ended) => self.head = Head::Ended,
            Err(error) => self.head = Head::Failed(error),
        }
        true
    }

    fn next(&mut self, window: &mut Window) -> Result<Next, FeedError> {
        if self.plan.is_none() && !self.begin(window)? {
            return Ok(Next::Starved);
        }
        if !self.plan.as_ref().is_some_and(|plan| plan.is_newest_first) {
            return self.read(window);
        }
        while !self.is_whole {
            match self.read(window)? {
                Next::Starved => return Ok(Next::Starved),
                Next::Ended => self.is_whole = true,
                Next::Row(_) if self.waiting.len() == MOST => {
                    let what = format!("it is newest first and has more than {MOST} rows");
                    let next = "turn it round, or part it: a file that is oldest first may be of any length";
                    return Err(FeedError { next, ..self.fault(window, 0, what) });
                }
                Next::Row(row) => self.waiting.push(row),
            }
        }
        Ok(self.waiting.pop().map_or(Next::Ended, Next::Row))
    }

    /// Settles how the rows are read; `false` where more bytes are needed.
    fn begin(&mut self, window: &mut Window) -> Result<bool, FeedError> {
        let head = window.bytes();
        if head.len() < HEAD && !window.ended() {
            return Ok(false);
        }
        let plan = Plan::of(&head[..head.len().min(HEAD)], &self.name, &self.path, &self.settings);
        let plan = plan.map_err(|unsettled| FeedError {
            what: format!("{}; {}", unsettled.what, unsettled.next),
            offset: 0,
            record: 1,
            next: "nothing of it was used",
        })?;
        if plan.columns.has_header {
            match Line::next(window, 0) {
                Line::Whole { used, .. } => window.consume(used),
                Line::Starved => return Ok(false),
                Line::DayEnded { .. } | Line::Ended => {}
            }
            self.lines += 1;
        }
        self.plan = Some(plan);
        Ok(true)
    }

    /// The next row, as it stands in the file.
    fn read(&mut self, window: &mut Window) -> Result<Next, FeedError> {
        let (text, used) = match Line::next(window, 0) {
            Line::Starved => return Ok(Next::Starved),
            Line::Ended => return Ok(Next::Ended),
            Line::DayEnded { .. } => return Err(self.fault(window, 0, "1 columns, a byte 1C".to_owned())),
            Line::Whole { text, used } => (text, used),
        };
        let Some(plan) = &self.plan else { return Ok(Next::Starved) };
        let start = text.start;
        let row = plan.row(&window.bytes()[text]).and_then(|row| match &self.before {
            Some(before) => follows(before, &row, plan.is_newest_first).map(|()| row),
            None => Ok(row),
        });
        let row = row.map_err(|error| self.fault(window, start + error.at, error.what))?;
        window.consume(used);
        (self.lines, self.rows, self.before) = (self.lines + 1, self.rows + 1, Some(row));
        Ok(Next::Row(row))
    }

    /// The fault of a bar that another file has as well.
    pub(super) fn given_twice(&self, symbol: &str, row: &Row) -> FeedError {
        let end = chrono::DateTime::from_timestamp_nanos(row.span.end.0.cast_signed());
        FeedError {
            what: format!("{}: the bar of {symbol} that ends at {end} is in another file as well", self.name),
            offset: 0,
            record: self.rows,
            next: "all earlier bars were used; give files of one symbol that do not overlap",
        }
    }

    fn fault(&self, window: &Window, at: usize, what: String) -> FeedError {
        let is_newest_first = self.plan.as_ref().is_some_and(|plan| plan.is_newest_first);
        FeedError {
            what: format!("{}, row {}: {what}", self.name, self.lines + 1),
            offset: window.offset() + at as u64,
            record: self.rows + 1,
            next: if is_newest_first { "nothing of the file was used: correct the row" } else { USED },
        }
    }
}

const USED: &str =
    "all earlier rows were used; if it is the last row, the file was cut short: get all of it; else correct the row";

/// Whether a row may stand behind another.
fn follows(before: &Row, row: &Row, is_newest_first: bool) -> Result<(), RowError> {
    let fault = |what: String| Err(RowError { at: 0, what });
    let (earlier, later) = if is_newest_first { (row, before) } else { (before, row) };
    if earlier.span == later.span {
        return fault("it has the time of the row before it".to_owned());
    }
    if earlier.span.end > later.span.end {
        let (order, other) = match is_newest_first {
            true => ("newest first, but this row is newer", "oldest-first"),
            false => ("oldest first, but this row is older", "newest-first"),
        };
        return fault(format!("the file is {order} than the one before it: sort it, or set csv.order={other}"));
    }
    let apart = u64::from(later.span.start_s) * Ns::SECOND;
    if apart < earlier.span.end.0 {
        let (interval, step) = (row.span.interval_s, later.span.start_s.abs_diff(earlier.span.start_s));
        return fault(format!(
            "it is {step} s from the row before it, but a bar is {interval} s long: check csv.interval"
        ));
    }
    Ok(())
}
