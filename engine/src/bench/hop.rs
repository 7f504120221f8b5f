//! One hop: how long an event takes from one core to another.
//!
//! Ping-pong between two pinned threads; half of a round trip is one way. Each contender carries 64 bytes, except
//! [`atomics`], the floor: a number on one cache line each way, the best that two cores can do. Both sides spin without a
//! pause, with one message in flight. Every round makes new channels, so that no contender keeps a lucky place in memory.
//! One reading of the time stamp counter per trip is part of the figure, the same for all. Bound: two threads spin all the
//! time, so it needs two idle cores.

use super::rounds::{Ratio, interleave};
use bytemuck::{Pod, Zeroable};
use hdrhistogram::Histogram;
use quanta::Clock;
use ring::RingError;
use ring::thread::{cores, spawn_pinned};
use serde::Serialize;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Slots of a ring.
pub const CAPACITY: usize = 1_024;

/// The payload, as large as an event.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C, align(64))]
pub struct Parcel(pub [u64; 8]);

impl ring::Slot for Parcel {}

/// Amount of work.
#[derive(Clone, Copy, Debug)]
pub struct Trips {
    /// Round trips per contender and round.
    pub timed: u64,
    /// Warm-up trips before them.
    pub warm: u64,
}

/// One end of a two-way link.
pub trait End: Send + 'static {
    /// Sends a number.
    fn send(&mut self, number: u64);

    /// The next number, if it has arrived.
    fn poll(&mut self) -> Option<u64>;

    /// Spins until the next number arrives.
    fn receive(&mut self) -> u64 {
        loop {
            if let Some(number) = self.poll() {
                return number;
            }
        }
    }
}

/// A number on its own cache line, each way. Alignment to two lines keeps the adjacent line, which some processors also
/// fetch, unused.
#[repr(align(128))]
struct Line(AtomicU64);

struct Atomics {
    to: Arc<Line>,
    from: Arc<Line>,
    last: u64,
}

impl End for Atomics {
    fn send(&mut self, number: u64) {
        self.to.0.store(number, Ordering::Release);
    }

    fn poll(&mut self) -> Option<u64> {
        let now = self.from.0.load(Ordering::Acquire);
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
            ring::Taken::Closed => panic!("the other end closed the ring"),
            ring::Taken::Events(_) | ring::Taken::Empty => number,
        }
    }
}

/// The ends of each of two threads: one to send on and one to receive on.
pub type Ends<P, C> = ((P, C), (P, C));

/// Two links, there and back, as the ends for two threads.
///
/// # Errors
/// When a link cannot be made.
pub fn crossed<P, C, E>(make: impl Fn() -> Result<(P, C), E>) -> Result<Ends<P, C>, E> {
    let ((there, at_there), (back, at_back)) = (make()?, make()?);
    Ok(((there, at_back), (back, at_there)))
}

/// One-way times over bare atomics.
pub fn atomics(trips: Trips) -> Histogram<u64> {
    let line = || Arc::new(Line(AtomicU64::new(0)));
    let (there, back) = (line(), line());
    let ping = Atomics { to: Arc::clone(&there), from: Arc::clone(&back), last: 0 };
    one_way((ping, Atomics { to: back, from: there, last: 0 }), trips)
}

/// One-way times over a ring.
///
/// # Panics
/// When the ring cannot be made. Its capacity is a power of two.
pub fn over_ring(kind: ring::Kind, trips: Trips) -> Histogram<u64> {
    let ends = crossed(|| ring::channel::<Parcel>(kind, CAPACITY)).map_err(|e: RingError| e.to_string());
    one_way(ends.expect("the capacity is a power of two"), trips)
}

/// One-way times in nanoseconds, trip by trip, between two cores.
///
/// # Panics
/// When there are fewer than two cores to pin to.
pub fn one_way<E: End>((mut ping, mut pong): (E, E), trips: Trips) -> Histogram<u64> {
    let cores = cores();
    let Trips { timed, warm } = trips;
    let echo = spawn_pinned("pong", cores.get(1).copied(), move || {
        for _ in 0..warm + timed {
            let number = pong.receive();
            pong.send(number);
        }
    });
    let trips = spawn_pinned("ping", cores.first().copied(), move || {
        let clock = Clock::new();
        let mut one_way = crate::pipeline::histogram();
        let mut before = clock.raw();
        for number in 1..=warm + timed {
            ping.send(number);
            assert_eq!(ping.receive(), number, "the echo returns what was sent");
            let now = clock.raw();
            if number > warm {
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

/// A link between cores to measure.
pub struct Link {
    /// Name in the figures.
    pub name: &'static str,
    /// Runs one round.
    pub one_way: fn(Trips) -> Histogram<u64>,
}

/// The floor, then the rings.
pub const LINKS: [Link; 3] = [
    Link { name: "atomics", one_way: atomics },
    Link { name: "phase", one_way: |trips| over_ring(ring::Kind::Phase, trips) },
    Link { name: "disruptor", one_way: |trips| over_ring(ring::Kind::Disruptor, trips) },
];

/// The figures of a link.
#[derive(Clone, Debug, Serialize)]
pub struct Hop {
    /// Name of the link.
    pub name: &'static str,
    /// Median of the medians of the rounds.
    pub p50_ns: f64,
    /// Lower end of its interval.
    pub p50_ns_low: f64,
    /// Upper end of its interval.
    pub p50_ns_high: f64,
    /// 99th percentile of all trips.
    pub p99_ns: u64,
    /// Maximum.
    pub max_ns: u64,
    /// Ratio of its median to that of the first link, in the same round.
    pub ratio: f64,
    /// Lower end of its interval.
    pub ratio_low: f64,
    /// Upper end of its interval.
    pub ratio_high: f64,
}

/// Interleaved rounds over all links; ratios are to the first. `each` is called after every measurement.
///
/// # Panics
/// When there are no rounds.
pub fn measure(links: &[Link], rounds: usize, trips: Trips, mut each: impl FnMut()) -> Vec<Hop> {
    let mut medians = vec![Vec::new(); links.len()];
    let mut all = vec![crate::pipeline::histogram(); links.len()];
    interleave(rounds, links.len(), |which| {
        let one_way = (links[which].one_way)(trips);
        medians[which].push(one_way.value_at_quantile(0.5) as f64);
        all[which].add(&one_way).expect("the bounds are the same");
        each();
    });
    let hop = |(i, link): (usize, &Link)| {
        let (p50, ratio) = (Ratio::spread(medians[i].clone()), Ratio::of(&medians[i], &medians[0]));
        Hop {
            name: link.name,
            p50_ns: p50.median,
            p50_ns_low: p50.low,
            p50_ns_high: p50.high,
            p99_ns: all[i].value_at_quantile(0.99),
            max_ns: all[i].max(),
            ratio: ratio.median,
            ratio_low: ratio.low,
            ratio_high: ratio.high,
        }
    };
    links.iter().enumerate().map(hop).collect()
}
