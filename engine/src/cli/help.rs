//! The first screen: what Tidegate is for, and its commands by purpose, each as an example that can be run.

use std::fmt::Write as _;

/// What it is for.
pub(crate) const ABOUT: &str = "\
Tidegate turns an exchange's data into order books, bars, order-flow measures
and risk-checked orders, the same way every time. Use it to replay recorded
days, to try strategies on them, and to run those strategies on paper or live.";

/// Purposes, and for each its commands: an example, and what it does.
pub(crate) const COMMANDS: &[(&str, &[(&str, &str)])] = &[
    (
        "Try",
        &[
            ("tidegate demo", "a synthetic exchange through it all"),
            ("tidegate synth --out day.itch", "a day of it as an ITCH 5.0 file"),
        ],
    ),
    (
        "Replay and record",
        &[
            ("tidegate replay --input day.itch", "files or a journal: rows and a summary"),
            ("tidegate schema book-top", "kinds of rows, and the columns of one"),
            ("tidegate journal ls run1", "the logs of a run: list, check, export"),
        ],
    ),
    (
        "Trade",
        &[
            ("tidegate validate desk.toml", "every fault of a configuration at once"),
            ("tidegate graph desk.toml", "its threads, cores, rings and venues"),
            ("tidegate run desk.toml", "the service: journalled, restartable"),
            ("tidegate ctl run1 status", "how it is; halt, resume, limits"),
            ("tidegate snapshot --journal run1", "a state from which a run resumes sooner"),
        ],
    ),
    ("Measure", &[("tidegate bench hop", "latency and throughput on this host")]),
];

/// The commands, and what holds for all of them.
pub(crate) fn commands() -> String {
    let mut text = String::new();
    for (purpose, commands) in COMMANDS {
        let _ = writeln!(text, "{purpose}");
        for (example, about) in *commands {
            let _ = writeln!(text, "  {example:34} {about}");
        }
    }
    text + "\nA command with --help shows its options; --version shows the version.\n\
            Exit codes: 0 done, 1 failed, 2 bad usage or configuration, 3 a check failed."
}
