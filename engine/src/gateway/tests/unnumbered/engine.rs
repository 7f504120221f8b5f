//! An engine in small: what decides, `portfolio`, `orders`, and the gateway, driven step by step in time that the test makes.
//!
//! The record is all that survives a kill. A restart replays it through fresh stages, hands what it leaves to a fresh session as
//! a run does, and goes on.

use super::market::{Connection, Market};
use crate::gateway::{Answers, KillSwitch, Link, LiveVenueReplies, OpenOrders, VenueSession, VenueStatus};
use crate::pipeline::Slot;
use flow::records::{CancelRequest, Intent, Listing, ReplaceRequest, Request, Route};
use flow::{
    Account, Action, Event, EventId, Flags, Gateway, Kind, Kinds, Ns, OrderId, OrderType, Out, Param, Params, Px, Qty,
    Side, Stage, StrategyId, Tif,
};
use ring::Producer;
use stages::Space;
use stages::orders::OrdersStage;
use stages::portfolio::PortfolioStage;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

const GATEWAY: Gateway = Gateway::new(0);
/// Position of routes among the outcomes.
const ROUTER: u8 = 9;

/// See the module.
pub(super) struct Engine {
    pub(super) orders: OrdersStage,
    pub(super) portfolio: PortfolioStage,
    /// What the stages said: `booked` and anomalies.
    pub(super) said: Vec<Event>,
    pub(super) status: Arc<VenueStatus>,
    pub(super) session: VenueSession,
    /// What the record leaves open, as it was when the session began.
    pub(super) resumed: OpenOrders,
    replies: LiveVenueReplies,
    link: Arc<Link>,
    outs: [Out; 2],
    /// Time 0.
    begun: Instant,
}

fn small(all: &'static [Param], set: &[(&str, &str)]) -> Params {
    let mut params = Params::defaults(all);
    for (name, text) in set {
        let param = all.iter().find(|param| param.name == *name).expect("it has it");
        params.set(param, param.parse(name, text).expect("it is valid"));
    }
    params
}

impl Engine {
    /// A run that goes on from the record.
    pub(super) fn start(record: &[Event], market: &Arc<Mutex<Market>>, begun: Instant) -> Engine {
        let space = Space { instruments: 8, fills: 4_096, positions: 64 };
        let params =
            small(stages::orders::PARAMS, &[("max_orders", "512"), ("max_in_flight", "256"), ("max_accounts", "4")]);
        let (link, status) = (Arc::new(Link::default()), Arc::new(VenueStatus::default()));
        let (to, answers) = ring::channel(ring::Kind::Phase, 1_024).expect("a ring");
        let session = session(market, to, &link, &status);
        let replies = LiveVenueReplies::new(GATEWAY, Answers::Gateway(answers), Arc::clone(&link), 1_024);
        let mut engine = Engine {
            orders: OrdersStage::new(&params, space),
            portfolio: PortfolioStage::new(space),
            said: Vec::new(),
            status,
            session,
            resumed: OpenOrders::default(),
            replies,
            link,
            outs: [Out::new(1, Kinds::ALL), Out::new(2, Kinds::ALL)],
            begun,
        };
        let mut routes = Vec::new();
        for input in record {
            if input.source == GATEWAY.source() {
                engine.replies.replay(input);
            }
            routes.extend(engine.feed(input));
        }
        let last = record.last().map_or(0, |input| input.id.seq());
        assert!(engine.replies.has_begun(last, true).expect("the gateway runs"));
        let from = engine.link.take_resumption().expect("the replay has ended");
        engine.resumed = from.open.clone();
        engine.session.begin(from, routes);
        engine
    }

    /// An input goes through the stages, depth first; the routes that it causes.
    fn feed(&mut self, input: &Event) -> Vec<Event> {
        let mut booked = Vec::new();
        if self.portfolio.reads().has(input.kind) {
            self.outs[0].begin(input);
            self.portfolio.on_event(input, &mut self.outs[0]);
            booked.extend_from_slice(self.outs[0].events());
        }
        let mut routes = Vec::new();
        for event in std::iter::once(input).chain(&booked) {
            if self.orders.reads().has(event.kind) {
                self.outs[1].begin(event);
                self.orders.on_event(event, &mut self.outs[1]);
                for made in self.outs[1].events() {
                    routes.extend(route(made, input, routes.len()));
                    self.said.extend(Some(*made).filter(|made| made.kind == Kind::Anomaly));
                }
            }
        }
        self.said.extend(booked.into_iter().filter(|said| matches!(said.kind, Kind::Booked | Kind::Anomaly)));
        routes
    }

    /// Stores an input and lets it through.
    fn enter(&mut self, record: &mut Vec<Event>, input: Event, now: u64) {
        let seq = record.len() as u64 + 1;
        let input = Event { id: EventId::new(seq, 0, 0), ts: Ns(now), ..input };
        record.push(input);
        self.feed(&input).into_iter().for_each(|route| self.session.route(route));
    }

    /// The instruments are listed.
    pub(super) fn list(&mut self, record: &mut Vec<Event>) {
        for instrument in 1..=3 {
            let listing = Listing { multiplier: Px::ONE, ..Listing::default() };
            self.enter(record, Event::new(Ns(0), instrument, Flags::LAST_OF_GROUP, &listing), 0);
        }
    }

    /// Somebody decides.
    pub(super) fn decide(
        &mut self,
        record: &mut Vec<Event>,
        now: u64,
        what: Action,
        random: &mut dyn FnMut(u64) -> u64,
    ) {
        let side = if random(2) == 0 { Side::Buy } else { Side::Sell };
        let mut intent = Intent {
            px: Px(100 * Px::ONE),
            qty: Qty(1 + random(20)),
            strategy: StrategyId(3 + random(2) as u16),
            account: Account(1 + random(2) as u8),
            action: what.code(),
            order_type: OrderType::Limit.code(),
            tif: Tif::Day.code(),
            ..Intent::default()
        };
        let mut instrument = 1 + random(3) as u32;
        if what != Action::New {
            let mut open: Vec<_> = self.orders.orders().map(|o| (o.id, o.instrument, o.qty)).collect();
            open.sort_unstable();
            if open.is_empty() {
                return;
            }
            let (id, at, qty) = open[random(open.len() as u64) as usize];
            (intent.order_id, instrument) = (id.0, at);
            (intent.strategy, intent.account) = (id.strategy(), id.account());
            intent.qty = Qty(qty + random(5));
        }
        self.enter(record, Event::new(Ns(0), instrument, Flags::side_only(side), &intent), now);
    }

    /// The gateway takes a turn.
    pub(super) fn turn(&mut self, now: u64) {
        let at = self.begun + Duration::from_millis(now);
        if let Err(e) = self.session.turn(at) {
            assert!(e.transient, "{e}");
            self.session.on_break(&e);
        }
    }

    /// The head takes what is there, at most so much.
    pub(super) fn take(&mut self, record: &mut Vec<Event>, now: u64, most: usize) {
        self.replies.drain();
        for _ in 0..most {
            if !self.replies.is_waiting() {
                return;
            }
            let input = self.replies.take();
            self.enter(record, input, now);
        }
    }

    /// Whether the session is open and nothing is under way.
    pub(super) fn is_quiet(&self) -> bool {
        self.link.is_at_rest() && !self.replies.is_waiting()
    }
}

fn session(
    market: &Arc<Mutex<Market>>,
    to: Producer<Slot>,
    link: &Arc<Link>,
    status: &Arc<VenueStatus>,
) -> VenueSession {
    let (venue, switch) = (Box::new(Connection(Arc::clone(market))), Arc::new(KillSwitch::default()));
    VenueSession::new(GATEWAY, venue, to, Arc::clone(link), switch, Arc::clone(status))
}

/// The route of what `orders` requests; risk has no objection.
fn route(made: &Event, input: &Event, ordinal: usize) -> Option<Event> {
    let venue = GATEWAY.venue();
    let (order_type, tif) = (OrderType::Limit.code(), Tif::Day.code());
    let common = Route { venue, order_type, tif, ..Route::default() };
    let route = if let Some(r) = made.get::<Request>() {
        Route { order_id: r.order_id, px: r.px, qty: r.qty, action: Action::New.code(), ..common }
    } else if let Some(r) = made.get::<CancelRequest>() {
        Route { order_id: r.order_id, action: Action::Cancel.code(), ..common }
    } else if let Some(r) = made.get::<ReplaceRequest>() {
        let (order_id, replaces) = (r.new_id, r.order_id);
        Route { order_id, replaces, px: r.px, qty: r.qty, action: Action::Replace.code(), ..common }
    } else {
        return None;
    };
    let id = EventId::new(input.id.seq(), ROUTER, ordinal as u16);
    Some(Event { id, ..Event::new(input.ts, made.instrument, made.flags, &route) })
}

/// The open orders of the stage, by id.
pub(super) fn open(orders: &OrdersStage) -> Vec<(OrderId, u64)> {
    let mut open: Vec<_> = orders.orders().map(|o| (o.id, o.left())).collect();
    open.sort_unstable();
    open
}
