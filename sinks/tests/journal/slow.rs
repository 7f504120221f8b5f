//! A disk that is slow, hangs, fails or is full: outcomes never wait, inputs wait or halt with words, and nothing is lost.

use crate::common::{enter, examine, fan_out, input, outcome, outcomes_through, read, write};
use crate::disks::{BEHIND, Freezer, SEGMENT, failing, go_on, memory_of, small, until};
use flow::Sink;
use sinks::journal::{Disk, DiskOp, InputLog, Journal, JournalError, JournalReader, OutcomeLog, verify};
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

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
    assert!(
        words.contains("copying, syncing and sealing failed") && words.contains("check the disk (dmesg)"),
        "{words}"
    );
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
        assert!(words.contains("free space, then start the run again: it goes on there"), "{kind:?}: {words}");
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

/// Memory that others fill up takes no segment more: outcomes are left out, and inputs go on as long as they have room.
#[test]
fn outcomes_without_memory_do_not_hold_up_inputs() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("journal");
    let (mut inputs, mut outcomes) = Journal::create(&dir, &small()).unwrap();
    write(&mut inputs, &mut outcomes, 1..=500);
    let outcomes_in_memory = memory_of(&dir).unwrap().join("outcomes");
    std::fs::remove_dir_all(&outcomes_in_memory).unwrap();
    let mut seq = 500;
    until("outcomes are left out, and no input waits for good", || {
        if inputs.ready().unwrap() {
            seq += 1;
            write(&mut inputs, &mut outcomes, seq..=seq);
        }
        outcomes.lost() > 1_000
    });
    std::fs::create_dir(&outcomes_in_memory).unwrap();
    until("they are stored again", || {
        seq += 1;
        let before = outcomes.records();
        write(&mut inputs, &mut outcomes, seq..=seq);
        outcomes.records() > before
    });
    let lost = outcomes.lost();
    let closed = Journal::close(inputs, outcomes).unwrap();
    assert_eq!((closed.inputs.records, closed.completed_through), (seq, seq));
    let gaps = JournalReader::open(&dir).unwrap().gaps().unwrap().lost;
    assert_eq!(gaps.iter().map(|gap| gap.events).sum::<u64>(), lost, "{gaps:?}");
    let verified = verify(&dir, 10).unwrap();
    assert!(verified.is_intact(), "{:#?}", verified.faults);
}

/// While the disk still has segments to take over, inputs wait for that memory, and whoever watches is told why.
#[test]
fn inputs_that_wait_for_memory_say_so() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("journal");
    let freezer = Freezer::default();
    let (mut inputs, outcomes) = Journal::create_on(&dir, &small(), freezer.disk()).unwrap();
    freezer.set(true);
    let in_memory = memory_of(&dir).unwrap().join("inputs");
    std::fs::remove_dir_all(&in_memory).unwrap();
    let watch = inputs.disk();
    until("inputs wait", || {
        while inputs.ready().unwrap() {
            inputs.append(&input(inputs.records() + 1)).unwrap();
        }
        watch.state().waiting_ms.is_some()
    });
    let words = watch.state().no_room.expect("it is said what for");
    assert!(words.contains(&in_memory.display().to_string()), "{words}");
    std::fs::create_dir(&in_memory).unwrap();
    until("they go on by themselves", || inputs.ready().unwrap());
    until("and nothing is said any more", || watch.state().waiting_ms.is_none() && watch.state().no_room.is_none());
    freezer.set(false);
    Journal::close(inputs, outcomes).unwrap();
}

/// A disk that is full for its first `times` operations `full` once it is `on`; and how often it was.
fn full_for_a_moment(full: DiskOp, times: u64, on: &Arc<AtomicBool>) -> (Disk, Arc<AtomicU64>) {
    let (on, failed) = (Arc::clone(on), Arc::new(AtomicU64::new(0)));
    let count = Arc::clone(&failed);
    let disk = Disk::scripted(move |op| {
        let now = op == full && on.load(Ordering::SeqCst) && count.load(Ordering::SeqCst) < times;
        count.fetch_add(u64::from(now), Ordering::SeqCst);
        if now { Err(io::ErrorKind::StorageFull.into()) } else { Ok(()) }
    });
    (disk, failed)
}

/// A disk that says once that it is full, at whatever it does while every segment has its files, is forgiven.
#[test]
fn a_disk_that_was_full_for_a_moment_is_forgotten() {
    for failing in [DiskOp::Write, DiskOp::Sync, DiskOp::Trim] {
        let folder = tempfile::tempdir().unwrap();
        let dir = folder.path().join("journal");
        let on = Arc::default();
        let (disk, failed) = full_for_a_moment(failing, 3, &on);
        let (mut inputs, mut outcomes) = Journal::create_on(&dir, &small(), disk).unwrap();
        on.store(true, Ordering::SeqCst);
        let mut seq = 0;
        until("it was full", || {
            if inputs.ready().unwrap_or(false) {
                seq += 1;
                write(&mut inputs, &mut outcomes, seq..=seq);
            }
            failed.load(Ordering::SeqCst) == 3
        });
        until("there is room again", || inputs.ready().is_ok_and(|ready| ready));
        let last = seq + 20 * SEGMENT;
        let mut lost = outcomes.lost();
        while seq < last {
            seq += 1;
            until("inputs go on", || inputs.ready().is_ok_and(|ready| ready));
            write(&mut inputs, &mut outcomes, seq..=seq);
            lost = if seq == last - 10 * SEGMENT { outcomes.lost() } else { lost };
        }
        assert_eq!(outcomes.lost(), lost, "{failing:?}: outcomes are stored again");
        let closed = Journal::close(inputs, outcomes).unwrap();
        assert_eq!(closed.inputs.records, last, "{failing:?}");
        let verified = verify(&dir, 10).unwrap();
        assert!(verified.is_intact(), "{failing:?}: {:#?}", verified.faults);
    }
}

/// A journal whose outcomes had no memory for a while: some were left out, and nothing was stored since.
fn with_outcomes_left_out(dir: &Path, disk: Disk) -> (InputLog, OutcomeLog) {
    let (mut inputs, mut outcomes) = Journal::create_on(dir, &small(), disk).unwrap();
    let in_memory = memory_of(dir).unwrap().join("outcomes");
    std::fs::remove_dir_all(&in_memory).unwrap();
    write(&mut inputs, &mut outcomes, 1..=100);
    (0..5_000).for_each(|n| outcomes.take(&outcome(100, n)).unwrap());
    assert!(outcomes.lost() > 4_000);
    std::fs::create_dir(&in_memory).unwrap();
    (inputs, outcomes)
}

/// Calls the last input finished until the outcomes have a segment again.
fn finish_all(outcomes: &mut OutcomeLog, dir: &Path) {
    let segment = memory_of(dir).unwrap().join("outcomes");
    until("there is room for outcomes again", || std::fs::read_dir(&segment).unwrap().count() > 1);
    outcomes.finished(100).unwrap();
}

fn gap_of(dir: &Path) -> u64 {
    let verified = verify(dir, 10).unwrap();
    assert!(verified.is_intact(), "{:#?}", verified.faults);
    verified.gaps.unwrap().lost.iter().map(|gap| gap.events).sum()
}

/// What was left out is recorded too if the run stops before another outcome is stored.
#[test]
fn a_stop_keeps_the_record_of_what_was_left_out_last() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("journal");
    let (inputs, mut outcomes) = with_outcomes_left_out(&dir, Disk::default());
    finish_all(&mut outcomes, &dir);
    let lost = outcomes.lost();
    let closed = Journal::close(inputs, outcomes).unwrap();
    assert_eq!((closed.completed_through, gap_of(&dir)), (100, lost));
}

/// A full disk that cannot take the record of a gap is tried again.
#[test]
fn a_gap_that_could_not_be_recorded_at_once_is_recorded_later() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("journal");
    let on = Arc::default();
    let (disk, failed) = full_for_a_moment(DiskOp::Write, 3, &on);
    let (inputs, mut outcomes) = with_outcomes_left_out(&dir, disk);
    let sealed = || JournalReader::open(&dir).unwrap().list().unwrap().iter().map(|s| s.sealed).sum::<u64>();
    until("all else is sealed, so that the gap is what is written next", || sealed() == 100 + outcomes.records());
    std::thread::sleep(Duration::from_millis(50));
    on.store(true, Ordering::SeqCst);
    finish_all(&mut outcomes, &dir);
    until("it was full", || failed.load(Ordering::SeqCst) == 3);
    let lost = outcomes.lost();
    Journal::close(inputs, outcomes).unwrap();
    assert_eq!(gap_of(&dir), lost);
}

/// A segment whose folder could not be made durable is made anew, and nothing of it is in the way.
#[test]
fn a_segment_that_could_not_be_made_is_made_later() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("journal");
    let (failed, made) = (Arc::new(AtomicU64::new(0)), AtomicBool::new(false));
    let count = Arc::clone(&failed);
    let disk = Disk::scripted(move |op| {
        let after_making = made.swap(op == DiskOp::Allocate, Ordering::SeqCst) && op == DiskOp::Sync;
        let fails = after_making && (3..6).contains(&count.fetch_add(1, Ordering::SeqCst));
        if fails { Err(io::ErrorKind::Other.into()) } else { Ok(()) }
    });
    let (mut inputs, mut outcomes) = Journal::create_on(&dir, &small(), disk).unwrap();
    until("it could not be made", || failed.load(Ordering::SeqCst) > 6);
    for seq in 1..=2_000 {
        // That it works for one of the logs says nothing of the other: its helper tries again in its own time.
        until("the next one is made", || inputs.ready().is_ok());
        write(&mut inputs, &mut outcomes, seq..=seq);
    }
    Journal::close(inputs, outcomes).unwrap();
    assert!(verify(&dir, 10).unwrap().is_intact() && read(&dir).0.into_iter().eq((1..=2_000).map(input)));
}
