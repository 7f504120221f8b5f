//! `tidegate ctl`: sends an operator's command, or asks for the status, over the control socket.

use super::console;
use super::exit::{Exit, Failure, output};
use super::get::{self, GetArgs};
use super::numbers::grouped;
use super::status;
use crate::config::instances_in;
use crate::control::{self, AddedInput, ControlReply, ControlRequest, SetValue, WatchedInput, ask};
use clap::{Args, Subcommand};
use flow::Ns;
use flow::records::Command;
use sinks::journal::Home;
use stages::Instances;
use std::io::Write as _;
use std::path::{Path, PathBuf};

/// Options of `ctl`.
#[derive(Args)]
#[command(
    after_help = "Examples:\n  tidegate ctl run1 halt\n  tidegate ctl run1 set risk.max_notional 2000000 --from 1000000\n  \
                  tidegate ctl run1 get mom-fast.qty\n  \
                  tidegate ctl run1 status --json"
)]
pub(crate) struct CtlArgs {
    /// Folder of the journal of the running engine.
    journal: PathBuf,
    /// Name of the operator; it is recorded in the journal. Without it: the variable USER, or `unknown`.
    #[arg(long)]
    actor: Option<String>,
    #[command(subcommand)]
    command: CtlCommand,
}

#[derive(Subcommand)]
enum CtlCommand {
    /// Cancels all orders and refuses new ones until `resume`.
    Halt,
    /// Resumes trading after a halt.
    Resume,
    /// Cancels all orders and halts nothing.
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
        /// The table of limits that has it: its number in the configuration, from 1. Without it: the section risk.
        #[arg(long)]
        table: Option<u16>,
    },
    /// Sets a parameter of a strategy, or a limit of the gate, while it runs.
    Set {
        /// The parameter: name of the instance, dot, name of the parameter, as mom-fast.qty; or a limit, as risk.max_notional, or
        /// as limit[2].max_position of the second table of limits.
        param: String,
        /// The new value, as in a configuration.
        value: String,
        /// The value in force now; if another command has changed it, this one is refused.
        #[arg(long)]
        from: String,
        /// Only for this instrument: its symbol, or SYMBOL@MIC where several venues have it.
        #[arg(long)]
        symbol: Option<String>,
    },
    /// Shows the parameters and limits that `set` changes, as they are in force. Changes nothing.
    Get(GetArgs),
    /// Trusts market data again that are doubtful since a gap; without a symbol, all of them.
    Trust {
        /// The instrument: its symbol, or SYMBOL@MIC where several venues have it.
        #[arg(long)]
        symbol: Option<String>,
    },
    /// Closes positions, also under a halt: cancels their orders, then sends market orders until they are flat.
    Flatten {
        /// Only positions of this account.
        #[arg(long)]
        account: Option<u8>,
        /// Only positions of this strategy, by its name.
        #[arg(long)]
        strategy: Option<String>,
        /// Only positions in this instrument: its symbol, or SYMBOL@MIC where several venues have it.
        #[arg(long)]
        symbol: Option<String>,
    },
    /// Reads the configuration again: sets the parameters and limits that differ from those in force, takes in the inputs that
    /// were added, and watches the symbols that it now names. What needs a restart is refused by name.
    Reload {
        /// The file to read instead.
        file: Option<PathBuf>,
    },
    /// Watches one more symbol of a live input; answered when its venue has confirmed it.
    Watch(SymbolOf),
    /// Watches a symbol of a live input no more.
    Unwatch(SymbolOf),
    /// Begins a new journal: the run goes on there, and nothing else changes.
    Roll,
    /// Shows where trading stands: halted or not and by whom, limits, open orders, positions, venue, feeds. Changes nothing.
    Status {
        /// Shows more rows, and load, rings and latencies.
        #[arg(long)]
        details: bool,
        /// Prints one JSON object to standard output instead of the tables.
        #[arg(long)]
        json: bool,
    },
}

/// A symbol of a live input.
#[derive(Args)]
struct SymbolOf {
    /// The symbol, as its venue writes it.
    symbol: String,
    /// The input: its number in the configuration, from 1, or the name of its feed. Without it: the one that is live.
    #[arg(long)]
    input: Option<String>,
}

pub(crate) fn run(args: &CtlArgs) -> Result<Exit, Failure> {
    let user = || std::env::var("USER").ok().filter(|user| !user.trim().is_empty());
    let actor = args.actor.clone().or_else(user).unwrap_or_else(|| "unknown".to_owned());
    let plain = |action| ControlRequest::plain(action, &actor);
    let asked = match &args.command {
        CtlCommand::Halt => plain("halt"),
        CtlCommand::Resume => plain("resume"),
        CtlCommand::CancelAll => plain("cancel-all"),
        CtlCommand::Limit { check, to, from, table } => ControlRequest {
            check: Some(check.clone()),
            table: *table,
            from: Some(*from),
            to: Some(*to),
            ..plain("set-limit")
        },
        CtlCommand::Set { param, value, from, symbol } => {
            ControlRequest::set(&actor, param, from, value, symbol.as_deref())
        }
        CtlCommand::Trust { symbol } => ControlRequest { symbol: symbol.clone(), ..plain("trust") },
        CtlCommand::Flatten { account, strategy, symbol } => {
            ControlRequest { account: *account, strategy: strategy.clone(), symbol: symbol.clone(), ..plain("flatten") }
        }
        CtlCommand::Reload { file } => ControlRequest { file: whole(file.as_deref())?, ..plain("reload") },
        CtlCommand::Watch(of) => watching(of, plain("watch")),
        CtlCommand::Unwatch(of) => watching(of, plain("unwatch")),
        CtlCommand::Roll => plain("roll"),
        CtlCommand::Get(what) => return get::run(&args.journal, what),
        CtlCommand::Status { details, json } => return show(&args.journal, *details, *json),
    };
    // What is no command at all is said without the engine.
    let checked = match &args.command {
        CtlCommand::Reload { .. } | CtlCommand::Roll => asked.asker(Command::NO_UID, Ns::NONE).map(drop),
        CtlCommand::Watch(_) | CtlCommand::Unwatch(_) => {
            asked.asker(Command::NO_UID, Ns::NONE).and_then(|_| asked.one_symbol().map(drop))
        }
        _ => asked.events(&instances(&args.journal), Command::NO_UID, Ns::NONE).map(drop),
    };
    checked.map_err(Failure::usage)?;
    replied(args, &asked, ask(&args.journal, &asked).map_err(Failure::failed)?)
}

fn watching(of: &SymbolOf, asked: ControlRequest) -> ControlRequest {
    ControlRequest { symbol: Some(of.symbol.clone()), input: of.input.clone(), ..asked }
}

/// Says what became of a command.
fn replied(args: &CtlArgs, asked: &ControlRequest, reply: ControlReply) -> Result<Exit, Failure> {
    match reply {
        ControlReply::Applied { seq, old, new, waits_for } => {
            console::say(format!("{} (input {seq})", applied(&args.command, old, new, waits_for.as_deref())));
            Ok(Exit::Done)
        }
        ControlReply::InForce { seq } => {
            let stored = seq.map_or("not stored yet".to_owned(), |seq| format!("stored as input {seq}"));
            console::say(format!("{} is in force at the gateway, {stored}", asked.action));
            Ok(Exit::Done)
        }
        ControlReply::Reloaded { seq, set, added, watched } => {
            console::say(reloaded(seq, &set, &added, &watched));
            Ok(Exit::Done)
        }
        ControlReply::Watching { seq, number, input, symbol, symbols, room } => {
            let (is, room) = match symbols.contains(&symbol) {
                true => (
                    "watched",
                    format!("; before {symbol} there was room for {} more instruments", grouped(room.into())),
                ),
                false => ("no longer watched", String::new()),
            };
            let all = grouped(symbols.len() as u64);
            console::say(format!(
                "{symbol} is {is}. Input {number}, {input}, now has {all} symbols{room} (input {seq})"
            ));
            Ok(Exit::Done)
        }
        ControlReply::Rolled { after } => {
            console::say(format!("a new journal has begun after input {after}"));
            Ok(Exit::Done)
        }
        ControlReply::Refused { why } => Err(Failure::failed(format!("{} is refused: {why}", asked.action))),
        ControlReply::NotCarriedOut { why } => {
            Err(Failure::failed(format!("{} was not carried out: {why}", asked.action)))
        }
        ControlReply::NotKnown { why } => {
            Err(Failure::failed(format!("it is not known whether {} is in force: {why}", asked.action)))
        }
        ControlReply::Busy => Err(Failure::failed(format!(
            "{} was not carried out: the engine serves too many other clients; try again",
            asked.action
        ))),
    }
}

/// The instances of the engine's configuration, as its journal records it; none if it cannot be read.
fn instances(journal: &Path) -> Instances {
    Home::open(journal).map_or_else(|_| Instances::default(), |home| instances_in(&home.current().info.config_text))
}

/// The path of a file as the engine can use it, whatever folder it runs in.
fn whole(file: Option<&Path>) -> Result<Option<PathBuf>, Failure> {
    let path = file.map(|file| file.canonicalize().map_err(|e| Failure::usage(format!("{}: {e}", file.display()))));
    path.transpose()
}

/// What the configuration has brought.
fn reloaded(seq: Option<u64>, set: &[SetValue], added: &[AddedInput], watched: &[WatchedInput]) -> String {
    let values: Vec<String> = set.iter().map(SetValue::to_string).collect();
    let Some(seq) = seq else {
        return if set.is_empty() { "nothing has changed in the configuration".to_owned() } else { values.join("; ") };
    };
    let joined = added.iter().map(|input| format!("source {} is {}", input.number, input.name));
    let chosen = watched.iter().map(|WatchedInput { number, symbols }| match symbols {
        None => format!("of source {number} all is watched"),
        Some(symbols) if symbols.is_empty() => format!("of source {number} nothing is watched"),
        Some(symbols) => {
            let symbols: Vec<&str> = symbols.iter().map(String::as_str).collect();
            format!("of source {number} only {} is watched", symbols.join(" "))
        }
    });
    let joined = format!("{} (input {seq})", joined.chain(chosen).collect::<Vec<_>>().join("; "));
    values.into_iter().chain([joined]).collect::<Vec<_>>().join("; ")
}

/// What an applied command did.
fn applied(command: &CtlCommand, old: i64, new: i64, waits_for: Option<&str>) -> String {
    match command {
        CtlCommand::Halt if old == 1 => "trading was halted already; open orders are cancelled once more".to_owned(),
        CtlCommand::Halt => "trading is halted: no new orders, and open orders are cancelled".to_owned(),
        CtlCommand::Resume => "trading goes on".to_owned(),
        CtlCommand::CancelAll => "open orders are cancelled".to_owned(),
        CtlCommand::Limit { check, table, .. } => {
            let of = table.map_or_else(String::new, |table| format!(" in {}[{table}]", stages::risk::LIMIT));
            format!("the limit of {check}{of} is {new}, before it was {old}")
        }
        CtlCommand::Set { param, value, from, symbol } => {
            let of = symbol.as_ref().map_or_else(String::new, |symbol| format!(" of {symbol}"));
            let since = waits_for.map_or_else(String::new, |what| format!(" from the {what} on"));
            format!("{param}{of} is {value}{since}, before it was {from}")
        }
        CtlCommand::Trust { .. } if old == 0 => "nothing was doubtful".to_owned(),
        CtlCommand::Trust { symbol } => {
            format!("market data of {} are trusted again", symbol.as_deref().unwrap_or("every instrument"))
        }
        CtlCommand::Flatten { .. } => {
            "positions are being closed: orders are cancelled first; `status` shows what is left".to_owned()
        }
        CtlCommand::Watch(_) | CtlCommand::Unwatch(_) | CtlCommand::Reload { .. } => {
            unreachable!("it is answered by itself")
        }
        CtlCommand::Roll | CtlCommand::Get(_) | CtlCommand::Status { .. } => unreachable!("it is no command"),
    }
}

fn show(journal: &Path, details: bool, json: bool) -> Result<Exit, Failure> {
    let status = control::status(journal).map_err(Failure::failed)?;
    let text = match json {
        true => serde_json::to_string(&status).expect("a status is plain values") + "\n",
        false => status::status(&status, details),
    };
    output(write!(std::io::stdout(), "{text}"), Exit::Done)
}
