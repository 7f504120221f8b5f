//! A run: opens the sources, assembles the pipeline and drives it to its end.

mod error;
mod execute;
mod options;
mod preflight;
mod recorded;

pub use error::RunError;
pub use execute::{execute, execute_sources};
pub use options::{Compare, Options, Ready, Rows};
pub use preflight::{Preflight, Sources};
