//! How far both logs of a journal are complete, asked again and again.
//!
//! The writer stores the watermark in the header of the outcome segment that it writes, behind the outcomes that it covers. So
//! a reader that looks at the watermark first finds everything up to it. At the end of a journal that is being written that
//! is one word of an open file; else all segments are looked at.
//!
//! Bound: two words in the steady state. Worst case: a reader so far behind that its segment was given back, once for each.

use super::super::error::JournalError;
use super::super::files::{SegmentFile, segment_numbers};
use super::super::format::LogKind;
use super::super::reader::JournalReader;

/// Watches how far a journal is complete.
#[derive(Debug)]
pub(super) struct Progress {
    reader: JournalReader,
    /// The outcome segment in memory that has the watermark, and the one behind it.
    segment: Option<SegmentFile>,
    next: Option<SegmentFile>,
    moved: bool,
}

impl Progress {
    pub(super) fn of(reader: JournalReader) -> Progress {
        Progress { reader, segment: None, next: None, moved: true }
    }

    /// All inputs up to this seq are finished, and their outcomes are in the log or in its gaps.
    pub(super) fn through(&mut self) -> Result<u64, JournalError> {
        match self.word()? {
            Some(through) => Ok(through),
            None => self.search(),
        }
    }

    /// Whether the watermark has been found elsewhere since this was asked last.
    pub(super) fn has_moved(&mut self) -> bool {
        std::mem::take(&mut self.moved)
    }

    /// The watermark where it was last; `None` if it is not there any more.
    fn word(&mut self) -> Result<Option<u64>, JournalError> {
        while let Some(segment) = &self.segment {
            let word = segment.completed()?;
            if segment.is_given_back() {
                self.segment = None;
                break;
            }
            if self.next.is_none() {
                self.next = self.open(segment.number() + 1)?;
            }
            // The writer leaves a segment once the next one has the watermark.
            let Some(later) = &self.next else { return Ok(Some(word)) };
            if later.completed()? == 0 {
                return Ok(Some(word));
            }
            (self.segment, self.moved) = (self.next.take(), true);
        }
        self.next = None;
        Ok(None)
    }

    /// Looks at all segments.
    fn search(&mut self) -> Result<u64, JournalError> {
        self.moved = true;
        self.reader.find_memory()?;
        let through = self.reader.completed_through()?;
        if self.reader.memory().is_some() {
            let numbers = segment_numbers(self.reader.dir(), self.reader.info(), LogKind::Outcomes)?;
            for number in numbers.into_iter().rev() {
                let Some(segment) = self.open(number)? else { break };
                if segment.completed()? > 0 {
                    self.segment = Some(segment);
                    break;
                }
            }
        }
        Ok(through)
    }

    /// An outcome segment in memory.
    fn open(&self, number: u64) -> Result<Option<SegmentFile>, JournalError> {
        let opened = SegmentFile::open(self.reader.dir(), self.reader.info(), LogKind::Outcomes, number)?;
        Ok(opened.filter(SegmentFile::is_in_memory))
    }
}
