//! `tidegate journal followers | forget`: who follows a run under a name, how far each is behind, and the end of one.
//!
//! Bound: a look at the last segment of each journal that a follower has not read.

use super::console;
use super::exit::{Exit, Failure, output};
use super::numbers::grouped;
use super::table::{Align, Cell, column, table};
use clap::Args;
use sinks::journal::{Follower, Home, Lag, Position, Registered};
use std::io::{self, Write};
use std::path::PathBuf;

/// Options of `journal followers`.
#[derive(Args)]
#[command(after_help = "Example: tidegate journal followers run1")]
pub(crate) struct FollowersArgs {
    /// Folder of the journal.
    dir: PathBuf,
    /// Print one JSON array to standard output.
    #[arg(long)]
    json: bool,
}

/// Options of `journal forget`.
#[derive(Args)]
#[command(after_help = "Example: tidegate journal forget run1 desk")]
pub(crate) struct ForgetArgs {
    /// Folder of the journal.
    dir: PathBuf,
    /// Name of the follower.
    name: String,
}

/// A follower as it is shown.
struct Shown {
    name: String,
    state: &'static str,
    position: Position,
    /// Events that it has not read.
    lag: u64,
    /// Time of the run that it has not read, in ns, if that is known.
    ns: Option<u64>,
    /// Its journal is still here.
    is_there: bool,
}

/// Bytes of an event.
const EVENT: u64 = size_of::<flow::Event>() as u64;

impl Shown {
    fn mib(&self) -> String {
        format!("{:.1}", (self.lag * EVENT) as f64 / f64::from(1 << 20))
    }
}

/// Lists the followers.
pub(super) fn followers(args: &FollowersArgs) -> Result<Exit, Failure> {
    let home = Home::open(&args.dir).map_err(Failure::failed)?;
    let mut shown = Vec::new();
    for Registered { name, saved, is_running } in Registered::list(&args.dir).map_err(Failure::failed)? {
        let position = saved.map_err(Failure::failed)?.position;
        let Lag { events: lag, ns, is_there } = Lag::of(&home, &position).map_err(Failure::failed)?;
        let state = if is_running { "running" } else { "away" };
        shown.push(Shown { name, state, position, lag, ns, is_there });
    }
    let mut to = io::stdout().lock();
    if args.json {
        let rows = shown.iter().map(|one| {
            serde_json::json!({ "name": one.name, "state": one.state, "journal": format!("{:016x}", one.position.journal),
                "seq": one.position.seq, "at_ns": one.position.at.0.to_string(), "lag_events": one.lag,
                "lag_bytes": one.lag * EVENT, "lag_ns": one.ns.map(|ns| ns.to_string()), "journal_is_here": one.is_there })
        });
        return output(writeln!(to, "{}", serde_json::Value::from_iter(rows)), Exit::Done);
    }
    let columns = [
        column("follower", Align::Left),
        column("state", Align::Left),
        column("journal", Align::Left),
        column("seq", Align::Right),
        column("events behind", Align::Right),
        column("MiB behind", Align::Right),
        column("s behind", Align::Right),
    ];
    let row = |one: &Shown| {
        let gone = if one.is_there { "" } else { " (gone)" };
        let journal = format!("{:016x}{gone}", one.position.journal);
        let [seq, lag] = [one.position.seq, one.lag].map(grouped);
        let seconds = one.ns.map_or_else(|| "-".to_owned(), |ns| format!("{:.1}", ns as f64 / 1e9));
        let text = [one.name.clone(), one.state.to_owned(), journal, seq, lag, one.mib(), seconds];
        text.into_iter().map(Cell::from).collect()
    };
    output(write!(to, "{}", table(&columns, &shown.iter().map(row).collect::<Vec<_>>())), Exit::Done)
}

/// Removes a follower.
pub(super) fn forget(args: &ForgetArgs) -> Result<Exit, Failure> {
    Follower::take(&args.dir, &args.name).and_then(Follower::forget).map_err(Failure::failed)?;
    console::say(format!("{} is forgotten: it holds no journal any more", args.name));
    Ok(Exit::Done)
}
