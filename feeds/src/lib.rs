//! Market data sources.
//!
//! One folder per feed: a sans-IO decoder (bytes in, inputs out) behind a streaming reader, and one entry in [`FEEDS`].
//! Opening a feed gives a [`Source`](flow::Source), which the ingress merges with the others. A source never blocks the
//! pipeline: a thread of its own reads and decompresses the file.

#![forbid(unsafe_code)]

pub mod alpaca;
mod bar;
pub mod csv;
mod days;
pub mod dbn;
pub mod drive;
mod feed;
pub mod itch;
mod ladder;
pub mod lean;
pub mod live;
pub mod lobster;
pub mod packed;
pub mod reader;
mod registry;
pub mod synthetic;
mod text;

pub use feed::{DatasetPart, Feed, Files, FindError, Open, OpenError, Opened, Request};
pub use registry::{FEEDS, Input, Known, found, recognised_as};
