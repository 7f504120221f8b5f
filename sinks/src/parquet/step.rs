//! One step on the disk. The tests let any of them fail, as a full disk or a kill would.
//!
//! Bound: none of its own.

use crate::tailer::TailerError;
use std::fmt::Display;
use std::path::Path;

#[cfg(test)]
thread_local! {
    /// Steps until one fails; 0: none does.
    pub(super) static FAILS_AT: std::cell::Cell<u64> = const { std::cell::Cell::new(0) };
}

/// Does a step; where it fails, says what, where and what to do.
pub(super) fn step<T, E: Display>(
    path: &Path,
    doing: &str,
    mut what: impl FnMut() -> Result<T, E>,
) -> Result<T, TailerError> {
    #[cfg(test)]
    if FAILS_AT.get() > 0 {
        FAILS_AT.set(FAILS_AT.get() - 1);
        if FAILS_AT.get() == 0 {
            return Err(failed(path, doing, "the disk is full"));
        }
    }
    what().map_err(|error| failed(path, doing, error))
}

/// What the disk refused, in words.
pub(super) fn failed(path: &Path, doing: &str, error: impl Display) -> TailerError {
    TailerError {
        what: format!("{}: {doing} it: {error}", path.display()),
        next: "see that the folder can be written and that its disk has room".to_owned(),
        transient: true,
    }
}
