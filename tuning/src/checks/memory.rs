//! Memory: pages that move, are swapped, or may not be locked.

use super::check::{Check, Judged, Setting, Subject, chosen, setting};

pub(super) const CHECKS: &[Check] = &[
    Check {
        name: "huge pages",
        why: "with `always` the kernel merges pages while threads run: stalls of milliseconds; with `never` \
              large tables miss the TLB",
        look: huge_pages,
    },
    Check { name: "swap", why: "a page that was swapped out takes milliseconds to come back", look: swap },
    Check {
        name: "locked memory",
        why: "what may not be locked can be taken away and must be brought back from the disk",
        look: memlock,
    },
    Check {
        name: "real-time priority",
        why: "a thread without it waits for every other that is ready, where cores are not isolated",
        look: rtprio,
    },
];

fn huge_pages(subject: &Subject) -> Judged {
    let path = "/sys/kernel/mm/transparent_hugepage/enabled";
    let Some(text) = subject.root.read(path) else { return Judged::not_here("the kernel has none") };
    match chosen(&text) {
        Some("madvise") => Judged::good("for those who ask: madvise"),
        Some(mode) => {
            let setting = setting(&subject.root, path, "madvise");
            // The file lists all choices; what is written back is the one that was made.
            let setting = setting.map(|one| Setting { was: mode.to_owned(), ..one });
            Judged::wanting(mode, format!("echo madvise > {path}"), format!("echo {mode} > {path}"))
                .by(setting.into_iter().collect())
        }
        None => Judged::unknown(text),
    }
}

fn swap(subject: &Subject) -> Judged {
    let Some(text) = subject.root.read("/proc/swaps") else { return Judged::unknown("no /proc/swaps") };
    let areas: Vec<&str> = text.lines().skip(1).filter_map(|line| line.split_whitespace().next()).collect();
    if areas.is_empty() {
        return Judged::good("none");
    }
    Judged::wanting(
        areas.join(", "),
        "swapoff -a, and take it out of /etc/fstab; or let the run lock its memory",
        "swapon -a",
    )
}

/// The soft limit in a row of `/proc/self/limits`.
fn limit(subject: &Subject, name: &str) -> Option<String> {
    let limits = subject.root.read("/proc/self/limits")?;
    let row = limits.lines().find_map(|line| line.strip_prefix(name))?;
    Some(row.split_whitespace().next()?.to_owned())
}

fn memlock(subject: &Subject) -> Judged {
    match limit(subject, "Max locked memory") {
        None => Judged::unknown("no /proc/self/limits"),
        Some(most) if most == "unlimited" => Judged::good(most),
        Some(most) => {
            let mib = most.parse::<u64>().map_or(most, |bytes| format!("{} MiB", bytes >> 20));
            Judged::wanting(
                format!("at most {mib}"),
                "LimitMEMLOCK=infinity in the unit, or `* - memlock unlimited` in /etc/security/limits.conf",
                "take that line out",
            )
        }
    }
}

fn rtprio(subject: &Subject) -> Judged {
    match limit(subject, "Max realtime priority") {
        None => Judged::unknown("no /proc/self/limits"),
        Some(most) if most != "0" => Judged::good(format!("up to {most}")),
        Some(_) => Judged::wanting(
            "not allowed",
            "LimitRTPRIO=50 in the unit, or `* - rtprio 50` in /etc/security/limits.conf",
            "take that line out",
        ),
    }
}
