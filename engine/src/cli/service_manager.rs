//! Tells the service manager that started a run how it stands: systemd's `Type=notify`, with a watchdog.
//!
//! **Ready** is said once, when the journal has been repeated and the feeds are up. **Alive** is a ping at half of the watchdog's time, and
//! only while the pipeline moves: one that has stood for that long gets none, so the manager ends the process between one and one and a
//! half times the watchdog's time after the standstill began, and starts it again. **Stopping** is said at a stop, and when all sources
//! have come to their end. While a start takes its time it asks for more, and while it stands it does not.
//!
//! **Nobody waits for the manager.** The watch of the run decides what is said, puts it into a queue, and looks at signals and stalls again;
//! a thread of its own makes the system calls, which wait while the manager takes nothing. The pipeline does not know of it.
//!
//! Bound: [`MOST`] messages wait; one that has no room is tried again at the next look. Worst case: a manager that takes nothing for the
//! watchdog's time hears no ping, and ends a run that is well.

use super::signals;
use super::stalls::Motion;
use crate::drive::Control;
use crate::ingress::FeedStanding;
use sd_notify::NotifyState;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::Builder;
use std::time::{Duration, Instant};

/// Most messages that wait.
const MOST: usize = 8;
/// Without a watchdog: how often the status is said, and how long a start may stand.
const WITHOUT_A_WATCHDOG: Duration = Duration::from_secs(10);
/// By how many periods a start that goes on asks for more time.
const MORE: u32 = 6;

/// What the manager knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Known {
    Nothing,
    Starting,
    Ready,
    Stopping,
}

/// A service manager that wants to know.
pub(super) struct ServiceManager {
    messages: SyncSender<String>,
    /// Half of the watchdog's time: how often it is told that the run is well, and how long a pipeline that is well may stand.
    period: Duration,
    has_watchdog: bool,
    known: Known,
    motion: Motion,
    told: Instant,
    /// Whether the last status was that it stands.
    stands: bool,
}

impl ServiceManager {
    /// The manager that has started this process, if it says where it listens.
    pub(super) fn found(now: Instant) -> Option<ServiceManager> {
        std::env::var_os("NOTIFY_SOCKET")?;
        let (messages, queue) = sync_channel(MOST);
        // Without the thread the manager hears nothing, and does what it does then.
        Builder::new().name("notify".to_owned()).spawn(move || tell(&queue)).ok()?;
        Some(ServiceManager::telling(messages, sd_notify::watchdog_enabled(), now))
    }

    fn telling(messages: SyncSender<String>, watchdog: Option<Duration>, now: Instant) -> ServiceManager {
        ServiceManager {
            messages,
            period: watchdog.map_or(WITHOUT_A_WATCHDOG, |time| time / 2),
            has_watchdog: watchdog.is_some(),
            known: Known::Nothing,
            motion: Motion::new(now),
            told: now,
            stands: false,
        }
    }

    /// Looks at the run and tells what has changed. `is_ready`: recovery has ended and the feeds are up; `stops`: it was asked to stop.
    pub(super) fn look(&mut self, control: &Control, now: Instant, is_ready: impl FnOnce() -> bool, stops: bool) {
        let is_well = self.motion.look(control, now) < self.period;
        let is_over = control.ended.load(Ordering::Acquire);
        let next = match self.known {
            Known::Stopping => Known::Stopping,
            _ if stops || is_over => Known::Stopping,
            Known::Ready => Known::Ready,
            _ if is_ready() => Known::Ready,
            _ => Known::Starting,
        };
        let is_due = now.duration_since(self.told) >= self.period;
        if next == self.known && !(is_due && is_well) && self.stands != is_well {
            return;
        }
        let mut states = Vec::new();
        if next != self.known {
            states.extend(match next {
                Known::Ready => Some(NotifyState::Ready),
                Known::Stopping => Some(NotifyState::Stopping),
                Known::Nothing | Known::Starting => None,
            });
        }
        if is_well && self.has_watchdog {
            states.push(NotifyState::Watchdog);
        }
        if is_well && next == Known::Starting {
            let more = u32::try_from((self.period * MORE).as_micros()).unwrap_or(u32::MAX);
            states.push(NotifyState::ExtendTimeoutUsec(more));
        }
        let status = status(next, is_well, control.watermark.load(Ordering::Acquire));
        states.push(NotifyState::Status(&status));
        let lines = states.iter().map(NotifyState::to_string).collect::<Vec<_>>();
        if self.messages.try_send(lines.join("\n")).is_ok() {
            (self.known, self.told, self.stands) = (next, now, !is_well);
        }
    }
}

/// Whether recovery has ended and every feed is up. A venue that is away is no reason to start the process again.
pub(super) fn is_up(control: &Control) -> bool {
    let is_there = |standing| matches!(standing, FeedStanding::Up | FeedStanding::Ended);
    control.recovered.load(Ordering::Acquire) && control.feeds.all().iter().all(|feed| is_there(feed.standing()))
}

/// The state in words, for `systemctl status`.
fn status(known: Known, is_well: bool, finished: u64) -> String {
    match known {
        Known::Stopping => format!("stopping after input {finished}"),
        _ if !is_well => format!("stands still: input {} is not finished", finished + 1),
        Known::Ready => format!("running, input {finished}"),
        Known::Nothing | Known::Starting => format!("starting: the journal is checked and repeated, input {finished}"),
    }
}

/// The thread: tells the manager one message after another.
fn tell(queue: &Receiver<String>) {
    signals::leave_to_others();
    for message in queue {
        // A manager that is gone cannot be told that.
        let _ = sd_notify::notify(&[NotifyState::Custom(&message)]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WATCHDOG: Duration = Duration::from_secs(10);

    /// A run that a manager with a watchdog of ten seconds looks at.
    struct Rig {
        manager: ServiceManager,
        queue: Receiver<String>,
        control: Control,
        now: Instant,
    }

    impl Rig {
        fn new() -> Rig {
            let (messages, queue) = sync_channel(MOST);
            let now = Instant::now();
            let manager = ServiceManager::telling(messages, Some(WATCHDOG), now);
            Rig { manager, queue, control: Control::default(), now }
        }

        /// A look a second later, by when the pipeline has finished so many of the inputs; the messages that it makes.
        fn look(&mut self, [turns, admitted, finished]: [u64; 3], is_ready: bool, stops: bool) -> String {
            self.control.turns.store(turns, Ordering::Relaxed);
            self.control.admitted.store(admitted, Ordering::Relaxed);
            self.control.watermark.store(finished, Ordering::Release);
            self.now += Duration::from_secs(1);
            self.manager.look(&self.control, self.now, || is_ready, stops);
            self.queue.try_iter().collect::<Vec<_>>().join("\n")
        }
    }

    #[test]
    fn pings_go_while_the_pipeline_moves_and_end_when_it_stands() {
        let mut rig = Rig::new();
        let begun = rig.look([0, 0, 0], false, false);
        assert!(begun.contains("EXTEND_TIMEOUT_USEC=30000000") && !begun.contains("READY"), "{begun}");
        assert!(rig.look([1, 5, 1], true, false).starts_with("READY=1\nWATCHDOG=1\nSTATUS=running, input 1"));
        let mut pings = |from: u64, moves: bool| {
            let at = |n| if moves { [n, n + 5, n] } else { [from + n, from + 5, from] };
            let told: Vec<_> = (from..from + 40).map(|n| rig.look(at(n), true, false)).collect();
            (told.iter().filter(|told| told.contains("WATCHDOG=1")).count(), told.join("\n"))
        };
        assert_eq!(pings(2, true).0, 8, "one in five seconds");
        // The head still takes turns, but a group behind it finishes nothing.
        let (few, told) = pings(42, false);
        assert!(few <= 1, "{told}");
        assert_eq!(told.matches("stands still: input 43").count(), 1, "it is said once: {told}");
        assert_eq!(pings(90, true).0, 8, "it moves again");
        let stopping = rig.look([200, 205, 200], true, true);
        assert!(stopping.starts_with("STOPPING=1\n"), "{stopping}");
        assert!(!rig.look([201, 205, 201], true, true).contains("STOPPING"), "once");
    }

    #[test]
    fn a_start_that_stands_asks_for_no_more_time() {
        let mut rig = Rig::new();
        rig.look([1, 5, 1], false, false);
        let told: Vec<_> = (0..60).map(|n| rig.look([2 + n, 5, 1], false, false)).collect();
        let more = told.iter().filter(|told| told.contains("EXTEND_TIMEOUT_USEC")).count();
        assert!(more <= 1, "{told:?}");
    }

    #[test]
    fn a_manager_that_takes_nothing_holds_up_nobody_and_is_told_ready_later() {
        let mut rig = Rig::new();
        for n in 0..100 {
            rig.now += WATCHDOG;
            rig.control.watermark.store(n, Ordering::Release);
            rig.manager.look(&rig.control, rig.now, || false, false);
        }
        rig.manager.look(&rig.control, rig.now, || true, false);
        assert_eq!(rig.queue.try_iter().count(), MOST);
        assert!(rig.look([1, 200, 150], true, false).starts_with("READY=1\n"));
    }
}
