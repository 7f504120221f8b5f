//! `tidegate bench`: measurements for a user on his own host.
//!
//! A table for people, one JSON object with `--json`; `docs/bench.md` of the engine has every field. What is measured and
//! how stands in [`crate::bench`].

mod compare;
mod cores;
mod file;
mod output;
mod tick;

use crate::cli::exit::{Exit, Failure};
use clap::Subcommand;

/// What can be measured.
#[derive(Subcommand)]
pub(crate) enum BenchCommand {
    /// One hop: how long an event takes from one core to another, over both rings and bare atomics.
    Hop(cores::HopArgs),
    /// Throughput of both rings, at several sizes and batches.
    Ring(cores::RingArgs),
    /// Decoding a file.
    Decode(file::DecodeArgs),
    /// Decoding a file and keeping its books.
    Book(file::BookArgs),
    /// A file through the whole pipeline, fused and split.
    Pipeline(file::PipelineBenchArgs),
    /// From the intended time of a message to the bytes of an order, open loop.
    TickToOrder(tick::TickArgs),
    /// What changed between two results, beyond noise.
    Compare(compare::CompareArgs),
}

pub(crate) fn run(command: &BenchCommand) -> Result<Exit, Failure> {
    match command {
        BenchCommand::Hop(args) => cores::hop(args),
        BenchCommand::Ring(args) => cores::ring(args),
        BenchCommand::Decode(args) => file::decode(args),
        BenchCommand::Book(args) => file::book(args),
        BenchCommand::Pipeline(args) => file::pipeline(args),
        BenchCommand::TickToOrder(args) => tick::run(args),
        BenchCommand::Compare(args) => compare::run(args),
    }
}
