//! Currencies, and those that are a part of another.
//!
//! London quotes shares in pence and Johannesburg in cents; exchanges and vendors write that as a currency of its own, which
//! no bank keeps. [`Currency::whole`] says what it is a part of. Bound: one table.

use std::fmt;

/// The code of a currency: ISO 4217, or what exchanges write for a part of one. All zero = not known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Currency(pub [u8; 4]);

/// Parts: the code, the whole currency, and how many of them make one.
const PARTS: &[([u8; 4], [u8; 4], u32)] = &[
    (*b"GBX\0", *b"GBP\0", 100),
    (*b"GBp\0", *b"GBP\0", 100),
    (*b"ZAc\0", *b"ZAR\0", 100),
    (*b"ZAC\0", *b"ZAR\0", 100),
    (*b"ILA\0", *b"ILS\0", 100),
];

impl Currency {
    /// Not known.
    pub const UNKNOWN: Currency = Currency([0; 4]);

    /// Reads a code: three letters, in capitals unless it is a part of another.
    pub fn parse(text: &str) -> Option<Currency> {
        let [a, b, c] = *text.as_bytes() else { return None };
        let code = Currency([a, b, c, 0]);
        let is_part = PARTS.iter().any(|(part, ..)| *part == code.0);
        (is_part || text.bytes().all(|letter| letter.is_ascii_uppercase())).then_some(code)
    }

    /// The code in a listing, which feeds pad with spaces or NUL.
    pub fn listed(code: [u8; 4]) -> Currency {
        Currency(code.map(|letter| if letter == b' ' { 0 } else { letter }))
    }

    /// The currency that it is a part of, and how many make one; itself and 1 for all others.
    pub fn whole(self) -> (Currency, u32) {
        let part = PARTS.iter().find(|(part, ..)| *part == self.0);
        part.map_or((self, 1), |(_, whole, parts)| (Currency(*whole), *parts))
    }

    /// Whether it is known.
    pub fn is_known(self) -> bool {
        self != Currency::UNKNOWN
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(String::from_utf8_lossy(&self.0).trim_end_matches('\0'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pence_are_a_hundredth_of_a_pound() {
        let whole = |text: &str| {
            let (whole, parts) = Currency::parse(text).expect("a code").whole();
            (whole.to_string(), parts)
        };
        for (part, of) in [("GBX", "GBP"), ("GBp", "GBP"), ("ZAc", "ZAR"), ("ILA", "ILS")] {
            assert_eq!(whole(part), (of.to_owned(), 100));
        }
        assert_eq!(whole("USD"), ("USD".to_owned(), 1));
        assert_eq!(Currency::listed(*b"USD "), Currency::parse("USD").unwrap());
        for text in ["usd", "US", "USDT", "", "GBx", "U-D"] {
            assert_eq!(Currency::parse(text), None, "{text}");
        }
    }
}
