//! The end of the pipeline: the moment when the bytes of an order exist.
//!
//! A sink after the tail. For each message it receives the changed top and the trades before the orders that follow from
//! them, with the exchange time of the message, which is its intended time. It turns a route into bytes (the adapter `wire`
//! sends an event as it is, 64 bytes), then reads the clock. Orders not caused by a message (but by a tick or a reply) are
//! counted and not timed; nor are cancels, which do not pass the gate.
//!
//! Bound: room for one sample per eight messages, allocated and touched before the run; orders beyond it are counted.

use super::generator::Shared;
use flow::records::{BookTop, Route, Trade};
use flow::{Action, Event, Kind, Kinds, Ns, Sink, SinkError};
use quanta::Clock;
use std::hint::black_box;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};

/// An order: the intended time of its message, the time it waited, and the total time.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Sample {
    /// The id of its route.
    pub(super) route: u64,
    pub(super) intended_ns: u64,
    pub(super) waited_ns: u64,
    /// From the intended time until the message's top or trade had passed the pipeline.
    pub(super) seen_ns: u64,
    pub(super) total_ns: u64,
}

/// What the end of the pipeline has recorded.
#[derive(Default)]
pub(super) struct Seen {
    pub(super) samples: Vec<Sample>,
    /// Orders not caused by a message.
    pub(super) uncaused: u64,
    /// Orders beyond the room for samples.
    pub(super) past: u64,
}

/// Times orders.
pub(super) struct OrderTimes {
    clock: Clock,
    shared: Arc<Shared>,
    /// The first intended time.
    first: Ns,
    /// The current message: its `seq`, its time, and the clock at its first event.
    cause: (u64, Ns, u64),
    samples: Box<[Sample]>,
    count: usize,
    seen: Seen,
    wire: [u8; 64],
    result: Arc<Mutex<Seen>>,
}

impl OrderTimes {
    pub(super) fn new(shared: Arc<Shared>, first: Ns, messages: u64, result: Arc<Mutex<Seen>>) -> OrderTimes {
        let room = messages as usize / 8 + 1_024;
        let touched = Sample { intended_ns: 1, ..Sample::default() };
        OrderTimes {
            clock: Clock::new(),
            shared,
            first,
            cause: (0, Ns(0), 0),
            samples: vec![touched; room].into_boxed_slice(),
            count: 0,
            seen: Seen::default(),
            wire: [0; 64],
            result,
        }
    }

    #[inline]
    fn caused(&mut self, seq: u64, stamp: Ns) {
        if self.cause.0 != seq {
            self.cause = (seq, stamp, self.clock.raw());
        }
    }

    #[inline]
    fn left(&mut self, route: &Event) {
        self.wire.copy_from_slice(bytemuck::bytes_of(route));
        black_box(&self.wire);
        let now = self.clock.raw();
        let start = self.shared.start.load(Ordering::Relaxed);
        let is_order = Action::makes_an_order(route.record::<Route>().action);
        if !is_order || start == 0 {
            return;
        }
        let (seq, stamp, seen) = self.cause;
        let Some(intended_ns) = stamp.0.checked_sub(self.first.0).filter(|_| seq == route.id.seq()) else {
            self.seen.uncaused += 1;
            return;
        };
        let since_start = |at| self.clock.delta_as_nanos(start, at).saturating_sub(intended_ns);
        let sample = Sample {
            route: route.id.0,
            intended_ns,
            waited_ns: since_start(self.shared.taken.load(Ordering::Relaxed)),
            seen_ns: since_start(seen),
            total_ns: since_start(now),
        };
        match self.samples.get_mut(self.count) {
            Some(free) => {
                *free = sample;
                self.count += 1;
            }
            None => self.seen.past += 1,
        }
    }
}

impl Sink for OrderTimes {
    fn kinds(&self) -> Kinds {
        Kinds::of(&[Kind::BookTop, Kind::Trade, Kind::Route])
    }

    /// The role of this sink: it sends orders.
    fn is_prompt(&self) -> bool {
        true
    }

    #[inline]
    fn take(&mut self, event: &Event) -> Result<(), SinkError> {
        match event.kind {
            Kind::Route => self.left(event),
            Kind::BookTop => self.caused(event.id.seq(), event.record::<BookTop>().exchange_ts),
            _ => self.caused(event.id.seq(), event.record::<Trade>().exchange_ts),
        }
        Ok(())
    }

    fn finished(&mut self, _: u64) -> Result<(), SinkError> {
        Ok(())
    }

    fn end(&mut self) -> Result<(), SinkError> {
        self.seen.samples = self.samples[..self.count].to_vec();
        let mut result = self.result.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        *result = std::mem::take(&mut self.seen);
        Ok(())
    }
}
