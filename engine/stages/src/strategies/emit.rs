//! How strategies speak: a signal, its reasons, and the intent.
//!
//! Bound: as many events as there are reasons, and two.

use flow::records::{BookTop, Intent, Reason, Signal};
use flow::{Account, Action, Flags, Kind, OrderType, Out, Px, Qty, Side, StrategyId, Tif};
use serde::{Deserialize, Serialize};

/// A measure, its value, and the value that it had to pass.
pub(super) type Why = (Kind, f64, f64);

/// Tells a signal and its reasons.
pub(super) fn signal(out: &mut Out, instrument: u32, side: Side, signal: &Signal, reasons: &[Why]) {
    let flags = Flags::side_only(side);
    out.push(instrument, flags, &Signal { reasons: reasons.len() as u16, ..*signal });
    for (index, (measure, value, threshold)) in (0..).zip(reasons) {
        let (strategy, measure) = (signal.strategy, u16::from(measure.0));
        let reason = Reason { value: *value, threshold: *threshold, strategy, measure, index, ..Default::default() };
        out.push(instrument, flags, &reason);
    }
}

/// An intent for a new order; without a price at any.
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

/// Tells an intent.
pub(super) fn intent(out: &mut Out, instrument: u32, side: Side, intent: &Intent) {
    out.push(instrument, Flags::side_only(side).with(Flags::LAST_OF_GROUP), intent);
}

/// The touch of a book, as it was told last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Touch {
    pub(super) bid: Px,
    pub(super) ask: Px,
}

impl Touch {
    /// No touch.
    pub(super) const NONE: Touch = Touch { bid: Px::NONE, ask: Px::NONE };

    pub(super) fn of(top: &BookTop) -> Touch {
        Touch { bid: top.bid_px, ask: top.ask_px }
    }

    /// Both sides are there and do not cross.
    #[inline]
    pub(super) fn is_whole(self) -> bool {
        self.bid != Px::NONE && self.ask != Px::NONE && self.bid < self.ask
    }

    /// Where an order of that side would be filled at once.
    #[inline]
    pub(super) fn against(self, side: Side) -> Px {
        if side == Side::Buy { self.ask } else { self.bid }
    }

    /// Where an order of that side would join the queue.
    #[inline]
    pub(super) fn join(self, side: Side) -> Px {
        self.against(side.opposite())
    }
}

/// A price as the number that a reason holds.
pub(super) fn units(px: Px) -> f64 {
    px.0 as f64 / Px::ONE as f64
}
