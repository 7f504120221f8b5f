//! The memory that a segment's file is mapped to, as atomic words.
//!
//! The only `unsafe` of the journal: a mapped file is shown as a slice of slots of eight atomic words. Everything else
//! is written in safe code on that slice, so that the writer, the helper thread and other processes can look at the
//! same bytes at the same time without a data race.
//!
//! Bound: one mapping is one segment. Worst case: a file that another program cuts short under the mapping makes an
//! access to the missing pages fail with a bus error; the journal itself shortens a file only after it was unmapped.

use memmap2::{Advice, MmapOptions, MmapRaw, UncheckedAdvice};
use std::fs::File;
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};

/// Sixty-four bytes as they stand in the file: one event, or one line of the header.
pub(super) type Slot = [AtomicU64; 8];

/// Bytes of a slot.
pub(super) const SLOT_BYTES: usize = size_of::<Slot>();

/// Bytes that are made present and synced together.
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

    /// Every slot.
    #[inline]
    pub(super) fn slots(&self) -> &[Slot] {
        // SAFETY: the mapping begins on a page boundary, spans `slots` whole slots (its length was given so, and the
        // file was checked to be that long) and stays mapped while `self` is borrowed. The memory is initialised (a
        // file's bytes) and is reached through atomics alone, so that concurrent stores are no data race.
        unsafe { std::slice::from_raw_parts(self.raw.as_mut_ptr().cast::<Slot>(), self.slots) }
    }

    /// Makes the pages of these slots present and writable, so that the writer does not fault on them.
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

    /// Takes the pages of these slots, from the first one's on and as far as they are whole, out of the mapping (not out
    /// of the file). Writing a page back that is mapped writable interrupts every core that has it in its address cache,
    /// the writer's too, once a page; pages that are not mapped cost one interrupt together.
    pub(super) fn release(&self, slots: std::ops::Range<usize>) {
        let from = slots.start * SLOT_BYTES / PAGE_BYTES * PAGE_BYTES;
        let to = slots.end * SLOT_BYTES / PAGE_BYTES * PAGE_BYTES;
        if from < to {
            // SAFETY: the mapping is a shared one of a file: a page that is dropped from it stays in the system's cache
            // with all that was stored, and the next access maps it again. Nothing that a reference sees changes.
            let advised = unsafe { self.raw.unchecked_advise_range(UncheckedAdvice::DontNeed, from, to - from) };
            // It is for speed alone: where the system refuses, the pages are synced as they are.
            drop(advised);
        }
    }

    /// Writes the pages of these slots to the disk and waits for it.
    pub(super) fn sync(&self, slots: std::ops::Range<usize>) -> io::Result<()> {
        self.raw.flush_range(slots.start * SLOT_BYTES, slots.len() * SLOT_BYTES)
    }
}
