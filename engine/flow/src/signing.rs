//! Infers who traded at the other's price, where a feed does not tell.
//!
//! **Tick rule**: the buyer, if the price is above the last different price; the seller below it; at the same price as the trade
//! before. **Quote rule**: the buyer above the middle of the best quotes, the seller below it, nobody at it. **Lee and Ready**
//! (Journal of Finance 46, 1991): the quote rule, and the tick rule where that says nothing. The quote is the one strictly
//! before the trade. A quote with one side, a locked and a crossed one say nothing. All of it in integers: twice the price
//! against bid plus ask.
//!
//! Bound: one price, one side and one quote of each instrument.

use crate::{ChoiceParam, Flags, Px, Side, choices};
use serde::{Deserialize, Serialize};

/// How an aggressor is inferred.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SigningRule {
    /// Not at all.
    Never,
    /// By the last different price.
    Tick,
    /// By the best quotes.
    Quote,
    /// By the best quotes, and where they say nothing by the last different price.
    LeeReady,
}

/// The parameter of feeds whose trades have no aggressor.
pub const SIGNING: ChoiceParam<SigningRule> = ChoiceParam::new(
    "signing",
    choices! {
        "lee-ready" => SigningRule::LeeReady,
        "quote" => SigningRule::Quote,
        "tick" => SigningRule::Tick,
        "none" => SigningRule::Never,
    },
    "lee-ready",
    "how the aggressor of a trade is inferred: from the quote, the last price, or first the one, then the other",
);

/// What the rules remember of an instrument.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signer {
    /// Price of the last trade.
    last: Px,
    /// What the tick rule said of it.
    tick: Side,
    bid: Px,
    ask: Px,
}

/// What the rules say of a trade; no side where one says nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InferredSide {
    /// The tick rule.
    pub tick: Side,
    /// The quote rule.
    pub quote: Side,
}

impl InferredSide {
    /// The side by a rule.
    pub fn by(self, rule: SigningRule) -> Side {
        match (rule, self.quote) {
            (SigningRule::Never, _) => Side::None,
            (SigningRule::Tick, _) | (SigningRule::LeeReady, Side::None) => self.tick,
            (SigningRule::Quote | SigningRule::LeeReady, quote) => quote,
        }
    }

    /// The side by a rule, and how it was found.
    pub fn flags(self, rule: SigningRule) -> Flags {
        let side = self.by(rule);
        if side == Side::None {
            return Flags::NONE;
        }
        let is_by_quote = rule != SigningRule::Tick && self.quote != Side::None;
        let how = if is_by_quote { Flags::BY_QUOTE } else { Flags::NONE };
        Flags::INFERRED_AGGRESSOR.with(how).with_side(side)
    }
}

impl Default for Signer {
    fn default() -> Signer {
        Signer { last: Px::NONE, tick: Side::None, bid: Px::NONE, ask: Px::NONE }
    }
}

impl Signer {
    /// The best quotes from here on.
    #[inline]
    pub fn quote(&mut self, bid: Px, ask: Px) {
        (self.bid, self.ask) = (bid, ask);
    }

    /// A trade at this price.
    pub fn trade(&mut self, px: Px) -> InferredSide {
        if self.last != Px::NONE && px != self.last {
            self.tick = if px > self.last { Side::Buy } else { Side::Sell };
        }
        self.last = px;
        InferredSide { tick: self.tick, quote: self.by_quote(px) }
    }

    fn by_quote(&self, px: Px) -> Side {
        // One side is missing, or they are locked or crossed.
        if self.bid == Px::NONE || self.ask == Px::NONE || self.bid >= self.ask {
            return Side::None;
        }
        let [px, bid, ask] = [px, self.bid, self.ask].map(|px| i128::from(px.0));
        match (2 * px).cmp(&(bid + ask)) {
            std::cmp::Ordering::Greater => Side::Buy,
            std::cmp::Ordering::Less => Side::Sell,
            std::cmp::Ordering::Equal => Side::None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Side::{Buy, None, Sell};

    /// Price, bid and ask in thousandths, and what the three rules say: the example of the page.
    const EXAMPLE: [(i64, i64, i64, [Side; 3]); 7] = [
        (10_000, 9_990, 10_010, [None, None, None]),
        (10_010, 9_990, 10_010, [Buy, Buy, Buy]),
        (10_010, 10_000, 10_020, [Buy, None, Buy]),
        (10_000, 10_000, 10_010, [Sell, Sell, Sell]),
        (10_005, 10_000, 10_010, [Buy, None, Buy]),
        (10_020, 10_000, 10_020, [Buy, Buy, Buy]),
        (10_010, 10_000, 10_020, [Sell, None, Sell]),
    ];

    fn px(thousandths: i64) -> Px {
        Px::from_scaled(thousandths, 3)
    }

    #[test]
    fn the_rules_say_what_the_literature_says() {
        use SigningRule::{LeeReady, Never, Quote, Tick};
        let mut signer = Signer::default();
        for (n, (price, bid, ask, said)) in EXAMPLE.into_iter().enumerate() {
            signer.quote(px(bid), px(ask));
            let inferred = signer.trade(px(price));
            let flags = [Tick, Quote, LeeReady, Never].map(|rule| inferred.flags(rule));
            assert_eq!(flags.map(Flags::side), [said[0], said[1], said[2], None], "trade {n}");
            let quoted = said[1] != None;
            assert_eq!(flags.map(|f| f.has(Flags::BY_QUOTE)), [false, quoted, quoted, false], "trade {n}");
            assert!(flags.iter().all(|f| f.has(Flags::INFERRED_AGGRESSOR) == (f.side() != None)), "trade {n}");
        }
    }

    #[test]
    fn a_quote_that_is_locked_crossed_or_one_sided_says_nothing() {
        for (bid, ask) in
            [(px(10_000), px(10_000)), (px(10_010), px(10_000)), (px(10_000), Px::NONE), (Px::NONE, px(1))]
        {
            let mut signer = Signer::default();
            signer.trade(px(10_000));
            signer.quote(bid, ask);
            let flags = signer.trade(px(9_000)).flags(SigningRule::LeeReady);
            assert_eq!((flags.side(), flags.has(Flags::BY_QUOTE)), (Sell, false), "the tick rule");
        }
    }
}
