//! On a warm pipeline an event costs no allocation, no page fault and no system call.
//!
//! Stamped inputs go through the whole pipeline on one thread: instruments' names to warm up, N inputs, then ten times as many.
//! A cost per event, however rare, shows in the second count. Allocations and faults are counted for the thread alone.
//! System calls are not counted but forbidden: a filter of the kernel ends the process at the first, so surviving is the
//! proof. A gateway may make one sort of them (`quiet_gateway`). The meters are on, and every eighth input is timed. Each measurement has a process of its own, this binary called again: nothing else runs in it, and its end is a
//! failure of the test and not of the tests. What an allocation, a fault and a system call look like is tested too.

#[path = "pipeline/harness.rs"]
mod harness;
#[path = "pipeline/quiet_gateway.rs"]
mod quiet_gateway;

use allocation_counter::measure;
use flow::{Event, EventId, Kind, Kinds};
use harness::{Day, Pipeline, add_day, add_file, inputs, listings, set, small, taken};
use quanta::Clock;
use seccompiler::{BpfProgram, SeccompAction, SeccompFilter};
use sinks::GatewayIdle;
use std::collections::BTreeMap;
use std::env::consts::ARCH;
use std::hint::{black_box, spin_loop};
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{Command, ExitCode, Output};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tidegate::ahead::Ahead;
use tidegate::config::Settings;
use tidegate::pipeline::Tail;
use tidegate::pipeline::{Exit, Group, LoadMeter, StallMeter};
use tidegate_tests::{Case, amount, conclude, data};

/// Names the measurement to a process that makes only this one.
const MEASURE: &str = "TIDEGATE_MEASURE";

/// The signal that ends a process at a forbidden system call.
const SIGSYS: i32 = 31;

/// Where inputs come from.
struct Source {
    name: &'static str,
    needs: &'static [&'static str],
    /// Further inputs of the warm-up.
    warm: usize,
    add: fn(&mut Settings, &[PathBuf]),
}

const SOURCES: [Source; 6] = [
    Source {
        name: "synthetic",
        needs: &[],
        warm: 0,
        add: |settings, _| {
            let messages = amount(40_000, 400_000);
            add_day(settings, Day { seed: 61, messages, symbols: 8, live_orders: 1_000 });
        },
    },
    Source {
        name: "rare_instruments",
        needs: &[],
        warm: 0,
        add: |settings, _| {
            let messages = amount(40_000, 400_000);
            add_day(settings, Day { seed: 62, messages, symbols: 1_000, live_orders: 10_000 });
        },
    },
    // More resting orders than a table has memory for when it is made.
    Source {
        name: "many_orders",
        needs: &[],
        warm: 0,
        add: |settings, _| {
            let messages = amount(120_000, 800_000);
            add_day(settings, Day { seed: 63, messages, symbols: 20, live_orders: 50_000 });
        },
    },
    // No order depends on the measures, so they run on what the tail holds back.
    Source {
        name: "observers",
        needs: &[],
        // In it come the first orders; the totals take an entry for each check that refuses one.
        warm: 5_000,
        add: |settings, _| {
            set(settings, "pipeline.stages=book,bars,cvd,imbalance,vpin,random,orders,risk,router");
            let messages = amount(40_000, 400_000);
            add_day(settings, Day { seed: 65, messages, symbols: 8, live_orders: 1_000 });
        },
    },
    Source {
        name: "itch_aapl",
        needs: &["nasdaq_itch/locate-13-10k.bin"],
        warm: 0,
        add: |settings, files| add_file(settings, "itch", &files[0], Some("2019-01-30")),
    },
    Source {
        name: "lobster_goog",
        needs: &["lobster/LOBSTER_SampleFile_GOOG_2012-06-21_10.zip"],
        warm: 0,
        add: |settings, files| add_file(settings, "lobster", &files[0], None),
    },
];

/// What a piece of work cost the thread.
#[derive(Debug, PartialEq, Eq)]
struct Cost {
    allocations: u64,
    faults: u64,
}

const NOTHING: Cost = Cost { allocations: 0, faults: 0 };

/// Minor and major page faults of this thread so far.
fn faults() -> u64 {
    let stat = std::fs::read_to_string("/proc/thread-self/stat").expect("the kernel gives it");
    let (_, after_name) = stat.rsplit_once(')').expect("the name of the thread is in brackets");
    let field = |n: usize| after_name.split_whitespace().nth(n - 3).expect("it has more fields");
    [10, 12].map(|n| field(n).parse::<u64>().expect("a number")).iter().sum()
}

/// The cost of `work`. What counting itself touches first is touched before.
fn cost(work: impl FnOnce()) -> Cost {
    for _ in 0..3 {
        black_box((faults(), measure(|| ()).count_total));
    }
    let before = faults();
    let allocations = measure(work).count_total;
    Cost { allocations, faults: faults() - before }
}

/// From here on these system calls of this thread, and of those that it starts, do `these`, and all others do `others`.
fn filter(calls: &[i64], these: SeccompAction, others: SeccompAction) {
    let arch = ARCH.try_into().expect("an architecture that filters are written for");
    let rules: BTreeMap<i64, _> = calls.iter().map(|call| (*call, Vec::new())).collect();
    let filter = SeccompFilter::new(rules, others, these, arch);
    let program: BpfProgram = filter.and_then(TryInto::try_into).expect("a filter");
    seccompiler::apply_filter(&program).expect("the kernel filters system calls");
}

/// From here on these system calls end the process.
fn filtered(calls: &[i64]) {
    filter(calls, SeccompAction::KillProcess, SeccompAction::Allow);
}

/// Does `prepare`, then the work it gives, without a system call.
fn sealed<R, W: FnOnce() -> R>(prepare: impl FnOnce() -> W + Send + 'static) {
    sealed_but(&[], prepare);
}

/// The same with these system calls alone. The thread cannot end without another, nor free what the work gives back, so it
/// keeps that and waits for the end of the process.
fn sealed_but<R, W: FnOnce() -> R>(calls: &'static [i64], prepare: impl FnOnce() -> W + Send + 'static) {
    let done = Arc::new(AtomicBool::new(false));
    let here = Arc::clone(&done);
    let thread = std::thread::spawn(move || {
        let work = prepare();
        filter(calls, SeccompAction::Allow, SeccompAction::KillProcess);
        let _kept = work();
        here.store(true, Ordering::Release);
        loop {
            spin_loop();
        }
    });
    while !done.load(Ordering::Acquire) {
        assert!(!thread.is_finished(), "the work was not prepared");
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// A pipeline on one thread, and the inputs that it is measured with.
struct Fused {
    group: Group,
    load: LoadMeter,
    tail: Tail,
    inputs: Vec<Event>,
}

impl Fused {
    fn new(settings: &Settings, inputs: Vec<Event>) -> Fused {
        let instruments = inputs.iter().map(|e| e.instrument).max().unwrap_or(0) + 1;
        let all = listings(&inputs);
        let plan = Pipeline { settings, instruments, kinds: Kinds::ALL, listings: &all }.plan();
        assert_eq!(plan.groups.len(), 1, "the pipeline is not cut");
        let stages = plan.stages.len();
        let emitted = plan.emits();
        let (group, observers) = Group::and_observers(plan.stages, plan.deciding, plan.groups[0].forwards, 8);
        let clock = Some(Clock::new());
        let tail =
            Tail::new(Vec::new(), Vec::new(), plan.outcomes, (instruments, &plan.instances, emitted), Arc::default());
        assert_eq!(observers.is_some(), plan.deciding < stages, "what no order depends on runs behind the tail");
        let tail = tail.with_observers(observers).with_stalls(StallMeter::new(clock.clone()));
        Fused { group, load: LoadMeter::new(clock), tail, inputs }
    }

    /// Where the warm-up ends, where N inputs end, and where ten times as many end. What names instruments is warm-up, and
    /// `further` inputs; with none the first order of each instrument is measured.
    fn marks(&self, further: usize) -> [usize; 3] {
        let warm = self.inputs.iter().rposition(lists).map_or(0, |last| last + 1) + further;
        let some = (self.inputs.len() - warm) / 11;
        assert!(some >= 500, "too few inputs to measure: {}", self.inputs.len());
        [warm, warm + some, warm + 11 * some]
    }

    fn pass(&mut self, from: usize, to: usize) {
        for input in &self.inputs[from..to] {
            // Where cores are scarce, the thread that touches memory ahead gets its turn all the same.
            while input.id.seq().is_multiple_of(64) && !flow::is_touched_ahead() {
                spin_loop();
            }
            Fused::one(input, &mut self.group, &mut self.tail, &mut self.load);
        }
    }

    fn one(input: &Event, group: &mut Group, tail: &mut Tail, load: &mut LoadMeter) {
        group.process(input, tail, &mut || ());
        tail.finished(input.id.seq(), &mut || ());
        load.worked(5, tail);
        if input.id.seq().is_multiple_of(7) {
            load.idle(tail, spin_loop);
        }
    }
}

/// Allocations and faults for N inputs and for ten times as many; then both again, without a system call.
fn measure_pipeline(source: &Source, files: &[PathBuf]) {
    let mut settings = small();
    (source.add)(&mut settings, files);
    let inputs = inputs(&taken(&settings, Kinds::ALL).events);
    // As in every run: tables are reserved, and their pages come ahead of use.
    let _ahead = Ahead::start(ring::Idle::Spin).expect("a thread");
    let mut pipeline = Fused::new(&settings, inputs.clone());
    let [warm, some, many] = pipeline.marks(source.warm);
    pipeline.pass(0, warm);
    let few = cost(|| pipeline.pass(warm, some));
    let tenfold = cost(|| pipeline.pass(some, many));
    let (stats, _) = pipeline.tail.finish();
    println!("{} inputs: {few:?}, {} inputs: {tenfold:?}, {} outcomes", some - warm, many - some, stats.outcomes);
    assert!(stats.outcomes > 0, "the pipeline did nothing");
    assert_eq!((few, tenfold), (NOTHING, NOTHING));
    sealed(move || {
        let mut pipeline = Fused::new(&settings, inputs);
        pipeline.pass(0, warm);
        move || {
            pipeline.pass(warm, many);
            pipeline
        }
    });
}

/// Whether an input lists an instrument.
fn lists(input: &Event) -> bool {
    matches!(input.kind, Kind::Name | Kind::Listing)
}

/// Each instrument is listed when its first order comes: the inputs until then, numbered and timed anew. What lists it and
/// says how it trades stands before that order.
fn listed_late(inputs: &[Event]) -> Vec<Event> {
    let opens = |e: &Event| e.instrument != 0 && (lists(e) || e.kind == Kind::Status);
    let mut openings = BTreeMap::<u32, Vec<Event>>::new();
    inputs.iter().filter(|e| opens(e)).for_each(|e| openings.entry(e.instrument).or_default().push(*e));
    let mut late = Vec::with_capacity(inputs.len());
    for input in inputs.iter().filter(|e| !opens(e)) {
        let first = openings.remove(&input.instrument).unwrap_or_default();
        for event in first.into_iter().chain([*input]) {
            let id = EventId::new(late.len() as u64 + 1, event.id.position(), event.id.ordinal());
            late.push(Event { id, ts: input.ts, ..event });
        }
    }
    late.truncate(late.iter().rposition(lists).map_or(0, |last| last + 2));
    late
}

/// No event but a listing takes memory for an instrument. Nothing touches memory ahead here, so the pools are so large that
/// what is touched when they are made is enough.
fn measure_listings() {
    let mut settings = small();
    let stages = "pipeline.stages=book,bars,cvd,imbalance,vpin,momentum,orders,risk,router";
    for one in ["book.max_orders=1048576", "book.max_levels=1048576", stages] {
        set(&mut settings, one);
    }
    add_day(&mut settings, Day { seed: 64, messages: 40_000, symbols: 1_000, live_orders: 2_000 });
    let inputs = listed_late(&inputs(&taken(&settings, Kinds::ALL).events));
    let Fused { mut group, mut load, mut tail, inputs } = Fused::new(&settings, inputs);
    let (mut of_listings, mut others, mut listed) = (0, Vec::new(), 0);
    for stretch in inputs.chunk_by(|one, next| lists(one) == lists(next)) {
        let cost = cost(|| stretch.iter().for_each(|input| Fused::one(input, &mut group, &mut tail, &mut load)));
        if lists(&stretch[0]) {
            (of_listings, listed) = (of_listings + cost.faults, listed + 1);
        } else if listed > 100 && cost != NOTHING {
            // The first instruments use for the first time what is not an instrument's.
            others.push((stretch[0].kind, stretch[0].instrument, stretch.len(), cost));
        }
    }
    println!("{} inputs, listings in {listed} places: {of_listings} faults; others: {others:?}", inputs.len());
    assert!(listed > 500 && of_listings > 50, "no table has grown");
    assert!(others.is_empty());
}

/// Makes the named measurement; this process does nothing else.
fn measurement(name: &str) {
    match name {
        "allocation" => {
            let cost = cost(|| drop(black_box(Vec::<u8>::with_capacity(64))));
            assert_eq!(cost.allocations, 1);
        }
        "fault" => {
            let mut memory: Vec<u8> = Vec::with_capacity(64 << 20);
            let cost = cost(|| memory.resize(64 << 20, 1));
            black_box(memory);
            assert!(cost.allocations == 0 && cost.faults > 0, "{cost:?}");
        }
        "listings" => measure_listings(),
        "system call" => sealed(|| std::thread::yield_now),
        "gateway turns" => quiet_gateway::measure_turns(),
        "gateway spins" => quiet_gateway::measure_rests(GatewayIdle::Spin),
        "gateway sleeps" => quiet_gateway::measure_rests(GatewayIdle::Sleep),
        name => {
            let source = SOURCES.iter().find(|s| s.name == name).expect("a source");
            let files: Vec<PathBuf> = source.needs.iter().map(|n| data().join(n)).collect();
            measure_pipeline(source, &files);
        }
    }
    std::process::exit(0);
}

/// Makes the measurement in a process of its own.
fn apart(name: &str) -> Output {
    let this = std::env::current_exe().expect("a running binary has a path");
    // Tables lie in memory of their own, not where the run that made the inputs has been: there no page would be missing.
    let mut command = Command::new(this);
    command.env(MEASURE, name).env("MALLOC_MMAP_THRESHOLD_", "65536");
    command.output().expect("it is running, so it runs again")
}

#[track_caller]
fn holds(name: &str) {
    let Output { status, stdout, stderr } = apart(name);
    let output = [stdout, stderr].map(|s| String::from_utf8_lossy(&s).into_owned()).concat();
    let called = if status.signal() == Some(SIGSYS) { "a system call was made; " } else { "" };
    assert!(status.success(), "{name}: {called}{status}\n{output}");
}

/// The measurement ends at a system call that it may not make.
#[track_caller]
fn makes_one(name: &str) {
    let status = apart(name).status;
    assert_eq!(status.signal(), Some(SIGSYS), "{name}: {status}");
}

fn main() -> ExitCode {
    if let Ok(name) = std::env::var(MEASURE) {
        measurement(&name);
    }
    let sources = SOURCES.iter().map(|s| Case::new(s.name, s.needs, |_| holds(s.name)));
    let found = [
        Case::new("only_a_listing_takes_memory_for_an_instrument", &[], |_| holds("listings")),
        Case::new("an_allocation_is_found", &[], |_| holds("allocation")),
        Case::new("a_page_fault_is_found", &[], |_| holds("fault")),
        Case::new("a_system_call_is_found", &[], |_| makes_one("system call")),
        Case::new("a_turn_of_a_gateway_reads_its_socket_and_nothing_else", &[], |_| holds("gateway turns")),
        Case::new("a_gateway_that_spins_never_gives_its_core_back", &[], |_| holds("gateway spins")),
        Case::new("a_gateway_that_sleeps_is_found", &[], |_| makes_one("gateway sleeps")),
    ];
    conclude(sources.chain(found).collect())
}
