//! What needs another process: kill -9, a concurrent reader, a full disk, a read-only one, a pipeline without system
//! calls.
//!
//! The binary starts itself again with a role in its arguments. `TIDEGATE_KILLS` sets the number of kills (20).

mod common;

use common::{enter, examine, fan_out, input, outcome, outcomes_through, read, spec, upkeep, write};
use flow::Sink;
use libtest_mimic::{Arguments, Failed, Trial};
use sinks::journal::{
    Damage, Disk, InputLog, Journal, JournalError, JournalReader, JournalSpec, LogKind, OutcomeLog, Resumed, verify,
};
use std::io::{Read, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().collect();
    if args.get(1).is_some_and(|a| a == "role") {
        let dir = PathBuf::from(&args[3]);
        match args[2].as_str() {
            "writer" => role_writer(&dir, args[4].parse().expect("a seed")),
            "reader" => role_reader(&dir, args[4].parse().expect("a seq")),
            "full" => role_full(&dir),
            "read-only" => role_read_only(&dir),
            "quiet" => role_quiet(&dir),
            "dying" => role_dying(&dir, args[4].parse().expect("a number")),
            "frozen" => role_frozen(&dir),
            other => panic!("no such role: {other}"),
        }
        return ExitCode::SUCCESS;
    }
    let mounts = may_mount();
    let trials = vec![
        Trial::test("kill_9_loses_nothing_that_was_stored", kills),
        Trial::test("a_kill_at_any_step_of_the_helper_loses_nothing", kills_at_each_step),
        Trial::test("a_frozen_file_system_delays_no_append", frozen).with_ignored_flag(!may_freeze()),
        Trial::test("another_process_reads_along", reads_along),
        Trial::test("a_full_disk_halts_inputs_and_drops_outcomes", || mounted("size=5m", "full"))
            .with_ignored_flag(!mounts),
        Trial::test("a_read_only_disk_is_reported", || mounted("size=1m,ro", "read-only")).with_ignored_flag(!mounts),
        Trial::test("the_line_makes_no_system_call", quiet),
    ];
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

fn role(name: &str, dir: &Path, more: &[String]) -> Command {
    let mut command = Command::new(std::env::current_exe().expect("this binary"));
    command.arg("role").arg(name).arg(dir).args(more);
    command
}

/// A small deterministic generator. The moments of the kills must differ from run to run, so the seed is printed.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        self.0 >> 33
    }
}

/// Begins a journal, or goes on with it; returns the seq of its last input too.
fn begin(dir: &Path, settings: &JournalSpec, disk: Disk) -> (InputLog, OutcomeLog, u64) {
    if JournalReader::open(dir).is_err() {
        let (inputs, outcomes) = Journal::create_on(dir, settings, disk).expect("a new journal");
        return (inputs, outcomes, 0);
    }
    let examined = examine(dir).expect("it is intact");
    let (there, last) = (examined.outcome_records(), examined.last_input_seq());
    let mut resumed = examined.accept_on(settings.upkeep.clone(), disk).expect("it resumes");
    replay(dir, &mut resumed, there).expect("no damage");
    (resumed.inputs, resumed.outcomes, last)
}

/// Writes for ever, and reports every few records what is stored.
fn role_writer(dir: &Path, seed: u64) {
    let mut random = Random(seed);
    let settings = spec([64, 256, 4096, 16_384][random.next() as usize % 4], 1 + random.next() % 5);
    let (mut inputs, mut outcomes, mut seq) = begin(dir, &settings, Disk::default());
    let mut stdout = std::io::stdout().lock();
    loop {
        let run = random.next() % 100;
        write(&mut inputs, &mut outcomes, seq + 1..=seq + run);
        seq += run;
        stdout.write_all(&seq.to_le_bytes()).expect("the parent reads");
        stdout.flush().expect("the parent reads");
    }
}

fn kills() -> Result<(), Failed> {
    let count: u64 = std::env::var("TIDEGATE_KILLS").ok().and_then(|n| n.parse().ok()).unwrap_or(20);
    let seed = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH)?.as_nanos() as u64;
    eprintln!("seed of the kills: {seed}");
    let mut random = Random(seed);
    let mut torn = 0;
    for _ in 0..count.div_ceil(2) {
        let folder = tempfile::tempdir()?;
        let dir = folder.path().join("journal");
        for generation in 0..2 {
            let stored = kill_one(&dir, &mut random)?;
            torn += u64::from(check_killed(&dir, stored)?);
            let tore = tear(&dir)?;
            assert!(check_killed(&dir, stored)? || !tore);
            if generation == 1 || random.next().is_multiple_of(2) {
                complete(&dir, stored, tore)?;
            }
        }
    }
    eprintln!("{count} kills, {torn} torn tails");
    Ok(())
}

/// Starts a writer, kills it at a random moment, and returns the last seq that it reported as stored.
fn kill_one(dir: &Path, random: &mut Random) -> Result<u64, Failed> {
    let mut child =
        role("writer", dir, &[random.next().to_string()]).stdout(Stdio::piped()).stderr(Stdio::inherit()).spawn()?;
    let mut pipe = child.stdout.take().expect("piped");
    let mut said = [0; 8];
    pipe.read_exact(&mut said)?;
    let drain = std::thread::spawn(move || {
        let mut last = u64::from_le_bytes(said);
        while pipe.read_exact(&mut said).is_ok() {
            last = u64::from_le_bytes(said);
        }
        last
    });
    std::thread::sleep(Duration::from_micros(random.next() % 60_000));
    child.kill()?;
    child.wait()?;
    Ok(drain.join().expect("the pipe ends"))
}

/// Writes for ever, and dies before the helper's operation number `at`.
fn role_dying(dir: &Path, at: u64) {
    let done = AtomicU64::new(0);
    let disk = Disk::scripted(move |_| {
        if done.fetch_add(1, Ordering::SeqCst) == at {
            rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL)?;
        }
        Ok(())
    });
    let (mut inputs, mut outcomes, mut seq) = begin(dir, &spec(64, 1), disk);
    let mut stdout = std::io::stdout().lock();
    loop {
        write(&mut inputs, &mut outcomes, seq + 1..=seq + 40);
        seq += 40;
        stdout.write_all(&seq.to_le_bytes()).expect("the parent reads");
        stdout.flush().expect("the parent reads");
    }
}

/// Steps of allocating, writing, syncing, sealing, trimming and removing, of two logs: the first few dozen are all kinds.
fn kills_at_each_step() -> Result<(), Failed> {
    let folder = tempfile::tempdir()?;
    let dir = folder.path().join("journal");
    let mut stored = 0;
    // Before the fourth there is no journal yet: the first segments are made.
    for at in 4..70 {
        let mut child = role("dying", &dir, &[at.to_string()]).stdout(Stdio::piped()).spawn()?;
        let mut said = Vec::new();
        child.stdout.take().expect("piped").read_to_end(&mut said)?;
        child.wait()?;
        let last = said.chunks_exact(8).last().map(|s| u64::from_le_bytes(s.try_into().expect("eight bytes")));
        stored = last.unwrap_or(stored).max(stored);
        check_killed(&dir, stored)?;
    }
    assert!(stored > 1_000, "{stored}");
    complete(&dir, stored, false)
}

/// Checks that everything stored is there; returns whether a record was half written.
fn check_killed(dir: &Path, stored: u64) -> Result<bool, Failed> {
    let verified = verify(dir, 10)?;
    assert!(verified.is_intact(), "{:#?}", verified.faults);
    assert!(verified.closed.is_none());
    let (inputs, outcomes) = read(dir);
    let last = inputs.len() as u64;
    assert!(last >= stored, "{stored} inputs were stored, {last} are there");
    assert!(inputs.into_iter().eq((1..=last).map(input)));
    let expected = outcomes_through(last);
    let promised = (1..=stored).map(fan_out).sum::<u64>() as usize;
    assert!(outcomes.len() >= promised, "{promised} outcomes were stored, {} are there", outcomes.len());
    assert!(expected.starts_with(&outcomes), "outcomes are a prefix");
    let through = JournalReader::open(dir)?.completed_through()?;
    assert!(through <= last && (1..=through).map(fan_out).sum::<u64>() as usize <= outcomes.len());
    Ok(verified.inputs.torn || verified.outcomes.torn)
}

/// Appends the outcomes that are missing in the log, of which it has those `there`.
fn replay(dir: &Path, resumed: &mut Resumed, mut there: u64) -> Result<(), Failed> {
    for event in JournalReader::open(dir)?.inputs() {
        let seq = event?.id.seq();
        for n in 0..fan_out(seq) {
            if there > 0 {
                there -= 1;
            } else {
                resumed.outcomes.take(&outcome(seq, n))?;
            }
        }
        resumed.outcomes.finished(seq)?;
    }
    Ok(())
}

/// Leaves what a writer leaves that dies between a record's first word and its id; `false` if the log ends at a segment
/// boundary. Anything after that is damage.
fn tear(dir: &Path) -> Result<bool, Failed> {
    let listed = JournalReader::open(dir)?.list()?;
    let Some(last) = listed.iter().rfind(|s| s.log == LogKind::Inputs && s.records > 0) else { return Ok(false) };
    let file = std::fs::OpenOptions::new().write(true).open(dir.join(&last.file))?;
    let end = 4096 + 64 * last.records;
    if end + 256 > last.bytes {
        return Ok(false);
    }
    file.write_all_at(&[7; 56], end + 8)?;
    file.write_all_at(&[7; 8], end + 192)?;
    let verified = verify(dir, 10)?;
    let behind = verified.faults.iter().filter(|f| f.what == Damage::BehindEnd && f.offset == Some(end + 192));
    assert_eq!((behind.count(), verified.faults.len()), (1, 1), "{:#?}", verified.faults);
    file.write_all_at(&[0; 8], end + 192)?;
    Ok(true)
}

/// Replaying the inputs completes the outcomes.
fn complete(dir: &Path, stored: u64, tore: bool) -> Result<(), Failed> {
    let examined = examine(dir)?;
    let (there, last) = (examined.outcome_records(), examined.last_input_seq());
    assert!(last >= stored && examined.completed_through() <= last);
    let mut resumed = examined.accept(upkeep(5))?;
    assert!(resumed.emptied >= u64::from(tore));
    replay(dir, &mut resumed, there)?;
    let closed = Journal::close(resumed.inputs, resumed.outcomes)?;
    assert_eq!(closed.completed_through, last);
    assert!(read(dir).1 == outcomes_through(last), "completed");
    let verified = verify(dir, 10)?;
    assert!(verified.is_intact(), "{:#?}", verified.faults);
    Ok(())
}

fn role_reader(dir: &Path, last: u64) {
    let mut log = JournalReader::open(dir).expect("a journal").inputs();
    let deadline = Instant::now() + Duration::from_secs(40);
    let mut seen = 0;
    while seen < last {
        for event in log.by_ref() {
            seen += 1;
            assert_eq!(event.expect("no damage"), input(seen));
        }
        assert!(Instant::now() < deadline, "stuck at {seen}");
    }
}

fn reads_along() -> Result<(), Failed> {
    const LAST: u64 = 100_000;
    let folder = tempfile::tempdir()?;
    let dir = folder.path().join("journal");
    let (mut inputs, mut outcomes) = Journal::create(&dir, &spec(8192, 5))?;
    let mut reader = role("reader", &dir, &[LAST.to_string()]).spawn()?;
    write(&mut inputs, &mut outcomes, 1..=LAST);
    assert!(reader.wait()?.success());
    Ok(())
}

/// Whether this process may freeze a file system of its own.
fn may_freeze() -> bool {
    let on_loop = |folder: &Path| loop_disk(folder, "true").is_ok_and(|mut c| c.status().is_ok_and(|s| s.success()));
    tempfile::tempdir().is_ok_and(|folder| on_loop(folder.path()))
}

/// A command that runs `then` with an ext4 of its own mounted at `$MOUNT`.
fn loop_disk(folder: &Path, then: &str) -> Result<Command, Failed> {
    let script = format!(
        "truncate -s 256M \"$1\" && mkfs.ext4 -q \"$1\" && mkdir -p \"$MOUNT\" && mount -o loop \"$1\" \"$MOUNT\" && \
         command -v fsfreeze >/dev/null && {then}"
    );
    let mut command = Command::new("unshare");
    command.args(["-m", "sh", "-c", &script, "sh"]).arg(folder.join("image")).env("MOUNT", folder.join("mount"));
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    Ok(command)
}

fn frozen() -> Result<(), Failed> {
    let folder = tempfile::tempdir()?;
    let mut command = loop_disk(folder.path(), "\"$ROLE\" role frozen \"$MOUNT/journal\"")?;
    let output = command.env("ROLE", std::env::current_exe()?).output()?;
    match output.status.success() {
        true => Ok(()),
        false => Err(String::from_utf8_lossy(&output.stderr).into_owned().into()),
    }
}

/// Appends while the file system of the journal is frozen for half a second; another process thaws it, whatever happens.
fn role_frozen(dir: &Path) {
    let mount = dir.parent().expect("it lies on a mount");
    let settings = spec(1 << 14, 5);
    let (mut inputs, mut outcomes) = Journal::create(dir, &settings).expect("a new journal");
    write(&mut inputs, &mut outcomes, 1..=10_000);
    let freeze = "fsfreeze -f \"$1\"; sleep 0.5; fsfreeze -u \"$1\"";
    let mut freezer = Command::new("sh").args(["-c", freeze, "sh"]).arg(mount).spawn().expect("a shell");
    let (mut worst, mut seq) = (Duration::ZERO, 10_000);
    while freezer.try_wait().expect("a child").is_none() {
        let began = Instant::now();
        seq += 1;
        write(&mut inputs, &mut outcomes, seq..=seq);
        worst = worst.max(began.elapsed());
        std::thread::sleep(Duration::from_micros(20));
    }
    assert!(seq > 10_050, "{seq}");
    // Other processes share these cores; a wait for the disk would have taken half a second.
    assert!(worst < Duration::from_millis(250), "{worst:?}");
    assert_eq!((inputs.stalls(), outcomes.lost()), (0, 0));
    Journal::close(inputs, outcomes).expect("it closes");
    assert!(verify(dir, 10).expect("it reads").is_intact());
    assert!(read(dir).0.into_iter().eq((1..=seq).map(input)));
}

/// Whether this process may mount in its own namespace.
fn may_mount() -> bool {
    let tried = Command::new("unshare").args(["-m", "mount", "-t", "tmpfs", "tmpfs", "/mnt"]).output();
    tried.is_ok_and(|o| o.status.success())
}

/// Runs a role on a tmpfs that only it sees.
fn mounted(options: &str, name: &str) -> Result<(), Failed> {
    let folder = tempfile::tempdir()?;
    let script = "mount -t tmpfs -o \"$1\" tmpfs \"$2\" && exec \"$3\" role \"$4\" \"$2\"";
    let output = Command::new("unshare")
        .args(["-m", "sh", "-c", script, "sh", options])
        .arg(folder.path())
        .arg(std::env::current_exe()?)
        .arg(name)
        .output()?;
    match output.status.success() {
        true => Ok(()),
        false => Err(String::from_utf8_lossy(&output.stderr).into_owned().into()),
    }
}

fn role_full(mount: &Path) {
    let dir = mount.join("journal");
    let ballast = mount.join("ballast");
    std::fs::write(&ballast, vec![1; 1 << 20]).expect("room for the ballast");
    let (mut inputs, mut outcomes) = Journal::create(&dir, &spec(1024, 5)).expect("room for the start");
    let mut seq = 0;
    let full = loop {
        if let Err(full) = enter(&mut inputs, &input(seq + 1)) {
            break full;
        }
        seq += 1;
        for n in 0..4 {
            outcomes.take(&outcome(seq, n)).expect("outcomes never fail");
        }
        outcomes.finished(seq).expect("outcomes never fail");
        if seq.is_multiple_of(64) {
            std::thread::sleep(Duration::from_micros(200));
        }
    };
    let text = full.to_string();
    eprintln!("{text}");
    let says = [
        "the input log stopped before record",
        "no space for",
        "bytes are needed",
        "are free",
        "then start the run again: it goes on there",
    ];
    says.iter().for_each(|part| assert!(text.contains(part), "{part:?} is not in {text:?}"));
    assert_eq!(full.record, seq + 1);
    // Outcomes are still accepted, and inputs again once there is space.
    for n in 4..20_000 {
        outcomes.take(&outcome(seq, n)).expect("outcomes never fail");
    }
    outcomes.finished(seq).expect("outcomes never fail");
    std::fs::remove_file(&ballast).expect("the ballast");
    let deadline = Instant::now() + Duration::from_secs(10);
    while enter(&mut inputs, &input(seq + 1)).is_err() {
        assert!(Instant::now() < deadline, "free space was not noticed");
        std::thread::sleep(Duration::from_millis(5));
    }
    let lost = outcomes.lost();
    let closed = Journal::close(inputs, outcomes).expect("it closes");
    assert_eq!(closed.inputs.records, seq + 1);
    let reader = JournalReader::open(&dir).expect("a journal");
    assert!(reader.inputs().map(|e| e.expect("no damage")).eq((1..=seq + 1).map(input)));
    let gaps = reader.gaps().expect("gaps read");
    eprintln!("{gaps:?}, {lost} lost");
    assert!(gaps.dropped.through_segment > 0, "{gaps:?}");
    assert_eq!(gaps.lost.iter().map(|l| l.events).sum::<u64>(), lost);
    assert_eq!(closed.outcomes.records + lost, seq * 4 + 19_996);
    let verified = verify(&dir, 10).expect("it reads");
    assert!(verified.is_intact(), "{:#?}", verified.faults);
    std::fs::write(mount.join("ballast"), vec![1; 100 << 10]).expect("room for the ballast");
    let error = Journal::create(&mount.join("second"), &spec(1 << 17, 5)).expect_err("there is no space");
    assert!(matches!(error, JournalError::NoSpace { .. }), "{error}");
    assert!(!mount.join("second").exists(), "nothing is left behind");
}

fn role_read_only(mount: &Path) {
    let error = Journal::create(&mount.join("journal"), &spec(64, 5)).expect_err("it cannot be written");
    assert!(matches!(error, JournalError::NotWritable { .. }), "{error}");
    assert!(error.to_string().contains("choose a folder on a writable disk"), "{error}");
}

/// Appends in a mode in which the system kills a thread at any system call except `read` and `write`.
fn role_quiet(dir: &Path) {
    let (mut inputs, mut outcomes) = Journal::create(dir, &spec(1 << 18, 5)).expect("a new journal");
    write(&mut inputs, &mut outcomes, 1..=1_000);
    let quiet = std::thread::spawn(move || {
        let mut stdout = std::io::stdout().lock();
        rustix::thread::set_secure_computing_mode(rustix::thread::SecureComputingMode::Strict).expect("strict mode");
        write(&mut inputs, &mut outcomes, 1_001..=100_000);
        stdout.write_all(b"quiet\n").expect("the parent reads");
        stdout.flush().expect("the parent reads");
        std::thread::yield_now();
        unreachable!("a system call in strict mode ends the thread");
    });
    let _ = quiet.join();
}

fn quiet() -> Result<(), Failed> {
    let folder = tempfile::tempdir()?;
    let mut child = role("quiet", &folder.path().join("journal"), &[]).stdout(Stdio::piped()).spawn()?;
    let mut said = [0; 6];
    let read = child.stdout.take().expect("piped").read_exact(&mut said);
    child.kill()?;
    child.wait()?;
    read.map_err(|_| "the pipeline made a system call in 99,000 inputs")?;
    assert_eq!(&said, b"quiet\n");
    complete(&folder.path().join("journal"), 100_000, false)
}
