//! A run: sources opened, the pipeline assembled, and the end awaited.

mod error;
mod execute;
mod options;
mod recorded;

pub use error::RunError;
pub use execute::{Sources, execute, execute_sources};
pub use options::{Compare, Options, Rows};
