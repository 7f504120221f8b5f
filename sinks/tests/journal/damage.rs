//! Any change to the files of a sealed journal is detected and reported with its file, record, offset and seq.
//!
//! A run of 10,000 records. `TIDEGATE_DAMAGE=all` removes each record in turn; otherwise a sample is drawn with a
//! printed seed.

use crate::common::{examine, input, outcome, spec};
use flow::Sink;
use sinks::journal::{Damage, Fault, Journal, JournalReader, LogKind, Verified, verify};
use std::fs;
use std::path::{Path, PathBuf};

const INPUTS: u64 = 6_000;
const OUTCOMES: u64 = 4_000;
const SEGMENT: u64 = 4_608;

struct Sample {
    _folder: tempfile::TempDir,
    dir: PathBuf,
    random: u64,
}

impl Sample {
    fn new() -> Sample {
        let folder = tempfile::tempdir().unwrap();
        let dir = folder.path().join("journal");
        let (mut inputs, mut outcomes) = Journal::create(&dir, &spec(SEGMENT, 2)).unwrap();
        for seq in 1..=INPUTS {
            inputs.append(&input(seq)).unwrap();
            if seq % 3 != 0 {
                outcomes.take(&outcome(seq, 0)).unwrap();
            }
            outcomes.finished(seq).unwrap();
        }
        let closed = Journal::close(inputs, outcomes).unwrap();
        assert_eq!((closed.inputs.records, closed.outcomes.records), (INPUTS, OUTCOMES));
        assert!(verify(&dir, 10).unwrap().is_intact());
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
        let random = now.as_nanos() as u64 | 1;
        println!("seed {random}");
        Sample { _folder: folder, dir, random }
    }

    fn draw(&mut self, below: u64) -> u64 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        self.random % below
    }

    /// Verifies with `file` changed by `change`, then restores it.
    fn with(&self, file: &str, change: impl FnOnce(&mut Vec<u8>)) -> Verified {
        let path = self.dir.join(file);
        let before = fs::read(&path).unwrap();
        let mut bytes = before.clone();
        change(&mut bytes);
        assert!(bytes != before, "the damage changes something");
        fs::write(&path, bytes).unwrap();
        let verified = verify(&self.dir, 20_000).unwrap();
        fs::write(&path, before).unwrap();
        verified
    }
}

/// File, offset and seq of a record.
fn place(log: LogKind, record: u64) -> (String, u64, u64) {
    let (number, index) = ((record - 1) / SEGMENT + 1, (record - 1) % SEGMENT);
    let seq = if log == LogKind::Inputs { record } else { (record - 1) / 2 * 3 + (record - 1) % 2 + 1 };
    (format!("{log}/{number:08}.seg"), 4096 + 64 * index, seq)
}

fn assert_names(fault: &Fault, log: LogKind, record: u64, seq_within: Option<u64>) {
    let (file, offset, seq) = place(log, record);
    assert_eq!(
        (fault.log, &fault.file, fault.record, fault.offset),
        (Some(log), &file, Some(record), Some(offset)),
        "{fault}"
    );
    let near = seq_within.is_none_or(|d| fault.seq.is_some_and(|s| s.abs_diff(seq) <= d));
    assert!(near, "{fault}: seq {seq}");
}

#[test]
fn every_bit_of_a_record_counts() {
    let mut sample = Sample::new();
    for (log, last) in [(LogKind::Inputs, INPUTS), (LogKind::Outcomes, OUTCOMES)] {
        for record in [1, 4_000.min(last), last] {
            let (file, offset, _) = place(log, record);
            for byte in 0..64 {
                let bit = sample.draw(8);
                let verified = sample.with(&file, |b| b[(offset + byte) as usize] ^= 1 << bit);
                assert_eq!(verified.faults.len(), 1, "{log} {record} byte {byte}: {:#?}", verified.faults);
                assert!(matches!(verified.faults[0].what, Damage::Changed { .. }));
                assert_names(&verified.faults[0], log, record, Some(if log == LogKind::Inputs { 0 } else { 2 }));
            }
        }
    }
}

#[test]
fn a_bit_in_every_record_is_a_fault_in_every_record() {
    let mut sample = Sample::new();
    for (log, last) in [(LogKind::Inputs, INPUTS), (LogKind::Outcomes, OUTCOMES)] {
        let kept: Vec<_> = (1..=last.div_ceil(SEGMENT)).map(|n| sample.dir.join(format!("{log}/{n:08}.seg"))).collect();
        let kept: Vec<_> = kept.into_iter().map(|path| (fs::read(&path).unwrap(), path)).collect();
        for record in 1..=last {
            let (file, offset, _) = place(log, record);
            let bit = sample.draw(512);
            flip(&sample.dir.join(file), offset + bit / 8, bit % 8);
        }
        let verified = verify(&sample.dir, 20_000).unwrap();
        assert_eq!(verified.faults.len() as u64, last);
        assert_eq!(verify(&sample.dir, 10).unwrap().more_faults, last - 10);
        for (fault, record) in verified.faults.iter().zip(1..) {
            assert!(matches!(fault.what, Damage::Changed { .. }));
            // If every record is damaged, so are an outcome's neighbours, from which its seq follows.
            assert_names(fault, log, record, (log == LogKind::Inputs).then_some(0));
        }
        kept.iter().for_each(|(bytes, path)| fs::write(path, bytes).unwrap());
    }
}

fn flip(path: &Path, byte: u64, bit: u64) {
    use std::os::unix::fs::FileExt;
    let file = fs::OpenOptions::new().read(true).write(true).open(path).unwrap();
    let mut one = [0];
    file.read_exact_at(&mut one, byte).unwrap();
    file.write_all_at(&[one[0] ^ 1 << bit], byte).unwrap();
}

#[test]
fn removed_repeated_and_exchanged_records_are_named() {
    let mut sample = Sample::new();
    let all = std::env::var("TIDEGATE_DAMAGE").is_ok_and(|v| v == "all");
    for (log, last) in [(LogKind::Inputs, INPUTS), (LogKind::Outcomes, OUTCOMES)] {
        let mut records: Vec<u64> = (1..=last).collect();
        if !all {
            records = (0..40).map(|_| sample.draw(last) + 1).chain([1, 2, SEGMENT.min(last), last]).collect();
        }
        for record in records {
            one_record(&sample, log, record, last);
        }
    }
}

fn one_record(sample: &Sample, log: LogKind, record: u64, last: u64) {
    let (file, offset, _) = place(log, record);
    let at = offset as usize;
    let of = |v: &Verified, record: u64| v.faults.iter().find(|f| f.record == Some(record)).cloned();
    let moved = sample.with(&file, |b| drop(b.drain(at..at + 64)));
    let removed = of(&moved, record).unwrap_or_else(|| panic!("{log} {record}: {:#?}", moved.faults));
    assert_eq!(removed.what, Damage::Removed, "{log} {record}");
    assert_names(&removed, log, record, Some(2));
    assert!(moved.faults.iter().any(|f| matches!(f.what, Damage::Length { .. })));
    let zeroed = sample.with(&file, |b| b[at..at + 64].fill(0));
    assert!(of(&zeroed, record).is_some_and(|f| matches!(f.what, Damage::Changed { .. })), "{log} {record}");
    if record < last && !record.is_multiple_of(SEGMENT) {
        let swapped = sample.with(&file, |b| b[at..at + 128].rotate_left(64));
        assert_eq!(swapped.faults.len(), 1, "{:#?}", swapped.faults);
        assert_eq!(of(&swapped, record).map(|f| f.what), Some(Damage::Swapped));
        let repeated = sample.with(&file, |b| drop(b.splice(at..at, b[at..at + 64].to_vec())));
        assert_eq!(
            of(&repeated, record + 1).map(|f| f.what),
            Some(Damage::Inserted { duplicate: true }),
            "{log} {record}"
        );
    }
}

#[test]
fn every_other_byte_counts_too() {
    let mut sample = Sample::new();
    let files = [
        "journal.toml",
        "closed.toml",
        "outcomes/gaps",
        "outcomes/00000001.seal",
        "inputs/00000002.seal",
        "inputs/00000001.seg",
    ];
    for file in files {
        let length = fs::metadata(sample.dir.join(file)).unwrap().len();
        let text = file.ends_with("toml");
        let first = if text { length } else { 300 };
        let more: Vec<u64> = (0..60).map(|_| sample.draw(length.min(4096))).collect();
        for byte in (0..first).chain([320, 321, 327]).chain(more).filter(|b| *b < length) {
            let bit = sample.draw(8);
            let verified = sample.with(file, |b| b[byte as usize] ^= 1 << bit);
            assert!(!verified.is_intact(), "{file}: bit {bit} of byte {byte}");
        }
    }
    assert!(verify(&sample.dir, 10).unwrap().is_intact(), "all is put back");
}

#[test]
fn missing_and_exchanged_files_are_named() {
    let sample = Sample::new();
    for file in [
        "inputs/00000001.seg",
        "inputs/00000002.seg",
        "outcomes/00000001.seg",
        "inputs/00000001.seal",
        "outcomes/00000001.seal",
        "outcomes/gaps",
    ] {
        let (path, away) = (sample.dir.join(file), sample.dir.join("away"));
        fs::rename(&path, &away).unwrap();
        let verified = verify(&sample.dir, 10).unwrap();
        fs::rename(&away, &path).unwrap();
        assert_eq!(verified.faults.first().map(|f| f.file.as_str()), Some(file), "{:#?}", verified.faults);
    }
    let other = Sample::new();
    let foreign = fs::read(other.dir.join("inputs/00000001.seg")).unwrap();
    assert!(!sample.with("inputs/00000001.seg", |b| *b = foreign).is_intact());
    let second = fs::read(sample.dir.join("inputs/00000002.seal")).unwrap();
    assert!(!sample.with("inputs/00000001.seal", |b| *b = second).is_intact());
    let cut = sample.with("inputs/00000002.seg", |b| b.truncate(b.len() - 100));
    let what = Damage::Length { found: 4096 + 64 * (INPUTS - SEGMENT) - 100, expected: 4096 + 64 * (INPUTS - SEGMENT) };
    assert_eq!(cut.faults[0].what, what);
}

#[test]
fn damage_stops_a_reader_and_a_resume_with_its_place() {
    let sample = Sample::new();
    let path = sample.dir.join("inputs/00000002.seg");
    flip(&path, 20, 3);
    let mut inputs = JournalReader::open(&sample.dir).unwrap().inputs();
    let error = inputs.find_map(Result::err).expect("a damaged header").to_string();
    assert!(error.contains("inputs/00000002.seg") && error.contains("journal verify"), "{error}");
    assert!(inputs.next().is_none());
    let error = examine(&sample.dir).unwrap_err().to_string();
    assert!(error.contains("inputs/00000002.seg"), "{error}");
}
