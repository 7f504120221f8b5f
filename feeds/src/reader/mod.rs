//! Opening files and streaming them to a decoder.
//!
//! A file becomes one or more [`Stream`]s of uncompressed bytes ([`open_streams`]); a [`StreamSource`] reads each on a
//! thread of its own and gives a sans-IO decoder windows of them. What a file is, is told by its first bytes, never by
//! its name; only a date is ever taken from a name ([`date`]). All decompression is pure Rust.
//!
//! Bound: per stream a fixed pool of blocks and one window, so memory does not grow with the file. Worst case: a file
//! that decompresses slower than it is decoded makes the source idle; it never blocks the thread that polls it.

pub mod date;
mod open;
mod packing;
mod source;

pub use open::{Stream, open_streams};
pub use source::StreamSource;
