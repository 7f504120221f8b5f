//! What waits for its time, in the order of its turn.
//!
//! Two lanes: what the pipeline sent, and what the simulated venue answered. In each of them nothing is due before what came
//! earlier, so a lane is a queue in the order of its turn as a rule; what is due at once is put in order by a step or two
//! from the end. The next of all is the first of one of the two. Bound: `pipeline.max_returns` in both together, allocated at the
//! start. Worst case: one step for each of those that are due at the same time in the same lane.

use flow::{Event, EventId, Ns};
use std::collections::VecDeque;

/// Something that waits for its time.
#[derive(Clone, Copy)]
pub(super) struct Pending {
    pub(super) due: Ns,
    pub(super) id: EventId,
    pub(super) sub: u8,
    pub(super) event: Event,
}

impl Pending {
    /// Its turn.
    #[inline]
    pub(super) fn key(&self) -> (Ns, EventId, u8) {
        (self.due, self.id, self.sub)
    }
}

/// Where it comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lane {
    /// The pipeline sent it.
    Pipeline,
    /// The simulated venue answered it.
    Venue,
}

/// All that waits.
pub(super) struct Waiting {
    lanes: [VecDeque<Pending>; 2],
    bound: usize,
    /// When the next one is due, in which lane it waits; [`Ns::NONE`] when nothing does.
    next: (Ns, Lane),
}

impl Waiting {
    /// Room for `bound`.
    pub(super) fn new(bound: usize) -> Waiting {
        let lane = || VecDeque::with_capacity(bound);
        Waiting { lanes: [lane(), lane()], bound, next: (Ns::NONE, Lane::Pipeline) }
    }

    /// The most that may wait.
    pub(super) fn bound(&self) -> usize {
        self.bound
    }

    /// When the next one is due; [`Ns::NONE`] when nothing waits.
    #[inline]
    pub(super) fn due(&self) -> Ns {
        self.next.0
    }

    /// The next one.
    #[inline]
    pub(super) fn first(&self) -> Option<&Pending> {
        self.lanes[self.next.1 as usize].front()
    }

    /// Adds one; `false` when there is no room for it.
    #[inline]
    pub(super) fn push(&mut self, lane: Lane, pending: Pending) -> bool {
        if self.lanes[0].len() + self.lanes[1].len() >= self.bound {
            return false;
        }
        let lane = &mut self.lanes[lane as usize];
        match lane.back() {
            Some(last) if pending.key() < last.key() => insert(lane, pending),
            _ => lane.push_back(pending),
        }
        self.look();
        true
    }

    /// Takes the next one.
    #[inline]
    pub(super) fn pop(&mut self) -> Option<Pending> {
        let lane = &mut self.lanes[self.next.1 as usize];
        let next = lane.pop_front()?;
        if lane.is_empty() {
            // From the beginning again: the same few places stay in the cache.
            lane.clear();
        }
        self.look();
        Some(next)
    }

    /// Finds the next one.
    #[inline]
    fn look(&mut self) {
        let [pipeline, venue] = &self.lanes;
        self.next = match (pipeline.front(), venue.front()) {
            (Some(pipeline), Some(venue)) if pipeline.key() < venue.key() => (pipeline.due, Lane::Pipeline),
            (_, Some(venue)) => (venue.due, Lane::Venue),
            (Some(pipeline), None) => (pipeline.due, Lane::Pipeline),
            (None, None) => (Ns::NONE, Lane::Pipeline),
        };
    }

    /// All of them, in no order.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Pending> {
        self.lanes.iter().flatten()
    }

    /// Forgets all.
    pub(super) fn clear(&mut self) {
        self.lanes.iter_mut().for_each(VecDeque::clear);
        self.look();
    }
}

/// Puts one in its place, which is before the last.
#[cold]
fn insert(lane: &mut VecDeque<Pending>, pending: Pending) {
    let after = lane.iter().rev().take_while(|other| pending.key() < other.key()).count();
    lane.insert(lane.len() - after, pending);
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytemuck::Zeroable;
    use std::cmp::Reverse;
    use std::collections::BinaryHeap;

    /// Whatever is due when, a heap gives the same, and no more fit into it.
    #[test]
    fn as_a_heap_gives_them() {
        let mut drawn = 1_u64;
        let mut below = |n: u64| {
            drawn = drawn.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (drawn >> 33) % n
        };
        let (mut waiting, mut reference, mut now) = (Waiting::new(20), BinaryHeap::new(), 0);
        for id in 0..50_000 {
            if below(2) == 0 {
                now += below(3);
                let (lane, later) = if below(2) == 0 { (Lane::Pipeline, 5) } else { (Lane::Venue, 9) };
                // Two at a time may come in the wrong order.
                let (due, id, sub) = (Ns(now + later - below(2)), EventId(id ^ below(4)), below(2) as u8);
                let fits = waiting.push(lane, Pending { due, id, sub, event: Event::zeroed() });
                assert_eq!(fits, reference.len() < 20);
                if fits {
                    reference.push(Reverse((due, id, sub)));
                }
            } else {
                assert_eq!(waiting.pop().map(|p| p.key()), reference.pop().map(|Reverse(key)| key));
            }
            let due = reference.peek().map_or(Ns::NONE, |Reverse(key)| key.0);
            assert_eq!((waiting.due(), waiting.first().map(|p| p.due)), (due, Some(due).filter(|d| *d != Ns::NONE)));
            assert_eq!(waiting.iter().count(), reference.len());
        }
    }
}
