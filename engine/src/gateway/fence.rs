//! What a gateway holds back after the kill switch was pulled.
//!
//! From a pull until its command is stored no new order leaves. Once the command is stored as input S, what the pipeline
//! approved before S is still held back; what it approves after S is its own decision. A cancel-all up to S has been carried
//! out by the pull: nothing was sent between. Bound: three numbers.

use super::kill_switch::{KillSwitch, Pull};
use flow::Gateway;
use std::sync::Arc;

/// The gateway's end of the kill switch.
pub(super) struct Fence {
    switch: Arc<KillSwitch>,
    gateway: Gateway,
    /// The last pull whose cancels were made.
    made: Pull,
    /// Those that the socket does not have yet.
    handing: Option<Pull>,
    /// How many of the commands that were pulled for are stored, and the last of them.
    stored: u64,
    through: u64,
}

impl Fence {
    /// The end of a gateway.
    pub(super) fn new(switch: Arc<KillSwitch>, gateway: Gateway) -> Fence {
        Fence { switch, gateway, made: 0, handing: None, stored: 0, through: 0 }
    }

    /// Learns which commands were stored.
    pub(super) fn learn(&mut self) {
        while let Some(stored) = self.switch.take_stored(self.gateway) {
            self.stored += 1;
            self.through = self.through.max(stored.seq);
        }
    }

    /// The pull whose cancels are to be made now, if there is one.
    #[inline]
    pub(super) fn pulled(&self) -> Option<Pull> {
        Some(self.switch.pulls()).filter(|pull| *pull > self.made)
    }

    /// Whether a route that input `seq` caused is held back.
    pub(super) fn holds(&self, seq: u64) -> bool {
        self.stored < self.switch.commands() || seq <= self.through
    }

    /// Whether a new order that input `seq` caused is refused: it is held back, or the run ends and cancels.
    pub(super) fn refuses(&self, seq: u64) -> bool {
        self.holds(seq) || self.switch.refuses_new_orders()
    }

    /// The cancels of a pull were made; the socket may not have them yet.
    pub(super) fn make(&mut self, pull: Pull) {
        (self.made, self.handing) = (pull, Some(pull));
    }

    /// The socket has everything that was made.
    pub(super) fn hand_over(&mut self) {
        if let Some(pull) = self.handing.take() {
            self.switch.carry_out(self.gateway, pull);
        }
    }

    /// Whether the cancels of every pull are in the socket.
    pub(super) fn is_carried_out(&self) -> bool {
        self.pulled().is_none() && self.handing.is_none()
    }

    /// The connection broke: cancels that the socket did not take are to be made again.
    pub(super) fn on_break(&mut self) {
        if let Some(pull) = self.handing.take() {
            self.made = pull - 1;
        }
    }
}
