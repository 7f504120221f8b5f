//! Checks a part of the inputs: only what somebody is about to read.
//!
//! The whole pass over a journal reads every sealed byte, which takes as long as the journal is. Whoever wants a few inputs of
//! it checks these: each sealed record by the checksum in its sidecar, and that the numbers go on. Records that are not sealed yet
//! are trusted by their ids, as everywhere. Bound: a buffer of
//! [`BLOCK_RECORDS`] records, and the sidecars of the segments that the part lies in.

use super::error::{Damage, JournalError};
use super::files::{SegmentFile, sidecar};
use super::format::{BLOCK_RECORDS, LogKind};
use super::reader::JournalReader;
use bytemuck::Zeroable;
use flow::Event;
use std::ops::Range;

impl JournalReader {
    /// Checks the inputs with these numbers, which must lie in this journal; `look` gets each of them.
    ///
    /// # Errors
    /// The first fault; or a file cannot be read.
    pub fn check_inputs(&self, seqs: Range<u64>, mut look: impl FnMut(&Event)) -> Result<(), JournalError> {
        let (after, capacity) = (self.info().after(), self.info().segment_records);
        let (mut record, end) = (seqs.start.saturating_sub(after).max(1), seqs.end.saturating_sub(after));
        while record < end {
            let number = (record - 1) / capacity + 1;
            let first = (number - 1) * capacity + 1;
            let last = end.min(first + capacity);
            self.check_segment(number, record - first..last - first, &mut look)?;
            record = last;
        }
        Ok(())
    }

    /// Checks the inputs of a segment at these places.
    fn check_segment(
        &self,
        number: u64,
        places: Range<u64>,
        look: &mut impl FnMut(&Event),
    ) -> Result<(), JournalError> {
        let log = LogKind::Inputs;
        let seal = sidecar(self.dir(), self.info(), log, number)?;
        let Some(file) = SegmentFile::open(self.dir(), self.info(), log, number)? else { return Ok(()) };
        let before = self.info().after() + file.first_record();
        let mut records = vec![Event::zeroed(); BLOCK_RECORDS];
        let mut begin = 0;
        for block in seal.iter().flat_map(|seal| &seal.blocks) {
            let (end, from) = (begin + block.crcs.len() as u64, begin.max(places.start));
            let wanted = (end.min(places.end).saturating_sub(from)) as usize;
            let read = if wanted > 0 { file.read(from, &mut records[..wanted])? } else { 0 };
            for (i, crc) in block.crcs[(from - begin).min(end - begin) as usize..].iter().take(wanted).enumerate() {
                let (place, seq) = (from + i as u64, before + from + i as u64);
                let found = crc32c::crc32c(bytemuck::bytes_of(&records[i]));
                let what = match () {
                    () if i >= read => Damage::Removed,
                    () if found != *crc => Damage::Changed { found, sealed: *crc },
                    () if records[i].id.seq() != seq => Damage::Id { found: records[i].id.0, previous: seq - 1 },
                    () => {
                        look(&records[i]);
                        continue;
                    }
                };
                return Err(self.damaged(file.fault(Some(place), Some(seq), what)));
            }
            begin = end;
        }
        self.look_at_rest(&file, begin.max(places.start)..places.end, &mut records, look)
    }

    /// Shows the inputs of a segment at these places, of which none is sealed.
    fn look_at_rest(
        &self,
        file: &SegmentFile,
        mut places: Range<u64>,
        records: &mut [Event],
        look: &mut impl FnMut(&Event),
    ) -> Result<(), JournalError> {
        while places.start < places.end {
            let wanted = (places.end - places.start).min(records.len() as u64) as usize;
            match file.read_written(places.start, &mut records[..wanted])? {
                // They are read again when they are repeated, and in another place if they have moved there.
                Ok(0) => break,
                Ok(read) => {
                    records[..read].iter().for_each(&mut *look);
                    places.start += read as u64;
                }
                Err(index) => return Err(self.damaged(file.fault(Some(index), None, Damage::BehindEnd))),
            }
        }
        Ok(())
    }
}
