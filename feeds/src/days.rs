//! Several files of one feed, a day each, as one source.
//!
//! The files are read one after the other; each is opened and started when the one before has ended, so a year needs no more
//! memory than a day. A venue numbers instruments and orders anew every day. So a new file begins with the news that the
//! numbers of before mean nothing any more ([`Polled::Anew`]), and with a `clear` of the whole source; the merge finds the
//! instruments again by their keys. Files are put in the order of their dates if every name has one, and read as they were
//! given otherwise; one that begins before its predecessor ended is an error, since its day would be lost in the other.
//!
//! Bound: one file's reader, and the first inputs of a file, which wait behind its `clear`.

use crate::feed::{OpenError, Opened, Request};
use crate::reader::date;
use flow::records::Clear;
use flow::{Count, Event, FeedError, Flags, Inputs, Ns, Polled, Selection, Source};
use std::collections::VecDeque;
use std::path::{Path, PathBuf};

/// The requests for the days of an input, one for each file, in order.
///
/// # Errors
/// When a date is given: it would be that of every file.
pub(crate) fn requests(request: &Request) -> Result<Vec<Request>, OpenError> {
    if let (Some(date), [first, ..]) = (request.date, &request.paths[..]) {
        return Err(OpenError {
            what: format!("the date {date} is given, but {} files, from {} on", request.paths.len(), first.display()),
            next: "leave the date out, and put each file's date into its name, as day_20200130.itch".to_owned(),
        });
    }
    let of = |path: PathBuf| Request { paths: vec![path], ..request.clone() };
    Ok(in_order(request.paths.clone()).into_iter().map(of).collect())
}

/// The files by date, if the name of each has one.
fn in_order(mut paths: Vec<PathBuf>) -> Vec<PathBuf> {
    let dated = |path: &PathBuf| date::in_name(&path.to_string_lossy());
    if paths.iter().all(|path| dated(path).is_some()) {
        paths.sort_by_key(dated);
    }
    paths
}

/// The name of the source of these files.
pub(crate) fn name(files: &[Opened]) -> String {
    match files {
        [first, .., last] => format!("{} to {}", first.name, file_name(&last.name)),
        files => files.iter().map(|file| file.name.as_str()).collect(),
    }
}

fn file_name(name: &str) -> String {
    Path::new(name).file_name().map_or_else(|| name.to_owned(), |name| name.to_string_lossy().into_owned())
}

/// The source.
pub(crate) struct Days {
    name: String,
    /// Local numbers of all files are below this one.
    instruments: u32,
    waiting: VecDeque<Opened>,
    now: Box<dyn Source>,
    /// The name of the file that is read.
    reading: String,
    /// The first inputs of a file, until they can follow its clear.
    first: Inputs,
    is_new: bool,
    /// When the last input of the files so far was due.
    reached: Ns,
    watched: Selection,
    /// What is known of the files that have ended.
    records: u64,
    counts: Vec<Count>,
    warnings: Vec<String>,
}

impl Days {
    /// Starts the first of these files.
    ///
    /// # Panics
    /// When there is none.
    pub(crate) fn start(files: Vec<Opened>) -> Days {
        let name = name(&files);
        let instruments = files.iter().map(|file| file.decoder.instruments()).max().unwrap_or(0);
        let mut waiting = VecDeque::from(files);
        let first = waiting.pop_front().expect("an input has a file");
        Days {
            name,
            instruments,
            waiting,
            reading: first.name.clone(),
            now: first.start(),
            first: Inputs::with_capacity(0),
            is_new: false,
            reached: Ns(0),
            watched: Selection::default(),
            records: 0,
            counts: Vec::new(),
            warnings: Vec::new(),
        }
    }

    /// Goes on with the next file; `false` if there is none.
    fn next(&mut self) -> bool {
        let Some(next) = self.waiting.pop_front() else { return false };
        (self.records, self.counts, self.warnings) = (self.records(), self.counts(), self.warnings());
        self.reading.clone_from(&next.name);
        self.now = next.start();
        self.now.watch(&self.watched);
        self.is_new = true;
        true
    }

    /// The first inputs of a file, behind a clear of what the one before left.
    fn begin(&mut self, to: &mut Inputs) -> Result<Polled, FeedError> {
        let polled = self.now.poll(&mut self.first)?;
        to.leave_out(self.first.take_left_out());
        let Some(first) = self.first.waiting().first() else { return Ok(polled) };
        if first.ts < self.reached {
            return Err(FeedError {
                what: "it begins before the file in front of it ended".to_owned(),
                offset: 0,
                record: 1,
                next: "give the files in the order of their days",
            });
        }
        self.is_new = false;
        let clear = Clear { exchange_ts: first.exchange_ts().unwrap_or(Ns::NONE), ..Clear::default() };
        to.push(Event::new(first.ts, 0, Flags::LAST_OF_GROUP, &clear), self.records);
        while let Some((event, record)) = self.first.front() {
            to.push(*event, self.records + record);
            self.first.pop();
        }
        Ok(Polled::Ready)
    }
}

impl Source for Days {
    fn poll(&mut self, to: &mut Inputs) -> Result<Polled, FeedError> {
        if !to.is_empty() {
            return Ok(Polled::Ready);
        }
        let polled = if self.is_new { self.begin(to) } else { self.now.poll(to) };
        let polled =
            polled.map_err(|error| FeedError { what: format!("{}: {}", self.reading, error.what), ..error })?;
        if let Some(last) = to.waiting().last() {
            self.reached = self.reached.max(last.ts);
        }
        // The last inputs of a file may come with its end.
        if polled == Polled::Ended && to.is_empty() && self.next() { Ok(Polled::Anew) } else { Ok(polled) }
    }

    fn watch(&mut self, watched: &Selection) {
        self.watched = watched.clone();
        self.now.watch(watched);
    }

    fn instruments(&self) -> u32 {
        self.instruments
    }

    fn counts(&self) -> Vec<Count> {
        let mut counts = self.counts.clone();
        for count in self.now.counts() {
            match counts.iter_mut().find(|c| c.name == count.name) {
                Some(sum) => sum.count += count.count,
                None => counts.push(count),
            }
        }
        counts
    }

    fn records(&self) -> u64 {
        self.records + self.now.records()
    }

    fn name(&self) -> &str {
        &self.name
    }

    fn warnings(&self) -> Vec<String> {
        self.warnings.iter().cloned().chain(self.now.warnings()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_read_by_date_or_as_they_are_given() {
        let ordered = |names: &[&str]| in_order(names.iter().map(PathBuf::from).collect());
        let dated = ["01302020.NASDAQ_ITCH50", "12302019.NASDAQ_ITCH50", "01022020.NASDAQ_ITCH50"];
        assert_eq!(ordered(&dated), [dated[1], dated[2], dated[0]].map(PathBuf::from));
        let one_is_not = ["b_20200131.itch", "first.itch", "a_20200130.itch"];
        assert_eq!(ordered(&one_is_not), one_is_not.map(PathBuf::from));
    }
}
