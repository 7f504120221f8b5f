//! The displayed depth that our fills consumed.
//!
//! Our fills leave no trace in the market's book: a level goes on displaying shares that we have bought. So that no share
//! is sold to us twice, a level offers no more than it displays less what we consumed of it. When the level shrinks, the
//! shares we consumed leave last (`consumed = min(consumed, displayed)`); shares that are added are new; when the level
//! is gone, so is the entry. A level that merely went out of sight keeps its entry until the feed shows it again.
//!
//! Every change of a level looks here, and most entries are far from the touch, so an entry is found by a hash of its
//! level; it is also linked into a list per instrument, to clear them all at once. Bound: one entry per level, a fixed
//! number of entries; without a free entry nothing can be taken from a further level.

use super::resting::trades_at;
use crate::pool::Pool;
use flow::{IntParam, Px, Side, table};

/// Room for levels of which we took something.
pub(super) const MAX_TAKEN_LEVELS: IntParam<u32> = IntParam::new(
    "max_taken_levels",
    (16, 1_048_576),
    "65536",
    "displayed levels of which we took something; nothing is taken from others when it is full",
)
.unit("levels");

pub(super) use crate::pool::NONE;

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
    /// Next in the list of the instrument.
    next: u32,
    before: u32,
    /// Next in the hash chain.
    chain: u32,
}

/// Entries of all instruments; each instrument's list starts at a head that the caller keeps.
pub(super) struct ConsumedDepth {
    entries: Pool<Entry>,
    /// The first entry of each hash chain.
    chains: Box<[u32]>,
    shift: u32,
}

impl ConsumedDepth {
    pub(super) fn new(levels: u32) -> ConsumedDepth {
        let place = Place { instrument: 0, side: Side::None, px: Px::NONE };
        let vacant = Entry { place, qty: 0, next: NONE, before: NONE, chain: NONE };
        let chains = levels.max(2).next_power_of_two();
        ConsumedDepth {
            entries: Pool::new(levels, vacant),
            chains: table(chains as usize, NONE),
            shift: 64 - chains.trailing_zeros(),
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
            let entry = &self.entries[at];
            if entry.place == place {
                return Some(at);
            }
            at = entry.chain;
        }
        None
    }

    /// Frees an entry that is in no instrument's list any more.
    fn give(&mut self, at: u32) {
        let Entry { place, chain, .. } = self.entries[at];
        let home = self.home(place);
        if self.chains[home] == at {
            self.chains[home] = chain;
        } else {
            let mut before = self.chains[home];
            while self.entries[before].chain != at {
                before = self.entries[before].chain;
            }
            self.entries[before].chain = chain;
        }
        self.entries.give(at);
    }

    /// How much can still be taken from a level that displays `shown`.
    pub(super) fn available(&self, place: Place, shown: u64) -> u64 {
        match self.find(place) {
            Some(at) => shown.saturating_sub(self.entries[at].qty),
            None if self.entries.left() == 0 => 0,
            None => shown,
        }
    }

    /// Consumes up to what [`ConsumedDepth::available`] returned.
    pub(super) fn take(&mut self, head: &mut u32, place: Place, qty: u64) {
        if let Some(at) = self.find(place) {
            self.entries[at].qty += qty;
            return;
        }
        let at = self.entries.take().expect("something is available only while there is room");
        let home = self.home(place);
        self.entries[at] = Entry { place, qty, next: *head, before: NONE, chain: self.chains[home] };
        self.chains[home] = at;
        if *head != NONE {
            self.entries[*head].before = at;
        }
        *head = at;
    }

    /// The level displays `shown` now: no more than that can be consumed. Returns how much more it was.
    #[inline]
    pub(super) fn limit_to(&mut self, head: &mut u32, place: Place, shown: u64) -> u64 {
        if *head != NONE
            && let Some(at) = self.find(place)
        {
            return self.shorten(head, at, shown);
        }
        0
    }

    #[inline(never)]
    fn shorten(&mut self, head: &mut u32, at: u32, shown: u64) -> u64 {
        let entry = &mut self.entries[at];
        let had = entry.qty;
        entry.qty = had.min(shown);
        if shown > 0 {
            return had.saturating_sub(shown);
        }
        let (before, next) = (entry.before, entry.next);
        match before {
            NONE => *head = next,
            before => self.entries[before].next = next,
        }
        if next != NONE {
            self.entries[next].before = before;
        }
        self.give(at);
        had
    }

    /// The best price of a side fell back to `best`: levels before it are gone, also those that were out of sight.
    pub(super) fn fell_back(&mut self, head: &mut u32, side: Side, best: Px) {
        let mut at = *head;
        while at != NONE {
            let Entry { place, next, .. } = self.entries[at];
            if place.side == side && (best == Px::NONE || place.px != best && trades_at(side, place.px, best)) {
                self.shorten(head, at, 0);
            }
            at = next;
        }
    }

    /// Drops every entry of an instrument.
    pub(super) fn clear(&mut self, head: &mut u32) {
        while *head != NONE {
            let at = *head;
            *head = self.entries[at].next;
            self.give(at);
        }
    }

    /// The entries of an instrument: side, price, quantity.
    pub(super) fn of(&self, head: u32) -> impl Iterator<Item = (Side, Px, u64)> {
        let mut at = head;
        std::iter::from_fn(move || {
            let entry = self.entries.get(at)?;
            at = entry.next;
            Some((entry.place.side, entry.place.px, entry.qty))
        })
    }

    /// How much we consumed of a level.
    pub(super) fn had(&self, place: Place) -> u64 {
        self.find(place).map_or(0, |at| self.entries[at].qty)
    }

    /// Number of free entries.
    pub(super) fn room(&self) -> usize {
        self.entries.left()
    }

    /// Number of entries, free or not.
    pub(super) fn capacity(&self) -> usize {
        self.entries.capacity()
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
        /// Agrees with a map after any sequence of takes, level changes and clears, also when entries run out.
        #[test]
        fn like_a_map(steps in vec((0u8..10, 0usize..3, any::<bool>(), 1i64..8, 0u64..50), 0..300)) {
            let (mut consumed, mut heads) = (ConsumedDepth::new(ROOM as u32), [NONE; 3]);
            let mut model = BTreeMap::<(usize, bool, i64), u64>::new();
            for (what, instrument, bid, px, qty) in steps {
                let side = if bid { Side::Buy } else { Side::Sell };
                let place = Place { instrument: instrument as u32, side, px: Px(px * Px::ONE / 100) };
                let (key, head) = ((instrument, bid, px), &mut heads[instrument]);
                let had = model.get(&key).copied();
                match what {
                    0 => {
                        consumed.clear(head);
                        model.retain(|(of, ..), _| *of != instrument);
                    }
                    1 => {
                        let side = place.side;
                        consumed.fell_back(head, side, place.px);
                        model.retain(|(of, at, better), _| {
                            *of != instrument || *at != bid || if bid { *better <= px } else { *better >= px }
                        });
                    }
                    2..5 => {
                        let cut = consumed.limit_to(head, place, qty);
                        prop_assert_eq!(cut, had.unwrap_or(0).saturating_sub(qty));
                        let left = had.map(|had| had.min(qty));
                        model.extend(left.map(|left| (key, left)));
                        model.retain(|_, left| *left > 0);
                    }
                    _ => {
                        let shown = had.map_or(if model.len() < ROOM { 60 } else { 0 }, |had| 60u64.saturating_sub(had));
                        prop_assert_eq!(consumed.available(place, 60), shown);
                        if qty.min(shown) > 0 {
                            consumed.take(head, place, qty.min(shown));
                            *model.entry(key).or_default() += qty.min(shown);
                        }
                    }
                }
                prop_assert_eq!(consumed.had(place), model.get(&key).copied().unwrap_or(0));
                prop_assert_eq!(consumed.room(), ROOM - model.len());
                let listed = (0..3).flat_map(|i| consumed.of(heads[i]).map(move |(s, px, qty)| ((i, s == Side::Buy, px), qty)));
                let listed: BTreeMap<_, _> = listed.collect();
                let expected = model.iter().map(|((i, bid, px), qty)| ((*i, *bid, Px(px * Px::ONE / 100)), *qty));
                prop_assert_eq!(listed, expected.collect::<BTreeMap<_, _>>());
            }
        }
    }
}
