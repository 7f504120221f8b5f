//! Killed and stopped at any moment, at a hostile venue behind a hostile proxy.
//!
//! The proxy cuts at any byte, delays, doubles, spoils and falls silent; the venue fills, refuses, busts and hangs up. After
//! each life the next one goes on. In the end nothing was sent twice, every answer of the venue stands once in the record,
//! and positions and fees are those of its ledger; a journal that was halted stays halted. Seeds are printed.

use crate::AT_ONCE;
use rustix::process::Signal;
use std::time::{Duration, Instant};
use tidegate_tests::ledger::compared;
use tidegate_tests::rig::{Hostility, Life, Proxy, Service};
use tidegate_tests::{Venue, amount, draw, seed};

/// Lives of one journal: repeating the record costs what the run did, so many are several journals. Two of five are stopped,
/// the others killed.
const LIVES: (u64, u64) = (12, 25);
/// Journals: 300 kills and 200 stops are 20 of the longer ones.
const JOURNALS: (u64, u64) = (1, 20);

/// How often something is done to the bytes that pass.
const HOSTILE: Hostility = Hostility { spoils: 400, delays: 60, silence: Duration::from_millis(1_200) };

/// What the lives came to.
#[derive(Default)]
struct Tally {
    kills: u64,
    stops: u64,
    /// Lives that the engine ended itself, having said why.
    own: u64,
    longest: Duration,
    stopped: Vec<Duration>,
}

/// A service that trades at random through the proxy.
fn service(port: u16, seed: u64, preset: &str) -> Service {
    Service::new(format!(
        "[pipeline]\nstages = [\"book\", \"random\", \"orders\", \"risk\", \"router\"]\nclock = \"wall\"\npreset = \"{preset}\"\n\
         [journal]\nsegment_records = 8192\n[router]\nvenue = \"wire\"\n\
         [wire]\naddress = \"127.0.0.1:{port}\"\ntimeout_ms = 400\n\
         [random]\nevery = 40\nseed = {seed}\nmax_position = 5000\n\
         [risk]\nmax_quantity = 5000\nmax_notional = 100000000\ncollar_bps = 5000\nmax_position = 6000\n\
         max_open_orders = 200\nmax_messages = 4000\nthrottle_window_ms = 100\nmax_data_age_ms = 60000\n\
         [[input]]\nfeed = \"synthetic\"\nseed = {seed}\nmessages = 1000000000\nsymbols = 4\nlive_orders = 400\n"
    ))
}

/// One life: started, and ended somewhere.
fn live(service: &Service, venue: &mut Venue, random: &mut u64, tally: &mut Tally, stop: bool) {
    let sessions = venue.count("sessions");
    let mut life = service.start("max");
    if draw(random, 6) > 0 {
        let since = Instant::now();
        while life.runs() && venue.count("sessions") == sessions && since.elapsed() < AT_ONCE {
            std::thread::sleep(Duration::from_millis(1));
        }
    }
    std::thread::sleep(Duration::from_micros(draw(random, 250_000)));
    if draw(random, 8) == 0 {
        venue.send("hang-up");
    }
    let output = life.output.clone();
    let said = || std::fs::read_to_string(&output).unwrap_or_default();
    if !life.runs() {
        tally.own += 1;
        let status = life.end();
        assert!(
            status.code() == Some(1) && said().contains("venue wire at"),
            "it ended by itself, {status}:\n{}",
            said()
        );
    } else if stop {
        let signal = [Signal::TERM, Signal::INT, Signal::HUP][draw(random, 3) as usize];
        let (status, took) = life.stop(signal);
        // A signal before the handlers are there ends it as every process.
        assert!(matches!(status.code(), None | Some(0 | 1)), "{signal:?}: {status}:\n{}", said());
        assert!(took < AT_ONCE, "{signal:?} took {took:?}:\n{}", said());
        tally.stops += 1;
        tally.stopped.push(took);
    } else {
        life.kill();
        tally.kills += 1;
    }
    assert_eq!(venue.count("duplicates"), 0, "something was sent twice");
}

/// The last life: bytes pass as they come, the venue falls quiet, and all orders end.
fn conclude(service: &Service, venue: &mut Venue, proxy: &Proxy) {
    proxy.set_calm(true);
    let sessions = venue.count("sessions");
    let mut life = service.start("max");
    life.until("a session", || venue.count("sessions") > sessions);
    std::thread::sleep(Duration::from_millis(200));
    venue.send("quiet");
    std::thread::sleep(Duration::from_millis(300));
    service.ctl(&["halt"]).expect(0);
    life.until("the end of all orders", || venue.ledger()["open"].as_array().is_some_and(Vec::is_empty));
    std::thread::sleep(Duration::from_millis(300));
    ended(life);
}

#[track_caller]
fn ended(life: Life) {
    let output = life.output.clone();
    let (status, _) = life.stop(Signal::TERM);
    let said = std::fs::read_to_string(output).unwrap_or_default();
    // A machine that does other things may be too slow for an orderly end; then it ends as by a kill, and says so.
    assert!(status.code() == Some(0) || said.contains("ended as by a kill"), "{status}: {said}");
}

/// A halted journal sends no order in its next life.
fn stays_halted(service: &Service, venue: &mut Venue) {
    let (orders, sessions) = (venue.count("orders"), venue.count("sessions"));
    let mut life = service.start("max");
    life.until("a session", || venue.count("sessions") > sessions);
    std::thread::sleep(Duration::from_millis(300));
    ended(life);
    assert_eq!(venue.count("orders"), orders, "an order of a halted journal");
}

#[test]
fn killed_and_stopped_at_any_moment_nothing_is_sent_twice_or_lost() {
    let (mut random, mut tally) = (seed(), Tally::default());
    for journal in 0..amount(JOURNALS.0, JOURNALS.1) {
        let mut venue = Venue::start(env!("CARGO_BIN_EXE_test-venue"), random);
        let proxy = Proxy::start(venue.port, random, HOSTILE);
        let (preset, at_stop) = (["fused", "split"][journal as usize % 2], ["leave", "auto"][journal as usize / 2 % 2]);
        let service = service(proxy.port, random >> 32, preset).with(format!("pipeline.at_stop={at_stop}"));
        for life in 0..amount(LIVES.0, LIVES.1) {
            live(&service, &mut venue, &mut random, &mut tally, life % 5 < 2);
        }
        conclude(&service, &mut venue, &proxy);
        stays_halted(&service, &mut venue);
        service.about(&["replay", "--complete", "--journal"]).expect(0);
        let ledger = venue.ledger();
        compared(&service.journal(), &mut venue, &ledger, 0);
        println!("the proxy: {}", proxy.done());
    }
    tally.stopped.sort_unstable();
    let middle = tally.stopped.get(tally.stopped.len() / 2);
    tally.longest = tally.stopped.last().copied().unwrap_or_default();
    println!(
        "{} kills, {} stops (median {middle:?}, longest {:?}), {} lives that the engine ended",
        tally.kills, tally.stops, tally.longest, tally.own
    );
}
