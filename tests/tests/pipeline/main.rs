//! Whole pipelines in this process: the same bytes in every shape, with orders on, at recorded latencies; the gate judged by
//! a second one; what the meters show.

mod cuts;
mod day_orders;
mod gate;
mod harness;
mod meters;
mod recorded_latency;
mod sessions;
mod trading;
mod week;
