//! The ledger: every order by our id, every answer by its number, positions and fees.
//!
//! What becomes of an order is drawn: rejects, partial fills at odd moments, cancels of its own, all after a delay, in the
//! order in which routes came. At times it takes an execution back, of those that a run remembers by default however old,
//! and gives a corrected one instead.

use flow::records::{Ack, Bust, Cancelled, Fill, FillCost, Reject, Route};
use flow::{
    Account, Action, CancelReason, Event, EventId, Flags, Kind, Liquidity, Ns, OrderId, Px, Qty, Record, RejectReason,
    Side, StrategyId, Tif,
};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::{Duration, Instant};

/// Price of what has none.
const MARKET_PX: Px = Px(100 * Px::ONE);
/// The longest delay, in microseconds.
const MAX_DELAY_US: u64 = 1_500;
/// How often something happens by itself.
const EVERY: Duration = Duration::from_micros(400);
/// How far apart executions are taken back: a run counts a position anew each time, over all fills that it remembers.
const BUSTS_APART: Duration = Duration::from_millis(15);
/// It takes back one of its last executions, this many: a run knows the last 65,536 by default (`pipeline.max_fills`).
const TAKEN_BACK: usize = 60_000;

#[derive(Clone, Copy)]
struct Resting {
    instrument: u32,
    side: Side,
    px: Px,
    left: u64,
    executed: u64,
}

/// An execution.
#[derive(Clone, Copy)]
struct Executed {
    instrument: u32,
    side: Side,
    fill: Fill,
    fee: i64,
    busted: bool,
}

/// The venue's books, which are its client's orders alone.
pub(crate) struct Exchange {
    random: u64,
    pub(crate) quiet: bool,
    /// The connection is to be closed, whatever is on its way.
    pub(crate) hangs_up: bool,
    answers: Vec<Event>,
    orders: BTreeSet<u64>,
    /// Routes by their id and their order's; a new journal begins its ids anew.
    routes: BTreeSet<(u64, u64)>,
    duplicates: u64,
    /// The orders that it was asked about.
    pub(crate) asked: BTreeSet<u64>,
    pub(crate) sessions: u64,
    waiting: VecDeque<(Instant, Event)>,
    live: BTreeMap<u64, Resting>,
    positions: BTreeMap<(Account, StrategyId, u32), (i64, i64)>,
    matches: u64,
    executed: Vec<Executed>,
    busts: u64,
    corrections: u64,
    next: Instant,
    next_bust: Instant,
}

impl Exchange {
    pub(crate) fn new(seed: u64) -> Exchange {
        Exchange {
            random: seed | 1,
            quiet: false,
            hangs_up: false,
            answers: Vec::new(),
            orders: BTreeSet::new(),
            routes: BTreeSet::new(),
            duplicates: 0,
            asked: BTreeSet::new(),
            sessions: 0,
            waiting: VecDeque::new(),
            live: BTreeMap::new(),
            positions: BTreeMap::new(),
            matches: 0,
            executed: Vec::new(),
            busts: 0,
            corrections: 0,
            next: Instant::now(),
            next_bust: Instant::now(),
        }
    }

    fn draw(&mut self, below: u64) -> u64 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        self.random % below.max(1)
    }

    pub(crate) fn answers(&self) -> &[Event] {
        &self.answers
    }

    /// Whether a route with that order id was ever taken.
    pub(crate) fn knows(&self, order_id: OrderId) -> bool {
        self.orders.contains(&order_id.0)
    }

    /// A route has come: it is taken now and carried out later.
    pub(crate) fn take(&mut self, route: Event) {
        let record: &Route = route.record();
        let makes = Action::makes_an_order(record.action);
        let known = makes && !self.orders.insert(record.order_id);
        // What the gateway itself requests has no id, and may come again.
        let seen = route.id.0 != 0 && !self.routes.insert((route.id.0, record.order_id));
        self.duplicates += u64::from(known || seen);
        let delay = Duration::from_micros(self.draw(MAX_DELAY_US));
        let due = (Instant::now() + delay).max(self.waiting.back().map_or_else(Instant::now, |(at, _)| *at));
        self.waiting.push_back((due, route));
    }

    /// Carries out what is due; whether anything was.
    pub(crate) fn turn(&mut self) -> bool {
        let (now, before) = (Instant::now(), self.answers.len());
        while self.waiting.front().is_some_and(|(due, _)| *due <= now) {
            let (_, route) = self.waiting.pop_front().expect("it was looked at");
            self.carry_out(&route);
        }
        if now >= self.next && !self.quiet {
            self.next = now + EVERY;
            if self.draw(10) == 0 && now >= self.next_bust {
                self.next_bust = now + BUSTS_APART;
                self.bust();
            }
            let at = self.draw(self.live.len() as u64) as usize;
            if let Some((id, _)) = self.live.iter().nth(at).map(|(id, order)| (*id, *order)) {
                match self.draw(20) {
                    0 => self.cancel(id, 0, CancelReason::EndOfDay),
                    _ => self.fill(id, 0),
                }
            }
        }
        self.answers.len() > before
    }

    fn report<R: Record>(&mut self, instrument: u32, side: Side, record: &R) {
        let mut event = Event::new(Ns(0), instrument, Flags::LAST_OF_GROUP.with_side(side), record);
        event.id = EventId(self.answers.len() as u64 + 1);
        self.answers.push(event);
    }

    fn refuse(&mut self, route: &Event, reason: RejectReason) {
        let Route { order_id, action, .. } = *route.record();
        let reject = Reject { order_id, cause: route.id.0, reason: reason.code(), action, ..Reject::default() };
        self.report(route.instrument, route.side(), &reject);
    }

    fn carry_out(&mut self, route: &Event) {
        let record: &Route = route.record();
        match Action::from_code(record.action) {
            Some(Action::New) if self.draw(12) == 0 => self.refuse(route, RejectReason::BadTerms),
            Some(Action::New) => self.open(route, 0, 0),
            Some(Action::Replace) => self.replace(route),
            Some(Action::Cancel) if !self.live.contains_key(&record.order_id) => {
                self.refuse(route, RejectReason::TooLate);
            }
            Some(Action::Cancel) if self.draw(8) == 0 => self.refuse(route, RejectReason::Halted),
            Some(Action::Cancel) => self.cancel(record.order_id, route.id.0, CancelReason::Requested),
            Some(Action::CancelAll) => {
                let of = OrderId(record.order_id);
                let meant = |id: &u64| {
                    let id = OrderId(*id);
                    (of.account() == Account::NONE || of.account() == id.account())
                        && (of.strategy() == StrategyId::NONE || of.strategy() == id.strategy())
                };
                let ids: Vec<u64> = self.live.keys().copied().filter(meant).collect();
                ids.into_iter().for_each(|id| self.cancel(id, route.id.0, CancelReason::MassCancel));
            }
            None => panic!("a route without an action: {route:?}"),
        }
    }

    fn open(&mut self, route: &Event, replaces: u64, executed: u64) {
        let Route { order_id, px, qty, tif, .. } = *route.record();
        let (instrument, side) = (route.instrument, route.side());
        let ack = Ack { order_id, venue_order: order_id ^ 1 << 63, cause: route.id.0, replaces, ..Ack::default() };
        self.report(instrument, side, &ack);
        let px = px.known().unwrap_or(MARKET_PX);
        self.live.insert(order_id, Resting { instrument, side, px, left: qty.0 - executed, executed });
        let rests = replaces != 0 || matches!(Tif::from_code(tif), Some(Tif::Day | Tif::GoodTillCancelled));
        if rests && self.draw(3) == 0 {
            self.fill(order_id, 0);
        } else if !rests {
            self.fill_at_once(order_id, Tif::from_code(tif));
        }
    }

    fn fill_at_once(&mut self, order_id: u64, tif: Option<Tif>) {
        let (whole, reason) = match tif {
            Some(Tif::FillOrKill) => (true, CancelReason::FillOrKill),
            _ => (self.draw(2) == 0, CancelReason::ImmediateOrCancel),
        };
        if self.draw(3) > 0 {
            let left = self.live[&order_id].left;
            self.fill(order_id, if whole { left } else { 0 });
        }
        if self.live.contains_key(&order_id) {
            self.cancel(order_id, 0, reason);
        }
    }

    fn replace(&mut self, route: &Event) {
        let Route { replaces, qty, .. } = *route.record();
        let Some(old) = self.live.get(&replaces).copied() else {
            return self.refuse(route, RejectReason::UnknownOrder);
        };
        if qty.0 <= old.executed || self.draw(6) == 0 {
            return self.refuse(route, RejectReason::BadTerms);
        }
        self.live.remove(&replaces);
        self.open(route, replaces, old.executed);
    }

    /// Fills a part, or `qty` if that is not 0.
    fn fill(&mut self, order_id: u64, qty: u64) {
        let Resting { instrument, side, px, left, .. } = self.live[&order_id];
        let qty = if qty == 0 { 1 + self.draw(left) } else { qty };
        self.matches += 1;
        let match_id = self.matches;
        self.execute(instrument, side, Fill { order_id, px, qty: Qty(qty), match_id, cause: 0 });
        let order = self.live.get_mut(&order_id).expect("it was looked at");
        (order.left, order.executed) = (left - qty, order.executed + qty);
        if order.left == 0 {
            self.live.remove(&order_id);
        }
    }

    /// Tells an execution and enters it in the ledger.
    fn execute(&mut self, instrument: u32, side: Side, fill: Fill) {
        self.report(instrument, side, &fill);
        let Fill { order_id, match_id, .. } = fill;
        let fee = 1_000 * fill.qty.0 as i64 - self.draw(500) as i64;
        let liquidity = Liquidity::Added.code();
        self.report(instrument, side, &FillCost { order_id, fee, match_id, liquidity, ..FillCost::default() });
        self.enter(instrument, side, &fill, 1, fee);
        self.executed.push(Executed { instrument, side, fill, fee, busted: false });
    }

    fn enter(&mut self, instrument: u32, side: Side, fill: &Fill, times: i64, fee: i64) {
        let id = OrderId(fill.order_id);
        let (held, fees) = self.positions.entry((id.account(), id.strategy(), instrument)).or_default();
        *held += times * if side == Side::Buy { fill.qty.0 as i64 } else { -(fill.qty.0 as i64) };
        *fees += fee;
    }

    /// Takes an execution back, of an order that lives or is over, with its fee or a part of it; every other one is corrected.
    fn bust(&mut self) {
        let first = self.executed.len().saturating_sub(TAKEN_BACK);
        let at = first + self.draw((self.executed.len() - first) as u64) as usize;
        let Some(Executed { instrument, side, fill, fee, .. }) = self.executed.get(at).copied().filter(|e| !e.busted)
        else {
            return;
        };
        self.executed[at].busted = true;
        self.busts += 1;
        let back = if self.draw(4) == 0 { fee / 2 } else { fee };
        let Fill { order_id, match_id, px, qty, .. } = fill;
        self.report(instrument, side, &Bust { order_id, match_id, px, qty, fee: back });
        self.enter(instrument, side, &fill, -1, -back);
        if self.draw(2) == 0 {
            self.corrections += 1;
            let (px, qty) = (Px(px.0 + Px::ONE / 100), Qty(1 + self.draw(qty.0)));
            self.execute(instrument, side, Fill { px, qty, ..fill });
        }
    }

    fn cancel(&mut self, order_id: u64, cause: u64, reason: CancelReason) {
        let gone = self.live.remove(&order_id).expect("it was looked at");
        let cancelled =
            Cancelled { order_id, qty: Qty(gone.left), cause, reason: reason.code(), ..Cancelled::default() };
        self.report(gone.instrument, gone.side, &cancelled);
    }

    /// The ledger as one line of JSON.
    pub(crate) fn ledger(&self) -> serde_json::Value {
        let position =
            |(&(account, strategy, instrument), &(qty, fees)): (&(Account, StrategyId, u32), &(i64, i64))| {
                serde_json::json!([account, strategy, instrument, qty, fees])
            };
        let fills = self.answers.iter().filter(|a| a.kind == Kind::Fill).count();
        serde_json::json!({
            "orders": self.orders.len(),
            "routes": self.routes.len(),
            "duplicates": self.duplicates,
            "asked": self.asked,
            "sessions": self.sessions,
            "answers": self.answers.len(),
            "fills": fills,
            "busts": self.busts,
            "corrections": self.corrections,
            "waiting": self.waiting.len(),
            "open": self.live.keys().collect::<Vec<_>>(),
            "positions": self.positions.iter().map(position).collect::<Vec<_>>(),
        })
    }
}
