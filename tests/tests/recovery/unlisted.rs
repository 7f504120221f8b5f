//! Instruments that no listing told: a number that no listing has is unknown to a replay as it was to the run, and costs
//! no memory.

use flow::records::{Fill, Listing, Name, Tick};
use flow::{Event, EventId, Flags, Ns, Qty, Record, SOURCE_RETURNS, Side, Sink as _};
use serde_json::Value;
use sinks::journal::{Journal, JournalSpec};
use std::path::Path;
use std::process::Command;
use tidegate::config::Settings;
use tidegate_tests::{Outcome, Scratch, tidegate};

const NUMBER: u32 = u32::MAX;

/// Trades at a venue outside the process, with every stage that has a table of instruments.
const CONFIG: &str = "[pipeline]\nstages = [\"book\", \"bars\", \"cvd\", \"vpin\", \"random\", \"orders\", \"risk\", \"router\"]\n\
                      clock = \"wall\"\n[router]\nvenue = \"wire\"\n[book]\nmax_orders = 64\nmax_levels = 64\n\
                      [[input]]\nfeed = \"synthetic\"\n";

fn event<R: Record>(seq: u64, instrument: u32, source: u8, record: &R) -> Event {
    let mut event = Event::new(Ns(seq * 1_000), instrument, Flags::side_only(Side::Buy), record);
    (event.id, event.source) = (EventId::new(seq, 0, 0), source);
    event
}

/// A journal of a run with two instruments, one of them listed, whose third input is `strange`.
fn journal(strange: Event) -> Scratch {
    let folder = Scratch::new();
    let text = Settings::parse(CONFIG, Path::new("desk.toml")).expect("valid").to_toml();
    let mut spec = JournalSpec::new(tidegate::build_id(), text);
    (spec.segment_records, spec.instruments) = (64, 2);
    let (mut inputs, mut outcomes) = Journal::create(&folder.path().join("run"), &spec).expect("a journal");
    let mut name = Name { parts: 1, len: 4, ..Name::default() };
    name.text[..4].copy_from_slice(b"ABCD");
    let events = [event(1, 1, 1, &name), event(2, 1, 1, &Listing::default()), strange];
    for event in events {
        inputs.append(&event).expect("there is room");
        outcomes.finished(event.id.seq()).expect("outcomes never fail");
    }
    outcomes.close().expect("it closes");
    inputs.close().expect("it closes");
    folder
}

/// Runs a command in an address space of two gigabytes.
fn bounded(arguments: &[&str], dir: &Path) -> Outcome {
    let mut command = Command::new("sh");
    command.args(["-c", "ulimit -v 2000000; exec \"$@\"", "sh"]).arg(tidegate()).args(arguments).arg(dir);
    let output = command.output().expect("it starts");
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
    Outcome { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
}

#[test]
fn an_instrument_without_a_listing_costs_nothing_to_replay() {
    let fill = Fill { qty: Qty(1), px: flow::Px(1_000_000_000), match_id: 1, ..Fill::default() };
    let strange = [
        event(3, NUMBER, SOURCE_RETURNS, &fill),
        event(3, NUMBER, 1, &Listing::default()),
        event(3, NUMBER - 1, 1, &Name { parts: 1, ..Name::default() }),
    ];
    for strange in strange {
        let folder = journal(strange);
        let dir = folder.path().join("run");
        let replayed = bounded(&["replay", "--verify", "--json", "--journal"], &dir).expect(0);
        let report: Value = serde_json::from_str(&replayed.stdout).expect("one JSON object");
        assert_eq!(report["events"], 3, "{report}");
        bounded(&["snapshot", "--journal"], &dir).expect(0);
    }
}

#[test]
fn a_tick_over_all_numbers_ends() {
    let folder = journal(event(3, 0, 0, &Tick { first: 0, last: NUMBER, interval_s: 60, ..Tick::default() }));
    bounded(&["replay", "--verify", "--journal"], &folder.path().join("run")).expect(0);
}
