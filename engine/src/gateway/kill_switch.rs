//! The kill switch: how a halt reaches a gateway beside the pipeline.
//!
//! A halt and a cancel-all are inputs like any other command, but an operator cannot wait for a pipeline that hangs or for
//! a disk that does not answer. So whoever commands one also pulls this switch. A gateway looks at it in every turn: it
//! hands the cancels to its socket at once and sends no further order until the command is stored. Once the head has stored
//! it as input S, the pipeline itself refuses or allows what comes after S, and the gateway refuses only what the pipeline
//! approved before S. The pipeline also makes a cancel-all of the command, with the number S in its id; the gateway knows
//! that it has been carried out. Several gateways each do so, and a pull is carried out when all of them have. A command that is repeated while it waits pulls again: the cancels leave again, and one stored
//! command answers for all these pulls. Without a gateway a pull has no effect: the command alone does the work.
//!
//! Bound: a counter, and one queued entry per command and gateway until the gateway's next turn. Worst case: a gateway that is inside a
//! system call answers after it.

use crossbeam_queue::SegQueue;
use flow::Gateway;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

/// Number of a pull, from 1.
pub type Pull = u64;

/// The command of a pull is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StoredPull {
    /// The pull.
    pub pull: Pull,
    /// The command's number in the sequence.
    pub seq: u64,
}

/// The end of a gateway.
#[derive(Debug, Default)]
struct End {
    /// The last pull whose cancels it has handed to its socket.
    carried_out: AtomicU64,
    stored: SegQueue<StoredPull>,
}

/// The kill switch; see the module.
#[derive(Debug, Default)]
pub struct KillSwitch {
    /// Number of pulls so far.
    pulls: AtomicU64,
    /// Number of commands that were pulled for.
    commands: AtomicU64,
    /// The ends of the gateways, by their numbers, and how many there are.
    ends: [End; Gateway::MOST],
    gateways: AtomicUsize,
    /// Number of these commands that are stored.
    stored_count: AtomicU64,
    refusing: AtomicBool,
}

impl KillSwitch {
    /// So many gateways obey it; set before anything is pulled.
    pub fn set_gateways(&self, gateways: usize) {
        self.gateways.store(gateways, Ordering::Release);
    }

    fn ends(&self) -> &[End] {
        &self.ends[..self.gateways.load(Ordering::Acquire)]
    }

    /// Pulls the switch; returns the number of the pull, which belongs into the command's submission.
    pub fn pull(&self) -> Pull {
        self.commands.fetch_add(1, Ordering::AcqRel);
        self.pull_again()
    }

    /// Pulls it once more for a command that waits to be stored already: the cancels leave again.
    pub fn pull_again(&self) -> Pull {
        self.pulls.fetch_add(1, Ordering::AcqRel) + 1
    }

    /// From now on no order is sent, whatever is stored: the run ends, and what is open is cancelled.
    pub fn refuse_new_orders(&self) {
        self.refusing.store(true, Ordering::Release);
    }

    /// Whether no order is sent any more.
    #[inline]
    pub fn refuses_new_orders(&self) -> bool {
        self.refusing.load(Ordering::Acquire)
    }

    /// Whether the gateway sends no new order, whatever the pipeline approves: the command of a pull is not stored yet, or
    /// [`KillSwitch::refuse_new_orders`] was called. Known only where the head has a gateway.
    pub fn is_closed(&self) -> bool {
        self.refuses_new_orders() || self.stored_count.load(Ordering::Acquire) < self.commands()
    }

    /// Number of commands that were pulled for.
    #[inline]
    pub fn commands(&self) -> u64 {
        self.commands.load(Ordering::Acquire)
    }

    /// Number of pulls so far.
    #[inline]
    pub fn pulls(&self) -> Pull {
        self.pulls.load(Ordering::Acquire)
    }

    /// Called by the head of a pipeline with gateways: the command of `pull` is stored as input `seq`.
    pub fn store(&self, pull: Pull, seq: u64) {
        debug_assert!(pull > 0 && pull <= self.pulls(), "only a pull is stored");
        self.ends().iter().for_each(|end| end.stored.push(StoredPull { pull, seq }));
        self.stored_count.fetch_add(1, Ordering::AcqRel);
    }

    /// Called by a gateway: the next pull whose command is stored, if there is one. It is here before any route that the
    /// command causes reaches the gateway.
    pub fn take_stored(&self, gateway: Gateway) -> Option<StoredPull> {
        self.ends[gateway.number()].stored.pop()
    }

    /// Called by a gateway: its socket has the cancels of all pulls up to this one.
    pub fn carry_out(&self, gateway: Gateway, pull: Pull) {
        self.ends[gateway.number()].carried_out.fetch_max(pull, Ordering::AcqRel);
    }

    /// Whether every gateway has handed the cancels of this pull to its socket; without a gateway none has.
    pub fn is_carried_out(&self, pull: Pull) -> bool {
        let is_made = |end: &End| end.carried_out.load(Ordering::Acquire) >= pull;
        !self.ends().is_empty() && self.ends().iter().all(is_made)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pull_is_carried_out_with_every_one_before_it() {
        let switch = KillSwitch::default();
        switch.set_gateways(2);
        let [one, other] = [0, 1].map(Gateway::new);
        let (first, second) = (switch.pull(), switch.pull());
        assert_eq!((first, second, switch.pulls()), (1, 2, 2));
        switch.carry_out(one, second);
        assert!(!switch.is_carried_out(first), "the other gateway has not");
        switch.carry_out(other, second);
        assert!(switch.is_carried_out(first) && switch.is_carried_out(second));
        switch.carry_out(one, first);
        assert!(switch.is_carried_out(second) && !switch.is_carried_out(3), "it never goes back");
    }

    #[test]
    fn what_is_stored_comes_in_order() {
        let switch = KillSwitch::default();
        switch.set_gateways(2);
        let [one, other] = [0, 1].map(Gateway::new);
        let pulls = [switch.pull(), switch.pull()];
        switch.store(pulls[0], 7);
        assert!(switch.is_closed());
        switch.store(pulls[1], 9);
        assert!(!switch.is_closed());
        for gateway in [one, other] {
            assert_eq!(switch.take_stored(gateway), Some(StoredPull { pull: 1, seq: 7 }));
            assert_eq!(switch.take_stored(gateway), Some(StoredPull { pull: 2, seq: 9 }));
            assert_eq!(switch.take_stored(gateway), None);
        }
    }
}
