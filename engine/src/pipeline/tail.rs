//! The tail: the end of the pipeline.
//!
//! Orders go first: a route leaves the moment it arrives, while everything that no order waits for is held back until the
//! turn ends. What is held back passes the observers, the stages on which no order depends, and then the records: totals,
//! hash, log and sinks. So an order waits neither for the measures that nobody acts on nor for the records of its own
//! signal, and all of these still see events in order. With a journal, a route and everything before it is logged before
//! the route leaves, because an order without a trace could not be found again after a kill.
//!
//! Bound: [`HELD`] events held back. Worst case: an order that finds the buffer full waits until that has passed, some
//! microseconds.

use super::edge::Slot;
use super::exit::{Accepts, Exit, StallMeter, Stalls};
use super::halt_causes::HaltCauses;
use super::measures::LastMeasures;
use super::quality::Quality;
use super::records::{Records, TailStats};
use super::station::Group;
use super::stopwatch::Stopwatch;
use super::trades::TradeStats;
use super::trading_state::TailState;
use crate::plan::RETURNS;
use flow::records::Route;
use flow::{
    Event, Gateway, Kind, Kinds, Listings, Sink, SinkError, StateError, StateReader, StateWriter, TradingState,
};
use ring::{Producer, Refused};
use stages::Instances;
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

    /// The events, which the buffer then no longer holds.
    #[inline]
    fn take(&mut self) -> &[Event] {
        &self.events[..std::mem::take(&mut self.len)]
    }
}

/// The way of routes to a gateway.
pub struct Routes {
    /// The ring.
    pub ring: Producer<Slot>,
    /// How many were handed over.
    pub handed_over: Arc<AtomicU64>,
}

/// The end of the pipeline.
pub struct Tail {
    /// Events that the observers and the records have yet to see.
    held: Held,
    /// Whether an order may come, for which everything else is held back.
    holds: bool,
    observers: Option<Box<Group>>,
    records: Records,
    watermark: Arc<AtomicU64>,
    /// Ring back to the head.
    returns: Option<Producer<Slot>>,
    /// The ways to gateways, by their numbers.
    routes: Vec<Routes>,
    stalls: StallMeter,
}

impl Tail {
    /// The kinds that the tail itself reads.
    pub const READS: Kinds =
        Kinds::of(&[Kind::Name, Kind::Listing, Kind::Anomaly, Kind::BookTop, Kind::Bar, Kind::BarFlow])
            .or(Quality::READS)
            .or(TradeStats::READS)
            .or(LastMeasures::READS)
            .or(HaltCauses::READS);

    /// A tail with these sinks. `logs` take the outcomes, that is, events made by the pipeline of the kinds `outcomes`, which
    /// are also hashed; `sinks` take the kinds that they ask for. Instrument numbers are below the given one, measures
    /// have these instances, and stages emit these kinds. `watermark` is raised to the last finished `seq`.
    pub fn new(
        logs: Vec<Box<dyn Sink>>,
        sinks: Vec<Box<dyn Sink>>,
        outcomes: Kinds,
        of: (u32, &Instances, Kinds),
        watermark: Arc<AtomicU64>,
    ) -> Tail {
        Tail {
            held: Held::new(),
            holds: true,
            observers: None,
            records: Records::new(logs, sinks, outcomes, of),
            watermark,
            returns: None,
            routes: Vec::new(),
            stalls: StallMeter::default(),
        }
    }

    /// Holds nothing back, as no order can come: that spares a copy of each event.
    pub fn without_orders(mut self) -> Tail {
        self.holds = false;
        self
    }

    /// Runs these stages on what is held back.
    pub fn with_observers(mut self, observers: Option<Group>) -> Tail {
        if let Some(observers) = &observers {
            self.records.behind(observers.positions());
        }
        self.observers = observers.map(Box::new);
        self
    }

    /// Takes the observers back, when everything has passed them.
    pub fn take_observers(&mut self) -> Option<Group> {
        self.flush();
        self.observers.take().map(|observers| *observers)
    }

    /// Times orders with `stopwatch`.
    pub fn with_stopwatch(mut self, stopwatch: Option<Stopwatch>) -> Tail {
        self.records.stats.trades = TradeStats::new(stopwatch);
        self
    }

    /// The stopwatch that times orders.
    pub fn stopwatch(&self) -> Option<&Stopwatch> {
        self.records.stats.trades.stopwatch()
    }

    /// Adds a sink that takes events at once.
    pub fn with_prompt(mut self, sink: Box<dyn Sink>) -> Tail {
        self.records.add_prompt(sink);
        self
    }

    /// Times waits for room with `stalls`.
    pub fn with_stalls(mut self, stalls: StallMeter) -> Tail {
        self.stalls = stalls;
        self
    }

    /// The listings so far.
    pub fn listings(&self) -> &Listings {
        &self.records.stats.listings
    }

    /// Sets the listings that a snapshot already knows.
    pub fn know(&mut self, listings: Listings) {
        self.records.stats.listings = listings;
    }

    /// Saves the totals, which must survive a restart. The pipeline must be idle.
    pub fn save(&self, to: &mut StateWriter<'_>) {
        to.begin_tail();
        self.records.save(to);
    }

    /// Restores what [`Tail::save`] wrote.
    ///
    /// # Errors
    /// When the bytes are not such a state.
    pub fn load(&mut self, from: &mut StateReader<'_>) -> Result<(), StateError> {
        self.records.load(from)
    }

    /// Sends routes and refusals back to the head over `returns`.
    pub fn with_returns(mut self, returns: Option<Producer<Slot>>) -> Tail {
        self.returns = returns;
        self
    }

    /// Sends the routes of gateways' venues to these instead, in the order of their numbers.
    pub fn with_routes(mut self, routes: Vec<Routes>) -> Tail {
        self.routes = routes;
        self
    }

    /// Sets the watermark for a run that starts from a snapshot after `seq`.
    pub fn begin_at(&self, seq: u64) {
        self.watermark.store(seq, Ordering::Release);
    }

    /// Sends a route or a refusal. Waits for room, which cannot deadlock since the head takes returns in all its own waits.
    fn send_back(&mut self, event: &Event, on_backpressure: &mut dyn FnMut()) {
        let mut outside = None;
        if let Some(route) = event.get::<Route>() {
            self.records.stats.trades.left(event);
            outside = Gateway::of_venue(route.venue).and_then(|gateway| self.routes.get_mut(gateway.number()));
        }
        let to = match outside {
            Some(routes) => {
                routes.handed_over.fetch_add(1, Ordering::Release);
                Some(&mut routes.ring)
            }
            None => self.returns.as_mut(),
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
        self.records.error().is_some_and(|e| !e.closed)
    }

    /// Ends the sinks; returns the totals, and the error of the sink that stopped the run, if one did.
    pub fn finish(mut self) -> (TailStats, Option<SinkError>) {
        self.flush();
        self.records.finish()
    }

    /// Passes the events held back to the observers, and them and what those emit to the records.
    fn flush(&mut self) {
        let Tail { held, observers, records, .. } = self;
        let held = held.take();
        match observers {
            Some(observers) => observers.process_all(held, records, &mut || ()),
            None => held.iter().for_each(|event| records.accept(event, &mut || ())),
        }
    }
}

impl Accepts for Tail {
    #[inline]
    fn accept(&mut self, event: &Event, on_backpressure: &mut dyn FnMut()) {
        if !self.holds {
            self.records.accept(event, on_backpressure);
            return self.records.hand_promptly(event);
        }
        let leaves = RETURNS.has(event.kind) && !event.is_echo();
        let full = self.held.push(event);
        // An order is logged before it leaves: a restart after a kill must find every order that did.
        if full || (leaves && self.records.logs()) {
            self.flush();
        }
        if leaves {
            self.send_back(event, on_backpressure);
        }
        self.records.hand_promptly(event);
    }
}

impl Exit for Tail {
    fn finished(&mut self, seq: u64, _: &mut dyn FnMut()) {
        self.flush();
        self.records.finished(seq);
        self.watermark.store(seq, Ordering::Release);
    }

    fn ends_the_pipeline(&self) -> bool {
        true
    }

    fn trading_state(&self, stages: &TradingState, to: &mut TailState) {
        self.records.stats.trading_state(stages, to);
    }

    fn save(&mut self, to: &mut StateWriter<'_>) {
        self.flush();
        self.observers.iter().flat_map(|observers| observers.stages()).for_each(|stage| stage.save(to));
        Tail::save(self, to);
    }

    fn change_log(&mut self, to: Box<dyn Sink>) -> Vec<Box<dyn Sink>> {
        self.flush();
        // What the log had to leave out is noted where a kill does not take it away.
        self.records.finished(self.watermark.load(Ordering::Acquire));
        self.records.change_log(to)
    }

    fn is_closed(&self) -> bool {
        self.records.error().is_some()
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
        let mut tail = Tail::new(logs, sinks, Kinds::ALL, (2, &Instances::PLAIN, Kinds::ALL), Arc::default());
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
        let tail = Tail::new(Vec::new(), Vec::new(), Kinds::ALL, (2, &Instances::PLAIN, Kinds::ALL), Arc::default());
        let mut tail = tail.with_prompt(Box::new(Log(Arc::clone(&seen))));
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
