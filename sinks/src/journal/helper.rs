//! The handle of the helper thread, shared by both logs: wakes the thread and waits for its end.

use super::error::JournalError;
use super::format::LogKind;
use super::handover::{Handover, Supply};
use super::keeper::Keeper;
use super::manifest::{Closed, JournalInfo};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle, Thread};

/// The thread's result.
type Outcome = Result<Closed, JournalError>;

/// Handle of the helper thread of one journal.
#[derive(Debug)]
pub(super) struct Helper {
    info: JournalInfo,
    thread: Thread,
    handovers: [Arc<Handover>; 2],
    end: Mutex<End>,
}

#[derive(Debug)]
struct End {
    running: Option<JoinHandle<Outcome>>,
    outcome: Option<Outcome>,
}

impl Helper {
    /// Starts the thread.
    pub(super) fn spawn(dir: &Path, keeper: Keeper) -> Result<Arc<Helper>, JournalError> {
        let info = keeper.info().clone();
        let handovers = LogKind::BOTH.map(|log| keeper.handover(log));
        let on_panic = handovers.clone();
        let body = move || {
            catch_unwind(AssertUnwindSafe(|| keeper.run())).unwrap_or_else(|panic| {
                let what = panic.downcast_ref::<String>().cloned();
                let what = what.or_else(|| panic.downcast_ref::<&str>().map(|s| (*s).to_owned()));
                let what = what.unwrap_or_else(|| "panic".to_owned());
                for handover in &on_panic {
                    handover.set_supply(Supply::Failed, &format!("the journal's helper thread died: {what}"));
                }
                Err(JournalError::Helper(what))
            })
        };
        let running = thread::Builder::new()
            .name("journal".to_owned())
            .spawn(body)
            .map_err(|e| JournalError::io(dir, "starting the helper thread", e))?;
        let thread = running.thread().clone();
        let end = Mutex::new(End { running: Some(running), outcome: None });
        Ok(Arc::new(Helper { info, thread, handovers, end }))
    }

    /// The journal's identity and settings.
    pub(super) fn info(&self) -> &JournalInfo {
        &self.info
    }

    /// Wakes the helper from its pause.
    pub(super) fn wake(&self) {
        self.thread.unpark();
    }

    /// Called when a log has ended; the second call waits for the thread.
    pub(super) fn log_ended(&self) {
        self.wake();
        if !self.handovers.iter().all(|h| h.closed.load(Ordering::SeqCst)) {
            return;
        }
        let mut end = self.end.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(running) = end.running.take() {
            let joined = running.join().unwrap_or_else(|_| Err(JournalError::Helper("panic".to_owned())));
            end.outcome = Some(joined);
        }
    }

    /// The thread's result; `None` while it runs, or if it was taken before.
    pub(super) fn outcome(&self) -> Result<Option<Closed>, JournalError> {
        self.end.lock().unwrap_or_else(PoisonError::into_inner).outcome.take().transpose()
    }
}
