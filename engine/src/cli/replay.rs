//! `tidegate replay`: runs files, or the inputs of a journal, through the pipeline.

use super::console;
use super::exit::{Exit, Failure};
use super::pipeline::PipelineArgs;
use super::present::{self, Shown};
use super::rows::RowArgs;
use super::watch::Watch;
use crate::config::keys;
use crate::config::{Draft, Settings, one_of};
use crate::plan::{Plan, Planned, checked};
use crate::recovery::Notices;
use crate::registries::Registries;
use crate::run::{Compare, Options, Preflight, execute};
use chrono::NaiveDate;
use clap::Args;
use feeds::reader::date;
use feeds::{Feed, Files};
use flow::{Scope, Shard};
use sinks::journal::{Home, Member};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::time::Duration;

/// How long a look at a file lasts until the next look for a stop.
const PATIENCE: Duration = Duration::from_millis(10);

/// Options of `replay`.
#[derive(Args)]
#[command(after_help = "Examples:\n  \
    tidegate replay --feed itch --input day.itch.gz --emit book-top --format csv\n  \
    tidegate replay --feed lobster --input AAPL.zip --emit depth --levels 5 --every 1000\n  \
    tidegate replay --input day.itch --journal run1        record both logs\n  \
    tidegate replay --journal run1 --verify                repeat the run, compare every outcome\n  \
    tidegate replay --journal run1 --complete              after a crash: append missing outcomes\n  \
    tidegate replay --journal run1 --diff --set momentum.qty=50   what that changes")]
pub(crate) struct ReplayArgs {
    /// Configuration file; options of the command line override it.
    config: Option<PathBuf>,
    /// Feed of the inputs; recognised by the first bytes if left out.
    #[arg(long)]
    feed: Option<String>,
    /// Files, each one input (those of lean or csv are one together, and with --feed those of lobster), or the folder of a journal; - is standard input.
    #[arg(long, num_args = 1.., value_name = "FILE")]
    input: Vec<PathBuf>,
    /// Trading date in the exchange's time zone, YYYY-MM-DD, for feeds whose times count from midnight.
    #[arg(long, value_parser = date::parse)]
    date: Option<NaiveDate>,
    /// With inputs: write a journal to this new folder. With --verify: the journal to repeat.
    #[arg(long, value_name = "DIR")]
    journal: Option<PathBuf>,
    /// Repeat a recorded run and compare every outcome; exits with 3 if one differs.
    #[arg(long)]
    verify: bool,
    /// Repeat an interrupted run, compare, and append the outcomes missing from its log.
    #[arg(long, conflicts_with = "verify")]
    complete: bool,
    /// Read one part of the instruments, such as 2/8: processes that read one each share a day.
    #[arg(long, value_name = "I/N", conflicts_with_all = ["verify", "complete", "diff"])]
    shard: Option<Shard>,
    /// Let the simulated exchange answer the recorded inputs anew, under --set, and show what became different.
    #[arg(long, conflicts_with_all = ["verify", "complete"])]
    diff: bool,
    #[command(flatten)]
    rows: RowArgs,
    #[command(flatten)]
    pipeline: PipelineArgs,
    #[command(flatten)]
    shown: Shown,
}

pub(crate) fn run(args: &ReplayArgs, registries: &Registries) -> Result<Exit, Failure> {
    let rows = args.rows.rows()?;
    let printing = rows.is_some();
    let recorded = recorded_dir(args)?;
    let watch = Watch::start(None, !args.shown.json && !printing)?;
    let mut draft = args.pipeline.applied(draft(args, recorded.as_deref(), registries)?);
    let settings = if recorded.is_some() {
        checked(draft)?
    } else {
        inputs(args, &mut draft.settings, &watch.control().stop)?;
        choose(&args.rows.symbols, &mut draft.settings);
        let (settings, preflight) = Preflight::of_draft(draft)?;
        args.shard.map_or(Ok(()), |shard| takes_a_part(shard, &settings, &preflight.plan))?;
        settings
    };
    let compare = match args {
        ReplayArgs { complete: true, .. } => Compare::Complete,
        ReplayArgs { verify: true, .. } => Compare::Verify,
        ReplayArgs { diff: true, .. } => Compare::Diff,
        _ => Compare::No,
    };
    let (control, notices) = (watch.control().clone(), Notices(console::say));
    let shard = args.shard;
    let options = Options { rows, recorded, shard, compare, control, notices, ..Options::default() };
    let (report, error) = execute(&settings, options)?;
    watch.end();
    present::report(&report, &args.shown, printing)?;
    if report.stopped && !printing {
        console::say(format!("stopped after input {}: what follows was not read", report.events));
    }
    if let Some(error) = error {
        return Err(error.into());
    }
    match report.verified.filter(|v| !v.holds()) {
        // What was not repeated cannot have been compared.
        Some(verified) if report.stopped && verified.difference.is_none() => {
            Err(Failure::failed("stopped before the end of the record: what was compared so far is equal"))
        }
        // What a run did not come to may still be there.
        None if report.stopped => Ok(Exit::Done),
        None => args.rows.check_found(&report.listed, &report.unwatched).map(|()| Exit::Done),
        Some(verified) => Err(Failure { message: mismatch(&verified), exit: Exit::Check }),
    }
}

fn mismatch(verified: &crate::recovery::Verified) -> String {
    match &verified.difference {
        Some(difference) => format!("the replay differs after {} equal outcomes: {difference}", verified.equal),
        None => format!("the record has {} outcomes that its inputs did not cause", verified.extra),
    }
}

/// The journal to repeat, if any.
fn recorded_dir(args: &ReplayArgs) -> Result<Option<PathBuf>, Failure> {
    let folders: Vec<_> = args.input.iter().filter(|p| p.is_dir()).collect();
    match (folders.as_slice(), &args.journal) {
        ([dir], None) if args.input.len() == 1 => Ok(Some((*dir).clone())),
        ([], Some(dir)) if args.input.is_empty() && args.config.is_none() && args.feed.is_none() => {
            Ok(Some(dir.clone()))
        }
        ([], _) if !(args.verify || args.complete || args.diff) => Ok(None),
        ([], _) => Err(Failure::usage(
            "--verify, --complete and --diff repeat a recorded run: name its folder with --journal, without --input",
        )),
        _ => Err(Failure::usage(
            "the folder of a journal must be the only input: name one folder, without files or --journal",
        )),
    }
}

/// The settings that the run starts from: those of the record, of the configuration, or the defaults.
fn draft(args: &ReplayArgs, recorded: Option<&Path>, registries: &Registries) -> Result<Draft, Failure> {
    if let Some(dir) = recorded {
        let home = Home::open(dir).map_err(Failure::failed)?;
        let Member { dir, info } = home.current();
        return Ok(Draft::recorded(&info.config_text, &dir.join("journal.toml"), registries));
    }
    Ok(match &args.config {
        Some(path) => Draft::load(path, registries),
        None => Settings::of(registries.clone()).into(),
    })
}

/// Has only those symbols of the inputs read that are printed or traded. What is printed of them is the same as in a run that reads
/// all, but for the numbers of the inputs. A strategy that trades whatever comes needs all, and a journal records all.
fn choose(printed: &[String], settings: &mut Settings) {
    let whole = printed.is_empty() || settings.journal_dir.is_some();
    if let Some(mut symbols) = settings.traded().filter(|_| !whole) {
        symbols.extend(printed.iter().cloned());
        settings.watch_only(&symbols);
    }
}

/// Whether a part of the instruments gives the same as they give in a run that reads all.
fn takes_a_part(shard: Shard, settings: &Settings, plan: &Plan) -> Result<(), Failure> {
    let wrong = |why: String| Err(Failure::usage(format!("--shard {shard}: {why}")));
    if settings.journal_dir.is_some() {
        return wrong("a journal records a whole run; leave out the journal, or --shard".to_owned());
    }
    // Others come with one of those that are named.
    let named = settings.pipeline.get(keys::STAGES);
    let is_global = |planned: &&Planned| planned.stage.scope() == Scope::Global && named.contains(&planned.name);
    match plan.stages.iter().find(is_global) {
        Some(Planned { name, .. }) => wrong(format!(
            "the stage {name} counts over all instruments, so a part of them would give other results; leave it out of \
             pipeline.stages, or leave out --shard"
        )),
        None => Ok(()),
    }
}

/// Adds the inputs of the command line and the journal to write.
fn inputs(args: &ReplayArgs, settings: &mut Settings, stop: &AtomicBool) -> Result<(), Failure> {
    if args.journal.is_some() {
        settings.journal_dir.clone_from(&args.journal);
        settings.given_by("--journal", "journal.dir");
    }
    let known = settings.registries.clone();
    let named = args.feed.as_deref().map(|name| feed_named(name, &known)).transpose()?;
    if args.input.is_empty() && named.is_none_or(|feed| feed.files() != Files::None) {
        return Ok(());
    }
    settings.inputs.clear();
    settings.given_by("--input", "input");
    let add = |feed: &'static Feed, files, settings: &mut Settings| {
        let params = settings.feeds[feed.name].clone();
        settings.add_input(feed, files, args.date, params);
    };
    if let Some(feed) = named.filter(|feed| feed.files() != Files::OneADay) {
        add(feed, args.input.clone(), settings);
        return Ok(());
    }
    let mut found: Vec<(&'static Feed, Vec<PathBuf>)> = Vec::new();
    for file in &args.input {
        let feed = match named {
            Some(feed) => feed,
            None => recognised(file, &known, &|| stop.load(Ordering::Acquire))?,
        };
        let merges = |of: &&mut (&'static Feed, Vec<PathBuf>)| of.0.name == feed.name && feed.files() == Files::Merged;
        match found.iter_mut().find(merges) {
            Some((_, files)) => files.push(file.clone()),
            None => found.push((feed, vec![file.clone()])),
        }
    }
    found.into_iter().for_each(|(feed, files)| add(feed, files, settings));
    Ok(())
}

pub(crate) fn feed_named(name: &str, registries: &Registries) -> Result<&'static Feed, Failure> {
    let advice = || one_of(name, registries.feeds().iter().map(|f| f.name));
    registries.feed(name).ok_or_else(|| Failure::usage(format!("--feed {name}: no such feed; {}", advice())))
}

/// The feed of a file. A pipe may not have a writer yet, so it is waited for until it `stops`.
pub(crate) fn recognised(
    file: &Path,
    registries: &Registries,
    stops: &dyn Fn() -> bool,
) -> Result<&'static Feed, Failure> {
    let (sender, found) = sync_channel(1);
    let (path, known) = (file.to_owned(), registries.feeds().to_vec());
    // After a stop nobody takes what the thread finds.
    std::thread::spawn(move || drop(sender.send(feeds::recognised_as(&path, &known))));
    let found = loop {
        match found.recv_timeout(PATIENCE) {
            Err(RecvTimeoutError::Timeout) if stops() => {
                let message = format!("stopped before anything came from {}", file.display());
                return Err(Failure { message, exit: Exit::Done });
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return Err(Failure::failed("the file could not be looked at")),
            Ok(found) => break found,
        }
    };
    let unknown = || format!("{}: no feed recognises its first bytes; name the feed with --feed", file.display());
    found.map_err(Failure::usage)?.ok_or_else(|| Failure::usage(unknown()))
}
