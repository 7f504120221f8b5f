//! Draws the next symbol by Zipf's law, with an alias table.
//!
//! The probability of rank k is proportional to 1/k. Vose's alias table splits these probabilities into equal columns
//! of at most two symbols, so a draw takes one column and one comparison for any number of symbols. Built once in
//! linear time; 8 bytes per symbol for the table and 8 for its share.

use super::dice::Dice;

/// Draws ranks, which count from 0.
pub(super) struct Zipf {
    columns: Vec<(u32, u32)>,
    shares: Vec<f64>,
}

impl Zipf {
    /// The distribution over ranks 0 to `n` - 1.
    pub(super) fn new(n: usize) -> Zipf {
        let total: f64 = (1..=n).map(|k| 1.0 / k as f64).sum();
        let shares: Vec<f64> = (1..=n).map(|k| 1.0 / k as f64 / total).collect();
        let mut scaled: Vec<f64> = shares.iter().map(|s| s * n as f64).collect();
        let (mut small, mut large): (Vec<usize>, Vec<usize>) = (0..n).partition(|&k| scaled[k] < 1.0);
        let mut columns: Vec<(u32, u32)> = (0..n).map(|k| (u32::MAX, k as u32)).collect();
        while let (Some(&l), Some(s)) = (large.last(), small.pop()) {
            columns[s] = ((scaled[s] * f64::from(u32::MAX)) as u32, l as u32);
            scaled[l] -= 1.0 - scaled[s];
            if scaled[l] < 1.0 {
                large.pop();
                small.push(l);
            }
        }
        Zipf { columns, shares }
    }

    /// Draws a rank.
    #[inline]
    pub(super) fn draw(&self, dice: &mut Dice) -> usize {
        let column = dice.below(self.columns.len() as u32);
        let (threshold, alias) = self.columns[column as usize];
        if dice.below(u32::MAX) < threshold { column as usize } else { alias as usize }
    }

    /// The probability of a rank.
    pub(super) fn share(&self, rank: usize) -> f64 {
        self.shares[rank]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_follow_the_law() {
        let (zipf, mut dice, mut seen) = (Zipf::new(50), Dice::new(3), [0u32; 50]);
        for _ in 0..200_000 {
            seen[zipf.draw(&mut dice)] += 1;
        }
        for (rank, count) in seen.iter().enumerate() {
            let expected = zipf.share(rank) * 200_000.0;
            assert!((f64::from(*count) - expected).abs() < 6.0 * expected.sqrt(), "rank {rank}: {count} of {expected}");
        }
    }
}
