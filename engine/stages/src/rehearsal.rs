//! An order that goes nowhere, to keep the way of orders warm.
//!
//! **Idea.** A strategy trades rarely: between two of its orders the market moves thousands of times, and by then the code and the
//! branch history of the decision have left the caches. What an order then waits for is its own code. So a pipeline that has
//! nothing to do takes a made-up occasion through small stages of its own: the same code on other data. The small stages know one
//! instrument, hold nothing, and read and change no state of the run; what they emit is dropped. A strategy that says what its
//! [`Occasion`] is has a copy among them, which acts; without one the order is made up too.
//!
//! **Bound.** Some stages with the smallest tables; a rehearsal is a top and what else the copies wait for, an order, its
//! acknowledgement and its cancel. **Worst case.** An input that comes just then waits for the rehearsal to end.
//!
//! Sapir showed the practice for trading systems ("Dummy operations", Core C++ 2019).

use crate::Space;
use crate::registry::STAGES;
use crate::risk::CURRENCY;
use crate::strategies::{Occasion, Occasions, Setup, StrategyEntry};
use crate::uncut::Running;
use flow::records::{Ack, BookTop, Cancelled, Delete, Intent, Listing, Refused, Route};
use flow::{
    Account, Action, Currency, Event, EventId, Flags, InstrumentType, Ns, OrderType, Param, ParamError, Params, Px,
    Qty, Record, Side, Stage, StrategyId, Tif,
};

/// What is smaller than in a run: tables, and the window of the throttle, in which one order is nothing.
const SMALL: [(&str, &str); 8] = [
    ("max_orders", "16"),
    ("max_in_flight", "16"),
    ("max_accounts", "16"),
    ("max_positions", "16"),
    ("max_holdings", "16"),
    ("max_pairs", "16"),
    ("open_order_slots", "16"),
    ("throttle_window_ms", "1"),
];

/// The strategy and the account of a made-up order.
const STRATEGY: StrategyId = StrategyId(32);
const ACCOUNT: Account = Account(1);
/// Time that passes from one rehearsal to the next, more than that window. It ends after 10^12 of them; from then on the throttle
/// refuses.
const APART: u64 = 2_000_000;
/// When the first one is: calendars begin before.
const BEGINS: Ns = Ns(1_600_000_000 * Ns::SECOND);
const TICK: Px = Px(Px::ONE / 100);
/// Room for what one rehearsal brings to its end: more than the copies emit.
const ENDS: usize = 64;

/// A small stage: name, position in the ids of events, and the stage.
pub type SmallStage = (&'static str, u8, Box<dyn Stage>);

/// What is taken through the small stages, and how far they have come.
pub struct Rehearsal {
    occasions: Vec<Occasion>,
    now: Ns,
    seq: u64,
    /// What the first event is: without it there is no instrument.
    listing: Listing,
    given: Occasions,
    /// Routes and refusals.
    ends: Vec<Event>,
}

impl Rehearsal {
    /// The stages of an order's way behind its strategy, in their order.
    pub const WAY: [&str; 3] = ["orders", "risk", "router"];

    /// The small stages, and what is taken through them; `params` has the parameters of the run for the name of a stage or of an
    /// instance, so that an order takes the way that it takes there. `strategies` are those whose orders are rehearsed.
    ///
    /// # Errors
    /// What a stage does not accept.
    pub fn new<'a>(
        params: impl Fn(&str) -> &'a Params,
        strategies: &[&Running<StrategyEntry>],
    ) -> Result<(Rehearsal, Vec<SmallStage>), ParamError> {
        let space = Space { instruments: Occasions::INSTRUMENT + 1, fills: 1, positions: 16 };
        let stage = |name: &str| {
            let entry = STAGES.iter().find(|entry| entry.name == name).expect("every stage of the way has an entry");
            let params = changed(params(name).clone(), entry.params, &SMALL);
            Ok((entry.name, entry.position, (entry.build)(&params, space)?))
        };
        let mut occasions = Vec::new();
        let mut small = vec![stage("pulse")?];
        for Running { name, entry, number } in strategies {
            let Some(occasion) = entry.rehearsal else { continue };
            let params = changed(params(name).without_symbols(), entry.params, &[("symbols", "")]);
            let params = changed(params, entry.params, occasion.params);
            let setup = Setup::plain(StrategyId(*number), space);
            small.push((entry.name, entry.position(), (entry.build)(&params, setup)?));
            occasions.push(occasion);
        }
        for name in Self::WAY {
            small.push(stage(name)?);
        }
        let listing = listing(params("risk").find(CURRENCY).unwrap_or_default());
        let (given, ends) = (Occasions::with_capacity(ENDS), Vec::with_capacity(ENDS));
        Ok((Rehearsal { occasions, now: BEGINS, seq: 0, listing, given, ends }, small))
    }

    /// Takes an occasion to the routes of its orders and ends these; whether it came so far. The limits of a run may refuse even an
    /// order of one. `pass` takes an event through the small stages, and adds the routes and refusals that it causes, as far as
    /// there is room without allocating.
    pub fn run(&mut self, mut pass: impl FnMut(&Event, &mut Vec<Event>)) -> bool {
        if self.seq == 0 {
            let listing = self.listing;
            self.give(Side::None, &listing, &mut pass);
        }
        self.now = Ns(self.now.0.saturating_add(APART).min(u64::MAX / 2));
        self.ends.clear();
        let (bid_px, ask_px) = (Px(Px::ONE), Px(Px::ONE + TICK.0));
        let top = BookTop { exchange_ts: self.now, bid_px, bid_qty: Qty(1), ask_px, ask_qty: Qty(1) };
        self.give(Side::None, &top, &mut pass);
        let mut given = std::mem::take(&mut self.given);
        self.occasions.iter().for_each(|occasion| (occasion.events)(self.now.0 / APART, &mut given));
        if self.occasions.is_empty() {
            given.add(Side::Buy, &made_up());
        }
        given.drain().for_each(|event| self.pass(event, &mut pass));
        self.given = given;
        // What a top follows from: behind it strategies act.
        self.give(Side::Buy, &Delete::default(), &mut pass);
        let mut has_left = false;
        for at in 0..self.ends.len() {
            let end = self.ends[at];
            if let Some(&Route { order_id, .. }) = end.get() {
                self.give(end.side(), &Ack { order_id, ..Ack::default() }, &mut pass);
                self.give(end.side(), &Cancelled { order_id, ..Cancelled::default() }, &mut pass);
                has_left = true;
            } else {
                self.give(end.side(), end.record::<Refused>(), &mut pass);
            }
        }
        has_left
    }

    fn give<R: Record>(&mut self, side: Side, record: &R, pass: &mut impl FnMut(&Event, &mut Vec<Event>)) {
        let flags = Flags::side_only(side).with(Flags::LAST_OF_GROUP);
        self.pass(Event::new(self.now, Occasions::INSTRUMENT, flags, record), pass);
    }

    fn pass(&mut self, event: Event, pass: &mut impl FnMut(&Event, &mut Vec<Event>)) {
        self.seq = self.seq % (u64::MAX >> 24) + 1;
        pass(&Event { id: EventId::new(self.seq, 0, 0), ts: self.now, ..event }, &mut self.ends);
    }
}

/// An order, where no copy of a strategy makes one.
fn made_up() -> Intent {
    Intent {
        px: Px(Px::ONE),
        qty: Qty(1),
        strategy: STRATEGY,
        account: ACCOUNT,
        action: Action::New.code(),
        order_type: OrderType::Limit.code(),
        tif: Tif::Day.code(),
        ..Intent::default()
    }
}

/// Parameters of a run, with these values for those of them that there are.
fn changed(mut params: Params, of: &'static [Param], values: &[(&str, &str)]) -> Params {
    for param in of {
        if let Some((name, value)) = values.iter().find(|(name, _)| *name == param.name) {
            params.set(param, param.parse(name, value).expect("a test sets each of them"));
        }
    }
    params
}

fn listing(currency: &str) -> Listing {
    let currency = Currency::parse(currency).unwrap_or(Currency(*b"USD\0")).0;
    let instrument_type = InstrumentType::Equity as u8;
    Listing { tick_px: TICK, multiplier: Px::ONE, currency, instrument_type, ..Listing::default() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::strategies::STRATEGIES;
    use flow::{Kind, Kinds, Out};
    use std::collections::BTreeMap;

    struct Station {
        stage: Box<dyn Stage>,
        reads: Kinds,
        out: Out,
    }

    /// Small stages, called one after the other.
    struct SmallPipeline(Rehearsal, Vec<Station>);

    impl SmallPipeline {
        fn new(params: &BTreeMap<&'static str, Params>, strategies: &[&Running<StrategyEntry>]) -> SmallPipeline {
            let (rehearsal, small) = Rehearsal::new(|name| &params[name], strategies).unwrap();
            let station = |(_, position, stage): SmallStage| Station {
                reads: stage.reads(),
                out: Out::new(position, Kinds::ALL),
                stage,
            };
            SmallPipeline(rehearsal, small.into_iter().map(station).collect())
        }

        /// One rehearsal; whether an order left, and what came to an end.
        fn run(&mut self) -> (bool, Vec<Event>) {
            let SmallPipeline(rehearsal, stations) = self;
            let has_left = rehearsal.run(|event, ends| pass(stations, event, ends));
            assert!(rehearsal.ends.len() < ENDS && rehearsal.given.room() == ENDS);
            (has_left, rehearsal.ends.clone())
        }
    }

    /// As a group does it: the event itself through all, then what its last reader emitted, and so on.
    fn pass(way: &mut [Station], event: &Event, ends: &mut Vec<Event>) {
        let reads = |station: &&mut Station| station.reads.has(event.kind);
        for Station { stage, out, .. } in way.iter_mut().filter(reads) {
            out.begin(event);
            stage.on_event(event, out);
        }
        for at in (0..way.len()).rev() {
            let (before, rest) = way.split_at_mut(at + 1);
            if before[at].reads.has(event.kind) {
                let caused = before[at].out.events().to_vec();
                caused.iter().for_each(|event| pass(rest, event, ends));
            }
        }
        if matches!(event.kind, Kind::Route | Kind::Refused) {
            ends.push(*event);
        }
    }

    fn defaults() -> BTreeMap<&'static str, Params> {
        let stages = STAGES.iter().map(|entry| (entry.name, Params::defaults(entry.params)));
        stages.chain(STRATEGIES.iter().map(|entry| (entry.name, Params::defaults(entry.params)))).collect()
    }

    fn running(entry: &'static StrategyEntry) -> Running<StrategyEntry> {
        Running { name: entry.name.to_owned(), entry, number: entry.number.0 }
    }

    #[test]
    fn an_order_takes_its_way_and_ends_as_often_as_one_likes() {
        let mut way = SmallPipeline::new(&defaults(), &[]);
        assert!((0..100_000).all(|_| way.run().0), "no table fills, no limit is reached");
    }

    /// Every strategy that says what its occasion is, alone and beside the others.
    #[test]
    fn the_copy_of_a_strategy_acts_as_often_as_one_likes() {
        let all: Vec<_> = STRATEGIES.iter().filter(|entry| entry.rehearsal.is_some()).map(running).collect();
        assert!(all.len() > 1);
        for entry in STRATEGIES {
            let changes = entry.rehearsal.map_or(&[][..], |occasion| occasion.params);
            let has = |name: &str| entry.params.iter().any(|param| param.name == name);
            assert!(
                changes.iter().all(|(name, _)| has(name)),
                "{} has each parameter that its copy changes",
                entry.name
            );
        }
        let mut params = defaults();
        // What would keep a copy from acting is not taken over from the run.
        for entry in STRATEGIES {
            let symbols = entry.params.iter().find(|param| param.name == "symbols").unwrap();
            params.get_mut(entry.name).unwrap().set(symbols, symbols.parse("symbols", "MSFT").unwrap());
        }
        for one in &all {
            let mut way = SmallPipeline::new(&params, &[one]);
            for n in 0..100_000 {
                let (has_left, ends) = way.run();
                assert!(has_left, "{} stops at {n}: {ends:?}", one.name);
            }
        }
        let mut way = SmallPipeline::new(&params, &all.iter().collect::<Vec<_>>());
        assert!((0..10_000).all(|_| way.run().1.len() >= all.len()));
    }

    #[test]
    fn everything_that_is_made_small_can_be() {
        for (name, value) in SMALL {
            let of = |entry: &&crate::StageEntry| Rehearsal::WAY.contains(&entry.name);
            let params = STAGES.iter().filter(of).flat_map(|entry| entry.params);
            let found: Vec<_> = params.filter(|param| param.name == name).collect();
            assert!(!found.is_empty() && found.iter().all(|param| param.parse(name, value).is_ok()), "{name}");
        }
    }

    #[test]
    fn a_run_that_refuses_every_order_is_rehearsed_as_far_as_it_goes() {
        let mut params = defaults();
        let quantity = STAGES.iter().flat_map(|entry| entry.params).find(|param| param.name == "max_quantity").unwrap();
        params.get_mut("risk").unwrap().set(quantity, flow::Value::Int(0));
        let mut way = SmallPipeline::new(&params, &[]);
        assert!((0..1_000).all(|_| {
            let (has_left, ends) = way.run();
            !has_left && ends.last().is_some_and(|end| end.kind == Kind::Refused)
        }));
    }
}
