//! `tidegate sink`: brings the events of a run to a sink, while they happen, in a process of its own.
//!
//! The sink works in a thread; this one looks after signals and says how far it is. So a stop never waits for a database that
//! does not answer: after [`PATIENCE`] the process ends, and what was not committed comes again at the next start.
//!
//! Bound: that of [`sinks::tailer`].

use super::console;
use super::exit::{Exit, Failure};
use super::journal_names::names;
use super::log::LogArgs;
use super::metrics;
use super::numbers::grouped;
use super::rebuild::rebuild;
use super::run_reference::RunReference;
use super::signals::Signals;
use crate::metrics::SinkMetrics;
use crate::registries::Registries;
use clap::Args;
use flow::Params;
use sinks::journal::{Home, Lag, OpenedSink, Registered};
use sinks::tailer::{Counts, DeliveryError, Following, Runner, Tailer};
use sinks::{SinkEntry, SinkPlace};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Pause between two looks at the signals.
const LOOK: Duration = Duration::from_millis(20);
/// How long a stop waits for the last commit.
const PATIENCE: Duration = Duration::from_secs(2);
/// Time between two words on how far it is.
const SAY: Duration = Duration::from_secs(10);

/// Options of `sink`.
#[derive(Args)]
#[command(after_help = "Example: tidegate sink questdb --journal run1 --set address=127.0.0.1:9000\n\n\
    The run never waits for it, and need not run. It goes on where it was.")]
pub(crate) struct SinkArgs {
    /// The sink: one that this binary was built with.
    sink: String,
    /// Folder of the journal.
    #[arg(long, value_name = "DIR")]
    journal: PathBuf,
    /// A parameter of the sink.
    #[arg(long, value_name = "PARAM=VALUE")]
    set: Vec<String>,
    /// The follower as which it goes on; that of the sink's name if left out.
    #[arg(long)]
    name: Option<String>,
    /// Leave out what was, at the first start.
    #[arg(long)]
    newest: bool,
    /// Answer metrics and health over HTTP at this address and port, as 127.0.0.1:9465.
    #[arg(long, value_name = "ADDRESS")]
    metrics: Option<SocketAddr>,
    /// End once everything that is complete has been delivered.
    #[arg(long)]
    once: bool,
    /// Derive everything again from the recorded inputs, with this build, and show it in place of what is there.
    #[arg(long, conflicts_with_all = ["once", "newest", "metrics"])]
    rebuild: bool,
    #[command(flatten)]
    log: LogArgs,
}

/// Brings the events of a run to a sink.
pub(crate) fn run(args: &SinkArgs, registries: &Registries) -> Result<Exit, Failure> {
    console::speak(args.log.log);
    let (entry, tailer) = opened(&args.sink, &args.set, registries)?;
    let home = Home::open(&args.journal).map_err(Failure::failed)?;
    if args.rebuild {
        return rebuild(&args.journal, args.name.as_deref().unwrap_or(entry.name), tailer, &home, registries);
    }
    let reference = Box::new(RunReference(names(&home.current().reader())));
    let signals = Signals::take()?;
    let name = args.name.clone().unwrap_or_else(|| entry.name.to_owned());
    let opened = OpenedSink { sink: entry.name.to_owned(), set: args.set.clone(), folder: here()? };
    let (dir, newest, once) = (args.journal.clone(), args.newest, args.once);
    let what = Following { dir, name: name.clone(), newest, once, opened: Some(opened) };
    let runner = Runner::start(what, tailer, reference, console::warn)
        .map_err(|e| Failure::failed(format!("the sink has no thread: {e}")))?;
    let served = args.metrics.map(|at| metrics::serve(at, Arc::new(SinkMetrics::new(name.clone(), runner.counters()))));
    let served = served.transpose()?;
    let done = watch(&runner, &signals, &|counts| say(args, &name, counts));
    drop(served);
    let counts = runner.counts();
    done.map_err(|error| match error {
        DeliveryError::Tailer(error) => Failure::failed(format!("{}: {error}", entry.name)),
        error => Failure::failed(error),
    })?;
    let [events, gaps, retries] = [counts.events, counts.gaps, counts.retries].map(grouped);
    console::say(format!("{name}: {events} events, {gaps} gaps, tried again {retries} times"));
    Ok(Exit::Done)
}

/// Waits for the end of the sink, or for a stop.
fn watch(runner: &Runner, signals: &Signals, say: &dyn Fn(&Counts)) -> Result<(), DeliveryError> {
    let (mut said, mut events) = (Instant::now(), 0);
    loop {
        if let Some(done) = runner.wait(LOOK) {
            return done;
        }
        if signals.came() {
            runner.stop();
            return runner.wait(PATIENCE).unwrap_or_else(|| {
                console::say("the last batch was not acknowledged: it comes again at the next start");
                Ok(())
            });
        }
        let counts = runner.counts();
        if said.elapsed() >= SAY {
            if counts.events != events && counts.trouble.is_none() {
                say(&counts);
            }
            (said, events) = (Instant::now(), counts.events);
        }
    }
}

/// Says how far the sink is behind the run, as its saved position shows.
fn say(args: &SinkArgs, name: &str, counts: &Counts) {
    let position = || {
        let all = Registered::list(&args.journal).ok()?;
        Some(all.into_iter().find(|one| one.name == name)?.saved.ok()?.position)
    };
    let lag = || Lag::of(&Home::open(&args.journal).ok()?, &position()?).ok();
    // A journal that is being removed has no lag to tell; the next look finds another.
    let Some(lag) = lag() else { return };
    let behind = lag.ns.map_or_else(String::new, |ns| format!(", {:.1} s", ns as f64 / 1e9));
    let [events, lag] = [counts.events, lag.events].map(grouped);
    console::say(format!("{name}: {events} events taken; {lag} behind{behind}"));
}

/// The folder that this process works in.
fn here() -> Result<String, Failure> {
    let here =
        std::env::current_dir().map_err(|e| Failure::failed(format!("the folder of this process is gone: {e}")))?;
    Ok(here.display().to_string())
}

/// The sink of that name, opened with these parameters.
pub(super) fn opened(
    name: &str,
    set: &[String],
    registries: &Registries,
) -> Result<(&'static SinkEntry, Box<dyn Tailer>), Failure> {
    let (entry, SinkPlace::BesideIt(open)) = named(name, registries)? else {
        return Err(Failure::usage(format!("the {name} is written by the run itself; name another sink")));
    };
    let params = params(entry, set)?;
    let tailer = open(&params).map_err(|fault| Failure::usage(format!("{}: {fault}", entry.name)))?;
    Ok((entry, tailer))
}

/// The sink of that name, and where it works.
fn named(name: &str, registries: &Registries) -> Result<(&'static SinkEntry, SinkPlace), Failure> {
    let found = flow::find(registries.sinks(), name).map(|entry| (*entry, entry.place));
    found.ok_or_else(|| {
        if ["parquet", "questdb"].contains(&name) {
            return Failure::usage(format!(
                "this binary was built without the sink {name}: cargo build --release --features {name}"
            ));
        }
        let beside = registries.sinks().iter().filter(|entry| matches!(entry.place, SinkPlace::BesideIt(_)));
        let names = beside.map(|entry| entry.name).collect::<Vec<_>>().join(", ");
        let names = if names.is_empty() { "none; sinks/docs/sinks.md shows how to add one".to_owned() } else { names };
        Failure::usage(format!("no sink is called {name:?}; those of this binary: {names}"))
    })
}

/// Its parameters as given.
fn params(entry: &SinkEntry, given: &[String]) -> Result<Params, Failure> {
    let mut params = Params::defaults(entry.params);
    for text in given {
        let (name, value) = text.split_once('=').unwrap_or((text, ""));
        let param = entry.params.iter().find(|param| param.name == name).ok_or_else(|| {
            let names = entry.params.iter().map(|param| param.name).collect::<Vec<_>>().join(", ");
            Failure::usage(format!("{} has no parameter {name:?}; it has: {names}", entry.name))
        })?;
        params.set(param, param.parse(name, value).map_err(Failure::usage)?);
    }
    Ok(params)
}
