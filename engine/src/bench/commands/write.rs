//! `tidegate bench tick-to-write`.

use super::load::{self, LoadArgs};
use super::output::{headed, print, stalled, table, times};
use crate::bench::open_loop::{Mode, TickToWrite, WriteCores, measure_writes, settings_of_writes};
use crate::cli::console;
use crate::cli::exit::{Exit, Failure};
use crate::cli::numbers::grouped;
use crate::cli::pipeline::{PipelineArgs, set_all};
use crate::cli::watch::Watch;
use crate::config::keys::{self, Preset};
use clap::Args;

/// Options of `bench tick-to-write`.
#[derive(Args)]
#[command(after_help = "Examples:\n  tidegate bench tick-to-write\n  \
    tidegate bench tick-to-write --rate 250k --seconds 20 --json\n\
    A venue on the loopback ends every order at once. Pipeline, gateway and venue want a core each; with two cores the\n\
    venue shares that of the gateway, and rests between its looks.")]
pub(crate) struct WriteArgs {
    #[command(flatten)]
    load: LoadArgs,
    /// Print one JSON object instead of the tables.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    pipeline: PipelineArgs,
}

pub(super) fn run(args: &WriteArgs) -> Result<Exit, Failure> {
    let Some(cores) = WriteCores::of_this_host() else {
        let what = "a pipeline and a gateway that spin need two cores, and this host has one";
        return Err(Failure::failed(format!("{what}; run it on a larger host")));
    };
    let mut settings = args.pipeline.apply(settings_of_writes())?;
    if settings.pipeline.get(keys::CORES).is_empty() && settings.pipeline.get(keys::PRESET) == Preset::Fused {
        set_all(&mut settings, std::iter::once(format!("pipeline.cores={}", cores.pipeline)))?;
    }
    let load = args.load.load(Vec::new());
    let count = load::count(&load, false)?;
    let watch = Watch::start(Some(count), true)?;
    let mut day = load::day(&load, count)?;
    let mut progress = |next: &str| console::say(format!("measuring {next}"));
    let result = measure_writes(&load, &mut day, &settings, cores, &watch.control().stop, &mut progress)?;
    print(args.json, &result, &result.setting, &shown(&result))
}

fn shown(r: &TickToWrite) -> String {
    let venue = match r.venue_rest_ms {
        0 => format!("the venue on core {}", r.cores.venue),
        ms => format!("the venue on the gateway's core, with rests of {ms} ms: this host has too few cores"),
    };
    let mut text = format!(
        "{} messages at {} messages/s; pipeline {} on core {}, {venue}\n\n",
        grouped(r.messages),
        grouped(r.rate as u64),
        r.groups.join(" | "),
        r.cores.pipeline
    );
    text += &table(&headed("ns"), &r.modes.iter().flat_map(rows).collect::<Vec<_>>());
    for Mode { name, gateway_core, achieved_per_s, messages_per_order, refused, unsent, answers, .. } in &r.modes {
        let core = gateway_core.map_or_else(|| "not pinned".to_owned(), |core| format!("core {core}"));
        text += &format!(
            "{name} ({core}): {} taken/s, an order every {messages_per_order:.0} messages, {} refused, {} not sent, {} answers\n",
            grouped(*achieved_per_s as u64),
            grouped(*refused),
            grouped(*unsent),
            grouped(*answers)
        );
    }
    text += &stalled(&r.stalls);
    text
}

/// The rows of a way of idling: the whole, its part up to the bytes of the order, and the rest.
fn rows(mode: &Mode) -> [Vec<String>; 3] {
    [
        times(mode.name.to_owned(), &mode.tick_to_write.times),
        times("  to bytes".to_owned(), &mode.tick_to_bytes),
        times("  the rest".to_owned(), &mode.bytes_to_write),
    ]
}
