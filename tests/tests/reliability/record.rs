//! What was altered is refused, and what was only dropped to make room is not taken for altered.

use flow::Kind;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tidegate_tests::rig::Service;
use tidegate_tests::{amount, draw, seed};

/// Bytes before the first record of a segment.
const HEADER: usize = 4096;
/// Where in a record its kind and its body stand.
const KIND: usize = 20;
const BODY: usize = 24;

/// Outcomes that are dropped, while a start compares them, are gaps.
#[test]
fn dropping_outcomes_keeps_no_run_from_going_on() {
    let mut random = seed();
    let service = Service::paper(2_000_000).with("journal.high_water_mb=25");
    for n in 0..amount(10, 100) {
        let mut life = service.start("max");
        life.until("its journal", || service.journal().join("journal.toml").exists());
        std::thread::sleep(Duration::from_micros(200_000 + draw(&mut random, 400_000)));
        assert!(life.runs(), "start {n} ended by itself:\n{}", life.said());
        life.kill();
        if draw(&mut random, 4) == 0 {
            service.about(&["snapshot", "--journal"]).expect(0);
        }
    }
}

/// The segments of a log, the first first.
fn segments(journal: &Path, log: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(journal.join(log)).expect("a folder");
    let mut all: Vec<_> =
        entries.map(|e| e.expect("a file").path()).filter(|p| p.extension().is_some_and(|e| e == "seg")).collect();
    all.sort();
    all
}

/// Every file of a folder, with its bytes.
fn bytes(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut all = BTreeMap::new();
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            all.append(&mut bytes(&path));
        } else {
            all.insert(path.clone(), std::fs::read(&path).expect("a file"));
        }
    }
    all
}

/// Changes a number in the last record of this kind in a segment.
fn alter(segment: &Path, kind: Kind) {
    let mut data = std::fs::read(segment).expect("a segment");
    let record = data[HEADER..].chunks_exact_mut(64).rev().find(|record| record[KIND] == kind.0);
    record.expect("one of that kind")[BODY + 8] ^= 1;
    std::fs::write(segment, data).expect("it can be written");
}

/// A sealed record that was altered is not sealed anew, whether its seal is there, gone, or a snapshot stands behind it.
#[test]
fn an_altered_record_is_refused_and_nothing_is_written() {
    let (fill, position) = (Kind::Fill, Kind::Position);
    for (log, kind, unsealed, last) in [
        ("inputs", fill, true, true),
        ("inputs", fill, false, true),
        ("inputs", fill, true, false),
        ("outcomes", position, true, true),
    ] {
        let service = Service::paper(150_000);
        service.finish(&["--speed", "max"]).expect(0);
        let journal = service.journal();
        service.about(&["snapshot", "--journal"]).expect(0);
        let all = segments(&journal, log);
        let segment = if last { all.last().expect("a segment") } else { &all[all.len() / 2] };
        alter(segment, kind);
        if unsealed {
            std::fs::remove_file(segment.with_extension("seal")).expect("a seal");
        }
        let (before, what) = (bytes(&journal), format!("{log}, unsealed {unsealed}, last {last}"));
        service.about(&["journal", "verify"]).expect(3);
        let gone_on = service.finish(&["--speed", "max"]);
        assert_ne!(gone_on.code, Some(0), "{what}: {gone_on:?}");
        assert!(bytes(&journal) == before, "{what}: a refused run changed a file");
        service.about(&["journal", "verify"]).expect(3);
    }
}
