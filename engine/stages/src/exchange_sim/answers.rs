//! How the venue speaks: acknowledgements, fills with their cost, rejections, cancellations.
//!
//! Everything that is said is due a reply latency after the time of its cause, and never before what was said earlier. A
//! fill and its cost are said together. Bound: O(1) each.

use super::Replies;
use super::fees::Fees;
use super::instrument::SimInstrument;
use super::latency::Lanes;
use super::resting::RestingOrder;
use flow::records::{Ack, Cancelled, Fill, FillCost, Reject};
use flow::{Action, CancelReason, EventId, Flags, Liquidity, Ns, Px, Qty, RejectReason};

/// Why something is said, and when that was.
#[derive(Clone, Copy)]
pub(super) struct Cause {
    pub(super) id: EventId,
    pub(super) now: Ns,
}

/// What is needed to speak.
pub(super) struct Answers {
    pub(super) lanes: Lanes,
    pub(super) fees: Fees,
    /// Orders that were taken.
    pub(super) venue_orders: u64,
    /// Executions.
    pub(super) matches: u64,
}

impl Answers {
    fn due(&mut self, cause: Cause) -> Ns {
        self.lanes.due(cause.id, cause.now)
    }

    /// The order is taken; gives it the venue's number.
    pub(super) fn ack(&mut self, cause: Cause, own: &mut RestingOrder, replaces: u64, replies: &mut Replies) {
        let due = self.due(cause);
        self.venue_orders += 1;
        own.venue_order = self.venue_orders;
        if replies.fits(1, due) {
            let (order_id, venue_order) = (own.id, own.venue_order);
            let ack = Ack { order_id, venue_order, cause: cause.id.0, replaces, ..Ack::default() };
            replies.push(due, own.instrument, Flags::side_only(own.side), &ack);
        }
    }

    /// The order is executed.
    pub(super) fn fill(
        &mut self,
        cause: Cause,
        own: &mut RestingOrder,
        sim_instrument: &SimInstrument,
        done: (Px, u64, Liquidity),
        replies: &mut Replies,
    ) {
        let (px, qty, liquidity) = done;
        let due = self.due(cause);
        self.matches += 1;
        own.filled += qty;
        if replies.fits(2, due) {
            let (order_id, match_id, flags) = (own.id, self.matches, Flags::side_only(own.side));
            let fill = Fill { order_id, px, qty: Qty(qty), match_id, cause: cause.id.0 };
            replies.push(due, own.instrument, flags, &fill);
            let fee = self.fees.of(liquidity, px, qty, sim_instrument.contract());
            let cost = FillCost { order_id, fee, match_id, liquidity: liquidity.code(), ..FillCost::default() };
            replies.push(due, own.instrument, flags, &cost);
        }
    }

    /// What was left of the order is gone. `route` is what asked for it; 0 = nobody did.
    pub(super) fn cancelled(
        &mut self,
        cause: Cause,
        route: u64,
        own: &RestingOrder,
        reason: CancelReason,
        replies: &mut Replies,
    ) {
        let due = self.due(cause);
        if replies.fits(1, due) {
            let (order_id, qty, reason) = (own.id, Qty(own.open()), reason.code());
            let cancelled = Cancelled { order_id, qty, cause: route, reason, ..Cancelled::default() };
            replies.push(due, own.instrument, Flags::side_only(own.side), &cancelled);
        }
    }

    /// What was asked for is not done. `own` says of which order, on which instrument and side.
    pub(super) fn reject(
        &mut self,
        cause: Cause,
        own: &RestingOrder,
        action: Action,
        reason: RejectReason,
        replies: &mut Replies,
    ) {
        let due = self.due(cause);
        if replies.fits(1, due) {
            let (order_id, reason, action) = (own.id, reason.code(), action.code());
            let reject = Reject { order_id, cause: cause.id.0, reason, action, ..Reject::default() };
            replies.push(due, own.instrument, Flags::side_only(own.side), &reject);
        }
    }
}
