//! Measures how long an append takes, and how late it completes when events arrive at a fixed rate.
//!
//! `cargo run --release -p tidegate-sinks --example journal_lateness -- DIR [EVENTS_PER_S] [SECONDS]`. Closed loop:
//! inputs as fast as possible, then each with one outcome. Open loop: every input has a due time, whether or not the
//! previous one is done, so a stall counts against every input that it delays; a plain store in the same loop shows the
//! host's share.

use flow::records::Add;
use flow::{Event, EventId, Flags, Ns, Sink};
use sinks::journal::{Journal, JournalSpec, verify};
use std::path::Path;
use std::time::Instant;

fn event(seq: u64, position: u8) -> Event {
    let mut event = Event::new(Ns(seq), 1, Flags::NONE, &Add::default());
    event.id = EventId::new(seq, position, 0);
    event
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let args: Vec<String> = std::env::args().collect();
    let dir = args.get(1).ok_or("name a folder that does not exist yet")?;
    let number = |n: usize, default: u64| args.get(n).map_or(Ok(default), |a| a.parse());
    let (rate, seconds) = (number(2, 1_000_000)?, number(3, 5)?);
    let spec = JournalSpec::new("bench", "");
    closed_loop(&Path::new(dir).with_extension("closed"), &spec, 4_000_000)?;
    open_loop(&Path::new(dir).with_extension("open"), &spec, rate, rate * seconds)
}

fn closed_loop(dir: &Path, spec: &JournalSpec, count: u64) -> Result<(), Box<dyn std::error::Error>> {
    let (mut inputs, mut outcomes) = Journal::create(dir, spec)?;
    let within = spec.segment_records - 1;
    let start = Instant::now();
    for seq in 1..=within {
        inputs.append(&event(seq, 0))?;
    }
    let first = start.elapsed().as_nanos() as f64 / within as f64;
    let start = Instant::now();
    for seq in within + 1..=count {
        while !inputs.ready()? {
            std::thread::yield_now();
        }
        inputs.append(&event(seq, 0))?;
        outcomes.take(&event(seq, 1))?;
        outcomes.finished(seq)?;
    }
    let both = start.elapsed().as_nanos() as f64 / (count - within) as f64;
    println!(
        "closed loop: {first:.1} ns an input within a segment; {both:.1} ns an input and an outcome over {count}, {} waits, {} outcomes left out",
        inputs.stalls(),
        outcomes.lost()
    );
    let start = Instant::now();
    Journal::close(inputs, outcomes)?;
    println!("close: {:.0} ms", start.elapsed().as_secs_f64() * 1e3);
    let start = Instant::now();
    let verified = verify(dir, 1)?;
    let records = verified.inputs.records + verified.outcomes.records;
    println!(
        "verify: {:.1} ns a record, intact: {}",
        start.elapsed().as_nanos() as f64 / records as f64,
        verified.is_intact()
    );
    Ok(())
}

fn open_loop(dir: &Path, spec: &JournalSpec, rate: u64, count: u64) -> Result<(), Box<dyn std::error::Error>> {
    let mut plain = vec![event(1, 0); 1 << 16];
    let late = paced(rate, count, |event| plain[event.id.seq() as usize & 0xffff] = *event);
    println!("open loop at {rate}/s, {count} events, lateness ns of a plain store: {late}");
    let (mut inputs, outcomes) = Journal::create(dir, spec)?;
    let late = paced(rate, count, |event| inputs.append(event).expect("there is room"));
    println!("of an append: {late}, {} waits", inputs.stalls());
    Journal::close(inputs, outcomes)?;
    Ok(())
}

/// Calls at a fixed rate; returns percentiles of how late each call completed.
fn paced(rate: u64, count: u64, mut call: impl FnMut(&Event)) -> String {
    let mut late = vec![1u32; count as usize];
    let before = minor_faults();
    let start = Instant::now();
    for seq in 1..=count {
        let due = u128::from(seq) * 1_000_000_000 / u128::from(rate);
        while start.elapsed().as_nanos() < due {
            std::hint::spin_loop();
        }
        call(&event(seq, 0));
        late[seq as usize - 1] = (start.elapsed().as_nanos() - due).min(u128::from(u32::MAX)) as u32;
    }
    let faults = minor_faults() - before;
    late.sort_unstable();
    let at = |p: f64| late[((count as f64 * p) as usize).min(late.len() - 1)];
    let percentiles = [("p50", 0.5), ("p90", 0.9), ("p99", 0.99), ("p99.9", 0.999), ("p99.99", 0.9999), ("max", 1.0)];
    percentiles.map(|(name, p)| format!("{name} {}", at(p))).join(" ") + &format!("; {faults} page faults")
}

fn minor_faults() -> u64 {
    let stat = std::fs::read_to_string("/proc/thread-self/stat").unwrap_or_default();
    let fields = stat.rsplit(')').next().unwrap_or_default();
    fields.split(' ').nth(8).and_then(|f| f.parse().ok()).unwrap_or(0)
}
