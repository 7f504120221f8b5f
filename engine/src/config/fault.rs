//! A fault of a configuration: where, what was found, what would be valid.

use flow::ParamError;
use std::fmt;
use std::path::Path;

/// One fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// File, or the part of the command line.
    pub file: String,
    /// Key within it, dotted; empty when the file itself is at fault.
    pub key: String,
    /// What was found.
    pub found: String,
    /// What would be valid.
    pub valid: String,
}

impl Fault {
    /// A fault at `key` of `file`.
    pub fn new(file: &Path, key: &str, found: &str, valid: &str) -> Fault {
        Fault { file: file.display().to_string(), key: key.into(), found: found.into(), valid: valid.into() }
    }

    /// A fault that shows only when settings come together, wherever they were written.
    pub fn of_settings(key: &str, found: &str, valid: &str) -> Fault {
        Fault::new(Path::new("configuration"), key, found, valid)
    }
}

impl From<ParamError> for Fault {
    fn from(e: ParamError) -> Fault {
        Fault::of_settings(&e.key, &e.found, &e.valid)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key = if self.key.is_empty() { String::new() } else { format!(" {}:", self.key) };
        write!(f, "{}:{key} {}; {}", self.file, self.found, self.valid)
    }
}

/// All faults of a configuration, at least one.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub struct Faults(pub Vec<Fault>);

impl Faults {
    /// A single fault.
    pub fn one(file: &Path, key: &str, found: &str, valid: &str) -> Faults {
        Faults(vec![Fault::new(file, key, found, valid)])
    }
}

impl From<Fault> for Faults {
    fn from(fault: Fault) -> Faults {
        Faults(vec![fault])
    }
}

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, fault) in self.0.iter().enumerate() {
            if i > 0 {
                writeln!(f)?;
            }
            fault.fmt(f)?;
        }
        Ok(())
    }
}
