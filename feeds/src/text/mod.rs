//! What feeds of text share: lines, the fields of a row, exact decimals, and days that follow each other in a stream.

pub(crate) mod decimal;
mod fields;
mod joined;
mod lines;

pub(crate) use fields::{Fields, RowError, columns};
pub(crate) use joined::Joined;
pub(crate) use lines::{Line, first};
