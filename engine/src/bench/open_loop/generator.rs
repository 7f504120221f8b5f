//! The generator as a source of the pipeline: gives what is meant to have arrived.
//!
//! Open loop with one thread. The pipeline's own thread asks for inputs; the generator looks at the clock and hands over the
//! messages whose intended time has come, however late they are by now. It never waits for the pipeline and never moves an
//! intended time, so a pipeline that falls behind is measured as such; nothing is lost against a generator on a core of its
//! own, since a message in a network card's ring also waits there until the pipeline asks. What it costs the pipeline is what
//! asking a network card would cost: a reading of the clock, and a copy of the bytes. Both are inside the measured time.
//!
//! Bound: [`TAKEN`] messages are handed over at once; one counter for each slice of the timeline.

use super::day::intended;
use super::schedule::Schedule;
use feeds::itch::ItchDecoder;
use flow::{Count, Decoder, FeedError, Inputs, Ns, Polled, Source, Window};
use quanta::Clock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

/// Messages handed over at once, at most: what a pipeline that is behind takes in one go.
const TAKEN: u64 = 8;
/// Slices of the timeline.
pub(super) const SLICES: usize = 400;
/// How long the pipeline rests between the warm-up and the first intended time.
const REST_NS: u64 = 100_000_000;

/// What generator and the end of the pipeline must both know: readings of the time stamp counter, 0 before there is one.
#[derive(Default)]
pub(super) struct Shared {
    /// At the first intended time.
    pub(super) start: AtomicU64,
    /// When the messages that are in the pipeline now were handed over.
    pub(super) taken: AtomicU64,
}

/// How the pipeline kept up.
#[derive(Clone, Debug, Default)]
pub(super) struct Pursuit {
    /// Messages measured.
    pub(super) messages: u64,
    /// When the last one was taken.
    pub(super) last_ns: u64,
    /// The most messages that waited, in each slice of the run.
    pub(super) behind: Vec<u64>,
    /// Of each span: the most that waited while the pipeline was behind because of it, and when it had caught up.
    pub(super) spans: Vec<(u64, Option<u64>)>,
}

/// Gives messages at their intended times.
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
    /// The span whose messages are taken, or which is being caught up with.
    span: usize,
    slice_ns: u64,
    /// The slice of the last look.
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

    /// Hands over the first `n` messages that wait, as bytes.
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

    /// The reading of the clock at the first intended time; `None` while the pipeline rests before it.
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

    /// Takes what is due; how many.
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

    /// Notes how far behind the pipeline is; `count` messages were taken at `passed`.
    #[inline]
    fn note(&mut self, passed: u64, count: u64) {
        let full = count == TAKEN;
        let behind = if full { self.schedule.due(passed) - self.pursuit.messages } else { count };
        let slice = ((passed / self.slice_ns) as usize).min(SLICES - 1);
        // Where the pipeline did not look for longer than a slice, what was due waited.
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
                // A second end finds the first: both say the same.
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
