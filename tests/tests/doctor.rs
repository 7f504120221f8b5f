//! `tidegate doctor`: what it says of a host, on one screen's width; what it writes, and that it is taken back.

use std::ffi::OsStr;
use std::fs;
use std::path::Path;
use tidegate_tests::{Outcome, Scratch, root, run};

/// A host of four cores that wants three values, as a folder of its files.
fn host() -> Scratch {
    let folder = Scratch::new();
    let files = [
        ("sys/devices/system/cpu/online", "0-3"),
        ("sys/devices/system/cpu/isolated", "1-3"),
        ("sys/devices/system/cpu/cpu1/cache/index0/shared_cpu_list", "1-3"),
        ("sys/devices/system/cpu/cpu2/cache/index0/shared_cpu_list", "1-3"),
        ("sys/devices/system/cpu/cpu3/cache/index0/shared_cpu_list", "1-3"),
        ("sys/devices/system/cpu/cpu1/cpufreq/scaling_governor", "powersave"),
        ("proc/sys/kernel/watchdog", "1"),
        ("proc/sys/net/core/rmem_max", "212992"),
    ];
    for (path, text) in files {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().expect("a folder")).expect("writable");
        fs::write(path, format!("{text}\n")).expect("writable");
    }
    folder
}

fn doctor(of: &Path, more: &[&str]) -> Outcome {
    let words = [OsStr::new("doctor"), OsStr::new("--root"), of.as_os_str()];
    run(words.into_iter().chain(more.iter().map(|word| OsStr::new(*word))))
}

fn says(of: &Path, path: &str) -> String {
    fs::read_to_string(of.join(path)).expect("a file").trim().to_owned()
}

#[test]
fn what_is_wanting_is_written_and_taken_back() {
    let folder = host();
    let of = folder.path();
    let shown = doctor(of, &[]).expect(3).stdout;
    let wide = shown.lines().find(|line| line.chars().count() > 80);
    assert_eq!(wide, None, "{shown}");
    for part in
        ["isolated cores", "powersave on 1 of 1 cores", "why       ", "fix       ", "undo      ", "writes 3 values"]
    {
        assert!(shown.contains(part), "{part:?} is not in\n{shown}");
    }
    let json: serde_json::Value = serde_json::from_str(&doctor(of, &["--json"]).expect(3).stdout).expect("JSON");
    let findings = json["findings"].as_array().expect("a list");
    let wanting: Vec<_> = findings.iter().filter(|one| one["verdict"] == "wanting").map(|one| &one["check"]).collect();
    assert_eq!(wanting, ["kernel watchdog", "frequency governor", "socket buffers"]);
    let done = doctor(of, &["--apply"]).expect(0).stdout;
    assert!(done.matches("written ").count() == 3 && done.contains("doctor --undo"), "{done}");
    assert_eq!(says(of, "sys/devices/system/cpu/cpu1/cpufreq/scaling_governor"), "performance");
    assert_eq!(says(of, "proc/sys/kernel/watchdog"), "0");
    doctor(of, &[]).expect(0);
    let undone = doctor(of, &["--undo"]).expect(0).stdout;
    assert_eq!(undone.matches("written ").count(), 3, "{undone}");
    assert_eq!(says(of, "sys/devices/system/cpu/cpu1/cpufreq/scaling_governor"), "powersave");
    assert_eq!(says(of, "proc/sys/net/core/rmem_max"), "212992");
    assert!(doctor(of, &["--undo"]).expect(0).stdout.contains("there is nothing to take back"));
}

#[test]
fn cores_that_there_are_not_are_said() {
    let folder = host();
    let said = doctor(folder.path(), &["--cores", "2-9"]).expect(2).stderr;
    assert!(said.contains("core 4 is not online here; there are 0-3"), "{said}");
    let said = doctor(folder.path(), &["--cores", "two"]).expect(2).stderr;
    assert!(said.contains("--cores \"two\" is no list of cores"), "{said}");
}

/// On this host, with the cuts of a configuration; what it finds depends on the host.
#[test]
fn this_host_is_looked_at_and_its_cores_are_watched() {
    let shown = run(["doctor", "--jitter", "0.05"]);
    assert!(matches!(shown.code, Some(0 | 3)), "{shown:?}");
    assert!(shown.stdout.contains("jitter    core ") && shown.stdout.contains("longest gap"), "{}", shown.stdout);
    let wide = shown.stdout.lines().find(|line| line.chars().count() > 80);
    assert_eq!(wide, None, "{}", shown.stdout);
    if std::thread::available_parallelism().is_ok_and(|cores| cores.get() >= 2) {
        let config = root().join("tuning/presets/cores-4.toml");
        let words = ["--set", "pipeline.cores=0,1", "--jitter", "0", "--json"].map(OsStr::new);
        let shown = run([OsStr::new("doctor"), config.as_os_str()].into_iter().chain(words));
        let shown: serde_json::Value = serde_json::from_str(&shown.stdout).expect("JSON");
        assert_eq!((&shown["cuts"][0]["from_core"], &shown["cuts"][0]["to_core"]), (&0.into(), &1.into()));
        assert!(shown["cuts"][0]["hop_ns"].as_u64().is_some_and(|ns| ns > 0), "{shown}");
        assert_eq!(shown["jitter"], serde_json::json!([]));
    }
}

#[test]
fn every_preset_is_a_configuration() {
    let presets = fs::read_dir(root().join("tuning/presets")).expect("the presets");
    let paths: Vec<_> = presets.map(|entry| entry.expect("an entry").path()).collect();
    assert!(paths.len() >= 4, "{paths:?}");
    for preset in paths {
        let drawn = run(["graph".as_ref(), preset.as_os_str(), "--set".as_ref(), "pipeline.cores=".as_ref()]);
        drawn.expect(0);
    }
}
