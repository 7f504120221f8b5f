//! The generator: a source that delivers messages at their intended times.
//!
//! Open loop on one thread. The pipeline's own thread polls for inputs; the generator reads the clock and delivers the
//! messages whose intended time has come, however late they are. It never waits for the pipeline and never moves an
//! intended time, so a pipeline that falls behind is measured as such. A generator on its own core would show no more: a
//! message in a network card's ring also waits until it is polled. The cost to the pipeline is that of polling a network
//! card, a clock reading and a copy of the bytes; both are inside the measured time.
//!
//! Bound: [`TAKEN`] messages are delivered at once; one counter per slice of the timeline.

use super::day::intended;
use super::schedule::Schedule;
use feeds::itch::ItchDecoder;
use flow::{Count, Decoder, FeedError, Inputs, Ns, Polled, Source, Window};
use quanta::Clock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

/// Most messages delivered at once: what a late pipeline takes in one turn.
const TAKEN: u64 = 8;
/// Slices of the timeline.
pub(super) const SLICES: usize = 400;
/// Pause between the warm-up and the first intended time.
const REST_NS: u64 = 100_000_000;

/// State shared by the generator and the end of the pipeline: readings of the time stamp counter, 0 = none yet.
#[derive(Default)]
pub(super) struct Shared {
    /// At the first intended time.
    pub(super) start: AtomicU64,
    /// When the messages now in the pipeline were delivered.
    pub(super) taken: AtomicU64,
}

/// How the pipeline kept up.
#[derive(Clone, Debug, Default)]
pub(super) struct Pursuit {
    /// Number of measured messages.
    pub(super) messages: u64,
    /// When the last one was taken.
    pub(super) last_ns: u64,
    /// Most messages waiting, in each slice of the run.
    pub(super) behind: Vec<u64>,
    /// For each span: most messages waiting until its backlog was drained, and when it was drained.
    pub(super) spans: Vec<(u64, Option<u64>)>,
}

/// Delivers messages at their intended times.
pub(super) struct Generator {
    decoder: ItchDecoder,
    window: Window,
    bytes: Arc<[u8]>,
    at: usize,
    warm: u64,
    schedule: Arc<Schedule>,
    clock: Clock,
    rest: Option<u64>,
    shared: Arc<Shared>,
    pursuit: Pursuit,
    /// The span whose messages are being taken, or whose backlog is being drained.
    span: usize,
    slice_ns: u64,
    /// The slice of the last poll.
    slice: usize,
    done: Arc<OnceLock<Pursuit>>,
}

impl Generator {
    pub(super) fn new(
        (bytes, warm, date): (Arc<[u8]>, u64, chrono::NaiveDate),
        schedule: Arc<Schedule>,
        shared: Arc<Shared>,
        done: Arc<OnceLock<Pursuit>>,
    ) -> Generator {
        let pursuit =
            Pursuit { behind: vec![0; SLICES], spans: vec![(0, None); schedule.spans().len()], ..Pursuit::default() };
        Generator {
            decoder: ItchDecoder::new(Some(date)),
            window: Window::with_capacity(64 << 10),
            bytes,
            at: 0,
            warm,
            slice_ns: schedule.ends_ns() / SLICES as u64 + 1,
            schedule,
            clock: Clock::new(),
            rest: None,
            shared,
            pursuit,
            span: 0,
            slice: 0,
            done,
        }
    }

    /// Delivers the first `n` waiting messages, as bytes.
    fn take(&mut self, n: usize) {
        self.window.append(&self.bytes[self.at..self.at + n]);
        self.at += n;
    }

    fn warm_up(&mut self) {
        let (mut len, mut count) = (0, 0);
        while count < TAKEN.min(self.warm) {
            len += intended(&self.bytes[self.at + len..]).1;
            count += 1;
        }
        self.warm -= count;
        self.take(len);
    }

    /// The clock reading at the first intended time; `None` during the pause before it.
    #[inline]
    fn started(&mut self, now: u64) -> Option<u64> {
        let start = self.shared.start.load(Ordering::Relaxed);
        if start != 0 {
            return Some(start);
        }
        let rest = *self.rest.get_or_insert(now);
        if self.clock.delta_as_nanos(rest, now) < REST_NS {
            return None;
        }
        self.shared.start.store(now, Ordering::Relaxed);
        Some(now)
    }

    /// Takes the messages that are due, and returns their number.
    #[inline]
    fn take_due(&mut self, passed: u64) -> u64 {
        let (mut len, mut count) = (0, 0);
        let left = self.schedule.messages() - self.pursuit.messages;
        while count < TAKEN.min(left) {
            let (at, frame) = intended(&self.bytes[self.at + len..]);
            if at.is_none_or(|at| at > passed) {
                break;
            }
            len += frame;
            count += 1;
        }
        if count > 0 {
            self.take(len);
        }
        count
    }

    /// Records how far behind the pipeline is; `count` messages were taken at `passed`.
    #[inline]
    fn note(&mut self, passed: u64, count: u64) {
        let full = count == TAKEN;
        let behind = if full { self.schedule.due(passed) - self.pursuit.messages } else { count };
        let slice = ((passed / self.slice_ns) as usize).min(SLICES - 1);
        // If the pipeline did not poll for longer than a slice, the messages due in it were waiting.
        for missed in self.slice + 1..slice {
            let due = self.schedule.due((missed as u64 + 1) * self.slice_ns);
            self.pursuit.behind[missed] = due - self.pursuit.messages;
        }
        self.slice = slice;
        self.pursuit.behind[slice] = self.pursuit.behind[slice].max(behind);
        let spans = self.schedule.spans();
        let (most, caught_up) = &mut self.pursuit.spans[self.span];
        *most = behind.max(*most);
        if passed as f64 >= spans[self.span].end_ns && !full {
            *caught_up = Some(passed);
            self.span = (self.span + 1).min(spans.len() - 1);
        }
        self.pursuit.messages += count;
        self.pursuit.last_ns = passed;
    }
}

impl Source for Generator {
    #[inline]
    fn poll(&mut self, to: &mut Inputs) -> Result<Polled, FeedError> {
        if self.warm > 0 {
            self.warm_up();
        } else {
            let now = self.clock.raw();
            let Some(start) = self.started(now) else { return Ok(Polled::Idle(Ns::NONE)) };
            let passed = self.clock.delta_as_nanos(start, now);
            let count = self.take_due(passed);
            if count == 0 {
                if self.pursuit.messages < self.schedule.messages() {
                    return Ok(Polled::Idle(Ns::NONE));
                }
                // A second end finds the value set, and both are the same.
                let _ = self.done.set(self.pursuit.clone());
                return Ok(Polled::Ended);
            }
            self.shared.taken.store(now, Ordering::Relaxed);
            self.note(passed, count);
        }
        self.decoder.decode(std::slice::from_mut(&mut self.window), to)?;
        Ok(if to.is_empty() { Polled::Idle(Ns::NONE) } else { Polled::Ready })
    }

    fn instruments(&self) -> u32 {
        self.decoder.instruments()
    }

    fn counts(&self) -> Vec<Count> {
        self.decoder.counts()
    }
}
