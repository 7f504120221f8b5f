//! What lay in memory: found again after a kill, private, told when it is gone, and never taken from another journal.

use crate::common::{examine, input, outcomes_through, read, write};
use crate::disks::{Freezer, SEGMENT, copy, go_on, killed, memory_of, small, until};
use sinks::journal::{Journal, JournalReader, LogKind, verify};
use std::collections::BTreeSet;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

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

#[test]
fn what_only_memory_held_is_there_after_a_kill() {
    let folder = tempfile::tempdir().unwrap();
    let (dir, memory) = killed(folder.path());
    go_on(&dir, 600);
    assert!(!memory.exists());
}

fn remove(path: &Path) {
    if path.is_dir() { std::fs::remove_dir_all(path).unwrap() } else { std::fs::remove_file(path).unwrap() }
}

/// Folders beside that of the active segments, with what is left of it.
fn set_aside(memory: &Path) -> Option<PathBuf> {
    let name = memory.file_name().unwrap().to_str().unwrap();
    Some(memory.with_file_name(format!("set-aside-{name}"))).filter(|aside| aside.exists())
}

/// Whatever inputs are gone of it, the journal goes on from the disk, says so, and keeps what is left.
#[test]
fn memory_that_is_gone_is_noticed() {
    for gone in ["", "inputs", "inputs/00000002.seg"] {
        let folder = tempfile::tempdir().unwrap();
        let (dir, memory) = killed(folder.path());
        remove(&memory.join(gone));
        let examined = examine(&dir).unwrap();
        let words = examined.lost_memory().expect("it is noticed").to_owned();
        assert!(words.starts_with("its newest records lay in memory at ") && words.contains("gone"), "{words}");
        let last = examined.last_input_seq();
        assert!((1..600).contains(&last), "{gone}: {last}");
        drop(examined);
        // Whoever only reads it is told too.
        assert_eq!(JournalReader::open(&dir).unwrap().lost_memory(), Some(words.as_str()));
        assert_eq!(verify(&dir, 10).unwrap().lost_memory, Some(words.clone()));
        assert!(gone.is_empty() || memory.exists(), "an examination changes nothing");
        let resumed = examine(&dir).unwrap().accept(small().upkeep).unwrap();
        drop((resumed.inputs, resumed.outcomes));
        assert!(verify(&dir, 10).unwrap().is_intact());
        let (inputs, outcomes) = read(&dir);
        assert!(inputs.into_iter().eq((1..=last).map(input)), "{gone}");
        assert!(outcomes_through(last).starts_with(&outcomes), "{gone}");
        assert!(!memory.exists() && memory_of(&dir).is_none(), "{gone}");
        let aside = set_aside(&memory);
        assert_eq!(aside.is_some(), !gone.is_empty(), "{gone}");
        if let Some(aside) = aside {
            assert!(words.contains("keeps what is left in a folder set-aside-"), "{words}");
            assert!(aside.join("outcomes/00000003.seg").exists(), "{gone}");
            remove(&aside);
        }
    }
}

/// Outcomes that are gone from memory are derived again: no input is given up for them.
#[test]
fn outcomes_that_are_gone_from_memory_take_no_input_with_them() {
    for gone in ["outcomes", "outcomes/00000002.seg", "outcomes/00000003.seg", "outcomes/00000004.seg"] {
        let folder = tempfile::tempdir().unwrap();
        let (dir, memory) = killed(folder.path());
        let _ = std::fs::remove_file(memory.join(gone));
        if gone == "outcomes" {
            remove(&memory.join(gone));
        }
        let examined = examine(&dir).unwrap();
        let completed = examined.completed_through();
        drop(examined);
        let resumed = examine(&dir).unwrap().accept(small().upkeep).unwrap();
        Journal::close(resumed.inputs, resumed.outcomes).unwrap();
        let verified = verify(&dir, 10).unwrap();
        assert!(verified.is_intact(), "{gone}: {:#?}", verified.faults);
        let (inputs, outcomes) = read(&dir);
        assert!(inputs.into_iter().eq((1..=600).map(input)), "{gone}");
        assert!(outcomes_through(600).starts_with(&outcomes), "{gone}");
        assert!(outcomes.len() >= outcomes_through(completed).len(), "{gone}: {completed}");
    }
}

/// The word that says how much of a segment on the disk is sealed has no say in what lies in memory.
#[test]
fn a_damaged_word_on_the_disk_takes_no_input_from_memory() {
    let folder = tempfile::tempdir().unwrap();
    let (dir, _) = (0..)
        .map(|n| {
            let folder = folder.path().join(n.to_string());
            std::fs::create_dir(&folder).unwrap();
            killed(&folder)
        })
        .find(|(dir, _)| {
            let sealed = JournalReader::open(dir).unwrap().list().unwrap();
            sealed.iter().any(|s| (s.log, s.number, s.sealed) == (LogKind::Inputs, 2, 0))
        })
        .unwrap();
    let first = std::fs::OpenOptions::new().write(true).open(dir.join("inputs/00000001.seg")).unwrap();
    first.write_all_at(&100u64.to_le_bytes(), 320).unwrap();
    go_on(&dir, 600);
}

/// Anybody may put something into shared memory: what others put there is left alone and holds up nobody.
#[test]
fn what_others_put_into_memory_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let (dir, memory) = (folder.path().join("journal"), folder.path().join("memory"));
    let mut spec = small();
    spec.upkeep.memory = memory.display().to_string();
    let (own, pipe, foreign) = (memory.join("tidegate-1"), memory.join("tidegate-2"), memory.join("tidegate-3"));
    [&memory, &own, &pipe, &foreign].into_iter().for_each(|folder| std::fs::create_dir(folder).unwrap());
    let named = std::process::Command::new("mkfifo").arg(pipe.join("journal")).status().unwrap();
    assert!(named.success());
    std::fs::create_dir(&dir).unwrap();
    let place = std::fs::canonicalize(&dir).unwrap();
    [&own, &foreign].into_iter().for_each(|to| std::fs::write(to.join("journal"), place.to_str().unwrap()).unwrap());
    std::os::unix::fs::symlink(&foreign, memory.join("tidegate-4")).unwrap();
    // Only root can give it to somebody else.
    let is_foreign = std::os::unix::fs::chown(&foreign, Some(12_345), None).is_ok();
    let (inputs, outcomes) = Journal::create(&dir, &spec).unwrap();
    assert!(!own.exists() && pipe.exists() && memory.join("tidegate-4").is_symlink());
    assert_eq!(foreign.exists(), is_foreign);
    Journal::close(inputs, outcomes).unwrap();
}

/// Whoever clears shared memory while the journal is written takes nothing that the disk does not get all the same.
#[test]
fn memory_that_is_cleared_during_a_run_does_not_stop_its_close() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("journal");
    let (mut inputs, mut outcomes) = Journal::create(&dir, &small()).unwrap();
    write(&mut inputs, &mut outcomes, 1..=400);
    remove(&memory_of(&dir).unwrap());
    write(&mut inputs, &mut outcomes, 401..=500);
    Journal::close(inputs, outcomes).unwrap();
    assert!(verify(&dir, 10).unwrap().is_intact() && read(&dir).0.into_iter().eq((1..=500).map(input)));
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
    assert!(!memory.exists(), "what an earlier run of this journal left is set aside");
    remove(&set_aside(&memory).unwrap());
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

/// Where an earlier run had no shared memory, the next one has none either, and says so again.
#[test]
fn going_on_without_shared_memory_is_said_again() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("journal");
    let (freezer, mut spec) = (Freezer::default(), small());
    spec.upkeep.memory = "disk".to_owned();
    let (mut inputs, mut outcomes) = Journal::create_on(&dir, &spec, freezer.disk()).unwrap();
    freezer.set(true);
    write(&mut inputs, &mut outcomes, 1..=300);
    drop(outcomes);
    inputs.close_within(Duration::from_millis(50)).unwrap_err();
    let killed = folder.path().join("killed");
    copy(&dir, &killed);
    freezer.set(false);
    until("the first one is closed", || dir.join("closed.toml").exists());
    std::fs::remove_dir_all(&dir).unwrap();
    std::fs::rename(&killed, &dir).unwrap();
    let resumed = examine(&dir).unwrap().accept(small().upkeep).unwrap();
    let warning = resumed.inputs.disk().warning().map(str::to_owned).expect("it is said");
    assert!(warning.contains("a slow disk can delay inputs: they lie in "), "{warning}");
    Journal::close(resumed.inputs, resumed.outcomes).unwrap();
    assert!(read(&dir).0.into_iter().eq((1..=300).map(input)));
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
    let warning = inputs.disk().warning().expect("it is said").to_owned();
    assert!(warning.contains("a slow disk can delay inputs"), "{warning}");
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

/// Halts are noted where the newest records lie, until the very end: that does not make a close fail.
#[test]
fn what_is_noted_in_memory_at_the_end_does_not_fail_the_close() {
    let folder = tempfile::tempdir().unwrap();
    for n in 0..20 {
        let dir = folder.path().join(n.to_string());
        let (mut inputs, mut outcomes) = Journal::create(&dir, &small()).unwrap();
        write(&mut inputs, &mut outcomes, 1..=10);
        let note = inputs.disk().memory().join("halt.toml");
        let deadline = Instant::now() + Duration::from_secs(30);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                while std::fs::write(&note, "a halt").is_ok() {
                    assert!(Instant::now() < deadline, "the folder stays");
                }
            });
            Journal::close(inputs, outcomes).unwrap();
        });
        assert!(!note.parent().unwrap().exists());
    }
}

/// Which files the input segments in memory are.
fn files_of(memory: &Path) -> BTreeSet<u64> {
    use std::os::unix::fs::DirEntryExt;
    std::fs::read_dir(memory.join("inputs")).unwrap().map(|entry| entry.unwrap().ino()).collect()
}

/// The number of a segment does not tell which memory it has: the next ones get that of those that are on the disk. A reader
/// that was in the middle of one goes on there.
#[test]
fn memory_is_used_again_and_a_reader_does_not_notice() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("journal");
    let (mut inputs, mut outcomes) = Journal::create(&dir, &small()).unwrap();
    let memory = memory_of(&dir).expect("a note of it");
    let reader = JournalReader::open(&dir).unwrap();
    let mut readers = Vec::new();
    let mut files = BTreeSet::new();
    const SEGMENTS: u64 = 30;
    for number in 1..=SEGMENTS {
        let first = (number - 1) * SEGMENT + 1;
        write(&mut inputs, &mut outcomes, first..=first);
        // It stands at the segment's first record, and has read no more of it.
        let mut log = reader.inputs();
        log.seek_record(first);
        assert_eq!(log.next().unwrap().unwrap(), input(first));
        readers.push(log);
        write(&mut inputs, &mut outcomes, first + 1..=first + SEGMENT - 1);
        // The writer leaves a segment when it has the next record.
        if number > 1 {
            let before = memory.join(format!("inputs/{:08}.seg", number - 1));
            until("the segment before is on the disk alone", || !before.exists());
        }
        files.extend(files_of(&memory));
    }
    // Two that are written or copied, two ahead, two drafts; and one of which the writer had not quite let go.
    assert!(files.len() <= 7, "{SEGMENTS} segments took {} files", files.len());
    let last = SEGMENTS * SEGMENT;
    for (number, log) in (1..).zip(readers) {
        let rest = (number - 1) * SEGMENT + 2..=last;
        assert!(log.map(Result::unwrap).eq(rest.map(input)), "from segment {number}");
    }
    assert!(verify(&dir, 10).unwrap().is_intact());
    Journal::close(inputs, outcomes).unwrap();
    assert!(read(&dir).0.into_iter().eq((1..=last).map(input)));
}

/// What a writer had given back when it died does not stay in memory.
#[test]
fn drafts_of_a_writer_that_died_go() {
    let folder = tempfile::tempdir().unwrap();
    let (dir, memory) = killed(folder.path());
    let draft = memory.join("inputs/00000009.draft");
    std::fs::write(&draft, [7; 64 << 10]).unwrap();
    let resumed = examine(&dir).unwrap().accept(small().upkeep).unwrap();
    assert!(!draft.exists());
    Journal::close(resumed.inputs, resumed.outcomes).unwrap();
    assert!(read(&dir).0.into_iter().eq((1..=600).map(input)));
}
