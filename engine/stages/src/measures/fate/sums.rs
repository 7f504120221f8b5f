//! What is summed of one side, and how the sums are divided.
//!
//! By rank the whole account: displayed, how it ended, what is left. By distance and age only what has ended, and only of orders
//! whose display was seen: of those that rested before, neither rank nor age is known.

use flow::FatePart;
use serde::{Deserialize, Serialize};

use FatePart::{
    Before, Best, Later, Level1, Level3, Level10, LevelBehind, Tick1, Tick10, TickBehind, TickUnknown, Within1m,
    Within1s, Within10m, Within10ms, Within10s,
};

/// The parts by rank; the first is that of orders that rested before.
pub(super) const RANKS: [FatePart; 5] = [Before, Level1, Level3, Level10, LevelBehind];
/// The parts by distance.
pub(super) const DISTANCES: [FatePart; 5] = [Best, Tick1, Tick10, TickBehind, TickUnknown];
/// The parts by age.
pub(super) const AGES: [FatePart; 6] = [Within10ms, Within1s, Within10s, Within1m, Within10m, Later];

/// Index of orders that rested before among [`RANKS`].
pub(super) const BEFORE: usize = 0;

/// The index of a rank, from 1, among [`RANKS`].
pub(super) fn part_of_rank(rank: u32) -> usize {
    1 + [1, 3, 10].iter().map(|end| usize::from(rank > *end)).sum::<usize>()
}

/// The index of a distance behind the best price among [`DISTANCES`]; both in 1e-9.
pub(super) fn part_of_distance(distance: Option<i128>, tick: i64) -> usize {
    let (Some(distance), tick @ 1..) = (distance, i128::from(tick)) else { return 4 };
    [0, tick, 10 * tick].iter().map(|end| usize::from(distance > *end)).sum()
}

/// The index of an age among [`AGES`]; the ends are of the lower part.
#[inline]
pub(super) fn part_of_age(age_ns: u64) -> usize {
    const ENDS: [u64; 5] = [10_000_000, 1_000_000_000, 10_000_000_000, 60_000_000_000, 600_000_000_000];
    // All are compared: no branch can be guessed here.
    ENDS.iter().map(|end| usize::from(age_ns > *end)).sum()
}

/// How displayed quantity ends by a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// Executed.
    Taken,
    /// Cancelled.
    Pulled,
    /// Replaced by new terms.
    Moved,
}

/// Quantity that has ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Ended {
    pub(super) taken: u64,
    pub(super) pulled: u64,
    pub(super) moved: u64,
}

impl Ended {
    pub(super) fn add(&mut self, end: End, qty: u64) {
        let sum = match end {
            End::Taken => &mut self.taken,
            End::Pulled => &mut self.pulled,
            End::Moved => &mut self.moved,
        };
        *sum = sum.saturating_add(qty);
    }

    pub(super) fn all(&self) -> u64 {
        self.taken.saturating_add(self.pulled).saturating_add(self.moved)
    }
}

/// The account of one rank.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Account {
    pub(super) displayed: u64,
    pub(super) ended: Ended,
    /// Gone without a message.
    pub(super) unseen: u64,
    /// Rested when the feed emptied the book.
    pub(super) lost: u64,
    /// Rests at a price that the feed does not show now.
    pub(super) veiled: u64,
}

impl Account {
    /// What has not ended and was not lost, shown now or not.
    pub(super) fn left(&self) -> u64 {
        self.displayed.saturating_sub(self.ended.all()).saturating_sub(self.unseen).saturating_sub(self.lost)
    }

    /// The book was emptied: what became of the rest nobody says.
    pub(super) fn lose(&mut self) {
        (self.lost, self.veiled) = (self.lost.saturating_add(self.left()), 0);
    }
}

/// The sums of one side.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Sums {
    pub(super) ranks: [Account; RANKS.len()],
    pub(super) distances: [Ended; DISTANCES.len()],
    pub(super) ages: [Ended; AGES.len()],
    pub(super) chain_ages: [Ended; AGES.len()],
}

impl Sums {
    /// All that is left, of every rank.
    pub(super) fn left(&self) -> u64 {
        self.ranks.iter().fold(0, |sum: u64, account| sum.saturating_add(account.left()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_have_the_bounds_of_the_page() {
        let ranks = [1, 2, 3, 4, 10, 11].map(|rank| RANKS[part_of_rank(rank)]);
        assert_eq!(ranks, [Level1, Level3, Level3, Level10, Level10, LevelBehind]);
        let distances = [-5, 0, 1, 100, 101, 1_000, 1_001].map(|d| DISTANCES[part_of_distance(Some(d), 100)]);
        assert_eq!(distances, [Best, Best, Tick1, Tick1, Tick10, Tick10, TickBehind]);
        assert_eq!(DISTANCES[part_of_distance(None, 100)], TickUnknown);
        assert_eq!(DISTANCES[part_of_distance(Some(0), 0)], TickUnknown);
        let ms = 1_000_000;
        let ages = [0, 10 * ms, 10 * ms + 1, 1_000 * ms, 10_000 * ms, 60_000 * ms, 600_000 * ms, 600_000 * ms + 1];
        let expected = [Within10ms, Within10ms, Within1s, Within1s, Within10s, Within1m, Within10m, Later];
        assert_eq!(ages.map(|age| AGES[part_of_age(age)]), expected);
    }

    #[test]
    fn an_account_adds_up_and_loses_what_is_left() {
        let mut account = Account { displayed: 100, unseen: 5, veiled: 20, ..Account::default() };
        account.ended.add(End::Taken, 30);
        account.ended.add(End::Pulled, 10);
        account.ended.add(End::Moved, 15);
        assert_eq!(account.left(), 40);
        account.lose();
        assert_eq!((account.left(), account.lost, account.veiled), (0, 40, 0));
    }
}
