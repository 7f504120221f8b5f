//! The next line of a text.
//!
//! What an editor or a copy leaves in a text is no part of it: a byte order mark before the first line, the carriage returns
//! of Windows, and empty lines are passed over. Worst case: one search for the line's end, and another one for each empty
//! line before it.

use flow::Window;
use std::ops::Range;

/// Alone on a line, it parts two days in a stream: no line of a file is the separator of ASCII.
pub(super) const MARK: u8 = 0x1c;
/// U+FEFF in UTF-8: a signature before the text (RFC 3629, section 6).
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// The next line of a window.
#[derive(Clone)]
pub(crate) enum Line {
    /// Where its text is; `used` includes its end.
    Whole {
        text: Range<usize>,
        used: usize,
    },
    /// The day ends with the mark of `used` bytes, and another one follows.
    DayEnded {
        used: usize,
    },
    Starved,
    Ended,
}

impl Line {
    /// The next line that is not empty, in a file that began at `start` of the stream. The lines before it are consumed.
    pub(crate) fn next(window: &mut Window, start: u64) -> Line {
        loop {
            let bytes = window.bytes();
            let (end, used) = match memchr::memchr(b'\n', bytes) {
                Some(end) => (end, end + 1),
                None if !window.ended() => return Line::Starved,
                None if bytes.is_empty() => return Line::Ended,
                None => (bytes.len(), bytes.len()),
            };
            let text = text(&bytes[..end], window.offset() == start);
            if bytes[text.clone()] == [MARK] {
                return Line::DayEnded { used };
            }
            if !text.is_empty() {
                return Line::Whole { text, used };
            }
            window.consume(used);
        }
    }
}

/// The first line of a text that is not empty, and whether its end was seen.
pub(crate) fn first(head: &[u8]) -> (&[u8], bool) {
    let mut at = 0;
    loop {
        let end = memchr::memchr(b'\n', &head[at..]).map(|end| at + end);
        let line = &head[at..end.unwrap_or(head.len())];
        let text = text(line, at == 0);
        match end {
            Some(end) if text.is_empty() => at = end + 1,
            end => return (&line[text], end.is_some()),
        }
    }
}

/// Where the text of a line is.
fn text(line: &[u8], is_first: bool) -> Range<usize> {
    let start = if is_first && line.starts_with(BYTE_ORDER_MARK) { BYTE_ORDER_MARK.len() } else { 0 };
    start..line.len() - usize::from(line[start..].ends_with(b"\r"))
}
