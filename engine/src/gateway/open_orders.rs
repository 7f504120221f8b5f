//! The orders that may be open at the venue.
//!
//! A gateway needs them to cancel every order when no pipeline can tell it which: at a venue without a cancel of all orders,
//! and to say which are left. They follow from inputs alone (`sent`, the venue's answers, `reject` of what was never
//! sent), so the head derives them from the journal during a replay and hands them over. An answer may enter before the
//! `sent` of its order, when a route was in doubt; such an order is kept until that `sent` enters. The `sent` of an order of
//! an earlier journal never enters, so such an order is in the list only if it was carried over: its id comes before the
//! counters that the carry-over skipped. A fill that is reported twice counts once. Bound: one entry per open order, and one per
//! fill of an open order.

use super::settling::is_numbered;
use flow::records::{Ack, Bust, Cancelled, Command, Fill, Reject, Sent};
use flow::{
    Account, Action, CommandAction, Event, Kind, OpenOrder, OrderId, Side, StateError, StateReader, StateWriter,
    StrategyId,
};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// An order, as far as the inputs tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Entry {
    instrument: u32,
    side: Side,
    /// 0 until its `sent` enters.
    qty: u64,
    filled: u64,
    /// It is over, but its `sent` has yet to enter.
    over: bool,
    /// The gateway has cancelled it, and the venue has not answered.
    cancelling: bool,
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
}

#[derive(Serialize, Deserialize)]
struct Saved {
    order_id: u64,
    key: String,
    side: Side,
    qty: u64,
    filled: u64,
    over: bool,
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

    /// An order of which `left` may be open, although no input of this journal tells.
    pub fn add(&mut self, order: OpenOrder, left: u64) {
        self.entry(order.order_id.0, order.instrument, order.side).qty = left;
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
        let new = Entry { instrument, side, qty: 0, filled: 0, over: false, cancelling: false };
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
                let executed = self.remove(replaces).map_or(0, |old| old.filled);
                if !self.is_foreign(order_id) {
                    self.entry(order_id, input.instrument, input.side()).filled += executed;
                    self.settle(order_id);
                }
            }
            Kind::Fill => {
                let Fill { order_id, match_id, qty, .. } = *input.record();
                if busted != Some((order_id, match_id))
                    && let Some(entry) = self.entries.get_mut(&order_id)
                    && (match_id == 0 || self.executed.insert((order_id, match_id)))
                {
                    entry.filled += qty.0;
                    self.settle(order_id);
                }
            }
            Kind::Bust => {
                let Bust { order_id, match_id, .. } = *input.record();
                self.busted = Some((order_id, match_id));
            }
            Kind::Cancelled => self.ended(input.record::<Cancelled>().order_id),
            Kind::Reject => self.rejected(input),
            _ => {}
        }
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
            self.entry(order_id, input.instrument, input.side());
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
        self.over -= usize::from(gone.over);
        self.cancelling -= usize::from(gone.cancelling);
        Some(gone)
    }

    /// Removes an order that is over, once its `sent` has entered.
    fn settle(&mut self, order_id: u64) {
        if self.entries.get(&order_id).is_some_and(|e| e.qty > 0 && (e.over || e.filled >= e.qty)) {
            self.remove(order_id);
        }
    }

    /// Saves the orders.
    pub(super) fn save(&self, to: &mut StateWriter<'_>) {
        let saved = |(id, e): (&u64, &Entry)| {
            let Entry { instrument, side, qty, filled, over, .. } = *e;
            Saved { order_id: *id, key: to.key(instrument), side, qty, filled, over }
        };
        let all: Vec<Saved> = self.entries.iter().map(saved).collect();
        to.put(&(all, self.earlier, self.busted, &self.executed));
    }

    /// Restores what [`OpenOrders::save`] wrote.
    pub(super) fn load(from: &mut StateReader<'_>) -> Result<OpenOrders, StateError> {
        let (all, earlier, busted, executed): (Vec<Saved>, _, _, _) = from.get()?;
        let mut orders = OpenOrders { earlier, busted, executed, ..OpenOrders::default() };
        for Saved { order_id, key, side, qty, filled, over } in all {
            let instrument = from.instrument(&key)?;
            let entry = Entry { instrument, side, qty, filled, over, cancelling: false };
            orders.over += usize::from(over);
            orders.entries.insert(order_id, entry);
        }
        Ok(orders)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flow::records::Refused;
    use flow::{AnomalyKind, EventId, Flags, Ns, Px, Qty, Record, RejectReason, SOURCE_RETURNS};

    fn input<R: Record>(record: &R) -> Event {
        let event = Event::new(Ns(0), 7, Flags::LAST_OF_GROUP.with_side(Side::Buy), record);
        Event { source: SOURCE_RETURNS, id: EventId::new(1, 0, 0), ..event }
    }

    fn sent(order_id: u64, action: Action, qty: u64) -> Event {
        input(&Sent { order_id, action: action.code(), qty: Qty(qty), ..Sent::default() })
    }

    fn ack(order_id: u64, replaces: u64) -> Event {
        input(&Ack { order_id, replaces, ..Ack::default() })
    }

    fn fill(order_id: u64, qty: u64, match_id: u64) -> Event {
        input(&Fill { order_id, px: Px(1), qty: Qty(qty), match_id, cause: 0 })
    }

    fn over(order_id: u64) -> Event {
        input(&Cancelled { order_id, ..Cancelled::default() })
    }

    fn bust(order_id: u64, qty: u64, match_id: u64) -> Event {
        input(&Bust { order_id, match_id, px: Px(1), qty: Qty(qty), fee: 0 })
    }

    fn reject(order_id: u64, action: Action, reason: RejectReason) -> Event {
        input(&Reject { order_id, action: action.code(), reason: reason.code(), ..Reject::default() })
    }

    fn left(inputs: &[Event]) -> Vec<u64> {
        let mut orders = OpenOrders::default();
        inputs.iter().for_each(|input| orders.apply(input));
        orders.iter().map(|o| o.order_id.0).collect()
    }

    #[test]
    fn an_order_is_open_from_sent_to_its_end() {
        let new = |id| sent(id, Action::New, 10);
        assert_eq!(left(&[new(1), new(2), ack(1, 0)]), [1, 2]);
        assert_eq!(left(&[new(1), ack(1, 0), fill(1, 4, 1)]), [1]);
        assert_eq!(left(&[new(1), ack(1, 0), fill(1, 4, 1), fill(1, 6, 2)]), [0; 0]);
        assert_eq!(left(&[new(1), ack(1, 0), over(1)]), [0; 0]);
        assert_eq!(left(&[new(1), reject(1, Action::New, RejectReason::BadTerms)]), [0; 0]);
        assert_eq!(left(&[new(1), reject(1, Action::New, RejectReason::NeverSent)]), [0; 0]);
        assert_eq!(left(&[new(1), ack(1, 0), reject(1, Action::Cancel, RejectReason::TooLate)]), [1]);
    }

    #[test]
    fn a_fill_without_a_side_has_that_of_its_order() {
        let mut open = OpenOrders::default();
        let sideless = |answer: Event| Event { flags: Flags::LAST_OF_GROUP, ..answer };
        open.apply(&sideless(ack(1, 0)));
        open.apply(&sent(1, Action::New, 9));
        assert_eq!(open.with_side(sideless(fill(1, 2, 3))), fill(1, 2, 3));
        let unknown = sideless(fill(2, 2, 3));
        assert_eq!(open.with_side(unknown), unknown, "of nobody's order nothing is known");
    }

    #[test]
    fn a_replace_takes_over_what_was_filled() {
        let begun = [sent(1, Action::New, 10), ack(1, 0), fill(1, 4, 1), sent(2, Action::Replace, 9)];
        assert_eq!(left(&begun), [1, 2]);
        assert_eq!(left(&[&begun[..], &[ack(2, 1)]].concat()), [2]);
        assert_eq!(left(&[&begun[..], &[ack(2, 1), fill(2, 5, 2)]].concat()), [0; 0]);
        assert_eq!(left(&[&begun[..], &[reject(2, Action::Replace, RejectReason::BadTerms)]].concat()), [1]);
    }

    #[test]
    fn a_correction_fills_nothing_more() {
        let begun = [sent(1, Action::New, 10), ack(1, 0), fill(1, 6, 1), bust(1, 6, 1), fill(1, 6, 1)];
        assert_eq!(left(&begun), [1]);
        assert_eq!(left(&[&begun[..], &[fill(1, 4, 2)]].concat()), [0; 0]);
        let anomaly = AnomalyKind::UnansweredOrder.event(Ns(0), 7, Ns::NONE, 9);
        let refused = input(&Refused::default());
        for between in [sent(2, Action::New, 5), reject(3, Action::New, RejectReason::NeverSent), anomaly, refused] {
            let parts = [&begun[..4], &[between], &begun[4..]].concat();
            assert!(left(&parts).contains(&1), "{between:?} between a bust and its correction");
        }
    }

    #[test]
    fn a_fill_that_is_reported_twice_counts_once() {
        let begun = [sent(1, Action::New, 10), ack(1, 0), fill(1, 5, 1), fill(1, 5, 1)];
        assert_eq!(left(&begun), [1]);
        assert_eq!(left(&[&begun[..], &[fill(1, 5, 2)]].concat()), [0; 0]);
        assert_eq!(left(&[&begun[..3], &[bust(1, 5, 1), fill(1, 5, 1), fill(1, 5, 1)]].concat()), [1]);
        let mut orders = OpenOrders::default();
        [&begun[..], &[fill(1, 5, 2)]].concat().iter().for_each(|input| orders.apply(input));
        assert_eq!(orders, OpenOrders::default(), "of what is over nothing is kept");
    }

    #[test]
    fn answers_may_enter_before_sent() {
        let late = sent(1, Action::New, 10);
        assert_eq!(left(&[ack(1, 0)]), [1]);
        assert_eq!(left(&[ack(1, 0), fill(1, 10, 1), late]), [0; 0]);
        assert_eq!(left(&[ack(1, 0), over(1)]), [0; 0]);
        assert_eq!(left(&[ack(1, 0), over(1), late]), [0; 0]);
        assert_eq!(left(&[reject(1, Action::New, RejectReason::BadTerms), late]), [0; 0]);
    }

    #[test]
    fn an_order_of_an_earlier_journal_is_open_only_if_it_was_carried_over() {
        let command = |action: CommandAction, new| input(&Command { action: action.code(), new, ..Command::default() });
        let id = |counter| OrderId::new(Account(1), StrategyId(3), counter).0;
        let begun = [command(CommandAction::CarriedOver, 7), command(CommandAction::SkipCounters, 1_500)];
        let of = |more: &[Event]| left(&[&begun[..], more].concat());
        assert_eq!(of(&[ack(id(400), 0), fill(id(400), 3, 1)]), [0; 0], "its quantity is known to the earlier journal");
        assert_eq!(of(&[ack(id(401), id(400)), reject(id(402), Action::New, RejectReason::BadTerms)]), [0; 0]);
        assert_eq!(of(&[sent(id(1_501), Action::New, 5), ack(id(1_501), 0)]), [id(1_501)]);
        let again = command(CommandAction::SkipCounters, 1_000);
        assert_eq!(of(&[sent(id(1_501), Action::New, 5), again, ack(id(1_502), 0)]), [id(1_501), id(1_502)]);
        let mut orders = OpenOrders::default();
        begun.iter().for_each(|e| orders.apply(e));
        let carried = OpenOrder { order_id: OrderId(id(400)), instrument: 7, side: Side::Buy };
        orders.add(carried, 3);
        [ack(id(400), 0), fill(id(400), 2, 1)].iter().for_each(|e| orders.apply(e));
        assert_eq!(orders.len(), 1);
        orders.apply(&fill(id(400), 1, 2));
        assert!(orders.is_empty());
    }

    #[test]
    fn what_was_cancelled_is_marked_until_it_is_answered() {
        let mut orders = OpenOrders::default();
        [sent(1, Action::New, 1), sent(2, Action::New, 1)].iter().for_each(|e| orders.apply(e));
        orders.cancel(OrderId(0));
        orders.apply(&sent(3, Action::New, 1));
        let cancelling = |o: &OpenOrders| o.cancelling().map(|o| o.order_id.0).collect::<Vec<_>>();
        assert_eq!(cancelling(&orders), [1, 2]);
        orders.apply(&over(1));
        assert_eq!((cancelling(&orders), orders.len()), (vec![2], 2));
    }
}
