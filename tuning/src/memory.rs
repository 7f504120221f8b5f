//! How much memory this process can still get, and what limits it.
//!
//! A process that asks for more is aborted, or killed later by the kernel when it touches what it was promised, so whoever
//! takes much asks here first. Read from `/proc` and from the control groups; a limit that cannot be read does not count.

use std::fs;
use std::path::Path;

/// Memory that this process can still get.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Free {
    /// Bytes.
    pub bytes: u64,
    /// What limits it.
    pub by: &'static str,
}

impl Free {
    /// The tightest limit now; `None` on a system that tells none.
    pub fn now() -> Option<Free> {
        let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
        let (limits, status, machine) = (read("/proc/self/limits"), read("/proc/self/status"), read("/proc/meminfo"));
        let left = |limit: &str, used: &str| Some(limit_of(&limits, limit)?.saturating_sub(kilobytes(&status, used)?));
        let machine =
            kilobytes(&machine, "MemAvailable").map(|free| free + kilobytes(&machine, "SwapFree").unwrap_or(0));
        let all = [
            (left("Max address space", "VmSize"), "its address space is limited (ulimit -v)"),
            (left("Max data size", "VmData"), "its data is limited (ulimit -d)"),
            (control_group(&read("/proc/self/cgroup")), "its control group is limited"),
            (machine, "the machine has no more"),
        ];
        let known = all.into_iter().filter_map(|(bytes, by)| Some(Free { bytes: bytes?, by }));
        known.min_by_key(|free| free.bytes)
    }
}

/// The soft limit in this row of `/proc/self/limits`; `None` if it is unlimited.
fn limit_of(limits: &str, name: &str) -> Option<u64> {
    limits.lines().find_map(|line| line.strip_prefix(name))?.split_whitespace().next()?.parse().ok()
}

/// The value of a row `name:   123 kB`, in bytes.
fn kilobytes(text: &str, name: &str) -> Option<u64> {
    let row = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
    row.split_whitespace().next()?.parse::<u64>().ok().map(|kb| kb << 10)
}

/// What the control groups of the process (version 2) leave, the tightest one. Page cache that the kernel can drop is free.
fn control_group(own: &str) -> Option<u64> {
    let path = own.lines().find_map(|line| line.strip_prefix("0::/"))?;
    let group = Path::new("/sys/fs/cgroup").join(path);
    let number = |path: &Path, name: &str| fs::read_to_string(path.join(name)).ok()?.trim().parse::<u64>().ok();
    let left = |path: &Path| {
        let (most, used) = (number(path, "memory.max")?, number(path, "memory.current")?);
        let stat = fs::read_to_string(path.join("memory.stat")).unwrap_or_default();
        let droppable = stat.lines().find_map(|line| line.strip_prefix("inactive_file ")?.parse::<u64>().ok());
        Some(most.saturating_sub(used.saturating_sub(droppable.unwrap_or(0))))
    };
    group.ancestors().take_while(|path| path.starts_with("/sys/fs/cgroup")).filter_map(left).min()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_its_soft_value_and_unlimited_is_none() {
        let limits = "Limit                     Soft Limit           Hard Limit           Units     \n\
                      Max data size             unlimited            unlimited            bytes     \n\
                      Max address space         3072000000           unlimited            bytes     \n";
        assert_eq!(limit_of(limits, "Max address space"), Some(3_072_000_000));
        assert_eq!(limit_of(limits, "Max data size"), None);
        assert_eq!(kilobytes("VmPeak:\t  9 kB\nVmSize:\t   5 kB\n", "VmSize"), Some(5 << 10));
    }

    #[test]
    fn this_process_can_get_some() {
        let free = Free::now().expect("Linux tells");
        assert!(free.bytes > 1 << 20 && !free.by.is_empty(), "{free:?}");
    }
}
