//! The progress line on a terminal.
//!
//! It is always one line of whole numbers, whatever the width of the terminal, which is read at each redraw. If standard
//! error is not a terminal, there is no progress line and not a single escape code.

use super::numbers::grouped;
use indicatif::{ProgressBar, ProgressStyle};
use std::cell::Cell;
use std::io::IsTerminal;
use std::time::{Duration, Instant};

/// Progress of something countable.
pub(crate) struct Progress {
    bar: ProgressBar,
    what: &'static str,
    expected: Option<u64>,
    drawn: Cell<Option<Instant>>,
}

/// Shortest time between two redraws.
const PERIOD: Duration = Duration::from_millis(100);

impl Progress {
    /// Progress through about `expected` of `what`; hidden if `shown` is false or there is no terminal.
    pub(crate) fn new(what: &'static str, expected: Option<u64>, shown: bool) -> Progress {
        let bar = match expected {
            _ if !shown || !std::io::stderr().is_terminal() => ProgressBar::hidden(),
            Some(count) => styled(ProgressBar::new(count), "{bar:20} {wide_msg}"),
            None => styled(ProgressBar::new_spinner(), "{spinner} {wide_msg}"),
        };
        Progress { bar, what, expected, drawn: Cell::new(None) }
    }

    /// Sets the amount done.
    pub(crate) fn set(&self, done: u64) {
        if self.bar.is_hidden() || self.drawn.get().is_some_and(|drawn| drawn.elapsed() < PERIOD) {
            return;
        }
        self.drawn.set(Some(Instant::now()));
        self.bar.set_position(done);
        let (rate, left) = (self.bar.per_sec() as u64, self.bar.eta());
        self.bar.set_message(progress_line(done, self.expected, self.what, rate, left, self.bar.elapsed()));
    }

    /// Prints a message, clear of the progress line.
    pub(crate) fn print(&self, text: &str) {
        self.bar.suspend(|| eprintln!("{text}"));
    }

    /// Ends the progress and removes its line.
    pub(crate) fn end(&self) {
        self.bar.finish_and_clear();
    }
}

fn styled(bar: ProgressBar, template: &str) -> ProgressBar {
    bar.with_style(ProgressStyle::with_template(template).expect("the template is valid"))
}

/// The text beside the bar: amount done, total, rate, and the time left or passed.
fn progress_line(done: u64, expected: Option<u64>, what: &str, rate: u64, left: Duration, passed: Duration) -> String {
    let (done, rate) = (grouped(done), grouped(rate));
    match expected {
        Some(all) => format!("{done} of {} {what}, {rate}/s, {} s left", grouped(all), left.as_secs()),
        None => format!("{done} {what}, {rate}/s, {} s", passed.as_secs()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_whole_and_the_line_fits_beside_its_bar() {
        let [left, passed] = [Duration::from_millis(2_600), Duration::from_secs(61)];
        let text = progress_line(1_234_567, Some(2_000_000), "messages", 2_101_269, left, passed);
        assert_eq!(text, "1,234,567 of 2,000,000 messages, 2,101,269/s, 2 s left");
        assert!(20 + 1 + text.len() <= 80);
        assert_eq!(progress_line(5, None, "events", 1, left, passed), "5 events, 1/s, 61 s");
    }
}
