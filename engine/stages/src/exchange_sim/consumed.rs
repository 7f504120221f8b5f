//! What we took of levels that the market still displays.
//!
//! Our fills leave no trace in the market's book, so a level goes on displaying shares that we have bought already. The
//! rule that keeps us honest: of a level no more can be taken than it displays less what we took of it before. As the
//! level falls, what we took is taken to be the last that leaves it (`taken = min(taken, displayed)`); what is added is
//! new; and when the level is gone the account is closed. So no displayed share is ever sold to us twice.
//! Every change of a level asks, and most levels that something was taken of lie far from the touch: so an entry is found
//! by a hash of its level, and hangs in the list of its instrument besides, for what ends them all at once.
//! Bound: one entry a level, a fixed number of entries; without a free one nothing can be taken from a further level.

use flow::{Px, Side};

/// No entry.
pub(super) const NONE: u32 = u32::MAX;

/// A level of an instrument.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) instrument: u32,
    pub(super) side: Side,
    pub(super) px: Px,
}

#[derive(Clone, Copy)]
struct Entry {
    place: Place,
    qty: u64,
    /// In the list of the instrument, or of the free.
    next: u32,
    before: u32,
    /// The next with the same hash.
    chain: u32,
}

/// Entries of all instruments, in one list an instrument whose head the caller keeps.
pub(super) struct ConsumedDepth {
    entries: Box<[Entry]>,
    /// The first entry of every hash.
    chains: Box<[u32]>,
    shift: u32,
    free: u32,
    room: usize,
}

impl ConsumedDepth {
    pub(super) fn new(levels: u32) -> ConsumedDepth {
        let place = Place { instrument: 0, side: Side::None, px: Px::NONE };
        let entry = |at: u32| {
            let next = if at + 1 < levels { at + 1 } else { NONE };
            Entry { place, qty: 0, next, before: NONE, chain: NONE }
        };
        let chains = levels.max(2).next_power_of_two();
        ConsumedDepth {
            entries: (0..levels).map(entry).collect(),
            chains: vec![NONE; chains as usize].into_boxed_slice(),
            shift: 64 - chains.trailing_zeros(),
            free: 0,
            room: levels as usize,
        }
    }

    fn home(&self, place: Place) -> usize {
        let which = u64::from(place.instrument) << 2 | place.side as u64;
        let mixed = (place.px.0 as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ which;
        (mixed.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> self.shift) as usize
    }

    #[inline]
    fn find(&self, place: Place) -> Option<u32> {
        let mut at = self.chains[self.home(place)];
        while at != NONE {
            let entry = &self.entries[at as usize];
            if entry.place == place {
                return Some(at);
            }
            at = entry.chain;
        }
        None
    }

    /// Gives an entry back, which is in no list any more.
    fn give(&mut self, at: u32) {
        let Entry { place, chain, .. } = self.entries[at as usize];
        let home = self.home(place);
        if self.chains[home] == at {
            self.chains[home] = chain;
        } else {
            let mut before = self.chains[home];
            while self.entries[before as usize].chain != at {
                before = self.entries[before as usize].chain;
            }
            self.entries[before as usize].chain = chain;
        }
        self.entries[at as usize].next = self.free;
        self.free = at;
        self.room += 1;
    }

    /// How much of a level that displays `shown` can be taken.
    pub(super) fn left(&self, place: Place, shown: u64) -> u64 {
        match self.find(place) {
            Some(at) => shown.saturating_sub(self.entries[at as usize].qty),
            None if self.free == NONE => 0,
            None => shown,
        }
    }

    /// Takes some of what [`ConsumedDepth::left`] said.
    pub(super) fn take(&mut self, head: &mut u32, place: Place, qty: u64) {
        if let Some(at) = self.find(place) {
            self.entries[at as usize].qty += qty;
            return;
        }
        let (at, home) = (self.free, self.home(place));
        self.free = self.entries[at as usize].next;
        self.room -= 1;
        self.entries[at as usize] = Entry { place, qty, next: *head, before: NONE, chain: self.chains[home] };
        self.chains[home] = at;
        if *head != NONE {
            self.entries[*head as usize].before = at;
        }
        *head = at;
    }

    /// A level displays no more than `shown`.
    #[inline]
    pub(super) fn fell(&mut self, head: &mut u32, place: Place, shown: u64) {
        if *head != NONE
            && let Some(at) = self.find(place)
        {
            self.shorten(head, at, shown);
        }
    }

    #[inline(never)]
    fn shorten(&mut self, head: &mut u32, at: u32, shown: u64) {
        let entry = &mut self.entries[at as usize];
        entry.qty = entry.qty.min(shown);
        if entry.qty > 0 {
            return;
        }
        let (before, next) = (entry.before, entry.next);
        match before {
            NONE => *head = next,
            before => self.entries[before as usize].next = next,
        }
        if next != NONE {
            self.entries[next as usize].before = before;
        }
        self.give(at);
    }

    /// Every level of an instrument is gone.
    pub(super) fn clear(&mut self, head: &mut u32) {
        while *head != NONE {
            let at = *head;
            *head = self.entries[at as usize].next;
            self.give(at);
        }
    }

    /// The entries of an instrument: side, price, quantity.
    pub(super) fn of(&self, head: u32) -> impl Iterator<Item = (Side, Px, u64)> {
        let mut at = head;
        std::iter::from_fn(move || {
            let entry = self.entries.get(at as usize)?;
            at = entry.next;
            Some((entry.place.side, entry.place.px, entry.qty))
        })
    }

    /// Whether something was taken of a level.
    pub(super) fn has(&self, place: Place) -> bool {
        self.find(place).is_some()
    }

    /// How many further levels can be entered.
    pub(super) fn room(&self) -> usize {
        self.room
    }

    /// How many levels can be entered at all.
    pub(super) fn capacity(&self) -> usize {
        self.entries.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::collection::vec;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    const ROOM: usize = 16;

    proptest! {
        /// A map of what was taken says the same after any takings, falls and clearings, at the limit of entries too.
        #[test]
        fn like_a_map(steps in vec((0u8..10, 0usize..3, any::<bool>(), 1i64..8, 0u64..50), 0..300)) {
            let (mut consumed, mut heads) = (ConsumedDepth::new(ROOM as u32), [NONE; 3]);
            let mut reference = BTreeMap::<(usize, bool, i64), u64>::new();
            for (what, instrument, bid, px, qty) in steps {
                let side = if bid { Side::Buy } else { Side::Sell };
                let place = Place { instrument: instrument as u32, side, px: Px(px * Px::ONE / 100) };
                let (key, head) = ((instrument, bid, px), &mut heads[instrument]);
                let had = reference.get(&key).copied();
                match what {
                    0 => {
                        consumed.clear(head);
                        reference.retain(|(of, ..), _| *of != instrument);
                    }
                    1..5 => {
                        consumed.fell(head, place, qty);
                        let left = had.map(|had| had.min(qty));
                        reference.extend(left.map(|left| (key, left)));
                        reference.retain(|_, left| *left > 0);
                    }
                    _ => {
                        let shown = had.map_or(if reference.len() < ROOM { 60 } else { 0 }, |had| 60u64.saturating_sub(had));
                        prop_assert_eq!(consumed.left(place, 60), shown);
                        if qty.min(shown) > 0 {
                            consumed.take(head, place, qty.min(shown));
                            *reference.entry(key).or_default() += qty.min(shown);
                        }
                    }
                }
                prop_assert_eq!(consumed.has(place), reference.contains_key(&key));
                prop_assert_eq!(consumed.room(), ROOM - reference.len());
                let listed = (0..3).flat_map(|i| consumed.of(heads[i]).map(move |(s, px, qty)| ((i, s == Side::Buy, px), qty)));
                let listed: BTreeMap<_, _> = listed.collect();
                let expected = reference.iter().map(|((i, bid, px), qty)| ((*i, *bid, Px(px * Px::ONE / 100)), *qty));
                prop_assert_eq!(listed, expected.collect::<BTreeMap<_, _>>());
            }
        }
    }
}
