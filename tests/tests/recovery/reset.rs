//! A reset removes what can be made again from the journals, and no byte of a journal.
//!
//! A run has rolled once and was stopped. Beside it a sink has written files, a follower has a file of its own, and `why` has an index.
//! The files of the sink are compared by their rows before and after; the journals by all their bytes.

use flow::Kind;
use rustix::process::Signal;
use sinks::journal::{Follow, Followed};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use tidegate_tests::rig::Service;
use tidegate_tests::{Outcome, run, tidegate};

/// A run that has rolled once and was stopped, and beside it a sink, a follower and an index.
struct Read {
    service: Service,
    files: PathBuf,
}

impl Read {
    fn new() -> Read {
        let service = Service::paper(4_000_000);
        let mut life = service.start("600x");
        life.until("the control socket", || service.listens());
        life.until("inputs", || inputs(&service.journal()) > 20_000);
        service.ctl(&["roll"]).expect(0);
        life.until("inputs behind the roll", || inputs(&service.journal()) > 30_000);
        life.stop(Signal::TERM);
        let files = service.path("files");
        let read = Read { service, files };
        read.sink();
        read.follow("rows.jsonl").expect(0);
        let order = first_order(&read.service.journal());
        run(["why".as_ref(), read.service.journal().as_os_str(), order.as_ref()]).expect(0);
        read
    }

    /// Lets the sink write all there is; what it says.
    fn sink(&self) -> String {
        let mut command = Command::new(tidegate());
        // A relative folder is that of the process.
        command.args(["sink", "parquet", "--once", "--set", "dir=files", "--journal"]).arg(self.service.journal());
        command.current_dir(self.service.path("")).stdin(Stdio::null());
        let output = command.output().expect("it starts");
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stderr).expect("UTF-8")
    }

    fn follow(&self, file: &str) -> Outcome {
        let (journal, file) = (self.service.journal(), self.service.path(file));
        let words = ["--once", "--name", "desk", "--emit", "trade,order", "--output"].map(std::ffi::OsStr::new);
        run(["journal".as_ref(), "follow".as_ref(), journal.as_os_str()]
            .into_iter()
            .chain(words)
            .chain([file.as_os_str()]))
    }

    fn reset(&self, more: &[&str]) -> Outcome {
        let (config, journal) = (self.service.config(), self.service.journal());
        let words = ["reset".as_ref(), config.as_os_str(), "--journal".as_ref(), journal.as_os_str()];
        run(words.into_iter().chain(more.iter().map(std::ffi::OsStr::new)))
    }

    /// The files of the sink, by table: how many bytes they have in all.
    fn written(&self) -> BTreeMap<PathBuf, u64> {
        let mut bytes = BTreeMap::new();
        for (path, content) in all(&self.files).into_iter().filter(|(path, _)| !path.starts_with("_tidegate")) {
            let table = path.iter().next().map(PathBuf::from).expect("a table");
            *bytes.entry(table).or_default() += content.len() as u64;
        }
        bytes
    }
}

fn inputs(journal: &Path) -> u64 {
    sinks::journal::Home::open(journal).map_or(0, |home| home.current().reader().last_input_seq().unwrap_or(0))
}

/// The number of the first order of a run, in decimal.
fn first_order(journal: &Path) -> String {
    let mut follow = Follow::open(journal, flow::Kinds::of(&[Kind::Order])).expect("a journal");
    let Some(Ok(Followed::Event(event))) = follow.next() else { panic!("it has no order") };
    event.get::<flow::records::Order>().expect("an order").order_id.to_string()
}

/// Every file below a folder, by its path in it.
fn all(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let (mut found, mut open) = (BTreeMap::new(), vec![folder.to_owned()]);
    while let Some(at) = open.pop() {
        for entry in fs::read_dir(&at).into_iter().flatten() {
            let path = entry.expect("it can be read").path();
            match path.metadata() {
                Ok(about) if about.is_dir() => open.push(path),
                Ok(about) if about.is_file() => {
                    let name = path.strip_prefix(folder).expect("it is below").to_owned();
                    found.insert(name, fs::read(&path).expect("it can be read"));
                }
                // A socket is no byte of anybody's.
                _ => {}
            }
        }
    }
    found
}

/// The files of the journals: all but what a reset removes.
fn journals(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut files = all(folder);
    files.retain(|path, _| !path.starts_with("followers") && !path.starts_with("why"));
    files
}

#[test]
fn what_readers_made_goes_and_no_byte_of_a_journal() {
    let read = Read::new();
    let dir = read.service.journal();
    let (before, everything, written) = (journals(&dir), all(&dir), read.written());
    assert!(before.len() > 10 && dir.join("why").is_dir() && written.len() > 3, "{written:?}");
    let listed = read.reset(&[]).expect(0).stderr;
    for part in
        ["parquet: its position;", "files of this run", "desk: its position;", "index of `why`", "nothing was removed"]
    {
        assert!(listed.contains(part), "{part:?} is not said: {listed}");
    }
    assert!(
        all(&dir)
            .keys()
            .filter(|path| path.extension().is_none_or(|e| e != "lock"))
            .eq(everything.keys().filter(|path| path.extension().is_none_or(|e| e != "lock")))
    );
    assert_eq!(read.written(), written, "it was only listed");
    let said = read.reset(&["--yes"]).expect(0).stderr;
    assert!(said.contains("the 2 journals are as they were"), "{said}");
    assert!(journals(&dir) == before, "a byte of a journal has changed");
    assert!(!dir.join("why").exists() && all(&dir.join("followers")).is_empty(), "{:?}", all(&dir).keys());
    assert!(all(&read.files).is_empty(), "{:?}", all(&read.files).keys());
    assert!(read.service.path("rows.jsonl").exists(), "the file of a follower is its own");
    // All of it is made again, as it was.
    read.sink();
    assert_eq!(read.written(), written);
    read.follow("again.jsonl").expect(0);
    assert!(fs::read(read.service.path("rows.jsonl")).ok() == fs::read(read.service.path("again.jsonl")).ok());
    // And the run goes on.
    let mut life = read.service.start("600x");
    let reached = inputs(&dir);
    life.until("more inputs", || inputs(&dir) > reached + 100);
    life.stop(Signal::TERM);
    read.service.about(&["journal", "verify"]).expect(0);
}

#[test]
fn nothing_goes_while_somebody_is_alive_or_what_goes_would_not_come_again() {
    let read = Read::new();
    let (dir, written) = (read.service.journal(), read.written());
    let mut life = read.service.start("1x");
    life.until("the control socket", || read.service.listens());
    let alive = read.reset(&["--yes"]).expect(1).stderr;
    assert!(alive.contains("is being written by another process"), "{alive}");
    life.stop(Signal::TERM);
    let mut follower = Command::new(tidegate());
    follower.args(["journal", "follow"]).arg(&dir).args(["--name", "slow", "--emit", "trade"]);
    let mut follower =
        follower.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it starts");
    while !dir.join("followers/slow.toml").exists() {
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    let busy = read.reset(&["--yes"]).expect(1).stderr;
    follower.kill().expect("a child");
    follower.wait().expect("a child");
    assert!(busy.contains("the follower slow is running"), "{busy}");
    let place = read.service.path("archive");
    run(["journal".as_ref(), "archive".as_ref(), "--held".as_ref(), dir.as_os_str(), place.as_os_str()]).expect(0);
    let gone = read.reset(&["--yes"]).expect(1).stderr;
    assert!(gone.contains("journal 1 of the run is not here any more"), "{gone}");
    assert_eq!(read.written(), written);
    assert!(dir.join("followers/desk.toml").exists() && dir.join("why").is_dir());
}
