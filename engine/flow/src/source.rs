//! From bytes to inputs.
//!
//! A [`Decoder`] does no I/O: windows of bytes in, inputs out. A [`Source`] is what the ingress merges: it owns a decoder and
//! a reader, or a clock, and yields inputs in order of their due time, without blocking. Inputs are not numbered yet: `id`
//! is 0, `ts` is the due time, `instrument` is local to the source until the ingress gives it its index. A source says what a
//! local number stands for before its data: a name and a listing, whole in one poll ([`Definition::push`](crate::Definition::push)).
//!
//! A source is live or not. One that is not, a file, gives the same inputs whenever it is read, so after a restart it is read
//! again from its start and what was recorded is skipped. A live one gives what happens now: `ts` is when the input arrived,
//! and after a restart it has lost what happened meanwhile, unless it can ask for it ([`Source::resume`]). Its rules: it never
//! fails and never ends because a connection did, it reports a `gap` wherever a message is missing, and it emits a `cursor`
//! often enough that the gap after a restart is exact (at most each 256 packets or 100 ms).

use crate::records::Cursor;
use crate::{Event, Ns, Selection, Symbols, Window};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

/// A source's own numbers of instruments are below this one; 0 is none.
pub const LOCAL_INSTRUMENTS: u32 = 1 << 16;

/// A bounded queue of inputs that wait for the ingress, each with the number of its record in the file.
///
/// Slots are allocated once and written in place. The queue is filled only when empty, so its few hundred slots stay in
/// the L1 cache.
pub struct Inputs {
    events: Box<[Event]>,
    records: Box<[u64]>,
    head: usize,
    len: usize,
    left_out: u64,
}

impl Inputs {
    /// The most inputs that one record may make: a decoder continues only while there is room for that many.
    pub const MARGIN: usize = 64;

    /// A queue of `capacity` inputs, at least twice [`Inputs::MARGIN`].
    pub fn with_capacity(capacity: usize) -> Inputs {
        let capacity = capacity.max(2 * Inputs::MARGIN);
        let events = vec![bytemuck::Zeroable::zeroed(); capacity].into_boxed_slice();
        Inputs { events, records: vec![0; capacity].into_boxed_slice(), head: 0, len: 0, left_out: 0 }
    }

    /// Whether the inputs of one more record fit.
    #[inline]
    pub fn has_room(&self) -> bool {
        self.len + Inputs::MARGIN <= self.events.len()
    }

    /// Appends an input of record number `record` (1-based, per input file).
    ///
    /// # Panics
    /// When the queue is full: the decoder did not check [`Inputs::has_room`].
    #[inline(always)]
    pub fn push(&mut self, event: Event, record: u64) {
        let at = self.len;
        assert!(at < self.events.len() && at < self.records.len(), "a record made more inputs than Inputs::MARGIN");
        self.events[at] = event;
        self.records[at] = record;
        self.len = at + 1;
    }

    /// Free slots for records that make one input each, with the slots of their record numbers.
    #[inline]
    pub fn spare(&mut self) -> (&mut [Event], &mut [u64]) {
        let end = (self.events.len() + 1 - Inputs::MARGIN).max(self.len);
        (&mut self.events[self.len..end], &mut self.records[self.len..end])
    }

    /// Declares the first `n` free slots filled.
    ///
    /// # Panics
    /// When there are not that many.
    #[inline]
    pub fn fill(&mut self, n: usize) {
        self.len += n;
        assert!(self.len <= self.events.len(), "more inputs than there was room for");
    }

    /// Sets flags on the last input pushed, if it still waits.
    #[inline]
    pub fn flag_last(&mut self, flags: crate::Flags) {
        if let Some(last) = self.waiting_mut().last_mut() {
            last.flags = last.flags.with(flags);
        }
    }

    /// The input at the front with its record number.
    #[inline]
    pub fn front(&self) -> Option<(&Event, u64)> {
        self.waiting().first().map(|e| (e, self.records[self.head]))
    }

    /// Removes the input at the front.
    #[inline]
    pub fn pop(&mut self) {
        debug_assert!(self.head < self.len);
        self.head += 1;
        if self.head == self.len {
            (self.head, self.len) = (0, 0);
        }
    }

    /// The waiting inputs.
    #[inline]
    pub fn waiting(&self) -> &[Event] {
        &self.events[self.head..self.len]
    }

    /// The waiting inputs, mutable.
    #[inline]
    pub fn waiting_mut(&mut self) -> &mut [Event] {
        &mut self.events[self.head..self.len]
    }

    /// Counts inputs that a source spared itself ([`Source::watch`]).
    #[inline]
    pub fn leave_out(&mut self, inputs: u64) {
        self.left_out += inputs;
    }

    /// How many were counted so since this was last asked.
    #[inline]
    pub fn take_left_out(&mut self) -> u64 {
        std::mem::take(&mut self.left_out)
    }

    /// Whether no input waits.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.head == self.len
    }
}

/// Why a feed cannot continue. The offset is in the uncompressed stream.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
#[error("{what}, at byte {offset} (record {record}); {next}")]
pub struct FeedError {
    /// What is wrong.
    pub what: String,
    /// Offset of the first bad byte in the uncompressed stream.
    pub offset: u64,
    /// 1-based number of the record that could not be read.
    pub record: u64,
    /// What the user can do.
    pub next: &'static str,
}

/// Why a decoder stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// The queue has no room for another record.
    Full,
    /// More bytes are needed.
    Starved,
    /// The feed's own end was reached, or all windows have ended and are empty.
    Ended,
}

/// A count of a source, for summaries: messages by type, packets, warnings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Count {
    /// What was counted.
    pub name: String,
    /// How many.
    pub count: u64,
}

/// Turns bytes into inputs. Pure: no I/O, no clock; the result does not depend on how the bytes are split.
pub trait Decoder: Send {
    /// Consumes whole records from the fronts of `windows` (one per stream of the feed) and pushes their inputs, until the
    /// queue has no room ([`Inputs::has_room`]) or the bytes run out.
    ///
    /// # Errors
    /// When the bytes from here on cannot be this feed's. What was pushed before is valid.
    fn decode(&mut self, windows: &mut [Window], to: &mut Inputs) -> Result<Step, FeedError>;

    /// Only these instruments are watched from now on: as [`Source::watch`] of a source that is not live.
    fn watch(&mut self, _: &Selection) {}

    /// Local instruments are below this number (0 is none).
    fn instruments(&self) -> u32;

    /// The counts so far: every message type with its number, also those that make no input.
    fn counts(&self) -> Vec<Count>;

    /// Whole records decoded so far: where a failing reader stopped.
    fn records(&self) -> u64 {
        0
    }

    /// Warnings for the user while the feed goes on, as sentences.
    fn warnings(&self) -> Vec<String> {
        Vec::new()
    }
}

/// The result of polling a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Polled {
    /// Inputs wait.
    Ready,
    /// No input now, and none due before this time ([`Ns::NONE`] if unknown).
    Idle(Ns),
    /// No input now. From here on its local numbers mean something else: it says again what each stands for.
    Anew,
    /// No more inputs.
    Ended,
}

/// What the record of a run holds of a source, when the run goes on after a restart.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Resumed {
    /// Its inputs.
    pub inputs: u64,
    /// The last cursor among them.
    pub cursor: Option<Cursor>,
    /// Inputs after that cursor; gaps do not count.
    pub since: u64,
    /// How many of those are the last of their message ([`Flags::LAST_OF_PACKET`](crate::Flags::LAST_OF_PACKET)).
    pub messages_since: u64,
}

impl Resumed {
    /// The sequence number after the messages of the record, if it is known. Messages without inputs after the last cursor do
    /// not count, so it may be too low, but never too high.
    pub fn next_message(&self) -> Option<u64> {
        self.cursor.map(|cursor| cursor.next + self.messages_since)
    }
}

/// How a source goes on after a restart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resumption {
    /// It gives recorded inputs again: its next so many are skipped.
    Again(u64),
    /// It goes on with what happens now. What happened meanwhile is lost, so a `gap` of the whole source enters first.
    Live {
        /// Sequence number of the first message that is not recorded; `None` if that is not known.
        expected: Option<u64>,
    },
}

/// What a source says to whoever looks after the run, sentence by sentence: that it is connected, what is wrong, what to do. Its
/// thread says it, and another one reads it; the pipeline does neither. Bound: [`FeedNotices::MOST`] sentences that nobody has
/// read; those that come then are left out.
#[derive(Clone, Debug, Default)]
pub struct FeedNotices(Arc<Mutex<VecDeque<String>>>);

impl FeedNotices {
    /// Sentences that wait.
    pub const MOST: usize = 64;

    /// Says a sentence.
    pub fn say(&self, sentence: String) {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.len() < FeedNotices::MOST {
            waiting.push_back(sentence);
        }
    }

    /// The next sentence.
    pub fn take(&self) -> Option<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).pop_front()
    }
}

/// What the venue of a live source makes of the symbols that it was asked for last. The thread of the source says it, and whoever
/// has changed them reads it; the pipeline does neither. Bound: one answer.
#[derive(Clone, Debug, Default)]
pub struct WatchAnswer(Arc<Mutex<Option<Answered>>>);

/// The symbols that were asked for, and what was answered.
type Answered = (Option<Symbols>, Result<(), String>);

impl WatchAnswer {
    /// The venue brings these symbols and no others from now on (`None` = all), or why it does not, as a sentence.
    pub fn give(&self, symbols: Option<Symbols>, answer: Result<(), String>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some((symbols, answer));
    }

    /// Forgets it: what is asked for next is not answered yet.
    pub fn forget(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// What was answered, if the last answer is of these symbols.
    pub fn of(&self, symbols: &Option<Symbols>) -> Option<Result<(), String>> {
        let given = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        given.as_ref().filter(|(of, _)| of == symbols).map(|(_, answer)| answer.clone())
    }
}

/// Yields inputs in order of their due times, without blocking.
pub trait Source: Send {
    /// Fills `to` with inputs when it is empty.
    ///
    /// # Errors
    /// When the source cannot continue. The run ends then; an error of a live source becomes a `gap`, and nothing more comes of it.
    fn poll(&mut self, to: &mut Inputs) -> Result<Polled, FeedError>;

    /// Whether it gives what happens now; `ts` of its inputs is then the time of their arrival, else the exchange's.
    fn is_live(&self) -> bool {
        false
    }

    /// Called once before the first poll of a run that goes on: says how. A live source lists its instruments again.
    fn resume(&mut self, record: &Resumed) -> Resumption {
        Resumption::Again(record.inputs)
    }

    /// Only these instruments are watched from now on. What it gives of others is left out, so it may spare itself the work, or
    /// ask its venue for no more; what it does not have yet it should begin to bring. It still lists every instrument. One that is
    /// not live counts the inputs that it spares itself ([`Inputs::leave_out`]): a place among its inputs is the same whatever
    /// is watched. What it leaves out are whole groups.
    fn watch(&mut self, _: &Selection) {}

    /// Local instruments are below this number.
    fn instruments(&self) -> u32;

    /// The counts so far.
    fn counts(&self) -> Vec<Count>;

    /// About how many bytes of memory it takes.
    fn memory(&self) -> u64 {
        0
    }

    /// Records read so far, also those that make no input; 0 if it does not count them.
    fn records(&self) -> u64 {
        0
    }

    /// The input's name for messages and rows: `path`, or `path:member`.
    fn name(&self) -> &str {
        ""
    }

    /// Warnings for the user while the source goes on, as sentences: a guessed date, for instance.
    fn warnings(&self) -> Vec<String> {
        Vec::new()
    }

    /// Where it says what it has to say while it goes on, if it does.
    fn notices(&self) -> Option<FeedNotices> {
        None
    }

    /// Where it says what its venue makes of the symbols that are watched, if it asks a venue for them.
    fn watch_answer(&self) -> Option<WatchAnswer> {
        None
    }
}
