//! Both logs of one journal, merged.
//!
//! **Idea.** The outcome log is in the order of inputs, so two cursors are enough: an outcome is due while its input is not
//! behind the next one. Nothing is due that the watermark does not cover, so an input is never followed by the next one
//! before all its outcomes. Where outcomes are missing their record numbers jump, or the gaps of the log say it, and that is
//! told before anything behind it.
//!
//! Bound: two buffers of the [reader](super::super::reader). Worst case: a writer that leaves outcomes out: the watermark
//! stands still until it does not, and so does the reader.

use super::super::error::JournalError;
use super::super::gaps::Gaps;
use super::super::home::Member;
use super::super::manifest::read_manifest;
use super::super::reader::{JournalReader, LogReader};
use super::found::{Followed, Gap, Missing};
use super::position::Position;
use super::progress::Progress;
use flow::Kinds;
use std::collections::VecDeque;

/// Reads one journal.
#[derive(Debug)]
pub(super) struct Merged {
    pub(super) member: Member,
    reader: JournalReader,
    inputs: LogReader,
    outcomes: LogReader,
    progress: Progress,
    /// What may be read, and what was: all up to this seq.
    through: u64,
    done: u64,
    /// First and last seq of outcomes that were never stored, in order.
    lost: VecDeque<(u64, u64)>,
}

impl Merged {
    /// Goes on behind a position in the journal.
    pub(super) fn at(member: &Member, position: &Position) -> Result<Merged, JournalError> {
        let (reader, after) = (member.reader(), member.info.after());
        let (mut inputs, mut outcomes) = (reader.inputs(), reader.outcomes());
        if position.seq > after {
            inputs.seek_record(position.seq - after);
            let found = inputs.peek()?.map(|e| (e.id.seq(), e.ts));
            if found != Some((position.seq, position.at)) {
                let what = match found {
                    Some(_) => format!("its input {} is another one", position.seq),
                    None => format!("it has no input {}", position.seq),
                };
                return Err(JournalError::Elsewhere { dir: member.dir.clone(), what });
            }
            inputs.pass();
        }
        outcomes.seek_record(position.outcomes + 1);
        let progress = Progress::of(reader.clone());
        let (through, done, lost) = (after, after, VecDeque::new());
        Ok(Merged { member: member.clone(), reader, inputs, outcomes, progress, through, done, lost })
    }

    /// The position behind everything that is complete.
    pub(super) fn newest(member: &Member) -> Result<Position, JournalError> {
        let reader = member.reader();
        let (seq, start) = (reader.completed_through()?, Position::before(member));
        let (mut inputs, mut outcomes) = (reader.inputs(), reader.outcomes());
        outcomes.seek_seq(seq + 1)?;
        let at = match seq > start.seq {
            true => {
                inputs.seek_record(seq - start.seq);
                inputs.peek()?.map_or(start.at, |e| e.ts)
            }
            false => start.at,
        };
        Ok(Position { seq, at, outcomes: outcomes.next_record() - 1, told: seq, ..start })
    }

    /// Whether the journal still lies where it was.
    pub(super) fn is_there(&self) -> bool {
        match read_manifest(&self.member.dir) {
            Ok((info, _)) => info.journal_id == self.member.info.journal_id,
            Err(error) => !matches!(error, JournalError::NotAJournal { .. }),
        }
    }

    /// Whether all sources have come to their end and everything was read.
    pub(super) fn is_over(&self) -> Result<bool, JournalError> {
        let closed = self.reader.closed()?;
        Ok(closed.is_some_and(|c| c.ended && self.done >= c.inputs.last_seq))
    }

    /// What comes next; `None` behind all that may be read.
    pub(super) fn step(&mut self, position: &mut Position, kinds: Kinds) -> Result<Option<Followed>, JournalError> {
        while self.done < self.through {
            // Behind the last input that may be read nothing is asked of the log: a look at its end costs some system calls.
            let is_last = position.seq >= self.through;
            let input = if is_last { None } else { self.inputs.peek()?.map(|e| (e.id.seq(), e.ts)) };
            let outcome = self.outcomes.peek()?.map(|e| e.id.seq());
            if let Some(gap) = self.dropped(position)? {
                return Ok(Some(gap));
            }
            let is_outcome = outcome.is_some_and(|seq| input.is_none_or(|(next, _)| seq < next));
            let seq = if is_outcome { outcome } else { input.map(|(seq, _)| seq) };
            let Some(seq) = seq.filter(|seq| *seq <= self.through) else {
                // An input that the watermark covers and that is not there yet is looked for again.
                if is_last {
                    self.done = self.through;
                }
                break;
            };
            if let Some(gap) = self.lost(seq, position) {
                return Ok(Some(gap));
            }
            let log = if is_outcome { &mut self.outcomes } else { &mut self.inputs };
            let event = log.peek()?.filter(|event| kinds.has(event.kind)).copied();
            log.pass();
            match input {
                Some((seq, at)) if !is_outcome => (position.seq, position.at) = (seq, at),
                _ => position.outcomes += 1,
            }
            if let Some(event) = event {
                return Ok(Some(Followed::Event(event)));
            }
        }
        Ok(None)
    }

    /// Looks how much may be read; whether there is more than before.
    pub(super) fn look(&mut self) -> Result<bool, JournalError> {
        let through = self.progress.through()?;
        if through > self.through {
            // What was left out is noted before the watermark passes it, in the segment that has the watermark then.
            if self.progress.has_moved() {
                self.note(&self.reader.gaps()?);
            }
            self.through = through;
            return Ok(true);
        }
        match self.reader.closed()? {
            Some(closed) => self.end_at(closed.inputs.last_seq),
            None => Ok(false),
        }
    }

    /// The journal has ended with this input: what is not complete will not be. Whether there is more to read now.
    pub(super) fn end_at(&mut self, last: u64) -> Result<bool, JournalError> {
        if self.through >= last {
            return Ok(false);
        }
        self.note(&self.reader.gaps()?);
        let covered = self.lost.back().map_or(0, |(_, to)| *to).max(self.through);
        if covered < last {
            self.lost.push_back((covered + 1, last));
        }
        self.through = last;
        Ok(true)
    }

    fn note(&mut self, gaps: &Gaps) {
        self.lost = gaps.lost.iter().map(|lost| (lost.from_seq, lost.through_seq)).collect();
    }

    /// The gap, if records were dropped behind the position.
    fn dropped(&self, position: &mut Position) -> Result<Option<Followed>, JournalError> {
        let read = self.outcomes.next_record() - 1;
        if read <= position.outcomes {
            return Ok(None);
        }
        let through = self.reader.gaps()?.dropped.through_seq;
        position.outcomes = read;
        Ok(tell(position, position.unsure_from(), through))
    }

    /// The gap, if outcomes of inputs up to this one were never stored.
    fn lost(&mut self, seq: u64, position: &mut Position) -> Option<Followed> {
        while let Some((from, to)) = self.lost.pop_front_if(|(from, _)| *from <= seq) {
            if let Some(gap) = tell(position, from, to) {
                return Some(gap);
            }
        }
        None
    }
}

/// The gap of outcomes, as far as it was not told.
fn tell(position: &mut Position, from: u64, to: u64) -> Option<Followed> {
    let from = from.max(position.told + 1);
    position.told = position.told.max(to);
    (from <= to).then_some(Followed::Gap(Gap { from, to, missing: Missing::Outcomes }))
}
