//! Checks what is sealed, many segments at once.
//!
//! A sidecar bears the chain before its segment, so every segment can be checked without those before it: the CRC of each
//! record, the chain over each block, the order of the ids. Threads take segments from one counter. This is the fast pass
//! over a journal without damage; where a segment does not hold, the slow one ([`super::verify_log`]) finds out which
//! record it is.
//!
//! Bound: a block of 4,096 records and a sidecar a thread. Worst case: a journal that is not in memory is as fast as its
//! disk. A stop is obeyed between two blocks.

use super::error::JournalError;
use super::files::{SegmentFile, sidecar};
use super::findings::Whole;
use super::format::{BLOCK_RECORDS, LogKind};
use super::manifest::JournalInfo;
use super::verify_log::follows;
use bytemuck::Zeroable;
use flow::{Event, EventId};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

/// Those of `segments` that are whole as far as they are sealed, checked by up to `threads` threads.
pub(super) fn whole_segments(
    dir: &Path,
    info: &JournalInfo,
    segments: &[(LogKind, u64)],
    threads: usize,
    stop: &AtomicBool,
) -> Result<Vec<Whole>, JournalError> {
    let next = AtomicUsize::new(0);
    let work = || -> Result<Vec<Whole>, JournalError> {
        let (mut found, mut buffer) = (Vec::new(), vec![Event::zeroed(); BLOCK_RECORDS]);
        while let Some((log, number)) = segments.get(next.fetch_add(1, Ordering::Relaxed)) {
            found.extend(whole(dir, info, *log, *number, &mut buffer, stop)?);
        }
        Ok(found)
    };
    let joined = thread::scope(|scope| {
        let more: Vec<_> = (1..threads.min(segments.len())).map(|_| scope.spawn(work)).collect();
        let mut all = vec![work()];
        all.extend(more.into_iter().map(|t| t.join().unwrap_or_else(|e| std::panic::resume_unwind(e))));
        all
    });
    joined.into_iter().try_fold(Vec::new(), |mut all, found| {
        all.extend(found?);
        Ok(all)
    })
}

fn whole(
    dir: &Path,
    info: &JournalInfo,
    log: LogKind,
    number: u64,
    buffer: &mut [Event],
    stop: &AtomicBool,
) -> Result<Option<Whole>, JournalError> {
    let Some(seal) = sidecar(dir, info, log, number)? else { return Ok(None) };
    let Some(file) = SegmentFile::open(dir, info, log, number)? else { return Ok(None) };
    let Some(mut chain) = seal.header.map(|h| h.start) else { return Ok(None) };
    let (mut index, mut ends): (u64, Option<(EventId, EventId)>) = (0, None);
    for block in &seal.blocks {
        if stop.load(Ordering::Relaxed) {
            return Err(JournalError::Stopped { dir: dir.to_owned() });
        }
        let records = &mut buffer[..block.crcs.len()];
        if file.read(index, records)? < records.len() {
            return Ok(None);
        }
        if !block.has(records) || !block.continues(&chain, records) {
            return Ok(None);
        }
        chain = block.header.chain;
        for event in records.iter() {
            if ends.is_some_and(|(_, last)| !follows(log, event.id, last.seq())) {
                return Ok(None);
            }
            ends = Some((ends.map_or(event.id, |(first, _)| first), event.id));
        }
        index += records.len() as u64;
    }
    Ok(ends.map(|(first, last)| Whole { log, number, records: index, first, last }))
}
