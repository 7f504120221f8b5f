//! Makes the checksums of edited bytes right again, for fuzz targets and tests.
//!
//! Whoever damages a file by accident is found by its checksums, so what reads behind them sees only bytes that were made to
//! deceive. Those are made here. Bound: the bytes once more.

use super::decode::Head;
use super::end::{Contents, HEAD, TRAILER, end_of, trailer};

/// The bytes as a file whose checksums are right, as far as they can be read at all.
pub fn seal(bytes: &[u8]) -> Option<Vec<u8>> {
    let at = bytes.len().checked_sub(TRAILER as usize)?;
    let (end_len, _) = end_of(&bytes[at..])?;
    let from = at.checked_sub(usize::try_from(end_len).ok()?)?;
    let mut contents = Contents::read(&bytes[from..at], from as u64)?;
    let mut sealed = bytes.get(..HEAD as usize)?.to_vec();
    for segment in &mut contents.segments {
        let (begin, head_end) = (segment.offset as usize, (segment.offset + segment.head_len) as usize);
        let (head, runs) = (&bytes[begin..head_end], &bytes[head_end..head_end + segment.runs_len as usize]);
        let mut head = Head::read(head, segment.runs_len, segment.inputs)?;
        for run in &mut head.runs {
            run.crc = crc32c::crc32c(&runs[run.offset as usize..(run.offset + run.len) as usize]);
        }
        let head = head.write();
        (segment.head_len, segment.head_crc) = (head.len() as u64, crc32c::crc32c(&head));
        sealed.extend(head);
        sealed.extend(runs);
    }
    let end = contents.write();
    sealed.extend(&end);
    sealed.extend(trailer(&end));
    Some(sealed)
}
