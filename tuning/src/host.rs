//! What host this is: read once, from `/proc` and `/sys`. Never fails: what cannot be read is empty.

use serde::Serialize;
use std::fmt;
use std::fs;

/// The fingerprint of a host.
#[derive(Clone, Debug, Serialize, PartialEq, Eq)]
pub struct Host {
    /// Model of the processor.
    pub cpu: String,
    /// Logical processors that are online.
    pub cores: usize,
    /// Kernel release.
    pub kernel: String,
    /// Frequency governor of the first core; empty where there is none (most virtual machines).
    pub governor: String,
    /// Cores that the scheduler keeps free, as the kernel lists them.
    pub isolated: String,
    /// Whether a hypervisor is below.
    pub virtualised: bool,
    /// Source of the kernel's clock.
    pub clocksource: String,
}

fn read(path: &str) -> String {
    fs::read_to_string(path).map(|text| text.trim().to_owned()).unwrap_or_default()
}

fn cpuinfo<'a>(text: &'a str, key: &str) -> Option<&'a str> {
    text.lines().find_map(|line| line.split_once(':').filter(|(k, _)| k.trim() == key).map(|(_, v)| v.trim()))
}

impl Host {
    /// Reads this host's.
    pub fn here() -> Host {
        let info = read("/proc/cpuinfo");
        Host {
            cpu: cpuinfo(&info, "model name").unwrap_or_default().to_owned(),
            cores: std::thread::available_parallelism().map_or(0, usize::from),
            kernel: read("/proc/sys/kernel/osrelease"),
            governor: read("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"),
            isolated: read("/sys/devices/system/cpu/isolated"),
            virtualised: cpuinfo(&info, "flags").is_some_and(|f| f.split(' ').any(|flag| flag == "hypervisor")),
            clocksource: read("/sys/devices/system/clocksource/clocksource0/current_clocksource"),
        }
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let cpu = if self.cpu.is_empty() { "unknown processor" } else { &self.cpu };
        let machine = if self.virtualised { "virtual machine" } else { "bare metal" };
        write!(f, "{cpu}, {} cores, {machine}, Linux {}", self.cores, self.kernel)?;
        let isolated = if self.isolated.is_empty() { "no isolated cores" } else { &self.isolated };
        write!(f, ", {isolated}")
    }
}

/// Time that a hypervisor took from this machine, since it started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Steal {
    stolen: u64,
    total: u64,
}

impl Steal {
    /// The counters now.
    pub fn now() -> Steal {
        Steal::parse(&read("/proc/stat"))
    }

    pub(crate) fn parse(stat: &str) -> Steal {
        let all = stat.lines().next().unwrap_or_default();
        let ticks: Vec<u64> = all.split_whitespace().skip(1).filter_map(|t| t.parse().ok()).collect();
        // user, nice, system, idle, iowait, irq, softirq, steal; guest time is part of user time.
        Steal { stolen: ticks.get(7).copied().unwrap_or(0), total: ticks.iter().take(8).sum() }
    }

    /// Share of the time since `earlier` that was stolen, in per cent.
    pub fn percent_since(self, earlier: Steal) -> f64 {
        let total = self.total.saturating_sub(earlier.total);
        if total == 0 { 0.0 } else { 100.0 * self.stolen.saturating_sub(earlier.stolen) as f64 / total as f64 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steal_is_the_eighth_number() {
        let before = Steal::parse("cpu 10 0 10 70 0 0 0 10 5 0\ncpu0 1");
        let after = Steal::parse("cpu 20 0 20 140 0 0 0 20 9 0");
        assert_eq!((before.stolen, before.total), (10, 100));
        assert!((after.percent_since(before) - 10.0).abs() < 1e-9);
        assert!((before.percent_since(before)).abs() < f64::EPSILON);
    }

    #[test]
    fn this_host_has_cores_and_a_kernel() {
        let host = Host::here();
        assert!(host.cores > 0 && !host.kernel.is_empty(), "{host}");
    }
}
