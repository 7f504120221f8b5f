//! Runs of the binary that are killed, damaged, stopped and continued.

mod archived;
mod at;
mod commanded;
mod commands;
mod differences;
mod follow;
mod going_on;
mod journal_runs;
mod live_kills;
mod memory;
mod parameters;
mod reloads;
mod reset;
mod rolls;
mod secrets;
mod sessions;
mod several_venues;
mod status;
mod status_of_trouble;
mod stops;
mod tampering;
mod unlisted;
mod venue_kills;
mod wall_kills;
mod watches;
#[path = "../pipeline/week.rs"]
mod week;
