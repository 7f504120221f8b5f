//! How long messages were on their way: from the exchange's time to the arrival at this host.
//!
//! Two clocks are compared, so a lag may be below zero. It is counted as it is: in a histogram of its own, by how far the arrival lies
//! before the exchange's time, so that a clock that is wrong shows and is not taken for a fast connection. Quantiles go over both, and
//! are exact to three digits; the least and the most are exact. Bound: two histograms of some 200 KB.

use hdrhistogram::Histogram;

/// The lags of the messages of one kind.
pub(super) struct Lags {
    /// At or behind the exchange's time.
    behind: Histogram<u64>,
    /// Before it.
    ahead: Histogram<u64>,
    least: i64,
    most: i64,
}

impl Default for Lags {
    fn default() -> Lags {
        let new = || Histogram::new(3).expect("three digits are valid");
        Lags { behind: new(), ahead: new(), least: i64::MAX, most: i64::MIN }
    }
}

impl Lags {
    /// One message more.
    pub(super) fn note(&mut self, lag: i64) {
        (self.least, self.most) = (self.least.min(lag), self.most.max(lag));
        let side = if lag < 0 { &mut self.ahead } else { &mut self.behind };
        side.record(lag.unsigned_abs()).expect("it grows as needed");
    }

    /// All of others, too.
    pub(super) fn add(&mut self, other: &Lags) {
        for (own, others) in [(&mut self.behind, &other.behind), (&mut self.ahead, &other.ahead)] {
            own.add(others).expect("it grows as needed");
        }
        (self.least, self.most) = (self.least.min(other.least), self.most.max(other.most));
    }

    fn count(&self) -> u64 {
        self.behind.len() + self.ahead.len()
    }

    /// How many messages arrived before the exchange's time, and the least lag of all.
    pub(super) fn ahead(&self) -> Option<(u64, i64)> {
        (!self.ahead.is_empty()).then_some((self.ahead.len(), self.least))
    }

    /// The largest; `None` without a message.
    pub(super) fn most(&self) -> Option<i64> {
        (self.count() > 0).then_some(self.most)
    }

    /// The lag that this share of the messages did not exceed; `None` without a message.
    pub(super) fn at(&self, share: f64) -> Option<i64> {
        let (count, ahead) = (self.count(), self.ahead.len());
        let rank = ((share * count as f64).ceil() as u64).clamp(1, count.max(1));
        // The furthest ahead is the first.
        let found = match rank {
            _ if count == 0 => return None,
            rank if rank <= ahead => -signed(nth(&self.ahead, ahead - rank + 1)),
            rank => signed(nth(&self.behind, rank - ahead)),
        };
        Some(found.clamp(self.least, self.most))
    }
}

fn signed(ns: u64) -> i64 {
    i64::try_from(ns).unwrap_or(i64::MAX)
}

/// The value number `rank`, from 1 on, in the order of size.
fn nth(of: &Histogram<u64>, rank: u64) -> u64 {
    let mut before = 0;
    let found = of.iter_recorded().find(|step| {
        before += step.count_since_last_iteration();
        before >= rank
    });
    found.map_or(of.max(), |step| step.value_iterated_to())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A lag of any order of magnitude, on either side of zero.
    fn lag() -> impl Strategy<Value = i64> {
        (0..60u32, any::<i64>()).prop_map(|(bits, any)| any >> (63 - bits))
    }

    proptest! {
        #[test]
        fn quantiles_are_those_of_the_sorted_list(mut lags in prop::collection::vec(lag(), 1..300), cut in 0..300usize) {
            let (mut all, mut others) = (Lags::default(), Lags::default());
            let cut = cut.min(lags.len());
            lags[..cut].iter().for_each(|lag| all.note(*lag));
            lags[cut..].iter().for_each(|lag| others.note(*lag));
            all.add(&others);
            lags.sort_unstable();
            for share in [0.01, 0.5, 0.9, 0.99, 0.999, 1.0] {
                let rank = ((share * lags.len() as f64).ceil() as usize).clamp(1, lags.len());
                let (exact, found) = (lags[rank - 1], all.at(share).expect("there are lags"));
                let off = exact.abs_diff(found) as f64;
                prop_assert!(off <= exact.unsigned_abs() as f64 * 0.001 + 1.0, "{share}: {found} is not {exact}");
            }
            prop_assert_eq!(all.most(), lags.last().copied());
            let ahead = lags.iter().filter(|lag| **lag < 0).count() as u64;
            prop_assert_eq!(all.ahead(), (ahead > 0).then(|| (ahead, lags[0])));
        }
    }

    #[test]
    fn a_clock_that_is_behind_is_a_lag_below_zero_and_none_is_absent() {
        let mut lags = Lags::default();
        assert_eq!((lags.at(0.5), lags.most(), lags.ahead()), (None, None, None));
        [-3_000_000, -1_000_000, -2_000_000].into_iter().for_each(|lag| lags.note(lag));
        assert_eq!((lags.most(), lags.ahead()), (Some(-1_000_000), Some((3, -3_000_000))));
        let median = lags.at(0.5).expect("three");
        assert!((-2_002_000..=-1_998_000).contains(&median), "{median}");
    }
}
