//! Where the files of a host are: `/`, or the folder of a recorded one.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// A folder that has `proc` and `sys`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Root(PathBuf);

impl Root {
    /// This host.
    pub fn host() -> Root {
        Root::at("/")
    }

    /// A folder with the files of a host.
    pub fn at(folder: impl Into<PathBuf>) -> Root {
        Root(folder.into())
    }

    /// Whether it is the host that runs this.
    pub fn is_host(&self) -> bool {
        self.0 == Path::new("/")
    }

    /// Where a file of the host is.
    pub fn path(&self, path: &str) -> PathBuf {
        self.0.join(path.trim_start_matches('/'))
    }

    /// What a file says, without spaces around it; `None` if it cannot be read.
    pub fn read(&self, path: &str) -> Option<String> {
        fs::read_to_string(self.path(path)).ok().map(|text| text.trim().to_owned())
    }

    /// The number that a file says.
    pub fn number(&self, path: &str) -> Option<i64> {
        self.read(path)?.parse().ok()
    }

    /// The names in a folder, in order; none if it cannot be read.
    pub fn list(&self, path: &str) -> Vec<String> {
        let entries = fs::read_dir(self.path(path)).into_iter().flatten().flatten();
        let mut names: Vec<String> = entries.filter_map(|entry| entry.file_name().into_string().ok()).collect();
        names.sort_by_key(|name| (name.trim_end_matches(|c: char| c.is_ascii_digit()).to_owned(), digits(name)));
        names
    }

    /// Writes a value into a file that is there.
    ///
    /// # Errors
    /// When it is not, or the system refuses it.
    pub fn write(&self, path: &str, value: &str) -> io::Result<()> {
        use io::Write as _;
        fs::OpenOptions::new().write(true).truncate(true).open(self.path(path))?.write_all(value.as_bytes())
    }
}

/// The number at the end of a name.
fn digits(name: &str) -> u64 {
    let text = name.trim_start_matches(|c: char| !c.is_ascii_digit());
    text.parse().unwrap_or(0)
}
