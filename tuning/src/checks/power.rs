//! How fast the cores run, and how deep they sleep.

use super::check::{Check, Judged, Setting, Subject, setting};

pub(super) const CHECKS: &[Check] = &[
    Check {
        name: "frequency governor",
        why: "a core that was idle begins slowly and is raised only after milliseconds",
        look: governor,
    },
    Check { name: "idle states", why: "a core that sleeps deeply takes 10 to 200 us to wake", look: idle_states },
];

const CPU: &str = "/sys/devices/system/cpu";
/// A state from which a core wakes within so many us costs less than a hop.
const SHALLOW_US: i64 = 2;

fn governor(subject: &Subject) -> Judged {
    let path = |core: &usize| format!("{CPU}/cpu{core}/cpufreq/scaling_governor");
    let found: Vec<(usize, String)> =
        subject.pipeline.iter().filter_map(|core| Some((*core, subject.root.read(&path(core))?))).collect();
    if found.is_empty() {
        return Judged::not_here("set by the firmware, or by the host of this guest");
    }
    let wrong: Vec<&(usize, String)> = found.iter().filter(|(_, governor)| governor != "performance").collect();
    let Some((_, first)) = wrong.first() else { return Judged::good("performance") };
    let settings = wrong.iter().filter_map(|(core, _)| setting(&subject.root, &path(core), "performance")).collect();
    Judged::wanting(
        format!("{first} on {} of {} cores", wrong.len(), found.len()),
        "write performance into cpu*/cpufreq/scaling_governor",
        format!("write {first} back"),
    )
    .by(settings)
}

fn idle_states(subject: &Subject) -> Judged {
    let mut deep: Vec<Setting> = Vec::new();
    let (mut known, mut slowest) = (false, 0);
    for core in &subject.pipeline {
        let of = format!("{CPU}/cpu{core}/cpuidle");
        for state in subject.root.list(&of).iter().filter(|name| name.starts_with("state")) {
            let Some(latency_us) = subject.root.number(&format!("{of}/{state}/latency")) else { continue };
            known = true;
            let disable = format!("{of}/{state}/disable");
            if latency_us > SHALLOW_US && subject.root.read(&disable).as_deref() == Some("0") {
                slowest = slowest.max(latency_us);
                deep.extend(setting(&subject.root, &disable, "1"));
            }
        }
    }
    if !known {
        return Judged::not_here("the host has no idle states to choose from");
    }
    if deep.is_empty() {
        return Judged::good(format!("none that takes over {SHALLOW_US} us to leave"));
    }
    Judged::wanting(
        format!("{} that take up to {slowest} us to leave", deep.len()),
        "write 1 into cpu*/cpuidle/state*/disable of these; a core that spins never sleeps anyway",
        "write 0 back",
    )
    .by(deep)
}
