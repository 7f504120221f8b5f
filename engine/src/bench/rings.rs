//! Throughput of a ring: the cost per slot of a steady stream.
//!
//! One thread publishes and one takes, both pinned and spinning, up to a batch per turn. Who finds the ring full or empty waits
//! as the groups of a pipeline do, and every ring is measured with each of [`WAITS`]. The time runs from the first
//! publication to the last slot taken. Rings, capacities, batches and waits alternate round by round. Bound: two threads spin
//! all the time, so it needs two idle cores.

use super::hop::{Parcel, Placement, WAITS, glance, wait_name};
use super::rounds::{Ratio, interleave, least, median};
use ring::thread::{cores, spawn_pinned};
use ring::{Idle, Kind, Refused, Taken};
use serde::Serialize;
use std::time::{Duration, Instant};

/// The parameters that vary.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    /// Type of the ring.
    pub kind: Kind,
    /// Number of slots.
    pub capacity: usize,
    /// Most slots published or taken at once.
    pub batch: usize,
}

/// Cost per slot in one shape, with one wait.
#[derive(Clone, Debug, Serialize)]
pub struct SlotCost {
    /// Ring.
    pub name: &'static str,
    /// How its ends wait.
    pub wait: String,
    /// Slots of the ring.
    pub capacity: usize,
    /// Slots per batch.
    pub batch: usize,
    /// Median of the rounds.
    pub ns_per_slot: f64,
    /// Lower end of its confidence interval.
    pub ns_per_slot_low: f64,
    /// Upper end of its confidence interval.
    pub ns_per_slot_high: f64,
    /// Minimum over the rounds.
    pub least_ns_per_slot: f64,
    /// Slots per second at the median.
    pub slots_per_s: f64,
    /// Ratio to the `disruptor` ring of the same shape with its best wait, in the same round.
    pub ratio: f64,
    /// Lower end of its interval.
    pub ratio_low: f64,
    /// Upper end of its interval.
    pub ratio_high: f64,
}

/// Rounds of the floor before the rings and as many after them, which tell where the cores lie.
const GLANCES: usize = 5;

/// The costs of all rings.
pub struct SlotCosts {
    /// Where the cores lay before and after.
    pub placement: Placement,
    /// One way of the floor, by which that is told.
    pub raw_ns: f64,
    /// For each shape, as the pipeline waits, and of the rival with what suits it best.
    pub rings: Vec<SlotCost>,
    /// For each shape, with every wait.
    pub waits: Vec<SlotCost>,
}

/// Both rings, at every capacity and every batch that fits it.
pub fn shapes(capacities: &[usize], batches: &[usize]) -> Vec<Shape> {
    let mut shapes = Vec::new();
    for &capacity in capacities {
        for &batch in batches.iter().filter(|b| **b <= capacity) {
            shapes.extend([Kind::Phase, Kind::Disruptor].map(|kind| Shape { kind, capacity, batch }));
        }
    }
    shapes
}

/// Interleaved rounds of `slots` slots over all shapes of [`shapes`], each with every wait; the pipeline's is the one at `own`
/// of [`WAITS`]. `each` is called after every measurement.
///
/// # Panics
/// When there are no rounds, a capacity is not a power of two, or there are fewer than two cores.
pub fn measure(shapes: &[Shape], own: usize, rounds: usize, slots: u64, mut each: impl FnMut()) -> SlotCosts {
    let runs: Vec<(Shape, Idle)> = shapes.iter().flat_map(|shape| WAITS.map(|idle| (*shape, idle))).collect();
    let mut times = vec![Vec::new(); runs.len()];
    let mut raw_ns = glance(GLANCES);
    interleave(rounds, runs.len(), |which| {
        let (shape, idle) = runs[which];
        times[which].push(through(shape, idle, slots).as_nanos() as f64 / slots as f64);
        each();
    });
    raw_ns.extend(glance(GLANCES));
    let best = |shape: usize| {
        let waits = shape * WAITS.len()..(shape + 1) * WAITS.len();
        waits.min_by(|a, b| median(&times[*a]).total_cmp(&median(&times[*b]))).expect("there are waits")
    };
    let rival = |shape: &Shape| {
        let same = |s: &Shape| (s.kind, s.capacity, s.batch) == (Kind::Disruptor, shape.capacity, shape.batch);
        best(shapes.iter().position(same).expect("both rings have every shape"))
    };
    let cost = |which: usize| {
        let ((shape, idle), own) = (&runs[which], &times[which]);
        let (spread, ratio) = (Ratio::spread(own.clone()), Ratio::of(own, &times[rival(shape)]));
        SlotCost {
            name: shape.kind.name(),
            wait: wait_name(*idle),
            capacity: shape.capacity,
            batch: shape.batch,
            ns_per_slot: spread.median,
            ns_per_slot_low: spread.low,
            ns_per_slot_high: spread.high,
            least_ns_per_slot: least(own),
            slots_per_s: (1e9 / median(own)).round(),
            ratio: ratio.median,
            ratio_low: ratio.low,
            ratio_high: ratio.high,
        }
    };
    let shown = |(at, shape): (usize, &Shape)| match shape.kind {
        Kind::Phase => cost(at * WAITS.len() + own),
        Kind::Disruptor => cost(best(at)),
    };
    let (placement, raw_ns) = (Placement::of(&raw_ns), median(&raw_ns));
    SlotCosts {
        placement,
        raw_ns,
        rings: shapes.iter().enumerate().map(shown).collect(),
        waits: (0..runs.len()).map(cost).collect(),
    }
}

/// The time for `slots` slots.
fn through(shape: Shape, idle: Idle, slots: u64) -> Duration {
    let ends = ring::channel::<Parcel>(shape.kind, shape.capacity).expect("a power of two");
    stream((shape.batch, shape.batch), slots, idle, ends)
}

/// The publishing end.
pub trait Give: Send + 'static {
    /// Publishes as many of these as fit.
    fn give(&mut self, parcels: &[Parcel]) -> usize;
}

/// The taking end.
pub trait Take: Send + 'static {
    /// Takes at most `most` slots and passes their contents to `see`.
    fn take(&mut self, most: usize, see: impl FnMut(u64)) -> usize;
}

impl Give for ring::Producer<Parcel> {
    fn give(&mut self, parcels: &[Parcel]) -> usize {
        match self.try_publish_batch(parcels) {
            Ok(published) => published,
            Err(Refused::Full) => 0,
            Err(Refused::Disconnected) => panic!("the consumer closed the ring"),
        }
    }
}

impl Take for ring::Consumer<Parcel> {
    fn take(&mut self, most: usize, mut see: impl FnMut(u64)) -> usize {
        match ring::Consumer::take(self, most, |parcel| see(parcel.0[7])) {
            Taken::Events(n) => n,
            Taken::Empty => 0,
            Taken::Closed => panic!("the producer closed the ring early"),
        }
    }
}

/// The time from the first publication to the last slot taken, between two cores; `batch` slots are published at once, and
/// at most `most` are taken. Who finds nothing to do waits by `idle`.
///
/// # Panics
/// When the slots arrive out of order, or there are no cores to pin to.
pub fn stream(
    (batch, most): (usize, usize),
    slots: u64,
    idle: Idle,
    (mut giver, mut taker): (impl Give, impl Take),
) -> Duration {
    let cores = cores();
    let taking = spawn_pinned("taking", cores.get(1).copied(), move || {
        let (mut next, mut quiet) = (0, 0);
        while next < slots {
            let taken = taker.take(most, |number| {
                assert_eq!(number, next, "slots arrive in order");
                next += 1;
            });
            if taken == 0 {
                idle.wait(&mut quiet);
            }
        }
        Instant::now()
    });
    let giving = spawn_pinned("giving", cores.first().copied(), move || {
        let mut parcels = vec![Parcel([0; 8]); batch];
        let start = Instant::now();
        let (mut next, mut quiet) = (0, 0);
        while next < slots {
            let n = (slots - next).min(batch as u64) as usize;
            (next..).zip(&mut parcels[..n]).for_each(|(number, parcel)| parcel.0[7] = number);
            let mut left = &parcels[..n];
            while !left.is_empty() {
                let given = giver.give(left);
                left = &left[given..];
                if given == 0 {
                    idle.wait(&mut quiet);
                }
            }
            next += n as u64;
        }
        // Keep both ends until every slot has been taken.
        (start, giver)
    });
    let end = taking.expect("the thread can be pinned").join().unwrap_or_else(|e| panic!("{e}"));
    let (start, _giver) = giving.expect("the thread can be pinned").join().unwrap_or_else(|e| panic!("{e}"));
    end - start
}
