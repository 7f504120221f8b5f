//! Any mix of measures in one host emits what each of them emits alone, and saves and loads; positions of stages are fixed.

use crate::harness::{self, INSTRUMENTS, Pipeline, saved};
use crate::stream::{opening, steps};
use flow::records::{Bar, Break, Gap};
use flow::{Event, EventId, Flags, Kind, Kinds, Ns, Out, ParamError, Params, Px, Stage, StateReader};
use proptest::prelude::*;
use stages::bars::BarStage;
use stages::measures::breakout::Breakout;
use stages::measures::event_bars::EventBars;
use stages::measures::flow_of_bars::FlowOfBars;
use stages::measures::imbalance_variability::ImbalanceVariability;
use stages::measures::legs::Legs;
use stages::measures::market_state::MarketState;
use stages::measures::patterns::Patterns;
use stages::measures::profile::VolumeProfile;
use stages::measures::vpin::Vpin;
use stages::measures::{
    Build, Context, Family, Host, MEASURES, Many, Measure, MeasureSet, Needs, OfSession, One, PerInstrument,
};
use stages::{STAGES, Space};

const SPACE: Space = Space { instruments: INSTRUMENTS, fills: 64, positions: 64 };

/// A measure of two kinds that uses all of the context: moves from trade to trade, and where the touch was.
struct Probe;

impl Measure for Probe {
    type Records = (Gap, Break);
    type State = PerInstrument<OfSession<u64>>;

    fn new(_: &Params, space: Space) -> Result<(Probe, Self::State), ParamError> {
        Ok((Probe, PerInstrument::new(space)))
    }

    fn reads(&self) -> Kinds {
        Kinds::of(&[Kind::Trade])
    }

    fn needs(&self) -> Needs {
        Needs { sessions: true, hours: true, touch: true, last_trade: true }
    }

    fn on(&self, seen: &mut Self::State, context: &Context, event: &Event) -> Option<(Gap, Break)> {
        let seen = seen.in_session(event.instrument, event.ts, context)?;
        *seen += 1;
        let (touch, last) = (context.touch(event.instrument), context.last_trade(event.instrument));
        let gap = Gap { exchange_ts: Ns(*seen), received: touch.bid_px.0 as u64, ..Default::default() };
        let last = last.map_or(Px::NONE, |last| last.px);
        Some((gap, Break { match_id: last.0 as u64, ..Default::default() }))
    }
}

/// A measure of the registry, or the probe, with what is set of it.
type Choice = (&'static str, &'static [(&'static str, &'static str)]);

const CHOICES: [Choice; 49] = [
    ("cvd", &[]),
    ("flow", &[("interval", "5s"), ("look_back", "2"), ("mean_bars", "3"), ("least_bars", "2")]),
    ("footprint", &[("interval", "5s"), ("stack_rows", "2"), ("exhaustion_bars", "2")]),
    ("pace", &[("window", "3600")]),
    ("signing", &[]),
    ("event-bars", &[("size", "2")]),
    ("event-bars", &[("by", "volume"), ("size", "9")]),
    ("patterns", &[("block_qty", "5"), ("sweep_prices", "2"), ("sweep_ms", "60000"), ("window", "7"), ("every", "0")]),
    ("patterns", &[("round_lots", "tiers-2025"), ("icebergs", "false"), ("window", "20")]),
    ("venues", &[("values", "XNAS=0.5,XNYS=0.25"), ("window", "7"), ("every", "0")]),
    (
        "absorption",
        &[
            ("window", "3600"),
            ("times", "1"),
            ("after", "1"),
            ("row_ticks", "5"),
            ("max_trades", "16"),
            ("max_orders", "16"),
        ],
    ),
    (
        "layering",
        &[
            ("least_levels", "1"),
            ("times", "1"),
            ("median", "604800"),
            ("least_samples", "1"),
            ("grow_ms", "3600000"),
            ("pulled_ms", "86400000"),
            ("pulled_part", "0"),
            ("taken_part", "100"),
            ("max_orders", "16"),
        ],
    ),
    ("imbalance", &[("levels", "1")]),
    ("imbalance", &[("levels", "4")]),
    ("fate", &[("every", "3600"), ("max_orders", "16")]),
    ("imbalance-variability", &[("window", "40"), ("least", "2")]),
    ("spread", &[]),
    ("ofi", &[("window", "3600")]),
    ("price-impact", &[("seconds", "1"), ("window", "4")]),
    ("depth-slope", &[("levels", "3")]),
    ("vpin", &[("bucket_qty", "7"), ("window", "3")]),
    ("vpin", &[("bucket_qty", "9"), ("window", "2"), ("mode", "bulk"), ("bulk_bar", "5s"), ("sigma_bars", "3")]),
    ("toxicity", &[]),
    ("toxicity", &[("weights", "no-venues"), ("neutral_default", "true")]),
    ("profile", &[("minutes", "2"), ("sessions", "2"), ("row_ticks", "1")]),
    ("profile", &[("volume_from", "bars-evenly"), ("bar", "5s"), ("max_rows", "16"), ("max_blocks", "16")]),
    ("state", &[("interval", "5s"), ("look_back", "2"), ("atr_bars", "2")]),
    ("breakout", &[("interval", "5s"), ("atr_bars", "2"), ("failed_bars", "1"), ("accepted_bars", "2")]),
    ("untested", &[("sessions", "2")]),
    ("legs", &[("interval", "5s"), ("atr_times", "0"), ("closed", "1"), ("max_rows", "16")]),
    ("lvn-alerts", &[("interval", "5s"), ("band_bps", "100"), ("rearm_bps", "200")]),
    ("market-alerts", &[("least_score", "1")]),
    ("average", &[("interval", "5s"), ("bars", "3")]),
    ("average", &[("interval", "5s"), ("method", "sma"), ("bars", "4")]),
    ("average", &[("of", "event-bars"), ("bars", "3")]),
    ("rsi", &[("interval", "5s"), ("bars", "2")]),
    ("macd", &[("interval", "5s"), ("fast", "2"), ("slow", "3"), ("signal", "2")]),
    ("atr", &[("interval", "5s"), ("bars", "2")]),
    ("bollinger", &[("interval", "5s"), ("bars", "3")]),
    ("donchian", &[("interval", "5s"), ("bars", "3")]),
    ("vwap", &[]),
    ("vwap", &[("volume_from", "bars-typical"), ("interval", "5s"), ("anchor", "once")]),
    ("vwap", &[("anchor", "week")]),
    ("pivots", &[("interval", "5s")]),
    ("swings", &[("interval", "5s"), ("bars", "1")]),
    ("volatility", &[("interval", "5s"), ("bars", "3")]),
    ("regime", &[("interval", "5s"), ("bars", "2"), ("history", "4"), ("least", "1"), ("leave", "0")]),
    ("correlation", &[("interval", "1h"), ("bars", "4"), ("least", "2")]),
    ("probe", &[]),
];

const PROBE: Build = Build::of::<Probe>();

fn build((name, set): Choice) -> (&'static Build, Params) {
    match MEASURES.iter().find(|m| m.name == name) {
        Some(entry) => (&entry.build, harness::params(name, set)),
        None => (&PROBE, Params::defaults(&[])),
    }
}

fn alone(choice: Choice) -> Box<dyn Stage> {
    let (build, params) = build(choice);
    (build.alone)(&params, SPACE).unwrap()
}

fn mixed(mask: usize) -> Host<Many> {
    let chosen = CHOICES.iter().enumerate().filter(|(bit, _)| mask >> bit & 1 == 1).map(|(_, choice)| build(*choice));
    let built: Vec<Box<dyn MeasureSet>> = chosen.map(|(b, params)| (b.among)(&params, 0, SPACE).unwrap()).collect();
    Host::new(Many::new(built), SPACE)
}

fn run(stage: &mut dyn Stage, out: &mut Out, event: &Event) -> Vec<Event> {
    if !stage.reads().has(event.kind) {
        return Vec::new();
    }
    out.begin(event);
    stage.on_event(event, out);
    assert!(out.events().len() <= stage.fan_out() && out.events().iter().all(|e| stage.emits().has(e.kind)));
    out.events().iter().map(|event| Event { id: EventId(0), ..*event }).collect()
}

/// What a pipeline of book and bars passes on to its measures, over some days.
fn day(steps: &[crate::stream::Step]) -> Vec<Event> {
    let asked = MEASURES.iter().flat_map(|m| CHOICES.iter().filter(|(name, _)| *name == m.name).map(move |c| (m, c.1)));
    let asked: Vec<_> = asked.filter_map(|(m, set)| (m.build.weighing)(&harness::params(m.name, set))).collect();
    let mut book = harness::book_weighing(64, 256, 8, &asked);
    book.stage = book.stage.saying_orders(true).saying_levels(true);
    let mut bars = Pipeline::new(BarStage::new(&harness::params("bars", &[("intervals", "5s")]), SPACE).unwrap());
    let small = harness::params("profile", &[("minutes", "2"), ("row_ticks", "1"), ("prominence", "1")]);
    let mut profile = Pipeline::new(Host::<One<VolumeProfile>>::alone(&small, SPACE).unwrap());
    let quick = harness::params(
        "flow",
        &[("interval", "5s"), ("look_back", "2"), ("mean_bars", "3"), ("least_bars", "2"), ("change_ratio", "0")],
    );
    let mut flow = Pipeline::new(Host::<One<FlowOfBars>>::alone(&quick, SPACE).unwrap());
    let restless =
        harness::params("state", &[("interval", "5s"), ("look_back", "1"), ("atr_bars", "1"), ("atr_factor", "0")]);
    let mut state = Pipeline::new(Host::<One<MarketState>>::alone(&restless, SPACE).unwrap());
    let near = harness::params("breakout", &[("interval", "5s"), ("atr_bars", "1")]);
    let mut breakout = Pipeline::new(Host::<One<Breakout>>::alone(&near, SPACE).unwrap());
    let short = harness::params("legs", &[("interval", "5s"), ("atr_times", "0"), ("closed", "1"), ("max_rows", "16")]);
    let mut legs = Pipeline::new(Host::<One<Legs>>::alone(&short, SPACE).unwrap());
    let small = harness::params("vpin", &[("bucket_qty", "7"), ("window", "3")]);
    let mut vpin = Pipeline::new(Host::<One<Vpin>>::alone(&small, SPACE).unwrap());
    let small = harness::params("imbalance-variability", &[("window", "40"), ("least", "2")]);
    let mut variability = Pipeline::new(Host::<One<ImbalanceVariability>>::alone(&small, SPACE).unwrap());
    let mut patterns = Pipeline::new(Host::<One<Patterns>>::alone(&harness::params("patterns", &[]), SPACE).unwrap());
    let small = harness::params("event-bars", &[("size", "2")]);
    let mut event_bars = Pipeline::new(Host::<One<EventBars>>::alone(&small, SPACE).unwrap());
    let inputs = opening().0.into_iter().chain((1..).zip(steps).map(|(i, s)| s.event(i * 1_300 * Ns::SECOND)));
    let mut events = Vec::new();
    for (seq, input) in (1..).zip(inputs) {
        let input = Event { id: EventId::new(seq, 0, 0), ..input };
        let place = |e: &Event, position| Event { id: EventId::new(seq, position, 0), ts: input.ts, ..*e };
        let of_book: Vec<Event> = book.feed(&input).iter().map(|e| place(&e.0, 8)).collect();
        let first = events.len();
        for event in std::iter::once(input).chain(of_book) {
            events.push(event);
            if bars.stage.reads().has(event.kind) {
                events.extend(bars.feed(&event).iter().map(|e| place(&e.0, 16)));
            }
        }
        behind(&mut vpin, &mut events, first, 40);
        behind(&mut variability, &mut events, first, 36);
        behind(&mut patterns, &mut events, first, 32);
        behind(&mut event_bars, &mut events, first, 32);
        after_cause(&mut flow, &mut events, first, 32);
        behind(&mut profile, &mut events, first, 44);
        events.extend(hours(seq).iter().map(|bar| place(bar, 16)));
        // What follows from a bar comes before the volumes of the bar: of two measures the first emits first.
        after_cause(&mut breakout, &mut events, first, 48);
        after_cause(&mut state, &mut events, first, 48);
        after_cause(&mut legs, &mut events, first, 52);
    }
    events
}

/// Bars of an hour, which no other measure here reads: trades are too far apart for bars that follow one another.
fn hours(number: u64) -> [Event; 2] {
    [1, 2].map(|instrument| {
        let close = Px((100 + (number * (6 + u64::from(instrument))) % 13) as i64 * Px::ONE);
        let (start_s, interval_s) = (number as u32 * 3_600, 3_600);
        let bar = Bar { open: close, high: close, low: close, close, start_s, interval_s };
        Event::new(Ns(1), instrument, Flags::LAST_OF_GROUP, &bar)
    })
}

/// Adds what a measure makes of the events from there on, each right behind its cause.
fn after_cause<S: Stage>(measure: &mut Pipeline<S>, events: &mut Vec<Event>, first: usize, position: u8) {
    for event in events.split_off(first) {
        events.push(event);
        if measure.stage.reads().has(event.kind) {
            let id = EventId::new(event.id.seq(), position, 0);
            events.extend(measure.feed(&event).iter().map(|e| Event { id, ts: event.ts, ..e.0 }));
        }
    }
}

/// Adds what a measure makes of an input, whose events begin there: a later family sees all of these before.
fn behind<S: Stage>(measure: &mut Pipeline<S>, events: &mut Vec<Event>, first: usize, position: u8) {
    for at in (first..events.len()).filter(|at| measure.stage.reads().has(events[*at].kind)).collect::<Vec<_>>() {
        let event = events[at];
        let id = EventId::new(event.id.seq(), position, 0);
        events.extend(measure.feed(&event).iter().map(|e| Event { id, ts: event.ts, ..e.0 }));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]
    #[test]
    fn a_mix_emits_what_each_emits_alone(steps in steps(300), mask in 1_usize..1 << CHOICES.len(), save_at in 0..600_usize) {
        let (mut host, mut out) = (mixed(mask), Out::new(32, Kinds::ALL));
        let chosen = CHOICES.iter().enumerate().filter(|(bit, _)| mask >> bit & 1 == 1);
        let mut singles: Vec<_> = chosen.map(|(_, c)| (alone(*c), Out::new(32, Kinds::ALL))).collect();
        let (listings, mut saves) = (opening().1, true);
        for (at, event) in day(&steps).iter().enumerate() {
            // A state is saved between two inputs.
            if saves && at >= save_at && event.id.position() == 0 {
                saves = false;
                let bytes = saved(&host, &listings);
                host = mixed(mask);
                let mut reader = StateReader::new(&listings, &bytes);
                host.load(&mut reader).and_then(|()| reader.finish()).unwrap();
                prop_assert!(saved(&host, &listings) == bytes);
            }
            let each: Vec<Event> = singles.iter_mut().flat_map(|(one, out)| run(one.as_mut(), out, event)).collect();
            prop_assert_eq!(run(&mut host, &mut out, event), each, "of {:?}", event);
        }
    }
}

#[test]
fn the_mixed_stream_makes_every_measure_work() {
    use proptest::strategy::ValueTree;
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let mut counts = [0; CHOICES.len()];
    for _ in 0..100 {
        let events = day(&steps(400).new_tree(&mut runner).unwrap().current());
        for (choice, count) in CHOICES.iter().zip(&mut counts) {
            let (mut stage, mut out) = (alone(*choice), Out::new(32, Kinds::ALL));
            *count += events.iter().map(|event| run(stage.as_mut(), &mut out, event).len()).sum::<usize>();
        }
    }
    assert!(counts.iter().all(|n| *n > 10), "{counts:?}");
}

#[test]
fn positions_are_fixed_and_rise_in_the_order_of_the_pipeline() {
    let parts = stages::uncut(|_| true);
    let places: Vec<_> = parts.iter().map(|p| (p.names().join("+"), p.position())).collect();
    let fixed = [
        ("pulse", 2),
        ("book", 8),
        ("bars", 16),
        ("portfolio", 24),
        ("cvd+flow+footprint+pace+signing+event-bars+patterns+venues+absorption+layering", 32),
        ("imbalance+fate+imbalance-variability+spread+ofi+price-impact+depth-slope", 36),
        ("vpin", 40),
        ("toxicity", 42),
        ("profile", 44),
        ("state+breakout+untested", 48),
        ("legs", 52),
        ("lvn-alerts+market-alerts", 56),
        ("average+rsi+macd+atr+bollinger+donchian+vwap+pivots+swings+volatility+regime", 60),
        ("correlation", 64),
        ("momentum", 72),
        ("buy-and-hold", 73),
        ("random", 74),
        ("trend", 75),
        ("reversion", 76),
        ("orders", 104),
        ("risk", 112),
        ("router", 120),
    ];
    // A new stage or family adds a row; a number that stands here is never changed.
    assert_eq!(places, fixed.map(|(name, position)| (name.to_owned(), position)));
    let rise = places.is_sorted_by(|a, b| a.1 < b.1);
    assert!(rise && places.iter().all(|(_, position)| (1..=126).contains(position)), "{places:?}");
}

#[test]
fn entries_of_a_family_stand_together_and_name_fields_that_exist() {
    assert!(MEASURES.iter().map(|m| m.family).is_sorted());
    assert!(Family::ALL.is_sorted_by(|a, b| a < b && a.position() < b.position()) && Family::ALL.len() <= 10);
    for entry in MEASURES {
        assert_eq!(entry.summary_fields().count(), entry.summary.len());
        assert!(entry.summary.iter().all(|(kind, _)| entry.build.emits.contains(kind)), "{}", entry.name);
        assert!(STAGES.iter().all(|stage| stage.name != entry.name), "{} is a stage and a measure", entry.name);
    }
}
