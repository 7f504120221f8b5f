//! Several instances of one strategy or measure in one stage.

use crate::harness::{self, INSTRUMENTS};
use flow::records::{BookTop, Imbalance, Intent, Listing, Pulse, Trade, Vpin};
use flow::{Event, EventId, Flags, Kind, Kinds, Ns, Out, Params, Px, Qty, Real, Record, Side, Stage};
use stages::strategies::{MOMENTUM, MomentumStage, Setup};
use stages::{Instance, Instanced, Instances, Part, Space};
use std::collections::BTreeMap;

const SPACE: Space = Space { instruments: INSTRUMENTS, fills: 64, positions: 64 };

fn instances(registry: Instanced, names: &[(&str, &'static str)]) -> Instances {
    let mut instances = Instances::PLAIN;
    for (name, uses) in names {
        instances.add(registry, Instance { name: (*name).to_owned(), uses, given: 0, number: 0 });
    }
    instances.number(&Instances::PLAIN).expect("few names");
    instances
}

/// A stage with its buffer.
struct Run {
    stage: Box<dyn Stage>,
    out: Out,
    seq: u64,
}

impl Run {
    fn new(part: &Part, instances: &Instances, params: &BTreeMap<&str, Params>) -> Run {
        let stage = part.build(|name| &params[name], instances, SPACE).expect("valid");
        Run { stage, out: Out::new(part.position(), Kinds::ALL), seq: 0 }
    }

    fn send<R: Record>(&mut self, instrument: u32, side: Side, record: &R) -> Vec<Event> {
        self.seq += 1;
        let event = Event::new(Ns(self.seq), instrument, Flags::side_only(side), record);
        let event = Event { id: EventId::new(self.seq, 0, 0), ..event };
        self.out.begin(&event);
        self.stage.on_event(&event, &mut self.out);
        self.out.events().to_vec()
    }
}

#[test]
fn two_measures_say_whose_they_are_and_the_plain_one_says_what_it_says_alone() {
    let both = instances(Instanced::Measures, &[("small", "vpin"), ("other", "cvd")]);
    let bucket = |qty| harness::params("vpin", &[("bucket_qty", qty), ("window", "2")]);
    let params =
        BTreeMap::from([("vpin", bucket("100")), ("small", bucket("10")), ("cvd", harness::params("cvd", &[]))]);
    let parts = |of: &Instances, names: &[&str]| of.uncut(|name| names.contains(&name));
    let [alone] = &parts(&Instances::PLAIN, &["vpin"])[..] else { panic!("one family") };
    let [together] = &parts(&both, &["vpin", "small"])[..] else { panic!("one family") };
    assert_eq!((together.names(), together.position()), (vec!["vpin", "small"], alone.position()));
    let (mut alone, mut together) = (Run::new(alone, &both, &params), Run::new(together, &both, &params));
    let (mut of_plain, mut of_small) = (Vec::new(), 0);
    for run in [&mut alone, &mut together] {
        run.send(1, Side::None, &Listing::default());
    }
    for n in 0..60 {
        let side = if n % 3 == 0 { Side::Sell } else { Side::Buy };
        let trade = Trade { px: Px(1), qty: Qty(10), ..Trade::default() };
        of_plain.extend(alone.send(1, side, &trade).iter().map(|e| (e.kind, e.body)));
        let mut now = together.send(1, side, &trade);
        let small = now.split_off(now.len() - 2);
        let of_it: &Vpin = small[0].record();
        assert_eq!((of_it.instance, of_it.bucket_qty, small[1].kind), (128, Qty(10), Kind::VpinFlow));
        of_small += 1;
        let expected = of_plain.len().saturating_sub(now.len());
        assert_eq!(now.iter().map(|e| (e.kind, e.body)).collect::<Vec<_>>(), of_plain[expected..]);
    }
    assert_eq!((of_plain.len(), of_small), (12, 60));
    assert_eq!(both.measure(128, Kind::Vpin), Some("small"));
    assert_eq!((both.measure(0, Kind::Vpin), both.measure(0, Kind::VpinFlow)), (Some("vpin"), Some("vpin")));
}

#[test]
fn a_strategy_reads_the_measure_that_it_names() {
    let both = instances(Instanced::Measures, &[("small", "vpin"), ("deep", "imbalance")]);
    let setup = Setup { measures: both.of(Instanced::Measures), ..Setup::plain(MOMENTUM, SPACE) };
    let params = harness::params("momentum", &[("vpin", "small"), ("imbalance", "deep")]);
    assert!(MomentumStage::new(&params, setup).is_ok());
    let fault = |set| MomentumStage::new(&harness::params("momentum", &[set]), setup).err().unwrap().to_string();
    assert_eq!(fault(("vpin", "deep")), "momentum.vpin: \"deep\" is not valid; valid: vpin, small");
    assert_eq!(fault(("cvd", "small")), "momentum.cvd: \"small\" is not valid; valid: cvd");
    let state = |set: &[(&str, &str)], instance: u8| {
        let mut stage = MomentumStage::new(&harness::params("momentum", set), setup).unwrap();
        let mut out = Out::new(72, Kinds::ALL);
        let imbalance = Imbalance { l1: Real::of(0.25), instance, ..Imbalance::default() };
        let vpin = Vpin { vpin: Real::of(0.75), instance, ..Vpin::default() };
        stage.on_event(&Event::new(Ns(1), 1, Flags::NONE, &imbalance), &mut out);
        stage.on_event(&Event::new(Ns(1), 1, Flags::NONE, &vpin), &mut out);
        harness::saved(&stage, &flow::Listings::default())
    };
    let (deep, small) = (("imbalance", "deep"), ("vpin", "small"));
    let [nothing, own, both_read] = [state(&[deep, small], 0), state(&[], 0), state(&[deep, ("vpin", "vpin")], 129)];
    assert!(nothing != own, "what it does not name it does not read");
    assert!(both_read != nothing && both_read != own, "one of the two");
}

#[test]
fn instances_share_what_a_stage_may_emit_and_the_rest_waits_for_the_next_pulse() {
    let names: Vec<String> = (0..30).map(|n| format!("hold{n}")).collect();
    let named: Vec<_> = names.iter().map(|name| (name.as_str(), "buy-and-hold")).collect();
    let all = instances(Instanced::Strategies, &named);
    let params: BTreeMap<_, _> =
        all.names().chain(["buy-and-hold"]).map(|name| (name, harness::params("buy-and-hold", &[]))).collect();
    let parts = all.uncut(|name| name.starts_with("hold") || name == "buy-and-hold");
    let [part] = &parts[..] else { panic!("one stage") };
    assert_eq!((part.names().len(), part.names()[0]), (31, "buy-and-hold"));
    let mut run = Run::new(part, &all, &params);
    let top = BookTop { bid_px: Px(5), ask_px: Px(6), bid_qty: Qty(1), ask_qty: Qty(1), exchange_ts: Ns(1) };
    run.send(1, Side::None, &top);
    assert!(run.out.asks_for_pulse());
    let mut bought = Vec::new();
    while run.out.asks_for_pulse() {
        let emitted = run.send(0, Side::None, &Pulse::default());
        assert!(emitted.len() <= Out::CAP);
        bought.extend(emitted.iter().filter_map(|e| e.get::<Intent>()).map(|intent| intent.strategy.0));
    }
    assert_eq!(
        bought,
        std::iter::once(2).chain(32..62).collect::<Vec<u16>>(),
        "each once, in the order of the numbers"
    );
}
