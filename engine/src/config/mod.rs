//! Settings: from TOML and `--set` to typed values, with every fault at once.
//!
//! Every key that can be set stands in a registry entry ([`stages::entries`], [`stages::exchange_sim::VENUES`],
//! [`feeds::FEEDS`], [`sinks::SINKS`]) or in [`PIPELINE`] and [`OUTCOMES`] here. A file is read into a plain table and each
//! key is looked up there, so an unknown key, a wrong type and a value out of range are found in one pass, each with file,
//! line and key and what would be valid.
//! A [`Draft`] takes faults from all sides: the file, the command line, and the plan, which knows which values it cannot
//! use; the settings know where these were written.

mod draft;
mod fault;
pub mod keys;
mod nearest;
mod read;
mod settings;

pub use draft::Draft;
pub use fault::{Fault, Faults, Place};
pub use keys::{OUTCOMES, PIPELINE};
pub use nearest::{nearest, one_of};
pub use settings::{InputSettings, Settings};
