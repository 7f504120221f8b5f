//! A cut: events leave a group over a ring.
//!
//! The edge waits for room and never drops. Progress crosses in band: at the end of a turn a [`flow::Kind::PROGRESS`]
//! marker says that all inputs up to its `seq` are finished, also when nothing was forwarded.

use super::station::Exit;
use crate::ingress::fault::{Fault, is_on};
use bytemuck::{Pod, Zeroable};
use flow::{Event, EventId, Kind};
use ring::{Idle, Producer, Refused};

/// An event as a ring's slot.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(transparent)]
pub struct Slot(pub Event);

impl ring::Slot for Slot {}

/// What an edge counted.
#[derive(Clone, Copy, Debug, Default)]
pub struct EdgeCounts {
    /// Events handed over, markers included.
    pub published: u64,
    /// Times it had to wait for room.
    pub waits: u64,
}

/// The producing end of a cut.
pub struct Edge {
    producer: Producer<Slot>,
    idle: Idle,
    closed: bool,
    /// `published` when the last word was.
    worded: u64,
    counts: EdgeCounts,
}

impl Edge {
    /// The edge over `producer`; while there is no room it waits as `idle` says.
    pub fn new(producer: Producer<Slot>, idle: Idle) -> Edge {
        Edge { producer, idle, closed: false, worded: 0, counts: EdgeCounts::default() }
    }

    /// What it counted.
    pub fn counts(&self) -> EdgeCounts {
        self.counts
    }

    #[inline]
    fn publish(&mut self, slot: &Slot, relieve: &mut dyn FnMut()) {
        loop {
            match self.producer.try_publish(slot) {
                Ok(()) => {
                    self.counts.published += 1;
                    return;
                }
                Err(Refused::Full) => {
                    self.counts.waits += 1;
                    relieve();
                    self.idle.wait();
                }
                Err(Refused::Disconnected) => {
                    self.closed = true;
                    return;
                }
            }
        }
    }
}

impl Exit for Edge {
    #[inline]
    fn accept(&mut self, event: &Event, relieve: &mut dyn FnMut()) {
        self.publish(bytemuck::cast_ref(event), relieve);
    }

    fn finished(&mut self, seq: u64, relieve: &mut dyn FnMut()) {
        let mut marker: Event = Zeroable::zeroed();
        marker.kind = Kind::PROGRESS;
        marker.id = EventId::new(seq, 0, 0);
        if is_on(Fault::NoWordOnEmpty) && self.worded == self.counts.published {
            return;
        }
        self.publish(&Slot(marker), relieve);
        self.worded = self.counts.published;
    }

    fn is_closed(&self) -> bool {
        self.closed
    }
}
