//! What strategies emit: intents, then the signal and its reasons.
//!
//! The intent goes first. It has a way to go before its order leaves, and nobody waits for the reasons.
//!
//! Bound: one event per reason, plus two.

use super::owner::Owner;
use flow::records::{BookTop, Intent, Reason, Signal};
use flow::{Account, Action, Flags, Kind, Ns, OrderType, Out, Px, Qty, Real, Reduces, Side, StrategyId, Tick, Tif};
use serde::{Deserialize, Serialize};

/// A measure, its value, and its threshold.
pub(super) type Why = (Kind, f64, f64);

/// Emits a signal and its reasons.
pub(super) fn signal(out: &mut Out, instrument: u32, side: Side, signal: &Signal, reasons: &[Why]) {
    let flags = Flags::side_only(side);
    out.push(instrument, flags, &Signal { reasons: reasons.len() as u16, ..*signal });
    for (index, (measure, value, threshold)) in (0..).zip(reasons) {
        let (strategy, measure) = (signal.strategy, u16::from(measure.0));
        let reason = Reason {
            value: Real::of(*value),
            threshold: Real::of(*threshold),
            strategy,
            measure,
            index,
            ..Default::default()
        };
        out.push(instrument, flags, &reason);
    }
}

/// An intent for a new order; without a price it is a market order.
pub(super) fn new_order(strategy: StrategyId, account: Account, px: Px, qty: u64, tif: Tif) -> Intent {
    let order_type = if px == Px::NONE { OrderType::Market } else { OrderType::Limit };
    Intent {
        px,
        qty: Qty(qty),
        strategy,
        account,
        action: Action::New.code(),
        order_type: order_type.code(),
        tif: tif.code(),
        ..Default::default()
    }
}

/// Emits an intent.
pub(super) fn intent(out: &mut Out, instrument: u32, side: Side, intent: &Intent) {
    out.push(instrument, Flags::side_only(side).with(Flags::LAST_OF_GROUP), intent);
}

/// Emits an order that closes a position at the touch, and says why.
pub(super) fn exit(out: &mut Out, instrument: u32, side: Side, px: Px, qty: u64, owner: Owner, why: Why) {
    let of = Signal {
        entry: px,
        stop: Px::NONE,
        target: Px::NONE,
        confidence: Real::of(1.0),
        strategy: owner.strategy,
        ..Default::default()
    };
    let order = new_order(owner.strategy, owner.account, px, qty, Tif::ImmediateOrCancel);
    intent(out, instrument, side, &Intent { reduces: Reduces::Only.code(), ..order });
    signal(out, instrument, side, &of, &[why]);
}

/// That the hours of a strategy are over: second of the UTC day, and their end as a second of the local day.
pub(super) fn hours_over(now: Ns, end_s: u32) -> Why {
    (Kind::Status, (now.0 % (86_400 * Ns::SECOND) / Ns::SECOND) as f64, end_s.into())
}

/// The touch, without quantities.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Touch {
    pub(super) bid: Px,
    pub(super) ask: Px,
}

impl Touch {
    /// An empty book.
    pub(super) const NONE: Touch = Touch { bid: Px::NONE, ask: Px::NONE };

    pub(super) fn of(top: &BookTop) -> Touch {
        Touch { bid: top.bid_px, ask: top.ask_px }
    }

    /// Whether both sides exist and the book is not crossed.
    #[inline]
    pub(super) fn is_two_sided(self) -> bool {
        self.bid != Px::NONE && self.ask != Px::NONE && self.bid < self.ask
    }

    /// The touch at prices that an order may have: the bid rounded down and the ask up. So what joins a side never crosses
    /// the other, and what crosses still does.
    pub(super) fn on(self, tick: Tick) -> Touch {
        Touch { bid: tick.down(self.bid), ask: tick.up(self.ask) }
    }

    /// The price at which an order of that side executes at once.
    #[inline]
    pub(super) fn against(self, side: Side) -> Px {
        if side == Side::Buy { self.ask } else { self.bid }
    }

    /// The price at which an order of that side joins the queue.
    #[inline]
    pub(super) fn join(self, side: Side) -> Px {
        self.against(side.opposite())
    }
}

/// A price as a reason's `f64`, in units of the currency.
pub(super) fn price(px: Px) -> f64 {
    px.0 as f64 / Px::ONE as f64
}
