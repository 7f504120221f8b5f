//! Reads a journal, complete or while it is being written.
//!
//! A [`LogReader`] iterates over a log's events. At the end of what is written it yields `None`; called again later, it
//! continues, so tailing a log needs nothing else. In the unsealed tail ids are trusted: a record exists once its id
//! word is stored, and the first 0 ends the log.
//!
//! Bound: a buffer of [`CHUNK`] records. Worst case: a reader so slow that its segment is dropped; it continues at the
//! oldest outcome left, and [`JournalReader::gaps`] reports what it missed.

use super::error::{Damage, Fault, JournalError};
use super::files::{SegmentFile, all_gaps, last_seq, records, segment_numbers, sidecar};
use super::format::{LogKind, record_offset};
use super::gaps::Gaps;
use super::manifest::{Closed, JournalInfo, read_manifest};
use super::memory::is_noted;
use super::verify::{Pass, go_through};
use bytemuck::Zeroable;
use flow::{Event, EventId, Ns};
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

/// Records per read.
const CHUNK: usize = 256;

/// A journal, open for reading.
#[derive(Clone, Debug)]
pub struct JournalReader {
    dir: PathBuf,
    info: JournalInfo,
}

/// One segment, for listings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SegmentSummary {
    /// The log that it belongs to.
    pub log: LogKind,
    /// Its number.
    pub number: u64,
    /// Its file, relative to the journal's folder.
    pub file: String,
    /// Size of the file in bytes.
    pub bytes: u64,
    /// Number of its first record.
    pub first_record: u64,
    /// Number of written records.
    pub records: u64,
    /// Number of sealed records.
    pub sealed: u64,
    /// Id and time of the first record.
    pub first: Option<(EventId, Ns)>,
    /// Id and time of the last record.
    pub last: Option<(EventId, Ns)>,
}

impl JournalReader {
    /// Opens the journal in `dir` without locking or changing anything.
    ///
    /// # Errors
    /// When there is no journal, or its manifest cannot be read.
    pub fn open(dir: &Path) -> Result<JournalReader, JournalError> {
        let (info, _) = read_manifest(dir)?;
        Ok(JournalReader { dir: dir.to_owned(), info })
    }

    pub(super) fn of(dir: &Path, info: JournalInfo) -> JournalReader {
        JournalReader { dir: dir.to_owned(), info }
    }

    /// The journal's identity and settings.
    pub fn info(&self) -> &JournalInfo {
        &self.info
    }

    /// The folder of the newest records in memory, if the journal is being written or its writer died.
    pub fn memory(&self) -> Option<&Path> {
        self.info.memory.as_deref()
    }

    /// Why the newest records, which lay in memory, are not in the logs; in words. `None` if nothing is missing.
    pub fn lost_memory(&self) -> Option<&str> {
        self.info.lost_memory.as_deref()
    }

    /// The journal's folder.
    pub(super) fn dir(&self) -> &Path {
        &self.dir
    }

    /// Checks everything of these logs that is sealed, and the order of what is not, as `verify` does. Changes nothing, and
    /// works while the journal is being written. `stop` ends it early.
    ///
    /// # Errors
    /// The first fault, or that it was stopped.
    pub fn check(&self, logs: &[LogKind], stop: &AtomicBool) -> Result<(), JournalError> {
        // One thread: a run that writes the journal may need the other cores.
        let pass = Pass { logs, limit: 1, lenient: true, threads: 1, stop };
        let (verified, _) = go_through(&self.dir, &pass)?;
        verified.faults.into_iter().next().map_or(Ok(()), |fault| Err(self.damaged(fault)))
    }

    /// Seq of the last input that is stored; without one that of the last input before the journal.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub fn last_input_seq(&self) -> Result<u64, JournalError> {
        last_seq(&self.dir, &self.info, LogKind::Inputs)
    }

    /// Reads the inputs from the beginning.
    pub fn inputs(&self) -> LogReader {
        self.log(LogKind::Inputs)
    }

    /// Reads the outcomes from the oldest one left.
    pub fn outcomes(&self) -> LogReader {
        self.log(LogKind::Outcomes)
    }

    /// Reads one of the logs from the beginning.
    pub fn log(&self, log: LogKind) -> LogReader {
        let buffer = vec![Event::zeroed(); CHUNK].into_boxed_slice();
        let reader = self.clone();
        LogReader {
            reader,
            log,
            number: 1,
            segment: None,
            index: 0,
            buffer,
            at: 0,
            have: 0,
            last_seq: 0,
            checked: false,
            broken: false,
        }
    }

    /// Looks again where the newest records lie: a run that goes on may have put them elsewhere.
    pub(super) fn find_memory(&mut self) -> Result<(), JournalError> {
        self.info.find_memory(&self.dir)
    }

    /// Number of records that were ever written to a log.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub fn records(&self, log: LogKind) -> Result<u64, JournalError> {
        records(&self.dir, &self.info, log)
    }

    /// The gaps of the outcome log.
    ///
    /// # Errors
    /// When the gap file cannot be read.
    pub fn gaps(&self) -> Result<Gaps, JournalError> {
        let read = all_gaps(&self.dir, &self.info);
        read.map(|(gaps, _)| gaps).map_err(|e| JournalError::io(&self.dir.join("outcomes/gaps"), "reading", e))
    }

    /// Where the logs end; `None` while the journal is being written, or if its writer died.
    ///
    /// # Errors
    /// When `closed.toml` exists but cannot be read.
    pub fn closed(&self) -> Result<Option<Closed>, JournalError> {
        Closed::read(&self.dir)
    }

    /// All inputs up to this seq are finished, and their outcomes are in the log (or in its gaps).
    ///
    /// # Errors
    /// When a file cannot be read.
    pub fn completed_through(&self) -> Result<u64, JournalError> {
        if let Some(closed) = self.closed()? {
            return Ok(closed.completed_through);
        }
        let mut through = self.info.after();
        for number in segment_numbers(&self.dir, &self.info, LogKind::Outcomes)?.into_iter().rev() {
            if let Some(segment) = SegmentFile::open(&self.dir, &self.info, LogKind::Outcomes, number)? {
                through = through.max(segment.header()?.0.completed());
            }
            let sealed = sidecar(&self.dir, &self.info, LogKind::Outcomes, number)?;
            let sealed = sealed.map_or(0, |s| s.through());
            through = through.max(sealed);
            if sealed > 0 {
                break;
            }
        }
        Ok(through)
    }

    /// All segment files of both logs, inputs first.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub fn list(&self) -> Result<Vec<SegmentSummary>, JournalError> {
        let mut list = Vec::new();
        for log in LogKind::BOTH {
            for number in segment_numbers(&self.dir, &self.info, log)? {
                list.extend(self.summary(log, number)?);
            }
        }
        Ok(list)
    }

    fn summary(&self, log: LogKind, number: u64) -> Result<Option<SegmentSummary>, JournalError> {
        let Some(segment) = SegmentFile::open(&self.dir, &self.info, log, number)? else { return Ok(None) };
        let records = segment.partition(|_| true)?;
        let ends = |index: Option<u64>| -> Result<Option<(EventId, Ns)>, JournalError> {
            index.map(|i| segment.record(i).map(|e| (e.id, e.ts))).transpose()
        };
        Ok(Some(SegmentSummary {
            log,
            number,
            file: segment.name(),
            bytes: segment.length()?,
            first_record: segment.first_record(),
            records,
            sealed: sidecar(&self.dir, &self.info, log, number)?.map_or(0, |s| s.records),
            first: ends((records > 0).then_some(0))?,
            last: ends(records.checked_sub(1))?,
        }))
    }

    pub(super) fn damaged(&self, fault: Fault) -> JournalError {
        JournalError::Damaged { dir: self.dir.clone(), fault: Box::new(fault) }
    }
}

/// Reads one log, record by record.
///
/// `next` yields `None` at the end of what is written so far and continues when there is more. After an error it yields
/// `None` until the next seek.
#[derive(Debug)]
pub struct LogReader {
    reader: JournalReader,
    log: LogKind,
    number: u64,
    segment: Option<SegmentFile>,
    /// Index in the segment after the buffer.
    index: u64,
    buffer: Box<[Event]>,
    at: usize,
    have: usize,
    last_seq: u64,
    /// The next record was looked at already.
    checked: bool,
    broken: bool,
}

impl LogReader {
    /// Number, from 1, of the record that `next` yields next.
    pub fn next_record(&self) -> u64 {
        (self.number - 1) * self.reader.info.segment_records + self.index - (self.have - self.at) as u64 + 1
    }

    /// Seeks to the record with this number, from 1, such as a saved position.
    pub fn seek_record(&mut self, record: u64) {
        let before = record.max(1) - 1;
        self.place(before / self.reader.info.segment_records + 1, before % self.reader.info.segment_records);
    }

    /// Seeks to the first record whose seq is at least `seq`; to the end if there is none yet.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub fn seek_seq(&mut self, seq: u64) -> Result<(), JournalError> {
        self.seek(|event| event.id.seq() < seq)
    }

    /// Seeks to the first record that is later than this time; to the end if there is none yet.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub fn seek_behind(&mut self, ts: Ns) -> Result<(), JournalError> {
        self.seek(|event| event.ts <= ts)
    }

    /// Seeks to the first record for which `before` does not hold; it must hold for a beginning of the log alone.
    fn seek(&mut self, before: impl Fn(&Event) -> bool) -> Result<(), JournalError> {
        let numbers = segment_numbers(&self.reader.dir, &self.reader.info, self.log)?;
        let open = |number| SegmentFile::open(&self.reader.dir, &self.reader.info, self.log, number);
        let (mut low, mut high) = (0, numbers.len());
        while low < high {
            let middle = low + (high - low) / 2;
            let first = open(numbers[middle])?.map(|s| s.record(0)).transpose()?;
            if first.is_some_and(|e| e.id.0 != 0 && before(&e)) { low = middle + 1 } else { high = middle }
        }
        let number = low.checked_sub(1).map_or(numbers.first().copied().unwrap_or(1), |n| numbers[n]);
        let index = match open(number)? {
            Some(segment) => segment.partition(before)?,
            None => 0,
        };
        self.place(number, index);
        Ok(())
    }

    fn place(&mut self, number: u64, index: u64) {
        (self.number, self.index, self.segment) = (number, index, None);
        (self.at, self.have, self.last_seq, self.checked, self.broken) = (0, 0, 0, false, false);
    }

    /// Fills the buffer; `false` at the end of what is written.
    fn fill(&mut self) -> Result<bool, JournalError> {
        let mut searched = false;
        loop {
            if self.segment.is_none() {
                self.segment = SegmentFile::open(&self.reader.dir, &self.reader.info, self.log, self.number)?;
                let Some(segment) = &self.segment else { return self.step_over() };
                if let (_, Some(wrong)) = segment.header()?
                    && !segment.is_given_back()
                {
                    return Err(self.reader.damaged(segment.fault(None, None, Damage::Header(wrong))));
                }
            }
            if self.index == self.reader.info.segment_records {
                (self.number, self.index, self.segment) = (self.number + 1, 0, None);
                continue;
            }
            let segment = self.segment.as_ref().expect("opened above");
            if segment.is_given_back() {
                self.reopen()?;
                continue;
            }
            match segment.read_written(self.index, &mut self.buffer)? {
                Ok(0) if segment.is_given_back() => self.reopen()?,
                // A run has gone on with a journal that was closed: what follows lies in memory.
                Ok(0) if !searched && !segment.is_in_memory() && is_noted(&self.reader.dir) => {
                    searched = true;
                    self.reopen()?;
                }
                Ok(0) => return Ok(false),
                Ok(n) => {
                    (self.at, self.have, self.index) = (0, n, self.index + n as u64);
                    return Ok(true);
                }
                Err(index) => return Err(self.reader.damaged(segment.fault(Some(index), None, Damage::BehindEnd))),
            }
        }
    }

    /// Opens the segment in the place where it is now.
    fn reopen(&mut self) -> Result<(), JournalError> {
        self.segment = None;
        let JournalReader { dir, info } = &mut self.reader;
        info.find_memory(dir)
    }

    /// Handles a segment that does not exist: it was dropped, is not created yet, or is missing.
    fn step_over(&mut self) -> Result<bool, JournalError> {
        self.reopen()?;
        let JournalReader { dir, info } = &self.reader;
        // Segments are created in order: if a later one exists, this one must too, unless it was removed. The gaps are read
        // after that, because a segment is dropped only once its gap is recorded.
        let later = segment_numbers(dir, info, self.log)?.last().is_some_and(|last| *last > self.number);
        if SegmentFile::open(dir, info, self.log, self.number)?.is_some() {
            return self.fill();
        }
        if self.log == LogKind::Outcomes {
            let dropped = self.reader.gaps()?.dropped;
            if dropped.through_segment >= self.number {
                (self.number, self.index) = (dropped.through_segment + 1, 0);
                return self.fill();
            }
        }
        if later { Err(self.reader.damaged(Fault::missing(self.log, self.number))) } else { Ok(false) }
    }

    fn check(&mut self, event: &Event) -> Result<(), JournalError> {
        let (seq, last) = (event.id.seq(), self.last_seq);
        let follows = match self.log {
            LogKind::Inputs => seq > last,
            LogKind::Outcomes => seq >= last && seq > 0,
        };
        if follows && event.id.0 & EventId::RING_BIT == 0 {
            self.last_seq = seq;
            return Ok(());
        }
        let record = self.next_record();
        Err(self.reader.damaged(Fault {
            log: Some(self.log),
            file: self.log.segment_name(self.number),
            offset: Some(record_offset((record - 1) % self.reader.info.segment_records)),
            record: Some(record),
            seq: None,
            what: Damage::Id { found: event.id.0, previous: last },
        }))
    }

    /// The record that `next` yields next, if it is written.
    pub(super) fn peek(&mut self) -> Result<Option<&Event>, JournalError> {
        if self.broken || (self.at == self.have && !self.fill().inspect_err(|_| self.broken = true)?) {
            return Ok(None);
        }
        if !std::mem::replace(&mut self.checked, true) {
            let event = self.buffer[self.at];
            self.check(&event).inspect_err(|_| self.broken = true)?;
        }
        Ok(Some(&self.buffer[self.at]))
    }

    /// Goes on behind the record that `peek` showed.
    pub(super) fn pass(&mut self) {
        debug_assert!(self.at < self.have, "only what was seen is passed");
        (self.at, self.checked) = (self.at + 1, false);
    }
}

impl Iterator for LogReader {
    type Item = Result<Event, JournalError>;

    fn next(&mut self) -> Option<Self::Item> {
        let next = self.peek().map(|event| event.copied());
        if matches!(next, Ok(Some(_))) {
            self.pass();
        }
        next.transpose()
    }
}
