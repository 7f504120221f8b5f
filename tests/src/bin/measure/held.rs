//! What a process holds at one moment, read from `/proc`, its journal's folder and its own page.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};
use tidegate_tests::http;
use tidegate_tests::rig::Life;

const MIB: f64 = (1 << 20) as f64;

/// What a process holds at one moment.
pub(crate) struct Held {
    pub(crate) at: Instant,
    pub(crate) inputs: f64,
    /// MiB: its own, and of its journal's newest segments.
    pub(crate) memory: [f64; 2],
    pub(crate) descriptors: usize,
    pub(crate) threads: usize,
    pub(crate) cpu: Duration,
    pub(crate) disk: f64,
}

impl Held {
    /// What it holds now.
    pub(crate) fn now(life: &Life, port: u16, journal: &Path) -> Held {
        let pid = life.child.id();
        let status = fs::read_to_string(format!("/proc/{pid}/status")).expect("it runs");
        let count = |what: &str| fs::read_dir(format!("/proc/{pid}/{what}")).expect("it runs").count();
        Held {
            at: Instant::now(),
            inputs: told(port, "tidegate_pipeline_inputs_finished_total"),
            memory: ["RssAnon:", "RssShmem:"].map(|name| kib(&status, name) / 1024.0),
            descriptors: count("fd"),
            threads: count("task"),
            cpu: threads(pid).iter().map(|(_, used)| *used).sum(),
            disk: bytes(journal) as f64 / MIB,
        }
    }
}

/// A number of the run's own page, whose name stands without labels.
pub(crate) fn told(port: u16, name: &str) -> f64 {
    let (_, page) = http::get(&format!("127.0.0.1:{port}"), "/metrics", "*/*").expect("it answers");
    let value = page.lines().find_map(|line| line.strip_prefix(name)?.trim().parse().ok());
    value.unwrap_or_else(|| panic!("no {name} in:\n{page}"))
}

fn kib(status: &str, name: &str) -> f64 {
    let line = status.lines().find_map(|line| line.strip_prefix(name)).expect("the kernel says it");
    line.trim().trim_end_matches(" kB").parse().expect("a number")
}

/// The processor time of each thread of a process so far; one that ends meanwhile is left out.
pub(crate) fn threads(pid: u32) -> Vec<(String, Duration)> {
    let tasks = fs::read_dir(format!("/proc/{pid}/task")).expect("it runs").flatten();
    let used = tasks.filter_map(|task| {
        let name = fs::read_to_string(task.path().join("comm")).ok()?;
        let text = fs::read_to_string(task.path().join("schedstat")).ok()?;
        Some((name.trim().to_owned(), Duration::from_nanos(text.split(' ').next()?.parse().ok()?)))
    });
    used.collect()
}

/// All bytes below a folder as the disk counts them; what is removed meanwhile is left out.
fn bytes(folder: &Path) -> u64 {
    use std::os::unix::fs::MetadataExt;
    let Ok(entries) = fs::read_dir(folder) else { return 0 };
    let each = entries.flatten().filter_map(|entry| {
        let about = entry.metadata().ok()?;
        Some(if about.is_dir() { bytes(&entry.path()) } else { about.blocks() * 512 })
    });
    each.sum()
}

/// A port that was free just now.
pub(crate) fn free_port() -> u16 {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
    taken.expect("a free port").port()
}
