//! Processes that follow a run: each row once and in order, whoever is killed; and what they hold.
//!
//! Three followers read beside a run that trades on a synthetic day as fast as it can. They and the run are killed again and
//! again, and its journal rolls in the middle. What each has in its file in the end must be, byte for byte, what an export of
//! the whole says afterwards. The moments of the kills differ from run to run; the seed is printed.

use super::going_on::{Service, until};
use sinks::journal::{Home, bytes_of};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use tidegate_tests::rig::ended_within;
use tidegate_tests::{Outcome, amount, draw, run, seed, tidegate};

/// A follower: its name, the kinds that it wants, and its file.
struct Reader {
    name: &'static str,
    kinds: String,
    child: Child,
}

impl Reader {
    fn start(service: &Service, name: &'static str, kinds: String) -> Reader {
        let child = spawn(service, name, &kinds);
        Reader { name, kinds, child }
    }

    fn kill_and_start(&mut self, service: &Service) {
        self.child.kill().expect("a child");
        self.child.wait().expect("a child");
        self.child = spawn(service, self.name, &self.kinds);
    }
}

fn file(service: &Service, name: &str, what: &str) -> PathBuf {
    service.folder.path().join(format!("{name}.{what}"))
}

fn spawn(service: &Service, name: &str, kinds: &str) -> Child {
    let said = File::options().append(true).create(true).open(file(service, name, "stderr"));
    let mut command = Command::new(tidegate());
    command.args(["journal", "follow"]).arg(service.journal()).args(["--name", name, "--emit", kinds]);
    command.arg("--output").arg(file(service, name, "jsonl"));
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(said.expect("the folder is writable"));
    command.spawn().expect("tidegate starts")
}

/// The names of all kinds of rows that stand for themselves.
fn every_kind() -> String {
    let kinds = tidegate::rows::row_kinds();
    let own = kinds.iter().filter(|kind| !kind.is_part_of_another() && !kind.needs_the_past());
    own.map(|kind| kind.name).collect::<Vec<_>>().join(",")
}

fn journal(words: &[&str], dir: &Path, more: &[&str]) -> Outcome {
    let words = ["journal"].iter().chain(words).map(|word| word.as_ref());
    run(words.chain([dir.as_os_str()]).chain(more.iter().map(|word| word.as_ref())))
}

fn read(path: PathBuf) -> String {
    std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// Whether a run answers there. A kill leaves its socket.
fn listens(journal: &Path) -> bool {
    std::os::unix::net::UnixStream::connect(journal.join("control.sock")).is_ok()
}

fn inputs(dir: &Path) -> u64 {
    Home::open(dir).map_or(0, |home| home.current().reader().last_input_seq().expect("it can be read"))
}

#[test]
fn three_followers_have_each_row_once_whoever_is_killed() {
    let messages = amount(250_000, 20_000_000);
    let mut random = seed();
    let service = Service::new(messages);
    let dir = service.journal();
    let mut life = service.start("max");
    until("a journal", || Home::exists(&dir));
    let mut readers = [("all", every_kind()), ("desk", "order,fill".to_owned()), ("bars", "bar".to_owned())]
        .map(|(name, kinds)| Reader::start(&service, name, kinds));
    let pause = |random: &mut u64| std::thread::sleep(Duration::from_millis(20 + draw(random, 150)));
    let mut kills = 0;
    for round in 0..amount(3, 60) {
        if round == 0 {
            until("the socket", || listens(&dir));
            run(["ctl".as_ref(), dir.as_os_str(), "--actor".as_ref(), "ada".as_ref(), "roll".as_ref()]).expect(0);
        }
        pause(&mut random);
        readers[draw(&mut random, 3) as usize].kill_and_start(&service);
        pause(&mut random);
        kills += u64::from(life.try_wait().expect("a child").is_none());
        life.kill().expect("a child");
        life.wait().expect("a child");
        pause(&mut random);
        life = service.start("max");
    }
    life.wait().expect("a child");
    for Reader { name, kinds, child } in &mut readers {
        let status = ended_within(child, Duration::from_secs(600));
        let said = read(file(&service, name, "stderr"));
        assert!(status.is_some_and(|status| status.success()), "{name}: {status:?}\n{said}");
        assert!(!said.contains("GAP"), "{said}");
        let expected = journal(&["export"], &dir, &["--emit", kinds.as_str()]).expect(0).stdout;
        let found = read(file(&service, name, "jsonl"));
        let differs = expected.lines().zip(found.lines()).position(|(one, other)| one != other);
        assert!(found == expected, "{name}: {} bytes of {}, line {differs:?}", found.len(), expected.len());
        assert!(found.len() > 10_000, "{name}: {} bytes", found.len());
    }
    let rolled = Home::open(&dir).expect("a journal").journals().len();
    println!("{} inputs, {kills} kills of the run in the middle, {rolled} journals", inputs(&dir));
    assert!(kills > 0, "every life ended before its kill");
    assert_eq!(rolled, 2);
}

/// A run of a day that rolls every hour, of which a follower has read the beginning and gone.
fn with_a_follower_that_went(more: &str) -> Service {
    let service = Service::new(30_000);
    let text = read(service.config());
    let times = (10..16).map(|hour| format!("{hour:02}:00"));
    let times = times.collect::<Vec<_>>().join(" ") + " America/New_York";
    std::fs::write(service.config(), text.replace("roll = \"never\"", &format!("roll = \"{times}\"\n{more}")))
        .expect("the folder is writable");
    let mut life = service.start("6000x");
    let dir = service.journal();
    until("some inputs", || Home::exists(&dir) && inputs(&dir) > 500);
    once(&service, &[]).expect(0);
    life.kill().expect("a child");
    life.wait().expect("a child");
    service
}

/// What the follower prints now.
fn once(service: &Service, more: &[&str]) -> Outcome {
    let words = ["--name", "away", "--emit", "bar,order", "--once"];
    journal(&["follow"], &service.journal(), &[&words[..], more].concat())
}

fn numbers(service: &Service) -> Vec<u64> {
    let home = Home::open(&service.journal()).expect("a journal");
    home.journals().iter().map(|member| member.info.number).collect()
}

/// What `keep_mb` would remove stays for a follower up to `hold_mb`; beyond it the follower is told what is gone.
#[test]
fn what_a_follower_has_not_read_stays_up_to_the_stated_size() {
    const HOLD_MB: u64 = 3;
    let service = with_a_follower_that_went(&format!("keep_mb = 1\nhold_mb = {HOLD_MB}"));
    let dir = service.journal();
    let config = service.config();
    let said = run(["run".as_ref(), config.as_os_str(), "--speed".as_ref(), "max".as_ref()]).expect(0).stderr;
    assert!(said.contains("away has not read it") && said.contains("is told a gap"), "{said}");
    let home = Home::open(&dir).expect("a journal");
    let closed = &home.journals()[..home.journals().len() - 1];
    let bytes: u64 = closed.iter().map(|member| bytes_of(member).expect("it is there")).sum();
    let last = bytes_of(closed.last().expect("it rolled")).expect("it is there");
    assert!(bytes <= HOLD_MB << 20 && bytes + last > (HOLD_MB << 20) / 2, "{bytes} bytes of closed journals");
    let first = home.journals()[0].info.after();
    let outcome = once(&service, &[]).expect(0);
    let gaps: Vec<_> = outcome.stderr.lines().filter(|line| line.contains("GAP")).collect();
    assert!(gaps.len() == 1 && gaps[0].contains(&format!("to {first} and their outcomes are missing")), "{gaps:?}");
    let expected = journal(&["export"], &dir, &["--emit", "bar,order"]).expect(0).stdout;
    assert!(outcome.stdout == expected && expected.len() > 10_000, "{} bytes", expected.len());
    let again = once(&service, &[]).expect(0);
    assert!(again.stdout.is_empty() && !again.stderr.contains("GAP"), "told once: {}", again.stderr);
}

/// Nothing is removed or moved that a follower has not read, while closed journals are small; then it goes.
#[test]
fn a_follower_holds_journals_until_it_has_read_them_or_is_forgotten() {
    let service = with_a_follower_that_went("keep_mb = 1");
    let dir = service.journal();
    service.finish();
    let all = numbers(&service);
    assert!(all[0] == 1 && all.len() > 5, "{all:?}");
    let listed = journal(&["followers"], &dir, &["--json"]).expect(0).stdout;
    let listed: serde_json::Value = serde_json::from_str(&listed).expect("an array");
    let behind = listed[0]["lag_events"].as_u64().expect("a count");
    assert!(listed[0]["name"] == "away" && listed[0]["state"] == "away" && behind > 20_000, "{listed}");
    let table = journal(&["followers"], &dir, &[]).expect(0).stdout;
    assert!(table.contains("away") && table.contains("MiB behind"), "{table}");
    let to = service.folder.path().join("archive");
    let to = to.to_str().expect("plain");
    let said = journal(&["archive"], &dir, &[to]).expect(0).stderr;
    assert!(said.contains("away has not read it") && said.contains("0 journals were moved"), "{said}");
    let read = once(&service, &[]).expect(0);
    assert!(!read.stderr.contains("GAP") && read.stdout.len() > 10_000, "{}", read.stderr);
    let listed = journal(&["followers"], &dir, &["--json"]).expect(0).stdout;
    assert!(listed.contains("\"lag_events\":0"), "{listed}");
    let said = journal(&["archive"], &dir, &[to]).expect(0).stderr;
    assert!(said.contains(&format!("{} journals were moved", all.len() - 1)), "{said}");
    journal(&["forget"], &dir, &["away"]).expect(0);
    let said = journal(&["forget"], &dir, &["away"]).expect(1).stderr;
    assert!(said.contains("is no follower of this run"), "{said}");
    assert_eq!(journal(&["followers"], &dir, &["--json"]).expect(0).stdout, "[]\n");
}
