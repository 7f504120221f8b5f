//! Closing positions because an operator commanded it.
//!
//! First every order of the positions' owners in those instruments is cancelled, and its end awaited; then each
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

use super::closing::{Closing, Flatten, MOST, Progress};
use super::cycle::Step;
use super::manager::{OrderManager, push_anomaly};
use super::table::Order;
use crate::portfolio::Key;
use flow::records::{CancelRequest, Command, CommandOutcome, Position, Request};
use flow::{
    Account, AnomalyKind, CommandResult, Event, Flags, FlattenTarget, Ns, OrderId, OrderType, Out, Px, Qty, Reduces,
    Side, StrategyId, Tif,
};

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

impl OrderManager {
    /// Takes a command to close positions.
    #[cold]
    pub(super) fn flatten(&mut self, event: &Event, command: &Command, out: &mut Out) {
        let (account, strategy) = (Account((command.target >> 16) as u8), StrategyId(command.target as u16));
        let wanted = FlattenTarget { account, strategy, instrument: event.instrument };
        let is_known = |instrument: u32| self.instruments.get(instrument as usize).is_some_and(|i| i.listed);
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

    fn begin_to_flatten(&mut self, wanted: FlattenTarget, now: Ns) {
        if !self.flatten.wanted.contains(&wanted) {
            self.flatten.wanted.push(wanted);
        }
        // What is open is looked through once: nobody adds to it from here on.
        let Flatten { wanted, orders, progress } = &mut self.flatten;
        let is_wanted = |o: &&Order| wanted.iter().any(|w| w.holds(o.id.account(), o.id.strategy(), o.instrument));
        orders.clear();
        for order in self.orders.iter().filter(is_wanted) {
            orders.push(order.id);
        }
        orders.sort_unstable();
        let last = Ns(now.0.saturating_sub(FIRST_LOOKS * A_LOOK));
        *progress = Progress { last, ask_again: Ns(now.0.saturating_add(AGAIN)), ..Progress::default() };
    }

    /// Does a part of what is commanded.
    #[cold]
    #[inline(never)]
    pub(super) fn flatten_further(&mut self, event: &Event, out: &mut Out) {
        self.opens_a_position(event);
        let Progress { last, not_before, .. } = self.flatten.progress;
        if event.ts < not_before {
            return;
        }
        let looks = (event.ts.0.saturating_sub(last.0) / A_LOOK).clamp(1, MOST_LOOKS);
        self.flatten.progress.last = event.ts;
        let mut left = AT_ONCE;
        if self.flatten.progress.instrument == 0 && self.cancel_wanted(event, looks, &mut left, out) {
            self.flatten.progress.instrument = self.flatten.range(self.instruments.bound() as u32).0;
        }
        if self.flatten.progress.instrument != 0 {
            self.close_wanted(event, looks, left, out);
        }
    }

    /// A position may be opened that the search has passed, or of a pair that it has passed; then the search is not the last
    /// one.
    fn opens_a_position(&mut self, event: &Event) {
        let Some(Position { qty, account, strategy, .. }) = event.get::<Position>().copied() else { return };
        self.flatten.progress.found |= qty != 0 && self.flatten.holds(account, strategy, event.instrument);
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
        let (first, last) = self.flatten.range(self.instruments.bound() as u32);
        for _ in 0..looks {
            let Progress { instrument, pair, .. } = self.flatten.progress;
            let Some(pair) = self.counters.pairs().get(pair as usize) else {
                if instrument == last {
                    return self.searched(event.ts, first);
                }
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
        let Some(entry) = self.holdings.get_mut(key.word()).filter(|entry| entry.qty != 0) else { return false };
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
        let qty = entry.qty;
        let side = if qty > 0 { Side::Sell } else { Side::Buy };
        let id = self.counters.issue(key.account(), key.strategy());
        entry.closing = Closing { order: id, not_before: Ns(event.ts.0.saturating_add(AGAIN)), ..Closing::NEVER };
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
