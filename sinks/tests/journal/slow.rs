//! A disk that is slow, hangs, fails or is full: outcomes never wait, inputs wait or halt with words, and nothing is lost.

use crate::common::{enter, examine, fan_out, input, outcome, outcomes_through, read, spec, write};
use flow::Sink;
use sinks::journal::{Disk, DiskOp, Journal, JournalError, JournalReader, JournalSpec, verify};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

/// A disk that hangs while it is frozen.
#[derive(Clone, Default)]
struct Freezer(Arc<(Mutex<Ice>, Condvar)>);

#[derive(Default)]
struct Ice {
    frozen: bool,
    /// Whether an operation waits for the thaw.
    holds: bool,
}

impl Freezer {
    fn set(&self, frozen: bool) {
        self.0.0.lock().unwrap().frozen = frozen;
        self.0.1.notify_all();
    }

    /// Waits until the helper is held: what it was doing when the disk froze is done then.
    fn until_it_holds(&self) {
        until("the helper is held", || self.0.0.lock().unwrap().holds);
    }

    fn disk(&self) -> Disk {
        let Freezer(state) = self.clone();
        Disk::scripted(move |_| {
            let mut ice = state.0.lock().unwrap();
            ice.holds = ice.frozen;
            drop(state.1.wait_while(ice, |ice| ice.frozen).unwrap());
            Ok(())
        })
    }
}

const SEGMENT: u64 = 256;
const BEHIND: u64 = 5;

fn small() -> JournalSpec {
    let mut spec = spec(SEGMENT, 1);
    spec.upkeep.behind = BEHIND;
    spec
}

fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while !is_so() {
        assert!(Instant::now() < deadline, "{what}");
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// Where the active segments of an open journal lie.
fn memory_of(dir: &Path) -> Option<PathBuf> {
    let note = std::fs::read_to_string(dir.join("memory.toml")).ok()?;
    let line = note.lines().find(|line| line.starts_with("folder = "))?.to_owned();
    Some(PathBuf::from(line.trim_start_matches("folder = ").trim_matches('"')))
}

#[test]
fn a_disk_that_hangs_makes_inputs_wait_and_outcomes_be_left_out() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("journal");
    let freezer = Freezer::default();
    let (mut inputs, mut outcomes) = Journal::create_on(&dir, &small(), freezer.disk()).unwrap();
    let watch = inputs.disk();
    write(&mut inputs, &mut outcomes, 1..=1_000);
    until("the disk keeps up", || watch.state().behind == 0);
    let before = watch.state().waits;
    freezer.set(true);
    let mut seq = 1_000;
    until("inputs come to wait", || {
        while inputs.ready().unwrap() {
            seq += 1;
            inputs.append(&input(seq)).unwrap();
            (0..fan_out(seq)).for_each(|n| outcomes.take(&outcome(seq, n)).unwrap());
            outcomes.finished(seq).unwrap();
        }
        watch.state().waiting_ms.is_some()
    });
    assert_eq!(outcomes.lost(), 0, "the inputs stop while there is room for their outcomes");
    let state = watch.state();
    assert_eq!((state.limit, state.waits), (BEHIND, before + 1), "{state:?}");
    assert!((BEHIND - 1..=BEHIND).contains(&state.behind), "{state:?}");
    assert!((100..(BEHIND + 1) * SEGMENT).contains(&(seq - 1_000)), "{seq}");
    assert!(inputs.append(&input(seq + 1)).is_err() || inputs.records() == seq + 1, "it does not wait either");
    let last = inputs.records();
    // Whoever has more outcomes all the same does not wait: they are left out.
    (0..20_000).for_each(|n| outcomes.take(&outcome(last, n)).unwrap());
    outcomes.finished(last).unwrap();
    let lost = outcomes.lost();
    assert!(lost > 15_000, "{lost}");
    assert!(!inputs.ready().unwrap());
    freezer.set(false);
    until("it goes on by itself", || inputs.ready().unwrap());
    until("and says so", || watch.state().waiting_ms.is_none());
    write(&mut inputs, &mut outcomes, last + 1..=last + 2_000);
    let closed = Journal::close(inputs, outcomes).unwrap();
    assert_eq!((closed.inputs.records, closed.completed_through), (last + 2_000, last + 2_000));
    let gaps = JournalReader::open(&dir).unwrap().gaps().unwrap();
    assert_eq!(
        gaps.lost.iter().map(|l| (l.from_seq, l.through_seq, l.events)).collect::<Vec<_>>(),
        [(last, last, lost)]
    );
    let verified = verify(&dir, 10).unwrap();
    assert!(verified.is_intact(), "{:#?}", verified.faults);
    assert!(read(&dir).0.into_iter().eq((1..=last + 2_000).map(input)));
}

#[test]
fn readers_find_what_only_memory_holds() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("journal");
    let freezer = Freezer::default();
    let (mut inputs, mut outcomes) = Journal::create_on(&dir, &small(), freezer.disk()).unwrap();
    let mut early = JournalReader::open(&dir).unwrap().inputs();
    freezer.set(true);
    write(&mut inputs, &mut outcomes, 1..=600);
    let (all, all_outcomes) = read(&dir);
    assert!(all.into_iter().eq((1..=600).map(input)) && all_outcomes == outcomes_through(600));
    assert!(early.by_ref().map(Result::unwrap).eq((1..=600).map(input)));
    let verified = verify(&dir, 10).unwrap();
    assert!(verified.is_intact(), "{:#?}", verified.faults);
    freezer.set(false);
    Journal::close(inputs, outcomes).unwrap();
    assert_eq!(memory_of(&dir), None);
    // The reader goes on where the next run writes.
    let resumed = examine(&dir).unwrap().accept(small().upkeep).unwrap();
    let (mut inputs, mut outcomes) = (resumed.inputs, resumed.outcomes);
    write(&mut inputs, &mut outcomes, 601..=900);
    until("it sees them", || early.by_ref().map(Result::unwrap).last().is_some_and(|e| e == input(900)));
    Journal::close(inputs, outcomes).unwrap();
}

#[test]
fn a_slow_disk_loses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("journal");
    let slow = Disk::scripted(|_| {
        std::thread::sleep(Duration::from_millis(1));
        Ok(())
    });
    let (mut inputs, mut outcomes) = Journal::create_on(&dir, &small(), slow).unwrap();
    write(&mut inputs, &mut outcomes, 1..=5_000);
    assert_eq!(outcomes.lost(), 0);
    assert!(inputs.stalls() > 0, "they had to wait for it");
    Journal::close(inputs, outcomes).unwrap();
    let (inputs, outcomes) = read(&dir);
    assert!(inputs.into_iter().eq((1..=5_000).map(input)) && outcomes == outcomes_through(5_000));
    assert!(verify(&dir, 10).unwrap().is_intact());
}

/// The disk fails with `error` at each operation `op` once it is `on`.
fn failing(op: DiskOp, error: io::ErrorKind, on: &Arc<AtomicBool>) -> Disk {
    let on = Arc::clone(on);
    Disk::scripted(move |now| if now == op && on.load(Ordering::SeqCst) { Err(error.into()) } else { Ok(()) })
}

#[test]
fn a_disk_that_fails_halts_the_inputs_and_leaves_the_journal_to_the_next_start() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("journal");
    let on = Arc::default();
    let disk = failing(DiskOp::Sync, io::ErrorKind::Other, &on);
    let (mut inputs, mut outcomes) = Journal::create_on(&dir, &small(), disk).unwrap();
    write(&mut inputs, &mut outcomes, 1..=700);
    on.store(true, Ordering::SeqCst);
    let mut last = 700;
    let mut halted = None;
    until("the inputs halt", || {
        last += 1;
        halted = enter(&mut inputs, &input(last)).err();
        halted.is_some()
    });
    let words = halted.unwrap().to_string();
    assert!(words.contains("syncing and sealing failed") && words.contains("check the disk (dmesg)"), "{words}");
    let error = Journal::close(inputs, outcomes).unwrap_err();
    assert!(matches!(error, JournalError::Io { .. }), "{error}");
    go_on(&dir, last - 1);
}

#[test]
fn a_disk_that_is_full_in_any_way_halts_the_inputs_until_there_is_room() {
    use io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};
    for (op, kind) in
        [(DiskOp::Allocate, StorageFull), (DiskOp::Allocate, QuotaExceeded), (DiskOp::Write, FileTooLarge)]
    {
        let folder = tempfile::tempdir().unwrap();
        let dir = folder.path().join("journal");
        let on = Arc::default();
        let (mut inputs, mut outcomes) = Journal::create_on(&dir, &small(), failing(op, kind, &on)).unwrap();
        write(&mut inputs, &mut outcomes, 1..=100);
        on.store(true, Ordering::SeqCst);
        let mut last = 100;
        let mut halted = None;
        until("the inputs halt", || {
            while halted.is_none() && last < 4_000 {
                last += 1;
                halted = enter(&mut inputs, &input(last)).err();
            }
            halted.is_some()
        });
        assert!(last < 100 + 8 * SEGMENT, "{kind:?}: {last}");
        let words = halted.unwrap().to_string();
        assert!(words.contains("free space, then resume the journal"), "{kind:?}: {words}");
        on.store(false, Ordering::SeqCst);
        until("there is room again", || enter(&mut inputs, &input(last)).is_ok());
        (101..=last).for_each(|seq| {
            (0..fan_out(seq)).for_each(|n| outcomes.take(&outcome(seq, n)).unwrap());
            outcomes.finished(seq).unwrap();
        });
        let closed = Journal::close(inputs, outcomes).unwrap();
        assert_eq!(closed.inputs.records, last, "{kind:?}");
        assert!(verify(&dir, 10).unwrap().is_intact(), "{kind:?}");
    }
}

/// A full disk takes every sealed outcome; what lies in memory then begins after a gap, and is all there all the same.
#[test]
fn a_run_that_ends_on_a_full_disk_keeps_every_input() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("journal");
    let on = Arc::default();
    let disk = failing(DiskOp::Allocate, io::ErrorKind::StorageFull, &on);
    let (mut inputs, mut outcomes) = Journal::create_on(&dir, &small(), disk).unwrap();
    write(&mut inputs, &mut outcomes, 1..=6 * SEGMENT);
    on.store(true, Ordering::SeqCst);
    let mut last = 6 * SEGMENT;
    let mut halted = None;
    until("the inputs halt", || {
        last += 1;
        halted = enter(&mut inputs, &input(last)).err();
        if halted.is_none() {
            (0..fan_out(last)).for_each(|n| outcomes.take(&outcome(last, n)).unwrap());
            outcomes.finished(last).unwrap();
        }
        halted.is_some()
    });
    assert!(halted.unwrap().to_string().contains("no space"));
    assert!(matches!(Journal::close(inputs, outcomes).unwrap_err(), JournalError::NoSpace { .. }));
    let gaps = JournalReader::open(&dir).unwrap().gaps().unwrap();
    assert!(gaps.dropped.through_segment > 0, "old outcomes gave way");
    assert!(verify(&dir, 10).unwrap().is_intact());
    let examined = examine(&dir).unwrap();
    assert_eq!((examined.last_input_seq(), examined.lost_memory()), (last - 1, None));
    let resumed = examined.accept(small().upkeep).unwrap();
    Journal::close(resumed.inputs, resumed.outcomes).unwrap();
    assert!(read(&dir).0.into_iter().eq((1..last).map(input)));
}

/// The next start finds everything up to `last`, goes on, and closes the journal.
fn go_on(dir: &Path, last: u64) {
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

#[test]
fn nothing_lies_in_memory_after_a_close_and_everything_is_private() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("journal");
    let (mut inputs, mut outcomes) = Journal::create(&dir, &small()).unwrap();
    write(&mut inputs, &mut outcomes, 1..=2_000);
    let memory = memory_of(&dir).expect("a note of it");
    let mut seen = 0;
    let mut waiting = vec![memory.clone(), dir.clone()];
    while let Some(path) = waiting.pop() {
        // The helper takes files away meanwhile.
        let Ok(found) = std::fs::metadata(&path) else { continue };
        let expected = if found.is_dir() { 0o700 } else { 0o600 };
        assert_eq!(found.permissions().mode() & 0o777, expected, "{}", path.display());
        if found.is_dir() {
            waiting.extend(std::fs::read_dir(&path).unwrap().map(|e| e.unwrap().path()));
        }
        seen += 1;
    }
    assert!(seen > 10, "{seen}");
    Journal::close(inputs, outcomes).unwrap();
    assert!(!memory.exists() && !dir.join("memory.toml").exists());
}

/// A journal of 600 inputs whose process died with a frozen disk: what a kill leaves, made by copying the folders.
fn killed(folder: &Path) -> (PathBuf, PathBuf) {
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
fn copy(from: &Path, to: &Path) {
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

#[test]
fn what_only_memory_held_is_there_after_a_kill() {
    let folder = tempfile::tempdir().unwrap();
    let (dir, memory) = killed(folder.path());
    go_on(&dir, 600);
    assert!(!memory.exists());
}

/// Whatever is gone of it, the journal goes on from the disk, and says so.
#[test]
fn memory_that_is_gone_is_noticed() {
    for gone in ["", "inputs", "outcomes", "inputs/00000002.seg"] {
        let folder = tempfile::tempdir().unwrap();
        let (dir, memory) = killed(folder.path());
        let path = memory.join(gone);
        if path.is_dir() {
            std::fs::remove_dir_all(&path).unwrap()
        } else {
            std::fs::remove_file(&path).unwrap()
        }
        let examined = examine(&dir).unwrap();
        let words = examined.lost_memory().expect("it is noticed").to_owned();
        assert!(words.starts_with("its newest records lay in memory at ") && words.contains("gone"), "{words}");
        let last = examined.last_input_seq();
        assert!((1..600).contains(&last), "{gone}: {last}");
        drop(examined);
        let resumed = examine(&dir).unwrap().accept(small().upkeep).unwrap();
        drop((resumed.inputs, resumed.outcomes));
        assert!(verify(&dir, 10).unwrap().is_intact());
        let (inputs, outcomes) = read(&dir);
        assert!(inputs.into_iter().eq((1..=last).map(input)), "{gone}");
        assert!(outcomes_through(last).starts_with(&outcomes), "{gone}");
        assert!(!memory.exists() && memory_of(&dir).is_none(), "{gone}");
    }
}

#[test]
fn another_boot_makes_memory_a_thing_of_the_past() {
    let folder = tempfile::tempdir().unwrap();
    let (dir, memory) = killed(folder.path());
    let note = dir.join("memory.toml");
    let text = std::fs::read_to_string(&note).unwrap();
    let boot = text.lines().find(|l| l.starts_with("boot = ")).unwrap();
    let text = text.replace(boot, "boot = \"another\"");
    std::fs::write(&note, &text).unwrap();
    let altered = examine(&dir).unwrap_err().to_string();
    assert!(
        altered.contains("memory.toml: it does not match its check"),
        "a note that is altered is no other boot: {altered}"
    );
    let check = text.lines().find(|l| l.starts_with("check = ")).unwrap();
    let crc = crc32c::crc32c_append(crc32c::crc32c(b"another"), memory.as_os_str().as_encoded_bytes());
    std::fs::write(&note, text.replace(check, &format!("check = \"{crc:08x}\""))).unwrap();
    let examined = examine(&dir).unwrap();
    let words = examined.lost_memory().expect("it is noticed").to_owned();
    assert!(words.ends_with("and the system was started anew since"), "{words}");
    assert!(examined.last_input_seq() < 600);
    let resumed = examined.accept(small().upkeep).unwrap();
    drop((resumed.inputs, resumed.outcomes));
    assert!(!memory.exists(), "what an earlier run of this journal left is removed");
}

/// A copy of a journal does not take the records of its original, and leaves them alone; the original has them.
#[test]
fn a_copy_leaves_the_memory_of_its_original_alone() {
    let folder = tempfile::tempdir().unwrap();
    let (dir, memory) = killed(folder.path());
    let other = folder.path().join("copy");
    copy(&dir, &other);
    let examined = examine(&other).unwrap();
    let words = examined.lost_memory().expect("it is noticed").to_owned();
    assert!(words.contains("of which this is a copy"), "{words}");
    let resumed = examined.accept(small().upkeep).unwrap();
    assert_ne!(memory_of(&other), Some(memory.clone()));
    drop((resumed.inputs, resumed.outcomes));
    go_on(&dir, 600);
}

#[test]
fn a_journal_that_was_moved_keeps_its_memory() {
    let folder = tempfile::tempdir().unwrap();
    let (dir, memory) = killed(folder.path());
    let moved = folder.path().join("moved");
    std::fs::rename(&dir, &moved).unwrap();
    go_on(&moved, 600);
    assert!(!memory.exists());
}

#[test]
fn what_a_deleted_journal_left_in_memory_goes_when_another_begins_in_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let (dir, memory) = killed(folder.path());
    std::fs::remove_dir_all(&dir).unwrap();
    let elsewhere = Journal::create(&folder.path().join("elsewhere"), &small()).unwrap();
    assert!(memory.exists(), "it may belong to a journal that is not there at the moment");
    let (inputs, outcomes) = Journal::create(&dir, &small()).unwrap();
    assert!(!memory.exists());
    Journal::close(inputs, outcomes).unwrap();
    Journal::close(elsewhere.0, elsewhere.1).unwrap();
}

#[test]
fn a_journal_can_do_without_shared_memory() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("journal");
    let mut spec = small();
    spec.upkeep.memory = "disk".to_owned();
    let (mut inputs, mut outcomes) = Journal::create(&dir, &spec).unwrap();
    let word = inputs.disk().word().expect("it is said").to_owned();
    assert!(word.contains("a slow disk can delay inputs"), "{word}");
    write(&mut inputs, &mut outcomes, 1..=2_000);
    assert!(memory_of(&dir).unwrap().starts_with(std::fs::canonicalize(&dir).unwrap()));
    Journal::close(inputs, outcomes).unwrap();
    assert!(!dir.join("memory").exists());
    let (inputs, outcomes) = read(&dir);
    assert!(inputs.into_iter().eq((1..=2_000).map(input)) && outcomes == outcomes_through(2_000));
    spec.upkeep.memory = folder.path().join("none").display().to_string();
    let error = Journal::create(&folder.path().join("second"), &spec).unwrap_err();
    assert!(
        error.to_string().contains("journal.memory: ") && error.to_string().contains("valid: auto, disk"),
        "{error}"
    );
    assert!(!folder.path().join("second").exists());
}

/// While the helper hangs, a stop does not: it says so and leaves the journal as it is.
#[test]
fn a_stop_does_not_wait_for_a_disk_that_does_not_answer() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("journal");
    let freezer = Freezer::default();
    let (mut inputs, mut outcomes) = Journal::create_on(&dir, &small(), freezer.disk()).unwrap();
    write(&mut inputs, &mut outcomes, 1..=500);
    freezer.set(true);
    drop(outcomes);
    let began = Instant::now();
    let error = inputs.close_within(Duration::from_millis(100)).unwrap_err();
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    assert!(matches!(error, JournalError::Silent { .. }), "{error}");
    let words = error.to_string();
    assert!(
        words.contains("the disk has not answered for") && words.contains("the next start goes on from there"),
        "{words}"
    );
    assert!(memory_of(&dir).is_some_and(|memory| memory.exists()));
    freezer.set(false);
    until("the helper ends when the disk answers", || memory_of(&dir).is_none());
}

/// While the disk answers, however slowly, a stop waits for it.
#[test]
fn a_stop_waits_for_a_slow_disk() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("journal");
    let (slow, done) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let (is_slow, count) = (Arc::clone(&slow), Arc::clone(&done));
    let disk = Disk::scripted(move |_| {
        if is_slow.load(Ordering::SeqCst) {
            std::thread::sleep(Duration::from_millis(30));
            count.fetch_add(1, Ordering::SeqCst);
        }
        Ok(())
    });
    let (mut inputs, mut outcomes) = Journal::create_on(&dir, &small(), disk).unwrap();
    write(&mut inputs, &mut outcomes, 1..=500);
    slow.store(true, Ordering::SeqCst);
    drop(outcomes);
    let closed = inputs.close_within(Duration::from_millis(2_000)).unwrap().expect("it is closed");
    assert_eq!(closed.inputs.records, 500);
    assert!(done.load(Ordering::SeqCst) > 3);
}
