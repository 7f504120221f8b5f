//! The units of systemd: each is understood, with every preset, and is shut in as far as its page says.

use crate::Named;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;
use tidegate_tests::{root, tidegate};

pub(crate) const UNITS: &[Named] =
    &[("systemd_understands_the_units_and_every_preset", understood), ("the_units_are_shut_in_as_stated", shut_in)];

/// Services, each with the level of exposure that the page states behind its name.
const SERVICES: [&str; 2] = ["tidegate@", "tidegate-archive@"];

/// Whether systemd can be asked.
pub(crate) fn may_analyze() -> bool {
    Command::new("systemd-analyze").arg("--version").output().is_ok_and(|o| o.status.success())
}

/// The units in a folder of their own, as instances `desk` that start the binary under test.
fn units() -> (TempDir, Vec<PathBuf>) {
    let folder = tempfile::tempdir().expect("a folder");
    let mut units = Vec::new();
    for entry in fs::read_dir(root().join("tuning/systemd")).expect("the units") {
        let path = entry.expect("it can be read").path();
        let Some(name) = path.file_name().and_then(|name| name.to_str()).filter(|_| path.is_file()) else { continue };
        let text = fs::read_to_string(&path).expect("text");
        let text = text.replace("/usr/bin/tidegate", tidegate().to_str().expect("UTF-8"));
        fs::write(folder.path().join(name), &text).expect("it can be written");
        let unit = folder.path().join(name.replace('@', "@desk"));
        fs::write(&unit, text).expect("it can be written");
        units.push(unit);
    }
    assert!(units.len() >= 3, "{units:?}");
    (folder, units)
}

#[track_caller]
fn verified(units: &[PathBuf]) {
    let done = Command::new("systemd-analyze").args(["verify", "--man=no"]).args(units).output().expect("it starts");
    let said = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success() && said.trim().is_empty(), "{said}");
}

fn understood() {
    let (folder, units) = units();
    verified(&units);
    let drop_ins = folder.path().join("tidegate@desk.service.d");
    fs::create_dir(&drop_ins).expect("a folder");
    let presets = fs::read_dir(root().join("tuning/systemd/presets")).expect("the presets");
    let mut count = 0;
    for preset in presets {
        let preset = preset.expect("it can be read");
        fs::copy(preset.path(), drop_ins.join(preset.file_name())).expect("it can be copied");
        count += 1;
    }
    assert!(count >= 4, "{count} presets");
    verified(&units);
}

/// The level of a service, in tenths.
fn exposure(unit: &Path) -> u32 {
    let mut command = Command::new("systemd-analyze");
    let done = command.args(["security", "--offline=yes", "--no-pager"]).arg(unit).output().expect("it starts");
    let said = String::from_utf8_lossy(&done.stdout).into_owned();
    let level = said.lines().find(|line| line.contains("Overall exposure level"));
    let level = level.and_then(|line| line.split(": ").nth(1)).and_then(|rest| rest.split(' ').next());
    tenths(level.unwrap_or_else(|| panic!("no level: {said}")))
}

fn tenths(level: &str) -> u32 {
    let (whole, tenth) = level.split_once('.').unwrap_or_else(|| panic!("{level:?} has one decimal"));
    whole.parse::<u32>().expect("a digit") * 10 + tenth.parse::<u32>().expect("a digit")
}

fn shut_in() {
    let (folder, _) = units();
    let page = fs::read_to_string(root().join("tuning/docs/systemd.md")).expect("the page");
    for service in SERVICES {
        let stated = page.split(&format!("** for `{service}`")).next().filter(|before| before.len() < page.len());
        let stated = tenths(stated.and_then(|before| before.rsplit("**").next()).expect("the page states it"));
        let found = exposure(&folder.path().join(format!("{service}desk.service")));
        println!("{service}: {found} tenths");
        assert!(found <= stated, "{service}: the page says {stated} tenths, and it is {found}");
    }
}
