//! A set of levels. Bound: [`MAX_LEVELS`] bits.

/// The most tables of limits.
pub const MAX_LEVELS: usize = 256;

/// Levels by their place, the most specific first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::risk) struct LevelSet([u64; MAX_LEVELS / 64]);

impl LevelSet {
    /// None.
    pub(super) const NONE: LevelSet = LevelSet([0; MAX_LEVELS / 64]);

    /// Adds a level.
    pub(super) fn add(&mut self, level: usize) {
        self.0[level / 64] |= 1 << (level % 64);
    }

    /// Those that are in all three.
    #[inline]
    pub(super) fn all(a: &LevelSet, b: &LevelSet, c: &LevelSet) -> LevelSet {
        LevelSet(std::array::from_fn(|i| a.0[i] & b.0[i] & c.0[i]))
    }

    /// Those that are in the other too.
    #[inline]
    pub(in crate::risk) fn and(&self, other: &LevelSet) -> LevelSet {
        LevelSet(std::array::from_fn(|i| self.0[i] & other.0[i]))
    }

    /// Those that are not in the other.
    pub(super) fn without(&self, other: &LevelSet) -> LevelSet {
        LevelSet(std::array::from_fn(|i| self.0[i] & !other.0[i]))
    }

    /// The levels, the most specific first.
    #[inline]
    pub(in crate::risk) fn iter(self) -> impl Iterator<Item = usize> {
        self.0.into_iter().enumerate().flat_map(|(word, mut bits)| {
            std::iter::from_fn(move || {
                let bit = bits.trailing_zeros() as usize;
                bits &= bits.wrapping_sub(1);
                (bit < 64).then_some(word * 64 + bit)
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_come_in_order() {
        let (mut set, mut other) = (LevelSet::NONE, LevelSet::NONE);
        [255, 0, 64, 63, 128].iter().for_each(|level| set.add(*level));
        [63, 255, 7].iter().for_each(|level| other.add(*level));
        let levels = |set: LevelSet| set.iter().collect::<Vec<_>>();
        assert_eq!(levels(set), [0, 63, 64, 128, 255]);
        assert_eq!(levels(set.and(&other)), [63, 255]);
        assert_eq!(levels(set.without(&other)), [0, 64, 128]);
        assert_eq!(levels(LevelSet::all(&set, &other, &set)), [63, 255]);
    }
}
