//! The trades of the book, and what it does when the venue breaks one.
//!
//! It remembers the last trades of all instruments, those that it makes of executions as well as those that a feed sends. A
//! broken one it looks up and emits whole, as `broken-trade`, so that everyone who has it in an open sum can take it out.
//!
//! Bound and worst case: those of [`super::prints::Prints`].

use super::outcome::Fault;
use super::stage::{BookStage, KEPT, push_anomaly};
use flow::records::{Break, Exec, Trade};
use flow::{AnomalyKind, Event, Flags, Out, Px, Side};

/// Flags of an input that its `trade` inherits.
const KEPT_BY_TRADES: u16 = KEPT | Flags::HIDDEN.0 | Flags::AUCTION.0;
/// Flags of a trade that it keeps when it is broken.
const KEPT_WHEN_BROKEN: u16 = KEPT_BY_TRADES | Flags::INFERRED_AGGRESSOR.0 | Flags::BY_QUOTE.0 | Flags::VOLUME_ONLY.0;

impl BookStage {
    /// The trade of an execution against an order that rested on side `resting`; an auction has no aggressor.
    #[inline]
    pub(super) fn trade(&mut self, event: &Event, exec: &Exec, resting: Side, px: Px, out: &mut Out) {
        if event.flags.has(Flags::NON_PRINTABLE) {
            return;
        }
        let aggressor = if event.flags.has(Flags::AUCTION) { Side::None } else { resting.opposite() };
        let Exec { exchange_ts, order_ref, qty, match_id, .. } = *exec;
        let flags = Flags(event.flags.0 & KEPT_BY_TRADES).with_side(aggressor);
        let trade = Trade { exchange_ts, px, qty, match_id, order_ref };
        out.push(event.instrument, flags, &trade);
        self.prints.remember(event, flags, &trade);
    }

    /// A trade that the feed sends: only remembered, since it is in the sequence already.
    pub(super) fn fed_trade(&mut self, event: &Event) {
        let flags = Flags(event.flags.0 & KEPT_WHEN_BROKEN).with_side(event.side());
        self.prints.remember(event, flags, event.record());
    }

    /// The venue breaks a trade.
    #[cold]
    pub(super) fn broken(&mut self, event: &Event, out: &mut Out) {
        let Break { exchange_ts, match_id, .. } = *event.record();
        match self.prints.take(event.instrument, match_id) {
            Some((trade, flags)) => out.push(event.instrument, flags.with(Flags::LAST_OF_GROUP), &trade),
            None => {
                let fault = Fault { what: AnomalyKind::UnknownBreak, detail: match_id };
                push_anomaly(event, exchange_ts, fault, out);
            }
        }
    }
}
