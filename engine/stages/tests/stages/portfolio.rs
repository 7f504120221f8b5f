//! The portfolio: the only stage that follows fills, what it says of each report, and what happens without room.

use crate::harness::{self, Behind, Pipeline, kinds};
use crate::orders_harness::*;
use flow::records::{BookTop, Booked, DropCopy, Intent, Listing, Refused, Request, Tick};
use flow::{
    AnomalyKind, Booking, CopyOf, Event, EventId, Flags, Kind, Kinds, OrderId, OrderType, Out, Params, Px, Qty, Scope,
    Side, Stage, StateError, StateReader, StateWriter, StrategyId, Tif,
};
use stages::portfolio::PortfolioStage;
use stages::risk::{PARAMS, RiskStage};
use stages::{Instances, STAGES, Space};

const SPACE: Space = Space { instruments: 16, fills: 8, positions: 2 };

fn portfolio() -> Pipeline<PortfolioStage> {
    let mut pipeline = Pipeline::new(PortfolioStage::new(SPACE));
    (1..=8).for_each(|instrument| drop(pipeline.feed(&listing(instrument))));
    pipeline
}

/// Positions and fills have one owner: whoever else follows them reads what it says. `pulse` reads reports only to say that they
/// are over.
#[test]
fn one_stage_alone_follows_fills() {
    let reports = Kinds::of(&[Kind::Fill, Kind::FillCost, Kind::Bust, Kind::DropCopy]);
    let told = Kinds::of(&[Kind::Booked, Kind::Position]);
    let (mut owners, mut followers) = (Vec::new(), Vec::new());
    let all: Vec<_> = stages::entries().map(|e| (e.name(), Params::defaults(e.params()))).collect();
    for part in stages::uncut(|_| true) {
        let of = |name: &str| &all.iter().find(|(n, _)| *n == name).unwrap().1;
        let stage = part.build(of, &Instances::PLAIN, SPACE).unwrap_or_else(|faults| panic!("{faults:?}"));
        if !stage.reads().and(reports).is_empty() {
            owners.push(part.names()[0].to_owned());
        }
        if !stage.reads().and(told).is_empty() {
            followers.push(part.names()[0].to_owned());
        }
        let tells = stage.emits().and(told);
        assert_eq!(!tells.is_empty(), part.names() == ["portfolio"], "{:?} tells what is held", part.names());
    }
    assert_eq!(owners, ["pulse", "portfolio"]);
    assert_eq!(followers, ["momentum", "random", "orders", "risk"]);
}

fn booked(pipeline: &mut Pipeline<PortfolioStage>, event: &Event) -> (u64, u64, Booking, u64, Side) {
    let emitted = pipeline.feed(event);
    let last = emitted.last().expect("something was booked").0;
    let Booked { number, qty, what, corrects, .. } = *last.record();
    (number, qty.0, Booking::from_code(what).unwrap(), corrects, last.side())
}

#[test]
fn a_report_is_told_with_the_number_of_its_fill() {
    let mut pipeline = portfolio();
    let sold = |number: u64, qty: u64| execution(1, id(1), number, Side::Sell, (10, qty));
    assert_eq!(kinds(&pipeline.feed(&sold(7, 5))), [Kind::Position, Kind::Booked]);
    assert_eq!(booked(&mut pipeline, &sold(8, 3)), (2, 3, Booking::Filled, 0, Side::Sell));
    let twice = pipeline.feed(&sold(8, 3));
    assert_eq!((kinds(&twice), anomalies(&twice)[0].0), (vec![Kind::Anomaly], AnomalyKind::RepeatedFill as u16));
    assert_eq!(booked(&mut pipeline, &bust(&sold(7, 5), 0)), (1, 5, Booking::Busted, 0, Side::Sell));
    assert_eq!(booked(&mut pipeline, &sold(7, 4)), (3, 4, Booking::Corrected, 1, Side::Sell));
    assert_eq!(booked(&mut pipeline, &bust(&sold(7, 4), 0)), (3, 4, Booking::Busted, 0, Side::Sell));
    assert_eq!(booked(&mut pipeline, &sold(7, 5)), (4, 5, Booking::Enlarged, 3, Side::Sell));
    let carried = Event { flags: sold(9, 1).flags.with(Flags::SNAPSHOT), ..sold(9, 1) };
    assert!(pipeline.feed(&carried).last().unwrap().0.flags.has(Flags::SNAPSHOT));
}

/// What nobody here sent is booked once, under its account and no strategy, and said.
#[test]
fn an_execution_that_nobody_sent_is_booked_under_its_account() {
    let mut pipeline = portfolio();
    let copy = |instrument, what: CopyOf, name| {
        let (px, qty, account) = (Px(10), Qty(5), ACCOUNT);
        event(
            instrument,
            Side::Sell,
            &DropCopy { px, qty, match_id: name, account, what: what.code(), ..Default::default() },
        )
    };
    let emitted = pipeline.feed(&copy(1, CopyOf::Execution, 7));
    assert_eq!(kinds(&emitted), [Kind::Position, Kind::Booked, Kind::Anomaly]);
    assert_eq!(anomalies(&emitted), [(AnomalyKind::UnsolicitedFill as u16, 7)]);
    let held = position(&emitted).unwrap();
    assert_eq!((held.account, held.strategy, held.qty), (ACCOUNT, StrategyId::NONE, -5));
    assert!(OrderId(emitted[1].0.record::<Booked>().order_id).is_unsolicited());
    let again = pipeline.feed(&copy(1, CopyOf::Execution, 7));
    assert_eq!(anomalies(&again), [(AnomalyKind::RepeatedFill as u16, 7)]);
    assert!(pipeline.feed(&copy(1, CopyOf::Order, 8)).is_empty(), "an order is no execution");
    let unlisted = pipeline.feed(&copy(0, CopyOf::Execution, 9));
    assert_eq!(anomalies(&unlisted), [(AnomalyKind::UnknownInstrument as u16, 0)]);
    let carried = Event { flags: Flags::SNAPSHOT.with_side(Side::Sell), ..copy(1, CopyOf::Execution, 10) };
    assert_eq!(kinds(&pipeline.feed(&carried)), [Kind::Position, Kind::Booked], "it was said before");
}

#[test]
fn what_cannot_be_booked_is_said() {
    let mut pipeline = portfolio();
    for (bad, what) in [
        (execution(1, id(1), 1, Side::None, (10, 5)), AnomalyKind::BadValue),
        (execution(1, id(1), 1, Side::Buy, (10, 0)), AnomalyKind::BadValue),
        (execution(1, id(1), 1, Side::Buy, (Px::NONE.0, 5)), AnomalyKind::BadValue),
        (execution(9, id(1), 1, Side::Buy, (10, 5)), AnomalyKind::UnknownInstrument),
    ] {
        let emitted = pipeline.feed(&bad);
        assert_eq!((emitted.len(), anomalies(&emitted)[0].0), (1, what as u16), "{bad:?}");
    }
    for (instrument, is_full) in [(1, false), (2, false), (3, true), (1, false)] {
        let emitted = pipeline.feed(&execution(instrument, id(1), 0, Side::Buy, (10, 5)));
        assert_eq!(anomalies(&emitted), if is_full { vec![(AnomalyKind::PositionsFull as u16, 2)] } else { vec![] });
    }
}

/// Nothing is approved by a gate that does not know what is held.
#[test]
fn without_room_for_a_fill_no_order_passes() {
    let mut gate = Pipeline::new(Behind::new(SPACE, RiskStage::new(&Params::defaults(PARAMS), SPACE).unwrap()));
    for instrument in 1..=3 {
        gate.feed(&event(
            instrument,
            Side::None,
            &Listing { multiplier: Px::ONE, tick_px: Px(1), ..Listing::default() },
        ));
        let top = BookTop { bid_px: Px(99 * Px::ONE), ask_px: Px(101 * Px::ONE), ..BookTop::default() };
        gate.feed(&event(instrument, Side::None, &top));
    }
    let ask = |gate: &mut Pipeline<_>, n: u64| {
        let (order_type, tif) = (OrderType::Limit.code(), Tif::Day.code());
        let request =
            Request { order_id: id(n).0, px: Px(100 * Px::ONE), qty: Qty(1), order_type, tif, ..Request::default() };
        kinds(&gate.feed_from(104, &event(1, Side::Buy, &request)))
    };
    assert_eq!(ask(&mut gate, 1), [Kind::Order]);
    (1..=3).for_each(|at| drop(gate.feed(&execution(at, id(50), 0, Side::Buy, (10, 1)))));
    assert_eq!(ask(&mut gate, 2), [Kind::Refused]);
}

/// Wants six more at the pulse after a change of the touch or a fill.
struct More {
    wants: bool,
}

impl Stage for More {
    fn reads(&self) -> Kinds {
        Kinds::of(&[Kind::BookTop, Kind::Booked, Kind::Pulse])
    }

    fn emits(&self) -> Kinds {
        Kinds::of(&[Kind::Intent])
    }

    fn scope(&self) -> Scope {
        Scope::Global
    }

    fn fan_out(&self) -> usize {
        1
    }

    fn on_event(&mut self, event: &Event, out: &mut Out) {
        if event.kind != Kind::Pulse {
            self.wants = true;
        } else if std::mem::take(&mut self.wants) {
            let wanted = new(1, Side::Buy, 6);
            out.push(1, wanted.flags, wanted.record::<Intent>());
        }
    }

    fn save(&self, _to: &mut StateWriter<'_>) {}

    fn load(&mut self, _from: &mut StateReader<'_>) -> Result<(), StateError> {
        Ok(())
    }
}

/// Passes an event, and depth first what follows from it, through the stages; what reaches the end is seen.
fn pass(stages: &mut [(Box<dyn Stage>, Out)], event: &Event, seen: &mut Vec<Event>) {
    let Some(((stage, out), rest)) = stages.split_first_mut() else { return seen.push(*event) };
    let reads = stage.reads().has(event.kind);
    if reads {
        out.begin(event);
        stage.on_event(event, out);
    }
    pass(rest, event, seen);
    for caused in out.events().iter().filter(|_| reads) {
        pass(rest, caused, seen);
    }
}

/// An order that a fill causes is judged with that fill in.
#[test]
fn an_order_that_a_fill_causes_is_judged_with_that_fill_in() {
    let built = |name: &str, set: &[(&str, &str)]| -> (Box<dyn Stage>, Out) {
        let entry = flow::find(STAGES, name).unwrap();
        ((entry.build)(&harness::params(name, set), SPACE).unwrap(), Out::new(entry.position, Kinds::ALL))
    };
    let mut stages = vec![
        built("pulse", &[]),
        built("portfolio", &[]),
        (Box::new(More { wants: false }) as Box<dyn Stage>, Out::new(72, Kinds::ALL)),
        built("orders", &[]),
        built("risk", &[("max_position", "10")]),
    ];
    let mut seq = 0;
    let mut enter = |event: Event| {
        seq += 1;
        let (mut seen, id) = (Vec::new(), EventId::new(seq, 0, 0));
        pass(&mut stages, &Event { id, flags: event.flags.with(Flags::LAST_OF_GROUP), ..event }, &mut seen);
        seen
    };
    enter(event(1, Side::None, &Listing { multiplier: Px::ONE, tick_px: Px(1), ..Listing::default() }));
    let top = BookTop { bid_px: Px(99 * Px::ONE), ask_px: Px(101 * Px::ONE), ..BookTop::default() };
    enter(event(1, Side::None, &top));
    let first = enter(event(0, Side::None, &Tick::default()));
    assert_eq!(first.iter().filter(|e| e.kind == Kind::Order).count(), 1, "six are within the limit");
    enter(ack(1, id(1), OrderId(0)));
    let seen = enter(execution(1, id(1), 1, Side::Buy, (100 * Px::ONE, 6)));
    let refused: Vec<_> = seen.iter().filter_map(|e| e.get::<Refused>()).map(|r| (r.limit, r.value)).collect();
    assert_eq!(refused, [(10, 12)], "six are held and no longer open: {seen:?}");
    let place = |kind: Kind| seen.iter().position(|e| e.kind == kind).unwrap();
    assert!(place(Kind::Position) < place(Kind::Booked) && place(Kind::Booked) < place(Kind::Pulse));
}
