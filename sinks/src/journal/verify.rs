//! Verifies a journal: every sealed byte, the order of ids, the ends.
//!
//! Sidecars hold a CRC32C per record, so that a fault names its record, and the hash chain, so that a block replaced
//! together with its CRCs is detected. Unsealed records are checked by their ids alone. One pass finds all faults; it
//! keeps as many as requested and counts the rest.
//!
//! Bound: a buffer of 4,096 records, and 4 bytes per record of one segment for its CRCs. Worst case: a journal that is
//! being written during verification; only what was sealed when its sidecar was read is checked.

use super::error::{Damage, Fault, JournalError, other_format};
use super::files::{HeaderPage, SegmentFile, segment_numbers, sidecar};
use super::format::{BLOCK_RECORDS, CLOSED, GAPS, LogKind, MANIFEST, chain_on, chain_start, hex, record_offset};
use super::gaps::{self, Gaps};
use super::manifest::{Closed, JournalInfo, read_manifest};
use super::reader::missing;
use super::seal::{Sidecar, Stopped};
use super::verify_log::{Cursor, check_records};
use bytemuck::Zeroable;
use flow::Event;
use std::path::Path;

/// The result of a verification.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// The first faults, in the order of the files.
    pub faults: Vec<Fault>,
    /// Number of further faults.
    pub more_faults: u64,
    /// The input log.
    pub inputs: LogState,
    /// The outcome log.
    pub outcomes: LogState,
    /// Gaps that the outcome log has recorded. They are not faults.
    pub gaps: Option<Gaps>,
    /// Where the logs end, if the journal was closed in order.
    pub closed: Option<Closed>,
}

/// The state of one log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogState {
    /// Number of segment files.
    pub segments: u64,
    /// Records written, including dropped ones.
    pub records: u64,
    /// Sealed records in the files.
    pub sealed: u64,
    /// Records after them, trusted by their ids.
    pub unsealed: u64,
    /// Seq of the last record.
    pub last_seq: u64,
    /// The hash chain after the sealed part, in hexadecimal: a copy kept elsewhere proves that the end was not cut off.
    pub chain: String,
    /// A half-written record follows the end: the writer died there.
    pub torn: bool,
}

impl Verified {
    /// Whether there is no fault.
    pub fn is_intact(&self) -> bool {
        self.faults.is_empty()
    }
}

/// Collects faults up to a limit.
pub(super) struct Faults {
    list: Vec<Fault>,
    more: u64,
    limit: usize,
}

impl Faults {
    pub(super) fn push(&mut self, fault: Fault) {
        if self.list.len() < self.limit { self.list.push(fault) } else { self.more += 1 }
    }

    fn count(&self) -> u64 {
        self.list.len() as u64 + self.more
    }
}

/// Verifies the journal in `dir`; keeps the first `limit` faults, at least one.
///
/// # Errors
/// When there is no journal, or a file cannot be read at all. Damage is a result, not an error.
pub fn verify(dir: &Path, limit: usize) -> Result<Verified, JournalError> {
    let mut faults = Faults { list: Vec::new(), more: 0, limit: limit.max(1) };
    let none = |faults: Faults| Verified {
        faults: faults.list,
        more_faults: faults.more,
        inputs: LogState::default(),
        outcomes: LogState::default(),
        gaps: None,
        closed: None,
    };
    let (info, manifest) = match read_manifest(dir) {
        Err(JournalError::BadManifest { what, .. }) => {
            faults.push(plain(MANIFEST, Damage::Unreadable(what)));
            return Ok(none(faults));
        }
        // A damaged digit looks the same; in either case nothing else in the folder can be checked.
        Err(JournalError::OtherFormat { found, build_id, .. }) => {
            faults.push(plain(MANIFEST, Damage::Unreadable(other_format(found, &build_id))));
            return Ok(none(faults));
        }
        other => other?,
    };
    let closed = match Closed::read(dir) {
        Err(JournalError::BadManifest { what, .. }) => {
            faults.push(plain(CLOSED, Damage::Unreadable(what)));
            None
        }
        other => other?,
    };
    let gaps = read_gaps(dir, &info, &mut faults);
    let mut check = LogCheck { dir, info: &info, closed: closed.as_ref(), faults: &mut faults };
    let inputs = check.log(LogKind::Inputs, chain_start(&manifest, LogKind::Inputs), None)?;
    let outcomes = check.log(LogKind::Outcomes, chain_start(&manifest, LogKind::Outcomes), gaps.as_ref())?;
    if let Some(closed) = closed.as_ref().filter(|c| c.completed_through > inputs.last_seq) {
        let expected = closed.completed_through.to_string();
        let what = Damage::Closed {
            what: "the last input's seq, which must reach completed_through,",
            found: inputs.last_seq.to_string(),
            expected,
        };
        faults.push(plain(CLOSED, what));
    }
    Ok(Verified { inputs, outcomes, gaps, closed, ..none(faults) })
}

fn plain(file: &str, what: Damage) -> Fault {
    Fault { log: None, file: file.to_owned(), offset: None, record: None, seq: None, what }
}

fn read_gaps(dir: &Path, info: &JournalInfo, faults: &mut Faults) -> Option<Gaps> {
    let file = format!("{}/{GAPS}", LogKind::Outcomes);
    match gaps::read(dir, info.journal_id) {
        Ok((gaps, damaged)) => {
            if damaged {
                let what = "one of its two copies is damaged; the other is intact and is used";
                faults.push(plain(&file, Damage::Unreadable(what.to_owned())));
            }
            Some(gaps)
        }
        Err(e) => {
            faults.push(plain(&file, Damage::Unreadable(format!("the gap file cannot be read ({e})"))));
            None
        }
    }
}

struct LogCheck<'a> {
    dir: &'a Path,
    info: &'a JournalInfo,
    closed: Option<&'a Closed>,
    faults: &'a mut Faults,
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
}

impl LogCheck<'_> {
    fn log(&mut self, log: LogKind, start: [u8; 32], gaps: Option<&Gaps>) -> Result<LogState, JournalError> {
        let before = self.faults.count();
        let dropped = gaps.map(|g| g.dropped).filter(|d| d.through_segment > 0);
        let mut state = LogState { records: dropped.map_or(0, |d| d.through_record), ..LogState::default() };
        let mut carry = Carry {
            chain: Some(dropped.map_or(start, |d| d.chain)),
            cursor: Cursor::new(log, dropped.map_or(0, |d| d.through_seq)),
            pending: None,
            ended: false,
        };
        let first = dropped.map_or(1, |d| d.through_segment + 1);
        let numbers = segment_numbers(self.dir, log)?;
        let last = numbers.last().copied().unwrap_or(0).max(self.expected_last(log)).max(u64::from(dropped.is_none()));
        for number in first..=last {
            match SegmentFile::open(self.dir, self.info, log, number)? {
                Some(file) => self.segment(log, number, &file, &mut carry, &mut state)?,
                None => {
                    self.faults.push(missing(log, number));
                    carry.chain = None;
                    carry.cursor.forget();
                }
            }
        }
        state.last_seq = carry.cursor.last_seq();
        state.chain = carry.chain.map(|c| hex(&c)).unwrap_or_default();
        self.check_end(log, &state, self.faults.count() == before);
        Ok(state)
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
                self.faults.push(plain(CLOSED, Damage::Closed { what, found, expected }));
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
        file: &SegmentFile,
        carry: &mut Carry,
        state: &mut LogState,
    ) -> Result<(), JournalError> {
        let (page, wrong) = file.header()?;
        let sealed_word = page.sealed();
        let sidecar = sidecar(self.dir, self.info, log, number)?;
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
        self.check_seal(log, number, &seal, sealed_word, used, carry);
        self.check_words(log, file, &page, &seal, carry);
        let mut fault = |fault| self.faults.push(fault);
        let (records, torn) =
            check_records(file, &seal, &mut carry.cursor, self.closed.is_some(), carry.ended, &mut fault)?;
        self.check_chain(file, &seal, carry)?;
        state.segments += 1;
        state.records += records;
        state.sealed += seal.records;
        state.unsealed += records.saturating_sub(seal.records);
        state.torn |= torn;
        carry.ended |= records < self.info.segment_records;
        Ok(())
    }

    /// A segment has the length of its capacity, or of its used records once it was closed. A process that stops during
    /// the close also leaves the short length, before `closed.toml` exists: by then everything in it is sealed.
    fn check_length(&mut self, file: &SegmentFile, used: Option<u64>, sealed: Option<u64>) -> Result<(), JournalError> {
        let (found, expected) = (file.length()?, record_offset(used.unwrap_or(self.info.segment_records)));
        let closing = self.closed.is_none() && sealed.is_some_and(|records| found == record_offset(records));
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
        if let (Some(header), Some(chain)) = (seal.header, carry.chain)
            && header.start != chain
        {
            fault(Some(48), Damage::ChainStart);
        }
        if seal.stopped.is_some_and(|(_, s)| s != Stopped::Torn) {
            carry.chain = None;
        }
    }

    /// Checks the two header words that change while the journal is written.
    fn check_words(&mut self, log: LogKind, file: &SegmentFile, page: &HeaderPage, seal: &Sidecar, carry: &mut Carry) {
        if seal.records > 0
            && let Some(pending) = carry.pending.take()
        {
            self.faults.push(pending);
        }
        let word = page.sealed();
        let sealed_at = (super::format::SEALED_SLOT * 64) as u64;
        let wrong = self.closed.is_some() && word != seal.records && seal.stopped.is_none();
        if wrong {
            let what = Damage::Header("its count of sealed records differs from the sidecar's");
            self.faults.push(file.fault(None, None, what).at(sealed_at));
        }
        if word < self.info.segment_records && self.closed.is_none() {
            let what = Damage::Header("later records are sealed, but its count of sealed records is not complete");
            carry.pending = Some(file.fault(None, None, what).at(sealed_at));
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
            self.faults.push(file.fault(None, None, what).at((super::format::COMPLETED_SLOT * 64) as u64));
        }
    }

    /// Recomputes the chain where the CRCs of a block match, and carries it on.
    fn check_chain(&mut self, file: &SegmentFile, seal: &Sidecar, carry: &mut Carry) -> Result<(), JournalError> {
        let Some(header) = seal.header else { return Ok(()) };
        let mut buffer = vec![Event::zeroed(); BLOCK_RECORDS];
        let (mut chain, mut index) = (header.start, 0);
        for block in &seal.blocks {
            let count = block.crcs.len();
            let read = file.read(index, &mut buffer[..count])?;
            let agree = read == count
                && buffer[..count]
                    .iter()
                    .zip(&block.crcs)
                    .all(|(e, crc)| crc32c::crc32c(bytemuck::bytes_of(e)) == *crc);
            if agree && chain_on(&chain, &buffer[..count]) != block.header.chain {
                self.faults.push(file.fault(Some(index), None, Damage::Chain));
            }
            chain = block.header.chain;
            index += count as u64;
        }
        carry.chain = seal.stopped.is_none_or(|(_, s)| s == Stopped::Torn).then_some(chain);
        Ok(())
    }
}

fn sidecar_fault(log: LogKind, number: u64, offset: Option<u64>, what: Damage) -> Fault {
    Fault { log: Some(log), file: log.seal_name(number), offset, record: None, seq: None, what }
}

impl Fault {
    /// This fault at a byte offset.
    fn at(self, offset: u64) -> Fault {
        Fault { offset: Some(offset), ..self }
    }
}
