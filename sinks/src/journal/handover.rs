//! What the writer of a log and the helper thread tell each other: lock-free, and nothing that the writer waits for in
//! the ordinary course.
//!
//! The helper puts segments that are ready into a queue of [`AHEAD`]; the writer takes one when its own is full. The
//! writer publishes how many records it has written. Everything else here is for the rare case.

use super::segment::Segment;
use crossbeam_queue::ArrayQueue;
use crossbeam_utils::CachePadded;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// Segments that are ready ahead of the one being written.
pub(super) const AHEAD: usize = 2;

/// How it stands with the next segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Supply {
    /// There is one, or there will be one.
    Coming = 0,
    /// There is no room for one.
    Full = 1,
    /// The disk failed, or the helper is gone: what is written cannot be made durable.
    Failed = 2,
}

/// One log's share of the talk.
#[derive(Debug)]
pub(super) struct Handover {
    pub(super) ready: ArrayQueue<Arc<Segment>>,
    /// Number of the last record written.
    written: CachePadded<AtomicU64>,
    supply: CachePadded<AtomicU8>,
    /// What is full or broken, in words.
    trouble: Mutex<String>,
    /// The writer is gone.
    pub(super) closed: AtomicBool,
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
            supply: CachePadded::new(AtomicU8::new(Supply::Coming as u8)),
            trouble: Mutex::new(String::new()),
            closed: AtomicBool::new(false),
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

    /// The writer's word: records up to this number are written.
    #[inline]
    pub(super) fn set_written(&self, record: u64) {
        self.written.store(record, Ordering::Release);
    }

    /// How it stands with the next segment.
    #[inline]
    pub(super) fn supply(&self) -> Supply {
        match self.supply.load(Ordering::Acquire) {
            0 => Supply::Coming,
            1 => Supply::Full,
            _ => Supply::Failed,
        }
    }

    /// The helper's word on it. A failure stays.
    pub(super) fn set_supply(&self, supply: Supply, trouble: &str) {
        if self.supply() != Supply::Failed && self.supply() != supply {
            trouble.clone_into(&mut self.trouble.lock().unwrap_or_else(PoisonError::into_inner));
            self.supply.store(supply as u8, Ordering::Release);
        }
    }

    /// What is full or broken.
    pub(super) fn trouble(&self) -> String {
        self.trouble.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The writer left an event of that seq out.
    pub(super) fn note_lost(&self, seq: u64) {
        self.lost_events.fetch_add(1, Ordering::Relaxed);
        self.lost_through.store(seq, Ordering::Relaxed);
        if self.lost_from.load(Ordering::Relaxed) == 0 {
            self.lost_from.store(seq, Ordering::Release);
        }
    }

    /// What was left out since the last call: first and last seq, and how many events.
    pub(super) fn take_lost(&self) -> Option<(u64, u64, u64)> {
        let from = self.lost_from.swap(0, Ordering::Acquire);
        let events = self.lost_events.swap(0, Ordering::Relaxed);
        (from != 0 || events != 0).then(|| (from, self.lost_through.load(Ordering::Relaxed), events))
    }
}
