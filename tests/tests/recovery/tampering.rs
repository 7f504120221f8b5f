//! No byte of a journal is altered unnoticed.
//!
//! Two small journals, one that ended and one whose run was killed, both with a snapshot. Byte after byte of every file is
//! altered, and put back. `verify` names what was altered, wherever something proves it: all of the journal that ended, and
//! all but the unsealed tail of the other. Then commands of the binary run on altered journals: each one refuses, and leaves
//! every byte as it was, or the byte was not needed and everything comes out as if it had not been altered. Only an input of
//! the unsealed tail may be taken on trust. The bytes are drawn with a printed seed; `TIDEGATE_FULL` takes all of them.

use flow::Event;
use sinks::journal::Home;
use sinks::journal::{JournalReader, LogKind, LogReader, SegmentSummary};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant, SystemTime};
use tidegate::recovery::wrong_files;
use tidegate_tests::{Outcome, Scratch, amount, draw, run, seed, tidegate};

const SEGMENT: u64 = 64;

/// Whether a byte of a file is among some.
type Places = Box<dyn Fn(&Path, u64) -> bool>;

/// A small journal, and the configuration that continues it.
struct Sample {
    folder: Scratch,
    /// Files as they must be, with the time of their last change.
    files: BTreeMap<PathBuf, (Vec<u8>, SystemTime)>,
    /// The bytes that something proves; the others are of the unsealed tail.
    is_proved: Places,
    /// Whether an input that nothing proves is at this place.
    is_trusted: Places,
}

fn config(folder: &Path) -> PathBuf {
    folder.join("desk.toml")
}

fn journal(folder: &Path) -> PathBuf {
    folder.join("journal")
}

/// A folder with a configuration for some 400 inputs, whose journal is sealed so often, and whenever a segment is full.
fn desk(sync_ms: u64) -> Scratch {
    let folder = Scratch::new();
    let sizes = "max_orders = 4096\nmax_levels = 1024\nmax_books = 4";
    let text = format!(
        "[pipeline]\nstages = [\"book\", \"random\", \"orders\", \"risk\", \"router\"]\n[outcomes]\nkinds = [\"all\", \"-level\"]\n\
         [book]\n{sizes}\n[random]\nseed = 5\nevery = 3\n[sim]\nmax_own_orders = 1024\n{sizes}\n\
         [journal]\ndir = \"{}\"\nsegment_records = {SEGMENT}\nroll = \"never\"\nsync_ms = {sync_ms}\n\
         [[input]]\nfeed = \"synthetic\"\nseed = 3\nmessages = 300\nsymbols = 1\nlive_orders = 40\n",
        journal(folder.path()).display()
    );
    fs::write(config(folder.path()), text).expect("writable");
    folder
}

/// Runs the journal to its end.
fn finish(folder: &Path) -> Outcome {
    run(["run".as_ref(), config(folder).as_os_str(), "--speed".as_ref(), "max".as_ref()])
}

fn snapshot(folder: &Path) -> Outcome {
    run(["snapshot".as_ref(), "--journal".as_ref(), journal(folder).as_os_str()])
}

fn events(log: LogReader) -> Option<Vec<Event>> {
    log.collect::<Result<_, _>>().ok()
}

/// Both logs, if they can be read.
fn logs(folder: &Path) -> Option<[Vec<Event>; 2]> {
    let reader = JournalReader::open(&journal(folder)).ok()?;
    Some([events(reader.inputs())?, events(reader.outcomes())?])
}

/// Every file below a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut all = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder").map(|e| e.expect("an entry")) {
        let kind = entry.file_type().expect("a type");
        if kind.is_dir() {
            all.extend(files(&entry.path()));
        } else if kind.is_file() && entry.path().extension().is_none_or(|e| e != "draft") {
            // A draft is what a kill cut short: nothing reads it.
            all.push(entry.path());
        }
    }
    all
}

impl Sample {
    /// The journal of a run that came to its end.
    fn ended() -> Sample {
        let folder = desk(5);
        finish(folder.path()).expect(0);
        snapshot(folder.path()).expect(0);
        Sample::of(folder)
    }

    /// The journal of a run that was killed after 200 inputs. On a host that was busy it may have come to its end before: then
    /// another one goes at half the speed.
    fn killed() -> Sample {
        Sample::killed_on(|| desk(5))
    }

    /// The same on such a desk.
    fn killed_on(desk: fn() -> Scratch) -> Sample {
        let killed = |halved: u32| Sample::killed_at(desk(), 10_000 >> halved);
        (0..8).find_map(killed).expect("one run is slow enough to be killed")
    }

    /// That of a run at so many times the speed of the day; `None` if it ends first.
    fn killed_at(folder: Scratch, speed: u64) -> Option<Sample> {
        let mut command = Command::new(tidegate());
        command.arg("run").arg(config(folder.path())).arg("--speed").arg(format!("{speed}x"));
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let mut child = command.spawn().expect("tidegate starts");
        let last = || JournalReader::open(&journal(folder.path())).and_then(|j| j.last_input_seq()).unwrap_or(0);
        let deadline = Instant::now() + Duration::from_secs(60);
        let mut is_alive = || {
            assert!(Instant::now() < deadline, "it does not get there");
            child.try_wait().expect("a child").is_none()
        };
        while last() < 150 {
            is_alive().then_some(())?;
        }
        snapshot(folder.path()).expect(0);
        // The disk may be behind: something of the input log is to be sealed when it is killed.
        let is_sealed = || {
            let listed = JournalReader::open(&journal(folder.path())).and_then(|j| j.list()).unwrap_or_default();
            listed.iter().any(|s| s.log == LogKind::Inputs && s.sealed == SEGMENT)
        };
        while last() < 200 || !is_sealed() {
            is_alive().then_some(())?;
        }
        is_alive().then_some(())?;
        child.kill().expect("a child");
        child.wait().expect("a child");
        Some(Sample::of(folder))
    }

    fn of(folder: Scratch) -> Sample {
        let listed = JournalReader::open(&journal(folder.path())).and_then(|j| j.list()).expect("a journal");
        let dir = journal(folder.path());
        // A segment may lie in memory, and have a copy on the disk.
        let places = |s: &SegmentSummary| [dir.join(&s.file), dir.join(format!("{}/{:08}.seg", s.log, s.number))];
        let sealed: BTreeMap<PathBuf, u64> =
            listed.iter().flat_map(|s| places(s).map(|path| (path, s.sealed))).collect();
        let inputs: BTreeMap<PathBuf, [u64; 2]> = listed
            .iter()
            .filter(|s| s.log == LogKind::Inputs)
            .flat_map(|s| places(s).map(|path| (path, [s.sealed, s.records])))
            .collect();
        let ended = dir.join("closed.toml").exists();
        // Until there is a next one, nothing says that a segment is full: its header may say less.
        let is_last = |s: &&SegmentSummary| !listed.iter().any(|next| next.log == s.log && next.number > s.number);
        let last: BTreeSet<PathBuf> = listed.iter().filter(is_last).flat_map(places).collect();
        // A copy on the disk of what lies in memory is written again when the journal goes on, and so is the name of the place.
        let again: Vec<PathBuf> = listed.iter().map(places).filter(|[a, b]| a != b).map(|[_, copy]| copy).collect();
        let is_proved = move |path: &Path, byte: u64| match sealed.get(path) {
            _ if again.iter().any(|copy| copy == path) || path.ends_with("journal") => false,
            Some(sealed) if !ended && (*sealed < SEGMENT || last.contains(path)) => {
                // What changes while a segment is written: the words of its header, and what is not sealed.
                byte < 4_096 + 64 * sealed && ![256..264, 320..328, 384..408].iter().any(|words| words.contains(&byte))
            }
            _ => true,
        };
        let is_trusted = move |path: &Path, byte: u64| {
            let place = |records: u64| 4_096 + 64 * records;
            inputs.get(path).is_some_and(|[sealed, records]| (place(*sealed)..place(*records + 1)).contains(&byte))
        };
        let read = |path: PathBuf| {
            let changed = fs::metadata(&path).and_then(|m| m.modified()).expect("a time");
            (path.clone(), (fs::read(&path).expect("a file"), changed))
        };
        let memory = fs::read_to_string(dir.join("memory.toml")).ok();
        let memory = memory.and_then(|note| Some(note.split_once("folder = \"")?.1.split_once('"')?.0.to_owned()));
        let memory = memory.map(|folder| files(Path::new(&folder))).unwrap_or_default();
        let files = files(&dir).into_iter().chain(memory).map(read).collect();
        Sample { folder, files, is_proved: Box::new(is_proved), is_trusted: Box::new(is_trusted) }
    }

    /// The bytes of all files: path, offset.
    fn bytes(&self) -> Vec<(PathBuf, u64)> {
        let all = |(path, (bytes, _)): (&PathBuf, &(Vec<u8>, SystemTime))| {
            (0..bytes.len() as u64).map(|byte| (path.clone(), byte)).collect::<Vec<_>>()
        };
        self.files.iter().flat_map(all).collect()
    }

    /// Writes one byte, and leaves the time of the last change as it is: nothing may depend on it.
    fn write(&self, path: &Path, byte: u64, value: u8) {
        let file = fs::File::options().write(true).open(path).expect("a file");
        file.write_all_at(&[value], byte).expect("writable");
        file.set_modified(self.files[path].1).expect("settable");
    }

    /// Alters a byte while `look` looks.
    fn altered<T>(&self, path: &Path, byte: u64, value: u8, look: impl FnOnce() -> T) -> T {
        self.write(path, byte, value);
        let seen = look();
        self.write(path, byte, self.files[path].0[byte as usize]);
        seen
    }

    /// Whether every file is as it was, but for the byte that was altered; and nothing was added.
    fn is_as_it_was(&self, path: &Path, byte: u64, value: u8) -> Result<(), String> {
        let now = files(&journal(self.folder.path()));
        if let Some(more) = now.iter().find(|p| !self.files.contains_key(*p)) {
            return Err(format!("{} is new", more.display()));
        }
        for (file, (bytes, changed)) in &self.files {
            let mut expected = bytes.clone();
            if file == path {
                expected[byte as usize] = value;
            }
            if fs::read(file).ok() != Some(expected) {
                return Err(format!("{} was changed", file.display()));
            }
            if fs::metadata(file).and_then(|m| m.modified()).ok() != Some(*changed) {
                return Err(format!("{} was written", file.display()));
            }
        }
        Ok(())
    }

    /// Puts everything back, whatever a command made of it.
    fn restore(&self) {
        for path in files(&journal(self.folder.path())) {
            if !self.files.contains_key(&path) {
                fs::remove_file(&path).expect("removable");
            }
        }
        for (path, (bytes, changed)) in &self.files {
            fs::create_dir_all(path.parent().expect("a folder")).expect("writable");
            if fs::read(path).ok().as_ref() != Some(bytes) {
                fs::write(path, bytes).expect("writable");
            }
            fs::File::options().write(true).open(path).and_then(|f| f.set_modified(*changed)).expect("settable");
        }
    }
}

/// What `verify` says about a journal.
fn is_named(folder: &Path) -> bool {
    let dir = journal(folder);
    match sinks::journal::verify(&dir, 1) {
        Ok(verified) if verified.is_intact() => {
            Home::open(&dir).is_ok_and(|home| wrong_files(home.current()).map_or(true, |wrong| !wrong.is_empty()))
        }
        _ => true,
    }
}

/// Another value for a byte.
fn other(random: &mut u64, was: u8) -> u8 {
    was ^ (1 + draw(random, 255)) as u8
}

/// Alters bytes one by one; `verify` must name each that something proves.
fn verified(sample: &Sample, random: &mut u64) {
    assert!(!is_named(sample.folder.path()), "nothing is altered yet");
    let (bytes, step) = (sample.bytes(), amount(41, 1));
    let (mut named, mut looked) = (0_u64, 0_u64);
    let mut unnamed = Vec::new();
    for (path, byte) in &bytes {
        // Segments are large and alike; of everything else all bytes are altered, every time.
        if path.extension().is_some_and(|e| e == "seg") && draw(random, step) > 0 {
            continue;
        }
        let was = sample.files[path].0[*byte as usize];
        let value = other(random, was);
        let seen = sample.altered(path, *byte, value, || is_named(sample.folder.path()));
        looked += 1;
        named += u64::from(seen);
        if !seen && (sample.is_proved)(path, *byte) {
            unnamed.push(format!("{} byte {byte}: {was:#04x} became {value:#04x}", path.display()));
        }
    }
    println!("{looked} of {} bytes altered, {named} named", bytes.len());
    assert!(
        unnamed.is_empty(),
        "{} bytes were altered unnoticed, first {:#?}",
        unnamed.len(),
        &unnamed[..unnamed.len().min(20)]
    );
}

#[test]
fn verify_names_every_altered_byte_of_a_journal_that_ended() {
    verified(&Sample::ended(), &mut seed());
}

#[test]
fn verify_names_every_altered_byte_of_a_killed_journal_but_those_of_its_unsealed_tail() {
    verified(&Sample::killed(), &mut seed());
}

/// Runs a command on a journal with one altered byte.
fn put_to_the_test(sample: &Sample, random: &mut u64, whole: &[Vec<Event>; 2], hash: &str) -> &'static str {
    let bytes = sample.bytes();
    let (path, byte) = &bytes[draw(random, bytes.len() as u64) as usize];
    let value = other(random, sample.files[path].0[*byte as usize]);
    sample.write(path, *byte, value);
    let folder = sample.folder.path();
    let ended = journal(folder).join("closed.toml").exists();
    let what = format!("{} byte {byte} became {value:#04x}", path.display());
    let is_trusted = (sample.is_trusted)(path, *byte);
    let as_it_was = |said: &Outcome| {
        sample.is_as_it_was(path, *byte, value).unwrap_or_else(|e| panic!("{what}: {e}\n{}", said.stderr));
        "refused"
    };
    let result = match draw(random, 3) {
        0 => {
            let dir = journal(folder);
            let said =
                run(["replay".as_ref(), "--verify".as_ref(), "--json".as_ref(), "--journal".as_ref(), dir.as_os_str()]);
            match said.code {
                Some(0) => {
                    let as_before = said.stdout.contains(hash) || !ended;
                    assert!(as_before || is_trusted, "{what}: {}", said.stdout);
                    as_it_was(&said);
                    "not needed"
                }
                Some(1..=3) => as_it_was(&said),
                _ => panic!("{what}: {said:?}"),
            }
        }
        n => {
            if n == 1 && snapshot(folder).code.is_none_or(|code| code > 3) {
                panic!("{what}: the snapshot died");
            }
            let said = finish(folder);
            match said.code {
                Some(0) => {
                    // A damaged snapshot is passed over, and stays.
                    let left = sinks::journal::verify(&journal(folder), 1).expect("readable");
                    assert!(left.is_intact(), "{what}: it left a damaged journal: {:?}\n{}", left.faults, said.stderr);
                    if is_trusted {
                        sample.restore();
                        return "trusted";
                    }
                    assert!(
                        logs(folder).is_some_and(|logs| logs == *whole),
                        "{what}: it came out otherwise\n{}",
                        said.stderr
                    );
                    "not needed"
                }
                Some(1..=3) if n == 1 => "refused",
                Some(1..=3) => as_it_was(&said),
                _ => panic!("{what}: {said:?}"),
            }
        }
    };
    sample.restore();
    result
}

#[test]
fn a_journal_with_an_altered_byte_is_refused_untouched_or_comes_out_the_same() {
    let mut random = seed();
    let whole = Sample::ended();
    let report =
        run(["replay".as_ref(), "--json".as_ref(), "--journal".as_ref(), journal(whole.folder.path()).as_os_str()]);
    let report: serde_json::Value = serde_json::from_str(&report.expect(0).stdout).expect("one JSON object");
    let hash = report["outcome_hash"].as_str().expect("a hash");
    let logs = logs(whole.folder.path()).expect("a journal");
    let mut results = BTreeMap::<(&str, &str), u64>::new();
    for (name, sample) in [("ended", &whole), ("killed", &Sample::killed())] {
        for _ in 0..amount(20, 1_000) {
            *results.entry((name, put_to_the_test(sample, &mut random, &logs, hash))).or_default() += 1;
        }
    }
    println!("{results:?}");
}

/// A fill of a sealed segment is altered, and the sidecar that would show it is removed: nobody takes that for a segment
/// that was not sealed yet, and nobody seals it.
#[test]
fn a_segment_without_its_sidecar_is_not_sealed_anew() {
    for sample in [Sample::ended(), Sample::killed()] {
        let folder = sample.folder.path();
        let reader = JournalReader::open(&journal(folder)).expect("a journal");
        // A segment that is sealed and still lies in memory has its sidecar in the journal.
        let is_sealed = |s: &SegmentSummary| {
            s.log == LogKind::Inputs && s.records > 0 && s.sealed == s.records && Path::new(&s.file).is_relative()
        };
        let last = reader.list().expect("readable").into_iter().rfind(is_sealed);
        let last = last.expect("a segment that is sealed to its end");
        let (segment, from) = (journal(folder).join(&last.file), last.records - 1);
        let price = 4_096 + 64 * from + 32;
        let value = sample.files[&segment].0[price as usize] ^ 1;
        sample.write(&segment, price, value);
        fs::remove_file(segment.with_extension("seal")).expect("removable");
        let before: Vec<_> = files(&journal(folder)).into_iter().map(|f| (fs::read(&f).expect("a file"), f)).collect();
        for _ in 0..2 {
            let said = finish(folder).expect(1).stderr;
            assert!(said.contains(".seal: the sidecar is missing"), "{said}");
            snapshot(folder).expect(1);
            run(["journal".as_ref(), "verify".as_ref(), journal(folder).as_os_str()]).expect(3);
        }
        let after: Vec<_> = files(&journal(folder)).into_iter().map(|f| (fs::read(&f).expect("a file"), f)).collect();
        assert!(before == after, "something was written");
    }
}

/// An outcome that was not sealed is altered, and a snapshot behind it is there: the run that goes on repeats from before that
/// outcome all the same, for nothing else proves it.
#[test]
fn a_snapshot_does_not_hide_an_altered_outcome_that_nothing_proves() {
    let unsealed = |sample: &Sample| {
        let reader = JournalReader::open(&journal(sample.folder.path())).expect("a journal");
        let listed = reader.list().expect("readable").into_iter();
        let open = listed.filter(|s| s.log == LogKind::Outcomes && s.sealed < s.records).min_by_key(|s| s.number)?;
        let path = journal(sample.folder.path()).join(&open.file);
        let record = &sample.files[&path].0[4_096 + 64 * open.sealed as usize..][..64];
        let seq = bytemuck::pod_read_unaligned::<Event>(record).id.seq();
        let byte = 4_096 + 64 * open.sealed + 32;
        let is_completed = seq <= reader.completed_through().expect("readable");
        // The kill may have come between the copy on the disk and its seal: then memory proves it.
        let other = sample.files[&path].0[byte as usize] ^ 1;
        let is_proved = sample.altered(&path, byte, other, || is_named(sample.folder.path()));
        (is_completed && !is_proved).then_some((path, byte))
    };
    let mut killed = (0..20).map(|_| Sample::killed_on(|| desk(300)));
    let (sample, (path, byte)) =
        killed.find_map(|s| unsealed(&s).map(|at| (s, at))).expect("a kill leaves an outcome that nothing proves");
    let folder = sample.folder.path();
    snapshot(folder).expect(0);
    sample.write(&path, byte, sample.files[&path].0[byte as usize] ^ 1);
    let before: Vec<_> = files(&journal(folder)).into_iter().map(|f| (fs::read(&f).expect("a file"), f)).collect();
    let said = finish(folder).expect(1).stderr;
    assert!(said.contains("differs"), "{said}");
    // Another snapshot does not take it for right either.
    let said = snapshot(folder).expect(1).stderr;
    assert!(said.contains("no snapshot was written"), "{said}");
    let after: Vec<_> = files(&journal(folder)).into_iter().map(|f| (fs::read(&f).expect("a file"), f)).collect();
    assert!(before == after, "something was written");
    // With the byte put back it goes on.
    sample.write(&path, byte, sample.files[&path].0[byte as usize]);
    finish(folder).expect(0);
}
