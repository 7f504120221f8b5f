//! Pieces of time, all of one length, numbered from the Unix epoch.
//!
//! Nearly every event is in the piece of the one before it, and to see that takes a multiplication, where to find a piece takes a division
//! by a number that no compiler knows. Bound: nothing is kept. Worst case: the division.

use flow::Ns;

/// The number of the piece that an instant is in; `last` is the one that it is probably in.
#[inline]
pub(super) fn piece_of(ts: Ns, length_ns: u64, last: u64) -> u64 {
    match last.checked_mul(length_ns) {
        Some(start) if start <= ts.0 && ts.0 - start < length_ns => last,
        _ => ts.0 / length_ns,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn it_is_the_quotient_whatever_was_last(ts: u64, length in 1..=u64::MAX, short in 1..100_u64, last: u64) {
            for (ts, length) in [(ts, length), (ts, short), (ts >> 50, short), (ts, 60_000_000_000)] {
                let piece = ts / length;
                for last in [last, 0, piece.wrapping_sub(1), piece, piece.saturating_add(1), u64::MAX / length] {
                    prop_assert_eq!(piece_of(Ns(ts), length, last), piece);
                }
            }
        }
    }
}
