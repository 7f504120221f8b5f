//! The tail: where the line ends.
//!
//! It hands each event to the sinks that take its kind, in the order of the sequence, and keeps what a summary needs.
//! The outcome hash is XXH3 (128 bit) over the 64 bytes of every outcome in order: two runs with the same hash had the
//! same outcomes. Bound: one top and one bar per instrument; no allocation after the first event of each.

use super::TradeStats;
use crate::gateway::Link;
use crate::line::{Exit, Slot, StallMeter, Stalls, Stopwatch};
use flow::records::{Anomaly, Bar, BarFlow, BookTop};
use flow::{Event, Kind, Kinds, Listings, Sink, SinkError, StateError, StateReader, StateWriter};
use ring::{Producer, Refused};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use xxhash_rust::xxh3::Xxh3;

/// What the tail knows of the run.
pub struct TailStats {
    /// What instruments are.
    pub listings: Listings,
    /// Events by kind that reached the end.
    pub kinds: BTreeMap<Kind, u64>,
    /// Anomalies by code.
    pub anomalies: BTreeMap<u16, u64>,
    /// Outcomes hashed.
    pub outcomes: u64,
    tops: Vec<Option<BookTop>>,
    bars: Vec<Option<(Bar, BarFlow)>>,
    hash: Xxh3,
    /// Of trading.
    pub trades: TradeStats,
}

impl TailStats {
    /// The hash of all outcomes so far, as hex.
    pub fn outcome_hash(&self) -> String {
        format!("{:032x}", self.hash.digest128())
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

/// The end of the line.
pub struct Tail {
    /// Take what is hashed, and nothing else: the outcome log, a comparison with one.
    logs: Vec<Box<dyn Sink>>,
    sinks: Vec<(Kinds, Box<dyn Sink>)>,
    outcomes: Kinds,
    counts: [u64; 128],
    stats: TailStats,
    bar: Bar,
    word: Arc<AtomicU64>,
    /// Takes what comes back to the head.
    returns: Option<Producer<Slot>>,
    /// Takes routes, where a gateway does.
    routes: Option<(Producer<Slot>, Arc<Link>)>,
    stalls: StallMeter,
    error: Option<SinkError>,
}

impl Tail {
    /// What the tail reads for itself.
    pub const READS: Kinds =
        Kinds::of(&[Kind::Name, Kind::Listing, Kind::Anomaly, Kind::BookTop, Kind::Bar, Kind::BarFlow])
            .or(TradeStats::READS);

    /// A tail with these sinks. `logs` take the outcomes: events that the line made, of the kinds `outcomes`, which are also
    /// hashed; `sinks` take whatever they ask for. `word` is raised to the last finished `seq`.
    pub fn new(
        logs: Vec<Box<dyn Sink>>,
        sinks: Vec<Box<dyn Sink>>,
        outcomes: Kinds,
        instruments: u32,
        word: Arc<AtomicU64>,
    ) -> Tail {
        let count = instruments as usize;
        let stats = TailStats {
            listings: Listings::default(),
            kinds: BTreeMap::new(),
            anomalies: BTreeMap::new(),
            outcomes: 0,
            tops: vec![None; count],
            bars: vec![None; count],
            hash: Xxh3::new(),
            trades: TradeStats::new(instruments, None),
        };
        let sinks = sinks.into_iter().map(|s| (s.kinds(), s)).collect();
        Tail {
            logs,
            sinks,
            outcomes,
            counts: [0; 128],
            stats,
            bar: Bar::default(),
            word,
            returns: None,
            routes: None,
            stalls: StallMeter::default(),
            error: None,
        }
    }

    /// Times orders with `stopwatch`.
    pub fn with_stopwatch(mut self, stopwatch: Option<Stopwatch>) -> Tail {
        self.stats.trades = TradeStats::new(self.stats.tops.len() as u32, stopwatch);
        self
    }

    /// Times waits for room with `stalls`.
    pub fn with_stalls(mut self, stalls: StallMeter) -> Tail {
        self.stalls = stalls;
        self
    }

    /// Takes what instruments are from before the first event.
    pub fn know(&mut self, listings: Listings) {
        self.stats.listings = listings;
    }

    /// What the summary of trading must not forget over a restart.
    pub fn save(&self, to: &mut StateWriter<'_>) {
        self.stats.trades.save(to);
    }

    /// The other way round.
    ///
    /// # Errors
    /// When the bytes are not such a state.
    pub fn load(&mut self, from: &mut StateReader<'_>) -> Result<(), StateError> {
        self.stats.trades.load(from)
    }

    /// What comes back to the head.
    pub const RETURNS: Kinds = Kinds::of(&[Kind::Route, Kind::Refused]);

    /// Hands what comes back to the head over `returns`.
    pub fn with_returns(mut self, returns: Option<Producer<Slot>>) -> Tail {
        self.returns = returns;
        self
    }

    /// Hands routes to a gateway instead.
    pub fn with_routes(mut self, routes: Option<(Producer<Slot>, Arc<Link>)>) -> Tail {
        self.routes = routes;
        self
    }

    /// Everything up to `seq` is finished already: the run begins at a snapshot.
    pub fn begin_at(&self, seq: u64) {
        self.word.store(seq, Ordering::Release);
    }

    /// Waits for room: the head takes returns inside each of its own waits.
    fn give_back(&mut self, event: &Event, relieve: &mut dyn FnMut()) {
        if event.kind == Kind::Route {
            self.stats.trades.left(event);
        }
        let to = match &mut self.routes {
            Some((routes, link)) if event.kind == Kind::Route => {
                link.route_handed_over();
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
                    relieve();
                    std::hint::spin_loop();
                }
            });
        }
    }

    /// Whether a sink has stopped the run.
    pub fn has_failed(&self) -> bool {
        self.error.as_ref().is_some_and(|e| !e.closed)
    }

    /// Ends the sinks; gives what was learnt, and why a sink stopped the run if one did.
    pub fn finish(mut self) -> (TailStats, Option<SinkError>) {
        let sinks = self.sinks.iter_mut().map(|(_, sink)| sink).chain(&mut self.logs);
        for error in sinks.filter_map(|sink| sink.end().err()) {
            self.error.get_or_insert(error);
        }
        let seen = self.counts.iter().enumerate().filter(|(_, n)| **n > 0);
        self.stats.kinds = seen.map(|(k, n)| (Kind(k as u8), *n)).collect();
        (self.stats, self.error)
    }

    #[inline]
    fn log(&mut self, event: &Event) {
        for log in &mut self.logs {
            if let Err(e) = log.take(event) {
                self.error.get_or_insert(e);
            }
        }
    }

    #[inline]
    fn observe(&mut self, event: &Event) {
        self.counts[usize::from(event.kind.0 & 127)] += 1;
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
            Kind::Name | Kind::Listing => self.stats.listings.observe(event),
            _ => self.stats.trades.observe(event),
        }
    }
}

impl Exit for Tail {
    #[inline]
    fn accept(&mut self, event: &Event, relieve: &mut dyn FnMut()) {
        if event.is_echo() {
            return;
        }
        self.observe(event);
        if event.id.position() > 0 {
            if self.outcomes.has(event.kind) {
                self.stats.outcomes += 1;
                self.stats.hash.update(bytemuck::bytes_of(event));
                self.log(event);
            }
            if Tail::RETURNS.has(event.kind) {
                self.give_back(event, relieve);
            }
        }
        if self.error.is_some() {
            return;
        }
        for (kinds, sink) in &mut self.sinks {
            if kinds.has(event.kind)
                && let Err(e) = sink.take(event)
            {
                self.error = Some(e);
                return;
            }
        }
    }

    fn finished(&mut self, seq: u64, _: &mut dyn FnMut()) {
        if self.error.is_none() {
            let mut sinks = self.sinks.iter_mut().map(|(_, sink)| sink).chain(&mut self.logs);
            self.error = sinks.find_map(|sink| sink.finished(seq).err());
        }
        self.word.store(seq, Ordering::Release);
    }

    fn ends_the_line(&self) -> bool {
        true
    }

    fn is_closed(&self) -> bool {
        self.error.is_some()
    }

    #[inline]
    fn stalls(&self) -> Stalls {
        self.stalls.stalls()
    }
}
