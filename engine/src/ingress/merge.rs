//! The merge: many sources, one sequence.

use super::{Admitted, Clock, Head, IngressError, Origin, TickSource};
use flow::records::{EndOfInput, Listing};
use flow::{Event, EventId, Flags, Inputs, Kind, Mic, Ns, Polled, Source, What};
use sinks::journal::InputLog;
use std::sync::mpsc::Sender;

/// A source with its place in the merge.
pub struct Feeding {
    /// Name of the input, for messages and rows.
    pub name: String,
    source: Box<dyn Source>,
    queue: Inputs,
    /// Added to local instruments other than 0.
    base: u32,
    /// Ordinal in the plan, from 1.
    id: u8,
    ended: bool,
    records: u64,
    inputs: u64,
}

impl Feeding {
    /// Inputs that wait for the merge.
    const QUEUE: usize = 1_024;

    /// The `id`th source, whose instruments follow `base`.
    pub fn new(name: String, source: Box<dyn Source>, id: u8, base: u32) -> Feeding {
        let queue = Inputs::with_capacity(Self::QUEUE);
        Feeding { name, source, queue, base, id, ended: false, records: 0, inputs: 0 }
    }

    /// Records of the file that gave inputs, as far as admitted.
    pub fn records(&self) -> u64 {
        self.records
    }

    /// Inputs admitted.
    pub fn inputs(&self) -> u64 {
        self.inputs
    }

    /// What the source counted.
    pub fn counts(&self) -> Vec<flow::Count> {
        self.source.counts()
    }

    /// What the source warns of.
    pub fn warnings(&self) -> Vec<String> {
        self.source.warnings()
    }
}

/// What is next in the merge.
enum Choice {
    Feed(usize, Ns),
    Tick(Ns),
    Pending,
    Exhausted,
}

/// The merging ingress.
pub struct Ingress {
    feeds: Vec<Feeding>,
    ticks: TickSource,
    clock: Clock,
    now: Ns,
    seq: u64,
    /// Inputs by instrument.
    activity: Vec<u64>,
    log: Option<InputLog>,
    origins: Option<Sender<Origin>>,
    ended: bool,
}

impl Ingress {
    /// Merges `feeds`, whose instruments are below `instruments`.
    pub fn new(feeds: Vec<Feeding>, ticks: TickSource, clock: Clock, instruments: u32) -> Ingress {
        let activity = vec![0; instruments as usize];
        Ingress { feeds, ticks, clock, now: Ns(0), seq: 0, activity, log: None, origins: None, ended: false }
    }

    /// Stores every input in `log` before the line sees it.
    pub fn with_log(mut self, log: Option<InputLog>) -> Ingress {
        self.log = log;
        self
    }

    /// Tells where each input came from.
    pub fn with_origins(mut self, origins: Option<Sender<Origin>>) -> Ingress {
        self.origins = origins;
        self
    }

    /// The sources.
    pub fn feeds(&self) -> &[Feeding] {
        &self.feeds
    }

    /// Inputs by instrument.
    pub fn activity(&self) -> &[u64] {
        &self.activity
    }

    /// Closes the input log: what it holds is sealed.
    pub fn take_log(&mut self) -> Option<InputLog> {
        self.log.take()
    }

    /// The next input in the order of the merge.
    fn choose(&mut self) -> Result<Choice, IngressError> {
        let mut best: Option<(Ns, usize)> = None;
        let mut pending = false;
        for (i, feed) in self.feeds.iter_mut().enumerate() {
            if feed.queue.is_empty() && !feed.ended {
                match feed.source.poll(&mut feed.queue) {
                    Ok(Polled::Ready) => {}
                    Ok(Polled::Idle(_)) => pending = true,
                    Ok(Polled::Ended) => feed.ended = true,
                    Err(error) => return Err(IngressError::Source { input: feed.name.clone(), error }),
                }
            }
            if let Some((event, _)) = feed.queue.front() {
                let due = self.clock.wall().unwrap_or(event.ts).max(self.now);
                if best.is_none_or(|(least, _)| due < least) {
                    best = Some((due, i));
                }
            }
        }
        let tick = self.ticks.due();
        Ok(match (best, self.clock.wall()) {
            (_, Some(wall)) if tick <= wall => Choice::Tick(tick),
            (Some((due, i)), Some(_)) => Choice::Feed(i, due),
            (_, None) | (None, Some(_)) if pending => Choice::Pending,
            (Some((due, _)), None) if tick <= due => Choice::Tick(tick),
            (Some((due, i)), None) => Choice::Feed(i, due),
            (None, _) => Choice::Exhausted,
        })
    }

    /// Numbers, times and logs an event, and hands it over.
    fn stamp(&mut self, mut event: Event, ts: Ns, deliver: &mut dyn FnMut(&Event)) -> Result<(), IngressError> {
        assert!(self.seq < EventId::MAX_SEQ, "the sequence is used up: start a new journal");
        self.seq += 1;
        self.now = self.now.max(ts);
        event.id = EventId::new(self.seq, 0, 0);
        event.ts = self.now;
        if let Some(log) = &mut self.log
            && let Err(e) = log.append(&event)
        {
            self.seq -= 1;
            self.ended = true;
            return Err(IngressError::Log(e));
        }
        deliver(&event);
        Ok(())
    }

    fn admit_feed(&mut self, i: usize, ts: Ns, deliver: &mut dyn FnMut(&Event)) -> Result<(), IngressError> {
        let feed = &mut self.feeds[i];
        let (event, record) = feed.queue.front().map(|(e, r)| (*e, r)).expect("the merge chose a waiting input");
        feed.queue.pop();
        feed.records = feed.records.max(record);
        feed.inputs += 1;
        let mut event = event;
        event.source = feed.id;
        if event.instrument != 0 {
            event.instrument += feed.base;
            if let Some(count) = self.activity.get_mut(event.instrument as usize) {
                *count += 1;
            }
        }
        if event.kind == Kind::Listing {
            let calendar = Mic(event.record::<Listing>().calendar);
            self.ticks.listed(event.instrument, flow::zone_of(calendar));
        }
        self.origin(Some(i), Some(record), &event);
        self.ticks.activity(ts);
        self.stamp(event, ts, deliver)
    }

    fn origin(&self, input: Option<usize>, record: Option<u64>, event: &Event) {
        if let Some(origins) = &self.origins {
            let origin = Origin { seq: self.seq + 1, input, record, exchange_ts: event.exchange_ts() };
            // Nobody listens any more only when the rows have ended, and then the run ends too.
            let _ = origins.send(origin);
        }
    }

    fn admit_own(&mut self, event: Event, deliver: &mut dyn FnMut(&Event)) -> Result<(), IngressError> {
        self.origin(None, None, &event);
        let ts = event.ts;
        self.stamp(event, ts, deliver)
    }

    fn tick(&mut self, due: Ns, deliver: &mut dyn FnMut(&Event)) -> Result<(), IngressError> {
        let tick = self.ticks.take();
        self.admit_own(Event::new(due, 0, Flags::NONE, &tick), deliver)
    }

    /// All sources ended: ticks run to the last open boundary, then the end of input enters.
    fn finish(&mut self, deliver: &mut dyn FnMut(&Event)) -> Result<Admitted, IngressError> {
        let due = self.ticks.due();
        if due != Ns::NONE {
            self.tick(due, deliver)?;
            return Ok(Admitted::One);
        }
        let end = EndOfInput { inputs: self.seq, ..EndOfInput::default() };
        self.ended = true;
        self.admit_own(Event::new(self.now, 0, Flags::LAST_OF_GROUP, &end), deliver)?;
        Ok(Admitted::One)
    }
}

impl Head for Ingress {
    fn begin_turn(&mut self) {
        self.clock.begin_turn();
    }

    fn admit(&mut self, deliver: &mut dyn FnMut(&Event)) -> Result<Admitted, IngressError> {
        if self.ended {
            return Ok(Admitted::Ended);
        }
        if let Some(back) = self.clock.take_step_back() {
            self.admit_own(What::BackwardClock.event(self.now, 0, Ns::NONE, back), deliver)?;
            return Ok(Admitted::One);
        }
        match self.choose()? {
            Choice::Feed(i, ts) => self.admit_feed(i, ts, deliver)?,
            Choice::Tick(due) => self.tick(due, deliver)?,
            Choice::Pending => return Ok(Admitted::Pending),
            Choice::Exhausted => return self.finish(deliver),
        }
        Ok(Admitted::One)
    }

    fn stop(&mut self) {
        for feed in &mut self.feeds {
            feed.ended = true;
            feed.queue = Inputs::with_capacity(0);
        }
    }

    fn seq(&self) -> u64 {
        self.seq
    }
}
