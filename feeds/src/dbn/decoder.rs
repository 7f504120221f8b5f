//! The decoder: Databento's own state machine behind a guard.
//!
//! The `dbn` crate frames the records and upgrades older versions, but it trusts its input. The guard checks every
//! header first, so that a damaged one is an error or is skipped here and never reaches code that would panic:
//! impossible lengths, unknown types, records shorter than their type.
//!
//! Bound: the state machine's buffer, [`BUFFER`] bytes or the size of the metadata, at most [`METADATA`]. Worst case of
//! one record: forty level changes.

use super::definitions::{Beside, Definitions};
use super::instruments::LIMIT;
use super::translate::Translator;
use dbn::decode::dbn::fsm::{DbnFsm, ProcessResult};
use dbn::record::{RecordHeader, RecordHeaderKind};
use dbn::{
    BboMsg, CbboMsg, Cmbp1Msg, ErrorMsg, ImbalanceMsg, InstrumentDefMsg, MboMsg, Mbp1Msg, Mbp10Msg, Metadata, OhlcvMsg,
    StatMsg, StatusMsg, SymbolMappingMsg, SystemMsg, TradeMsg, rtype, v1, v2,
};
use flow::{AnomalyKind, Count, Decoder, FeedError, Inputs, Ns, Step, Window};

/// Bytes that the state machine buffers ahead.
const BUFFER: usize = 64 << 10;
/// The longest metadata accepted: 1.5 million symbols with one mapping each take 400 MB.
const METADATA: u32 = 512 << 20;
/// Magic, version and length of the metadata.
const PRELUDE: usize = 8;
/// Record lengths are multiples of this.
const ALIGN: usize = 8;

/// Decodes a DBN stream, or several that are joined, versions 1 to 3, uncompressed.
pub struct Dbn {
    fsm: DbnFsm,
    translator: Option<Translator>,
    version: u8,
    ts_out: bool,
    taken: u64,
    not_found: usize,
    /// Whether the metadata of a stream comes next.
    in_metadata: bool,
    /// Whether a record is decoded and waits for room.
    has_record: bool,
    /// How the stream ended, while bars still wait for room.
    end: Option<Result<Step, FeedError>>,
    /// Until the metadata is read: definitions in files of their own, and the place for those of this stream.
    beside: Beside,
    collects: Option<Definitions>,
}

impl Default for Dbn {
    fn default() -> Dbn {
        Dbn::new()
    }
}

impl Dbn {
    /// A decoder at the start of a stream.
    pub fn new() -> Dbn {
        let fsm = DbnFsm::new(BUFFER, dbn::MAX_RECORD_LEN);
        Dbn {
            fsm,
            translator: None,
            version: 0,
            ts_out: false,
            taken: 0,
            not_found: 0,
            in_metadata: true,
            has_record: false,
            end: None,
            beside: Beside::new(),
            collects: None,
        }
    }

    /// A decoder of a stream whose instruments are defined in files of their own.
    pub(super) fn beside(definitions: Beside) -> Dbn {
        Dbn { beside: definitions, ..Dbn::new() }
    }

    /// A decoder that keeps the definitions of a stream and makes no inputs of them.
    pub(super) fn collecting() -> Dbn {
        Dbn { collects: Some(Definitions::default()), ..Dbn::new() }
    }

    /// The definitions that it kept.
    pub(super) fn collected(&mut self) -> Definitions {
        self.translator.as_mut().and_then(|t| t.collected.take()).unwrap_or_default()
    }

    fn fault(&self, what: String, next: &'static str) -> FeedError {
        let offset = self.taken - self.fsm.data().len() as u64;
        FeedError { what, offset, record: self.records() + 1, next }
    }

    /// Checks what the state machine would read next; true if it may go on.
    fn guard(&mut self, to: &mut Inputs) -> Result<bool, FeedError> {
        if self.in_metadata { self.guard_prelude().map(|()| true) } else { self.guard_record(to) }
    }

    fn guard_prelude(&mut self) -> Result<(), FeedError> {
        let data = self.fsm.data();
        if self.version != 0 || data.len() < PRELUDE {
            return Ok(());
        }
        let (version, length) = (data[3], u32::from_le_bytes([data[4], data[5], data[6], data[7]]));
        if &data[..3] != b"DBN" {
            return Err(self.fault("the stream does not start with DBN".into(), "it is not a DBN file: check --feed"));
        }
        if !(1..=3).contains(&version) {
            let what = format!("DBN version {version}");
            return Err(
                self.fault(what, "only versions 1 to 3 are supported: convert the file with Databento's dbn tool")
            );
        }
        if length > METADATA {
            let what = format!("metadata of {length} bytes");
            return Err(self.fault(what, "no file has more than 512 MiB: the file is damaged: get it again"));
        }
        self.version = version;
        Ok(())
    }

    /// Skips a record that cannot be decoded; false if it skipped one.
    fn guard_record(&mut self, to: &mut Inputs) -> Result<bool, FeedError> {
        let data = self.fsm.data();
        if data.is_empty() {
            return Ok(true);
        }
        if is_header(data) {
            self.join();
            return self.guard_prelude().map(|()| true);
        }
        let length = usize::from(data[0]) * RecordHeader::LENGTH_MULTIPLIER;
        if length < RecordHeader::HEADER_LEN || !length.is_multiple_of(ALIGN) {
            let what = format!("an invalid record length of {length} bytes");
            let next = "all earlier records were used; these bytes are no record of DBN: get the file again";
            return Err(self.fault(what, next));
        }
        if data.len() < length {
            return Ok(true);
        }
        let kind = data[1];
        let ts = u64::from_le_bytes(data[8..16].try_into().expect("eight bytes"));
        let least = least_length(self.version, kind).map(|least| least + if self.ts_out { 8 } else { 0 });
        let what = match least {
            Some(least) if length >= least => return Ok(true),
            Some(_) => AnomalyKind::MalformedMessage,
            None => AnomalyKind::UnknownMessage,
        };
        self.fsm.skip(length);
        self.translator.as_mut().expect("metadata was read").skipped(Some((kind, ts)), what, to);
        Ok(false)
    }

    /// Goes on with the stream that is joined to this one.
    fn join(&mut self) {
        let mut fsm = DbnFsm::new(BUFFER, dbn::MAX_RECORD_LEN);
        let data = self.fsm.data();
        fsm.write_all(data);
        (self.fsm, self.version, self.in_metadata) = (fsm, 0, true);
    }

    fn begin(&mut self, metadata: &Metadata, to: &mut Inputs) {
        self.ts_out = metadata.ts_out;
        self.not_found += metadata.not_found.len();
        self.in_metadata = false;
        match &mut self.translator {
            Some(translator) => translator.join(metadata, to),
            None => {
                let mut dataset = [0; 16];
                dataset.iter_mut().zip(metadata.dataset.bytes()).for_each(|(to, byte)| *to = byte);
                let beside = std::mem::take(&mut self.beside).remove(&dataset);
                self.translator = Some(Translator::new(metadata, beside, self.collects.take()));
            }
        }
    }

    /// Moves bytes from the window to the state machine; false if there were none.
    fn take(&mut self, window: &mut Window) -> bool {
        let space = self.fsm.space();
        let n = space.len().min(window.bytes().len());
        space[..n].copy_from_slice(&window.bytes()[..n]);
        self.fsm.fill(n);
        window.consume(n);
        self.taken += n as u64;
        n > 0
    }

    fn finish(&self) -> Result<Step, FeedError> {
        let left = self.fsm.data();
        let next = "all earlier records were used; the file was cut short: get all of it";
        match left {
            _ if self.taken == 0 => Err(self.fault("the stream is empty".into(), "a DBN file has at least a header")),
            _ if self.in_metadata => Err(self.fault("the stream ends within its metadata".into(), next)),
            [] => Ok(Step::Ended),
            [length, ..] => {
                let length = usize::from(*length) * RecordHeader::LENGTH_MULTIPLIER;
                Err(self.fault(format!("the stream ends after {} of a record's {length} bytes", left.len()), next))
            }
        }
    }

    /// Passes the decoded record on, behind the bars that end before it. Where these fill the queue, it waits.
    #[inline]
    fn translate(&mut self, to: &mut Inputs) {
        let record = self.fsm.last_record().expect("a record was decoded");
        let translator = self.translator.as_mut().expect("metadata comes first");
        self.has_record = !translator.release(record, to);
        if !self.has_record {
            translator.record(record, to);
        }
    }

    fn run(&mut self, window: &mut Window, to: &mut Inputs) -> Result<Step, FeedError> {
        while to.has_room() {
            if self.has_record {
                self.translate(to);
                continue;
            }
            if !self.guard(to)? {
                continue;
            }
            match self.fsm.process() {
                ProcessResult::Record(()) => self.translate(to),
                ProcessResult::Metadata(metadata) => self.begin(&metadata, to),
                ProcessResult::ReadMore(_) => {
                    if !self.take(window) {
                        return if window.ended() { self.finish() } else { Ok(Step::Starved) };
                    }
                }
                ProcessResult::Err(error) => {
                    return Err(self.fault(error.to_string(), "the file is damaged: get it again"));
                }
            }
        }
        Ok(Step::Full)
    }
}

/// Whether another stream begins here: as a record these bytes would be of no type.
pub(super) fn is_header(data: &[u8]) -> bool {
    matches!(data, [b'D', b'B', b'N', version, ..] if *version < b' ')
}

/// The least length of a record of this type and version, without a send time; `None` for unknown types.
fn least_length(version: u8, kind: u8) -> Option<usize> {
    Some(match (kind, version) {
        (rtype::MBO, _) => size_of::<MboMsg>(),
        (rtype::MBP_0, _) => size_of::<TradeMsg>(),
        (rtype::MBP_1, _) => size_of::<Mbp1Msg>(),
        (rtype::MBP_10, _) => size_of::<Mbp10Msg>(),
        (rtype::BBO_1S | rtype::BBO_1M, _) => size_of::<BboMsg>(),
        (rtype::CMBP_1 | rtype::TCBBO, _) => size_of::<Cmbp1Msg>(),
        (rtype::CBBO_1S | rtype::CBBO_1M, _) => size_of::<CbboMsg>(),
        (rtype::OHLCV_DEPRECATED | rtype::OHLCV_1S | rtype::OHLCV_1M | rtype::OHLCV_1H, _)
        | (rtype::OHLCV_1D | rtype::OHLCV_EOD, _) => size_of::<OhlcvMsg>(),
        (rtype::STATUS, _) => size_of::<StatusMsg>(),
        (rtype::IMBALANCE, _) => size_of::<ImbalanceMsg>(),
        (rtype::INSTRUMENT_DEF, 1) => size_of::<v1::InstrumentDefMsg>(),
        (rtype::INSTRUMENT_DEF, 2) => size_of::<v2::InstrumentDefMsg>(),
        (rtype::INSTRUMENT_DEF, _) => size_of::<InstrumentDefMsg>(),
        (rtype::STATISTICS, 1 | 2) => size_of::<v1::StatMsg>(),
        (rtype::STATISTICS, _) => size_of::<StatMsg>(),
        (rtype::SYMBOL_MAPPING, 1) => size_of::<v1::SymbolMappingMsg>(),
        (rtype::SYMBOL_MAPPING, _) => size_of::<SymbolMappingMsg>(),
        (rtype::SYSTEM, 1) => size_of::<v1::SystemMsg>(),
        (rtype::SYSTEM, _) => size_of::<SystemMsg>(),
        (rtype::ERROR, 1) => size_of::<v1::ErrorMsg>(),
        (rtype::ERROR, _) => size_of::<ErrorMsg>(),
        _ => return None,
    })
}

impl Decoder for Dbn {
    fn decode(&mut self, windows: &mut [Window], to: &mut Inputs) -> Result<Step, FeedError> {
        if self.end.is_none() {
            match self.run(&mut windows[0], to) {
                Ok(step @ (Step::Full | Step::Starved)) => return Ok(step),
                end => self.end = Some(end),
            }
        }
        if let Some(translator) = &mut self.translator {
            translator.flush(to);
            if !translator.release_until(Ns::NONE, to) {
                return Ok(Step::Full);
            }
        }
        self.end.clone().unwrap_or(Ok(Step::Ended))
    }

    fn instruments(&self) -> u32 {
        LIMIT
    }

    fn counts(&self) -> Vec<Count> {
        self.translator.as_ref().map(|t| t.tally.counts()).unwrap_or_default()
    }

    fn records(&self) -> u64 {
        self.translator.as_ref().map_or(0, Translator::records)
    }

    fn warnings(&self) -> Vec<String> {
        let missing =
            (self.not_found > 0).then(|| format!("{} of the requested symbols are not in this file", self.not_found));
        let silent = self.translator.as_ref().and_then(|t| t.tally.without_input());
        missing.into_iter().chain(silent).collect()
    }
}
