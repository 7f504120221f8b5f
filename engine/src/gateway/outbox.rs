//! Inputs on their way from the gateway to the head.
//!
//! A head that stands still takes none, and the kill switch must not wait for it: what the ring has no room for is kept here.
//! Bound: when [`Outbox::is_full`], the venue is not read any more, so its answers wait at the venue; beyond that come one
//! input per route in flight and a few per session.

use crate::pipeline::Slot;
use flow::{AnomalyKind, Event, Gateway, Ns, Px, Qty};
use ring::{Producer, Refused};
use std::collections::VecDeque;

/// Inputs that wait for room at the head before the venue is not read any more.
const FULL: usize = 65_536;

/// The queue in front of the head's ring.
pub(super) struct Outbox {
    ring: Producer<Slot>,
    source: u8,
    queue: VecDeque<Event>,
}

impl Outbox {
    /// That of a gateway.
    pub(super) fn new(ring: Producer<Slot>, gateway: Gateway) -> Outbox {
        Outbox { ring, source: gateway.source(), queue: VecDeque::new() }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    pub(super) fn is_full(&self) -> bool {
        self.queue.len() >= FULL
    }

    /// An input for the head.
    pub(super) fn push(&mut self, input: Event) {
        self.queue.push_back(Event { source: self.source, ..input });
        self.publish();
    }

    /// An anomaly that the gateway found.
    pub(super) fn push_anomaly(&mut self, what: AnomalyKind, instrument: u32, detail: u64) {
        self.push_anomaly_of(what, instrument, detail, Qty(0));
    }

    /// An anomaly that a quantity explains.
    pub(super) fn push_anomaly_of(&mut self, what: AnomalyKind, instrument: u32, detail: u64, qty: Qty) {
        self.push(what.event_at(Ns(0), instrument, Ns::NONE, detail, Px::NONE, qty));
    }

    /// Publishes as much as the head has room for; whether it took anything.
    pub(super) fn publish(&mut self) -> bool {
        let before = self.queue.len();
        while let Some(input) = self.queue.front() {
            match self.ring.try_publish(&Slot(*input)) {
                Err(Refused::Full) => break,
                // Without a head nobody stores them: the next run gets them again.
                Ok(()) | Err(Refused::Disconnected) => drop(self.queue.pop_front()),
            }
        }
        self.queue.len() < before
    }
}
