//! Recorded runs: what a journal of the binary promises about repeating, dying and damage.
//!
//! A run that is repeated gives the recorded outcomes byte for byte, however its pipeline is cut. A run that was killed
//! leaves a prefix of what it would have left, and completing it gives exactly the rest. The moments of the kills differ
//! from run to run; the seed is printed.

use flow::Event;
use serde_json::Value;
use sinks::journal::{JournalReader, LogReader, verify};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use tidegate_tests::{Scratch, amount, draw, run, seed, tidegate};

/// A synthetic run of this seed and so many messages that writes a journal with segments of 8,192 records.
fn recording(seed: u64, messages: u64, dir: &Path) -> Command {
    let mut command = Command::new(tidegate());
    command.args(["replay", "--feed", "synthetic", "--journal"]).arg(dir);
    for set in ["synthetic.symbols=8".to_owned(), "synthetic.live_orders=2000".to_owned()] {
        command.args(["--set", &set]);
    }
    command.args(["--set", &format!("synthetic.seed={seed}"), "--set", &format!("synthetic.messages={messages}")]);
    command.args(["--set", "journal.segment_records=8192"]);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command
}

/// A whole recorded run.
fn recorded(seed: u64, messages: u64) -> Scratch {
    let folder = Scratch::new();
    let status = recording(seed, messages, &folder.path().join("run")).status().expect("tidegate starts");
    assert!(status.success(), "{status}");
    folder
}

/// The comparison that a repetition with these further options reports.
fn repeated(dir: &Path, more: &[&str], code: i32) -> Value {
    let dir = dir.to_str().expect("UTF-8");
    let outcome = run(["replay", "--journal", dir, "--json"].iter().chain(more)).expect(code);
    let report: Value = serde_json::from_str(&outcome.stdout).expect("one JSON object");
    report["verified"].clone()
}

fn events(log: LogReader) -> Vec<Event> {
    log.map(|event| event.expect("a whole record")).collect()
}

/// Both logs.
fn logs(dir: &Path) -> [Vec<Event>; 2] {
    let reader = JournalReader::open(dir).expect("a journal");
    [events(reader.inputs()), events(reader.outcomes())]
}

#[test]
fn a_recorded_run_repeats_however_its_pipeline_is_cut() {
    let folder = recorded(7, 60_000);
    let dir = folder.path().join("run");
    let [_, outcomes] = logs(&dir);
    assert!(outcomes.len() > 10_000, "{}", outcomes.len());
    let cuts: [&[&str]; 4] = [
        &[],
        &["--preset", "fused"],
        &["--preset", "split", "--ring", "phase"],
        &["--preset", "split", "--ring", "disruptor", "--set", "pipeline.batch=1"],
    ];
    for cut in cuts {
        let verified = repeated(&dir, &[&["--verify"], cut].concat(), 0);
        assert_eq!(verified["equal"], outcomes.len(), "{cut:?}: {verified}");
        for none in ["missing", "extra", "dropped"] {
            assert_eq!(verified[none], 0, "{cut:?}: {verified}");
        }
        assert_eq!(verified["difference"], Value::Null, "{cut:?}: {verified}");
    }
}

/// A pipeline that computes something else is not the recorded one: the comparison can fail.
#[test]
fn another_pipeline_is_a_difference() {
    let folder = recorded(8, 20_000);
    let outcome = run([
        "replay".as_ref(),
        "--journal".as_ref(),
        folder.path().join("run").as_os_str(),
        "--verify".as_ref(),
        "--set".as_ref(),
        "bars.intervals=5m".as_ref(),
    ])
    .expect(3);
    assert!(outcome.stderr.contains("equal outcomes: recorded: "), "{}", outcome.stderr);
}

#[test]
fn a_killed_run_is_a_prefix_and_can_be_completed() {
    const MESSAGES: u64 = 400_000;
    let mut random = seed();
    let whole = recorded(9, MESSAGES);
    let [inputs, outcomes] = logs(&whole.path().join("run"));
    let (mut cut_short, mut torn) = (0, 0);
    for n in 0..amount(20, 200) {
        let folder = Scratch::new();
        let dir = folder.path().join("run");
        if !killed(&dir, MESSAGES, Duration::from_micros(draw(&mut random, 400_000))) {
            continue;
        }
        let state = verify(&dir, 10).expect("it can be read");
        assert!(state.is_intact(), "kill {n}: {:#?}", state.faults);
        torn += u64::from(state.inputs.torn || state.outcomes.torn);
        run([Path::new("journal"), Path::new("verify"), &dir]).expect(0);
        let [left, caused] = logs(&dir);
        cut_short += u64::from(left.len() < inputs.len());
        assert!(inputs.starts_with(&left), "kill {n}: inputs are no prefix");
        assert!(outcomes.starts_with(&caused), "kill {n}: outcomes are no prefix");
        completed(&dir, &left, &caused, &outcomes);
    }
    println!("{cut_short} runs were cut short, {torn} with a torn record");
    assert!(cut_short > 0, "no kill came in time to cut anything short");
}

/// Starts a recording and kills it so long after its journal has begun; whether it had begun.
fn killed(dir: &Path, messages: u64, after: Duration) -> bool {
    let mut child = recording(9, messages, dir).spawn().expect("tidegate starts");
    let deadline = Instant::now() + Duration::from_secs(30);
    while !dir.join("journal.toml").exists() {
        assert!(Instant::now() < deadline, "it does not start");
        std::thread::sleep(Duration::from_micros(200));
    }
    std::thread::sleep(after);
    child.kill().expect("a child");
    child.wait().expect("a child");
    JournalReader::open(dir).is_ok_and(|reader| reader.inputs().next().is_some())
}

/// Completing gives what the inputs cause: all outcomes of the whole run up to the last input that is left.
fn completed(dir: &Path, left: &[Event], caused: &[Event], outcomes: &[Event]) {
    let last = left.last().expect("inputs").id.seq();
    let expected = outcomes.partition_point(|o| o.id.seq() <= last);
    let verified = repeated(dir, &["--verify"], 0);
    assert_eq!((&verified["equal"], &verified["missing"]), (&caused.len().into(), &(expected - caused.len()).into()));
    let verified = repeated(dir, &["--complete"], 0);
    assert_eq!((&verified["completed"], &verified["missing"]), (&true.into(), &(expected - caused.len()).into()));
    let [inputs, now] = logs(dir);
    assert!(inputs == left, "completing changed the inputs");
    assert!(now == outcomes[..expected], "{} outcomes instead of {expected}", now.len());
    let verified = repeated(dir, &["--verify", "--preset", "split"], 0);
    assert_eq!((&verified["equal"], &verified["missing"]), (&expected.into(), &0.into()));
    assert!(verify(dir, 10).expect("it can be read").is_intact());
}

/// A bit anywhere in what is sealed is found and named, and neither repeated nor completed without a word.
#[test]
fn a_flipped_bit_is_named() {
    let mut random = seed();
    let folder = recorded(10, 40_000);
    let dir = folder.path().join("run");
    let records = logs(&dir).map(|log| log.len() as u64);
    for (log, records) in ["inputs", "outcomes"].into_iter().zip(records) {
        for _ in 0..amount(8, 80) {
            let record = draw(&mut random, records) + 1;
            let (number, index) = ((record - 1) / 8_192 + 1, (record - 1) % 8_192);
            let (file, offset) = (format!("{log}/{number:08}.seg"), 4096 + 64 * index);
            let path = dir.join(&file);
            let whole = std::fs::read(&path).expect("a segment");
            let mut damaged = whole.clone();
            damaged[(offset + draw(&mut random, 64)) as usize] ^= 1 << draw(&mut random, 8);
            std::fs::write(&path, damaged).expect("it can be written");
            let outcome = run([Path::new("journal"), Path::new("verify"), &dir]).expect(3);
            for part in [&file, &format!("record {record}"), &offset.to_string()] {
                assert!(outcome.stdout.contains(part), "{part:?} is not in {:?}", outcome.stdout);
            }
            std::fs::write(&path, whole).expect("it can be written");
        }
    }
    run([Path::new("journal"), Path::new("verify"), &dir]).expect(0);
}
