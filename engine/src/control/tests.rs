//! The control socket against clients that are slow, silent, many or gone, with a head that takes commands when told to.

use super::intake::{Intake, MOST};
use super::server::Guard;
use super::{ControlReply, ControlRequest, Outcomes, Pipeline, Server, ask};
use crate::drive::Control;
use crate::ingress::{Commands, Submission};
use flow::records::{Command, CommandOutcome, Halt};
use flow::{CommandResult, Event, EventId, Flags, Gateway, HaltReason, Ns};
use std::collections::VecDeque;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// A server whose head is the test.
struct Rig {
    folder: TempDir,
    control: Control,
    commands: Commands,
    outcomes: Arc<Outcomes>,
    server: Option<Server>,
    seq: u64,
}

impl Rig {
    fn new(has_gateway: bool) -> Rig {
        let (folder, control) = (tempfile::tempdir().unwrap(), Control::default());
        control.kill_switch.set_gateways(usize::from(has_gateway));
        let (sender, commands) = Commands::live(Arc::clone(&control.kill_switch));
        let outcomes = Outcomes::new().unwrap();
        let pipeline = Pipeline { trades: true, has_gateway, ..Pipeline::default() };
        let intake = Intake::new(folder.path(), sender, control.clone()).unwrap();
        let server = Server::start(folder.path(), &intake, control.clone(), &outcomes, pipeline).unwrap();
        Rig { folder, control, commands, outcomes, server: Some(server), seq: 0 }
    }

    fn journal(&self) -> PathBuf {
        self.folder.path().to_owned()
    }

    fn connect(&self) -> UnixStream {
        UnixStream::connect(self.folder.path().join("control.sock")).unwrap()
    }

    /// Takes what has been submitted; returns the actions, which are applied.
    fn take(&mut self) -> Vec<u32> {
        let (mut actions, mut sink) = (Vec::new(), self.outcomes.sink());
        while self.commands.due(Ns(1)).is_some() {
            let Some(event) = self.commands.take() else { continue };
            self.seq += 1;
            self.commands.on_stored(self.seq);
            if let Some(command) = event.get::<Command>() {
                actions.push(command.action);
                let (action, result) = (command.action, CommandResult::Applied.code());
                let outcome = CommandOutcome { action, result, new: 1, ..CommandOutcome::default() };
                let outcome = Event::new(Ns(1), 0, Flags::NONE, &outcome);
                sink.take(&Event { id: EventId::new(self.seq, 10, 0), ..outcome }).unwrap();
            }
        }
        actions
    }

    /// Takes commands until something was taken.
    #[track_caller]
    fn taken(&mut self) -> Vec<u32> {
        until("a command", || {
            let taken = self.take();
            (!taken.is_empty()).then_some(taken)
        })
    }
}

#[track_caller]
fn until<T>(what: &str, mut done: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + Duration::from_secs(30);
    loop {
        if let Some(found) = done() {
            return found;
        }
        assert!(Instant::now() < deadline, "{what} did not come");
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// An operator who asks in a thread of their own.
fn asking(journal: &Path, action: &str) -> std::thread::JoinHandle<(ControlReply, Duration)> {
    let (journal, asked) = (journal.to_owned(), ControlRequest::plain(action, "ada"));
    std::thread::spawn(move || {
        let began = Instant::now();
        (ask(&journal, &asked).unwrap(), began.elapsed())
    })
}

const HALT: &[u8] = b"{\"action\":\"halt\",\"actor\":\"ada\"}\n";
const RESUME: &[u8] = b"{\"action\":\"resume\",\"actor\":\"ada\"}\n";

#[test]
fn no_client_holds_up_the_halt_of_another() {
    let mut rig = Rig::new(false);
    let idle: Vec<_> = (0..1_000).map(|_| rig.connect()).collect();
    let (flooding, socket) = (Arc::new(AtomicBool::new(true)), rig.folder.path().join("control.sock"));
    let floods = Arc::clone(&flooding);
    let flood = std::thread::spawn(move || {
        let mut clients = VecDeque::new();
        while floods.load(Ordering::Relaxed) {
            let mut client = UnixStream::connect(&socket).unwrap();
            // It may have been turned away.
            let _ = client.write_all(b"{");
            clients.push_back(client);
            clients.drain(..clients.len().saturating_sub(200));
        }
    });
    for round in 1..=20 {
        let asker = asking(&rig.journal(), "halt");
        until("the pull", || (rig.control.kill_switch.pulls() == round).then_some(()));
        assert_eq!(rig.taken(), [1]);
        let (reply, took) = asker.join().unwrap();
        assert!(matches!(reply, ControlReply::Applied { new: 1, .. }), "{reply:?}");
        assert!(took < Duration::from_millis(800), "the clients before it cost it {took:?}");
    }
    flooding.store(false, Ordering::Relaxed);
    flood.join().unwrap();
    drop(idle);
}

#[test]
fn whoever_drips_is_told_that_nothing_was_carried_out() {
    let mut rig = Rig::new(false);
    let mut dripping = rig.connect();
    let began = Instant::now();
    for byte in HALT {
        if dripping.write_all(&[*byte]).is_err() {
            break;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    let mut reply = String::new();
    dripping.read_to_string(&mut reply).unwrap();
    assert!(reply.contains("not-carried-out") && reply.contains("within 900 ms"), "{reply}");
    assert!(began.elapsed() > Duration::from_millis(900));
    assert_eq!((rig.take(), rig.control.kill_switch.pulls()), (vec![], 0));
}

#[test]
fn a_command_whose_client_is_gone_never_enters_but_a_halt_does() {
    let mut rig = Rig::new(true);
    let send = |rig: &Rig, line: &[u8]| rig.connect().write_all(line).unwrap();
    send(&rig, RESUME);
    send(&rig, HALT);
    send(&rig, RESUME);
    until("the pull", || (rig.control.kill_switch.pulls() == 1).then_some(()));
    // One more exchange, so that everything before it has been looked at.
    let asker = asking(&rig.journal(), "cancel-all");
    until("the pull", || (rig.control.kill_switch.pulls() == 2).then_some(()));
    rig.control.kill_switch.carry_out(Gateway::new(0), 2);
    assert_eq!(rig.taken(), [1, 3]);
    assert!(matches!(asker.join().unwrap().0, ControlReply::Applied { .. }));
    assert!(rig.take().is_empty());
}

#[test]
fn a_client_that_leaves_before_its_command_is_taken_takes_it_along() {
    let mut rig = Rig::new(false);
    let mut client = rig.connect();
    client.write_all(RESUME).unwrap();
    std::thread::sleep(Duration::from_millis(100));
    drop(client);
    std::thread::sleep(Duration::from_millis(100));
    assert!(rig.take().is_empty());
}

#[test]
fn a_command_that_nobody_takes_in_time_is_given_up_and_a_halt_is_not() {
    let mut rig = Rig::new(false);
    let (resume, halt) = (asking(&rig.journal(), "resume"), asking(&rig.journal(), "halt"));
    let ((resumed, took), (halted, _)) = (resume.join().unwrap(), halt.join().unwrap());
    assert!(matches!(resumed, ControlReply::NotCarriedOut { .. }), "{resumed:?}");
    assert!(took >= Duration::from_millis(1_000), "{took:?}");
    assert!(matches!(halted, ControlReply::NotKnown { .. }), "{halted:?}");
    let note = rig.folder.path().join("halt.toml");
    until("the note", || std::fs::read_to_string(&note).ok().filter(|n| n.contains("actor = \"ada\"")));
    assert_eq!(rig.take(), [1], "the resume has been given up");
    until("the end of the note", || (!note.exists()).then_some(()));
}

#[test]
fn what_the_gateway_has_done_is_in_force_before_it_is_stored() {
    let mut rig = Rig::new(true);
    let halt = asking(&rig.journal(), "halt");
    let pull = until("the pull", || Some(rig.control.kill_switch.pulls()).filter(|pulls| *pulls == 1));
    rig.control.kill_switch.carry_out(Gateway::new(0), pull);
    assert_eq!(halt.join().unwrap().0, ControlReply::InForce { seq: None });
    assert_eq!(rig.taken(), [1]);
    let cancel = asking(&rig.journal(), "cancel-all");
    assert_eq!(rig.taken(), [3]);
    let (reply, took) = cancel.join().unwrap();
    assert!(
        matches!(&reply, ControlReply::NotKnown { why } if why.contains("no cancel has reached the venue")),
        "{reply:?}"
    );
    assert!(took < Duration::from_secs(2), "{took:?}");
}

/// Whoever halts again while the head stands still has the cancels sent again and waits for the same command.
#[test]
fn halts_that_wait_are_one_command_unless_another_came_between() {
    let mut rig = Rig::new(true);
    let submitted = |rig: &Rig, pulls: u64, action: &str| {
        let asker = asking(&rig.journal(), action);
        until("the pull", || (rig.control.kill_switch.pulls() == pulls).then_some(()));
        asker
    };
    let mut askers: Vec<_> = (1..=3).map(|pulls| submitted(&rig, pulls, "halt")).collect();
    askers.push(submitted(&rig, 4, "cancel-all"));
    let resume = asking(&rig.journal(), "resume");
    std::thread::sleep(Duration::from_millis(100));
    askers.extend((5..=6).map(|pulls| submitted(&rig, pulls, "halt")));
    rig.control.kill_switch.carry_out(Gateway::new(0), 6);
    assert_eq!(rig.taken(), [1, 3, 2, 1]);
    let seqs: Vec<u64> = askers
        .into_iter()
        .map(|asker| match asker.join().unwrap().0 {
            ControlReply::Applied { seq, .. } => seq,
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(seqs, [2, 2, 2, 4, 8, 8], "a name comes before each command");
    assert!(matches!(resume.join().unwrap().0, ControlReply::Applied { seq: 6, .. }));
    assert!(!rig.control.kill_switch.is_closed(), "every command that was pulled for is stored");
}

/// A head that stands still is handed no more than a bound, and halts all the same.
#[test]
fn commands_that_wait_are_bounded_and_a_halt_always_enters() {
    let (folder, control) = (tempfile::tempdir().unwrap(), Control::default());
    let (sender, mut commands) = Commands::live(Arc::clone(&control.kill_switch));
    let intake = Intake::new(folder.path(), sender, control).unwrap();
    let events = |action| ControlRequest::plain(action, "ada").events(&stages::Instances::PLAIN, 1_000, Ns(7)).unwrap();
    let enters = || {
        intake.halt(events("halt"));
        intake.command(Submission::new(events("resume"), None)).is_some_and(|resume| resume.ticket.give_up())
    };
    let entered = (0..MOST * 2).filter(|_| enters()).count();
    assert_eq!(entered, MOST);
    let mut halts = 0;
    while commands.due(Ns(1)).is_some() {
        halts += usize::from(commands.take().unwrap().get::<Command>().is_some());
        commands.on_stored(1);
    }
    assert_eq!(halts, MOST + 1);
    assert!(enters(), "there is room again");
}

/// The end of a run says what is certain: nothing was done, or the cancels have left, or a note halts the next run.
#[test]
fn after_the_end_what_is_certain_is_said() {
    let ended = ControlReply::NotCarriedOut { why: "the run has ended".to_owned() };
    for (has_gateway, carries_out) in [(false, false), (true, false), (true, true)] {
        let mut rig = Rig::new(has_gateway);
        let waiting = asking(&rig.journal(), "halt");
        until("the pull", || (rig.control.kill_switch.pulls() == 1).then_some(()));
        rig.commands.close();
        let [resume, cancel, late] = ["resume", "cancel-all", "halt"].map(|action| asking(&rig.journal(), action));
        until("the pulls", || (rig.control.kill_switch.pulls() == 3).then_some(()));
        if carries_out {
            rig.control.kill_switch.carry_out(Gateway::new(0), 3);
        }
        assert_eq!(resume.join().unwrap().0, ended);
        std::thread::sleep(Duration::from_millis(20));
        drop(rig.server.take());
        for (asker, halts) in [(waiting, true), (late, true), (cancel, false)] {
            match asker.join().unwrap().0 {
                ControlReply::InForce { seq: None } => assert!(carries_out),
                ControlReply::NotKnown { why } => {
                    assert!(!carries_out && why.contains("note halts the next run") == halts, "{why}");
                }
                reply => assert!(!has_gateway && !halts && reply == ended, "{reply:?}"),
            }
        }
        assert!(!rig.folder.path().join("control.sock").exists());
        let note = std::fs::read_to_string(rig.folder.path().join("halt.toml")).unwrap();
        assert!(note.contains("actor = \"ada\""), "{note}");
    }
}

#[test]
fn without_its_control_thread_the_engine_halts() {
    let control = Control::default();
    let (sender, mut commands) = Commands::live(Arc::clone(&control.kill_switch));
    let folder = tempfile::tempdir().unwrap();
    let intake = Intake::new(folder.path(), sender, control.clone()).unwrap();
    for panics in [false, true] {
        let guard = Guard { intake: Arc::clone(&intake), control: control.clone() };
        let thread = std::thread::spawn(move || {
            let _guard = guard;
            assert!(!panics, "on purpose");
        });
        assert_eq!(thread.join().is_err(), panics);
    }
    assert_eq!(control.kill_switch.pulls(), 1);
    let note = folder.path().join("halt.toml");
    until("the note", || note.exists().then_some(()));
    commands.due(Ns(1)).expect("a halt");
    assert_eq!(commands.take().expect("it enters").record::<Halt>().reason, HaltReason::Panic.code());
}

#[test]
fn what_is_no_request_is_refused_and_what_is_endless_too() {
    let rig = Rig::new(false);
    let answer = |line: &[u8]| {
        let mut client = rig.connect();
        // The server may have answered and closed before everything is written.
        let _ = client.write_all(line);
        let mut reply = String::new();
        let _ = client.read_to_string(&mut reply);
        reply
    };
    assert!(answer(b"halt\n").contains("this is no request"));
    assert!(answer(b"{\"action\":\"halt\",\"actor\":\"\"}\n").contains("not a name of an operator"));
    assert!(answer(&[b' '; 5_000]).contains("at most 4096 bytes"));
    assert_eq!(rig.control.kill_switch.pulls(), 0);
}

#[test]
fn a_path_of_any_length_works_and_what_has_the_sockets_name_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let long = folder.path().join("d".repeat(150)).join("e".repeat(150));
    std::fs::create_dir_all(&long).unwrap();
    let start = |dir: &Path| {
        let (sender, commands) = Commands::live(Arc::default());
        let pipeline = Pipeline::default();
        let intake = Intake::new(dir, sender, Control::default()).unwrap();
        let started = Server::start(dir, &intake, Control::default(), &Outcomes::new().unwrap(), pipeline);
        (started, commands)
    };
    let started = start(&long);
    assert!(started.0.is_ok());
    let reply = ask(&long, &ControlRequest::plain("halt", "ada")).unwrap();
    assert!(matches!(&reply, ControlReply::Refused { why } if why.contains("does not trade")), "{reply:?}");
    drop(started);
    let socket = folder.path().join("control.sock");
    std::fs::create_dir(&socket).unwrap();
    let error = start(folder.path()).0.err().expect("a folder is there").to_string();
    assert!(error.contains("a folder has its name") && error.contains("does not trade"), "{error}");
    std::fs::remove_dir(&socket).unwrap();
    std::fs::write(&socket, "mine").unwrap();
    let error = start(folder.path()).0.err().expect("a file is there").to_string();
    assert!(error.contains("a file that is no socket has its name"), "{error}");
    assert_eq!(std::fs::read(&socket).unwrap(), b"mine");
}
