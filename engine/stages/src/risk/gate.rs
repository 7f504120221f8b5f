//! The gate's state, and how approvals and the venue's replies change it.
//!
//! An open quantity counts from approval until a reply ends it: a cancel request frees nothing, only the venue's
//! confirmation does. Of an order and its replace in flight the larger counts, since either may survive. Fills and busts come
//! from the portfolio, which has booked them once. A bust takes its fill off the position and reopens nothing, so a fill that
//! corrects a busted one closes nothing.

use super::exposure::Exposure;
use super::exposures::Exposures;
use super::ids::Ids;
use super::levels::{Levels, Sum};
use super::market::Market;
use super::messages::Messages;
use super::open::{Open, OpenOrders, Role};
use super::proposal::Proposal;
use super::rates::{Quotes, Rates};
use super::unexplained::Unexplained;
use crate::router::Routing;
use flow::records::{Ack, BookTop, Booked, Cancelled, OrderStatus, Reject, ReplaceRequest, Request};
use flow::{
    Action, Booking, Event, Gateway, GrowingTable, Ns, OrderId, OrderType, Px, SIMULATED_EXCHANGE, Side, Trust,
};

/// The bit of a venue among those with which the session is lost.
fn bit(venue: u16) -> u32 {
    1 << (venue % 32)
}

/// The bit of the venue that inputs of this source are from.
pub(super) fn lost_bit(source: u8) -> u32 {
    bit(Gateway::of_source(source).map_or(SIMULATED_EXCHANGE, Gateway::venue))
}

/// The state that the checks read.
pub(super) struct Gate {
    pub(super) halted: bool,
    /// The venues with which the session is lost, a bit each.
    pub(super) lost: u32,
    /// The venue of each order.
    pub(super) routing: Routing,
    pub(super) markets: GrowingTable<Market>,
    pub(super) exposures: Exposures,
    pub(super) levels: Levels,
    pub(super) rates: Rates,
    /// Whose data are doubtful.
    pub(super) trust: Trust,
    pub(super) open: OpenOrders,
    pub(super) unexplained: Unexplained,
    pub(super) messages: Messages,
    /// Messages beyond the throttle's limit, and collar, of orders that only reduce a position.
    pub(super) reduce_messages: i64,
    pub(super) reduce_collar_bps: i64,
    pub(super) ids: Ids,
}

impl Gate {
    /// Index of an instrument's record; out of range, it is 0, which is never listed.
    #[inline]
    pub(super) fn place(&self, instrument: u32) -> usize {
        if (instrument as usize) < self.markets.bound() { instrument as usize } else { 0 }
    }

    /// The record of an instrument, if it can have one.
    #[inline]
    pub(super) fn market_mut(&mut self, instrument: u32) -> Option<&mut Market> {
        self.markets.get_mut(instrument as usize).filter(|_| instrument != 0)
    }

    /// Whether the session with the venue of an order is lost.
    #[cold]
    pub(super) fn is_lost_for(&self, order: OrderId) -> bool {
        self.lost & bit(self.routing.venue(order)) != 0
    }

    /// Whether the venue of a proposal does not answer an order of its instrument, or tells less of one than it says is filled.
    #[cold]
    pub(super) fn is_late_for(&self, proposal: &Proposal) -> bool {
        let venue = self.routing.venue(proposal.id());
        let late = self.open.late().iter().filter_map(|id| self.open.get(*id));
        let late = late.map(|order| (OrderId(order.id), self.place(order.instrument)));
        late.chain(self.unexplained.iter()).any(|(id, at)| at == proposal.at && self.routing.venue(id) == venue)
    }

    /// What a venue that numbers nothing said of an order.
    #[cold]
    pub(super) fn accounted(&mut self, event: &Event) {
        let OrderStatus { order_id, missing, state, .. } = *event.record();
        let order = OrderId(order_id);
        if state == 0 {
            return self.open.unanswered(order_id);
        }
        self.open.answered(order_id);
        if missing.0 == 0 {
            self.unexplained.remove(order);
        } else if !self.unexplained.add(order, self.place(event.instrument)) {
            self.lost |= bit(self.routing.venue(order));
        }
    }

    /// The best bid and ask of an instrument.
    #[inline]
    pub(super) fn top(&mut self, event: &Event) {
        let top: &BookTop = event.record();
        if let Some(market) = self.market_mut(event.instrument) {
            market.top(top, event.ts);
        }
        self.rates.top(event.instrument, top, &self.trust);
    }

    /// What rates are read from.
    pub(super) fn quotes(&self, now: Ns) -> Quotes<'_> {
        Quotes { markets: &self.markets, trust: &self.trust, now }
    }

    /// The proposal of a new order.
    #[inline]
    pub(super) fn propose(&self, request: &Request, instrument: u32, side: Side, now: Ns) -> Proposal {
        let at = self.place(instrument);
        let price = self.markets[at].price(request, side);
        let (open, request) = (request.qty.0, *request);
        let held = self.exposures.get(&self.markets, OrderId(request.order_id).account(), at);
        Proposal { request, instrument, side, now, replaces: 0, predecessor: None, open, at, price, held }
    }

    /// The proposal of a replace; type and time in force are those of the order that it replaces.
    pub(super) fn propose_replace(&self, replace: &ReplaceRequest, event: &Event) -> Proposal {
        let ReplaceRequest { order_id, new_id, px, qty, .. } = *replace;
        let (instrument, side) = (event.instrument, event.side());
        let same = |o: &Open| {
            o.instrument == instrument && o.side == side && o.may_be_replaced() && o.id >> 40 == new_id >> 40
        };
        let predecessor = self.open.get(order_id).filter(same);
        let order_type = predecessor.map_or(OrderType::Limit.code(), |o| o.order_type);
        let tif = predecessor.map_or(0, |o| o.tif);
        let request = Request { order_id: new_id, px, qty, order_type, tif, ..Default::default() };
        let open = qty.0.saturating_sub(predecessor.map_or(0, |o| o.executed));
        Proposal { replaces: order_id, predecessor, open, ..self.propose(&request, instrument, side, event.ts) }
    }

    /// Counts an approved order. Returns the last counter of its account and strategy before it.
    #[inline]
    pub(super) fn approve(&mut self, proposal: &Proposal) -> u64 {
        let last = self.ids.last(proposal.id());
        self.ids.raise(proposal.id());
        self.messages.push(proposal.now);
        let role = if proposal.is_replace() { Role::Replacing } else { Role::Alone };
        let executed = proposal.predecessor.map_or(0, |o| o.executed);
        let before = proposal.predecessor.map_or(0, |o| o.open);
        let after = proposal.open.max(before);
        let orders = self.open.orders();
        self.open.insert(Open {
            id: proposal.request.order_id,
            other: proposal.replaces,
            open: proposal.open,
            executed,
            instrument: proposal.instrument,
            side: proposal.side,
            order_type: proposal.request.order_type,
            tif: proposal.request.tif,
            role,
        });
        let side = proposal.side;
        self.change(proposal.id(), proposal.at, |exposure| *exposure.open_mut(side) += after - before);
        if !self.levels.is_empty() {
            self.sent_at_levels(proposal, orders);
        }
        last
    }

    #[inline(never)]
    fn sent_at_levels(&mut self, proposal: &Proposal, orders: usize) {
        self.levels.sent(proposal.id(), proposal.at, proposal.now);
        self.count_orders(proposal.id(), proposal.at, orders);
    }

    /// Changes what the account of an order holds, and has open, of the instrument at `at`.
    #[inline]
    fn change(&mut self, order: OrderId, at: usize, change: impl FnOnce(&mut Exposure)) {
        if !self.levels.is_empty() {
            return self.change_at_levels(order, at, change);
        }
        self.exposures.change(&mut self.markets, order.account(), at, change);
    }

    #[inline(never)]
    fn change_at_levels(&mut self, order: OrderId, at: usize, change: impl FnOnce(&mut Exposure)) {
        let mut changed = Sum::NONE;
        self.exposures.change(&mut self.markets, order.account(), at, |exposure| {
            let before = *exposure;
            change(exposure);
            changed = Sum::between(&before, exposure);
        });
        self.levels.change(order, at, &changed);
    }

    /// The number of open orders has changed by an order; it was `before`.
    #[inline(never)]
    fn count_orders(&mut self, order: OrderId, at: usize, before: usize) {
        let more = self.open.orders() as i64 - before as i64;
        self.levels.change(order, at, &Sum::of_orders(more));
    }

    /// Takes back the last approval; `last` is the counter that it returned. Only new orders are taken back.
    pub(super) fn take_back(&mut self, proposal: &Proposal, last: u64) {
        self.ids.lower(proposal.id(), last);
        self.messages.pop();
        if !self.levels.is_empty() {
            self.levels.take_back(proposal.id(), proposal.at);
        }
        self.end(proposal.request.order_id);
    }

    /// Removes an order.
    fn end(&mut self, id: u64) {
        let Some(order) = self.open.get(id) else { return };
        let (before, orders) = (self.open.weight(&order), self.open.orders());
        self.open.remove(id);
        let after = self.open.get(order.other).map_or(0, |other| other.open);
        self.weigh(&order, before, after);
        if !self.levels.is_empty() {
            self.count_orders(OrderId(id), self.place(order.instrument), orders);
        }
    }

    /// Changes the open quantity of an order, or a pair, from `before` to `after`.
    fn weigh(&mut self, order: &Open, before: u64, after: u64) {
        let (at, side) = (self.place(order.instrument), order.side);
        // An order that only reduces passes without room as well, and then no sum has it.
        let is_lost = self.exposures.has_lost();
        self.change(OrderId(order.id), at, |exposure| {
            let open = exposure.open_mut(side);
            let rest = if is_lost { Some(open.saturating_sub(before)) } else { open.checked_sub(before) };
            *open = rest.expect("an order's open quantity is part of the sum") + after;
        });
    }

    /// The venue acknowledged an order. If it replaced another, that one has ended.
    pub(super) fn ack(&mut self, ack: &Ack) {
        self.open.answered(ack.order_id);
        let Some(order) = self.open.get(ack.order_id) else { return };
        if order.role != Role::Replacing {
            return;
        }
        self.end(order.other);
        if let Some(order) = self.open.get_mut(ack.order_id) {
            order.role = Role::Alone;
            if order.open == 0 {
                self.end(ack.order_id);
            }
        }
    }

    /// What the portfolio has booked changes the position; a fill that corrects none also the open quantity of its order.
    pub(super) fn booked(&mut self, event: &Event) {
        let booked: &Booked = event.record();
        let size = i64::try_from(booked.qty.0).unwrap_or(i64::MAX);
        let signed = if event.side() == Side::Sell { -size } else { size };
        let change = if booked.what == Booking::Busted.code() { -signed } else { signed };
        if self.market_mut(event.instrument).is_some() {
            let order = OrderId(booked.order_id);
            let add = |exposure: &mut Exposure| exposure.position = exposure.position.saturating_add(change);
            self.change(order, event.instrument as usize, add);
        }
        if booked.what == Booking::Filled.code()
            && let Some(order) = self.open.get(booked.order_id)
        {
            self.lower(&order, booked.qty.0);
        }
    }

    /// A fill of one order of a pair counts for both.
    fn lower(&mut self, order: &Open, qty: u64) {
        let before = self.open.weight(order);
        for id in [order.id, order.other] {
            if let Some(one) = self.open.get_mut(id) {
                one.open = one.open.saturating_sub(qty);
                one.executed = one.executed.saturating_add(qty);
            }
        }
        let order = self.open.get(order.id).expect("it was there");
        self.weigh(&order, before, self.open.weight(&order));
        if order.open == 0 && order.role != Role::Replacing {
            self.end(order.id);
        }
    }

    /// The venue rejected a request: a new order or replace has ended; a rejected cancel changes nothing.
    pub(super) fn reject(&mut self, reject: &Reject) {
        if Action::makes_an_order(reject.action) {
            self.end(reject.order_id);
        } else if reject.cause != 0 {
            self.open.answered(reject.order_id);
        }
    }

    pub(super) fn cancelled(&mut self, cancelled: &Cancelled) {
        self.end(cancelled.order_id);
    }

    /// The books of a source were cleared: their tops are no longer valid.
    pub(super) fn clear(&mut self, event: &Event) {
        let of = |m: &&mut Market| m.source == event.source && m.listed;
        if event.instrument == 0 {
            self.markets.values_mut().iter_mut().filter(of).for_each(|m| (m.bid, m.ask) = (Px::NONE, Px::NONE));
        } else if let Some(market) = self.market_mut(event.instrument) {
            (market.bid, market.ask) = (Px::NONE, Px::NONE);
        }
    }
}
