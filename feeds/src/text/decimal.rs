//! Decimal numbers of a text as integers, exactly.
//!
//! A price is an integer of 1e-9, read digit by digit: no number passes through a double. A price with more decimals than nine
//! is refused, because it could not be kept; an average, which is rounded by whoever made it, is rounded once more, half to even.
//! Worst case: one pass over the text.

use flow::{Px, Qty};

/// Decimals of a price.
const DECIMALS: usize = 9;

/// A number of a text: its digits before and behind the point.
struct Decimal<'a> {
    is_negative: bool,
    whole: &'a [u8],
    decimals: &'a [u8],
}

impl<'a> Decimal<'a> {
    /// `-12.50`, `12`, `.5`, `12.`; neither an exponent nor groups of digits.
    fn of(text: &'a [u8]) -> Option<Decimal<'a>> {
        let (is_negative, digits) = match text {
            [b'-', digits @ ..] => (true, digits),
            [b'+', digits @ ..] => (false, digits),
            digits => (false, digits),
        };
        let point = memchr::memchr(b'.', digits);
        let (whole, decimals) = point.map_or((digits, &[][..]), |at| (&digits[..at], &digits[at + 1..]));
        let fits = whole.iter().chain(decimals).all(u8::is_ascii_digit) && !(whole.is_empty() && decimals.is_empty());
        fits.then_some(Decimal { is_negative, whole, decimals })
    }

    /// In units of 1e-9, and the digits that this leaves out.
    fn nanos(&self) -> Option<(i64, &'a [u8])> {
        let (kept, rest) = self.decimals.split_at(self.decimals.len().min(DECIMALS));
        let padding = std::iter::repeat_n(&b'0', DECIMALS - kept.len());
        let value = integer(self.whole.iter().chain(kept).chain(padding))?;
        let value = i64::try_from(value).ok().filter(|value| *value < i64::MAX)?;
        Some((if self.is_negative { -value } else { value }, rest))
    }
}

fn integer<'a>(mut digits: impl Iterator<Item = &'a u8>) -> Option<u64> {
    digits.try_fold(0_u64, |value, digit| value.checked_mul(10)?.checked_add(u64::from(digit - b'0')))
}

fn is_zero(digits: &[u8]) -> bool {
    digits.iter().all(|digit| *digit == b'0')
}

/// A price, exactly.
pub(crate) fn px(text: &[u8]) -> Result<Px, &'static str> {
    let decimal = Decimal::of(text).ok_or("is not a price")?;
    match decimal.nanos() {
        None => Err("is a price beyond 9 billion"),
        Some((_, rest)) if !is_zero(rest) => Err("has more than nine decimals"),
        Some((value, _)) => Ok(Px(value)),
    }
}

/// An average price, rounded half to even at 1e-9.
pub(crate) fn average(text: &[u8]) -> Result<Px, &'static str> {
    let decimal = Decimal::of(text).ok_or("is not a price")?;
    let (value, rest) = decimal.nanos().ok_or("is a price beyond 9 billion")?;
    let [first, more @ ..] = rest else { return Ok(Px(value)) };
    let is_half = *first == b'5' && is_zero(more);
    let up = if is_half { value % 2 != 0 } else { *first >= b'5' };
    let one = if decimal.is_negative { -1 } else { 1 };
    Ok(Px(if up { value.saturating_add(one).min(i64::MAX - 1) } else { value }))
}

/// A whole number, also one that is written `552.0`.
fn whole(text: &[u8]) -> Result<u64, &'static str> {
    let decimal = Decimal::of(text).ok_or("is not a number")?;
    if !is_zero(decimal.decimals) {
        return Err("is not a whole number");
    }
    let value = integer(decimal.whole.iter()).ok_or("is too large")?;
    if decimal.is_negative && value > 0 { Err("is below 0") } else { Ok(value) }
}

/// A quantity.
pub(crate) fn qty(text: &[u8]) -> Result<Qty, &'static str> {
    whole(text).and_then(|value| Qty(value).known().ok_or("is too large"))
}

/// A number of trades.
pub(crate) fn count(text: &[u8]) -> Result<u32, &'static str> {
    let value = u32::try_from(whole(text)?).ok().filter(|value| *value < u32::MAX);
    value.ok_or("is too large")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn prices_are_exact() {
        let nanos = |text: &str| px(text.as_bytes()).map(|px| px.0);
        assert_eq!(nanos("498.33"), Ok(498_330_000_000));
        assert_eq!(nanos("0.000000001"), Ok(1));
        assert_eq!(nanos("-37.63"), Ok(-37_630_000_000));
        assert_eq!(nanos("12."), Ok(12_000_000_000));
        assert_eq!(nanos(".5"), Ok(500_000_000));
        assert_eq!(nanos("256.1900000000000"), Ok(256_190_000_000));
        assert_eq!(nanos("9223372036.854775806"), Ok(i64::MAX - 1));
        assert_eq!(nanos("9223372036.854775807"), Err("is a price beyond 9 billion"));
        assert_eq!(nanos("0.1000000001"), Err("has more than nine decimals"));
        for text in ["", "-", ".", "1e3", "1,5", "nan", " 1", "1.2.3", "--1", "$1"] {
            assert_eq!(nanos(text), Err("is not a price"), "{text:?}");
        }
    }

    #[test]
    fn averages_are_rounded_half_to_even() {
        let nanos = |text: &str| average(text.as_bytes()).map(|px| px.0);
        assert_eq!(nanos("0.0000000005"), Ok(0));
        assert_eq!(nanos("0.0000000015"), Ok(2));
        assert_eq!(nanos("0.00000000151"), Ok(2));
        assert_eq!(nanos("-0.0000000015"), Ok(-2));
        assert_eq!(nanos("0.00000000249"), Ok(2));
        assert_eq!(nanos("512.324073"), Ok(512_324_073_000));
    }

    #[test]
    fn quantities_are_whole() {
        assert_eq!(qty(b"552.0"), Ok(Qty(552)));
        assert_eq!(qty(b"0"), Ok(Qty(0)));
        assert_eq!(qty(b"18446744073709551614"), Ok(Qty(u64::MAX - 1)));
        assert_eq!(qty(b"18446744073709551615"), Err("is too large"));
        assert_eq!(qty(b"0.5"), Err("is not a whole number"));
        assert_eq!(qty(b"-1"), Err("is below 0"));
        assert_eq!(qty(b"x"), Err("is not a number"));
        assert_eq!(count(b"4294967294"), Ok(u32::MAX - 1));
        assert_eq!(count(b"4294967295"), Err("is too large"));
    }

    proptest! {
        #[test]
        fn a_price_comes_back(nanos in -9_223_372_036_854_775_806_i64..i64::MAX) {
            let (sign, size) = (if nanos < 0 { "-" } else { "" }, nanos.unsigned_abs());
            let text = format!("{sign}{}.{:09}", size / 1_000_000_000, size % 1_000_000_000);
            prop_assert_eq!(px(text.as_bytes()), Ok(Px(nanos)));
            prop_assert_eq!(average(text.as_bytes()), Ok(Px(nanos)));
        }
    }
}
