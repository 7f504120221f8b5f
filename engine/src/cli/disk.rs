//! Says how the journal's disk is doing: that its memory is no memory, and that inputs wait for the disk or for memory.
//!
//! Bound: two messages for each time that inputs wait for at least [`LONG`]. Worst case: a disk that is a little too slow
//! all the time makes them wait often and briefly, and only the status tells.

use super::console;
use crate::drive::Control;
use std::time::{Duration, Instant};

/// A shorter wait is not worth a word.
const LONG: Duration = Duration::from_millis(500);

/// What was said so far.
#[derive(Default)]
pub(crate) struct DiskWords {
    began: bool,
    waiting_since: Option<Instant>,
}

impl DiskWords {
    /// Called repeatedly during the run.
    pub(crate) fn look(&mut self, control: &Control) {
        let Some(disk) = control.disk.get() else { return };
        if !std::mem::replace(&mut self.began, true)
            && let Some(warning) = disk.warning()
        {
            console::warn(warning);
        }
        let state = disk.state();
        let waiting = state.waiting_ms.map(Duration::from_millis);
        match (self.waiting_since, waiting) {
            (None, Some(waited)) if waited >= LONG => {
                self.waiting_since = Instant::now().checked_sub(waited);
                let behind = || format!("the journal's disk is {} segments behind", state.behind);
                console::warn(format!("inputs wait: {}", state.no_room.unwrap_or_else(behind)));
            }
            (Some(since), None) => {
                self.waiting_since = None;
                let seconds = since.elapsed().as_secs_f64();
                console::say(format!("the journal has room again: inputs waited {seconds:.1} s"));
            }
            _ => {}
        }
    }
}
