//! Alerts at low-volume nodes: the worked distances, what arms and spends a node, and legs that open and close.

use crate::harness::Pipeline;
use crate::measures_flow::{MIDNIGHT, OPEN};
use crate::measures_state::{alone, bar, cents, minute};
use flow::records::{Leg, LegNode, LegProfile, LvnAlert, NearestLvn, Profile, ProfileNode, Trade};
use flow::{
    Event, Flags, LegStep, LegType, Ns, PriceDirection, ProfileNodeType, ProfileOf, Px, Qty, Real, Record, Seen,
};
use stages::measures::lvn_alerts::LvnAlerts;
use stages::measures::{Host, One};

use PriceDirection::{Down, Up};

type Stages = Pipeline<Host<One<LvnAlerts>>>;

const STOCK: u32 = 2;

fn at<R: Record>(second: u32, record: &R) -> Event {
    Event::new(Ns(u64::from(MIDNIGHT + OPEN + second) * Ns::SECOND), STOCK, Flags::LAST_OF_GROUP, record)
}

/// A trade in the session.
fn trade(pipeline: &mut Stages, px: Px) -> Vec<LvnAlert> {
    let trade = Trade { px, qty: Qty(1), ..Trade::default() };
    pipeline.feed(&at(30, &trade)).iter().map(|e| *e.0.record()).collect()
}

/// The nodes of a past session, or of several.
fn past(pipeline: &mut Stages, of: ProfileOf, nodes: &[i64]) {
    let of = of.code();
    assert!(pipeline.feed(&at(30, &Profile { of, ..Profile::default() })).is_empty());
    let high = ProfileNode { px: cents(nodes[0]), of, node: ProfileNodeType::High.code(), ..ProfileNode::default() };
    assert!(pipeline.feed(&at(30, &high)).is_empty());
    for px in nodes {
        let low = ProfileNode { px: cents(*px), node: ProfileNodeType::Low.code(), ..high };
        assert!(pipeline.feed(&at(30, &low)).is_empty());
    }
}

fn leg(pipeline: &mut Stages, what: LegStep, nodes: &[i64]) {
    let (leg, direction) = (LegType::Impulse.code(), Up.code());
    pipeline.feed(&at(30, &Leg { what: what.code(), leg, direction, ..Leg::default() }));
    pipeline.feed(&at(30, &LegProfile { row_px: cents(10), ..LegProfile::default() }));
    for px in nodes {
        let node = LegNode { px: cents(*px), node: ProfileNodeType::Low.code(), leg, ..LegNode::default() };
        assert!(pipeline.feed(&at(30, &node)).is_empty());
    }
}

/// How many alerts these trades fire, in cents.
fn fired(pipeline: &mut Stages, prices: &[i64]) -> Vec<usize> {
    prices.iter().map(|px| trade(pipeline, cents(*px)).len()).collect()
}

#[test]
fn the_worked_alert_fires_once_and_again_from_beyond_the_distance_that_arms() {
    let mut pipeline: Stages = alone("lvn-alerts", &[]);
    trade(&mut pipeline, cents(25_000));
    past(&mut pipeline, ProfileOf::Previous, &[25_450]);
    let [alert] = trade(&mut pipeline, cents(25_420))[..] else { panic!("one alert") };
    assert_eq!((alert.px, alert.node_px, alert.direction), (cents(25_420), cents(25_450), Up.code()));
    assert!((alert.distance.known().unwrap() - 0.117_878).abs() < 1e-6);
    let of = [alert.previous, alert.composite, alert.impulse, alert.reclaim];
    assert_eq!(of, [Seen::Yes.code(), 0, 0, 0]);
    assert_eq!(fired(&mut pipeline, &[25_420, 25_310, 25_420, 25_259, 25_323]), [0, 0, 0, 0, 1]);
    assert_eq!(fired(&mut pipeline, &[25_640, 25_641, 25_577]), [0, 0, 1], "190 cents are 0.747 %, 191 are 0.750 %");
}

#[test]
fn limits_are_strict_and_the_side_is_that_of_the_trade() {
    let mut pipeline: Stages = alone("lvn-alerts", &[]);
    trade(&mut pipeline, cents(9_000));
    past(&mut pipeline, ProfileOf::Composite, &[10_000]);
    assert_eq!(fired(&mut pipeline, &[9_950]), [0], "half a per cent is not less");
    assert_eq!(trade(&mut pipeline, Px(cents(9_950).0 + 1)).len(), 1);
    assert_eq!(fired(&mut pipeline, &[10_075, 10_049]), [0, 0], "three quarters are not beyond");
    trade(&mut pipeline, Px(cents(10_075).0 + 1));
    assert_eq!(trade(&mut pipeline, cents(10_049))[0].direction, Down.code());
    trade(&mut pipeline, cents(10_100));
    assert_eq!(trade(&mut pipeline, cents(10_000))[0].direction, Down.code(), "at the node it is where price was");
}

#[test]
fn a_node_that_is_born_with_price_in_its_band_is_spent() {
    let mut pipeline: Stages = alone("lvn-alerts", &[]);
    trade(&mut pipeline, cents(10_000));
    past(&mut pipeline, ProfileOf::Previous, &[10_040, 10_060]);
    let [alert] = trade(&mut pipeline, cents(10_020))[..] else { panic!("one alert") };
    assert_eq!(alert.node_px, cents(10_060), "the other one had price in its band");
    assert_eq!(fired(&mut pipeline, &[10_200, 10_050]), [0, 2]);
}

#[test]
fn equal_prices_of_two_profiles_are_one_alert() {
    let mut pipeline: Stages = alone("lvn-alerts", &[]);
    trade(&mut pipeline, cents(9_000));
    past(&mut pipeline, ProfileOf::Previous, &[10_000]);
    past(&mut pipeline, ProfileOf::Composite, &[10_000, 10_010]);
    let alerts = trade(&mut pipeline, cents(10_005));
    let told: Vec<_> = alerts.iter().map(|a| (a.node_px, a.previous, a.composite)).collect();
    assert_eq!(told, [(cents(10_000), 1, 1), (cents(10_010), 0, 1)]);
}

#[test]
fn a_leg_has_the_band_of_a_pullback_and_its_nodes_stay_as_armed_as_they_were() {
    let mut pipeline: Stages = alone("lvn-alerts", &[]);
    trade(&mut pipeline, cents(10_100));
    leg(&mut pipeline, LegStep::Closed, &[10_000]);
    assert_eq!(fired(&mut pipeline, &[9_999, 10_021, 10_020]), [0, 0, 1], "two rows, from the extreme's side");
    assert_eq!(fired(&mut pipeline, &[10_030, 10_010, 10_031, 10_010]), [0, 0, 0, 1]);
    leg(&mut pipeline, LegStep::OpenAgain, &[]);
    leg(&mut pipeline, LegStep::Closed, &[10_000, 10_015]);
    let [alert] = trade(&mut pipeline, cents(10_031))[..] else { panic!("the new node alone") };
    assert_eq!((alert.node_px, alert.impulse, alert.previous), (cents(10_015), 1, 0));
    leg(&mut pipeline, LegStep::OpenAgain, &[]);
    assert_eq!(fired(&mut pipeline, &[10_200, 10_010]), [0, 0], "an open leg fires nothing, and is armed");
    leg(&mut pipeline, LegStep::Closed, &[10_000]);
    assert_eq!(fired(&mut pipeline, &[10_011]), [1]);
    leg(&mut pipeline, LegStep::Ended, &[]);
    assert_eq!(fired(&mut pipeline, &[10_200, 10_010]), [0, 0]);
}

#[test]
fn trades_out_of_hours_and_sessions_that_are_over_fire_nothing() {
    let mut pipeline: Stages = alone("lvn-alerts", &[]);
    trade(&mut pipeline, cents(9_000));
    past(&mut pipeline, ProfileOf::Previous, &[10_000]);
    let px = Trade { px: cents(10_000), qty: Qty(1), ..Trade::default() };
    assert!(pipeline.feed(&at(23_400, &px)).is_empty(), "the close");
    let alone = at(40, &px);
    assert!(pipeline.feed(&Event { flags: alone.flags.with(Flags::VOLUME_ONLY), ..alone }).is_empty());
    assert!(pipeline.feed(&at(86_400, &px)).is_empty(), "the nodes were the day's");
    assert!(pipeline.feed(&at(86_401, &Trade { px: cents(9_999), ..px })).is_empty());
}

#[test]
fn a_bar_tells_the_nearest_node() {
    let mut pipeline: Stages = alone("lvn-alerts", &[]);
    trade(&mut pipeline, cents(9_000));
    assert!(pipeline.feed(&bar(minute(0, 0), 9_000, 1)).is_empty(), "there is none");
    past(&mut pipeline, ProfileOf::Previous, &[9_900, 10_100]);
    past(&mut pipeline, ProfileOf::Composite, &[10_100]);
    let mut nearest = |number, close| -> NearestLvn { *pipeline.feed(&bar(minute(0, number), close, 1))[0].0.record() };
    let lower = nearest(1, 10_000);
    assert_eq!((lower.node_px, lower.previous, lower.composite), (cents(9_900), 1, 0), "of equal ones the lower");
    let upper = nearest(2, 10_001);
    assert_eq!((upper.node_px, upper.previous, upper.composite, upper.armed), (cents(10_100), 1, 1, 1));
    assert_eq!(
        (upper.close, upper.start_s, upper.distance),
        (cents(10_001), minute(0, 2), Real::of(9_900.0 / 10_100.0))
    );
}
