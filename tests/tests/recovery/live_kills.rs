//! A live feed whose engine is killed again and again: nothing is lost but what was sent while it was down, and gaps say so.
//!
//! The test is the market. It counts in datagrams, one after the other, whether anybody listens or not, and keeps which could
//! be delivered. The engine is `tidegate` with a feed of another crate. Every number is then either recorded, once, or in a
//! gap; each start goes on with a gap from the last number of the record; and what was delivered and is not recorded was under
//! way when the engine was killed.

use flow::records::{Cursor, External, Gap, Trade};
use flow::{Event, Kind, Ns};
use rustix::process::{Pid, Signal, kill_process};
use sinks::journal::JournalReader;
use std::collections::BTreeSet;
use std::os::unix::net::UnixDatagram;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use tidegate_tests::{Scratch, amount, draw, seed};

/// The session that all numbers are in.
const SESSION: u64 = 20_261_126;
/// How long a result of the feed takes, in nanoseconds.
const TAKES: u64 = 40_000_000;
/// From one message to the next.
const EVERY: Duration = Duration::from_micros(300);
/// How long a message may be under way on a busy host.
const UNDER_WAY: Duration = Duration::from_secs(5);

/// What was sent, in the order of the numbers from 1: when, and whether it was delivered.
type Ledger = Vec<(Instant, bool)>;

/// A market that counts.
struct Market {
    ledger: Arc<Mutex<Ledger>>,
    delivered: Arc<AtomicU64>,
    stop: Arc<AtomicBool>,
    thread: JoinHandle<()>,
}

impl Market {
    fn open(path: PathBuf) -> Market {
        let (ledger, delivered, stop): (Arc<Mutex<Ledger>>, Arc<AtomicU64>, Arc<AtomicBool>) = Default::default();
        let (kept, count, end) = (Arc::clone(&ledger), Arc::clone(&delivered), Arc::clone(&stop));
        let thread = std::thread::spawn(move || {
            let socket = UnixDatagram::unbound().expect("a socket");
            for number in 1_u64.. {
                if end.load(Ordering::Relaxed) {
                    return;
                }
                let datagram = [SESSION.to_le_bytes(), number.to_le_bytes()].concat();
                let at = Instant::now();
                let arrived = socket.send_to(&datagram, &path).is_ok();
                kept.lock().expect("nobody panics with it").push((at, arrived));
                count.fetch_add(u64::from(arrived), Ordering::Relaxed);
                std::thread::sleep(EVERY);
            }
        });
        Market { ledger, delivered, stop, thread }
    }

    /// Waits until another message was delivered.
    fn wait_for_a_listener(&self) {
        let (before, began) = (self.delivered.load(Ordering::Relaxed), Instant::now());
        while self.delivered.load(Ordering::Relaxed) == before {
            assert!(began.elapsed() < Duration::from_secs(60), "nobody listens");
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    fn close(self) -> Ledger {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().expect("the market does not panic");
        std::mem::take(&mut self.ledger.lock().expect("nobody panics with it"))
    }
}

struct Engine(Scratch);

impl Engine {
    fn new() -> Engine {
        let engine = Engine(Scratch::new());
        let text = format!(
            "[pipeline]\nstages = [\"bars\", \"cvd\"]\nclock = \"wall\"\n[journal]\nsegment_records = 8192\n\
             [[input]]\nfeed = \"counter\"\nsocket = {:?}\n",
            engine.path("socket")
        );
        std::fs::write(engine.path("desk.toml"), text).expect("the folder is writable");
        engine
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_live-feed"));
        command.args(words).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        command
    }

    fn start(&self) -> Child {
        let (config, journal) = (self.path("desk.toml"), self.path("journal"));
        let mut command = self.command(&["run"]);
        command.arg(config).arg("--journal").arg(journal).stderr(Stdio::null()).spawn().expect("it starts")
    }

    /// The journal is whole, and running it again gives what it holds.
    fn verify(&self) {
        for words in [&["journal", "verify"][..], &["replay", "--verify", "--journal"]] {
            let done = self.command(words).arg(self.path("journal")).output().expect("it starts");
            assert!(done.status.success(), "{words:?}: {}", String::from_utf8_lossy(&done.stderr));
        }
    }

    fn inputs(&self) -> Vec<Event> {
        let reader = JournalReader::open(&self.path("journal")).expect("a journal");
        reader.inputs().map(|event| event.expect("a whole record")).collect()
    }
}

/// What a journal says: the numbers that came, those that are missing, and how often it went on.
#[derive(Default)]
struct Tally {
    came: BTreeSet<u64>,
    missing: BTreeSet<u64>,
    resumed: u64,
    results: usize,
}

impl Tally {
    fn by(inputs: &[Event]) -> Tally {
        let (mut tally, mut next, mut numbered, mut as_of) = (Tally::default(), 1, false, Ns::NONE);
        for input in inputs {
            if let Some(trade) = input.get::<Trade>() {
                assert!(!tally.missing.contains(&trade.match_id), "{input:?} came, and a gap said that it did not");
                assert!(tally.came.last() < Some(&trade.match_id), "{input:?} came again");
                tally.came.insert(trade.match_id);
                if let Some(begun) = as_of.known() {
                    assert_eq!(begun.0 + TAKES, trade.exchange_ts.0, "as of when it was begun, not of its arrival");
                    as_of = Ns::NONE;
                }
                next = trade.match_id + 1;
            } else if let Some(cursor) = input.get::<Cursor>() {
                assert_eq!(cursor.session, SESSION);
                (next, numbered) = (cursor.next, true);
            } else if let Some(gap) = input.get::<Gap>() {
                assert_eq!(input.instrument, 0);
                let is_resumed = gap.received == Gap::UNKNOWN;
                let expected = if is_resumed && !numbered { Gap::UNKNOWN } else { next };
                assert_eq!(gap.expected, expected, "from the number after the last one on");
                if is_resumed {
                    tally.resumed += 1;
                    as_of = Ns::NONE;
                } else {
                    tally.missing.extend(gap.expected..gap.received);
                }
            } else if let Some(result) = input.get::<External>() {
                as_of = result.as_of;
                assert!(result.first.known().is_some() && result.second.known().is_none());
                tally.results += 1;
            }
        }
        tally
    }
}

/// Asks the engine to read its configuration again, now this one; returns what `ctl` says.
fn reload(engine: &Engine, text: &str) -> String {
    std::fs::write(engine.path("desk.toml"), text).expect("the folder is writable");
    let done = engine.command(&["ctl"]).arg(engine.path("journal")).arg("reload").output().expect("it starts");
    let said = String::from_utf8_lossy(&done.stderr).into_owned();
    assert!(done.status.success(), "{said}");
    said
}

#[test]
fn a_live_feed_joins_a_running_engine_and_goes_on_after_a_kill() {
    let engine = Engine::new();
    let [first, second] = ["socket", "other"].map(|name| Market::open(engine.path(name)));
    let mut child = engine.start();
    first.wait_for_a_listener();
    let text = std::fs::read_to_string(engine.path("desk.toml")).expect("it was written");
    let more =
        format!("{text}[[input]]\nfeed = \"counter\"\nsymbol = \"OTHER\"\nsocket = {:?}\n", engine.path("other"));
    let said = reload(&engine, &more);
    assert!(said.contains("source 2 is counter"), "{said}");
    second.wait_for_a_listener();
    std::thread::sleep(Duration::from_millis(200));
    child.kill().expect("a child");
    child.wait().expect("a child");
    engine.verify();
    let mut child = engine.start();
    second.wait_for_a_listener();
    std::thread::sleep(Duration::from_millis(200));
    kill_process(Pid::from_child(&child), Signal::TERM).expect("a child");
    assert!(child.wait().expect("a child").success());
    engine.verify();
    drop((first.close(), second.close()));
    for source in [1, 2] {
        let inputs: Vec<_> = engine.inputs().into_iter().filter(|input| input.source == source).collect();
        let Tally { came, missing, resumed, .. } = Tally::by(&inputs);
        assert!(came.len() > 100 && resumed == 1, "source {source}: {} came, it went on {resumed} times", came.len());
        let told: BTreeSet<u64> = came.union(&missing).copied().collect();
        assert_eq!(told, (1..=*came.last().expect("messages")).collect(), "each number came or is missing");
        assert!(inputs.iter().all(|input| input.instrument == 0 || input.instrument == u32::from(source)));
    }
}

#[test]
fn the_symbols_of_a_live_feed_change_while_it_runs() {
    let engine = Engine::new();
    let market = Market::open(engine.path("socket"));
    let text = std::fs::read_to_string(engine.path("desk.toml")).expect("it was written");
    std::fs::write(engine.path("desk.toml"), format!("{text}watch = [\"ANOTHER\"]\n")).expect("the folder is writable");
    let trades = |engine: &Engine| engine.inputs().iter().filter(|input| input.kind == Kind::Trade).count();
    let mut child = engine.start();
    market.wait_for_a_listener();
    std::thread::sleep(Duration::from_millis(200));
    assert_eq!(trades(&engine), 0, "nothing is watched");
    let said = reload(&engine, &text);
    assert!(said.contains("of source 1 all is watched"), "{said}");
    std::thread::sleep(Duration::from_millis(300));
    let before = trades(&engine);
    assert!(before > 50, "{before} came");
    child.kill().expect("a child");
    child.wait().expect("a child");
    engine.verify();
    let mut child = engine.start();
    market.wait_for_a_listener();
    std::thread::sleep(Duration::from_millis(200));
    kill_process(Pid::from_child(&child), Signal::TERM).expect("a child");
    assert!(child.wait().expect("a child").success());
    engine.verify();
    drop(market.close());
    assert!(trades(&engine) > before, "it goes on with what was watched");
    let inputs = engine.inputs();
    let first = |kind, of: u32| inputs.iter().position(|input| input.kind == kind && input.instrument == of);
    let order = [first(Kind::Watching, 0), first(Kind::Listing, 1), first(Kind::Gap, 1), first(Kind::Trade, 1)];
    assert!(order.iter().all(Option::is_some) && order.is_sorted(), "{order:?}");
}

#[test]
fn what_a_killed_engine_missed_of_a_live_feed_is_what_was_sent_meanwhile_and_gaps_say_so() {
    let mut random = seed();
    let engine = Engine::new();
    let market = Market::open(engine.path("socket"));
    let mut kills = Vec::new();
    for kill in 0..amount(8, 200) {
        let mut child = engine.start();
        // One kill at any moment, also of the start; the next one while messages come in.
        let within = if kill % 2 == 0 { 400_000 } else { 120_000 };
        if kill % 2 == 1 {
            market.wait_for_a_listener();
        }
        std::thread::sleep(Duration::from_micros(draw(&mut random, within)));
        // A stop loses what is under way as a kill does.
        let signal = if kill % 4 == 3 { Signal::TERM } else { Signal::KILL };
        kill_process(Pid::from_child(&child), signal).expect("a child");
        child.wait().expect("a child");
        kills.push(Instant::now());
        if engine.path("journal").join("journal.toml").exists() {
            engine.verify();
        }
    }
    let mut last = engine.start();
    market.wait_for_a_listener();
    std::thread::sleep(Duration::from_millis(200));
    kill_process(Pid::from_child(&last), Signal::TERM).expect("a child");
    assert!(last.wait().expect("a child").success());
    engine.verify();
    let ledger = market.close();
    let inputs = engine.inputs();
    let Tally { came, missing, resumed, results } = Tally::by(&inputs);
    let end = *came.last().expect("messages");
    let told: BTreeSet<u64> = came.union(&missing).copied().collect();
    assert_eq!(told, (1..=end).collect(), "each number came or is missing");
    for number in 1..=end {
        let (at, delivered) = ledger[number as usize - 1];
        match (delivered, missing.contains(&number)) {
            (false, false) => panic!("{number} was not delivered, and it came"),
            (true, true) => {
                let was_killed = kills.iter().any(|kill| *kill >= at && kill.duration_since(at) < UNDER_WAY);
                assert!(was_killed, "{number} was delivered and lost, and no kill explains it");
            }
            _ => {}
        }
    }
    assert!(results.abs_diff(came.iter().filter(|number| *number % 10 == 0).count()) <= kills.len());
    let cursors = inputs.iter().filter(|input| input.kind == Kind::Cursor).count();
    println!("{} came, {} are missing; it went on {resumed} times; {cursors} cursors", came.len(), missing.len());
    assert!(resumed >= kills.len() as u64 / 4, "hardly ever was anything recorded before a kill");
    assert!(cursors < came.len() / 20 + 3 * kills.len());
}
