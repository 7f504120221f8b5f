//! A stream that is opened when its first byte is read.
//!
//! So an input that is only looked at keeps no file open, a zip may have more members than a process may have open files, and
//! a pipe is opened by the thread that reads it, which may wait for the pipe's writer.

use std::io::{self, Read};

/// The bytes of a stream.
pub(crate) type Bytes = Box<dyn Read + Send>;

/// A stream that is not open yet, or is.
pub(crate) struct Later<F> {
    open: Option<F>,
    bytes: Bytes,
}

impl<F: FnOnce() -> io::Result<Bytes> + Send> Later<F> {
    pub(crate) fn new(open: F) -> Later<F> {
        Later { open: Some(open), bytes: Box::new(io::empty()) }
    }
}

impl<F: FnOnce() -> io::Result<Bytes> + Send> Read for Later<F> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        if let Some(open) = self.open.take() {
            self.bytes = open()?;
        }
        self.bytes.read(to)
    }
}
