//! The gate as its page defines it, slowly: every check for itself, over plain maps, with nothing kept that can be summed
//! up anew. Shares no code with the stage.

use flow::records::{Ack, Anomaly, BookTop, Bust, Cancelled, Clear, Command, Fill, Listing, Order, Refused, Reject};
use flow::records::{ReplaceRequest, Request, Trade};
use flow::{Account, Event, Flags, Kind, OrderId, Px, Side, StrategyId};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// The outcome of a request or a command, with instrument and side.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Verdict {
    Order(u32, Side, Order),
    Refused(u32, Side, Refused),
    /// The outcome of a command: its number, the value before, and the one in force now.
    Commanded(u16, i64, i64),
}

/// Checks with a limit, by number, with the largest that may be configured.
pub(crate) const MOST: [(u16, i64); 7] = [
    (3, 1_000_000_000_000_000),
    (4, 1_000_000_000_000),
    (5, 100_000),
    (6, 1_000_000_000_000_000),
    (7, 65_536),
    (8, 8_192),
    (9, 86_400_000),
];

#[derive(Clone, Copy)]
pub(crate) struct Own {
    instrument: u32,
    side: Side,
    qty: u64,
    executed: u64,
    order_type: u8,
    tif: u8,
    /// It waits for the venue to put it in that order's place.
    replaces: Option<u64>,
}

impl Own {
    fn open(&self) -> i128 {
        i128::from(self.qty.saturating_sub(self.executed))
    }
}

#[derive(Clone, Copy)]
pub(crate) struct Proposal {
    instrument: u32,
    side: Side,
    now: u64,
    request: Request,
    replaces: u64,
}

/// Executions that may still be taken back.
pub(crate) const FILLS: u32 = 256;

#[derive(Clone, Copy)]
pub(crate) struct Executed {
    fill: Fill,
    instrument: u32,
    side: Side,
    busted: bool,
}

#[derive(Clone, Default)]
pub(crate) struct Checker {
    pub(crate) fills: VecDeque<Executed>,
    pub(crate) limits: BTreeMap<u16, i64>,
    /// The most that a command may set each limit to.
    pub(crate) ceilings: BTreeMap<u16, i64>,
    pub(crate) window_ms: u64,
    pub(crate) slots: usize,
    pub(crate) max_pairs: usize,
    pub(crate) halted: bool,
    /// The session with the venue is lost.
    pub(crate) lost: bool,
    /// Open orders that the venue does not answer.
    pub(crate) late: BTreeSet<u64>,
    pub(crate) listings: BTreeMap<u32, (Listing, u8)>,
    pub(crate) tops: BTreeMap<u32, (Px, Px)>,
    pub(crate) last_market: BTreeMap<u32, u64>,
    pub(crate) positions: BTreeMap<u32, i128>,
    pub(crate) orders: BTreeMap<u64, Own>,
    pub(crate) messages: VecDeque<u64>,
    pub(crate) counters: BTreeMap<(Account, StrategyId), u64>,
    pub(crate) held: Vec<Proposal>,
    pub(crate) seq: u64,
    pub(crate) fallen: u32,
    /// Refusals of each check, each check alone.
    pub(crate) alone: BTreeMap<u16, u64>,
}

type Breach = Option<(i64, i64)>;

fn narrow(value: i128) -> i64 {
    value.clamp(i128::from(i64::MIN), i128::from(i64::MAX)) as i64
}

fn up(a: i128, b: i128) -> i128 {
    (a + b - 1).div_euclid(b)
}

impl Checker {
    pub(crate) fn feed(&mut self, event: &Event) -> Vec<Verdict> {
        let mut verdicts = Vec::new();
        if !self.held.is_empty() && event.id.seq() != self.seq {
            self.fall(&mut verdicts);
        }
        let (at, now) = (event.instrument, event.ts.0);
        match event.kind {
            Kind::Listing => drop(self.listings.insert(at, (*event.record::<Listing>(), event.source))),
            Kind::BookTop => {
                let top: &BookTop = event.record();
                self.tops.insert(at, (top.bid_px, top.ask_px));
                self.last_market.insert(at, now);
            }
            Kind::Trade => {
                let _: &Trade = event.record();
                if !event.flags.has(Flags::SNAPSHOT) {
                    self.last_market.insert(at, now);
                }
            }
            Kind::Clear => {
                let _: &Clear = event.record();
                let listings = &self.listings;
                let of = |i: &u32| listings.get(i).is_some_and(|(_, source)| *source == event.source);
                self.tops.retain(|i, _| if at == 0 { !of(i) } else { *i != at });
            }
            Kind::Halt => self.halted = true,
            Kind::Anomaly if event.source == 255 => {
                let Anomaly { what, detail, .. } = *event.record();
                match what {
                    27 => self.lost = true,
                    28 => self.lost = false,
                    29 if self.orders.contains_key(&detail) => drop(self.late.insert(detail)),
                    _ => {}
                }
            }
            Kind::Command => self.command(event.record(), &mut verdicts),
            Kind::Ack | Kind::Fill | Kind::Reject | Kind::Cancelled => self.answer(event),
            Kind::Bust => self.bust(event),
            Kind::Request => {
                let request: Request = *event.record();
                let proposal = Proposal { instrument: at, side: event.side(), now, request, replaces: 0 };
                if request.group == 0 {
                    verdicts.push(self.first_breach(&proposal))
                } else {
                    self.leg(proposal, event, &mut verdicts)
                }
            }
            Kind::ReplaceRequest => verdicts.push(self.replace(event)),
            _ => {}
        }
        verdicts
    }

    fn command(&mut self, command: &Command, verdicts: &mut Vec<Verdict>) {
        let before = i64::from(self.halted);
        verdicts.push(match command.action {
            1 => {
                self.halted = true;
                Verdict::Commanded(1, before, 1)
            }
            2 => {
                self.halted = false;
                Verdict::Commanded(if before == 1 { 1 } else { 6 }, before, 0)
            }
            3 => Verdict::Commanded(1, 0, 0),
            4 => self.set_limit(command),
            _ => return,
        });
    }

    fn set_limit(&mut self, command: &Command) -> Verdict {
        let Some(check) = u16::try_from(command.target).ok().filter(|check| self.limits.contains_key(check)) else {
            return Verdict::Commanded(5, 0, 0);
        };
        let old = self.limits[&check];
        let most = MOST.iter().find(|(number, _)| *number == check).unwrap().1;
        if old != command.old {
            return Verdict::Commanded(2, old, old);
        }
        if command.new < 0 || command.new > most {
            return Verdict::Commanded(3, old, old);
        }
        if command.new > self.ceilings[&check] {
            return Verdict::Commanded(4, old, old);
        }
        self.limits.insert(check, command.new);
        Verdict::Commanded(1, old, command.new)
    }

    fn answer(&mut self, event: &Event) {
        if let Some(fill) = event.get::<Fill>() {
            let side = self.orders.get(&fill.order_id).map_or(event.side(), |o| o.side);
            if fill.match_id != 0 && self.named(fill.order_id, fill.match_id).is_some_and(|e| !e.busted) {
                return;
            }
            let signed = if side == Side::Sell { -i128::from(fill.qty.0) } else { i128::from(fill.qty.0) };
            *self.positions.entry(event.instrument).or_default() += signed;
            let same = |e: &&mut Executed| e.busted && e.instrument == event.instrument && e.side == side;
            let corrects = self.named(fill.order_id, fill.match_id).filter(same).is_some();
            self.fills.push_back(Executed { fill: *fill, instrument: event.instrument, side, busted: false });
            if self.fills.len() > FILLS as usize {
                self.fills.pop_front();
            }
            if corrects {
                return;
            }
            let Some(order) = self.orders.get(&fill.order_id).copied() else { return };
            let waiting = self.waiting(fill.order_id);
            for id in [Some(fill.order_id), order.replaces, waiting].into_iter().flatten() {
                if let Some(order) = self.orders.get_mut(&id) {
                    order.executed += fill.qty.0;
                }
            }
            if self.orders[&fill.order_id].open() == 0 && order.replaces.is_none() {
                self.orders.remove(&fill.order_id);
            }
        } else if let Some(ack) = event.get::<Ack>() {
            self.late.remove(&ack.order_id);
            let Some(order) = self.orders.get_mut(&ack.order_id) else { return };
            let Some(old) = order.replaces.take() else { return };
            if order.open() == 0 {
                self.orders.remove(&ack.order_id);
            }
            self.orders.remove(&old);
        } else if let Some(reject) = event.get::<Reject>() {
            if reject.action != 2 {
                self.orders.remove(&reject.order_id);
            } else if reject.cause != 0 {
                self.late.remove(&reject.order_id);
            }
        } else if let Some(cancelled) = event.get::<Cancelled>() {
            self.orders.remove(&cancelled.order_id);
        }
    }

    /// The last execution of that name.
    fn named(&mut self, order_id: u64, match_id: u64) -> Option<&mut Executed> {
        self.fills.iter_mut().rev().find(|e| (e.fill.order_id, e.fill.match_id) == (order_id, match_id))
    }

    fn bust(&mut self, event: &Event) {
        let Bust { order_id, match_id, px, qty, .. } = *event.record();
        let Some(found) = self.named(order_id, match_id) else { return };
        let agrees = (found.fill.px, found.fill.qty, found.instrument) == (px, qty, event.instrument);
        if !found.busted && agrees && found.side == event.side() {
            found.busted = true;
            let signed = if found.side == Side::Sell { -i128::from(qty.0) } else { i128::from(qty.0) };
            *self.positions.entry(event.instrument).or_default() -= signed;
        }
    }

    /// The order that waits to take this one's place.
    fn waiting(&self, id: u64) -> Option<u64> {
        self.orders.iter().find(|(_, o)| o.replaces == Some(id)).map(|(id, _)| *id)
    }

    /// Orders that count: not those that wait to replace one that is still there.
    fn counted(&self) -> impl Iterator<Item = (u64, &Own)> {
        let waits = |o: &Own| o.replaces.is_some_and(|old| self.orders.contains_key(&old));
        self.orders.iter().filter(move |(_, o)| !waits(o)).map(|(id, o)| (*id, o))
    }

    fn replace(&mut self, event: &Event) -> Verdict {
        let replace: &ReplaceRequest = event.record();
        let old = self.orders.get(&replace.order_id);
        let (order_type, tif) = old.map_or((1, 0), |o| (o.order_type, o.tif));
        let request = Request {
            order_id: replace.new_id,
            px: replace.px,
            qty: replace.qty,
            order_type,
            tif,
            ..Default::default()
        };
        let (instrument, side, now) = (event.instrument, event.side(), event.ts.0);
        self.first_breach(&Proposal { instrument, side, now, request, replaces: replace.order_id })
    }

    fn fall(&mut self, verdicts: &mut Vec<Verdict>) {
        let held = std::mem::take(&mut self.held);
        let limit = held.first().map_or(0, |a| i64::from(a.request.legs));
        verdicts.extend(held.iter().map(|a| refused(a, 11, limit, held.len() as i64)));
        self.fallen = held.first().map_or(self.fallen, |a| a.request.group);
    }

    fn leg(&mut self, proposal: Proposal, event: &Event, verdicts: &mut Vec<Verdict>) {
        if event.id.seq() != self.seq {
            (self.seq, self.fallen) = (event.id.seq(), 0);
        }
        let Request { group, legs, .. } = proposal.request;
        if group == self.fallen {
            return verdicts.push(refused(&proposal, 11, i64::from(legs), 0));
        }
        if self.held.first().is_some_and(|a| a.request.group != group) {
            self.fall(verdicts);
        }
        if legs == 0 || legs > 16 || self.held.iter().any(|a| a.request.legs != legs) {
            self.fall(verdicts);
            self.fallen = group;
            *self.alone.entry(2).or_default() += 1;
            return verdicts.push(refused(&proposal, 2, 0, 10));
        }
        self.held.push(proposal);
        if self.held.len() < usize::from(legs) {
            return;
        }
        let held = std::mem::take(&mut self.held);
        let mut all = self.clone();
        let each: Vec<_> = held.iter().map(|a| all.first_breach(a)).collect();
        self.alone.clone_from(&all.alone);
        let culprit = each.iter().position(|w| matches!(w, Verdict::Refused(..)));
        self.fallen = if culprit.is_some() { group } else { 0 };
        match culprit {
            None => {
                *self = Checker { fallen: self.fallen, ..all };
                verdicts.extend(each);
            }
            Some(at) => {
                let others = |i, a| if i == at { each[at] } else { refused(a, 11, i64::from(legs), at as i64) };
                verdicts.extend(held.iter().enumerate().map(|(i, a)| others(i, a)));
            }
        }
    }

    fn first_breach(&mut self, proposal: &Proposal) -> Verdict {
        let breaches = self.breaches(proposal);
        for (check, _) in breaches.iter().filter(|(_, v)| v.is_some()) {
            *self.alone.entry(*check).or_default() += 1;
        }
        if let Some((check, (limit, value))) = breaches.into_iter().find_map(|(check, v)| Some((check, v?))) {
            return refused(proposal, check, limit, value);
        }
        let Request { order_id, px, qty, group, order_type, tif, legs, .. } = proposal.request;
        let id = OrderId(order_id);
        self.counters.insert((id.account(), id.strategy()), id.counter());
        self.messages.push_back(proposal.now);
        if self.messages.len() > 10_000 {
            self.messages.pop_front();
        }
        let replaces = (proposal.replaces != 0).then_some(proposal.replaces);
        let executed = replaces.map_or(0, |old| self.orders[&old].executed);
        let (instrument, side) = (proposal.instrument, proposal.side);
        self.orders.insert(order_id, Own { instrument, side, qty: qty.0, executed, order_type, tif, replaces });
        let replaces = proposal.replaces;
        Verdict::Order(
            instrument,
            side,
            Order { order_id, px, qty, replaces, group, order_type, tif, legs, reserved: [0] },
        )
    }

    /// All checks, each for itself, in their order.
    fn breaches(&self, proposal: &Proposal) -> [(u16, Breach); 13] {
        let kill = self.halted.then_some((0, 1));
        let sane = self.flaw(proposal).map(|flaw| (0, flaw));
        [
            (1, kill),
            (12, self.silent(proposal)),
            (2, sane),
            (13, self.unknown(proposal, |terms| terms.multiplier)),
            (14, self.unknown(proposal, |terms| terms.tick_px.0)),
            (3, self.above(3, i128::from(proposal.request.qty.0))),
            (4, self.above(4, self.notional(proposal))),
            (5, self.above(5, self.off(proposal))),
            (6, self.above(6, self.worst(proposal))),
            (7, self.open_orders(proposal)),
            (8, self.above(8, self.rate(proposal.now))),
            (9, self.above(9, self.age(proposal))),
            (10, self.duplicate(proposal)),
        ]
    }

    /// A term that the listing does not tell.
    fn unknown(&self, proposal: &Proposal, term: fn(&Listing) -> i64) -> Breach {
        let (terms, _) = self.listings.get(&proposal.instrument)?;
        (term(terms) == 0).then_some((0, 1))
    }

    /// A venue without a session, or one that does not answer an open order of the instrument.
    fn silent(&self, proposal: &Proposal) -> Breach {
        let of = |id: &u64| self.orders.get(id).is_some_and(|o| o.instrument == proposal.instrument);
        if self.lost {
            return Some((0, 1));
        }
        self.late.iter().any(of).then_some((0, 2))
    }

    fn above(&self, check: u16, value: i128) -> Breach {
        let limit = self.limits[&check];
        (limit == 0 || value > i128::from(limit)).then_some((limit, narrow(value)))
    }

    /// The order to be replaced, if it may be by this one.
    fn predecessor(&self, proposal: &Proposal) -> Option<&Own> {
        let (old, new) = (OrderId(proposal.replaces), proposal.request.order_id);
        let order = self.orders.get(&old.0)?;
        let same_owner = OrderId::new(old.account(), old.strategy(), 0) == OrderId(new & !OrderId::MAX_COUNTER);
        let same = order.instrument == proposal.instrument && order.side == proposal.side && same_owner;
        (same && order.replaces.is_none() && self.waiting(old.0).is_none()).then_some(order)
    }

    fn flaw(&self, proposal: &Proposal) -> Option<i64> {
        let Request { px, qty, order_type, tif, order_id, .. } = proposal.request;
        let Some((terms, _)) = self.listings.get(&proposal.instrument) else { return Some(1) };
        let negative = matches!(terms.instrument_type, 2 | 8);
        let above = |px: i128| px > 0 || negative;
        let id = OrderId(order_id);
        let old = self.predecessor(proposal);
        let flaws = [
            (1, terms.multiplier < 0 || terms.tick_px.0 < 0 || terms.qty_decimals > 18),
            (2, proposal.side == Side::None),
            (3, proposal.replaces != 0 && old.is_none()),
            (4, !(1..=2).contains(&order_type)),
            (5, !(1..=4).contains(&tif)),
            (6, qty.0 == 0 || old.is_some_and(|o| qty.0 <= o.executed)),
            (7, (order_type == 1) != (px != Px::NONE) || self.price(proposal).is_some_and(|px| !above(px))),
            (8, order_type == 1 && step(terms, px) > 0 && px.0 % step(terms, px) != 0),
            (9, id.account() == Account::NONE || id.strategy() == StrategyId::NONE || id.counter() == 0),
        ];
        flaws.iter().find(|(_, wrong)| *wrong).map(|(flaw, _)| *flaw)
    }

    fn price(&self, proposal: &Proposal) -> Option<i128> {
        if proposal.request.order_type != 2 {
            return proposal.request.px.known().map(|px| i128::from(px.0));
        }
        let (bid, ask) = self.tops.get(&proposal.instrument)?;
        let touch = if proposal.side == Side::Buy { ask } else { bid };
        touch.known().map(|px| i128::from(px.0))
    }

    fn notional(&self, proposal: &Proposal) -> i128 {
        let Some((terms, _)) = self.listings.get(&proposal.instrument) else { return i128::MAX };
        let Some(price) = self.price(proposal) else { return i128::MAX };
        let exact = price.abs().checked_mul(i128::from(proposal.request.qty.0));
        let exact = exact.and_then(|x| x.checked_mul(i128::from(terms.multiplier)));
        let one = 10i128.pow(18 + u32::from(terms.qty_decimals));
        exact.map_or(i128::MAX, |x| x / one + i128::from(x % one != 0))
    }

    fn off(&self, proposal: &Proposal) -> i128 {
        let none = (Px::NONE, Px::NONE);
        let (bid, ask) = *self.tops.get(&proposal.instrument).unwrap_or(&none);
        let known: Vec<i128> = [bid, ask].iter().filter_map(|p| p.known()).map(|p| i128::from(p.0)).collect();
        let (sum, n) = (known.iter().sum::<i128>(), known.len() as i128);
        let negative = self.listings.get(&proposal.instrument).filter(|l| matches!(l.0.instrument_type, 2 | 8));
        let size = negative.map_or(sum, |(terms, _)| sum.abs().max(n * 100 * i128::from(terms.tick_px.0)));
        match self.price(proposal) {
            Some(price) if n > 0 && size > 0 => up((n * price - sum).abs() * 10_000, size),
            _ => i128::MAX,
        }
    }

    fn worst(&self, proposal: &Proposal) -> i128 {
        let old = self.predecessor(proposal);
        let of = |o: &Own| o.instrument == proposal.instrument && o.side == proposal.side;
        let pair = |id, o: &Own| o.open().max(self.waiting(id).map_or(0, |w| self.orders[&w].open()));
        let open: i128 = self.counted().filter(|(_, o)| of(o)).map(|(id, o)| pair(id, o)).sum();
        let added = i128::from(proposal.request.qty.0) - old.map_or(0, |o| i128::from(o.executed));
        let position = self.positions.get(&proposal.instrument).copied().unwrap_or(0);
        let held = if proposal.side == Side::Sell { -position } else { position };
        held + open - old.map_or(0, Own::open) + added
    }

    fn open_orders(&self, proposal: &Proposal) -> Breach {
        let after = self.counted().count() + usize::from(proposal.replaces == 0);
        let full = (self.orders.len() >= self.slots).then_some((self.slots as i64, self.slots as i64 + 1));
        self.above(7, after as i128).or(full)
    }

    /// Messages that are less than a window old, and this one.
    fn rate(&self, now: u64) -> i128 {
        let young = |t: &&u64| now - **t < self.window_ms * 1_000_000;
        self.messages.iter().rev().take_while(young).count() as i128 + 1
    }

    fn age(&self, proposal: &Proposal) -> i128 {
        self.last_market.get(&proposal.instrument).map_or(i128::MAX, |t| up(i128::from(proposal.now - t), 1_000_000))
    }

    fn duplicate(&self, proposal: &Proposal) -> Breach {
        let id = OrderId(proposal.request.order_id);
        match self.counters.get(&(id.account(), id.strategy())) {
            Some(last) => (id.counter() <= *last).then_some((*last as i64, id.counter() as i64)),
            None if id.counter() == 0 => Some((0, 0)),
            None => {
                let most = self.max_pairs as i64;
                (self.counters.len() >= self.max_pairs).then_some((most, most + 1))
            }
        }
    }
}

/// The step at a price: of a US stock by its price, else the listing's.
fn step(terms: &Listing, px: Px) -> i64 {
    let us_stock = (terms.instrument_type, &terms.currency, &terms.calendar) == (1, b"USD\0", b"XNAS");
    match (us_stock, px.0 < 1_000_000_000, terms.tick_px.0) {
        (true, true, _) => 100_000,
        (true, false, told) if told <= 100_000 => 10_000_000,
        (_, _, told) => told,
    }
}

fn refused(proposal: &Proposal, check: u16, limit: i64, value: i64) -> Verdict {
    let Request { order_id, group, .. } = proposal.request;
    Verdict::Refused(
        proposal.instrument,
        proposal.side,
        Refused { order_id, limit, value, group, check, reserved: [0; 10] },
    )
}
