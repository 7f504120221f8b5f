//! A run: opens the sources, assembles the pipeline and drives it to its end. Opens what joins it later.

mod error;
mod execute;
mod options;
mod preflight;
mod recorded;
mod reload;

pub use error::RunError;
pub use execute::{execute, execute_sources};
pub use options::{Compare, Options, Ready, Rows};
pub use preflight::{Preflight, Sources};
pub use reload::{Reloaded, Reloader};
