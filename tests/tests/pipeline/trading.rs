//! Orders on, and still the same bytes: what comes back from the pipeline enters at a place that no cut can move.
//!
//! A strategy that trades a lot runs against the simulated venue. Every shape of the pipeline must bring the same events to
//! the end as the fused one, inputs and their times included, at every latency of the venue. With the feature
//! `deliberate-faults` the same comparison must see each rule of the merge broken.

use crate::harness::{Day, Delays, Pipeline, Taken, add_day, add_file, inputs, made_small, same, set, taken};
use feeds::synthetic::{Synthetic, SyntheticConfig};
use flow::records::{Anomaly, Bust, Fill, FillCost};
use flow::{Account, AnomalyKind, Event, EventId, Kind, Kinds, Ns, OrderId, Px, Qty, SOURCE_RETURNS, StrategyId};
use std::fmt::Display;
use std::path::{Path, PathBuf};
use tidegate::config::Settings;
use tidegate_tests::amount;

const RINGS: [&str; 2] = ["phase", "disruptor"];
const BATCHES: [u64; 4] = [1, 7, 64, 1024];
/// From where nothing may enter beside an order, to where the pipeline is far behind the market.
const LATENCIES: [u64; 4] = [0, 1_000, 50_000, 1_000_000];

/// A day that is hard on the merge, and its trading date: a million times as fast as a real one, so that many messages
/// pass while an order is on its way; times stand on a grid, so that much is due at once; every 7th message is 20 us too
/// early; and it breaks off in the middle of trading.
fn restless(seed: u64, messages: u64) -> (PathBuf, String) {
    const EARLY_NS: u64 = 20_000;
    const GRID_NS: u64 = 10_000;
    const FASTER: u64 = 1_000_000;
    let prefix = format!("R{seed}");
    let config = SyntheticConfig { seed, messages, symbols: 3, live_orders: 60, prefix, ..SyntheticConfig::default() };
    let mut bytes = Vec::new();
    Synthetic::new(&config).expect("a valid day").write_to(&mut bytes, |_| ()).expect("a vector takes it");
    let (mut at, mut number, mut start) = (0, 0, None);
    while at + 2 < bytes.len() {
        let length = usize::from(u16::from_be_bytes([bytes[at], bytes[at + 1]]));
        // Two bytes of length, one of type, two of locate, two of tracking; then six of time.
        let time = &mut bytes[at + 7..at + 13];
        let ns = time.iter().fold(0u64, |ns, byte| ns << 8 | u64::from(*byte));
        let start = *start.get_or_insert(ns);
        let ns = (start + (ns - start) / FASTER) / GRID_NS * GRID_NS - if number % 7 == 6 { EARLY_NS } else { 0 };
        time.copy_from_slice(&ns.to_be_bytes()[2..]);
        at += 2 + length;
        number += 1;
        if number == messages * 3 / 4 {
            bytes.truncate(at);
        }
    }
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("restless-{seed}-{messages}.itch"));
    std::fs::write(&file, bytes).expect("the folder of the tests is writable");
    (file, config.date.to_string())
}

/// Some strategies run several times.
const INSTANCES: &str = r#"
[[strategy]]
use = "random"
name = "other"
every = 3
account = 2
seed = 99

[[strategy]]
use = "momentum"
name = "fast"
bar = "5s"
atr_bars = 1
min_flow = 0
min_imbalance = 0
min_volume = 1
max_vpin = 1
cooldown = 0
"#;

/// Every stage, measure, strategy and instance, in the order of the pipeline.
fn everything(settings: &Settings) -> String {
    settings.instances.uncut(|_| true).iter().flat_map(stages::Part::names).collect::<Vec<_>>().join(",")
}

/// A pipeline of everything that trades at random, on two days that are hard on the merge and, if wanted, a third that is not.
fn trading(seed: u64, messages: u64, latency_ns: u64, third: bool) -> Settings {
    let mut settings = made_small(Settings::parse(INSTANCES, Path::new("instances")).expect("valid"));
    let everything = everything(&settings);
    set(&mut settings, &format!("pipeline.stages={everything}"));
    for one in [
        "random.every=2",
        "momentum.min_flow=0",
        "momentum.min_imbalance=0",
        "momentum.min_volume=1",
        "momentum.max_vpin=1",
        "momentum.bar=5s",
        "momentum.atr_bars=1",
        "vpin.bucket_qty=2000",
        "pipeline.ring_capacity=128",
        "risk.max_messages=8192",
        "risk.throttle_window_ms=20",
        "sim.max_own_orders=4096",
        "sim.max_orders=65536",
        "sim.max_levels=65536",
        "sim.max_books=1024",
    ] {
        set(&mut settings, one);
    }
    set(&mut settings, &format!("random.seed={seed}"));
    set(&mut settings, &format!("sim.order_latency_ns={latency_ns}"));
    set(&mut settings, &format!("sim.reply_latency_ns={latency_ns}"));
    if third {
        add_day(&mut settings, Day { seed, messages, symbols: 6, live_orders: 200 });
    }
    for (seed, messages) in [(seed + 1, messages), (seed + 2, messages / 2)] {
        let (file, date) = restless(seed, messages);
        add_file(&mut settings, "itch", &file, Some(&date));
    }
    settings
}

/// Presets, and cuts: none, each one, some together, all.
fn shapes() -> Vec<(&'static str, String)> {
    let each: Vec<_> =
        stages::uncut(|_| true).iter().map(|part| part.names()[0].to_owned()).chain(["tail".to_owned()]).collect();
    let each = each.join(",");
    let cuts = [
        "book",
        "random",
        "orders",
        "risk",
        "router",
        "tail",
        "bars,risk",
        "orders,tail",
        "book,orders,router,tail",
        &each,
    ];
    [("split", String::new())].into_iter().chain(cuts.map(|places| ("cuts", places.to_owned()))).collect()
}

fn shaped(settings: &Settings, (preset, cuts): (&str, impl Display), ring: &str, batch: u64) -> Settings {
    let mut shaped = settings.clone();
    for one in [
        format!("pipeline.preset={preset}"),
        format!("pipeline.cuts={cuts}"),
        format!("pipeline.ring={ring}"),
        format!("pipeline.batch={batch}"),
    ] {
        set(&mut shaped, &one);
    }
    shaped
}

fn count(events: &[Event], kind: Kind) -> usize {
    events.iter().filter(|e| e.kind == kind).count()
}

/// What must hold of every run: numbers without a gap, times that never fall, nothing left on its way.
#[track_caller]
fn sound(events: &[Event]) {
    let inputs = inputs(events);
    assert!(inputs.windows(2).all(|w| w[0].ts <= w[1].ts), "time falls");
    let last = inputs.last().expect("inputs");
    // A refusal appears once: risk emits it; its echo is dropped.
    let echoes = count(events, Kind::Refused);
    assert_eq!(last.id.seq() as usize, inputs.len() + echoes, "numbers without a gap");
    assert_eq!(count(events, Kind::Route), count(events, Kind::Sent), "what left was sent");
}

#[track_caller]
fn equal(reference: &Taken, found: &Taken, what: &str) {
    same(&reference.events, &found.events, what);
    assert_eq!(reference.outcome_hash, found.outcome_hash, "outcome hash, {what}");
    assert_eq!(reference.state_hash, found.state_hash, "state hash, {what}");
}

/// Every latency in every shape; the rings and batches in turn, or all of them. It trades at every chance: at latency 0 an order
/// costs a turn through all threads, and so does each of the inputs around it, of which no more are needed than bring the orders.
fn every_shape(messages: u64, shapes: &[(&'static str, String)]) {
    let all = amount(0, 1) == 1;
    for (l, latency) in LATENCIES.into_iter().enumerate() {
        let mut settings = trading(71, messages, latency, true);
        set(&mut settings, "random.every=1");
        let reference = taken(&settings, Kinds::ALL);
        sound(&reference.events);
        let [orders, fills, refused] =
            [Kind::Order, Kind::Fill, Kind::Refused].map(|kind| count(&reference.events, kind));
        println!("latency {latency} ns: {orders} orders, {fills} fills, {refused} refused");
        assert!(orders >= 10_000 && fills > 1_000 && refused > 100);
        for (s, shape) in shapes.iter().enumerate() {
            for (r, ring) in RINGS.into_iter().enumerate() {
                for (b, batch) in BATCHES.into_iter().enumerate() {
                    if all || (s + l + 2 * r).is_multiple_of(4) && b == (s + r) % 4 {
                        let found = taken(&shaped(&settings, (shape.0, &shape.1), ring, batch), Kinds::ALL);
                        equal(&reference, &found, &format!("latency {latency}, {shape:?}, ring {ring}, batch {batch}"));
                    }
                }
            }
        }
    }
}

#[test]
fn every_shape_gives_the_same_bytes_with_orders_on() {
    every_shape(amount(20_000, 60_000), &shapes());
}

/// The strategy does trade, is filled, refused and rejected; and twice is the same.
#[test]
fn a_pipeline_that_trades_a_lot_repeats_itself() {
    let settings = trading(72, 40_000, 50_000, true);
    let first = taken(&settings, Kinds::ALL);
    sound(&first.events);
    let counted =
        [Kind::Order, Kind::Fill, Kind::Refused, Kind::Ack, Kind::Cancelled, Kind::Route, Kind::Sent, Kind::Position];
    let counts = counted.map(|kind| (kind, count(&first.events, kind)));
    println!("{counts:?}");
    assert!(counts[0].1 >= 10_000, "{counts:?}");
    assert!(counts.iter().all(|(_, n)| *n > 100), "{counts:?}");
    equal(&first, &taken(&settings, Kinds::ALL), "the same again");
}

/// Positions are fixed: who else runs changes no id, and no byte, of an order.
#[test]
fn orders_have_the_same_ids_whichever_measures_run() {
    let orders = |measures: &str| {
        let mut settings = trading(73, 1_500, 50_000, true);
        set(&mut settings, &format!("pipeline.stages=book,bars{measures},random,orders,risk,router"));
        taken(&settings, Kinds::of(&[Kind::Order])).events
    };
    let all = orders(",cvd,imbalance,vpin");
    assert!(all.len() > 50, "{} orders prove little", all.len());
    for measures in ["", ",cvd", ",imbalance", ",cvd,vpin"] {
        same(&all, &orders(measures), &format!("only{measures}"));
    }
}

/// Every answer comes no earlier than the latency behind its cause, and `sent` precedes the answer.
#[test]
fn nothing_comes_back_before_its_time() {
    let latency = 50_000;
    let events = taken(&trading(73, 6_000, latency, true), Kinds::ALL).events;
    let mut routes = std::collections::BTreeMap::new();
    for event in &events {
        if event.kind == Kind::Route {
            routes.insert(event.id.0, event.ts);
        } else if let Some(sent) = event.get::<flow::records::Sent>() {
            let left = routes.get(&sent.cause).expect("its route was made");
            assert!(event.ts >= Ns(left.0 + latency), "{event:?}");
        } else if let Some(ack) = event.get::<flow::records::Ack>() {
            let left = routes.get(&ack.cause).expect("its route was made");
            assert!(event.ts >= Ns(left.0 + 2 * latency), "{event:?}");
        }
    }
    assert!(routes.len() > 100);
}

/// A number below `n`, by a seed that moves on.
fn pick(state: &mut u64, n: u64) -> u64 {
    *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    (*state >> 33) % n
}

/// Inputs in which a venue takes executions back a while after they were reported, corrects some, repeats some, and names some
/// that never were; numbered anew.
fn with_busts(inputs: &[Event], seed: u64) -> Vec<Event> {
    let (mut all, mut late, mut state) = (Vec::new(), std::collections::BTreeMap::new(), seed);
    for (at, input) in inputs.iter().enumerate() {
        all.push(*input);
        all.extend(late.remove(&at).into_iter().flatten().map(|e: Event| Event { ts: input.ts, ..e }));
        let Some(Fill { order_id, match_id, px, qty, cause }) = input.get::<Fill>().copied() else { continue };
        if pick(&mut state, 4) > 0 {
            continue;
        }
        let then: &mut Vec<Event> = late.entry(at + 2 + pick(&mut state, 400) as usize).or_default();
        let returned = |event: Event| Event { source: SOURCE_RETURNS, ..event };
        let bust = Bust { order_id, match_id, px, qty, fee: 1_000 };
        let bust = match pick(&mut state, 10) {
            0 => Bust { qty: Qty(qty.0 + 1), ..bust },
            1 => Bust { match_id: match_id + 1_000_000, ..bust },
            2 => Bust { order_id: OrderId::new(Account(9), StrategyId(9), 9).0, ..bust },
            _ => bust,
        };
        let bust = returned(Event::new(input.ts, input.instrument, input.flags, &bust));
        then.extend(std::iter::repeat_n(bust, 1 + usize::from(pick(&mut state, 8) == 0)));
        if pick(&mut state, 3) == 0 {
            let fill = Fill { order_id, match_id, px: Px(px.0 + Px::ONE / 100), qty, cause };
            let cost = FillCost { order_id, match_id, fee: 900, ..FillCost::default() };
            then.push(returned(Event::new(input.ts, input.instrument, input.flags, &fill)));
            then.push(returned(Event::new(input.ts, input.instrument, input.flags, &cost)));
        }
    }
    let numbered = |(n, e): (u64, Event)| Event { id: EventId::new(n, 0, 0), ..e };
    (1..).zip(all).map(numbered).collect()
}

/// Busts come in at the head: every shape and delay takes back the same, in the same bytes.
#[test]
fn what_was_executed_is_taken_back_alike_in_every_shape() {
    let settings = trading(74, amount(12_000, 40_000), 50_000, true);
    let run = taken(&settings, Kinds::ALL);
    let inputs = with_busts(&inputs(&run.events), 5);
    let instruments = inputs.iter().map(|e| e.instrument).max().unwrap_or(0) + 1;
    let listings = crate::harness::listings(&inputs);
    let fused = Pipeline { settings: &settings, instruments, kinds: Kinds::ALL, listings: &listings };
    let reference = fused.play(fused.plan(), &inputs, None);
    let busts: std::collections::BTreeSet<u64> =
        reference.events.iter().filter(|e| e.kind == Kind::Bust).map(|e| e.id.seq()).collect();
    let caused = |e: &&Event| e.id.position() > 0 && busts.contains(&e.id.seq());
    let taken_back = reference.events.iter().filter(caused).filter(|e| e.kind == Kind::Position).count();
    let mut anomalies = std::collections::BTreeMap::new();
    for anomaly in reference.events.iter().filter(caused).filter_map(|e| e.get::<Anomaly>()) {
        *anomalies.entry(AnomalyKind::from_code(anomaly.what).expect("a known one").name()).or_insert(0) += 1;
    }
    println!("{} busts, {taken_back} fills taken back, {anomalies:?}", busts.len());
    let all = ["bust-mismatch", "repeated-bust", "unknown-fill"];
    assert!(taken_back > 100 && anomalies.keys().eq(all.iter()), "{taken_back}, {anomalies:?}");
    for (n, shape) in shapes().into_iter().enumerate() {
        let shaped = shaped(&settings, (shape.0, &shape.1), RINGS[n % 2], BATCHES[n % 4]);
        let pipeline = Pipeline { settings: &shaped, ..fused };
        let found = pipeline.play(pipeline.plan(), &inputs, (n % 3 > 0).then(|| Delays::new(n as u64, 500)));
        same(&reference.events, &found.events, &format!("{shape:?}"));
        assert!(reference.state == found.state, "{shape:?}: state");
    }
}

/// Rules of the merge, broken on purpose.
#[cfg(feature = "deliberate-faults")]
mod faults {
    use super::{LATENCIES, Settings, amount, equal, same, set, shaped, sound, taken, trading};
    use flow::{Kind, Kinds};
    use std::process::{Command, Stdio};
    use std::time::{Duration, Instant};
    use tidegate::deliberate::{Fault, inject};

    const FAULT: &str = "TIDEGATE_BROKEN_RULE";
    /// How long one comparison of the child may take that breaks no rule.
    const LIMIT: Duration = Duration::from_secs(120);
    /// Few kinds reach the end: most inputs forward nothing over a cut.
    const FEW: Kinds = Kinds::of(&[Kind::Route, Kind::Fill]);

    /// What the child compares: shapes in which threads race, with rings that run full.
    fn compared(settings: &Settings) {
        let reference = taken(settings, Kinds::ALL);
        sound(&reference.events);
        for (shape, batch) in
            [(("split", ""), 1), (("split", ""), 64), (("cuts", "orders,tail"), 7), (("cuts", "tail"), 1_024)]
        {
            let found = taken(&shaped(settings, shape, "phase", batch), Kinds::ALL);
            equal(&reference, &found, &format!("{shape:?}, batch {batch}"));
            println!("{shape:?}, batch {batch}: as it must be");
            let few = taken(&shaped(settings, shape, "phase", batch), FEW);
            let part: Vec<_> = reference.events.iter().filter(|e| FEW.has(e.kind)).copied().collect();
            same(&part, &few.events, &format!("few kinds, {shape:?}, batch {batch}"));
            println!("few kinds, {shape:?}, batch {batch}: as it must be");
        }
    }

    /// Run by [`each_broken_rule_is_seen`], in a process of its own: it may hang or panic.
    #[test]
    #[ignore = "the other test runs it"]
    fn child() {
        let number: usize = std::env::var(FAULT).expect("the parent test names it").parse().expect("a number");
        inject(number.checked_sub(1).map(|at| Fault::ALL[at]));
        for latency in LATENCIES.into_iter().step_by(amount(2, 1) as usize) {
            compared(&trading(81, 3_000, latency, false));
            // Without bars there are no ticks behind the last input: orders are on their way when the sources end.
            let mut tickless = trading(83, 3_000, latency, false);
            set(&mut tickless, "pipeline.stages=book,cvd,random,orders,risk,router");
            compared(&tickless);
        }
    }

    /// Whether the child finds something wrong: it fails, or one of its comparisons does not end in time. With that, the longest
    /// time between two lines that it printed.
    fn is_seen(number: usize, limit: Duration) -> (bool, Duration) {
        let printed = tempfile::NamedTempFile::new().expect("a file");
        let mut child = Command::new(std::env::current_exe().expect("a test has a file"))
            .args(["--exact", "trading::faults::child", "--ignored", "--nocapture"])
            .env(FAULT, number.to_string())
            .stdout(printed.reopen().expect("a file"))
            .stderr(Stdio::null())
            .spawn()
            .expect("a test can be run");
        let (mut length, mut since, mut longest) = (0, Instant::now(), Duration::ZERO);
        while since.elapsed() < limit {
            if let Some(status) = child.try_wait().expect("a child") {
                return (!status.success(), longest);
            }
            std::thread::sleep(Duration::from_millis(20));
            longest = longest.max(since.elapsed());
            let now = printed.as_file().metadata().expect("a file").len();
            if now > length {
                (length, since) = (now, Instant::now());
            }
        }
        child.kill().expect("a child");
        child.wait().expect("a child");
        (true, longest)
    }

    #[test]
    fn each_broken_rule_is_seen() {
        let (is_wrong, longest) = is_seen(0, LIMIT);
        assert!(!is_wrong, "without a fault nothing is wrong");
        // A pipeline that has lost its watermark waits for ever.
        let limit = Duration::from_secs(5) + 4 * longest;
        let unseen: Vec<_> = Fault::ALL.iter().enumerate().filter(|(at, _)| !is_seen(at + 1, limit).0).collect();
        assert!(unseen.is_empty(), "broken and not seen: {unseen:?}");
    }
}
