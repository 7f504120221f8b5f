//! Settings in the making: whatever is wrong is kept, so that all of it can be said at once.

use super::fault::{Fault, Faults};
use super::settings::Settings;
use std::path::PathBuf;

/// Settings and the faults found so far. A value at fault has left its default in place.
#[derive(Default)]
pub struct Draft {
    /// What could be set.
    pub settings: Settings,
    /// What could not.
    pub faults: Vec<Fault>,
    /// Files that inputs name, with the keys that name them.
    pub(super) files: Vec<(String, PathBuf)>,
}

impl From<Settings> for Draft {
    fn from(settings: Settings) -> Draft {
        Draft { settings, ..Draft::default() }
    }
}

impl Draft {
    /// Sets `section.param=value` for an option of the command line.
    pub fn set(&mut self, option: &str, assignment: &str) {
        self.faults.extend(self.settings.set_by(option, assignment).err());
    }

    /// Adds a fault for every file of an input that does not exist.
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
    /// All faults, if there is one.
    pub fn finish(self) -> Result<Settings, Faults> {
        if self.faults.is_empty() { Ok(self.settings) } else { Err(Faults(self.faults)) }
    }
}
