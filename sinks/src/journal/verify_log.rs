//! Checks the records of one segment against their seals, and the order of their ids.

use super::align::{Difference, differences};
use super::error::{Damage, Fault, JournalError};
use super::files::SegmentFile;
use super::findings::Whole;
use super::format::{BLOCK_RECORDS, LogKind, record_offset};
use super::seal::Sidecar;
use bytemuck::Zeroable;
use flow::{Event, EventId};
use std::ops::Range;

/// Whether a record of `log` with this id may follow one with the seq `previous`.
#[inline]
pub(super) fn follows(log: LogKind, id: EventId, previous: u64) -> bool {
    let seq = id.seq();
    let in_order = match log {
        LogKind::Inputs => seq == previous + 1,
        LogKind::Outcomes => seq >= previous && seq > 0,
    };
    in_order && id.0 & EventId::RING_BIT == 0
}

/// Follows the ids of a log.
pub(super) struct Cursor {
    log: LogKind,
    last: u64,
    /// Damage hides what came before: any next id is accepted.
    unknown: bool,
}

impl Cursor {
    /// Starts a log after `last_seq`.
    pub(super) fn new(log: LogKind, last_seq: u64) -> Cursor {
        Cursor { log, last: last_seq, unknown: false }
    }

    /// Accepts any next id.
    pub(super) fn forget(&mut self) {
        self.unknown = true;
    }

    /// Seq of the last record.
    pub(super) fn last_seq(&self) -> u64 {
        self.last
    }

    /// The seq of the next record, read as `found`: for an input it is known; for an outcome it is the seq that the
    /// record carries if that fits between its neighbours, else that of the record before.
    fn expected(&self, found: &Event, behind: &Event) -> Option<u64> {
        let seq = found.id.seq();
        match self.log {
            LogKind::Inputs => Some(self.last + 1),
            LogKind::Outcomes if seq >= self.last && seq <= behind.id.seq().max(self.last) => Some(seq),
            LogKind::Outcomes => Some(self.last),
        }
    }

    /// Checks that this id may come next, and moves on to it.
    fn accept(&mut self, id: EventId) -> Result<(), Damage> {
        let (seq, previous) = (id.seq(), self.last);
        let before = if self.unknown { seq.saturating_sub(u64::from(self.log == LogKind::Inputs)) } else { previous };
        let right = follows(self.log, id, before);
        (self.last, self.unknown) = (seq, false);
        right.then_some(()).ok_or(Damage::Id { found: id.0, previous })
    }

    /// Moves over the sealed records of a segment that is whole: only the first can be out of place.
    pub(super) fn pass_whole(&mut self, file: &SegmentFile, whole: &Whole, fault: &mut impl FnMut(Fault)) {
        if let Err(what) = self.accept(whole.first) {
            fault(file.fault(Some(0), Some(whole.first.seq()), what));
        }
        self.last = whole.last.seq();
    }

    /// Moves past `records` damaged records: inputs are counted, an outcome's seq stays.
    fn pass(&mut self, records: u64) {
        if self.log == LogKind::Inputs {
            self.last += records;
        }
    }
}

/// Checks the sealed records of a segment one by one; returns how many records of the file they account for.
pub(super) fn check_sealed(
    file: &SegmentFile,
    seal: &Sidecar,
    cursor: &mut Cursor,
    fault: &mut impl FnMut(Fault),
) -> Result<u64, JournalError> {
    let sealed: Vec<u32> = seal.blocks.iter().flat_map(|b| b.crcs.iter().copied()).collect();
    let found = crcs(file, sealed.len() + 2)?;
    let (differences, taken) = differences(&sealed, &found);
    sealed_part(file, &sealed, &found, &differences, cursor, fault)?;
    Ok(taken as u64)
}

/// CRC32C of the first `count` records in the file, written or not.
fn crcs(file: &SegmentFile, count: usize) -> Result<Vec<u32>, JournalError> {
    let mut buffer = vec![Event::zeroed(); BLOCK_RECORDS];
    let mut crcs = Vec::with_capacity(count);
    while crcs.len() < count {
        let room = buffer.len().min(count - crcs.len());
        let read = file.read(crcs.len() as u64, &mut buffer[..room])?;
        if read == 0 {
            break;
        }
        crcs.extend(buffer[..read].iter().map(|e| crc32c::crc32c(bytemuck::bytes_of(e))));
    }
    Ok(crcs)
}

/// The records of a segment by index, read a block at a time.
struct Records<'a> {
    file: &'a SegmentFile,
    buffer: Vec<Event>,
    window: Range<usize>,
}

impl Records<'_> {
    fn new(file: &SegmentFile) -> Records<'_> {
        Records { file, buffer: vec![Event::zeroed(); BLOCK_RECORDS], window: 0..0 }
    }

    /// The record at `index`; zeros past the end of the file.
    fn at(&mut self, index: usize) -> Result<Event, JournalError> {
        if !self.window.contains(&index) {
            let read = self.file.read(index as u64, &mut self.buffer)?;
            self.window = index..index + read.max(1);
            if read == 0 {
                self.buffer[0] = Event::zeroed();
            }
        }
        Ok(self.buffer[index - self.window.start])
    }
}

/// Reports the differences, and checks the ids of the intact sealed records.
fn sealed_part(
    file: &SegmentFile,
    sealed: &[u32],
    found: &[u32],
    differences: &[Difference],
    cursor: &mut Cursor,
    fault: &mut impl FnMut(Fault),
) -> Result<(), JournalError> {
    let mut records = Records::new(file);
    let mut differences = differences.iter().peekable();
    let (mut i, mut j) = (0, 0);
    while i < sealed.len() {
        let event = records.at(j)?;
        let here = differences.next_if(|d| match d {
            Difference::Changed(at, _) | Difference::Removed(at) | Difference::Inserted(at, _) => *at == i,
            Difference::Swapped(at) => *at == i,
        });
        let seq = cursor.expected(&event, &if here.is_some() { records.at(j + 1)? } else { event });
        let named = |what| file.fault(Some(i as u64), seq, what);
        match here {
            None => {
                if let Err(what) = cursor.accept(event.id) {
                    fault(named(what));
                }
                (i, j) = (i + 1, j + 1);
            }
            Some(Difference::Changed(_, at)) => {
                fault(named(Damage::Changed { found: found[*at], sealed: sealed[i] }));
                cursor.pass(1);
                (i, j) = (i + 1, j + 1);
            }
            Some(Difference::Removed(_)) => {
                fault(named(Damage::Removed));
                cursor.pass(1);
                i += 1;
            }
            Some(Difference::Inserted(_, at)) => {
                let duplicate = *at > 0 && found[at - 1] == found[*at];
                fault(named(Damage::Inserted { duplicate }));
                j += 1;
            }
            Some(Difference::Swapped(_)) => {
                fault(named(Damage::Swapped));
                cursor.pass(2);
                (i, j) = (i + 2, j + 2);
            }
        }
    }
    Ok(())
}

/// Checks the part after the sealed records: written records, then nothing. Returns how many records are written, and
/// whether a half-written one follows. Looks at no more of them than `range` has: a writer may have gone on since.
pub(super) fn check_tail(
    file: &SegmentFile,
    range: Range<u64>,
    cursor: &mut Cursor,
    closed: bool,
    ended: bool,
    fault: &mut impl FnMut(Fault),
) -> Result<(u64, bool), JournalError> {
    let mut buffer = vec![Event::zeroed(); BLOCK_RECORDS];
    let mut index = range.start;
    while index < range.end {
        // A record after the first 0 is reported below, with everything else after the end.
        let n = match file.read_written(index, &mut buffer)? {
            Ok(n) => n,
            Err(_) => buffer.iter().take_while(|e| e.id.0 != 0).count(),
        };
        let n = n.min((range.end - index) as usize);
        for (k, event) in buffer[..n].iter().enumerate() {
            let seq = cursor.expected(event, event);
            if let Err(what) = cursor.accept(event.id) {
                fault(file.fault(Some(index + k as u64), seq, what));
            }
        }
        if n > 0 && ended {
            fault(file.fault(Some(index), None, Damage::BehindEnd));
        }
        if n > 0 && closed {
            fault(file.fault(Some(index), None, Damage::Inserted { duplicate: false }));
        }
        index += n as u64;
        if n < buffer.len() {
            break;
        }
    }
    let next = file.record(index)?;
    let torn = next.id.0 == 0 && next != Event::zeroed();
    if let Some(stray) = file.first_not_zero(index + 1)?
        && file.record(index)?.id.0 == 0
    {
        fault(Fault { offset: Some(record_offset(stray)), ..file.fault(Some(stray), None, Damage::BehindEnd) });
    }
    if torn && closed {
        fault(file.fault(Some(index), None, Damage::BehindEnd));
    }
    Ok((index, torn))
}
