//! The journal as its users see it: anyone can read what is written at any time, and a journal resumes after an end.

use crate::common::{enter, examine, fan_out, input, outcome, outcomes_through, read, spec, trades, upkeep, write};
use flow::{Kinds, Registered, Sink};
use proptest::prelude::*;
use sinks::journal::{Journal, JournalError, JournalReader, JournalSpec, LogKind, Trusted, check_place, verify};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

fn check_whole(dir: &Path, last: u64) {
    let (inputs, outcomes) = read(dir);
    assert!(inputs.iter().copied().eq((1..=last).map(input)), "inputs 1..={last}");
    assert!(outcomes == outcomes_through(last), "outcomes of 1..={last}");
    let verified = verify(dir, 100).expect("it reads");
    assert!(verified.is_intact(), "{:#?}", verified.faults);
    assert_eq!((verified.inputs.records, verified.inputs.last_seq), (last, last));
    assert_eq!(verified.outcomes.records, outcomes.len() as u64);
    let closed = verified.closed.expect("closed in order");
    assert_eq!(closed.completed_through, last);
    assert_eq!((verified.inputs.unsealed, verified.outcomes.unsealed), (0, 0));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Holds for any segment size, wherever the journal is closed and however often it is resumed.
    #[test]
    fn what_is_written_is_read(pages in 1u64..6, runs in prop::collection::vec(0u64..700, 1..5)) {
        let folder = tempfile::tempdir().unwrap();
        let dir = folder.path().join("journal");
        let (mut inputs, mut outcomes) = Journal::create(&dir, &spec(64 * pages, 1)).unwrap();
        let mut last = 0;
        for run in runs {
            write(&mut inputs, &mut outcomes, last + 1..=last + run);
            last += run;
            prop_assert_eq!(inputs.records(), last);
            let closed = Journal::close(inputs, outcomes).unwrap();
            prop_assert_eq!(closed.inputs.records, last);
            check_whole(&dir, last);
            let examined = examine(&dir).unwrap();
            prop_assert_eq!(examined.last_input_seq(), last);
            prop_assert_eq!(examined.completed_through(), last);
            prop_assert_eq!(examined.outcome_records(), outcomes_through(last).len() as u64);
            prop_assert_eq!(examined.trusted(), Trusted::default());
            let resumed = examined.accept(upkeep(1)).unwrap();
            prop_assert_eq!(resumed.emptied, 0);
            (inputs, outcomes) = (resumed.inputs, resumed.outcomes);
        }
        drop(outcomes);
        drop(inputs);
        check_whole(&dir, last);
    }

    /// Seeking by seq or by record ends where a sequential read does.
    #[test]
    fn a_seek_lands_where_a_walk_lands(last in 1u64..900, seqs in prop::collection::vec(0u64..1000, 8)) {
        let folder = tempfile::tempdir().unwrap();
        let dir = folder.path().join("journal");
        let (mut inputs, mut outcomes) = Journal::create(&dir, &spec(128, 1)).unwrap();
        write(&mut inputs, &mut outcomes, 1..=last);
        let reader = JournalReader::open(&dir).unwrap();
        let all = outcomes_through(last);
        for seq in seqs {
            let mut log = reader.outcomes();
            log.seek_seq(seq).unwrap();
            let expected = all.iter().position(|e| e.id.seq() >= seq).unwrap_or(all.len());
            prop_assert_eq!(log.next_record(), expected as u64 + 1);
            prop_assert_eq!(log.next().transpose().unwrap(), all.get(expected).copied());
            let mut log = reader.inputs();
            log.seek_record(seq.clamp(1, last));
            prop_assert_eq!(log.next().transpose().unwrap(), Some(input(seq.clamp(1, last))));
        }
    }
}

#[test]
fn a_reader_follows_the_writer() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("journal");
    const LAST: u64 = 60_000;
    let (mut inputs, mut outcomes) = Journal::create(&dir, &spec(1024, 5)).unwrap();
    let reader = JournalReader::open(&dir).unwrap();
    let writer = std::thread::spawn(move || {
        write(&mut inputs, &mut outcomes, 1..=LAST);
        (inputs, outcomes)
    });
    let (mut input_log, mut outcome_log) = (reader.inputs(), reader.outcomes());
    let expected = outcomes_through(LAST);
    let (mut seen_inputs, mut seen_outcomes) = (0u64, 0);
    let deadline = Instant::now() + Duration::from_secs(50);
    while seen_inputs < LAST || seen_outcomes < expected.len() {
        for event in input_log.by_ref() {
            seen_inputs += 1;
            assert_eq!(event.unwrap(), input(seen_inputs));
        }
        let through = reader.completed_through().unwrap();
        for event in outcome_log.by_ref() {
            assert_eq!(event.unwrap(), expected[seen_outcomes]);
            seen_outcomes += 1;
        }
        let whole = (1..=through).map(fan_out).sum::<u64>() as usize;
        assert!(seen_outcomes >= whole, "through {through}: {whole} outcomes promised, {seen_outcomes} there");
        assert!(Instant::now() < deadline, "stuck at {seen_inputs} and {seen_outcomes}");
    }
    let (inputs, outcomes) = writer.join().unwrap();
    assert!(verify(&dir, 10).unwrap().is_intact(), "while it is open");
    Journal::close(inputs, outcomes).unwrap();
    assert!(input_log.next().is_none() && outcome_log.next().is_none());
    check_whole(&dir, LAST);
}

/// However fast the writer goes from segment to segment, whoever checks the journal meanwhile finds it intact.
#[test]
fn a_check_beside_the_writer_finds_no_fault() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("journal");
    let (mut inputs, mut outcomes) = Journal::create(&dir, &spec(64, 64)).unwrap();
    let reader = JournalReader::open(&dir).unwrap();
    let writer = std::thread::spawn(move || {
        for page in 0..150 {
            write(&mut inputs, &mut outcomes, 50 * page + 1..=50 * (page + 1));
            // Now and then, so that a check meets each place of a segment.
            std::thread::sleep(Duration::from_micros(100 * (page % 3)));
        }
        (inputs, outcomes)
    });
    let mut checks = 0;
    while !writer.is_finished() {
        let found = reader.check(&LogKind::BOTH, &AtomicBool::new(false));
        assert!(found.is_ok(), "check {checks}: {}", found.unwrap_err());
        checks += 1;
    }
    let (inputs, outcomes) = writer.join().unwrap();
    Journal::close(inputs, outcomes).unwrap();
    check_whole(&dir, 7_500);
    println!("{checks} checks");
}

/// However slow a run is, only its last seconds are not sealed.
#[test]
fn what_waits_for_a_second_is_sealed() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("journal");
    let (mut inputs, mut outcomes) = Journal::create(&dir, &spec(128, 5)).unwrap();
    for last in [3, 5, 6] {
        let from = inputs.records() + 1;
        write(&mut inputs, &mut outcomes, from..=last);
        let deadline = Instant::now() + Duration::from_secs(20);
        loop {
            let verified = verify(&dir, 10).unwrap();
            assert!(verified.is_intact(), "{:#?}", verified.faults);
            if (verified.inputs.sealed, verified.inputs.unsealed, verified.outcomes.unsealed) == (last, 0, 0) {
                break;
            }
            assert!(Instant::now() < deadline, "{:?} {:?}", verified.inputs, verified.outcomes);
            std::thread::sleep(Duration::from_millis(20));
        }
    }
    write(&mut inputs, &mut outcomes, 7..=300);
    Journal::close(inputs, outcomes).unwrap();
    check_whole(&dir, 300);
}

#[test]
fn only_the_kinds_asked_for_are_kept() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("journal");
    let mut wanted = spec(64, 5);
    wanted.outcome_kinds = trades();
    let (mut inputs, mut outcomes) = Journal::create(&dir, &wanted).unwrap();
    assert_eq!(outcomes.kinds(), trades());
    inputs.append(&input(1)).unwrap();
    outcomes.take(&input(1)).unwrap();
    outcomes.take(&outcome(1, 0)).unwrap();
    Journal::close(inputs, outcomes).unwrap();
    assert_eq!(read(&dir).1, [outcome(1, 0)]);
    assert_eq!(JournalReader::open(&dir).unwrap().info().outcome_kinds, trades());
}

/// A process stopped while creating a journal leaves no journal: the next one starts afresh.
#[test]
fn an_unfinished_start_is_begun_anew() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("journal");
    std::fs::create_dir_all(dir.join("inputs")).unwrap();
    std::fs::create_dir_all(dir.join("outcomes")).unwrap();
    std::fs::write(dir.join("outcomes/gaps"), [0; 10]).unwrap();
    std::fs::write(dir.join("journal.toml.draft"), "form").unwrap();
    assert!(matches!(JournalReader::open(&dir), Err(JournalError::NotAJournal { .. })));
    std::fs::write(dir.join("mine"), "not ours").unwrap();
    assert!(matches!(Journal::create(&dir, &spec(128, 1)), Err(JournalError::Occupied { .. })));
    std::fs::remove_file(dir.join("mine")).unwrap();
    let (mut inputs, mut outcomes) = Journal::create(&dir, &spec(128, 1)).unwrap();
    write(&mut inputs, &mut outcomes, 1..=100);
    Journal::close(inputs, outcomes).unwrap();
    check_whole(&dir, 100);
}

/// A journal of another format is rejected before anything in it is trusted, with what to do.
#[test]
fn another_format_is_refused() {
    let (_folder, dir) = closed();
    let path = dir.join("journal.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(text.starts_with("format = 4\n"), "{text}");
    let old = "format = 1\njournal_id = \"0\"\nbuild_id = \"tidegate 0.0\"\nof_another_time = true\n";
    std::fs::write(&path, old).unwrap();
    let read = JournalReader::open(&dir).map(|_| ()).unwrap_err();
    let resumed = examine(&dir).map(|_| ()).unwrap_err();
    let says = "the journal has format 1, and this build reads format 4 only; read it with the build that wrote it \
                    (tidegate 0.0), or begin a new journal in another folder";
    for error in [read, resumed] {
        assert!(matches!(error, JournalError::OtherFormat { found: 1, .. }), "{error}");
        assert!(error.to_string().ends_with(says), "{error}");
    }
    let faults = verify(&dir, 10).unwrap().faults;
    assert!(faults.len() == 1 && faults[0].to_string().ends_with(says), "{faults:#?}");
}

#[test]
fn a_journal_is_never_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("journal");
    let (inputs, outcomes) = Journal::create(&dir, &spec(64, 5)).unwrap();
    let again = |dir: &Path| Journal::create(dir, &spec(64, 5)).unwrap_err();
    assert!(matches!(again(&dir), JournalError::InUse { .. }));
    assert!(matches!(examine(&dir).unwrap_err(), JournalError::InUse { .. }));
    Journal::close(inputs, outcomes).unwrap();
    assert!(matches!(again(&dir), JournalError::Occupied { found, .. } if found == "a journal"));
    let error = again(&folder.path().join("no/such"));
    assert!(matches!(&error, JournalError::NoParent { parent } if parent.ends_with("no")), "{error}");
    std::fs::write(folder.path().join("file"), "x").unwrap();
    assert!(matches!(again(&folder.path().join("file")), JournalError::Occupied { .. }));
    let open = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(folder.path(), open).unwrap();
    assert!(matches!(again(folder.path()), JournalError::Occupied { found, .. } if found.starts_with("other files")));
    let mode = std::fs::metadata(folder.path()).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o755, "a folder that is refused stays as it is");
    // Whoever only asks is told the same.
    assert!(check_place(&dir).is_ok(), "a journal goes on");
    assert!(check_place(&folder.path().join("new")).is_ok());
    let place = |name: &str| check_place(&folder.path().join(name)).unwrap_err();
    assert!(matches!(place("no/such"), JournalError::NoParent { parent } if parent.ends_with("no")));
    assert!(matches!(place("file"), JournalError::Occupied { .. }));
    assert!(matches!(place(""), JournalError::Occupied { found, .. } if found.starts_with("other files")));
    let empty = folder.path().join("empty");
    std::fs::create_dir(&empty).unwrap();
    let missing = JournalReader::open(&empty).unwrap_err();
    assert!(matches!(missing, JournalError::NotAJournal { .. }), "{missing}");
    assert!(matches!(examine(&empty).unwrap_err(), JournalError::NotAJournal { .. }));
    drop(Journal::create(&empty, &spec(64, 5)).unwrap());
    let error = Journal::create(&folder.path().join("odd"), &spec(100, 5)).unwrap_err();
    assert!(error.to_string().contains("valid: a multiple of 64"), "{error}");
}

#[test]
fn old_outcomes_give_way_at_the_high_water_mark() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("journal");
    let mut small = spec(64, 1);
    small.upkeep.high_water_bytes = 2_000_000;
    let (mut inputs, mut outcomes) = Journal::create(&dir, &small).unwrap();
    for seq in 1..=1_000u64 {
        enter(&mut inputs, &input(seq)).unwrap();
        for n in 0..40 {
            outcomes.take(&outcome(seq, n)).unwrap();
        }
        outcomes.finished(seq).unwrap();
    }
    let closed = Journal::close(inputs, outcomes).unwrap();
    assert_eq!((closed.outcomes.records, closed.completed_through), (40_000, 1_000));
    let reader = JournalReader::open(&dir).unwrap();
    let gaps = reader.gaps().unwrap();
    assert!(gaps.dropped.through_record >= 20_000 && gaps.lost.is_empty(), "{gaps:?}");
    let left: Vec<_> = reader.outcomes().map(Result::unwrap).collect();
    assert_eq!(left.len() as u64, 40_000 - gaps.dropped.through_record);
    let first = gaps.dropped.through_record;
    assert_eq!(left[0], outcome(first / 40 + 1, first % 40));
    assert_eq!(reader.inputs().count(), 1_000);
    let verified = verify(&dir, 10).unwrap();
    assert!(verified.is_intact(), "{:#?}", verified.faults);
    assert_eq!(verified.outcomes.records, 40_000);
    let listed = reader.list().unwrap();
    let outcomes = listed.iter().filter(|s| s.log == LogKind::Outcomes);
    assert_eq!(outcomes.map(|s| s.records).sum::<u64>(), left.len() as u64);
    let examined = examine(&dir).unwrap();
    assert_eq!((examined.outcome_records(), examined.completed_through()), (40_000, 1_000));
    drop(examined.accept(small.upkeep).unwrap());
}

/// A closed journal of 300 inputs, in its own folder.
fn closed() -> (tempfile::TempDir, std::path::PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("journal");
    let (mut inputs, mut outcomes) = Journal::create(&dir, &spec(128, 1)).unwrap();
    write(&mut inputs, &mut outcomes, 1..=300);
    Journal::close(inputs, outcomes).unwrap();
    (folder, dir)
}

/// A process stopped during a close leaves logs that are trimmed but not closed: they are intact.
#[test]
fn a_close_that_was_cut_short_is_no_damage() {
    let (_folder, dir) = closed();
    std::fs::remove_file(dir.join("closed.toml")).unwrap();
    let verified = verify(&dir, 10).unwrap();
    assert!(verified.is_intact(), "{:#?}", verified.faults);
    let examined = examine(&dir).unwrap();
    assert_eq!(examined.last_input_seq(), 300);
    let resumed = examined.accept(upkeep(1)).unwrap();
    let (mut inputs, mut outcomes) = (resumed.inputs, resumed.outcomes);
    write(&mut inputs, &mut outcomes, 301..=400);
    Journal::close(inputs, outcomes).unwrap();
    check_whole(&dir, 400);
}

/// The sixth slot of a segment's header: how many of its records are sealed. Replaces that number.
fn note(dir: &Path, segment: &str, was: u64, now: u64) {
    let path = dir.join(segment);
    let mut bytes = std::fs::read(&path).unwrap();
    assert_eq!(bytes[320..328], was.to_le_bytes());
    bytes[320..328].copy_from_slice(&now.to_le_bytes());
    std::fs::write(&path, bytes).unwrap();
}

/// A process stopped between sealing a block and recording it in the segment's header: a resume records it, even if
/// nothing more is written. A full segment was recorded before anything after it was sealed.
#[test]
fn a_block_that_was_sealed_and_not_noted_is_noted_later() {
    let (_folder, dir) = closed();
    std::fs::remove_file(dir.join("closed.toml")).unwrap();
    note(&dir, "inputs/00000003.seg", 44, 20);
    let resumed = examine(&dir).unwrap().accept(upkeep(1)).unwrap();
    Journal::close(resumed.inputs, resumed.outcomes).unwrap();
    check_whole(&dir, 300);
    std::fs::remove_file(dir.join("closed.toml")).unwrap();
    note(&dir, "inputs/00000002.seg", 128, 20);
    let error = examine(&dir).unwrap_err().to_string();
    assert!(error.contains("inputs/00000002.seg") && error.contains("its count of sealed records"), "{error}");
}

/// A process stopped when a segment of outcomes was sealed and not noted, with more outcomes behind it. When that segment gives
/// way later, the gap ends with its own last record, not with one that was known when the journal went on.
#[test]
fn a_full_segment_that_was_not_noted_gives_way_as_any_other() {
    let (_folder, dir) = closed();
    let listed = JournalReader::open(&dir).unwrap().list().unwrap();
    let outcomes: Vec<_> = listed.into_iter().filter(|s| s.log == LogKind::Outcomes).collect();
    let [.., full, last] = &outcomes[..] else { panic!("two segments: {outcomes:?}") };
    assert!(full.sealed == 128 && (1..128).contains(&last.records), "{outcomes:?}");
    std::fs::remove_file(dir.join("closed.toml")).unwrap();
    note(&dir, &full.file, 128, 64);
    note(&dir, &last.file, last.records, 0);
    std::fs::write(dir.join(&last.file).with_extension("seal"), []).unwrap();
    let file = std::fs::OpenOptions::new().write(true).open(dir.join(&last.file)).unwrap();
    file.set_len(4_096 + 64 * 128).unwrap();
    let mut small = upkeep(1);
    small.high_water_bytes = 100_000;
    let mut resumed = examine(&dir).unwrap().accept(small).unwrap();
    let (all, mut seen) = (outcomes_through(1_500), 0);
    for page in 15..75 {
        write(&mut resumed.inputs, &mut resumed.outcomes, 20 * page + 1..=20 * (page + 1));
        // Time enough for the helper to have a page on the disk before the next one.
        std::thread::sleep(Duration::from_millis(30));
        let dropped = JournalReader::open(&dir).unwrap().gaps().unwrap().dropped;
        if let Some(at) = dropped.through_record.checked_sub(1) {
            assert_eq!(dropped.through_seq, all[at as usize].id.seq(), "{dropped:?}, and {full:?} was not noted");
            seen += u64::from(dropped.through_segment == full.number);
        }
        if dropped.through_segment > full.number {
            break;
        }
    }
    assert!(seen > 0, "it gave way with others");
    Journal::close(resumed.inputs, resumed.outcomes).unwrap();
    let verified = verify(&dir, 10).unwrap();
    assert!(verified.is_intact(), "{:#?}", verified.faults);
}

/// A process stopped while recording gaps leaves one intact copy of two: a resume restores the other.
#[test]
fn going_on_mends_a_copy_of_the_gaps_that_was_cut_short() {
    let (_folder, dir) = closed();
    let gaps = dir.join("outcomes/gaps");
    let whole = std::fs::read(&gaps).unwrap();
    for half in [0..whole.len() / 2, whole.len() / 2..whole.len()] {
        let mut torn = whole.clone();
        torn[half.start + 100..half.end].fill(0);
        std::fs::write(&gaps, torn).unwrap();
        assert_eq!(verify(&dir, 10).unwrap().faults.len(), 1);
        let error = examine(&dir).unwrap_err().to_string();
        assert!(
            error.contains("one of its two copies is damaged"),
            "in a closed journal nothing is cut short: {error}"
        );
        std::fs::remove_file(dir.join("closed.toml")).unwrap();
        let resumed = examine(&dir).unwrap().accept(upkeep(1)).unwrap();
        Journal::close(resumed.inputs, resumed.outcomes).unwrap();
        check_whole(&dir, 300);
    }
}

#[test]
fn the_registry_entry_is_sound() {
    let entry = flow::find(sinks::SINKS, "journal").expect("registered");
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    assert!(root.join(entry.doc()).is_file(), "{}", entry.doc());
    let params = flow::Params::defaults(entry.params());
    let made = sinks::journal::JournalSpec::from_params(&params, "b", "c");
    assert_eq!((made.segment_records, made.outcome_kinds), (262_144, Kinds::ALL));
}

#[test]
fn the_pipeline_allocates_nothing_and_faults_no_page() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("journal");
    let (mut inputs, mut outcomes) = Journal::create(&dir, &JournalSpec::new("test", "")).unwrap();
    write(&mut inputs, &mut outcomes, 1..=5_000);
    let mut run = |from: u64, count: u64| {
        let before = minor_faults();
        let info = allocation_counter::measure(|| write(&mut inputs, &mut outcomes, from..=from + count - 1));
        (minor_faults() - before, info.count_total)
    };
    let _ = run(5_001, 1_000);
    let (few, few_allocations) = run(6_001, 20_000);
    let (many, many_allocations) = run(26_001, 200_000);
    assert_eq!((few_allocations, many_allocations), (0, 0));
    assert_eq!(few, many, "minor faults for 20,000 and for 200,000 inputs");
}

/// This thread's page faults so far.
fn minor_faults() -> u64 {
    let stat = std::fs::read_to_string("/proc/thread-self/stat").unwrap();
    let fields = &stat[stat.rfind(')').unwrap() + 2..];
    fields.split(' ').nth(7).unwrap().parse().unwrap()
}
