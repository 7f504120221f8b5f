//! `tidegate run`: the service, journalled and restartable.
//!
//! A signal ends the sources and drains the pipeline. A panic is recorded in the journal's folder: the next start begins
//! halted, and after two panics at the same input the run does not start without an option (`--after-panic`).

use super::console;
use super::exit::{Exit, Failure};
use super::log::LogArgs;
use super::metrics::RunMetrics;
use super::pipeline::PipelineArgs;
use super::present::{self, Shown};
use super::signals::Signals;
use super::watch::{Service, Stall, Watch};
use crate::config::keys::{self, AtStop, ClockKind};
use crate::config::{Draft, Settings};
use crate::control::{Intake, Outcomes, Pipeline, Server};
use crate::drive::{Control, DriveError};
use crate::ingress::{Commands, Pace, halt, wall_now};
use crate::last_values::LastValues;
use crate::recovery::{
    CancelledAt, Earlier, HaltNote, Notices, Panics, RecoveryError, RollTime, as_started, cancel_at_venues,
};
use crate::registries::Registries;
use crate::report::Report;
use crate::run::{Options, Preflight, Ready, Reloader, RunError, execute};
use clap::Args;
use flow::HaltReason;
use sinks::journal::{Home, JournalError, ROLL};
use std::cell::Cell;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// Options of `run`.
#[derive(Args, Clone)]
#[command(after_help = "Examples:\n  \
    tidegate run desk.toml --speed 1x          at the recorded pace\n  \
    tidegate run desk.toml --speed max         as fast as possible\n  \
    tidegate ctl JOURNAL halt                  from another terminal\n\n\
    An existing journal (--journal, or dir in [journal]) is resumed.")]
pub(crate) struct RunArgs {
    /// Configuration file; options of the command line override it.
    config: PathBuf,
    /// Folder of the journal.
    #[arg(long, value_name = "DIR")]
    journal: Option<PathBuf>,
    /// Speed of the event clock: 1x, 10x, 0.5x, or max.
    #[arg(long, default_value = "1x", value_parser = pace)]
    speed: Speed,
    /// Carry over the positions of the journal in this folder, the limits and parameters that were set and what measures and
    /// strategies have learned, and close its open orders. Use it to start with another build or configuration.
    #[arg(long, value_name = "DIR")]
    carry_over: Option<PathBuf>,
    /// Carry over nothing of what measures and strategies have learned.
    #[arg(long, requires = "carry_over")]
    without_memory: bool,
    /// Start even if the pipeline panicked twice at the same input.
    #[arg(long)]
    after_panic: bool,
    #[command(flatten)]
    log: LogArgs,
    #[command(flatten)]
    pipeline: PipelineArgs,
    #[command(flatten)]
    shown: Shown,
}

impl RunArgs {
    /// The journal to carry over from.
    fn earlier(&self) -> Option<Earlier> {
        let without_memory = self.without_memory;
        self.carry_over.clone().map(|dir| Earlier { dir, without_memory })
    }
}

/// A pace; `None` = as fast as possible.
#[derive(Clone, Copy)]
struct Speed(Option<Pace>);

fn pace(text: &str) -> Result<Speed, String> {
    let fault = || format!("{text:?} is not a speed; valid: 1x, 10x, 0.5x … or max");
    if text == "max" {
        return Ok(Speed(None));
    }
    let factor: f64 = text.strip_suffix('x').ok_or_else(fault)?.parse().map_err(|_| fault())?;
    if factor.is_finite() && factor > 0.0 { Ok(Speed(Some(Pace(factor)))) } else { Err(fault()) }
}

/// The configuration, or `file` in its place, with what the command line overrides. Its instances have the numbers that they
/// have in the journal, or in the one that it carries over.
fn drafted(args: &RunArgs, file: Option<&Path>, registries: &Registries) -> Draft {
    let mut draft = args.pipeline.applied(Draft::load(file.unwrap_or(&args.config), registries));
    if args.journal.is_some() {
        draft.settings.journal_dir.clone_from(&args.journal);
        draft.settings.given_by("--journal", "journal.dir");
    }
    let before = draft.settings.journal_dir.as_deref().filter(|dir| Home::exists(dir));
    // One that cannot be read is a fault later, when it is opened.
    let before = before.or(args.carry_over.as_deref()).and_then(|dir| Home::open(dir).ok());
    if let Some(before) = before {
        let numbered = draft.settings.take_numbers(&before.current().info.config_text);
        draft.faults.extend(numbered.err().into_iter().flat_map(|faults| faults.0));
    }
    draft
}

pub(crate) fn run(args: &RunArgs, registries: &Registries) -> Result<Exit, Failure> {
    let settings = as_started(checked(args, registries)?)?;
    let Some(dir) = settings.journal_dir.clone() else {
        return Err(Failure::usage("a run needs a journal: name its folder with --journal, or as dir in [journal]"));
    };
    let control = Control::default();
    let (sender, commands) = Commands::live(Arc::clone(&control.kill_switch));
    let signals = Signals::take()?;
    let intake = Intake::new(&dir, sender, control.clone()).map_err(Failure::failed)?;
    let service = service(&settings, Arc::clone(&intake));
    let watch = Watch::over(control.clone(), signals, None, !args.shown.json, Some(service))?;
    begin_halted(args, &dir, &settings, &intake)?;
    let metrics = RunMetrics::begin(&settings, &dir, &control)?;
    let (outcomes, server) = (Outcomes::new().map_err(Failure::failed)?, Rc::default());
    let (again, known) = (args.clone(), registries.clone());
    let reloader = Arc::new(Reloader::new(settings.clone(), move |file| drafted(&again, file, &known)));
    let options = Options {
        sinks: vec![outcomes.sink()],
        commands,
        pace: args.speed.0,
        rolls: Some(roll_time(&settings)?),
        go_on: true,
        carry_over: args.earlier(),
        control: control.clone(),
        notices: Notices(console::say),
        ready: Some(metrics.follow_after(listening(
            &dir,
            Arc::clone(&intake),
            control.clone(),
            (outcomes, reloader, metrics.values()),
            &server,
        ))),
        ..Options::default()
    };
    let ran = execute(&settings, options);
    drop((server.take(), metrics));
    let stalls = watch.end();
    // The last one that has it: a halt that was not stored is noted before anything is said.
    drop(intake);
    let (report, error) = ran.map_err(|e| noted(&dir, &control, e))?;
    // The run is past the input at which the last one panicked, so the next need not start halted.
    if Panics::read(&dir).is_some_and(|p| control.watermark.load(Ordering::Acquire) > p.seq) {
        Panics::forget(&dir);
    }
    concluded(args, &report, error, &stalls)
}

/// Shows how a run ended; what failed is an error.
fn concluded(args: &RunArgs, report: &Report, error: Option<RunError>, stalls: &[Stall]) -> Result<Exit, Failure> {
    let ended = match error {
        None => Ok(Exit::Done),
        // A stop does not wait for the disk. Nothing is lost: the next start finds the journal as a kill leaves it.
        Some(silent) if report.stopped && silent.is_silent_disk() => {
            console::say(silent.to_string());
            Ok(Exit::Done)
        }
        Some(e) => Err(Failure::from(e)),
    };
    match ended {
        // Standard output may be full, or its reader stopped: what failed is said before.
        Err(failure) if args.shown.json => {
            say_end(report, stalls);
            console::fail(failure.message);
            present::report(report, &args.shown, false).map(|()| failure.exit)
        }
        ended => {
            present::report(report, &args.shown, false)?;
            say_end(report, stalls);
            ended
        }
    }
}

/// The settings, with everything looked at that they name. Says what of them is without effect, in the form in which all is said.
fn checked(args: &RunArgs, registries: &Registries) -> Result<Settings, Failure> {
    console::speak(args.log.log);
    let (settings, found) = Preflight::of_draft(drafted(args, None, registries))?;
    present::warnings(found.plan.unmet.iter().chain(&found.plan.idle_settings));
    Ok(settings)
}

/// When the journal rolls.
fn roll_time(settings: &Settings) -> Result<RollTime, Failure> {
    let text = settings.sinks["journal"].get(ROLL);
    RollTime::parse(text).ok_or_else(|| Failure::usage(format!("journal.roll: {text:?}; {}", RollTime::VALID)))
}

/// Halts the run before it begins, if the last one panicked, or ended before it could store a halt.
fn begin_halted(args: &RunArgs, dir: &Path, settings: &Settings, intake: &Intake) -> Result<(), Failure> {
    if let Some(panics) = known_panics(args, dir, settings)? {
        console::warn(format!(
            "the last run panicked after input {}: this one starts halted; `tidegate ctl` resumes it",
            panics.seq
        ));
        intake.begin_halted(vec![halt(HaltReason::Panic, panics.seq, wall_now())], None);
    }
    if !Home::exists(dir) {
        return Ok(());
    }
    console::say(format!("{}: this journal is checked, then continued", dir.display()));
    if let Some(note) = HaltNote::outstanding(dir).map_err(RunError::from)? {
        console::warn("the last run could not store its last halt: this one starts halted; `tidegate ctl` resumes it");
        intake.begin_halted(note.events(), Some(&note));
    }
    Ok(())
}

/// Opens the control socket and keeps it in `server`: without it nothing enters.
fn listening(
    dir: &Path,
    intake: Arc<Intake>,
    control: Control,
    (outcomes, reloader, last): (Arc<Outcomes>, Arc<Reloader>, LastValues),
    server: &Rc<Cell<Option<Server>>>,
) -> Ready {
    let (dir, server) = (dir.to_owned(), Rc::clone(server));
    Box::new(move |plan| {
        let trades = plan.stages.iter().any(|stage| stage.name == "risk");
        let (instances, has_gateway) = (Arc::clone(&plan.instances), !plan.routing.gateways.is_empty());
        let running = plan.stages.iter().flat_map(|stage| stage.name.split('+')).map(str::to_owned).collect();
        let pipeline = Pipeline { instances, running, trades, has_gateway, reloader: Some(reloader), last };
        let started = Server::start(&dir, &intake, control, &outcomes, pipeline);
        server.set(Some(started.map_err(|e| e.to_string())?));
        Ok(())
    })
}

/// What the watch of a run does besides showing its progress.
fn service(settings: &Settings, intake: Arc<Intake>) -> Service {
    Service {
        intake,
        patience: Duration::from_millis(settings.pipeline.get(keys::STALL_MS)),
        halts: settings.pipeline.get(keys::CLOCK) == ClockKind::Wall,
        cancels: settings.pipeline.get(keys::AT_STOP) != Some(AtStop::Leave),
    }
}

/// Says what an operator must know of the end: stalls on the way, and how to go on.
fn say_end(report: &Report, stalls: &[Stall]) {
    let halts = stalls.iter().filter(|s| s.halted).count();
    if let Some(last) = stalls.last() {
        let what = if halts > 0 { "trading was halted; `tidegate ctl` resumes it" } else { "nothing was halted" };
        let count = stalls.len();
        console::warn(format!("stalls    {count}, the last one at input {}: {what}", last.input));
    }
    match report {
        Report { stopped: true, replaying: true, .. } => {
            console::say(
                "stopped while the journal was replayed: nothing entered, and the next run starts there again",
            );
        }
        Report { stopped: true, events, .. } => {
            console::say(format!("stopped after input {events}; the next `tidegate run` goes on there"));
        }
        _ => {}
    }
}

/// The last panic, if there was one; a second panic at the same input refuses the start.
fn known_panics(args: &RunArgs, dir: &Path, settings: &Settings) -> Result<Option<Panics>, Failure> {
    let panics = Panics::read(dir).filter(|_| !args.after_panic);
    if args.after_panic {
        Panics::forget(dir);
    }
    match panics {
        Some(p) if p.times > 1 => Err(Failure::failed(format!(
            "the pipeline panicked {} times after input {}: {}; it does not start again. {}; \
             mend the cause, or start anyway with --after-panic",
            p.times,
            p.seq,
            p.message,
            cancelled(settings, dir)
        ))),
        other => Ok(other),
    }
}

/// Safe mode: cancels all orders at the venues, and describes the result.
fn cancelled(settings: &Settings, dir: &Path) -> String {
    let by_hand = |e: &RecoveryError| format!("CANCEL ALL ORDERS BY HAND, the venue could not be reached: {e}");
    match cancel_at_venues(settings, dir) {
        Ok(venues) if venues.is_empty() => "No outside venue holds orders".to_owned(),
        Ok(venues) => {
            let said = venues.iter().map(|CancelledAt { venue, done }| match done {
                Ok(()) => format!("Sent a cancel of all orders to the venue {venue}"),
                Err(e) => by_hand(e),
            });
            said.collect::<Vec<_>>().join("; ")
        }
        Err(e) => by_hand(&e),
    }
}

/// How a run failed. A panic is recorded for the next start; a stop before it began is no failure.
fn noted(dir: &Path, control: &Control, error: RunError) -> Failure {
    if let RunError::Drive(DriveError::Panicked(panicked)) = &error {
        let seq = control.watermark.load(Ordering::Acquire);
        if let Err(e) = Panics::note(dir, seq, &panicked.to_string()) {
            console::warn(format!("{}: cannot record the panic: {e}", dir.display()));
        }
    }
    match error {
        RunError::Recovery(RecoveryError::Journal(stopped @ JournalError::Stopped { .. })) => {
            Failure { message: stopped.to_string(), exit: Exit::Done }
        }
        other => other.into(),
    }
}
