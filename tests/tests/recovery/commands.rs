//! Commands of an operator: what is said of them holds, whoever else asks and whatever happens to the run.

use flow::records::{Command as Commanded, CommandOutcome, Name, Route};
use flow::{Action, CommandAction, CommandResult, Event, Ns};
use rustix::process::Signal;
use sinks::journal::{JournalReader, LogReader};
use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tidegate::control::ControlRequest;
use tidegate::ingress::Submission;
use tidegate::recovery::{HaltNote, HaltNotes};
use tidegate_tests::rig::{Adverse, HostileVenue, Life, Service};
use tidegate_tests::{amount, run};

fn events(log: LogReader) -> Vec<Event> {
    log.map_while(Result::ok).collect()
}

fn inputs(journal: &Path) -> Vec<Event> {
    events(JournalReader::open(journal).expect("a journal").inputs())
}

fn outcomes(journal: &Path) -> Vec<Event> {
    events(JournalReader::open(journal).expect("a journal").outcomes())
}

/// Seqs of the halts in the record.
fn halts(journal: &Path) -> Vec<u64> {
    let halts = |e: &Event| e.get::<Commanded>().is_some_and(|c| c.action == CommandAction::Halt.code());
    inputs(journal).iter().filter(|e| halts(e)).map(|e| e.id.seq()).collect()
}

/// A paper service that runs, listens and has entered something.
fn running(service: &Service, speed: &str) -> Life {
    let mut life = service.start(speed);
    life.until("a first input", || service.listens() && !inputs(&service.journal()).is_empty());
    life
}

/// The number after `(input `.
fn input_said(said: &str) -> u64 {
    let number = said.split("(input ").nth(1).and_then(|rest| rest.split(')').next());
    number.and_then(|n| n.parse().ok()).unwrap_or_else(|| panic!("no input is named: {said}"))
}

#[test]
fn a_command_that_changes_nothing_says_why_and_fails() {
    let service = Service::paper(2_000_000).with("risk.ceilings=max-notional=200000000");
    let life = running(&service, "600x");
    let ctl = |words: &[&str], code| service.ctl(words).expect(code).stderr;
    let limit = |check, to, from, code| ctl(&["limit", check, to, "--from", from], code);
    let wrong = limit("max-quantity", "1", "777", 1);
    assert!(wrong.contains("the limit of max-quantity in force is 5000"), "{wrong}");
    let range = limit("max-quantity", "99999999999999999", "5000", 1);
    assert!(range.contains("from 0 to 1000000000000000; 5000 is in force"), "{range}");
    let raised = limit("max-quantity", "5001", "5000", 1);
    assert!(raised.contains("5001 is above what commands may set max-quantity to"), "{raised}");
    let above = limit("max-notional", "200000001", "100000000", 1);
    assert!(above.contains("100000000 is in force"), "{above}");
    let applied = limit("max-notional", "200000000", "100000000", 0);
    assert!(applied.contains("the limit of max-notional is 200000000, before it was 100000000"), "{applied}");
    limit("max-quantity", "4000", "5000", 0);
    limit("max-quantity", "5000", "4000", 0);
    let nothing = ctl(&["resume"], 1);
    assert!(nothing.contains("trading is not halted, so there is nothing to resume"), "{nothing}");
    let halted = ctl(&["halt"], 0);
    ctl(&["resume"], 0);
    let unknown = limit("max-quantty", "1", "5000", 2);
    assert!(unknown.contains("did you mean max-quantity?"), "{unknown}");
    ctl(&["--actor", "a\nb", "halt"], 2);
    life.kill();
    assert_eq!(halts(&service.journal()), [input_said(&halted)]);
    let became = outcomes(&service.journal());
    let became: Vec<_> = became.iter().filter_map(|e| e.get::<CommandOutcome>()).map(|o| o.result).collect();
    let wanted = [
        CommandResult::WrongOld,
        CommandResult::OutOfRange,
        CommandResult::AboveCeiling,
        CommandResult::AboveCeiling,
        CommandResult::Applied,
        CommandResult::Applied,
        CommandResult::Applied,
        CommandResult::NotHalted,
        CommandResult::Applied,
        CommandResult::Applied,
    ];
    assert_eq!(became, wanted.map(CommandResult::code));
}

#[test]
fn a_name_of_any_length_is_recorded_whole() {
    let service = Service::paper(2_000_000);
    let life = running(&service, "600x");
    let actor = format!("{} 🙂 {}", "ä".repeat(40), "漢".repeat(40));
    service.ctl(&["--actor", &actor, "cancel-all"]).expect(0);
    life.kill();
    let inputs = inputs(&service.journal());
    let command = inputs.iter().find_map(|e| e.get::<Commanded>()).expect("a command");
    let pieces = inputs.iter().filter_map(|e| e.get::<Name>()).filter(|n| n.handle == u64::from(command.actor));
    let pieces: Vec<_> =
        pieces.map(|n| std::str::from_utf8(&n.text[..n.len.into()]).expect("whole characters")).collect();
    assert_eq!(pieces.concat(), actor);
}

/// Every file and folder below `path` with its mode.
fn modes(path: &Path) -> Vec<(PathBuf, u32)> {
    let about = path.symlink_metadata().expect("it is there");
    let mut all = vec![(path.to_owned(), about.permissions().mode() & 0o777)];
    if about.is_dir() {
        let below = std::fs::read_dir(path).expect("a folder").map(|entry| entry.expect("an entry").path());
        all.extend(below.flat_map(|path| modes(&path)));
    }
    all
}

#[test]
fn nobody_else_commands_or_reads_whatever_the_umask() {
    for umask in ["000", "002", "777"] {
        let service = Service::paper(2_000_000);
        let command = service.command(&service.journal(), "600x");
        let mut shell = Command::new("sh");
        shell.args(["-c", &format!("umask {umask}; exec \"$0\" \"$@\"")]);
        shell.arg(command.get_program()).args(command.get_args()).stdin(Stdio::null()).stdout(Stdio::null());
        let output = service.path("said.txt");
        let said = std::fs::File::create(&output).expect("the folder is writable");
        let mut life = Life { child: shell.stderr(said).spawn().expect("a shell"), output };
        life.until("a first input", || service.listens() && !inputs(&service.journal()).is_empty());
        service.ctl(&["halt"]).expect(0);
        service.about(&["snapshot", "--journal"]).expect(0);
        let modes = modes(&service.journal());
        for (path, mode) in &modes {
            let wanted = if path.is_dir() { 0o700 } else { 0o600 };
            assert_eq!(*mode, wanted, "{} under umask {umask}: {mode:o}", path.display());
        }
        let names: BTreeSet<_> = modes.iter().filter_map(|(path, _)| path.extension()).collect();
        assert!(["sock", "seg", "toml"].iter().all(|e| names.contains(std::ffi::OsStr::new(e))), "{names:?}");
        life.kill();
    }
}

#[test]
fn a_path_of_any_length_has_its_control_socket() {
    let service = Service::paper(2_000_000);
    let deep = service.path(&"d".repeat(150));
    std::fs::create_dir(&deep).expect("a folder");
    let service = service.with_journal(deep.join("j".repeat(150)));
    let mut life = service.start("600x");
    let socket = service.journal().join("control.sock");
    life.until("a first input", || socket.exists() && !inputs(&service.journal()).is_empty());
    service.ctl(&["halt"]).expect(0);
    service.ctl(&["status"]).expect(0);
    life.kill();
    assert_eq!(halts(&service.journal()).len(), 1);
}

#[test]
fn without_its_control_socket_nothing_trades() {
    let service = Service::paper(2_000_000);
    running(&service, "600x").kill();
    let (socket, before) = (service.journal().join("control.sock"), inputs(&service.journal()));
    std::fs::remove_file(&socket).expect("a killed run leaves it");
    std::fs::create_dir(&socket).expect("a folder");
    let refused = service.finish(&["--speed", "600x"]).expect(2).stderr;
    assert!(refused.contains("a folder has its name") && refused.contains("does not trade"), "{refused}");
    assert!(inputs(&service.journal()) == before, "something entered");
    std::fs::remove_dir(&socket).expect("it is empty");
    running(&service, "600x").kill();
}

/// What the control thread notes of a halt that the head does not take.
fn noted(journal: &Path, after: u64) {
    let halt = ControlRequest::plain("halt", "ada").events(&stages::Instances::PLAIN, 1_000, Ns(7)).expect("a halt");
    let submission = Submission::new(halt.clone(), None);
    let notes = HaltNotes::start(journal, &Arc::default()).expect("a thread");
    notes.keep(&HaltNote::of(&halt, after), &submission.ticket());
    let since = Instant::now();
    let file = journal.join("halt.toml");
    while !std::fs::read_to_string(&file).is_ok_and(|note| note.contains("asked_ns = 7")) {
        assert!(since.elapsed() < Duration::from_secs(60), "no note");
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// A dead disk takes no note; where the newest records lie in memory it is found as well, and once.
#[test]
fn a_halt_that_only_memory_could_take_holds_at_the_next_start() {
    let service = Service::paper(2_000_000);
    let journal = service.journal();
    running(&service, "600x").kill();
    let last = inputs(&journal).last().expect("an input").id.seq();
    noted(&journal, last);
    let in_memory =
        JournalReader::open(&journal).expect("a journal").memory().expect("it was killed").join("halt.toml");
    std::fs::copy(journal.join("halt.toml"), &in_memory).expect("a note");
    std::fs::remove_file(journal.join("halt.toml")).expect("it is there");
    let mut life = service.start("600x");
    life.until("the halt", || service.listens() && halts(&journal).len() == 1);
    life.until("the end of the note", || !in_memory.exists());
    life.kill();
}

#[test]
fn a_halt_that_could_not_be_stored_holds_at_the_next_start() {
    let service = Service::paper(2_000_000);
    let (journal, note) = (service.journal(), service.journal().join("halt.toml"));
    running(&service, "600x").kill();
    let last = inputs(&journal).last().expect("an input").id.seq();
    noted(&journal, last);
    let mut life = service.start("600x");
    life.until("the halt", || service.listens() && halts(&journal).len() == 1);
    life.until("the end of the note", || !note.exists());
    let halt = halts(&journal)[0];
    let stored = inputs(&journal);
    let stored = stored.iter().find(|e| e.id.seq() == halt).and_then(Event::get::<Commanded>).expect("a halt");
    assert_eq!((stored.uid, stored.asked_ts), (1_000, Ns(7)), "it is the operator's");
    life.until("further inputs", || inputs(&journal).last().is_some_and(|e| e.id.seq() > halt + 50));
    let said = service.ctl(&["resume"]).expect(0).stderr;
    let resumed = input_said(&said);
    life.kill();
    let is_order = |e: &&Event| e.kind == flow::Kind::Order && (last + 1..resumed).contains(&e.id.seq());
    let ordered: Vec<_> = outcomes(&journal).iter().filter(is_order).map(|e| e.id.seq()).collect();
    assert!(ordered.iter().all(|seq| *seq < halt) && halt <= last + 2, "{ordered:?} after {last}, halted at {halt}");
    // The same note once more: the record holds its halt, so it is over.
    noted(&journal, last);
    let mut life = running(&service, "600x");
    life.until("the end of the note", || !note.exists());
    life.kill();
    assert_eq!(halts(&journal), [halt]);
    // One that cannot be read is a halt.
    std::fs::write(&note, "").expect("the folder is writable");
    let mut life = service.start("600x");
    life.until("another halt", || halts(&journal).len() == 2);
    life.kill();
}

#[test]
fn a_halt_that_could_not_be_stored_is_carried_over() {
    let service = Service::paper(20_000);
    let old = service.journal();
    running(&service, "600x").kill();
    noted(&old, inputs(&old).last().expect("an input").id.seq());
    let new = service.path("next");
    let mut command = service.command(&new, "max");
    let ended = command.arg("--carry-over").arg(&old).output().expect("it starts");
    assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
    assert_eq!(halts(&new).len(), 1, "it begins halted");
    assert!(!outcomes(&new).iter().any(|e| e.kind == flow::Kind::Order), "and sends nothing");
}

/// What operators were told who halted again and again until the run had ended.
#[derive(Default)]
struct Answered {
    /// Inputs that a success named.
    stored: Vec<u64>,
    /// Successes before the halt was stored.
    in_force: u64,
    failures: u64,
}

/// Halts until the socket is gone.
fn halting(journal: &Path) -> Answered {
    let (mut told, since) = (Answered::default(), Instant::now());
    while since.elapsed() < Duration::from_secs(60) {
        let asked = run(["ctl".as_ref(), journal.as_os_str(), "halt".as_ref()]);
        match asked.code {
            Some(0) if asked.stderr.contains("not stored yet") => told.in_force += 1,
            Some(0) => told.stored.push(input_said(&asked.stderr)),
            Some(1) => told.failures += 1,
            code => panic!("{code:?}: {}", asked.stderr),
        }
        if asked.code == Some(1) && !journal.join("control.sock").exists() {
            break;
        }
    }
    told
}

/// Operators halt while the run is told to stop: a success is a halt that is stored and that cancelled, all else is a failure.
fn halted_while_it_ends(service: &Service, mut life: Life, pause: Duration) -> Answered {
    let journal = service.journal();
    let told = std::thread::scope(|scope| {
        let operators: Vec<_> = (0..4).map(|_| scope.spawn(|| halting(&journal))).collect();
        life.until("a halt", || !halts(&journal).is_empty());
        std::thread::sleep(pause);
        let (status, _) = life.stop(Signal::TERM);
        assert!(status.success(), "{status:?}");
        operators.into_iter().map(|o| o.join().expect("no panic")).fold(Answered::default(), |mut all, told| {
            all.stored.extend(told.stored);
            Answered { in_force: all.in_force + told.in_force, failures: all.failures + told.failures, ..all }
        })
    });
    let stored: BTreeSet<u64> = halts(&journal).into_iter().collect();
    let cancels = outcomes(&journal);
    let cancels = cancels.iter().filter(|e| e.get::<Route>().is_some_and(|r| r.action == Action::CancelAll.code()));
    let cancels: BTreeSet<u64> = cancels.map(|e| e.id.seq()).collect();
    let Answered { in_force, failures, .. } = told;
    println!("{} told stored, {in_force} in force, {failures} not, {} stored", told.stored.len(), stored.len());
    for seq in &told.stored {
        assert!(stored.contains(seq) && cancels.contains(seq), "{seq} is not stored or cancels nothing");
    }
    assert!(!told.stored.is_empty() && failures > 0, "nobody halted at the end");
    told
}

#[test]
fn no_halt_is_confirmed_and_lost_while_the_run_ends() {
    for round in 0..amount(4, 40) {
        let service = Service::paper(400_000_000);
        let life = running(&service, "max");
        halted_while_it_ends(&service, life, Duration::from_millis(20 * round));
    }
}

#[test]
fn no_halt_is_confirmed_and_lost_at_a_venue_while_the_run_ends() {
    for round in 0..amount(2, 40) {
        let venue = HostileVenue::start(Adverse::Nothing);
        let service = Service::trading(venue.port);
        let mut life = running(&service, "1x");
        life.until("open orders", || venue.seen().open().len() > 5);
        let told = halted_while_it_ends(&service, life, Duration::from_millis(20 * round));
        assert!(told.in_force == 0 || service.journal().join("halt.toml").exists(), "a halt is lost");
        let seen = venue.seen();
        assert!(seen.open().is_empty() && !seen.cancel_alls.is_empty(), "{:?} are open", seen.open());
        assert_eq!(seen.twice, 0);
    }
}
