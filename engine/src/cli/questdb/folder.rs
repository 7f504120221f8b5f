//! The folder of a server: its configuration, which is written once and then the user's, and its log.
//!
//! The configuration holds what the sink relies on: rows come over HTTP, where each batch is acknowledged, and only into
//! tables and columns that are there, so that a mistake is an error and no new table. What the command line says is not in
//! it; the server gets that each time it is started. The log has what an operator must see, since at the server's own level
//! it would grow with every batch.

use crate::cli::exit::Failure;
use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// `conf/server.conf`, unless there is one.
const SERVER: &str = "\
# Written by `tidegate questdb up`; yours from now on: it is never written again. The addresses come from its options.

# Rows come over HTTP, where each batch is acknowledged.
line.tcp.enabled=false
# Only the sink makes tables; what does not fit one is an error.
line.auto.create.new.tables=false
line.auto.create.new.columns=false
telemetry.enabled=false
# Prometheus: /metrics at the address of --health.
metrics.enabled=true
# The server sets disk space aside ahead for every column and every index of symbols that it writes: 16 MB each by default,
# some 9 GB for the tables of the sink instead of 1. It is cut to what is used when a table is closed.
cairo.writer.data.append.page.size=1M
cairo.writer.data.index.value.append.page.size=1M
# With `sync` an acknowledged batch outlives a power failure; it costs a write to the disk for each.
#cairo.commit.mode=sync
";

/// `conf/log.conf`, unless there is one.
const LOG: &str = "\
# Written by `tidegate questdb up`; yours from now on: it is never written again. INFO adds a line for each batch and query.
writers=stdout
w.stdout.class=io.questdb.log.LogConsoleWriter
w.stdout.level=ADVISORY,CRITICAL,ERROR
";

/// Lines of the log that a failure shows.
const SHOWN: usize = 12;

/// A folder with a configuration.
pub(super) struct Folder {
    /// The folder, from the root.
    pub(super) dir: PathBuf,
    /// The log of the server.
    pub(super) log: PathBuf,
    /// How long the log was before this start.
    began: u64,
}

impl Folder {
    /// Creates what is missing: the folder for its owner alone, and the configuration.
    pub(super) fn prepare(dir: &Path) -> Result<Folder, Failure> {
        let failed = |path: &Path, e: io::Error| {
            Failure::failed(format!("{}: {e}; pass --dir with a folder that can be written", path.display()))
        };
        let conf = dir.join("conf");
        DirBuilder::new().recursive(true).mode(0o700).create(&conf).map_err(|e| failed(&conf, e))?;
        for (name, text) in [("server.conf", SERVER), ("log.conf", LOG)] {
            let path = conf.join(name);
            write_new(&path, text).map_err(|e| failed(&path, e))?;
        }
        let dir = dir.canonicalize().map_err(|e| failed(dir, e))?;
        let log = dir.join("questdb.log");
        let began = log.metadata().map_or(0, |there| there.len());
        Ok(Folder { dir, log, began })
    }

    /// The log, to append to.
    pub(super) fn open_log(&self) -> Result<File, Failure> {
        let opened = OpenOptions::new().append(true).create(true).mode(0o600).open(&self.log);
        opened.map_err(|e| Failure::failed(format!("{}: {e}", self.log.display())))
    }

    /// The last lines that this start has logged, without the places in the server's code.
    pub(super) fn last_lines(&self) -> String {
        let mut bytes = Vec::new();
        // A log that cannot be read has nothing to show; where it lies is said all the same.
        let _ = File::open(&self.log).and_then(|mut log| {
            log.seek(SeekFrom::Start(self.began))?;
            log.read_to_end(&mut bytes)
        });
        let text = String::from_utf8_lossy(&bytes);
        let lines: Vec<_> = text.lines().filter(|line| !line.starts_with("\tat ") && !line.is_empty()).collect();
        let last = &lines[lines.len().saturating_sub(SHOWN)..];
        let last: String = last.iter().map(|line| format!("  {line}\n")).collect();
        let what = if last.is_empty() { "it logged nothing" } else { "the last lines of its log" };
        format!("{what} ({}):\n{last}", self.log.display()).trim_end().to_owned()
    }
}

/// Writes a file that is not there; one that is stays as it is.
fn write_new(path: &Path, text: &str) -> io::Result<()> {
    match OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
        Ok(mut file) => file.write_all(text.as_bytes()),
        Err(e) if e.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(e) => Err(e),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn what_the_user_wrote_stays_and_what_is_missing_is_written() {
        let scratch = tempfile::tempdir().expect("a folder");
        let dir = scratch.path().join("a/questdb");
        fs::create_dir_all(dir.join("conf")).expect("a folder");
        fs::write(dir.join("conf/server.conf"), "mine").expect("it can be written");
        let folder = Folder::prepare(&dir).expect("it can be written");
        assert_eq!(fs::read_to_string(dir.join("conf/server.conf")).expect("it is there"), "mine");
        assert_eq!(fs::read_to_string(dir.join("conf/log.conf")).expect("it is there"), LOG);
        assert!(folder.dir.is_absolute());
        drop(folder.open_log().expect("it can be written"));
        let mode = folder.log.metadata().expect("it is there").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn only_lines_of_this_start_are_shown() {
        let scratch = tempfile::tempdir().expect("a folder");
        fs::write(scratch.path().join("questdb.log"), "of yesterday\n").expect("it can be written");
        let folder = Folder::prepare(scratch.path()).expect("it can be written");
        assert!(folder.last_lines().starts_with("it logged nothing ("));
        let mut log = folder.open_log().expect("it can be written");
        (0..20).for_each(|n| writeln!(log, "line {n}\n\tat io.questdb").expect("it can be written"));
        let text = folder.last_lines();
        let lines: Vec<_> = text.lines().skip(1).collect();
        assert_eq!((lines.len(), lines[0], lines[SHOWN - 1]), (SHOWN, "  line 8", "  line 19"));
    }

    #[test]
    fn a_folder_that_cannot_be_made_is_named() {
        let scratch = tempfile::tempdir().expect("a folder");
        let file = scratch.path().join("file");
        fs::write(&file, "").expect("it can be written");
        let message = Folder::prepare(&file).err().expect("it is a file").message;
        assert!(message.contains("file/conf") && message.contains("--dir"), "{message}");
    }
}
