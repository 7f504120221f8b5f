//! Throughput of a ring: what a slot costs when slots are many.
//!
//! One thread publishes, one takes, both pinned and spinning, as much in a turn as the batch allows. The time runs from the
//! first publication to the last slot taken. Both rings, several capacities and batches alternate round by round. Bound:
//! two threads spin for the whole time, so it needs two idle cores.

use super::hop::Parcel;
use super::rounds::{Ratio, interleave, least, median};
use ring::thread::{cores, spawn_pinned};
use ring::{Kind, Refused, Taken};
use serde::Serialize;
use std::time::{Duration, Instant};

/// What is varied.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    /// Which ring.
    pub kind: Kind,
    /// Slots.
    pub capacity: usize,
    /// Slots published and taken at once, at most.
    pub batch: usize,
}

/// What a slot costs in one shape.
#[derive(Clone, Debug, Serialize)]
pub struct SlotCost {
    /// Ring.
    pub name: &'static str,
    /// Slots of the ring.
    pub capacity: usize,
    /// Slots at once.
    pub batch: usize,
    /// Median of the rounds.
    pub ns_per_slot: f64,
    /// Lower end of its interval.
    pub ns_per_slot_low: f64,
    /// Upper end of its interval.
    pub ns_per_slot_high: f64,
    /// The least of the rounds.
    pub least_ns_per_slot: f64,
    /// Slots a second at the median.
    pub slots_per_s: f64,
}

/// Both rings at every capacity and every batch that fits into it.
pub fn shapes(capacities: &[usize], batches: &[usize]) -> Vec<Shape> {
    let mut shapes = Vec::new();
    for &capacity in capacities {
        for &batch in batches.iter().filter(|b| **b <= capacity) {
            shapes.extend([Kind::Line, Kind::Disruptor].map(|kind| Shape { kind, capacity, batch }));
        }
    }
    shapes
}

/// Interleaved rounds of `slots` slots over all shapes. `each` is called after every measurement.
///
/// # Panics
/// When there are no rounds, a capacity is no power of two, or there are no two cores.
pub fn measure(shapes: &[Shape], rounds: usize, slots: u64, mut each: impl FnMut()) -> Vec<SlotCost> {
    let mut times = vec![Vec::new(); shapes.len()];
    interleave(rounds, shapes.len(), |which| {
        times[which].push(through(shapes[which], slots).as_nanos() as f64 / slots as f64);
        each();
    });
    let cost = |(shape, times): (&Shape, Vec<f64>)| {
        let (least, slots_per_s) = (least(&times), (1e9 / median(&times)).round());
        let spread = Ratio::spread(times);
        SlotCost {
            name: shape.kind.name(),
            capacity: shape.capacity,
            batch: shape.batch,
            ns_per_slot: spread.median,
            ns_per_slot_low: spread.low,
            ns_per_slot_high: spread.high,
            least_ns_per_slot: least,
            slots_per_s,
        }
    };
    shapes.iter().zip(times).map(cost).collect()
}

/// The time that `slots` slots take.
fn through(shape: Shape, slots: u64) -> Duration {
    let (mut producer, mut consumer) = ring::channel::<Parcel>(shape.kind, shape.capacity).expect("a power of two");
    let cores = cores();
    let taking = spawn_pinned("taking", cores.get(1).copied(), move || {
        let mut next = 0;
        while next < slots {
            let taken = consumer.take(shape.batch, |parcel| {
                assert_eq!(parcel.0[7], next, "slots come in order");
                next += 1;
            });
            assert_ne!(taken, Taken::Closed, "the producer publishes them all");
        }
        Instant::now()
    });
    let publishing = spawn_pinned("publishing", cores.first().copied(), move || {
        let mut parcels = vec![Parcel([0; 8]); shape.batch];
        let start = Instant::now();
        let mut next = 0;
        while next < slots {
            let n = (slots - next).min(shape.batch as u64) as usize;
            for (i, parcel) in parcels[..n].iter_mut().enumerate() {
                parcel.0[7] = next + i as u64;
            }
            let mut left = &parcels[..n];
            while !left.is_empty() {
                match producer.try_publish_batch(left) {
                    Ok(published) => left = &left[published..],
                    Err(Refused::Full) => {}
                    Err(Refused::Disconnected) => panic!("the other side is gone"),
                }
            }
            next += n as u64;
        }
        start
    });
    let start = publishing.expect("the thread can be pinned").join().unwrap_or_else(|e| panic!("{e}"));
    taking.expect("the thread can be pinned").join().unwrap_or_else(|e| panic!("{e}")) - start
}
