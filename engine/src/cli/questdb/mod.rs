//! `tidegate questdb up`: a QuestDB server for a user who has Java and no server.
//!
//! It is an ordinary server on a folder of data, with the few settings that the sink relies on, and it lives as long as the
//! command: in the foreground, under a terminal or a service manager. Whoever has a server needs none of this. Nothing of
//! a run depends on it.

mod address;
mod folder;
mod http;
mod jar;
mod java;
mod server;
mod up;

use super::exit::{Exit, Failure};
use clap::Subcommand;
use up::UpArgs;

/// Subcommands of `questdb`.
#[derive(Subcommand)]
pub(crate) enum QuestDbCommand {
    /// Starts a QuestDB server and stays until it is stopped.
    Up(UpArgs),
}

/// Runs a subcommand.
pub(crate) fn run(command: &QuestDbCommand) -> Result<Exit, Failure> {
    match command {
        QuestDbCommand::Up(args) => up::up(args),
    }
}
