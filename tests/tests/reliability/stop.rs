//! A stop waits for nothing, and what was stopped goes on as if nobody had stopped it.

use crate::{AT_ONCE, inputs, outcomes};
use rustix::process::Signal;
use std::time::{Duration, Instant};
use tidegate_tests::rig::{Adverse, HostileVenue, Service};
use tidegate_tests::{amount, draw, seed};

const SIGNALS: [Signal; 3] = [Signal::TERM, Signal::INT, Signal::HUP];

/// A stopped run goes on where it was, and ends as one that nobody stopped: byte for byte.
#[test]
fn a_stopped_run_is_the_run_that_nobody_stopped() {
    stopped_and_whole(|| Service::paper(150_000));
}

/// The same over days that are one input, each with its own numbers of instruments and orders.
#[test]
fn a_stopped_run_over_days_is_the_run_that_nobody_stopped() {
    stopped_and_whole(|| Service::paper_over_days(3, 40_000));
}

fn stopped_and_whole(new: impl Fn() -> Service) {
    let mut random = seed();
    let whole = new();
    let began = Instant::now();
    whole.finish(&["--speed", "max"]).expect(0);
    // Half of what the run takes here, so that the first stop comes before its end on any host.
    let within = began.elapsed().as_micros() as u64 / 2;
    let service = new();
    let (mut stops, mut longest) = (0, Duration::ZERO);
    for n in 0..amount(12, 100) {
        let mut life = service.start(["max", "max", "600x"][n as usize % 3]);
        std::thread::sleep(Duration::from_micros(draw(&mut random, within)));
        stops += u64::from(life.runs());
        let said = life.output.clone();
        let (status, took) = life.stop(SIGNALS[n as usize % 3]);
        let said = std::fs::read_to_string(said).unwrap_or_default();
        // A signal before the handlers are there ends it as every process; a run that is over is not begun again.
        let orderly = matches!(status.code(), None | Some(0)) || service.journal().join("closed.toml").exists();
        assert!(orderly, "{status}: {said}");
        assert!(took < AT_ONCE, "{took:?}");
        longest = longest.max(took);
    }
    println!("{stops} stops while it ran, the longest {longest:?}");
    assert!(stops > 0);
    service.finish(&["--speed", "max"]);
    let again = service.finish(&["--speed", "max"]).expect(2);
    assert!(again.stderr.contains("ended"), "{}", again.stderr);
    assert!(inputs(&whole.journal()) == inputs(&service.journal()), "other inputs");
    assert!(outcomes(&whole.journal()) == outcomes(&service.journal()), "other outcomes");
    service.about(&["journal", "verify"]).expect(0);
}

/// The pace holds no stop up, however far away the next boundary of a bar is.
#[test]
fn the_pace_holds_no_stop_up() {
    for (n, (speed, after)) in [("1x", 3_000), ("10x", 1_000), ("0.01x", 300)].into_iter().enumerate() {
        let service = Service::paper(600_000).with("bars.intervals=1h");
        let mut life = service.start(speed);
        life.until("its journal", || service.journal().join("journal.toml").exists());
        std::thread::sleep(Duration::from_millis(after));
        let said = life.output.clone();
        let (status, took) = life.stop(SIGNALS[n]);
        let said = std::fs::read_to_string(said).unwrap_or_default();
        println!("{speed}: {took:?}");
        assert_eq!(status.code(), Some(0), "{said}");
        assert!(took < AT_ONCE, "{speed}: {took:?}");
        let bars = outcomes(&service.journal()).iter().filter(|e| e.kind == flow::Kind::Bar).count();
        assert_eq!(bars, 0, "a stop closes no bar");
    }
}

/// A stop while the record is repeated, and while the sources skip what is recorded.
#[test]
fn neither_a_replay_nor_a_skip_holds_a_stop_up() {
    let service = Service::paper(4_000_000);
    let mut life = service.start("max");
    life.until("a long record", || {
        let segments = std::fs::read_dir(service.journal().join("inputs")).map_or(0, Iterator::count);
        segments > 60
    });
    life.kill();
    for (n, snapshot) in [false, true].into_iter().enumerate() {
        if snapshot {
            service.about(&["snapshot", "--journal"]).expect(0);
        }
        let mut life = service.start("max");
        let output = life.output.clone();
        life.until("the check of the record", || {
            std::fs::read_to_string(&output).is_ok_and(|said| said.contains("this journal is checked"))
        });
        std::thread::sleep(Duration::from_millis(50));
        let (status, took) = life.stop(SIGNALS[n]);
        println!("snapshot {snapshot}: {took:?}");
        assert!(matches!(status.code(), Some(0)), "{status}");
        assert!(took < AT_ONCE, "{took:?}");
    }
    service.about(&["replay", "--verify", "--journal"]).expect(0);
}

/// What becomes of open orders is as configured: cancelled at a venue outside unless said otherwise.
#[test]
fn a_stop_leaves_or_cancels_as_configured() {
    for (setting, cancels) in [("auto", true), ("leave", false), ("cancel", true)] {
        let venue = HostileVenue::start(Adverse::Nothing);
        let service = Service::trading(venue.port).with(format!("pipeline.at_stop={setting}"));
        let mut life = service.start("1x");
        life.until("open orders", || venue.seen().open().len() > 20);
        let (status, took) = life.stop(Signal::TERM);
        assert_eq!(status.code(), Some(0));
        assert!(took < AT_ONCE, "{took:?}");
        let open = venue.seen().open().len();
        assert_eq!(open == 0, cancels, "{setting}: {open} orders are open");
        let orders = venue.seen().orders();
        let mut life = service.start("1x");
        life.until("more orders", || venue.seen().orders() > orders + 20);
        life.kill();
        assert_eq!(venue.seen().twice, 0);
        service.about(&["replay", "--verify", "--journal"]).expect(0);
    }
}

/// A second signal does not wait even for what a first one waits for.
#[test]
fn a_second_signal_ends_it_at_once() {
    let venue = HostileVenue::start(Adverse::SilentAfter(100));
    let service = Service::trading(venue.port);
    let mut life = service.start("1x");
    life.until("the silence", || venue.seen().routes > 110);
    life.signal(Signal::TERM);
    // What follows at once is the same press of a key; this is another.
    std::thread::sleep(Duration::from_millis(300));
    let (status, took) = life.stop(Signal::TERM);
    assert!(took < AT_ONCE, "{took:?}");
    assert_eq!(status.code(), Some(1), "the first one waits for the venue");
    venue.becomes(Adverse::Nothing);
    let orders = venue.seen().orders();
    let mut life = service.start("1x");
    life.until("more orders", || venue.seen().orders() > orders + 20);
    life.kill();
}
