//! Volume in the order of its trades, condensed by price where the order no longer matters.
//!
//! While a minute is open its trades are kept one by one, as price and quantity. When it ends, only a few places in it can be the
//! start or the end of a leg, the *cuts*; what lies between two of them is added up by price, in place, so a closed minute has a few
//! entries a price. What is added up is exact: nobody asks for the order between two cuts again.
//!
//! Entries lie in blocks of sixteen, those of a minute in a chain of blocks of its own, and the blocks of all minutes of all instruments
//! in one pool. Bound: so many blocks; an entry that finds none is refused. Worst case: a minute ends and each of its trades is looked at once,
//! with a search among the prices of its part. More prices than [`PRICES`] in one part are added up in portions, which are no less exact.

use crate::pool::{self, Pool};
use serde::{Deserialize, Serialize};

/// Entries in a block.
const BLOCK: u32 = 16;
/// Prices that are added up at once.
const PRICES: usize = 256;
/// Cuts of a minute.
pub(super) const CUTS: usize = 6;

/// A quantity that was traded at a price, in 1e-9.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Entry {
    pub(super) px: i64,
    pub(super) qty: u64,
}

#[derive(Clone, Copy)]
struct Block {
    entries: [Entry; BLOCK as usize],
    next: u32,
}

/// The entries of a minute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Chain {
    first: u32,
    last: u32,
    len: u32,
}

impl Chain {
    pub(super) const EMPTY: Chain = Chain { first: pool::NONE, last: pool::NONE, len: 0 };

    /// How many entries there are.
    #[inline]
    pub(super) fn len(&self) -> u32 {
        self.len
    }
}

/// A place in a chain.
#[derive(Clone, Copy)]
struct Cursor {
    block: u32,
    at: u32,
}

/// The entries of all minutes.
pub(super) struct Entries {
    blocks: Pool<Block>,
    /// Room to add up a part of a minute, by price.
    sums: Box<[Entry]>,
}

impl Entries {
    const VACANT: Block = Block { entries: [Entry { px: 0, qty: 0 }; BLOCK as usize], next: pool::NONE };

    /// Room for so many blocks.
    pub(super) fn new(blocks: u32) -> Entries {
        Entries { blocks: Pool::new(blocks, Entries::VACANT), sums: flow::table(PRICES, Entry::default()) }
    }

    /// Adds an entry at the end; `false` if there was no room.
    #[inline]
    pub(super) fn push(&mut self, chain: &mut Chain, entry: Entry) -> bool {
        let at = chain.len % BLOCK;
        if at == 0 {
            let Some(block) = self.blocks.take() else { return false };
            self.blocks[block] = Entries::VACANT;
            match chain.last {
                pool::NONE => chain.first = block,
                last => self.blocks[last].next = block,
            }
            chain.last = block;
        }
        self.blocks[chain.last].entries[at as usize] = entry;
        chain.len += 1;
        true
    }

    /// Takes all entries away.
    pub(super) fn free(&mut self, chain: &mut Chain) {
        let mut block = chain.first;
        while block != pool::NONE {
            self.blocks.give(block);
            block = self.blocks[block].next;
        }
        *chain = Chain::EMPTY;
    }

    /// The entries from one place up to and without another.
    pub(super) fn iter(&self, chain: Chain, from: u32, until: u32) -> impl Iterator<Item = Entry> + '_ {
        let mut block = chain.first;
        for _ in 0..from / BLOCK {
            block = self.next(block);
        }
        (from..until.min(chain.len)).map(move |at| {
            if at != from && at % BLOCK == 0 {
                block = self.next(block);
            }
            self.blocks[block].entries[(at % BLOCK) as usize]
        })
    }

    /// The block behind one; none behind none, as of a chain whose length is a whole number of blocks.
    fn next(&self, block: u32) -> u32 {
        self.blocks.get(block).map_or(pool::NONE, |block| block.next)
    }

    /// Takes a quantity out of the last entry of a price that has as much; `false` if none has.
    pub(super) fn take(&mut self, chain: Chain, px: i64, qty: u64) -> bool {
        let (mut block, mut found) = (chain.first, None);
        for at in 0..chain.len {
            let (place, entry) = ((block, (at % BLOCK) as usize), self.blocks[block].entries[(at % BLOCK) as usize]);
            if entry.px == px && entry.qty >= qty {
                found = Some(place);
            }
            if at % BLOCK == BLOCK - 1 {
                block = self.next(block);
            }
        }
        let Some((block, at)) = found else { return false };
        self.blocks[block].entries[at].qty -= qty;
        true
    }

    /// Adds up by price what lies between the cuts, and moves these to where they are then.
    pub(super) fn condense(&mut self, chain: &mut Chain, cuts: &mut [u32; CUTS]) {
        let begin = Cursor { block: chain.first, at: 0 };
        let (mut read, mut write, mut held, asked) = (begin, begin, 0, *cuts);
        for at in 0..=chain.len {
            if at == chain.len || asked.contains(&at) {
                self.write(&mut write, &mut held);
                (0..CUTS).filter(|cut| asked[*cut] == at).for_each(|cut| cuts[cut] = write.at);
            }
            if at < chain.len {
                let entry = self.read(&mut read);
                self.add_up(entry, &mut held, &mut write);
            }
        }
        self.cut_off(chain, write);
    }

    /// Adds an entry to those of its part.
    fn add_up(&mut self, entry: Entry, held: &mut usize, write: &mut Cursor) {
        match self.sums[..*held].binary_search_by_key(&entry.px, |sum| sum.px) {
            Ok(at) => self.sums[at].qty = self.sums[at].qty.saturating_add(entry.qty),
            Err(_) if *held == PRICES => {
                self.write(write, held);
                (self.sums[0], *held) = (entry, 1);
            }
            Err(at) => {
                *held += 1;
                self.sums[at..*held].rotate_right(1);
                self.sums[at] = entry;
            }
        }
    }

    fn read(&self, from: &mut Cursor) -> Entry {
        if from.at > 0 && from.at.is_multiple_of(BLOCK) {
            from.block = self.next(from.block);
        }
        from.at += 1;
        self.blocks[from.block].entries[((from.at - 1) % BLOCK) as usize]
    }

    /// Writes what was added up. There are no more of it than were read, so nothing is written over that was not.
    fn write(&mut self, to: &mut Cursor, held: &mut usize) {
        for at in 0..*held {
            if to.at > 0 && to.at.is_multiple_of(BLOCK) {
                to.block = self.next(to.block);
            }
            self.blocks[to.block].entries[(to.at % BLOCK) as usize] = self.sums[at];
            to.at += 1;
        }
        *held = 0;
    }

    /// Ends a chain here, and gives the blocks behind back.
    fn cut_off(&mut self, chain: &mut Chain, end: Cursor) {
        if end.at == 0 {
            return;
        }
        let mut behind = Chain { first: self.next(end.block), ..Chain::EMPTY };
        self.free(&mut behind);
        self.blocks[end.block].next = pool::NONE;
        (chain.last, chain.len) = (end.block, end.at);
    }

    /// Takes the entries of all minutes away.
    pub(super) fn clear(&mut self) {
        self.blocks.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    fn all(entries: &Entries, chain: Chain, from: u32, until: u32) -> Vec<(i64, u64)> {
        entries.iter(chain, from, until).map(|entry| (entry.px, entry.qty)).collect()
    }

    #[test]
    fn what_lies_between_cuts_is_added_up_by_price() {
        let (mut entries, mut chain) = (Entries::new(2), Chain::EMPTY);
        let px = [5, 4, 5, 3, 5, 4, 5, 4, 6, 5, 6, 5, 5, 5, 5, 5, 7, 6, 7, 6];
        assert!(px.iter().all(|px| entries.push(&mut chain, Entry { px: *px, qty: 1 })));
        assert_eq!(all(&entries, chain, 15, 18), [(5, 1), (7, 1), (6, 1)]);
        let mut cuts = [3, 17, 17, 20, 0, 3];
        entries.condense(&mut chain, &mut cuts);
        assert_eq!(cuts, [2, 7, 7, 9, 0, 2]);
        let parts = [(4, 1), (5, 2), (3, 1), (4, 2), (5, 8), (6, 2), (7, 1), (6, 2), (7, 1)];
        assert_eq!(all(&entries, chain, 0, 99), parts);
        assert!(
            entries.take(chain, 5, 2) && !entries.take(chain, 5, 7),
            "the last entry of the price that has as much"
        );
        assert_eq!(all(&entries, chain, 1, 5), [(5, 2), (3, 1), (4, 2), (5, 6)]);
        let mut other = Chain::EMPTY;
        assert!((0..16).all(|at| entries.push(&mut other, Entry { px: at, qty: 1 })), "a block was given back");
        assert!(!entries.push(&mut other, Entry::default()), "there is no third");
        entries.free(&mut chain);
        assert!(entries.push(&mut other, Entry::default()) && chain == Chain::EMPTY);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(500))]
        #[test]
        fn every_part_holds_what_it_held(
            trades in prop::collection::vec((0_i64..400, 1_u64..9), 0..700),
            cuts in prop::array::uniform6(0.0..=1.0_f64),
        ) {
            let (mut entries, mut chain) = (Entries::new(64), Chain::EMPTY);
            trades.iter().for_each(|(px, qty)| assert!(entries.push(&mut chain, Entry { px: *px, qty: *qty })));
            let before = cuts.map(|cut| (cut * trades.len() as f64) as u32);
            let sums = |entries: &Entries, chain, from, until| {
                let mut sums = BTreeMap::<i64, u64>::new();
                all(entries, chain, from, until).iter().for_each(|(px, qty)| *sums.entry(*px).or_default() += qty);
                sums
            };
            let (kept, mut after) = (chain, before);
            let mut model = Vec::new();
            for from in before {
                for until in before {
                    model.push(sums(&entries, kept, from, until));
                }
            }
            entries.condense(&mut chain, &mut after);
            let mut found = Vec::new();
            for from in after {
                for until in after {
                    found.push(sums(&entries, chain, from, until));
                }
            }
            prop_assert_eq!(model, found);
            entries.free(&mut chain);
            prop_assert_eq!(entries.blocks.left(), 64);
        }
    }
}
