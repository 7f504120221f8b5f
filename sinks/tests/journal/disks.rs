//! Disks that hang or fail at will, and what they leave.

use crate::common::{enter, examine, input, read, spec, write};
use flow::Sink;
use sinks::journal::{Disk, DiskOp, Journal, JournalReader, JournalSpec, verify};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

/// A disk that hangs while it is frozen.
#[derive(Clone, Default)]
pub(crate) struct Freezer(Arc<(Mutex<Ice>, Condvar)>);

#[derive(Default)]
struct Ice {
    frozen: bool,
    /// Whether an operation waits for the thaw.
    holds: bool,
}

impl Freezer {
    pub(crate) fn set(&self, frozen: bool) {
        self.0.0.lock().unwrap().frozen = frozen;
        self.0.1.notify_all();
    }

    /// Waits until the helper is held: what it was doing when the disk froze is done then.
    pub(crate) fn until_it_holds(&self) {
        until("the helper is held", || self.0.0.lock().unwrap().holds);
    }

    pub(crate) fn disk(&self) -> Disk {
        let Freezer(state) = self.clone();
        Disk::scripted(move |_| {
            let mut ice = state.0.lock().unwrap();
            ice.holds = ice.frozen;
            drop(state.1.wait_while(ice, |ice| ice.frozen).unwrap());
            Ok(())
        })
    }
}

pub(crate) const SEGMENT: u64 = 256;
pub(crate) const BEHIND: u64 = 5;

pub(crate) fn small() -> JournalSpec {
    let mut spec = spec(SEGMENT, 1);
    spec.upkeep.behind = BEHIND;
    spec
}

pub(crate) fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while !is_so() {
        assert!(Instant::now() < deadline, "{what}");
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// Where the active segments of an open journal lie.
pub(crate) fn memory_of(dir: &Path) -> Option<PathBuf> {
    let note = std::fs::read_to_string(dir.join("memory.toml")).ok()?;
    let line = note.lines().find(|line| line.starts_with("folder = "))?.to_owned();
    Some(PathBuf::from(line.trim_start_matches("folder = ").trim_matches('"')))
}

/// The disk fails with `error` at each operation `op` once it is `on`.
pub(crate) fn failing(op: DiskOp, error: io::ErrorKind, on: &Arc<AtomicBool>) -> Disk {
    let on = Arc::clone(on);
    Disk::scripted(move |now| if now == op && on.load(Ordering::SeqCst) { Err(error.into()) } else { Ok(()) })
}

/// The next start finds everything up to `last`, goes on, and closes the journal.
pub(crate) fn go_on(dir: &Path, last: u64) {
    let examined = examine(dir).unwrap();
    assert_eq!((examined.last_input_seq(), examined.lost_memory()), (last, None));
    let resumed = examined.accept(small().upkeep).unwrap();
    let (mut inputs, mut outcomes) = (resumed.inputs, resumed.outcomes);
    enter(&mut inputs, &input(last + 1)).unwrap();
    outcomes.finished(last + 1).unwrap();
    Journal::close(inputs, outcomes).unwrap();
    assert!(verify(dir, 10).unwrap().is_intact());
    assert!(read(dir).0.into_iter().eq((1..=last + 1).map(input)));
}

/// A journal of 600 inputs whose process died with a frozen disk: what a kill leaves, made by copying the folders.
pub(crate) fn killed(folder: &Path) -> (PathBuf, PathBuf) {
    let (dir, freezer) = (folder.join("journal"), Freezer::default());
    let (mut inputs, mut outcomes) = Journal::create_on(&dir, &small(), freezer.disk()).unwrap();
    write(&mut inputs, &mut outcomes, 1..=300);
    let sealed = || JournalReader::open(&dir).unwrap().list().unwrap().iter().filter(|s| s.sealed == SEGMENT).count();
    until("a segment of each log is sealed", || sealed() >= 2);
    freezer.set(true);
    write(&mut inputs, &mut outcomes, 301..=600);
    freezer.until_it_holds();
    let memory = memory_of(&dir).unwrap();
    let kept = [(dir.clone(), folder.join("kept")), (memory.clone(), folder.join("kept-memory"))];
    kept.iter().for_each(|(from, to)| copy(from, to));
    freezer.set(false);
    Journal::close(inputs, outcomes).unwrap();
    std::fs::remove_dir_all(&dir).unwrap();
    kept.iter().for_each(|(to, from)| copy(from, to));
    (dir, memory)
}

/// Copies a folder, without the drafts of segments, which may get their names meanwhile. A process that does it would hold
/// the locks of other tests for a moment.
pub(crate) fn copy(from: &Path, to: &Path) {
    std::fs::create_dir(to).unwrap();
    let is_draft = |entry: &std::fs::DirEntry| entry.path().extension().is_some_and(|e| e == "draft");
    for entry in std::fs::read_dir(from).unwrap().map(Result::unwrap).filter(|e| !is_draft(e)) {
        let to = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &to);
        } else {
            std::fs::copy(entry.path(), to).unwrap();
        }
    }
}
