//! The memory-mapped segment file, as atomic words.
//!
//! The journal's only `unsafe`: a mapped file appears as a slice of slots of eight atomic words. Everything else is
//! safe code on that slice, so the writer, the helper thread and other processes can access the same bytes concurrently
//! without a data race.
//!
//! Bound: one mapping is one segment. Worst case: if another program truncates the file under the mapping, access to
//! the missing pages raises a bus error; the journal itself truncates a file only after unmapping it.

use memmap2::{Advice, MmapOptions, MmapRaw};
use std::fs::File;
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};

/// Sixty-four bytes of the file: one event, or one line of the header.
pub(super) type Slot = [AtomicU64; 8];

/// Bytes per slot.
pub(super) const SLOT_BYTES: usize = size_of::<Slot>();

/// Granularity of populating, in bytes.
pub(super) const PAGE_BYTES: usize = 4096;

/// A file of whole slots, mapped shared and writable.
#[derive(Debug)]
pub(super) struct Mapping {
    raw: MmapRaw,
    slots: usize,
}

impl Mapping {
    /// Maps the first `slots` slots of `file`, which must be that long and writable.
    pub(super) fn new(file: &File, slots: usize) -> io::Result<Mapping> {
        let bytes = slots * SLOT_BYTES;
        assert!(file.metadata()?.len() >= bytes as u64, "a segment is allocated before it is mapped");
        let raw = MmapOptions::new().len(bytes).map_raw(file)?;
        Ok(Mapping { raw, slots })
    }

    /// All slots.
    #[inline]
    pub(super) fn slots(&self) -> &[Slot] {
        // SAFETY: the mapping begins on a page boundary, spans `slots` whole slots (it was created with that length,
        // after a check that the file is that long) and stays mapped while `self` is borrowed. The memory is
        // initialised (a file's bytes) and accessed only through atomics, so concurrent stores are no data race.
        unsafe { std::slice::from_raw_parts(self.raw.as_mut_ptr().cast::<Slot>(), self.slots) }
    }

    /// Zeros all slots.
    pub(super) fn clear(&self) {
        self.slots().iter().flatten().for_each(|word| word.store(0, Ordering::Relaxed));
    }

    /// Faults the pages of these slots in as writable, so that the writer does not fault on them.
    pub(super) fn populate(&self, slots: std::ops::Range<usize>) {
        let from = slots.start * SLOT_BYTES / PAGE_BYTES * PAGE_BYTES;
        let to = slots.end.min(self.slots) * SLOT_BYTES;
        if from >= to || self.raw.advise_range(Advice::PopulateWrite, from, to - from).is_ok() {
            return;
        }
        for slot in self.slots()[from / SLOT_BYTES..to / SLOT_BYTES].iter().step_by(PAGE_BYTES / SLOT_BYTES) {
            slot[0].fetch_or(0, Ordering::Relaxed);
        }
    }
}
