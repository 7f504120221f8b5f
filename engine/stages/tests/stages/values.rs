//! Values that symbols have of their own and that commands set, of every strategy and measure that has such.

use crate::harness::{self, INSTRUMENTS};
use crate::stream::listing;
use flow::records::{BookTop, Command, CommandOutcome, Intent, Pulse, Trade, Vpin};
use flow::{
    Action, BookKind, CommandAction, CommandResult, Effective, Event, EventId, Flags, InstrumentType, Kinds, Lasting,
    Listings, Ns, Out, Param, ParamInForce, ParamType, Params, Px, Qty, Record, Side, Stage, StateReader, StateWriter,
    TradingState, Value,
};
use proptest::prelude::*;
use stages::{Instance, Instanced, Instances, Part, Space};
use std::collections::BTreeMap;

const SPACE: Space = Space { instruments: INSTRUMENTS, fills: 64, positions: 64 };
/// 2026-01-12 15:00 UTC.
const MONDAY: u64 = 1_768_230_000;
const DAY: u64 = 86_400;

/// Three instances of an entry: the plain one, and two with values of their own for one symbol.
struct Family {
    instances: Instances,
    params: BTreeMap<String, Params>,
}

impl Family {
    fn of(registry: Instanced, uses: &'static str, set: &[(&str, &str)]) -> Family {
        let mut instances = Instances::PLAIN;
        for name in ["first", "second"] {
            instances.add(registry, Instance { name: name.to_owned(), uses, given: 0, number: 0 });
        }
        instances.number(&Instances::PLAIN).unwrap();
        let names = [uses, "first", "second"].map(str::to_owned);
        Family { params: names.into_iter().map(|name| (name, harness::params(uses, set))).collect(), instances }
    }

    fn entry(&self) -> &'static [Param] {
        self.instances.entry("first").unwrap().params()
    }

    fn set_for(&mut self, name: &str, symbol: &str, key: &str, text: &str) {
        let param = self.entry().iter().find(|param| param.name == key).unwrap();
        self.params.get_mut(name).unwrap().set_for(symbol, param, param.parse(key, text).unwrap());
    }

    fn run(&self) -> Run {
        let parts = self.instances.uncut(|name| self.params.contains_key(name));
        let [part] = &parts[..] else { panic!("one stage") };
        Run::new(part, self)
    }

    /// The target of a command.
    fn target(&self, name: &str, key: &str) -> u32 {
        let at = self.entry().iter().position(|param| param.name == key).unwrap();
        u32::from(self.instances.owner(name).unwrap()) << 16 | at as u32
    }
}

/// A stage with what it has been told.
struct Run {
    stage: Box<dyn Stage>,
    out: Out,
    listings: Listings,
    seq: u64,
    now: u64,
}

impl Run {
    fn new(part: &Part, of: &Family) -> Run {
        let stage = part.build(|name| &of.params[name], &of.instances, SPACE).unwrap();
        let out = Out::new(part.position(), Kinds::ALL);
        let mut run = Run { stage, out, listings: Listings::default(), seq: 0, now: MONDAY };
        for at in 1..4 {
            for event in listing(at, BookKind::None, InstrumentType::Equity) {
                run.listings.observe(&event);
                run.event(event);
            }
        }
        run
    }

    fn event(&mut self, event: Event) -> Vec<Event> {
        self.seq += 1;
        let event = Event { id: EventId::new(self.seq, 0, 0), ts: Ns(self.now * Ns::SECOND), ..event };
        if !self.stage.reads().has(event.kind) {
            return Vec::new();
        }
        self.out.begin(&event);
        self.stage.on_event(&event, &mut self.out);
        let emitted = self.out.events();
        assert!(emitted.len() <= self.stage.fan_out() && emitted.iter().all(|e| self.stage.emits().has(e.kind)));
        emitted.to_vec()
    }

    fn send<R: Record>(&mut self, instrument: u32, side: Side, record: &R) -> Vec<Event> {
        self.event(Event::new(Ns(0), instrument, Flags::side_only(side), record))
    }

    fn trade(&mut self, instrument: u32, side: Side, qty: u64) -> Vec<Event> {
        self.send(instrument, side, &Trade { px: Px(Px::ONE), qty: Qty(qty), ..Trade::default() })
    }

    /// A new touch, and the pulse behind it.
    fn top(&mut self, instrument: u32) -> Vec<Event> {
        let top = BookTop {
            bid_px: Px(Px::ONE),
            ask_px: Px(2 * Px::ONE),
            bid_qty: Qty(9),
            ask_qty: Qty(9),
            ..BookTop::default()
        };
        let mut emitted = self.send(instrument, Side::None, &top);
        emitted.extend(self.send(instrument, Side::None, &Pulse::default()));
        emitted
    }

    fn set(&mut self, instrument: u32, target: u32, old: i64, new: i64) -> Option<CommandOutcome> {
        let action = CommandAction::SetParam.code();
        let emitted = self.send(instrument, Side::None, &Command { action, target, old, new, ..Command::default() });
        assert!(emitted.len() <= 1, "one of the instances answers");
        emitted.first().map(|event| *event.record())
    }

    fn in_force(&self) -> Vec<ParamInForce> {
        let mut state = TradingState::default();
        self.stage.trading_state(&mut state);
        state.params
    }

    fn saved(&self) -> Vec<u8> {
        let mut to = StateWriter::new(&self.listings);
        self.stage.save(&mut to);
        to.into_bytes()
    }

    fn load(&mut self, bytes: &[u8]) {
        let mut from = StateReader::new(&self.listings, bytes);
        self.stage.load(&mut from).and_then(|()| from.finish()).unwrap();
    }
}

/// Strategies and measures with parameters that commands may set.
fn entries() -> Vec<(Instanced, &'static dyn flow::Registered)> {
    let all =
        Instanced::ALL.into_iter().flat_map(|registry| registry.entries().into_iter().map(move |e| (registry, e)));
    all.filter(|(_, entry)| entry.params().iter().any(Param::is_live)).collect()
}

#[test]
fn every_strategy_and_the_measure_of_buckets_take_values_by_symbol_and_by_command() {
    let names: Vec<_> = entries().iter().map(|(_, entry)| entry.name()).collect();
    assert_eq!(names, ["momentum", "buy-and-hold", "random", "trend", "reversion", "vpin"]);
}

/// A value of a parameter, drawn.
fn drawn(param: &Param, number: u64) -> Value {
    match param.ty {
        ParamType::Bool => Value::Bool(number.is_multiple_of(2)),
        ParamType::Int(low, high) => Value::Int((low + number % 40).min(high)),
        ParamType::Float(low, high) => Value::Float((low + number as f64 / 8.0).min(high)),
        _ => param.parse(param.name, param.default).unwrap(),
    }
}

/// A command on an instance's value, with the one that counts as the last, or now and then another. `None` where the values in
/// force do not say what that is.
fn command(run: &Run, family: &Family, number: u64) -> Option<(u32, u32, i64, i64)> {
    let (entry, draw) = (family.entry(), |by: u64| number / by);
    let live: Vec<usize> = (0..entry.len()).filter(|at| entry[*at].is_live()).collect();
    let at = live[draw(3) as usize % live.len()];
    let name = family.params.keys().nth(number as usize % 3).unwrap();
    let instrument = if entry[at].per_symbol { draw(5) as u32 % 4 } else { 0 };
    let owner = family.instances.owner(name).unwrap();
    let rows = run.in_force();
    let row = rows.iter().find(|row| (row.owner, row.param, row.instrument) == (owner, at as u16, instrument))?;
    let old = row.waits.unwrap_or(row.value) + i64::from(draw(7) % 9 == 0);
    let new = entry[at].bits(&drawn(&entry[at], draw(11)))?;
    Some((instrument, u32::from(owner) << 16 | at as u32, old, new))
}

fn step(run: &mut Run, family: &Family, what: u8, number: u64) -> Vec<Event> {
    let instrument = 1 + number as u32 % 3;
    run.now += if what >= 248 { DAY } else { 1 };
    match what % 8 {
        0 | 1 => match command(run, family, number) {
            Some((at, target, old, new)) => {
                let action = CommandAction::SetParam.code();
                run.send(at, Side::None, &Command { action, target, old, new, ..Command::default() })
            }
            None => Vec::new(),
        },
        // A value of an instrument's own, over that of all.
        2 => {
            let name = family.params.keys().nth(number as usize % 3).unwrap();
            let at = family.entry().iter().position(|param| param.per_symbol && param.is_live()).unwrap();
            let target = u32::from(family.instances.owner(name).unwrap()) << 16 | at as u32;
            let owner = (target >> 16) as u16;
            let rows = run.in_force();
            let row = rows.iter().find(|row| (row.owner, usize::from(row.param), row.instrument) == (owner, at, 0));
            let old = row.map_or(0, |row| row.waits.unwrap_or(row.value));
            run.set(instrument, target, old, 1 + number as i64 % 30);
            Vec::new()
        }
        3..6 => run.trade(instrument, if number.is_multiple_of(2) { Side::Buy } else { Side::Sell }, 1 + number % 60),
        _ => run.top(instrument),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(120))]
    #[test]
    fn saved_anywhere_it_goes_on_alike(
        which in 0_usize..4,
        steps in prop::collection::vec((any::<u8>(), 0_u64..100_000), 1..160),
        saves in prop::collection::vec(0_usize..160, 0..4),
    ) {
        let (registry, entry) = entries()[which];
        let mut family = Family::of(registry, entry.name(), &[]);
        let param = entry.params().iter().find(|p| p.per_symbol && p.is_live()).unwrap();
        family.set_for("first", "S1", param.name, "3");
        family.set_for("second", "S2", param.name, "4");
        let (mut one, mut other) = (family.run(), family.run());
        for (at, (what, number)) in steps.iter().enumerate() {
            if saves.contains(&at) {
                let bytes = other.saved();
                let Run { seq, now, .. } = other;
                other = family.run();
                (other.seq, other.now) = (seq, now);
                other.load(&bytes);
                prop_assert_eq!(other.saved(), bytes);
            }
            prop_assert_eq!(step(&mut one, &family, *what, *number), step(&mut other, &family, *what, *number));
            prop_assert_eq!(one.in_force(), other.in_force());
        }
        prop_assert_eq!(one.saved(), other.saved());
    }
}

/// The quantity and the strategy of the new orders among these.
fn ordered(emitted: &[Event]) -> Vec<(u16, u64)> {
    let new = |event: &Event| {
        let intent: &Intent = event.get()?;
        (intent.action == Action::New.code()).then_some((intent.strategy.0, intent.qty.0))
    };
    emitted.iter().filter_map(new).collect()
}

#[test]
fn three_instances_of_random_order_what_is_set_for_symbol_and_instance_from_the_next_order_on() {
    let mut family = Family::of(Instanced::Strategies, "random", &[("every", "1"), ("max_position", "1000000")]);
    for (name, symbol, qty) in [("first", "S1", "7"), ("second", "S2", "11"), ("random", "S3", "1000")] {
        family.set_for(name, symbol, "qty", qty);
    }
    let mut run = family.run();
    let owner = |name: &str| family.instances.owner(name).unwrap();
    let mut wanted: BTreeMap<(u16, u32), u64> = BTreeMap::new();
    for name in ["random", "first", "second"] {
        wanted.extend((1..4).map(|at| ((owner(name), at), 100)));
    }
    wanted.extend([((owner("first"), 1), 7), ((owner("second"), 2), 11), ((owner("random"), 3), 1_000)]);
    let mut seen = 0;
    let mut check = |run: &mut Run, wanted: &BTreeMap<(u16, u32), u64>| {
        for round in 0..90 {
            run.now += 1;
            for event in run.top(1 + round % 3) {
                for (strategy, qty) in ordered(&[event]) {
                    let base = wanted[&(strategy, event.instrument)];
                    assert!([1, 2, 3].contains(&(qty / base)) && qty % base == 0, "{qty} of {base}");
                    seen += 1;
                }
            }
        }
    };
    check(&mut run, &wanted);
    let set = |run: &mut Run, name: &str, at: u32, old: i64, new: i64| {
        let outcome = run.set(at, family.target(name, "qty"), old, new).unwrap();
        (CommandResult::from_code(outcome.result).unwrap(), outcome.old, outcome.new, outcome.effective)
    };
    let now = Effective::Now.code();
    assert_eq!(set(&mut run, "first", 1, 7, 13), (CommandResult::Applied, 7, 13, now));
    assert_eq!(set(&mut run, "second", 0, 100, 17), (CommandResult::Applied, 100, 17, now));
    assert_eq!(set(&mut run, "random", 2, 99, 19), (CommandResult::WrongOld, 100, 100, now));
    wanted.insert((owner("first"), 1), 13);
    wanted.extend([1, 3].map(|at| ((owner("second"), at), 17)));
    check(&mut run, &wanted);
    let bytes = run.saved();
    let mut again = family.run();
    again.seq = run.seq;
    again.load(&bytes);
    check(&mut again, &wanted);
    assert!(seen > 400, "{seen}");
}

#[test]
fn buy_and_hold_buys_what_was_set_before_it_decided() {
    let mut family = Family::of(Instanced::Strategies, "buy-and-hold", &[]);
    family.set_for("first", "S1", "qty", "7");
    let mut run = family.run();
    assert_eq!(run.set(0, family.target("second", "qty"), 100, 20).unwrap().result, CommandResult::Applied.code());
    assert_eq!(
        run.set(1, family.target("buy-and-hold", "qty"), 100, 30).unwrap().result,
        CommandResult::Applied.code()
    );
    let owner = |name: &str| family.instances.owner(name).unwrap();
    let (plain, first, second) = (owner("buy-and-hold"), owner("first"), owner("second"));
    assert_eq!(ordered(&run.top(1)), [(plain, 30), (first, 7), (second, 20)]);
    assert_eq!(ordered(&run.top(2)), [(plain, 100), (first, 100), (second, 20)]);
    assert!(ordered(&run.top(2)).is_empty(), "once");
}

/// What a stage says that lasts, as inputs of the next journal.
fn memory(run: &Run) -> Vec<Event> {
    let mut lasting = Lasting::new(Ns(7));
    lasting.begin_stage(run.out.position());
    run.stage.remember(&mut lasting);
    lasting.into_rows().into_iter().map(|(at, row)| Event::new(Ns(0), at, Flags::SNAPSHOT, &row)).collect()
}

#[test]
fn a_size_that_waits_goes_on_in_another_journal_and_another_configuration_begins_anew() {
    let family = Family::of(Instanced::Measures, "vpin", &[("bucket_qty", "10"), ("window", "2")]);
    let mut whole = family.run();
    whole.trade(1, Side::Buy, 25);
    let target = family.target("first", "bucket_qty");
    whole.set(0, target, 10, 5).unwrap();
    let mut next = family.run();
    next.set(0, target, 10, 5).unwrap();
    let rows = memory(&whole);
    rows.iter().for_each(|row| assert!(next.event(*row).is_empty()));
    assert_eq!((memory(&next), next.in_force()), (rows.clone(), whole.in_force()));
    for days in [0, 0, 1, 0, 1] {
        let both = [&mut whole, &mut next].map(|run| {
            run.now += days * DAY;
            run.trade(1, Side::Sell, 17).iter().map(|event| (event.kind, event.body)).collect::<Vec<_>>()
        });
        assert_eq!(both[0], both[1]);
    }
    let other = Family::of(Instanced::Measures, "vpin", &[("bucket_qty", "9"), ("window", "2")]);
    let mut other = other.run();
    rows.iter().for_each(|row| assert!(other.event(*row).is_empty()));
    assert!(memory(&other).iter().all(|row| row.instrument == 0), "its terms alone");
}

/// What three instances of `vpin` say of closed buckets: instrument, instance, size of the bucket, how many closed.
fn closed(emitted: &[Event]) -> Vec<(u8, u64, u32)> {
    let vpin = |event: &Event| event.get::<Vpin>().map(|v| (v.instance, v.bucket_qty.0, v.closed));
    emitted.iter().filter_map(vpin).collect()
}

#[test]
fn a_bucket_gets_its_new_size_when_the_next_session_of_its_instrument_begins() {
    let mut family = Family::of(Instanced::Measures, "vpin", &[("bucket_qty", "10"), ("window", "2")]);
    family.set_for("second", "S2", "bucket_qty", "4");
    let mut run = family.run();
    assert_eq!(closed(&run.trade(1, Side::Buy, 25)), [(0, 10, 2), (128, 10, 2), (129, 10, 2)]);
    assert_eq!(closed(&run.trade(2, Side::Buy, 25)), [(0, 10, 2), (128, 10, 2), (129, 4, 6)]);
    let target = family.target("first", "bucket_qty");
    let outcome = run.set(0, target, 10, 5).unwrap();
    let said = (outcome.result, outcome.old, outcome.new, outcome.effective);
    assert_eq!(said, (CommandResult::Applied.code(), 10, 5, Effective::NextSession.code()));
    assert_eq!(run.set(0, target, 10, 6).unwrap().result, CommandResult::WrongOld.code(), "what waits counts");
    let of_first = |run: &Run| {
        let rows = run.in_force().into_iter().filter(|row| row.owner == (target >> 16) as u16);
        rows.map(|row| (row.instrument, row.value, row.waits)).collect::<Vec<_>>()
    };
    assert_eq!(of_first(&run), [(0, 10, Some(5))]);
    assert_eq!(closed(&run.trade(1, Side::Buy, 5)), [(0, 10, 1), (128, 10, 1), (129, 10, 1)], "its session goes on");
    run.now += DAY;
    // The open bucket and the ring are emptied; a third instrument begins with the new size.
    let mut next = run.trade(1, Side::Sell, 5);
    assert_eq!(closed(&next), [(128, 5, 1)]);
    next.retain(|event| event.get::<Vpin>().is_some_and(|v| v.instance == 128));
    assert_eq!(next[0].record::<Vpin>().vpin.known(), None, "the window is not full");
    let full = run.trade(1, Side::Sell, 5);
    assert_eq!(
        full.iter().filter_map(|e| e.get::<Vpin>()).find(|v| v.instance == 128).unwrap().vpin.known(),
        Some(1.0)
    );
    assert_eq!(of_first(&run), [(0, 10, Some(5))], "the second instrument is in its old session");
    assert!(closed(&run.trade(3, Side::Buy, 5)).contains(&(128, 5, 1)));
    run.trade(2, Side::Buy, 1);
    assert_eq!(of_first(&run), [(0, 5, None)]);
}
