//! How many pauses a waiting end takes between two looks at its ring, measured on the two cores that the ring joins.
//!
//! **Idea.** Each look at a line that is just changing hands is a request more that the caches must put in order, so whoever
//! looks too often delays what it waits for; whoever looks too seldom sees it late. Where the two cores lie decides which weighs
//! more, and a hypervisor moves them. So it is measured: a number goes there and back between two threads on these cores, over
//! a ring of the same kind, in short batches that take turns over 1 to [`MOST`] pauses; the least median wins.
//!
//! **Bound.** The limit that the caller gives, and the start of two threads. **Worst case.** Somebody else works on one of the
//! cores: then too few batches end within the limit, and nothing is chosen.

use std::time::{Duration, Instant};

use crate::channel::channel;
use crate::consumer::{Consumer, Taken};
use crate::idle::Idle;
use crate::kind::Kind;
use crate::producer::Producer;
use crate::slot::Slot;
use crate::thread::spawn_pinned;

/// The most pauses that are tried.
pub const MOST: u8 = 4;

/// Times there and back in a batch.
const TRIPS: u32 = 64;
/// Batches of each number of pauses, after one that warms up.
const ROUNDS: usize = 16;
/// Fewer batches decide nothing.
const LEAST: usize = 5;
/// More pauses must save this part of the time: a difference below it is noise.
const GAIN: u32 = 32;
/// Looks between two readings of the clock.
const LOOKS: u32 = 1 << 10;
/// Slots of the rings that are measured on.
const SLOTS: usize = 64;

/// What was measured between two cores.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Measured {
    /// Pauses between two looks, from 1 to [`MOST`].
    pub pauses: u8,
    /// The time of one way with them.
    pub hop: Duration,
}

impl Measured {
    /// The wait with these pauses.
    pub const fn idle(self) -> Idle {
        Idle::Pauses(self.pauses)
    }
}

/// Times of batches, by the number of pauses less one.
type Batches = [Vec<Duration>; MOST as usize];

/// Measures between two cores for at most `limit`; `beside` is what the loops do at a look that finds nothing besides waiting.
///
/// `None` if the cores are the same, a thread cannot be started on one, or too little was measured to choose.
pub fn measure(
    kind: Kind,
    cores: (usize, usize),
    limit: Duration,
    beside: impl Fn() + Clone + Send + 'static,
) -> Option<Measured> {
    if cores.0 == cores.1 {
        return None;
    }
    let (to, at) = channel(kind, SLOTS).ok()?;
    let (back, at_back) = channel(kind, SLOTS).ok()?;
    let echo_beside = beside.clone();
    let echo = spawn_pinned("pauses back", Some(cores.1), move || echo(at, back, &echo_beside)).ok()?;
    let asking = spawn_pinned("pauses", Some(cores.0), move || ask(to, at_back, limit, &beside));
    let batches = asking.ok().and_then(|asking| asking.join().ok());
    // The ring there is closed by now, so the echo ends.
    echo.join().ok()?;
    best(&batches?)
}

/// The number of pauses with the least median; more of them only if they save a [`GAIN`]th. `None` with too few batches.
fn best(batches: &Batches) -> Option<Measured> {
    let median = |times: &Vec<Duration>| {
        let mut sorted = times.clone();
        sorted.sort_unstable();
        sorted.get(sorted.len() / 2).copied().filter(|_| sorted.len() >= LEAST)
    };
    let medians = batches.iter().map(median).collect::<Option<Vec<_>>>()?;
    let mut chosen = 0;
    for more in 1..medians.len() {
        if medians[more] < medians[chosen] - medians[chosen] / GAIN {
            chosen = more;
        }
    }
    Some(Measured { pauses: chosen as u8 + 1, hop: medians[chosen] / (2 * TRIPS) })
}

/// What goes there and back: its first word says how many pauses to wait with.
#[derive(Clone, Copy, bytemuck::Pod, bytemuck::Zeroable)]
#[repr(C, align(64))]
struct Ball([u64; 8]);

impl Slot for Ball {}

fn ask(mut to: Producer<Ball>, mut back: Consumer<Ball>, limit: Duration, beside: &impl Fn()) -> Batches {
    let until = Instant::now() + limit;
    let mut batches = Batches::default();
    for round in 0..=ROUNDS {
        for (pauses, times) in (1..=MOST).zip(&mut batches) {
            let began = Instant::now();
            for _ in 0..TRIPS {
                let sent = to.try_publish(&Ball([u64::from(pauses); 8]));
                if sent.is_err() || next(&mut back, pauses, beside, Some(until)).is_none() {
                    return batches;
                }
            }
            let ended = Instant::now();
            if round > 0 {
                times.push(ended - began);
            }
            if ended >= until {
                return batches;
            }
        }
    }
    batches
}

/// Sends back what comes until the ring is closed.
fn echo(mut from: Consumer<Ball>, mut back: Producer<Ball>, beside: &impl Fn()) {
    let mut pauses = 1;
    while let Some(ball) = next(&mut from, pauses, beside, None) {
        pauses = ball.0[0] as u8;
        if back.try_publish(&ball).is_err() {
            return;
        }
    }
}

/// The next ball; `None` if none will come, or none came in time.
fn next(from: &mut Consumer<Ball>, pauses: u8, beside: &impl Fn(), until: Option<Instant>) -> Option<Ball> {
    let (mut ball, mut looks) = (None, 0_u32);
    loop {
        match from.take(1, |taken| ball = Some(*taken)) {
            Taken::Events(_) => return ball,
            Taken::Closed => return None,
            Taken::Empty => {}
        }
        beside();
        Idle::Pauses(pauses).wait(&mut looks);
        looks = looks.wrapping_add(1);
        if looks.is_multiple_of(LOOKS) && until.is_some_and(|until| Instant::now() >= until) {
            return None;
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use crate::thread::cores;

    /// Batches whose medians are these, with a late one among each.
    fn batches(medians: [u64; MOST as usize]) -> Batches {
        medians.map(|us| [us + 1, us, us - 1, us, 100_000].map(Duration::from_micros).to_vec())
    }

    fn chosen(medians: [u64; MOST as usize]) -> Option<u8> {
        best(&batches(medians)).map(|measured| measured.pauses)
    }

    #[test]
    fn the_least_median_is_chosen_and_more_pauses_only_where_they_gain() {
        assert_eq!(chosen([200, 190, 165, 180]), Some(3));
        assert_eq!(chosen([50, 60, 80, 90]), Some(1));
        assert_eq!(chosen([200, 200, 200, 120]), Some(4));
        assert_eq!(chosen([200, 195, 195, 195]), Some(1), "less than a 32nd is noise");
        assert_eq!(chosen([200, 190, 188, 187]), Some(2));
    }

    #[test]
    fn the_hop_is_the_median_of_a_way() {
        let measured = best(&batches([500, 400, 256, 300])).expect("enough batches");
        assert_eq!(measured, Measured { pauses: 3, hop: Duration::from_micros(256) / 128 });
        assert_eq!(measured.idle(), Idle::Pauses(3));
    }

    #[test]
    fn too_few_batches_decide_nothing() {
        assert_eq!(best(&Batches::default()), None);
        let mut few = batches([4, 3, 2, 1]);
        few[2].truncate(LEAST - 1);
        assert_eq!(best(&few), None);
    }

    #[test]
    fn two_cores_are_measured_within_the_limit_and_one_is_not() {
        let cores = cores();
        let limit = Duration::from_secs(5);
        for kind in Kind::ALL {
            assert_eq!(measure(kind, (cores[0], cores[0]), limit, || ()), None);
            assert_eq!(measure(kind, (cores[0], usize::MAX), limit, || ()), None, "no such core");
            if let [first, second, ..] = cores[..] {
                assert_eq!(measure(kind, (first, second), Duration::ZERO, || ()), None, "no time");
                // On a busy machine nothing may be chosen; what is chosen makes sense.
                if let Some(measured) = measure(kind, (first, second), limit, || ()) {
                    assert!((1..=MOST).contains(&measured.pauses) && measured.hop > Duration::ZERO, "{measured:?}");
                }
            }
        }
    }
}
