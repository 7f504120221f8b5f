//! Integer division, rounded once, half to even; and products that may not fit.
//!
//! For prices that are averages, and for money in another currency: computed from integers and rounded to the unit of a
//! price. Bound: O(1).

/// `a / b` for positive `b`, rounded half to even; saturates at the limits of a price. Operands that fit 64 bits, as most
/// do, are divided there: a 128-bit division is a call and several times slower.
#[inline]
pub fn divide_half_even(a: i128, b: i128) -> i64 {
    match (i64::try_from(a), i64::try_from(b)) {
        (Ok(a), Ok(b)) => {
            let (quotient, rest) = (a.div_euclid(b), a.rem_euclid(b));
            // No overflow: only a divisor of 1 reaches a limit, and then there is no remainder.
            quotient + i64::from(is_up(rest, b - rest, quotient % 2 != 0))
        }
        _ => {
            let wide = divide_half_even_wide(a, b);
            i64::try_from(wide).unwrap_or(if wide < 0 { i64::MIN } else { i64::MAX })
        }
    }
}

/// Whether to round up, from the distances to the quotient below and the one above.
#[inline]
fn is_up<T: Ord>(rest: T, missing: T, odd: bool) -> bool {
    rest > missing || (rest == missing && odd)
}

/// `a / b` for positive `b`, rounded half to even, whatever its size.
#[cold]
pub fn divide_half_even_wide(a: i128, b: i128) -> i128 {
    // One division for both: each of this width is a call.
    let (quotient, rest) = (a / b, a - a / b * b);
    let (quotient, rest) = if rest < 0 { (quotient - 1, rest + b) } else { (quotient, rest) };
    // No overflow: only a divisor of 1 reaches a limit, and then there is no remainder.
    quotient + i128::from(is_up(rest, b - rest, quotient % 2 != 0))
}

/// `a * b`, if it fits. Factors that fit 64 bits, as most do, have a product that does; of wider ones that must be found out, which takes
/// several multiplications.
#[inline]
pub fn product(a: i128, b: i128) -> Option<i128> {
    match (i64::try_from(a), i64::try_from(b)) {
        (Ok(a), Ok(b)) => Some(i128::from(a) * i128::from(b)),
        _ => a.checked_mul(b),
    }
}

#[cfg(test)]
mod tests {
    use super::{divide_half_even, divide_half_even_wide, product};
    use proptest::prelude::*;

    #[test]
    fn ties_go_to_the_even_neighbour_on_both_sides_of_zero() {
        let cases = [(5, 2, 2), (7, 2, 4), (-5, 2, -2), (-7, 2, -4), (1, 3, 0), (2, 3, 1), (-1, 3, 0), (-2, 3, -1)];
        for (a, b, rounded) in cases {
            assert_eq!(divide_half_even(a, b), rounded, "{a}/{b}");
        }
    }

    proptest! {
        #[test]
        fn both_widths_agree(a in any::<i64>(), b in 1..=i64::MAX, small in 1..10_i64) {
            for (a, b) in [(a, b), (a, small), (i64::MIN, small), (i64::MAX, small), (a % 100, small), (i64::MIN, b)] {
                let (a, b) = (i128::from(a), i128::from(b));
                prop_assert_eq!(i128::from(divide_half_even(a, b)), divide_half_even_wide(a, b), "{}/{}", a, b);
            }
        }
    }

    proptest! {
        #[test]
        fn a_wide_division_is_that_of_its_parts(a in any::<i128>(), b in 1..=i128::MAX, small in 1..1_000_i128) {
            for (a, b) in [(a, b), (a, small), (a >> 40, b >> 60 | 1), (-b, b), (b - 1, b)] {
                let (quotient, rest) = (a.div_euclid(b), a.rem_euclid(b));
                let up = rest > b - rest || rest == b - rest && quotient % 2 != 0;
                prop_assert_eq!(divide_half_even_wide(a, b), quotient + i128::from(up), "{}/{}", a, b);
            }
        }

        #[test]
        fn a_product_is_exact_or_absent(a in any::<i128>(), b in any::<i128>(), by in 0..128_u32) {
            for (a, b) in [(a, b), (a >> by, b), (a >> by, b >> by), (a >> 64, b >> 64), (a, b >> by)] {
                prop_assert_eq!(product(a, b), a.checked_mul(b));
            }
        }
    }

    #[test]
    fn what_no_price_holds_is_its_limit() {
        assert_eq!(divide_half_even(i128::MAX, 1), i64::MAX);
        assert_eq!(divide_half_even(i128::MIN + 1, 3), i64::MIN);
        assert_eq!(divide_half_even(i128::from(i64::MAX) * 3 + 2, 3), i64::MAX);
    }
}
