//! A symbol: its directory entry and what its agents know.
//!
//! Names follow the activity rank (rank 0 is the busiest), the seed shuffles the locates, and prices range from $2 to
//! $3,000 on a logarithmic scale, the busiest symbols in the middle. A symbol has two values: the *fair* value, which
//! news moves and informed traders know, and the market makers' *estimate*, which follows it through the flow of
//! executions. All values are in ticks of one cent.

use super::SyntheticConfig;
use super::book::{NONE, TICKS};
use super::dice::Dice;
use super::zipf::Zipf;

/// The most layers of quotes of a market maker on each side.
pub(super) const LAYERS: usize = 3;
/// How many of its latest orders a symbol remembers.
pub(super) const RECENT: usize = 8;

/// A reference to an order that may no longer exist; its place then holds another order or none.
#[derive(Clone, Copy)]
pub(super) struct Handle {
    pub(super) place: u32,
    pub(super) reference: u64,
}

impl Handle {
    pub(super) const NONE: Handle = Handle { place: NONE, reference: 0 };
}

/// A symbol.
pub(super) struct Symbol {
    pub(super) name: [u8; 8],
    pub(super) round_lot: u32,
    /// Levels that fit each side of the book.
    pub(super) width: u32,
    /// How far from the touch patient traders place orders, in ticks.
    pub(super) reach: u32,
    /// The market makers' half spread.
    pub(super) half_spread: f64,
    /// Typical move of the fair value per news item.
    pub(super) volatility: f64,
    pub(super) fair: f64,
    pub(super) estimate: f64,
    /// Recent signed flow, from -1 (all sells) to 1 (all buys).
    pub(super) trend: f64,
    /// Direction of the large order that noise traders work off, and how many trades of it remain.
    pub(super) program: (bool, u32),
    pub(super) quotes: [[Handle; LAYERS]; 2],
    pub(super) recent: [Handle; RECENT],
    pub(super) recent_at: u32,
    pub(super) last_match: u64,
    /// Trading is paused or halted.
    pub(super) paused: bool,
    /// Listed today: an IPO or a direct listing.
    pub(super) is_new: bool,
}

/// The symbols in order of their locates, and the index of each rank.
pub(super) struct Directory {
    pub(super) symbols: Vec<Symbol>,
    pub(super) by_rank: Vec<u16>,
}

impl Directory {
    pub(super) fn new(config: &SyntheticConfig, zipf: &Zipf, dice: &mut Dice) -> Directory {
        let SyntheticConfig { messages, live_orders, .. } = *config;
        let count = config.symbols as usize;
        let mut by_rank: Vec<u16> = (0..count as u16).collect();
        for i in (1..count).rev() {
            by_rank.swap(i, dice.below(i as u32 + 1) as usize);
        }
        let mut symbols: Vec<Option<Symbol>> = (0..count).map(|_| None).collect();
        for (rank, &index) in by_rank.iter().enumerate() {
            let share = zipf.share(rank);
            let mut symbol = Symbol::new(rank, count, share * messages as f64, share * f64::from(live_orders), dice);
            symbol.name = name(&config.prefix, rank);
            symbols[usize::from(index)] = Some(symbol);
        }
        Directory { symbols: symbols.into_iter().flatten().collect(), by_rank }
    }
}

impl Symbol {
    fn new(rank: usize, count: usize, messages: f64, orders: f64, dice: &mut Dice) -> Symbol {
        let standing = rank as f64 / count as f64;
        let height = if standing < 0.1 { 0.2 + 0.55 * dice.unit() } else { dice.unit() };
        let price = libm::floor(200.0 * libm::pow(1500.0, height));
        let half_spread = (0.45 + price * (0.3e-4 + 6e-4 * standing)).min(40.0);
        let width = libm::fmax(orders / 8.0, 8.0 * half_spread).clamp(128.0, 4096.0) as u32;
        let width = width.next_power_of_two();
        let daily = 0.02 * price / libm::sqrt((messages * NEWS).max(1.0));
        Symbol {
            name: name("", rank),
            round_lot: round_lot(price as u32),
            width,
            reach: width.min((price / 3.0) as u32).max(8),
            half_spread,
            volatility: daily.min(3.0 * half_spread),
            fair: price,
            estimate: price,
            trend: 0.0,
            program: (dice.chance(32_768), 0),
            quotes: [[Handle::NONE; LAYERS]; 2],
            recent: [Handle::NONE; RECENT],
            recent_at: 0,
            last_match: 0,
            paused: false,
            is_new: count > 1 && rank == count / 2,
        }
    }

    /// Remembers an order as the latest one.
    #[inline]
    pub(super) fn remember(&mut self, handle: Handle) {
        self.recent[self.recent_at as usize % RECENT] = handle;
        self.recent_at = self.recent_at.wrapping_add(1);
    }

    /// The market makers' estimate as a valid tick.
    pub(super) fn middle(&self) -> u32 {
        self.estimate.clamp(2.0, f64::from(TICKS - 2)) as u32
    }

    /// Moves the fair value by a news item of heavy-tailed size.
    pub(super) fn news(&mut self, dice: &mut Dice) {
        let size = dice.exponential() * if dice.chance(1_300) { 6.0 } else { 0.7 };
        let step = self.volatility * if dice.chance(32_768) { size } else { -size };
        self.fair = (self.fair + step).clamp(100.0, 500_000.0);
    }
}

/// Probability that an arrival brings news.
pub(super) const NEWS: f64 = 1.0 / 16.0;

/// Shares per round lot, by the price tiers of the rule in force since November 2025.
pub(super) const fn round_lot(ticks: u32) -> u32 {
    match ticks {
        0..=25_000 => 100,
        25_001..=100_000 => 40,
        100_001..=1_000_000 => 10,
        _ => 1,
    }
}

/// A unique name for each rank, four letters behind the prefix, padded as on the wire.
fn name(prefix: &str, rank: usize) -> [u8; 8] {
    let mut code = rank * 73_529 % 26usize.pow(4);
    let mut name = *b"        ";
    name[..prefix.len()].copy_from_slice(prefix.as_bytes());
    for letter in name[prefix.len()..][..4].iter_mut().rev() {
        *letter = b'A' + (code % 26) as u8;
        code /= 26;
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn names_are_unique_and_lots_follow_the_price() {
        assert_eq!((0..8_000).map(|rank| name("", rank)).collect::<BTreeSet<_>>().len(), 8_000);
        let lots = [25_000, 25_001, 100_000, 100_001, 1_000_000, 1_000_001].map(round_lot);
        assert_eq!(lots, [100, 40, 40, 10, 10, 1]);
    }
}
