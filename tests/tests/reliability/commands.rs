//! A command is carried out, or it is said that it is not; nobody else at the socket can hold it up.

use crate::{AT_ONCE, commanded, soon};
use flow::CommandAction;
use rustix::process::Signal;
use std::io::Write;
use std::os::unix::net::UnixStream;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use tidegate_tests::rig::{Adverse, HostileVenue, Life, Service, ended_within};
use tidegate_tests::tidegate;

/// A service that trades with a hostile venue, once it has orders open there and listens for commands.
fn trading(venue: &HostileVenue, service: &Service, orders: usize) -> Life {
    let mut life = service.start("1x");
    life.until("orders", || venue.seen().open().len() >= orders);
    life.until("the control socket", || service.listens());
    life
}

/// Whether nothing is open at the venue, and nothing comes any more.
#[track_caller]
fn rests(venue: &HostileVenue) {
    soon("the end of all orders", || venue.seen().open().is_empty());
    let orders = venue.seen().orders();
    std::thread::sleep(Duration::from_millis(300));
    let seen = venue.seen();
    assert_eq!((seen.orders(), seen.open().len()), (orders, 0), "orders after the halt");
}

/// A halt that comes while a stopped run waits for its venue.
#[test]
fn a_halt_while_the_run_ends_is_carried_out_or_said_not_to_be() {
    for after in [0, 30, 150, 600] {
        let venue = HostileVenue::start(Adverse::SilentAfter(150));
        let service = Service::trading(venue.port).with("pipeline.at_stop=leave");
        let mut life = service.start("1x");
        life.until("the silence", || venue.seen().routes > 160);
        life.until("the control socket", || service.listens());
        life.signal(Signal::TERM);
        std::thread::sleep(Duration::from_millis(after));
        let halt = service.ctl(&["halt"]);
        life.end();
        let (all, stored) = (venue.seen().cancel_alls.len(), commanded(&service.journal(), CommandAction::Halt));
        match halt.code {
            Some(0) => assert!(all > 0 && stored == 1, "{after} ms: {all} cancel-alls, {stored} stored: {halt:?}"),
            Some(1) => assert_eq!(stored, 0, "{after} ms: stored and denied: {halt:?}"),
            _ => panic!("{after} ms: {halt:?}"),
        }
    }
}

/// A halt while there is no session: it holds at the gateway, and the orders end as soon as there is one again.
#[test]
fn a_halt_without_a_session_holds_when_it_is_back() {
    let venue = HostileVenue::start(Adverse::Nothing);
    let service = Service::trading(venue.port);
    let mut life = trading(&venue, &service, 20);
    venue.becomes(Adverse::NoHello);
    venue.hang_up();
    std::thread::sleep(Duration::from_millis(100));
    let halt = service.ctl(&["halt"]);
    let halt = halt.expect(1);
    assert!(halt.stderr.contains("no cancel has reached the venue yet"), "{halt:?}");
    venue.becomes(Adverse::Nothing);
    rests(&venue);
    assert!(life.runs(), "it ended:\n{}", life.said());
    life.stop(Signal::TERM);
    assert_eq!(commanded(&service.journal(), CommandAction::Halt), 1);
}

/// A client that sends a blank each half second holds nobody up, nor do many that send nothing.
#[test]
fn other_clients_hold_no_halt_up() {
    let venue = HostileVenue::start(Adverse::Nothing);
    let service = Service::trading(venue.port);
    let life = trading(&venue, &service, 20);
    let mut drip = UnixStream::connect(service.socket()).expect("it listens");
    drip.write_all(b" ").expect("it is open");
    let idle: Vec<_> = (0..100).map_while(|_| UnixStream::connect(service.socket()).ok()).collect();
    let since = Instant::now();
    service.ctl(&["halt"]).expect(0);
    assert!(since.elapsed() < Duration::from_secs(4), "{:?}", since.elapsed());
    rests(&venue);
    drop((drip, idle));
    life.stop(Signal::TERM);
    assert_eq!(commanded(&service.journal(), CommandAction::Halt), 1);
}

/// A command whose client has gone before its end does not enter later.
#[test]
fn a_command_that_was_given_up_never_enters() {
    let venue = HostileVenue::start(Adverse::Nothing);
    let service = Service::trading(venue.port);
    let life = trading(&venue, &service, 20);
    service.ctl(&["halt"]).expect(0);
    for piece in ["{\"action\":\"resume\",\"actor\":\"ada\"}", "{\"action\":\"resume\",\"act"] {
        let mut gone = UnixStream::connect(service.socket()).expect("it listens");
        gone.write_all(piece.as_bytes()).expect("it is open");
    }
    std::thread::sleep(Duration::from_millis(500));
    rests(&venue);
    life.stop(Signal::TERM);
    assert_eq!(commanded(&service.journal(), CommandAction::Resume), 0);
}

/// A status that is asked for after a command knows of it, however soon.
#[test]
fn a_status_knows_of_every_command_before_it() {
    let service = Service::paper(2_000_000);
    let mut life = service.start("60x");
    life.until("trading", || service.ctl(&["halt"]).code == Some(0));
    for _ in 0..10 {
        service.ctl(&["resume"]).expect(0);
        assert_eq!(service.status()["trading"]["halted"], false);
        service.ctl(&["halt"]).expect(0);
        assert_eq!(service.status()["trading"]["halted"], true);
    }
    life.stop(Signal::TERM);
}

#[test]
fn a_limit_with_a_wrong_old_value_is_refused_with_the_one_in_force() {
    let service = Service::paper(2_000_000);
    let mut life = service.start("600x");
    life.until("the control socket", || service.listens());
    let wrong = service.ctl(&["limit", "max-quantity", "1", "--from", "777"]).expect(1);
    assert!(wrong.stderr.contains("5000") || wrong.stderr.contains("5,000"), "{wrong:?}");
    let beyond = service.ctl(&["limit", "max-quantity", "-5", "--from", "5000"]);
    assert!(matches!(beyond.code, Some(1 | 2)), "{beyond:?}");
    let done = service.ctl(&["limit", "max-quantity", "1", "--from", "5000"]).expect(0);
    assert!(done.stderr.contains("5000") || done.stderr.contains("5,000"), "old and new are said: {done:?}");
    service.ctl(&["limit", "max-quantity", "2", "--from", "1"]).expect(0);
    life.stop(Signal::TERM);
}

/// Positions are closed under a halt, of one symbol and then of all, and the journal of it repeats bit for bit.
#[test]
fn a_flatten_under_a_halt_leaves_no_position() {
    let service = Service::paper_at_the_open(400_000);
    let mut life = service.start("30x");
    life.until("the control socket", || service.listens());
    let held = |symbol: Option<&str>| {
        let status = service.status();
        let positions = status["trading"]["positions"].as_array().cloned().unwrap_or_default();
        let of = |p: &&serde_json::Value| p["qty"] != 0 && symbol.is_none_or(|symbol| p["symbol"] == symbol);
        positions.iter().find(of).map(|p| p["symbol"].as_str().expect("a symbol").to_owned())
    };
    let mut symbol = None;
    life.until("a position", || {
        symbol = held(None);
        symbol.is_some()
    });
    let symbol = symbol.expect("there is a position");
    service.ctl(&["halt"]).expect(0);
    let unknown = service.ctl(&["flatten", "--symbol", "NOBODY"]).expect(1);
    assert!(unknown.stderr.contains("no instrument of that symbol"), "{unknown:?}");
    let strategy = service.ctl(&["flatten", "--strategy", "randon"]).expect(2);
    assert!(strategy.stderr.contains("did you mean random?"), "{strategy:?}");
    let said = service.ctl(&["flatten", "--symbol", &symbol, "--strategy", "random", "--account", "1"]).expect(0);
    assert!(said.stderr.contains("positions are being closed"), "{said:?}");
    soon("the end of that position", || held(Some(&symbol)).is_none());
    service.ctl(&["flatten"]).expect(0);
    soon("the end of all positions", || held(None).is_none());
    let trust = service.ctl(&["trust", "--symbol", &symbol]).expect(0);
    assert!(trust.stderr.contains("nothing was doubtful"), "{trust:?}");
    assert_eq!(service.status()["trading"]["halted"], true);
    life.stop(Signal::TERM);
    assert_eq!(commanded(&service.journal(), CommandAction::Flatten), 3);
    service.about(&["replay", "--verify", "--journal"]).expect(0);
}

/// Neither an end nor a command minds that nobody reads standard error.
#[test]
fn a_closed_stderr_changes_no_end_and_no_command() {
    let venue = HostileVenue::start(Adverse::Nothing);
    let service = Service::trading(venue.port);
    let mut life = service.start_unread("1x");
    life.until("orders", || venue.seen().open().len() > 10);
    life.until("the control socket", || service.listens());
    let mut ctl = Command::new(tidegate());
    ctl.arg("ctl").arg(service.journal()).arg("halt").stderr(Stdio::piped()).stdout(Stdio::null());
    let mut ctl = ctl.spawn().expect("tidegate starts");
    drop(ctl.stderr.take());
    assert_eq!(ended_within(&mut ctl, AT_ONCE).and_then(|s| s.code()), Some(0));
    rests(&venue);
    let (status, took) = life.stop(Signal::TERM);
    assert_eq!(status.code(), Some(0));
    assert!(took < AT_ONCE, "{took:?}");
}
