//! Numbers for people: grouped by thousands, with a sign for unknown values.

/// Shown for an unknown number, which is never shown as zero.
pub(crate) const UNKNOWN: &str = "–";

/// A number grouped by thousands.
pub(crate) fn grouped(n: u64) -> String {
    indicatif::HumanCount(n).to_string()
}

/// A count that may be unknown.
pub(crate) fn known(n: Option<u64>) -> String {
    n.map_or_else(|| UNKNOWN.to_owned(), grouped)
}

/// An exact decimal number grouped by thousands, or the sign for unknown.
pub(crate) fn decimal(number: Option<&str>) -> String {
    let Some(number) = number else { return UNKNOWN.to_owned() };
    let (sign, digits) = number.strip_prefix('-').map_or(("", number), |digits| ("-", digits));
    let (whole, part) = digits.split_once('.').map_or((digits, None), |(whole, part)| (whole, Some(part)));
    let whole = whole.parse().map_or_else(|_| whole.to_owned(), grouped);
    part.map_or_else(|| format!("{sign}{whole}"), |part| format!("{sign}{whole}.{part}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_stand_apart_and_what_is_unknown_is_no_zero() {
        assert_eq!(decimal(Some("-1234567.8900")), "-1,234,567.8900");
        assert_eq!(decimal(Some("0.0001")), "0.0001");
        assert_eq!(decimal(Some("-12")), "-12");
        assert_eq!((decimal(None), known(None), known(Some(1_000))), ("–".into(), "–".into(), "1,000".into()));
    }
}
