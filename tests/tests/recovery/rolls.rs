//! A run whose journal rolls is the run whose journal never does.
//!
//! The journals of a day that rolled hold, one after the other, the inputs and outcomes of one that did not, byte for byte:
//! fused and cut, under event time and, against its own repetition, under wall time, and killed in the middle of a roll.
//! What an operator commanded, positions and limits hold in the journals that follow, and a carry-over finds them there. Old
//! journals go as a whole, and what they held is not missed.

use super::going_on::{Service, until};
use flow::records::Command as Commanded;
use flow::{CommandAction, Event, Kind};
use sinks::journal::{Home, Previous};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tidegate_tests::journals::{check, count, logs};
use tidegate_tests::{amount, draw, run, seed, tidegate};

/// A service on a synthetic day whose journal rolls at these times, with `more` in its configuration.
fn rolling(messages: u64, times: &str, more: &str) -> Service {
    let service = Service::new(messages);
    service.configure(messages, more);
    let text = std::fs::read_to_string(service.config()).expect("it was written");
    let roll = format!("roll = \"{times}\"\n");
    std::fs::write(service.config(), text.replace("roll = \"never\"\n", &roll)).expect("the folder is writable");
    service
}

fn every_ten_minutes() -> String {
    let times = (9..16).flat_map(|hour| (0..6).map(move |ten| format!("{hour:02}:{ten}5")));
    times.collect::<Vec<_>>().join(" ") + " America/New_York"
}

fn end(mut child: Child) {
    let pid = rustix::process::Pid::from_child(&child);
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).expect("it runs");
    assert_eq!(child.wait().expect("a child").code(), Some(0), "it ends in order");
}

fn ctl(journal: &Path, words: &[&str]) -> tidegate_tests::Outcome {
    let words = words.iter().map(|word| word.as_ref());
    run(["ctl".as_ref(), journal.as_os_str(), "--actor".as_ref(), "ada".as_ref()].into_iter().chain(words))
}

/// Whether a run answers there. A kill leaves its socket.
fn listens(journal: &Path) -> bool {
    std::os::unix::net::UnixStream::connect(journal.join("control.sock")).is_ok()
}

fn roll(journal: &Path) {
    let said = ctl(journal, &["roll"]).expect(0).stderr;
    assert!(said.contains("a new journal has begun after input "), "{said}");
}

/// A day that rolled three times, fused and cut.
#[test]
fn a_day_that_rolls_is_the_day_that_does_not() {
    const MESSAGES: u64 = 60_000;
    let whole = Service::new(MESSAGES);
    let report = whole.finish();
    assert!(report["orders"].as_u64().expect("a count") > 1_000, "{report}");
    let expected = logs(&whole.journal());
    for cuts in
        ["preset = \"fused\"", "preset = \"split\"", "preset = \"cuts\"\ncuts = [\"bars\", \"orders\", \"tail\"]"]
    {
        let service = rolling(MESSAGES, "09:40 11:00 14:00 America/New_York", "");
        let text = std::fs::read_to_string(service.config()).expect("it was written");
        let text = text.replace("[pipeline]\n", &format!("[pipeline]\n{cuts}\n"));
        std::fs::write(service.config(), text).expect("the folder is writable");
        assert_eq!(service.finish()["outcome_hash"], report["outcome_hash"], "{cuts}");
        assert_eq!(count(&service.journal()), 4);
        assert!(logs(&service.journal()) == expected, "{cuts}");
        check(&service.journal());
        let [one, other] = [&whole, &service].map(|service| {
            let words = ["--emit", "order,fill,bar"].map(std::ffi::OsStr::new);
            let journal = service.journal();
            let words = ["journal".as_ref(), "export".as_ref(), journal.as_os_str()].into_iter().chain(words);
            run(words).expect(0).stdout
        });
        assert!(one == other && one.len() > 100_000, "the export of {} bytes differs", other.len());
    }
}

/// Kills a run after a random time.
fn killed(service: &Service, random: &mut u64, within: Duration) {
    let mut child = service.start("max");
    std::thread::sleep(Duration::from_micros(draw(random, within.as_micros() as u64)));
    child.kill().expect("a child");
    child.wait().expect("a child");
}

/// Whether the last journal has begun and the one before is not settled: the kill came in the middle of a roll, or right
/// behind it.
fn is_in_the_middle(journal: &Path) -> bool {
    let Ok(home) = Home::open(journal) else { return false };
    let next = home.current().info.number + 1;
    let follows = home.current().info.follows.is_some();
    Home::place(journal, next).exists() || follows && Previous::read(&home.current().dir).is_ok_and(|p| p.is_none())
}

#[test]
fn a_run_that_is_killed_while_its_journal_rolls_goes_on_in_one_of_the_two() {
    const MESSAGES: u64 = 60_000;
    let mut random = seed();
    let whole = Service::new(MESSAGES);
    whole.finish();
    let expected = logs(&whole.journal());
    let undisturbed = rolling(MESSAGES, &every_ten_minutes(), "");
    let began = Instant::now();
    undisturbed.finish();
    let within = began.elapsed();
    assert!(count(&undisturbed.journal()) > 30 && logs(&undisturbed.journal()) == expected);
    let mut middle = 0;
    // A roll is short: more rounds until a kill came into the middle of one.
    for round in 0..amount(3, 60).max(20) {
        if round >= amount(3, 60) && middle > 0 {
            break;
        }
        let service = rolling(MESSAGES, &every_ten_minutes(), "");
        for _ in 0..8 {
            killed(&service, &mut random, within);
            middle += u64::from(is_in_the_middle(&service.journal()));
            if draw(&mut random, 4) == 0 && Home::exists(&service.journal()) {
                run(["snapshot".as_ref(), "--journal".as_ref(), service.journal().as_os_str()]).expect(0);
            }
        }
        let ended = Home::open(&service.journal()).is_ok_and(|home| home.current().dir.join("closed.toml").exists());
        if !ended {
            service.finish();
        }
        let [inputs, outcomes] = logs(&service.journal());
        assert!(inputs == expected[0], "round {round}: other inputs");
        assert!(outcomes == expected[1], "round {round}: other outcomes");
        check(&service.journal());
    }
    println!("{middle} kills in the middle of a roll");
    assert!(middle > 0, "every kill came between two rolls");
}

/// Under wall time no two runs are the same, but a run is its own repetition, as if it had never rolled.
#[test]
fn under_wall_time_the_journals_repeat_as_one() {
    for cuts in ["fused", "split"] {
        let service = rolling(20_000_000, "never", "");
        let text = std::fs::read_to_string(service.config()).expect("it was written");
        let wall = format!("[pipeline]\nclock = \"wall\"\npreset = \"{cuts}\"\n");
        std::fs::write(service.config(), text.replace("[pipeline]\n", &wall)).expect("the folder is writable");
        let (journal, mut child) = (service.journal(), service.start("max"));
        until("the socket", || listens(&journal));
        for _ in 0..3 {
            roll(&journal);
        }
        child.kill().expect("a child");
        child.wait().expect("a child");
        assert_eq!(count(&journal), 4);
        let child = service.start("max");
        until("the socket", || listens(&journal));
        roll(&journal);
        end(child);
        check(&journal);
        let [inputs, _] = logs(&journal);
        assert!(inputs.iter().zip(1..).all(|(input, seq)| input.id.seq() == seq), "an input is missing or there twice");
    }
}

/// The commands of an operator in all journals of a run.
fn commanded(journal: &Path, action: CommandAction) -> Vec<Commanded> {
    let [inputs, _] = logs(journal);
    inputs.iter().filter_map(Event::get::<Commanded>).filter(|c| c.action == action.code()).copied().collect()
}

fn orders(journal: &Path) -> usize {
    logs(journal)[1].iter().filter(|event| event.kind == Kind::Order).count()
}

fn positions(journal: &Path) -> serde_json::Value {
    let said = run(["ctl".as_ref(), journal.as_os_str(), "status".as_ref(), "--json".as_ref()]).expect(0).stdout;
    let status: serde_json::Value = serde_json::from_str(&said).expect("one object");
    status["trading"].clone()
}

/// A halt and a limit hold over rolls, a kill, a stop and the removal of the first journals, and go over to another configuration.
#[test]
fn what_was_commanded_before_a_roll_holds_after_it() {
    let service = rolling(2_000_000, "never", "");
    let journal = service.journal();
    let mut child = service.start("600x");
    until("an order", || listens(&journal) && orders(&journal) > 20);
    ctl(&journal, &["limit", "max-quantity", "150", "--from", "10000"]).expect(0);
    roll(&journal);
    ctl(&journal, &["halt"]).expect(0);
    roll(&journal);
    child.kill().expect("a child");
    child.wait().expect("a child");
    let mut before = orders(&journal);
    for _ in 0..2 {
        let child = service.start("600x");
        until("the socket", || listens(&journal));
        let status = positions(&journal);
        assert_eq!(status["halted"], true, "{status}");
        assert_eq!(orders(&journal), before, "no order while it is halted");
        end(child);
    }
    ctl_after_restart(&service, &mut before);
    let old = positions_of(&journal);
    // The first journals are gone: what they held stands in the summary of those that follow.
    let home = Home::open(&journal).expect("a journal");
    assert!(home.journals().len() >= 3);
    home.journals()[..2].iter().for_each(|member| home.remove(member).expect("it goes"));
    service.configure(2_000_000, "[bars]\nintervals = [\"5s\"]");
    let new = service.folder.path().join("next");
    let mut command = Command::new(tidegate());
    command.arg("run").arg(service.config()).arg("--journal").arg(&new).arg("--carry-over").arg(&journal);
    command.args(["--speed", "600x", "--json"]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let child = command.spawn().expect("tidegate starts");
    until("the socket", || listens(&new));
    let status = positions(&new);
    assert_eq!(status["halted"], true, "{status}");
    end(child);
    let limits = commanded(&new, CommandAction::SetLimit);
    assert_eq!(limits.iter().map(|c| (c.target, c.old, c.new)).collect::<Vec<_>>(), [(3, 10_000, 150)]);
    assert_eq!(positions_of(&new), old, "positions");
}

/// Whether each journal says how the one before ended.
fn is_settled(journal: &Path) -> bool {
    let home = Home::open(journal).expect("a journal");
    home.journals().iter().skip(1).all(|m| Previous::read(&m.dir).is_ok_and(|previous| previous.is_some()))
}

/// Resumes, trades, halts again and stops, in a journal that has rolled.
fn ctl_after_restart(service: &Service, before: &mut usize) {
    let (journal, child) = (service.journal(), service.start("600x"));
    until("the socket", || listens(&journal));
    ctl(&journal, &["resume"]).expect(0);
    until("an order", || orders(&journal) > *before + 20);
    roll(&journal);
    until("the journals before are settled", || is_settled(&journal));
    ctl(&journal, &["halt"]).expect(0);
    *before = orders(&journal);
    end(child);
}

/// Net quantity by symbol, as the fills of a run say, whatever was carried over among them.
fn positions_of(journal: &Path) -> std::collections::BTreeMap<String, i64> {
    let [inputs, _] = logs(journal);
    let mut listings = flow::Listings::default();
    let mut held = std::collections::BTreeMap::<u32, i64>::new();
    for input in &inputs {
        listings.observe(input);
        if let Some(fill) = input.get::<flow::records::Fill>() {
            let qty = fill.qty.0.cast_signed();
            *held.entry(input.instrument).or_default() += if input.side() == flow::Side::Buy { qty } else { -qty };
        }
    }
    held.into_iter().map(|(at, qty)| (listings.key(at), qty)).collect()
}
