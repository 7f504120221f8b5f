//! Execution reports: acks, fills with their cost, rejects, cancels.
//!
//! A report is due one reply latency after its cause, and never before an earlier report. A fill and its cost are
//! reported together. Bound: O(1) each.

use super::Replies;
use super::fees::Fees;
use super::instrument::SimInstrument;
use super::latency::Session;
use super::resting::RestingOrder;
use flow::records::{Ack, Cancelled, Fill, FillCost, Reject};
use flow::{Action, CancelReason, EventId, Flags, Liquidity, Ns, Px, Qty, RejectReason};

/// The event that causes a report, and its time.
#[derive(Clone, Copy)]
pub(super) struct Cause {
    pub(super) id: EventId,
    pub(super) now: Ns,
}

/// Numbers, prices and times the reports.
pub(super) struct ExecutionReports {
    pub(super) session: Session,
    pub(super) fees: Fees,
    /// Orders acknowledged so far: the venue's order number.
    pub(super) venue_orders: u64,
    /// Executions so far: the match number.
    pub(super) matches: u64,
}

impl ExecutionReports {
    fn due(&mut self, cause: Cause) -> Ns {
        self.session.due(cause.id, cause.now)
    }

    /// Acknowledges an order and gives it the venue's order number.
    pub(super) fn ack(&mut self, cause: Cause, order: &mut RestingOrder, replaces: u64, replies: &mut Replies) {
        let due = self.due(cause);
        self.venue_orders += 1;
        order.venue_order = self.venue_orders;
        if replies.fits(1, due) {
            let (order_id, venue_order) = (order.id, order.venue_order);
            let ack = Ack { order_id, venue_order, cause: cause.id.0, replaces, ..Ack::default() };
            replies.push(due, order.instrument, Flags::side_only(order.side), &ack);
        }
    }

    /// Fills an order. `mark` is [`Flags::DOUBTFUL`] or nothing.
    pub(super) fn fill(
        &mut self,
        cause: Cause,
        order: &mut RestingOrder,
        sim: &SimInstrument,
        done: (Px, u64, Liquidity, Flags),
        replies: &mut Replies,
    ) {
        let (px, qty, liquidity, mark) = done;
        let due = self.due(cause);
        self.matches += 1;
        order.filled += qty;
        if replies.fits(2, due) {
            let (order_id, match_id, flags) = (order.id, self.matches, mark.with_side(order.side));
            let fill = Fill { order_id, px, qty: Qty(qty), match_id, cause: cause.id.0 };
            replies.push(due, order.instrument, flags, &fill);
            let fee = self.fees.of(liquidity, px, qty, sim.contract());
            let cost = FillCost { order_id, fee, match_id, liquidity: liquidity.code(), ..FillCost::default() };
            replies.push(due, order.instrument, flags, &cost);
        }
    }

    /// Cancels the open quantity of an order. `route` is the request; 0 = the venue did it by itself.
    pub(super) fn cancelled(
        &mut self,
        cause: Cause,
        route: u64,
        order: &RestingOrder,
        reason: CancelReason,
        replies: &mut Replies,
    ) {
        let due = self.due(cause);
        if replies.fits(1, due) {
            let (order_id, qty, reason) = (order.id, Qty(order.open()), reason.code());
            let cancelled = Cancelled { order_id, qty, cause: route, reason, ..Cancelled::default() };
            replies.push(due, order.instrument, Flags::side_only(order.side), &cancelled);
        }
    }

    /// Rejects a request. `order` gives the order id, instrument and side.
    pub(super) fn reject(
        &mut self,
        cause: Cause,
        order: &RestingOrder,
        action: Action,
        reason: RejectReason,
        replies: &mut Replies,
    ) {
        let due = self.due(cause);
        if replies.fits(1, due) {
            let (order_id, reason, action) = (order.id, reason.code(), action.code());
            let reject = Reject { order_id, cause: cause.id.0, reason, action, ..Reject::default() };
            replies.push(due, order.instrument, Flags::side_only(order.side), &reject);
        }
    }
}
