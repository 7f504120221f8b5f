//! The helper's work on one log: syncing and sealing behind the writer, writable pages ahead of it.
//!
//! Only whole writeback units (the kernel's folios, which it caches and writes back as a whole) are synced at once,
//! because the next write to a page under writeback must fault it in again. What has already waited for one interval is
//! synced all the same, and made writable again at once. Bound: a block of 4,096 records is in memory at a time. Worst
//! case: a log so slow that it fills less than a unit per interval can take one page fault per interval, between the
//! sync of its page and the moment when the page is writable again.

use super::format::{BLOCK_RECORDS, HEADER_SLOTS, LogKind};
use super::handover::Handover;
use super::seal::SealWriter;
use super::segment::{PAGE_RECORDS, Segment, WRITEBACK_RECORDS};
use flow::Event;
use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// Records ahead of a writer whose pages are kept writable.
const REARM_RECORDS: u64 = 32 * PAGE_RECORDS;

/// A segment that is being written or is prepared for it.
#[derive(Debug)]
pub(super) struct Live {
    pub(super) segment: Arc<Segment>,
    pub(super) seal: SealWriter,
    /// Number of records on disk.
    pub(super) synced: u64,
}

/// A full and sealed segment.
#[derive(Clone, Copy, Debug)]
pub(super) struct Kept {
    pub(super) number: u64,
    pub(super) last_record: u64,
    pub(super) last_seq: u64,
    pub(super) chain: [u8; 32],
}

/// The helper's state of one log.
#[derive(Debug)]
pub(super) struct LogKeeper {
    pub(super) log: LogKind,
    pub(super) handover: Arc<Handover>,
    pub(super) live: VecDeque<Live>,
    pub(super) kept: VecDeque<Kept>,
    pub(super) next_number: u64,
    /// Chain and seq at the end of the sealed part.
    pub(super) chain: [u8; 32],
    pub(super) last_seq: u64,
    pub(super) completed: u64,
    seen: u64,
    synced_state: (u64, u64),
}

impl LogKeeper {
    pub(super) fn new(log: LogKind, chain: [u8; 32], written: u64) -> LogKeeper {
        LogKeeper {
            log,
            handover: Arc::new(Handover::new(written)),
            live: VecDeque::new(),
            kept: VecDeque::new(),
            next_number: 1,
            chain,
            last_seq: 0,
            completed: 0,
            seen: 0,
            synced_state: (0, 0),
        }
    }

    pub(super) fn is_closed(&self) -> bool {
        self.handover.closed.load(Ordering::SeqCst)
    }

    /// Reads completed-through before written, so that the first never exceeds the second.
    fn look(&mut self) -> u64 {
        let words = self.live.iter().map(|l| l.segment.completed()).max().unwrap_or(0);
        self.completed = self.completed.max(words);
        self.handover.written()
    }

    /// Syncs what was written and seals its complete blocks; seals everything if `closing`.
    pub(super) fn sync_and_seal(&mut self, journal_id: u64, closing: bool, records: &mut Vec<Event>) -> io::Result<()> {
        let written = self.look();
        self.sync(written, closing)?;
        // A segment is retired before the next one is sealed, so its header never lags behind its successors.
        while !self.live.is_empty() {
            self.seal_front(journal_id, written, closing, records)?;
            if !self.retire_front()? {
                break;
            }
        }
        Ok(())
    }

    fn sync(&mut self, written: u64, closing: bool) -> io::Result<()> {
        let seen = std::mem::replace(&mut self.seen, written);
        let state = (written, self.completed);
        for live in &mut self.live {
            let used = live.used(written);
            let units = whole_units(used);
            let before = live.used(seen);
            let lingers = before > units || before == used;
            let whole = used == live.segment.capacity || lingers || closing;
            let target = if whole { used } else { units };
            if target > live.synced {
                live.segment.sync(live.synced..target)?;
                live.synced = target;
            }
            if used == live.segment.capacity {
                continue;
            }
            if (lingers || closing) && used > 0 && state != self.synced_state {
                live.rearm(used);
                live.segment.sync_header()?;
                live.rearm(used);
                self.synced_state = state;
            }
            break;
        }
        Ok(())
    }

    fn seal_front(&mut self, journal_id: u64, written: u64, closing: bool, records: &mut Vec<Event>) -> io::Result<()> {
        let live = &mut self.live[0];
        let before = live.seal.sealed;
        let full = live.synced == live.segment.capacity;
        loop {
            let left = live.synced - live.seal.sealed;
            if left == 0 || (left < BLOCK_RECORDS as u64 && !full && !closing) {
                break;
            }
            if !live.seal.has_begun() {
                live.seal.begin(&live.segment, journal_id, self.chain)?;
            }
            let first = live.seal.sealed as usize;
            let count = left.min(BLOCK_RECORDS as u64) as usize;
            records.clear();
            records.extend((first..first + count).map(|index| live.segment.load(index)));
            self.last_seq = records.last().map_or(self.last_seq, |e| e.id.seq());
            let behind = live.segment.first_record + (first + count) as u64 <= written;
            let through = if behind { self.completed.min(self.last_seq.saturating_sub(1)) } else { self.completed };
            self.chain = live.seal.block(&live.segment, records, through)?;
        }
        if live.seal.sealed > before {
            live.seal.sync()?;
            if live.seal.sealed < live.segment.capacity {
                live.segment.set_sealed(live.seal.sealed);
            }
        }
        Ok(())
    }

    /// Retires the front segment if it is full, sealed and released by the writer; returns whether it did.
    fn retire_front(&mut self) -> io::Result<bool> {
        let Live { segment, seal, .. } = &self.live[0];
        if seal.sealed < segment.capacity || Arc::strong_count(segment) > 1 {
            return Ok(false);
        }
        segment.set_completed(0);
        segment.set_sealed(segment.capacity);
        segment.sync_header()?;
        seal.trim()?;
        let last_record = segment.first_record + segment.capacity - 1;
        self.kept.push_back(Kept { number: segment.number, last_record, last_seq: self.last_seq, chain: self.chain });
        self.live.pop_front();
        Ok(true)
    }

    /// Keeps the pages ahead of the writer writable.
    pub(super) fn rearm(&self) {
        let written = self.handover.written();
        let ahead = self.live.iter().filter(|l| l.used(written) < l.segment.capacity);
        for live in ahead.take(2) {
            live.rearm(live.used(written));
        }
    }
}

/// How many of a segment's first `used` records fill whole writeback units.
fn whole_units(used: u64) -> u64 {
    let slots = HEADER_SLOTS as u64 + used;
    (slots - slots % WRITEBACK_RECORDS).saturating_sub(HEADER_SLOTS as u64)
}

impl Live {
    /// Records of this segment when the log has `written` records.
    pub(super) fn used(&self, written: u64) -> u64 {
        (written + 1).saturating_sub(self.segment.first_record).min(self.segment.capacity)
    }

    /// Faults the header's page and the pages from record `used` on in as writable.
    fn rearm(&self, used: u64) {
        self.segment.populate(used..(used + REARM_RECORDS).min(self.segment.capacity));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_unit_is_intact_once_the_writer_has_left_it() {
        let first = WRITEBACK_RECORDS - HEADER_SLOTS as u64;
        for (used, whole) in [(0, 0), (first - 1, 0), (first, first), (first + WRITEBACK_RECORDS - 1, first)] {
            assert_eq!(whole_units(used), whole, "{used}");
        }
        assert_eq!(whole_units(first + 3 * WRITEBACK_RECORDS), first + 3 * WRITEBACK_RECORDS);
    }
}
