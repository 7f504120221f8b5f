//! What a log's writer and the helper thread share, lock-free: the writer normally waits for nothing here.
//!
//! The helper puts prepared segments into a queue of [`AHEAD`]; the writer takes one when its own is full. The writer
//! publishes how many records it has written. Everything else is for rare cases.

use super::segment::Segment;
use crossbeam_queue::ArrayQueue;
use crossbeam_utils::CachePadded;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// Segments prepared ahead of the active one.
pub(super) const AHEAD: usize = 2;

/// Whether another segment can be had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Supply {
    /// One is ready or will be.
    Available = 0,
    /// There is no space for one.
    Full = 1,
    /// The disk failed or the helper has ended: nothing written can be made durable.
    Failed = 2,
}

/// The state that one log's writer and the helper share.
#[derive(Debug)]
pub(super) struct Handover {
    pub(super) ready: ArrayQueue<Arc<Segment>>,
    /// Number of the last record written.
    written: CachePadded<AtomicU64>,
    supply: CachePadded<AtomicU8>,
    /// What is full or broken, for messages.
    problem: Mutex<String>,
    /// The writer has ended.
    pub(super) closed: AtomicBool,
    /// Nothing can ever follow what the writer wrote.
    pub(super) ended: AtomicBool,
    /// How often the writer waited for a segment.
    pub(super) stalls: AtomicU64,
    lost_from: AtomicU64,
    lost_through: AtomicU64,
    lost_events: AtomicU64,
}

impl Handover {
    pub(super) fn new(written: u64) -> Handover {
        Handover {
            ready: ArrayQueue::new(AHEAD),
            written: CachePadded::new(AtomicU64::new(written)),
            supply: CachePadded::new(AtomicU8::new(Supply::Available as u8)),
            problem: Mutex::new(String::new()),
            closed: AtomicBool::new(false),
            ended: AtomicBool::new(false),
            stalls: AtomicU64::new(0),
            lost_from: AtomicU64::new(0),
            lost_through: AtomicU64::new(0),
            lost_events: AtomicU64::new(0),
        }
    }

    /// Number of the last record written.
    pub(super) fn written(&self) -> u64 {
        self.written.load(Ordering::Acquire)
    }

    /// Publishes the writer's watermark: records up to this number are written.
    #[inline]
    pub(super) fn set_written(&self, record: u64) {
        self.written.store(record, Ordering::Release);
    }

    /// Whether another segment can be had.
    #[inline]
    pub(super) fn supply(&self) -> Supply {
        match self.supply.load(Ordering::Acquire) {
            0 => Supply::Available,
            1 => Supply::Full,
            _ => Supply::Failed,
        }
    }

    /// Sets it, by the helper. A failure is final.
    pub(super) fn set_supply(&self, supply: Supply, problem: &str) {
        if self.supply() != Supply::Failed && self.supply() != supply {
            problem.clone_into(&mut self.problem.lock().unwrap_or_else(PoisonError::into_inner));
            self.supply.store(supply as u8, Ordering::Release);
        }
    }

    /// What is full or broken, for messages.
    pub(super) fn problem(&self) -> String {
        self.problem.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Counts an event with this seq that the writer had to leave out.
    pub(super) fn record_lost(&self, seq: u64) {
        self.lost_events.fetch_add(1, Ordering::Relaxed);
        self.lost_through.store(seq, Ordering::Relaxed);
        if self.lost_from.load(Ordering::Relaxed) == 0 {
            self.lost_from.store(seq, Ordering::Release);
        }
    }

    /// Events left out since the last call: first and last seq, and their number.
    pub(super) fn take_lost(&self) -> Option<(u64, u64, u64)> {
        let from = self.lost_from.swap(0, Ordering::Acquire);
        let events = self.lost_events.swap(0, Ordering::Relaxed);
        (from != 0 || events != 0).then(|| (from, self.lost_through.load(Ordering::Relaxed), events))
    }
}
