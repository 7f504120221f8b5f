//! Orders and reference under the same intents and answers, legal and not; saved and loaded in between.

use crate::harness::{self, Behind};
use crate::orders_harness::*;
use crate::orders_reference::{Reference, ReferenceFill};
use flow::records::{Bust, Fill};
use flow::{Action, AnomalyKind, Event, Listings, OrderId, Px, Side};
use proptest::prelude::*;
use stages::orders::{OrdersStage, State};
use stages::portfolio::Terms;
use std::cell::RefCell;
use std::collections::BTreeMap;

/// What happens, and numbers to choose from.
type Step = (u8, u8, u8, u8, u8);

/// The event of a step. Mostly it names one of the last orders, its instrument and its side.
fn event(step: Step, reference: &Reference) -> Event {
    let (what, which, px, qty, odd) = step;
    let count = reference.orders.len() as u64;
    let n = if odd < 6 { u64::from(which % 40) } else { count.saturating_sub(u64::from(which % 6)) };
    let order = id(n);
    let known = reference.orders.get(&order.0);
    let instrument = if odd % 50 == 7 { 1 + u32::from(odd % 3) } else { known.map_or(1, |o| o.instrument) };
    let side = if (n + u64::from(odd % 41 == 3)).is_multiple_of(2) { Side::Buy } else { Side::Sell };
    let replaces = OrderId(known.map_or(0, |o| if odd % 37 == 5 { 0 } else { o.replaces() }));
    let qty = u64::from(qty % 6);
    match what {
        0..70 => new(1 + u32::from(px % 3), if count.is_multiple_of(2) { Side::Sell } else { Side::Buy }, 2 * qty),
        70..85 => change(Action::Cancel, instrument, order, 0),
        85..110 => change(Action::Replace, instrument, order, 2 * qty),
        110..120 => sent(instrument, order),
        120..175 => ack(instrument, order, replaces),
        175..182 => refused(instrument, order),
        182..190 => reject(instrument, order, Action::from_code(1 + px % 3).unwrap()),
        190..196 => cancelled(instrument, order),
        196..228 => execution(instrument, order, u64::from(odd % 24), side, (i64::from(px) - 40, qty.max(1))),
        228..236 => correction(which, (i64::from(px) - 40, qty.max(1)), reference).unwrap_or_else(|| cost(1, order, 1)),
        236..250 => taken_back(which, (px, odd), reference).unwrap_or_else(|| cost(1, order, 1)),
        _ => cost(instrument, order, i64::from(px) - 100),
    }
}

/// One of the last fills, or one that is too old.
fn one_of(which: u8, reference: &Reference, is: impl Fn(&ReferenceFill) -> bool) -> Option<Event> {
    let fitting: Vec<_> = reference.fills.iter().rev().filter(|f| is(f)).collect();
    fitting.get(usize::from(which) % 12 * (1 + usize::from(which / 200))).map(|f| f.event)
}

/// A fill in place of one that was busted.
fn correction(which: u8, (px, qty): (i64, u64), reference: &Reference) -> Option<Event> {
    let of = one_of(which, reference, |f| f.is_busted)?;
    let Fill { order_id, match_id, .. } = *of.record();
    Some(execution(of.instrument, OrderId(order_id), match_id, of.side(), (px, qty)))
}

/// A bust of a fill: mostly of one that stands, at times with something else wrong.
fn taken_back(which: u8, (px, odd): (u8, u8), reference: &Reference) -> Option<Event> {
    let of = one_of(which, reference, |f| odd % 5 == 0 || !f.is_busted)?;
    let mut event = bust(&of, i64::from(px) - 100);
    let bust: &mut Bust = event.record_mut();
    match odd % 29 {
        1 => bust.qty.0 += 1,
        2 => bust.px.0 += 1,
        3 => bust.order_id = id(3).0,
        4 => bust.match_id += 1,
        6 => event.flags = event.flags.with_side(event.side().opposite()),
        7 => event.instrument = 1 + event.instrument % 3,
        _ => {}
    }
    Some(event)
}

fn compare(reference: &Reference, stage: &Behind<OrdersStage>) {
    for (id, order) in &reference.orders {
        let kept = stage.order(OrderId(*id)).map(|o| (o.qty, o.filled, o.busted, o.instrument, o.state.is_in_flight()));
        let wanted = (order.qty, order.filled, order.busted, order.instrument, order.stage == "asked");
        assert_eq!(kept, (order.stage != "over").then_some(wanted), "{id}: {order:?}");
    }
    // What became of an order that is over is known as long as one of its fills is: here by orders that replaced none.
    for (id, order) in reference.orders.iter().filter(|(_, o)| o.stage == "over" && o.is_alone()) {
        if let Some(ended) = stage.ended(OrderId(*id)) {
            let state = if order.is_void { State::Busted } else { State::Done };
            assert_eq!((ended.state, ended.filled, ended.busted), (state, order.filled, order.busted), "{id}");
        }
    }
    for (_, _, instrument, held) in stage.portfolio.positions() {
        let reference = reference.positions.get(&instrument).copied().unwrap_or_default();
        assert_eq!(
            (i128::from(held.qty), held.cost, held.realised),
            (reference.qty, reference.cost, reference.realised)
        );
        assert_eq!((held.fees, held.avg_px()), (reference.fees, reference.avg_px()));
        assert_eq!(held.realised - held.cost, reference.cash, "what is realised and what is open are all the cash");
    }
}

/// What the reference said of a run: verdicts on busts and corrections, by name.
type Emitted = BTreeMap<&'static str, usize>;

fn run(steps: &[Step], save_at: usize, verdicts: &mut Emitted) {
    let listings = Listings::default();
    let (mut pipeline, mut reference) = (pipeline(512, 512, 8), Reference::default());
    for (i, step) in steps.iter().enumerate() {
        let event = event(*step, &reference);
        let emitted = pipeline.feed(&event);
        let wanted: Vec<u16> = reference.feed(&event).map(|w| w as u16).into_iter().collect();
        let found: Vec<u16> = anomalies(&emitted).iter().map(|a| a.0).collect();
        assert_eq!(found, wanted, "{event:?}");
        let repeated = wanted == [AnomalyKind::RepeatedFill as u16];
        if event.kind == flow::Kind::Bust || repeated {
            let verdict =
                wanted.first().and_then(|w| AnomalyKind::from_code(*w)).map_or("taken-back", AnomalyKind::name);
            *verdicts.entry(verdict).or_default() += 1;
        }
        if (event.kind == flow::Kind::Fill && !repeated) || (event.kind == flow::Kind::Bust && wanted.is_empty()) {
            let (reported, reference) = (position(&emitted).unwrap(), reference.positions[&event.instrument]);
            assert_eq!((i128::from(reported.qty), reported.avg_px), (reference.qty, reference.avg_px()));
        }
        compare(&reference, &pipeline.stage);
        if i == save_at {
            let bytes = harness::saved(&pipeline.stage, &listings);
            pipeline = crate::orders_harness::pipeline(512, 512, 8);
            harness::load(&mut pipeline.stage, &listings, &bytes).unwrap();
            assert_eq!(harness::saved(&pipeline.stage, &listings), bytes);
        }
    }
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    prop::collection::vec((any::<u8>(), any::<u8>(), any::<u8>(), any::<u8>(), any::<u8>()), 1..250)
}

#[test]
fn orders_are_the_twins() {
    let verdicts = RefCell::new(Emitted::new());
    let config = ProptestConfig::with_cases(250);
    proptest!(config, |(steps in steps(), save_at in 0..250_usize)| {
        run(&steps, save_at, &mut verdicts.borrow_mut());
    });
    let verdicts = verdicts.into_inner();
    let all = ["taken-back", "unknown-fill", "repeated-bust", "bust-mismatch", "repeated-fill"];
    assert!(all.iter().all(|v| verdicts.get(v).is_some_and(|n| *n > 5)), "{verdicts:?}");
}

proptest! {
    #[test]
    fn money_is_the_product_in_units(product in any::<i64>(), multiplier in 1..1_000_i64, decimals in 0..9_u8) {
        let terms = Terms { multiplier: multiplier * Px::ONE, qty_decimals: decimals };
        let exact = i128::from(product) * i128::from(multiplier);
        let error = i128::from(terms.money(i128::from(product))) * 10_i128.pow(decimals.into()) - exact;
        let saturated = terms.money(i128::from(product)).unsigned_abs() >= i64::MAX as u64;
        prop_assert!(saturated || 2 * error.abs() <= 10_i128.pow(decimals.into()), "{error}");
    }
}
