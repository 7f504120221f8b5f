//! Every real number that a run takes or emits is finite, or the one that stands for none; and no zero is negative.
//!
//! Which fields are real numbers is read from the table of kinds, so a new measure is looked at without a line here. The
//! binary under test writes a journal with everything on, and the bits are taken from the journal. `.ci/run` repeats it with
//! the release build, where a computed NaN may be another one.

use flow::{Event, FieldType, Flags, Kinds, Ns, Params, Real, Record, kind_info};
use sinks::journal::JournalReader;
use stages::Space;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use tidegate_tests::{Case, Scratch, run};

/// Thresholds of zero, which a sale turns into negative ones, buckets that close, and bars that are many.
const SETTINGS: &[&str] = &[
    "outcomes.kinds=all",
    "vpin.bucket_qty=200",
    "vpin.window=5",
    "momentum.min_flow=0",
    "momentum.min_imbalance=0",
    "momentum.min_volume=1",
    "momentum.max_vpin=0.99",
    "momentum.atr_bars=1",
    "momentum.bar=5s",
    "bars.intervals=5s,1m",
    "flow.interval=5s",
    "flow.least_bars=2",
    "footprint.interval=5s",
    "state.interval=5s",
    "state.look_back=2",
    "state.atr_bars=2",
    "breakout.interval=5s",
    "breakout.range_minutes=1",
    "breakout.atr_bars=2",
    "legs.interval=5s",
    "lvn-alerts.interval=5s",
    "average.interval=5s",
    "average.bars=2",
    "rsi.interval=5s",
    "rsi.bars=2",
    "macd.interval=5s",
    "macd.fast=1",
    "macd.slow=2",
    "macd.signal=2",
    "atr.interval=5s",
    "atr.bars=2",
    "bollinger.interval=5s",
    "bollinger.bars=2",
    "donchian.interval=5s",
    "donchian.bars=2",
    "pivots.interval=5s",
    "swings.interval=5s",
    "swings.bars=1",
    "volatility.interval=5s",
    "volatility.bars=2",
    "regime.interval=5s",
    "regime.bars=2",
    "regime.least=1",
    "venues.values=XNAS=0.4",
    "absorption.times=1",
    "absorption.after=1",
    "imbalance-variability.least=2",
    "price-impact.seconds=1",
    "correlation.interval=5s",
    "correlation.bars=4000",
    "correlation.least=2",
    "legs.atr_times=0.5",
    "legs.closed=5",
    "buy-and-hold.symbols=",
    "trend.session_start=00:00",
    "trend.session_end=24:00",
    "reversion.session_start=00:00",
    "reversion.session_end=24:00",
    "random.every=5",
];

/// What was seen of a field: numbers, and no numbers.
#[derive(Debug, Default)]
struct Seen {
    numbers: u64,
    unknown: u64,
}

/// The bits that stand for no number. Written out here, so that this judges by another measure than what it judges.
const UNKNOWN: u64 = 0x7ff8_0000_0000_0000;

/// Whether a field of a real number may hold these bits.
fn may_be(bits: u64) -> bool {
    bits == UNKNOWN || (f64::from_bits(bits).is_finite() && bits != (-0.0_f64).to_bits())
}

/// The bits of an event's real numbers, by the name of their field; the bits of one that is none are an error.
fn reals(event: &Event) -> Result<Vec<(String, u64)>, String> {
    let info = kind_info(event.kind).ok_or_else(|| format!("{event:?} is of no kind"))?;
    let floats = info.fields.iter().filter(|field| field.ty == FieldType::Float);
    let real = floats.map(|field| {
        let (name, bits) = (format!("{}.{}", info.name, field.name), field.number(&event.body));
        if may_be(bits) { Ok((name, bits)) } else { Err(format!("{name} holds {bits:x}")) }
    });
    real.collect()
}

/// Runs everything on this input and looks at every input and outcome.
fn scan(arguments: &[&str], seen: &mut BTreeMap<String, Seen>) {
    let folder = Scratch::new();
    let dir = folder.path().join("run");
    let stages: Vec<_> = stages::entries().map(|entry| entry.name()).collect();
    let mut all = vec!["replay".to_owned(), "--journal".to_owned(), dir.to_str().expect("UTF-8").to_owned()];
    let stages = format!("pipeline.stages={}", stages.join(","));
    for setting in SETTINGS.iter().copied().chain([stages.as_str()]) {
        all.extend(["--set".to_owned(), setting.to_owned()]);
    }
    all.extend(arguments.iter().map(|a| (*a).to_owned()));
    run(all).expect(0);
    let journal = JournalReader::open(&dir).expect("a journal");
    for event in journal.inputs().chain(journal.outcomes()) {
        let event = event.expect("a whole record");
        for (name, bits) in reals(&event).unwrap_or_else(|wrong| panic!("{wrong}: {event:?}, {arguments:?}")) {
            let seen = seen.entry(name).or_default();
            *if bits == UNKNOWN { &mut seen.unknown } else { &mut seen.numbers } += 1;
        }
    }
}

/// Every field of a real number that a stage can emit, as [`reals`] names it.
fn fields() -> BTreeSet<String> {
    let settings: BTreeMap<_, _> = stages::entries().map(|e| (e.name(), Params::defaults(e.params()))).collect();
    let space = Space { instruments: 1, fills: 1, positions: 64 };
    let build = |part: &stages::Part| {
        part.build(|name| &settings[name], &stages::Instances::PLAIN, space).expect("the defaults are valid")
    };
    let emitted = stages::uncut(|_| true).iter().fold(Kinds::NONE, |all, part| all.or(build(part).emits()));
    let floats = |info: &flow::KindInfo| {
        let (name, fields) = (info.name, info.fields.iter().filter(|f| f.ty == FieldType::Float));
        fields.map(move |f| format!("{name}.{}", f.name)).collect::<Vec<_>>()
    };
    flow::KINDS.iter().filter(|info| emitted.has(info.kind)).flat_map(floats).collect()
}

fn synthetic() {
    let mut seen = BTreeMap::new();
    for seed in 1..4 {
        let set = format!("synthetic.seed={seed}");
        let messages = format!("synthetic.messages={}", tidegate_tests::amount(60_000, 1_000_000));
        let set =
            ["--set", &set, "--set", &messages, "--set", "synthetic.symbols=6", "--set", "synthetic.live_orders=600"];
        scan(&[&["--feed", "synthetic"][..], &set].concat(), &mut seen);
    }
    println!("{seen:?}");
    let numbers: BTreeSet<_> = seen.iter().filter(|(_, s)| s.numbers > 0).map(|(name, _)| name.clone()).collect();
    assert_eq!(numbers, fields(), "every field was seen with a number in it");
    assert!(["imbalance.l1", "imbalance.depth", "vpin.vpin"].iter().all(|name| seen[*name].unknown > 0), "{seen:?}");
}

fn recorded(file: &Path) {
    let mut seen = BTreeMap::new();
    let file = file.to_str().expect("the path of the data is UTF-8");
    let date = if file.contains("nasdaq_itch") { &["--date", "2019-01-30"][..] } else { &[] };
    scan(&[&["--input", file][..], date].concat(), &mut seen);
    println!("{file}: {seen:?}");
    assert!(seen.values().any(|s| s.numbers > 10), "{seen:?}");
}

/// Bits that no door gives, in a field of a float.
fn what_is_wrong_is_found() {
    let wrong = |bits: u64| {
        let mut event =
            Event::new(Ns(1), 1, Flags::NONE, &flow::records::Vpin { vpin: Real::of(0.5), ..Default::default() });
        let field = &flow::records::Vpin::FIELDS[0];
        event.body[field.offset - 24..][..8].copy_from_slice(&bits.to_le_bytes());
        reals(&event).err()
    };
    assert_eq!(wrong(UNKNOWN), None);
    for bits in [(-0.0_f64).to_bits(), 0xfff8_0000_0000_0000, f64::INFINITY.to_bits()] {
        assert_eq!(wrong(bits), Some(format!("vpin.vpin holds {bits:x}")));
    }
}

pub(super) fn cases() -> Vec<Case> {
    let case =
        |name: &str, file: &'static str| Case::new(format!("reals::{name}"), &[file], |paths| recorded(&paths[0]));
    vec![
        Case::new("reals::synthetic", &[], |_| synthetic()),
        Case::new("reals::what_is_wrong_is_found", &[], |_| what_is_wrong_is_found()),
        case("itch", "nasdaq_itch/locate-13-10k.bin"),
        case("lobster", "lobster/LOBSTER_SampleFile_AAPL_2012-06-21_1.zip"),
        case("dbn", "databento/nautilus/orderbooks_mbo_2024-05-08T00-00-00_2024-05-08T00-00-02.dbn.zst"),
    ]
}
