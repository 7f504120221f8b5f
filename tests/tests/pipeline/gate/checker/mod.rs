//! The gate as its page defines it, slowly: every check for itself, over plain maps, with nothing kept that can be summed
//! up anew. Shares no code with the stage.

mod checks;
mod levels;
mod money;

use flow::records::{Ack, Anomaly, BookTop, Bust, Cancelled, Clear, Command, DataState, Fill, Listing, Order, Refused};
use flow::records::{Reject, ReplaceRequest, Request, Status, Trade};
use flow::{Account, Event, Flags, Kind, OrderId, Px, Side, StrategyId};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

pub(crate) use levels::Level;
pub(crate) use money::Money;

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
    /// Collar, and messages beyond the limit, of orders that only reduce a position.
    pub(crate) of_reducing: [i64; 2],
    pub(crate) window_ms: u64,
    pub(crate) slots: usize,
    pub(crate) max_pairs: usize,
    pub(crate) halted: bool,
    /// The session with the venue is lost.
    pub(crate) lost: bool,
    /// Instruments whose last trading status, or last operational status, is a halt.
    pub(crate) still: BTreeSet<(u32, u8)>,
    /// Instruments whose data are doubtful.
    pub(crate) doubtful: BTreeSet<u32>,
    /// Sources of which messages are missing.
    pub(crate) behind: BTreeSet<u8>,
    /// Open orders that the venue does not answer.
    pub(crate) late: BTreeSet<u64>,
    pub(crate) listings: BTreeMap<u32, (Listing, u8)>,
    pub(crate) tops: BTreeMap<u32, (Px, Px)>,
    pub(crate) last_market: BTreeMap<u32, u64>,
    /// By account and instrument.
    pub(crate) positions: BTreeMap<(Account, u32), i128>,
    pub(crate) orders: BTreeMap<u64, Own>,
    pub(crate) messages: VecDeque<u64>,
    pub(crate) counters: BTreeMap<(Account, StrategyId), u64>,
    pub(crate) held: Vec<Proposal>,
    pub(crate) seq: u64,
    pub(crate) fallen: u32,
    /// Refusals of each check, each check alone.
    pub(crate) alone: BTreeMap<u16, u64>,
    /// The tables of limits, in the order of the configuration.
    pub(crate) levels: Vec<Level>,
    /// Their limits as configured, by table and check.
    pub(crate) configured: BTreeMap<(u16, u16), i64>,
    /// Currencies of limits; none = those of the listings.
    pub(crate) money: Option<Money>,
    /// Accounts that are not live.
    pub(crate) paper: BTreeSet<Account>,
    /// By account, strategy and instrument.
    pub(crate) holdings: BTreeMap<(Account, StrategyId, u32), i128>,
    /// Refusals by check and number of the table.
    pub(crate) at_levels: BTreeMap<(u16, usize), u64>,
    /// Messages that passed: time, whose, and of which instrument.
    pub(crate) sent: VecDeque<(u64, u64, u32)>,
}

impl Checker {
    fn status(&mut self, instrument: u32, status: &Status) {
        let code = String::from_utf8_lossy(&status.code).trim_matches(['\0', ' ']).to_owned();
        let halts = match status.what {
            2 => ["H", "P", "Q", "8", "9", "10", "12", "15"].contains(&code.as_str()),
            3 => code == "H",
            _ => return,
        };
        if halts {
            self.still.insert((instrument, status.what));
        } else {
            self.still.remove(&(instrument, status.what));
        }
    }

    /// Of an instrument, of all listed instruments of a source, or of all listed ones.
    fn data_state(&mut self, instrument: u32, told: &DataState) {
        let of = |(at, (_, source)): (&u32, &(Listing, u8))| (told.of == 0 || *source == told.of).then_some(*at);
        let concerned: Vec<u32> =
            if instrument == 0 { self.listings.iter().filter_map(of).collect() } else { vec![instrument] };
        match (instrument, told.of, told.state) {
            (0, 0, _) => self.behind.clear(),
            (0, of, 2) => {
                self.behind.insert(of);
            }
            (0, of, _) => {
                self.behind.remove(&of);
            }
            _ => {}
        }
        for at in concerned {
            if told.state == 2 {
                self.doubtful.insert(at);
            } else {
                self.doubtful.remove(&at);
            }
        }
    }

    pub(crate) fn feed(&mut self, event: &Event) -> Vec<Verdict> {
        let mut verdicts = Vec::new();
        if !self.held.is_empty() && event.id.seq() != self.seq {
            self.fall(&mut verdicts);
        }
        let (at, now) = (event.instrument, event.ts.0);
        match event.kind {
            Kind::Listing => {
                let before = self.listings.insert(at, (*event.record::<Listing>(), event.source));
                if before.is_none_or(|(_, source)| source != event.source) && self.behind.contains(&event.source) {
                    self.doubtful.insert(at);
                }
            }
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
            Kind::Status if at != 0 => self.status(at, event.record()),
            Kind::DataState => self.data_state(at, event.record()),
            Kind::Anomaly if event.source == 255 => {
                let Anomaly { what, detail, .. } = *event.record();
                match what {
                    27 => self.lost = true,
                    28 => self.lost = false,
                    29 if self.orders.contains_key(&detail) => drop(self.late.insert(detail)),
                    _ => {}
                }
            }
            Kind::Command => self.command(event, &mut verdicts),
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

    fn command(&mut self, event: &Event, verdicts: &mut Vec<Verdict>) {
        let command: &Command = event.record();
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
            4 if command.target > 0xFFFF => self.set_in_table(command),
            4 => self.set_limit(command),
            7 => {
                let at = event.instrument;
                let known = at == 0 || self.listings.contains_key(&at);
                let doubtful = if at == 0 { !self.doubtful.is_empty() } else { self.doubtful.contains(&at) };
                Verdict::Commanded(if known { 1 } else { 5 }, i64::from(doubtful), 0)
            }
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
            let held = (OrderId(fill.order_id).account(), event.instrument);
            *self.positions.entry(held).or_default() += signed;
            self.hold(fill.order_id, event.instrument, signed);
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
            let held = (OrderId(order_id).account(), event.instrument);
            *self.positions.entry(held).or_default() -= signed;
            self.hold(order_id, event.instrument, -signed);
        }
    }

    fn hold(&mut self, order_id: u64, instrument: u32, signed: i128) {
        let id = OrderId(order_id);
        *self.holdings.entry((id.account(), id.strategy(), instrument)).or_default() += signed;
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
        let levels = if proposal.request.reduces == 0 { self.of_order(proposal) } else { Vec::new() };
        for (check, breach) in breaches {
            for number in &levels {
                if let Some((limit, value)) = self.at_level(proposal, check, *number) {
                    *self.at_levels.entry((check, *number)).or_default() += 1;
                    return refused_at(proposal, check, limit, value, *number as u16);
                }
            }
            if let Some((limit, value)) = breach {
                return refused(proposal, check, limit, value);
            }
        }
        let Request { order_id, px, qty, group, order_type, tif, legs, .. } = proposal.request;
        let id = OrderId(order_id);
        self.counters.insert((id.account(), id.strategy()), id.counter());
        self.messages.push_back(proposal.now);
        if self.messages.len() > 10_000 {
            self.messages.pop_front();
        }
        self.sent.push_back((proposal.now, order_id, proposal.instrument));
        if self.sent.len() > 500 {
            self.sent.pop_front();
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
}

fn refused(proposal: &Proposal, check: u16, limit: i64, value: i64) -> Verdict {
    refused_at(proposal, check, limit, value, 0)
}

fn refused_at(proposal: &Proposal, check: u16, limit: i64, value: i64, level: u16) -> Verdict {
    let Request { order_id, group, .. } = proposal.request;
    Verdict::Refused(
        proposal.instrument,
        proposal.side,
        Refused { order_id, limit, value, group, check, level, reserved: [0; 8] },
    )
}
