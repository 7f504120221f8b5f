//! The way of a packet from the card to the feed.

use super::check::{Check, Judged, Setting, Subject, setting};
use std::process::Command;

pub(super) const CHECKS: &[Check] = &[
    Check {
        name: "card rings",
        why: "a burst that does not fit into the card's ring is lost before anybody sees it",
        look: rings,
    },
    Check {
        name: "coalescing",
        why: "a card that gathers packets before it interrupts holds each back by up to its time",
        look: coalescing,
    },
    Check {
        name: "busy polling",
        why: "without it a socket sleeps until the interrupt: some 10 us a packet",
        look: busy_polling,
    },
    Check { name: "socket buffers", why: "a burst that does not fit into the socket's buffer is lost", look: buffers },
];

/// What a multicast feed of an exchange can bring in a burst.
const BUFFER: i64 = 16 << 20;

/// The cards: interfaces that have a device.
fn cards(subject: &Subject) -> Vec<String> {
    let has_device = |name: &String| subject.root.path(&format!("/sys/class/net/{name}/device")).exists();
    subject.root.list("/sys/class/net").into_iter().filter(has_device).collect()
}

/// What `ethtool` says of a card: from the tool on this host, from a file of the same words beside a recorded one.
fn ethtool(subject: &Subject, option: &str, card: &str) -> Option<String> {
    if !subject.root.is_host() {
        return subject.root.read(&format!("/ethtool/{card}{option}"));
    }
    let told = Command::new("ethtool").arg(option).arg(card).output().ok()?;
    told.status.success().then(|| String::from_utf8_lossy(&told.stdout).into_owned())
}

/// The numbers of a word in what it says, in order.
fn numbers(text: &str, word: &str) -> Vec<u64> {
    let of = |line: &str| line.trim().strip_prefix(word)?.strip_prefix(':')?.trim().parse().ok();
    text.lines().filter_map(of).collect()
}

/// Judges each card by what the tool says of it.
fn each(subject: &Subject, option: &str, look: impl Fn(&str, &str) -> Option<(String, Option<[String; 2]>)>) -> Judged {
    let cards = cards(subject);
    if cards.is_empty() {
        return Judged::not_here("no card");
    }
    let (mut found, mut mend) = (Vec::new(), Vec::new());
    for card in &cards {
        let Some(text) = ethtool(subject, option, card) else { continue };
        let Some((what, fix)) = look(card, &text) else { continue };
        found.push(format!("{card}: {what}"));
        mend.extend(fix);
    }
    let found = found.join("; ");
    match (found.is_empty(), mend.as_slice()) {
        (true, _) => Judged::unknown(format!("{}: no ethtool, or it says nothing", cards.join(", "))),
        (false, []) => Judged::good(found),
        (false, fixes) => {
            let of = |at: usize| fixes.iter().map(|fix| fix[at].clone()).collect::<Vec<_>>().join("; ");
            Judged::wanting(found, of(0), of(1))
        }
    }
}

fn rings(subject: &Subject) -> Judged {
    each(subject, "-g", |card, text| {
        let [most, now] = numbers(text, "RX")[..] else { return None };
        let fix = (now < most).then(|| [format!("ethtool -G {card} rx {most}"), format!("ethtool -G {card} rx {now}")]);
        Some((format!("{now} of {most}"), fix))
    })
}

fn coalescing(subject: &Subject) -> Judged {
    each(subject, "-c", |card, text| {
        let now = *numbers(text, "rx-usecs").first()?;
        let adaptive = text.lines().any(|line| line.starts_with("Adaptive RX: on"));
        let fix = [
            format!("ethtool -C {card} adaptive-rx off rx-usecs 0"),
            format!("ethtool -C {card} adaptive-rx {} rx-usecs {now}", if adaptive { "on" } else { "off" }),
        ];
        let what = format!("{now} us{}", if adaptive { ", adaptive" } else { "" });
        Some((what, (now > 0 || adaptive).then_some(fix)))
    })
}

fn busy_polling(subject: &Subject) -> Judged {
    let paths = ["/proc/sys/net/core/busy_read", "/proc/sys/net/core/busy_poll"];
    let found: Vec<i64> = paths.iter().filter_map(|path| subject.root.number(path)).collect();
    if found.len() < paths.len() {
        return Judged::not_here("the kernel has none");
    }
    let text = format!("busy_read {} us, busy_poll {} us", found[0], found[1]);
    if found.iter().all(|us| *us > 0) {
        return Judged::good(text);
    }
    let settings: Vec<Setting> = paths.iter().filter_map(|path| setting(&subject.root, path, "50")).collect();
    Judged::wanting(
        text,
        "sysctl net.core.busy_read=50 net.core.busy_poll=50",
        format!("sysctl net.core.busy_read={} net.core.busy_poll={}", found[0], found[1]),
    )
    .by(settings)
}

fn buffers(subject: &Subject) -> Judged {
    let path = "/proc/sys/net/core/rmem_max";
    match subject.root.number(path) {
        None => Judged::unknown("the kernel does not say"),
        Some(most) if most >= BUFFER => Judged::good(format!("up to {} MiB", most >> 20)),
        Some(most) => Judged::wanting(
            format!("up to {} KiB", most >> 10),
            format!("sysctl net.core.rmem_max={BUFFER}"),
            format!("sysctl net.core.rmem_max={most}"),
        )
        .by(setting(&subject.root, path, &BUFFER.to_string()).into_iter().collect()),
    }
}
