//! Answers by key: `AAPL/top`, `AAPL/bars/1m`, `system/halt`.
//!
//! A key has a symbol, or `system` for what is of no instrument; a [word](super::words) or the name of a kind; and, if only one of
//! several is meant, what tells it apart: an interval, an instance, a strategy, an account. Rows are those of an export of the
//! journal, each with its age; what is not known is absent. Bound: the rows that are kept of one kind.

use super::lines::Shown;
use super::values::Values;
use super::words::{Named, OF_RUN, OF_SYMBOL, Word};
use crate::config::{nearest, one_of};
use crate::ingress::wall_now;
use flow::{Listed, Ns, kind_named};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// The name in place of a symbol for what is of no instrument.
pub const SYSTEM: &str = "system";
/// Columns that tell rows of a kind apart.
const TELLING: [&str; 9] =
    ["interval", "instance", "what", "strategy", "account", "source", "currency", "check", "table"];

/// What is kept under a key.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LastAnswer {
    /// The key.
    pub key: String,
    /// The last input that the values include.
    pub seq: u64,
    /// The time that ages are of, ns since 1970, in digits: that of the host, or of the newest event if the run has the clock of
    /// the exchange.
    pub now_ns: String,
    /// The names of the values, in order.
    pub columns: Vec<String>,
    /// The rows, oldest first. Each has `age_ns`, unless its time is not known.
    pub rows: Vec<Map<String, Value>>,
    /// Why there is none.
    pub why: Option<String>,
}

/// Nothing can be kept under a key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NoSuchKey(String);

/// The names that keys can have: the symbols, and the words by what they are of.
pub fn keys(values: &Values) -> Value {
    let words = |words: &[Word]| words.iter().map(|word| (word.name, word.about)).collect::<BTreeMap<_, _>>();
    let symbols: Vec<&str> = values.stats().listings.iter().map(|listed| listed.symbol.as_str()).collect();
    let kinds: Vec<&str> =
        flow::KINDS.iter().filter(|info| values.kept.keeps(info.kind)).map(|info| info.name).collect();
    json!({
        "keys": "SYMBOL/WORD, SYMBOL@MIC/WORD, system/WORD; behind it /NAME for one of several",
        "symbols": symbols,
        "of_a_symbol": words(OF_SYMBOL),
        "of_the_run": words(OF_RUN),
        "kinds": kinds,
    })
}

impl Values {
    /// What is kept under a key.
    ///
    /// # Errors
    /// When nothing can be: no such symbol is listed, or no such word there is.
    pub fn answer(&self, key: &str) -> Result<LastAnswer, NoSuchKey> {
        let (instrument, word, one) = self.parsed(key)?;
        let named = named(instrument, word)?;
        let shown = Shown { values: self, now: self.now(), instrument };
        let mut rows = shown.rows(named);
        if let Some(one) = one {
            let tells = |(name, value): &(String, Value)| TELLING.contains(&name.as_str()) && is_told(value, one);
            rows.retain(|row| row.iter().any(tells));
        }
        let why = rows.is_empty().then(|| shown.why(named));
        let seq = self.reached.map_or(0, |reached| reached.seq);
        let mut columns = Vec::new();
        for (name, _) in rows.iter().flatten() {
            if !columns.contains(name) {
                columns.push(name.clone());
            }
        }
        let rows = rows.into_iter().map(|row| row.into_iter().collect()).collect();
        Ok(LastAnswer { key: key.to_owned(), seq, now_ns: shown.now.0.to_string(), columns, rows, why })
    }

    pub(super) fn now(&self) -> Ns {
        if self.is_wall { wall_now() } else { self.kept.newest() }
    }

    /// The instrument of a key, 0 for none; its word; and the one of several that is meant. A symbol may have slashes.
    fn parsed<'a>(&self, key: &'a str) -> Result<(u32, &'a str, Option<&'a str>), NoSuchKey> {
        let split = |rest: &'a str| match rest.split_once('/') {
            Some((word, one)) => (word, Some(one)),
            None => (rest, None),
        };
        if let Some(rest) = key.strip_prefix(SYSTEM).and_then(|rest| rest.strip_prefix('/')) {
            let (word, one) = split(rest);
            return Ok((0, word, one));
        }
        let listings = &self.stats().listings;
        let mut found: Vec<(&Listed, &'a str)> = Vec::new();
        for (at, _) in key.match_indices('/') {
            let (symbol, rest) = (&key[..at], &key[at + 1..]);
            let is_meant = |listed: &&Listed| listed.symbol == symbol || listings.key(listed.instrument) == symbol;
            found.extend(listings.iter().filter(is_meant).map(|listed| (listed, rest)));
        }
        match found.as_slice() {
            [(listed, rest)] => {
                let (word, one) = split(rest);
                Ok((listed.instrument, word, one))
            }
            [] => {
                let Some((symbol, _)) = key.split_once('/') else {
                    let text = format!("{key:?} is no key: write SYMBOL/WORD, as AAPL/top, or {SYSTEM}/WORD");
                    return Err(NoSuchKey(text));
                };
                let meant = nearest(symbol, listings.iter().map(|listed| listed.symbol.as_str()));
                let meant = meant.map_or_else(String::new, |meant| format!("; did you mean {meant}?"));
                Err(NoSuchKey(format!("{symbol}: no such symbol is listed{meant}")))
            }
            [(listed, _), ..] => {
                let (symbol, key) = (&listed.symbol, listings.key(listed.instrument));
                Err(NoSuchKey(format!("several instruments have the symbol {symbol}: write SYMBOL@MIC, such as {key}")))
            }
        }
    }
}

fn named(instrument: u32, word: &str) -> Result<Named, NoSuchKey> {
    let words = if instrument == 0 { OF_RUN } else { OF_SYMBOL };
    let found = words.iter().find(|one| one.name == word).map(|one| one.named);
    // A kind that completes another is shown in the row of that one.
    let shown_as = |info: &flow::KindInfo| info.follows.filter(|f| f.times.is_none()).map_or(info.kind, |f| f.first);
    let kind = || kind_named(word).map(|info| Named::Last(shown_as(info), &[]));
    found.or_else(kind).ok_or_else(|| {
        let names = words.iter().map(|one| one.name).chain(flow::KINDS.iter().map(|info| info.name));
        let meant = nearest(word, names);
        let meant = meant.map_or_else(String::new, |meant| format!("did you mean {meant}? "));
        let valid = one_of("", words.iter().map(|one| one.name));
        NoSuchKey(format!("{word:?} is kept of nothing; {meant}{valid}, or a kind of `tidegate schema`"))
    })
}

/// Whether a value is the one that a key names.
fn is_told(value: &Value, one: &str) -> bool {
    match value {
        Value::String(text) => text == one,
        Value::Number(number) => number.to_string() == one,
        _ => false,
    }
}
