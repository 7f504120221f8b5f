//! A source and its queue of inputs for the merge.
//!
//! The queue is polled only when it is empty; what it holds is stamped with the pipeline's source and instrument numbers.
//! Bound: 256 queued inputs per source.

use super::IngressError;
use super::stated_terms::{Stated, StatedTerms};
use crate::pipeline::FeedState;
use flow::{Event, Inputs, Ns, Polled, Source};

/// A source, its queued inputs, and its counts.
pub struct SourceQueue {
    /// Name of the input, for messages and rows.
    pub name: String,
    source: Box<dyn Source>,
    queue: Inputs,
    /// Added to the source's own instrument numbers other than 0.
    base: u32,
    /// Number of the source, from 1 in argument order.
    id: u8,
    ended: bool,
    records: u64,
    inputs: u64,
    /// How many of the inputs that were admitted before a restart have been skipped.
    skipped: u64,
    /// When its last input entered.
    last: Ns,
    /// The operator's terms for its listings, if there are any.
    stated: Option<StatedTerms>,
}

/// How many inputs are skipped at once, so that a stop need not wait for all of them.
const SKIPPED_AT_ONCE: u64 = 1 << 16;

/// What the merge sees of a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Peek {
    /// Its next input is due at this time.
    Due(Ns),
    /// Nothing is queued, but it has not ended.
    Nothing,
    /// It has ended.
    Ended,
}

impl SourceQueue {
    /// Capacity of the queue.
    const QUEUE: usize = 256;

    /// The source number `id`, whose instruments are numbered after `base`.
    pub fn new(name: String, source: Box<dyn Source>, id: u8, base: u32) -> SourceQueue {
        let queue = Inputs::with_capacity(Self::QUEUE);
        SourceQueue {
            name,
            source,
            queue,
            base,
            id,
            ended: false,
            records: 0,
            inputs: 0,
            skipped: 0,
            last: Ns::NONE,
            stated: None,
        }
    }

    /// Puts the operator's terms into its listings.
    #[must_use]
    pub fn with_stated(mut self, stated: &Stated) -> SourceQueue {
        self.stated = StatedTerms::new(stated);
        self
    }

    /// Number of the last file record whose input was admitted; of a source that has ended, of its last record.
    pub fn records(&self) -> u64 {
        if self.ended && self.queue.is_empty() { self.records.max(self.source.records()) } else { self.records }
    }

    /// Inputs admitted.
    pub fn inputs(&self) -> u64 {
        self.inputs
    }

    /// The source's own counters.
    pub fn counts(&self) -> Vec<flow::Count> {
        self.source.counts()
    }

    /// The source's warnings.
    pub fn warnings(&self) -> Vec<String> {
        self.source.warnings().into_iter().chain(self.stated.iter().flat_map(StatedTerms::warnings)).collect()
    }

    /// Looks at the next input; polls the source if none is queued.
    #[inline]
    pub(super) fn peek(&mut self) -> Result<Peek, IngressError> {
        match self.queue.waiting().first() {
            Some(event) => Ok(Peek::Due(event.ts)),
            None => self.fill(),
        }
    }

    /// Polls the source, since the queue is empty.
    fn fill(&mut self) -> Result<Peek, IngressError> {
        if self.ended {
            return Ok(Peek::Ended);
        }
        let polled = self.source.poll(&mut self.queue);
        self.stamp_source();
        if let Some(stated) = &mut self.stated {
            stated.apply(self.queue.waiting_mut());
        }
        match polled {
            Ok(Polled::Ready) => {}
            Ok(Polled::Idle(_)) => return Ok(Peek::Nothing),
            Ok(Polled::Ended) => self.ended = true,
            Err(error) => return Err(IngressError::Source { input: self.name.clone(), error }),
        }
        let waiting = self.queue.front().map(|(event, _)| Peek::Due(event.ts));
        Ok(waiting.unwrap_or(if self.ended { Peek::Ended } else { Peek::Nothing }))
    }

    /// Stamps the inputs just polled with the pipeline's source and instrument numbers.
    #[inline]
    fn stamp_source(&mut self) {
        for event in self.queue.waiting_mut() {
            event.source = self.id;
            event.instrument += if event.instrument == 0 { 0 } else { self.base };
        }
    }

    /// Whether it has nothing beyond what is queued.
    #[inline]
    pub(super) fn has_ended(&self) -> bool {
        self.ended
    }

    /// The queued inputs, the next one first.
    #[inline]
    pub(super) fn lookahead(&self) -> &[Event] {
        self.queue.waiting()
    }

    /// Takes the next input; returns the number of its record. Call only when one is due.
    #[inline(always)]
    pub(super) fn take(&mut self, to: &mut Event) -> u64 {
        let (event, record) = self.queue.front().expect("the merge chose a waiting input");
        *to = *event;
        self.queue.pop();
        self.count(record);
        record
    }

    /// Counts an admitted input.
    #[inline]
    pub(super) fn count(&mut self, record: u64) {
        self.records = self.records.max(record);
        self.inputs += 1;
    }

    /// Its last input entered at `ts`.
    #[inline(always)]
    pub(super) fn entered(&mut self, ts: Ns) {
        self.last = ts;
    }

    /// What the status says of it.
    pub(super) fn trading_state(&self) -> FeedState {
        FeedState { name: self.name.clone(), inputs: self.inputs, last: self.last, ended: self.ended }
    }

    /// Records and inputs admitted so far.
    pub(super) fn progress(&self) -> (u64, u64) {
        (self.records, self.inputs)
    }

    /// Sets what was admitted so far, from a snapshot.
    pub(super) fn set_progress(&mut self, (records, inputs): (u64, u64)) {
        (self.records, self.inputs) = (records, inputs);
    }

    /// Skips the inputs that were admitted before the restart: the source starts over, the journal does not. Skips some at
    /// once, and says whether that was all.
    pub(super) fn skip(&mut self) -> Result<bool, IngressError> {
        for _ in 0..SKIPPED_AT_ONCE {
            if self.skipped == self.inputs {
                break;
            }
            match self.peek()? {
                Peek::Due(_) => {
                    let record = self.queue.front().map_or(0, |(_, record)| record);
                    self.queue.pop();
                    self.records = self.records.max(record);
                    self.skipped += 1;
                }
                Peek::Nothing => break,
                Peek::Ended => {
                    let missing = self.inputs - self.skipped;
                    return Err(IngressError::Short { input: self.name.clone(), missing });
                }
            }
        }
        Ok(self.skipped == self.inputs)
    }
}
