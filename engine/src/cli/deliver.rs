//! `tidegate journal deliver`: brings the events of a run to a sink, while they happen, in a process of its own.
//!
//! Bound: that of [`sinks::tailer`].

use super::console;
use super::exit::{Exit, Failure};
use super::numbers::grouped;
use super::signals::Signals;
use crate::registries::Registries;
use clap::Args;
use flow::Params;
use sinks::tailer::{Delivered, Delivery, DeliveryError};
use sinks::{SinkEntry, SinkPlace};
use std::path::PathBuf;

/// Options of `journal deliver`.
#[derive(Args)]
#[command(after_help = "Example: tidegate journal deliver run1 prices --set file=prices.txt\n\n\
    The run never waits for it, and need not run. It goes on where it was.")]
pub(crate) struct DeliverArgs {
    /// Folder of the journal.
    dir: PathBuf,
    /// The sink: one that this binary was built with.
    sink: String,
    /// A parameter of the sink.
    #[arg(long, value_name = "PARAM=VALUE")]
    set: Vec<String>,
    /// The follower as which it goes on; that of the sink's name if left out.
    #[arg(long)]
    name: Option<String>,
    /// Leave out what was, at the first start.
    #[arg(long)]
    newest: bool,
    /// End once everything that is complete has been delivered.
    #[arg(long)]
    once: bool,
}

/// Brings the events of a run to a sink.
pub(super) fn deliver(args: &DeliverArgs, registries: &Registries) -> Result<Exit, Failure> {
    let (entry, SinkPlace::BesideIt(open)) = named(&args.sink, registries)? else {
        return Err(Failure::usage(format!("the {} is written by the run itself; name another sink", args.sink)));
    };
    let params = params(entry, &args.set)?;
    let mut tailer = open(&params).map_err(|fault| Failure::usage(format!("{}: {fault}", entry.name)))?;
    let signals = Signals::take()?;
    let name = args.name.as_deref().unwrap_or(entry.name);
    let what = Delivery { dir: &args.dir, name, newest: args.newest, once: args.once };
    let done = sinks::tailer::deliver(&what, &mut *tailer, &|| signals.came(), &mut |text| console::say(text));
    let Delivered { events, gaps, retries } = done.map_err(|error| match error {
        DeliveryError::Journal(error) => Failure::failed(error),
        DeliveryError::Tailer(error) => Failure::failed(format!("{}: {error}", entry.name)),
    })?;
    let [events, gaps, retries] = [events, gaps, retries].map(grouped);
    console::say(format!("{}: {events} events, {gaps} gaps, tried again {retries} times", entry.name));
    Ok(Exit::Done)
}

/// The sink of that name, and where it works.
fn named(name: &str, registries: &Registries) -> Result<(&'static SinkEntry, SinkPlace), Failure> {
    let found = flow::find(registries.sinks(), name).map(|entry| (*entry, entry.place));
    found.ok_or_else(|| {
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
