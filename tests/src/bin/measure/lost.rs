//! What a run holds whose live feed loses its connection again and again: memory, descriptors, threads.
//!
//! The venue is the fake of Alpaca in this process, on a socket, and hangs up at even distances; the run is read from outside. The
//! first fifth is left out of the verdict: tables are still being filled there. In the journal every loss is one `gap`.

use crate::held::{Held, free_port, told};
use feeds::alpaca::fake::{Fake, Market, Settings};
use feeds::live::arrival;
use flow::Kind;
use rustix::process::Signal;
use sinks::journal::JournalReader;
use std::time::{Duration, Instant};
use tidegate_tests::rig::Service;

const SYMBOLS: [&str; 10] = ["AAPL", "AMD", "AMZN", "GOOG", "META", "MSFT", "NVDA", "QQQ", "SPY", "TSLA"];
/// Messages a second.
const RATE: u64 = 1_000;
/// Rows of the table.
const ROWS: u64 = 30;

fn service(fake: &Fake, port: u16) -> Service {
    let config = format!(
        "[pipeline]\nclock = \"wall\"\n[[input]]\nfeed = \"alpaca\"\naddress = \"ws://{}\"\nkey = \"env:FAKE_KEY\"\n\
         secret = \"env:FAKE_SECRET\"\nwatch = {SYMBOLS:?}\n",
        fake.address()
    );
    Service::new(config)
        .with_variable("FAKE_KEY", Some("fake-key"))
        .with_variable("FAKE_SECRET", Some("fake-secret"))
        // The trades that are remembered for broken ones: full within the first fifth, so that they do not look like growth.
        .with("book.max_prints=16384")
        .with("bars.max_prints=16384")
        .with(format!("metrics.listen=127.0.0.1:{port}"))
}

pub(crate) fn measure(seconds: u64, losses: u64) {
    let fake = Fake::start(0, Settings::default()).expect("a port");
    let port = free_port();
    let service = service(&fake, port);
    println!("{RATE} messages a second for {seconds} s of {} symbols; {losses} connections are lost", SYMBOLS.len());
    println!("     s  losses  messages  own MiB  log MiB   fds  threads");
    let mut life = service.start("max");
    life.until("its first message", || service.listens() && told(port, "tidegate_ready") == 1.0);
    let (began, whole) = (Instant::now(), Duration::from_secs(seconds));
    let (mut market, mut sent, mut lost) = (Market::new(&SYMBOLS, 3), 0, 0);
    let mut held = Vec::new();
    while began.elapsed() < whole {
        let passed = began.elapsed().as_secs_f64() / seconds as f64;
        while sent < (passed * (RATE * seconds) as f64) as u64 {
            fake.publish(market.next(arrival()));
            sent += 1;
        }
        // In the middle of each of so many equal parts.
        if (lost as f64 + 0.5) / (losses as f64) < passed {
            fake.hang_up();
            lost += 1;
        }
        if held.len() as f64 / (ROWS as f64) < passed {
            assert!(life.runs(), "it ended:\n{}", life.said());
            held.push(Held::now(&life, port, &service.journal()));
            print(began, lost, held.last().expect("it was just put there"));
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    let status = life.stop(Signal::TERM).0;
    let settled = &held[held.len() / 5..];
    let span = |of: fn(&Held) -> f64| {
        let all = || settled.iter().map(of);
        (all().fold(f64::INFINITY, f64::min), all().fold(0.0, f64::max))
    };
    let (low, high) = span(|held| held.memory[0]);
    println!("own memory {low:.1} to {high:.1} MiB (middle ± {:.1} %)", 100.0 * (high - low) / (high + low));
    let ((few, many), (least, most)) = (span(|held| held.descriptors as f64), span(|held| held.threads as f64));
    println!("descriptors {few} to {many}, threads {least} to {most}");
    let inputs = JournalReader::open(&service.journal()).expect("a journal").inputs().map_while(Result::ok);
    let gaps = inputs.filter(|input| input.kind == Kind::Gap).count();
    println!("{gaps} gaps; stopped: {status}; verify: exit {:?}", service.about(&["journal", "verify"]).code);
}

fn print(began: Instant, lost: u64, now: &Held) {
    let (seconds, [own, log]) = ((now.at - began).as_secs(), now.memory);
    let Held { inputs, descriptors, threads, .. } = now;
    println!("{seconds:>6} {lost:>7} {inputs:>9} {own:>8.1} {log:>8.1} {descriptors:>5} {threads:>8}");
}
