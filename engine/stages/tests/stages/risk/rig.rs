//! A gate with one listed instrument and a market, and requests made short.

use crate::harness::Behind;
use flow::records::{BookTop, Command, CommandOutcome, Listing, Order, Refused, ReplaceRequest, Request};
use flow::{
    Account, CommandResult, Event, EventId, Flags, Kind, Kinds, Ns, OrderId, Out, Param, Params, Px, Qty, Record,
    SOURCE_RETURNS, Side, Stage, StrategyId,
};
use stages::Space;
use stages::risk::{CEILINGS, PARAMS, RiskStage, check};
use stages::router::{ROUTE, route};

/// The verdict of the gate on a request: nothing passes without an order, nothing is refused without a check.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Verdict {
    Passed(u64),
    Refused(u64, &'static str, i64, i64),
    /// What became of a command, the value before, and the one in force now.
    Commanded(CommandResult, i64, i64),
}

pub(crate) struct Rig {
    pub(crate) stage: Behind<RiskStage>,
    out: Out,
    pub(crate) seq: u64,
    /// Event time in ms.
    pub(crate) ms: u64,
    counter: u64,
}

impl Rig {
    /// Instrument 1, 99.99 to 100.01 with a tick of a cent, last seen at 1,000 ms.
    pub(crate) fn new(set: &[(&str, u64)]) -> Rig {
        Rig::with_ceilings(set, "")
    }

    /// The same, with ceilings for commands.
    pub(crate) fn with_ceilings(set: &[(&str, u64)], ceilings: &str) -> Rig {
        let mut params = Params::defaults(PARAMS);
        for (name, value) in set {
            let param: &Param = PARAMS.iter().find(|p| p.name == *name).unwrap();
            params.set(param, param.parse(name, &value.to_string()).unwrap());
        }
        let param = CEILINGS.param();
        params.set(&param, param.parse("ceilings", ceilings).unwrap());
        Rig::of(&params)
    }

    /// The same, where the orders of these strategies go to venues of their own.
    pub(crate) fn routed(venues: &[(StrategyId, u16)]) -> Rig {
        let mut params = Params::defaults(PARAMS);
        for (strategy, venue) in venues {
            params.add_table(ROUTE, route(*strategy, Account::NONE, *venue));
        }
        Rig::of(&params)
    }

    fn of(params: &Params) -> Rig {
        let space = Space { instruments: 4, fills: 64, positions: 64 };
        let stage = Behind::new(space, RiskStage::new(params, space).unwrap());
        let mut rig = Rig { stage, out: Out::new(11, Kinds::ALL), seq: 0, ms: 1_000, counter: 0 };
        rig.input(1, Side::None, &Listing { tick_px: cents(1), multiplier: Px::ONE, ..Default::default() });
        rig.market(9_999, 10_001);
        rig
    }

    pub(crate) fn market(&mut self, bid: i64, ask: i64) {
        let px = |c| if c == 0 { Px::NONE } else { cents(c) };
        self.input(1, Side::None, &BookTop { bid_px: px(bid), ask_px: px(ask), ..Default::default() });
    }

    /// A new input.
    pub(crate) fn input<R: Record>(&mut self, instrument: u32, side: Side, record: &R) -> Vec<Verdict> {
        self.seq += 1;
        self.feed(0, instrument, side, record)
    }

    /// A new input among the returns of a venue.
    pub(crate) fn returned<R: Record>(&mut self, instrument: u32, side: Side, record: &R) -> Vec<Verdict> {
        self.seq += 1;
        self.from(SOURCE_RETURNS, 0, instrument, side, record)
    }

    /// The last order id.
    pub(crate) fn last(&self) -> u64 {
        id(self.counter)
    }

    /// An event that a stage made of the last input, or that input.
    pub(crate) fn feed<R: Record>(&mut self, position: u8, instrument: u32, side: Side, record: &R) -> Vec<Verdict> {
        self.from(0, position, instrument, side, record)
    }

    fn from<R: Record>(&mut self, source: u8, position: u8, instrument: u32, side: Side, record: &R) -> Vec<Verdict> {
        let event = Event::new(Ns(self.ms * 1_000_000), instrument, Flags::side_only(side), record);
        let event = Event { id: EventId::new(self.seq, position, 0), source, ..event };
        assert!(self.stage.reads().has(event.kind));
        self.out.begin(&event);
        self.stage.on_event(&event, &mut self.out);
        assert!(self.out.events().len() <= self.stage.fan_out());
        self.out.events().iter().map(word).collect()
    }

    /// The terms of a new order of a sound limit price; its id is the next one.
    pub(crate) fn terms(&mut self, qty: u64, px: i64) -> Request {
        self.counter += 1;
        Request {
            order_id: id(self.counter),
            px: cents(px),
            qty: Qty(qty),
            order_type: 1,
            tif: 1,
            ..Default::default()
        }
    }

    /// A request for itself.
    pub(crate) fn ask(&mut self, side: Side, request: &Request) -> Verdict {
        self.seq += 1;
        let words = self.feed(9, 1, side, request);
        assert_eq!(words.len(), 1, "{words:?}");
        words[0]
    }

    pub(crate) fn buy(&mut self, qty: u64) -> Verdict {
        let request = self.terms(qty, 10_000);
        self.ask(Side::Buy, &request)
    }

    pub(crate) fn sell(&mut self, qty: u64) -> Verdict {
        let request = self.terms(qty, 10_000);
        self.ask(Side::Sell, &request)
    }

    pub(crate) fn replace(&mut self, old: u64, qty: u64) -> Verdict {
        self.counter += 1;
        let (order_id, new_id) = (id(old), id(self.counter));
        let replace = ReplaceRequest { order_id, new_id, px: cents(10_000), qty: Qty(qty), ..Default::default() };
        self.seq += 1;
        self.feed(9, 1, Side::Buy, &replace)[0]
    }

    pub(crate) fn command(&mut self, action: u32, target: u32, old: i64, new: i64) -> Vec<Verdict> {
        self.input(0, Side::None, &Command { action, target, old, new, ..Default::default() })
    }
}

pub(crate) fn cents(n: i64) -> Px {
    Px(n * Px::ONE / 100)
}

pub(crate) fn id(counter: u64) -> u64 {
    OrderId::new(Account(1), StrategyId(1), counter).0
}

fn word(event: &Event) -> Verdict {
    match event.kind {
        Kind::Order => Verdict::Passed(event.record::<Order>().order_id),
        Kind::Refused => {
            let Refused { order_id, check: number, limit, value, .. } = *event.record();
            Verdict::Refused(order_id, check(number).unwrap().name, limit, value)
        }
        _ => {
            let CommandOutcome { result, old, new, .. } = *event.record();
            Verdict::Commanded(CommandResult::from_code(result).unwrap(), old, new)
        }
    }
}

/// Whether it passed.
pub(crate) fn passed(word: Verdict) -> bool {
    matches!(word, Verdict::Passed(_))
}

/// Name of the check, limit and value of a refusal.
pub(crate) fn refusal(word: Verdict) -> (&'static str, i64, i64) {
    match word {
        Verdict::Refused(_, check, limit, value) => (check, limit, value),
        other => panic!("not refused: {other:?}"),
    }
}
