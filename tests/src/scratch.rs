//! A folder of a test, with what its journals left in shared memory.
//!
//! The active segments of a journal that was killed outlive the process, and also the journal's folder. A test that kills
//! and never goes on would leave them until the next boot. So a scratch folder removes them with itself: each names the
//! journal that it belongs to. Bound: one small file read for each journal of the machine.

use std::fs::{read_dir, read_to_string, remove_dir_all};
use std::ops::Deref;
use std::path::Path;
use tempfile::TempDir;

/// A folder that is removed when it is dropped, with the active segments of the journals in it.
pub struct Scratch(TempDir);

impl Scratch {
    /// A new, empty folder.
    ///
    /// # Panics
    /// When the system gives none.
    #[expect(clippy::new_without_default, reason = "a folder is made on purpose")]
    pub fn new() -> Scratch {
        Scratch(tempfile::tempdir().expect("a folder"))
    }

    /// A new, empty folder in shared memory, where that is possible.
    ///
    /// # Panics
    /// As [`Scratch::new`].
    pub fn in_memory() -> Scratch {
        tempfile::tempdir_in("/dev/shm").map_or_else(|_| Scratch::new(), Scratch)
    }
}

impl Deref for Scratch {
    type Target = TempDir;

    fn deref(&self) -> &TempDir {
        &self.0
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        forget_memory(self.0.path());
    }
}

/// Removes the active segments of all journals in `folder`, however they lie in it.
pub(crate) fn forget_memory(folder: &Path) {
    for memory in read_dir("/dev/shm").into_iter().flatten().filter_map(Result::ok).map(|e| e.path()) {
        if read_to_string(memory.join("journal")).is_ok_and(|place| Path::new(&place).starts_with(folder)) {
            // What is gone need not go.
            let _ = remove_dir_all(memory);
        }
    }
}
