//! The end of a packed file: what it holds, and where.
//!
//! ```text
//! head (16 bytes) ─ segment ─ segment ─ … ─ end ─ trailer (24 bytes)
//! ```
//!
//! A reader begins with the trailer, which says how long the end is and has its checksum; the end has the place and the checksum
//! of the head of every segment, and that has those of its runs. So each byte of a file is covered, and none is read in vain.
//! Bound: some 40 bytes a segment, and the names of the instruments.

use super::fields::{Fields, put, put_text};
use flow::{Count, LOCAL_INSTRUMENTS, Source};

/// What a packed file begins with, then its version as four bytes and four zeros.
pub(super) const MAGIC: &[u8; 8] = b"TIDEPACK";
/// What it ends with.
const LAST: &[u8; 8] = b"KCAPEDIT";
/// The version of the form.
pub(super) const VERSION: u32 = 1;
/// Bytes of head and trailer.
pub(super) const HEAD: u64 = 16;
pub(super) const TRAILER: u64 = 24;

/// Where a segment lies and what it holds.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct SegmentAt {
    /// Bytes before it in the file.
    pub(super) offset: u64,
    /// Bytes of its head and of its runs.
    pub(super) head_len: u64,
    pub(super) runs_len: u64,
    pub(super) head_crc: u32,
    /// Inputs before it, and in it.
    pub(super) first_place: u64,
    pub(super) inputs: u64,
    /// Record of its first input.
    pub(super) first_record: u64,
    /// Earliest and latest time of its inputs.
    pub(super) first_ts: u64,
    pub(super) last_ts: u64,
}

/// What a source said of itself at its end.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct About {
    /// The feed that it was read as.
    pub feed: String,
    /// Its name: the path of its file.
    pub source: String,
    /// Its local instruments are below this number.
    pub instruments: u32,
    /// All its records, also those without inputs.
    pub records: u64,
    /// What it counted.
    pub counts: Vec<Count>,
    /// What it warned of.
    pub warnings: Vec<String>,
}

/// What a packed file holds.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Contents {
    /// What it was packed from.
    pub about: About,
    /// All its inputs.
    pub inputs: u64,
    /// The symbols of the local numbers, in order; a number that had several has several entries.
    pub names: Vec<(u32, String)>,
    pub(super) segments: Vec<SegmentAt>,
}

/// The first bytes of a file.
pub(super) fn head() -> Vec<u8> {
    [&MAGIC[..], &VERSION.to_le_bytes(), &[0; 4]].concat()
}

/// What is wrong with the first bytes of a file; `None` if nothing is.
pub(super) fn head_fault(bytes: &[u8]) -> Option<String> {
    let version = bytes.get(8..12).and_then(|v| v.try_into().ok()).map(u32::from_le_bytes);
    match version {
        Some(VERSION) if bytes == head() => None,
        Some(other) if bytes.starts_with(MAGIC) && other != VERSION => {
            Some(format!("it has version {other} of the packed form, and {VERSION} is read here"))
        }
        _ => Some("its first bytes are not those of a packed file".to_owned()),
    }
}

/// The last bytes of a file whose end is `end`.
pub(super) fn trailer(end: &[u8]) -> Vec<u8> {
    let mut bytes = (end.len() as u64).to_le_bytes().to_vec();
    bytes.extend(crc32c::crc32c(end).to_le_bytes());
    bytes.extend(crc32c::crc32c(&bytes).to_le_bytes());
    bytes.extend(LAST);
    bytes
}

/// Length and checksum of the end, from the trailer; `None` if it is none.
pub(super) fn end_of(trailer: &[u8]) -> Option<(u64, u32)> {
    let mut fields = Fields(trailer);
    let (len, crc) = (fields.u64()?, fields.u32()?);
    let is_whole = fields.u32()? == crc32c::crc32c(&trailer[..12]) && fields.0 == LAST;
    is_whole.then_some((len, crc))
}

impl About {
    /// What a source of that feed says, which has ended.
    pub fn of(source: &dyn Source, feed: &str) -> About {
        About {
            feed: feed.to_owned(),
            source: source.name().to_owned(),
            instruments: source.instruments(),
            records: source.records(),
            counts: source.counts(),
            warnings: source.warnings(),
        }
    }
}

impl Contents {
    /// The end of a file.
    pub(super) fn write(&self) -> Vec<u8> {
        let About { feed, source, instruments, records, counts, warnings } = &self.about;
        let mut to = Vec::new();
        put_text(&mut to, feed);
        put_text(&mut to, source);
        [u64::from(*instruments), self.inputs, *records].into_iter().for_each(|n| put(&mut to, n));
        put(&mut to, counts.len() as u64);
        for Count { name, count } in counts {
            put_text(&mut to, name);
            put(&mut to, *count);
        }
        put(&mut to, warnings.len() as u64);
        warnings.iter().for_each(|warning| put_text(&mut to, warning));
        put(&mut to, self.names.len() as u64);
        for (local, symbol) in &self.names {
            put(&mut to, u64::from(*local));
            put_text(&mut to, symbol);
        }
        put(&mut to, self.segments.len() as u64);
        for at in &self.segments {
            let numbers = [at.head_len, at.runs_len, at.inputs, at.first_record, at.first_ts, at.last_ts];
            numbers.into_iter().for_each(|n| put(&mut to, n));
            to.extend(at.head_crc.to_le_bytes());
        }
        to
    }

    /// Reads the end of a file, which begins `at` that byte of it; `None` if the segments do not fill all before.
    pub(super) fn read(bytes: &[u8], at: u64) -> Option<Contents> {
        let mut from = Fields(bytes);
        let (feed, source) = (from.text()?, from.text()?);
        let instruments = u32::try_from(from.number()?).ok()?;
        let (inputs, records) = (from.number()?, from.number()?);
        let counts = (0..from.count(2)?).map(|_| Some(Count { name: from.text()?, count: from.number()? }));
        let counts = counts.collect::<Option<Vec<_>>>()?;
        let warnings = (0..from.count(1)?).map(|_| from.text()).collect::<Option<Vec<_>>>()?;
        let names = (0..from.count(2)?).map(|_| Some((u32::try_from(from.number()?).ok()?, from.text()?)));
        let names = names.collect::<Option<Vec<_>>>()?;
        let (mut offset, mut first_place, mut segments) = (HEAD, 0_u64, Vec::new());
        for _ in 0..from.count(10)? {
            let segment = SegmentAt {
                offset,
                first_place,
                head_len: from.number()?,
                runs_len: from.number()?,
                inputs: from.number()?,
                first_record: from.number()?,
                first_ts: from.number()?,
                last_ts: from.number()?,
                head_crc: from.u32()?,
            };
            offset = offset.checked_add(segment.head_len)?.checked_add(segment.runs_len)?;
            first_place = first_place.checked_add(segment.inputs)?;
            // An input takes a byte at least.
            if segment.inputs == 0 || segment.inputs > segment.runs_len {
                return None;
            }
            segments.push(segment);
        }
        let is_sorted = names.is_sorted() && names.last().is_none_or(|(local, _)| *local < LOCAL_INSTRUMENTS);
        let is_whole = is_sorted && from.0.is_empty() && offset == at && first_place == inputs;
        let about = About { feed, source, instruments, records, counts, warnings };
        is_whole.then_some(Contents { about, inputs, names, segments })
    }

    /// Segments in the file.
    pub fn segments(&self) -> usize {
        self.segments.len()
    }

    /// The symbol of a local number, for messages.
    pub(super) fn symbol(&self, local: u32) -> &str {
        let at = self.names.partition_point(|(of, _)| *of < local);
        self.names.get(at).filter(|(of, _)| *of == local).map_or("?", |(_, symbol)| symbol)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_end_comes_back_and_no_cut_one_does() {
        let segment = |offset, first_place, inputs| SegmentAt {
            offset,
            head_len: 100,
            runs_len: 50,
            head_crc: 0xdead_beef,
            first_place,
            inputs,
            first_record: 3,
            first_ts: 5,
            last_ts: u64::MAX,
        };
        let about = About {
            feed: "itch".to_owned(),
            source: "day.itch".to_owned(),
            instruments: 1 << 16,
            records: 20,
            counts: vec![Count { name: "A".to_owned(), count: 9 }],
            warnings: vec!["a date is missing".to_owned()],
        };
        let contents = Contents {
            about,
            inputs: 12,
            names: vec![(1, "AA".to_owned()), (1, "AB".to_owned()), (300, "C".to_owned())],
            segments: vec![segment(HEAD, 0, 5), segment(HEAD + 150, 5, 7)],
        };
        let bytes = contents.write();
        assert_eq!(Contents::read(&bytes, HEAD + 300), Some(contents.clone()));
        assert_eq!(Contents::read(&bytes, HEAD + 301), None);
        assert!((0..bytes.len()).all(|cut| Contents::read(&bytes[..cut], HEAD + 300).is_none()));
        assert_eq!([1, 2, 300].map(|local| contents.symbol(local)), ["AA", "?", "C"]);
        let trailer = trailer(&bytes);
        assert_eq!(end_of(&trailer), Some((bytes.len() as u64, crc32c::crc32c(&bytes))));
        for at in 0..trailer.len() {
            let mut other = trailer.clone();
            other[at] ^= 1;
            assert_eq!(end_of(&other), None, "{at}");
        }
    }
}
