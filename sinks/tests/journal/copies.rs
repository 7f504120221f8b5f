//! What the disk holds at any moment, without the memory: each time a journal that goes on.
//!
//! The helper's disk is copied before each of its operations, as a snapshot of the file system, `cp -r` or a power failure
//! finds it, while the writers go on in between.

use crate::common::{examine, fan_out, input, outcome, outcomes_through, read};
use crate::disks::{copy, killed, small, until};
use flow::Sink;
use sinks::journal::{Disk, InputLog, Journal, OutcomeLog};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

/// The writers' ends, which go on while the helper is at work.
#[derive(Default)]
struct Ends(Mutex<Option<(InputLog, OutcomeLog)>>);

impl Ends {
    /// Writes up to ten more inputs with their outcomes, as far as they need not wait.
    fn write_on(&self) {
        let mut ends = self.0.lock().unwrap();
        let Some((inputs, outcomes)) = ends.as_mut() else { return };
        for _ in 0..10 {
            if !inputs.ready().unwrap() {
                return;
            }
            let seq = inputs.records() + 1;
            inputs.append(&input(seq)).unwrap();
            (0..fan_out(seq)).for_each(|n| outcomes.take(&outcome(seq, n)).unwrap());
            outcomes.finished(seq).unwrap();
        }
    }
}

/// What is on the disk goes on: no outcome is there whose input is not, and none is missing that it calls complete.
fn check_copy(dir: &Path) {
    let examined = examine(dir).unwrap_or_else(|e| panic!("{}: {e}", dir.display()));
    let (last, completed) = (examined.last_input_seq(), examined.completed_through());
    assert!(completed <= last, "{}: complete through {completed}, but {last} inputs", dir.display());
    let resumed = examined.accept(small().upkeep).unwrap();
    Journal::close(resumed.inputs, resumed.outcomes).unwrap();
    let (inputs, outcomes) = read(dir);
    assert!(inputs.into_iter().eq((1..=last).map(input)));
    assert!(outcomes_through(last).starts_with(&outcomes), "{}", dir.display());
    assert!(outcomes.len() >= outcomes_through(completed).len(), "{}: {completed}", dir.display());
}

#[test]
fn what_the_disk_holds_goes_on_whenever_it_is_copied() {
    const COPIES: u64 = 60;
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("journal");
    let (ends, copies): (Arc<Ends>, Arc<AtomicU64>) = Default::default();
    let path_of = |folder: &Path, n: u64| -> PathBuf { folder.join(format!("copy-{n}")) };
    let (writers, count) = (Arc::clone(&ends), Arc::clone(&copies));
    let (from, to) = (dir.clone(), folder.path().to_owned());
    let disk = Disk::scripted(move |_| {
        if from.join("journal.toml").exists() && count.load(Ordering::SeqCst) < COPIES {
            writers.write_on();
            copy(&from, &path_of(&to, count.fetch_add(1, Ordering::SeqCst)));
        }
        Ok(())
    });
    *ends.0.lock().unwrap() = Some(Journal::create_on(&dir, &small(), disk).unwrap());
    until("the helper has done so much", || {
        ends.write_on();
        copies.load(Ordering::SeqCst) == COPIES
    });
    let (inputs, outcomes) = ends.0.lock().unwrap().take().unwrap();
    let last = inputs.records();
    Journal::close(inputs, outcomes).unwrap();
    assert!(read(&dir).0.into_iter().eq((1..=last).map(input)));
    (0..COPIES).for_each(|n| check_copy(&path_of(folder.path(), n)));
}

/// A journal that lost its memory is opened again, and its disk is copied before each step of that, or is full from that step
/// on: each time it is still a journal with all that it had.
#[test]
fn an_opening_that_is_cut_short_leaves_a_journal() {
    let folder = tempfile::tempdir().unwrap();
    let (killed, memory) = killed(folder.path());
    std::fs::remove_dir_all(&memory).unwrap();
    // What follows the end of the log, as a power failure may leave it.
    let tail = std::fs::OpenOptions::new().write(true).open(killed.join("inputs/00000002.seg")).unwrap();
    tail.write_all_at(&[1; 64], 4_096 + 64 * 250).unwrap();
    let last = examine(&killed).unwrap().last_input_seq();
    for full_from in (0..).map(|n| n * 3) {
        let [dir, halfway] = ["journal", "halfway"].map(|name| folder.path().join(format!("{name}-{full_from}")));
        copy(&killed, &dir);
        let (steps, count) = (Arc::new(AtomicU64::new(0)), full_from);
        let (from, to, step) = (dir.clone(), halfway.clone(), Arc::clone(&steps));
        let disk = Disk::scripted(move |_| match step.fetch_add(1, Ordering::SeqCst) {
            n if n < count => Ok(()),
            n => {
                if n == count {
                    copy(&from, &to);
                }
                Err(io::ErrorKind::StorageFull.into())
            }
        });
        let opened = examine(&dir).unwrap().accept_on(small().upkeep, disk);
        let is_open = opened.is_ok();
        drop(opened.map(|resumed| Journal::close(resumed.inputs, resumed.outcomes)));
        for dir in [&dir, &halfway].into_iter().filter(|dir| dir.exists()) {
            assert_eq!(examine(dir).unwrap().last_input_seq(), last, "{}", dir.display());
            check_copy(dir);
        }
        if is_open {
            assert!(full_from > 6, "opening takes some steps");
            return;
        }
    }
}
