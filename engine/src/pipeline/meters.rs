//! What a running pipeline shows of itself, for whoever looks: reports, the control socket, a metrics endpoint.
//!
//! The pipeline's threads publish plain atomics that only they write; [`Meters`] holds the ends that read. The lock in it is
//! taken when a pipeline begins and by readers, never by a thread of the pipeline. Bound: a pipeline a group, two a ring, and the
//! histograms of the stages.

use super::load::{GroupLoad, LoadReader};
use super::meter::Latency;
use super::times::TimesReader;
use crate::plan::Link;
use ring::{Consumer, Counters, Producer, RingError, Slot};
use serde::{Deserialize, Serialize};
use std::sync::{Arc, Mutex, MutexGuard};

/// How full a ring was.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RingLoad {
    /// What it joins.
    pub ring: String,
    /// Events that it holds.
    pub capacity: u64,
    /// The most that were in it, as far as was looked: at least eight times a lap, and whenever it was full.
    pub high_water: u64,
    /// About how many are in it now.
    pub occupancy: u64,
    /// Events published, markers included.
    pub events: u64,
    /// Tries to publish that found it full.
    pub refused: u64,
    /// Looks that found it empty.
    pub empty: u64,
}

/// A ring and its counters.
#[derive(Clone)]
struct RingMeter {
    name: String,
    capacity: u64,
    counters: Counters,
}

impl RingMeter {
    /// The meter of the ring that begins with `producer`.
    fn new<T: Slot>(name: String, producer: &Producer<T>) -> RingMeter {
        RingMeter { name, capacity: producer.capacity() as u64, counters: producer.counters() }
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
        }
    }
}

/// The ends that read of one group.
pub struct GroupMeter {
    /// Its name.
    pub name: String,
    /// Its name and its stages.
    pub about: String,
    /// Where its time goes, if that is measured.
    pub load: Option<LoadReader>,
    /// Latencies by stage, and of the whole pass.
    pub times: Vec<(String, TimesReader)>,
}

#[derive(Default)]
struct Published {
    groups: Vec<GroupMeter>,
    rings: Vec<RingMeter>,
}

/// What a pipeline shows; empty until it begins.
#[derive(Clone, Default)]
pub struct Meters(Arc<Mutex<Published>>);

impl Meters {
    fn shown(&self) -> MutexGuard<'_, Published> {
        self.0.lock().expect("nobody panics with it")
    }

    /// A group begins.
    pub fn add_group(&self, group: GroupMeter) {
        self.shown().groups.push(group);
    }

    /// Makes the ring of a row of the wiring, and shows it under the row's name.
    ///
    /// # Errors
    /// When there is no memory for it.
    ///
    /// # Panics
    /// When the row is one of a channel.
    pub fn ring<T: Slot>(&self, kind: ring::Kind, row: &Link) -> Result<(Producer<T>, Consumer<T>), RingError> {
        let (producer, consumer) = ring::channel(kind, row.slots.expect("a ring has slots"))?;
        self.shown().rings.push(RingMeter::new(row.name(), &producer));
        Ok((producer, consumer))
    }

    /// The groups, each with its stages.
    pub fn about(&self) -> Vec<String> {
        self.shown().groups.iter().map(|g| g.about.clone()).collect()
    }

    /// Where the time of every group goes; empty where it is not measured.
    pub fn groups(&self) -> Vec<GroupLoad> {
        self.shown().groups.iter().filter_map(|g| Some(g.load.as_ref()?.read(&g.name))).collect()
    }

    /// How full every ring is and was.
    pub fn rings(&self) -> Vec<RingLoad> {
        self.shown().rings.iter().map(RingMeter::read).collect()
    }

    /// Latencies by stage; `group NAME` is the whole pass of an event through a group.
    pub fn latencies(&self) -> Vec<Latency> {
        let shown = self.shown();
        let of_group = |g: &GroupMeter| {
            let own = |(name, times): &(String, TimesReader)| Latency {
                name: if name.is_empty() { format!("group {}", g.name) } else { name.clone() },
                histogram: times.histogram(),
            };
            g.times.iter().map(own).collect::<Vec<_>>()
        };
        shown.groups.iter().flat_map(of_group).collect()
    }
}
