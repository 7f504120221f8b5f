//! The journal under a steady stream: how late an append is done when a million events come every second.
//!
//! Open loop: every event has the time at which it is due, whether the one before it is stored or not, so a stall is charged
//! to all that it makes late. Lateness is from that time to the end of the append; a reading of the time stamp counter is
//! part of it. Beside the journal, in turn: `store`, the limit (64 bytes into memory that is there, under the same pacing: what
//! is left is the host's), and `BufWriter`, what one would write: a buffered file of std. Rounds are short, so that on a busy
//! machine some are quiet: the least p99.9 of a round is the nearest to what the code does.
//!
//! Of the thread that appends, after a warm-up: page faults and involuntary switches as the kernel counts them, calls of read
//! and write. Whether it makes any other system call is asked of the kernel: in a process of its own the thread appends more
//! than two segments under a filter that ends the process at the first one.

use benches::report::Report;
use benches::rounds::{Ratio, count, median, rounded};
use flow::records::Add;
use flow::{Event, EventId, Flags, Ns};
use hdrhistogram::Histogram;
use nix::sys::resource::{UsageWho, getrusage};
use quanta::Clock;
use ring::thread::{cores, spawn_pinned};
use seccompiler::{BpfProgram, SeccompAction, SeccompFilter};
use serde_json::json;
use sinks::journal::{InputLog, Journal, JournalSpec};
use std::hint::spin_loop;
use std::io::{BufWriter, Write};
use std::process::{Command, exit};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

const RATE: u64 = 1_000_000;
/// Events that warm up, twice.
const WARM: u64 = 50_000;
/// Marks the process that is the one under the filter.
const SEALED: &str = "TIDEGATE_SEALED";

fn event(seq: u64) -> Event {
    let mut event = Event::new(Ns(seq), 1, Flags::NONE, &Add::default());
    event.id = EventId::new(seq, 0, 0);
    event
}

/// What the kernel counted of this thread so far.
struct Costs {
    faults: u64,
    switches: u64,
    calls: u64,
}

impl Costs {
    fn now() -> Costs {
        let used = getrusage(UsageWho::RUSAGE_THREAD).expect("the kernel counts");
        let io = std::fs::read_to_string("/proc/thread-self/io").unwrap_or_default();
        let calls = io.lines().filter(|line| line.starts_with("sysc")).filter_map(|line| line.split(' ').nth(1));
        Costs {
            faults: (used.minor_page_faults() + used.major_page_faults()) as u64,
            switches: used.involuntary_context_switches() as u64,
            calls: calls.filter_map(|n| n.parse::<u64>().ok()).sum(),
        }
    }
}

/// What a run saw.
struct Seen {
    late: Histogram<u64>,
    costs: Costs,
}

impl Seen {
    fn new() -> Seen {
        let mut late = Histogram::<u64>::new_with_bounds(1, 100_000_000_000, 3).expect("the bounds are valid");
        // Memory that a first record would fetch is there before: every page of the counters.
        let mut ns = 1;
        while ns < 100_000_000_000 {
            late.saturating_record(ns);
            ns += ns / 64 + 1;
        }
        late.reset();
        Seen { late, costs: Costs { faults: 0, switches: 0, calls: 0 } }
    }

    fn add(&mut self, other: &Seen) {
        self.late.add(&other.late).expect("the bounds are the same");
        self.costs.faults += other.costs.faults;
        self.costs.switches += other.costs.switches;
        self.costs.calls += other.costs.calls;
    }

    fn p999(&self) -> f64 {
        self.late.value_at_quantile(0.999) as f64
    }
}

/// Appends so many events at the rate, on a core of its own; gives what it appended to back.
fn paced<T: Send + 'static>(events: u64, mut to: T, append: fn(&mut T, &Event)) -> (Seen, T) {
    let thread = spawn_pinned("appends", cores().last().copied(), move || {
        let clock = Clock::new();
        let mut seen = Seen::new();
        let ns_per_event = 1_000_000_000 / RATE;
        let one_look = Costs::now().calls;
        let one_look = Costs::now().calls - one_look;
        let mut before = Costs::now();
        let start = clock.raw();
        let now = || clock.delta_as_nanos(start, clock.raw());
        for n in 1..=2 * WARM + events {
            if n == WARM {
                // Looking takes its time: the second half of the warm-up makes it good.
                before = Costs::now();
            }
            let due = n * ns_per_event;
            while now() < due {
                spin_loop();
            }
            append(&mut to, &event(n));
            let done = now();
            if n > 2 * WARM {
                seen.late.saturating_record((done - due).max(1));
            }
        }
        let after = Costs::now();
        seen.costs = Costs {
            faults: after.faults - before.faults,
            switches: after.switches - before.switches,
            calls: after.calls - before.calls - one_look,
        };
        (seen, to)
    });
    thread.expect("the thread can be pinned").join().expect("it does not panic")
}

/// 64 bytes into memory that is there.
fn store(events: u64) -> Seen {
    let memory = vec![event(1); 1 << 16];
    paced(events, memory, |memory, event| memory[event.id.seq() as usize & 0xffff] = *event).0
}

fn journal(events: u64) -> Seen {
    let folder = tempfile::tempdir().expect("there is room for a folder");
    let spec = JournalSpec::new("bench", "");
    let (inputs, outcomes) = Journal::create(&folder.path().join("journal"), &spec).expect("there is room");
    let append = |inputs: &mut InputLog, event: &Event| inputs.append(event).expect("there is room");
    let (seen, inputs) = paced(events, inputs, append);
    Journal::close(inputs, outcomes).expect("it can be closed");
    seen
}

fn buffered(events: u64) -> Seen {
    let file = BufWriter::new(tempfile::tempfile().expect("there is room for a file"));
    paced(events, file, |file, event| file.write_all(bytemuck::bytes_of(event)).expect("there is room")).0
}

/// Appends more than two segments on a thread that may make no system call, and ends the process.
fn sealed() -> ! {
    let folder = tempfile::tempdir().expect("there is room for a folder");
    let spec = JournalSpec::new("bench", "");
    let (mut inputs, _outcomes) = Journal::create(&folder.path().join("journal"), &spec).expect("there is room");
    let events = 2 * spec.segment_records + spec.segment_records / 2;
    let done = Arc::new(AtomicBool::new(false));
    let here = Arc::clone(&done);
    std::thread::spawn(move || {
        let arch = std::env::consts::ARCH.try_into().expect("an architecture that filters are written for");
        let kill = SeccompFilter::new(Default::default(), SeccompAction::KillProcess, SeccompAction::Allow, arch);
        let program: BpfProgram = kill.and_then(TryInto::try_into).expect("a filter without rules");
        let clock = Clock::new();
        seccompiler::apply_filter(&program).expect("the kernel filters system calls");
        let start = clock.raw();
        for n in 1..=events {
            while clock.delta_as_nanos(start, clock.raw()) < n * 1_000_000_000 / RATE {
                spin_loop();
            }
            inputs.append(&event(n)).expect("there is room");
        }
        here.store(true, Ordering::Release);
        // It cannot end without a system call either.
        loop {
            spin_loop();
        }
    });
    while !done.load(Ordering::Acquire) {
        std::thread::sleep(Duration::from_millis(5));
    }
    drop(folder);
    exit(0)
}

/// Whether the filter let the thread append to the end.
fn makes_no_system_call() -> bool {
    let this = std::env::current_exe().expect("a running binary has a path");
    Command::new(this).env(SEALED, "1").status().expect("it is running, so it runs again").success()
}

type Named = (&'static str, fn(u64) -> Seen);

const CONTENDERS: [Named; 3] = [("tidegate", journal), ("store", store), ("BufWriter", buffered)];

fn main() {
    if std::env::var_os(SEALED).is_some() {
        sealed();
    }
    let mut report = Report::new("journal");
    let (rounds, events) = (count(21), if count(2) > 1 { RATE / 2 } else { RATE / 10 });
    let mut all: [Seen; 3] = std::array::from_fn(|_| Seen::new());
    let mut p999 = [const { Vec::new() }; 3];
    for round in 0..rounds {
        for turn in 0..CONTENDERS.len() {
            let which = (round + turn) % CONTENDERS.len();
            let seen = CONTENDERS[which].1(events);
            p999[which].push(seen.p999());
            all[which].add(&seen);
        }
    }
    for (((name, _), seen), own) in CONTENDERS.iter().zip(&all).zip(&p999) {
        let ratio = Ratio::of(own, &p999[1]);
        let at = |q| seen.late.value_at_quantile(q);
        report.row(json!({
            "group": "late at 1 M/s", "name": name, "rounds": rounds, "events": seen.late.len(),
            "p50_ns": at(0.5), "p90_ns": at(0.9), "p99_ns": at(0.99), "p999_ns": at(0.999), "p9999_ns": at(0.9999),
            "max_ns": seen.late.max(), "median_p999_ns": rounded(median(own)),
            "least_p999_ns": own.iter().copied().fold(f64::INFINITY, f64::min),
            "p999_ratio": rounded(ratio.median), "p999_ratio_low": rounded(ratio.low), "p999_ratio_high": rounded(ratio.high),
            "page_faults": seen.costs.faults, "switches": seen.costs.switches, "reads_and_writes": seen.costs.calls,
        }));
    }
    let none = makes_no_system_call();
    println!("  an append makes {} system call", if none { "no" } else { "A" });
    report.row(
        json!({ "group": "under a filter", "name": "tidegate", "system_calls_forbidden_and_survived": u8::from(none) }),
    );
    assert!(none, "the thread that appends made a system call");
}
