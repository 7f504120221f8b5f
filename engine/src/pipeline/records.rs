//! What the end of the pipeline keeps of the events: totals, logs and rows.
//!
//! Every event that reaches the end is counted here once, in order; the outcomes are hashed and logged, and each sink gets
//! the kinds that it takes. Bound: one top and one bar per instrument; no allocation after the first event of each. Worst
//! case of an event: every sink takes it.

use super::exit::Accepts;
use super::halt_causes::HaltCauses;
use super::measures::LastMeasures;
use super::outcome_hash::OutcomeHash;
use super::quality::Quality;
use super::trades::TradeStats;
use crate::deliberate::wavers;
use flow::records::{Anomaly, Bar, BarFlow, BookTop};
use flow::{Event, GrowingTable, Kind, Kinds, Listings, Sink, SinkError, StateError, StateReader, StateWriter};
use stages::Instances;
use std::collections::BTreeMap;

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
    tops: GrowingTable<Option<BookTop>>,
    bars: GrowingTable<Option<(Bar, BarFlow)>>,
    hash: OutcomeHash,
    /// Trading totals.
    pub trades: TradeStats,
    /// What its numbers rest on.
    pub quality: Quality,
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
        to.put(&self.quality);
        self.measures.save(to);
        self.halts.save(to);
        let tops = self
            .tops
            .values()
            .iter()
            .enumerate()
            .filter_map(|(i, top)| Some((i as u32, bytemuck::bytes_of(top.as_ref()?))));
        to.put(&tops.map(|(i, top)| (to.key(i), top.to_vec())).collect::<Vec<_>>());
        let bars = self.bars.values().iter().enumerate().filter_map(|(i, bar)| Some((i as u32, bar.as_ref()?)));
        let bytes = |bar: &(Bar, BarFlow)| [bytemuck::bytes_of(&bar.0), bytemuck::bytes_of(&bar.1)].concat();
        to.put(&bars.map(|(i, bar)| (to.key(i), bytes(bar))).collect::<Vec<_>>());
    }

    fn load(&mut self, counts: &mut [u64; Kind::COUNT], from: &mut StateReader<'_>) -> Result<(), StateError> {
        from.get::<Vec<(u8, u64)>>()?.into_iter().for_each(|(kind, n)| counts[usize::from(kind)] = n);
        self.anomalies = from.get::<Vec<(u16, u64)>>()?.into_iter().collect();
        self.outcomes = from.get()?;
        self.hash.load(from)?;
        self.trades.load(from)?;
        self.quality = from.get()?;
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

    /// Takes note of a listing, and memory for its instrument.
    #[cold]
    fn list(&mut self, event: &Event) {
        self.listings.observe(event);
        self.tops.reach(event.instrument as usize);
        self.bars.reach(event.instrument as usize);
        self.measures.list(event.instrument);
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

/// The totals, the logs and the sinks.
pub(super) struct Records {
    /// Sinks that take events at once, and the union of their kinds.
    prompt: Vec<(Kinds, Box<dyn Sink>)>,
    promptly: Kinds,
    /// Bits of the positions whose events come here first, and not before they are due in order.
    behind: u128,
    /// Sinks that take exactly the hashed outcomes: the outcome log, or a comparison with one.
    logs: Vec<Box<dyn Sink>>,
    sinks: Vec<(Kinds, Box<dyn Sink>)>,
    outcomes: Kinds,
    counts: [u64; Kind::COUNT],
    pub(super) stats: TailStats,
    bar: Bar,
    error: Option<SinkError>,
}

impl Records {
    pub(super) fn new(
        logs: Vec<Box<dyn Sink>>,
        sinks: Vec<Box<dyn Sink>>,
        outcomes: Kinds,
        (instruments, instances, may_come): (u32, &Instances, Kinds),
    ) -> Records {
        let count = instruments as usize;
        let stats = TailStats {
            listings: Listings::default(),
            kinds: BTreeMap::new(),
            anomalies: BTreeMap::new(),
            outcomes: 0,
            tops: GrowingTable::new(count, None),
            bars: GrowingTable::new(count, None),
            hash: OutcomeHash::new(),
            trades: TradeStats::new(None),
            quality: Quality::default(),
            measures: LastMeasures::new(instruments, instances, may_come),
            halts: HaltCauses::default(),
        };
        let (prompt, sinks): (Vec<_>, Vec<_>) =
            sinks.into_iter().map(|s| (s.kinds(), s)).partition(|(_, s)| s.is_prompt());
        Records {
            promptly: prompt.iter().fold(Kinds::NONE, |all, (kinds, _)| all.or(*kinds)),
            prompt,
            behind: 0,
            logs,
            sinks,
            outcomes,
            counts: [0; Kind::COUNT],
            stats,
            bar: Bar::default(),
            error: None,
        }
    }

    /// Whether something must be logged before an order leaves.
    #[inline]
    pub(super) fn logs(&self) -> bool {
        !self.logs.is_empty()
    }

    /// Logs the outcomes there from now on; returns the logs so far.
    pub(super) fn change_log(&mut self, to: Box<dyn Sink>) -> Vec<Box<dyn Sink>> {
        std::mem::replace(&mut self.logs, vec![to])
    }

    /// Adds a sink that takes events at once.
    pub(super) fn add_prompt(&mut self, sink: Box<dyn Sink>) {
        let kinds = sink.kinds();
        self.promptly = self.promptly.or(kinds);
        self.prompt.push((kinds, sink));
    }

    /// The stages at these positions run behind the tail, so nothing else hands their events to the prompt sinks.
    pub(super) fn behind(&mut self, positions: impl Iterator<Item = u8>) {
        self.behind = positions.fold(0, |all, position| all | 1 << position);
    }

    /// Hands an event to the prompt sinks.
    #[inline]
    pub(super) fn hand_promptly(&mut self, event: &Event) {
        if self.promptly.has(event.kind) {
            hand(&mut self.prompt, event, &mut self.error);
        }
    }

    /// All inputs up to `seq` are here.
    pub(super) fn finished(&mut self, seq: u64) {
        if self.error.is_none() {
            let error = self.all_sinks().find_map(|sink| sink.finished(seq).err());
            self.error = error;
        }
    }

    /// The error of the sink that stopped the run, if one did.
    pub(super) fn error(&self) -> Option<&SinkError> {
        self.error.as_ref()
    }

    /// Ends the sinks.
    pub(super) fn finish(mut self) -> (TailStats, Option<SinkError>) {
        let mut error = self.error.take();
        for e in self.all_sinks().filter_map(|sink| sink.end().err()) {
            error.get_or_insert(e);
        }
        let seen = self.counts.iter().enumerate().filter(|(_, n)| **n > 0);
        self.stats.kinds = seen.map(|(k, n)| (Kind(k as u8), *n)).collect();
        (self.stats, error)
    }

    pub(super) fn save(&self, to: &mut StateWriter<'_>) {
        self.stats.save(&self.counts, to);
    }

    pub(super) fn load(&mut self, from: &mut StateReader<'_>) -> Result<(), StateError> {
        self.stats.load(&mut self.counts, from)
    }

    fn all_sinks(&mut self) -> impl Iterator<Item = &mut Box<dyn Sink>> {
        self.sinks.iter_mut().chain(&mut self.prompt).map(|(_, sink)| sink).chain(&mut self.logs)
    }

    #[inline]
    fn observe(&mut self, event: &Event) {
        self.counts[usize::from(event.kind.0)] += 1;
        let instrument = event.instrument as usize;
        match event.kind {
            Kind::BookTop => {
                self.stats.quality.take(event);
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
            Kind::Listing => self.stats.list(event),
            Kind::Trade | Kind::Break | Kind::Gap => {
                self.stats.quality.take(event);
                self.stats.measures.observe(event);
            }
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

impl Accepts for Records {
    /// Counts an event, logs it, and hands it to the sinks.
    #[inline]
    fn accept(&mut self, event: &Event, _: &mut dyn FnMut()) {
        if event.is_echo() {
            return;
        }
        self.observe(event);
        let position = event.id.position();
        if position > 0 && self.outcomes.has(event.kind) {
            let other: Event;
            let event = match wavers(event.id.seq()) {
                0 => event,
                n => {
                    other = Event { body: event.body.map(|byte| byte ^ n), ..*event };
                    &other
                }
            };
            self.stats.outcomes += 1;
            self.stats.hash.push(event);
            for log in &mut self.logs {
                if let Err(e) = log.take(event) {
                    self.error.get_or_insert(e);
                }
            }
        }
        hand(&mut self.sinks, event, &mut self.error);
        if self.behind >> position & 1 != 0 {
            self.hand_promptly(event);
        }
    }
}
