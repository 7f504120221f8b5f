//! The terms of a definition: what it tells, and what follows from that.
//!
//! What a venue writes into the fields of a contract's size differs, so several are read, and none is believed against another.
//! The value of a tick settles what the price is in: corn is 5,000 bushels and quoted in cents, so a contract is worth 50 times
//! its price. Where the fields do not agree, or tell nothing, the multiplier is not known; the feed's page has the table.

use dbn::{InstrumentClass, InstrumentDefMsg};
use flow::{Definition, InstrumentType, Ns, Px};

/// Shares of a standard contract of an equity option.
const SHARES: i64 = 100 * Px::ONE;

/// A leg of a spread.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Leg {
    pub(super) id: u32,
    pub(super) symbol: String,
    /// Whether its price enters that of the spread as it is.
    plain: bool,
}

/// The terms that a definition tells; 0 or `None` = it does not.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Defined {
    pub(super) tick: i64,
    pub(super) multiplier: i64,
    instrument_type: Option<InstrumentType>,
    currency: Option<[u8; 4]>,
    round_lot: Option<u32>,
    pub(super) contract: Option<(Px, Ns)>,
    pub(super) legs: Vec<Leg>,
}

impl Defined {
    /// The terms of a definition; `is_opra` = it is one of OPRA.
    pub(super) fn of(message: &InstrumentDefMsg, is_opra: bool) -> Defined {
        let class = message.instrument_class().ok();
        let instrument_type = match class {
            Some(InstrumentClass::Stock) => Some(InstrumentType::Equity),
            Some(InstrumentClass::Future) => Some(InstrumentType::Future),
            Some(InstrumentClass::Call) => Some(InstrumentType::Call),
            Some(InstrumentClass::Put) => Some(InstrumentType::Put),
            Some(InstrumentClass::FxSpot) => Some(InstrumentType::CurrencyPair),
            Some(InstrumentClass::Index) => Some(InstrumentType::Index),
            Some(InstrumentClass::FutureSpread | InstrumentClass::OptionSpread | InstrumentClass::MixedSpread) => {
                Some(InstrumentType::Spread)
            }
            _ => None,
        };
        let symbol = message.raw_symbol().unwrap_or_default();
        let multiplier = match instrument_type {
            Some(InstrumentType::Equity) => Px::ONE,
            Some(InstrumentType::Call | InstrumentType::Put) if is_opra => {
                whole(message.contract_multiplier).unwrap_or_else(|| of_option(symbol))
            }
            _ => of_contract(message, class),
        };
        let currency = message.currency.map(|c| c as u8);
        let expiry = Ns(message.expiration);
        let contract = match instrument_type {
            Some(InstrumentType::Future | InstrumentType::Spread) => Some((Px::NONE, expiry)),
            Some(InstrumentType::Call | InstrumentType::Put) => Some((Px(message.strike_price), expiry)),
            _ => None,
        };
        Defined {
            tick: known(message.min_price_increment).unwrap_or(0),
            multiplier,
            instrument_type,
            currency: currency[0].is_ascii_alphabetic().then_some(currency),
            round_lot: positive(message.min_lot_size_round_lot),
            contract,
            legs: leg(message).into_iter().collect(),
        }
    }

    /// Applies these terms to a listing's definition.
    pub(super) fn apply(&self, to: &mut Definition) {
        if self.tick != 0 {
            to.tick_px = Px(self.tick);
            to.price_decimals = decimals(self.tick);
        }
        to.multiplier = if self.multiplier == 0 { to.multiplier } else { self.multiplier };
        to.instrument_type = self.instrument_type.unwrap_or(to.instrument_type);
        to.currency = self.currency.unwrap_or(to.currency);
        to.round_lot = self.round_lot.unwrap_or(to.round_lot);
    }

    /// Takes what a spread does not tell from its legs, if all of them are known and agree.
    pub(super) fn take_from_legs(&mut self, legs: &[Option<(i64, i64)>]) {
        let plain = !legs.is_empty() && self.legs.iter().all(|leg| leg.plain);
        let same = legs.first().copied().flatten().filter(|first| plain && legs.iter().all(|leg| *leg == Some(*first)));
        if let Some((tick, multiplier)) = same {
            self.tick = if self.tick == 0 { tick } else { self.tick };
            self.multiplier = if self.multiplier == 0 { multiplier } else { self.multiplier };
        }
    }
}

/// The leg that the record of a spread describes; a spread has a record for each.
fn leg(message: &InstrumentDefMsg) -> Option<Leg> {
    if message.leg_count == 0 {
        return None;
    }
    let ratio = (message.leg_ratio_price_numerator, message.leg_ratio_price_denominator);
    let symbol = message.leg_raw_symbol().unwrap_or_default().to_owned();
    let undefined = |n: i32| n == 0 || n == i32::MAX;
    let plain = ratio.0 == ratio.1 || undefined(ratio.0) && undefined(ratio.1);
    Some(Leg { id: message.leg_instrument_id, symbol, plain })
}

/// Money per unit of price of a contract; 0 = the definition does not settle it.
fn of_contract(message: &InstrumentDefMsg, class: Option<InstrumentClass>) -> i64 {
    let is_option = matches!(class, Some(InstrumentClass::Call | InstrumentClass::Put));
    let told = match (whole(message.contract_multiplier), known(message.unit_of_measure_qty)) {
        (Some(factor), _) if is_option => Some(factor),
        (Some(factor), Some(unit)) if factor == unit || unit == Px::ONE => Some(factor),
        (Some(Px::ONE), Some(unit)) => Some(unit),
        // Two factors: whether a contract is worth one of them or their product is not told.
        (Some(_), Some(_)) => return 0,
        (factor, unit) => factor.or(unit).or_else(|| whole(message.original_contract_size)),
    };
    match (told, of_tick(message)) {
        (told, None) => told.unwrap_or(0),
        (None, Some(of_tick)) => of_tick,
        // The same, or a price in hundredths: cents a bushel, or per cent of a bond's face.
        (Some(told), Some(of_tick)) if told == of_tick || told == of_tick.saturating_mul(100) => of_tick,
        (Some(_), Some(_)) => 0,
    }
}

/// Money per unit of price, from the value of a tick; the vendor states it with the display factor applied.
fn of_tick(message: &InstrumentDefMsg) -> Option<i64> {
    let value = i128::from(known(message.min_price_increment_amount)?);
    let tick = i128::from(known(message.min_price_increment)?) * i128::from(known(message.display_factor)?);
    let product = value * i128::from(Px::ONE) * i128::from(Px::ONE);
    (product % tick == 0).then(|| i64::try_from(product / tick).ok()).flatten()
}

/// The multiplier of an option of OPRA whose definition does not tell it, from its OSI symbol: 100 shares. A digit in the root
/// marks a contract that was adjusted, or a mini: not known.
pub(super) fn of_option(symbol: &str) -> i64 {
    let bytes = symbol.as_bytes();
    let is_osi = bytes.len() == 21
        && bytes[6..12].iter().chain(&bytes[13..]).all(u8::is_ascii_digit)
        && matches!(bytes[12], b'C' | b'P');
    let root = &bytes[..bytes.len().min(6)];
    let standard = is_osi && root[0].is_ascii_uppercase() && !root.iter().any(u8::is_ascii_digit);
    if standard { SHARES } else { 0 }
}

/// A number that is told and above 0.
fn known(number: i64) -> Option<i64> {
    (number != i64::MAX && number > 0).then_some(number)
}

fn positive(number: i32) -> Option<u32> {
    u32::try_from(number).ok().filter(|n| *n > 0 && number != i32::MAX)
}

/// A whole number in 1e-9.
fn whole(number: i32) -> Option<i64> {
    positive(number).map(|n| i64::from(n) * Px::ONE)
}

/// How many decimals a price on this tick needs.
fn decimals(tick: i64) -> u8 {
    (0..9).find(|places| tick % 10i64.pow(9 - places) == 0).unwrap_or(9) as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_of_a_tick() {
        let ticks = [1_000_000_000, 250_000_000, 10_000_000, 100_000, 1, 31_250_000, 50_000_000_000];
        assert_eq!(ticks.map(decimals), [0, 2, 2, 4, 9, 5, 0]);
    }

    /// Contract multiplier, unit of measure, original size, tick, value of a tick, display factor; and what they settle.
    #[test]
    fn a_contract_is_worth_what_its_fields_agree_on() {
        let none = (i32::MAX, i64::MAX, i32::MAX, i64::MAX, i64::MAX, i64::MAX);
        let (one, cent) = (Px::ONE, Px::ONE / 100);
        let future = |of: (i32, i64, i32, i64, i64, i64)| {
            let message = InstrumentDefMsg {
                contract_multiplier: of.0,
                unit_of_measure_qty: of.1,
                original_contract_size: of.2,
                min_price_increment: of.3,
                min_price_increment_amount: of.4,
                display_factor: of.5,
                instrument_class: b'F' as _,
                ..InstrumentDefMsg::default()
            };
            Defined::of(&message, false).multiplier
        };
        assert_eq!(future(none), 0, "nothing is told");
        assert_eq!(future((i32::MAX, 50 * one, i32::MAX, one / 4, 125_000_000, cent)), 50 * one, "ES");
        assert_eq!(future((i32::MAX, 50 * one, i32::MAX, one / 4, i64::MAX, cent)), 50 * one, "no value of a tick");
        assert_eq!(future((i32::MAX, 5_000 * one, i32::MAX, one / 4, 125_000_000, cent)), 50 * one, "corn, in cents");
        assert_eq!(future((i32::MAX, 100_000 * one, i32::MAX, one / 64, 15_625_000_000, one)), 1_000 * one, "a bond");
        assert_eq!(future((i32::MAX, 50 * one, i32::MAX, one / 4, 100_000_000, cent)), 0, "they do not agree");
        assert_eq!(future((10, i64::MAX, i32::MAX, i64::MAX, i64::MAX, i64::MAX)), 10 * one);
        assert_eq!(future((10, one, i32::MAX, i64::MAX, i64::MAX, i64::MAX)), 10 * one);
        assert_eq!(future((1, 40 * one, i32::MAX, i64::MAX, i64::MAX, i64::MAX)), 40 * one);
        assert_eq!(future((21, 80 * one, i32::MAX, i64::MAX, i64::MAX, i64::MAX)), 0, "one of them, or the product?");
        assert_eq!(future((i32::MAX, i64::MAX, 1_000, i64::MAX, i64::MAX, i64::MAX)), 1_000 * one, "the original size");
    }

    #[test]
    fn an_option_of_opra_has_a_hundred_shares_unless_told_or_adjusted() {
        let option = |symbol: &str, told: i32, unit: i64| {
            let mut message = InstrumentDefMsg {
                contract_multiplier: told,
                unit_of_measure_qty: unit,
                instrument_class: b'C' as _,
                ..InstrumentDefMsg::default()
            };
            message.raw_symbol[..symbol.len()].copy_from_slice(&symbol.bytes().map(|b| b as _).collect::<Vec<_>>());
            Defined::of(&message, true).multiplier / Px::ONE
        };
        assert_eq!(option("AAPL  250221C00250000", 100, Px::ONE), 100, "the multiplier, not the unit");
        assert_eq!(option("AAPL  250221C00250000", i32::MAX, i64::MAX), 100);
        assert_eq!(option("AAPL7 250221C00250000", i32::MAX, i64::MAX), 0, "a mini");
        assert_eq!(option("AAPL7 250221C00250000", 10, Px::ONE), 10);
        assert_eq!(option("AAPL", i32::MAX, Px::ONE), 0, "no symbol of an option");
    }
}
