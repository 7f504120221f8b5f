//! A venue that numbers nothing, loses, repeats and delays what it tells, and trades with others in the same account; the engine
//! is killed at any moment. Once it falls silent, positions, open orders and executions are those of its ledger.

mod engine;
mod market;

use engine::{Engine, open};
use flow::records::{Anomaly, Booked, OrderStatus};
use flow::{Account, Action, AnomalyKind, Event, OrderId, OrderState, Side, StateReader, StateWriter};
use market::{Market, Mutant, draw};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Instant;

/// Milliseconds in which anything may happen, and the most until all is quiet afterwards.
const WILD: u64 = 1_500;
const QUIET: u64 = 6_000;

/// What one run did.
#[derive(Debug, Default)]
struct Tally {
    kills: u64,
    orders: usize,
    executions: usize,
    by_hand: usize,
    unexplained: usize,
    made: usize,
}

struct World {
    market: Arc<Mutex<Market>>,
    record: Vec<Event>,
    engine: Engine,
    random: u64,
    now: u64,
    begun: Instant,
}

impl World {
    fn new(seed: u64, mutant: Mutant) -> World {
        let begun = Instant::now();
        let market = Arc::new(Mutex::new(Market::new(seed, mutant)));
        let mut record = Vec::new();
        let mut engine = Engine::start(&record, &market, begun);
        engine.list(&mut record);
        World { market, record, engine, random: seed.rotate_left(17) | 1, now: 0, begun }
    }

    fn market(&self) -> MutexGuard<'_, Market> {
        self.market.lock().expect("no thread panics while it holds the lock")
    }

    fn restart(&mut self) {
        self.market().cut();
        self.engine = Engine::start(&self.record, &self.market, self.begun);
    }

    fn chance(&mut self, of: u64) -> bool {
        draw(&mut self.random, of) == 0
    }

    /// A millisecond passes.
    fn step(&mut self, is_wild: bool) {
        self.now += 1;
        self.market().pass();
        if is_wild {
            let what = match draw(&mut self.random, 40) {
                0..=3 => Some(Action::New),
                4 => Some(Action::Cancel),
                5 => Some(Action::Replace),
                _ => None,
            };
            let random = &mut self.random;
            what.into_iter().for_each(|what| {
                self.engine.decide(&mut self.record, self.now, what, &mut |below| draw(random, below));
            });
            if self.chance(120) {
                self.market().cut();
            }
        }
        self.engine.turn(self.now);
        let most = if is_wild { draw(&mut self.random, 5) as usize } else { usize::MAX };
        self.engine.take(&mut self.record, self.now, most);
    }
}

/// Positions by account and instrument.
type Positions = BTreeMap<(Account, u32), i64>;

fn add(to: &mut Positions, account: Account, instrument: u32, side: Side, qty: u64) {
    let qty = qty as i64;
    *to.entry((account, instrument)).or_default() += if side == Side::Sell { -qty } else { qty };
}

fn compare(world: &World) {
    let (market, engine) = (world.market(), &world.engine);
    assert_eq!(market.duplicates, 0, "an order was sent twice");
    let (mut ledger, mut held) = (Positions::new(), Positions::new());
    market.executions.iter().for_each(|e| add(&mut ledger, e.account, e.instrument, e.side, e.qty));
    for (account, _, instrument, holding) in engine.portfolio.positions() {
        *held.entry((account, instrument)).or_default() += holding.qty;
    }
    assert_eq!(held, ledger, "positions by account and instrument");
    let booked: Vec<u64> = engine.said.iter().filter_map(|e| e.get::<Booked>()).map(|b| b.number).collect();
    assert_eq!(booked.len(), market.executions.len(), "executions booked once");
    let is_open = |(_, order): &(&u64, &market::Listed)| order.state == OrderState::Open;
    let there: Vec<_> = market.orders.iter().filter(is_open).map(|(id, o)| (OrderId(*id), o.qty - o.filled)).collect();
    let here = open(&engine.orders);
    let ids = |open: &[(OrderId, u64)]| open.iter().map(|(id, _)| *id).collect::<Vec<_>>();
    let only = |a: &[(OrderId, u64)], b: &[(OrderId, u64)]| {
        ids(a).into_iter().filter(|id| !ids(b).contains(id)).collect::<Vec<_>>()
    };
    assert_eq!((only(&here, &there), only(&there, &here)), (vec![], vec![]), "open orders, here and there alone");
    // A fill that came after its order was replaced counts in no order, so more of it may seem to be open.
    assert!(here.iter().zip(&there).all(|((_, here), (_, there))| here >= there), "open quantities");
    let ours: Vec<_> = engine.session.open_orders().iter().map(|o| o.order_id).collect();
    assert_eq!(ours, there.iter().map(|(id, _)| *id).collect::<Vec<_>>(), "open orders of the gateway");
    assert_eq!((engine.status.unexplained(), engine.status.unknown()), (0, 0), "all is explained");
    // The record says last of every order that nothing is missing, and of one that is open that the venue knows it.
    let statuses = world.record.iter().filter_map(|input| input.get::<OrderStatus>());
    let last: BTreeMap<u64, &OrderStatus> = statuses.map(|status| (status.order_id, status)).collect();
    let is_left = |s: &&&OrderStatus| s.missing.0 > 0 || (s.state == 0 && ours.contains(&OrderId(s.order_id)));
    assert_eq!(last.values().filter(is_left).count(), 0, "the record explains all");
}

/// What the record leaves is what the session has, also out of a saved state.
fn survives(world: &mut World) {
    let before = world.engine.session.open_orders().clone();
    world.restart();
    assert_eq!(world.engine.resumed, before, "what the record leaves is what the session had");
    let listings = flow::Listings::default();
    let mut writer = StateWriter::new(&listings);
    before.save(&mut writer);
    let bytes = writer.into_bytes();
    if before.is_empty() {
        let loaded = crate::gateway::OpenOrders::load(&mut StateReader::new(&listings, &bytes)).expect("a state");
        assert_eq!(loaded, before);
    }
}

fn run(seed: u64, mutant: Mutant) -> Tally {
    let mut world = World::new(seed, mutant);
    let mut kills = 0;
    for _ in 0..WILD {
        world.step(true);
        if world.chance(150) {
            kills += 1;
            world.restart();
        }
    }
    {
        let mut market = world.market();
        market.is_wild = false;
        market.cut();
    }
    let mut rests = 0;
    for _ in 0..QUIET {
        world.step(false);
        // Long enough that every order has been asked for once more.
        rests = if world.engine.is_quiet() { rests + 1 } else { 0 };
        if rests > 500 && world.engine.status.unexplained() + world.engine.status.unknown() == 0 {
            break;
        }
    }
    compare(&world);
    survives(&mut world);
    let of = |what: AnomalyKind| {
        let is_it = |e: &&Event| e.get::<Anomaly>().is_some_and(|a| a.what == what.code());
        world.record.iter().chain(&world.engine.said).filter(is_it).count()
    };
    let market = world.market();
    let said = of(AnomalyKind::UnsolicitedFill);
    let by_hand = market.executions.iter().filter(|e| e.order == 0).count();
    assert_eq!(said, by_hand, "what nobody here sent is said");
    let made = world.record.iter().filter_map(|e| e.get::<flow::records::Reconciled>()).map(|r| r.made as usize).sum();
    let (orders, executions) = (market.orders.len(), market.executions.len());
    Tally { kills, orders, executions, by_hand, unexplained: of(AnomalyKind::UnexplainedFill), made }
}

fn seeds() -> u64 {
    if std::env::var_os("TIDEGATE_FULL").is_some() { 1_000 } else { 200 }
}

fn caught(seed: u64, mutant: Mutant) -> bool {
    std::panic::catch_unwind(|| run(seed, mutant)).is_err()
}

#[test]
fn after_the_last_session_all_is_as_in_the_ledger() {
    let mut all = Tally::default();
    for seed in 1..=seeds() {
        let mixed = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
        let done = std::panic::catch_unwind(|| run(mixed, Mutant::None));
        let Ok(one) = done else { panic!("seed {seed} fails: {mixed:#x}") };
        all.kills += one.kills;
        all.orders += one.orders;
        all.executions += one.executions;
        all.by_hand += one.by_hand;
        all.unexplained += one.unexplained;
        all.made += one.made;
    }
    let happens = all.kills > seeds() && all.by_hand > 0 && all.unexplained > 0 && all.made > 0;
    assert!(happens && all.orders > 0 && all.executions > 0, "what is tested happens: {all:?}");
}

#[test]
fn what_is_broken_on_purpose_is_found() {
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| {}));
    let found = [Mutant::NotAsked, Mutant::Renamed, Mutant::CopiesLost].map(|mutant| {
        let found = (1..=10_u64).filter(|seed| caught(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1, mutant)).count();
        (mutant, found)
    });
    std::panic::set_hook(hook);
    assert!(found.iter().all(|(_, found)| *found >= 8), "{found:?}");
}
