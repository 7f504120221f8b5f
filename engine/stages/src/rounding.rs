//! Exact quotients of integers, rounded once.
//!
//! Prices that are averages are computed from whole numbers and rounded to the unit of a price, half to even.

/// `a / b` for positive `b`, rounded to the nearest, ties to the even neighbour; saturates at the limits of a price.
pub(crate) fn divide_half_even(a: i128, b: i128) -> i64 {
    let (quotient, rest) = (a.div_euclid(b), a.rem_euclid(b));
    let up = rest > b - rest || (rest == b - rest && quotient % 2 != 0);
    let rounded = quotient + i128::from(up);
    i64::try_from(rounded).unwrap_or(if rounded < 0 { i64::MIN } else { i64::MAX })
}

#[cfg(test)]
mod tests {
    use super::divide_half_even;

    #[test]
    fn ties_go_to_the_even_neighbour_on_both_sides_of_zero() {
        let cases = [(5, 2, 2), (7, 2, 4), (-5, 2, -2), (-7, 2, -4), (1, 3, 0), (2, 3, 1), (-1, 3, 0), (-2, 3, -1)];
        for (a, b, rounded) in cases {
            assert_eq!(divide_half_even(a, b), rounded, "{a}/{b}");
        }
    }
}
