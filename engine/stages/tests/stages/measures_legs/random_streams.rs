//! Random streams: upside down they make the same legs, and a state is all of the past.

use super::{Close, bar_events, cents, of, pipeline, trade};
use crate::harness::{self, Emitted};
use crate::stream::opening;
use flow::records::{Leg, LegNode, LegProfile, Pullback};
use flow::{BreakoutStep, Event, FlowDirection, LegStep, LegType, MarketBalance, PriceDirection, Px};
use proptest::prelude::*;

/// A step of a random stream: seconds to the next, a move in cents, a quantity, and what a bar says.
type Random = (f64, i64, u64, (u8, bool, u8, bool));

fn random() -> impl Strategy<Value = Vec<Random>> {
    let said = (0_u8..12, any::<bool>(), 0_u8..100, any::<bool>());
    prop::collection::vec((prop_oneof![8 => 0.0..20.0, 1 => 100.0..4_000.0], -6_i64..7, 1_u64..9, said), 1..250)
}

/// Trades and bars of such a stream, upside down if so asked.
fn stream(steps: &[Random], is_down: bool) -> Vec<Event> {
    let sign = if is_down { -1 } else { 1 };
    let direction = |up: bool| if up == is_down { PriceDirection::Down } else { PriceDirection::Up };
    let (mut at, mut px, mut minute, mut events) = (0.0, 0, 0_u64, Vec::new());
    for (gap, by, qty, (what, up, score, with)) in steps {
        at += gap;
        px += by;
        while minute < (at / 60.0) as u64 {
            let breakout = BreakoutStep::from_code(*what).map(|what| (what, direction(*up), minute.saturating_sub(2)));
            let state = match *up != is_down {
                true => MarketBalance::Up,
                false => MarketBalance::Down,
            };
            let flow = if up == with { direction(*up) } else { direction(!up) };
            let flow = if flow == PriceDirection::Up { FlowDirection::Buy } else { FlowDirection::Sell };
            let atr = Some(f64::from(*score) / 10.0);
            // The row has an odd number of cents, so upside down it is a row too.
            let said = Close { atr, state, score: *score, direction: flow, breakout, poc: 2_000_002 + sign * 5 };
            events.extend(bar_events(minute, &Close { poc: said.poc, ..said }));
            minute += 1;
        }
        events.push(trade(at, 2_000_002 + sign * px, *qty));
    }
    events
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    #[test]
    fn upside_down_it_is_the_same(steps in random()) {
        let (mut upright, mut inverted) = (pipeline(&[]), pipeline(&[]));
        for (up, down) in stream(&steps, false).iter().zip(&stream(&steps, true)) {
            let [left, right] = [(&mut upright, up), (&mut inverted, down)].map(|(pipeline, event)| pipeline.feed(event));
            let legs = |emitted: &[Emitted], sign: i64| -> Vec<_> {
                let both = of::<Leg>(emitted).into_iter().zip(of::<LegProfile>(emitted));
                both.map(|(leg, profile)| {
                    let from = |px: Px| sign * (cents(px) - 2_000_002);
                    (leg.what, leg.reason, leg.leg, from(leg.start_px), from(leg.extreme_px), leg.retraced, profile)
                }).collect()
            };
            prop_assert_eq!(legs(&left, 1), legs(&right, -1));
        }
    }

    /// A state that was saved and loaded at any time goes on as if nothing had been.
    #[test]
    fn a_state_is_all_of_the_past(steps in random(), at in any::<prop::sample::Index>()) {
        let (listings, events) = (opening().1, stream(&steps, false));
        let set = [("minutes", "7"), ("max_rows", "256"), ("least_flow", "20")];
        let (mut whole, at) = (pipeline(&set), at.index(events.len()));
        events[..at].iter().for_each(|event| drop(whole.feed(event)));
        let bytes = harness::saved(&whole.stage, &listings);
        let mut loaded = pipeline(&set);
        harness::load(&mut loaded.stage, &listings, &bytes).unwrap();
        prop_assert!(harness::saved(&loaded.stage, &listings) == bytes);
        for event in &events[at..] {
            prop_assert_eq!(whole.feed(event), loaded.feed(event));
        }
        prop_assert!(harness::saved(&loaded.stage, &listings) == harness::saved(&whole.stage, &listings));
    }
}

#[test]
fn random_streams_make_legs_of_both_sorts_with_nodes_and_pullbacks() {
    use proptest::strategy::ValueTree;
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let mut counts = [0; 5];
    for _ in 0..60 {
        let mut pipeline = pipeline(&[("least_flow", "20")]);
        let steps = random().new_tree(&mut runner).unwrap().current();
        for event in stream(&steps, false) {
            let emitted = pipeline.feed(&event);
            for leg in of::<Leg>(&emitted) {
                counts[usize::from(leg.leg == LegType::Reclaim.code())] += 1;
                counts[2] += u64::from(leg.what == LegStep::OpenAgain.code());
            }
            counts[3] += of::<LegNode>(&emitted).len() as u64;
            counts[4] += of::<Pullback>(&emitted).len() as u64;
        }
    }
    assert!(counts.iter().all(|count| *count > 5), "{counts:?}");
}
