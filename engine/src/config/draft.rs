//! Settings in the making: every fault is collected, so that all are reported at once.

use super::fault::{Fault, Faults};
use super::keys::INCLUDE;
use super::settings::Settings;

/// Settings and the faults found so far. A faulty value leaves the default in place.
#[derive(Default)]
pub struct Draft {
    /// The valid settings.
    pub settings: Settings,
    /// The faults.
    pub faults: Vec<Fault>,
}

impl From<Settings> for Draft {
    fn from(settings: Settings) -> Draft {
        Draft { settings, ..Draft::default() }
    }
}

impl Draft {
    /// Sets `section.param=value` on behalf of a command-line option.
    pub fn set(&mut self, option: &str, assignment: &str) {
        self.faults.extend(self.settings.set_by(option, assignment).err());
    }

    /// Whether the settings can be looked at further: if the file, one that it includes or the list of stages could not be read, more faults would be
    /// guesses.
    pub fn readable(&self) -> bool {
        !self.faults.iter().any(|f| ["", INCLUDE, "pipeline.stages"].contains(&f.key.as_str()))
    }

    /// The settings.
    ///
    /// # Errors
    /// All faults, if there are any.
    pub fn finish(self) -> Result<Settings, Faults> {
        if self.faults.is_empty() { Ok(self.settings) } else { Err(Faults(self.faults)) }
    }
}
