//! When a gateway that spins takes a turn, and how one that sleeps waits.
//!
//! **Idea.** A turn reads the socket, and that is a system call, while a look at the ring of routes is one load of a cache line that
//! the tail writes. A spinning gateway therefore looks at the ring all the time and takes a turn at once when a route is there;
//! without one it takes a turn, which reads the socket and looks at the kill switch, every [`EVERY`]. While answers come, turn
//! follows turn. One that sleeps yields for [`PATIENCE`] turns and then sleeps [`REST`] between two.
//!
//! **Bound.** A spinning gateway makes one system call per [`EVERY`] while nothing happens, and none else: it never sleeps, and it
//! never yields its core. A route leaves after the turn in which it comes at the latest, an answer is read [`EVERY`] after it has
//! come. Neither allocates. **Worst case.** What the system takes from its core; a thread that shares the core with it
//! waits for the scheduler. A sleeping gateway makes a route, an answer or a pull wait [`REST`] and what the system adds to
//! it, some 0.1 ms together.

use ring::Idle;
use sinks::GatewayIdle;
use std::time::{Duration, Instant};

/// How long a spinning gateway looks at the ring alone.
pub(super) const EVERY: Duration = Duration::from_micros(2);
/// Idle turns before a sleeping gateway starts to sleep between turns.
const PATIENCE: u32 = 64;
/// Length of such a sleep.
pub(super) const REST: Duration = Duration::from_micros(50);

/// The pace of a gateway's turns; see the module.
pub(super) struct Pace {
    idle: GatewayIdle,
    /// Turns in which nothing happened, since something last did.
    quiet: u32,
    /// When the last of them began.
    turned: Option<Instant>,
}

impl Pace {
    pub(super) fn new(idle: GatewayIdle) -> Pace {
        Pace { idle, quiet: 0, turned: None }
    }

    /// Whether a turn is due where no route has come.
    #[inline]
    pub(super) fn is_due(&self, now: Instant) -> bool {
        let looks_at_the_ring = |turned: Instant| now.saturating_duration_since(turned) < EVERY;
        !(self.idle == GatewayIdle::Spin && self.turned.is_some_and(looks_at_the_ring))
    }

    /// A turn has begun at that time; whether anything happened in it.
    pub(super) fn turned(&mut self, at: Instant, busy: bool) {
        self.quiet = if busy { 0 } else { self.quiet.saturating_add(1) };
        self.turned = (!busy).then_some(at);
    }

    /// Waits until the next look.
    #[inline]
    pub(super) fn wait(&self) {
        match (self.idle, self.quiet) {
            (_, 0) => {}
            (GatewayIdle::Spin, _) => Idle::SpinHint.wait(&mut 0),
            (GatewayIdle::Sleep, 1..PATIENCE) => std::thread::yield_now(),
            (GatewayIdle::Sleep, _) => std::thread::sleep(REST),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spinning_gateway_takes_a_turn_at_a_time_and_one_after_the_other_while_something_happens() {
        let (begun, mut pace) = (Instant::now(), Pace::new(GatewayIdle::Spin));
        assert!(pace.is_due(begun), "the first");
        pace.turned(begun, true);
        assert!(pace.is_due(begun), "answers come");
        pace.turned(begun, false);
        assert!(!pace.is_due(begun) && !pace.is_due(begun + EVERY / 2) && pace.is_due(begun + EVERY));
        pace.turned(begun + EVERY, false);
        assert!(!pace.is_due(begun + EVERY + EVERY / 2));
    }

    #[test]
    fn a_sleeping_gateway_always_takes_its_turn_and_sleeps_after_some_idle_ones() {
        let (begun, mut pace) = (Instant::now(), Pace::new(GatewayIdle::Sleep));
        (0..PATIENCE).for_each(|_| pace.turned(begun, false));
        assert!(pace.is_due(begun));
        let before = Instant::now();
        pace.wait();
        assert!(before.elapsed() >= REST);
        // Something happened: it looks again at once.
        pace.turned(begun, true);
        assert_eq!(pace.quiet, 0);
    }
}
