//! Opens files and streams them to a decoder.
//!
//! A file becomes one or more [`Stream`]s of uncompressed bytes ([`open_streams`]). A [`StreamSource`] reads each on
//! its own thread and passes windows of bytes to a sans-IO decoder. A file's format is recognised by its first bytes,
//! never by its name; the name only supplies a [`date`]. A pipe is a file too, whose bytes come once. All decompression is
//! pure Rust, or with the feature `zstd-c` that of zstd the C library's. Where a file can be cut without decompressing it, its
//! parts are decompressed side by side and read in order: the frames of a zstd file and the members of BGZF.
//!
//! Bound: a fixed pool of blocks and one window per stream, so memory does not grow with the file. Worst case: if
//! decompression is slower than decoding, the source reports idle; it never blocks the thread that polls it.

mod ahead;
mod compression;
pub mod date;
mod fault;
mod frame_header;
mod lane;
mod later;
mod open;
mod parts;
mod pipe;
mod source;
mod spans;
#[cfg(feature = "zstd-c")]
mod zstd_c;
mod zstd_frames;
#[cfg(not(feature = "zstd-c"))]
mod zstd_rust;

pub(crate) use fault::ReadFault;
pub(crate) use later::Later;
pub(crate) use open::{HEAD, heads, memory};
pub use open::{Stream, Streams, open_streams};
pub(crate) use pipe::{head_of, is_pipe};
pub use source::StreamSource;
