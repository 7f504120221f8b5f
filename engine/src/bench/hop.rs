//! One hop: how long an event takes from one core to another.
//!
//! Ping-pong between two pinned threads; half of a round trip is one way. Each contender carries 64 bytes, except
//! [`atomics`], the floor: a number on one cache line each way, the best that two cores can do. One message is in flight.
//!
//! Both sides wait by [`Idle`], as the groups of a pipeline do, and every contender is measured with each of [`WAITS`]. A
//! pipeline measures how many pauses suit its cores when it begins; so does this, and the [`Standing`] of the phase ring is its
//! time with these, beside the rivals with whatever suits them best in the same rounds.
//!
//! Every round makes new channels, so that no contender keeps a lucky place in memory. One reading of the time stamp counter
//! per trip is part of the figure, the same for all. Bound: two threads spin all the time, so it needs two idle cores.

use super::rounds::{Ratio, interleave};
use bytemuck::{Pod, Zeroable};
use hdrhistogram::Histogram;
use quanta::Clock;
use ring::pauses::{self, Measured};
use ring::thread::{cores, spawn_pinned};
use ring::{Idle, Kind, RingError};
use serde::Serialize;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Slots of a ring.
pub const CAPACITY: usize = 1_024;

/// How both sides wait: spinning with 0, 1, 2 … pauses between two looks.
pub const WAITS: [Idle; 5] = [Idle::Spin, Idle::SpinHint, Idle::Pauses(2), Idle::Pauses(3), Idle::Pauses(4)];

/// The most time that measuring the pauses takes.
const MEASURING: Duration = Duration::from_millis(20);

/// Pauses between two looks, and the name of a wait in the figures.
pub fn wait_name(idle: Idle) -> String {
    match idle {
        Idle::Pauses(1) => Idle::SpinHint.name().to_owned(),
        Idle::Pauses(pauses) => format!("{pauses} pauses"),
        other => other.name().to_owned(),
    }
}

/// The place in [`WAITS`] of what a pipeline would wait with between the first two cores: what it measures when it begins, and
/// one pause if that decides nothing.
pub fn own_wait() -> usize {
    let measured = match cores()[..] {
        [first, second, ..] => pauses::measure(Kind::Phase, (first, second), MEASURING, || ()),
        _ => None,
    };
    measured.map_or(1, |measured: Measured| usize::from(measured.pauses))
}

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

    /// Waits by `idle` until the next number arrives.
    fn receive(&mut self, idle: Idle) -> u64 {
        let mut quiet = 0;
        loop {
            if let Some(number) = self.poll() {
                return number;
            }
            idle.wait(&mut quiet);
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
pub fn atomics(trips: Trips, idle: Idle) -> OneWay {
    let line = || Arc::new(Line(AtomicU64::new(0)));
    let (there, back) = (line(), line());
    let ping = Atomics { to: Arc::clone(&there), from: Arc::clone(&back), last: 0 };
    one_way((ping, Atomics { to: back, from: there, last: 0 }), trips, idle)
}

/// One-way times over a ring.
///
/// # Panics
/// When the ring cannot be made. Its capacity is a power of two.
pub fn over_ring(kind: Kind, trips: Trips, idle: Idle) -> OneWay {
    let ends = crossed(|| ring::channel::<Parcel>(kind, CAPACITY)).map_err(|e: RingError| e.to_string());
    one_way(ends.expect("the capacity is a power of two"), trips, idle)
}

/// Trips of a batch. A time stamp counter that moves in steps of 10 ns tells a single trip no closer.
const BATCH: u64 = 32;

/// The times of one round.
pub struct OneWay {
    /// Trip by trip, in nanoseconds.
    pub times: Histogram<u64>,
    /// The median over batches of 32 trips, of their means.
    pub typical_ns: f64,
}

/// One-way times between two cores.
///
/// # Panics
/// When there are fewer than two cores to pin to.
pub fn one_way<E: End>((mut ping, mut pong): (E, E), trips: Trips, idle: Idle) -> OneWay {
    let cores = cores();
    let Trips { timed, warm } = trips;
    let echo = spawn_pinned("pong", cores.get(1).copied(), move || {
        for _ in 0..warm + timed {
            let number = pong.receive(idle);
            pong.send(number);
        }
    });
    let trips = spawn_pinned("ping", cores.first().copied(), move || {
        let clock = Clock::new();
        let mut times = crate::pipeline::histogram();
        let mut batches = crate::pipeline::histogram();
        let mut before = clock.raw();
        let mut begun = before;
        for number in 1..=warm + timed {
            ping.send(number);
            assert_eq!(ping.receive(idle), number, "the echo returns what was sent");
            let now = clock.raw();
            if number > warm {
                times.saturating_record(clock.delta_as_nanos(before, now) / 2);
            }
            if number % BATCH == 0 {
                if number >= warm + BATCH {
                    batches.saturating_record(clock.delta_as_nanos(begun, now));
                }
                begun = now;
            }
            before = now;
        }
        let typical_ns = match batches.is_empty() {
            true => times.value_at_quantile(0.5) as f64,
            false => batches.value_at_quantile(0.5) as f64 / (2 * BATCH) as f64,
        };
        OneWay { times, typical_ns }
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
    pub one_way: fn(Trips, Idle) -> OneWay,
}

/// The floor, then the phase ring, then its rival.
pub const LINKS: [Link; 3] = [
    Link { name: "atomics", one_way: atomics },
    Link { name: "phase", one_way: |trips, idle| over_ring(Kind::Phase, trips, idle) },
    Link { name: "disruptor", one_way: |trips, idle| over_ring(Kind::Disruptor, trips, idle) },
];

/// The figures of a link with one wait.
#[derive(Clone, Debug, Serialize)]
pub struct Hop {
    /// Name of the link.
    pub name: &'static str,
    /// How both sides wait.
    pub wait: String,
    /// Median of the rounds, each the median over batches of 32 trips.
    pub p50_ns: f64,
    /// Lower end of its interval.
    pub p50_ns_low: f64,
    /// Upper end of its interval.
    pub p50_ns_high: f64,
    /// 99th percentile of all trips.
    pub p99_ns: u64,
    /// Maximum.
    pub max_ns: u64,
    /// Ratio of its median to that of the first link with its best wait, in the same round.
    pub ratio: f64,
    /// Lower end of its interval.
    pub ratio_low: f64,
    /// Upper end of its interval.
    pub ratio_high: f64,
}

/// Where the two cores lie, told from the floor while it spins.
#[derive(Clone, Debug, Serialize)]
pub struct Placement {
    /// `near`: one core complex; `far`: two.
    pub cores: &'static str,
    /// Rounds in which they were near, and far: a hypervisor moves them.
    pub rounds_near: usize,
    /// Rounds in which they were far.
    pub rounds_far: usize,
}

/// One way of the floor takes less in one core complex, and more between two.
const FAR_NS: f64 = 100.0;

/// Amount of work that tells a placement.
const GLANCE: Trips = Trips { timed: 2_000, warm: 500 };

/// One way of the floor while it spins, in so many short rounds: for a benchmark of something else.
pub fn glance(rounds: usize) -> Vec<f64> {
    (0..rounds).map(|_| atomics(GLANCE, Idle::Spin).typical_ns).collect()
}

impl Placement {
    /// Told from the medians of rounds of the floor.
    pub fn of(raw_ns: &[f64]) -> Placement {
        let rounds_far = raw_ns.iter().filter(|ns| **ns >= FAR_NS).count();
        let rounds_near = raw_ns.len() - rounds_far;
        Placement { cores: if rounds_near > rounds_far { "near" } else { "far" }, rounds_near, rounds_far }
    }

    /// In words, with the time of the floor.
    pub fn words(&self, raw_ns: f64) -> String {
        let where_ = if self.cores == "near" {
            "near, in one core complex (caches shared)"
        } else {
            "far, in two core complexes, or joined by a mesh"
        };
        let moved = if self.rounds_near.min(self.rounds_far) == 0 {
            String::new()
        } else {
            format!("; they were moved: near in {} rounds, far in {}", self.rounds_near, self.rounds_far)
        };
        format!("The cores are {where_}: a bare line crosses in {raw_ns:.0} ns{moved}")
    }
}

/// A contender beside another: the ratio of their medians, round by round.
#[derive(Clone, Debug, Serialize)]
pub struct Beside {
    /// Whom it is measured against.
    pub name: &'static str,
    /// With which wait, its best.
    pub wait: String,
    /// The ratio.
    pub ratio: f64,
    /// Lower end of its interval.
    pub ratio_low: f64,
    /// Upper end of its interval.
    pub ratio_high: f64,
}

/// How the phase ring stands as a pipeline waits.
#[derive(Clone, Debug, Serialize)]
pub struct Standing {
    /// How it waits.
    pub wait: String,
    /// Beside the floor.
    pub to_raw: Beside,
    /// Beside the fastest of the rivals.
    pub to_best_rival: Beside,
}

/// The figures of all links and waits.
pub struct Hops {
    /// A row for every link and wait.
    pub rows: Vec<Hop>,
    /// Where the cores lie.
    pub placement: Placement,
    /// How the phase ring stands.
    pub standing: Standing,
    /// The place in [`WAITS`] of its wait.
    own: usize,
}

impl Hops {
    /// The link with this place, as the pipeline waits.
    pub fn own(&self, link: usize) -> &Hop {
        &self.rows[link * WAITS.len() + self.own]
    }

    /// The link with this place, with its best wait.
    pub fn best(&self, link: usize) -> &Hop {
        let rows = &self.rows[link * WAITS.len()..][..WAITS.len()];
        rows.iter().min_by(|a, b| a.p50_ns.total_cmp(&b.p50_ns)).expect("there are waits")
    }
}

/// Interleaved rounds over all links, each with every wait; the pipeline's is the one at `own` of [`WAITS`]. The first link is
/// the floor, the second the phase ring, the others are its rivals. `each` is called after every measurement.
///
/// # Panics
/// When there are no rounds, or no rivals.
pub fn measure(links: &[Link], own: usize, rounds: usize, trips: Trips, mut each: impl FnMut()) -> Hops {
    let runs: Vec<(&Link, Idle)> = links.iter().flat_map(|link| WAITS.map(|idle| (link, idle))).collect();
    let mut medians = vec![Vec::new(); runs.len()];
    let mut all = vec![crate::pipeline::histogram(); runs.len()];
    interleave(rounds, runs.len(), |which| {
        let (link, idle) = runs[which];
        let one_way = (link.one_way)(trips, idle);
        medians[which].push(one_way.typical_ns);
        all[which].add(&one_way.times).expect("the bounds are the same");
        each();
    });
    let p50 = |which: usize| Ratio::spread(medians[which].clone());
    let best = |among: std::ops::Range<usize>| {
        among.min_by(|a, b| p50(*a).median.total_cmp(&p50(*b).median)).expect("there are contenders")
    };
    let raw = best(0..WAITS.len());
    let row = |(i, (link, idle)): (usize, &(&Link, Idle))| {
        let (p50, ratio) = (p50(i), Ratio::of(&medians[i], &medians[raw]));
        Hop {
            name: link.name,
            wait: wait_name(*idle),
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
    let phase = WAITS.len() + own;
    let beside = |which: usize| {
        let Ratio { median, low, high } = Ratio::of(&medians[phase], &medians[which]);
        let (link, idle) = runs[which];
        Beside { name: link.name, wait: wait_name(idle), ratio: median, ratio_low: low, ratio_high: high }
    };
    let rival = best(2 * WAITS.len()..runs.len());
    let standing = Standing { wait: wait_name(WAITS[own]), to_raw: beside(raw), to_best_rival: beside(rival) };
    let rows = runs.iter().enumerate().map(row).collect();
    Hops { rows, placement: Placement::of(&medians[0]), standing, own }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_placement_is_told_by_the_floor_and_a_move_is_said() {
        let near = Placement::of(&[55.0, 60.0, 99.0]);
        assert_eq!((near.cores, near.rounds_near, near.rounds_far), ("near", 3, 0));
        assert_eq!(
            near.words(60.0),
            "The cores are near, in one core complex (caches shared): a bare line crosses in 60 ns"
        );
        let moved = Placement::of(&[55.0, 250.0, 100.0]);
        assert_eq!(moved.cores, "far");
        assert!(moved.words(100.0).ends_with("in 100 ns; they were moved: near in 1 rounds, far in 2"));
    }

    #[test]
    fn a_wait_is_named_by_its_pauses() {
        assert_eq!(WAITS.map(wait_name), ["spin", "hint", "2 pauses", "3 pauses", "4 pauses"]);
        assert_eq!(wait_name(Idle::UNMEASURED), "hint");
        assert_eq!(usize::from(pauses::MOST) + 1, WAITS.len());
    }

    /// Made-up links whose time is their number of pauses: the row of each is found, and the best of each rival is compared.
    #[test]
    fn the_phase_ring_as_the_pipeline_waits_is_beside_the_best_of_the_rivals() {
        fn took(ns: u64) -> OneWay {
            let mut times = crate::pipeline::histogram();
            times.saturating_record(ns);
            OneWay { times, typical_ns: ns as f64 }
        }
        fn pauses(idle: Idle) -> u64 {
            WAITS.iter().position(|wait| *wait == idle).expect("one of them") as u64
        }
        let links = [
            Link { name: "atomics", one_way: |_, idle| took(60 - 5 * pauses(idle)) },
            Link { name: "phase", one_way: |_, idle| took(100 - 20 * pauses(idle)) },
            Link { name: "slow", one_way: |_, _| took(200) },
            Link { name: "rival", one_way: |_, idle| took(70 + 10 * pauses(idle)) },
        ];
        let hops = measure(&links, 3, 4, Trips { timed: 1, warm: 0 }, || ());
        assert_eq!((hops.own(1).wait.as_str(), hops.own(1).p50_ns), ("3 pauses", 40.0));
        assert_eq!((hops.best(3).wait.as_str(), hops.rows.len()), ("spin", 20));
        let Standing { to_raw, to_best_rival, .. } = hops.standing;
        assert_eq!((to_raw.wait.as_str(), to_raw.ratio), ("4 pauses", 1.0));
        assert_eq!((to_best_rival.name, to_best_rival.wait.as_str(), to_best_rival.ratio), ("rival", "spin", 0.571));
    }
}
