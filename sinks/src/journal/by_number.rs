//! Records of a log by their numbers, in any order: what an index beside the journal points at.
//!
//! A segment holds a stated number of records, so a number says segment and offset: a look costs one read and no search. A
//! segment that was dropped, or is not there yet, has no records here; that is no fault. Bound: [`OPEN`] files are open.

use super::error::{Damage, JournalError};
use super::files::{SegmentFile, segment_numbers};
use super::format::LogKind;
use super::home::Member;
use super::reader::JournalReader;
use bytemuck::Zeroable;
use flow::Event;

/// The most segments that are open at once.
const OPEN: usize = 16;

/// Reads one log of a journal at any place.
#[derive(Debug)]
pub struct Records {
    reader: JournalReader,
    log: LogKind,
    /// The segments that were read last, the latest behind the others.
    open: Vec<SegmentFile>,
}

impl Records {
    /// The records of that log of a journal.
    pub fn of(member: &Member, log: LogKind) -> Records {
        Records { reader: member.reader(), log, open: Vec::new() }
    }

    /// Records per segment.
    pub fn capacity(&self) -> u64 {
        self.reader.info().segment_records
    }

    /// The numbers of the segments that are there, ascending.
    ///
    /// # Errors
    /// When a folder cannot be read.
    pub fn segments(&mut self) -> Result<Vec<u64>, JournalError> {
        self.reader.find_memory()?;
        segment_numbers(self.reader.dir(), self.reader.info(), self.log)
    }

    /// How many records of that segment are written.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn written(&mut self, segment: u64) -> Result<u64, JournalError> {
        // Most segments are full.
        let last = segment * self.capacity();
        if self.get(last)?.is_some() {
            return Ok(self.capacity());
        }
        self.segment(segment)?.map_or(Ok(0), |file| file.partition(|_| true))
    }

    /// The record with this number, from 1; `None` if it is not written, or was dropped.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn get(&mut self, record: u64) -> Result<Option<Event>, JournalError> {
        let mut one = [Event::zeroed()];
        Ok((self.read(record, &mut one)? == 1).then_some(one[0]))
    }

    /// Reads the records from this number on, within its segment; returns how many are written.
    ///
    /// # Errors
    /// When the file cannot be read, or is not what the journal's writer leaves.
    pub fn read(&mut self, record: u64, to: &mut [Event]) -> Result<usize, JournalError> {
        let before = record.max(1) - 1;
        let (number, index) = (before / self.capacity() + 1, before % self.capacity());
        for look in 0..2 {
            let Some(file) = self.segment(number)? else { return Ok(0) };
            match file.read_written(index, to)? {
                // Its memory was given back meanwhile, or a run that goes on has put it elsewhere.
                Ok(0) if look == 0 => self.open.retain(|open| open.number() != number),
                Ok(read) => return Ok(read),
                Err(index) => {
                    let fault = file.fault(Some(index), None, Damage::BehindEnd);
                    return Err(JournalError::Damaged { dir: self.reader.dir().to_owned(), fault: Box::new(fault) });
                }
            }
        }
        Ok(0)
    }

    fn segment(&mut self, number: u64) -> Result<Option<&SegmentFile>, JournalError> {
        match self.open.iter().position(|open| open.number() == number) {
            Some(at) => {
                let file = self.open.remove(at);
                self.open.push(file);
            }
            None => {
                let (dir, info) = (self.reader.dir(), self.reader.info());
                let Some(file) = SegmentFile::open(dir, info, self.log, number)? else { return Ok(None) };
                if self.open.len() == OPEN {
                    self.open.remove(0);
                }
                self.open.push(file);
            }
        }
        Ok(self.open.last())
    }
}
