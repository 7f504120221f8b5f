//! How good the data of a run are: what its numbers rest on, in counts.
//!
//! A number that rests on inferred sides, or on a day of which messages are missing, looks like any other. So the end of the
//! pipeline counts where the sides of the trades come from, the prints that make no price or were broken, the touches that were
//! locked or crossed, and what is missing; the summary, the report and the page of a day say it in the same words.
//!
//! Bound: these counters. One comparison or two per trade and per touch.

use flow::records::{BookTop, Gap, Trade};
use flow::{Event, Flags, Kind, Kinds, Side};
use serde::{Deserialize, Serialize};

/// What the numbers of a run rest on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quality {
    /// Trades with the aggressor that the feed tells.
    pub sides_exact: u64,
    /// Trades with an aggressor inferred from the quote before.
    pub sides_by_quote: u64,
    /// Trades with an aggressor inferred from the price before.
    pub sides_by_price: u64,
    /// Trades without an aggressor, but for those of auctions.
    pub sides_unknown: u64,
    /// Trades of auctions, which have no aggressor.
    pub auctions: u64,
    /// Prints that make no price, as late reports; they are in none of the counts above.
    pub volume_only: u64,
    /// Trades that the venue took back.
    pub broken: u64,
    /// Touches with a bid and an ask.
    pub touches: u64,
    /// Those whose bid was at the ask or above it.
    pub locked_or_crossed: u64,
    /// Times that messages of a source or of an instrument were missing.
    pub gaps: u64,
    /// How many messages were, as far as their numbers tell.
    pub missing: u64,
}

impl Quality {
    /// The kinds that it reads.
    pub const READS: Kinds = Kinds::of(&[Kind::Trade, Kind::Break, Kind::BookTop, Kind::Gap]);

    /// Counts an event.
    #[inline]
    pub fn take(&mut self, event: &Event) {
        match event.kind {
            Kind::Trade => self.trade(event),
            Kind::BookTop => {
                let top: &BookTop = event.record();
                if let (Some(bid), Some(ask)) = (top.bid_px.known(), top.ask_px.known()) {
                    self.touches += 1;
                    self.locked_or_crossed += u64::from(bid >= ask);
                }
            }
            Kind::Break => self.broken += 1,
            Kind::Gap => {
                let Gap { expected, received, .. } = *event.record();
                self.gaps += 1;
                if expected != Gap::UNKNOWN && received != Gap::UNKNOWN {
                    self.missing = self.missing.saturating_add(received.saturating_sub(expected));
                }
            }
            _ => {}
        }
    }

    #[inline]
    fn trade(&mut self, event: &Event) {
        debug_assert!(event.get::<Trade>().is_some(), "a trade");
        let count = match (event.side(), event.flags) {
            (_, flags) if flags.has(Flags::VOLUME_ONLY) => &mut self.volume_only,
            (Side::None, flags) if flags.has(Flags::AUCTION) => &mut self.auctions,
            (Side::None, _) => &mut self.sides_unknown,
            (_, flags) if !flags.has(Flags::INFERRED_AGGRESSOR) => &mut self.sides_exact,
            (_, flags) if flags.has(Flags::BY_QUOTE) => &mut self.sides_by_quote,
            _ => &mut self.sides_by_price,
        };
        *count += 1;
    }

    /// Trades that make a price.
    pub fn priced(&self) -> u64 {
        self.signed() + self.sides_unknown + self.auctions
    }

    /// Trades with an aggressor.
    pub fn signed(&self) -> u64 {
        self.sides_exact + self.sides_by_quote + self.sides_by_price
    }

    /// Trades with an aggressor that a rule inferred.
    pub fn inferred(&self) -> u64 {
        self.sides_by_quote + self.sides_by_price
    }

    /// Where the sides come from, in words: `75 % by quote, 25 % by tick rule`. Empty without a side.
    pub fn shares(&self) -> String {
        let parts =
            [(self.sides_exact, "exact"), (self.sides_by_quote, "by quote"), (self.sides_by_price, "by tick rule")];
        let share = |part: u64| match part as f64 * 100.0 / self.signed() as f64 {
            share if share < 1.0 => "under 1".to_owned(),
            share if part < self.signed() && share > 99.0 => "over 99".to_owned(),
            share => format!("{share:.0}"),
        };
        let parts = parts.into_iter().filter(|(part, _)| *part > 0);
        parts.map(|(part, how)| format!("{} % {how}", share(part))).collect::<Vec<_>>().join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flow::{Ns, Px, Qty};

    fn counted(events: &[Event]) -> Quality {
        let mut quality = Quality::default();
        events.iter().for_each(|event| quality.take(event));
        quality
    }

    fn trade(flags: Flags) -> Event {
        Event::new(Ns(1), 1, flags, &Trade::default())
    }

    fn touch(bid_px: Px, ask_px: Px) -> Event {
        let top = BookTop { bid_px, bid_qty: Qty(1), ask_px, ask_qty: Qty(1), ..BookTop::default() };
        Event::new(Ns(1), 1, Flags::NONE, &top)
    }

    #[test]
    fn each_trade_is_in_one_count() {
        let bought = Flags::side_only(Side::Buy);
        let inferred = bought.with(Flags::INFERRED_AGGRESSOR);
        let by_quote = inferred.with(Flags::BY_QUOTE);
        let late = bought.with(Flags::VOLUME_ONLY);
        let quality = counted(&[bought, inferred, by_quote, by_quote, late, Flags::NONE, Flags::AUCTION].map(trade));
        let expected = Quality {
            sides_exact: 1,
            sides_by_price: 1,
            sides_by_quote: 2,
            volume_only: 1,
            sides_unknown: 1,
            auctions: 1,
            ..Quality::default()
        };
        assert_eq!(quality, expected);
        assert_eq!((quality.priced(), quality.signed(), quality.inferred()), (6, 4, 3));
        assert_eq!(quality.shares(), "25 % exact, 50 % by quote, 25 % by tick rule");
    }

    #[test]
    fn a_share_is_never_rounded_to_none_or_all() {
        let quality = Quality { sides_exact: 9_999, sides_by_price: 1, ..Quality::default() };
        assert_eq!(quality.shares(), "over 99 % exact, under 1 % by tick rule");
    }

    #[test]
    fn a_locked_touch_counts_and_one_without_a_side_does_not() {
        let touches = [touch(Px(1), Px(2)), touch(Px(2), Px(2)), touch(Px(3), Px(2)), touch(Px::NONE, Px(2))];
        let quality = counted(&touches);
        assert_eq!((quality.touches, quality.locked_or_crossed), (3, 2));
    }

    #[test]
    fn a_gap_counts_and_its_messages_only_where_it_tells_them() {
        let gap = |expected, received| Event::new(Ns(1), 0, Flags::NONE, &Gap { expected, received, ..Gap::default() });
        let quality = counted(&[gap(10, 13), gap(5, Gap::UNKNOWN), gap(Gap::UNKNOWN, Gap::UNKNOWN)]);
        assert_eq!((quality.gaps, quality.missing), (3, 3));
    }
}
