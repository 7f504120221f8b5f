//! A fault in a configuration: its place, what was found, and what would be valid.

use flow::ParamError;
use serde::Serialize;
use std::fmt;
use std::path::Path;

/// A place in a file or on the command line. Places sort in reading order.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Place {
    /// File, or option of the command line.
    pub file: String,
    /// Line, from 1; `None` = the whole file.
    pub line: Option<u32>,
    /// Column in characters, from 1.
    pub column: Option<u32>,
}

impl Place {
    /// The file as a whole.
    pub fn file(path: &Path) -> Place {
        Place { file: path.display().to_string(), line: None, column: None }
    }

    /// A place to be found later by [`Settings::placed`](super::Settings::placed).
    pub fn unknown() -> Place {
        Place::file(Path::new("configuration"))
    }

    /// The byte at `offset` of the file's `text`.
    pub fn at(path: &Path, text: &str, offset: usize) -> Place {
        let before = text.get(..offset).unwrap_or(text);
        let start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let line = before.matches('\n').count() + 1;
        let column = before[start..].chars().count() + 1;
        Place { line: Some(line as u32), column: Some(column as u32), ..Place::file(path) }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        let numbers = [self.line, self.column];
        numbers.iter().flatten().try_for_each(|n| write!(f, ":{n}"))
    }
}

/// One fault.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Fault {
    /// Its place.
    #[serde(flatten)]
    pub place: Place,
    /// Dotted key; empty if the file itself is at fault.
    pub key: String,
    /// What was found.
    pub found: String,
    /// What would be valid.
    pub valid: String,
}

impl Fault {
    /// A fault in `key` at `place`.
    pub fn new(place: Place, key: &str, found: &str, valid: &str) -> Fault {
        Fault { place, key: key.into(), found: found.into(), valid: valid.into() }
    }

    /// A fault in the settings; [`Settings::placed`](super::Settings::placed) fills in its place.
    pub fn of_settings(key: &str, found: &str, valid: &str) -> Fault {
        Fault::new(Place::unknown(), key, found, valid)
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
        write!(f, "{}:{key} {}; {}", self.place, self.found, self.valid)
    }
}

/// All faults of a configuration, at least one.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub struct Faults(pub Vec<Fault>);

impl Faults {
    /// A single fault in a file as a whole.
    pub fn one(file: &Path, key: &str, found: &str, valid: &str) -> Faults {
        Faults(vec![Fault::new(Place::file(file), key, found, valid)])
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_counts_lines_and_characters_from_one() {
        let text = "[a]\nµ = \"x\"\nb = 1";
        let at = |offset| Place::at(Path::new("t.toml"), text, offset).to_string();
        assert_eq!(at(0), "t.toml:1:1");
        assert_eq!(at(4), "t.toml:2:1");
        assert_eq!(at(text.find('"').expect("a quote")), "t.toml:2:5");
        assert_eq!(at(text.len()), "t.toml:3:6");
        assert_eq!(Place::file(Path::new("t.toml")).to_string(), "t.toml");
    }
}
