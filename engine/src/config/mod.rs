//! Settings: from TOML and `--set` to typed values, with every fault reported at once.
//!
//! Every key belongs to a registry entry ([`stages::entries`], [`stages::exchange_sim::VENUES`], [`feeds::FEEDS`],
//! [`sinks::SINKS`]), or to [`PIPELINE`] or [`OUTCOMES`] here. A file is read into a plain table and each key is looked
//! up, so one pass finds unknown keys, wrong types and values out of range, each with file, line, key and valid values.
//! A [`Draft`] collects faults from the file, the command line and the plan, which rejects values that do not fit
//! together; the settings remember where each key was written.

mod data_file;
mod draft;
mod fault;
mod files;
mod include;
mod instances;
mod instrument;
pub mod keys;
mod limits;
mod nearest;
mod read;
mod settings;
mod symbols;
mod venues;

pub use draft::Draft;
pub use fault::{Fault, Faults, Place};
pub use instances::instances_in;
pub use instrument::InstrumentSettings;
pub use keys::{OUTCOMES, PIPELINE};
pub use nearest::{nearest, one_of};
pub use settings::{InputSettings, Settings, WATCH};
pub use venues::{OrderRouting, UsedGateway};
