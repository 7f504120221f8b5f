//! Cancels that the gateway itself requests: after a pull of the kill switch, for an earlier journal, and at the very end.

use super::{PAUSE, Phase, VenueSession};
use crate::gateway::last_cancel::{LastCancel, finish};
use crate::gateway::open_orders::OpenOrders;
use flow::{OpenOrder, OrderId, VenueError};
use std::time::{Duration, Instant};

impl VenueSession {
    /// One step while the journal is still being replayed: after a pull, everything is cancelled over a session of its own.
    /// At a venue without a cancel of all, this waits until the replay has shown which orders are open. After a failure it
    /// pauses; the first one is said.
    pub fn turn_early(&mut self) {
        self.take_definitions();
        self.fence.learn();
        let pauses = matches!(self.phase, Phase::Failed(at) if at.elapsed() <= PAUSE);
        if self.early.is_none()
            && !pauses
            && let Some(pull) = self.fence.pulled().filter(|_| self.venue.cancels_all())
        {
            self.early = Some((pull, LastCancel::new(self.link.journal(), self.venue.patience().reply)));
        }
        let Some((pull, cancel)) = &mut self.early else { return };
        match cancel.step(self.venue.as_mut(), &[]) {
            Ok(false) => return,
            Ok(true) => {
                self.fence.make(*pull);
                self.fence.hand_over();
                self.phase = Phase::Opening;
            }
            Err(e) => {
                if !matches!(self.phase, Phase::Failed(_)) {
                    self.status.notice(format!("{e}; trying again to cancel all orders"));
                }
                self.phase = Phase::Failed(Instant::now());
            }
        }
        self.early = None;
    }

    /// Whether the venue can cancel all orders without being told which.
    pub fn cancels_all(&self) -> bool {
        self.venue.cancels_all()
    }

    /// Whether a pull has yet to be carried out.
    pub fn is_pulled(&self) -> bool {
        !self.fence.is_carried_out()
    }

    /// Cancels everything, because the kill switch was pulled or an earlier journal has to be left behind.
    pub(super) fn cancel_by_switch(&mut self) {
        let pull = self.fence.pulled();
        self.cancel_orders_of(OrderId(0));
        if let Some(pull) = pull {
            self.fence.make(pull);
        }
    }

    /// Cancels the orders of an account and a strategy, or all of them.
    pub(super) fn cancel_orders_of(&mut self, of: OrderId) {
        self.open.cancel(of);
        if self.venue.cancels_all() && of.0 == 0 {
            return self.venue.cancel_all();
        }
        let orders: Vec<OpenOrder> = self.open.cancelling().collect();
        orders.iter().for_each(|order| self.venue.cancel(order));
    }

    /// Whether a run that stops leaves nothing to do: what waits is sent, and what was to be cancelled is over.
    pub fn may_end(&self) -> bool {
        let sent = self.phase != Phase::Open || self.waiting.is_empty();
        let cancelled = self.fence.is_carried_out() && !self.open.is_cancelling();
        sent && (cancelled || self.open.is_empty())
    }

    /// The orders that may be open.
    pub fn open_orders(&self) -> &OpenOrders {
        &self.open
    }

    /// Cancels everything, once, over the open session or over one opened for it; waits until the venue has confirmed.
    ///
    /// # Errors
    /// When it did not confirm in time.
    pub fn cancel_everything(&mut self, within: Duration) -> Result<(), VenueError> {
        self.take_definitions();
        let (orders, journal): (Vec<OpenOrder>, u64) = (self.open.iter().collect(), self.link.journal());
        let venue = self.venue.as_mut();
        let cancel = match self.phase {
            Phase::Settling | Phase::Open => LastCancel::over(venue, &orders, journal, within),
            Phase::Failed(_) | Phase::Opening => LastCancel::new(journal, within),
        };
        finish(cancel, venue, &orders)
    }
}
