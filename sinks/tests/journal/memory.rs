//! What lay in memory: found again after a kill, private, told when it is gone, and never taken from another journal.

use crate::common::{examine, input, outcomes_through, read, write};
use crate::disks::{copy, go_on, killed, memory_of, small};
use sinks::journal::{Journal, verify};

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
