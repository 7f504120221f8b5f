//! Goes through the segments of a log, one after the other: headers, seals, chain, ids, the end.
//!
//! What is sealed was checked before ([`super::sealed`]); where that found a segment whole, only its place is looked at here.
//! Bound: a buffer of 4,096 records, and 4 bytes per record of one segment for its CRCs.

use super::error::{Damage, Fault, JournalError};
use super::files::{HeaderPage, SegmentFile, last_seq, segment_numbers, sidecar};
use super::findings::{LogFindings, Open, Whole};
use super::format::{BLOCK_RECORDS, CLOSED, COMPLETED_SLOT, LOST_SLOT, LogKind, SEALED_SLOT, hex, record_offset};
use super::gaps::{self, Dropped};
use super::log_keeper::Kept;
use super::manifest::{Closed, JournalInfo};
use super::seal::{Sidecar, Stopped};
use super::verified::{Faults, LogState};
use super::verify_log::{Cursor, check_sealed, check_tail};
use bytemuck::Zeroable;
use flow::Event;
use std::collections::BTreeMap;
use std::path::Path;

pub(super) struct LogCheck<'a> {
    pub(super) dir: &'a Path,
    pub(super) info: &'a JournalInfo,
    pub(super) closed: Option<&'a Closed>,
    /// The segments whose sealed records are known to be right.
    pub(super) whole: Vec<Whole>,
    pub(super) faults: &'a mut Faults,
}

/// A segment as it was seen: its file with the header and what is wrong with that, its sidecar, and how many records it had.
struct Look {
    file: Option<(SegmentFile, HeaderPage, Option<&'static str>)>,
    seal: Option<Sidecar>,
    written: u64,
}

/// The state carried from segment to segment.
struct Carry {
    /// The chain so far; `None` after damage that hides it.
    chain: Option<[u8; 32]>,
    cursor: Cursor,
    /// The previous segment's header does not count all its records as sealed: a fault if a later segment has seals.
    pending: Option<Fault>,
    /// A segment that is not full was found: nothing may follow.
    ended: bool,
    state: LogState,
    findings: LogFindings,
}

impl Carry {
    /// The state before the first segment of a log.
    fn begin(log: LogKind, chain: [u8; 32], after: u64) -> Carry {
        let (state, findings) = (LogState::default(), LogFindings { last_seq: after, ..LogFindings::default() });
        Carry { chain: Some(chain), cursor: Cursor::new(log, after), pending: None, ended: false, state, findings }
    }

    /// The state after a part that was dropped.
    fn skip(&mut self, log: LogKind, dropped: &Dropped) {
        (self.chain, self.cursor) = (Some(dropped.chain), Cursor::new(log, dropped.through_seq));
        (self.pending, self.ended) = (None, false);
        self.state.records = dropped.through_record;
        let (written, last_seq) = (dropped.through_record, dropped.through_seq);
        self.findings = LogFindings { written, last_seq, ..LogFindings::default() };
    }
}

impl LogCheck<'_> {
    /// Goes through one log, after the part of it that was dropped.
    pub(super) fn log(
        &mut self,
        log: LogKind,
        start: [u8; 32],
        dropped: Option<Dropped>,
    ) -> Result<(LogState, LogFindings), JournalError> {
        let before = self.faults.count();
        let mut carry = Carry::begin(log, start, self.info.after());
        let mut number = 1;
        if let Some(dropped) = dropped {
            carry.skip(log, &dropped);
            number = dropped.through_segment + 1;
        }
        let first = number;
        let numbers = segment_numbers(self.dir, self.info, log)?;
        let last = numbers.last().copied().unwrap_or(0).max(self.expected_last(log)).max(u64::from(dropped.is_none()));
        let mut moving = self.moving(log, &numbers)?;
        while number <= last {
            let Look { file, seal, written } = match moving.remove(&number) {
                Some(look) => look,
                None => self.look(log, number)?,
            };
            if (file.is_none() || seal.is_none())
                && let Some(dropped) = self.dropped_meanwhile(log, number)?
            {
                carry.skip(log, &dropped);
                number = dropped.through_segment + 1;
                continue;
            }
            match file {
                Some((file, page, wrong)) => {
                    self.segment(log, number, (&file, page, wrong, written), seal, &mut carry)?
                }
                // What memory held of the outcomes from here on is derived again.
                None if self.is_gone_from_memory(log, number)? => carry.ended = true,
                None => {
                    self.faults.push(Fault::missing(log, number));
                    carry.chain = None;
                    carry.cursor.forget();
                }
            }
            number += 1;
        }
        let Carry { cursor, chain, mut state, mut findings, .. } = carry;
        state.last_seq = cursor.last_seq();
        state.chain = chain.map(|c| hex(&c)).unwrap_or_default();
        findings.chain = chain.unwrap_or_default();
        findings.next_number = findings.next_number.max(first);
        self.check_end(log, &state, self.faults.count() == before);
        Ok((state, findings))
    }

    /// Whether this is a segment of outcomes that only memory can have held: the disk came to the one before it.
    fn is_gone_from_memory(&self, log: LogKind, number: u64) -> Result<bool, JournalError> {
        let on_disk = segment_numbers(self.dir, &JournalInfo { memory: None, ..self.info.clone() }, log)?;
        let follows = on_disk.last().is_some_and(|last| *last < number);
        Ok(log == LogKind::Outcomes && self.info.memory.is_some() && follows)
    }

    /// Looks at a segment: its header before its sidecar, which never seals less than the header says, and that before its
    /// records. What is not in memory has as many of them as it holds.
    fn look(&self, log: LogKind, number: u64) -> Result<Look, JournalError> {
        let file = SegmentFile::open(self.dir, self.info, log, number)?;
        let file = match file {
            Some(file) => {
                let (page, wrong) = file.header()?;
                Some((file, page, wrong))
            }
            None => None,
        };
        let seal = sidecar(self.dir, self.info, log, number)?;
        let mut written = self.info.segment_records;
        if let Some((file, ..)) = file.as_ref().filter(|(file, ..)| file.is_in_memory()) {
            let found = file.partition(|_| true)?;
            // Fewer than are sealed are a fault, and say nothing about the rest.
            let sealed = seal.as_ref().map_or(0, |seal| seal.records);
            written = if found < sealed { written } else { found };
        }
        Ok(Look { file, seal, written })
    }

    /// The segments in memory, which a writer may fill and seal meanwhile: looked at from the last one down, so that no segment is
    /// seen less full or less sealed than one after it.
    fn moving(&self, log: LogKind, numbers: &[u64]) -> Result<BTreeMap<u64, Look>, JournalError> {
        let mut moving = BTreeMap::new();
        for number in numbers.iter().rev() {
            let look = self.look(log, *number)?;
            if look.file.as_ref().is_none_or(|(file, ..)| !file.is_in_memory()) {
                break;
            }
            moving.insert(*number, look);
        }
        Ok(moving)
    }

    /// Checks the copy on the disk of a segment in memory: as far as it goes, it is the same.
    fn check_copy(&mut self, log: LogKind, file: &SegmentFile, sealed: u64) -> Result<(), JournalError> {
        let number = file.number();
        let Some(copy) = SegmentFile::open_copy(self.dir, self.info, log, number)? else { return Ok(()) };
        let (_, wrong) = copy.header()?;
        if let Some(wrong) = wrong {
            self.faults.push(copy.fault(None, None, Damage::Header(wrong)).at(0));
        }
        let (mut there, mut here) = (vec![Event::zeroed(); BLOCK_RECORDS], vec![Event::zeroed(); BLOCK_RECORDS]);
        let mut index = 0;
        loop {
            let read = copy.read(index, &mut there)?;
            file.read(index, &mut here[..read])?;
            let may_be_zero = |n: usize| index + n as u64 >= sealed;
            let differs = |n: &usize| there[*n] != here[*n] && !(there[*n] == Event::zeroed() && may_be_zero(*n));
            if let Some(n) = (0..read).find(differs) {
                self.faults.push(copy.fault(Some(index + n as u64), None, Damage::Copy));
                return Ok(());
            }
            index += read as u64;
            if read == 0 {
                return Ok(());
            }
        }
    }

    /// The part of a log that its writer dropped while this looked at it, if it covers this segment.
    fn dropped_meanwhile(&self, log: LogKind, number: u64) -> Result<Option<Dropped>, JournalError> {
        if log == LogKind::Inputs {
            return Ok(None);
        }
        let dropped = gaps::read(self.dir, self.info.journal_id).map(|(gaps, _)| gaps.dropped).ok();
        Ok(dropped.filter(|d| d.through_segment >= number))
    }

    /// Checks what one log says about the other.
    pub(super) fn check_both(&mut self, [inputs, outcomes]: &[LogFindings; 2]) -> Result<(), JournalError> {
        let said = [
            ("the seq that the outcomes are complete through", outcomes.completed),
            ("the seq of the last outcome", outcomes.last_seq),
            ("completed_through in closed.toml", self.closed.map_or(0, |c| c.completed_through)),
        ];
        for (what, seq) in said.into_iter().filter(|(_, seq)| *seq > inputs.last_seq) {
            // A writer may have gone on since the inputs were looked at.
            let last = last_seq(self.dir, self.info, LogKind::Inputs)?;
            if seq > last {
                self.faults.push(Fault::plain(LogKind::Outcomes.name(), Damage::Beyond { what, seq, last }));
            }
        }
        Ok(())
    }

    /// Number of the segment with the last record according to `closed.toml`.
    fn expected_last(&self, log: LogKind) -> u64 {
        self.closed.map_or(0, |c| c.end(log).records.div_ceil(self.info.segment_records))
    }

    /// Compares the end with `closed.toml`; the last seq only if no record is damaged, because the damage may be in
    /// that seq.
    fn check_end(&mut self, log: LogKind, state: &LogState, whole: bool) {
        let Some(end) = self.closed.map(|c| c.end(log)) else { return };
        let mut differs = |what, found: String, expected: String| {
            if found != expected {
                self.faults.push(Fault::plain(CLOSED, Damage::Closed { what, found, expected }));
            }
        };
        let inputs = log == LogKind::Inputs;
        let names = match inputs {
            true => ["the number of inputs", "the last input's seq", "the chain of the inputs"],
            false => ["the number of outcomes", "the last outcome's seq", "the chain of the outcomes"],
        };
        differs(names[0], state.records.to_string(), end.records.to_string());
        let seq = if whole { state.last_seq } else { end.last_seq };
        differs(names[1], seq.to_string(), end.last_seq.to_string());
        differs(names[2], state.chain.clone(), end.chain.clone());
    }

    fn segment(
        &mut self,
        log: LogKind,
        number: u64,
        (file, page, wrong, written): (&SegmentFile, HeaderPage, Option<&'static str>, u64),
        sidecar: Option<Sidecar>,
        carry: &mut Carry,
    ) -> Result<(), JournalError> {
        let used = self
            .closed
            .map(|c| (c.end(log).records + 1).saturating_sub(file.first_record()).min(self.info.segment_records));
        self.check_length(file, used, sidecar.as_ref().map(|s| s.records))?;
        if let Some(wrong) = wrong {
            self.faults.push(file.fault(None, None, Damage::Header(wrong)).at(0));
        }
        if let Some(at) = page.stray() {
            self.faults
                .push(file.fault(None, None, Damage::Header("a byte outside all defined fields is set")).at(at as u64));
        }
        let seal = match sidecar {
            Some(seal) => seal,
            None => {
                self.faults.push(sidecar_fault(log, number, None, Damage::Sidecar("is missing")));
                carry.chain = None;
                Sidecar::parse(&[], log, 0, number)
            }
        };
        self.check_seal(log, number, &seal, page.sealed(), used, carry);
        self.check_words(log, file, &page, &seal, carry);
        if file.is_in_memory() {
            self.check_copy(log, file, seal.records)?;
        }
        let whole = self.whole.iter().find(|w| (w.log, w.number, w.records) == (log, number, seal.records)).copied();
        let mut fault = |fault| self.faults.push(fault);
        let taken = match &whole {
            Some(whole) => {
                carry.cursor.pass_whole(file, whole, &mut fault);
                whole.records
            }
            None => check_sealed(file, &seal, &mut carry.cursor, &mut fault)?,
        };
        let closed = self.closed.is_some();
        let (records, torn) = check_tail(file, taken..written, &mut carry.cursor, closed, carry.ended, &mut fault)?;
        if whole.is_none() {
            self.check_chain(file, &seal)?;
        }
        if let Some(header) = seal.header {
            let known = seal.stopped.is_none_or(|(_, s)| s == Stopped::Torn);
            carry.chain = known.then_some(seal.blocks.last().map_or(header.start, |b| b.header.chain));
        }
        carry.state.segments += 1;
        carry.state.records += records;
        carry.state.sealed += seal.records;
        carry.state.unsealed += records.saturating_sub(seal.records);
        carry.state.torn |= torn;
        carry.stand(file, &page, seal, records, self.info.segment_records)?;
        carry.ended |= records < self.info.segment_records;
        Ok(())
    }

    /// A segment has the length of its capacity, or of its used records once it was closed. A process that stops during
    /// the close, or while it makes the file long again, leaves a shorter one, before or after `closed.toml` exists: by
    /// then everything in it is sealed, and nothing follows.
    fn check_length(&mut self, file: &SegmentFile, used: Option<u64>, sealed: Option<u64>) -> Result<(), JournalError> {
        let (found, expected) = (file.length()?, record_offset(used.unwrap_or(self.info.segment_records)));
        let between = |sealed| (record_offset(sealed)..expected).contains(&found);
        let closing = match sealed.filter(|sealed| self.closed.is_none() && between(*sealed)) {
            Some(sealed) => file.first_not_zero(sealed)?.is_none(),
            None => false,
        };
        if found != expected && !closing {
            self.faults.push(file.fault(None, None, Damage::Length { found, expected }).at(found.min(expected)));
        }
        Ok(())
    }

    /// Checks that the sidecar is intact and long enough.
    fn check_seal(
        &mut self,
        log: LogKind,
        number: u64,
        seal: &Sidecar,
        word: u64,
        used: Option<u64>,
        carry: &mut Carry,
    ) {
        let mut fault = |offset, what| self.faults.push(sidecar_fault(log, number, offset, what));
        match seal.stopped {
            Some((at, Stopped::Damaged(what))) => fault(Some(at), Damage::Block(what)),
            Some((at, Stopped::Torn)) if used.is_some() => fault(Some(at), Damage::Block("it is truncated")),
            _ => {}
        }
        if used.is_none() && word > seal.records && seal.stopped.is_none_or(|(_, s)| s == Stopped::Torn) {
            fault(Some(seal.end), Damage::Sidecar("lacks blocks that the segment's header counts"));
        }
        if used.is_some_and(|used| used > seal.records) && seal.stopped.is_none() {
            fault(Some(seal.end), Damage::Sidecar("ends before the records do, although the journal was closed"));
        }
        if carry.ended && seal.records > 0 {
            fault(None, Damage::Sidecar("is sealed, but the segment before it is not full"));
        }
        if let (Some(header), Some(chain)) = (seal.header, carry.chain)
            && header.start != chain
        {
            fault(Some(48), Damage::ChainStart);
        }
        if seal.stopped.is_some_and(|(_, s)| s != Stopped::Torn) {
            carry.chain = None;
        }
    }

    /// Checks the header's words that change while the journal is written.
    fn check_words(&mut self, log: LogKind, file: &SegmentFile, page: &HeaderPage, seal: &Sidecar, carry: &mut Carry) {
        if seal.records > 0
            && let Some(pending) = carry.pending.take()
        {
            self.faults.push(pending);
        }
        let word = page.sealed();
        let sealed_at = (SEALED_SLOT * 64) as u64;
        let wrong = self.closed.is_some() && word != seal.records && seal.stopped.is_none();
        if wrong {
            let what = Damage::Header("its count of sealed records differs from the sidecar's");
            self.faults.push(file.fault(None, None, what).at(sealed_at));
        }
        if word < self.info.segment_records && self.closed.is_none() {
            let what = Damage::Header("later records are sealed, but its count of sealed records is not complete");
            carry.pending = Some(file.fault(None, None, what).at(sealed_at));
        }
        // The page may have been read while its writer began the segment; it is sealed now, so another look sees all of it.
        let is_possible = || file.header().is_ok_and(|(page, _)| page.is_lost_possible());
        if seal.records > 0 && !page.is_lost_possible() && !is_possible() {
            let what = Damage::Header("its line of left-out outcomes is impossible");
            self.faults.push(file.fault(None, None, what).at((LOST_SLOT * 64) as u64));
        }
        let completed = page.completed();
        let last_wins = |closed: &Closed| completed != 0 && completed != closed.completed_through;
        let wrong = match log {
            LogKind::Inputs => completed != 0,
            LogKind::Outcomes if word == self.info.segment_records => completed != 0,
            LogKind::Outcomes => self.closed.is_some_and(last_wins),
        };
        if wrong {
            let what = Damage::Header("its completed-through watermark is impossible");
            self.faults.push(file.fault(None, None, what).at((COMPLETED_SLOT * 64) as u64));
        }
    }

    /// Recomputes the chain where the CRCs of a block match.
    fn check_chain(&mut self, file: &SegmentFile, seal: &Sidecar) -> Result<(), JournalError> {
        let Some(header) = seal.header else { return Ok(()) };
        let mut buffer = vec![Event::zeroed(); BLOCK_RECORDS];
        let (mut chain, mut index) = (header.start, 0);
        for block in &seal.blocks {
            let count = block.crcs.len();
            let read = file.read(index, &mut buffer[..count])?;
            if block.has(&buffer[..read]) && !block.continues(&chain, &buffer[..read]) {
                self.faults.push(file.fault(Some(index), None, Damage::Chain));
            }
            chain = block.header.chain;
            index += count as u64;
        }
        Ok(())
    }
}

impl Carry {
    /// Notes where the log stands after a segment with `records` records.
    fn stand(
        &mut self,
        file: &SegmentFile,
        page: &HeaderPage,
        mut seal: Sidecar,
        records: u64,
        capacity: u64,
    ) -> Result<(), JournalError> {
        let (number, first_record) = (file.number(), file.first_record());
        let findings = &mut self.findings;
        if self.ended {
            findings.spare.push(number);
            findings.spoiled += u64::from(file.first_not_zero(0)?.is_some());
            return Ok(());
        }
        let time = |at: u64| file.record(at).map(|e| e.ts.0);
        if let Some(last) = seal.records.checked_sub(1) {
            findings.sealed = (first_record + last, time(last)?);
        }
        if let Some(last) = records.checked_sub(1) {
            findings.last_ns = time(last)?;
        }
        findings.written = first_record - 1 + records;
        findings.last_seq = self.cursor.last_seq();
        findings.completed = findings.completed.max(page.completed()).max(seal.through());
        findings.next_number = number + 1;
        if seal.records == capacity && page.sealed() == capacity {
            let (last_record, last_seq) = (findings.written, self.cursor.last_seq());
            findings.kept.push_back(Kept { number, last_record, last_seq, chain: seal.chain });
        } else {
            seal.blocks = Vec::new();
            findings.open.push(Open { number, first_record, used: records, seal });
        }
        Ok(())
    }
}

fn sidecar_fault(log: LogKind, number: u64, offset: Option<u64>, what: Damage) -> Fault {
    Fault { log: Some(log), file: log.seal_name(number), offset, record: None, seq: None, what }
}
