//! What was found: counts by kind and by cause, the first differences, and totals of both sides.
//!
//! Bound: [`LISTED`] differences are kept; the others are counted.

use super::cause::{Because, Class};
use super::mask::{Role, role};
use super::totals::Totals;
use flow::{Event, Kind, Kinds};

/// Differences that are kept.
pub(super) const LISTED: usize = 100;

/// Where a difference stands in the list.
pub(super) type Place = usize;

/// Events of a kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Count {
    pub(super) same: u64,
    pub(super) before: u64,
    pub(super) now: u64,
    pub(super) changed: u64,
}

/// A difference that is kept.
#[derive(Clone, Copy, Debug)]
pub(super) struct Listed {
    pub(super) sides: [Option<Event>; 2],
    pub(super) because: Because,
}

/// What was found.
pub(crate) struct Tally {
    pub(super) kinds: Box<[Count; Kind::COUNT]>,
    pub(super) causes: [u64; Class::ALL.len()],
    pub(super) listed: Vec<Listed>,
    /// Kinds of the market of which one is in the list.
    seen: Kinds,
    pub(super) totals: Totals,
}

impl Tally {
    pub(super) fn new() -> Tally {
        Tally {
            kinds: Box::new([Count::default(); Kind::COUNT]),
            causes: [0; Class::ALL.len()],
            listed: Vec::with_capacity(LISTED),
            seen: Kinds::NONE,
            totals: Totals::default(),
        }
    }

    #[inline]
    pub(super) fn same(&mut self, kind: Kind) {
        self.kinds[usize::from(kind.0)].same += 1;
    }

    /// Counts a difference.
    pub(super) fn count(&mut self, sides: [Option<&Event>; 2], because: Because) {
        let kind = sides[1].or(sides[0]).map_or(Kind(0), |event| event.kind);
        let count = &mut self.kinds[usize::from(kind.0)];
        match sides {
            [Some(_), None] => count.before += 1,
            [None, _] => count.now += 1,
            [Some(_), Some(_)] => count.changed += 1,
        }
        self.causes[because.class as usize] += 1;
    }

    /// Puts a difference into the list, if it tells something that no other one does: of each kind of the market the first, and
    /// what an order does beyond its first difference only where it is on both sides.
    pub(super) fn list(&mut self, sides: [Option<&Event>; 2], because: Because, is_paired: bool) -> Option<Place> {
        let event = sides[1].or(sides[0])?;
        let follows = because.class == Class::Order;
        let tells = match (role(event.kind), event.kind) {
            (Role::Market, kind) => !self.seen.has(kind),
            (_, Kind::Fill | Kind::Cancelled | Kind::Reject) => is_paired || !follows,
            (_, Kind::Reason | Kind::Intent | Kind::FillCost) | (Role::Position, _) => false,
            _ => !follows,
        };
        if !tells || self.listed.len() == LISTED {
            return None;
        }
        if role(event.kind) == Role::Market {
            self.seen = self.seen.or(Kinds::of(&[event.kind]));
        }
        self.listed.push(Listed { sides: sides.map(Option::<&Event>::copied), because });
        Some(self.listed.len() - 1)
    }

    /// The other side of a difference in the list has come.
    pub(super) fn complete(&mut self, place: Option<Place>, sides: [Option<&Event>; 2]) {
        if let Some(place) = place {
            self.listed[place].sides = sides.map(Option::<&Event>::copied);
        }
    }
}
