//! What a user meets when something is wrong: the exit code, a message that says what, where and what to do, and an end.

use crate::{LIMIT, Named, call, finish, folder, path, says, write};
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;
use tidegate_tests::{Outcome, tidegate};

pub(crate) const PLAIN: &[Named] = &[
    ("a_file_cut_short", cut_short),
    ("a_length_of_zero", length_of_zero),
    ("an_unknown_message", unknown_message),
    ("garbage", garbage),
    ("an_empty_file", empty),
    ("the_wrong_feed", wrong_feed),
    ("no_file", no_file),
    ("a_folder_for_a_file", folder_for_file),
    ("damaged_gzip", damaged_gzip),
    ("a_damaged_journal", damaged_journal),
    ("a_journal_that_is_there_already", journal_twice),
    ("a_bad_configuration", bad_configuration),
    ("ten_faults_of_every_sort", ten_faults),
    ("bad_usage", bad_usage),
    ("what_cannot_start_is_not_valid", what_cannot_start_is_not_valid),
    ("a_run_that_does_not_fit_says_so", a_run_that_does_not_fit_says_so),
    ("many_members", many_members),
    ("wide_window", wide_window),
    ("nothing_is_overwritten", nothing_is_overwritten),
    ("a_closed_pipe", closed_pipe),
    ("a_signal_drains_the_line", signal),
];

/// What needs a disk of its own.
pub(crate) const MOUNTED: &[Named] = &[
    ("a_full_disk", full_disk),
    ("a_full_disk_of_a_service_that_goes_on_with_room", full_disk_of_a_service),
    ("a_read_only_disk", read_only_disk),
];

/// Where message `n`, counted from 0, begins.
fn offset(bytes: &[u8], n: usize) -> usize {
    (0..n).fold(0, |at, _| at + 2 + usize::from(u16::from_be_bytes([bytes[at], bytes[at + 1]])))
}

fn replay(file: &str) -> Outcome {
    call(&["replay", "--feed", "itch", "--input", file, "--emit", "anomaly"])
}

fn cut_short() {
    let (folder, bytes) = folder();
    let begin = offset(&bytes, 7_000);
    let file = write(&folder, "cut.itch", &bytes[..begin + 9]);
    let place = format!("at byte {begin} (record 7001)");
    let parts =
        ["cut.itch: the file ends inside a message", &place, "all earlier records were used", "get the file again"];
    says(replay(&file), 1, &parts);
}

fn length_of_zero() {
    let (folder, bytes) = folder();
    let middle = offset(&bytes, 7_000);
    let file = write(&folder, "middle.itch", &[&bytes[..middle], &[0; 2], &bytes[middle..]].concat());
    let place = format!("at byte {middle} (record 7001)");
    says(replay(&file), 1, &["a length of zero", &place, "all earlier records were used", "check what wrote it"]);
    // Once, as the end of the session, it is right; a file without it is whole too.
    let (messages, end) = bytes.split_at(bytes.len() - 2);
    assert_eq!(end, [0; 2]);
    says(replay(&write(&folder, "open.itch", messages)), 0, &["anomalies none"]);
    let outcome = says(replay(&path(&folder, "day.itch")), 0, &["anomalies none"]);
    assert_eq!(outcome.stdout, "");
}

fn unknown_message() {
    let (folder, bytes) = folder();
    let at = offset(&bytes, 7_000);
    let message = [&[0, 12, b'z'][..], &[0; 11]].concat();
    let file = write(&folder, "unknown.itch", &[&bytes[..at], &message, &bytes[at..]].concat());
    let outcome = says(replay(&file), 0, &["unknown-message 1"]);
    let row: serde_json::Value = serde_json::from_str(&outcome.stdout).expect("one row");
    assert_eq!(
        (&row["what"], &row["record"], &row["detail"]),
        (&"unknown-message".into(), &7_001.into(), &"type 122".into())
    );
}

fn garbage() {
    let (folder, _) = folder();
    let bytes: Vec<u8> = (0..50_000u64).map(|i| (i.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 56) as u8 | 0x40).collect();
    let file = write(&folder, "garbage.bin", &bytes);
    for feed in ["itch", "lobster", "dbn"] {
        let arguments = ["replay", "--feed", feed, "--input", &file];
        says(call(&arguments), 2, &["garbage.bin is not", "first bytes:", "check the file"]);
    }
    says(call(&["replay", "--input", &file]), 2, &["no feed recognises its first bytes", "--feed"]);
}

fn empty() {
    let (folder, _) = folder();
    let file = write(&folder, "empty.itch", b"");
    says(replay(&file), 2, &["empty.itch is empty", "give a file with data in it"]);
    says(call(&["replay", "--input", &file]), 2, &["empty.itch is empty"]);
}

fn wrong_feed() {
    let (folder, _) = folder();
    let file = path(&folder, "day.itch");
    for feed in ["lobster", "dbn"] {
        let outcome = call(&["replay", "--feed", feed, "--input", &file]);
        says(outcome, 2, &[&format!("is not {feed} data"), "it looks like itch: use --feed itch"]);
    }
    says(
        call(&["replay", "--feed", "ich", "--input", &file]),
        2,
        &["no such feed; did you mean itch? valid: alpaca, csv, dbn, itch, lean, lobster"],
    );
}

fn no_file() {
    let (folder, _) = folder();
    let none = path(&folder, "none.itch");
    says(replay(&none), 2, &["none.itch does not exist", "check the path"]);
    says(call(&["replay", "--input", &none]), 2, &["none.itch does not exist", "check the path"]);
    says(call(&["replay", &none]), 2, &["none.itch", "readable configuration"]);
    for command in ["ls", "verify", "tail"] {
        says(call(&["journal", command, &none]), 1, &["holds no journal", "name the folder"]);
    }
}

fn folder_for_file() {
    let (folder, _) = folder();
    let dir = folder.path().to_str().expect("UTF-8");
    says(replay(dir), 1, &["holds no journal", "name the folder that a run was given"]);
    let config = write(&folder, "run.toml", b"[[input]]\nfeed = \"itch\"\nfiles = [\".\"]\n");
    says(call(&["replay", &config]), 2, &["is a folder", "give a file"]);
}

fn damaged_gzip() {
    let (folder, bytes) = folder();
    let plain = path(&folder, "day.itch");
    let packed = Command::new("gzip").args(["-k", "-1", &plain]).status();
    assert!(packed.is_ok_and(|s| s.success()), "gzip is needed");
    let mut packed = fs::read(format!("{plain}.gz")).expect("gzip wrote it");
    let whole = write(&folder, "whole.gz", &packed);
    says(replay(&whole), 0, &["anomalies none"]);
    let cut = write(&folder, "cut.gz", &packed[..packed.len() / 2]);
    says(
        replay(&cut),
        1,
        &["cut.gz", "unexpected end of file", "record", "all earlier records were used", "it was cut short"],
    );
    let sum = packed.len() - 6;
    packed[sum] ^= 1;
    let damaged = write(&folder, "damaged.gz", &packed);
    says(replay(&damaged), 1, &["damaged.gz", &format!("at byte {}", bytes.len()), "get it again"]);
}

/// A journal of the day in the folder.
fn journal(folder: &TempDir) -> String {
    let dir = path(folder, "run");
    call(&["replay", "--input", &path(folder, "day.itch"), "--journal", &dir]).expect(0);
    dir
}

fn damaged_journal() {
    let (folder, _) = folder();
    let dir = journal(&folder);
    call(&["journal", "verify", &dir]).expect(0);
    let segment = Path::new(&dir).join("inputs/00000001.seg");
    let mut bytes = fs::read(&segment).expect("a segment");
    bytes[4096 + 64 * 99 + 40] ^= 4;
    fs::write(&segment, bytes).expect("it can be written");
    let outcome = says(call(&["journal", "verify", &dir]), 3, &["1 fault", "restore"]);
    for part in ["inputs/00000001.seg", "record 100", &format!("{}", 4096 + 64 * 99)] {
        assert!(outcome.stdout.contains(part), "{part:?}: {}", outcome.stdout);
    }
}

fn journal_twice() {
    let (folder, _) = folder();
    let dir = journal(&folder);
    let again = call(&["replay", "--input", &path(&folder, "day.itch"), "--journal", &dir]);
    says(again, 1, &[&dir]);
    call(&["journal", "verify", &dir]).expect(0);
}

fn bad_configuration() {
    let (folder, _) = folder();
    let text = "[pipeline]\nbatch = 0\nbtach = 1\n[bogus]\nx = 1\n[[input]]\nfeed = \"ich\"\nfiles = [\"day.itch\"]\n";
    let config = write(&folder, "bad.toml", text.as_bytes());
    let faults = [
        "4 faults",
        "pipeline.batch",
        "pipeline.btach",
        "bogus",
        "input[1].feed",
        "did you mean itch? valid:",
        "alpaca, csv, dbn",
    ];
    says(call(&["replay", &config]), 2, &faults);
    says(call(&["validate", &config]), 2, &faults);
    let json = call(&["validate", &config, "--json"]).expect(2);
    let json: serde_json::Value = serde_json::from_str(&json.stdout).expect("one JSON object");
    assert_eq!(json["faults"].as_array().map(Vec::len), Some(4));
    let broken = write(&folder, "broken.toml", b"[pipeline\n");
    says(call(&["replay", &broken]), 2, &["broken.toml:1:10:", "write valid TOML"]);
}

/// Faults of every sort: each comes with its pipeline, all come at once, and none is wider than a screen.
fn ten_faults() {
    let (folder, _) = folder();
    let lines = [
        "[pipeline]",
        "stages = [\"book\", \"momentun\", \"momentum\", \"orders\", \"risk\"]",
        "preset = \"cuts\"",
        "cuts = [\"book\", \"rsik\"]",
        "btach = 64",
        "batch = \"many\"",
        "ring_capacity = 1000",
        "[momentum]",
        "qty = -5",
        "[outcomes]",
        "kinds = [\"all\", \"-leval\"]",
        "[jurnal]",
        "dir = \"run1\"",
        "[[input]]",
        "feed = \"itch\"",
        "files = [\"none.itch\"]",
        "date = \"2020-13-01\"",
    ];
    let config = write(
        &folder,
        "desk.toml",
        lines
            .join(
                "
",
            )
            .as_bytes(),
    );
    let faults = [
        ":2:10: pipeline.stages: momentun; did you mean momentum? valid: pulse, book,",
        ":2:10: pipeline.stages: momentum without router; valid:",
        ":4:8: pipeline.cuts: rsik; did you mean risk? valid: pulse, book,",
        ":5:1: pipeline.btach: no such parameter; did you mean batch? valid: stages,",
        ":6:9: pipeline.batch: \"many\"; valid: an integer from 1 to 65536 (events)",
        ":7:17: pipeline.ring_capacity: 1000; valid: a power of two",
        ":9:7: momentum.qty: -5; valid: an integer from",
        ":11:9: outcomes.kinds: -leval; did you mean level? valid: all,",
        ":12:2: jurnal: no such section; did you mean journal? valid:",
        ":16:9: input[1].files:",
        ":17:8: input[1].date: \"2020-13-01\"; valid: a trading date from 1970-01-01",
    ];
    let validated = says(call(&["validate", &config]), 2, &faults);
    says(call(&["replay", &config]), 2, &faults);
    assert!(validated.stderr.starts_with("tidegate: 11 faults in the configuration\n"), "{}", validated.stderr);
    let wide = |line: &&str| line.chars().count() > 80 && line.split_whitespace().count() > 1;
    assert_eq!(validated.stderr.lines().find(wide), None);
    let json = call(&["validate", &config, "--json"]).expect(2);
    let json: serde_json::Value = serde_json::from_str(&json.stdout).expect("one JSON object");
    let at: Vec<_> = json["faults"].as_array().expect("a list").iter().map(|f| f["line"].as_u64()).collect();
    assert_eq!(at, [2, 2, 4, 5, 6, 7, 9, 11, 12, 16, 17].map(Some));
}

fn bad_usage() {
    let (folder, _) = folder();
    let day = path(&folder, "day.itch");
    let commands: [(&[&str], &str); 9] = [
        (&[], "Usage"),
        (&["bogus"], "bogus"),
        (&["replay", "--bogus"], "--bogus"),
        (&["replay"], "no input"),
        (&["replay", "--input", &day, "--emit", "trades"], "no such kind; did you mean trade? valid: "),
        (&["replay", "--input", &day, "--emit", "trade,bar", "--format", "csv"], "CSV takes one kind"),
        (&["replay", "--input", &day, "--verify"], "--journal"),
        (&["replay", "--input", &day, "--set", "pipeline.batch=no"], "an integer from 1"),
        (&["replay", "--input", &day, "--date", "yesterday"], "--date"),
    ];
    for (arguments, part) in commands {
        says(call(arguments), 2, &[part]);
    }
}

/// A reader that has seen enough, like `head`, ends the run, and that is no failure.
fn closed_pipe() {
    let (folder, _) = folder();
    let day = path(&folder, "day.itch");
    let dir = journal(&folder);
    let kinds = "add,exec,delete,replace,level,depth,trade,book-top";
    let commands: [&[&str]; 3] = [
        &["replay", "--input", &day, "--emit", kinds],
        &["replay", "--input", &day, "--emit", kinds, "--preset", "split"],
        &["journal", "export", &dir, "--emit", kinds],
    ];
    for arguments in commands {
        let mut command = Command::new("sh");
        let script = "exec 3>&1; { \"$@\"; echo $? >&3; } | head -n 1 >/dev/null";
        let outcome = finish({
            command.args(["-c", script, "sh"]).arg(tidegate()).args(arguments);
            command
        });
        assert_eq!(outcome.stdout.trim(), "0", "{arguments:?}: {}", outcome.stderr);
    }
}

fn signal() {
    let folder = tempfile::tempdir().expect("a folder");
    let dir = path(&folder, "run");
    let mut command = Command::new(tidegate());
    command.args(["replay", "--feed", "synthetic", "--set", "synthetic.messages=500000000", "--journal", &dir]);
    let child = command.stderr(Stdio::piped()).stdin(Stdio::null()).spawn().expect("it starts");
    let deadline = Instant::now() + LIMIT;
    let segments = |dir: &str| fs::read_dir(Path::new(dir).join("inputs")).map_or(0, Iterator::count);
    while segments(&dir) == 0 && Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(5));
    }
    std::thread::sleep(Duration::from_millis(300));
    let id = rustix::process::Pid::from_child(&child);
    rustix::process::kill_process(id, rustix::process::Signal::TERM).expect("it runs");
    let (ended, end) = std::sync::mpsc::channel();
    std::thread::spawn(move || ended.send(child.wait_with_output()));
    let output = end.recv_timeout(LIMIT).unwrap_or_else(|_| {
        let _ = rustix::process::kill_process(id, rustix::process::Signal::KILL);
        panic!("it goes on after SIGTERM")
    });
    let output = output.expect("it ends");
    let text = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{text}");
    assert!(text.contains("stopped after input "), "{text}");
    call(&["journal", "verify", &dir]).expect(0);
    let verified = call(&["replay", "--journal", &dir, "--verify", "--json"]).expect(0);
    let verified: serde_json::Value = serde_json::from_str(&verified.stdout).expect("one JSON object");
    assert_eq!(verified["verified"]["missing"], 0, "what was drained was logged: {}", verified["verified"]);
}

/// Runs a script on a small disk that only it sees: `$1` is the mount, `$2` the binary.
fn mounted(options: &str, script: &str) -> Outcome {
    let folder = tempfile::tempdir().expect("a folder");
    let mount: PathBuf = folder.path().to_owned();
    let mut command = Command::new("unshare");
    let script = format!("mount -t tmpfs -o {options} tmpfs \"$1\" || exit 99; {script}");
    command.args(["-m", "sh", "-c", &script, "sh"]).arg(mount).arg(tidegate());
    finish(command)
}

/// Nothing enters the pipeline that could not be logged: the run halts, and what is on the disk is whole.
fn full_disk() {
    let script = "\"$2\" replay --feed synthetic --set synthetic.messages=400000 --set journal.segment_records=4096 \
                  --journal \"$1/run\"; code=$?; \"$2\" journal verify \"$1/run\"; echo \"verify $?\"; \
                  \"$2\" replay --journal \"$1/run\" --verify --json; echo \"repeat $?\"; exit $code";
    let outcome = mounted("size=8m", script);
    let outcome =
        says(outcome, 1, &["the input log stopped before record", "no space for", "are free; free space, then start"]);
    for part in ["verify 0", "repeat 0", "\"difference\":null", "\"extra\":0"] {
        assert!(outcome.stdout.contains(part), "{part:?}: {}\n{}", outcome.stdout, outcome.stderr);
    }
}

/// A service with its page of metrics halts as any run does, and goes on where it stood once there is room.
fn full_disk_of_a_service() {
    let script = "printf '[metrics]\\nlisten = \"127.0.0.1:0\"\\n[journal]\\nsegment_records = 4096\\nroll = \"never\"\\n\
                  [[input]]\\nfeed = \"synthetic\"\\nmessages = 400000\\n' > \"$1/desk.toml\"; \
                  \"$2\" run \"$1/desk.toml\" --journal \"$1/run\" --speed max; echo \"first $?\"; \
                  mount -o remount,size=512m \"$1\"; \
                  \"$2\" run \"$1/desk.toml\" --journal \"$1/run\" --speed max; echo \"second $?\"; \
                  exec \"$2\" journal verify \"$1/run\"";
    let outcome = says(mounted("size=8m", script), 0, &["metrics", "are free; free space, then start"]);
    for part in ["first 1", "second 0"] {
        assert!(outcome.stdout.contains(part), "{part:?}: {}\n{}", outcome.stdout, outcome.stderr);
    }
}

fn read_only_disk() {
    let script = "exec \"$2\" replay --feed synthetic --set synthetic.messages=20000 --journal \"$1/run\"";
    let outcome = mounted("size=1m,ro", script);
    says(outcome, 1, &["/run", "choose a folder on a writable disk"]);
    let outcome = mounted("size=1m,ro", "exec \"$2\" synth --out \"$1/day.itch\" --messages 10000 --symbols 5");
    says(outcome, 1, &["day.itch", "choose another folder"]);
    let outcome = mounted("size=1m", "exec \"$2\" synth --out \"$1/day.itch\" --messages 1000000 --symbols 5");
    says(outcome, 1, &["day.itch", "free some space"]);
}

/// Every command that starts a run, and the one that only looks, find the same faults.
fn what_cannot_start_is_not_valid() {
    let (folder, _) = folder();
    write(&folder, "empty.itch", b"");
    write(&folder, "latency.csv", b"when,there,back\n1,2,3\n");
    let input = "[[input]]\nfeed = \"synthetic\"\n";
    let cases = [
        ("[[input]]\nfeed = \"synthetic\"\nmessages = 100\n".to_owned(), "messages = 100: too few"),
        ("[[input]]\nfeed = \"itch\"\n".to_owned(), "the itch feed has no file"),
        ("[[input]]\nfeed = \"itch\"\nfiles = [\".\"]\n".to_owned(), "is a folder"),
        ("[[input]]\nfeed = \"itch\"\nfiles = [\"empty.itch\"]\n".to_owned(), "empty.itch is empty"),
        ("[[input]]\nfeed = \"dbn\"\nfiles = [\"day.itch\"]\n".to_owned(), "it looks like itch"),
        ("[[input]]\nfeed = \"lobster\"\nfiles = [\"day.itch\"]\n".to_owned(), "it looks like itch"),
        ("[pipeline]\nbatch = 8\n".to_owned(), "no input"),
        (input.repeat(254), "254 inputs; 1 to 245"),
        (format!("[pipeline]\ncores = [4096]\n{input}"), "4096; valid: the cores of this machine: "),
        (format!("[journal]\ndir = \"{}/run\"\n{input}", path(&folder, "day.itch")), "day.itch is no folder"),
        (
            format!(
                "[pipeline]\nstages = [\"book\", \"random\", \"orders\", \"risk\", \"router\"]\n[sim]\n\
                 latency = \"recorded\"\nlatency_file = \"{}\"\n{input}",
                path(&folder, "latency.csv")
            ),
            "sim.latency_file: ",
        ),
    ];
    for (text, fault) in cases {
        let config = write(&folder, "run.toml", text.as_bytes());
        let dir = path(&folder, "run");
        says(call(&["validate", &config]), 2, &["run.toml", fault]);
        says(call(&["replay", &config]), 2, &["run.toml", fault]);
        // The journal's folder is the configuration's in the case that is about it.
        let journal: &[&str] = if text.contains("dir = ") { &[] } else { &["--journal", &dir] };
        says(call(&[&["run", &config], journal].concat()), 2, &["run.toml", fault]);
        assert!(!Path::new(&dir).exists(), "{fault}: a run that cannot start has begun a journal");
    }
    says(call(&["demo", "--events", "100"]), 2, &["messages = 100: too few"]);
}

/// Looking costs no memory, whatever the tables; a run compares what it needs with what it can get.
fn a_run_that_does_not_fit_says_so() {
    let (folder, _) = folder();
    let text = "[pipeline]\nring_capacity = 16777216\npreset = \"split\"\nmax_fills = 4194304\n\
                stages = [\"book\", \"bars\", \"random\", \"orders\", \"risk\", \"router\"]\n\
                [book]\nmax_orders = 16777216\nmax_levels = 16777216\n[orders]\nmax_orders = 1048576\n\
                [[input]]\nfeed = \"synthetic\"\nmessages = 20000\nsymbols = 4\nlive_orders = 100\n";
    let config = write(&folder, "large.toml", text.as_bytes());
    let dir = path(&folder, "run");
    let limited = |kilobytes: u64, arguments: &[&str]| {
        let mut command = Command::new("sh");
        command.args(["-c", &format!("ulimit -v {kilobytes}; exec \"$@\""), "sh"]).arg(tidegate()).args(arguments);
        finish(command)
    };
    let valid = limited(200_000, &["validate", &config, "--json"]).expect(0);
    let valid: serde_json::Value = serde_json::from_str(&valid.stdout).expect("one JSON object");
    assert!(valid["memory"]["bytes"].as_u64() > Some(4 << 30), "{valid}");
    let parts = ["the run needs", " MB of memory: ", "and can get", "its address space is limited (ulimit -v)"];
    says(limited(3_000_000, &["run", &config, "--journal", &dir]), 1, &parts);
    says(limited(3_000_000, &["replay", &config]), 1, &parts);
    assert!(!Path::new(&dir).exists());
}

/// A zip may have more members than a process may have open files.
fn many_members() {
    let (folder, bytes) = folder();
    let file = path(&folder, "day.zip");
    let mut zip = zip::ZipWriter::new(fs::File::create(&file).expect("writable"));
    let options = zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    for number in 0..2_000 {
        zip.start_file(format!("{number}.txt"), options).expect("a member");
        zip.write_all(b"nothing").expect("writable");
    }
    zip.start_file("day.itch", options).expect("a member");
    zip.write_all(&bytes).expect("writable");
    zip.finish().expect("a whole zip");
    let mut command = Command::new("sh");
    command.args(["-c", "ulimit -n 64; exec \"$@\"", "sh"]).arg(tidegate()).args(["replay", "--input", &file]);
    says(finish(command), 0, &["anomalies none"]);
}

/// A window that is too large is no damage.
fn wide_window() {
    let (folder, _) = folder();
    // A frame's header: no content size, a window of 2^(10 + 18) bytes; then an empty last block.
    let file = write(&folder, "wide.zst", &[0x28, 0xb5, 0x2f, 0xfd, 0, 18 << 3, 1, 0, 0]);
    let outcome = says(call(&["replay", "--input", &file]), 2, &["a window of 256 MiB", "unpack it"]);
    assert!(!outcome.stderr.contains("damaged"), "{}", outcome.stderr);
}

fn nothing_is_overwritten() {
    let (folder, _) = folder();
    let day = path(&folder, "day.itch");
    let before = fs::read(&day).expect("it is there");
    let synth = ["synth", "--out", &day, "--messages", "10000", "--symbols", "5", "--live-orders", "500"];
    says(call(&synth), 2, &["day.itch exists; --force overwrites it"]);
    assert!(fs::read(&day).expect("it is there") == before, "it was overwritten");
    call(&[&synth[..], &["--force"]].concat()).expect(0);
    assert!(fs::read(&day).expect("it is there") != before, "it was not written");
    call(&["synth", "--out", "/dev/null", "--messages", "10000", "--symbols", "5", "--live-orders", "500"]).expect(0);
    let out = path(&folder, "report");
    fs::create_dir(&out).expect("writable");
    write(&folder, "report/tick-to-order.html", b"an earlier one");
    says(call(&["bench", "tick-to-order", "--out", &out]), 2, &["tick-to-order.html exists", "--force"]);
}
