//! Groups: legs that are approved together or not at all.
//!
//! Legs are held until the last one of the group has arrived. Then they are checked in order, each as if those before it
//! had passed, and all are approved or none. One group is held at a time, and only within one input: a group that is still
//! incomplete when another group or input begins is refused.

use super::breach::{Breach, Refusal};
use super::checks::{Limits, first_breach};
use super::gate::Gate;
use flow::records::Request;
use flow::{Ns, Side};

/// Most legs in a group.
pub const MAX_LEGS: usize = 16;

/// A held leg.
#[derive(Clone, Copy)]
pub(super) struct Leg {
    pub(super) request: Request,
    pub(super) instrument: u32,
    pub(super) side: Side,
}

/// The held group, and the last one that was refused.
#[derive(Clone)]
pub(super) struct Held {
    legs: [Leg; MAX_LEGS],
    len: usize,
    /// The input that caused it.
    pub(super) seq: u64,
    /// The refused group of that input; legs that still arrive for it are refused too. 0 = none.
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

    /// Number of legs that it declares.
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

    /// The breach of the other legs if one is missing or wrong.
    pub(super) fn incomplete(&self) -> Breach {
        Breach { limit: self.wanted() as i64, value: self.len as i64 }
    }
}

/// Checks the legs together. Either all are counted, or none is, and the failing leg's index and check are returned.
pub(super) fn decide(gate: &mut Gate, limits: &Limits, legs: &[Leg], now: Ns) -> Result<(), (usize, Refusal)> {
    let mut before = [0; MAX_LEGS];
    for (i, leg) in legs.iter().enumerate() {
        let proposal = gate.propose(&leg.request, leg.instrument, leg.side, now);
        if let Some(refusal) = first_breach(gate, &proposal, limits) {
            for (leg, last) in legs[..i].iter().zip(before).rev() {
                let proposal = gate.propose(&leg.request, leg.instrument, leg.side, now);
                gate.take_back(&proposal, last);
            }
            return Err((i, refusal));
        }
        before[i] = gate.approve(&proposal);
    }
    Ok(())
}
