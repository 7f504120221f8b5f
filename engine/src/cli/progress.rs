//! The progress line on a terminal.
//!
//! It is always one line of whole numbers, whatever the width of the terminal, which is read at each redraw. The console's
//! thread draws it, so that a terminal that stands still holds up nothing else.

use super::numbers::grouped;
use indicatif::{ProgressBar, ProgressStyle};
use std::time::Duration;

/// The progress line of something countable. Dropping it removes the line.
pub(super) struct Bar {
    bar: ProgressBar,
    what: &'static str,
    expected: Option<u64>,
}

impl Bar {
    /// A line for about `expected` of `what`.
    pub(super) fn new(what: &'static str, expected: Option<u64>) -> Bar {
        let bar = match expected {
            Some(count) => styled(ProgressBar::new(count), "{bar:20} {wide_msg}"),
            None => styled(ProgressBar::new_spinner(), "{spinner} {wide_msg}"),
        };
        Bar { bar, what, expected }
    }

    /// Draws the amount done.
    pub(super) fn draw(&self, done: u64) {
        self.bar.set_position(done);
        let (rate, left) = (self.bar.per_sec() as u64, self.bar.eta());
        self.bar.set_message(progress_line(done, self.expected, self.what, rate, left, self.bar.elapsed()));
    }

    /// Runs `print` clear of the bar.
    pub(super) fn suspend(&self, print: impl FnOnce()) {
        self.bar.suspend(print);
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
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
