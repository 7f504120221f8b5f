//! Why a stream ends before its end, and what to do about it.
//!
//! A reader's fault travels inside an [`io::Error`] from the thread that reads to the pipeline's. What is as its vendor
//! delivers it is never called damaged: a file that ends early was cut short, bytes behind a whole stream are not part of
//! it, and an error of the system belongs to the disk. Bound: one fault per stream.

use std::io;

/// Why a stream cannot be read on.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
#[error("{what}")]
pub(crate) struct ReadFault {
    /// What was found, and where.
    pub(crate) what: String,
    /// What the user can do.
    pub(crate) next: &'static str,
}

/// What the advice begins with once something was read.
const USED: &str = "all earlier records were used; ";

impl ReadFault {
    /// What to do when nothing could be read at all.
    pub(crate) fn at_start(&self) -> &'static str {
        self.next.strip_prefix(USED).unwrap_or(self.next)
    }

    pub(crate) fn new(what: impl Into<String>, next: &'static str) -> ReadFault {
        ReadFault { what: what.into(), next }
    }

    /// The fault inside `error`, or else one with advice for its kind.
    pub(crate) fn of(error: &io::Error) -> ReadFault {
        if let Some(fault) = error.get_ref().and_then(|e| e.downcast_ref::<ReadFault>()) {
            return fault.clone();
        }
        let (what, next) = match error.kind() {
            io::ErrorKind::UnexpectedEof => {
                ("unexpected end of file".to_owned(), "all earlier records were used; it was cut short: get all of it")
            }
            _ if error.raw_os_error().is_some() => {
                (error.to_string(), "all earlier records were used; the system cannot read it: check the disk")
            }
            _ => (
                error.to_string(),
                "all earlier records were used; its bytes changed since they were packed: get it again",
            ),
        };
        ReadFault { what, next }
    }
}

impl From<ReadFault> for io::Error {
    fn from(fault: ReadFault) -> io::Error {
        io::Error::other(fault)
    }
}
