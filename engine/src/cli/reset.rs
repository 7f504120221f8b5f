//! `tidegate reset`: everything that can be made again from the journals of a run goes, so that it is made again.
//!
//! That is what sinks wrote into databases and files, how far followers have come, and the index of `why`. Journals stay as they are,
//! to the byte, and with them the snapshots: a start may need them. Everything is looked at first, and nothing goes if any of it may not:
//! a run or a follower that is alive, a database that holds what no journal here can give again. Without `--yes` that is all.
//!
//! A position goes behind what was written up to it, so after a kill in between the same command brings the reset to its end. Bound:
//! that of the sinks. Worst case: a database that does not answer; then nothing goes.

use super::console;
use super::exit::{Exit, Failure};
use super::sink::opened;
use crate::config::Draft;
use crate::provenance::index_of;
use crate::registries::Registries;
use clap::Args;
use sinks::journal::{Follower, Home, Journal, OpenedSink, Registered};
use sinks::tailer::{Reset, Tailer, TailerError};
use std::fs;
use std::path::{Path, PathBuf};

/// Options of `reset`.
#[derive(Args)]
#[command(after_help = "Examples:\n  \
    tidegate reset desk.toml           what would go\n  \
    tidegate reset desk.toml --yes     removes it: rows of sinks, positions, caches\n\n\
    Stop the run, its sinks and its followers first. Journals and their snapshots stay.")]
pub(crate) struct ResetArgs {
    /// Configuration file of the run.
    config: PathBuf,
    /// Folder of the journal, if not `dir` in [journal].
    #[arg(long, value_name = "DIR")]
    journal: Option<PathBuf>,
    /// Remove it. Without this it is only listed.
    #[arg(long)]
    yes: bool,
}

/// A follower that nobody runs, and what it wrote.
struct Held {
    follower: Follower,
    sink: Option<(OpenedSink, Box<dyn Tailer>)>,
}

/// Removes what can be made again, or lists it.
pub(crate) fn run(args: &ResetArgs, registries: &Registries) -> Result<Exit, Failure> {
    let settings = Draft::load(&args.config, registries).finish()?;
    let dir = args.journal.clone().or(settings.journal_dir).ok_or_else(|| {
        Failure::usage("the configuration names no journal: name its folder with --journal, or as dir in [journal]")
    })?;
    // Sinks are opened where they were opened before, so this process does not stay where it is.
    let dir = dir.canonicalize().map_err(|e| Failure::failed(format!("{}: {e}", dir.display())))?;
    let home = Home::open(&dir).map_err(Failure::failed)?;
    // Held to the end: nothing starts meanwhile.
    let _lock = Journal::lock(&home.current().dir).map_err(Failure::failed)?;
    let mut held = held(&dir, registries)?;
    if held.iter().any(|one| one.sink.is_some()) {
        whole(&home)?;
    }
    let mut said: Vec<String> = held.iter_mut().map(|one| one.reset(&home, false)).collect::<Result<_, _>>()?;
    let index = index_of(&dir);
    if index.is_dir() {
        said.push(format!("{}: the index of `why`", index.display()));
    }
    if args.yes {
        for mut one in held {
            one.reset(&home, true)?;
            one.follower.forget().map_err(Failure::failed)?;
        }
        if index.is_dir() {
            fs::remove_dir_all(&index).map_err(|e| Failure::failed(format!("{}: {e}", index.display())))?;
        }
    }
    for line in &said {
        console::say(line);
    }
    console::say(end(args.yes, said.is_empty(), &home));
    Ok(Exit::Done)
}

fn end(yes: bool, is_empty: bool, home: &Home) -> String {
    let (dir, journals) = (home.dir().display(), home.journals().len());
    match (is_empty, yes) {
        (true, _) => format!("{dir}: there is nothing to reset"),
        (_, false) => "nothing was removed: --yes removes all of this".to_owned(),
        (_, true) => format!("{dir}: removed; the {journals} journals are as they were"),
    }
}

/// The followers of a run, none of which runs now or can start meanwhile.
fn held(dir: &Path, registries: &Registries) -> Result<Vec<Held>, Failure> {
    let mut held = Vec::new();
    for Registered { name, is_running, .. } in Registered::list(dir).map_err(Failure::failed)? {
        if is_running {
            return Err(Failure::failed(format!("the follower {name} is running: stop its process, then reset again")));
        }
        let follower = Follower::take(dir, &name).map_err(Failure::failed)?;
        let noted = follower.opened_sink().map_err(Failure::failed)?;
        let sink = noted.map(|noted| {
            let (_, tailer) = opened(&noted.sink, &noted.set, registries)?;
            Ok::<_, Failure>((noted, tailer))
        });
        held.push(Held { follower, sink: sink.transpose()? });
    }
    Ok(held)
}

impl Held {
    /// Has its sink remove what it wrote, or only look; says what there is, and what is left to people.
    fn reset(&mut self, home: &Home, removes: bool) -> Result<String, Failure> {
        let name = self.follower.name();
        let Some((noted, tailer)) = &mut self.sink else {
            let file = self.follower.saved().and_then(|saved| saved.output_bytes);
            let left = match file {
                Some(bytes) => format!("its file of {bytes} bytes stays: remove it, it is written anew"),
                None => "what it wrote stays, and comes once more when it starts".to_owned(),
            };
            return Ok(format!("{name}: its position; {left}"));
        };
        std::env::set_current_dir(&noted.folder)
            .map_err(|e| Failure::failed(format!("{name}: {}, where its sink was started: {e}", noted.folder)))?;
        let journals: Vec<u64> = home.journals().iter().map(|member| member.info.journal_id).collect();
        let (dir, run) = (home.dir(), home.current().info.run_id());
        let what = Reset { dir, follower: name, run, journals: &journals, removes };
        match tailer.reset(&what) {
            Ok(Some(said)) => Ok(format!("{name}: its position; {said}")),
            Ok(None) => Ok(format!("{name}: its position; what the sink {} wrote stays: empty it by hand", noted.sink)),
            Err(error) => Err(refused(name, home, &error)),
        }
    }
}

fn refused(name: &str, home: &Home, error: &TailerError) -> Failure {
    let dir = home.dir().display();
    Failure::failed(format!(
        "{name}: {error}. To reset all else, leave this one out: tidegate journal forget {dir} {name}"
    ))
}

/// Whether the journals give again all that sinks have had of them.
fn whole(home: &Home) -> Result<(), Failure> {
    let missing = home.journals().iter().zip(1..).find(|(member, number)| member.info.number != *number);
    let next = "a sink that is emptied would lack that. Bring it back, or `tidegate journal forget` the sink and empty it by hand";
    if let Some((_, number)) = missing {
        let dir = home.dir().display();
        return Err(Failure::failed(format!("{dir}: journal {number} of the run is not here any more; {next}")));
    }
    for member in home.journals() {
        let dropped = member.reader().gaps().map_err(Failure::failed)?.dropped.through_seq;
        if dropped > 0 {
            let dir = member.dir.display();
            return Err(Failure::failed(format!(
                "{dir}: outcomes up to input {dropped} are not there any more; {next}"
            )));
        }
    }
    Ok(())
}
