//! Whether a journal is what was written: every sealed byte, the order of ids, the ends.
//!
//! Sidecars give a CRC32C per record, so that a fault names its record, and the hash chain, so that nobody exchanges a
//! block together with its CRCs unnoticed. What is not sealed yet is checked by its ids alone. All faults are found in one
//! pass; as many as asked for are kept, the rest is counted.
//!
//! Bound: memory for one segment's records at a time is a block of 4,096; its CRCs are 4 bytes a record. Worst case: a
//! journal that is being written while it is verified; only what was sealed when its sidecar was read is checked.

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

/// What was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// The first faults, in the order of the files.
    pub faults: Vec<Fault>,
    /// Faults beyond those.
    pub more_faults: u64,
    /// The input log.
    pub inputs: LogState,
    /// The outcome log.
    pub outcomes: LogState,
    /// What the outcome log lacks on purpose. Not faults.
    pub gaps: Option<Gaps>,
    /// Where the logs ended, if the journal was closed in order.
    pub closed: Option<Closed>,
}

/// The state of one log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogState {
    /// Segment files.
    pub segments: u64,
    /// Records written, dropped ones included.
    pub records: u64,
    /// Records of the files that are sealed.
    pub sealed: u64,
    /// Records behind them, which are trusted by their ids.
    pub unsealed: u64,
    /// Seq of the last record.
    pub last_seq: u64,
    /// The hash chain behind what is sealed, in hexadecimal: keep it elsewhere to prove that the end was not cut off.
    pub chain: String,
    /// A record behind the end was begun and not finished: its writer died there.
    pub torn: bool,
}

impl Verified {
    /// Whether nothing is wrong.
    pub fn is_whole(&self) -> bool {
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

/// Checks the journal in `dir`; keeps the first `limit` faults, at least one.
///
/// # Errors
/// When there is no journal, or a file cannot be read at all. Damage is no error but the result.
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
        // Also what a damaged digit looks like: nothing else of the folder can be checked either way.
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
        let wanted = closed.completed_through.to_string();
        let what = Damage::Closed {
            what: "the last input's seq, which must reach completed_through,",
            found: inputs.last_seq.to_string(),
            wanted,
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
                let what = "one of its two copies is damaged; the other is whole and counts";
                faults.push(plain(&file, Damage::Unreadable(what.to_owned())));
            }
            Some(gaps)
        }
        Err(e) => {
            faults.push(plain(&file, Damage::Unreadable(format!("the file of gaps does not read ({e})"))));
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

/// What is carried from segment to segment.
struct Carry {
    /// The chain so far; `None` when damage hides it.
    chain: Option<[u8; 32]>,
    cursor: Cursor,
    /// The segment before is sealed and its header does not say so yet.
    owing: Option<Fault>,
    /// A segment that is not full has been seen: nothing may follow.
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
            owing: None,
            ended: false,
        };
        let first = dropped.map_or(1, |d| d.through_segment + 1);
        let numbers = segment_numbers(self.dir, log)?;
        let last = numbers.last().copied().unwrap_or(0).max(self.last_wanted(log)).max(u64::from(dropped.is_none()));
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

    /// Number of the segment that holds the last record, as `closed.toml` has it.
    fn last_wanted(&self, log: LogKind) -> u64 {
        self.closed.map_or(0, |c| c.end(log).records.div_ceil(self.info.segment_records))
    }

    /// Compares the end found with `closed.toml`; the last seq only where no record is damaged, since it may be that one's.
    fn check_end(&mut self, log: LogKind, state: &LogState, whole: bool) {
        let Some(end) = self.closed.map(|c| c.end(log)) else { return };
        let mut differs = |what, found: String, wanted: String| {
            if found != wanted {
                self.faults.push(plain(CLOSED, Damage::Closed { what, found, wanted }));
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
                .push(file.fault(None, None, Damage::Header("a byte is set where nothing is defined")).at(at as u64));
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

    /// A segment has the length of all its records, or of those that were used when it was closed. A stop in the middle
    /// of a close leaves it so too, before `closed.toml` is there: everything in it is sealed by then.
    fn check_length(&mut self, file: &SegmentFile, used: Option<u64>, sealed: Option<u64>) -> Result<(), JournalError> {
        let (found, wanted) = (file.length()?, record_offset(used.unwrap_or(self.info.segment_records)));
        let closing = self.closed.is_none() && sealed.is_some_and(|records| found == record_offset(records));
        if found != wanted && !closing {
            self.faults.push(file.fault(None, None, Damage::Length { found, wanted }).at(found.min(wanted)));
        }
        Ok(())
    }

    /// The sidecar's own soundness, and whether it is as long as it must be.
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
            Some((at, Stopped::Torn)) if used.is_some() => fault(Some(at), Damage::Block("it is cut short")),
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

    /// The two words of the header that change while the journal is written.
    fn check_words(&mut self, log: LogKind, file: &SegmentFile, page: &HeaderPage, seal: &Sidecar, carry: &mut Carry) {
        if seal.records > 0
            && let Some(owing) = carry.owing.take()
        {
            self.faults.push(owing);
        }
        let word = page.sealed();
        let sealed_at = (super::format::SEALED_SLOT * 64) as u64;
        let wrong = self.closed.is_some() && word != seal.records && seal.stopped.is_none();
        if wrong {
            let what = Damage::Header("its count of sealed records is not the sidecar's");
            self.faults.push(file.fault(None, None, what).at(sealed_at));
        }
        if word < self.info.segment_records && self.closed.is_none() {
            let what = Damage::Header("later records are sealed, and its own count of sealed records is not full");
            carry.owing = Some(file.fault(None, None, what).at(sealed_at));
        }
        let completed = page.completed();
        let last_wins = |closed: &Closed| completed != 0 && completed != closed.completed_through;
        let wrong = match log {
            LogKind::Inputs => completed != 0,
            LogKind::Outcomes if word == self.info.segment_records => completed != 0,
            LogKind::Outcomes => self.closed.is_some_and(last_wins),
        };
        if wrong {
            let what = Damage::Header("its completed-through word cannot be");
            self.faults.push(file.fault(None, None, what).at((super::format::COMPLETED_SLOT * 64) as u64));
        }
    }

    /// Recomputes the chain where the CRCs of a block agree, and carries it on.
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
    /// The fault at a byte.
    fn at(self, offset: u64) -> Fault {
        Fault { offset: Some(offset), ..self }
    }
}
