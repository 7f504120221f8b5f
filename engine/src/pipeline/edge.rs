//! A cut: events leave a group over a ring.
//!
//! The edge waits for room and never drops. The watermark travels in band: at the end of a turn a
//! [`flow::Kind::WATERMARK`] marker states that all inputs up to its `seq` are finished, even when nothing was forwarded.
//! Worst case: a full ring, on which the group waits until the next group takes from it.

use super::exit::{Accepts, Exit, StallMeter, Stalls};
use crate::deliberate::{Fault, is_on};
use bytemuck::{Pod, Zeroable};
use flow::{Event, EventId, Kind};
use ring::{Idle, Producer, Refused};

/// An event as a ring's slot.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(transparent)]
pub struct Slot(pub Event);

impl ring::Slot for Slot {}

/// The producing end of a cut.
pub struct Edge {
    producer: Producer<Slot>,
    idle: Idle,
    closed: bool,
    /// Whether events were published since the last watermark.
    unannounced: bool,
    stalls: StallMeter,
}

impl Edge {
    /// The edge over `producer`; on a full ring it waits by `idle`, timed by `stalls`.
    pub fn new(producer: Producer<Slot>, idle: Idle, stalls: StallMeter) -> Edge {
        Edge { producer, idle, closed: false, unannounced: false, stalls }
    }

    #[inline]
    fn publish(&mut self, slot: &Slot, on_backpressure: &mut dyn FnMut()) {
        match self.producer.try_publish(slot) {
            Ok(()) => {}
            Err(Refused::Full) => self.publish_later(slot, on_backpressure),
            Err(Refused::Disconnected) => self.closed = true,
        }
    }

    /// Publishes as soon as there is room.
    #[cold]
    fn publish_later(&mut self, slot: &Slot, on_backpressure: &mut dyn FnMut()) {
        let (producer, idle) = (&mut self.producer, self.idle);
        let mut quiet = 0;
        let published = self.stalls.time(|| {
            loop {
                on_backpressure();
                idle.wait(&mut quiet);
                match producer.try_publish(slot) {
                    Err(Refused::Full) => {}
                    done => return done,
                }
            }
        });
        self.closed |= published.is_err();
    }
}

impl Accepts for Edge {
    #[inline]
    fn accept(&mut self, event: &Event, on_backpressure: &mut dyn FnMut()) {
        self.unannounced = true;
        self.publish(bytemuck::cast_ref(event), on_backpressure);
    }
}

impl Exit for Edge {
    fn finished(&mut self, seq: u64, on_backpressure: &mut dyn FnMut()) {
        let mut marker: Event = Zeroable::zeroed();
        marker.kind = Kind::WATERMARK;
        marker.id = EventId::new(seq, 0, 0);
        if is_on(Fault::NoWatermarkOnEmpty) && !self.unannounced {
            return;
        }
        self.publish(&Slot(marker), on_backpressure);
        self.unannounced = false;
    }

    fn is_closed(&self) -> bool {
        self.closed
    }

    #[inline]
    fn stalls(&self) -> Stalls {
        self.stalls.stalls()
    }
}
