//! Where the sides of a day's trades come from.

use flow::records::Trade;
use flow::{Event, Flags, Side};

/// How many trades have an aggressor, and from where.
#[derive(Default)]
pub(super) struct Signing {
    /// The feed tells it.
    pub(super) exact: u64,
    /// Inferred from the quote before the trade.
    pub(super) by_quote: u64,
    /// Inferred from the price before.
    pub(super) by_price: u64,
    /// There is none.
    pub(super) none: u64,
    /// Of auctions, which have none.
    pub(super) auctions: u64,
}

impl Signing {
    /// Counts a trade. What is volume alone makes no price and no flow, so it is not counted.
    pub(super) fn take(&mut self, event: &Event) {
        if event.get::<Trade>().is_none() || event.flags.has(Flags::VOLUME_ONLY) {
            return;
        }
        let count = match (event.side(), event.flags) {
            (Side::None, flags) if flags.has(Flags::AUCTION) => &mut self.auctions,
            (Side::None, _) => &mut self.none,
            (_, flags) if !flags.has(Flags::INFERRED_AGGRESSOR) => &mut self.exact,
            (_, flags) if flags.has(Flags::BY_QUOTE) => &mut self.by_quote,
            _ => &mut self.by_price,
        };
        *count += 1;
    }
}
