//! What is accepted starts: a plan knows the memory of its run, and mutants of real configurations either have faults or run.

use allocation_counter::measure;
use feeds::synthetic::{Synthetic, SyntheticConfig};
use flow::Kinds;
use std::fs::File;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use tidegate::assembly::{Blueprint, Proof, Venues};
use tidegate::config::{Draft, Settings};
use tidegate::drive::Control;
use tidegate::run::{Options, Preflight, execute};
use tidegate_tests::{amount, draw, seed};

/// Every stage, with tables of unequal sizes.
const EVERYTHING: &str = r#"
[pipeline]
stages = ["book", "bars", "cvd", "imbalance", "vpin", "momentum", "buy-and-hold", "random", "orders", "risk", "router"]
preset = "cuts"
cuts = ["cvd", "orders"]
ring_capacity = 1024
max_fills = 30000
[book]
max_orders = 70000
max_levels = 30000
max_books = 2000
[vpin]
mode = "bulk"
window = 20
[orders]
max_orders = 20000
max_in_flight = 5000

"#;

fn settings(text: &str) -> Settings {
    Settings::parse(text, Path::new("desk.toml")).unwrap_or_else(|faults| panic!("{faults}"))
}

#[test]
fn a_plan_takes_no_tables_and_knows_what_its_run_takes() {
    for (text, instruments) in [(EVERYTHING, 5_000), (EVERYTHING, 65_536), ("", 65_536)] {
        let (settings, control) = (settings(text), Control::default());
        let mut need = None;
        let planned = measure(|| need = Proof::of(&settings, instruments, Kinds::NONE).ok().map(|proof| proof.need));
        let need = need.expect("it is valid");
        assert!(planned.bytes_max < 1 << 20, "{planned:?}");
        let mut assembly = None;
        let built = measure(|| {
            let blueprint = Blueprint::new(&settings, Vec::new(), instruments, &control).expect("it is valid");
            assembly = blueprint.merged(Vec::new(), None, Vec::new(), Venues::Live).ok();
        });
        assert!(assembly.is_some());
        let (told, took) = (need.tables + need.rings, built.bytes_current as u64);
        assert!(took.abs_diff(told) < took / 50 + (1 << 20), "{told} bytes were told and {took} taken");
    }
}

/// Configurations as users write them, with small tables; `DAY` is a file.
const REAL: [&str; 3] = [
    r#"
[pipeline]
stages = ["book", "bars"]
preset = "fused"
ring = "phase"
ring_capacity = 256
batch = 64
idle = "auto"
max_fills = 64
[outcomes]
kinds = ["all", "-level"]
[book]
max_orders = 4096
max_levels = 1024
max_books = 64
[bars]
intervals = ["5s", "1m"]
[[input]]
feed = "itch"
files = ["DAY"]
date = "2020-01-30"
"#,
    r#"
[pipeline]
stages = ["book", "bars", "cvd", "imbalance", "vpin", "momentum", "orders", "risk", "router"]
preset = "split"
ring = "disruptor"
ring_capacity = 512
idle = "yield"
max_returns = 1024
max_fills = 128
sample_every = 16
cores = []
clock = "event"
[book]
max_orders = 4096
max_levels = 2048
max_books = 64
[vpin]
bucket_qty = 1000
window = 10
mode = "exact"
[momentum]
symbols = ["AAPL"]
qty = 100
[orders]
max_orders = 256
max_in_flight = 64
[risk]
max_quantity = 1000
max_notional = 250000
collar_bps = 500
max_position = 5000
[sim]
order_latency_ns = 50000
reply_latency_ns = 50000
[journal]
segment_records = 64
sync_ms = 250
[[input]]
feed = "synthetic"
messages = 20000
symbols = 8
live_orders = 100
seed = 3
"#,
    r#"
[pipeline]
stages = ["book", "random", "orders", "risk", "router"]
preset = "cuts"
cuts = ["orders", "tail"]
ring_capacity = 128
clock = "wall"
max_fills = 64
[book]
max_orders = 4096
max_levels = 1024
max_books = 64
[random]
every = 16
[risk]
max_quantity = 100
max_notional = 100000
max_position = 1000
[[input]]
feed = "synthetic"
messages = 5000
symbols = 4
live_orders = 40
[[input]]
feed = "itch"
files = ["DAY"]
"#,
];

const NUMBERS: [&str; 12] =
    ["0", "1", "-1", "2", "63", "128", "1000", "65536", "4194304", "18446744073709551615", "1e400", "nan"];
const WORDS: [&str; 14] = [
    "",
    "all",
    "book",
    "bars",
    "cuts",
    "split",
    "fused",
    "spin",
    "hint",
    "event",
    "wall",
    "synthetic",
    "itch",
    "lobster",
];

/// A text with a change, or two.
fn mutant(text: &str, random: &mut u64) -> String {
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    for _ in 0..=draw(random, 4) / 3 {
        let (at, other) = (draw(random, lines.len() as u64) as usize, draw(random, lines.len() as u64) as usize);
        let line = lines[at].clone();
        let value = line.find('=').map_or(line.len(), |equals| equals + 1);
        let quoted: Vec<usize> = line.match_indices('"').map(|(quote, _)| quote).collect();
        match draw(random, 7) {
            0 => drop(lines.remove(at)),
            1 => lines.insert(other, line),
            2 => lines.swap(at, other),
            3 => lines[at].truncate(draw(random, line.len() as u64 + 1) as usize),
            4 if quoted.len() >= 2 => {
                let pair = 2 * draw(random, quoted.len() as u64 / 2) as usize;
                let word = WORDS[draw(random, WORDS.len() as u64) as usize];
                lines[at].replace_range(quoted[pair] + 1..quoted[pair + 1], word);
            }
            5 if !line.is_empty() => {
                let letter = draw(random, line.len() as u64) as usize;
                lines[at].replace_range(letter..=letter, &char::from(32 + draw(random, 95) as u8).to_string());
            }
            _ => {
                lines[at].replace_range(value.., &format!(" {}", NUMBERS[draw(random, NUMBERS.len() as u64) as usize]))
            }
        }
        if lines.is_empty() {
            break;
        }
    }
    lines.join("\n")
}

/// Starts a run and ends it after its first inputs. Returns how many there were.
fn started(settings: &Settings) -> Result<u64, String> {
    let (control, begun) = (Control::default(), Instant::now());
    let options = Options { control: control.clone(), ..Options::default() };
    let over = AtomicBool::new(false);
    let ended = std::thread::scope(|scope| {
        scope.spawn(|| {
            let runs = || !over.load(Ordering::Relaxed) && begun.elapsed() < Duration::from_secs(30);
            while control.admitted.load(Ordering::Relaxed) == 0 && runs() {
                std::thread::sleep(Duration::from_millis(1));
            }
            control.stop.store(true, Ordering::Relaxed);
        });
        let ended = execute(settings, options);
        over.store(true, Ordering::Relaxed);
        ended
    });
    ended.map(|(report, _)| report.events).map_err(|e| e.to_string())
}

#[test]
fn what_is_accepted_starts() {
    /// Larger runs are left out: what they need is compared with what the system gives.
    const LARGE: u64 = 512 << 20;
    let mut random = seed();
    let folder = tempfile::tempdir().expect("a folder");
    let day = folder.path().join("day.itch");
    let config = SyntheticConfig { messages: 2_000, symbols: 4, live_orders: 40, ..SyntheticConfig::default() };
    let file = File::create(&day).expect("writable");
    Synthetic::new(&config).expect("valid").write_to(file, |_| ()).expect("written");
    let (mut accepted, mut large) = (0, 0);
    let count = amount(300, 10_000);
    for number in 0..count {
        let text = REAL[draw(&mut random, REAL.len() as u64) as usize].replace("DAY", &day.display().to_string());
        let text = mutant(&text, &mut random);
        let path = folder.path().join("desk.toml");
        let looked_at = catch_unwind(|| Preflight::of_draft(Draft::parse(&text, &path)));
        let Ok((mut settings, found)) = looked_at.unwrap_or_else(|_| panic!("looking at it panics:\n{text}")) else {
            continue;
        };
        if found.need.total() > LARGE {
            large += 1;
            continue;
        }
        accepted += 1;
        settings.journal_dir = (number % 8 == 0).then(|| folder.path().join(format!("run{number}")));
        let inputs = catch_unwind(AssertUnwindSafe(|| started(&settings)));
        let inputs = inputs.unwrap_or_else(|_| panic!("it panics:\n{text}"));
        assert!(inputs.as_ref().is_ok_and(|inputs| *inputs > 0), "it does not start: {inputs:?}\n{text}");
    }
    println!("{accepted} of {count} were accepted and started, {large} more were too large to try");
    assert!(accepted > count / 20, "too few mutants are valid");
}
