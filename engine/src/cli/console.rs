//! Standard error, written by a thread of its own.
//!
//! Everything for people goes through here, and nobody who says something waits for whoever reads it: a stopped terminal
//! or a full pipe holds up the console's thread alone, and a closed one takes nothing, without an error. So a command does
//! its work first and says so afterwards, and what cannot be said is not said. The progress line is drawn here too, from
//! the last amount that was set.
//!
//! Bound: [`MOST`] messages wait; later ones are dropped, and their number is said when there is room again. At the end of
//! a command [`flush`] waits as long as the reader takes something within [`PATIENCE`]. Worst case: the last messages of a
//! command whose reader stands still are lost.

use super::log::{self, Form};
use super::progress::Bar;
use super::{screen, signals};
use std::backtrace::{Backtrace, BacktraceStatus};
use std::cell::Cell;
use std::collections::VecDeque;
use std::io::{self, IsTerminal, Write};
use std::os::fd::AsFd;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::Builder;
use std::time::{Duration, Instant};
use tracing::Level;

/// Most messages that wait.
const MOST: usize = 1_024;
/// How long the end of a command waits for a reader that takes nothing.
const PATIENCE: Duration = Duration::from_millis(250);
/// Bytes that are written at once, so that a slow reader is told from one that stands still.
const PIECE: usize = 1_024;
/// Shortest time between two redraws of the progress line.
const PERIOD: Duration = Duration::from_millis(100);

static STDERR: Console = Console::new();

/// Says something to the user, wrapped to the terminal.
pub(crate) fn say(text: impl AsRef<str>) {
    log(Level::INFO, text.as_ref(), screen::message);
}

/// Says something that an operator should look into.
pub(crate) fn warn(text: impl AsRef<str>) {
    log(Level::WARN, text.as_ref(), screen::message);
}

/// Says that something has failed.
pub(crate) fn fail(text: impl AsRef<str>) {
    log(Level::ERROR, text.as_ref(), screen::message);
}

/// Shows a screen, whose lines are as they are to be.
pub(crate) fn show(text: String) {
    log(Level::INFO, &text, str::to_owned);
}

fn log(level: Level, text: &str, laid_out: fn(&str) -> String) {
    match log::form() {
        Form::Json => log::json(level, text),
        Form::Text => push(match log::priority(level) {
            Some(priority) => text.lines().fold(String::new(), |all, line| all + priority + line + "\n"),
            None => laid_out(text),
        }),
    }
}

/// Puts a text that ends with a line into the queue.
fn push(text: String) {
    STDERR.push(Item::Text(if text.ends_with('\n') { text } else { text + "\n" }), write_stderr);
}

/// Lets everything that is said from here on have that form. In text, lines have priorities if standard error is systemd's journal.
pub(crate) fn speak(form: Form) {
    log::take(form, push, io::stderr().as_fd());
}

/// Waits until everything that was said is written, or nobody reads it.
pub(crate) fn flush() {
    STDERR.flush(PATIENCE);
}

/// Says panics here, so that a thread that panics does not wait for the terminal before it ends.
pub(crate) fn say_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let name = std::thread::current().name().unwrap_or("unnamed").to_owned();
        let trace = Backtrace::capture();
        let trace = if trace.status() == BacktraceStatus::Captured { format!("\n{trace}") } else { String::new() };
        log(Level::ERROR, &format!("thread `{name}` {panic}{trace}"), str::to_owned);
    }));
}

/// What the console's thread does next.
enum Item {
    Text(String),
    /// A progress line begins: what is counted, and how many are expected.
    Begin(&'static str, Option<u64>),
    End,
}

/// The messages that wait, and what the console's thread is doing.
struct State {
    waiting: VecDeque<Item>,
    dropped: u64,
    /// The last amount done, if it has not been drawn.
    done: Option<u64>,
    /// Pieces written so far.
    written: u64,
    busy: bool,
    /// Whether there is a thread; without one nothing is said.
    started: bool,
}

/// A queue of messages and the thread that writes them.
struct Console {
    state: Mutex<State>,
    news: Condvar,
    taken: Condvar,
}

/// Writes a piece of text; what fails is not said.
type Writer = fn(&[u8]);

fn write_stderr(piece: &[u8]) {
    let _ = io::stderr().write_all(piece);
}

impl Console {
    const fn new() -> Console {
        let waiting = VecDeque::new();
        let state = State { waiting, dropped: 0, done: None, written: 0, busy: false, started: false };
        Console { state: Mutex::new(state), news: Condvar::new(), taken: Condvar::new() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Queues an item, or counts it as dropped. The first one starts the thread, which writes with `write`.
    fn push(&'static self, item: Item, write: Writer) {
        let mut state = self.state();
        if !state.started {
            let thread = Builder::new().name("console".to_owned());
            state.started = thread.spawn(move || self.write_all(write)).is_ok();
        }
        if state.waiting.len() < MOST && state.started {
            state.waiting.push_back(item);
        } else {
            state.dropped += 1;
        }
        self.news.notify_one();
    }

    fn set_done(&self, done: u64) {
        self.state().done = Some(done);
        self.news.notify_one();
    }

    /// The thread: writes what waits, one item after another.
    fn write_all(&self, write: Writer) {
        signals::leave_to_others();
        let mut bar: Option<Bar> = None;
        let mut said_dropped = 0;
        loop {
            let (item, done, dropped) = self.next(said_dropped);
            let piecewise = |text: &str| {
                for piece in text.as_bytes().chunks(PIECE) {
                    write(piece);
                    self.state().written += 1;
                    self.taken.notify_all();
                }
            };
            let clear_of_bar = |bar: &Option<Bar>, text: &str| match bar {
                Some(bar) => bar.suspend(|| piecewise(text)),
                None => piecewise(text),
            };
            if dropped > said_dropped {
                let lost =
                    format!("{} messages are left out here: nobody read standard error\n", dropped - said_dropped);
                said_dropped = dropped;
                match log::form() {
                    // It takes its place in the queue, behind those that were not left out.
                    Form::Json => log::json(Level::WARN, &lost),
                    Form::Text => {
                        clear_of_bar(&bar, &(log::priority(Level::WARN).unwrap_or_default().to_owned() + &lost))
                    }
                }
            }
            match item {
                Some(Item::Text(text)) => clear_of_bar(&bar, &text),
                Some(Item::Begin(what, expected)) => bar = Some(Bar::new(what, expected)),
                Some(Item::End) => drop(bar.take()),
                None => {}
            }
            if let (Some(bar), Some(done)) = (&bar, done) {
                bar.draw(done);
            }
        }
    }

    /// Waits for the next item, an amount to draw, or news of dropped messages.
    fn next(&self, said_dropped: u64) -> (Option<Item>, Option<u64>, u64) {
        let mut state = self.state();
        state.busy = false;
        self.taken.notify_all();
        let idle = |s: &mut State| s.waiting.is_empty() && s.done.is_none() && s.dropped == said_dropped;
        state = self.news.wait_while(state, idle).unwrap_or_else(PoisonError::into_inner);
        state.busy = true;
        (state.waiting.pop_front(), state.done.take(), state.dropped)
    }

    fn flush(&self, patience: Duration) {
        let mut state = self.state();
        while state.started && (state.busy || !state.waiting.is_empty()) {
            let written = state.written;
            let waited = self
                .taken
                .wait_timeout_while(state, patience, |s| s.written == written && (s.busy || !s.waiting.is_empty()));
            let (now, timeout) = waited.unwrap_or_else(PoisonError::into_inner);
            if timeout.timed_out() {
                return;
            }
            state = now;
        }
    }
}

/// The progress of something countable, on a terminal.
pub(crate) struct Progress {
    is_shown: bool,
    drawn: Cell<Option<Instant>>,
}

impl Progress {
    /// Progress through about `expected` of `what`; hidden if `shown` is false or standard error is no terminal.
    pub(crate) fn new(what: &'static str, expected: Option<u64>, shown: bool) -> Progress {
        let is_shown = shown && io::stderr().is_terminal();
        if is_shown {
            STDERR.push(Item::Begin(what, expected), write_stderr);
        }
        Progress { is_shown, drawn: Cell::new(None) }
    }

    /// Sets the amount done.
    pub(crate) fn set(&self, done: u64) {
        if self.is_shown && self.drawn.get().is_none_or(|drawn| drawn.elapsed() >= PERIOD) {
            self.drawn.set(Some(Instant::now()));
            STDERR.set_done(done);
        }
    }
}

impl Drop for Progress {
    /// Removes the line.
    fn drop(&mut self) {
        if self.is_shown {
            STDERR.push(Item::End, write_stderr);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicBool, Ordering};

    static CLOSED: Mutex<()> = Mutex::new(());
    static SEEN: Mutex<String> = Mutex::new(String::new());
    static ENTERED: AtomicBool = AtomicBool::new(false);

    /// A reader that takes nothing while somebody holds [`CLOSED`].
    fn write_when_open(piece: &[u8]) {
        ENTERED.store(true, Ordering::Release);
        let _open = CLOSED.lock().expect("nothing panics here");
        SEEN.lock().expect("nothing panics here").push_str(std::str::from_utf8(piece).expect("text"));
    }

    #[test]
    fn nobody_waits_for_a_reader_that_stands_still_and_what_it_missed_is_counted() {
        static CONSOLE: Console = Console::new();
        let say = |text: String| CONSOLE.push(Item::Text(text), write_when_open);
        let stands_still = CLOSED.lock().expect("nothing panics here");
        say("first\n".to_owned());
        while !ENTERED.load(Ordering::Acquire) {
            std::thread::yield_now();
        }
        (0..MOST + 7).for_each(|i| say(format!("{i}\n")));
        let began = Instant::now();
        CONSOLE.flush(Duration::from_millis(30));
        assert!(began.elapsed() < Duration::from_secs(5), "the end does not wait for it");
        assert_eq!(*SEEN.lock().expect("nothing panics here"), "");
        drop(stands_still);
        CONSOLE.flush(Duration::from_secs(30));
        let seen = SEEN.lock().expect("nothing panics here").clone();
        let kept: String = (0..MOST).map(|i| format!("{i}\n")).collect();
        let lost = "7 messages are left out here: nobody read standard error\n";
        assert_eq!(seen, format!("first\n{lost}{kept}"));
    }
}
