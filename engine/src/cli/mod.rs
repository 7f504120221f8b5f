//! The commands, one file each, and what they share: options, exit codes, tables, the summary for people.

pub(crate) mod console;
pub(crate) mod ctl;
pub(crate) mod demo;
pub(crate) mod exit;
pub(crate) mod graph;
pub(crate) mod help;
pub(crate) mod journal;
mod meters;
pub(crate) mod numbers;
pub(crate) mod pipeline;
mod present;
mod progress;
pub(crate) mod replay;
mod rows;
pub(crate) mod run;
pub(crate) mod schema;
pub(crate) mod screen;
pub(crate) mod signals;
pub(crate) mod snapshot;
mod stalls;
mod status;
pub(crate) mod synth;
pub(crate) mod table;
pub(crate) mod target;
mod trading;
pub(crate) mod validate;
pub(crate) mod watch;
