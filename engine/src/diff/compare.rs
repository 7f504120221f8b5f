//! The comparison: a thread that reads the record and takes what the pipeline hands over.
//!
//! Slots without answers are compared as they come, outcome by outcome, as long as both sides have the same things in the same
//! order. Where they do not, or where orders are concerned, the slot is taken whole ([`super::slot`]). Bound and worst case: see
//! the module.

use super::cause::Changes;
use super::link::{Batch, Link};
use super::mask::is_of_orders;
use super::side::{From, Item, Side};
use super::slot::Slots;
use super::tally::Tally;
use crate::ingress::{Extent, Listener};
use flow::{Event, Kinds, Sink};
use sinks::journal::{HomeLog, JournalError};
use std::collections::VecDeque;
use std::io;
use std::sync::mpsc::{Receiver, Sender, TryRecvError};
use std::thread::JoinHandle;
use std::time::Duration;

/// What is compared with.
pub(crate) struct Record {
    /// The recorded outcomes.
    pub(crate) outcomes: HomeLog,
    /// Which inputs are taken.
    pub(crate) extent: Extent,
    /// The kinds that both sides have.
    pub(crate) kinds: Kinds,
    /// What changed.
    pub(crate) changes: Changes,
}

/// The ends of a comparison in the pipeline.
pub(crate) struct Ends {
    /// For the head.
    pub(crate) head: Box<dyn Listener>,
    /// For the tail: takes the outcomes.
    pub(crate) log: Box<dyn Sink>,
}

/// A comparison under way.
pub(crate) struct Comparison(JoinHandle<Result<Tally, JournalError>>);

impl Comparison {
    /// Begins; the pipeline makes outcomes of the kinds `made`.
    ///
    /// # Errors
    /// When the thread does not start.
    pub(crate) fn start(record: Record, made: Kinds) -> io::Result<(Comparison, Ends)> {
        let Link { head, tail, batches, used } = Link::new(made);
        let worker = move || Comparing::new(record).run(&batches, &used);
        let thread = std::thread::Builder::new().name("comparison".to_owned()).spawn(worker)?;
        Ok((Comparison(thread), Ends { head: Box::new(head), log: Box::new(tail) }))
    }

    /// Waits for its end, once both ends are gone: what was found.
    ///
    /// # Errors
    /// When the record cannot be read.
    pub(crate) fn end(self) -> Result<Tally, JournalError> {
        self.0.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    }
}

/// How long the comparison rests when there is nothing to compare: much less than the queue takes to fill.
const PAUSE: Duration = Duration::from_micros(500);

struct Comparing {
    record: Side,
    run: Side,
    whole: bool,
    slots: Slots,
    items: [Vec<Item>; 2],
}

impl Comparing {
    fn new(of: Record) -> Comparing {
        let Record { outcomes, extent, kinds, changes, .. } = of;
        let record = From::Record { log: Box::new(outcomes), kinds, through: extent.through };
        let run = From::Run { events: VecDeque::new(), kinds, through: extent.after };
        Comparing {
            record: Side::new(record, extent.after),
            run: Side::new(run, extent.after),
            whole: extent.is_whole,
            slots: Slots::new(changes),
            items: Default::default(),
        }
    }

    fn run(mut self, batches: &Receiver<Batch>, used: &Sender<Vec<Event>>) -> Result<Tally, JournalError> {
        loop {
            let batch = match batches.try_recv() {
                Ok(batch) => batch,
                // Nobody has to wake it, which would cost the pipeline a system call a batch.
                Err(TryRecvError::Empty) => {
                    std::thread::sleep(PAUSE);
                    continue;
                }
                Err(TryRecvError::Disconnected) => break,
            };
            match batch {
                Batch::Inputs { left_out, answers, through: [recorded, now] } => {
                    self.record.tell(left_out, recorded);
                    self.run.tell(answers, now);
                }
                Batch::Outcomes { mut events, through } => {
                    self.run.take(&mut events, through);
                    // Nobody takes it back once the pipeline has ended.
                    let _ = used.send(events);
                    self.go_on()?;
                }
            }
        }
        self.record.end(self.whole);
        self.run.end(true);
        self.go_on()?;
        Ok(self.slots.finish())
    }

    /// Compares what is complete on both sides.
    fn go_on(&mut self) -> Result<(), JournalError> {
        loop {
            if self.record.is_over() || self.run.is_over() {
                return Ok(());
            }
            let plain = self.record.plain().min(self.run.plain());
            if plain > 0 {
                self.plain(plain)?;
                continue;
            }
            let (Some(a), Some(b)) = (self.record.answered(), self.run.answered()) else { return Ok(()) };
            self.slot([self.record.seq(), self.run.seq()], [a, b])?;
            self.record.go_on(1 + a as u64);
            self.run.go_on(1 + b as u64);
        }
    }

    /// Takes a slot whole.
    #[cold]
    fn slot(&mut self, [a, b]: [u64; 2], answers: [usize; 2]) -> Result<(), JournalError> {
        self.record.collect(a, answers[0], &mut self.items[0])?;
        self.run.collect(b, answers[1], &mut self.items[1])?;
        self.slots.take(&self.items);
        Ok(())
    }

    /// Compares slots without answers.
    fn plain(&mut self, slots: u64) -> Result<(), JournalError> {
        let [begin, now] = [self.record.seq(), self.run.seq()];
        let last = slots - 1;
        loop {
            let a = self.record.peek(begin + last)?;
            let b = self.run.peek(now + last)?;
            let at = match (a, b) {
                (None, None) => break,
                (Some(a), Some(b)) => {
                    let places = (a.id.seq() - begin, b.id.seq() - now);
                    if places.0 == places.1 && !is_of_orders(a.kind) && self.slots.compare_plain(a, b) {
                        self.record.pass();
                        self.run.pass();
                        continue;
                    }
                    places.0.min(places.1)
                }
                (Some(a), None) => a.id.seq() - begin,
                (None, Some(b)) => b.id.seq() - now,
            };
            self.slot([begin + at, now + at], [0, 0])?;
        }
        self.record.go_on(slots);
        self.run.go_on(slots);
        Ok(())
    }
}
