//! `tidegate bench`: benchmarks on the user's own host.
//!
//! A table for people, or one JSON object with `--json`; the engine's `docs/bench.md` has every field. The benchmarks
//! themselves are in [`crate::bench`].

mod ask;
mod compare;
mod cores;
mod file;
mod load;
mod output;
mod tick;
mod write;

use crate::cli::exit::{Exit, Failure};
use crate::registries::Registries;
use clap::Subcommand;

/// The benchmarks.
#[derive(Subcommand)]
pub(crate) enum BenchCommand {
    /// Time of one hop between two cores, over both rings and bare atomics.
    Hop(cores::HopArgs),
    /// Throughput of both rings, at several capacities and batches.
    Ring(cores::RingArgs),
    /// Decodes a file.
    Decode(file::DecodeArgs),
    /// Decodes a file and keeps its books.
    Book(file::BookArgs),
    /// Runs a file through the whole pipeline, fused and split.
    Pipeline(file::PipelineBenchArgs),
    /// Time from a message's intended time to the bytes of an order, open loop.
    TickToOrder(tick::TickArgs),
    /// Time from a message's intended time until the socket of a venue on the loopback has the order, open loop.
    TickToWrite(write::WriteArgs),
    /// Asks a journal for instants and for the causes of orders, each in a process of its own.
    Ask(ask::AskArgs),
    /// Shows what changed between two results beyond noise.
    Compare(compare::CompareArgs),
}

pub(crate) fn run(command: &BenchCommand, registries: &Registries) -> Result<Exit, Failure> {
    match command {
        BenchCommand::Hop(args) => cores::hop(args),
        BenchCommand::Ring(args) => cores::ring(args),
        BenchCommand::Decode(args) => file::decode(args, registries),
        BenchCommand::Book(args) => file::book(args, registries),
        BenchCommand::Pipeline(args) => file::pipeline(args, registries),
        BenchCommand::TickToOrder(args) => tick::run(args),
        BenchCommand::TickToWrite(args) => write::run(args),
        BenchCommand::Ask(args) => ask::run(args),
        BenchCommand::Compare(args) => compare::run(args),
    }
}
