//! The clock, and the machine below this one.

use super::check::{Check, Judged, Subject, setting};
use crate::host::Steal;

pub(super) const CHECKS: &[Check] = &[
    Check {
        name: "clock source",
        why: "reading any clock but the processor's own is a system call, or an exit to the hypervisor: 0.3 to 3 us",
        look: source,
    },
    Check {
        name: "virtualisation",
        why: "a hypervisor stops a core when it likes, and nothing in the guest can prevent it",
        look: virtualised,
    },
    Check {
        name: "stolen time",
        why: "time that the hypervisor gave to others while this machine had work",
        look: steal,
    },
];

/// Stolen time, in per cent, that is worth a word.
const STOLEN: f64 = 0.1;

fn source(subject: &Subject) -> Judged {
    let of = "/sys/devices/system/clocksource/clocksource0";
    let path = format!("{of}/current_clocksource");
    let Some(found) = subject.root.read(&path) else { return Judged::unknown("the kernel does not say") };
    if found == "tsc" || found == "arch_sys_counter" {
        return Judged::good(found);
    }
    let all = subject.root.read(&format!("{of}/available_clocksource")).unwrap_or_default();
    if all.split_whitespace().any(|one| one == "tsc") {
        return Judged::wanting(&found, format!("echo tsc > {path}"), format!("echo {found} > {path}")).by(setting(
            &subject.root,
            &path,
            "tsc",
        )
        .into_iter()
        .collect());
    }
    Judged::wanting(
        format!("{found}; available: {all}"),
        "the kernel found tsc unstable, or the hypervisor hides it: boot with tsc=reliable only if you know it is not",
        "take tsc=reliable out of the boot options",
    )
}

fn virtualised(subject: &Subject) -> Judged {
    let Some(info) = subject.root.read("/proc/cpuinfo") else { return Judged::unknown("no /proc/cpuinfo") };
    let flags = info.lines().find_map(|line| line.split_once(':').filter(|(key, _)| key.trim() == "flags"));
    match flags {
        None => Judged::unknown("the processor lists no flags"),
        Some((_, flags)) if flags.split_whitespace().any(|flag| flag == "hypervisor") => Judged::wanting(
            "a virtual machine",
            "bare metal; else a host that dedicates physical cores to this machine, and huge pages to its memory",
            "",
        ),
        Some(_) => Judged::good("bare metal"),
    }
}

fn steal(subject: &Subject) -> Judged {
    let Some(stat) = subject.root.read("/proc/stat") else { return Judged::unknown("no /proc/stat") };
    let per_cent = Steal::parse(&stat).percent_since(Steal::default());
    let found = format!("{per_cent:.2} % since the machine started");
    if per_cent < STOLEN {
        return Judged::good(found);
    }
    Judged::wanting(found, "dedicated cores, or another host: others compete for these", "")
}
