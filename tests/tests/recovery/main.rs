//! Runs of the binary that are killed, damaged, stopped and continued.

mod going_on;
mod journal_runs;
mod venue_kills;
