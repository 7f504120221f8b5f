//! Opens files and streams them to a decoder.
//!
//! A file becomes one or more [`Stream`]s of uncompressed bytes ([`open_streams`]). A [`StreamSource`] reads each on
//! its own thread and passes windows of bytes to a sans-IO decoder. A file's format is recognised by its first bytes,
//! never by its name; the name only supplies a [`date`]. A pipe is a file too, whose bytes come once. All decompression is
//! pure Rust.
//!
//! Bound: a fixed pool of blocks and one window per stream, so memory does not grow with the file. Worst case: if
//! decompression is slower than decoding, the source reports idle; it never blocks the thread that polls it.

mod ahead;
mod compression;
pub mod date;
mod fault;
mod lane;
mod later;
mod open;
mod parts;
mod pipe;
mod source;
mod spans;
mod zstd_frames;

pub(crate) use fault::ReadFault;
pub(crate) use later::Later;
pub(crate) use open::{HEAD, heads, memory};
pub use open::{Stream, Streams, open_streams};
pub(crate) use pipe::{head_of, is_pipe};
pub use source::StreamSource;
