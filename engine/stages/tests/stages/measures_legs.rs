//! Legs: where they start, count, close, open again and end; their nodes; pullbacks; broken trades; upside down all the same; and a
//! state that is all of the past.

use crate::harness::{self, Emitted, INSTRUMENTS, Pipeline};
use crate::stream::opening;
use flow::records::{
    Bar, BarFlow, Breakout, BreakoutRange, BrokenTrade, Flow, Leg, LegNode, LegProfile, Listing, MarketState,
    MarketStateNumbers, Pullback, PullbackFlow, Session, Trade,
};
use flow::{
    BreakoutStep, Calendar, Event, Flags, FlowDirection, LegEnd, LegStep, LegType, MarketBalance, Ns, PriceDirection,
    ProfileNodeType, PullbackStep, Px, Qty, Real, Record, SessionPhase,
};
use proptest::prelude::*;
use stages::Space;
use stages::measures::legs::Legs;
use stages::measures::{Host, One};

const SPACE: Space = Space { instruments: INSTRUMENTS, fills: 64, positions: 64 };
/// 2026-01-12 09:30 in New York; the date begins at 05:00 UTC.
const OPEN: u64 = 1_768_228_200;
const MIDNIGHT: u64 = 1_768_194_000;
const DAY: u64 = 86_400;
const CENT: i64 = Px::ONE / 100;

type Stages = Pipeline<Host<One<Legs>>>;

fn event<R: Record>(seconds: f64, record: &R) -> Event {
    Event::new(Ns(OPEN * Ns::SECOND + (seconds * 1e3) as u64 * 1_000_000), 1, Flags::LAST_OF_GROUP, record)
}

/// The calendar says the hours of a date that is so many days after the first.
fn hours(day: u64) -> Event {
    let session = Session {
        open_ts: Ns((OPEN + day * DAY) * Ns::SECOND),
        close_ts: Ns((OPEN + day * DAY + 23_400) * Ns::SECOND),
        start_s: (MIDNIGHT + day * DAY) as u32,
        end_s: (MIDNIGHT + (day + 1) * DAY) as u32,
        calendar: Calendar::UsEquities.code(),
        phase: SessionPhase::Pre.code(),
        ..Session::default()
    };
    Event { instrument: 0, ..event(0.0, &session) }
}

fn pipeline(set: &[(&str, &str)]) -> Stages {
    let mut pipeline = Pipeline::new(Host::alone(&harness::params("legs", set), SPACE).unwrap());
    let listing = Listing { tick_px: Px(CENT), calendar: *b"XNYS", ..Listing::default() };
    pipeline.feed(&event(0.0, &listing));
    pipeline.feed(&hours(0));
    pipeline
}

/// So many seconds after the open, at so many cents.
fn trade(seconds: f64, cents: i64, qty: u64) -> Event {
    event(seconds, &Trade { px: Px(cents * CENT), qty: Qty(qty), ..Trade::default() })
}

fn broken(seconds: f64, of: &Event) -> Event {
    let trade: &Trade = of.record();
    event(seconds, &BrokenTrade { trade_ts: of.ts, px: trade.px, qty: trade.qty, ..BrokenTrade::default() })
}

/// What the measures before emit when a bar closes.
#[derive(Clone, Copy)]
struct Close {
    /// In cents.
    atr: Option<f64>,
    state: MarketBalance,
    score: u8,
    direction: FlowDirection,
    breakout: Option<(BreakoutStep, PriceDirection, u64)>,
    /// Middle of the row of five cents.
    poc: i64,
}

const CLOSE: Close = Close {
    atr: Some(10.0),
    state: MarketBalance::Balance,
    score: 0,
    direction: FlowDirection::None,
    breakout: None,
    poc: 992,
};

/// The minute of that number is over.
fn bar_events(minute: u64, said: &Close) -> Vec<Event> {
    let (at, start_s) = ((minute * 60 + 60) as f64, (OPEN + minute * 60) as u32);
    let mut events = vec![event(at, &Bar { start_s, interval_s: 60, ..Bar::default() })];
    let (state, published_state) = (said.state.code(), said.state.code());
    events.push(event(at, &MarketState { start_s, state, published_state, ..MarketState::default() }));
    let atr = Real::of(said.atr.map(|cents| cents / 100.0));
    events.push(event(at, &MarketStateNumbers { atr, ..MarketStateNumbers::default() }));
    if let Some((what, direction, since)) = said.breakout {
        let since_s = (OPEN + since * 60) as u32;
        let (what, direction) = (what.code(), direction.code());
        events.push(event(at, &Breakout { start_s, since_s, what, direction, ..Breakout::default() }));
        let range = BreakoutRange { poc: Px(said.poc * CENT), row_px: Px(5 * CENT), ..BreakoutRange::default() };
        events.push(event(at, &range));
    }
    events.push(event(at, &BarFlow { interval_s: 60, ..BarFlow::UNKNOWN }));
    let (score, direction) = (said.score, said.direction.code());
    let published = (score, direction);
    events.push(event(
        at,
        &Flow {
            start_s,
            interval_s: 60,
            score,
            direction,
            published_score: published.0,
            published_direction: published.1,
            ..Flow::default()
        },
    ));
    events
}

fn bar(pipeline: &mut Stages, minute: u64, said: &Close) -> Vec<Emitted> {
    bar_events(minute, said).iter().flat_map(|event| pipeline.feed(event)).collect()
}

fn of<R: Record>(emitted: &[Emitted]) -> Vec<R> {
    emitted.iter().filter_map(|e| e.0.get::<R>().copied()).collect()
}

fn cents(px: Px) -> i64 {
    px.0 / CENT
}

/// A step of a leg, why, its start and extreme in cents, and its volume.
fn steps(emitted: &[Emitted]) -> Vec<(LegStep, LegEnd, i64, i64, u64)> {
    let both = of::<Leg>(emitted).into_iter().zip(of::<LegProfile>(emitted));
    let step = |(leg, profile): (Leg, LegProfile)| {
        let (what, why) = (LegStep::from_code(leg.what).unwrap(), LegEnd::from_code(leg.reason).unwrap());
        assert_eq!(leg.size.0, (leg.extreme_px.0 - leg.start_px.0).abs());
        (what, why, cents(leg.start_px), cents(leg.extreme_px), profile.volume.0)
    };
    both.map(step).collect()
}

const OUT_UP: Option<(BreakoutStep, PriceDirection, u64)> = Some((BreakoutStep::Out, PriceDirection::Up, 1));

/// The worked leg: from 9.91 to 10.30, found at the end of the second minute.
fn worked() -> Stages {
    let mut pipeline = pipeline(&[]);
    for (at, (px, qty)) in (0..).zip([(995, 1), (991, 2), (993, 3), (991, 4), (1_000, 5)]) {
        assert!(pipeline.feed(&trade(f64::from(at), px, qty)).is_empty());
    }
    assert!(bar(&mut pipeline, 0, &CLOSE).is_empty());
    for (at, (px, qty)) in (60..).zip([(1_010, 6), (1_030, 7), (1_030, 8), (1_025, 9)]) {
        assert!(pipeline.feed(&trade(f64::from(at), px, qty)).is_empty());
    }
    let found = bar(&mut pipeline, 1, &Close { breakout: OUT_UP, ..CLOSE });
    assert_eq!(steps(&found), [(LegStep::Counts, LegEnd::None, 991, 1_030, 22)]);
    let (leg, profile) = (of::<Leg>(&found)[0], of::<LegProfile>(&found)[0]);
    assert_eq!((leg.leg, leg.direction), (LegType::Impulse.code(), PriceDirection::Up.code()));
    assert_eq!(leg.retraced, Real::of(500.0 / 39.0));
    assert_eq!([profile.start_ts, profile.extreme_ts].map(|ts| ts.0 / Ns::SECOND - OPEN), [3, 61]);
    pipeline
}

#[test]
fn a_leg_starts_with_the_last_of_equal_lows_and_ends_with_the_first_of_equal_highs() {
    let mut pipeline = worked();
    assert!(pipeline.feed(&trade(121.0, 1_021, 1)).is_empty(), "23 % are too few");
    let closed = pipeline.feed(&trade(122.0, 1_020, 1));
    assert_eq!(steps(&closed), [(LegStep::Closed, LegEnd::None, 991, 1_030, 22)]);
    assert_eq!(of::<LegProfile>(&closed)[0].row_px, Px(CENT), "39 cents in 40 parts are a tick");
    assert!(pipeline.feed(&trade(123.0, 1_030, 1)).is_empty(), "at the extreme, not beyond");
    let again = pipeline.feed(&trade(124.0, 1_031, 1));
    assert_eq!(steps(&again), [(LegStep::OpenAgain, LegEnd::None, 991, 1_031, 22 + 17 + 4)]);
    assert!(pipeline.feed(&trade(125.0, 1_040, 1)).is_empty(), "an open leg goes on");
    let ended = pipeline.feed(&trade(126.0, 990, 1));
    assert_eq!(steps(&ended), [(LegStep::Ended, LegEnd::Start, 991, 1_040, 44)]);
}

#[test]
fn what_is_volume_alone_never_counts() {
    let mut pipeline = worked();
    for (at, flag) in [(121.0, Flags::VOLUME_ONLY), (122.0, Flags::SNAPSHOT)] {
        let far = trade(at, 900, 50);
        assert!(pipeline.feed(&Event { flags: far.flags.with(flag), ..far }).is_empty());
    }
    assert!(pipeline.feed(&trade(123.0, 900, 0)).is_empty());
    assert_eq!(steps(&pipeline.feed(&trade(124.0, 1_020, 1)))[0].4, 22);
}

#[test]
fn a_leg_needs_a_breakout_a_known_range_and_its_length() {
    let found = |said: Close| {
        let mut pipeline = pipeline(&[]);
        for (at, px) in [(0.0, 992), (60.0, 995), (61.0, 1_015)] {
            pipeline.feed(&trade(at, px, 1));
        }
        steps(&bar(&mut pipeline, 1, &said)).len()
    };
    let out = Close { breakout: OUT_UP, ..CLOSE };
    assert_eq!(found(out), 1, "23 cents are two of 10");
    assert_eq!(found(Close { atr: Some(11.5), ..out }), 1);
    assert_eq!(found(Close { atr: Some(11.6), ..out }), 0);
    assert_eq!(found(Close { atr: None, ..out }), 0);
    assert_eq!(found(CLOSE), 0);
    let down = Some((BreakoutStep::Out, PriceDirection::Down, 1));
    assert_eq!(found(Close { breakout: down, ..CLOSE }), 0, "the other way");
    assert_eq!(found(Close { atr: Some(0.0), ..out }), 1);
}

#[test]
fn the_search_goes_back_to_the_minute_that_touched_the_point_of_control() {
    let start = |set: &[(&str, &str)], px: &[i64]| {
        let mut pipeline = pipeline(set);
        let last = px.len() as u64 - 1;
        for (minute, px) in (0..).zip(px) {
            pipeline.feed(&trade(minute as f64 * 60.0, *px, 1));
            if minute < last {
                bar(&mut pipeline, minute, &CLOSE);
            }
        }
        steps(&bar(&mut pipeline, last, &Close { breakout: OUT_UP, ..CLOSE })).first().map(|step| (step.2, step.3))
    };
    assert_eq!(start(&[], &[980, 994, 996, 1_020]), Some((994, 1_020)), "9.90 to 9.94 is the row");
    assert_eq!(start(&[], &[980, 995, 996, 1_020]), Some((980, 1_020)), "price was never there");
    assert_eq!(start(&[("minutes", "3")], &[980, 995, 996, 1_020]), Some((995, 1_020)));
    assert_eq!(start(&[("minutes", "1")], &[980, 995, 996, 1_020]), None);
    let long: Vec<i64> = [980].into_iter().chain([996; 58]).chain([1_020]).collect();
    assert_eq!(start(&[], &long), Some((980, 1_020)), "sixty minutes");
    let longer: Vec<i64> = [980].into_iter().chain([996; 59]).chain([1_020]).collect();
    assert_eq!(start(&[], &longer), Some((996, 1_020)));
}

#[test]
fn bars_end_legs_and_so_do_trades_at_the_point_of_control() {
    let after = |what: BreakoutStep, direction: PriceDirection| {
        let mut pipeline = worked();
        let ended = bar(&mut pipeline, 2, &Close { breakout: Some((what, direction, 1)), ..CLOSE });
        steps(&ended).iter().map(|step| step.1).collect::<Vec<_>>()
    };
    assert_eq!(after(BreakoutStep::Accepted, PriceDirection::Up), []);
    assert_eq!(after(BreakoutStep::Failed, PriceDirection::Up), [LegEnd::Inside]);
    assert_eq!(after(BreakoutStep::Returned, PriceDirection::Up), [LegEnd::Inside]);
    assert_eq!(after(BreakoutStep::Out, PriceDirection::Down)[0], LegEnd::Breakout);
    assert_eq!(after(BreakoutStep::Ended, PriceDirection::Up), [LegEnd::Session]);
    let mut pipeline = worked();
    let poc = pipeline.feed(&trade(121.0, 994, 1));
    assert_eq!(steps(&poc), [(LegStep::Ended, LegEnd::Poc, 991, 1_030, 22)]);
    let again = bar(&mut pipeline, 2, &CLOSE);
    assert_eq!(steps(&again), [], "from 9.94 on there is nothing yet");
    pipeline.feed(&trade(180.0, 1_031, 1));
    let another = bar(&mut pipeline, 3, &CLOSE);
    assert_eq!(steps(&another), [(LegStep::Counts, LegEnd::None, 994, 1_031, 2)], "price is still out");
}

#[test]
fn a_session_ends_with_its_last_minute() {
    let mut by_bar = worked();
    assert!(steps(&bar(&mut by_bar, 388, &CLOSE)).is_empty());
    assert_eq!(steps(&bar(&mut by_bar, 389, &CLOSE))[0].1, LegEnd::Session);
    let mut by_trade = worked();
    assert_eq!(steps(&by_trade.feed(&trade(23_400.0, 1_020, 1)))[0].1, LegEnd::Session);
    assert!(by_trade.feed(&trade(23_500.0, 1_020, 1)).is_empty());
    let mut by_date = worked();
    by_date.feed(&hours(1));
    assert_eq!(steps(&by_date.feed(&trade(DAY as f64 - 3_600.0, 1_020, 1)))[0].1, LegEnd::Session);
    let mut before = pipeline(&[]);
    let early = event(0.0, &Trade { px: Px(900 * CENT), qty: Qty(1), ..Trade::default() });
    before.feed(&Event { ts: Ns(early.ts.0 - 1), ..early });
    before.feed(&trade(0.0, 992, 1));
    before.feed(&trade(1.0, 1_020, 1));
    assert_eq!(steps(&bar(&mut before, 0, &Close { breakout: OUT_UP, ..CLOSE }))[0].2, 992, "not from before the open");
}

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

/// A breakout upwards to 10.40 that fails: the last minute trades at these prices.
fn failed(back: &[i64]) -> (Stages, Vec<Emitted>) {
    let mut pipeline = pipeline(&[]);
    pipeline.feed(&trade(0.0, 992, 1));
    bar(&mut pipeline, 0, &CLOSE);
    let slow = Close { atr: Some(30.0), ..CLOSE };
    pipeline.feed(&trade(60.0, 1_010, 1));
    bar(&mut pipeline, 1, &Close { breakout: OUT_UP, ..slow });
    for (at, px) in [(120.0, 1_040), (121.0, 1_030), (122.0, 1_040), (123.0, 1_025)] {
        pipeline.feed(&trade(at, px, 1));
    }
    bar(&mut pipeline, 2, &slow);
    for (at, px) in (180..).zip(back) {
        pipeline.feed(&trade(f64::from(at), *px, 1));
    }
    let what = Some((BreakoutStep::Failed, PriceDirection::Up, 1));
    let found = bar(&mut pipeline, 3, &Close { breakout: what, ..CLOSE });
    (pipeline, found)
}

#[test]
fn a_reclaim_leg_goes_from_the_failed_extreme_to_the_point_of_control() {
    let (mut pipeline, found) = failed(&[1_025, 1_000]);
    assert_eq!(steps(&found), [(LegStep::Counts, LegEnd::None, 1_040, 1_000, 4)], "from the last of equals");
    let leg = of::<Leg>(&found)[0];
    assert_eq!((leg.leg, leg.direction), (LegType::Reclaim.code(), PriceDirection::Down.code()));
    assert_eq!(steps(&pipeline.feed(&trade(240.0, 1_010, 1)))[0].0, LegStep::Closed);
    assert_eq!(steps(&pipeline.feed(&trade(241.0, 999, 1)))[0].0, LegStep::OpenAgain);
    assert_eq!(steps(&pipeline.feed(&trade(242.0, 994, 1)))[0].1, LegEnd::Poc);
    assert!(steps(&bar(&mut pipeline, 4, &CLOSE)).is_empty(), "it is looked for once");

    let (mut pipeline, found) = failed(&[1_025]);
    assert!(steps(&found).is_empty(), "15 cents are not enough");
    pipeline.feed(&trade(240.0, 1_018, 1));
    assert_eq!(steps(&bar(&mut pipeline, 4, &CLOSE)), [(LegStep::Counts, LegEnd::None, 1_040, 1_018, 4)]);
    assert_eq!(steps(&pipeline.feed(&trade(300.0, 1_041, 1)))[0].1, LegEnd::Start);
}

#[test]
fn what_ends_a_reclaim_leg_ends_the_search_for_one() {
    let later = |(mut pipeline, found): (Stages, Vec<Emitted>), px: i64| {
        assert!(steps(&found).is_empty());
        pipeline.feed(&trade(240.0, px, 1));
        pipeline.feed(&trade(241.0, 1_000, 1));
        steps(&bar(&mut pipeline, 4, &CLOSE)).len()
    };
    assert_eq!(later(failed(&[1_025]), 1_040), 1);
    assert_eq!(later(failed(&[1_025]), 1_041), 0, "beyond the failed extreme");
    assert_eq!(later(failed(&[1_025]), 994), 0, "at the point of control");
    assert_eq!(later(failed(&[994, 1_000]), 1_000), 0, "it was there before the close");
}

#[test]
fn a_broken_trade_leaves_the_leg_and_ends_it_where_it_was_an_end_of_it() {
    let mut pipeline = worked();
    let behind = trade(121.0, 1_025, 3);
    pipeline.feed(&behind);
    for of in [trade(60.0, 1_010, 6), behind, trade(63.0, 1_025, 9), trade(2.0, 993, 3)] {
        assert!(pipeline.feed(&broken(130.0, &of)).is_empty());
    }
    let again = pipeline.feed(&trade(131.0, 1_031, 1));
    assert!(again.is_empty());
    let closed = pipeline.feed(&trade(132.0, 1_020, 1));
    assert_eq!(steps(&closed)[0].4, 22 - 6 + 8 + 1, "without what was broken on the way and behind the extreme");
    for of in [trade(3.0, 991, 4), trade(61.0, 1_030, 7)] {
        let mut pipeline = worked();
        let ended = steps(&pipeline.feed(&broken(130.0, &of)));
        assert_eq!((ended[0].0, ended[0].1), (LegStep::Ended, LegEnd::Broken));
        assert!(pipeline.feed(&broken(130.0, &of)).is_empty());
    }
    let mut anew = worked();
    anew.feed(&broken(130.0, &trade(3.0, 991, 4)));
    let again = bar(&mut anew, 2, &CLOSE);
    assert_eq!(steps(&again)[0].2, 991, "there was another trade at that price");
    let mut later = worked();
    let unheard_of = Event { ts: Ns(0), ..trade(121.0, 991, 4) };
    assert!(later.feed(&broken(130.0, &unheard_of)).is_empty());
}

#[test]
fn a_price_whose_only_trade_is_broken_is_no_start() {
    let mut pipeline = pipeline(&[]);
    let wrong = trade(70.0, 500, 1);
    for event in [trade(0.0, 992, 1), trade(60.0, 1_000, 1), wrong, trade(71.0, 1_001, 1), trade(120.0, 400, 1)] {
        pipeline.feed(&event);
    }
    pipeline.feed(&broken(121.0, &wrong));
    pipeline.feed(&broken(121.0, &trade(120.0, 400, 1)));
    pipeline.feed(&trade(122.0, 1_030, 1));
    let found = bar(&mut pipeline, 2, &Close { breakout: OUT_UP, ..CLOSE });
    assert_eq!(steps(&found), [(LegStep::Counts, LegEnd::None, 992, 1_030, 4)]);
    let mut alone = self::pipeline(&[]);
    alone.feed(&trade(0.0, 992, 1));
    alone.feed(&trade(60.0, 400, 1));
    alone.feed(&trade(120.0, 1_030, 1));
    alone.feed(&broken(121.0, &trade(60.0, 400, 1)));
    let found = bar(&mut alone, 2, &Close { breakout: OUT_UP, ..CLOSE });
    assert_eq!(steps(&found), [(LegStep::Counts, LegEnd::None, 992, 1_030, 2)], "a minute without a trade is none");
}

#[test]
fn what_finds_no_room_is_left_out_and_told() {
    let mut pipeline = pipeline(&[("max_entries", "16")]);
    for (minute, qty) in (0..40_u32).zip(1..) {
        pipeline.feed(&trade(f64::from(minute) * 60.0, 1_000 + i64::from(minute), qty));
        bar(&mut pipeline, minute.into(), &CLOSE);
    }
    pipeline.feed(&trade(2_400.0, 1_041, 1));
    let found = bar(&mut pipeline, 40, &Close { breakout: OUT_UP, ..CLOSE });
    let profile = of::<LegProfile>(&found)[0];
    assert_eq!((profile.volume.0 + profile.left_out.0, profile.volume.0), (40 * 41 / 2 + 1, 16 * 17 / 2));
}

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
