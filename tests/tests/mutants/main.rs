//! Mutants of input files: whatever a file holds, a run of the binary ends, says why, and takes no more than its memory.
//!
//! Every feed and every container, with bytes flipped, cut, inserted, doubled and lengths altered. Mutant `n` of as many
//! originals follows from `n` alone, so a finding repeats; its file is kept beside the binary.

mod change;
mod originals;

use originals::{Original, originals};
use rustix::process::{Pid, Signal, kill_process};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::channel;
use std::time::Duration;
use tidegate_tests::{Scratch, amount, tidegate};
use wait4::Wait4;

/// The longest that a run of a few thousand bytes may take, on a machine that does much else.
const LIMIT: Duration = Duration::from_secs(300);

/// The most memory of a run.
const MEMORY: u64 = 600 << 20;

/// What runs over the mutants: the default stages, and all that measure and trade.
const RUNS: [&[&str]; 3] = [
    &["--emit", "trade,bar,anomaly"],
    &["--emit", "listing,add,exec,cancel,delete,replace,quote,depth,level,book-top,status,gap", "--preset", "split"],
    &[
        "--set",
        "pipeline.stages=book,bars,cvd,imbalance,vpin,random,orders,risk,router",
        "--set",
        "random.every=3",
        "--json",
    ],
];

/// Runs over a file; returns what is wrong with the run, also an exit code above `most`.
fn fault(file: &Path, arguments: &[&str], said: &Path, most: i32) -> Option<String> {
    let mut command = Command::new(tidegate());
    command.args(["replay", "--date", "2020-01-30", "--input"]).arg(file).args(arguments);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(File::create(said).expect("writable"));
    let mut child = command.spawn().expect("it starts");
    let (tell, ended) = channel();
    let pid = Pid::from_child(&child);
    std::thread::spawn(move || tell.send(child.wait4()));
    let Ok(end) = ended.recv_timeout(LIMIT) else {
        // It may have ended by itself just now.
        let _ = kill_process(pid, Signal::KILL);
        return Some("it hangs".to_owned());
    };
    let end = end.expect("a child");
    let text = String::from_utf8_lossy(&fs::read(said).expect("written")).into_owned();
    if end.status.code().is_none_or(|code| code > most) {
        return Some(format!("it ends with {}: {text}", end.status));
    }
    if text.contains("panicked") || text.contains("RUST_BACKTRACE") {
        return Some(text);
    }
    (end.rusage.maxrss > MEMORY).then(|| format!("it takes {} MiB", end.rusage.maxrss >> 20))
}

/// Where the file of a finding stays.
fn kept(n: u64, name: &str) -> PathBuf {
    let folder = tidegate().with_file_name("mutants");
    fs::create_dir_all(&folder).expect("the target folder is writable");
    folder.join(format!("{n}-{name}"))
}

/// Makes mutant `n` and runs over it.
fn mutant(n: u64, originals: &[Original], folder: &Path) -> Option<String> {
    let original = &originals[n as usize % originals.len()];
    // No two mutants begin with a state that is near.
    let mut random = (n + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let (name, bytes) = original.mutant(&mut random);
    let file = folder.join(format!("{n}-{name}"));
    fs::write(&file, &bytes).expect("writable");
    let run = RUNS[n as usize / originals.len() % RUNS.len()];
    let fault = fault(&file, run, &folder.join(format!("{n}.txt")), 2);
    let found = fault.map(|fault| {
        let kept = kept(n, &name);
        fs::write(&kept, &bytes).expect("the target folder is writable");
        format!("mutant {n}, {}: {fault}", kept.display())
    });
    fs::remove_file(file).expect("it is there");
    found
}

#[test]
fn every_mutant_ends_in_order() {
    let (folder, originals) = (Scratch::new(), originals());
    for (n, original) in originals.iter().enumerate() {
        let file = folder.path().join(&original.name);
        fs::write(&file, original.plain()).expect("writable");
        let whole = fault(&file, RUNS[n % RUNS.len()], &folder.path().join("said.txt"), 0);
        assert_eq!(whole, None, "{} as it was made", original.name);
    }
    let (next, most) = (AtomicU64::new(0), amount(100, 5_000));
    let threads = std::thread::available_parallelism().map_or(2, usize::from);
    let found: Vec<String> = std::thread::scope(|scope| {
        let work = || {
            let numbers = std::iter::from_fn(|| Some(next.fetch_add(1, Ordering::Relaxed)).filter(|n| *n < most));
            numbers.filter_map(|n| mutant(n, &originals, folder.path())).collect::<Vec<_>>()
        };
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        workers.into_iter().flat_map(|worker| worker.join().expect("it does not panic")).collect()
    });
    assert!(found.is_empty(), "{} of {most}:\n{}", found.len(), found.join("\n"));
}
