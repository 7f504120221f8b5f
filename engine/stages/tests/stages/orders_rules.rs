//! The life cycle state by state, intents and bounds, positions by worked examples.

use crate::harness::{self, Behind, Emitted, Pipeline, kinds};
use crate::orders_harness::*;
use flow::records::{CancelRequest, Command, Halt, Intent, Listing, Reject, ReplaceRequest, Request};
use flow::{
    Account, Action, AnomalyKind, CommandAction, Event, Kind, Listings, NO_MONEY, OrderId, Px, Side, Stage, StrategyId,
    TradingState,
};
use stages::orders::{OrdersStage, State, Step};

const NONE: OrderId = OrderId(0);
const ONE: i64 = Px::ONE;

/// What may follow what, written down once more by hand: row a state, and where its legal steps lead.
fn legal(state: State, partly: bool) -> Vec<(Step, State)> {
    use State::*;
    let resting = if partly { PartlyFilled } else { Live };
    let mut rows = match state {
        Pending => vec![
            (Step::Ack, resting),
            (Step::Refuse, Refused),
            (Step::Reject, Rejected),
            (Step::RequestCancel, PendingCancel),
        ],
        PendingCancel => vec![
            (Step::Ack, CancelPending),
            (Step::Refuse, Refused),
            (Step::Reject, Rejected),
            (Step::RejectCancel, Pending),
        ],
        Live | PartlyFilled => vec![
            (Step::PartialFill, PartlyFilled),
            (Step::FinalFill, Done),
            (Step::Cancelled, Done),
            (Step::RequestCancel, CancelPending),
            (Step::RequestReplace, ReplacePending),
            (Step::BustPart, PartlyFilled),
            (Step::BustRest, Live),
            (Step::Correct, PartlyFilled),
        ],
        CancelPending => vec![
            (Step::PartialFill, CancelPending),
            (Step::FinalFill, Done),
            (Step::Cancelled, Done),
            (Step::RejectCancel, resting),
            (Step::BustPart, CancelPending),
            (Step::BustRest, CancelPending),
            (Step::Correct, CancelPending),
        ],
        ReplacePending => vec![
            (Step::PartialFill, ReplacePending),
            (Step::FinalFill, Done),
            (Step::Cancelled, Done),
            (Step::Replace, Replaced),
            (Step::RejectReplace, resting),
            (Step::BustPart, ReplacePending),
            (Step::BustRest, ReplacePending),
            (Step::Correct, ReplacePending),
        ],
        Done => {
            vec![(Step::RejectCancel, Done), (Step::BustPart, Done), (Step::BustRest, Busted), (Step::Correct, Done)]
        }
        Busted => vec![(Step::RejectCancel, Busted), (Step::Correct, Done)],
        Replaced | Rejected | Refused => vec![(Step::RejectCancel, state)],
    };
    rows.push((Step::Sent, state));
    rows
}

#[test]
fn every_state_takes_its_steps_and_no_other() {
    for state in State::ALL {
        for (step, partly) in Step::ALL.iter().flat_map(|s| [(*s, false), (*s, true)]) {
            let wanted = legal(state, partly).iter().find(|l| l.0 == step).map(|l| l.1);
            assert_eq!(state.after(step, partly), wanted, "{state:?} {step:?}");
        }
    }
}

/// A pipeline whose order 1 (buy 10 of instrument 1) is in that state; for replaces order 2 is its other.
fn in_state(state: State) -> Pipeline<Behind<OrdersStage>> {
    let mut pipeline = pipeline(8, 8, 8);
    let way: &[Event] = &match state {
        State::Pending => vec![],
        State::PendingCancel => vec![change(Action::Cancel, 1, id(1), 0)],
        State::Live => vec![ack(1, id(1), NONE)],
        State::PartlyFilled => vec![ack(1, id(1), NONE), fill(1, id(1), Side::Buy, 5, 4)],
        State::CancelPending => vec![ack(1, id(1), NONE), change(Action::Cancel, 1, id(1), 0)],
        State::ReplacePending => vec![ack(1, id(1), NONE), change(Action::Replace, 1, id(1), 12)],
        State::Replaced => {
            vec![ack(1, id(1), NONE), change(Action::Replace, 1, id(1), 12), ack(1, id(2), id(1))]
        }
        State::Done => vec![ack(1, id(1), NONE), fill(1, id(1), Side::Buy, 5, 10)],
        State::Rejected => vec![reject(1, id(1), Action::New)],
        State::Refused => vec![refused(1, id(1))],
        State::Busted => {
            let whole = execution(1, id(1), 1, Side::Buy, (5, 10));
            vec![ack(1, id(1), NONE), whole, bust(&whole, 0)]
        }
    };
    pipeline.feed(&new(1, Side::Buy, 10));
    for event in way {
        assert!(anomalies(&pipeline.feed(event)).is_empty(), "{state:?}: {event:?}");
    }
    assert_eq!(pipeline.stage.order(id(1)).map(|o| o.state), (!state.is_terminal()).then_some(state));
    pipeline
}

#[test]
fn every_answer_in_every_state_through_the_stage() {
    for state in State::ALL {
        let left = if state == State::PartlyFilled { 6 } else { 10 };
        let answers = [
            (Step::RequestCancel, change(Action::Cancel, 1, id(1), 0)),
            (Step::RequestReplace, change(Action::Replace, 1, id(1), 20)),
            (Step::Sent, sent(1, id(1))),
            (Step::Refuse, refused(1, id(1))),
            (Step::Ack, ack(1, id(1), NONE)),
            (Step::PartialFill, fill(1, id(1), Side::Buy, 7, 1)),
            (Step::FinalFill, fill(1, id(1), Side::Buy, 7, left)),
            (Step::Reject, reject(1, id(1), Action::New)),
            (Step::RejectCancel, reject(1, id(1), Action::Cancel)),
            (Step::Cancelled, cancelled(1, id(1))),
        ];
        for (step, event) in answers {
            let mut pipeline = in_state(state);
            let held = |l: &Pipeline<Behind<OrdersStage>>| l.stage.portfolio.positions().map(|p| p.3.qty).sum::<i64>();
            let (before, had) = (pipeline.stage.order(id(1)), held(&pipeline));
            let emitted = pipeline.feed(&event);
            let wanted = state.after(step, state == State::PartlyFilled);
            let illegal = anomalies(&emitted) == [(AnomalyKind::IllegalTransition as u16, id(1).0)];
            assert_eq!(illegal, wanted.is_none(), "{state:?} {step:?}: {emitted:?}");
            let now = pipeline.stage.order(id(1));
            match wanted {
                None => assert_eq!(now, before, "{state:?} {step:?}"),
                Some(state) => assert_eq!(now.map(|o| o.state), Some(state).filter(|s| !s.is_terminal()), "{step:?}"),
            }
            let filled = event.get::<flow::records::Fill>().map_or(0, |f| f.qty.0 as i64);
            assert_eq!(held(&pipeline) - had, filled, "a fill is money in every state: {state:?}");
        }
    }
}

#[test]
fn a_replace_inherits_or_gives_back() {
    let mut pipeline = in_state(State::ReplacePending);
    pipeline.feed(&fill(1, id(1), Side::Buy, 7, 3));
    assert!(pipeline.feed(&ack(1, id(2), id(1))).is_empty());
    let order = pipeline.stage.order(id(2)).unwrap();
    assert_eq!((order.state, order.qty, order.filled), (State::PartlyFilled, 12, 3));
    assert!(pipeline.stage.order(id(1)).is_none());
    for answer in [reject(1, id(2), Action::Replace), refused(1, id(2))] {
        let mut pipeline = in_state(State::ReplacePending);
        pipeline.feed(&fill(1, id(1), Side::Buy, 7, 3));
        assert!(pipeline.feed(&answer).is_empty());
        assert!(pipeline.stage.order(id(2)).is_none());
        assert_eq!(pipeline.stage.order(id(1)).unwrap().state, State::PartlyFilled);
    }
    let mut pipeline = in_state(State::ReplacePending);
    for wrong in [ack(1, id(2), NONE), ack(1, id(2), id(7)), reject(1, id(2), Action::New), ack(2, id(2), id(1))] {
        assert_eq!(anomalies(&pipeline.feed(&wrong)), [(AnomalyKind::IllegalTransition as u16, id(2).0)], "{wrong:?}");
    }
    pipeline.feed(&fill(1, id(1), Side::Buy, 7, 10));
    assert_eq!(anomalies(&pipeline.feed(&ack(1, id(2), id(1)))).len(), 1, "what is done gives no way");
    assert!(pipeline.feed(&reject(1, id(2), Action::Replace)).is_empty());
    assert_eq!(pipeline.stage.orders().count(), 0);
}

#[test]
fn what_was_never_sent_is_unknown_but_its_fill_counts() {
    let mut pipeline = pipeline(8, 8, 8);
    for event in [ack(1, id(1), NONE), sent(1, id(9)), cancelled(1, id(1)), reject(1, id(1), Action::New)] {
        assert_eq!(anomalies(&pipeline.feed(&event))[0].0, AnomalyKind::UnknownOwnOrder as u16, "{event:?}");
    }
    let emitted = pipeline.feed(&fill(1, id(5), Side::Sell, 10, 4));
    assert_eq!((anomalies(&emitted)[0].0, position(&emitted).unwrap().qty), (AnomalyKind::UnknownOwnOrder as u16, -4));
    let over = pipeline.feed(&new(1, Side::Buy, 10)).len();
    pipeline.feed(&ack(1, id(1), NONE));
    let emitted = pipeline.feed(&fill(1, id(1), Side::Buy, 10, 11));
    assert_eq!((over, anomalies(&emitted).len(), position(&emitted).unwrap().qty), (1, 1, 7), "more than was left");
    assert_eq!(pipeline.stage.order(id(1)).unwrap().filled, 0);
    for bad in [fill(9, id(1), Side::Buy, 10, 1), fill(99, id(1), Side::Buy, 1, 1), fill(0, id(1), Side::Buy, 1, 1)] {
        assert_eq!(anomalies(&pipeline.feed(&bad))[0].0, AnomalyKind::UnknownInstrument as u16);
    }
}

#[test]
fn intents_become_requests_with_ids_in_order() {
    let mut pipeline = pipeline(8, 8, 8);
    let emitted = pipeline.feed(&new(1, Side::Sell, 10));
    let request: &Request = emitted[0].0.record();
    assert_eq!((request.order_id, request.qty.0, emitted[0].0.side()), (id(1).0, 10, Side::Sell));
    pipeline.feed(&ack(1, id(1), NONE));
    let emitted = pipeline.feed(&change(Action::Replace, 1, id(1), 4));
    let replace: &ReplaceRequest = emitted[0].0.record();
    assert_eq!((replace.order_id, replace.new_id, replace.qty.0), (id(1).0, id(2).0, 4));
    pipeline.feed(&ack(1, id(2), id(1)));
    let emitted = pipeline.feed(&change(Action::Cancel, 1, id(2), 0));
    assert_eq!(emitted[0].0.record::<CancelRequest>().order_id, id(2).0);
    let bads: [fn(&mut Event); 7] = [
        |e| e.record_mut::<Intent>().qty.0 = 0,
        |e| e.record_mut::<Intent>().px = Px::NONE,
        |e| e.record_mut::<Intent>().tif = 9,
        |e| e.record_mut::<Intent>().order_type = 0,
        |e| e.record_mut::<Intent>().action = 4,
        |e| e.instrument = 12,
        |e| e.flags = flow::Flags::NONE,
    ];
    for change in bads {
        let mut event = new(1, Side::Buy, 5);
        change(&mut event);
        assert_eq!(anomalies(&pipeline.feed(&event)), [(AnomalyKind::BadIntent as u16, 3)], "{event:?}");
    }
    let foreign = change(Action::Cancel, 1, OrderId::new(Account(1), StrategyId(9), 1), 0);
    assert_eq!(anomalies(&pipeline.feed(&foreign)), [(AnomalyKind::BadIntent as u16, 3)]);
    assert_eq!(
        anomalies(&pipeline.feed(&change(Action::Cancel, 1, id(40), 0))),
        [(AnomalyKind::UnknownOwnOrder as u16, id(40).0)]
    );
}

fn leg(group: u32, legs: u8) -> Event {
    let mut event = new(1, Side::Buy, 1);
    (event.record_mut::<Intent>().group, event.record_mut::<Intent>().legs) = (group, legs);
    event
}

fn is_full(emitted: &[Emitted]) -> bool {
    kinds(emitted) == [Kind::Anomaly] && anomalies(emitted)[0].0 == AnomalyKind::OrdersFull as u16
}

#[test]
fn bounds_leave_out_and_groups_fall_whole() {
    let mut pipeline = pipeline(4, 3, 2);
    assert!(!is_full(&pipeline.feed(&leg(1, 2))) && !is_full(&pipeline.feed(&leg(1, 2))));
    assert!(is_full(&pipeline.feed(&leg(2, 2))) && is_full(&pipeline.feed(&leg(2, 2))), "room for one, two wanted");
    assert!(!is_full(&pipeline.feed(&new(1, Side::Buy, 1))) && is_full(&pipeline.feed(&new(1, Side::Buy, 1))));
    (1..=3).for_each(|n| assert!(pipeline.feed(&ack(1, id(n), NONE)).is_empty()));
    assert!(
        !is_full(&pipeline.feed(&new(2, Side::Buy, 1))) && is_full(&pipeline.feed(&new(1, Side::Buy, 1))),
        "four orders"
    );
    pipeline.feed(&cancelled(1, id(1)));
    assert!(is_full(&pipeline.feed(&new(3, Side::Buy, 1))), "two positions");
    assert!(!is_full(&pipeline.feed(&new(1, Side::Buy, 1))));
    assert_eq!(
        kinds(&pipeline.feed(&change(Action::Cancel, 1, id(2), 0))),
        [Kind::CancelRequest],
        "cancels need no room"
    );
}

#[test]
fn commands_cancel_all_and_skip_counters() {
    let mut pipeline = pipeline(4, 4, 4);
    let command = |action: CommandAction, target, new| {
        event(0, Side::None, &Command { action: action.code(), target, new, ..Default::default() })
    };
    let halt = event(0, Side::None, &Halt { reason: 2, ..Default::default() });
    for cause in [halt, command(CommandAction::Halt, 0, 0), command(CommandAction::CancelAll, 0, 0)] {
        let emitted = pipeline.feed(&cause);
        assert_eq!((kinds(&emitted), emitted[0].0.record::<CancelRequest>().order_id), (vec![Kind::CancelRequest], 0));
    }
    assert!(pipeline.feed(&command(CommandAction::Resume, 0, 0)).is_empty());
    assert_eq!(
        anomalies(&pipeline.feed(&command(CommandAction::SkipCounters, 3, 10)))[0].0,
        AnomalyKind::BadCommand as u16
    );
    assert!(pipeline.feed(&command(CommandAction::SkipCounters, 0, 100)).is_empty());
    assert_eq!(pipeline.feed(&new(1, Side::Buy, 1))[0].0.record::<Request>().order_id, id(101).0);
    assert!(pipeline.feed(&command(CommandAction::SkipCounters, 3, 5)).is_empty());
    assert_eq!(pipeline.feed(&new(1, Side::Buy, 1))[0].0.record::<Request>().order_id, id(107).0);
    assert_eq!(
        anomalies(&pipeline.feed(&cancelled(1, id(104))))[0].0,
        AnomalyKind::IllegalTransition as u16,
        "skipped is ours"
    );
}

/// A gateway cancels beside the pipeline when its kill switch is pulled; such a cancel names no route.
#[test]
fn the_reject_of_a_cancel_that_the_gateway_requested_changes_nothing() {
    let mut pipeline = pipeline(4, 4, 4);
    let mut of_the_gateway = reject(1, id(1), Action::Cancel);
    of_the_gateway.record_mut::<Reject>().cause = 0;
    pipeline.feed(&new(1, Side::Buy, 5));
    assert!(pipeline.feed(&ack(1, id(1), NONE)).is_empty());
    assert!(pipeline.feed(&of_the_gateway).is_empty(), "no cancel was requested here");
    pipeline.feed(&change(Action::Cancel, 1, id(1), 0));
    assert!(pipeline.feed(&of_the_gateway).is_empty(), "another one was");
    assert!(pipeline.feed(&cancelled(1, id(1))).is_empty());
    assert!(pipeline.feed(&of_the_gateway).is_empty(), "the order is over");
}

/// Quantity and average price are what was filled; money is known again as soon as the listing states the multiplier.
#[test]
fn a_position_without_a_multiplier_has_no_money() {
    let mut pipeline = pipeline(4, 4, 4);
    let listed = |multiplier| event(1, Side::None, &Listing { multiplier, ..Default::default() });
    pipeline.feed(&listed(0));
    let now = position(&pipeline.feed(&fill(1, id(1), Side::Buy, 10 * ONE, 3))).unwrap();
    assert_eq!((now.qty, now.avg_px), (3, Px(10 * ONE)));
    pipeline.feed(&trade(1, 12 * ONE));
    let unknown = money(&pipeline.feed(&cost(1, id(1), 7))).unwrap();
    assert_eq!((unknown.realised, unknown.unrealised, unknown.fees), (NO_MONEY, NO_MONEY, 7));
    pipeline.feed(&listed(50 * ONE));
    let known = money(&pipeline.feed(&cost(1, id(1), 2))).unwrap();
    assert_eq!((known.realised, known.unrealised, known.fees), (0, 300 * ONE, 9));
}

/// A sum with an unknown part is not known, also from a saved state and however much is known later.
#[test]
fn a_fee_that_is_not_known_makes_the_fees_unknown() {
    let mut pipeline = pipeline(4, 4, 4);
    pipeline.feed(&fill(1, id(1), Side::Buy, 10 * ONE, 3));
    assert_eq!(money(&pipeline.feed(&cost(1, id(1), 7))).unwrap().fees, 7);
    assert_eq!(money(&pipeline.feed(&cost(1, id(1), NO_MONEY))).unwrap().fees, NO_MONEY);
    let (listings, mut other) = (Listings::default(), self::pipeline(4, 4, 4));
    harness::load(&mut other.stage, &listings, &harness::saved(&pipeline.stage, &listings)).unwrap();
    for pipeline in [&mut pipeline, &mut other] {
        assert_eq!(money(&pipeline.feed(&cost(1, id(1), 5))).unwrap().fees, NO_MONEY);
    }
}

/// Who asks is told the profit at the last trade, though no event says it then.
#[test]
fn the_profit_of_what_is_open_follows_the_trades() {
    let mut pipeline = pipeline(4, 4, 4);
    pipeline.feed(&fill(1, id(1), Side::Buy, 10 * ONE, 3));
    for px in [12, 9] {
        assert!(pipeline.feed(&trade(1, px * ONE)).is_empty());
        let mut said = TradingState::default();
        pipeline.stage.trading_state(&mut said);
        let [(1, money)] = said.money[..] else { panic!("one position: {:?}", said.money) };
        assert_eq!((money.account, money.strategy, money.unrealised), (ACCOUNT, STRATEGY, (px - 10) * 3 * ONE));
    }
}

#[test]
fn positions_by_worked_examples() {
    let mut pipeline = pipeline(8, 8, 8);
    let money_of = |pipeline: &mut Pipeline<Behind<OrdersStage>>, instrument, fee| {
        let money = money(&pipeline.feed(&cost(instrument, id(1), fee))).unwrap();
        (money.realised, money.unrealised, money.fees)
    };
    let steps = [
        (Side::Buy, 10 * ONE, 100, 10 * ONE, (100, Px(10 * ONE)), (0, 0)),
        (Side::Buy, 13 * ONE, 50, 13 * ONE, (150, Px(11 * ONE)), (0, 300)),
        (Side::Sell, 12 * ONE, 60, 12 * ONE, (90, Px(11 * ONE)), (60, 90)),
        (Side::Sell, 11_500_000_000, 100, 11_500_000_000, (-10, Px(11_500_000_000)), (105, 0)),
        (Side::Buy, 11 * ONE, 10, 11 * ONE, (0, Px::NONE), (110, 0)),
    ];
    for (n, (side, px, qty, last, held, (realised, unrealised))) in (1..).zip(steps) {
        pipeline.feed(&trade(1, last));
        let now = position(&pipeline.feed(&fill(1, id(1), side, px, qty))).unwrap();
        assert_eq!((now.qty, now.avg_px), held);
        assert_eq!(money_of(&mut pipeline, 1, 2), (realised * ONE, unrealised * ONE, 2 * n));
    }
    pipeline.feed(&fill(2, id(1), Side::Sell, 20 * ONE, 3));
    pipeline.feed(&fill(2, id(1), Side::Buy, 18 * ONE, 1));
    assert_eq!(money_of(&mut pipeline, 2, -5), (100 * ONE, 200 * ONE, -5), "50 a point; no trade: the fill's price");
    pipeline.feed(&fill(3, id(1), Side::Buy, 60_000 * ONE, 25_000_000));
    pipeline.feed(&fill(3, id(1), Side::Sell, 61_000 * ONE, 10_000_000));
    assert_eq!(money_of(&mut pipeline, 3, 0), (100 * ONE, 150 * ONE, 0), "a quarter of a coin, a tenth sold");
    for n in [1, 1, 1] {
        pipeline.feed(&fill(4, id(1), Side::Buy, 10, n));
    }
    pipeline.feed(&fill(4, id(1), Side::Buy, 11, 1));
    assert_eq!(
        position(&pipeline.feed(&fill(4, id(1), Side::Sell, 11, 2))).unwrap().avg_px,
        Px(10),
        "20.5 of 41 rounds to 20"
    );
}

#[test]
fn limits_saturate_and_nothing_wraps() {
    let mut pipeline = pipeline(8, 8, 8);
    for (side, px) in [(Side::Buy, i64::MAX - 1), (Side::Sell, -i64::MAX), (Side::Sell, i64::MAX - 1), (Side::Buy, 1)] {
        for _ in 0..3 {
            pipeline.feed(&fill(1, id(1), side, px, u64::MAX));
            pipeline.feed(&cost(1, id(1), i64::MAX));
        }
    }
    let emitted = pipeline.feed(&cost(1, id(1), i64::MAX));
    assert_eq!(money(&emitted).unwrap().fees, i64::MAX);
}

#[test]
fn a_state_that_does_not_fit_is_refused() {
    let listings = Listings::default();
    let mut full = pipeline(4, 4, 4);
    (1..=3).for_each(|i| drop(full.feed(&new(i, Side::Buy, 1))));
    let bytes = harness::saved(&full.stage, &listings);
    assert!(harness::load(&mut pipeline(2, 4, 4).stage, &listings, &bytes).is_err());
    assert!(harness::load(&mut pipeline(4, 4, 2).stage, &listings, &bytes).is_err());
    assert!(harness::load(&mut pipeline(4, 4, 4).stage, &listings, &bytes[..bytes.len() - 1]).is_err());
    assert!(harness::load(&mut pipeline(4, 4, 4).stage, &listings, &bytes).is_ok());
}

/// A trade of no instrument is no price of anything: a state that held it could not be loaded.
#[test]
fn a_trade_of_no_instrument_is_not_kept() {
    let (mut pipeline, mut other) = (pipeline(4, 4, 4), pipeline(4, 4, 4));
    pipeline.feed(&trade(0, 100));
    let listings = flow::Listings::default();
    let saved = harness::saved(&pipeline.stage, &listings);
    harness::load(&mut other.stage, &listings, &saved).expect("it loads what it saved");
    assert_eq!(harness::saved(&other.stage, &listings), saved);
}
