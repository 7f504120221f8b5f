//! What a run holds while it goes on for long: memory, descriptors, threads, processor, disk.
//!
//! A made-up day passes in the time given, its messages at the same distance from each other, and a journal is begun every
//! half hour of that day while the oldest are removed. Read from `/proc` and from the folder, beside what the run says of itself.
//! The first fifth is left out of the verdict: tables are still being filled there.

use crate::held::{Held, free_port, told};
use rustix::process::Signal;
use std::time::{Duration, Instant};
use tidegate_tests::rig::Service;

/// From the first message to the last, in seconds of the made-up day.
const DAY_S: u64 = 17 * 3600;
const SYMBOLS: u32 = 100;
/// Rows of the table.
const ROWS: u64 = 30;

pub(crate) fn measure(seconds: u64, rate: u64) {
    let port = free_port();
    let halves: Vec<_> = (0..48).map(|n| format!("{:02}:{:02}", n / 2, n % 2 * 30)).collect();
    let service = Service::paper_evenly(rate * seconds, SYMBOLS)
        .with("pipeline.stages=book,bars,cvd,imbalance,vpin,random,orders,risk,router")
        // An order a second: what a run keeps of its fills is no part of this.
        .with(format!("random.every={rate}"))
        .with("journal.segment_records=262144")
        .with("journal.keep_mb=1024")
        .with(format!("journal.roll={} America/New_York", halves.join(" ")))
        .with(format!("metrics.listen=127.0.0.1:{port}"));
    println!(
        "{rate} inputs a second for {seconds} s, {SYMBOLS} symbols; a roll every {} s, 1,024 MiB of closed journals kept",
        seconds / 34
    );
    println!("     s  inputs/s  own MiB  log MiB   fds  threads  CPU %  disk MiB");
    let mut life = service.start(&format!("{}x", DAY_S as f64 / seconds as f64));
    life.until("its first message", || service.listens() && told(port, "tidegate_ready") == 1.0);
    let began = Instant::now();
    let mut held = vec![Held::now(&life, port, &service.journal())];
    // The day may be over a moment before its time.
    for row in 1..ROWS {
        std::thread::sleep(
            (began + Duration::from_secs(seconds) * row as u32 / ROWS as u32).saturating_duration_since(Instant::now()),
        );
        assert!(life.runs(), "it ended:\n{}", life.said());
        held.push(Held::now(&life, port, &service.journal()));
        print(began, &held[row as usize - 1..]);
    }
    let status = life.stop(Signal::TERM).0;
    let verified = service.about(&["journal", "verify"]);
    let settled = &held[ROWS as usize / 5..];
    let span = |of: fn(&Held) -> f64| {
        let all = || settled.iter().map(of);
        (all().fold(f64::INFINITY, f64::min), all().fold(0.0, f64::max))
    };
    let (low, high) = span(|held| held.memory[0]);
    println!("own memory {low:.1} to {high:.1} MiB (middle ± {:.1} %)", 100.0 * (high - low) / (high + low));
    let (low, high) = span(|held| held.memory[1]);
    println!("log memory {low:.1} to {high:.1} MiB");
    let ((few, many), (_, disk)) = (span(|held| held.descriptors as f64), span(|held| held.disk));
    println!("descriptors {few} to {many}, disk at most {disk:.0} MiB");
    println!("stopped: {status}; verify: exit {:?}", verified.code);
}

/// The row of the second of two moments.
fn print(began: Instant, held: &[Held]) {
    let [before, now] = held else { unreachable!("two moments") };
    let took = (now.at - before.at).as_secs_f64();
    let rate = (now.inputs - before.inputs) / took;
    let cpu = 100.0 * now.cpu.saturating_sub(before.cpu).as_secs_f64() / took;
    let (seconds, [own, shared]) = ((now.at - began).as_secs(), now.memory);
    let Held { descriptors, threads, disk, .. } = now;
    println!("{seconds:>6} {rate:>9.0} {own:>8.1} {shared:>8.1} {descriptors:>5} {threads:>8} {cpu:>6.1} {disk:>9.0}");
}
