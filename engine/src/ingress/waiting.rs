//! Pending returns, ordered by the time they are due.
//!
//! Two lanes: events that the pipeline sent back, and answers of the simulated venue. Within a lane due times never fall,
//! so nearly every push appends; entries due at the same time are put in order by a step or two from the end. The next
//! return is the earlier of the two fronts. Bound: `pipeline.max_returns` over both lanes, allocated at the start.
//! Worst case: one step per entry of the same lane that is due at the same time.

use flow::{Event, EventId, Ns};
use std::collections::VecDeque;

/// A return and the time it is due.
#[derive(Clone, Copy)]
pub(super) struct Pending {
    pub(super) due: Ns,
    pub(super) id: EventId,
    pub(super) sub: u8,
    pub(super) event: Event,
}

impl Pending {
    /// Its position in the order.
    #[inline]
    pub(super) fn key(&self) -> (Ns, EventId, u8) {
        (self.due, self.id, self.sub)
    }
}

/// The source of a return.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lane {
    /// The pipeline sent it.
    Pipeline,
    /// The simulated venue sent it.
    Venue,
}

/// All pending returns.
pub(super) struct Waiting {
    lanes: [VecDeque<Pending>; 2],
    bound: usize,
    /// When the next one is due, and its lane; [`Ns::NONE`] when nothing is pending.
    next: (Ns, Lane),
}

impl Waiting {
    /// Room for `bound` returns.
    pub(super) fn new(bound: usize) -> Waiting {
        let lane = || flow::queue(bound);
        Waiting { lanes: [lane(), lane()], bound, next: (Ns::NONE, Lane::Pipeline) }
    }

    /// The most returns that may be pending.
    pub(super) fn bound(&self) -> usize {
        self.bound
    }

    /// When the next one is due; [`Ns::NONE`] when nothing is pending.
    #[inline]
    pub(super) fn due(&self) -> Ns {
        self.next.0
    }

    /// The next one.
    #[inline]
    pub(super) fn first(&self) -> Option<&Pending> {
        self.lanes[self.next.1 as usize].front()
    }

    /// Adds one; `false` when full.
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
        self.update_next();
        true
    }

    /// Takes the next one.
    #[inline]
    pub(super) fn pop(&mut self) -> Option<Pending> {
        let lane = &mut self.lanes[self.next.1 as usize];
        let next = lane.pop_front()?;
        if lane.is_empty() {
            // Restart at the front of the buffer, so that the same few slots stay in the cache.
            lane.clear();
        }
        self.update_next();
        Some(next)
    }

    /// Where the first one is that `is` holds for, in the order of each lane.
    pub(super) fn position(&self, is: impl Fn(&Pending) -> bool) -> Option<(Lane, usize)> {
        let at = |lane| Some((lane, self.lanes[lane as usize].iter().position(&is)?));
        at(Lane::Pipeline).or_else(|| at(Lane::Venue))
    }

    /// Takes the one at a position out of turn.
    pub(super) fn remove(&mut self, (lane, at): (Lane, usize)) -> Option<Pending> {
        let found = self.lanes[lane as usize].remove(at);
        self.update_next();
        found
    }

    /// Updates which lane is next.
    #[inline]
    fn update_next(&mut self) {
        let [pipeline, venue] = &self.lanes;
        self.next = match (pipeline.front(), venue.front()) {
            (Some(pipeline), Some(venue)) if pipeline.key() < venue.key() => (pipeline.due, Lane::Pipeline),
            (_, Some(venue)) => (venue.due, Lane::Venue),
            (Some(pipeline), None) => (pipeline.due, Lane::Pipeline),
            (None, None) => (Ns::NONE, Lane::Pipeline),
        };
    }

    /// All of them, unordered.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Pending> {
        self.lanes.iter().flatten()
    }

    /// Drops all of them.
    pub(super) fn clear(&mut self) {
        self.lanes.iter_mut().for_each(VecDeque::clear);
        self.update_next();
    }
}

/// Inserts an entry that belongs before the last one.
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

    /// Pops in the same order as a binary heap, and holds as many.
    #[test]
    fn pops_in_the_order_of_a_heap() {
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
                // Neighbours may come out of order.
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
