//! Prices of books by level, and whether the feed shows them now.
//!
//! A feed by level that gives single orders too, like LOBSTER, says nothing of an order while its price is out of the levels that it shows.
//! So for every price with orders that are followed there is what they have left by rank; it changes with them, and with every level that
//! comes into sight or leaves it. Books by order have none of this.
//!
//! Bound: so many prices of all instruments. Worst case: colliding prices cost a probe each.

use super::sums::RANKS;
use crate::hash_index::HashIndex;
use crate::pool::Pool;
use flow::Px;
use serde::{Deserialize, Serialize};

/// A price of a side.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Price {
    pub(super) px: Px,
    /// 0 while the slot is free.
    #[serde(skip)]
    pub(super) instrument: u32,
    pub(super) is_bid: bool,
    /// Whether the feed does not show it now.
    pub(super) is_veiled: bool,
    /// What is left of its orders, by rank.
    pub(super) left: [u64; RANKS.len()],
}

impl Price {
    const VACANT: Price = Price { px: Px(0), instrument: 0, is_bid: false, is_veiled: false, left: [0; RANKS.len()] };

    fn key(&self) -> u64 {
        key((self.instrument, self.is_bid, self.px))
    }
}

/// Whose price it is, and which.
pub(super) type At = (u32, bool, Px);

fn key((instrument, is_bid, px): At) -> u64 {
    px.0 as u64 ^ u64::from(instrument << 1 | u32::from(is_bid)).rotate_right(20)
}

/// The prices of all instruments.
pub(super) struct Prices {
    index: HashIndex,
    prices: Pool<Price>,
}

impl Prices {
    /// Room for so many prices.
    pub(super) fn new(most: u32) -> Prices {
        Prices { index: HashIndex::new(most as usize), prices: Pool::new(most, Price::VACANT) }
    }

    fn slot(&self, at: At) -> usize {
        self.index.seek(key(at), |number| {
            let price = &self.prices[number];
            (price.instrument, price.is_bid, price.px) == at
        })
    }

    /// A price that has orders.
    pub(super) fn find(&mut self, at: At) -> Option<&mut Price> {
        let number = self.index.get(self.slot(at))?;
        Some(&mut self.prices[number])
    }

    /// A price, which gets a place now if it has none; `None` without room.
    pub(super) fn reach(&mut self, at: At) -> Option<&mut Price> {
        let slot = self.slot(at);
        let number = match self.index.get(slot) {
            Some(number) => number,
            None => {
                let number = self.prices.take()?;
                let (instrument, is_bid, px) = at;
                self.prices[number] = Price { px, instrument, is_bid, ..Price::VACANT };
                let prices = &self.prices;
                self.index.set(slot, number, |at| prices[at].key());
                number
            }
        };
        Some(&mut self.prices[number])
    }

    /// Takes a price that was saved; `false` without room.
    pub(super) fn load(&mut self, saved: Price, instrument: u32) -> bool {
        let Some(price) = self.reach((instrument, saved.is_bid, saved.px)) else { return false };
        *price = saved;
        price.instrument = instrument;
        true
    }

    /// Lets a price go if nothing is left there.
    pub(super) fn release(&mut self, at: At) {
        let slot = self.slot(at);
        let Some(number) = self.index.get(slot).filter(|number| self.prices[*number].left == [0; RANKS.len()]) else {
            return;
        };
        self.remove(slot, number);
    }

    fn remove(&mut self, slot: usize, number: u32) {
        let prices = &self.prices;
        self.index.remove(slot, |at| prices[at].key());
        self.prices[number].instrument = 0;
        self.prices.give(number);
    }

    /// Lets the prices of all instruments go of which `is` says so.
    #[cold]
    pub(super) fn remove_all(&mut self, is: impl Fn(u32) -> bool) {
        for number in 0..self.prices.made().len() as u32 {
            let Price { instrument, is_bid, px, .. } = self.prices[number];
            if instrument != 0 && is(instrument) {
                self.remove(self.slot((instrument, is_bid, px)), number);
            }
        }
    }

    /// Every price, by instrument, side and price.
    pub(super) fn sorted(&self) -> Vec<Price> {
        let mut all: Vec<Price> = self.prices.made().iter().filter(|price| price.instrument != 0).copied().collect();
        all.sort_by_key(|price| (price.instrument, price.is_bid, price.px));
        all
    }

    /// Lets all go.
    pub(super) fn clear(&mut self) {
        self.index.clear();
        self.prices.clear();
    }
}
