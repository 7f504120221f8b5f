//! `tidegate ctl`: sends an operator's command, or asks for the status, over the control socket.

use super::console;
use super::exit::{Exit, Failure, output};
use super::meters;
use crate::control::{ControlRequest, ask, status};
use clap::{Args, Subcommand};
use std::io::Write as _;
use std::path::{Path, PathBuf};

/// Options of `ctl`.
#[derive(Args)]
#[command(
    after_help = "Examples:\n  tidegate ctl run1 halt\n  tidegate ctl run1 limit max-notional 2000000 --from 1000000\n  \
                  tidegate ctl run1 status --json"
)]
pub(crate) struct CtlArgs {
    /// Folder of the journal of the running engine.
    journal: PathBuf,
    /// Name of the operator; it is recorded in the journal.
    #[arg(long, env = "USER", default_value = "unknown")]
    actor: String,
    #[command(subcommand)]
    command: CtlCommand,
}

#[derive(Subcommand)]
enum CtlCommand {
    /// Cancels all orders and refuses new ones until `resume`.
    Halt,
    /// Resumes trading after a halt.
    Resume,
    /// Cancels all orders; trading continues.
    CancelAll,
    /// Sets the limit of a check.
    Limit {
        /// The check, as `refused` rows name it.
        check: String,
        /// The new limit, in the check's unit.
        to: i64,
        /// The limit in force now; if another command has changed it, this one is refused.
        #[arg(long)]
        from: i64,
    },
    /// Shows the state of the engine: load of the groups, ring occupancy, latencies. Changes nothing.
    Status {
        /// Shows the latencies of the stages too.
        #[arg(long)]
        details: bool,
        /// Prints one JSON object to standard output instead of the tables.
        #[arg(long)]
        json: bool,
    },
}

pub(crate) fn run(args: &CtlArgs) -> Result<Exit, Failure> {
    let plain = |action| ControlRequest::plain(action, &args.actor);
    let asked = match &args.command {
        CtlCommand::Halt => plain("halt"),
        CtlCommand::Resume => plain("resume"),
        CtlCommand::CancelAll => plain("cancel-all"),
        CtlCommand::Limit { check, to, from } => {
            ControlRequest { check: Some(check.clone()), from: Some(*from), to: Some(*to), ..plain("set-limit") }
        }
        CtlCommand::Status { details, json } => return show(&args.journal, *details, *json),
    };
    let reply = ask(&args.journal, &asked).map_err(Failure::failed)?;
    match reply.why {
        None => {
            console::say(format!(
                "{} was accepted; `tidegate journal tail {}` shows its effects",
                asked.action,
                args.journal.display()
            ));
            Ok(Exit::Done)
        }
        Some(why) => Err(Failure::usage(why)),
    }
}

fn show(journal: &Path, details: bool, json: bool) -> Result<Exit, Failure> {
    let status = status(journal).map_err(Failure::failed)?;
    let text = match json {
        true => serde_json::to_string(&status).expect("a status is plain values") + "\n",
        false => meters::status(&status, details),
    };
    output(write!(std::io::stdout(), "{text}"), Exit::Done)
}
