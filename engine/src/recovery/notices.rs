//! What people must know before a run starts. A notice stops nothing.

use flow::Ns;
use sinks::journal::Trusted;
use std::path::Path;

/// Takes notices for people; drops them by default.
#[derive(Clone, Copy)]
pub struct Notices(pub fn(String));

impl Default for Notices {
    fn default() -> Notices {
        Notices(drop)
    }
}

impl Notices {
    /// Says something.
    pub fn say(self, text: String) {
        (self.0)(text);
    }

    /// Says that a journal was set aside whose beginning is lost.
    pub fn set_aside(self, place: &Path) {
        self.say(format!(
            "WARNING: {}: a journal whose beginning the disk does not have, as after a power failure while it was new. The run \
             goes on where the journal before it ends: orders at a venue may be open that no record names",
            place.display()
        ));
    }

    /// Says that a journal lacks its newest records, if it does: what is read of it, or goes on, is what its disk has.
    pub fn lost_memory(self, dir: &Path, lost: Option<&str>) {
        if let Some(why) = lost {
            self.say(format!(
                "WARNING: {}: {why}. What is on its disk counts, as after a power failure: inputs and outcomes of the last \
                 seconds may be missing, and orders at a venue may be open that no record names",
                dir.display()
            ));
        }
    }

    /// Says what nothing proves of a journal that goes on, if there is anything.
    pub(super) fn trusted(self, dir: &Path, trusted: &Trusted) {
        if trusted.inputs + trusted.outcomes > 0 {
            let seconds = trusted.ns as f64 / Ns::SECOND as f64;
            self.say(format!(
                "{}: the last {} inputs and {} outcomes were not sealed when the run ended ({seconds:.1} s of its clock): \
                 they are taken on trust, as far as the replay does not contradict them",
                dir.display(),
                trusted.inputs,
                trusted.outcomes
            ));
        }
    }
}
