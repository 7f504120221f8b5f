//! The orders that may be open at the venue.
//!
//! A gateway needs them to cancel every order when no pipeline can tell it which: at a venue without a cancel of all orders,
//! and to say which are left. They follow from inputs alone (`sent`, the venue's answers, `reject` of what was never
//! sent), so the head derives them from the journal during a replay and hands them over. An answer may enter before the
//! `sent` of its order, when a route was in doubt; such an order is kept until that `sent` enters. The `sent` of an order of
//! an earlier journal never enters, so such an order is in the list only if it was carried over: its id comes before the
//! counters that the carry-over skipped. A fill that is reported twice counts once.
//!
//! Where a venue numbers nothing (a `reconciled` says so), a message may be missing. So an order that has ended stays here until
//! the venue, asked for it, has accounted for every execution (`order-status`), or all of it is filled; and a fill of
//! an order that was replaced counts in the one in its place. Bound: one entry per order that is here, one per fill of it, and
//! [`COPIED`] names of what nobody here sent.

#[cfg(test)]
mod tests;

use super::last_names::LastNames;
use super::settling::is_numbered;
use flow::records::{Ack, Bust, Cancelled, Command, DropCopy, Fill, OrderStatus, Reject, Sent};
use flow::{
    Account, Action, CommandAction, Event, Kind, KnownOrder, OpenOrder, OrderId, OrderState, Qty, Side, StateError,
    StateReader, StateWriter, StrategyId,
};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Names of what nobody here sent that are remembered: a repetition later than that enters again.
const COPIED: usize = 16_384;

/// An order, as far as the inputs tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Entry {
    instrument: u32,
    side: Side,
    /// 0 until its `sent` enters.
    qty: u64,
    filled: u64,
    acknowledged: bool,
    /// It is over, but its `sent` has yet to enter, or its venue to account for all its executions.
    over: bool,
    /// How it stands with a venue that numbers nothing.
    account: Accounted,
    /// The gateway has cancelled it, and the venue has not answered.
    cancelling: bool,
}

/// What a venue that numbers nothing has said of an order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Accounted {
    /// All of it: nothing more comes once the order is over.
    whole: bool,
    /// Nothing: it cannot say.
    unknown: bool,
    /// That so much is filled, which is more than its executions; 0 = no more.
    claimed: u64,
    /// A fill came before its order was acknowledged, or after it was replaced, so the stages count it in no order: that all
    /// is filled does not end the order there.
    uneven: bool,
}

/// How an order stands, for whoever compares it with what its venue says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Standing {
    pub(super) order: OpenOrder,
    pub(super) qty: u64,
    pub(super) filled: u64,
    pub(super) acknowledged: bool,
    pub(super) over: bool,
    /// Whether the venue could not say anything when it was asked last.
    pub(super) unknown: bool,
    /// What it says is filled, if that is more than its executions; else 0.
    pub(super) claimed: u64,
}

impl Standing {
    /// Whether the venue has more to say of it than that nothing has happened.
    pub(super) fn is_to_be_asked(&self) -> bool {
        let is_full = self.qty > 0 && self.filled >= self.qty;
        self.over || self.unknown || self.claimed > 0 || is_full
    }
}

/// The orders that may be open; see the module.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OpenOrders {
    entries: BTreeMap<u64, Entry>,
    /// How many of them are over, and how many of the others are being cancelled.
    over: usize,
    cancelling: usize,
    /// In a journal that carries over another: counters of its orders end here; 0 until that is known.
    earlier: Option<u64>,
    /// The last bust, by order and match: a fill of that name right after it corrects it and fills nothing more.
    busted: Option<(u64, u64)>,
    /// The fills of the orders that may be open, by order and match.
    executed: BTreeSet<(u64, u64)>,
    /// The venue numbers nothing.
    unnumbered: bool,
    /// Orders that were replaced there, each with the one in its place.
    heirs: BTreeMap<u64, u64>,
    /// What nobody here sent: account, what it is a copy of, and match.
    copied: LastNames<(u8, u8, u64), COPIED>,
}

#[derive(Serialize, Deserialize)]
struct Saved {
    order_id: u64,
    key: String,
    side: Side,
    qty: u64,
    filled: u64,
    acknowledged: bool,
    over: bool,
    account: Accounted,
}

fn copy_name(copy: &DropCopy) -> (u8, u8, u64) {
    (copy.account.0, copy.what, copy.match_id)
}

impl OpenOrders {
    /// Number of orders that may be open.
    pub fn len(&self) -> usize {
        self.entries.len() - self.over
    }

    /// Whether none may be open.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether the gateway has cancelled an order that the venue has not ended yet.
    pub fn is_cancelling(&self) -> bool {
        self.cancelling > 0
    }

    /// The orders that may be open, by id.
    pub fn iter(&self) -> impl Iterator<Item = OpenOrder> {
        self.open().map(|(id, e)| OpenOrder { order_id: OrderId(*id), instrument: e.instrument, side: e.side })
    }

    fn open(&self) -> impl Iterator<Item = (&u64, &Entry)> {
        self.entries.iter().filter(|(_, e)| !e.over)
    }

    /// The orders that the gateway has cancelled without an answer yet.
    pub fn cancelling(&self) -> impl Iterator<Item = OpenOrder> {
        self.iter().filter(|o| self.entries[&o.order_id.0].cancelling)
    }

    /// Marks the orders of an account and a strategy as cancelled by the gateway, all of them where these are 0.
    pub fn cancel(&mut self, of: OrderId) {
        let any = |id: OrderId| {
            (of.account() == Account::NONE || of.account() == id.account())
                && (of.strategy() == StrategyId::NONE || of.strategy() == id.strategy())
        };
        for (_, entry) in self.entries.iter_mut().filter(|(id, e)| any(OrderId(**id)) && !e.over && !e.cancelling) {
            entry.cancelling = true;
            self.cancelling += 1;
        }
    }

    /// An order that may be open, although no input of this journal tells.
    pub fn add(&mut self, known: &KnownOrder) {
        let OpenOrder { order_id, instrument, side } = known.order;
        let entry = self.entry(order_id.0, instrument, side);
        (entry.qty, entry.filled) = (known.qty.0, entry.filled.max(known.executed.0));
        entry.acknowledged |= known.acknowledged;
        self.executed.extend(known.matches.iter().map(|name| (order_id.0, *name)));
    }

    /// What is known of every order that may be open, or may have executions that were not told.
    pub(super) fn known(&self) -> impl Iterator<Item = KnownOrder> {
        self.entries.iter().map(|(id, e)| KnownOrder {
            order: OpenOrder { order_id: OrderId(*id), instrument: e.instrument, side: e.side },
            qty: Qty(e.qty),
            acknowledged: e.acknowledged,
            executed: Qty(e.filled),
            matches: self.names(*id).collect(),
        })
    }

    /// Their ids.
    pub(super) fn ids(&self) -> impl Iterator<Item = OrderId> {
        self.entries.keys().copied().map(OrderId)
    }

    /// How an order stands; `None` if nothing of it can come any more.
    pub(super) fn standing(&self, order: OrderId) -> Option<Standing> {
        let Entry { instrument, side, qty, filled, acknowledged, over, account, .. } = *self.entries.get(&order.0)?;
        let Accounted { unknown, claimed, .. } = account;
        let order = OpenOrder { order_id: order, instrument, side };
        Some(Standing { order, qty, filled, acknowledged, over, unknown, claimed })
    }

    /// How the order stands in which a fill of this one counts.
    pub(super) fn standing_of_fill(&self, order: OrderId) -> Option<Standing> {
        self.standing(OrderId(self.heir(order.0)))
    }

    /// How many orders the venue says more of than it tells, and of how many it cannot say anything.
    pub(super) fn unexplained(&self) -> (usize, usize) {
        let accounts = || self.entries.values().map(|e| e.account);
        (accounts().filter(|a| a.claimed > 0).count(), accounts().filter(|a| a.unknown).count())
    }

    /// Whether an execution is recorded as one of an order that is here.
    pub(super) fn has_executed(&self, order: OrderId, match_id: u64) -> bool {
        match_id != 0 && self.executed.contains(&(self.heir(order.0), match_id))
    }

    /// Whether the fill of that name corrects the bust right before it.
    pub(super) fn corrects(&self, order: OrderId, match_id: u64) -> bool {
        self.busted == Some((order.0, match_id))
    }

    /// Whether something that nobody here sent is recorded already.
    pub(super) fn has_copied(&self, copy: &DropCopy) -> bool {
        copy.match_id != 0 && self.copied.has(&copy_name(copy))
    }

    /// The order in whose place another one is counts there.
    fn heir(&self, id: u64) -> u64 {
        self.heirs.get(&id).copied().unwrap_or(id)
    }

    /// The venue does not know the order.
    pub fn forget(&mut self, order: OrderId) {
        self.remove(order.0);
    }

    /// Whether an order belongs to an earlier journal and was not carried over, so that it is over.
    fn is_foreign(&self, id: u64) -> bool {
        let earlier = self.earlier.is_some_and(|through| OrderId(id).counter() <= through);
        earlier && !self.entries.contains_key(&id)
    }

    fn entry(&mut self, id: u64, instrument: u32, side: Side) -> &mut Entry {
        let account = Accounted::default();
        let (acknowledged, over, cancelling) = (false, false, false);
        let new = Entry { instrument, side, qty: 0, filled: 0, acknowledged, over, account, cancelling };
        self.entries.entry(id).or_insert(new)
    }

    /// An answer as it enters: a fill without a side is on that of its order. Not every venue repeats it.
    pub fn with_side(&self, answer: Event) -> Event {
        let is_open = answer.get::<Fill>().filter(|_| answer.side() == Side::None);
        let order = is_open.and_then(|fill| self.entries.get(&fill.order_id));
        order.map_or(answer, |order| Event { flags: answer.flags.with_side(order.side), ..answer })
    }

    /// An input of a venue's returns or a command enters, or a route is about to be sent.
    pub fn apply(&mut self, input: &Event) {
        // A correction comes right after its bust among the venue's answers; what we make ourselves may enter between.
        let busted = if is_numbered(input) { self.busted.take() } else { None };
        match input.kind {
            Kind::Sent => self.sent(input),
            Kind::Command => self.commanded(input.record()),
            Kind::Ack => {
                let Ack { order_id, replaces, .. } = *input.record();
                let (executed, uneven) = self.replaced(replaces, order_id);
                if !self.is_foreign(order_id) {
                    let entry = self.entry(order_id, input.instrument, input.side());
                    (entry.filled, entry.acknowledged) = (entry.filled + executed, true);
                    entry.account.uneven |= uneven;
                    self.settle(order_id);
                }
            }
            Kind::Fill => {
                let Fill { order_id, match_id, qty, .. } = *input.record();
                let id = self.heir(order_id);
                if busted != Some((order_id, match_id))
                    && let Some(entry) = self.entries.get_mut(&id)
                    && (match_id == 0 || self.executed.insert((id, match_id)))
                {
                    entry.filled += qty.0;
                    entry.account.uneven |= id != order_id || !entry.acknowledged;
                    self.settle(id);
                }
            }
            Kind::Bust => {
                let Bust { order_id, match_id, .. } = *input.record();
                self.busted = Some((order_id, match_id));
            }
            Kind::Cancelled => self.ended(input.record::<Cancelled>().order_id),
            Kind::Reject => self.rejected(input),
            Kind::OrderStatus => self.accounted(input.record()),
            Kind::DropCopy if input.instrument != 0 => self.copied.add(copy_name(input.record())),
            Kind::Reconciled => self.unnumbered = true,
            _ => {}
        }
    }

    /// What the venue said of an order.
    fn accounted(&mut self, status: &OrderStatus) {
        let OrderStatus { order_id, filled, missing, state, .. } = *status;
        let Some(entry) = self.entries.get_mut(&order_id) else { return };
        let state = OrderState::from_code(state);
        entry.account.unknown = state.is_none();
        if let Some(state) = state {
            entry.account.claimed = if missing.0 > 0 { filled.0 } else { 0 };
            entry.account.whole = state != OrderState::Open && missing.0 == 0;
        }
        self.settle(order_id);
    }

    /// An order is in the place of another one; what was executed of that, and whether some of it counts in no order.
    fn replaced(&mut self, old: u64, new: u64) -> (u64, bool) {
        if self.unnumbered && self.entries.contains_key(&old) {
            let names: Vec<u64> = self.names(old).collect();
            self.executed.extend(names.into_iter().map(|name| (new, name)));
            self.heirs.values_mut().filter(|heir| **heir == old).for_each(|heir| *heir = new);
            self.heirs.insert(old, new);
        }
        self.remove(old).map_or((0, false), |gone| (gone.filled, gone.account.uneven))
    }

    fn names(&self, id: u64) -> impl Iterator<Item = u64> {
        self.executed.range((id, 0)..=(id, u64::MAX)).map(|(_, name)| *name)
    }

    /// The first commands of a journal that carries over another say so, and how far its counters are skipped.
    fn commanded(&mut self, command: &Command) {
        match CommandAction::from_code(command.action) {
            Some(CommandAction::CarriedOver) => self.earlier = Some(0),
            Some(CommandAction::SkipCounters) if self.earlier == Some(0) => {
                self.earlier = u64::try_from(command.new).ok();
            }
            _ => {}
        }
    }

    fn sent(&mut self, input: &Event) {
        let Sent { order_id, action, qty, .. } = *input.record();
        if Action::makes_an_order(action) {
            let entry = self.entry(order_id, input.instrument, input.side());
            entry.qty = qty.0;
            if entry.side == Side::None {
                entry.side = input.side();
            }
            self.settle(order_id);
        }
    }

    fn rejected(&mut self, input: &Event) {
        let Reject { order_id, action, .. } = *input.record();
        if !Action::makes_an_order(action) {
            return;
        }
        if is_numbered(input) && !self.is_foreign(order_id) {
            // What was rejected has no executions.
            self.entry(order_id, input.instrument, input.side()).account.whole = true;
            self.ended(order_id);
        } else {
            self.remove(order_id);
        }
    }

    fn ended(&mut self, order_id: u64) {
        if let Some(entry) = self.entries.get_mut(&order_id).filter(|e| !e.over) {
            self.cancelling -= usize::from(std::mem::take(&mut entry.cancelling));
            entry.over = true;
            self.over += 1;
            self.settle(order_id);
        }
    }

    fn remove(&mut self, order_id: u64) -> Option<Entry> {
        let gone = self.entries.remove(&order_id)?;
        while let Some(fill) = self.executed.range((order_id, 0)..=(order_id, u64::MAX)).next().copied() {
            self.executed.remove(&fill);
        }
        self.heirs.retain(|_, heir| *heir != order_id);
        self.over -= usize::from(gone.over);
        self.cancelling -= usize::from(gone.cancelling);
        Some(gone)
    }

    /// Removes an order that is over, once its `sent` has entered; where nothing is numbered, once its executions are accounted
    /// for too.
    fn settle(&mut self, order_id: u64) {
        let Some(Entry { qty, filled, over, account, .. }) = self.entries.get(&order_id).copied() else { return };
        let is_filled = filled >= qty && (over || !account.uneven || !self.unnumbered);
        let is_over = is_filled || over && (account.whole || !self.unnumbered);
        if qty > 0 && account.claimed == 0 && is_over {
            self.remove(order_id);
        }
    }

    /// Saves the orders.
    pub(super) fn save(&self, to: &mut StateWriter<'_>) {
        let saved = |(id, e): (&u64, &Entry)| {
            let Entry { instrument, side, qty, filled, acknowledged, over, account, .. } = *e;
            Saved { order_id: *id, key: to.key(instrument), side, qty, filled, acknowledged, over, account }
        };
        let all: Vec<Saved> = self.entries.iter().map(saved).collect();
        to.put(&(all, self.earlier, self.busted, &self.executed));
        to.put(&(self.unnumbered, &self.heirs, &self.copied));
    }

    /// Restores what [`OpenOrders::save`] wrote.
    pub(super) fn load(from: &mut StateReader<'_>) -> Result<OpenOrders, StateError> {
        let (all, earlier, busted, executed): (Vec<Saved>, _, _, _) = from.get()?;
        let (unnumbered, heirs, copied) = from.get()?;
        let mut orders = OpenOrders { earlier, busted, executed, unnumbered, heirs, copied, ..OpenOrders::default() };
        for Saved { order_id, key, side, qty, filled, acknowledged, over, account } in all {
            let instrument = from.instrument(&key)?;
            let entry = Entry { instrument, side, qty, filled, acknowledged, over, account, cancelling: false };
            orders.over += usize::from(over);
            orders.entries.insert(order_id, entry);
        }
        Ok(orders)
    }
}
