//! The first help screen: what Tidegate is for, and its commands by purpose, each with an example that runs as pasted.

use std::fmt::Write as _;

/// What Tidegate is for.
pub(crate) const ABOUT: &str = "Books, bars, order flow and risk-checked orders: replayed, on paper, or live.";

/// The commands by purpose: an example of each, and what it does. The first group stands below what Tidegate is for.
pub(crate) const COMMANDS: &[(&str, &[(&str, &str)])] = &[
    (
        "",
        &[
            ("tidegate demo", "a synthetic exchange, end to end"),
            ("tidegate synth --out day.itch", "a synthetic day as an ITCH 5.0 file"),
            ("tidegate bench hop", "latency and throughput on this host"),
            ("tidegate doctor", "what this host costs, and what mends it"),
            ("tidegate replay --input day.itch", "files or a journal: rows and summary"),
            ("tidegate plot es.dbn --out es.html", "a day as a page: footprints, profile, story"),
            ("tidegate pack day.itch", "a day by instrument, for faster replays"),
            ("tidegate discover --input day.itch", "usual values, learned, to include"),
            ("tidegate schema book-top", "kinds of rows, and the columns of one"),
            ("tidegate journal ls run1", "the logs of a run: list, check, export"),
            ("tidegate why run1 1/momentum/12", "the whole story of an order"),
            ("tidegate at run1 14:30:00", "a run as it stood at an instant"),
        ],
    ),
    (
        "Trade",
        &[
            ("tidegate validate desk.toml", "every fault of a configuration at once"),
            ("tidegate graph desk.toml", "its threads, cores, rings, venues"),
            ("tidegate run desk.toml", "the service: journalled, restartable"),
            ("tidegate ctl run1 status", "its state; halt, resume, limits"),
            ("tidegate get run1 AAPL/top", "last values by key: quotes, trades, bars"),
            ("tidegate snapshot --journal run1", "saved state, for a faster restart"),
            ("tidegate reset desk.toml", "databases, caches, positions: begun anew"),
            ("tidegate sink questdb --journal run1", "what happens, as rows in a database"),
            ("tidegate questdb up", "a QuestDB server, for the rows of a run"),
        ],
    ),
];

/// What Tidegate is for, the commands, then how to ask for more, and the exit codes.
pub(crate) fn screen() -> String {
    let mut text = format!("{ABOUT}\n");
    for (purpose, commands) in COMMANDS {
        if !purpose.is_empty() {
            let _ = writeln!(text, "{purpose}");
        }
        for (example, about) in *commands {
            let _ = writeln!(text, "  {example:34} {about}");
        }
    }
    text + "Usage: tidegate COMMAND --help. Exit codes: 0 done, 1 failed, 2 usage, 3 check.\n"
}
