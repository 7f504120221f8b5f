//! Settings in the making: every fault is collected, so that all are reported at once.

use super::fault::{Fault, Faults};
use super::settings::Settings;
use std::path::PathBuf;

/// Settings and the faults found so far. A faulty value leaves the default in place.
#[derive(Default)]
pub struct Draft {
    /// The valid settings.
    pub settings: Settings,
    /// The faults.
    pub faults: Vec<Fault>,
    /// Files of the inputs, each with the key that names it.
    pub(super) files: Vec<(String, PathBuf)>,
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

    /// Adds a fault for every input file that does not exist.
    pub fn check_files(&mut self) {
        let missing = self.files.iter().filter(|(_, file)| !file.exists());
        let fault = |(key, file): &(String, PathBuf)| {
            Fault::of_settings(
                key,
                &format!("{} does not exist", file.display()),
                "valid: paths of files, relative to the configuration",
            )
        };
        let missing = missing.map(fault).collect();
        self.faults.extend(self.settings.placed(missing).0);
    }

    /// The settings.
    ///
    /// # Errors
    /// All faults, if there are any.
    pub fn finish(self) -> Result<Settings, Faults> {
        if self.faults.is_empty() { Ok(self.settings) } else { Err(Faults(self.faults)) }
    }
}
