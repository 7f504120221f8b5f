//! A venue that numbers nothing, in memory: its ledger, and an adapter that loses, repeats and delays what it tells.
//!
//! The ledger is the truth. What it tells may be lost, told twice or late, and a connection may break at any moment; an
//! order or a cancel that is on its way then may arrive or not. It says what has become of an order when it is asked, but
//! sometimes cannot, and sometimes counts an execution that it does not tell yet. Somebody else trades in the same account.

use flow::records::{Ack, Cancelled, DropCopy, Fill, FillCost, Reject, Route};
use flow::{
    Account, Action, Approved, AskPace, CopyOf, Event, Flags, Known, Ns, OpenOrder, Opened, OrderAnswer, OrderId,
    OrderState, Patience, Px, Qty, Record, RejectReason, Side, Venue, VenueError, VenueReply, match_id,
};
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// The next number of a small generator, below `below`.
pub(super) fn draw(random: &mut u64, below: u64) -> u64 {
    *random ^= *random << 13;
    *random ^= *random >> 7;
    *random ^= *random << 17;
    (*random >> 8) % below
}

/// What a test breaks on purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mutant {
    None,
    /// To every question it answers that the order is as it was: nothing is reconciled.
    NotAsked,
    /// An execution has another name each time it is told.
    Renamed,
    /// A new session does not tell what nobody here sent.
    CopiesLost,
}

/// An order in the ledger.
#[derive(Clone, Copy, Debug)]
pub(super) struct Listed {
    pub(super) instrument: u32,
    pub(super) side: Side,
    pub(super) qty: u64,
    /// With what was filled of those that it replaced.
    pub(super) filled: u64,
    pub(super) state: OrderState,
    replaces: u64,
}

/// An execution in the ledger.
#[derive(Clone, Copy, Debug)]
pub(super) struct Executed {
    pub(super) name: u64,
    /// The order; 0 = it was not sent from here.
    pub(super) order: u64,
    pub(super) account: Account,
    pub(super) instrument: u32,
    pub(super) side: Side,
    pub(super) qty: u64,
    /// It is not told before this time.
    hidden_until: u64,
}

/// The ledger, and the connection.
pub(super) struct Market {
    pub(super) random: u64,
    pub(super) now: u64,
    /// Whether anything goes wrong, and anybody trades.
    pub(super) is_wild: bool,
    pub(super) mutant: Mutant,
    pub(super) orders: BTreeMap<u64, Listed>,
    pub(super) executions: Vec<Executed>,
    /// Orders that came twice.
    pub(super) duplicates: u64,
    is_connected: bool,
    /// What is on its way to the client, each with the time when it is there.
    told: VecDeque<(u64, VenueReply)>,
    /// What is on its way to the venue.
    sent: VecDeque<Event>,
}

fn event<R: Record>(instrument: u32, side: Side, record: &R) -> Event {
    Event::new(Ns(0), instrument, Flags::side_only(side), record)
}

impl Market {
    pub(super) fn new(seed: u64, mutant: Mutant) -> Market {
        Market {
            random: seed,
            now: 0,
            is_wild: true,
            mutant,
            orders: BTreeMap::new(),
            executions: Vec::new(),
            duplicates: 0,
            is_connected: false,
            told: VecDeque::new(),
            sent: VecDeque::new(),
        }
    }

    fn chance(&mut self, percent: u64) -> bool {
        self.is_wild && draw(&mut self.random, 100) < percent
    }

    /// The connection is gone; of what is on its way to the venue a part arrives.
    pub(super) fn cut(&mut self) {
        let arrive = draw(&mut self.random, self.sent.len() as u64 + 1);
        for _ in 0..arrive {
            self.arrive();
        }
        self.sent.clear();
        self.told.clear();
        self.is_connected = false;
    }

    /// Tells something, or does not.
    fn tell(&mut self, answer: Event) {
        if !self.is_connected || self.chance(15) {
            return;
        }
        let times = 1 + u64::from(self.chance(12));
        for _ in 0..times {
            let late = if self.chance(20) { 1 + draw(&mut self.random, 40) } else { 0 };
            self.told.push_back((self.now + late, VenueReply::Answer(answer)));
        }
    }

    /// A millisecond passes: somebody trades.
    pub(super) fn pass(&mut self) {
        self.now += 1;
        while self.is_connected && !self.sent.is_empty() && !self.chance(30) {
            self.arrive();
        }
        let open: Vec<u64> =
            self.orders.iter().filter(|(_, o)| o.state == OrderState::Open).map(|(id, _)| *id).collect();
        if !open.is_empty() && self.chance(10) {
            let id = open[draw(&mut self.random, open.len() as u64) as usize];
            self.execute(id);
        }
        if !open.is_empty() && self.chance(1) {
            let id = open[draw(&mut self.random, open.len() as u64) as usize];
            self.end(id);
        }
        if self.chance(1) {
            self.trade_by_hand();
        }
    }

    fn execute(&mut self, id: u64) {
        let order = self.orders[&id];
        let qty = 1 + draw(&mut self.random, order.qty - order.filled);
        let Listed { instrument, side, .. } = order;
        let name = match_id(&format!("execution {}", self.executions.len()));
        let hidden_until = if self.chance(5) { self.now + draw(&mut self.random, 200) } else { 0 };
        let account = OrderId(id).account();
        self.executions.push(Executed { name, order: id, account, instrument, side, qty, hidden_until });
        let order = self.orders.get_mut(&id).expect("it is open");
        order.filled += qty;
        if order.filled == order.qty {
            order.state = OrderState::Filled;
        }
        if hidden_until == 0 {
            self.tell_execution(self.executions.len() - 1, false);
        }
    }

    /// Tells an execution and its cost; as the answer to a question it cannot be lost.
    fn tell_execution(&mut self, at: usize, is_asked: bool) {
        let Executed { mut name, order, account, instrument, side, qty, .. } = self.executions[at];
        if self.mutant == Mutant::Renamed {
            name = name.wrapping_add(draw(&mut self.random, 1 << 20));
        }
        let px = Px(100 * Px::ONE);
        if order == 0 {
            let what = CopyOf::Execution.code();
            let copy = DropCopy { px, qty: Qty(qty), match_id: name, account, what, ..DropCopy::default() };
            let copy = event(instrument, side, &copy);
            if is_asked {
                self.told.push_back((self.now, VenueReply::Answer(copy)));
            } else {
                self.tell(copy);
            }
            return;
        }
        let fill = Fill { order_id: order, px, qty: Qty(qty), match_id: name, cause: 0 };
        let cost = FillCost { order_id: order, fee: 7, match_id: name, liquidity: 1, ..FillCost::default() };
        let both = [event(instrument, side, &fill), event(0, Side::None, &cost)];
        if is_asked {
            both.into_iter().for_each(|answer| self.told.push_back((self.now, VenueReply::Answer(answer))));
        } else if self.is_connected && !self.chance(15) {
            let times = 1 + u64::from(self.chance(12));
            let late = if self.chance(20) { 1 + draw(&mut self.random, 40) } else { 0 };
            for _ in 0..times {
                both.iter().for_each(|answer| self.told.push_back((self.now + late, VenueReply::Answer(*answer))));
            }
        }
    }

    /// The venue cancels an order by itself.
    fn end(&mut self, id: u64) {
        let order = self.orders.get_mut(&id).expect("it is open");
        order.state = OrderState::Cancelled;
        let qty = Qty(order.qty - order.filled);
        self.tell(event(0, Side::None, &Cancelled { order_id: id, qty, reason: 4, ..Cancelled::default() }));
    }

    fn trade_by_hand(&mut self) {
        let side = if draw(&mut self.random, 2) == 0 { Side::Buy } else { Side::Sell };
        let (instrument, account) =
            (1 + draw(&mut self.random, 3) as u32, Account(1 + draw(&mut self.random, 2) as u8));
        let (name, qty) = (match_id(&format!("by hand {}", self.executions.len())), 1 + draw(&mut self.random, 9));
        self.executions.push(Executed { name, order: 0, account, instrument, side, qty, hidden_until: 0 });
        self.tell_execution(self.executions.len() - 1, false);
    }

    /// The next message of the client arrives.
    fn arrive(&mut self) {
        let Some(route) = self.sent.pop_front() else { return };
        // A message may also be lost on the venue's side.
        if self.chance(3) {
            return;
        }
        let Route { order_id, action, qty, replaces, .. } = *route.record();
        match Action::from_code(action) {
            Some(Action::New) => self.take(order_id, &route, qty.0, 0),
            Some(Action::Replace) => self.take(order_id, &route, qty.0, replaces),
            Some(Action::Cancel) => self.cancel(order_id),
            _ => {}
        }
    }

    fn reject(&mut self, order_id: u64, action: Action) {
        let reason = RejectReason::TooLate.code();
        self.tell(event(0, Side::None, &Reject { order_id, reason, action: action.code(), ..Reject::default() }));
    }

    fn take(&mut self, id: u64, route: &Event, qty: u64, replaces: u64) {
        if self.orders.contains_key(&id) {
            self.duplicates += 1;
            return;
        }
        let (instrument, side) = (route.instrument, route.side());
        let mut order = Listed { instrument, side, qty, filled: 0, state: OrderState::Open, replaces };
        let before = self.orders.get(&replaces).copied();
        let may_be = replaces == 0 || before.is_some_and(|o| o.state == OrderState::Open && o.filled < qty);
        if !may_be || self.chance(5) {
            self.orders.insert(id, Listed { state: OrderState::Rejected, replaces: 0, ..order });
            let action = if replaces == 0 { Action::New } else { Action::Replace };
            return self.reject(id, action);
        }
        if let Some(before) = self.orders.get_mut(&replaces) {
            (before.state, order.filled) = (OrderState::Replaced, before.filled);
        }
        self.orders.insert(id, order);
        self.tell(event(0, Side::None, &Ack { order_id: id, replaces, ..Ack::default() }));
    }

    fn cancel(&mut self, id: u64) {
        let Some(order) = self.orders.get_mut(&id).filter(|o| o.state == OrderState::Open) else {
            return self.reject(id, Action::Cancel);
        };
        order.state = OrderState::Cancelled;
        let qty = Qty(order.qty - order.filled);
        self.tell(event(0, Side::None, &Cancelled { order_id: id, qty, reason: 1, ..Cancelled::default() }));
    }

    /// The order and those that it replaced.
    fn chain(&self, id: u64) -> Vec<u64> {
        let before = |id: &u64| self.orders.get(id).map(|o| o.replaces).filter(|before| *before != 0);
        std::iter::successors(Some(id), before).collect()
    }

    /// Answers a question: first what can be told of the order, then what has become of it.
    fn answer(&mut self, order_id: OrderId) {
        while !self.sent.is_empty() {
            self.arrive();
        }
        let status = |is| VenueReply::Status { order_id, is };
        let Some(order) = self.orders.get(&order_id.0).copied() else {
            return self.told.push_back((self.now, status(OrderAnswer::Never)));
        };
        if self.chance(8) {
            return self.told.push_back((self.now, status(OrderAnswer::Unknown)));
        }
        if self.mutant == Mutant::NotAsked {
            let same = OrderAnswer::Is { state: OrderState::Open, filled: Qty(0) };
            return self.told.push_back((self.now, status(same)));
        }
        if order.replaces != 0 {
            let ack = Ack { order_id: order_id.0, replaces: order.replaces, ..Ack::default() };
            self.told.push_back((self.now, VenueReply::Answer(event(0, Side::None, &ack))));
        }
        let chain = self.chain(order_id.0);
        for at in 0..self.executions.len() {
            let Executed { order, hidden_until, .. } = self.executions[at];
            if chain.contains(&order) && hidden_until <= self.now {
                self.tell_execution(at, true);
            }
        }
        let is = OrderAnswer::Is { state: order.state, filled: Qty(order.filled) };
        self.told.push_back((self.now, status(is)));
    }

    /// The first message that is there.
    fn next(&mut self) -> Option<VenueReply> {
        let at = self.told.iter().position(|(at, _)| *at <= self.now)?;
        self.told.remove(at).map(|(_, reply)| reply)
    }
}

/// The adapter: one connection of one run.
pub(super) struct Connection(pub(super) Arc<Mutex<Market>>);

impl Connection {
    fn market(&self) -> std::sync::MutexGuard<'_, Market> {
        self.0.lock().expect("no thread panics while it holds the lock")
    }
}

fn gone() -> VenueError {
    VenueError { what: "gone".to_owned(), place: "market".to_owned(), next: "wait", transient: true }
}

impl Venue for Connection {
    fn patience(&self) -> Patience {
        let ms = Duration::from_millis;
        Patience { reply: ms(500), answer: Some(ms(80)), session: ms(3_600_000) }
    }
    fn ask_pace(&self) -> AskPace {
        let ms = Duration::from_millis;
        AskPace { silence: ms(150), again: ms(40), spacing: ms(1), at_once: 4 }
    }
    fn resume(&mut self, known: &Known) -> Result<Option<Opened>, VenueError> {
        assert!(known.received.is_some(), "nothing is cancelled here");
        let mut market = self.market();
        market.cut();
        market.is_connected = true;
        for at in 0..market.executions.len() {
            if market.executions[at].order == 0 && market.mutant != Mutant::CopiesLost {
                market.tell_execution(at, true);
            }
        }
        Ok(Some(Opened::Unnumbered))
    }
    fn send(&mut self, route: &Approved<Event>) {
        self.market().sent.push_back(*route.get());
    }
    fn ask(&mut self, order_id: OrderId) {
        self.market().answer(order_id);
    }
    fn cancels_all(&self) -> bool {
        false
    }
    fn cancel_all(&mut self) {}
    fn cancel(&mut self, _: &OpenOrder) {}
    fn flush(&mut self) -> Result<bool, VenueError> {
        if self.market().is_connected { Ok(true) } else { Err(gone()) }
    }
    fn poll(&mut self) -> Result<Option<VenueReply>, VenueError> {
        let mut market = self.market();
        if market.is_connected { Ok(market.next()) } else { Err(gone()) }
    }
    fn silence(&self) -> Option<Duration> {
        None
    }
}
