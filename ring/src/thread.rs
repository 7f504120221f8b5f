//! One named OS thread per group, pinned to one core, whose panic is a value.
//!
//! **Idea.** A group must not share its core by accident, so where it runs is decided before it runs: the core is
//! checked, the thread is started and pins itself, and only when that has worked does the caller get a [`Worker`] and
//! the closure its first instruction. A panic ends at the thread's edge: [`Worker::join`] gives it back as
//! [`Panicked`], with the thread's name and the message; the rings that the closure owned are dropped on the way, so
//! its neighbours see a closed or disconnected ring at once.
//!
//! **Bound.** [`spawn_pinned`] takes two thread starts and returns after pinning. **Worst case.** A core that exists but
//! is taken by a real-time thread: the new thread is pinned, gets no time there, and `spawn_pinned` waits with it.
//!
//! A thread started without a core inherits the cores of its starter, so start helpers from a thread that is not
//! pinned. The kernel shows the first 15 bytes of a name.

use std::any::Any;
use std::fmt;
use std::io;
use std::sync::mpsc::sync_channel;
use std::thread::{Builder, JoinHandle};

use core_affinity::CoreId;

/// Why a thread was not started.
#[derive(Debug, thiserror::Error)]
pub enum SpawnError {
    /// The core is not there, or this process may not use it.
    #[error("thread `{thread}`: there is no core {core} here; cores that can be used: {}", list(.cores))]
    NoSuchCore {
        /// The thread that was to be started.
        thread: String,
        /// The core that was asked for.
        core: usize,
        /// The cores that can be used.
        cores: Vec<usize>,
    },
    /// The core is there, but the system did not let the thread be pinned to it.
    #[error(
        "thread `{thread}`: the system refused to pin it to core {core}; leave the core out or allow the process to set its affinity"
    )]
    NotPinned {
        /// The thread that was to be started.
        thread: String,
        /// The core that was asked for.
        core: usize,
    },
    /// A thread's name cannot contain a zero byte.
    #[error("thread {thread:?}: a thread's name cannot contain a zero byte")]
    BadName {
        /// The name that was given.
        thread: String,
    },
    /// The system did not start the thread.
    #[error("thread `{thread}`: the system did not start it; check the limits on threads and memory")]
    System {
        /// The thread that was to be started.
        thread: String,
        /// What the system said.
        source: io::Error,
    },
}

/// A thread that ended by a panic.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("thread `{thread}` panicked: {message}")]
pub struct Panicked {
    /// The thread's name.
    pub thread: String,
    /// What the panic said.
    pub message: String,
}

/// A running thread.
#[must_use = "a thread that is not joined is left alone with its panic"]
pub struct Worker<T> {
    name: String,
    core: Option<usize>,
    /// Returns nothing only if it could not be pinned; such a thread never becomes a worker.
    handle: JoinHandle<Option<T>>,
}

impl<T> Worker<T> {
    /// The thread's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The core that it is pinned to.
    pub fn core(&self) -> Option<usize> {
        self.core
    }

    /// Whether the thread has ended, by its return or by a panic; [`join`](Self::join) does not wait then.
    pub fn is_finished(&self) -> bool {
        self.handle.is_finished()
    }

    /// Waits for the thread and gives what it returned.
    ///
    /// # Errors
    ///
    /// [`Panicked`] if it ended by a panic.
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

/// The cores that a thread of this process can be pinned to, ascending, also when the calling thread is itself pinned.
///
/// On Linux that is what exists and what the control group allows; an affinity that the process was started with (as
/// by `taskset`) is only where threads without a core run, and does not forbid a core that is named.
pub fn cores() -> Vec<usize> {
    // The system answers for the asking thread, and a thread inherits the cores of its starter: asked from a pinned
    // thread it would name one core. So a thread of its own widens itself to all that is allowed, and asks.
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

/// Lets the calling thread run on every core that the process may use.
#[cfg(target_os = "linux")]
fn widen() {
    use rustix::thread::{CpuSet, sched_setaffinity};

    let mut all = CpuSet::new();
    (0..CpuSet::MAX_CPU).for_each(|core| all.set(core));
    // The system takes what exists and is allowed of the set; where it allows no change, the inherited cores stand.
    let _ = sched_setaffinity(None, &all);
}

/// Elsewhere the list of cores does not depend on who asks.
#[cfg(not(target_os = "linux"))]
fn widen() {}

/// Starts a thread called `name` that runs `f`, pinned to `core` if one is given, and returns when it is pinned.
///
/// # Errors
///
/// [`SpawnError`]; `f` has not run then and never will.
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
        // The starter waits for this; it cannot be gone.
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

/// What a panic said: its message, where it has one.
fn message(payload: &(dyn Any + Send)) -> String {
    let text = payload.downcast_ref::<&'static str>().copied();
    let text = text.or_else(|| payload.downcast_ref::<String>().map(String::as_str));
    text.unwrap_or("(a value that is no text)").to_owned()
}

fn list(cores: &[usize]) -> String {
    cores.iter().map(usize::to_string).collect::<Vec<_>>().join(", ")
}
