//! The machine: what host this is and what it does to latency.
