//! The rows of a channel on the disk, as they came, and how far they go.
//!
//! ```text
//! #alpaca symbols=AAPL,SPY&start=…          what was asked for
//! @AAPL                                      whose rows come
//! {"t":"2026-01-05T14:30:00.1Z","p":190.1…}  a row as Alpaca wrote it
//! #next {"page":1,"rows":10000,"token":"…"}  the end of a page, and what page is the next; without a token it was the last
//! ```
//!
//! A page is appended with its end in one write and brought to the disk. Whatever stands behind the last end was cut off: it is
//! removed, and that page is asked for again. No row begins with `#` or `@`, since it is a JSON object in one line. Bound: a page.

use super::ask::Channel;
use super::going::FetchError;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Write};
use std::path::{Path, PathBuf};

const NEXT: &str = "#next ";

/// The end of a page.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct End {
    /// Number of the page, from 1.
    page: u64,
    /// Rows so far.
    rows: u64,
    /// Of the next page.
    token: Option<String>,
}

/// A page of an answer.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Page {
    /// Symbols and rows as they are kept.
    lines: String,
    rows: u64,
    next: Option<String>,
}

impl Page {
    /// Reads an answer.
    pub(super) fn of(body: &[u8], channel: Channel) -> Result<Page, String> {
        #[derive(Deserialize)]
        struct Answer<'a> {
            #[serde(borrow, default)]
            trades: Option<Rows<'a>>,
            #[serde(borrow, default)]
            quotes: Option<Rows<'a>>,
            #[serde(borrow, default)]
            bars: Option<Rows<'a>>,
            next_page_token: Option<String>,
        }
        type Rows<'a> = BTreeMap<String, Option<Vec<&'a RawValue>>>;
        let answer: Answer<'_> = serde_json::from_slice(body).map_err(|e| e.to_string())?;
        let rows = match channel {
            Channel::Trades => answer.trades,
            Channel::Quotes => answer.quotes,
            Channel::Bars => answer.bars,
        };
        let next = answer.next_page_token.filter(|token| !token.is_empty());
        let mut page = Page { next, ..Page::default() };
        for (symbol, rows) in rows.unwrap_or_default() {
            if symbol.contains(char::is_whitespace) {
                return Err(format!("{symbol:?} is no symbol"));
            }
            page.lines += &format!("@{symbol}\n");
            for row in rows.unwrap_or_default() {
                if !row.get().starts_with('{') || row.get().contains('\n') {
                    return Err("a row is no object in one line".to_owned());
                }
                page.lines += row.get();
                page.lines.push('\n');
                page.rows += 1;
            }
        }
        Ok(page)
    }
}

/// The file of a channel's rows.
pub(super) struct Kept {
    path: PathBuf,
    file: File,
    end: End,
}

fn failed(path: &Path) -> impl Fn(io::Error) -> FetchError {
    let path = path.display().to_string();
    move |e| FetchError::File(format!("{path}: {e}; choose another folder or free some space"))
}

impl Kept {
    /// Opens the file of that fetch where it ended, or begins it.
    pub(super) fn open(path: &Path, head: &str) -> Result<Kept, FetchError> {
        let failed = failed(path);
        let file = OpenOptions::new().read(true).append(true).create(true).open(path).map_err(&failed)?;
        let head = format!("#{head}\n");
        let (found, end, len) = last_end(&mut BufReader::new(&file)).map_err(&failed)?;
        if found.ends_with('\n') && found != head {
            let what = format!("{} has the rows of another fetch, or of other symbols or times", path.display());
            return Err(FetchError::File(format!("{what}; remove it, or choose another folder")));
        }
        let mut kept = Kept { path: path.to_owned(), file, end };
        if found == head {
            kept.file.set_len(len).map_err(&failed)?;
        } else {
            // Cut off within its first line.
            kept.file.set_len(0).map_err(&failed)?;
            kept.write(head.as_bytes())?;
        }
        Ok(kept)
    }

    /// Rows so far.
    pub(super) fn rows(&self) -> u64 {
        self.end.rows
    }

    /// Whether the last page is there.
    pub(super) fn is_whole(&self) -> bool {
        self.end.page > 0 && self.end.token.is_none()
    }

    /// The token of the next page.
    pub(super) fn next(&self) -> Option<&str> {
        self.end.token.as_deref()
    }

    /// Appends the next page.
    pub(super) fn append(&mut self, page: &Page) -> Result<(), FetchError> {
        let end = End { page: self.end.page + 1, rows: self.end.rows + page.rows, token: page.next.clone() };
        if end.token.is_some() && end.token == self.end.token {
            return Err(FetchError::Refused(
                "Alpaca names the same page as the next one again; try again later".to_owned(),
            ));
        }
        let said = serde_json::to_string(&end).expect("texts and numbers");
        self.write(format!("{}{NEXT}{said}\n", page.lines).as_bytes())?;
        self.end = end;
        Ok(())
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), FetchError> {
        let written = self.file.write_all(bytes).and_then(|()| self.file.sync_data());
        written.map_err(failed(&self.path))
    }
}

/// The first line, the last end of a page, and how many bytes go up to there.
fn last_end(from: &mut dyn BufRead) -> io::Result<(String, End, u64)> {
    let (mut first, mut line) = (Vec::new(), Vec::new());
    let mut at = from.read_until(b'\n', &mut first)? as u64;
    let (mut end, mut len) = (End::default(), at);
    loop {
        line.clear();
        at += from.read_until(b'\n', &mut line)? as u64;
        let Some(text) = line.strip_suffix(b"\n") else {
            return Ok((String::from_utf8_lossy(&first).into_owned(), end, len));
        };
        if let Some(said) = text.strip_prefix(NEXT.as_bytes()) {
            end = serde_json::from_slice(said).map_err(io::Error::other)?;
            len = at;
        }
    }
}

/// Where the rows of a symbol lie: from and to which bytes of the file.
pub(super) type Spans = BTreeMap<String, Vec<[u64; 2]>>;

/// The places of the rows in a file that is whole.
pub(super) fn spans(path: &Path) -> io::Result<Spans> {
    let mut from = BufReader::new(File::open(path)?);
    let (mut line, mut at, mut spans): (_, u64, Spans) = (Vec::new(), 0, Spans::new());
    let mut open: Option<(String, u64)> = None;
    loop {
        line.clear();
        let count = from.read_until(b'\n', &mut line)? as u64;
        let is_row = line.first() == Some(&b'{');
        if !is_row && let Some((symbol, start)) = open.take() {
            spans.entry(symbol).or_default().push([start, at]);
        }
        if count == 0 {
            return Ok(spans);
        }
        at += count;
        if let Some(symbol) = line.strip_prefix(b"@") {
            let symbol = String::from_utf8_lossy(symbol).trim_end().to_owned();
            open = Some((symbol, at));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "alpaca symbols=AAPL,SPY";

    fn page(number: u64, next: Option<&str>) -> Page {
        let next = next.map_or("null".to_owned(), |next| format!("\"{next}\""));
        let rows = format!("{{\"t\":\"{number}\",\"p\":190.10}},{{\"p\":1e-3}}");
        let text = format!("{{\"trades\":{{\"SPY\":null,\"AAPL\":[{rows}]}},\"next_page_token\":{next}}}");
        Page::of(text.as_bytes(), Channel::Trades).expect("a page")
    }

    const PAGES: [Option<&str>; 4] = [Some("a"), Some("b"), Some("c"), None];

    #[test]
    fn a_file_that_was_cut_anywhere_becomes_the_same_bytes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("rows");
        let finish = || {
            let mut kept = Kept::open(&path, HEAD).unwrap();
            while !kept.is_whole() {
                let at = kept.end.page;
                assert_eq!(kept.next(), at.checked_sub(1).and_then(|before| PAGES[before as usize]));
                kept.append(&page(at + 1, PAGES[at as usize])).unwrap();
            }
            assert_eq!(kept.rows(), 8);
        };
        finish();
        let whole = std::fs::read(&path).unwrap();
        for cut in 0..=whole.len() {
            std::fs::write(&path, &whole[..cut]).unwrap();
            finish();
            assert!(std::fs::read(&path).unwrap() == whole, "cut at {cut}");
        }
        let spans = spans(&path).unwrap();
        let bytes: u64 = spans["AAPL"].iter().map(|[from, to]| to - from).sum();
        assert_eq!((spans["AAPL"].len(), bytes), (4, 4 * 32), "{spans:?}");
    }

    #[test]
    fn the_rows_of_another_fetch_are_not_gone_on_with() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("rows");
        Kept::open(&path, HEAD).unwrap();
        let other = Kept::open(&path, "alpaca symbols=QQQ").err().unwrap().to_string();
        assert!(other.contains("the rows of another fetch"), "{other}");
    }

    #[test]
    fn what_is_no_page_is_said() {
        for text in [
            "",
            "[]",
            "{\"trades\":[]}",
            "{\"trades\":{\"A\":[1]},\"next_page_token\":null}",
            "{\"trades\":{\"A B\":[]},\"next_page_token\":null}",
        ] {
            assert!(Page::of(text.as_bytes(), Channel::Trades).is_err(), "{text}");
        }
        let none = Page::of(b"{\"bars\":null,\"next_page_token\":null}", Channel::Bars).unwrap();
        assert_eq!(none, Page::default());
    }
}
