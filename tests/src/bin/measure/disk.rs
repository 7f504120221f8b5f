//! Tick to order with the journal's disk alive, slow and frozen.
//!
//! A slow disk is one that is frozen nine tenths of every tenth of a second; a frozen one stays so from half a second after
//! the measured run began until half a second after its last message.

use serde_json::Value;
use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use tidegate_tests::rig::Disk;
use tidegate_tests::tidegate;

/// Messages a second.
const RATE: &str = "200k";

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Alive,
    Slow,
    Frozen,
}

pub(crate) fn measure(seconds: u64) {
    println!("tick to order at {RATE} messages a second for {seconds} s, ns");
    println!("{:<22} {:>9} {:>9} {:>9} {:>9} {:>11} {:>8}", "journal", "p50", "p90", "p99", "p99.9", "max", "orders");
    show("none", &benched(None, seconds, |_| ()));
    let Some(disk) = Disk::new(8_192) else {
        println!("the rest is left out: no disk can be frozen here");
        return;
    };
    for (state, name) in [(State::Alive, "disk alive"), (State::Slow, "disk slow"), (State::Frozen, "disk frozen")] {
        let journal = disk.path().join(name.replace(' ', "-"));
        show(name, &benched(Some(&journal), seconds, |over| troubled(&disk, state, seconds, over)));
        // The disk is small.
        let _ = std::fs::remove_dir_all(&journal);
    }
}

/// Does it to the disk while the measured run lasts.
fn troubled(disk: &Disk, state: State, seconds: u64, over: &AtomicBool) {
    let (since, half) = (Instant::now(), Duration::from_millis(500));
    let end = Duration::from_secs(seconds) + 2 * half;
    match state {
        State::Alive => {}
        State::Slow => {
            while since.elapsed() < end && !over.load(Ordering::Relaxed) {
                disk.freeze();
                std::thread::sleep(Duration::from_millis(90));
                disk.thaw();
                std::thread::sleep(Duration::from_millis(10));
            }
        }
        State::Frozen => {
            std::thread::sleep(half);
            disk.freeze();
            while since.elapsed() < end && !over.load(Ordering::Relaxed) {
                std::thread::sleep(Duration::from_millis(10));
            }
            disk.thaw();
        }
    }
}

/// One run of the bench; `trouble` begins with the measured part.
fn benched(journal: Option<&Path>, seconds: u64, trouble: impl Fn(&AtomicBool) + Sync) -> Value {
    let mut command = Command::new(tidegate());
    command.args(["bench", "tick-to-order", "--rate", RATE, "--seconds", &seconds.to_string(), "--json"]);
    // As many segments as a service has by default: a disk may be behind by some seconds of this rate.
    command.args(["--set", "journal.segment_records=262144"]);
    command.args(journal.into_iter().flat_map(|dir| [OsStr::new("--journal"), dir.as_os_str()]));
    let command = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("tidegate starts");
    let errors = BufReader::new(child.stderr.take().expect("it is piped"));
    let mut output = child.stdout.take().expect("it is piped");
    let (over, mut text) = (AtomicBool::new(false), String::new());
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for line in errors.lines().map_while(Result::ok) {
                if line.starts_with("measuring the rate") {
                    scope.spawn(|| trouble(&over));
                }
            }
        });
        output.read_to_string(&mut text).expect("it prints UTF-8");
        over.store(true, Ordering::Relaxed);
    });
    let status = child.wait().expect("a child");
    assert!(status.success(), "{status}");
    serde_json::from_str(&text).expect("one JSON object")
}

fn show(name: &str, result: &Value) {
    let times = &result["all"];
    let columns = ["p50_ns", "p90_ns", "p99_ns", "p999_ns"].map(|column| format!("{:>9}", times[column]));
    println!("{name:<22} {} {:>11} {:>8}", columns.join(" "), times["max_ns"], times["samples"]);
}
