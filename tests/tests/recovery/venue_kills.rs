//! Killed at any moment, against a venue in another process that keeps its own ledger.
//!
//! A journalled run trades over a socket and is killed: at random moments, while it repeats its record, and at the points
//! that only the venue can see (a hello, a question, a route has come; half of an answer, a whole one is out). It goes on
//! with its journal each time; at times the venue hangs up, or a snapshot is written. In the end nothing was sent twice,
//! every answer that the venue gave stands once in the input log, and positions and fees are those of the venue's ledger.
//! Seeds are printed.

use flow::Gateway;
use serde_json::Value;
use sinks::journal::{JournalReader, verify};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tidegate_tests::journals::{count, logs};
use tidegate_tests::ledger::{compared, is_answer, is_settled};
use tidegate_tests::{Scratch, Venue, amount, draw, run, seed, tidegate};

/// Kills of one journal: repeating the record costs what the run did, so many kills are several journals.
const KILLS: u64 = 20;
/// What can be seen at the venue alone.
const POINTS: [&str; 5] = ["hello", "asked", "route", "half", "written"];

/// A service that trades at random with a venue, and its files.
pub(crate) struct Service {
    pub(crate) folder: Scratch,
    pub(crate) config: String,
    pub(crate) binary: PathBuf,
    pub(crate) lives: u64,
    /// The journal rolls while it lives.
    pub(crate) rolls: bool,
}

impl Service {
    fn new(port: u16, seed: u64, preset: &str) -> Service {
        let config = format!(
            "[pipeline]\nstages = [\"book\", \"random\", \"orders\", \"risk\", \"router\"]\nclock = \"wall\"\npreset = \"{preset}\"\n\
             [journal]\nsegment_records = 8192\n[router]\nvenue = \"wire\"\n[wire]\naddress = \"127.0.0.1:{port}\"\n\
             [random]\nevery = 40\nseed = {seed}\nmax_position = 5000\n\
             [risk]\nmax_quantity = 5000\nmax_notional = 100000000\ncollar_bps = 5000\nmax_position = 6000\n\
             max_open_orders = 200\nmax_messages = 4000\nthrottle_window_ms = 100\nmax_data_age_ms = 60000\n\
             [[input]]\nfeed = \"synthetic\"\nseed = {seed}\nmessages = 1000000000\nsymbols = 4\nlive_orders = 400\n"
        );
        Service { folder: Scratch::new(), config, binary: tidegate().to_owned(), lives: 0, rolls: false }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Asks the run again and again to roll its journal, for as long as it lives.
    fn roll(&self, journal: &str, random: &mut u64) {
        let (journal, pause) = (self.path(journal), Duration::from_micros(draw(random, 60_000)));
        let rolls = move || {
            std::thread::sleep(pause);
            let asked = |_: &usize| {
                let mut command = Command::new(tidegate());
                command.arg("ctl").arg(&journal).arg("roll").stdout(Stdio::null()).stderr(Stdio::null());
                command.status().is_ok_and(|status| status.success())
            };
            (0..5).take_while(asked).count()
        };
        // It ends with the run.
        drop(std::thread::spawn(rolls));
    }

    pub(crate) fn start(&mut self, journal: &str, more: &[&str]) -> Life {
        std::fs::write(self.path("service.toml"), &self.config).expect("the folder is writable");
        self.lives += 1;
        let output = self.path(&format!("life-{}.txt", self.lives));
        let file = std::fs::File::create(&output).expect("the folder is writable");
        let mut command = Command::new(&self.binary);
        command.arg("run").arg(self.path("service.toml")).arg("--journal").arg(self.path(journal));
        command.args(["--speed", "max", "--json"]).args(more);
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(file).spawn().expect("tidegate starts");
        Life { child, output }
    }
}

/// A run of the binary.
pub(crate) struct Life {
    pub(crate) child: Child,
    pub(crate) output: PathBuf,
}

impl Life {
    pub(crate) fn output(&self) -> String {
        std::fs::read_to_string(&self.output).unwrap_or_default()
    }

    /// Waits until `done`, or the process has ended. The time is that of a hang: on a busy machine a life may repeat its record for
    /// longer than a minute before it says a word to the venue.
    pub(crate) fn wait_until(&mut self, mut done: impl FnMut() -> bool) {
        let deadline = Instant::now() + Duration::from_secs(600);
        while !done() && self.child.try_wait().expect("a child").is_none() {
            assert!(Instant::now() < deadline, "nothing happens; its output:\n{}", self.output());
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    /// Kills it; it must not have ended by itself.
    pub(crate) fn kill(mut self) {
        self.child.kill().expect("a child");
        let status = self.child.wait().expect("a child");
        assert_eq!(status.code(), None, "it ended by itself:\n{}", self.output());
    }

    /// Asks it to end. Where its threads do not get the processor for the second that a stop may take, it ends as by a kill and says
    /// so: these tests have many threads, and must hold after a kill anyway. How fast a stop is, others measure.
    pub(crate) fn stop(mut self) {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).expect("it runs");
        let status = self.child.wait().expect("a child");
        let is_cut_short = status.code() == Some(1) && self.output().contains("It is ended as by a kill");
        assert!(is_cut_short || status.code() == Some(0), "it did not end in order:\n{}", self.output());
    }
}

/// One life: started, and killed somewhere.
fn live_and_die(service: &mut Service, venue: &mut Venue, random: &mut u64) {
    let sessions = venue.count("sessions");
    if draw(random, 4) == 0 && verify(&service.path("run"), 1).is_ok_and(|v| v.inputs.records > 0) {
        run([Path::new("snapshot"), Path::new("--journal"), &service.path("run")]).expect(0);
    }
    match draw(random, 8) {
        // While it starts, or repeats its record.
        0 => {
            let life = service.start("run", &[]);
            std::thread::sleep(Duration::from_micros(draw(random, 60_000)));
            life.kill();
        }
        1..3 => {
            let mut life = service.start("run", &[]);
            life.wait_until(|| venue.count("sessions") > sessions);
            if service.rolls {
                let mut rolled = Command::new(tidegate());
                rolled.arg("ctl").arg(service.path("run")).arg("roll").stdout(Stdio::null()).stderr(Stdio::null());
                // A venue that is slow to answer may put it off.
                rolled.status().expect("it starts");
                service.roll("run", random);
                std::thread::sleep(Duration::from_micros(draw(random, 400_000)));
            }
            std::thread::sleep(Duration::from_micros(draw(random, 60_000)));
            if draw(random, 2) == 0 {
                venue.send("hang-up");
                life.wait_until(|| venue.count("sessions") > sessions + 1);
                std::thread::sleep(Duration::from_micros(draw(random, 60_000)));
            }
            life.kill();
        }
        _ => {
            let mut life = service.start("run", &[]);
            let point = POINTS[draw(random, 5) as usize];
            let after = if matches!(point, "hello" | "asked") { 0 } else { draw(random, 60) };
            venue.send(&format!("kill {} {after} {point}", life.child.id()));
            let mut deadline = None;
            if service.rolls {
                service.roll("run", random);
            }
            life.wait_until(|| {
                let open = venue.count("sessions") > sessions;
                open && deadline.get_or_insert_with(Instant::now).elapsed() > Duration::from_millis(300)
            });
            venue.send("disarm");
            life.kill();
        }
    }
    assert_eq!(venue.count("duplicates"), 0, "something was sent twice");
}

/// The last lives: the venue falls silent, the run stops in order, and everything is compared. `before` = how many of the
/// answers stand in an earlier journal.
fn conclude(service: &mut Service, venue: &mut Venue, journal: &str, before: usize) -> Value {
    let sessions = venue.count("sessions");
    let mut life = service.start(journal, &[]);
    life.wait_until(|| venue.count("sessions") > sessions);
    std::thread::sleep(Duration::from_millis(50));
    venue.send("quiet");
    std::thread::sleep(Duration::from_millis(50));
    life.stop();
    // What the venue sends after a run has stopped is taken by the next one, which trades a little too.
    for _ in 0..10 {
        let given = venue.answers(&service.path("given")).len();
        let all = answers_before(&service.path(journal)) + before == given;
        if all && is_settled(&service.path(journal), Gateway::new(0)) {
            break;
        }
        let sessions = venue.count("sessions");
        let mut last = service.start(journal, &[]);
        last.wait_until(|| venue.count("sessions") > sessions);
        last.stop();
    }
    venue.ledger()
}

#[test]
fn killed_at_any_moment_nothing_is_sent_twice_or_lost() {
    let mut random = seed();
    for journal in 0..amount(KILLS, 500).div_ceil(KILLS) {
        let mut venue = Venue::start(env!("CARGO_BIN_EXE_test-venue"), random);
        let preset = ["fused", "split"][journal as usize % 2];
        let mut service = Service::new(venue.port, random >> 32, preset);
        for _ in 0..KILLS {
            live_and_die(&mut service, &mut venue, &mut random);
        }
        let ledger = conclude(&mut service, &mut venue, "run", 0);
        for what in ["fills", "busts", "corrections"] {
            assert!(ledger[what].as_u64().expect("a number") > 0, "no {what}: {ledger}");
        }
        compared(&service.path("run"), &mut venue, &ledger, 0);
    }
}

/// As before, and the journal rolls at any moment too: also while orders are on their way.
#[test]
fn killed_while_journals_roll_nothing_is_sent_twice_or_lost() {
    let mut random = seed();
    for journal in 0..amount(KILLS, 500).div_ceil(KILLS) {
        let mut venue = Venue::start(env!("CARGO_BIN_EXE_test-venue"), random);
        let preset = ["split", "fused"][journal as usize % 2];
        let mut service = Service { rolls: true, ..Service::new(venue.port, random >> 32, preset) };
        // A life may end before its journal has rolled; a few more then.
        for life in 0..KILLS {
            if life >= amount(8, KILLS) && count(&service.path("run")) > 2 {
                break;
            }
            live_and_die(&mut service, &mut venue, &mut random);
        }
        let ledger = conclude(&mut service, &mut venue, "run", 0);
        let journals = count(&service.path("run"));
        println!("{journals} journals");
        assert!(journals > 2, "the journal rolled {journals} times");
        compared(&service.path("run"), &mut venue, &ledger, 0);
    }
}

/// A few lives that are killed, then the old journal is left behind.
fn left_behind(service: &mut Service, venue: &mut Venue, random: &mut u64) {
    for _ in 0..3 {
        live_and_die(service, venue, random);
    }
    let sessions = venue.count("sessions");
    let mut life = service.start("run", &[]);
    life.wait_until(|| venue.count("sessions") > sessions);
    std::thread::sleep(Duration::from_millis(100));
    life.kill();
}

/// How many answers of the venue the journals before hold.
fn answers_before(dir: &Path) -> usize {
    logs(dir)[0].iter().filter(|e| is_answer(e, Gateway::new(0))).count()
}

/// It must be refused to go on, with this in the message.
fn refused(service: &mut Service, why: &str) {
    let mut life = service.start("run", &[]);
    let status = life.child.wait().expect("a child");
    assert!(status.code().is_some_and(|c| c != 0), "it went on: {status}");
    assert!(life.output().contains(why) && life.output().contains("--carry-over"), "{}", life.output());
}

/// Goes on with a new journal, which is killed while it begins and later, and compares.
fn carried_over(service: &mut Service, venue: &mut Venue, random: &mut u64) {
    let before = answers_before(&service.path("run"));
    let open = venue.ledger()["open"].clone();
    let old = service.path("run");
    let over = ["--carry-over", old.to_str().expect("UTF-8")];
    for _ in 0..4 {
        let life = service.start("next", &over);
        std::thread::sleep(Duration::from_micros(draw(random, 60_000)));
        life.kill();
    }
    let sessions = venue.count("sessions");
    let mut life = service.start("next", &over);
    life.wait_until(|| venue.count("sessions") > sessions);
    std::thread::sleep(Duration::from_millis(200));
    life.kill();
    let ledger = conclude(service, venue, "next", before);
    let still = |id: &&Value| ledger["open"].as_array().expect("a list").contains(id);
    assert_eq!(open.as_array().expect("a list").iter().filter(still).count(), 0, "orders of the old journal are open");
    compared(&service.path("next"), venue, &ledger, before);
}

#[test]
fn another_configuration_begins_a_new_journal() {
    let mut random = seed();
    for _ in 0..amount(1, 10) {
        let mut venue = Venue::start(env!("CARGO_BIN_EXE_test-venue"), random);
        let mut service = Service { rolls: true, ..Service::new(venue.port, random >> 32, "fused") };
        left_behind(&mut service, &mut venue, &mut random);
        service.config = service.config.replace("every = 40", "every = 50");
        refused(&mut service, "every");
        carried_over(&mut service, &mut venue, &mut random);
    }
}

/// The binary with another build id in it: the last word of the one that the journal names, as long and otherwise.
fn other_build(service: &mut Service) -> PathBuf {
    let reader = JournalReader::open(&service.path("run")).expect("a journal");
    let word = reader.info().build_id.rsplit(' ').next().expect("a word").to_owned();
    let mut binary = std::fs::read(tidegate()).expect("the binary");
    let at = binary.windows(word.len()).position(|bytes| bytes == word.as_bytes()).expect("the binary names its build");
    binary[at..at + word.len()].fill(b'x');
    let path = service.path("tidegate-of-another-build");
    std::fs::copy(tidegate(), &path).expect("the folder is writable");
    std::fs::write(&path, binary).expect("the folder is writable");
    path
}

#[test]
fn another_build_begins_a_new_journal() {
    let mut random = seed();
    for _ in 0..amount(1, 10) {
        let mut venue = Venue::start(env!("CARGO_BIN_EXE_test-venue"), random);
        let mut service = Service::new(venue.port, random >> 32, "split");
        left_behind(&mut service, &mut venue, &mut random);
        service.binary = other_build(&mut service);
        refused(&mut service, "the journal was written by");
        carried_over(&mut service, &mut venue, &mut random);
    }
}

/// A venue and its client prove to each other that they have the same secret; who has another one is refused.
#[test]
fn a_client_without_the_secret_is_refused() {
    let random = seed();
    let binary = env!("CARGO_BIN_EXE_test-venue");
    let mut venue = Venue::start_with(binary, random, Some("canary-19"));
    let mut service = Service::new(venue.port, random >> 32, "fused");
    let key = service.path("key");
    let secret = format!("[wire]\nsecret = \"file:{}\"", key.display());
    let plain = std::mem::take(&mut service.config);
    for (value, config) in [("canary-20", plain.replace("[wire]", &secret)), ("canary-20", plain.clone())] {
        std::fs::write(&key, value).expect("the folder is writable");
        service.config = config;
        let mut life = service.start("run", &[]);
        let status = life.child.wait().expect("a child");
        let said = life.output();
        assert_eq!(status.code(), Some(1), "{said}");
        assert!(said.contains("secret") && !said.contains("canary"), "{said}");
        assert_eq!(venue.count("routes"), 0, "it was sent something");
        std::fs::remove_dir_all(service.path("run")).expect("it was written");
    }
    std::fs::write(&key, "canary-19\n").expect("the folder is writable");
    service.config = plain.replace("[wire]", &secret);
    let mut life = service.start("run", &[]);
    life.wait_until(|| venue.count("routes") > 0);
    life.kill();
    assert!(venue.count("routes") > 0);
}

/// After two panics at the same input the pipeline is not started; its orders are cancelled all the same.
#[test]
fn safe_mode_cancels_what_rests() {
    let random = seed();
    let mut venue = Venue::start(env!("CARGO_BIN_EXE_test-venue"), random);
    let mut service = Service::new(venue.port, random >> 32, "fused");
    let mut life = service.start("run", &[]);
    life.wait_until(|| !venue.ledger()["open"].as_array().expect("a list").is_empty());
    life.kill();
    venue.send("quiet");
    std::fs::write(service.path("run").join("panic.toml"), "seq = 9\ntimes = 2\nmessage = \"again\"\n")
        .expect("writable");
    let mut life = service.start("run", &[]);
    let status = life.child.wait().expect("a child");
    assert_eq!(status.code(), Some(1));
    assert!(life.output().contains("Sent a cancel of all orders to the venue wire"), "{}", life.output());
    let deadline = Instant::now() + Duration::from_secs(20);
    while !venue.ledger()["open"].as_array().expect("a list").is_empty() {
        assert!(Instant::now() < deadline, "orders are left: {}", venue.ledger());
        std::thread::sleep(Duration::from_millis(5));
    }
}
