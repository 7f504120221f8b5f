//! What a host does to latency, check by check: what was found, why it matters, how to mend it and how to take that back.
//!
//! **Idea.** A check reads `/proc` and `/sys` below a [`Root`](crate::Root), so the same code judges this host, a recorded one and one that a test
//! made up. It says what it found; what it cannot find out it says too, and never takes for right. What the system lets be
//! written while it runs is a [`Setting`]; everything else, as the options of a boot, is words.
//!
//! Bound: one reading of each file. Worst case: a host with thousands of interrupts.

mod check;
mod clock;
mod memory;
mod network;
mod power;
mod scheduling;

pub use check::{Check, Finding, Setting, Subject, Verdict};

use check::Judged;

/// Every check, in the order in which a host is put right.
pub fn checks() -> impl Iterator<Item = &'static Check> {
    let all: [&[Check]; 5] = [scheduling::CHECKS, power::CHECKS, memory::CHECKS, network::CHECKS, clock::CHECKS];
    all.into_iter().flatten()
}

/// What all checks find.
pub fn examine(subject: &Subject) -> Vec<Finding> {
    let find = |check: &Check| {
        let Judged { verdict, found, fix, undo, settings } = (check.look)(subject);
        Finding { check: check.name, verdict, found, why: check.why, fix, undo, settings }
    };
    checks().map(find).collect()
}
