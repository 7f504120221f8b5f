//! How bytes become inputs.
//!
//! A [`Decoder`] is sans-IO: windows of bytes in, inputs out. A [`Source`] is what the ingress merges: it owns a decoder
//! and a reader, or a clock, and gives inputs in order of their due time, never blocking. Neither numbers its inputs:
//! `id` is 0, `ts` is the due time, `instrument` is local to the source until the ingress stamps them.

use crate::{Event, Ns, Window};

/// A bounded queue of inputs that wait for the ingress, each with the number of the record that it came from.
///
/// Its places are made once and written in place. It is filled when it is empty and emptied before it is filled again,
/// so one of a few hundred places stays in the first cache.
pub struct Inputs {
    events: Box<[Event]>,
    records: Box<[u64]>,
    head: usize,
    len: usize,
}

impl Inputs {
    /// The most inputs that one record may make: a decoder goes on only while there is room for as many.
    pub const MARGIN: usize = 64;

    /// A queue of `capacity` inputs, at least twice [`Inputs::MARGIN`].
    pub fn with_capacity(capacity: usize) -> Inputs {
        let capacity = capacity.max(2 * Inputs::MARGIN);
        let events = vec![bytemuck::Zeroable::zeroed(); capacity].into_boxed_slice();
        Inputs { events, records: vec![0; capacity].into_boxed_slice(), head: 0, len: 0 }
    }

    /// Whether one more record's inputs fit.
    #[inline]
    pub fn has_room(&self) -> bool {
        self.len + Inputs::MARGIN <= self.events.len()
    }

    /// Appends an input of record number `record` (1-based, per input file).
    ///
    /// # Panics
    /// When the queue is full: the decoder did not ask [`Inputs::has_room`].
    #[inline(always)]
    pub fn push(&mut self, event: Event, record: u64) {
        let at = self.len;
        assert!(at < self.events.len() && at < self.records.len(), "a record made more inputs than Inputs::MARGIN");
        self.events[at] = event;
        self.records[at] = record;
        self.len = at + 1;
    }

    /// Empty places, as many as there is room for records that make one input each, with those of the records' numbers.
    #[inline]
    pub fn spare(&mut self) -> (&mut [Event], &mut [u64]) {
        let end = (self.events.len() + 1 - Inputs::MARGIN).max(self.len);
        (&mut self.events[self.len..end], &mut self.records[self.len..end])
    }

    /// The first `n` of the spare places are filled.
    ///
    /// # Panics
    /// When there are not as many.
    #[inline]
    pub fn fill(&mut self, n: usize) {
        self.len += n;
        assert!(self.len <= self.events.len(), "more inputs than there was room for");
    }

    /// Sets flags on the last input pushed, if it is still waiting.
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

    /// Takes the input at the front away.
    #[inline]
    pub fn pop(&mut self) {
        debug_assert!(self.head < self.len);
        self.head += 1;
        if self.head == self.len {
            (self.head, self.len) = (0, 0);
        }
    }

    /// Inputs that wait.
    #[inline]
    pub fn waiting(&self) -> &[Event] {
        &self.events[self.head..self.len]
    }

    /// Inputs that wait, to be changed.
    #[inline]
    pub fn waiting_mut(&mut self) -> &mut [Event] {
        &mut self.events[self.head..self.len]
    }

    /// Whether none wait.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.head == self.len
    }
}

/// Why a feed cannot go on. The offset is that of the uncompressed stream.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
#[error("{what}, at byte {offset} (record {record}); {next}")]
pub struct FeedError {
    /// What is wrong.
    pub what: String,
    /// Offset of the first byte that is wrong, in the uncompressed stream.
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
    /// The feed's own end was reached, or all windows ended and are empty.
    Ended,
}

/// A number that a source counted, for summaries: messages by type, packets, warnings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Count {
    /// What was counted.
    pub name: String,
    /// How many.
    pub count: u64,
}

/// Turns bytes into inputs. Pure: no IO, no clock; the same bytes give the same inputs however they are cut.
pub trait Decoder: Send {
    /// Consumes whole records from the fronts of `windows` (one per stream that the feed was opened with) and pushes
    /// their inputs, until the queue has no room ([`Inputs::has_room`]) or the bytes run out.
    ///
    /// # Errors
    /// When the bytes cannot be this feed's from here on. What was pushed before stays valid.
    fn decode(&mut self, windows: &mut [Window], to: &mut Inputs) -> Result<Step, FeedError>;

    /// Local instruments are below this number (0 is none).
    fn instruments(&self) -> u32;

    /// What was counted so far: every message type with its number, those that make no input included.
    fn counts(&self) -> Vec<Count>;

    /// Whole records decoded so far, so that a reader that fails can say at which record.
    fn records(&self) -> u64 {
        0
    }

    /// What the user ought to know although the feed goes on, in sentences.
    fn warnings(&self) -> Vec<String> {
        Vec::new()
    }
}

/// What a source answers when it is polled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Polled {
    /// Inputs wait.
    Ready,
    /// None now; nothing will come that is due before this time ([`Ns::NONE`] when nothing is known).
    Idle(Ns),
    /// None, and none will come.
    Ended,
}

/// Brings inputs, in the order of their due times, without ever blocking.
pub trait Source: Send {
    /// Makes inputs available in `to` when it is empty.
    ///
    /// # Errors
    /// When the source cannot go on.
    fn poll(&mut self, to: &mut Inputs) -> Result<Polled, FeedError>;

    /// Local instruments are below this number.
    fn instruments(&self) -> u32;

    /// What was counted so far.
    fn counts(&self) -> Vec<Count>;

    /// The input's name for messages and rows: `path`, or `path:member`.
    fn name(&self) -> &str {
        ""
    }

    /// What the user ought to know although the source goes on, in sentences: a guessed date, for instance.
    fn warnings(&self) -> Vec<String> {
        Vec::new()
    }
}
