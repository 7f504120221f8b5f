//! Runs of the binary that are killed, damaged, stopped and continued.

mod commands;
mod going_on;
mod journal_runs;
mod out_of_the_air;
mod secrets;
mod standing;
mod stops;
mod tampering;
mod venue_kills;
