//! Ticks: the prices that an order may have.
//!
//! Most instruments have one price step. A US stock has two: by rule 612 of Regulation NMS an order at $1.00 or more is in
//! whole cents, and one below may have four decimals. Its listing cannot say so with one number, and feeds differ in what they
//! write there: the unit of their prices (0.0001), the cent, or nothing. So the rule is here, once, for the gate, the
//! strategies and the tests. A listing whose tick is coarser than 0.0001 states the step of $1.00 and more itself (a half cent
//! of the amended rule, five cents of a pilot). Prices of trades are finer where they are midpoints; no rule here is about them.
//!
//! Bound: a comparison and one division.

use crate::records::Listing;
use crate::{Calendar, InstrumentType, Listed, Mic, Px};
use serde::{Deserialize, Serialize};

/// Below this price a US stock has the fine step.
const DOLLAR: i64 = Px::ONE;
const CENT: i64 = Px::ONE / 100;
/// The step of a US stock below $1.00.
const FINE: i64 = CENT / 100;

/// The price steps of an instrument.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tick {
    /// The step below 1.00; 0 = not known.
    low: i64,
    /// The step at 1.00 and above; 0 = not known.
    high: i64,
}

impl Tick {
    /// Not known: no order has a price on it, and no price is rounded.
    pub const UNKNOWN: Tick = Tick { low: 0, high: 0 };

    /// The steps of a listing.
    pub fn of(listing: &Listing) -> Tick {
        let told = listing.tick_px.0.max(0);
        match is_us_stock(listing) {
            true => Tick { low: FINE, high: if told > FINE { told } else { CENT } },
            false => Tick { low: told, high: told },
        }
    }

    /// Whether the steps are known, and possible.
    #[inline]
    pub fn is_known(self) -> bool {
        self.low > 0 && self.high > 0
    }

    /// The step at a price; 0 = not known.
    #[inline]
    pub fn at(self, px: Px) -> i64 {
        if px.0 >= DOLLAR { self.high } else { self.low }
    }

    /// Whether an order may have that price.
    #[inline]
    pub fn is_on(self, px: Px) -> bool {
        let step = self.at(px);
        step > 0 && px != Px::NONE && px.0 % step == 0
    }

    /// The highest price of an order that is not above `px`.
    pub fn down(self, px: Px) -> Px {
        let floor = |px: Px| Px(px.0.saturating_sub(over(px, self.at(px))));
        floor(floor(px))
    }

    /// The lowest price of an order that is not below `px`. It rounds twice, since the step may change on the way.
    pub fn up(self, px: Px) -> Px {
        let ceil = |px: Px| match over(px, self.at(px)) {
            0 => px,
            over => Px(px.0.saturating_add(self.at(px) - over)),
        };
        ceil(ceil(px))
    }

    /// The price of an order that many steps above `px`, or below it if negative; never nearer.
    pub fn steps(self, px: Px, steps: i64) -> Px {
        let moved = Px(px.0.saturating_add(self.at(px).saturating_mul(steps)));
        if steps < 0 { self.down(moved) } else { self.up(moved) }
    }
}

/// What a price has beyond the step below it, also where prices are negative; 0 if the step is not known.
fn over(px: Px, step: i64) -> i64 {
    if step > 0 && px != Px::NONE { px.0.rem_euclid(step) } else { 0 }
}

impl Listed {
    /// The terms without which nothing can be traded here, by their names in the configuration.
    pub fn missing(&self) -> Vec<&'static str> {
        let known = [("multiplier", self.terms.multiplier > 0), ("tick", Tick::of(&self.terms).is_known())];
        known.into_iter().filter(|(_, known)| !known).map(|(name, _)| name).collect()
    }
}

/// Whether rule 612 holds: a share in dollars of a calendar in New York.
fn is_us_stock(listing: &Listing) -> bool {
    listing.instrument_type == InstrumentType::Equity as u8
        && listing.currency == *b"USD\0"
        && Calendar::of(Mic(listing.calendar)) == Calendar::UsEquities
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listing(instrument_type: InstrumentType, calendar: &[u8; 4], tick: i64) -> Listing {
        let instrument_type = instrument_type as u8;
        Listing { tick_px: Px(tick), instrument_type, calendar: *calendar, currency: *b"USD\0", ..Default::default() }
    }

    fn px(text: &str) -> Px {
        let (whole, part) = text.split_once('.').unwrap();
        let sign = if whole.starts_with('-') { -1 } else { 1 };
        Px(whole.parse::<i64>().unwrap() * Px::ONE + sign * format!("{part:0<9}").parse::<i64>().unwrap())
    }

    #[test]
    fn a_us_stock_has_cents_from_one_dollar_up_whatever_its_feed_writes() {
        for told in [0, 1, FINE, CENT] {
            let tick = Tick::of(&listing(InstrumentType::Equity, b"XNAS", told));
            for (price, on) in [
                ("76.7799", false),
                ("76.78", true),
                ("1.0001", false),
                ("1.0", true),
                ("0.9999", true),
                ("0.99995", false),
            ] {
                assert_eq!(tick.is_on(px(price)), on, "{price} with {told}");
            }
            for (price, down, up) in [
                ("76.7799", "76.77", "76.78"),
                ("76.78", "76.78", "76.78"),
                ("0.99995", "0.9999", "1.0"),
                ("1.0001", "1.0", "1.01"),
                ("0.12345", "0.1234", "0.1235"),
            ] {
                assert_eq!((tick.down(px(price)), tick.up(px(price))), (px(down), px(up)), "{price} with {told}");
            }
            assert_eq!(tick.steps(px("1.01"), -2), px("0.99"));
            assert_eq!(tick.steps(px("0.9999"), 3), px("1.01"), "never nearer");
        }
    }

    #[test]
    fn a_coarser_tick_of_the_listing_is_the_step_from_one_dollar_up() {
        let half = Tick::of(&listing(InstrumentType::Equity, b"XNYS", CENT / 2));
        assert_eq!(
            [half.is_on(px("20.005")), half.is_on(px("20.0025")), half.is_on(px("0.0001"))],
            [true, false, true]
        );
    }

    #[test]
    fn what_is_no_us_stock_has_the_tick_of_its_listing() {
        let euro = Listing { currency: *b"EUR\0", ..listing(InstrumentType::Equity, b"XNAS", FINE) };
        let future = listing(InstrumentType::Future, b"XNAS", FINE);
        let london = listing(InstrumentType::Equity, b"XLON", FINE);
        for listing in [euro, future, london] {
            assert!(Tick::of(&listing).is_on(px("76.7799")));
        }
        let unknown = Tick::of(&listing(InstrumentType::Future, b"GLBX", 0));
        assert_eq!((unknown.is_known(), unknown.is_on(px("1.0")), unknown.up(px("1.3"))), (false, false, px("1.3")));
        assert_eq!(unknown, Tick::UNKNOWN);
    }

    #[test]
    fn negative_prices_round_down_and_up_too() {
        let tick = Tick::of(&listing(InstrumentType::Future, b"GLBX", Px::ONE / 4));
        assert_eq!((tick.down(px("-17.10")), tick.up(px("-17.10"))), (px("-17.25"), px("-17.0")));
        assert_eq!((tick.steps(px("-17.25"), 2), tick.steps(px("-0.25"), 1)), (px("-16.75"), Px(0)));
        assert!(tick.is_on(px("-17.25")) && tick.is_on(Px(0)) && !tick.is_on(px("-17.10")) && !tick.is_on(Px::NONE));
    }
}
