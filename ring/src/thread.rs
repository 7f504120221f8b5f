//! One named OS thread per group, pinned to one core; a panic becomes a value.
//!
//! **Idea.** A group must not share its core by accident, so pinning happens before its closure runs: the core is
//! checked, the thread starts and pins itself, and only then does the caller get a [`Worker`] and the closure its first
//! instruction. A panic stops at the thread boundary: [`Worker::join`] returns it as [`Panicked`], with the thread's
//! name and the message. Unwinding drops the rings that the closure owned, so its neighbours see a closed or
//! disconnected ring at once.
//!
//! **Bound.** [`spawn_pinned`] starts two threads and returns after pinning. **Worst case.** If a real-time thread
//! occupies the core, the new thread gets no time there, and `spawn_pinned` waits with it.
//!
//! A thread started without a core inherits its starter's affinity, so start helper threads from a thread that is not
//! pinned. The kernel shows the first 15 bytes of a thread's name.

use std::any::Any;
use std::fmt;
use std::io;
use std::sync::mpsc::sync_channel;
use std::thread::{Builder, JoinHandle};

use core_affinity::CoreId;

/// Why a thread was not started.
#[derive(Debug, thiserror::Error)]
pub enum SpawnError {
    /// The core does not exist, or this process may not use it.
    #[error("thread `{thread}`: core {core} is not available; available cores: {}", list(.cores))]
    NoSuchCore {
        /// The thread to start.
        thread: String,
        /// The requested core.
        core: usize,
        /// The usable cores.
        cores: Vec<usize>,
    },
    /// The core exists, but the system refused to pin the thread to it.
    #[error(
        "thread `{thread}`: the system refused to pin it to core {core}; leave the core out, or allow the process to set its affinity"
    )]
    NotPinned {
        /// The thread to start.
        thread: String,
        /// The requested core.
        core: usize,
    },
    /// A thread's name cannot contain a zero byte.
    #[error("thread {thread:?}: a thread's name cannot contain a zero byte")]
    BadName {
        /// The requested name.
        thread: String,
    },
    /// The system could not start the thread.
    #[error("thread `{thread}`: the system did not start it; check the limits on threads and memory")]
    System {
        /// The thread to start.
        thread: String,
        /// The system's error.
        source: io::Error,
    },
}

/// A thread that panicked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("thread `{thread}` panicked: {message}")]
pub struct Panicked {
    /// The thread's name.
    pub thread: String,
    /// The panic message.
    pub message: String,
}

/// A running thread.
#[must_use = "a thread that is not joined is left alone with its panic"]
pub struct Worker<T> {
    name: String,
    core: Option<usize>,
    /// Returns `None` only if pinning failed; such a thread never becomes a worker.
    handle: JoinHandle<Option<T>>,
}

impl<T> Worker<T> {
    /// The thread's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The core it is pinned to.
    pub fn core(&self) -> Option<usize> {
        self.core
    }

    /// Whether the thread has returned or panicked; [`join`](Self::join) then does not wait.
    pub fn is_finished(&self) -> bool {
        self.handle.is_finished()
    }

    /// Waits for the thread and returns its result.
    ///
    /// # Errors
    ///
    /// [`Panicked`] if the thread panicked.
    pub fn join(self) -> Result<T, Panicked> {
        match self.handle.join() {
            Ok(returned) => Ok(returned.expect("a worker's thread has been pinned and has run")),
            Err(payload) => Err(Panicked { thread: self.name, message: message(payload.as_ref()) }),
        }
    }
}

impl<T> fmt::Debug for Worker<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Worker").field("name", &self.name).field("core", &self.core).finish_non_exhaustive()
    }
}

/// The cores that this process can pin a thread to, ascending, even if the calling thread is pinned itself.
///
/// On Linux these are the existing cores that the control group allows. An affinity set when the process started (as by
/// `taskset`) only decides where threads without a core run; it does not forbid a named core.
pub fn cores() -> Vec<usize> {
    // The system answers for the calling thread, and a thread inherits its starter's affinity: called from a pinned
    // thread, this would list one core. So a temporary thread widens its own affinity to all allowed cores and asks.
    let ask = || {
        widen();
        core_affinity::get_core_ids()
    };
    let ids = match Builder::new().name("cores".to_owned()).spawn(ask) {
        Ok(asking) => asking.join().ok().flatten(),
        Err(_) => core_affinity::get_core_ids(),
    };
    let mut cores: Vec<usize> = ids.unwrap_or_default().into_iter().map(|core| core.id).collect();
    cores.sort_unstable();
    cores
}

/// Allows the calling thread to run on every core that the process may use.
#[cfg(target_os = "linux")]
fn widen() {
    use rustix::thread::{CpuSet, sched_setaffinity};

    let mut all = CpuSet::new();
    (0..CpuSet::MAX_CPU).for_each(|core| all.set(core));
    // The kernel keeps the cores of the set that exist and are allowed; if it refuses, the inherited affinity stays.
    let _ = sched_setaffinity(None, &all);
}

/// On other systems the list of cores does not depend on the calling thread.
#[cfg(not(target_os = "linux"))]
fn widen() {}

/// Starts a thread called `name` that runs `f`, pinned to `core` if given; returns once it is pinned.
///
/// # Errors
///
/// [`SpawnError`]; `f` has not run and never will.
pub fn spawn_pinned<T, F>(name: impl Into<String>, core: Option<usize>, f: F) -> Result<Worker<T>, SpawnError>
where
    T: Send + 'static,
    F: FnOnce() -> T + Send + 'static,
{
    let name = name.into();
    if name.contains('\0') {
        return Err(SpawnError::BadName { thread: name });
    }
    let Some(core) = core else {
        let handle = start(&name, || Some(f()))?;
        return Ok(Worker { name, core: None, handle });
    };
    let cores = cores();
    if !cores.contains(&core) {
        return Err(SpawnError::NoSuchCore { thread: name, core, cores });
    }
    let (pinned, is_pinned) = sync_channel(1);
    let handle = start(&name, move || {
        let done = core_affinity::set_for_current(CoreId { id: core });
        // The starter is still waiting for this, so the send cannot fail.
        let _ = pinned.send(done);
        done.then(f)
    })?;
    if !is_pinned.recv().unwrap_or(false) {
        return Err(SpawnError::NotPinned { thread: name, core });
    }
    Ok(Worker { name, core: Some(core), handle })
}

fn start<T, F>(name: &str, f: F) -> Result<JoinHandle<T>, SpawnError>
where
    T: Send + 'static,
    F: FnOnce() -> T + Send + 'static,
{
    let named = Builder::new().name(name.to_owned());
    named.spawn(f).map_err(|source| SpawnError::System { thread: name.to_owned(), source })
}

/// The message of a panic, if its payload is text.
fn message(payload: &(dyn Any + Send)) -> String {
    let text = payload.downcast_ref::<&'static str>().copied();
    let text = text.or_else(|| payload.downcast_ref::<String>().map(String::as_str));
    text.unwrap_or("(panic payload is not a string)").to_owned()
}

fn list(cores: &[usize]) -> String {
    cores.iter().map(usize::to_string).collect::<Vec<_>>().join(", ")
}
