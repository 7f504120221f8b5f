//! The command `tidegate`: which commands there are.
//!
//! Rows and JSON go to standard output, everything for people to standard error. Exit codes are stable: 0 done, 1 failed,
//! 2 bad usage or configuration, 3 a check did not hold.

use crate::bench::commands as bench;
use crate::cli::{ctl, demo, journal, replay, run, schema, snapshot, synth, validate};
use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// Tidegate turns market data into numbers and orders on pinned cores, the same way every time.
#[derive(Parser)]
#[command(name = "tidegate", version, about, max_term_width = 110)]
#[command(after_help = "Exit codes: 0 done, 1 failed, 2 bad usage or configuration, 3 a check did not hold.")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Synthetic exchange through the whole pipeline; needs nothing, ends with a summary.
    Demo(demo::DemoArgs),
    /// Files, or a journal, through the pipeline as fast as it goes; prints events as rows.
    Replay(replay::ReplayArgs),
    /// The service: a configuration's inputs through the pipeline at the pace of the clock, journalled, restartable.
    Run(run::RunArgs),
    /// Commands to a running engine: halt, resume, cancel-all, limits; and how it is.
    Ctl(ctl::CtlArgs),
    /// Writes a snapshot of a run's state, from which it goes on faster.
    Snapshot(snapshot::SnapshotArgs),
    /// Writes an ITCH 5.0 file of the synthetic exchange.
    Synth(synth::SynthArgs),
    /// Checks a configuration and lists every fault.
    Validate(validate::ValidateArgs),
    /// Lists the kinds of rows, or the columns of one.
    Schema(schema::SchemaArgs),
    /// Measurements on this host: latency and throughput, with intervals.
    #[command(subcommand)]
    Bench(bench::BenchCommand),
    /// The two logs of a run: list, follow, check, convert.
    #[command(subcommand)]
    Journal(journal::JournalCommand),
}

/// Parses the command line and runs it.
pub fn main() -> ExitCode {
    let outcome = match Cli::parse().command {
        Command::Demo(args) => demo::run(&args),
        Command::Replay(args) => replay::run(&args),
        Command::Run(args) => run::run(&args),
        Command::Ctl(args) => ctl::run(&args),
        Command::Snapshot(args) => snapshot::run(&args),
        Command::Synth(args) => synth::run(&args),
        Command::Validate(args) => validate::run(&args),
        Command::Schema(args) => schema::run(&args),
        Command::Bench(command) => bench::run(&command),
        Command::Journal(command) => journal::run(&command),
    };
    match outcome {
        Ok(exit) => exit.code(),
        Err(failure) => {
            eprintln!("tidegate: {}", failure.message);
            failure.exit.code()
        }
    }
}
