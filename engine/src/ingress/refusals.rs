//! The pipeline's refusals where no order goes to the simulated exchange: under wall time they enter as they come.
//!
//! During a replay the recorded ones enter instead; the pipeline produces its own again, and each is matched with its recorded
//! echo, so that those without one enter afterwards. Bound: the requests that the pipeline made since the last drain.

use crate::gateway::saved_events;
use crate::pipeline::Slot;
use flow::{Event, SOURCE_RETURNS, StateError, StateReader, StateWriter};
use ring::Consumer;
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// The refusals that have not entered as inputs yet.
pub struct Refusals {
    inbox: Consumer<Slot>,
    watermark: Arc<AtomicU64>,
    queue: VecDeque<Event>,
    /// Recorded refusals that entered before the replaying pipeline produced them again.
    echoes_ahead: u64,
}

impl Refusals {
    /// Takes them from `inbox`; `watermark` is the tail's.
    pub fn new(inbox: Consumer<Slot>, watermark: Arc<AtomicU64>) -> Refusals {
        Refusals { inbox, watermark, queue: VecDeque::new(), echoes_ahead: 0 }
    }

    /// Whether the pipeline has finished everything up to `seq`; if so, all its refusals are here.
    #[inline]
    pub(super) fn pipeline_is_idle(&mut self, seq: u64) -> bool {
        let idle = self.watermark.load(Ordering::Acquire) == seq;
        self.drain();
        idle
    }

    /// Takes what has arrived. Also called while the head waits for room.
    #[inline]
    pub(super) fn drain(&mut self) {
        let Refusals { inbox, queue, echoes_ahead, .. } = self;
        // Empty or closed makes no difference here: the end of a run is signalled elsewhere.
        let _ = inbox.take(usize::MAX, |slot| {
            if *echoes_ahead > 0 {
                *echoes_ahead -= 1;
            } else {
                queue.push_back(Event { source: SOURCE_RETURNS, ..slot.0 });
            }
        });
    }

    /// Whether one is waiting to enter.
    #[inline]
    pub(super) fn is_waiting(&self) -> bool {
        !self.queue.is_empty()
    }

    /// Takes the next one. Call only when one is waiting.
    pub(super) fn take(&mut self) -> Event {
        self.queue.pop_front().expect("the merge chose a waiting refusal")
    }

    /// A recorded one enters during a replay.
    pub(super) fn replay(&mut self) {
        if self.queue.pop_front().is_none() {
            self.echoes_ahead += 1;
        }
    }

    /// Saves those that wait. The pipeline must be idle.
    pub(super) fn save(&self, to: &mut StateWriter<'_>) {
        let saved = |event: &Event| (to.key(event.instrument), bytemuck::bytes_of(event).to_vec());
        let waiting: Vec<_> = self.queue.iter().map(saved).collect();
        to.put(&waiting);
    }

    /// Restores what [`Refusals::save`] wrote.
    ///
    /// # Errors
    /// When the bytes are no such state.
    pub(super) fn load(&mut self, from: &mut StateReader<'_>) -> Result<(), StateError> {
        self.queue = saved_events(from.get()?, from)?;
        Ok(())
    }
}
