//! A run: opens the sources, assembles the pipeline and drives it to its end. Reads later what an operator
//! changes in the configuration, and opens what joins.

mod changes;
mod diagnosis;
mod different;
mod error;
mod execute;
mod options;
mod preflight;
mod recorded;
mod reload;

pub use changes::Change;
pub use error::RunError;
pub use execute::{execute, execute_sources};
pub use options::{Compare, Options, Ready, Rows};
pub use preflight::{Preflight, Sources};
pub use reload::{Joining, Reloaded, Reloader};
