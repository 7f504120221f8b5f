//! The form in which a run says things: lines for people, JSON for a collector of logs, or lines with a priority for systemd's journal.
//!
//! JSON comes from the crate `tracing`: each message is an event of it, its subscriber makes one line of it with time, level and message,
//! and that line goes where all lines go, into the queue of the [console](super::console). So whoever says something does not wait for
//! whoever reads the log: the line is made by the thread that says it, and the queue is taken for as long as an append takes. The
//! pipeline says nothing at all.
//!
//! Bound: one line a message. Worst case: that of the console, where what nobody reads is dropped and counted.

use clap::{Args, ValueEnum};
use std::io::{self, Write};
use std::os::fd::BorrowedFd;
use std::sync::OnceLock;
use tracing::Level;
use tracing_subscriber::fmt::MakeWriter;

/// The form of what is said.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Form {
    /// Lines for people; with priorities where systemd's journal takes them.
    #[default]
    Text,
    /// One JSON object a line: timestamp (UTC), level, message.
    Json,
}

/// The option of every command that is a service.
#[derive(Args, Clone, Default)]
pub(crate) struct LogArgs {
    /// Form of what is said on standard error.
    #[arg(long, value_enum, default_value = "text", env = "TIDEGATE_LOG")]
    pub(crate) log: Form,
}

/// The form, and whether lines have priorities; set once, before anybody says anything.
static TAKEN: OnceLock<(Form, bool)> = OnceLock::new();

/// Takes a form, for a standard error that is `to`. Lines of JSON are given to `push`.
pub(super) fn take(form: Form, push: fn(String), to: BorrowedFd<'_>) {
    if TAKEN.set((form, is_journal(to))).is_ok() && form == Form::Json {
        let subscriber = tracing_subscriber::fmt()
            .json()
            .flatten_event(true)
            .with_current_span(false)
            .with_span_list(false)
            .with_target(false)
            .with_writer(Lines(push));
        // Nobody else sets one.
        let _ = tracing::subscriber::set_global_default(subscriber.finish());
    }
}

/// The form that was taken.
pub(super) fn form() -> Form {
    TAKEN.get().map_or(Form::Text, |(form, _)| *form)
}

/// What systemd's journal wants before a line of this level; `None` where it does not listen.
pub(super) fn priority(level: Level) -> Option<&'static str> {
    TAKEN.get().filter(|(_, is_journal)| *is_journal).map(|_| match level {
        Level::ERROR => "<3>",
        Level::WARN => "<4>",
        _ => "<6>",
    })
}

/// Says it as a line of JSON.
pub(super) fn json(level: Level, text: &str) {
    let text = text.trim_end();
    match level {
        Level::ERROR => tracing::error!("{text}"),
        Level::WARN => tracing::warn!("{text}"),
        _ => tracing::info!("{text}"),
    }
}

/// Whether a file is the stream that systemd has connected to its journal.
fn is_journal(file: BorrowedFd<'_>) -> bool {
    let stream = std::env::var("JOURNAL_STREAM").ok();
    let found = rustix::fs::fstat(file).map(|found| format!("{}:{}", found.st_dev, found.st_ino)).ok();
    stream.is_some() && stream == found
}

/// Where lines of JSON go.
struct Lines(fn(String));

/// One line in the making.
struct Line {
    text: Vec<u8>,
    push: fn(String),
}

impl<'a> MakeWriter<'a> for Lines {
    type Writer = Line;

    fn make_writer(&'a self) -> Line {
        Line { text: Vec::new(), push: self.0 }
    }
}

impl Write for Line {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.text.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for Line {
    /// It is whole: it goes into the queue.
    fn drop(&mut self) {
        (self.push)(String::from_utf8_lossy(&self.text).into_owned());
    }
}
