//! Watches a run from the main thread: signals, progress, stalls.

use super::console::{self, Progress};
use super::exit::Failure;
use crate::drive::Control;
use crate::ingress::{CommandSender, Submission, halt, wall_now};
use flow::HaltReason;
use signal_hook::consts::{SIGINT, SIGTERM};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

/// Shows progress on a terminal and turns SIGTERM and SIGINT into an orderly end.
pub(crate) struct Watch {
    control: Control,
    progress: Option<Progress>,
    announced: bool,
    stall: Option<Stall>,
}

/// Detects a pipeline that makes no progress.
struct Stall {
    sender: CommandSender,
    patience: Duration,
    /// The last watermark, and when it was first seen.
    at: (u64, Instant),
    halted: bool,
}

impl Watch {
    /// Watches a run of about `expected` events; shows no progress if `shown` is false or there is no terminal.
    pub(crate) fn new(expected: Option<u64>, shown: bool) -> Result<Watch, Failure> {
        let control = Control::default();
        for signal in [SIGTERM, SIGINT] {
            signal_hook::flag::register(signal, Arc::clone(&control.stop))
                .map_err(|e| Failure::failed(format!("signals cannot be handled: {e}")))?;
        }
        let progress = Progress::new("events", expected, shown);
        Ok(Watch { control, progress: Some(progress), announced: false, stall: None })
    }

    /// Halts trading through `sender` if inputs are pending and the pipeline finishes none for `patience_ms`; 0 = never.
    pub(crate) fn with_stall_halt(mut self, sender: CommandSender, patience_ms: u64) -> Watch {
        self.stall = (patience_ms > 0).then(|| Stall {
            sender,
            patience: Duration::from_millis(patience_ms),
            at: (0, Instant::now()),
            halted: false,
        });
        self
    }

    fn watch_stall(&mut self) {
        let Some(stall) = &mut self.stall else {
            return;
        };
        let (watermark, admitted) =
            (self.control.watermark.load(Ordering::Acquire), self.control.admitted.load(Ordering::Relaxed));
        if watermark != stall.at.0 || watermark >= admitted {
            stall.at = (watermark, Instant::now());
        } else if !stall.halted && stall.at.1.elapsed() > stall.patience {
            stall.halted = true;
            let (input, patience) = (watermark + 1, stall.patience);
            console::say(format!("input {input} is not finished after {patience:?}: trading halts"));
            // If the receiver is gone, the run is over.
            let _ = stall.sender.send(Submission::new(vec![halt(HaltReason::Stalled, watermark, wall_now())], None));
        }
    }

    /// The control that the run is driven with.
    pub(crate) fn control(&self) -> Control {
        self.control.clone()
    }

    /// Called repeatedly during the run.
    pub(crate) fn poll(&mut self) {
        self.watch_stall();
        self.say_notices();
        if let Some(progress) = &self.progress {
            progress.set(self.control.watermark.load(Ordering::Relaxed));
        }
        if !self.announced && self.control.stop.load(Ordering::Relaxed) {
            self.announced = true;
            console::say("signal received: closing sources, draining the pipeline");
        }
    }

    /// Says what the gateway has to say.
    fn say_notices(&self) {
        while let Some(notice) = self.control.venue.take_notice() {
            console::say(notice);
        }
    }

    /// Ends the watch after the run.
    pub(crate) fn end(&mut self) {
        self.progress = None;
        self.say_notices();
        if self.announced || self.control.stop.load(Ordering::Relaxed) {
            let seq = self.control.watermark.load(Ordering::Acquire);
            console::say(format!("drained in order: all {seq} inputs are finished"));
        }
    }
}
