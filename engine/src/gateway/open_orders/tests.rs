//! What is open, by single inputs.

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
    let (qty, executed, matches) = (Qty(3), Qty(0), Vec::new());
    orders.add(&KnownOrder { order: carried, qty, acknowledged: true, executed, matches });
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
