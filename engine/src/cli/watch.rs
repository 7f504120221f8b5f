//! Watches a run from a thread of its own: signals, stalls, progress.
//!
//! It acts first and speaks afterwards, and it speaks over the console, so neither a closed standard error nor a terminal
//! that stands still delays a halt. A signal stops the run. A head that does not take part in a stop cannot pull the kill
//! switch, so the watch pulls it then. A pipeline that stands still is halted the same way: the switch first, then the
//! command for the journal.
//!
//! **Under the exchange's clock the watchdog only reports.** Time there is the time of the inputs: while the pipeline
//! stands, no time passes, nothing is late, and no order is outside the process. A halt would make a run on a busy host come
//! out otherwise than the same run on an idle one.
//!
//! Bound: a look every [`PERIOD`]; a service that was asked to stop and has not ended after [`LIMIT`] looks is ended, and its
//! journal goes on as after a kill. Worst case: a journal whose disk is slow is waited for without a limit, since nothing
//! trades meanwhile; a second signal ends that too.

use super::console::{self, Progress};
use super::disk::DiskWords;
use super::exit::{Exit, Failure};
use super::service_manager::{ServiceManager, is_up};
use super::signals::{AGAIN, Signals};
use super::stalls::Stalls;
use super::trading::halted_by;
use crate::control::Intake;
use crate::drive::Control;
use crate::ingress::{halt, wall_now};
use flow::HaltReason;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{Builder, JoinHandle};
use std::time::{Duration, Instant};

/// Time between two looks.
const PERIOD: Duration = Duration::from_millis(10);
/// Looks that a head may take to notice a stop.
const NOTICE: u32 = 5;
/// Looks that a service may take to stop: on a host that has no time for the watch, the pipeline has none either.
const LIMIT: u32 = 90;

/// What the watch of a service does besides.
pub(crate) struct Service {
    /// Takes the halts of the watchdog.
    pub intake: Arc<Intake>,
    /// How long the pipeline may stand still; 0 = for ever.
    pub patience: Duration,
    /// Whether a stall halts trading; else it is only reported.
    pub halts: bool,
    /// Whether a stop cancels what is open at a venue outside the process.
    pub cancels: bool,
}

/// A running watch.
pub(crate) struct Watch {
    control: Control,
    done: Arc<AtomicBool>,
    thread: Option<JoinHandle<Vec<Stall>>>,
}

/// The pipeline stood still.
#[derive(Clone, Copy, Debug, serde::Serialize)]
pub(crate) struct Stall {
    /// The input that it did not finish.
    pub input: u64,
    /// Whether that halted trading.
    pub halted: bool,
}

impl Watch {
    /// Watches a run of about `expected` events; shows no progress if `shown` is false or there is no terminal.
    pub(crate) fn start(expected: Option<u64>, shown: bool) -> Result<Watch, Failure> {
        Watch::over(Control::default(), Signals::take()?, expected, shown, None)
    }

    /// Watches a service under `control`.
    pub(super) fn over(
        control: Control,
        signals: Signals,
        expected: Option<u64>,
        shown: bool,
        service: Option<Service>,
    ) -> Result<Watch, Failure> {
        let failed = |e| Failure::failed(format!("the watch cannot be started: {e}"));
        let done = Arc::new(AtomicBool::new(false));
        let now = Instant::now();
        let stalls = service.as_ref().filter(|s| !s.patience.is_zero()).map(|s| Stalls::new(s.patience, now));
        let manager = service.as_ref().and_then(|_| ServiceManager::found(now));
        let progress = Progress::new("events", expected, shown);
        let mut looks = Looks {
            control: control.clone(),
            signals,
            progress,
            knows_the_start: service.is_none(),
            service,
            manager,
            stalls,
            disk: DiskWords::default(),
            found: Vec::new(),
            stop: None,
        };
        let until = Arc::clone(&done);
        let watching = move || {
            while !until.load(Ordering::Acquire) {
                looks.look();
                std::thread::park_timeout(PERIOD);
            }
            looks.say_notices();
            looks.found
        };
        let thread = Builder::new().name("watch".to_owned()).spawn(watching).map_err(failed)?;
        Ok(Watch { control, done, thread: Some(thread) })
    }

    /// The control that the run is driven with.
    pub(crate) fn control(&self) -> &Control {
        &self.control
    }

    /// Ends the watch after the run, and removes its progress; returns how often the pipeline stood still.
    pub(crate) fn end(mut self) -> Vec<Stall> {
        self.join()
    }

    fn join(&mut self) -> Vec<Stall> {
        self.done.store(true, Ordering::Release);
        let Some(thread) = self.thread.take() else { return Vec::new() };
        thread.thread().unpark();
        // A watch that panicked has said so, and the run is over.
        thread.join().unwrap_or_default()
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.join();
    }
}

/// A stop on its way.
struct Stop {
    since: Instant,
    looks: u32,
    /// Turns of the head when it was asked.
    turns: u64,
    is_pulled: bool,
    is_late: bool,
}

/// What the thread of a watch looks at.
struct Looks {
    control: Control,
    signals: Signals,
    progress: Progress,
    service: Option<Service>,
    manager: Option<ServiceManager>,
    stalls: Option<Stalls>,
    disk: DiskWords,
    found: Vec<Stall>,
    stop: Option<Stop>,
    /// Whether it is known what an earlier run left: trading, or a halt.
    knows_the_start: bool,
}

impl Looks {
    fn look(&mut self) {
        self.look_for_a_stop();
        self.look_at_the_start();
        let stalled = self.stalls.as_mut().and_then(|stalls| stalls.look(&self.control, Instant::now()));
        if let Some(input) = stalled {
            self.on_stall(input);
        }
        if let Some(manager) = &mut self.manager {
            manager.look(&self.control, Instant::now(), || is_up(&self.control), self.stop.is_some());
        }
        self.say_notices();
        self.disk.look(&self.control);
        self.progress.set(self.control.watermark.load(Ordering::Relaxed));
    }

    /// A halt holds over every restart, so a service that comes up halted says so once it has replayed its journal.
    fn look_at_the_start(&mut self) {
        if self.knows_the_start {
            return;
        }
        let Some((_, answer)) = self.control.inquiry.answer().filter(|(_, a)| a.head.seq > 0 && !a.head.replaying)
        else {
            self.control.inquiry.is_answered_since(Instant::now());
            return;
        };
        self.knows_the_start = true;
        if let Some(cause) = answer.tail.halt.filter(|_| answer.stages.halted == Some(true)) {
            let by = halted_by(&cause);
            console::warn(format!("trading is halted {by}; `tidegate ctl JOURNAL resume` ends that"));
        }
    }

    /// Says what gateways and live sources have to say.
    fn say_notices(&self) {
        while let Some(notice) = self.control.take_notice() {
            console::warn(notice);
        }
        for feed in self.control.feeds.all() {
            while let Some(notice) = feed.take_notice() {
                console::say(format!("{}: {notice}", feed.name));
            }
        }
    }

    fn look_for_a_stop(&mut self) {
        if self.stop.is_none() && self.signals.came() {
            self.control.stop.store(true, Ordering::Release);
            let turns = self.control.turns.load(Ordering::Relaxed);
            self.stop = Some(Stop { since: Instant::now(), looks: 0, turns, is_pulled: false, is_late: false });
            console::say("stopping");
        }
        let Some(stop) = &mut self.stop else { return };
        stop.looks += 1;
        if stop.since.elapsed() >= AGAIN {
            self.signals.end_at_next();
        }
        let Some(service) = &self.service else { return };
        let stands = self.control.turns.load(Ordering::Relaxed) <= stop.turns + 1;
        let runs = !self.control.ended.load(Ordering::Acquire);
        if service.cancels && runs && stands && stop.looks >= NOTICE && !stop.is_pulled {
            stop.is_pulled = true;
            self.control.kill_switch.refuse_new_orders();
            self.control.kill_switch.pull();
        }
        if stop.looks >= LIMIT && !stop.is_late {
            stop.is_late = true;
            if runs {
                end_unfinished(&self.control, stop.is_pulled);
            }
            console::say("everything is stored; the journal is not closed yet. A second signal ends this at once");
        }
    }

    fn on_stall(&mut self, input: u64) {
        let Some(service) = &self.service else { return };
        if service.halts {
            service.intake.halt(vec![halt(HaltReason::Stalled, input - 1, wall_now())]);
        }
        self.found.push(Stall { input, halted: service.halts });
        let follows = if service.halts { "trading halts" } else { "the exchange's clock waits, so nothing is late" };
        console::warn(format!("input {input} is not finished after {:?}: {follows}", service.patience));
    }
}

/// Ends a service that does not stop: what has entered is stored, and the journal goes on as after a kill. Orders that were
/// to be `cancelled` may be open at a venue outside the process.
fn end_unfinished(control: &Control, cancelled: bool) {
    let exit = if control.turns.load(Ordering::Relaxed) == 0 {
        console::say("stopped before anything entered");
        Exit::Done
    } else {
        let finished = control.watermark.load(Ordering::Acquire);
        console::fail(format!(
            "the pipeline does not stop: it has finished nothing after input {finished}. It is ended as by a kill; \
             the next `tidegate run` goes on"
        ));
        let (switch, open) = (&control.kill_switch, control.open_orders());
        if open > 0 {
            let handed = cancelled && switch.is_carried_out(switch.pulls());
            let cancels = if handed { "the venue was sent their cancels" } else { "NO CANCEL WAS SENT" };
            console::fail(format!("{open} orders may be open at the venue; {cancels}: look there"));
        }
        Exit::Failed
    };
    console::flush();
    std::process::exit(exit as i32);
}
