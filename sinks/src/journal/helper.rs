//! The handle of the helper threads, shared by both logs: wakes them and waits for their end.
//!
//! Bound: whoever ends the second log waits for the helper as long as the disk answers, and [`PATIENCE`] longer. Worst case: it
//! does not answer; then the journal is left as a kill would leave it, and the helper with it.

use super::disk::Disk;
use super::error::JournalError;
use super::gate::Gate;
use super::keeper::Keeper;
use super::manifest::{Closed, JournalInfo};
use super::supplier::Supplier;
use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle, Thread};
use std::time::{Duration, Instant};

/// How long a disk may not answer until it is given up, unless whoever closes the journal says otherwise.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);

/// The thread's result.
type Outcome = Result<Closed, JournalError>;

/// Handle of the helper threads of one journal.
#[derive(Debug)]
pub(super) struct Helper {
    dir: PathBuf,
    info: JournalInfo,
    disk: Disk,
    supplier: Thread,
    keeper: Thread,
    end: Mutex<End>,
}

#[derive(Debug)]
struct End {
    running: Option<JoinHandle<Outcome>>,
    outcome: Option<Outcome>,
    logs_open: u32,
    patience: Duration,
}

/// The words of a panic.
fn words(panic: &(dyn Any + Send)) -> String {
    let what = panic.downcast_ref::<String>().cloned();
    what.or_else(|| panic.downcast_ref::<&str>().map(|s| (*s).to_owned())).unwrap_or_else(|| "panic".to_owned())
}

/// Runs a thread's body; a panic shuts the gate.
fn guarded<T>(gate: &Gate, body: impl FnOnce() -> T) -> Result<T, JournalError> {
    catch_unwind(AssertUnwindSafe(body)).map_err(|panic| {
        let what = words(panic.as_ref());
        gate.fail(&format!("the journal's helper thread died: {what}"));
        JournalError::Helper(what)
    })
}

impl Helper {
    /// Starts the threads.
    pub(super) fn spawn(keeper: Keeper, supplier: Supplier) -> Result<Arc<Helper>, JournalError> {
        let (dir, info, disk) = (keeper.kit.dir.clone(), keeper.kit.info.clone(), keeper.kit.disk.clone());
        let gates = [Arc::clone(&keeper.kit.gate), Arc::clone(&keeper.kit.gate)];
        let failed = |e| JournalError::io(&dir, "starting a helper thread", e);
        let [gate, other] = gates;
        // Until the supplier has ended, the helper does not end the journal.
        gate.set_supplied(true);
        let body = move || guarded(&gate, || keeper.run()).and_then(|outcome| outcome);
        let running = thread::Builder::new().name("journal".to_owned()).spawn(body).map_err(failed)?;
        let keeper = running.thread().clone();
        let helper = keeper.clone();
        let body = move || {
            let _ = guarded(&other, || supplier.run(&helper));
            other.set_supplied(false);
        };
        let supplier = thread::Builder::new().name("journal-memory".to_owned()).spawn(body).map_err(failed)?;
        let supplier = supplier.thread().clone();
        let end = Mutex::new(End { running: Some(running), outcome: None, logs_open: 2, patience: PATIENCE });
        Ok(Arc::new(Helper { dir, info, disk, supplier, keeper, end }))
    }

    /// The journal's identity and settings.
    pub(super) fn info(&self) -> &JournalInfo {
        &self.info
    }

    /// Wakes the supplier from its pause.
    pub(super) fn wake(&self) {
        self.supplier.unpark();
    }

    /// How long a disk may not answer until it is given up.
    pub(super) fn set_patience(&self, patience: Duration) {
        self.end.lock().unwrap_or_else(PoisonError::into_inner).patience = patience;
    }

    /// Called when a log has ended; the second call waits for the helper.
    pub(super) fn log_ended(&self) {
        let mut end = self.end.lock().unwrap_or_else(PoisonError::into_inner);
        end.logs_open -= 1;
        self.supplier.unpark();
        self.keeper.unpark();
        if end.logs_open > 0 {
            return;
        }
        if let Some(running) = end.running.take() {
            end.outcome = Some(self.wait(running, end.patience));
        }
    }

    /// Waits for the helper while the disk answers.
    fn wait(&self, running: JoinHandle<Outcome>, patience: Duration) -> Outcome {
        let (mut done, mut answered) = (self.disk.done(), Instant::now());
        while !running.is_finished() {
            if answered.elapsed() > patience {
                return Err(JournalError::Silent { dir: self.dir.clone(), waited: answered.elapsed() });
            }
            thread::sleep(Duration::from_millis(1));
            let now = self.disk.done();
            if std::mem::replace(&mut done, now) != now {
                answered = Instant::now();
            }
        }
        running.join().unwrap_or_else(|panic| Err(JournalError::Helper(words(panic.as_ref()))))
    }

    /// The helper's result; `None` while it runs, or if it was taken before.
    pub(super) fn outcome(&self) -> Result<Option<Closed>, JournalError> {
        self.end.lock().unwrap_or_else(PoisonError::into_inner).outcome.take().transpose()
    }
}
