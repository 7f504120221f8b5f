//! From a signal to the end of the process.

use crate::times::spread;
use rustix::process::Signal;
use std::time::Duration;
use tidegate_tests::rig::{Adverse, HostileVenue, Service};
use tidegate_tests::{draw, seed};

const SIGNALS: [Signal; 3] = [Signal::TERM, Signal::INT, Signal::HUP];

/// The stops of one row.
struct Row {
    name: String,
    times: Vec<Duration>,
    /// Ends other than exit code 0.
    other: u64,
}

impl Row {
    fn new(name: impl Into<String>) -> Row {
        Row { name: name.into(), times: Vec::new(), other: 0 }
    }

    fn stop(&mut self, life: tidegate_tests::rig::Life) {
        let (status, took) = life.stop(SIGNALS[self.times.len() % 3]);
        self.other += u64::from(status.code() != Some(0));
        self.times.push(took);
    }

    fn print(self) {
        println!("{:<40} {} {:>6}", self.name, spread(self.times), self.other);
    }
}

pub(crate) fn measure(rounds: u64) {
    let mut random = seed();
    println!("from the signal (TERM, INT, HUP in turn) to the end of the process, ms, {rounds} rounds a row");
    println!("{:<40} {:>9} {:>9} {:>6}", "while", "p50", "max", "not 0");
    for speed in ["1x", "10x", "max"] {
        paced(speed, "bars.intervals=5s,1m", rounds, &mut random);
    }
    paced("1x", "bars.intervals=1h", rounds, &mut random);
    repeating(rounds, &mut random);
    at_a_venue(rounds);
    spinning(rounds);
}

/// A paper run at this speed.
fn paced(speed: &str, bars: &str, rounds: u64, random: &mut u64) {
    let mut row = Row::new(format!("paper at {speed}, {bars}"));
    for _ in 0..rounds {
        let service = Service::paper(20_000_000).with(bars);
        let mut life = service.start(speed);
        life.until("its journal", || service.listens());
        std::thread::sleep(Duration::from_millis(1_500 + draw(random, 500)));
        row.stop(life);
    }
    row.print();
}

/// A long record that is repeated, then skipped.
fn repeating(rounds: u64, random: &mut u64) {
    let service = Service::paper(20_000_000).with("journal.segment_records=262144");
    let mut life = service.start("max");
    let segments = || std::fs::read_dir(service.journal().join("inputs")).map_or(0, Iterator::count);
    life.until("a long record", || segments() > 50);
    life.kill();
    let mut row = Row::new("repeating its record");
    for _ in 0..rounds {
        let life = service.start("max");
        std::thread::sleep(Duration::from_millis(100 + draw(random, 300)));
        row.stop(life);
    }
    row.print();
    service.about(&["snapshot", "--journal"]).expect(0);
    let mut row = Row::new("skipping what is recorded");
    for _ in 0..rounds {
        let life = service.start("max");
        std::thread::sleep(Duration::from_millis(50 + draw(random, 100)));
        row.stop(life);
    }
    row.print();
}

/// Runs with orders open at a venue that answers, that is silent, that says no hello.
fn at_a_venue(rounds: u64) {
    let rows = [
        ("trading at a venue, orders cancelled", "cancel", Adverse::Nothing),
        ("trading at a venue, orders left", "leave", Adverse::Nothing),
        ("venue silent, orders cancelled", "cancel", Adverse::SilentAfter(0)),
        ("venue silent, orders left", "leave", Adverse::SilentAfter(0)),
        ("venue without a hello", "cancel", Adverse::NoHello),
    ];
    for (name, at_stop, then) in rows {
        let mut row = Row::new(name);
        for _ in 0..rounds {
            let venue = HostileVenue::start(Adverse::Nothing);
            let service = Service::trading(venue.port).with(format!("pipeline.at_stop={at_stop}"));
            let mut life = service.start("1x");
            life.until("open orders", || venue.seen().open().len() > 50);
            venue.becomes(then);
            if then == Adverse::NoHello {
                venue.hang_up();
            }
            std::thread::sleep(Duration::from_millis(100));
            row.stop(life);
        }
        row.print();
    }
}

/// A stage that hangs.
fn spinning(rounds: u64) {
    if !cfg!(feature = "deliberate-faults") {
        println!("{:<40} left out: no deliberate faults in this build", "a stage that spins");
        return;
    }
    let mut row = Row::new("a stage that spins");
    for _ in 0..rounds {
        let service = Service::paper(20_000_000).with_variable("TIDEGATE_SPIN_AT", Some("5000"));
        let mut life = service.start("max");
        life.until("its journal", || service.listens());
        std::thread::sleep(Duration::from_millis(500));
        row.stop(life);
    }
    row.print();
}
