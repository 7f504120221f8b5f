//! What a service says, as machines read it: lines of JSON, and lines with priorities for systemd's journal.

use serde_json::Value;
use std::fs::{File, read_to_string};
use std::os::unix::fs::MetadataExt;
use tidegate_tests::rig::Service;

/// The lines of a log, each an object with time, level and message; level and message of each.
#[track_caller]
fn lines(log: &str) -> Vec<(String, String)> {
    let of = |line: &str| {
        let Ok(Value::Object(line)) = serde_json::from_str(line) else { panic!("no object: {line}") };
        let text = |key: &str| line[key].as_str().unwrap_or_else(|| panic!("{key}: {line:?}")).to_owned();
        let time = text("timestamp");
        assert!(time.ends_with('Z') && time.as_bytes()[10] == b'T', "{time}");
        (text("level"), text("message"))
    };
    log.lines().map(of).collect()
}

#[test]
fn every_line_is_an_object_and_a_failure_is_an_error() {
    let service = Service::paper(20_000);
    let ran = lines(&service.finish(&["--speed", "max", "--log", "json"]).expect(0).stderr);
    assert!(ran.iter().any(|(level, said)| level == "INFO" && said.contains("outcomes")), "{ran:?}");
    let again = lines(&service.finish(&["--speed", "max", "--log", "json"]).expect(2).stderr);
    assert!(again.iter().any(|(level, said)| level == "ERROR" && said.contains("ended")), "{again:?}");
}

/// The journal is known by the file that the variable names, so a run in a pipe of somebody else stays text.
#[test]
fn lines_have_priorities_where_the_journal_of_systemd_listens() {
    for is_journal in [true, false] {
        let service = Service::paper(20_000);
        let path = service.path("journald");
        let file = File::create(&path).expect("the folder is writable");
        let about = file.metadata().expect("it is there");
        let stream = format!("{}:{}", about.dev(), about.ino() + u64::from(!is_journal));
        let mut command = service.command(&service.journal(), "max");
        let status = command.env("JOURNAL_STREAM", stream).stderr(file).status().expect("tidegate starts");
        assert!(status.success());
        let said = read_to_string(path).expect("it can be read");
        assert!(!said.is_empty() && said.lines().all(|line| line.starts_with("<6>") == is_journal), "{said}");
    }
}
