//! Which instruments of a source are watched.
//!
//! By symbol, and of those one part in many: processes that each read one part share the work of a day, and the part of a symbol
//! follows from its name alone, so it is the same on every day and at every source. Bound: the symbols. A look is a search among
//! them and a hash of the name.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

/// The symbols of a source that are watched.
pub type Symbols = BTreeSet<String>;

/// One part in many of all symbols.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shard {
    /// From 1.
    number: u32,
    of: u32,
}

impl Shard {
    /// The most parts.
    pub const MOST: u32 = 1_024;

    /// Whether a symbol is of this part.
    pub fn has(self, symbol: &str) -> bool {
        let hash = blake3::hash(symbol.as_bytes());
        let (first, _) = hash.as_bytes().split_first_chunk().expect("a hash has more bytes");
        u64::from_le_bytes(*first) % u64::from(self.of) == u64::from(self.number - 1)
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.number, self.of)
    }
}

/// A text that names no part.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no part: write which of how many, such as 2/8, up to {most} parts", most = Shard::MOST)]
pub struct NoShard(String);

impl FromStr for Shard {
    type Err = NoShard;

    fn from_str(text: &str) -> Result<Shard, NoShard> {
        let parts = text.split_once('/').and_then(|(number, of)| Some((number.parse().ok()?, of.parse().ok()?)));
        let valid = parts.filter(|(number, of)| (1..=*of).contains(number) && *of <= Shard::MOST);
        valid.map(|(number, of)| Shard { number, of }).ok_or_else(|| NoShard(text.to_owned()))
    }
}

/// The instruments of a source that are watched.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selection {
    /// Those of these symbols; `None` = all.
    pub symbols: Option<Symbols>,
    /// Of them, those of this part; `None` = all.
    pub shard: Option<Shard>,
}

impl Selection {
    /// Whether all are.
    pub fn is_everything(&self) -> bool {
        self.symbols.is_none() && self.shard.is_none()
    }

    /// Whether the instrument of a symbol is.
    pub fn has(&self, symbol: &str) -> bool {
        self.symbols.as_ref().is_none_or(|symbols| symbols.contains(symbol))
            && self.shard.is_none_or(|shard| shard.has(symbol))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_symbol_is_of_one_part() {
        let symbols = (0..500).map(|i| format!("S{i}"));
        let parts: Vec<Shard> = (1..=7).map(|number| Shard { number, of: 7 }).collect();
        let mut sizes = [0; 7];
        for symbol in symbols {
            let of: Vec<usize> = (0..7).filter(|i| parts[*i].has(&symbol)).collect();
            assert_eq!(of.len(), 1, "{symbol}");
            sizes[of[0]] += 1;
        }
        assert!(sizes.iter().all(|size| (40..110).contains(size)), "{sizes:?}");
    }

    #[test]
    fn a_part_is_written_as_one_of_many() {
        assert_eq!("2/8".parse::<Shard>().map(|shard| shard.to_string()), Ok("2/8".to_owned()));
        for wrong in ["", "2", "0/8", "9/8", "1/0", "1/2000", "a/b", "1/2/3"] {
            let error = wrong.parse::<Shard>().unwrap_err().to_string();
            assert!(error.contains(&format!("{wrong:?} is no part")) && error.contains("such as 2/8"), "{error}");
        }
    }

    #[test]
    fn a_part_is_one_of_the_symbols_that_are_named() {
        let shard: Shard = "1/2".parse().unwrap();
        let (in_part, out) = (["A", "B", "C", "D"].into_iter().find(|s| shard.has(s)).unwrap(), "Z");
        let watched = Selection { symbols: Some([in_part.to_owned()].into()), shard: Some(shard) };
        assert!(watched.has(in_part) && !watched.has(out) && !watched.is_everything());
        assert!(Selection::default().has(out) && Selection::default().is_everything());
    }
}
