//! The disk as the helper reaches it: every operation that may wait for it goes through here.
//!
//! Operations are counted, so that whoever waits for the helper can tell a slow disk from one that does not answer. A test
//! may put a script before them, which hangs, delays or fails.
//!
//! Bound: none on the time of an operation; that is why no other thread of a run carries one out.

use std::fmt;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// What the helper is about to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DiskOp {
    /// Allocate a segment or its sidecar.
    Allocate,
    /// Write records, seals, gaps or a text.
    Write,
    /// Wait until what was written is durable.
    Sync,
    /// Remove or truncate a file.
    Trim,
}

type Script = dyn Fn(DiskOp) -> io::Result<()> + Send + Sync;

/// A journal's disk.
#[derive(Clone, Default)]
pub struct Disk {
    done: Arc<AtomicU64>,
    script: Option<Arc<Script>>,
}

impl fmt::Debug for Disk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Disk").field("done", &self.done).field("scripted", &self.script.is_some()).finish()
    }
}

impl Disk {
    /// A disk on which `script` is carried out before each operation; its error becomes that of the operation.
    pub fn scripted(script: impl Fn(DiskOp) -> io::Result<()> + Send + Sync + 'static) -> Disk {
        Disk { done: Arc::default(), script: Some(Arc::new(script)) }
    }

    /// Carries out an operation.
    pub(super) fn run<T>(&self, op: DiskOp, work: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
        if let Some(script) = &self.script {
            script(op)?;
        }
        let result = work();
        self.done.fetch_add(1, Ordering::Release);
        result
    }

    /// Number of operations done so far: while it grows, the disk answers.
    pub(super) fn done(&self) -> u64 {
        self.done.load(Ordering::Acquire)
    }
}
