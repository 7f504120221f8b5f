//! The meters of a running pipeline, for reports, the control socket and a metrics endpoint.
//!
//! The pipeline's threads publish plain atomics that only they write; [`Meters`] holds the reading ends. Its lock is taken
//! by readers and while a pipeline starts, never by a running pipeline thread. Bound: one cache line of counters per
//! group, two per ring, and the histograms of the stages.

use super::load::{GroupLoad, LoadReader};
use super::meter::Latency;
use super::times::TimesReader;
use crate::plan::Link;
use ring::pauses::Measured;
use ring::{Consumer, Counters, Producer, RingError, Slot};
use serde::{Deserialize, Serialize};
use std::sync::{Arc, Mutex, MutexGuard};

/// Occupancy and traffic of a ring.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RingLoad {
    /// Its two ends, as `from > to`.
    pub ring: String,
    /// Slots.
    pub capacity: u64,
    /// Highest occupancy seen; sampled at least eight times a lap, and whenever the ring was full.
    pub high_water: u64,
    /// Approximate occupancy now.
    pub occupancy: u64,
    /// Events published, watermarks included.
    pub events: u64,
    /// Attempts to publish that found it full.
    pub refused: u64,
    /// Attempts to take that found it empty.
    pub empty: u64,
    /// Pauses between two looks at it, if they were measured when the run began.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pauses: Option<u8>,
    /// The time of one way that was measured with them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hop_ns: Option<u64>,
}

/// A ring and its counters.
#[derive(Clone)]
struct RingMeter {
    name: String,
    capacity: u64,
    counters: Counters,
    measured: Option<Measured>,
}

impl RingMeter {
    /// The meter of the ring that begins with `producer`.
    fn new<T: Slot>(name: String, producer: &Producer<T>, measured: Option<Measured>) -> RingMeter {
        RingMeter { name, capacity: producer.capacity() as u64, counters: producer.counters(), measured }
    }

    fn read(&self) -> RingLoad {
        let (producer, consumer) = (self.counters.producer(), self.counters.consumer());
        RingLoad {
            ring: self.name.clone(),
            capacity: self.capacity,
            high_water: producer.high_water,
            occupancy: self.counters.occupancy(),
            events: producer.published,
            refused: producer.full,
            empty: consumer.empty,
            pauses: self.measured.map(|measured| measured.pauses),
            hop_ns: self.measured.map(|measured| measured.hop.as_nanos() as u64),
        }
    }
}

/// The reading ends of one group.
pub struct GroupMeter {
    /// Its name.
    pub name: String,
    /// Its name and its stages, for display.
    pub about: String,
    /// Its busy, idle and stalled time, if metering is on.
    pub load: Option<LoadReader>,
    /// Latencies by stage, and of the whole group under an empty name.
    pub times: Vec<(String, TimesReader)>,
}

#[derive(Default)]
struct Published {
    groups: Vec<GroupMeter>,
    rings: Vec<RingMeter>,
}

/// The meters of a pipeline; empty until it starts.
#[derive(Clone, Default)]
pub struct Meters(Arc<Mutex<Published>>);

impl Meters {
    fn published(&self) -> MutexGuard<'_, Published> {
        self.0.lock().expect("no thread panics while it holds the lock")
    }

    /// Adds the meters of a group that starts.
    pub fn add_group(&self, group: GroupMeter) {
        self.published().groups.push(group);
    }

    /// Creates the ring for a row of the wiring, and meters it under the row's name; `measured` is what was measured between
    /// its cores.
    ///
    /// # Errors
    /// When there is not enough memory.
    ///
    /// # Panics
    /// When the row describes a channel.
    pub fn ring<T: Slot>(
        &self,
        kind: ring::Kind,
        row: &Link,
        measured: Option<Measured>,
    ) -> Result<(Producer<T>, Consumer<T>), RingError> {
        let (producer, consumer) = ring::channel(kind, row.slots.expect("a ring has slots"))?;
        self.published().rings.push(RingMeter::new(row.name(), &producer, measured));
        Ok((producer, consumer))
    }

    /// The groups, each with its stages.
    pub fn about(&self) -> Vec<String> {
        self.published().groups.iter().map(|g| g.about.clone()).collect()
    }

    /// Busy, idle and stalled time of every group; empty when metering is off.
    pub fn groups(&self) -> Vec<GroupLoad> {
        self.published().groups.iter().filter_map(|g| Some(g.load.as_ref()?.read(&g.name))).collect()
    }

    /// Occupancy and traffic of every ring.
    pub fn rings(&self) -> Vec<RingLoad> {
        self.published().rings.iter().map(RingMeter::read).collect()
    }

    /// Latencies by stage; `group NAME` is an event's whole pass through a group.
    pub fn latencies(&self) -> Vec<Latency> {
        let published = self.published();
        let of_group = |g: &GroupMeter| {
            let own = |(name, times): &(String, TimesReader)| Latency {
                name: if name.is_empty() { format!("group {}", g.name) } else { name.clone() },
                histogram: times.histogram(),
            };
            g.times.iter().map(own).collect::<Vec<_>>()
        };
        published.groups.iter().flat_map(of_group).collect()
    }
}
