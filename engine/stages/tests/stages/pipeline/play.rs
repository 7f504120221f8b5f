//! The whole pipeline and the simulated venue under any sequence of inputs, written out as bytes.
//!
//! The first byte chooses parameters; every 16 after it are one input: its kind, instrument, time and flags, and numbers
//! to fill its body with by the table of kinds. Prices, references and ids are few, so that they meet, or extreme; tables
//! are small, so that their bounds are hit. What the pipeline sends goes to the venue and comes back when it is due.
//! A test and a fuzz target share this file.

use super::filling::{Filling, INPUTS, Step, fill, source_of};
use flow::records::{Anomaly, DataState, Order, ReplaceRequest, Request};
use flow::{
    AnomalyKind, Approved, Event, EventId, Flags, Kind, Kinds, Listings, Ns, Out, Param, Params, SOURCE_RETURNS, Stage,
    StateReader, StateWriter,
};
use stages::exchange_sim::{Replies, SimulatedVenue, book_params};
use stages::{Instance, Instanced, Instances, Part, Space};
use std::collections::{BTreeMap, BTreeSet};

/// Instruments of the space are below this.
pub(crate) const INSTRUMENTS: u32 = 8;
/// Fills that the pipeline remembers, few enough that some are forgotten.
const FILLS: u32 = 6;
/// Positions that there may be.
const POSITIONS: usize = 4;
/// The largest time: the most that a signed clock of nanoseconds holds.
const LAST: u64 = i64::MAX as u64;
/// The clock before the first input: a Monday, 14:00 UTC.
const FIRST: u64 = 1_577_973_600_000_000_000;

const SMALL: &[(&str, &str)] = &[
    ("book.max_orders", "16"),
    ("book.max_levels", "16"),
    ("book.max_books", "3"),
    ("bars.intervals", "5s,1m"),
    ("flow.interval", "5s"),
    ("flow.least_bars", "1"),
    ("footprint.interval", "5s"),
    ("footprint.max_rows", "64"),
    ("footprint.exhaustion_bars", "2"),
    ("imbalance.levels", "3"),
    ("fate.every", "5"),
    ("fate.max_orders", "16"),
    ("imbalance-variability.window", "30"),
    ("imbalance-variability.least", "2"),
    ("ofi.window", "3"),
    ("price-impact.seconds", "2"),
    ("price-impact.window", "4"),
    ("depth-slope.levels", "2"),
    ("deep.levels", "2"),
    ("deep.weighting", "exponential"),
    ("vpin.bucket_qty", "300"),
    ("vpin.window", "3"),
    ("vpin.bulk_bar", "5s"),
    ("vpin.sigma_bars", "2"),
    ("profile.minutes", "2"),
    ("profile.sessions", "2"),
    ("profile.max_rows", "16"),
    ("profile.max_blocks", "16"),
    ("profile.letters", "true"),
    ("state.interval", "5s"),
    ("state.look_back", "2"),
    ("state.atr_bars", "2"),
    ("legs.interval", "5s"),
    ("lvn-alerts.interval", "5s"),
    ("lvn-alerts.band_bps", "500"),
    ("lvn-alerts.rearm_bps", "700"),
    ("average.interval", "5s"),
    ("average.bars", "2"),
    ("rsi.interval", "5s"),
    ("rsi.bars", "2"),
    ("macd.interval", "5s"),
    ("macd.fast", "1"),
    ("macd.slow", "2"),
    ("macd.signal", "2"),
    ("atr.interval", "5s"),
    ("atr.bars", "2"),
    ("bollinger.interval", "5s"),
    ("bollinger.bars", "2"),
    ("donchian.interval", "5s"),
    ("donchian.bars", "2"),
    ("pivots.interval", "5s"),
    ("swings.interval", "5s"),
    ("swings.bars", "1"),
    ("volatility.interval", "5s"),
    ("volatility.bars", "3"),
    ("regime.interval", "5s"),
    ("regime.bars", "2"),
    ("regime.history", "5"),
    ("regime.least", "1"),
    ("event-bars.size", "2"),
    ("patterns.window", "7"),
    ("patterns.sweep_prices", "2"),
    ("patterns.sweep_ms", "60000"),
    ("venues.window", "7"),
    ("absorption.window", "3600"),
    ("absorption.times", "1"),
    ("absorption.after", "1"),
    ("absorption.max_trades", "16"),
    ("absorption.max_orders", "16"),
    ("layering.least_levels", "1"),
    ("layering.times", "1"),
    ("layering.median", "604800"),
    ("layering.least_samples", "1"),
    ("layering.grow_ms", "3600000"),
    ("layering.pulled_ms", "86400000"),
    ("layering.pulled_part", "0"),
    ("layering.taken_part", "100"),
    ("layering.max_orders", "16"),
    ("correlation.interval", "5s"),
    ("correlation.bars", "4"),
    ("correlation.least", "2"),
    ("legs.atr_times", "0"),
    ("legs.closed", "1"),
    ("legs.max_entries", "16"),
    ("legs.max_blocks", "16"),
    ("breakout.interval", "5s"),
    ("breakout.range_minutes", "1"),
    ("breakout.atr_bars", "2"),
    ("breakout.failed_bars", "1"),
    ("breakout.accepted_bars", "2"),
    ("untested.sessions", "2"),
    ("momentum.min_flow", "0"),
    ("momentum.min_volume", "1"),
    ("momentum.min_imbalance", "-1"),
    ("momentum.max_vpin", "1"),
    ("momentum.bar", "5s"),
    ("momentum.atr_bars", "1"),
    ("momentum.cooldown", "1"),
    ("momentum.session_start", "00:00"),
    ("momentum.session_end", "23:59"),
    ("buy-and-hold.symbols", "S1,S2"),
    ("trend.least_flow", "1"),
    ("trend.least_reward", "0"),
    ("trend.session_start", "00:00"),
    ("trend.session_end", "24:00"),
    ("reversion.least_flow", "1"),
    ("reversion.least_reward", "0"),
    ("reversion.in_balance", "false"),
    ("reversion.session_start", "00:00"),
    ("reversion.session_end", "24:00"),
    ("random.every", "1"),
    ("random.max_open", "6"),
    ("orders.max_orders", "6"),
    ("orders.max_in_flight", "4"),
    ("orders.max_accounts", "2"),
    ("risk.open_order_slots", "4"),
    ("risk.max_pairs", "2"),
    ("risk.max_messages", "40"),
    ("risk.max_notional", "1000000000"),
    ("sim.max_own_orders", "16"),
    ("sim.max_taken_levels", "16"),
    ("sim.max_orders", "16"),
    ("sim.max_levels", "16"),
    ("sim.max_books", "3"),
    ("sim.jitter_ns", "1000"),
    ("sim.maker_fee_bps", "-0.5"),
    ("sim.taker_fee_bps", "2"),
];

/// What the first byte turns on.
const TURNED: &[(&str, &str)] = &[
    ("vpin.mode", "bulk"),
    ("sim.queue_model", "power"),
    ("sim.latency", "rate"),
    ("sim.order_latency_ns", "0"),
    ("orders.max_orders", "64"),
    ("risk.open_order_slots", "64"),
    ("momentum.short", "false"),
    ("risk.max_data_age_ms", "86400000"),
];

/// The parameters of the entry `name`; those of an instance may be set under its own.
fn params(name: &str, instance: &str, table: &[Param], turned: u8) -> Params {
    let mut params = Params::defaults(table);
    let chosen = TURNED.iter().enumerate().filter(|(bit, _)| turned >> bit & 1 == 1).map(|(_, one)| one);
    for (key, text) in SMALL.iter().chain(chosen) {
        let (section, key) = key.split_once('.').expect("a parameter of a section");
        if section == name || section == instance {
            let param = table.iter().find(|p| p.name == key).expect("a parameter of the stage");
            params.set(param, param.parse(key, text).expect("a value in its range"));
        }
    }
    params
}

/// Further instances, which the last bit turns on.
fn instances(turned: u8) -> Instances {
    const STRATEGIES: [(&str, &str); 3] = [("fast", "momentum"), ("more", "random"), ("hold", "buy-and-hold")];
    let mut instances = Instances::PLAIN;
    for (name, uses) in STRATEGIES.into_iter().filter(|_| turned >> 7 == 1) {
        instances.add(Instanced::Strategies, Instance { name: name.to_owned(), uses, given: 0, number: 0 });
    }
    const MEASURES: [(&str, &str); 3] = [("small", "vpin"), ("second", "cvd"), ("deep", "imbalance")];
    for (name, uses) in MEASURES.into_iter().filter(|_| turned >> 7 == 1) {
        instances.add(Instanced::Measures, Instance { name: name.to_owned(), uses, given: 0, number: 0 });
    }
    instances.number(&Instances::PLAIN).expect("few names");
    instances
}

pub(crate) fn build(part: &Part, turned: u8) -> Box<dyn Stage> {
    let instances = instances(turned);
    let entry = |name: &str| {
        let uses = instances.find(name).map_or(name, |(_, instance)| instance.uses);
        stages::entries().find(|e| e.name() == uses).expect("a name of an entry")
    };
    let of = |name: &str| params(entry(name).name(), name, entry(name).params(), turned);
    let names = stages::entries().map(|entry| entry.name()).chain(instances.names());
    let all: BTreeMap<&str, Params> = names.map(|name| (name, of(name))).collect();
    let space = Space { instruments: INSTRUMENTS, fills: FILLS, positions: POSITIONS };
    part.build(|name| &all[name], &instances, space).expect("the parameters are valid")
}

pub(crate) fn build_venue(turned: u8) -> SimulatedVenue {
    let of = |name, all| params(name, name, all, turned);
    let (params, book) = (of("sim", stages::exchange_sim::PARAMS), of("book", stages::book::PARAMS));
    let book = book_params(&params, &book);
    SimulatedVenue::new(&params, &book, Space { instruments: INSTRUMENTS, fills: FILLS, positions: POSITIONS })
        .expect("the parameters are valid")
}

/// A stage in its place.
pub(crate) struct Station {
    pub(crate) name: String,
    out: Out,
    pub(crate) stage: Box<dyn Stage>,
    pub(crate) part: Part,
    /// The last input on which it decided, if it is a strategy.
    decided: u64,
    /// Whether it has asked for a pulse since its last; the first comes unasked.
    pub(crate) asked: bool,
}

impl Station {
    /// Every value on which a strategy decides is as new as the decision: it decides at a pulse, and nothing that it reads
    /// comes of the same input afterwards. It has asked for that pulse: a runner gives it no other.
    fn decides_on_whole_state(&mut self, event: &Event, asked: bool) {
        if !matches!(self.part, Part::Strategy(..)) {
            return;
        }
        let (name, seq) = (&self.name, event.id.seq());
        assert!(seq != self.decided || event.kind == Kind::Pulse, "{name} decided before {event:?} came");
        if self.out.events().iter().any(|e| e.kind != Kind::CommandOutcome) {
            assert_eq!(event.kind, Kind::Pulse, "{name} decides at {event:?}");
            assert!(asked, "{name} decides at a pulse that it has not asked for");
            self.decided = seq;
        }
    }
}

/// Passes an event, and depth first what follows from it, through the stations.
fn pass(stations: &mut [Station], event: &Event, seen: &mut dyn FnMut(&Event)) {
    let Some((station, rest)) = stations.split_first_mut() else { return seen(event) };
    if station.stage.reads().has(event.kind) {
        let asked = event.kind == Kind::Pulse && std::mem::take(&mut station.asked);
        station.out.begin(event);
        station.stage.on_event(event, &mut station.out);
        let emitted = station.out.events();
        let (name, bound) = (&station.name, station.stage.fan_out());
        assert!(emitted.len() <= bound, "{name}: {} events of {event:?}, fan_out is {bound}", emitted.len());
        for caused in emitted {
            assert!(station.stage.emits().has(caused.kind), "{name} does not emit {caused:?}");
        }
        station.asked |= station.out.asks_for_pulse();
        station.decides_on_whole_state(event, asked);
    }
    pass(rest, event, seen);
    for caused in station.out.events().iter().filter(|_| station.stage.reads().has(event.kind)) {
        pass(rest, caused, seen);
    }
}

/// The pipeline, the venue and what is on its way between them.
pub(crate) struct World {
    pub(crate) turned: u8,
    pub(crate) stations: Vec<Station>,
    pub(crate) venue: SimulatedVenue,
    replies: Replies,
    pub(crate) listings: Listings,
    /// Routes and refusals that have not arrived, answers that have not entered, by their time.
    waiting: BTreeMap<(Ns, u64), Event>,
    queued: u64,
    now: Ns,
    seq: u64,
    /// Ids of orders that left, the last of them.
    ids: Vec<u64>,
    /// Fills that entered.
    fills: Vec<Event>,
    tally: Tally,
    /// Instruments whose data are doubtful.
    doubtful: BTreeSet<u32>,
    /// Whether a state was damaged: whose data were doubtful may be lost with it.
    pub(crate) damaged: bool,
}

/// Whether a `data-state` of that source concerns an instrument.
fn is_of(instrument: u32, source: u8) -> bool {
    source == 0 || source_of(instrument) == source
}

/// What happened, so that a test can show that it tests something.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Tally {
    /// Orders that risk let pass.
    pub(crate) orders: u64,
    /// Orders that it did not.
    pub(crate) refused: u64,
    /// Fills by the venue.
    pub(crate) fills: u64,
    /// Fills that were taken back.
    pub(crate) busts: u64,
    /// Anomalies.
    pub(crate) anomalies: u64,
}

impl World {
    fn new(turned: u8, wrap: impl Fn(Box<dyn Stage>) -> Box<dyn Stage>) -> World {
        let station = |part: Part| Station {
            name: part.names()[0].to_owned(),
            out: Out::new(part.position(), Kinds::ALL.or(Kinds::INSIDE)),
            stage: wrap(build(&part, turned)),
            part,
            decided: 0,
            asked: true,
        };
        World {
            turned,
            stations: instances(turned).uncut(|_| true).into_iter().map(station).collect(),
            venue: build_venue(turned),
            replies: Replies::with_capacity(256),
            listings: Listings::default(),
            waiting: BTreeMap::new(),
            queued: 0,
            now: Ns(FIRST),
            seq: 0,
            ids: Vec::new(),
            fills: Vec::new(),
            tally: Tally::default(),
            doubtful: BTreeSet::new(),
            damaged: false,
        }
    }

    /// What a step stands for enters, after all that was due before it.
    pub(crate) fn step(&mut self, step: Step) {
        let kind = INPUTS[usize::from(step.what) % INPUTS.len()];
        let mut then = self.now.0.saturating_add(step.pause()).min(LAST);
        if kind == Kind::Tick {
            then = then.next_multiple_of(5 * Ns::SECOND).min(LAST);
        }
        self.until(Ns(then));
        self.now = Ns(then);
        for event in fill(&Filling { step, kind, now: self.now, ids: &self.ids, fills: &self.fills }) {
            self.enter(event);
        }
    }

    /// Everything that is due up to `then`.
    pub(crate) fn until(&mut self, then: Ns) {
        while let Some(next) = self.waiting.first_entry().filter(|e| e.key().0 <= then) {
            let ((due, _), event) = next.remove_entry();
            self.now = self.now.max(due);
            if event.kind == Kind::Route {
                self.venue.on_route(self.now, &Approved::grant(event), None, &mut self.replies);
                self.answers();
            } else {
                self.enter(event);
            }
        }
    }

    fn answers(&mut self) {
        for event in self.replies.events() {
            self.queued += 1;
            self.tally.fills += u64::from(event.kind == Kind::Fill);
            self.waiting.insert((event.ts, self.queued), *event);
        }
        self.replies.clear();
    }

    /// An input passes the venue and the pipeline.
    fn enter(&mut self, event: Event) {
        self.seq += 1;
        let event = Event { id: EventId::new(self.seq, 0, 0), ts: self.now, ..event };
        self.listings.observe(&event);
        if event.source != SOURCE_RETURNS {
            self.venue.on_market(&event, None, &mut self.replies);
            self.answers();
        }
        if event.kind == Kind::Fill {
            self.fills.push(event);
        }
        let World { stations, venue, waiting, queued, ids, tally, doubtful, damaged, .. } = self;
        let (input, mut requests) = (event.kind, BTreeSet::new());
        pass(stations, &event, &mut |event| {
            if let Some(state) = event.get::<DataState>() {
                let all = 1..INSTRUMENTS;
                let of = |i: &u32| event.instrument == *i || (event.instrument == 0 && is_of(*i, state.of));
                match state.state {
                    2 => doubtful.extend(all.filter(of)),
                    _ => doubtful.retain(|i| !of(i)),
                }
            }
            let acts = event.kind == Kind::Signal;
            assert!(!acts || *damaged || !doubtful.contains(&event.instrument), "on doubtful data: {event:?}");
            if let Some(request) = event.get::<Request>() {
                requests.insert(request.order_id);
            } else if let Some(replace) = event.get::<ReplaceRequest>() {
                requests.insert(replace.new_id);
            } else if let Some(order) = event.get::<Order>() {
                assert!(requests.remove(&order.order_id), "an order without a request: {event:?}");
                tally.orders += 1;
                ids.push(order.order_id);
            } else if let Some(anomaly) = event.get::<Anomaly>() {
                assert!(AnomalyKind::from_code(anomaly.what).is_some(), "{event:?}");
                tally.anomalies += 1;
            }
            tally.busts += u64::from(event.kind == Kind::Position && input == Kind::Bust);
            let echoes = event.kind == Kind::Refused && event.id.position() > 0;
            tally.refused += u64::from(echoes);
            if event.kind == Kind::Route || echoes {
                *queued += 1;
                let due = venue.arrival(event.id, event.ts);
                waiting.insert((due, *queued), Event { source: SOURCE_RETURNS, ..*event });
            }
        });
    }

    /// Every state saves, loads into a new one, and saves as the same bytes.
    fn saves_and_loads(&self) {
        for station in &self.stations {
            let saved = self.saved(|to| station.stage.save(to));
            let mut other = build(&station.part, self.turned);
            self.load(&station.name, &saved, |from| other.load(from));
            assert!(saved == self.saved(|to| other.save(to)), "{} saves other bytes than it loaded", station.name);
        }
        let saved = self.saved(|to| self.venue.save(None, to));
        let mut other = build_venue(self.turned);
        self.load("sim", &saved, |from| other.load(from));
        assert!(saved == self.saved(|to| other.save(None, to)), "the venue saves other bytes than it loaded");
    }

    pub(crate) fn saved(&self, save: impl FnOnce(&mut StateWriter<'_>)) -> Vec<u8> {
        let mut writer = StateWriter::new(&self.listings);
        save(&mut writer);
        writer.into_bytes()
    }

    fn load(&self, name: &str, saved: &[u8], load: impl FnOnce(&mut StateReader<'_>) -> Result<(), flow::StateError>) {
        let mut reader = StateReader::new(&self.listings, saved);
        let done = load(&mut reader).and_then(|()| reader.finish());
        done.unwrap_or_else(|e| panic!("{name} does not load what it saved: {e}"));
    }
}

/// A world in which the listings have entered.
pub(crate) fn opened(turned: u8) -> World {
    opened_with(turned, |stage| stage)
}

/// The same, each stage wrapped in another.
pub(crate) fn opened_with(turned: u8, wrap: impl Fn(Box<dyn Stage>) -> Box<dyn Stage>) -> World {
    let mut world = World::new(turned, wrap);
    for instrument in 1..5 {
        for event in super::filling::opening(instrument) {
            world.enter(event);
        }
    }
    world
}

/// Plays the inputs that the bytes stand for; panics when something is not as it must be.
pub(crate) fn play(bytes: &[u8]) -> Tally {
    let Some((turned, rest)) = bytes.split_first() else { return Tally::default() };
    let mut world = opened(*turned);
    for step in rest.as_chunks::<16>().0 {
        world.step(Step::of(step));
    }
    world.until(Ns(LAST));
    world.saves_and_loads();
    world.tally
}

/// The flags of an input: the side by two bits, any others.
pub(crate) fn flags(bits: [u8; 2]) -> Flags {
    let bits = u16::from_le_bytes(bits);
    // Mostly the book may be looked at.
    if bits & 0x0700 == 0 { Flags(bits & 0x07ff) } else { Flags(bits & 3).with(Flags::LAST_OF_GROUP) }
}
