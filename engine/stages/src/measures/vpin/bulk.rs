//! Bulk classification: the bought part of a bar's volume, estimated from its price move.
//!
//! The bought part is Z(dP / sigma): Z is the standard normal distribution, dP the move from close to close, sigma the
//! standard deviation of the last moves, this one included. Moves and their sums are integers, so sigma does not drift; it
//! is rounded when computed. Without a move yet, or if sigma is 0, the part is one half.
//!
//! Bound: the configured number of moves per instrument; a bar costs one of them, an `erfc` and a square root.

use super::buckets::{Carry, Part};
use flow::records::Bar;
use flow::{GrowingTable, Ns, Px};
use serde::{Deserialize, Serialize};

/// Cap on a move, over a million per unit, so that the sum of the squares of 4,096 moves cannot overflow.
const MAX_MOVE: i64 = 1 << 50;

/// The state of an instrument.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Moves {
    sum: i128,
    squares: i128,
    last: Px,
    /// Bought part of the bar whose volume comes next.
    part: Part,
    start_s: u32,
    head: u16,
    held: u16,
    pub(super) carry: Carry,
}

impl Moves {
    const NONE: Moves = Moves {
        sum: 0,
        squares: 0,
        last: Px::NONE,
        part: Part::HALF,
        start_s: Moves::NO_BAR,
        head: 0,
        held: 0,
        carry: Carry(0),
    };
    /// No bar is waiting for its volume.
    const NO_BAR: u32 = u32::MAX;

    /// Takes the bought part of the last bar, and its start.
    pub(super) fn take(&mut self) -> Option<(Part, Ns)> {
        let start = std::mem::replace(&mut self.start_s, Moves::NO_BAR);
        (start != Moves::NO_BAR).then(|| (self.part, Ns(u64::from(start) * Ns::SECOND)))
    }

    /// Z(move / sigma).
    fn part_of(&self, by: i64) -> Part {
        let n = i128::from(self.held);
        let spread = n * self.squares - self.sum * self.sum;
        if spread <= 0 {
            return Part::HALF;
        }
        let sigma = (spread as f64).sqrt() / n as f64;
        Part::of(0.5 * libm::erfc(-(by as f64) / sigma * std::f64::consts::FRAC_1_SQRT_2))
    }
}

/// The moves of every instrument.
pub(super) struct Bulk {
    pub(super) interval_s: u32,
    bars: u16,
    pub(super) moves: GrowingTable<Moves>,
    /// The rings, one behind the other.
    rings: GrowingTable<i64>,
}

impl Bulk {
    pub(super) fn new(instruments: u32, interval_s: u32, bars: u16) -> Bulk {
        let instruments = instruments as usize;
        Bulk {
            interval_s,
            bars,
            moves: GrowingTable::new(instruments, Moves::NONE),
            rings: GrowingTable::new(instruments * usize::from(bars), 0),
        }
    }

    /// Fills the tables up to an instrument.
    pub(super) fn reach(&mut self, at: usize) {
        self.moves.reach(at);
        self.rings.reach((at + 1) * usize::from(self.bars) - 1);
    }

    /// Classifies a bar, whose volume follows.
    pub(super) fn classify(&mut self, at: usize, bar: &Bar) {
        let moves = &mut self.moves[at];
        (moves.start_s, moves.part) = (bar.start_s, Part::HALF);
        let Some(close) = bar.close.known() else { return };
        let Some(last) = std::mem::replace(&mut moves.last, close).known() else { return };
        let by = close.0.saturating_sub(last.0).clamp(-MAX_MOVE, MAX_MOVE);
        self.push(at, by);
        let moves = &mut self.moves[at];
        moves.part = moves.part_of(by);
    }

    /// Adds a move to the ring.
    pub(super) fn push(&mut self, at: usize, by: i64) {
        let (moves, by) = (&mut self.moves[at], by.clamp(-MAX_MOVE, MAX_MOVE));
        let ring = self.rings.span_mut(at * usize::from(self.bars), usize::from(self.bars));
        let place = &mut ring[usize::from(moves.head)];
        if moves.held == self.bars {
            let gone = i128::from(*place);
            (moves.sum, moves.squares) = (moves.sum - gone, moves.squares - gone * gone);
        } else {
            moves.held += 1;
        }
        *place = by;
        let by_wide = i128::from(by);
        (moves.sum, moves.squares) = (moves.sum + by_wide, moves.squares + by_wide * by_wide);
        moves.head = if moves.head + 1 == self.bars { 0 } else { moves.head + 1 };
    }

    /// What of an instrument outlives its journal, if there is anything: the last close and the part of a share that is not
    /// reported yet, and the moves of the ring from the oldest on.
    pub(super) fn lasting(&self, at: usize) -> Option<([i64; 3], Vec<i64>)> {
        let SavedMoves { moves, ring } = self.saved(at)?;
        (moves.last != Px::NONE).then_some(([moves.last.0, moves.carry.0 as i64, 0], ring))
    }

    /// Takes the last close of an instrument back.
    pub(super) fn recall(&mut self, at: usize, [last, carry, _]: [i64; 3]) {
        let moves = &mut self.moves[at];
        (moves.last, moves.carry) = (Px(last), Carry(carry as u64 & u64::from(u32::MAX)));
    }

    /// The saved state of an instrument; `None` if nothing happened.
    pub(super) fn saved(&self, at: usize) -> Option<SavedMoves> {
        let mut moves = self.moves[at];
        if moves == Moves::NONE {
            return None;
        }
        let first = at * usize::from(self.bars);
        let mut ring: Vec<i64> = (0..usize::from(moves.held)).map(|i| self.rings[first + i]).collect();
        if moves.held == self.bars {
            ring.rotate_left(usize::from(moves.head));
        }
        moves.head = 0;
        Some(SavedMoves { moves, ring })
    }

    /// Restores it; `false` if these parameters cannot have saved it.
    pub(super) fn load(&mut self, at: usize, saved: SavedMoves) -> bool {
        let SavedMoves { mut moves, ring } = saved;
        let held = usize::from(moves.held);
        let wide = || ring.iter().map(|m| i128::from(*m));
        let in_range = ring.iter().all(|m| m.unsigned_abs() <= MAX_MOVE.unsigned_abs());
        if held != ring.len() || held > usize::from(self.bars) || !in_range {
            return false;
        }
        if wide().sum::<i128>() != moves.sum || wide().map(|m| m * m).sum::<i128>() != moves.squares {
            return false;
        }
        moves.head = if moves.held == self.bars { 0 } else { moves.held };
        self.moves[at] = moves;
        self.rings.span_mut(at * usize::from(self.bars), usize::from(self.bars))[..held].copy_from_slice(&ring);
        true
    }

    /// Clears all moves.
    pub(super) fn forget(&mut self) {
        self.moves.clear();
        self.rings.clear();
    }
}

/// An instrument's moves, from the oldest on.
#[derive(Serialize, Deserialize)]
pub(super) struct SavedMoves {
    moves: Moves,
    ring: Vec<i64>,
}
