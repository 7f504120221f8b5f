//! A source with its place in the merge.

use super::IngressError;
use flow::{Event, Inputs, Ns, Polled, Source};

/// A source, what of it waits for the merge, and what it counted.
pub struct SourceQueue {
    /// Name of the input, for messages and rows.
    pub name: String,
    source: Box<dyn Source>,
    queue: Inputs,
    /// Added to local instruments other than 0.
    base: u32,
    /// Ordinal in the plan, from 1.
    id: u8,
    ended: bool,
    records: u64,
    inputs: u64,
}

/// What a source shows to the merge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Peek {
    /// Its next input is due then.
    Due(Ns),
    /// None now, but it has not ended.
    Nothing,
    /// It has ended.
    Ended,
}

impl SourceQueue {
    /// Inputs that wait for the merge.
    const QUEUE: usize = 256;

    /// The `id`th source, whose instruments follow `base`.
    pub fn new(name: String, source: Box<dyn Source>, id: u8, base: u32) -> SourceQueue {
        let queue = Inputs::with_capacity(Self::QUEUE);
        SourceQueue { name, source, queue, base, id, ended: false, records: 0, inputs: 0 }
    }

    /// Records of the file that gave inputs, as far as admitted.
    pub fn records(&self) -> u64 {
        self.records
    }

    /// Inputs admitted.
    pub fn inputs(&self) -> u64 {
        self.inputs
    }

    /// What the source counted.
    pub fn counts(&self) -> Vec<flow::Count> {
        self.source.counts()
    }

    /// What the source warns of.
    pub fn warnings(&self) -> Vec<String> {
        self.source.warnings()
    }

    /// Looks for the next input.
    #[inline]
    pub(super) fn show(&mut self) -> Result<Peek, IngressError> {
        match self.queue.waiting().first() {
            Some(event) => Ok(Peek::Due(event.ts)),
            None => self.fill(),
        }
    }

    /// Asks the source, since nothing waits.
    fn fill(&mut self) -> Result<Peek, IngressError> {
        if self.ended {
            return Ok(Peek::Ended);
        }
        let polled = self.source.poll(&mut self.queue);
        self.stamp_source();
        match polled {
            Ok(Polled::Ready) => {}
            Ok(Polled::Idle(_)) => return Ok(Peek::Nothing),
            Ok(Polled::Ended) => self.ended = true,
            Err(error) => return Err(IngressError::Source { input: self.name.clone(), error }),
        }
        let waiting = self.queue.front().map(|(event, _)| Peek::Due(event.ts));
        Ok(waiting.unwrap_or(if self.ended { Peek::Ended } else { Peek::Nothing }))
    }

    /// Says of what was polled just now where it came from: source and instrument are those of the pipeline from here on.
    #[inline]
    fn stamp_source(&mut self) {
        for event in self.queue.waiting_mut() {
            event.source = self.id;
            event.instrument += if event.instrument == 0 { 0 } else { self.base };
        }
    }

    /// Whether it will give nothing more than what waits.
    #[inline]
    pub(super) fn has_ended(&self) -> bool {
        self.ended
    }

    /// Inputs that wait, the next one first.
    #[inline]
    pub(super) fn lookahead(&self) -> &[Event] {
        self.queue.waiting()
    }

    /// Takes the next input, with the number of its record. Call only when one is due.
    #[inline(always)]
    pub(super) fn take(&mut self, to: &mut Event) -> u64 {
        let (event, record) = self.queue.front().expect("the merge chose a waiting input");
        *to = *event;
        self.queue.pop();
        self.count(record);
        record
    }

    /// An input of this source was admitted.
    #[inline]
    pub(super) fn count(&mut self, record: u64) {
        self.records = self.records.max(record);
        self.inputs += 1;
    }

    /// How much was admitted: records and inputs.
    pub(super) fn progress(&self) -> (u64, u64) {
        (self.records, self.inputs)
    }

    /// Goes on as if that much had been admitted.
    pub(super) fn set_progress(&mut self, (records, inputs): (u64, u64)) {
        (self.records, self.inputs) = (records, inputs);
    }

    /// Passes over what was admitted before: the sources begin anew, the record does not.
    pub(super) fn skip(&mut self) -> Result<(), IngressError> {
        let mut left = self.inputs;
        while left > 0 {
            match self.show()? {
                Peek::Due(_) => {
                    let record = self.queue.front().map_or(0, |(_, record)| record);
                    self.queue.pop();
                    self.records = self.records.max(record);
                    left -= 1;
                }
                Peek::Nothing => std::thread::yield_now(),
                Peek::Ended => return Err(IngressError::Short { input: self.name.clone(), missing: left }),
            }
        }
        Ok(())
    }

    /// Ends the source; what waits is dropped.
    pub(super) fn end(&mut self) {
        self.ended = true;
        self.queue = Inputs::with_capacity(0);
    }
}
