//! Throughput of a ring: the cost per slot of a steady stream.
//!
//! One thread publishes and one takes, both pinned and spinning, up to a batch per turn. The time runs from the first
//! publication to the last slot taken. Rings, capacities and batches alternate round by round. Bound: two threads spin all
//! the time, so it needs two idle cores.

use super::hop::Parcel;
use super::rounds::{Ratio, interleave, least, median};
use ring::thread::{cores, spawn_pinned};
use ring::{Kind, Refused, Taken};
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

/// Cost per slot in one shape.
#[derive(Clone, Debug, Serialize)]
pub struct SlotCost {
    /// Ring.
    pub name: &'static str,
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

/// Interleaved rounds of `slots` slots over all shapes. `each` is called after every measurement.
///
/// # Panics
/// When there are no rounds, a capacity is not a power of two, or there are fewer than two cores.
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

/// The time for `slots` slots.
fn through(shape: Shape, slots: u64) -> Duration {
    let ends = ring::channel::<Parcel>(shape.kind, shape.capacity).expect("a power of two");
    stream((shape.batch, shape.batch), slots, ends)
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
/// at most `most` are taken.
///
/// # Panics
/// When the slots arrive out of order, or there are no cores to pin to.
pub fn stream((batch, most): (usize, usize), slots: u64, (mut giver, mut taker): (impl Give, impl Take)) -> Duration {
    let cores = cores();
    let taking = spawn_pinned("taking", cores.get(1).copied(), move || {
        let mut next = 0;
        while next < slots {
            taker.take(most, |number| {
                assert_eq!(number, next, "slots arrive in order");
                next += 1;
            });
        }
        Instant::now()
    });
    let giving = spawn_pinned("giving", cores.first().copied(), move || {
        let mut parcels = vec![Parcel([0; 8]); batch];
        let start = Instant::now();
        let mut next = 0;
        while next < slots {
            let n = (slots - next).min(batch as u64) as usize;
            (next..).zip(&mut parcels[..n]).for_each(|(number, parcel)| parcel.0[7] = number);
            let mut left = &parcels[..n];
            while !left.is_empty() {
                left = &left[giver.give(left)..];
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
