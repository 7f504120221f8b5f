//! An order that goes nowhere, to keep the way of orders warm.
//!
//! **Idea.** A strategy trades rarely: between two of its orders the market moves thousands of times, and by then code and branch
//! history of the gate have left the caches. What an order then waits for is its own code. So a pipeline that has nothing to
//! do takes a made-up order through small stages of its own: the same code on other data. The small stages know one
//! instrument, hold nothing, and read and change no state of the run; what they emit is dropped.
//!
//! **Bound.** Three stages with the smallest tables; a rehearsal is a top, an order, its acknowledgement and its cancel, some
//! hundred nanoseconds when it is warm. **Worst case.** An input that comes just then waits for the rehearsal to end.
//!
//! Sapir showed the practice for trading systems ("Dummy operations", Core C++ 2019).

use crate::Space;
use crate::registry::{STAGES, StageEntry};
use crate::risk::CURRENCY;
use flow::records::{Ack, BookTop, Cancelled, Intent, Listing, Refused, Route};
use flow::{
    Account, Action, Currency, Event, EventId, Flags, InstrumentType, Kind, Kinds, Ns, OrderType, Out, ParamError,
    Params, Px, Qty, Record, Side, Stage, StrategyId, Tif,
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

/// The strategy and the account of the order.
const STRATEGY: StrategyId = StrategyId(32);
const ACCOUNT: Account = Account(1);
/// Its instrument.
const INSTRUMENT: u32 = 1;
/// Time that passes from one rehearsal to the next, more than that window. It ends after 10^12 of them; from then on the throttle
/// refuses.
const APART: u64 = 2_000_000;
const TICK: Px = Px(Px::ONE / 100);

struct Station {
    stage: Box<dyn Stage>,
    reads: Kinds,
    out: Out,
}

/// The small stages, and how far they have come.
pub struct Rehearsal {
    way: [Station; Self::WAY.len()],
    now: Ns,
    seq: u64,
    /// The route or the refusal that came last.
    end: Option<Event>,
}

impl Rehearsal {
    /// The stages of an order's way, in their order.
    pub const WAY: [&str; 3] = ["orders", "risk", "router"];

    /// Small stages with the parameters that `params` has for a stage's name: those of the run, so that an order takes the way
    /// that it takes there.
    ///
    /// # Errors
    /// What a stage does not accept.
    pub fn new<'a>(params: impl Fn(&str) -> &'a Params) -> Result<Rehearsal, ParamError> {
        let space = Space { instruments: INSTRUMENT + 1, fills: 1, positions: 16 };
        let station = |name: &str| {
            let entry = STAGES.iter().find(|entry| entry.name == name).expect("every stage of the way has an entry");
            let stage = (entry.build)(&small(entry, params(name)), space)?;
            Ok(Station { reads: stage.reads(), out: Out::new(entry.position, Kinds::ALL), stage })
        };
        let [orders, risk, router] = Self::WAY.map(station);
        let way = [orders?, risk?, router?];
        let mut rehearsal = Rehearsal { way, now: Ns(APART), seq: 0, end: None };
        rehearsal.give(Side::None, &listing(params("risk").find(CURRENCY).unwrap_or_default()));
        Ok(rehearsal)
    }

    /// Takes an order to its route and ends it; whether it came so far. The limits of a run may refuse even an order of one.
    pub fn run(&mut self) -> bool {
        self.now = Ns(self.now.0.saturating_add(APART).min(u64::MAX / 2));
        let (bid_px, ask_px) = (Px(Px::ONE), Px(Px::ONE + TICK.0));
        self.give(Side::None, &BookTop { bid_px, ask_px, bid_qty: Qty(1), ask_qty: Qty(1), ..BookTop::default() });
        self.end = None;
        let order = Intent {
            px: bid_px,
            qty: Qty(1),
            strategy: STRATEGY,
            account: ACCOUNT,
            action: Action::New.code(),
            order_type: OrderType::Limit.code(),
            tif: Tif::Day.code(),
            ..Intent::default()
        };
        self.give(Side::Buy, &order);
        let Some(end) = self.end else { return false };
        if let Some(&Route { order_id, .. }) = end.get() {
            self.give(Side::Buy, &Ack { order_id, ..Ack::default() });
            self.give(Side::Buy, &Cancelled { order_id, ..Cancelled::default() });
            return true;
        }
        self.give(Side::Buy, end.record::<Refused>());
        false
    }

    /// Passes an event to the stages, with all that it causes.
    fn give<R: Record>(&mut self, side: Side, record: &R) {
        self.seq = self.seq % (u64::MAX >> 24) + 1;
        let flags = Flags::side_only(side).with(Flags::LAST_OF_GROUP);
        let event = Event::new(self.now, INSTRUMENT, flags, record);
        pass(&mut self.way, &Event { id: EventId::new(self.seq, 0, 0), ..event }, &mut self.end);
    }
}

fn pass(way: &mut [Station], event: &Event, end: &mut Option<Event>) {
    for at in 0..way.len() {
        let (before, rest) = way.split_at_mut(at + 1);
        let Station { stage, reads, out } = &mut before[at];
        if reads.has(event.kind) {
            out.begin(event);
            stage.on_event(event, out);
            out.events().iter().for_each(|caused| pass(rest, caused, end));
        }
    }
    if matches!(event.kind, Kind::Route | Kind::Refused) {
        *end = Some(*event);
    }
}

/// The parameters of a run, with what is smaller.
fn small(entry: &StageEntry, params: &Params) -> Params {
    let mut params = params.clone();
    for param in entry.params {
        if let Some((name, value)) = SMALL.iter().find(|(name, _)| *name == param.name) {
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
    use std::collections::BTreeMap;

    fn defaults() -> BTreeMap<&'static str, Params> {
        STAGES.iter().map(|entry| (entry.name, Params::defaults(entry.params))).collect()
    }

    #[test]
    fn an_order_takes_its_way_and_ends_as_often_as_one_likes() {
        let params = defaults();
        let mut rehearsal = Rehearsal::new(|name| &params[name]).unwrap();
        assert!((0..100_000).all(|_| rehearsal.run()), "no table fills, no limit is reached");
    }

    #[test]
    fn everything_that_is_made_small_can_be() {
        for (name, value) in SMALL {
            let of = |entry: &&StageEntry| Rehearsal::WAY.contains(&entry.name);
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
        let mut rehearsal = Rehearsal::new(|name| &params[name]).unwrap();
        assert!((0..1_000).all(|_| !rehearsal.run() && rehearsal.end.is_some_and(|end| end.kind == Kind::Refused)));
    }
}
