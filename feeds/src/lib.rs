//! What comes in.
//!
//! One folder per feed: a sans-IO decoder (bytes in, inputs out) with a streaming reader in front, and one line in
//! [`FEEDS`]. A feed is opened into a [`Source`](flow::Source) that the ingress merges with others; it never blocks the
//! line: files are read and decompressed by the reader's own thread.

pub mod dbn;
pub mod drive;
mod feed;
pub mod itch;
mod ladder;
pub mod lobster;
pub mod reader;
mod registry;
pub mod synthetic;

pub use feed::{Feed, FindError, OpenError, Opened, Request};
pub use registry::{FEEDS, recognised_as};
