//! What a log's writer and the helper threads share, lock-free: the writer waits for nothing here.
//!
//! The supplier puts prepared segments into a queue of [`AHEAD`]; the writer takes one when its own is full. The writer
//! publishes how many records it has written; the helper says how many segments are on the disk. Everything else is for rare
//! cases.

use super::format::LogKind;
use super::gaps::Lost;
use super::gate::Gate;
use super::memory::AHEAD;
use super::segment::Segment;
use crossbeam_queue::{ArrayQueue, SegQueue};
use crossbeam_utils::CachePadded;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// Who found no room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NoRoom {
    /// The supplier, in memory.
    Memory,
    /// The helper, on the disk.
    Disk,
}

/// The state that one log's writer and the helpers share.
#[derive(Debug)]
pub(super) struct Handover {
    log: LogKind,
    ready: ArrayQueue<Arc<Segment>>,
    /// Prepared segments that the helper has yet to take over.
    pub(super) coming: SegQueue<Arc<Segment>>,
    /// Segments that were given back, as drafts: their memory is used again.
    spare: ArrayQueue<Arc<Segment>>,
    /// Number of the last record written.
    written: CachePadded<AtomicU64>,
    /// Number of the last segment whose files the disk has room for.
    covered: AtomicU64,
    /// Number of segments that were prepared, and of those that were retired.
    prepared: AtomicU64,
    retired: AtomicU64,
    /// Where there is no room, in memory and on the disk, and the words for it.
    no_room: [AtomicBool; 2],
    problem: Mutex<String>,
    pub(super) gate: Arc<Gate>,
    /// The writer has ended.
    pub(super) closed: AtomicBool,
    /// Nothing can ever follow what the writer wrote.
    pub(super) ended: AtomicBool,
    /// How often inputs had to wait for a segment.
    pub(super) stalls: AtomicU64,
    /// Outcomes left out at the end of the log.
    pub(super) lost_last: Mutex<Option<Lost>>,
}

impl Handover {
    pub(super) fn new(log: LogKind, gate: Arc<Gate>) -> Handover {
        Handover {
            log,
            ready: ArrayQueue::new(AHEAD),
            coming: SegQueue::new(),
            spare: ArrayQueue::new(AHEAD),
            written: CachePadded::new(AtomicU64::new(0)),
            covered: AtomicU64::new(0),
            prepared: AtomicU64::new(0),
            retired: AtomicU64::new(0),
            no_room: Default::default(),
            problem: Mutex::default(),
            gate,
            closed: AtomicBool::new(false),
            ended: AtomicBool::new(false),
            stalls: AtomicU64::new(0),
            lost_last: Mutex::default(),
        }
    }

    /// Whether as many segments are ready as ever are.
    pub(super) fn is_stocked(&self) -> bool {
        self.ready.is_full()
    }

    /// Whether no segment is ready.
    pub(super) fn is_bare(&self) -> bool {
        self.ready.is_empty()
    }

    /// Hands the next segment to the helper and to the writer.
    pub(super) fn put(&self, segment: &Arc<Segment>) {
        self.prepared.fetch_add(1, Ordering::AcqRel);
        self.coming.push(Arc::clone(segment));
        self.ready.push(Arc::clone(segment)).expect("one thread alone fills the queue, and it looks first");
        if self.log == LogKind::Outcomes {
            self.gate.give();
        }
    }

    /// Takes the next segment if one is ready.
    pub(super) fn take(&self) -> Option<Arc<Segment>> {
        let next = self.ready.pop()?;
        if self.log == LogKind::Outcomes {
            self.gate.take();
        }
        Some(next)
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

    /// Number of the last segment whose files the disk has room for.
    pub(super) fn covered(&self) -> u64 {
        self.covered.load(Ordering::Acquire)
    }

    /// The disk has room for the files of the segments up to this number.
    pub(super) fn set_covered(&self, number: u64) {
        self.covered.store(number, Ordering::Release);
    }

    /// Counts a segment that takes up memory already.
    pub(super) fn add_prepared(&self) {
        self.prepared.fetch_add(1, Ordering::AcqRel);
    }

    /// Counts a segment that takes up none any more.
    pub(super) fn add_retired(&self) {
        self.retired.fetch_add(1, Ordering::AcqRel);
    }

    /// Whether one more segment that is given back can wait to be used again.
    pub(super) fn has_spare_room(&self) -> bool {
        !self.spare.is_full()
    }

    /// Keeps a segment that was given back, before it is counted as retired.
    pub(super) fn keep_spare(&self, segment: Arc<Segment>) {
        self.spare.push(segment).expect("one thread alone fills the queue, and it looks first");
    }

    /// Takes a segment that was given back. Whoever looks first at how many are in memory never makes too many.
    pub(super) fn take_spare(&self) -> Option<Arc<Segment>> {
        self.spare.pop()
    }

    /// Number of segments in memory, without those that were given back.
    pub(super) fn in_memory(&self) -> u64 {
        self.prepared.load(Ordering::Acquire) - self.retired.load(Ordering::Acquire)
    }

    /// Says whether there is room for the next segment, and the words if there is none.
    pub(super) fn set_room(&self, of: NoRoom, problem: Option<&str>) {
        if let Some(words) = problem {
            words.clone_into(&mut self.problem.lock().unwrap_or_else(PoisonError::into_inner));
        }
        self.no_room[of as usize].store(problem.is_some(), Ordering::Release);
    }

    /// Whether there is no room there.
    pub(super) fn lacks_room(&self, of: NoRoom) -> bool {
        self.no_room[of as usize].load(Ordering::Acquire)
    }

    /// Whether there is no room for the next segment and none is to be expected: the disk is full, or the memory is, and
    /// nothing of this log is left there that the disk could take over.
    pub(super) fn is_full(&self) -> bool {
        self.lacks_room(NoRoom::Disk) || (self.lacks_room(NoRoom::Memory) && self.in_memory() <= 1)
    }

    /// What is full, for messages.
    pub(super) fn problem(&self) -> String {
        self.problem.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::SeqCst)
    }
}
