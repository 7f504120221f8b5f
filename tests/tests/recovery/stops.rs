//! A stop by a signal is no end: the journal goes on, as if nobody had stopped it.
//!
//! A paper run on a synthetic day is stopped by SIGTERM, SIGINT and SIGHUP at any moment: while it trades, while it repeats
//! its record, while it skips what had entered. In the end its two logs equal, byte for byte, those of a run that nobody
//! stopped. A stop waits neither for the pace nor for a venue, and does not need anybody who reads what is said. How long
//! stops take is measured elsewhere: here a busy host has five seconds.

use flow::{Event, Kind};
use rustix::process::{Pid, Signal, kill_process};
use sinks::journal::JournalReader;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};
use tidegate_tests::{Scratch, amount, draw, run, seed, tidegate};

const SIGNALS: [Signal; 3] = [Signal::TERM, Signal::INT, Signal::HUP];
/// What a busy host needs for a stop.
const SOON: Duration = Duration::from_secs(5);

/// A folder with a configuration and its journal.
struct Setup(Scratch);

impl Setup {
    fn new(pipeline: &str, more: &str, messages: u64) -> Setup {
        let setup = Setup(Scratch::new());
        let text = format!(
            "[pipeline]\nstages = [\"book\", \"bars\", \"random\", \"orders\", \"risk\", \"router\"]\n{pipeline}\n\
             [book]\nmax_orders = 65536\nmax_levels = 65536\nmax_books = 64\n\
             [random]\nseed = 5\nevery = 3\n{more}\n[journal]\nsegment_records = 8192\nroll = \"never\"\n\
             [[input]]\nfeed = \"synthetic\"\nseed = 3\nmessages = {messages}\nsymbols = 6\nlive_orders = 600\n"
        );
        std::fs::write(setup.path("desk.toml"), text).expect("the folder is writable");
        setup
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn journal(&self) -> PathBuf {
        self.path("journal")
    }

    fn command(&self, speed: &str) -> Command {
        let mut command = Command::new(tidegate());
        command.arg("run").arg(self.path("desk.toml")).arg("--journal").arg(self.journal()).args(["--speed", speed]);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        command
    }

    fn start(&self, speed: &str) -> Child {
        self.command(speed).spawn().expect("tidegate starts")
    }

    fn logs(&self) -> [Vec<Event>; 2] {
        let reader = JournalReader::open(&self.journal()).expect("a journal");
        [reader.inputs(), reader.outcomes()].map(|log| log.map(|event| event.expect("a whole record")).collect())
    }

    /// Waits until more than `count` inputs are recorded.
    fn wait_for_inputs(&self, count: usize) {
        let deadline = Instant::now() + Duration::from_secs(60);
        let has_begun = || self.journal().join("journal.toml").exists();
        while !has_begun() || JournalReader::open(&self.journal()).expect("a journal").inputs().count() <= count {
            assert!(Instant::now() < deadline, "nothing enters");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

fn send(child: &Child, signal: Signal) {
    kill_process(Pid::from_child(child), signal).expect("it runs");
}

/// Waits for the end of a run that was told to stop.
#[track_caller]
fn ended(child: Child) -> (Option<i32>, String) {
    let began = Instant::now();
    let Output { status, stderr, .. } = child.wait_with_output().expect("a child");
    let said = String::from_utf8(stderr).expect("UTF-8");
    assert!(began.elapsed() < SOON, "it took {:?}:\n{said}", began.elapsed());
    (status.code(), said)
}

/// Stops a run at a random moment; whether it was stopped in the middle.
fn stopped(setup: &Setup, random: &mut u64, speed: &str) -> bool {
    let child = setup.start(speed);
    // Its handlers stand long before the first input.
    std::thread::sleep(Duration::from_micros(100_000 + draw(random, 300_000)));
    send(&child, SIGNALS[draw(random, 3) as usize]);
    let (code, said) = ended(child);
    assert_eq!(code, Some(0), "{said}");
    let middle = ["goes on there", "starts there again", "before anything entered", "stopped"];
    middle.iter().any(|words| said.contains(words))
}

#[test]
fn a_run_that_is_stopped_again_and_again_is_the_run_that_nobody_stopped() {
    let mut random = seed();
    let setup = || Setup::new("", "[bars]\nintervals = [\"5s\", \"1h\"]", 300_000);
    let whole = setup();
    assert!(whole.command("max").status().expect("it runs").success());
    let [inputs, outcomes] = whole.logs();
    assert_eq!(inputs.iter().filter(|e| e.kind == Kind::EndOfInput).count(), 1);
    let again = whole.start("max").wait_with_output().expect("a child");
    assert_eq!(again.status.code(), Some(2), "an ended journal does not go on");
    assert!(String::from_utf8_lossy(&again.stderr).contains("this journal has ended"));
    let mut stops = 0;
    for round in 0..amount(2, 40) {
        let setup = setup();
        for start in 0..6 {
            if setup.journal().join("closed.toml").exists() && setup.logs()[0].len() == inputs.len() {
                break;
            }
            // The first one at a pace: it is surely stopped in the middle.
            let speed = if start == 0 { "600x" } else { ["max", "max", "600x"][draw(&mut random, 3) as usize] };
            stops += u64::from(stopped(&setup, &mut random, speed));
            if draw(&mut random, 3) == 0 && setup.journal().join("journal.toml").exists() {
                run([Path::new("snapshot"), Path::new("--journal"), &setup.journal()]).expect(0);
            }
        }
        let last = setup.start("max").wait_with_output().expect("a child").status.code();
        assert!(matches!(last, Some(0 | 2)), "{last:?}");
        let [ours, caused] = setup.logs();
        assert!(inputs == ours, "round {round}: other inputs: {} and {}", inputs.len(), ours.len());
        assert!(outcomes == caused, "round {round}: other outcomes: {} and {}", outcomes.len(), caused.len());
        run([Path::new("journal"), Path::new("verify"), &setup.journal()]).expect(0);
    }
    println!("{stops} stops in the middle");
    assert!(stops > 0, "every run ended before it was stopped");
}

#[test]
fn a_stop_waits_for_no_pace_and_closes_no_bar() {
    let setup = Setup::new("", "[bars]\nintervals = [\"1h\"]", 60_000);
    let child = setup.start("100x");
    setup.wait_for_inputs(10);
    send(&child, Signal::TERM);
    let (code, said) = ended(child);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("the next `tidegate run` goes on there"), "{said}");
    let [inputs, outcomes] = setup.logs();
    let ends = |e: &Event| matches!(e.kind, Kind::Tick | Kind::EndOfInput | Kind::Bar);
    assert!(!inputs.iter().chain(&outcomes).any(ends), "a stop is no end");
}

/// A configuration that trades with a venue at this address.
fn outside(listener: &TcpListener) -> Setup {
    let venue = format!("[router]\nvenue = \"wire\"\n[wire]\naddress = \"{}\"", listener.local_addr().expect("bound"));
    Setup::new("clock = \"wall\"", &venue, 1_000_000_000)
}

#[test]
fn a_silent_venue_holds_up_no_stop_and_a_second_signal_waits_for_nothing() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let setup = outside(&listener);
    let child = setup.start("max");
    setup.wait_for_inputs(100);
    send(&child, Signal::INT);
    let (code, said) = ended(child);
    assert!(code.is_some() && said.contains("stopped after input"), "{code:?} {said}");
    let child = setup.start("max");
    let before = setup.logs()[0].len();
    setup.wait_for_inputs(before + 100);
    send(&child, Signal::TERM);
    std::thread::sleep(Duration::from_millis(300));
    send(&child, Signal::TERM);
    let (code, _) = ended(child);
    assert_eq!(code, Some(1), "it ended at once");
    let child = setup.start("max");
    let before = setup.logs()[0].len();
    setup.wait_for_inputs(before + 100);
    send(&child, Signal::HUP);
    let (code, said) = ended(child);
    assert!(code.is_some() && said.contains("stopped after input"), "it goes on as after a kill: {code:?} {said}");
}

#[test]
fn a_closed_standard_error_changes_no_exit_code() {
    let usage = |arguments: &[&str]| {
        let mut child = Command::new(tidegate())
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("it starts");
        drop((child.stdout.take(), child.stderr.take()));
        child.wait().expect("a child").code()
    };
    assert_eq!(usage(&["run", "/nowhere/desk.toml"]), Some(2));
    assert_eq!(usage(&["validate", "/nowhere/desk.toml", "--json"]), Some(2));
    assert_eq!(usage(&["replay", "--input", "/nowhere/day.itch"]).filter(|code| *code == 0), None);
    assert_eq!(usage(&["demo", "--events", "2000", "--symbols", "5", "--json"]), Some(0));
    let setup = Setup::new("", "", 1_000_000);
    let mut child = setup.start("100x");
    setup.wait_for_inputs(10);
    drop(child.stderr.take());
    send(&child, Signal::TERM);
    assert_eq!(ended(child).0, Some(0));
}

#[test]
fn a_limit_on_the_size_of_files_is_an_error_with_words() {
    let setup = Setup::new("", "", 60_000);
    let mut command = Command::new("sh");
    let limited = "ulimit -f 64; exec \"$@\"";
    let inner = setup.command("max");
    command.args(["-c", limited, "sh"]).arg(inner.get_program()).args(inner.get_args());
    let output = command.stdin(Stdio::null()).output().expect("a shell");
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("File too large"), "{said}");
}
