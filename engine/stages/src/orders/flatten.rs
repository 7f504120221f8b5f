//! Closing positions because an operator commanded it.
//!
//! First every order of the positions' owners in those instruments is cancelled, and the venue's word awaited; then each
//! position that is not flat gets one market order for all of it, immediate-or-cancel, until it is flat. Meanwhile nobody else
//! sends an order for these positions, so nothing that is open can take one beyond flat. An instrument that is halted gets no
//! order: its position waits, and one anomaly says so.
//!
//! The work is spread over the events that the stage reads anyway, like the slices of a tick: each does a part in proportion
//! to the time since the last one, so a busy market is not held up and a quiet one loses no time. A position is found by
//! instrument and by pair of account and strategy, both in their order, so the same events always give the same orders.
//!
//! Bound: [`MOST`] commands at once, [`AT_ONCE`] events an event. Worst case of an event: [`MOST_LOOKS`] looks for a position;
//! once a command, all open orders are looked through and sorted.

use super::cycle::Step;
use super::manager::{OrderManager, push_anomaly};
use super::positions::Key;
use super::table::Order;
use flow::records::{CancelRequest, Command, CommandOutcome, Request};
use flow::{
    Account, AnomalyKind, CommandResult, Event, Flags, Ns, OrderId, OrderType, Out, Px, Qty, Reduces, Side, StateError,
    StateReader, StateWriter, StrategyId, Tif,
};
use serde::{Deserialize, Serialize};

/// The most commands that are carried out at once.
const MOST: usize = 64;
/// The most events that it emits for one.
pub(super) const AT_ONCE: usize = 16;
/// The most looks for a position at one event.
const MOST_LOOKS: u64 = 16_384;
/// Looks at the command itself.
const FIRST_LOOKS: u64 = 4_096;
/// Time that one look may take of what passes, in nanoseconds.
const A_LOOK: u64 = 500;
/// How long an order, or a cancel that was rejected, is not tried again.
const AGAIN: u64 = Ns::SECOND;

/// Whose positions, and where; 0 = all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Wanted {
    account: Account,
    strategy: StrategyId,
    instrument: u32,
}

impl Wanted {
    fn holds(self, account: Account, strategy: StrategyId, instrument: u32) -> bool {
        (self.account == Account::NONE || self.account == account)
            && (self.strategy == StrategyId::NONE || self.strategy == strategy)
            && (self.instrument == 0 || self.instrument == instrument)
    }
}

/// How far the work is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Progress {
    /// Orders that have been asked to be cancelled, of those that were open; all of them: their ends are awaited.
    asked: u64,
    /// Instrument and number of the pair where the search for positions goes on; instrument 0 = orders are still open.
    instrument: u32,
    pair: u64,
    /// Whether this search has found a position that is not flat.
    found: bool,
    /// The last event that did a part.
    last: Ns,
    /// When a cancel that was rejected is asked for again.
    ask_again: Ns,
    /// Nothing is done before this time.
    not_before: Ns,
}

/// What is commanded, and how far it is.
pub(super) struct Flatten {
    wanted: Vec<Wanted>,
    /// The orders that were open, sorted; the last ones leave as they end.
    orders: Vec<OrderId>,
    progress: Progress,
}

impl Flatten {
    /// Nothing is commanded; room for `orders` open orders.
    pub(super) fn new(orders: usize) -> Flatten {
        Flatten { wanted: Vec::with_capacity(MOST), orders: Vec::with_capacity(orders), progress: Progress::default() }
    }

    /// Whether anything is left to do.
    #[inline]
    pub(super) fn is_active(&self) -> bool {
        !self.wanted.is_empty()
    }

    /// Whether positions of this pair in this instrument are being closed.
    #[inline]
    pub(super) fn holds(&self, account: Account, strategy: StrategyId, instrument: u32) -> bool {
        self.wanted.iter().any(|wanted| wanted.holds(account, strategy, instrument))
    }

    /// The first and the last instrument of which a position may be wanted.
    fn range(&self, instruments: u32) -> (u32, u32) {
        let all = self.wanted.iter().any(|wanted| wanted.instrument == 0);
        let named = || self.wanted.iter().map(|wanted| wanted.instrument);
        if all { (1, instruments - 1) } else { (named().min().unwrap_or(1), named().max().unwrap_or(0)) }
    }

    pub(super) fn save(&self, to: &mut StateWriter<'_>) {
        let wanted: Vec<_> = self.wanted.iter().map(|w| (w.account, w.strategy, to.key(w.instrument))).collect();
        to.put(&(wanted, &self.orders, self.progress, to.key(self.progress.instrument)));
    }

    pub(super) fn load(&mut self, from: &mut StateReader<'_>, instruments: usize) -> Result<(), StateError> {
        let room = self.orders.capacity();
        self.wanted.clear();
        self.orders.clear();
        type Saved = (Vec<(Account, StrategyId, String)>, Vec<OrderId>, Progress, String);
        let (wanted, orders, progress, at) = from.get::<Saved>()?;
        if wanted.len() > MOST || orders.len() > room || !orders.is_sorted() || progress.asked > orders.len() as u64 {
            return Err(StateError::Inconsistent("more to flatten than fits, or unsorted orders of it"));
        }
        for (account, strategy, key) in wanted {
            self.wanted.push(Wanted { account, strategy, instrument: from.instrument(&key)? });
        }
        self.orders.extend(orders);
        self.progress = Progress { instrument: from.instrument(&at)?, ..progress };
        let beyond = |instrument: u32| instrument as usize >= instruments;
        if beyond(self.progress.instrument) || self.wanted.iter().any(|w| beyond(w.instrument)) {
            return Err(StateError::Inconsistent("an instrument to flatten beyond the table"));
        }
        Ok(())
    }
}

impl OrderManager {
    /// Takes a command to close positions.
    #[cold]
    pub(super) fn flatten(&mut self, event: &Event, command: &Command, out: &mut Out) {
        let (account, strategy) = (Account((command.target >> 16) as u8), StrategyId(command.target as u16));
        let wanted = Wanted { account, strategy, instrument: event.instrument };
        let is_known = |instrument: u32| self.instruments.get(instrument as usize).is_some_and(|i| i.terms.is_some());
        let result = if event.instrument != 0 && !is_known(event.instrument) {
            CommandResult::UnknownTarget
        } else if self.flatten.wanted.len() == MOST && !self.flatten.wanted.contains(&wanted) {
            CommandResult::TooMany
        } else {
            self.begin_to_flatten(wanted, event.ts);
            CommandResult::Applied
        };
        let outcome = CommandOutcome {
            action: command.action,
            target: command.target,
            result: result.code(),
            ..CommandOutcome::default()
        };
        out.push(event.instrument, Flags::NONE, &outcome);
    }

    fn begin_to_flatten(&mut self, wanted: Wanted, now: Ns) {
        if !self.flatten.wanted.contains(&wanted) {
            self.flatten.wanted.push(wanted);
        }
        // What is open is looked through once: nobody adds to it from here on.
        let Flatten { wanted, orders, progress } = &mut self.flatten;
        let is_wanted = |o: &&Order| wanted.iter().any(|w| w.holds(o.id.account(), o.id.strategy(), o.instrument));
        orders.clear();
        orders.extend(self.orders.iter().filter(is_wanted).map(|o| o.id));
        orders.sort_unstable();
        let last = Ns(now.0.saturating_sub(FIRST_LOOKS * A_LOOK));
        *progress = Progress { last, ask_again: Ns(now.0.saturating_add(AGAIN)), ..Progress::default() };
    }

    /// Does a part of what is commanded.
    #[cold]
    pub(super) fn flatten_further(&mut self, event: &Event, out: &mut Out) {
        let Progress { last, not_before, .. } = self.flatten.progress;
        if event.ts < not_before {
            return;
        }
        let looks = (event.ts.0.saturating_sub(last.0) / A_LOOK).clamp(1, MOST_LOOKS);
        self.flatten.progress.last = event.ts;
        let mut left = AT_ONCE;
        if self.flatten.progress.instrument == 0 && self.cancel_wanted(event, looks, &mut left, out) {
            self.flatten.progress.instrument = self.flatten.range(self.instruments.len() as u32).0;
        }
        if self.flatten.progress.instrument != 0 {
            self.close_wanted(event, looks, left, out);
        }
    }

    /// Cancels the open orders; says whether all have ended.
    fn cancel_wanted(&mut self, event: &Event, looks: u64, left: &mut usize, out: &mut Out) -> bool {
        for _ in 0..looks {
            let asked = self.flatten.progress.asked as usize;
            let Some(id) = self.flatten.orders.get(asked).copied() else { break };
            if *left == 0 {
                return false;
            }
            self.flatten.progress.asked += 1;
            *left -= usize::from(self.cancel_one(id, out));
        }
        if (self.flatten.progress.asked as usize) < self.flatten.orders.len() {
            return false;
        }
        for _ in 0..looks {
            let Some(id) = self.flatten.orders.last().copied() else { return true };
            if self.orders.get(id).is_some() {
                // The venue may have rejected its cancel: it is asked again, in a while.
                if event.ts >= self.flatten.progress.ask_again && *left > 0 {
                    self.flatten.progress.ask_again = Ns(event.ts.0.saturating_add(AGAIN));
                    *left -= usize::from(self.cancel_one(id, out));
                }
                return false;
            }
            self.flatten.orders.pop();
            self.flatten.progress.asked -= 1;
        }
        self.flatten.orders.is_empty()
    }

    /// Asks for the cancel of an order, unless it has ended or was asked before.
    fn cancel_one(&mut self, id: OrderId, out: &mut Out) -> bool {
        let Some(mut order) = self.orders.get(id) else { return false };
        let Some(state) = order.state.after(Step::RequestCancel, order.filled > 0) else { return false };
        order.state = state;
        self.put(order);
        let flags = Flags::side_only(order.side).with(Flags::LAST_OF_GROUP);
        out.push(order.instrument, flags, &CancelRequest { order_id: id.0, ..CancelRequest::default() });
        true
    }

    /// Looks for positions that are not flat, and sends an order for each; `left` events may be emitted.
    fn close_wanted(&mut self, event: &Event, looks: u64, mut left: usize, out: &mut Out) {
        let (first, last) = self.flatten.range(self.instruments.len() as u32);
        for _ in 0..looks {
            let Progress { instrument, pair, .. } = self.flatten.progress;
            if instrument > last {
                return self.searched(event.ts, first);
            }
            let Some(pair) = self.counters.pairs().get(pair as usize) else {
                (self.flatten.progress.instrument, self.flatten.progress.pair) = (instrument + 1, 0);
                continue;
            };
            let (account, strategy) = (pair.account, pair.strategy);
            if left == 0 {
                return;
            }
            self.flatten.progress.pair += 1;
            if self.flatten.holds(account, strategy, instrument) {
                left -= usize::from(self.close_one(Key::new(account, strategy, instrument), event, out));
            }
        }
    }

    /// All positions were looked at: the work is done, or begins again in a while.
    fn searched(&mut self, now: Ns, first: u32) {
        if self.flatten.progress.found {
            let not_before = Ns(now.0.saturating_add(AGAIN / 10));
            self.flatten.progress = Progress { instrument: first, last: now, not_before, ..Progress::default() };
        } else {
            self.flatten.wanted.clear();
            self.flatten.progress = Progress::default();
        }
    }

    /// Sends an order for a position, if it has none; says whether anything was emitted.
    fn close_one(&mut self, key: Key, event: &Event, out: &mut Out) -> bool {
        let instrument = key.instrument();
        let (is_halted, in_flight) = (self.instruments[instrument as usize].halts.any(), self.orders.in_flight());
        let has_room = self.orders.len() < self.orders.limit() && in_flight < self.max_in_flight;
        let Some(entry) = self.positions.get_mut(key).filter(|entry| entry.now.holding.qty != 0) else { return false };
        self.flatten.progress.found = true;
        if self.orders.get(entry.closing.order).is_some() || event.ts < entry.closing.not_before {
            return false;
        }
        if is_halted {
            let waits = std::mem::replace(&mut entry.closing.waits, true);
            if !waits {
                let at = Event { instrument, ..*event };
                push_anomaly(AnomalyKind::FlattenWaits, &at, u64::from(key.strategy().0), out);
            }
            return !waits;
        }
        if !has_room || !self.counters.has_room(key.account(), key.strategy(), 1) {
            return false;
        }
        let qty = entry.now.holding.qty;
        let side = if qty > 0 { Side::Sell } else { Side::Buy };
        let id = self.counters.issue(key.account(), key.strategy());
        entry.closing = Closing { order: id, not_before: Ns(event.ts.0.saturating_add(AGAIN)), waits: false };
        self.add(Order { id, root: id, ..self.pending(qty.unsigned_abs(), instrument, side) });
        let request = Request {
            order_id: id.0,
            px: Px::NONE,
            qty: Qty(qty.unsigned_abs()),
            order_type: OrderType::Market.code(),
            tif: Tif::ImmediateOrCancel.code(),
            reduces: Reduces::Commanded.code(),
            ..Request::default()
        };
        out.push(instrument, Flags::side_only(side).with(Flags::LAST_OF_GROUP), &request);
        true
    }
}

/// How far the closing of a position is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Closing {
    /// The last order that was sent for it.
    order: OrderId,
    /// No other one before this time.
    not_before: Ns,
    /// Whether it was said that it waits.
    waits: bool,
}

impl Closing {
    /// No order was sent for it.
    pub(super) const NEVER: Closing = Closing { order: OrderId(0), not_before: Ns(0), waits: false };
}
