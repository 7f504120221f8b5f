//! When a group rehearses: as soon as it has nothing to do, if it has taken [`EVERY`] events since the last time.
//!
//! **Idea.** An order waits for code and for data that only orders touch. A [rehearsal](Rehearsal) runs the code: it goes through a
//! small group and a small tail, which pass events on, hold them back and send routes away as those of the pipeline do. Then the
//! stages [read](flow::Stage::warm) what their next decision will read. All of it happens while the group would only wait.
//!
//! **Bound.** One counter, a group of small stages, and a ring of [`BACK`] slots. **Worst case.** An input that comes just then
//! waits for the end of it; at most one in [`EVERY`] does.

use super::edge::Slot;
use super::exit::Exit as _;
use super::station::Group;
use super::tail::Tail;
use crate::plan::{RETURNS, Rehearsed};
use flow::Kinds;
use ring::{Consumer, RingError};
use stages::{Instances, Rehearsal};
use std::slice::from_ref;
use std::sync::Arc;

/// Events between two rehearsals. Fewer keep the way warmer, and more inputs meet one.
const EVERY: usize = 16;
/// Slots for routes and refusals: more than one event of a rehearsal causes.
const BACK: usize = 256;

/// A small pipeline: what is rehearsed goes through it.
struct SmallPipeline {
    what: Rehearsal,
    group: Group,
    tail: Tail,
    back: Consumer<Slot>,
}

impl SmallPipeline {
    fn new(Rehearsed { what, stages }: Rehearsed, ring: ring::Kind) -> Result<SmallPipeline, RingError> {
        let (to, back) = ring::channel(ring, BACK)?;
        let group = Group::new(stages, RETURNS, 0);
        let tail = Tail::new(Vec::new(), Vec::new(), Kinds::NONE, (0, &Instances::PLAIN, Kinds::NONE), Arc::default());
        Ok(SmallPipeline { what, group, tail: tail.with_returns(Some(to)), back })
    }

    fn run(&mut self) {
        let SmallPipeline { what, group, tail, back } = self;
        let mut seq = 0;
        what.run(|event, ends| {
            seq = event.id.seq();
            group.process_all(from_ref(event), tail, &mut || ());
            let _ = back.take(BACK, |slot| {
                if ends.len() < ends.capacity() {
                    ends.push(slot.0);
                }
            });
        });
        tail.finished(seq, &mut || ());
    }
}

/// What a group rehearses, and when.
pub struct Rehearsing {
    small: Option<Box<SmallPipeline>>,
    /// Events since the last one.
    since: usize,
}

impl Rehearsing {
    /// Rehearses `what`, if there is something; routes leave it over a ring of this kind.
    ///
    /// # Errors
    /// When there is no such ring.
    pub fn new(what: Option<Box<Rehearsed>>, ring: ring::Kind) -> Result<Rehearsing, RingError> {
        let small = what.map(|what| SmallPipeline::new(*what, ring)).transpose()?;
        Ok(Rehearsing { small: small.map(Box::new), since: 0 })
    }

    /// The group has taken so many events.
    #[inline]
    pub fn worked(&mut self, events: usize) {
        self.since += events;
    }

    /// The group has nothing to do.
    #[inline]
    pub fn idle(&mut self, group: &Group) {
        if self.since >= EVERY
            && let Some(small) = &mut self.small
        {
            self.since = 0;
            small.run();
            group.warm();
        }
    }
}
