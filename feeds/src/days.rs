//! Several files of one feed, a day each, as one source.
//!
//! The files are read one after the other, and while one is read a thread of its own starts the next, whose first blocks are
//! then read and decompressed when its day comes. So a change of days is no pause, and a year needs no more memory than two
//! days. What is wrong with a file is said when its day comes. A venue numbers instruments and orders anew every day. So a new
//! file begins with the news that the numbers of before mean nothing any more ([`Polled::Anew`]), and with a `clear` of the
//! whole source; the merge finds the instruments again by their keys. Files are put in the order of their dates if every name
//! has one, and read as they were given otherwise; one that begins before its predecessor ended is an error, since its day
//! would be lost in the other.
//!
//! Bound: the readers of two files, the second of which fills its own pool and waits; and the first inputs of a file, which wait
//! behind its `clear`. Worst case: a file that is shorter than the start of the next; the source is then idle.

use crate::feed::{OpenError, Opened, Request};
use crate::reader::date;
use flow::records::Clear;
use flow::{Count, Event, FeedError, Flags, Inputs, Ns, Polled, Selection, Source};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, TryRecvError, sync_channel};
use std::thread;

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

/// About how many bytes of memory the source of these files takes: a file, and the next one that is started.
pub(crate) fn memory(files: &[Opened]) -> u64 {
    let two = files.windows(2).map(|two| two.iter().map(Opened::memory).sum());
    two.chain(files.iter().map(Opened::memory)).max().unwrap_or(0)
}

fn file_name(name: &str) -> String {
    Path::new(name).file_name().map_or_else(|| name.to_owned(), |name| name.to_string_lossy().into_owned())
}

/// Files that are started one ahead, by a thread that has no core of the pipeline.
struct Waiting {
    files: usize,
    started: Receiver<Box<dyn Source>>,
}

/// What comes behind a file.
enum Next {
    Started(Box<dyn Source>),
    /// It is not started yet.
    Starting,
    /// It was the last one.
    None,
    /// The thread is gone, and there are files left.
    Lost,
}

impl Waiting {
    fn start(files: Vec<Opened>) -> Waiting {
        // Nothing fits into the channel, so whoever gives a file waits until it is taken, and only then starts the next.
        let (to, started) = sync_channel(0);
        let waiting = Waiting { files: files.len(), started };
        let give = move || files.into_iter().map(Opened::start).try_for_each(|file| to.send(file));
        // If the thread could not start, its end is dropped, which is reported like a thread that died.
        let _ = thread::Builder::new().name("feed-days".to_owned()).spawn(give);
        waiting
    }

    fn next(&mut self) -> Next {
        match self.started.try_recv() {
            _ if self.files == 0 => Next::None,
            Ok(file) => {
                self.files -= 1;
                Next::Started(file)
            }
            Err(TryRecvError::Empty) => Next::Starting,
            Err(TryRecvError::Disconnected) => Next::Lost,
        }
    }
}

/// The source.
pub(crate) struct Days {
    name: String,
    /// Local numbers of all files are below this one.
    instruments: u32,
    /// The files behind the one that is read, of which the first is started.
    waiting: Waiting,
    now: Box<dyn Source>,
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
        let mut files = files.into_iter();
        let first = files.next().expect("an input has a file");
        Days {
            name,
            instruments,
            now: first.start(),
            waiting: Waiting::start(files.collect()),
            first: Inputs::with_capacity(0),
            is_new: false,
            reached: Ns(0),
            watched: Selection::default(),
            records: 0,
            counts: Vec::new(),
            warnings: Vec::new(),
        }
    }

    /// Goes on with the next file.
    fn next(&mut self) -> Result<Polled, FeedError> {
        let next = match self.waiting.next() {
            Next::Started(next) => next,
            Next::Starting => return Ok(Polled::Idle(Ns::NONE)),
            Next::None => return Ok(Polled::Ended),
            Next::Lost => {
                return Err(FeedError {
                    what: "the thread that starts the next file stopped".to_owned(),
                    offset: 0,
                    record: self.records() + 1,
                    next: "this is a fault of the program: report it",
                });
            }
        };
        (self.records, self.counts, self.warnings) = (self.records(), self.counts(), self.warnings());
        self.now = next;
        self.now.watch(&self.watched);
        self.is_new = true;
        Ok(Polled::Anew)
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
            polled.map_err(|error| FeedError { what: format!("{}: {}", self.now.name(), error.what), ..error })?;
        if let Some(last) = to.waiting().last() {
            self.reached = self.reached.max(last.ts);
        }
        // The last inputs of a file may come with its end.
        if polled == Polled::Ended && to.is_empty() { self.next() } else { Ok(polled) }
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
    use crate::itch::ItchDecoder;
    use crate::itch::wire::{self, Message};
    use std::io::{self, Read};
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::time::{Duration, Instant};

    #[test]
    fn files_are_read_by_date_or_as_they_are_given() {
        let ordered = |names: &[&str]| in_order(names.iter().map(PathBuf::from).collect());
        let dated = ["01302020.NASDAQ_ITCH50", "12302019.NASDAQ_ITCH50", "01022020.NASDAQ_ITCH50"];
        assert_eq!(ordered(&dated), [dated[1], dated[2], dated[0]].map(PathBuf::from));
        let one_is_not = ["b_20200131.itch", "first.itch", "a_20200130.itch"];
        assert_eq!(ordered(&one_is_not), one_is_not.map(PathBuf::from));
    }

    /// Bytes that say whether somebody has begun to read them. Without any, the disk fails.
    struct Noted {
        bytes: io::Cursor<Vec<u8>>,
        begun: Arc<AtomicBool>,
    }

    impl Read for Noted {
        fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
            self.begun.store(true, Ordering::Relaxed);
            if self.bytes.get_ref().is_empty() {
                Err(io::Error::other("the disk is gone"))
            } else {
                self.bytes.read(to)
            }
        }
    }

    /// A day of so many messages.
    fn day(name: &str, messages: u64, begun: &Arc<AtomicBool>) -> Opened {
        let mut bytes = Vec::new();
        for timestamp in 1..=messages {
            let head = wire::Head { locate: 7, tracking: 0, timestamp };
            wire::OrderDelete { head, order_ref: timestamp }.put_framed(&mut bytes);
        }
        let stream = Noted { bytes: io::Cursor::new(bytes), begun: begun.clone() };
        let streams: Vec<Box<dyn Read + Send>> = vec![Box::new(stream)];
        let date = date::in_name(name);
        let decoder = Box::new(ItchDecoder::new(date));
        Opened { name: name.to_owned(), warnings: Vec::new(), decoder, streams, memory: 0, part: None }
    }

    fn wait_for(done: impl Fn() -> bool) {
        let start = Instant::now();
        while !done() {
            assert!(start.elapsed() < Duration::from_secs(10), "it does not happen");
            thread::sleep(Duration::from_millis(1));
        }
    }

    /// Reads to the end of a file, or of the source; how many inputs came.
    fn read(days: &mut Days) -> (usize, Result<Polled, FeedError>) {
        let (mut count, mut inputs) = (0, Inputs::with_capacity(0));
        loop {
            match days.poll(&mut inputs) {
                Ok(Polled::Ready | Polled::Idle(_)) => {}
                end => return (count, end),
            }
            while inputs.front().is_some() {
                inputs.pop();
                count += 1;
            }
        }
    }

    #[test]
    fn the_next_file_is_started_while_one_is_read() {
        let begun: [Arc<AtomicBool>; 4] = Default::default();
        let has_begun = |file: usize| begun[file].load(Ordering::Relaxed);
        let names = ["d_20200130", "d_20200131", "d_20200203", "d_20200204"];
        let files = names.iter().zip([3, 5, 0, 1]).zip(&begun).map(|((name, n), begun)| day(name, n, begun));
        let mut days = Days::start(files.collect());
        wait_for(|| has_begun(0) && has_begun(1));
        assert!(!has_begun(2), "one file ahead, not two");
        assert_eq!(read(&mut days), (3, Ok(Polled::Anew)));
        wait_for(|| has_begun(2));
        assert!(!has_begun(3));
        assert_eq!(read(&mut days), (6, Ok(Polled::Anew)), "with the clear in front");
        let failed = read(&mut days).1.unwrap_err();
        assert!(failed.what.starts_with("d_20200203: the disk is gone"), "said when its day comes: {failed}");
        assert_eq!(days.records(), 8);
        drop(days);
        wait_for(|| begun.iter().all(|begun| Arc::strong_count(begun) == 1));
    }
}
