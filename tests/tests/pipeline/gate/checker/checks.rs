//! The checks, each for itself: what it compares, and with which limit.

use super::{Checker, Own, Proposal};
use flow::records::{Listing, Request};
use flow::{Account, OrderId, Px, Side, StrategyId};

/// Limit and value, if the check refuses.
pub(super) type Breach = Option<(i64, i64)>;

pub(super) fn narrow(value: i128) -> i64 {
    value.clamp(i128::from(i64::MIN), i128::from(i64::MAX)) as i64
}

pub(super) fn up(a: i128, b: i128) -> i128 {
    (a + b - 1).div_euclid(b)
}

impl Checker {
    /// All checks, each for itself, in their order.
    pub(super) fn breaches(&self, proposal: &Proposal) -> Vec<(u16, Breach)> {
        let kill = self.halted.then_some((0, 1));
        let sane = self.flaw(proposal).map(|flaw| (0, flaw));
        if proposal.request.reduces != 0 {
            let [collar, messages] = self.of_reducing;
            let known = self.price(proposal).filter(|_| !self.doubtful.contains(&proposal.instrument));
            let known = known.filter(|_| self.touch(proposal) != (Px::NONE, Px::NONE));
            let off = known.map(|_| self.off(proposal)).filter(|off| *off > i128::from(collar));
            let most = self.limits[&8] + messages;
            let rate = self.rate(proposal.now);
            let (qty, most_qty) = (narrow(i128::from(proposal.request.qty.0)), 1_000_000_000_000_000);
            return vec![
                (1, kill.filter(|_| proposal.request.reduces == 1)),
                (12, self.silent(proposal)),
                (15, self.is_still(proposal)),
                (2, sane),
                (3, (qty > most_qty).then_some((most_qty, narrow(i128::from(proposal.request.qty.0))))),
                (5, off.map(|off| (collar, narrow(off)))),
                (7, self.is_full()),
                (8, (rate > i128::from(most)).then_some((most, narrow(rate)))),
                (10, self.duplicate(proposal)),
            ];
        }
        vec![
            (1, kill),
            (12, self.silent(proposal)),
            (15, self.is_still(proposal)),
            (16, self.doubtful.contains(&proposal.instrument).then_some((0, 1))),
            (2, sane),
            (13, self.unknown(proposal, |terms| terms.multiplier)),
            (14, self.unknown(proposal, |terms| terms.tick_px.0)),
            (17, self.no_rate(proposal)),
            (3, self.above(3, self.of_order_alone(proposal, 3, None))),
            (4, self.above(4, self.of_order_alone(proposal, 4, None))),
            (5, self.above(5, self.of_order_alone(proposal, 5, None))),
            (6, self.above(6, self.worst(proposal))),
            (7, self.open_orders(proposal)),
            (8, self.above(8, self.rate(proposal.now))),
            (9, self.above(9, self.of_order_alone(proposal, 9, None))),
            (10, self.duplicate(proposal)),
        ]
    }

    /// What a check compares that looks at the order alone; money in the currency of the account that the limit is for.
    pub(super) fn of_order_alone(&self, proposal: &Proposal, check: u16, account: Option<Account>) -> i128 {
        match check {
            3 => i128::from(proposal.request.qty.0),
            4 => self.notional(proposal, account),
            5 => self.off(proposal),
            _ => self.age(proposal),
        }
    }

    /// An instrument that does not trade, if it can be listed at all.
    fn is_still(&self, proposal: &Proposal) -> Breach {
        let still = |what| self.still.contains(&(proposal.instrument, what));
        (still(2) || still(3)).then_some((0, 1))
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
    pub(super) fn predecessor(&self, proposal: &Proposal) -> Option<&Own> {
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

    fn notional(&self, proposal: &Proposal, account: Option<Account>) -> i128 {
        let Some((terms, _)) = self.listings.get(&proposal.instrument) else { return i128::MAX };
        let Some(price) = self.price(proposal) else { return i128::MAX };
        let exact = price.abs().checked_mul(i128::from(proposal.request.qty.0));
        let exact = exact.and_then(|x| x.checked_mul(i128::from(terms.multiplier)));
        exact.map_or(i128::MAX, |exact| self.worth(proposal, exact, terms.qty_decimals, account))
    }

    fn touch(&self, proposal: &Proposal) -> (Px, Px) {
        *self.tops.get(&proposal.instrument).unwrap_or(&(Px::NONE, Px::NONE))
    }

    fn off(&self, proposal: &Proposal) -> i128 {
        let (bid, ask) = self.touch(proposal);
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
        let account = |id: u64| OrderId(id).account();
        let ours = account(proposal.request.order_id);
        let of = |o: &Own| o.instrument == proposal.instrument && o.side == proposal.side;
        let open: i128 =
            self.counted().filter(|(id, o)| account(*id) == ours && of(o)).map(|(id, o)| self.pair(id, o)).sum();
        let position = self.positions.get(&(ours, proposal.instrument)).copied().unwrap_or(0);
        let held = if proposal.side == Side::Sell { -position } else { position };
        held + open + self.added(proposal)
    }

    /// Open quantity of an order or of the one that waits to replace it, whichever is larger.
    pub(super) fn pair(&self, id: u64, order: &Own) -> i128 {
        order.open().max(self.waiting(id).map_or(0, |waiting| self.orders[&waiting].open()))
    }

    /// What the proposal adds to what is open.
    pub(super) fn added(&self, proposal: &Proposal) -> i128 {
        let old = self.predecessor(proposal);
        let added = i128::from(proposal.request.qty.0) - old.map_or(0, |o| i128::from(o.executed));
        added - old.map_or(0, Own::open)
    }

    fn open_orders(&self, proposal: &Proposal) -> Breach {
        let after = self.counted().count() + usize::from(proposal.replaces == 0);
        self.above(7, after as i128).or(self.is_full())
    }

    fn is_full(&self) -> Breach {
        (self.orders.len() >= self.slots).then_some((self.slots as i64, self.slots as i64 + 1))
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
