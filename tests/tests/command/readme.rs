//! The README's commands run as pasted, in order, in a new folder, and its configuration is valid.
//!
//! All blocks of shell commands are one script, since a user pastes them into one terminal. What builds and tests the
//! project itself is left out, and the demo is made shorter.

use crate::{Named, call, finish_within, folder, write};
use std::fs;
use std::os::unix::fs::symlink;
use std::process::Command;
use std::time::Duration;
use tidegate_tests::{root, tidegate};

pub(crate) const README: &[Named] = &[
    ("the_commands_of_the_readme_run_as_pasted", commands),
    ("the_configuration_of_the_readme_is_valid", configuration),
];

/// The README's blocks of a language, in order.
fn blocks(language: &str) -> Vec<String> {
    let text = fs::read_to_string(root().join("README.md")).expect("a README");
    let opening = format!("\n```{language}\n");
    text.split(&opening).skip(1).map(|part| part.split_once("\n```").expect("a block ends").0.to_owned()).collect()
}

/// A line of the script; none for what builds the project.
fn pasted(line: &str) -> Option<String> {
    let line = line.replace("cargo run --release --", "tidegate");
    match line.split_whitespace().next() {
        Some("cargo") => None,
        _ if line.starts_with("tidegate demo") => Some(line.replacen("demo", "demo --events 50000", 1)),
        _ => Some(line),
    }
}

fn commands() {
    let folder = tempfile::tempdir().expect("a folder");
    let bin = folder.path().join("bin");
    fs::create_dir(&bin).expect("an empty folder");
    symlink(tidegate(), bin.join("tidegate")).expect("it is no other");
    let blocks = blocks("sh");
    assert!(blocks.len() >= 3, "{blocks:?}");
    let lines: Vec<_> = blocks.iter().flat_map(|b| b.lines()).filter_map(pasted).collect();
    let path = format!("{}:{}", bin.display(), std::env::var("PATH").expect("a path"));
    let script = format!("trap 'kill $(jobs -p)' ERR\n{}", lines.join("\n"));
    let mut shell = Command::new("bash");
    shell.args(["-exc", &script]).current_dir(folder.path()).env("PATH", path);
    let outcome = finish_within(shell, Duration::from_secs(600));
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    let used = ["demo", "synth", "pack", "replay", "validate", "run", "ctl", "snapshot", "journal", "schema", "bench"];
    for command in used {
        let starts = format!("+ tidegate {command} ");
        assert!(outcome.stderr.contains(&starts), "the README shows no {command}");
    }
}

fn configuration() {
    let (folder, _) = folder();
    for text in blocks("toml") {
        let config = write(&folder, "desk.toml", text.as_bytes());
        call(&["validate", &config]).expect(0);
    }
}
