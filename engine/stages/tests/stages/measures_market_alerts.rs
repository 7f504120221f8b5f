//! Alerts to states and flow: the worked series, both sets of rules, and what is no news.

use crate::harness::Pipeline;
use crate::measures_state::{alone, cents, minute};
use flow::records::{Flow, FlowAlert, MarketState, MarketStateNumbers, StateAlert};
use flow::{Event, Flags, FlowDirection, MarketBalance, Ns, Real, Record, RuleSet};
use stages::measures::market_alerts::MarketAlerts;
use stages::measures::{Host, One};

use FlowDirection::{Buy, None as Nowhere, Sell};
use MarketBalance::{Balance, Down, Unknown, Up};

type Stages = Pipeline<Host<One<MarketAlerts>>>;

const STOCK: u32 = 2;

fn at<R: Record>(number: u32, flags: Flags, record: &R) -> Event {
    Event::new(Ns(u64::from(minute(0, number) + 60) * Ns::SECOND), STOCK, flags, record)
}

/// The alert of a bar's state, by both rules.
fn state(pipeline: &mut Stages, number: u32, states: [MarketBalance; 2], instance: u8) -> Option<StateAlert> {
    let [state, published_state] = states.map(|state| state.code());
    let close = cents(10_000 + i64::from(number));
    let first =
        MarketState { close, start_s: minute(0, number), state, published_state, instance, ..MarketState::default() };
    assert!(pipeline.feed(&at(number, Flags::NONE, &first)).is_empty(), "its numbers come next");
    let numbers =
        MarketStateNumbers { momentum: Real::of(Some(0.5)), threshold: Real::of(Some(0.25)), ..Default::default() };
    let emitted = pipeline.feed(&at(number, Flags::LAST_OF_GROUP, &numbers));
    assert!(emitted.len() < 2);
    emitted.first().map(|e| *e.0.record())
}

/// The alert of a bar's flow, by both rules.
fn flow(pipeline: &mut Stages, number: u32, flows: [(u8, FlowDirection); 2]) -> Option<FlowAlert> {
    let [(score, direction), (published_score, published)] = flows;
    let flow = Flow {
        change: Real::of(Some(700.0)),
        delta: -3,
        start_s: minute(0, number),
        score,
        direction: direction.code(),
        published_score,
        published_direction: published.code(),
        ..Flow::default()
    };
    let emitted = pipeline.feed(&at(number, Flags::LAST_OF_GROUP.with(Flags::INFERRED_AGGRESSOR), &flow));
    assert!(emitted.len() < 2);
    emitted.first().map(|e| {
        assert!(e.0.flags.has(Flags::INFERRED_AGGRESSOR), "the badge goes along");
        *e.0.record()
    })
}

#[test]
fn another_state_is_said_once_with_how_long_the_last_one_was() {
    let mut pipeline: Stages = alone("market-alerts", &[]);
    let series = [Unknown, Balance, Balance, Up, Up, Balance, Down, Unknown, Down];
    let alerts: Vec<_> =
        (0..).zip(series).filter_map(|(at, state_at)| state(&mut pipeline, at, [state_at, Unknown], 0)).collect();
    let shown: Vec<_> = alerts.iter().map(|a| (a.close, a.state_before, a.state, a.bars)).collect();
    let [u, b, up, down] = [Unknown, Balance, Up, Down].map(|state| state.code());
    let expected = [(10_003, b, up, 2), (10_005, up, b, 2), (10_006, b, down, 1), (10_008, u, down, 1)];
    assert_eq!(shown, expected.map(|(close, before, state, bars)| (cents(close), before, state, bars)));
    let first = StateAlert {
        close: cents(10_003),
        momentum: Real::of(Some(0.5)),
        threshold: Real::of(Some(0.25)),
        start_s: minute(0, 3),
        bars: 2,
        state: up,
        state_before: b,
        rules: RuleSet::Tidegate.code(),
        ..StateAlert::default()
    };
    assert_eq!(alerts[0], first);
    assert_eq!(state(&mut pipeline, 9, [Up, Unknown], 1), None, "another instance");
}

#[test]
fn flow_is_said_when_it_becomes_aggressive_and_when_it_turns() {
    let mut pipeline: Stages = alone("market-alerts", &[]);
    let quiet = (0, Nowhere);
    let series = [(30, Buy), (40, Buy), (70, Buy), (40, Sell), quiet, (40, Sell), (70, Nowhere), (40, Sell)];
    let alerts: Vec<_> = (0..).zip(series).filter_map(|(at, now)| flow(&mut pipeline, at, [now, quiet])).collect();
    let shown: Vec<_> = alerts.iter().map(|a| (a.start_s, a.score, a.direction)).collect();
    let expected = [(1, 40, Buy), (3, 40, Sell), (5, 40, Sell), (7, 40, Sell)];
    assert_eq!(shown, expected.map(|(at, score, direction)| (minute(0, at), score, direction.code())));
    assert_eq!((alerts[0].delta, alerts[0].change.known()), (-3, Some(700.0)));
}

#[test]
fn the_published_rules_have_their_own_states_scores_and_least_score() {
    let mut pipeline: Stages = alone("market-alerts", &[("rules", "published")]);
    assert_eq!(state(&mut pipeline, 0, [Up, Balance], 0), None);
    let up = state(&mut pipeline, 1, [Balance, Up], 0).expect("it has changed");
    assert_eq!((up.rules, up.state), (RuleSet::Published.code(), Up.code()));
    assert_eq!(flow(&mut pipeline, 0, [(100, Buy), (60, Sell)]), None);
    let sell = flow(&mut pipeline, 1, [(0, Nowhere), (70, Sell)]).expect("from 70 on");
    assert_eq!((sell.rules, sell.score, sell.direction), (RuleSet::Published.code(), 70, Sell.code()));
    let mut low: Stages = alone("market-alerts", &[("least_score", "30")]);
    assert!(flow(&mut low, 0, [(30, Buy), (0, Nowhere)]).is_some());
}
