//! The nodes of a leg that has closed, and pullbacks to them.

use super::{CLOSE, Close, OUT_UP, Stages, bar, cents, of, pipeline, steps, trade};
use crate::harness::Emitted;
use flow::records::{Leg, LegNode, Pullback, PullbackFlow};
use flow::{FlowDirection, LegStep, MarketBalance, ProfileNodeType, PullbackStep, Qty, Real};

/// A leg of 10.00 to 10.40, a tick a trade, with least volume half-way.
fn valley() -> Stages {
    let mut pipeline = pipeline(&[]);
    for cent in 0..=40_u32 {
        let qty = 10 + u64::from(cent.abs_diff(20));
        pipeline.feed(&trade(f64::from(cent), 1_000 + i64::from(cent), qty));
    }
    assert_eq!(steps(&bar(&mut pipeline, 0, &Close { breakout: OUT_UP, ..CLOSE })).len(), 1);
    pipeline
}

/// A step of a pullback, the price of the trade in cents, whether flow goes with the leg, by both rules.
fn pullbacks(emitted: &[Emitted]) -> Vec<(PullbackStep, i64, [u8; 2])> {
    let step = |p: Pullback| {
        assert_eq!(cents(p.node_px), 1_020);
        (PullbackStep::from_code(p.what).unwrap(), cents(p.px), [p.with_flow, p.published_with_flow])
    };
    of::<Pullback>(emitted).into_iter().map(step).collect()
}

#[test]
fn a_closed_leg_has_nodes() {
    let mut pipeline = valley();
    let closed = pipeline.feed(&trade(60.0, 1_030, 1));
    let (leg, nodes) = (of::<Leg>(&closed)[0], of::<LegNode>(&closed));
    assert_eq!((leg.what, leg.nodes, nodes.len()), (LegStep::Closed.code(), 1, 1));
    let node = nodes[0];
    assert_eq!((cents(node.px), node.volume, node.node), (1_020, Qty(10), ProfileNodeType::Low.code()));
    assert!(node.prominence.known().unwrap() > 0.5 && node.found == 1);
}

const WITH: Close = Close { state: MarketBalance::Up, score: 40, direction: FlowDirection::Buy, ..CLOSE };

#[test]
fn a_pullback_touches_a_node_from_the_side_of_the_extreme_and_holds() {
    let mut pipeline = valley();
    assert!(pullbacks(&pipeline.feed(&trade(60.0, 1_023, 1))).is_empty(), "three rows are too far");
    let touched = pipeline.feed(&trade(61.0, 1_022, 1));
    assert_eq!(pullbacks(&touched), [(PullbackStep::Touched, 1_022, [0, 0])]);
    let pullback = of::<Pullback>(&touched)[0];
    assert_eq!((pullback.retraced, pullback.distance), (Real::of(45.0), Real::of(200_000.0 / 10_200.0)));
    let flow = of::<PullbackFlow>(&touched)[0];
    assert_eq!((cents(flow.start_px), cents(flow.extreme_px), flow.atr), (1_000, 1_040, Real::of(0.1)));
    for (at, px) in [(62.0, 1_020), (63.0, 1_015), (64.0, 1_021), (65.0, 1_025)] {
        assert!(pipeline.feed(&trade(at, px, 1)).is_empty(), "the touch holds");
    }
    bar(&mut pipeline, 1, &WITH);
    let with = pipeline.feed(&trade(120.0, 1_026, 1));
    assert_eq!(pullbacks(&with), [(PullbackStep::WithFlow, 1_026, [1, 0])]);
    bar(&mut pipeline, 2, &Close { score: 70, ..WITH });
    let both = pipeline.feed(&trade(180.0, 1_026, 1));
    assert_eq!(pullbacks(&both), [(PullbackStep::WithFlow, 1_026, [1, 1])]);
    assert!(pipeline.feed(&trade(361.0, 1_027, 1)).is_empty(), "five minutes");
    let expired = pipeline.feed(&trade(361.001, 1_021, 1));
    let steps = [(PullbackStep::Expired, 1_021, [1, 1]), (PullbackStep::Touched, 1_021, [1, 1])];
    assert_eq!(pullbacks(&expired), steps, "and price comes back into the band");
    let late = pipeline.feed(&trade(700.0, 1_020, 1));
    assert_eq!(pullbacks(&late), [(PullbackStep::Expired, 1_020, [1, 1])], "price was in the band before");
    assert!(pipeline.feed(&trade(701.0, 1_023, 1)).is_empty());
    assert_eq!(pullbacks(&pipeline.feed(&trade(702.0, 1_022, 1))).len(), 1);
    let opened = pipeline.feed(&trade(703.0, 1_041, 1));
    assert_eq!(pullbacks(&opened), [(PullbackStep::LegOpen, 1_041, [1, 1])]);
}

#[test]
fn price_that_comes_back_too_far_ends_a_touch() {
    let mut pipeline = valley();
    assert_eq!(pullbacks(&pipeline.feed(&trade(60.0, 1_020, 1))).len(), 1, "at the trade that closes the leg");
    assert!(pipeline.feed(&trade(61.0, 1_009, 1)).is_empty(), "77.5 %");
    assert_eq!(pullbacks(&pipeline.feed(&trade(62.0, 1_008, 1))), [(PullbackStep::Passed, 1_008, [0, 0])]);
    assert!(pipeline.feed(&trade(63.0, 1_019, 1)).is_empty(), "below the node");
    assert_eq!(pullbacks(&pipeline.feed(&trade(64.0, 1_020, 1))).len(), 1);
    assert_eq!(pullbacks(&pipeline.feed(&trade(65.0, 999, 1)))[0].0, PullbackStep::LegOver);
}

#[test]
fn flow_goes_with_an_impulse_only_where_the_market_does() {
    let with = |said: Close| {
        let mut pipeline = valley();
        bar(&mut pipeline, 0, &said);
        pullbacks(&pipeline.feed(&trade(61.0, 1_020, 1)))[0].2[0]
    };
    assert_eq!(with(WITH), 1);
    assert_eq!(with(Close { score: 39, ..WITH }), 0);
    assert_eq!(with(Close { state: MarketBalance::Balance, ..WITH }), 0);
    assert_eq!(with(Close { state: MarketBalance::Down, ..WITH }), 0);
    assert_eq!(with(Close { direction: FlowDirection::Sell, ..WITH }), 0);
}
