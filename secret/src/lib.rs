//! Reads a secret at the moment in which it is used.
//!
//! Nothing prints a [`Secret`]: neither it nor an error shows a byte of the value. Bound: 64 KiB; a place that is
//! no plain file is refused, so reading does not wait for a writer.

#![forbid(unsafe_code)]

use flow::SecretPlace;
use std::fmt;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// The most bytes of a secret.
const MOST: u64 = 65_536;

/// The value of a secret.
pub struct Secret(Vec<u8>);

impl Secret {
    /// Reads the secret at `place`, without a line break at its end.
    ///
    /// # Errors
    /// When it is not there, is empty or too long; the error names the place.
    pub fn read(place: &SecretPlace) -> Result<Secret, SecretError> {
        let failed = |why: String| SecretError { place: place.to_string(), why };
        let mut value = match place {
            SecretPlace::File(path) => file(Path::new(path)).map_err(|e| failed(e.to_string()))?,
            SecretPlace::Env(name) => {
                let value = std::env::var_os(name).ok_or_else(|| failed("the variable is not set".to_owned()))?;
                value.into_encoded_bytes()
            }
            SecretPlace::Credential(name) => {
                let folder = std::env::var_os("CREDENTIALS_DIRECTORY").map(PathBuf::from);
                let folder = folder.ok_or_else(|| failed("systemd has not set CREDENTIALS_DIRECTORY".to_owned()))?;
                file(&folder.join(name)).map_err(|e| failed(e.to_string()))?
            }
        };
        for end in [b'\n', b'\r'] {
            if value.last() == Some(&end) {
                value.pop();
            }
        }
        match value.len() as u64 {
            0 => Err(failed("it is empty".to_owned())),
            1..=MOST => Ok(Secret(value)),
            _ => Err(failed(format!("it is longer than {MOST} bytes"))),
        }
    }

    /// The value; do not let it get anywhere but where it is used.
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(not shown)")
    }
}

/// Why a secret cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the secret at {place} cannot be read: {why}")]
pub struct SecretError {
    place: String,
    why: String,
}

fn file(path: &Path) -> io::Result<Vec<u8>> {
    // Opening a pipe that nobody writes would wait for ever.
    if !path.metadata()?.is_file() {
        return Err(io::Error::other("it is not a plain file"));
    }
    let mut value = Vec::new();
    std::fs::File::open(path)?.take(MOST + 3).read_to_end(&mut value)?;
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_read_and_never_shown() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        let place = SecretPlace::File(path.display().to_string());
        std::fs::write(&path, "canary-17\r\n").unwrap();
        let secret = Secret::read(&place).unwrap();
        assert_eq!(secret.bytes(), b"canary-17");
        assert!(!format!("{secret:?}").contains("canary"));
        std::fs::write(&path, "\n").unwrap();
        let empty = Secret::read(&place).unwrap_err().to_string();
        assert!(empty.ends_with("/key cannot be read: it is empty"), "{empty}");
        std::fs::write(&path, "canary".repeat(20_000)).unwrap();
        let long = Secret::read(&place).unwrap_err().to_string();
        assert!(long.ends_with("longer than 65536 bytes") && !long.contains("canary"), "{long}");
        let folder = SecretPlace::File(folder.path().display().to_string());
        assert!(Secret::read(&folder).unwrap_err().to_string().ends_with("it is not a plain file"));
        let unset = SecretPlace::Env("TIDEGATE_NO_SUCH_VARIABLE".to_owned());
        assert!(Secret::read(&unset).unwrap_err().to_string().ends_with("the variable is not set"));
        let path = std::env::var("PATH").unwrap();
        assert_eq!(Secret::read(&SecretPlace::Env("PATH".to_owned())).unwrap().bytes(), path.as_bytes());
    }
}
