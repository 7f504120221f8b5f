//! Says who traded at the other's price, where a feed does not.
//!
//! **Tick rule**: the buyer, if the price is above the last different price; the seller below it; at the same price as the trade
//! before. **Quote rule**: the buyer above the middle of the best quotes, the seller below it, nobody at it. **Lee and Ready**
//! (Journal of Finance 46, 1991): the quote rule, and the tick rule where that says nothing. The quote is the one strictly
//! before the trade. A quote with one side, a locked and a crossed one say nothing. All of it in integers: twice the price
//! against bid plus ask.
//!
//! Bound: one price, one side and one quote of each instrument.

use flow::{ChoiceParam, Flags, Px, Side, choices};

/// How an aggressor is inferred.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rule {
    /// Not at all.
    Told,
    Tick,
    Quote,
    LeeReady,
}

/// The parameter of feeds whose trades have no aggressor.
pub(crate) const SIGNING: ChoiceParam<Rule> = ChoiceParam::new(
    "signing",
    choices! { "lee-ready" => Rule::LeeReady, "quote" => Rule::Quote, "tick" => Rule::Tick, "none" => Rule::Told },
    "lee-ready",
    "how the aggressor of a trade is inferred: from the quote, the last price, or first the one, then the other",
);

/// What a rule remembers of an instrument.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Signer {
    rule: Rule,
    /// Price of the last trade.
    last: Px,
    /// What the tick rule said of it.
    tick: Side,
    bid: Px,
    ask: Px,
}

impl Signer {
    pub(crate) const fn new(rule: Rule) -> Signer {
        Signer { rule, last: Px::NONE, tick: Side::None, bid: Px::NONE, ask: Px::NONE }
    }

    /// The best quotes from here on.
    pub(crate) fn quote(&mut self, bid: Px, ask: Px) {
        (self.bid, self.ask) = (bid, ask);
    }

    /// A trade at this price: its side and how it was found, as flags.
    pub(crate) fn trade(&mut self, px: Px) -> Flags {
        if self.last != Px::NONE && px != self.last {
            self.tick = if px > self.last { Side::Buy } else { Side::Sell };
        }
        self.last = px;
        let quoted = match self.rule {
            Rule::Quote | Rule::LeeReady => self.by_quote(px),
            Rule::Told | Rule::Tick => Side::None,
        };
        let ticked = if matches!(self.rule, Rule::Tick | Rule::LeeReady) { self.tick } else { Side::None };
        match (quoted, ticked) {
            (Side::None, Side::None) => Flags::NONE,
            (Side::None, side) => Flags::INFERRED_AGGRESSOR.with_side(side),
            (side, _) => Flags::INFERRED_AGGRESSOR.with(Flags::BY_QUOTE).with_side(side),
        }
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
        let mut signers = [Rule::Tick, Rule::Quote, Rule::LeeReady, Rule::Told].map(Signer::new);
        for (n, (price, bid, ask, said)) in EXAMPLE.into_iter().enumerate() {
            signers.iter_mut().for_each(|signer| signer.quote(px(bid), px(ask)));
            let flags = signers.each_mut().map(|signer| signer.trade(px(price)));
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
            let mut signer = Signer::new(Rule::LeeReady);
            signer.trade(px(10_000));
            signer.quote(bid, ask);
            let flags = signer.trade(px(9_000));
            assert_eq!((flags.side(), flags.has(Flags::BY_QUOTE)), (Sell, false), "the tick rule");
        }
    }
}
