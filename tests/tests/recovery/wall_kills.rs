//! A run under wall time at the simulated exchange that is killed again and again goes on each time.
//!
//! No two such runs are the same, since what enters when depends on the clock. But what was recorded is repeated as it was,
//! wherever the pipeline is cut: each start compares its record with the outcomes before it goes on, and so does
//! `replay --verify`. Nothing of the feed is lost or entered twice, and each route arrives once.

use flow::records::{Arrival, Sent};
use flow::{Event, EventId, Ns};
use sinks::journal::JournalReader;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use tidegate_tests::{Scratch, amount, draw, run, seed, tidegate};

/// How the pipeline is cut.
const CUTS: &[&str] =
    &["preset = \"fused\"", "preset = \"split\"", "preset = \"cuts\"\ncuts = [\"bars\", \"orders\", \"tail\"]"];
/// Nanoseconds that an order takes to the exchange, and an answer back.
const LATENCIES: [u64; 3] = [0, 20_000, 1_000_000];

struct Service {
    folder: Scratch,
}

impl Service {
    fn new(cuts: &str, latency: u64) -> Service {
        let service = Service { folder: Scratch::new() };
        let text = format!(
            "[pipeline]\nstages = [\"book\", \"bars\", \"cvd\", \"vpin\", \"random\", \"orders\", \"risk\", \"router\"]\n\
             clock = \"wall\"\n{cuts}\n[book]\nmax_orders = 65536\nmax_levels = 65536\nmax_books = 64\n\
             [risk]\nmax_messages = 8192\n[random]\nseed = 5\nevery = 9\n[sim]\norder_latency_ns = {latency}\nreply_latency_ns = {latency}\n\
             max_own_orders = 4096\nmax_orders = 65536\nmax_levels = 65536\nmax_books = 64\n\
             [journal]\ndir = \"{}\"\nsegment_records = 8192\n\
             [[input]]\nfeed = \"synthetic\"\nseed = 3\nmessages = 400000\nsymbols = 6\nlive_orders = 600\n",
            service.journal().display()
        );
        std::fs::write(service.config(), text).expect("the folder is writable");
        service
    }

    fn config(&self) -> PathBuf {
        self.folder.path().join("service.toml")
    }

    fn journal(&self) -> PathBuf {
        self.folder.path().join("journal")
    }

    /// Runs to the end; says how long it took.
    fn finish(&self) -> Duration {
        let began = Instant::now();
        run(["run".as_ref(), self.config().as_os_str()]).expect(0);
        began.elapsed()
    }

    /// Kills a run after a random time; whether it was still running.
    fn killed(&self, random: &mut u64, within: Duration) -> bool {
        let mut command = Command::new(tidegate());
        command.arg("run").arg(self.config()).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let mut child = command.spawn().expect("tidegate starts");
        std::thread::sleep(Duration::from_micros(draw(random, within.as_micros() as u64)));
        let running = child.try_wait().expect("a child").is_none();
        child.kill().expect("a child");
        child.wait().expect("a child");
        running
    }

    fn has_ended(&self) -> bool {
        self.journal().join("closed.toml").exists()
    }

    fn verify(&self) {
        for words in [&["journal", "verify"][..], &["replay", "--verify", "--journal"]] {
            run(words.iter().map(Path::new).chain([self.journal().as_path()])).expect(0);
        }
    }

    fn inputs(&self) -> Vec<Event> {
        let reader = JournalReader::open(&self.journal()).expect("a journal");
        reader.inputs().map(|event| event.expect("a whole record")).collect()
    }
}

/// What came from the feed, without when.
fn fed(inputs: &[Event]) -> Vec<Event> {
    let of_feed = inputs.iter().filter(|input| input.source == 1);
    of_feed.map(|input| Event { id: EventId(0), ts: Ns(0), ..*input }).collect()
}

/// Checks that no route was sent or arrived twice, and none arrived that was not sent; returns how many arrived.
fn arrivals(inputs: &[Event]) -> usize {
    let (mut sent, mut arrived) = (BTreeSet::new(), BTreeSet::new());
    for input in inputs {
        if let Some(route) = input.get::<Sent>() {
            assert!(sent.insert(route.cause), "sent twice: {input:?}");
        } else if let Some(route) = input.get::<Arrival>() {
            assert!(arrived.insert(route.cause), "arrived twice: {input:?}");
            assert!(sent.contains(&route.cause), "arrived, but not sent: {input:?}");
        }
    }
    arrived.len()
}

#[test]
fn under_wall_time_what_was_recorded_is_repeated_wherever_the_pipeline_is_cut() {
    let mut random = seed();
    let whole = Service::new(CUTS[0], LATENCIES[1]);
    // Of two runs the faster one: a disk that was busy with something else would put every kill after the end.
    let within = whole.finish().min(Service::new(CUTS[0], LATENCIES[1]).finish());
    let expected = fed(&whole.inputs());
    assert!(expected.len() > 300_000 && arrivals(&whole.inputs()) > 1_000);
    let shapes: Vec<_> = CUTS.iter().flat_map(|cuts| LATENCIES.map(|latency| (cuts, latency))).collect();
    let mut kills = 0;
    for round in 0..amount(1, 9) {
        for (cuts, latency) in &shapes {
            let service = Service::new(cuts, *latency);
            for _ in 0..amount(2, 4) {
                if !service.has_ended() {
                    kills += u64::from(service.killed(&mut random, within));
                }
            }
            if !service.has_ended() {
                service.finish();
            }
            service.verify();
            let inputs = service.inputs();
            assert!(fed(&inputs) == expected, "round {round}, {cuts}, {latency} ns: the feed's inputs differ");
            arrivals(&inputs);
        }
    }
    println!("{kills} kills in the middle");
    assert!(kills > 0, "every run ended before its kill");
}
