//! The signals that stop a run: SIGTERM, SIGINT and SIGHUP.
//!
//! The first one asks for a stop. A second one, at least [`AGAIN`] after it, ends the process at once with exit code 1, in
//! the handler itself, whatever the threads do; the journal then goes on as after a kill. Earlier ones are the same wish: a
//! shell or `timeout` may send a signal twice. SIGHUP stays ignored where `nohup` has said so. Writing beyond the limit of
//! a file's size is an error of the file and no signal.
//!
//! A signal that comes while its handler is being installed would be lost: the system calls the handler already, which does
//! not know yet what to do. So the signals are held back meanwhile, in every thread that exists then.

use super::exit::{Exit, Failure};
use nix::sys::signal::{SigSet, SigmaskHow, Signal};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGXFSZ};
use signal_hook::flag::{register, register_conditional_shutdown};
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// The least time between the signal that stops and the one that ends at once.
pub(super) const AGAIN: Duration = Duration::from_millis(200);

/// Whether a signal came, and whether the next one ends the process.
#[derive(Clone, Default)]
pub(super) struct Signals {
    came: Arc<AtomicBool>,
    ends: Arc<AtomicBool>,
}

impl Signals {
    /// Takes the signals from now on. Threads that exist already [leave them to others](leave_to_others).
    pub(super) fn take() -> Result<Signals, Failure> {
        let failed = |e: io::Error| Failure::failed(format!("signals cannot be handled: {e}"));
        let before = stops().thread_swap_mask(SigmaskHow::SIG_BLOCK).map_err(|e| failed(e.into()))?;
        let signals = Signals::default();
        let registered = signals.register();
        before.thread_set_mask().map_err(|e| failed(e.into()))?;
        registered.map_err(failed).map(|()| signals)
    }

    fn register(&self) -> io::Result<()> {
        for signal in [SIGTERM, SIGINT, SIGHUP].into_iter().filter(|s| *s != SIGHUP || !is_ignored(*s)) {
            register_conditional_shutdown(signal, Exit::Failed as i32, Arc::clone(&self.ends))?;
            register(signal, Arc::clone(&self.came))?;
        }
        Ok(())
    }

    /// Whether a signal has asked for a stop.
    pub(super) fn came(&self) -> bool {
        self.came.load(Ordering::Relaxed)
    }

    /// From now on a signal ends the process.
    pub(super) fn end_at_next(&self) {
        self.ends.store(true, Ordering::Relaxed);
    }
}

/// The signals that stop a run.
fn stops() -> SigSet {
    [Signal::SIGTERM, Signal::SIGINT, Signal::SIGHUP].into_iter().collect()
}

/// This thread takes no signal that stops a run.
pub(super) fn leave_to_others() {
    // It cannot fail: the set is valid.
    let _ = stops().thread_block();
}

/// A file that may not grow further fails like a full disk.
pub(crate) fn take_file_limits() {
    // Where this fails the signal ends the process, as it always did.
    let _ = register(SIGXFSZ, Arc::default());
}

/// Whether the process was started with this signal ignored.
fn is_ignored(signal: i32) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let ignored = ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0);
    ignored >> (signal - 1) & 1 == 1
}
