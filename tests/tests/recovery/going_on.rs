//! A run that was stopped goes on where it was: as if nothing had happened.
//!
//! A paper run on a synthetic day is killed again and again; what its journal holds in the end must equal, byte for byte,
//! that of a run that nobody disturbed, from a snapshot as from the first input. Only the same configuration goes on. The
//! moments of the kills differ from run to run; the seed is printed.

use flow::{Event, Kind};
use sinks::journal::{JournalReader, LogReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tidegate_tests::{Scratch, amount, draw, run, seed, tidegate};

/// A configuration of a pipeline that trades at random, with its journal beside it.
pub(super) struct Service {
    pub(super) folder: Scratch,
}

impl Service {
    pub(super) fn new(messages: u64) -> Service {
        let service = Service { folder: Scratch::new() };
        service.configure(messages, "");
        service
    }

    pub(super) fn configure(&self, messages: u64, more: &str) {
        let text = format!(
            "[pipeline]\nstages = [\"book\", \"bars\", \"cvd\", \"vpin\", \"random\", \"orders\", \"risk\", \"router\"]\n\
             [book]\nmax_orders = 65536\nmax_levels = 65536\nmax_books = 64\n\
             [random]\nseed = 5\nevery = 3\n[sim]\norder_latency_ns = 20000\nmax_own_orders = 4096\nmax_orders = 65536\n\
             max_levels = 65536\nmax_books = 64\n{more}\n\
             [journal]\ndir = \"{}\"\nsegment_records = 8192\nroll = \"never\"\n\
             [[input]]\nfeed = \"synthetic\"\nseed = 3\nmessages = {messages}\nsymbols = 6\nlive_orders = 600\n",
            self.journal().display()
        );
        std::fs::write(self.config(), text).expect("the folder is writable");
    }

    pub(super) fn config(&self) -> PathBuf {
        self.folder.path().join("service.toml")
    }

    pub(super) fn journal(&self) -> PathBuf {
        self.folder.path().join("journal")
    }

    pub(super) fn start(&self, speed: &str) -> Child {
        let mut command = Command::new(tidegate());
        command.arg("run").arg(self.config()).args(["--speed", speed, "--json"]);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command.spawn().expect("tidegate starts")
    }

    /// Runs to the end.
    #[track_caller]
    pub(super) fn finish(&self) -> serde_json::Value {
        let outcome =
            run(["run".as_ref(), self.config().as_os_str(), "--speed".as_ref(), "max".as_ref(), "--json".as_ref()]);
        serde_json::from_str(&outcome.expect(0).stdout).expect("one JSON object")
    }

    fn logs(&self) -> [Vec<Event>; 2] {
        let reader = JournalReader::open(&self.journal()).expect("a journal");
        [events(reader.inputs()), events(reader.outcomes())]
    }
}

pub(super) fn events(log: LogReader) -> Vec<Event> {
    log.map(|event| event.expect("a whole record")).collect()
}

/// Kills a run after a random time; whether it was still running.
fn killed(service: &Service, random: &mut u64, within: Duration) -> bool {
    let mut child = service.start("max");
    std::thread::sleep(Duration::from_micros(draw(random, within.as_micros() as u64)));
    let running = child.try_wait().expect("a child").is_none();
    child.kill().expect("a child");
    child.wait().expect("a child");
    running
}

#[test]
fn a_run_that_is_killed_again_and_again_is_the_run_that_nobody_disturbed() {
    const MESSAGES: u64 = 60_000;
    let mut random = seed();
    let whole = Service::new(MESSAGES);
    let began = Instant::now();
    let report = whole.finish();
    // As long as the run that nobody kills takes, so that kills fall into the middle on any host.
    let within = began.elapsed();
    assert!(report["orders"].as_u64().expect("a count") > 1_000, "{report}");
    let [inputs, outcomes] = whole.logs();
    let mut kills = 0;
    for round in 0..amount(3, 40) {
        let service = Service::new(MESSAGES);
        for _ in 0..5 {
            kills += u64::from(killed(&service, &mut random, within));
            if draw(&mut random, 3) == 0 && service.journal().join("journal.toml").exists() {
                run(["snapshot".as_ref(), "--journal".as_ref(), service.journal().as_os_str()]).expect(0);
            }
        }
        // A run that came to its end before its kill has nothing left to do.
        if !service.journal().join("closed.toml").exists() {
            service.finish();
        }
        let [ours, caused] = service.logs();
        assert!(inputs == ours, "round {round}: other inputs: {} and {}", inputs.len(), ours.len());
        assert!(outcomes == caused, "round {round}: other outcomes: {} and {}", outcomes.len(), caused.len());
        run(["journal".as_ref(), "verify".as_ref(), service.journal().as_os_str()]).expect(0);
    }
    println!("{kills} kills in the middle");
    assert!(kills > 0, "every run ended before its kill");
}

/// A service that was killed in the middle, after more than 10,000 inputs, and has a snapshot of that.
fn killed_with_a_snapshot() -> Service {
    let mut random = 77;
    let mut service = Service::new(60_000);
    while !service.journal().join("journal.toml").exists() || service.logs()[0].len() < 10_000 {
        killed(&service, &mut random, Duration::from_millis(400));
        if service.journal().join("journal.toml").exists()
            && service.logs()[0].iter().any(|e| e.kind == Kind::EndOfInput)
        {
            service = Service::new(60_000);
        }
    }
    run(["snapshot".as_ref(), "--journal".as_ref(), service.journal().as_os_str()]).expect(0);
    service
}

/// The snapshots of a service, the earliest first.
fn snapshots(service: &Service) -> Vec<PathBuf> {
    let files = std::fs::read_dir(service.journal().join("snapshots")).expect("a folder");
    let files = files.map(|f| f.expect("a file").path());
    let mut files: Vec<_> = files.filter(|path| path.extension().is_some_and(|e| e == "snap")).collect();
    files.sort();
    files
}

#[test]
fn a_snapshot_saves_the_way_from_the_first_input() {
    let service = killed_with_a_snapshot();
    assert_eq!(snapshots(&service).len(), 1);
    let [left, _] = service.logs();
    let report = service.finish();
    let repeated = report["verified"]["equal"].as_u64().expect("a count")
        + report["verified"]["missing"].as_u64().expect("a count");
    assert!(repeated < 1_000 && left.len() > 10_000, "{repeated} outcomes of {} inputs were repeated", left.len());
    let whole = Service::new(60_000);
    let undisturbed = whole.finish();
    assert!(whole.logs() == service.logs());
    // Its report counts the whole journal, to the hash.
    for what in [
        "events",
        "outcomes",
        "outcome_hash",
        "state_hash",
        "kinds",
        "anomalies",
        "data",
        "symbols",
        "signals",
        "orders",
        "refused",
        "fills",
        "positions",
        "pnl",
        "measures",
        "inputs",
    ] {
        assert_eq!(report[what], undisturbed[what], "{what}");
    }
}

/// Reads a snapshot, changes its bytes and writes it back.
fn change(path: &Path, change: impl FnOnce(&mut Vec<u8>)) {
    let mut bytes = std::fs::read(path).expect("a file");
    change(&mut bytes);
    std::fs::write(path, bytes).expect("it can be written");
}

/// A snapshot that is damaged, or another journal's, is passed over: the replay begins earlier, and the run is the same.
#[test]
fn a_snapshot_that_does_not_fit_is_passed_over() {
    let (service, other) = (killed_with_a_snapshot(), killed_with_a_snapshot());
    let own = snapshots(&service).pop().expect("a snapshot");
    let verify = |service: &Service| run(["journal".as_ref(), "verify".as_ref(), service.journal().as_os_str()]);
    verify(&service).expect(0);
    let foreign = own.with_file_name("0000000000007.snap");
    std::fs::copy(&snapshots(&other)[0], &foreign).expect("it can be copied");
    let said = verify(&service).expect(3).stdout;
    assert!(said.contains("0000000000007.snap: the file belongs to the journal "), "{said}");
    change(&own, |bytes| bytes[40] ^= 1);
    let said = verify(&service).expect(3).stdout;
    assert!(said.contains("the file is damaged; delete it"), "{said}");
    let config = service.config();
    let said = run(["run".as_ref(), config.as_os_str(), "--speed".as_ref(), "max".as_ref()]).expect(0).stderr;
    assert!(said.contains("the file is damaged; delete it; it is passed over"), "{said}");
    assert!(said.contains("the file belongs to the journal "), "{said}");
    let whole = Service::new(60_000);
    whole.finish();
    assert!(whole.logs() == service.logs());
}

/// The files of a journal, with their content and the time of their last change.
fn content(journal: &Path) -> Vec<(PathBuf, Vec<u8>, std::time::SystemTime)> {
    let mut all = Vec::new();
    for folder in [journal.to_owned(), journal.join("inputs"), journal.join("outcomes")] {
        for entry in std::fs::read_dir(folder).expect("a folder").map(|e| e.expect("an entry")) {
            let about = entry.metadata().expect("it is there");
            if about.is_file() {
                let bytes = std::fs::read(entry.path()).expect("a file");
                all.push((entry.path(), bytes, about.modified().expect("a time")));
            }
        }
    }
    all.sort();
    all
}

/// Whether the journal was accepted before its run was stopped depends on the moment; if it was not, it is as it was.
#[test]
fn a_stop_while_the_record_is_replayed_changes_nothing() {
    let service = Service::new(2_000_000);
    let mut child = service.start("max");
    let last = || JournalReader::open(&service.journal()).and_then(|j| j.last_input_seq()).unwrap_or(0);
    until("300,000 inputs", || last() > 300_000);
    child.kill().expect("a child");
    child.wait().expect("a child");
    let mut untouched = 0;
    for patience in [0, 5, 20, 60, 120] {
        let before = content(&service.journal());
        let mut child = service.start("max");
        std::thread::sleep(Duration::from_millis(patience));
        let pid = rustix::process::Pid::from_child(&child);
        while child.try_wait().expect("a child").is_none() {
            // Until the signals are handled, one would end it as a kill does.
            let said = std::fs::read_link(format!("/proc/{}/exe", child.id())).is_ok_and(|exe| exe == tidegate());
            if said && std::fs::read_to_string(format!("/proc/{}/status", child.id())).is_ok_and(|s| catches_term(&s)) {
                rustix::process::kill_process(pid, rustix::process::Signal::TERM).expect("it runs");
                break;
            }
        }
        let code = child.wait().expect("a child").code();
        assert_eq!(code, Some(0), "after {patience} ms");
        if service.journal().join("closed.toml").exists() {
            break;
        }
        assert!(before == content(&service.journal()), "something was written after {patience} ms");
        untouched += 1;
    }
    assert!(untouched > 0, "it was accepted every time");
}

/// Whether the status of a process says that it handles SIGTERM.
fn catches_term(status: &str) -> bool {
    let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:"));
    caught.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).is_some_and(|mask| mask >> 14 & 1 == 1)
}

/// A journal of which all inputs came to their end cannot go on, and says so.
#[test]
fn a_journal_that_has_ended_is_not_continued() {
    let service = Service::new(5_000);
    service.finish();
    let before = service.logs();
    let outcome = run(["run".as_ref(), service.config().as_os_str(), "--speed".as_ref(), "max".as_ref()]).expect(2);
    assert!(outcome.stderr.contains("this journal has ended"), "{}", outcome.stderr);
    assert!(before == service.logs());
}

/// The oldest outcomes give way at the high-water mark, also those of a run that is killed again and again. What was dropped
/// is a gap, and never a difference.
#[test]
fn outcomes_that_gave_way_are_no_difference() {
    let mut random = seed();
    let service = Service::new(60_000);
    let text = std::fs::read_to_string(service.config()).expect("a file");
    let text = text.replace("segment_records = 8192", "segment_records = 2048\nhigh_water_mb = 6");
    std::fs::write(service.config(), text).expect("the folder is writable");
    let last = || JournalReader::open(&service.journal()).and_then(|j| j.last_input_seq()).unwrap_or(0);
    for _ in 0..amount(8, 100) {
        if service.journal().join("closed.toml").exists() {
            std::fs::remove_dir_all(service.journal()).expect("removable");
        }
        let mut command = Command::new(tidegate());
        command.arg("run").arg(service.config()).args(["--speed", "max", "--json"]);
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("tidegate starts");
        let until = last() + draw(&mut random, 25_000);
        while last() < until && child.try_wait().expect("a child").is_none() {
            std::thread::sleep(Duration::from_millis(1));
        }
        child.kill().expect("a child");
        let ended = child.wait_with_output().expect("a child");
        let said = String::from_utf8_lossy(&ended.stderr);
        assert!(ended.status.code().is_none_or(|code| code == 0), "{:?}: {said}", ended.status.code());
    }
    if !service.journal().join("closed.toml").exists() {
        service.finish();
    }
    let gaps = JournalReader::open(&service.journal()).and_then(|journal| journal.gaps()).expect("gaps");
    assert!(gaps.dropped.through_segment > 0, "nothing was dropped");
    run(["replay".as_ref(), "--verify".as_ref(), "--journal".as_ref(), service.journal().as_os_str()]).expect(0);
}

#[test]
fn another_configuration_does_not_go_on() {
    let service = Service::new(5_000);
    service.finish();
    service.configure(6_000, "");
    let outcome = run(["run".as_ref(), service.config().as_os_str()]).expect(2);
    assert!(outcome.stderr.contains("differs from the one that the journal was started with"), "{}", outcome.stderr);
    assert!(
        outcome.stderr.contains("input[1].messages: was 5000, is 6000"),
        "the difference is named: {}",
        outcome.stderr
    );
}

/// A journal holds what a file of settings held when its run started: another content does not go on, the same under another
/// name does, and a replay needs no file.
#[test]
fn a_file_of_settings_counts_by_its_content() {
    let service = Service::new(5_000);
    let file = |name: &str, there: u64| {
        let rows = format!("ts_ns,order_ns,reply_ns\n1,20000,30000\n1900000000000000000,{there},30000\n");
        std::fs::write(service.folder.path().join(name), rows).expect("the folder is writable");
    };
    let configure = |name: &str| {
        service.configure(5_000, &format!("latency = \"recorded\"\nlatency_file = \"{name}\"\n"));
    };
    let start = || run(["run".as_ref(), service.config().as_os_str(), "--speed".as_ref(), "max".as_ref()]);
    file("latency.csv", 40_000);
    configure("latency.csv");
    service.finish();
    file("latency.csv", 41_000);
    let said = start().expect(2).stderr;
    let difference =
        "sim.latency_file: line 3 was \"1900000000000000000,40000,30000\", is \"1900000000000000000,41000,30000\"";
    let flat = said.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(flat.contains(difference), "{said}");
    std::fs::remove_file(service.folder.path().join("latency.csv")).expect("it is there");
    run(["replay".as_ref(), "--verify".as_ref(), "--journal".as_ref(), service.journal().as_os_str()]).expect(0);
    file("other.csv", 40_000);
    configure("other.csv");
    let said = start().stderr;
    assert!(
        !said.contains("differs") && said.contains("this journal has ended"),
        "the same content is the same configuration: {said}"
    );
}

/// Waits for something that a paced run will have done.
#[track_caller]
pub(super) fn until(what: &str, mut done: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while !done() {
        assert!(Instant::now() < deadline, "{what} did not happen");
        std::thread::sleep(Duration::from_millis(20));
    }
}
