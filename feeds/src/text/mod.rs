//! What feeds of text share: lines, the fields of a row, and days that follow each other in a stream.

mod fields;
mod joined;
mod lines;

pub(crate) use fields::{Fields, RowError, columns};
pub(crate) use joined::Joined;
pub(crate) use lines::{Line, first};
