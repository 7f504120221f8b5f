//! Closing positions by command, and orders that only reduce: never beyond flat, from any state in which an instrument trades.

use crate::harness::{self, Behind, Emitted, Pipeline, kinds};
use crate::orders_harness::{ACCOUNT, STRATEGY, ack, anomalies, cancelled, event, execution, fill, id, new, pipeline};
use flow::records::{
    Ack, BookTop, Bust, CancelRequest, Cancelled, Command, CommandOutcome, DataState, Fill, Halt, Intent, Listing,
    Order, Refused, Request, Status, Tick,
};
use flow::{
    Account, Action, AnomalyKind, ClosingWait, CommandAction, CommandResult, Event, EventId, FlattenTarget, Kind,
    Kinds, Listings, Ns, OrderId, OrderType, Out, Px, Qty, Record, Reduces, Side, Stage, StatusKind, StrategyId, Tif,
    TradingState,
};
use proptest::prelude::*;
use stages::Space;
use stages::orders::OrdersStage;
use stages::risk::RiskStage;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

fn command(instrument: u32, account: u8, strategy: u16) -> Event {
    let target = u32::from(account) << 16 | u32::from(strategy);
    event(instrument, Side::None, &Command { action: CommandAction::Flatten.code(), target, ..Command::default() })
}

fn tick(second: u64) -> Event {
    Event { ts: Ns(second * Ns::SECOND), ..event(0, Side::None, &Tick::default()) }
}

fn reducing(instrument: u32, side: Side, qty: u64) -> Event {
    let mut wanted = new(instrument, side, qty);
    wanted.record_mut::<Intent>().reduces = Reduces::Only.code();
    wanted
}

/// Quantity and side of a request that only reduces.
fn reduced(emitted: &[Emitted]) -> (u64, Side, u8) {
    let request: &Request = emitted[0].0.record();
    (request.qty.0, emitted[0].0.side(), request.reduces)
}

#[test]
fn an_order_that_only_reduces_is_never_for_more_than_is_held_and_not_on_its_way() {
    let mut pipeline = pipeline(16, 16, 4);
    let not_reducing = |emitted: &[Emitted]| anomalies(emitted)[0].0 == AnomalyKind::NotReducing as u16;
    assert!(not_reducing(&pipeline.feed(&reducing(1, Side::Sell, 5))), "nothing is held");
    pipeline.feed(&new(1, Side::Buy, 10));
    pipeline.feed(&ack(1, id(1), OrderId(0)));
    pipeline.feed(&fill(1, id(1), Side::Buy, 100, 10));
    assert!(not_reducing(&pipeline.feed(&reducing(1, Side::Buy, 5))), "it would enlarge");
    assert_eq!(reduced(&pipeline.feed(&reducing(1, Side::Sell, 4))), (4, Side::Sell, 1));
    assert_eq!(reduced(&pipeline.feed(&reducing(1, Side::Sell, 50))), (6, Side::Sell, 1), "what no other may take");
    assert!(not_reducing(&pipeline.feed(&reducing(1, Side::Sell, 1))));
    pipeline.feed(&ack(1, id(2), OrderId(0)));
    pipeline.feed(&cancelled(1, id(2)));
    assert_eq!(reduced(&pipeline.feed(&reducing(1, Side::Sell, 50))), (4, Side::Sell, 1), "one has ended");
}

#[test]
fn a_flatten_cancels_waits_closes_and_lets_nobody_in() {
    let mut pipeline = pipeline(16, 16, 4);
    pipeline.feed(&new(1, Side::Buy, 10));
    pipeline.feed(&ack(1, id(1), OrderId(0)));
    pipeline.feed(&fill(1, id(1), Side::Buy, 100, 10));
    pipeline.feed(&new(1, Side::Sell, 7));
    pipeline.feed(&ack(1, id(2), OrderId(0)));
    let emitted = pipeline.feed(&command(1, 0, 0));
    assert_eq!(kinds(&emitted), [Kind::CommandOutcome, Kind::CancelRequest]);
    assert_eq!(emitted[0].0.record::<CommandOutcome>().result, CommandResult::Applied.code());
    assert_eq!(emitted[1].0.record::<CancelRequest>().order_id, id(2).0);
    assert_eq!(anomalies(&pipeline.feed(&new(1, Side::Sell, 1)))[0].0, AnomalyKind::NotReducing as u16);
    assert_eq!(kinds(&pipeline.feed(&new(2, Side::Sell, 1))), [Kind::Request], "elsewhere trading goes on");
    assert!(pipeline.feed(&tick(1)).is_empty(), "the cancel is not confirmed");
    let listings = Listings::default();
    let bytes = harness::saved(&pipeline.stage, &listings);
    let mut other = self::pipeline(16, 16, 4);
    harness::load(&mut other.stage, &listings, &bytes).unwrap();
    assert_eq!(harness::saved(&other.stage, &listings), bytes);
    for pipeline in [&mut pipeline, &mut other] {
        let emitted = pipeline.feed(&Event { ts: Ns(2 * Ns::SECOND), ..cancelled(1, id(2)) });
        assert_eq!((kinds(&emitted), reduced(&emitted)), (vec![Kind::Request], (10, Side::Sell, 2)));
        let request: &Request = emitted[0].0.record();
        assert_eq!((request.px, request.tif), (Px::NONE, Tif::ImmediateOrCancel.code()));
        let closing = OrderId(request.order_id);
        pipeline.feed(&fill(1, closing, Side::Sell, 100, 10));
        pipeline.feed(&tick(3));
        pipeline.feed(&tick(4));
        assert_eq!(kinds(&pipeline.feed(&new(1, Side::Sell, 1))), [Kind::Request], "it has ended");
    }
    let unknown = pipeline.feed(&command(12, 0, 0));
    assert_eq!(unknown[0].0.record::<CommandOutcome>().result, CommandResult::UnknownTarget.code());
}

#[test]
fn what_a_flatten_waits_for_is_said() {
    let mut pipeline = pipeline(16, 16, 4);
    let flatten = |pipeline: &Pipeline<Behind<OrdersStage>>| {
        let mut said = TradingState::default();
        pipeline.stage.trading_state(&mut said);
        said.flatten
    };
    for at in 1..=2 {
        pipeline.feed(&new(at, Side::Buy, 10));
        pipeline.feed(&ack(at, id(at.into()), OrderId(0)));
        pipeline.feed(&fill(at, id(at.into()), Side::Buy, 100, 10));
    }
    pipeline.feed(&new(1, Side::Sell, 7));
    pipeline.feed(&ack(1, id(3), OrderId(0)));
    assert_eq!(flatten(&pipeline), None);
    pipeline.feed(&command(0, 1, 0));
    let begun = flatten(&pipeline).unwrap();
    let of = FlattenTarget { account: ACCOUNT, strategy: StrategyId::NONE, instrument: 0 };
    assert_eq!((begun.of, begun.orders, begun.left), (vec![of], 1, 2));
    assert!(begun.positions.iter().all(|p| p.waits == ClosingWait::Turn), "{:?}", begun.positions);
    let (code, what) = (*b"H\0\0\0", StatusKind::Trading.code());
    pipeline.feed(&event(1, Side::None, &Status { code, what, ..Status::default() }));
    let emitted = pipeline.feed(&Event { ts: Ns(2 * Ns::SECOND), ..cancelled(1, id(3)) });
    assert_eq!(kinds(&emitted), [Kind::Anomaly, Kind::Request]);
    let waits = |pipeline: &Pipeline<Behind<OrdersStage>>| {
        let said = flatten(pipeline).unwrap();
        assert_eq!((said.orders, said.left), (0, 2));
        said.positions.iter().map(|p| (p.instrument, p.qty, p.waits)).collect::<Vec<_>>()
    };
    assert_eq!(waits(&pipeline), [(1, 10, ClosingWait::Halt), (2, 10, ClosingWait::Fill)]);
    let refused = Refused { order_id: id(4).0, check: 6, ..Refused::default() };
    pipeline.feed(&event(2, Side::Sell, &refused));
    let mut stuck = waits(&pipeline);
    stuck.sort_by_key(|(at, ..)| *at);
    assert_eq!(stuck, [(1, 10, ClosingWait::Halt), (2, 10, ClosingWait::Refused(6))]);
    pipeline.feed(&tick(4));
    assert_eq!(waits(&pipeline)[1].2, ClosingWait::Fill, "it is tried again");
}

/// The search looks at one pair in one instrument an event. Behind it comes a fill of a pair that nobody knew, which takes the
/// place of another one in the search; or a fill that made a position flat is busted.
#[test]
fn what_changes_behind_the_search_is_closed_too() {
    for is_new in [true, false] {
        let mut pipeline = pipeline(16, 16, 4);
        pipeline.feed(&new(1, Side::Buy, 10));
        pipeline.feed(&ack(1, id(1), OrderId(0)));
        pipeline.feed(&fill(1, id(1), Side::Buy, 100, 10));
        pipeline.feed(&new(1, Side::Sell, 10));
        pipeline.feed(&ack(1, id(2), OrderId(0)));
        let sold = execution(1, id(2), 7, Side::Sell, (100, 10));
        pipeline.feed(&sold);
        pipeline.feed(&new(2, Side::Buy, 10));
        pipeline.feed(&ack(2, id(3), OrderId(0)));
        pipeline.feed(&command(0, 0, 0));
        pipeline.feed(&cancelled(2, id(3)));
        let tick = |nanos: u64| Event { ts: Ns(nanos), ..event(0, Side::None, &Tick::default()) };
        (0..5).for_each(|_| assert!(pipeline.feed(&tick(1)).is_empty()));
        assert!(pipeline.stage.is_flattening(), "the search is on its way");
        let change = if is_new {
            fill(1, OrderId::new(ACCOUNT, StrategyId(2), 9), Side::Buy, 100, 10)
        } else {
            let Fill { order_id, px, qty, match_id, .. } = *sold.record();
            event(1, Side::Sell, &Bust { order_id, px, qty, match_id, ..Bust::default() })
        };
        pipeline.feed(&change);
        let mut closed = Vec::new();
        for tenth in 1..20 {
            closed.extend(pipeline.feed(&tick(tenth * Ns::SECOND / 10)));
        }
        assert_eq!((kinds(&closed), reduced(&closed)), (vec![Kind::Request], (10, Side::Sell, 2)), "new: {is_new}");
    }
}

const ACCOUNTS: [(Account, StrategyId); 3] =
    [(ACCOUNT, STRATEGY), (Account(1), StrategyId(4)), (Account(2), StrategyId(3))];

const SPACE: Space = Space { instruments: 6, fills: 4_096, positions: 64 };

/// Orders, gate and a venue of a few lines. What comes back enters before the next input.
struct Floor {
    orders: Pipeline<Behind<OrdersStage>>,
    gate: Behind<RiskStage>,
    out: Out,
    returns: VecDeque<Event>,
    resting: BTreeMap<u64, (u32, Side, u64)>,
    halted: BTreeSet<u32>,
    positions: BTreeMap<(Account, StrategyId, u32), i64>,
    now: u64,
    seq: u64,
    matches: u64,
    /// What is being closed.
    wanted: Option<(u32, u8, u16)>,
    waits: usize,
    /// Orders that the gate let pass because an operator commanded them.
    commanded: BTreeSet<u64>,
    /// How much a market order fills of what it asks for, in parts of 4; the rest is cancelled.
    parts: u64,
}

impl Floor {
    fn new() -> Floor {
        let orders = OrdersStage::new(&harness::params("orders", &[("max_orders", "64")]), SPACE);
        let set = [("max_messages", "20"), ("max_notional", "5000"), ("max_position", "100"), ("max_quantity", "60")];
        let gate = RiskStage::new(&harness::params("risk", &set), SPACE).unwrap();
        let mut floor = Floor {
            orders: Pipeline::new(Behind::new(SPACE, orders)),
            gate: Behind::new(SPACE, gate),
            out: Out::new(112, Kinds::ALL),
            returns: VecDeque::new(),
            resting: BTreeMap::new(),
            halted: BTreeSet::new(),
            positions: BTreeMap::new(),
            now: 1_000 * Ns::SECOND,
            seq: 0,
            matches: 0,
            wanted: None,
            waits: 0,
            commanded: BTreeSet::new(),
            parts: 4,
        };
        // Of 4 the multiplier is not known, of 5 the tick.
        for at in 1..6 {
            let (multiplier, tick_px) = (Px::ONE * i64::from(at != 4), Px(i64::from(at != 5) * Px::ONE / 100));
            floor.input(at, Side::None, &Listing { multiplier, tick_px, ..Listing::default() });
        }
        floor
    }

    fn input<R: Record>(&mut self, instrument: u32, side: Side, record: &R) {
        self.enter(event(instrument, side, record));
        self.come_back();
    }

    /// All that is on its way enters.
    fn come_back(&mut self) {
        while let Some(event) = self.returns.pop_front() {
            self.enter(event);
        }
    }

    fn enter(&mut self, event: Event) {
        self.seq += 1;
        let event = Event { ts: Ns(self.now), id: EventId::new(self.seq, 0, 0), ..event };
        if let Some(fill) = event.get::<Fill>() {
            self.book(event.instrument, event.side(), fill);
        }
        let reads = self.orders.stage.reads().has(event.kind);
        let emitted = if reads { self.orders.feed(&event) } else { Vec::new() };
        // An event reaches every stage before what any of them makes of it.
        self.through_gate(&event);
        for Emitted(emitted) in emitted {
            self.waits +=
                usize::from(anomalies(&[Emitted(emitted)]).iter().any(|a| a.0 == AnomalyKind::FlattenWaits as u16));
            self.route(Event { ts: event.ts, id: event.id, ..emitted });
        }
        if self.wanted.is_some() && !self.orders.stage.is_flattening() {
            assert_eq!(self.held(), [], "it ends when all are flat");
            self.wanted = None;
        }
    }

    /// An order that closes a position only makes it smaller.
    fn book(&mut self, instrument: u32, side: Side, fill: &Fill) {
        let id = OrderId(fill.order_id);
        let key = (id.account(), id.strategy(), instrument);
        let before = *self.positions.entry(key).or_default();
        let after = before + fill.qty.0 as i64 * if side == Side::Buy { 1 } else { -1 };
        if self.commanded.contains(&fill.order_id) {
            assert!(after.signum() * before.signum() >= 0 && after.abs() <= before.abs(), "{key:?}: {before} {after}");
        }
        self.positions.insert(key, after);
    }

    fn is_wanted(&self, (account, strategy, instrument): (Account, StrategyId, u32)) -> bool {
        self.wanted.is_some_and(|(at, a, s)| {
            (at == 0 || at == instrument) && (a == 0 || a == account.0) && (s == 0 || s == strategy.0)
        })
    }

    fn through_gate(&mut self, event: &Event) -> Vec<Event> {
        if !self.gate.reads().has(event.kind) {
            return Vec::new();
        }
        self.out.begin(event);
        self.gate.on_event(event, &mut self.out);
        self.out.events().to_vec()
    }

    fn route(&mut self, event: Event) {
        if let Some(cancel) = event.get::<CancelRequest>() {
            return self.cancel(&event, cancel);
        }
        let commanded = event.get::<Request>().is_some_and(|r| r.reduces == 2);
        for verdict in self.through_gate(&event) {
            if let Some(refused) = verdict.get::<Refused>() {
                assert!(!commanded, "a flatten is refused by check {}: {event:?}", refused.check);
                self.returns.push_back(verdict);
            } else if let Some(order) = verdict.get::<Order>() {
                assert!(!self.halted.contains(&verdict.instrument), "an order for a halted instrument");
                if commanded {
                    self.commanded.insert(order.order_id);
                }
                self.order(&verdict, order);
            }
        }
    }

    fn cancel(&mut self, event: &Event, cancel: &CancelRequest) {
        let ids: Vec<u64> = self.resting.keys().copied().filter(|id| [0, *id].contains(&cancel.order_id)).collect();
        for id in ids {
            let (at, _, qty) = self.resting.remove(&id).unwrap();
            let cancelled = Cancelled { order_id: id, qty: Qty(qty), ..Cancelled::default() };
            self.returns.push_back(self::event(at, event.side(), &cancelled));
        }
    }

    fn order(&mut self, event: &Event, order: &Order) {
        let (at, side, Order { order_id, qty: Qty(qty), .. }) = (event.instrument, event.side(), *order);
        self.returns.push_back(self::event(at, side, &Ack { order_id, ..Ack::default() }));
        if order.tif != Tif::ImmediateOrCancel.code() {
            self.resting.insert(order_id, (at, side, qty));
            return;
        }
        let filled = (qty * self.parts).div_ceil(4);
        self.fill(at, side, order_id, filled);
        if filled < qty {
            let cancelled = Cancelled { order_id, qty: Qty(qty - filled), ..Cancelled::default() };
            self.returns.push_back(self::event(at, side, &cancelled));
        }
    }

    fn fill(&mut self, at: u32, side: Side, order_id: u64, qty: u64) {
        self.matches += 1;
        let (match_id, px) = (self.matches, Px(100 * Px::ONE));
        let fill = Fill { order_id, px, qty: Qty(qty), match_id, ..Fill::default() };
        self.returns.push_back(event(at, side, &fill));
    }

    /// One thing that may happen before, or while, positions are closed.
    fn step(&mut self, [what, at, whose, size]: [u8; 4]) {
        let (at, (account, strategy)) = (1 + u32::from(at) % 5, ACCOUNTS[usize::from(whose) % 3]);
        let (side, qty) = (if size % 2 == 0 { Side::Buy } else { Side::Sell }, 1 + u64::from(size) / 4);
        match what % 10 {
            0..=2 => {
                let (px, tif) = if what % 2 == 0 { (Px::NONE, 3) } else { (Px(100 * Px::ONE), 1) };
                let order_type = if px == Px::NONE { OrderType::Market } else { OrderType::Limit }.code();
                let qty = Qty(qty);
                let action = Action::New.code();
                let terms = Intent { px, qty, account, strategy, action, order_type, tif, ..Intent::default() };
                self.input(at, side, &terms);
            }
            3 => self.market(at),
            4 => {
                let code = if self.halted.contains(&at) { *b"T\0\0\0" } else { *b"H\0\0\0" };
                if !self.halted.remove(&at) {
                    self.halted.insert(at);
                }
                let what = StatusKind::Trading.code();
                self.input(at, Side::None, &Status { code, what, ..Status::default() });
            }
            5 => self.input(at, Side::None, &DataState { state: 1 + size % 2, ..DataState::default() }),
            6 => self.input(0, Side::None, &Halt::default()),
            7 => {
                let resume = Command { action: CommandAction::Resume.code(), ..Command::default() };
                self.input(0, Side::None, &resume);
            }
            // Time for a few looks, or for many.
            8 => self.now += if size < 64 { 500 * u64::from(size) } else { u64::from(size) * Ns::SECOND / 8 },
            _ if self.wanted.is_none() || size % 2 == 0 => {
                // Carried over, or booked by hand: of no order that was sent here.
                let order_id = OrderId::new(account, strategy, OrderId::MAX_COUNTER - 1).0;
                self.fill(at, side, order_id, 20 * qty);
                // Nobody here knows of it before it enters, so no order is sent meanwhile.
                self.come_back();
                self.input(0, Side::None, &Tick::default());
            }
            _ => self.parts = u64::from(size) % 4 + 1,
        }
    }

    fn market(&mut self, at: u32) {
        let (bid_px, ask_px) = (Px(99 * Px::ONE), Px(101 * Px::ONE));
        self.input(at, Side::None, &BookTop { bid_px, ask_px, ..BookTop::default() });
        let due = self.resting.iter().find(|(_, (of, ..))| *of == at).map(|(id, order)| (*id, *order));
        if let Some((id, (_, side, qty))) = due {
            self.resting.remove(&id);
            self.fill(at, side, id, qty);
            self.input(0, Side::None, &Tick::default());
        }
    }

    fn seconds(&mut self, n: u64) {
        for _ in 0..n {
            self.now += Ns::SECOND;
            self.input(0, Side::None, &Tick::default());
            self.reload();
        }
    }

    /// Whatever is half done goes on from a saved state.
    fn reload(&mut self) {
        let listings = Listings::default();
        let bytes = harness::saved(&self.orders.stage, &listings);
        let mut loaded =
            Behind::new(SPACE, OrdersStage::new(&harness::params("orders", &[("max_orders", "64")]), SPACE));
        harness::load(&mut loaded, &listings, &bytes).expect("what was saved");
        assert_eq!(harness::saved(&loaded, &listings), bytes);
        self.orders.stage = loaded;
    }

    /// The positions that are wanted and not flat.
    fn held(&self) -> Vec<(Account, StrategyId, u32)> {
        let held = self.positions.iter().filter(|(key, qty)| **qty != 0 && self.is_wanted(**key));
        held.map(|(key, _)| *key).collect()
    }
}

proptest! {
    #[test]
    fn a_flatten_passes_wherever_the_instrument_trades_and_never_goes_beyond_flat(
        before in prop::collection::vec(any::<[u8; 4]>(), 1..200),
        within in prop::collection::vec(any::<[u8; 4]>(), 0..40),
        whose in any::<[u8; 3]>(),
    ) {
        let mut floor = Floor::new();
        before.iter().for_each(|step| floor.step(*step));
        let (at, account, strategy) = (u32::from(whose[0]) % 6, whose[1] % 3, [0, 3, 4][usize::from(whose[2]) % 3]);
        floor.wanted = Some((at, account, strategy));
        let Event { kind, body, .. } = command(at, account, strategy);
        floor.enter(Event { kind, body, ..event(at, Side::None, &Command::default()) });
        within.iter().for_each(|step| floor.step(*step));
        floor.seconds(30);
        let held = floor.held();
        prop_assert!(held.iter().all(|(.., at)| floor.halted.contains(at)), "{held:?} of {:?}", floor.halted);
        prop_assert_eq!(held.is_empty(), !floor.orders.stage.is_flattening());
        prop_assert!(held.is_empty() || floor.waits > 0, "it says that it waits");
        for at in std::mem::take(&mut floor.halted) {
            let (code, what) = (*b"T\0\0\0", StatusKind::Trading.code());
            floor.input(at, Side::None, &Status { code, what, ..Status::default() });
        }
        floor.seconds(30);
        prop_assert!(!floor.orders.stage.is_flattening() && floor.wanted.is_none());
    }
}

#[test]
fn a_halt_unknown_terms_and_a_spent_throttle_are_no_obstacle() {
    let mut floor = Floor::new();
    for at in 1..6 {
        floor.fill(at, if at == 2 { Side::Sell } else { Side::Buy }, OrderId::new(ACCOUNT, STRATEGY, 9_999).0, 5_000);
    }
    floor.input(0, Side::None, &Halt::default());
    floor.input(3, Side::None, &DataState { state: 2, ..DataState::default() });
    floor.wanted = Some((0, 0, 0));
    floor.enter(command(0, 0, 0));
    floor.seconds(2);
    assert_eq!((floor.wanted, floor.commanded.len()), (None, 5));
}
