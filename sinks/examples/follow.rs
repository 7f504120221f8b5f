//! Measures how long after its append a reader in another process has an event.
//!
//! `cargo run --release -p tidegate-sinks --example follow [EVENTS A SECOND] [SECONDS] [READERS]`: one process writes inputs with an
//! outcome each at that rate, up to three others follow it: one that looks without a pause, one that pauses for a millisecond as
//! `tidegate journal follow` does, and one that wants outcomes alone. Each checks that it has every event once and in order,
//! and prints its distribution. Bound: eight bytes an event in each reader.

use flow::records::{Add, Trade};
use flow::{Event, EventId, Flags, Kinds, Ns, Record, Sink};
use sinks::journal::{Follow, Followed, Journal, JournalSpec};
use std::error::Error;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// What a reader does at the end of what is there, and what it wants.
const READERS: [(&str, u64, bool); 3] =
    [("no pause", 0, true), ("pause 1 ms", 1_000, true), ("no pause, outcomes alone", 0, false)];

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_nanos() as u64)
}

fn main() -> Result<(), Box<dyn Error>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let number = |at: usize, default: u64| words.get(at).and_then(|word| word.parse().ok()).unwrap_or(default);
    match words.first().map(String::as_str) {
        Some("read") => read(Path::new(&words[1]), number(2, 0) as usize, number(3, 0)),
        _ => write(number(0, 500_000), number(1, 5), number(2, 3) as usize),
    }
}

/// Writes at a steady rate; two events an input.
fn write(rate: u64, seconds: u64, readers: usize) -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let dir = folder.path().join("journal");
    let (mut inputs, mut outcomes) = Journal::create(&dir, &JournalSpec::new("measure", ""))?;
    let last = rate * seconds / 2;
    let me = std::env::current_exe()?;
    let readers = (0..readers.min(READERS.len()))
        .map(|which| Command::new(&me).arg("read").arg(&dir).arg(which.to_string()).arg(last.to_string()).spawn());
    let readers = readers.collect::<Result<Vec<_>, _>>()?;
    std::thread::sleep(Duration::from_millis(300));
    let began = now();
    for seq in 1..=last {
        while now() < began + seq * 2 * Ns::SECOND / rate {
            std::hint::spin_loop();
        }
        while !inputs.ready()? {
            std::hint::spin_loop();
        }
        let mut event = Event::new(Ns(now()), 0, Flags::LAST_OF_GROUP, &Add::default());
        event.id = EventId::new(seq, 0, 0);
        inputs.append(&event)?;
        let mut event = Event::new(Ns(now()), 0, Flags::NONE, &Trade::default());
        event.id = EventId::new(seq, 3, 0);
        outcomes.take(&event)?;
        outcomes.finished(seq)?;
    }
    let took = (now() - began) as f64 / Ns::SECOND as f64;
    println!("{} events in {took:.2} s: {:.0} a second", 2 * last, 2.0 * last as f64 / took);
    for mut reader in readers {
        assert!(reader.wait()?.success(), "a reader failed");
    }
    Journal::close(inputs, outcomes)?;
    Ok(())
}

/// Reads to the end, and prints how old each event was.
fn read(dir: &Path, which: usize, last: u64) -> Result<(), Box<dyn Error>> {
    let (name, pause_us, has_inputs) = READERS[which];
    let kinds = if has_inputs { Kinds::ALL } else { Kinds::of(&[Trade::KIND]) };
    let mut follow = Follow::open(dir, kinds)?;
    let each = kinds.has(Add::KIND) as u64 + 1;
    let mut ages = Vec::with_capacity((last * each) as usize);
    while (ages.len() as u64) < last * each {
        match follow.next().transpose()? {
            Some(Followed::Event(event)) => {
                ages.push(now().saturating_sub(event.ts.0));
                let (seq, is_outcome) = (event.id.seq(), event.id.position() > 0);
                let place = (seq - 1) * each + u64::from(is_outcome && has_inputs);
                assert!(place + 1 == ages.len() as u64, "{name}: event {} came as number {}", event.id, ages.len());
            }
            Some(Followed::Gap(gap)) => return Err(gap.to_string().into()),
            None if pause_us > 0 => std::thread::sleep(Duration::from_micros(pause_us)),
            None => std::hint::spin_loop(),
        }
    }
    ages.sort_unstable();
    let at = |share: f64| ages[((ages.len() - 1) as f64 * share) as usize] as f64 / 1e3;
    let [p50, p99, p999, max] = [0.5, 0.99, 0.999, 1.0].map(at);
    println!(
        "{name}: {} events, once and in order; p50 {p50:.1}, p99 {p99:.1}, p99.9 {p999:.1}, max {max:.1} µs",
        ages.len()
    );
    Ok(())
}
