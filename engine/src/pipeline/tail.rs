//! The tail: the end of the pipeline.
//!
//! It hands each event to the sinks that take its kind, in sequence order, and keeps the totals for the summary. Orders go
//! first: a route leaves the moment it arrives, while everything that is only recorded (log, hash, counts, sinks) is held
//! back until its input is finished, so that an order does not wait behind the records of its own signal. Each sink still
//! sees events in order. With a journal, a route and everything before it is logged before the route leaves, because an
//! order without a trace could not be found again after a kill.
//!
//! Bound: [`HELD`] events held back; one top and one bar per instrument; no allocation after
//! the first event of each. Worst case: an order that finds the buffer full waits until it is written out, some
//! microseconds.

use super::edge::Slot;
use super::exit::{Exit, StallMeter, Stalls};
use super::halt_causes::HaltCauses;
use super::measures::LastMeasures;
use super::outcome_hash::OutcomeHash;
use super::stopwatch::Stopwatch;
use super::trades::TradeStats;
use super::trading_state::TailState;
use crate::plan::RETURNS;
use flow::records::{Anomaly, Bar, BarFlow, BookTop};
use flow::{Event, Kind, Kinds, Listings, Sink, SinkError, StateError, StateReader, StateWriter, TradingState};
use ring::{Producer, Refused};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Most events held back at once.
const HELD: usize = 64;

/// A buffer of up to [`HELD`] events, in order.
struct Held {
    events: Box<[Event; HELD]>,
    len: usize,
}

impl Held {
    fn new() -> Held {
        let events = vec![bytemuck::Zeroable::zeroed(); HELD].into_boxed_slice();
        Held { events: events.try_into().unwrap_or_else(|_| unreachable!("made with that length")), len: 0 }
    }

    /// Adds an event; `true` when the buffer is now full.
    #[inline]
    fn push(&mut self, event: &Event) -> bool {
        self.events[self.len] = *event;
        self.len += 1;
        self.len == HELD
    }
}

/// Totals of the run.
pub struct TailStats {
    /// The listings.
    pub listings: Listings,
    /// Events by kind that reached the end.
    pub kinds: BTreeMap<Kind, u64>,
    /// Anomalies by code.
    pub anomalies: BTreeMap<u16, u64>,
    /// Outcomes hashed.
    pub outcomes: u64,
    tops: Box<[Option<BookTop>]>,
    bars: Box<[Option<(Bar, BarFlow)>]>,
    hash: OutcomeHash,
    /// Trading totals.
    pub trades: TradeStats,
    /// Last values of the measures.
    pub measures: LastMeasures,
    pub(super) halts: HaltCauses,
}

impl TailStats {
    /// The hash of all outcomes so far, as hex.
    pub fn outcome_hash(&self) -> String {
        format!("{:032x}", self.hash.digest())
    }

    /// Saves all totals, so that a run that goes on from a snapshot counts what the whole journal holds.
    fn save(&self, counts: &[u64; Kind::COUNT], to: &mut StateWriter<'_>) {
        let seen = counts.iter().enumerate().filter(|(_, n)| **n > 0);
        to.put(&seen.map(|(kind, n)| (kind as u8, *n)).collect::<Vec<_>>());
        to.put(&self.anomalies.iter().map(|(code, n)| (*code, *n)).collect::<Vec<_>>());
        to.put(&self.outcomes);
        self.hash.save(to);
        self.trades.save(to);
        self.measures.save(to);
        self.halts.save(to);
        let tops =
            self.tops.iter().enumerate().filter_map(|(i, top)| Some((i as u32, bytemuck::bytes_of(top.as_ref()?))));
        to.put(&tops.map(|(i, top)| (to.key(i), top.to_vec())).collect::<Vec<_>>());
        let bars = self.bars.iter().enumerate().filter_map(|(i, bar)| Some((i as u32, bar.as_ref()?)));
        let bytes = |bar: &(Bar, BarFlow)| [bytemuck::bytes_of(&bar.0), bytemuck::bytes_of(&bar.1)].concat();
        to.put(&bars.map(|(i, bar)| (to.key(i), bytes(bar))).collect::<Vec<_>>());
    }

    fn load(&mut self, counts: &mut [u64; Kind::COUNT], from: &mut StateReader<'_>) -> Result<(), StateError> {
        from.get::<Vec<(u8, u64)>>()?.into_iter().for_each(|(kind, n)| counts[usize::from(kind)] = n);
        self.anomalies = from.get::<Vec<(u16, u64)>>()?.into_iter().collect();
        self.outcomes = from.get()?;
        self.hash.load(from)?;
        self.trades.load(from)?;
        self.measures.load(from)?;
        self.halts = HaltCauses::load(from)?;
        for (key, bytes) in from.get::<Vec<(String, Vec<u8>)>>()? {
            if let Some(top) = self.tops.get_mut(from.instrument(&key)? as usize) {
                *top = Some(record(&bytes)?);
            }
        }
        for (key, bytes) in from.get::<Vec<(String, Vec<u8>)>>()? {
            let (bar, flow) = bytes.split_at_checked(size_of::<Bar>()).ok_or(SHORT)?;
            if let Some(last) = self.bars.get_mut(from.instrument(&key)? as usize) {
                *last = Some((record(bar)?, record(flow)?));
            }
        }
        Ok(())
    }

    /// The last best bid and ask of an instrument.
    pub fn top(&self, instrument: u32) -> Option<&BookTop> {
        self.tops.get(instrument as usize).and_then(Option::as_ref)
    }

    /// The last bar of an instrument.
    pub fn bar(&self, instrument: u32) -> Option<&(Bar, BarFlow)> {
        self.bars.get(instrument as usize).and_then(Option::as_ref)
    }
}

const SHORT: StateError = StateError::Inconsistent("a record of another size");

/// A record of a saved state.
fn record<R: bytemuck::AnyBitPattern>(bytes: &[u8]) -> Result<R, StateError> {
    bytemuck::try_pod_read_unaligned(bytes).map_err(|_| SHORT)
}

/// The end of the pipeline.
pub struct Tail {
    /// Sinks that take exactly the hashed outcomes: the outcome log, or a comparison with one.
    logs: Vec<Box<dyn Sink>>,
    sinks: Vec<(Kinds, Box<dyn Sink>)>,
    /// Sinks that take events at once, and the union of their kinds.
    prompt: Vec<(Kinds, Box<dyn Sink>)>,
    promptly: Kinds,
    /// Events that all other sinks have yet to see.
    held: Held,
    outcomes: Kinds,
    counts: [u64; Kind::COUNT],
    stats: TailStats,
    bar: Bar,
    watermark: Arc<AtomicU64>,
    /// Ring back to the head.
    returns: Option<Producer<Slot>>,
    /// Ring to the gateway, where there is one, and the counter of routes handed over.
    routes: Option<(Producer<Slot>, Arc<AtomicU64>)>,
    stalls: StallMeter,
    error: Option<SinkError>,
}

impl Tail {
    /// The kinds that the tail itself reads.
    pub const READS: Kinds =
        Kinds::of(&[Kind::Name, Kind::Listing, Kind::Anomaly, Kind::BookTop, Kind::Bar, Kind::BarFlow])
            .or(TradeStats::READS)
            .or(LastMeasures::READS)
            .or(HaltCauses::READS);

    /// A tail with these sinks. `logs` take the outcomes, that is, events made by the pipeline of the kinds `outcomes`, which
    /// are also hashed; `sinks` take the kinds that they ask for. `watermark` is raised to the last finished `seq`.
    pub fn new(
        logs: Vec<Box<dyn Sink>>,
        sinks: Vec<Box<dyn Sink>>,
        outcomes: Kinds,
        instruments: u32,
        watermark: Arc<AtomicU64>,
    ) -> Tail {
        let count = instruments as usize;
        let stats = TailStats {
            listings: Listings::default(),
            kinds: BTreeMap::new(),
            anomalies: BTreeMap::new(),
            outcomes: 0,
            tops: flow::table(count, None),
            bars: flow::table(count, None),
            hash: OutcomeHash::new(),
            trades: TradeStats::new(None),
            measures: LastMeasures::new(instruments),
            halts: HaltCauses::default(),
        };
        let (prompt, sinks): (Vec<_>, Vec<_>) =
            sinks.into_iter().map(|s| (s.kinds(), s)).partition(|(_, s)| s.is_prompt());
        Tail {
            logs,
            sinks,
            promptly: prompt.iter().fold(Kinds::NONE, |all, (kinds, _)| all.or(*kinds)),
            prompt,
            held: Held::new(),
            outcomes,
            counts: [0; Kind::COUNT],
            stats,
            bar: Bar::default(),
            watermark,
            returns: None,
            routes: None,
            stalls: StallMeter::default(),
            error: None,
        }
    }

    /// Times orders with `stopwatch`.
    pub fn with_stopwatch(mut self, stopwatch: Option<Stopwatch>) -> Tail {
        self.stats.trades = TradeStats::new(stopwatch);
        self
    }

    /// The stopwatch that times orders.
    pub fn stopwatch(&self) -> Option<&Stopwatch> {
        self.stats.trades.stopwatch()
    }

    /// Adds a sink that takes events at once.
    pub fn with_prompt(mut self, sink: Option<Box<dyn Sink>>) -> Tail {
        if let Some(sink) = sink {
            let kinds = sink.kinds();
            self.promptly = self.promptly.or(kinds);
            self.prompt.push((kinds, sink));
        }
        self
    }

    /// Times waits for room with `stalls`.
    pub fn with_stalls(mut self, stalls: StallMeter) -> Tail {
        self.stalls = stalls;
        self
    }

    /// Sets the listings that a snapshot already knows.
    pub fn know(&mut self, listings: Listings) {
        self.stats.listings = listings;
    }

    /// Saves the totals, which must survive a restart. The pipeline must be idle.
    pub fn save(&self, to: &mut StateWriter<'_>) {
        self.stats.save(&self.counts, to);
    }

    /// Restores what [`Tail::save`] wrote.
    ///
    /// # Errors
    /// When the bytes are not such a state.
    pub fn load(&mut self, from: &mut StateReader<'_>) -> Result<(), StateError> {
        self.stats.load(&mut self.counts, from)
    }

    /// Sends routes and refusals back to the head over `returns`.
    pub fn with_returns(mut self, returns: Option<Producer<Slot>>) -> Tail {
        self.returns = returns;
        self
    }

    /// Sends routes to a gateway instead, and counts them.
    pub fn with_routes(mut self, routes: Option<(Producer<Slot>, Arc<AtomicU64>)>) -> Tail {
        self.routes = routes;
        self
    }

    /// Sets the watermark for a run that starts from a snapshot after `seq`.
    pub fn begin_at(&self, seq: u64) {
        self.watermark.store(seq, Ordering::Release);
    }

    /// Sends a route or a refusal. Waits for room, which cannot deadlock since the head takes returns in all its own waits.
    fn send_back(&mut self, event: &Event, on_backpressure: &mut dyn FnMut()) {
        if event.kind == Kind::Route {
            self.stats.trades.left(event);
        }
        let to = match &mut self.routes {
            Some((routes, handed_over)) if event.kind == Kind::Route => {
                handed_over.fetch_add(1, Ordering::Release);
                Some(routes)
            }
            _ => self.returns.as_mut(),
        };
        let Some(returns) = to else {
            return;
        };
        let slot = bytemuck::cast_ref(event);
        if returns.try_publish(slot) == Err(Refused::Full) {
            self.stalls.time(|| {
                while returns.try_publish(slot) == Err(Refused::Full) {
                    on_backpressure();
                    std::hint::spin_loop();
                }
            });
        }
    }

    /// Whether a sink has failed; one whose reader closed it does not count.
    pub fn has_failed(&self) -> bool {
        self.error.as_ref().is_some_and(|e| !e.closed)
    }

    /// Ends the sinks; returns the totals, and the error of the sink that stopped the run, if one did.
    pub fn finish(mut self) -> (TailStats, Option<SinkError>) {
        self.flush();
        let mut error = self.error.take();
        for e in self.all_sinks().filter_map(|sink| sink.end().err()) {
            error.get_or_insert(e);
        }
        let seen = self.counts.iter().enumerate().filter(|(_, n)| **n > 0);
        self.stats.kinds = seen.map(|(k, n)| (Kind(k as u8), *n)).collect();
        (self.stats, error)
    }

    fn all_sinks(&mut self) -> impl Iterator<Item = &mut Box<dyn Sink>> {
        self.sinks.iter_mut().chain(&mut self.prompt).map(|(_, sink)| sink).chain(&mut self.logs)
    }

    /// Hands the held-back events to the totals, the logs and the sinks.
    fn flush(&mut self) {
        for at in 0..self.held.len {
            let event = self.held.events[at];
            self.observe(&event);
            if event.id.position() > 0 && self.outcomes.has(event.kind) {
                self.stats.outcomes += 1;
                self.stats.hash.push(&event);
                for log in &mut self.logs {
                    if let Err(e) = log.take(&event) {
                        self.error.get_or_insert(e);
                    }
                }
            }
            hand(&mut self.sinks, &event, &mut self.error);
        }
        self.held.len = 0;
    }

    #[inline]
    fn observe(&mut self, event: &Event) {
        self.counts[usize::from(event.kind.0)] += 1;
        let instrument = event.instrument as usize;
        match event.kind {
            Kind::BookTop => {
                if let Some(top) = self.stats.tops.get_mut(instrument) {
                    *top = Some(*event.record());
                }
            }
            Kind::Bar => self.bar = *event.record(),
            Kind::BarFlow => {
                if let Some(bar) = self.stats.bars.get_mut(instrument) {
                    *bar = Some((self.bar, *event.record()));
                }
            }
            Kind::Anomaly => *self.stats.anomalies.entry(event.record::<Anomaly>().what).or_default() += 1,
            Kind::Name => {
                self.stats.listings.observe(event);
                self.stats.halts.observe(event);
            }
            Kind::Listing => self.stats.listings.observe(event),
            Kind::Command | Kind::Halt | Kind::CommandOutcome => self.stats.halts.observe(event),
            _ => {
                self.stats.trades.observe(event);
                self.stats.measures.observe(event);
            }
        }
    }
}

/// Hands an event to the sinks that take its kind, until one fails.
#[inline]
fn hand(sinks: &mut [(Kinds, Box<dyn Sink>)], event: &Event, error: &mut Option<SinkError>) {
    for (_, sink) in sinks.iter_mut().filter(|(kinds, _)| kinds.has(event.kind)) {
        if error.is_none() {
            *error = sink.take(event).err();
        }
    }
}

impl Exit for Tail {
    #[inline]
    fn accept(&mut self, event: &Event, on_backpressure: &mut dyn FnMut()) {
        if event.is_echo() {
            return;
        }
        let leaves = RETURNS.has(event.kind) && event.id.position() > 0;
        let full = self.held.push(event);
        // An order is logged before it leaves: a restart after a kill must find every order that did.
        if full || (leaves && !self.logs.is_empty()) {
            self.flush();
        }
        if leaves {
            self.send_back(event, on_backpressure);
        }
        if self.promptly.has(event.kind) {
            hand(&mut self.prompt, event, &mut self.error);
        }
    }

    fn finished(&mut self, seq: u64, _: &mut dyn FnMut()) {
        self.flush();
        if self.error.is_none() {
            let error = self.all_sinks().find_map(|sink| sink.finished(seq).err());
            self.error = error;
        }
        self.watermark.store(seq, Ordering::Release);
    }

    fn ends_the_pipeline(&self) -> bool {
        true
    }

    fn trading_state(&self, stages: &TradingState, to: &mut TailState) {
        self.stats.trading_state(stages, to);
    }

    fn is_closed(&self) -> bool {
        self.error.is_some()
    }

    #[inline]
    fn stalls(&self) -> Stalls {
        self.stalls.stalls()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flow::EventId;
    use flow::records::{Route, Signal};
    use std::sync::Mutex;

    /// Records the kinds that it takes.
    struct Log(Arc<Mutex<Vec<Kind>>>);

    impl Sink for Log {
        fn kinds(&self) -> Kinds {
            Kinds::ALL
        }

        fn take(&mut self, event: &Event) -> Result<(), SinkError> {
            self.0.lock().unwrap().push(event.kind);
            Ok(())
        }

        fn finished(&mut self, _: u64) -> Result<(), SinkError> {
            Ok(())
        }
    }

    /// Passes a signal and a route; returns what the log, or the sink, has before the input is finished, and after.
    fn seen(logged: bool) -> (Vec<Kind>, Vec<Kind>) {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let to: Vec<Box<dyn Sink>> = vec![Box::new(Log(Arc::clone(&seen)))];
        let (logs, sinks) = if logged { (to, Vec::new()) } else { (Vec::new(), to) };
        let mut tail = Tail::new(logs, sinks, Kinds::ALL, 2, Arc::default());
        let mut signal = Event::new(flow::Ns(1), 1, flow::Flags::NONE, &Signal::default());
        let mut route = Event::new(flow::Ns(1), 1, flow::Flags::NONE, &Route::default());
        (signal.id, route.id) = (EventId::new(1, 7, 0), EventId::new(1, 10, 0));
        tail.accept(&signal, &mut || ());
        assert!(seen.lock().unwrap().is_empty(), "the signal is held back");
        tail.accept(&route, &mut || ());
        let before = seen.lock().unwrap().clone();
        tail.finished(1, &mut || ());
        let after = seen.lock().unwrap().clone();
        (before, after)
    }

    #[test]
    fn a_prompt_sink_has_an_event_before_its_input_is_finished() {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let tail = Tail::new(Vec::new(), Vec::new(), Kinds::ALL, 2, Arc::default());
        let mut tail = tail.with_prompt(Some(Box::new(Log(Arc::clone(&seen)))));
        tail.accept(&Event::new(flow::Ns(1), 1, flow::Flags::NONE, &Signal::default()), &mut || ());
        assert_eq!(*seen.lock().unwrap(), [Kind::Signal]);
    }

    #[test]
    fn an_order_is_logged_before_it_leaves() {
        let all = vec![Kind::Signal, Kind::Route];
        assert_eq!(seen(true), (all.clone(), all.clone()));
        assert_eq!(seen(false), (Vec::new(), all));
    }
}
