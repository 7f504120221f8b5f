//! Groups: legs that are approved whole or not at all.
//!
//! Legs are held, undecided, until the last one of the group has come; then they are checked in order, each as if those
//! before it had passed, and all leave or none. One group is held at a time, and within one input: what has not become
//! whole when another group or another input comes is refused.

use super::breach::Breach;
use super::checks::{Limits, first_breach};
use super::gate::Gate;
use flow::records::Request;
use flow::{Ns, Side};

/// The most legs of a group.
pub const MAX_LEGS: usize = 16;

/// A leg that waits.
#[derive(Clone, Copy)]
pub(super) struct Leg {
    pub(super) request: Request,
    pub(super) instrument: u32,
    pub(super) side: Side,
}

/// The group that waits, and the last one that fell.
#[derive(Clone)]
pub(super) struct Held {
    legs: [Leg; MAX_LEGS],
    len: usize,
    /// The input that brought it.
    pub(super) seq: u64,
    /// Group of that input that fell; its legs that still come fall too. 0 = none.
    pub(super) fallen: u32,
}

impl Held {
    pub(super) fn new() -> Held {
        let none = Leg { request: Request::default(), instrument: 0, side: Side::None };
        Held { legs: [none; MAX_LEGS], len: 0, seq: 0, fallen: 0 }
    }

    #[inline]
    pub(super) fn legs(&self) -> &[Leg] {
        &self.legs[..self.len]
    }

    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The group's number; 0 without one.
    pub(super) fn group(&self) -> u32 {
        self.legs().first().map_or(0, |l| l.request.group)
    }

    /// How many legs it says it has.
    pub(super) fn wanted(&self) -> usize {
        self.legs().first().map_or(0, |l| usize::from(l.request.legs))
    }

    pub(super) fn push(&mut self, leg: Leg) {
        self.legs[self.len] = leg;
        self.len += 1;
    }

    pub(super) fn clear(&mut self) {
        self.len = 0;
    }

    /// How a leg that does not come, or comes wrong, looks to the others.
    pub(super) fn incomplete(&self) -> Breach {
        Breach { limit: self.wanted() as i64, value: self.len as i64 }
    }
}

/// Checks the legs together: all are counted, or none is and the culprit is named by its index, with the check's number.
pub(super) fn decide(gate: &mut Gate, limits: &Limits, legs: &[Leg], now: Ns) -> Result<(), (usize, u16, Breach)> {
    let mut before = [0; MAX_LEGS];
    for (i, leg) in legs.iter().enumerate() {
        let proposal = gate.propose(&leg.request, leg.instrument, leg.side, now);
        if let Some((check, breach)) = first_breach(gate, &proposal, limits) {
            for (leg, last) in legs[..i].iter().zip(before).rev() {
                let proposal = gate.propose(&leg.request, leg.instrument, leg.side, now);
                gate.take_back(&proposal, last);
            }
            return Err((i, check, breach));
        }
        before[i] = gate.approve(&proposal);
    }
    Ok(())
}
