//! Who else runs on the pipeline's cores.

use super::check::{Check, Judged, Subject, setting};
use crate::cores::{self, Cores};

pub(super) const CHECKS: &[Check] = &[
    Check {
        name: "isolated cores",
        why: "else the scheduler puts other threads on the pipeline's cores: milliseconds, now and then",
        look: isolated,
    },
    Check {
        name: "tick-free cores",
        why: "the scheduler's tick interrupts a spinning thread up to 1,000 times a second, some us each",
        look: nohz_full,
    },
    Check {
        name: "RCU callbacks",
        why: "the kernel frees memory in the context of whoever runs there: tens of us",
        look: rcu_nocbs,
    },
    Check {
        name: "hyper-threads",
        why: "two threads on one physical core share its pipelines and caches: half the speed, twice the jitter",
        look: siblings,
    },
    Check {
        name: "core complexes",
        why: "a hop between two complexes crosses the fabric: 100 ns and more instead of some 30",
        look: complexes,
    },
    Check {
        name: "memory nodes",
        why: "memory of another node is twice as far, and pages that are moved between nodes stop the thread",
        look: nodes,
    },
    Check {
        name: "interrupts",
        why: "an interrupt on a pipeline's core costs 1 to 20 us, and empties its caches",
        look: interrupts,
    },
    Check { name: "kernel watchdog", why: "it interrupts every core, and holds a performance counter", look: watchdog },
];

const CPU: &str = "/sys/devices/system/cpu";

fn boot(option: &str, subject: &Subject) -> String {
    format!(
        "add {option}={} to the kernel's boot options (GRUB_CMDLINE_LINUX), then boot",
        cores::text(&subject.pipeline)
    )
}

fn unboot(option: &str) -> String {
    format!("take {option} out of the boot options, then boot")
}

/// Judges a set of cores that is to have all of the pipeline's.
fn covered(subject: &Subject, found: &Cores, option: &str) -> Judged {
    if subject.others().is_empty() {
        return Judged::not_here("no core is left for the system");
    }
    if subject.pipeline.is_subset(found) {
        return Judged::good(cores::text(found));
    }
    Judged::wanting(cores::text(found), boot(option, subject), unboot(option))
}

fn isolated(subject: &Subject) -> Judged {
    let Some(found) = subject.root.read(&format!("{CPU}/isolated")) else {
        return Judged::unknown("the kernel does not list them");
    };
    covered(subject, &cores::parse(&found), "isolcpus")
}

fn nohz_full(subject: &Subject) -> Judged {
    match subject.root.read(&format!("{CPU}/nohz_full")) {
        Some(found) => covered(subject, &cores::parse(&found), "nohz_full"),
        None => Judged::unknown("this kernel is built without NO_HZ_FULL"),
    }
}

fn rcu_nocbs(subject: &Subject) -> Judged {
    let Some(options) = subject.root.read("/proc/cmdline") else { return Judged::unknown("no /proc/cmdline") };
    let of = |name: &str| options.split_whitespace().find_map(|option| option.strip_prefix(name)?.strip_prefix('='));
    // Cores without a tick have no callbacks either.
    let found: Cores = ["rcu_nocbs", "nohz_full"].into_iter().filter_map(of).flat_map(cores::parse).collect();
    covered(subject, &found, "rcu_nocbs")
}

/// Whether the host says this of one of the pipeline's cores.
fn says(subject: &Subject, what: &str) -> bool {
    subject.pipeline.iter().any(|core| subject.root.path(&format!("{CPU}/cpu{core}/{what}")).exists())
}

fn siblings(subject: &Subject) -> Judged {
    if !says(subject, "topology/thread_siblings_list") {
        return Judged::unknown("the host does not say which cores share one");
    }
    let busy: Vec<Cores> = subject
        .topology
        .shared(&subject.topology.numbers(), |core| &core.siblings)
        .into_iter()
        .filter(|group| group.len() > 1 && !group.is_disjoint(&subject.pipeline))
        .collect();
    if busy.is_empty() {
        return Judged::good("each of the pipeline's cores is a physical one");
    }
    let listed: Vec<String> = busy.iter().take(4).map(cores::text).collect();
    let more = if busy.len() > 4 { format!(" and {} more", busy.len() - 4) } else { String::new() };
    Judged::wanting(
        format!("physical cores with two threads: {}{more}", listed.join("; ")),
        format!("echo off > {CPU}/smt/control, or give the pipeline one thread of each and leave the other idle"),
        format!("echo on > {CPU}/smt/control"),
    )
}

fn complexes(subject: &Subject) -> Judged {
    if !says(subject, "cache") {
        return Judged::unknown("the host does not list its caches");
    }
    let groups = subject.topology.shared(&subject.pipeline, |core| &core.complex);
    let listed: Vec<String> = groups.iter().map(cores::text).collect();
    match groups.len() {
        0 => Judged::unknown("no cores are listed"),
        1 => Judged::good(format!("{} share one cache", listed[0])),
        _ => Judged::wanting(
            listed.join(" | "),
            "name the cores of one complex in pipeline.cores, or cut so that the busiest hop stays within one",
            "name other cores in pipeline.cores",
        ),
    }
}

fn nodes(subject: &Subject) -> Judged {
    let nodes: std::collections::BTreeSet<usize> =
        subject.pipeline.iter().filter_map(|number| subject.topology.core(*number)?.node).collect();
    let all = subject
        .root
        .list("/sys/devices/system/node")
        .iter()
        .filter(|name| name.strip_prefix("node").is_some_and(|n| n.parse::<usize>().is_ok()))
        .count();
    if all == 0 {
        return Judged::unknown("the host lists none");
    }
    if all == 1 {
        return Judged::not_here("one node");
    }
    let balancing = "/proc/sys/kernel/numa_balancing";
    let moves = subject.root.number(balancing).is_some_and(|on| on != 0);
    if nodes.len() == 1 && !moves {
        return Judged::good(format!("the pipeline is on one of {all}, and no page is moved"));
    }
    let found =
        format!("the pipeline is on {} of {all}{}", nodes.len(), if moves { ", and pages are moved" } else { "" });
    Judged::wanting(
        found,
        format!("name cores of the node that has the network card in pipeline.cores; echo 0 > {balancing}"),
        format!("echo 1 > {balancing}"),
    )
    .by(setting(&subject.root, balancing, "0").into_iter().collect())
}

fn interrupts(subject: &Subject) -> Judged {
    let others = subject.others();
    let irqs: Vec<String> =
        subject.root.list("/proc/irq").into_iter().filter(|name| name.parse::<u32>().is_ok()).collect();
    if irqs.is_empty() {
        return Judged::unknown("/proc/irq lists none");
    }
    if others.is_empty() {
        return Judged::not_here("no core is left for them");
    }
    let goes_to = |irq: &&String| {
        let effective = subject.root.read(&format!("/proc/irq/{irq}/effective_affinity_list"));
        let allowed = || subject.root.read(&format!("/proc/irq/{irq}/smp_affinity_list"));
        let cores = cores::parse(&effective.filter(|text| !text.is_empty()).or_else(allowed).unwrap_or_default());
        !cores.is_disjoint(&subject.pipeline)
    };
    let wrong: Vec<&String> = irqs.iter().filter(goes_to).collect();
    if wrong.is_empty() {
        return Judged::good(format!("all {} go to {}", irqs.len(), cores::text(&others)));
    }
    let list = cores::text(&others);
    let set = |irq: &&String| setting(&subject.root, &format!("/proc/irq/{irq}/smp_affinity_list"), &list);
    Judged::wanting(
        format!("{} of {} go to the pipeline's cores", wrong.len(), irqs.len()),
        format!("write {list} into /proc/irq/NUMBER/smp_affinity_list, and stop irqbalance"),
        "write back what was there, and start irqbalance",
    )
    .by(wrong.iter().filter_map(set).collect())
}

fn watchdog(subject: &Subject) -> Judged {
    let path = "/proc/sys/kernel/watchdog";
    match subject.root.number(path) {
        None => Judged::not_here("the kernel has none"),
        Some(0) => Judged::good("off"),
        Some(_) => Judged::wanting("on", format!("echo 0 > {path}"), format!("echo 1 > {path}")).by(setting(
            &subject.root,
            path,
            "0",
        )
        .into_iter()
        .collect()),
    }
}
