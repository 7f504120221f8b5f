//! What the operator states about an instrument: `[instrument."ESM4"]`.
//!
//! A feed does not always tell the terms of what it brings, and now and then it tells them wrongly. What stands here wins over
//! the feed, for every listing of that symbol. Numbers are exact decimals of at most nine places, as a text or as a number.

use super::fault::Fault;
use super::nearest::one_of;
use flow::records::Listing;
use flow::{CALENDARS, Currency, Px, decimal};

/// The names of the terms.
const TERMS: [&str; 5] = ["tick", "multiplier", "currency", "calendar", "pair"];

/// The terms that the operator states for a symbol; what is absent is the feed's.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct InstrumentSettings {
    /// Price step.
    tick: Option<i64>,
    /// Money per unit of price and quantity, in 1e-9.
    multiplier: Option<i64>,
    /// ISO 4217.
    currency: Option<[u8; 4]>,
    /// Market identifier code of the calendar and time zone.
    calendar: Option<[u8; 4]>,
    /// Its price is that of one unit of the first currency in the second.
    pair: Option<(Currency, Currency)>,
}

impl InstrumentSettings {
    /// Whether there is a term of that name.
    pub(super) fn is_term(name: &str) -> bool {
        TERMS.contains(&name)
    }

    /// Sets a term; `key` names it in a fault, whose place the caller knows.
    pub(super) fn set(&mut self, key: &str, term: &str, text: &str) -> Result<(), Fault> {
        let wrong = |valid: &str| Fault::of_settings(key, text, valid);
        let number =
            || positive(text).ok_or_else(|| wrong("valid: a number above 0 with at most nine decimals, as 0.25"));
        match term {
            "tick" => self.tick = Some(number()?),
            "multiplier" => self.multiplier = Some(number()?),
            "currency" => {
                let code = Currency::parse(text).map(|currency| currency.0);
                self.currency = Some(code.ok_or_else(|| wrong("valid: a currency code of ISO 4217, as USD"))?);
            }
            "calendar" => {
                let markets = || CALENDARS.iter().map(|(market, _)| *market);
                let code = padded(text).filter(|_| markets().any(|market| market == text));
                self.calendar = Some(code.ok_or_else(|| wrong(&one_of(text, markets())))?);
            }
            "pair" => {
                let codes =
                    text.split_once(',').map(|(base, quote)| [base, quote].map(|code| Currency::parse(code.trim())));
                let Some([Some(base), Some(quote)]) = codes.filter(|[base, quote]| base != quote) else {
                    return Err(wrong(
                        "valid: two currency codes, as [\"EUR\", \"USD\"] for the price of a euro in dollars",
                    ));
                };
                self.pair = Some((base, quote));
            }
            _ => return Err(Fault::of_settings(key, "no such term", &one_of(term, TERMS))),
        }
        Ok(())
    }

    /// The terms that are stated, as a configuration repeats them.
    pub(super) fn stated(&self) -> Vec<(&'static str, String)> {
        let number = |nano: i64| decimal(nano.into(), 9, 0);
        let texts = [
            self.tick.map(number),
            self.multiplier.map(number),
            self.currency.map(text_of),
            self.calendar.map(text_of),
            self.pair.map(|(base, quote)| format!("{base},{quote}")),
        ];
        TERMS.into_iter().zip(texts).filter_map(|(term, text)| Some((term, text?))).collect()
    }

    /// The currency that is priced, and that of the price, if it is a pair.
    pub fn pair(&self) -> Option<(Currency, Currency)> {
        self.pair
    }

    /// Puts the terms into a listing. Returns those that the feed told otherwise: what is used, and what it told.
    pub fn apply(&self, to: &mut Listing) -> Vec<String> {
        let mut changed = Vec::new();
        let mut number = |term: &str, stated: Option<i64>, told: &mut i64| {
            let Some(stated) = stated else { return };
            if *told != 0 && *told != stated {
                let [stated, told] = [stated, *told].map(|nano| decimal(nano.into(), 9, 0));
                changed.push(format!("{term} {stated}, not {told}"));
            }
            *told = stated;
        };
        number("tick", self.tick, &mut to.tick_px.0);
        number("multiplier", self.multiplier, &mut to.multiplier);
        let mut code = |term: &str, stated: Option<[u8; 4]>, told: &mut [u8; 4]| {
            let Some(stated) = stated else { return };
            if *told != [0; 4] && *told != stated {
                changed.push(format!("{term} {}, not {}", text_of(stated), text_of(*told)));
            }
            *told = stated;
        };
        code("currency", self.currency, &mut to.currency);
        code("calendar", self.calendar, &mut to.calendar);
        changed
    }
}

/// Reads `symbol.term`; the symbol may stand in quotes, and may have points itself.
pub(super) fn split(key: &str) -> Option<(&str, &str)> {
    let (symbol, term) = key.rsplit_once('.')?;
    let symbol = symbol.strip_prefix('"').and_then(|s| s.strip_suffix('"')).unwrap_or(symbol);
    (!symbol.is_empty()).then_some((symbol, term))
}

/// A decimal above 0 in 1e-9, if it has at most nine places and fits.
fn positive(text: &str) -> Option<i64> {
    let (whole, part) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    if !digits(whole) || !digits(part) || part.len() > 9 {
        return None;
    }
    let nano = whole.parse::<i64>().ok()?.checked_mul(Px::ONE)?.checked_add(format!("{part:0<9}").parse().ok()?)?;
    (nano > 0 && nano != i64::MAX).then_some(nano)
}

/// A code of at most four letters, padded.
fn padded(text: &str) -> Option<[u8; 4]> {
    let mut code = [0; 4];
    code.get_mut(..text.len())?.copy_from_slice(text.as_bytes());
    Some(code)
}

fn text_of(code: [u8; 4]) -> String {
    String::from_utf8_lossy(&code).trim_end_matches(['\0', ' ']).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_exact_and_above_zero() {
        let cases = [
            ("0.25", 250_000_000),
            ("50", 50_000_000_000),
            ("0.000000001", 1),
            ("9223372036", 9_223_372_036_000_000_000),
        ];
        for (text, nano) in cases {
            assert_eq!(positive(text), Some(nano), "{text}");
        }
        for text in ["0", "0.0", "-1", "+1", "1.", ".5", "1e3", "0.0000000001", "9223372037", "", "a"] {
            assert_eq!(positive(text), None, "{text}");
        }
    }

    #[test]
    fn what_is_stated_wins_and_says_what_it_replaces() {
        let mut stated = InstrumentSettings::default();
        for (term, text) in [("tick", "0.25"), ("multiplier", "50"), ("currency", "USD"), ("calendar", "GLBX")] {
            stated.set(term, term, text).unwrap();
        }
        let mut listing = Listing { multiplier: 20 * Px::ONE, currency: *b"USD\0", ..Default::default() };
        assert_eq!(stated.apply(&mut listing), ["multiplier 50, not 20"]);
        assert_eq!((listing.tick_px.0, listing.multiplier, &listing.calendar), (250_000_000, 50 * Px::ONE, b"GLBX"));
        assert_eq!(stated.apply(&mut listing), Vec::<String>::new());
        assert_eq!(stated.stated()[1], ("multiplier", "50".to_owned()));
    }

    #[test]
    fn a_symbol_may_have_points_and_quotes() {
        assert_eq!(split("ESM4.tick"), Some(("ESM4", "tick")));
        assert_eq!(split("\"BRK.B\".tick"), Some(("BRK.B", "tick")));
        assert_eq!(split("BRK.B.tick"), Some(("BRK.B", "tick")));
        assert_eq!((split("tick"), split(".tick")), (None, None));
    }
}
