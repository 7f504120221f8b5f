//! One hop: how long an event takes from one core to another.
//!
//! Ping-pong between two pinned threads; half of a round trip is one way. Each contender carries 64 bytes but `atomics`,
//! the floor: a number on one cache line each way, which is what two cores can do at all. Both sides spin without a
//! pause, one message is in flight. Every round makes new channels, so that no contender keeps a lucky place in memory.
//! Reading the time stamp counter once a trip is part of the figure, the same for all.

use benches::report::Report;
use benches::rounds::{Ratio, count, median, rounded};
use bytemuck::{Pod, Zeroable};
use crossbeam_channel::{Receiver, Sender, TryRecvError};
use crossbeam_utils::CachePadded;
use hdrhistogram::Histogram;
use quanta::Clock;
use ring::thread::{cores, spawn_pinned};
use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Round trips of one contender in one round, those that warm it up besides.
const TRIPS: u64 = 10_000;
const WARM: u64 = 2_000;
/// Slots of a ring.
const CAPACITY: usize = 1_024;

/// What travels: as large as an event.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C, align(64))]
struct Parcel([u64; 8]);

impl ring::Slot for Parcel {}

/// An end of a link in both directions.
trait End: Send + 'static {
    fn send(&mut self, number: u64);
    /// The next number if it is there.
    fn poll(&mut self) -> Option<u64>;

    fn receive(&mut self) -> u64 {
        loop {
            if let Some(number) = self.poll() {
                return number;
            }
        }
    }
}

struct Atomics {
    to: Arc<CachePadded<AtomicU64>>,
    from: Arc<CachePadded<AtomicU64>>,
    last: u64,
}

impl End for Atomics {
    fn send(&mut self, number: u64) {
        self.to.store(number, Ordering::Release);
    }

    fn poll(&mut self) -> Option<u64> {
        let now = self.from.load(Ordering::Acquire);
        let fresh = now != self.last;
        self.last = now;
        fresh.then_some(now)
    }
}

impl End for (ring::Producer<Parcel>, ring::Consumer<Parcel>) {
    fn send(&mut self, number: u64) {
        self.0.try_publish(&Parcel([number; 8])).expect("one message in flight fits");
    }

    fn poll(&mut self) -> Option<u64> {
        let mut number = None;
        match self.1.take(1, |parcel| number = Some(parcel.0[7])) {
            ring::Taken::Closed => panic!("the other side is gone"),
            ring::Taken::Events(_) | ring::Taken::Empty => number,
        }
    }
}

impl End for (rtrb::Producer<Parcel>, rtrb::Consumer<Parcel>) {
    fn send(&mut self, number: u64) {
        self.0.push(Parcel([number; 8])).expect("one message in flight fits");
    }

    fn poll(&mut self) -> Option<u64> {
        self.1.pop().ok().map(|parcel| parcel.0[7])
    }
}

impl End for (Sender<Parcel>, Receiver<Parcel>) {
    fn send(&mut self, number: u64) {
        self.0.try_send(Parcel([number; 8])).expect("one message in flight fits");
    }

    fn poll(&mut self) -> Option<u64> {
        match self.1.try_recv() {
            Ok(parcel) => Some(parcel.0[7]),
            Err(TryRecvError::Empty) => None,
            Err(TryRecvError::Disconnected) => panic!("the other side is gone"),
        }
    }
}

fn crossed<P, C>(make: impl Fn() -> (P, C)) -> ((P, C), (P, C)) {
    let ((there, at_there), (back, at_back)) = (make(), make());
    ((there, at_back), (back, at_there))
}

fn atomics() -> (Atomics, Atomics) {
    let line = || Arc::new(CachePadded::new(AtomicU64::new(0)));
    let (there, back) = (line(), line());
    let ping = Atomics { to: Arc::clone(&there), from: Arc::clone(&back), last: 0 };
    (ping, Atomics { to: back, from: there, last: 0 })
}

/// One way in nanoseconds, trip by trip, between the first two cores.
fn trips<E: End>((mut ping, mut pong): (E, E)) -> Histogram<u64> {
    let cores = cores();
    let echo = spawn_pinned("pong", cores.get(1).copied(), move || {
        for _ in 0..WARM + TRIPS {
            let number = pong.receive();
            pong.send(number);
        }
    });
    let trips = spawn_pinned("ping", cores.first().copied(), move || {
        let clock = Clock::new();
        let mut one_way = Histogram::<u64>::new_with_bounds(1, 10_000_000_000, 3).expect("the bounds are valid");
        let mut before = clock.raw();
        for number in 1..=WARM + TRIPS {
            ping.send(number);
            assert_eq!(ping.receive(), number, "what comes back is what was sent");
            let now = clock.raw();
            if number > WARM {
                one_way.saturating_record(clock.delta_as_nanos(before, now) / 2);
            }
            before = now;
        }
        one_way
    });
    let one_way = trips.and_then(|t| t.join().map_err(|e| panic!("{e}"))).expect("the thread can be pinned");
    echo.expect("the thread can be pinned").join().expect("the echo does not panic");
    one_way
}

type Link = (&'static str, fn() -> Histogram<u64>);

const LINKS: [Link; 5] = [
    ("atomics", || trips(atomics())),
    ("line", || trips(crossed(|| ring::channel(ring::Kind::Line, CAPACITY).expect("a power of two")))),
    ("disruptor", || trips(crossed(|| ring::channel(ring::Kind::Disruptor, CAPACITY).expect("a power of two")))),
    ("rtrb", || trips(crossed(|| rtrb::RingBuffer::new(CAPACITY)))),
    ("crossbeam", || trips(crossed(|| crossbeam_channel::bounded(CAPACITY)))),
];

fn main() {
    let mut report = Report::new("hop");
    if cores().len() < 2 {
        println!("  a hop needs two cores");
        return;
    }
    let rounds = count(21);
    let mut medians = vec![Vec::new(); LINKS.len()];
    let mut all: Vec<Option<Histogram<u64>>> = vec![None; LINKS.len()];
    for round in 0..rounds {
        for turn in 0..LINKS.len() {
            let which = (round + turn) % LINKS.len();
            let one_way = (LINKS[which].1)();
            medians[which].push(one_way.value_at_quantile(0.5) as f64);
            match &mut all[which] {
                Some(sum) => sum.add(&one_way).expect("the bounds are the same"),
                none => *none = Some(one_way),
            }
        }
    }
    for (i, (name, _)) in LINKS.iter().enumerate() {
        let one_way = all[i].as_ref().expect("there was a round");
        let ratio = Ratio::of(&medians[i], &medians[0]);
        report.row(json!({
            "group": "one way", "name": name, "rounds": rounds, "trips": one_way.len(),
            "p50_ns": rounded(median(&medians[i])), "p99_ns": one_way.value_at_quantile(0.99), "max_ns": one_way.max(),
            "ratio": rounded(ratio.median), "ratio_low": rounded(ratio.low), "ratio_high": rounded(ratio.high),
        }));
    }
}
