//! Where a secret is: all that a configuration, a journal or a message ever says about it.
//!
//! `file:PATH`, `env:NAME`, or `credential:NAME` (a file in the folder that systemd names in `CREDENTIALS_DIRECTORY`). The
//! value is read by who uses it, when it is used, and is kept nowhere else. Bound: one short text each.

use std::fmt;

/// The place of a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecretPlace {
    /// A file with nothing but the secret; a line break at its end does not count.
    File(String),
    /// A variable of the environment.
    Env(String),
    /// A credential that systemd hands to the service.
    Credential(String),
}

impl SecretPlace {
    /// Reads `file:PATH`, `env:NAME` or `credential:NAME`; `None` if it is none of these, and then possibly the secret itself.
    pub fn parse(text: &str) -> Option<SecretPlace> {
        let (kind, name) = text.split_once(':')?;
        let printable = !name.is_empty() && !name.contains(char::is_control);
        let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
        match kind {
            "file" if printable => Some(SecretPlace::File(name.to_owned())),
            "env" if printable && name.chars().all(is_word) => Some(SecretPlace::Env(name.to_owned())),
            "credential" if printable && !name.contains('/') && name != "." && name != ".." => {
                Some(SecretPlace::Credential(name.to_owned()))
            }
            _ => None,
        }
    }
}

impl fmt::Display for SecretPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SecretPlace::File(path) => write!(f, "file:{path}"),
            SecretPlace::Env(name) => write!(f, "env:{name}"),
            SecretPlace::Credential(name) => write!(f, "credential:{name}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_read_as_it_is_written_and_nothing_else_is_one() {
        for text in ["file:/run/keys/venue", "file:relative key", "env:VENUE_KEY", "credential:venue.key"] {
            assert_eq!(SecretPlace::parse(text).expect("a place").to_string(), text);
        }
        for text in
            ["", "hunter2", "file:", "env:A B", "env:", "credential:../shadow", "credential:..", "File:x", "file:a\nb"]
        {
            assert_eq!(SecretPlace::parse(text), None, "{text:?}");
        }
    }
}
