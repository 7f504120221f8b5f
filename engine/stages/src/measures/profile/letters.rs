//! Letters: in which half hours of the session each row was traded, as a market profile has them.
//!
//! A bit for each half hour from the open on, the first of them A; rows in blocks of sixteen, found by market and place. Bound: so many
//! blocks, and 64 half hours, which no session exceeds. Worst case: a session begins and the blocks of the one before are given back.

use crate::by_key::{ByKey, Keyed};
use flow::Ns;

const BLOCK: i64 = 16;
const HALF_HOUR: u64 = 1_800 * Ns::SECOND;

#[derive(Clone, Copy)]
struct Block {
    key: u64,
    rows: [u64; BLOCK as usize],
}

impl Keyed for Block {
    const VACANT: Block = Block { key: 0, rows: [0; BLOCK as usize] };

    fn key(&self) -> u64 {
        self.key
    }
}

/// The letters of all markets.
pub(super) struct Letters(ByKey<Block>);

/// The rows of a market that may have letters, the lowest and the highest; `None` = there are none.
pub(super) type Lettered = Option<(i64, i64)>;

/// The half hour of an instant, counted from the open.
pub(super) fn half_hour(open: Ns, ts: Ns) -> u8 {
    (ts.0.saturating_sub(open.0) / HALF_HOUR).min(63) as u8
}

impl Letters {
    /// Room for so many blocks.
    pub(super) fn new(blocks: usize) -> Letters {
        Letters(ByKey::new(blocks))
    }

    fn place(market: u32, row: i64) -> (u64, usize) {
        let block = row.div_euclid(BLOCK) as u32;
        (u64::from(market + 1) << 32 | u64::from(block), row.rem_euclid(BLOCK) as usize)
    }

    /// The letters of a row.
    fn of(&self, market: u32, row: i64) -> u64 {
        let (key, at) = Letters::place(market, row);
        self.0.get(key).map_or(0, |block| block.rows[at])
    }

    /// Adds letters to a row, and says which it has then; `None` if they are not new, or there is no room.
    pub(super) fn add(&mut self, market: u32, lettered: &mut Lettered, row: i64, letters: u64) -> Option<u64> {
        let (key, at) = Letters::place(market, row);
        let block = self.0.open(key, || Block { key, ..Block::VACANT })?;
        let all = block.rows[at] | letters;
        let is_new = all != std::mem::replace(&mut block.rows[at], all);
        let (low, high) = lettered.unwrap_or((row, row));
        *lettered = Some((low.min(row), high.max(row)));
        is_new.then_some(all)
    }

    /// Takes all letters of a market away.
    pub(super) fn begin(&mut self, market: u32, lettered: &mut Lettered) {
        let Some((low, high)) = lettered.take() else { return };
        for block in low.div_euclid(BLOCK)..=high.div_euclid(BLOCK) {
            self.0.remove(Letters::place(market, block * BLOCK).0);
        }
    }

    /// The rows with letters, from the lowest up.
    pub(super) fn rows(&self, market: u32, lettered: Lettered) -> impl Iterator<Item = (i64, u64)> + '_ {
        let rows = lettered.into_iter().flat_map(|(low, high)| low..=high);
        rows.map(move |row| (row, self.of(market, row))).filter(|(_, letters)| *letters != 0)
    }

    /// Takes all letters away.
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_keep_their_letters_until_a_session_begins() {
        let (mut letters, mut one, mut other) = (Letters::new(2), None, None);
        let emitted = [(3, 1), (3, 1), (-1, 2), (3, 4)].map(|(row, letter)| letters.add(0, &mut one, row, letter));
        assert_eq!(emitted, [Some(1), None, Some(2), Some(5)]);
        assert_eq!(letters.add(1, &mut other, 3, 1), None, "there is no third block");
        assert!(letters.rows(0, one).eq([(-1, 2), (3, 5)]));
        letters.begin(0, &mut one);
        assert_eq!((one, letters.add(1, &mut other, 3, 1)), (None, Some(1)));
        assert_eq!([0, 1_799, 1_800, 23_399].map(|s| half_hour(Ns(5), Ns(5 + s * Ns::SECOND))), [0, 0, 1, 12]);
    }
}
