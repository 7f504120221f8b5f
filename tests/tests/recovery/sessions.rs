//! A week that crosses trade dates, killed and gone on with: sessions, the ticks behind them and what these made are as if nobody
//! had disturbed it.

use super::going_on::events;
use super::week::File;
use flow::records::{Cancelled, Session, Tick};
use flow::{CancelReason, Event};
use sinks::journal::JournalReader;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;
use tidegate_tests::{amount, run, tidegate};

/// The stages, what the strategy may do, and the week.
fn configuration() -> String {
    let files = [File::definition(), File::week()];
    let inputs = files.map(|file| format!("[[input]]\nfeed = \"dbn\"\nfiles = [\"{}\"]\n", file.display()));
    let small = "max_orders = 65536\nmax_levels = 65536\nmax_books = 64\n";
    format!(
        "[pipeline]\nstages = [\"book\", \"bars\", \"cvd\", \"random\", \"orders\", \"risk\", \"router\"]\n\
         [book]\n{small}[sim]\n{small}max_own_orders = 4096\n[bars]\nintervals = [\"1m\", \"1d\"]\n\
         [random]\nseed = 7\nevery = 1\nmax_open = 64\nqty = 2\n[risk]\nmax_data_age_ms = 86400000\n\
         max_notional = 1000000000\nmax_quantity = 1000\nmax_position = 100000\n{}",
        inputs.concat()
    )
}

fn logs(journal: &Path) -> [Vec<Event>; 2] {
    let reader = JournalReader::open(journal).expect("a journal");
    [events(reader.inputs()), events(reader.outcomes())]
}

/// Runs the week into a journal; `Some` = for so long, then it is killed. Whether it came to its end.
fn ran(config: &Path, journal: &Path, killed_after: Option<Duration>) -> bool {
    let mut command = Command::new(tidegate());
    command.arg("run").arg(config).arg("--journal").arg(journal).args([
        "--speed",
        "200000x",
        "--set",
        "journal.roll=never",
    ]);
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("tidegate starts");
    if let Some(after) = killed_after {
        std::thread::sleep(after);
        child.kill().expect("a child");
    }
    child.wait().expect("a child").success()
}

#[test]
fn a_week_of_trade_dates_that_is_killed_is_the_week_that_nobody_disturbed() {
    let folder = tempfile::tempdir().expect("a folder");
    let config = folder.path().join("week.toml");
    std::fs::write(&config, configuration()).expect("writable");
    let whole = folder.path().join("whole");
    assert!(ran(&config, &whole, None));
    let [inputs, outcomes] = logs(&whole);
    let sessions = inputs.iter().filter(|e| e.get::<Session>().is_some()).count();
    let sweeps = inputs.iter().filter(|e| e.get::<Tick>().is_some_and(|tick| tick.interval_s == Tick::CLOSE)).count();
    let ended = |e: &&Event| e.get::<Cancelled>().is_some_and(|c| c.reason == CancelReason::EndOfDay.code());
    let ended = inputs.iter().filter(ended).count();
    assert!(sessions == 12 && sweeps >= 11 && ended > 0, "{sessions} sessions, {sweeps} sweeps, {ended} orders");
    let mut kills = 0;
    for round in 0..amount(3, 20) {
        let journal = folder.path().join(format!("round-{round}"));
        for step in 0.. {
            let after = Duration::from_millis(150 + (round * 131 + step * 77) % 500 + step * 20);
            if ran(&config, &journal, Some(after)) || journal.join("closed.toml").exists() {
                break;
            }
            kills += 1;
            if step % 3 == 1 && journal.join("journal.toml").exists() {
                run(["snapshot".as_ref(), "--journal".as_ref(), journal.as_os_str()]).expect(0);
            }
        }
        let [ours, caused] = logs(&journal);
        assert!(inputs == ours, "round {round}: other inputs: {} and {}", inputs.len(), ours.len());
        assert!(outcomes == caused, "round {round}: other outcomes: {} and {}", outcomes.len(), caused.len());
    }
    assert!(kills > 5, "{kills} kills in the middle");
}
