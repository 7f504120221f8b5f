//! The strategies `trend` and `reversion`, condition by condition, on what measures say in sequences made by hand.

use crate::harness::{self, Emitted, INSTRUMENTS, Pipeline, kinds, saved};
use flow::records::{
    Breakout, BreakoutRange, DataState, EndOfInput, Flow, Leg, LegNode, LegProfile, Listing, MarketState,
    MarketStateNumbers, Name, Profile, ProfileNode, Pullback, Reason, Setup as SetupRow, Signal, Trade,
};
use flow::{
    Event, Flags, FlowDirection, InstrumentType, Kind, LegStep, LegType, Listings, MarketBalance, Ns, PriceDirection,
    ProfileNodeType, ProfileOf, PullbackStep, Px, Qty, Real, Record, Side, Stage, TargetType, Unmet,
};
use stages::Space;
use stages::strategies::{REVERSION, ReversionStage, Setup, TREND, TrendStage};

/// 2026-01-12 15:00 UTC, ten o'clock in New York.
const TEN: u64 = 1_768_230_000 * Ns::SECOND;
const CENT: i64 = Px::ONE / 100;
const SPACE: Space = Space { instruments: INSTRUMENTS, fills: 16, positions: 16 };

fn cents(cents: i64) -> Px {
    Px(cents * CENT)
}

/// A strategy in a market in which nothing has happened.
struct Rig<S> {
    pipeline: Pipeline<S>,
    now: u64,
    of: LegType,
    direction: PriceDirection,
}

fn trend(set: &[(&str, &str)], direction: PriceDirection) -> Rig<TrendStage> {
    let stage = TrendStage::new(&harness::params("trend", set), Setup::plain(TREND, SPACE)).unwrap();
    Rig::new(stage, LegType::Impulse, direction)
}

fn reversion(set: &[(&str, &str)], direction: PriceDirection) -> Rig<ReversionStage> {
    let stage = ReversionStage::new(&harness::params("reversion", set), Setup::plain(REVERSION, SPACE)).unwrap();
    Rig::new(stage, LegType::Reclaim, direction)
}

/// What a set-up lacks, with the value that is looked at.
type Lacks = (Unmet, Option<f64>, Option<f64>);

impl<S: Stage> Rig<S> {
    fn new(stage: S, of: LegType, direction: PriceDirection) -> Rig<S> {
        let mut rig = Rig { pipeline: Pipeline::new(stage), now: TEN, of, direction };
        let mut name = Name { len: 1, parts: 1, ..Default::default() };
        name.text[0] = b'A';
        rig.send(&name);
        let stock = Listing { calendar: *b"XNAS", currency: *b"USD\0", tick_px: Px(100_000), ..Default::default() };
        rig.send(&Listing { instrument_type: InstrumentType::Equity as u8, ..stock });
        rig
    }

    /// Sends what a measure says, in the middle of an input.
    fn send<R: Record>(&mut self, record: &R) {
        let event = Event::new(Ns(self.now), 1, Flags::LAST_OF_GROUP, record);
        assert!(self.pipeline.feed(&event).is_empty(), "it decides at the pulse alone: {event:?}");
    }

    fn pulse(&mut self) -> Vec<Emitted> {
        let pulse = Event::new(Ns(self.now), 1, Flags::LAST_OF_GROUP, &flow::records::Pulse::default());
        let emitted = self.pipeline.feed(&pulse);
        self.pipeline.next_input();
        emitted
    }

    /// The end of a minute.
    fn minute(&mut self, state: MarketBalance, score: u8, direction: FlowDirection) -> Vec<Emitted> {
        let (state, direction) = (state.code(), direction.code());
        self.send(&Flow {
            score,
            direction,
            published_score: 30,
            published_direction: direction,
            ..Default::default()
        });
        self.send(&MarketState { state, published_state: state, ..Default::default() });
        let numbers = (Real::of(0.4), Real::of(0.3), Real::of(0.05));
        let (momentum, threshold, atr) = numbers;
        self.send(&MarketStateNumbers { momentum, threshold, atr, ..Default::default() });
        self.pulse()
    }

    fn leg(&mut self, step: LegStep, start: i64, extreme: i64) {
        let (leg, direction) = (self.of.code(), self.direction.code());
        let (start_px, extreme_px) = (cents(start), cents(extreme));
        self.send(&Leg { what: step.code(), leg, direction, start_px, extreme_px, ..Default::default() });
        let row_px = if step == LegStep::Closed { cents(1) } else { Px::NONE };
        self.send(&LegProfile { row_px, ..Default::default() });
    }

    fn node(&mut self, px: i64, index: u8) {
        let (leg, direction, node) = (self.of.code(), self.direction.code(), ProfileNodeType::Low.code());
        self.send(&LegNode { px: cents(px), index, node, leg, direction, ..Default::default() });
    }

    fn pullback(&mut self, step: PullbackStep, index: u8) {
        let (leg, direction) = (self.of.code(), self.direction.code());
        self.send(&Pullback { what: step.code(), index, leg, direction, ..Default::default() });
    }

    fn trade(&mut self, px: i64) {
        self.now += Ns::SECOND;
        self.send(&Trade { px: cents(px), qty: Qty(1), ..Default::default() });
    }

    /// A trade that nothing follows from but what the strategy makes of it.
    fn plain(&mut self, px: i64) -> Vec<Emitted> {
        self.trade(px);
        self.pulse()
    }
}

fn lacks(emitted: &[Emitted]) -> Lacks {
    assert_eq!(kinds(emitted), [Kind::Setup]);
    let row: &SetupRow = emitted[0].0.record();
    (Unmet::from_code(row.unmet).unwrap(), row.value.known(), row.threshold.known())
}

/// A leg from 100.00 to 101.00 that has closed, with one node at 100.50, and price that has come back to it; upwards.
fn touched<S: Stage>(rig: &mut Rig<S>, state: MarketBalance) {
    let side = if rig.direction == PriceDirection::Up { FlowDirection::Buy } else { FlowDirection::Sell };
    let of = |px: i64| if side == FlowDirection::Buy { px } else { 20_000 - px };
    rig.minute(state, 40, side);
    rig.leg(LegStep::Counts, of(10_000), of(10_100));
    rig.pulse();
    rig.trade(of(10_050));
    rig.leg(LegStep::Closed, of(10_000), of(10_100));
    rig.node(of(10_050), 2);
    rig.pullback(PullbackStep::Touched, 2);
}

#[test]
fn a_trend_signal_says_why_and_where_it_would_be_wrong() {
    for (direction, state, side) in
        [(PriceDirection::Up, MarketBalance::Up, Side::Buy), (PriceDirection::Down, MarketBalance::Down, Side::Sell)]
    {
        let mut rig = trend(&[], direction);
        touched(&mut rig, state);
        let emitted = rig.pulse();
        assert_eq!(kinds(&emitted), [&[Kind::Signal], &[Kind::Reason; 4][..], &[Kind::Setup]].concat());
        let signal: &Signal = emitted[0].0.record();
        let of = |px: i64| cents(if side == Side::Buy { px } else { 20_000 - px });
        assert_eq!((emitted[0].0.side(), signal.strategy, signal.reasons), (side, TREND, 4));
        // One average true range of five cents beyond the node, and three times that towards the extreme.
        assert_eq!((signal.entry, signal.stop, signal.target), (of(10_050), of(10_045), of(10_065)));
        assert_eq!(signal.confidence, Real::of(0.75), "50 + 40 / 4 + 5 * 3");
        let reasons = emitted[1..5].iter().map(|event| {
            let reason: &Reason = event.0.record();
            (reason.measure as u8, reason.value.known().unwrap(), reason.threshold.known().unwrap())
        });
        let px = |px: i64| of(px).0 as f64 / 1e9;
        let wanted = [
            (Kind::MarketState.0, 0.4, 0.3),
            (Kind::Leg.0, px(10_100), px(10_000)),
            (Kind::Pullback.0, px(10_050), px(10_050)),
            (Kind::Flow.0, 40.0, 40.0),
        ];
        assert_eq!(reasons.collect::<Vec<_>>(), wanted);
        let setup: &SetupRow = emitted[5].0.record();
        assert_eq!((setup.unmet, setup.target), (Unmet::None.code(), TargetType::Risk.code()));
        assert_eq!((setup.value, setup.threshold, setup.node_px), (Real::of(3.0), Real::of(1.5), of(10_050)));
        assert_eq!(lacks(&rig.plain(10_050)).0, Unmet::Signalled, "once a leg and node");
        assert!(rig.plain(10_050).is_empty(), "and that is said once");
    }
}

#[test]
fn the_first_condition_that_is_not_met_is_told_with_its_value() {
    let mut rig = trend(&[], PriceDirection::Up);
    rig.now = TEN - 15 * 60 * Ns::SECOND - Ns::SECOND;
    assert_eq!(lacks(&rig.minute(MarketBalance::Up, 40, FlowDirection::Buy)), (Unmet::Hours, Some(-1.0), Some(0.0)));
    rig.now = TEN;
    let state = (Unmet::State, Some(0.4), Some(0.3));
    assert_eq!(lacks(&rig.minute(MarketBalance::Balance, 40, FlowDirection::Buy)), state);
    assert_eq!(lacks(&rig.minute(MarketBalance::Unknown, 40, FlowDirection::Buy)), state);
    assert_eq!(lacks(&rig.minute(MarketBalance::Down, 40, FlowDirection::Sell)), (Unmet::Leg, None, None));
    rig.leg(LegStep::Counts, 10_000, 10_100);
    assert_eq!(lacks(&rig.pulse()), state, "the leg goes the other way");
    rig.trade(10_190);
    rig.trade(10_181);
    let open = lacks(&rig.minute(MarketBalance::Up, 39, FlowDirection::Buy));
    assert_eq!(open, (Unmet::LegOpen, Some(900.0 / 190.0), None), "of the extreme so far");
    rig.leg(LegStep::Closed, 10_000, 10_190);
    assert_eq!(lacks(&rig.pulse()), (Unmet::Node, Some(0.0), Some(1.0)));
    rig.leg(LegStep::Closed, 10_000, 10_190);
    rig.node(10_100, 0);
    rig.node(10_150, 1);
    let away = 31.0 * CENT as f64 * 10_000.0 / (10_150 * CENT) as f64;
    assert_eq!(lacks(&rig.pulse()), (Unmet::Pullback, Some(away), None));
    rig.trade(10_150);
    rig.pullback(PullbackStep::Touched, 1);
    assert_eq!(lacks(&rig.pulse()), (Unmet::Flow, Some(39.0), Some(40.0)));
    assert!(rig.plain(10_151).is_empty(), "the same as before");
    let against = lacks(&rig.minute(MarketBalance::Up, 90, FlowDirection::Sell));
    assert_eq!(against, (Unmet::Flow, Some(-90.0), Some(40.0)));
    assert!(rig.minute(MarketBalance::Up, 90, FlowDirection::Buy).is_empty(), "all but a trade");
    assert_eq!(lacks(&rig.plain(10_145)), (Unmet::Stop, Some(101.45), Some(101.45)));
    assert_eq!(kinds(&rig.plain(10_151))[0], Kind::Signal, "a refused set-up at a better price");
    rig.pipeline.feed(&Event::new(Ns(rig.now), 0, Flags::NONE, &EndOfInput::default()));
    assert!(rig.plain(10_150).is_empty());
}

#[test]
fn a_node_of_past_sessions_is_the_target_and_refuses_what_is_not_worth_its_risk() {
    let mut rig = trend(&[], PriceDirection::Up);
    rig.send(&Profile { of: ProfileOf::Composite.code(), ..Default::default() });
    for (px, node) in [(10_100, ProfileNodeType::High), (10_120, ProfileNodeType::Low), (10_110, ProfileNodeType::High)]
    {
        let of = ProfileOf::Composite.code();
        // Half a cent above: a target comes towards the entry.
        let px = Px(cents(px).0 + CENT / 2);
        rig.send(&ProfileNode {
            px: Px(px.0 - CENT * i64::from(px == cents(10_100))),
            node: node.code(),
            of,
            ..Default::default()
        });
    }
    touched(&mut rig, MarketBalance::Up);
    let emitted = rig.pulse();
    assert_eq!(emitted[0].0.record::<Signal>().target, cents(10_100), "the nearest one beyond the extreme");
    assert_eq!(emitted[5].0.record::<SetupRow>().target, TargetType::Node.code());
    let mut rig = trend(&[("least_reward", "11")], PriceDirection::Up);
    rig.send(&ProfileNode {
        px: cents(10_101),
        node: ProfileNodeType::High.code(),
        of: ProfileOf::Composite.code(),
        ..Default::default()
    });
    touched(&mut rig, MarketBalance::Up);
    assert_eq!(
        lacks(&rig.pulse()),
        (Unmet::Reward, Some(51.0 / 5.0), Some(11.0)),
        "no fallback to a multiple of the risk"
    );
    assert_eq!(kinds(&rig.plain(10_049))[0], Kind::Signal);
}

#[test]
fn a_reversion_goes_to_the_point_of_control_and_wants_balance() {
    for set in [&[][..], &[("in_balance", "false")]] {
        let mut rig = reversion(set, PriceDirection::Up);
        rig.send(&Breakout::default());
        rig.send(&BreakoutRange { poc: Px(cents(10_200).0 + CENT / 2), ..Default::default() });
        touched(&mut rig, MarketBalance::Up);
        let emitted = rig.pulse();
        let emitted = match set {
            [] => {
                assert!(emitted.is_empty(), "no balance, which was said before");
                rig.minute(MarketBalance::Balance, 100, FlowDirection::Buy);
                rig.plain(10_050)
            }
            _ => emitted,
        };
        let signal: &Signal = emitted[0].0.record();
        assert_eq!((signal.entry, signal.stop, signal.target), (cents(10_050), cents(9_999), cents(10_200)));
        let score = if set.is_empty() { 100.0 } else { 40.0 };
        assert_eq!(signal.confidence, Real::of((50.0 + score / 4.0 + 5.0 * (150.0 / 51.0)) / 100.0));
        assert_eq!(emitted[5].0.record::<SetupRow>().target, TargetType::Poc.code());
    }
}

#[test]
fn by_the_published_rules_it_takes_seventy_points() {
    let mut rig = trend(&[("rules", "published")], PriceDirection::Up);
    touched(&mut rig, MarketBalance::Up);
    assert_eq!(lacks(&rig.pulse()), (Unmet::Flow, Some(30.0), Some(70.0)));
    let mut rig = trend(&[("rules", "published"), ("least_flow", "30")], PriceDirection::Up);
    touched(&mut rig, MarketBalance::Up);
    assert_eq!(kinds(&rig.pulse())[0], Kind::Signal);
}

#[test]
fn what_it_waits_for_outlives_a_load_and_doubtful_data_stop_it() {
    let mut rig = trend(&[], PriceDirection::Up);
    touched(&mut rig, MarketBalance::Up);
    let bytes = saved(&rig.pipeline.stage, &Listings::default());
    let mut other = trend(&[], PriceDirection::Up);
    harness::load(&mut other.pipeline.stage, &Listings::default(), &bytes).unwrap();
    assert_eq!(saved(&other.pipeline.stage, &Listings::default()), bytes);
    other.now = rig.now;
    assert_eq!(rig.pulse(), other.pulse(), "it signals as the other does");
    let mut rig = trend(&[], PriceDirection::Up);
    touched(&mut rig, MarketBalance::Up);
    rig.send(&DataState { state: 2, ..Default::default() });
    assert_eq!(lacks(&rig.pulse()), (Unmet::Data, None, None));
}

#[test]
fn a_touch_that_is_over_and_a_leg_that_is_gone_give_no_signal() {
    let mut rig = trend(&[], PriceDirection::Up);
    touched(&mut rig, MarketBalance::Up);
    rig.pullback(PullbackStep::Expired, 2);
    assert_eq!(lacks(&rig.pulse()).0, Unmet::Pullback);
    rig.trade(10_050);
    rig.pullback(PullbackStep::Touched, 2);
    rig.leg(LegStep::Ended, 10_000, 10_100);
    assert_eq!(lacks(&rig.pulse()).0, Unmet::Leg);
    assert!(rig.plain(10_050).is_empty());
}
