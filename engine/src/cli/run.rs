//! `tidegate run`.

use super::exit::{Exit, Failure};
use super::pipeline::PipelineArgs;
use super::present::{self, Shown};
use super::watch::Watch;
use crate::config::{Draft, Settings, keys};
use crate::control::Server;
use crate::drive::DriveError;
use crate::ingress::{Commands, Pace, halt};
use crate::recovery::{Panics, cancel_at_venue};
use crate::run::{Options, RunError, execute};
use clap::Args;
use flow::HaltReason;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;

/// Options of `run`.
#[derive(Args)]
#[command(after_help = "Examples:\n  \
    tidegate run desk.toml --speed 1x          at the pace at which it happened\n  \
    tidegate run desk.toml --speed max         as fast as it goes\n  \
    tidegate ctl JOURNAL halt                  from another terminal\n\n\
    The journal (section [journal], key dir, or --journal) goes on if it is there already.")]
pub(crate) struct RunArgs {
    /// Configuration; the command line overrides it.
    config: PathBuf,
    /// Folder of the journal.
    #[arg(long, value_name = "DIR")]
    journal: Option<PathBuf>,
    /// Pace of the event clock: 1x, 10x, 0.5x, or max.
    #[arg(long, default_value = "1x", value_parser = pace)]
    speed: Speed,
    /// Begin the new journal with what the one in this folder left: its positions, and the end of its orders. The way for
    /// another build or configuration.
    #[arg(long, value_name = "DIR")]
    carry_over: Option<PathBuf>,
    /// Start although the pipeline panicked twice at the same input.
    #[arg(long)]
    after_panic: bool,
    #[command(flatten)]
    pipeline: PipelineArgs,
    #[command(flatten)]
    shown: Shown,
}

/// A pace, or none.
#[derive(Clone, Copy)]
struct Speed(Option<Pace>);

fn pace(text: &str) -> Result<Speed, String> {
    let fault = || format!("{text:?} is no speed; valid: 1x, 10x, 0.5x … or max");
    if text == "max" {
        return Ok(Speed(None));
    }
    let factor: f64 = text.strip_suffix('x').ok_or_else(fault)?.parse().map_err(|_| fault())?;
    if factor.is_finite() && factor > 0.0 { Ok(Speed(Some(Pace(factor)))) } else { Err(fault()) }
}

pub(crate) fn run(args: &RunArgs) -> Result<Exit, Failure> {
    let mut settings = args.pipeline.apply(Draft::load(&args.config))?;
    if args.journal.is_some() {
        settings.journal_dir.clone_from(&args.journal);
    }
    let Some(dir) = settings.journal_dir.clone() else {
        return Err(Failure::usage("a run needs a journal: name its folder with --journal, or as dir in [journal]"));
    };
    let (sender, commands) = Commands::live();
    if let Some(panics) = known_panics(args, &dir, &settings)? {
        eprintln!(
            "the run before panicked after input {}: this one begins halted; `tidegate ctl` resumes it",
            panics.seq
        );
        // The receiving end is held right here.
        let _ = sender.send(halt(HaltReason::Panic, panics.seq));
    }
    let goes_on = dir.join("journal.toml").exists();
    if goes_on {
        eprintln!("{}: the journal goes on", dir.display());
    }
    let mut watch =
        Watch::new(None, !args.shown.json)?.with_stall_halt(sender.clone(), settings.pipeline.get(keys::STALL_MS));
    let mut server = None;
    let mut said = None;
    let options = Options {
        commands,
        pace: args.speed.0,
        go_on: true,
        carry_over: args.carry_over.clone(),
        control: watch.control(),
        ..Options::default()
    };
    let ran = execute(&settings, options, &mut || {
        // The folder is there once the run has begun.
        if server.is_none() && said.is_none() {
            match Server::start(&dir, sender.clone(), watch.control()) {
                Ok(started) => server = Some(started),
                Err(e) => {
                    eprintln!("commands cannot be taken: {e}");
                    said = Some(());
                }
            }
        }
        watch.poll();
    });
    drop(server);
    watch.end();
    let (report, error) = ran.map_err(|e| noted(&dir, &watch, e))?;
    // It came past the input at which the run before panicked: the next one need not begin halted.
    if Panics::read(&dir).is_some_and(|p| watch.control().watermark.load(Ordering::Acquire) > p.seq) {
        Panics::forget(&dir);
    }
    present::report(&report, &args.shown, false)?;
    error.map_or(Ok(Exit::Done), |e| Err(e.into()))
}

/// The panic before, if there was one; two at the same input end it here.
fn known_panics(args: &RunArgs, dir: &Path, settings: &Settings) -> Result<Option<Panics>, Failure> {
    let panics = Panics::read(dir).filter(|_| !args.after_panic);
    if args.after_panic {
        Panics::forget(dir);
    }
    match panics {
        Some(p) if p.times > 1 => Err(Failure::failed(format!(
            "the pipeline panicked {} times after input {}: {}; it is not started again. {}; \
             mend the cause, or start anyway with --after-panic",
            p.times,
            p.seq,
            p.message,
            cancelled(settings, dir)
        ))),
        other => Ok(other),
    }
}

/// Safe mode: everything is cancelled at the venue; what came of that, in words.
fn cancelled(settings: &Settings, dir: &Path) -> String {
    match cancel_at_venue(settings, dir) {
        Ok(None) => "No venue outside has orders".to_owned(),
        Ok(Some(venue)) => format!("The venue {venue} was told to cancel all orders"),
        Err(e) => format!("ALL ORDERS MUST BE CANCELLED BY HAND, the venue was not told: {e}"),
    }
}

/// A panic is noted, so that the next start knows.
fn noted(dir: &Path, watch: &Watch, error: RunError) -> Failure {
    if let RunError::Drive(DriveError::Panicked(panicked)) = &error {
        let seq = watch.control().watermark.load(Ordering::Acquire);
        if let Err(e) = Panics::note(dir, seq, &panicked.to_string()) {
            eprintln!("{}: the panic cannot be noted: {e}", dir.display());
        }
    }
    error.into()
}
