//! The first help screen: what Tidegate is for, and its commands by purpose, each with an example that runs as pasted.

use std::fmt::Write as _;

/// What Tidegate is for.
pub(crate) const ABOUT: &str = "Books, bars, order flow and risk-checked orders: replayed, on paper, or live.";

/// Columns of the examples; those of a row that has longer ones take what they need.
const WIDTH: usize = 34;

/// A row: examples that run as pasted, and what they do.
type Row = (&'static [&'static str], &'static str);

/// The commands by purpose; two that belong together share a row. The first group stands below what Tidegate is for.
pub(crate) const COMMANDS: &[(&str, &[Row])] = &[
    (
        "",
        &[
            (&["tidegate demo", "tidegate synth --out day.itch"], "a made-up exchange; its day"),
            (&["tidegate bench hop", "tidegate doctor"], "latency here; what costs it, what helps"),
            (&["tidegate schema book-top"], "kinds of rows, and the columns of one"),
        ],
    ),
    (
        "Data",
        &[
            (&["tidegate replay --input day.itch"], "files or a journal: rows and summary"),
            (&["tidegate plot es.dbn --out es.html"], "a day as a page: footprints, profile, story"),
            (&["tidegate pack day.itch"], "a day by instrument, for faster replays"),
            (&["tidegate discover --input day.itch"], "usual values, learned, to include"),
            (&["tidegate fetch alpaca --symbols SPY --from 2026-11-02"], "the past, to replay"),
            (&["tidegate feed test desk.toml"], "what comes in, how late, what is wrong"),
            (&["tidegate fake alpaca"], "a venue to try feeds with, no account"),
        ],
    ),
    (
        "Trade",
        &[
            (&["tidegate validate desk.toml", "tidegate graph desk.toml"], "its faults; its threads"),
            (&["tidegate run desk.toml"], "the service: journalled, restartable"),
            (&["tidegate ctl run1 status"], "its state; halt, resume, limits"),
            (&["tidegate get run1 AAPL/top"], "last values by key: quotes, trades, bars"),
            (&["tidegate journal ls run1"], "the logs of a run: list, check, export"),
            (&["tidegate why run1 1/momentum/12"], "the whole story of an order"),
            (&["tidegate at run1 14:30:00"], "a run as it stood at an instant"),
            (&["tidegate snapshot --journal run1"], "saved state, for a faster restart"),
            (&["tidegate reset desk.toml"], "databases, caches, positions, begun anew"),
            (&["tidegate questdb up", "tidegate sink questdb --journal run1"], "rows in a database"),
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
        for (examples, about) in *commands {
            let examples = examples.join("; ");
            let gap = if examples.len() > WIDTH { "  " } else { " " };
            let _ = writeln!(text, "  {examples:WIDTH$}{gap}{about}");
        }
    }
    text + "Usage: tidegate COMMAND --help. Exit codes: 0 done, 1 failed, 2 usage, 3 check.\n"
}
