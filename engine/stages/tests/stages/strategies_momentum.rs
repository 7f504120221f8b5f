//! The strategy `momentum`, rule by rule, on sequences made by hand.

use crate::harness::{self, Behind, Emitted, INSTRUMENTS, Pipeline, kinds};
use flow::records::{
    Bar, BookTop, BrokenTrade, Bust, Cancelled, Cvd, EndOfInput, Fill, Imbalance, Intent, Listing, Name, Reason,
    Refused, Reject, Signal, Vpin,
};
use flow::{
    Account, Event, Flags, InstrumentType, Kind, Listings, Ns, OrderId, Px, Qty, Real, Record, Side, StrategyId,
};
use stages::Space;
use stages::strategies::{MOMENTUM, MomentumStage, Setup};

/// 2026-01-12 15:00 UTC, ten o'clock in New York.
const TEN: u64 = 1_768_230_000 * Ns::SECOND;
const ONE: i64 = Px::ONE;

struct Rig {
    pipeline: Pipeline<Behind<MomentumStage>>,
    now: u64,
    cvd: i64,
    volume: u64,
    trades: u32,
}

impl Rig {
    /// A market whose conditions are all met but the flow, with an average true range of 1.
    fn new(set: &[(&str, &str)]) -> Rig {
        let mut all = vec![("atr_bars", "2"), ("qty", "10"), ("min_volume", "100")];
        all.extend(set);
        let space = Space { instruments: INSTRUMENTS, fills: 64, positions: 64 };
        let stage = MomentumStage::new(&harness::params("momentum", &all), Setup::plain(MOMENTUM, space)).unwrap();
        let mut rig =
            Rig { pipeline: Pipeline::new(Behind::new(space, stage)), now: TEN, cvd: 0, volume: 0, trades: 0 };
        let mut name = Name { len: 1, parts: 1, ..Default::default() };
        name.text[0] = b'A';
        rig.send(Side::None, &name);
        rig.send(Side::None, &Listing { calendar: *b"XNAS", tick_px: Px(ONE / 10), ..Default::default() });
        for _ in 0..2 {
            let bar = Bar { high: Px(101 * ONE), low: Px(100 * ONE), close: Px(100 * ONE), ..Default::default() };
            rig.send(Side::None, &Bar { interval_s: 60, ..bar });
        }
        rig.send(Side::None, &Vpin { vpin: Real::of(0.3), ..Default::default() });
        rig.send(Side::None, &Imbalance { l1: Real::of(0.5), ..Default::default() });
        rig.top(100 * ONE, 100 * ONE + ONE / 10);
        rig
    }

    fn send<R: Record>(&mut self, side: Side, record: &R) -> Vec<Emitted> {
        self.pipeline.feed_whole(&Event::new(Ns(self.now), 1, Flags::side_only(side), record))
    }

    fn top(&mut self, bid: i64, ask: i64) -> Vec<Emitted> {
        let exchange_ts = Ns(self.now);
        let top = BookTop { exchange_ts, bid_px: Px(bid), ask_px: Px(ask), bid_qty: Qty(9), ask_qty: Qty(3) };
        self.send(Side::None, &top)
    }

    /// A trade of so much, bought or sold.
    fn trade(&mut self, signed: i64) -> Vec<Emitted> {
        self.cvd += signed;
        self.volume += signed.unsigned_abs();
        self.trades += 1;
        let cvd = Cvd { cvd: self.cvd, buy_qty: Qty(self.volume), trades: self.trades, ..Default::default() };
        self.send(Side::None, &cvd)
    }

    fn fill(&mut self, side: Side, qty: u64) -> Vec<Emitted> {
        let order_id = OrderId::new(Account(1), MOMENTUM, 1).0;
        self.send(side, &Fill { order_id, px: Px(100 * ONE), qty: Qty(qty), ..Default::default() })
    }

    fn wait(&mut self, seconds: u64) {
        self.now += seconds * Ns::SECOND;
    }
}

fn intent(emitted: &[Emitted]) -> (Side, Px, u64) {
    let last = emitted.first().expect("something was emitted").0;
    let intent: &Intent = last.record();
    assert_eq!((intent.action, intent.order_type, intent.tif), (1, 1, 3));
    (last.side(), intent.px, intent.qty.0)
}

#[test]
fn an_entry_says_why_and_where_it_would_be_wrong() {
    let mut rig = Rig::new(&[]);
    assert!(rig.trade(99).is_empty(), "too little volume");
    let emitted = rig.trade(1);
    assert_eq!(kinds(&emitted), [Kind::Intent, Kind::Signal, Kind::Reason, Kind::Reason, Kind::Reason]);
    assert_eq!(intent(&emitted), (Side::Buy, Px(100 * ONE + ONE / 10), 10));
    let signal: &Signal = emitted[1].0.record();
    assert_eq!((signal.strategy, signal.reasons), (MOMENTUM, 3));
    assert_eq!((signal.entry, signal.stop), (Px(100 * ONE + ONE / 10), Px(98 * ONE + 6 * ONE / 10)));
    assert_eq!(signal.target, Px(103 * ONE + ONE / 10));
    let reasons: Vec<_> = emitted[2..5].iter().map(|s| *s.0.record::<Reason>()).collect();
    let given: Vec<_> =
        reasons.iter().map(|r| (r.measure, f64::from(r.value), f64::from(r.threshold), r.index)).collect();
    let of = |k: Kind| u16::from(k.0);
    assert_eq!(
        given,
        [(of(Kind::Cvd), 1.0, 0.3, 0), (of(Kind::Imbalance), 0.5, 0.2, 1), (of(Kind::Vpin), 0.3, 0.6, 2)]
    );
    assert!(rig.trade(100).is_empty(), "one order at once");
}

#[test]
fn a_touch_finer_than_the_tick_is_taken_at_the_tick_beyond_it() {
    for (side, sign) in [(Side::Buy, 1), (Side::Sell, -1)] {
        let mut rig = Rig::new(&[]);
        let stock = Listing { calendar: *b"XNAS", currency: *b"USD\0", tick_px: Px(100_000), ..Default::default() };
        rig.send(Side::None, &Listing { instrument_type: InstrumentType::Equity as u8, ..stock });
        rig.send(Side::None, &Imbalance { l1: Real::of(0.5 * sign as f64), ..Default::default() });
        rig.top(100 * ONE - ONE / 10_000, 100 * ONE + ONE / 10_000);
        let emitted = rig.trade(sign * 200);
        let cents = |n: i64| Px(100 * ONE + n * sign * ONE / 100);
        assert_eq!(intent(&emitted), (side, cents(1), 10));
        let signal: &Signal = emitted[1].0.record();
        assert_eq!((signal.entry, signal.stop, signal.target), (cents(1), cents(-149), cents(301)));
    }
}

#[test]
fn a_sale_mirrors_a_purchase() {
    let mut rig = Rig::new(&[]);
    rig.send(Side::None, &Imbalance { l1: Real::of(-0.4), ..Default::default() });
    let emitted = rig.trade(-200);
    assert_eq!(intent(&emitted), (Side::Sell, Px(100 * ONE), 10));
    let signal: &Signal = emitted[1].0.record();
    assert_eq!((signal.stop, signal.target), (Px(101 * ONE + ONE / 2), Px(97 * ONE)));
    let reason: &Reason = emitted[2].0.record();
    assert_eq!((reason.value, reason.threshold), (Real::of(-1.0), Real::of(-0.3)));
    let mut rig = Rig::new(&[("short", "false")]);
    rig.send(Side::None, &Imbalance { l1: Real::of(-0.4), ..Default::default() });
    assert!(rig.trade(-200).is_empty());
}

#[test]
fn each_condition_alone_keeps_it_out() {
    type Spoil = fn(&mut Rig);
    let spoils: [(&str, Spoil); 10] = [
        ("imbalance", |d| drop(d.send(Side::None, &Imbalance { l1: Real::of(0.1), ..Default::default() }))),
        ("no imbalance", |d| drop(d.send(Side::None, &Imbalance { l1: Real::NONE, ..Default::default() }))),
        ("toxic", |d| drop(d.send(Side::None, &Vpin { vpin: Real::of(0.7), ..Default::default() }))),
        ("no vpin", |d| drop(d.send(Side::None, &Vpin { vpin: Real::NONE, ..Default::default() }))),
        ("crossed", |d| drop(d.top(101 * ONE, 100 * ONE))),
        ("one side", |d| drop(d.top(101 * ONE, Px::NONE.0))),
        ("stale", |d| d.wait(6)),
        ("flow turns", |d| drop(d.trade(-150))),
        ("before the session", |d| {
            d.now -= 1_800 * Ns::SECOND;
            d.top(100 * ONE, 101 * ONE);
        }),
        ("end of input", |d| drop(d.send(Side::None, &EndOfInput::default()))),
    ];
    for (what, spoil) in spoils {
        let mut rig = Rig::new(&[]);
        spoil(&mut rig);
        assert!(rig.trade(200).is_empty(), "{what}");
    }
    assert!(Rig::new(&[("atr_bars", "3")]).trade(200).is_empty(), "no range yet");
    assert!(Rig::new(&[("bar", "5m")]).trade(200).is_empty(), "no bars of that length");
    assert!(Rig::new(&[("symbols", "AA,B")]).trade(200).is_empty(), "not chosen");
    assert_eq!(Rig::new(&[("symbols", "B,A")]).trade(200).len(), 5);
    let mut rig = Rig::new(&[("max_vpin", "1")]);
    rig.send(Side::None, &Vpin { vpin: Real::NONE, ..Default::default() });
    assert_eq!(rig.trade(200).len(), 4, "not asked for, no reason");
}

#[test]
fn old_flow_falls_out_and_a_new_session_counts_anew() {
    let mut rig = Rig::new(&[]);
    rig.trade(-90);
    rig.wait(61);
    rig.top(100 * ONE, 101 * ONE);
    assert_eq!(rig.trade(120).len(), 5, "what was sold a minute ago does not count");
    let mut rig = Rig::new(&[]);
    rig.trade(-90);
    (rig.cvd, rig.volume, rig.trades) = (0, 0, 0);
    assert!(rig.trade(80).is_empty(), "-90 + 80 of 170");
}

#[test]
fn a_broken_trade_leaves_the_flow_and_is_no_reason_to_trade() {
    let broken = |rig: &mut Rig, ago: u64, qty: u64, side| {
        let trade_ts = Ns(rig.now - ago * Ns::SECOND);
        let broken = BrokenTrade { trade_ts, px: Px(1), qty: Qty(qty), match_id: 1, ..Default::default() };
        assert!(rig.send(side, &broken).is_empty());
        rig.volume -= qty;
        rig.trades -= 1;
        rig.cvd -= if side == Side::Buy { qty as i64 } else { -(qty as i64) };
        let cvd = Cvd { cvd: rig.cvd, buy_qty: Qty(rig.volume), trades: rig.trades, ..Default::default() };
        let now = Ns(rig.now);
        assert!(rig.pipeline.feed_again(&Event::new(now, 1, Flags::NONE, &cvd)).is_empty());
        let pulse = Event::new(now, 1, Flags::LAST_OF_GROUP, &flow::records::Pulse::default());
        assert!(rig.pipeline.feed_again(&pulse).is_empty(), "nobody traded");
    };
    let mut rig = Rig::new(&[]);
    rig.trade(-90);
    rig.wait(30);
    assert!(rig.trade(80).is_empty());
    broken(&mut rig, 30, 90, Side::Sell);
    rig.top(100 * ONE, 101 * ONE);
    assert_eq!(rig.trade(20).len(), 5, "100 bought, none sold");
    // What has left the window is not taken out again, and the session goes on: 70 of 130 are no third.
    let mut rig = Rig::new(&[]);
    rig.trade(-90);
    rig.trade(500);
    rig.wait(61);
    rig.top(100 * ONE, 101 * ONE);
    assert!(rig.trade(-60).is_empty());
    broken(&mut rig, 61, 500, Side::Buy);
    assert!(rig.trade(70).is_empty(), "70 bought, 60 sold");
}

#[test]
fn stop_target_and_the_end_of_the_session_close() {
    for (bid, value, level) in [(98 * ONE, 98.0, 98.6), (104 * ONE, 104.0, 103.1)] {
        let mut rig = Rig::new(&[]);
        rig.trade(200);
        assert!(rig.top(bid, bid + ONE).is_empty(), "not before the fill");
        rig.fill(Side::Buy, 10);
        assert!(rig.top(100 * ONE, 101 * ONE).is_empty(), "between stop and target");
        let emitted = rig.top(bid, bid + ONE);
        assert_eq!(kinds(&emitted), [Kind::Intent, Kind::Signal, Kind::Reason]);
        assert_eq!(intent(&emitted), (Side::Sell, Px(bid), 10));
        let reason: &Reason = emitted[2].0.record();
        assert_eq!((reason.value, reason.threshold), (Real::of(value), Real::of(level)));
        assert!(rig.top(bid, bid + ONE).is_empty(), "an order is on its way");
        rig.fill(Side::Sell, 4);
        rig.send(Side::None, &Cancelled { order_id: OrderId::new(Account(1), MOMENTUM, 2).0, ..Default::default() });
        assert_eq!(intent(&rig.top(bid, bid + ONE)).2, 6, "the rest at the next top");
        rig.fill(Side::Sell, 6);
        assert!(rig.top(bid, bid + ONE).is_empty() && rig.trade(500).is_empty(), "it rests");
        rig.wait(30);
        rig.top(100 * ONE, 101 * ONE);
        assert_eq!(rig.trade(500).len(), 5, "and goes on");
    }
    let mut rig = Rig::new(&[]);
    rig.trade(200);
    rig.fill(Side::Buy, 10);
    rig.now = TEN + (5 * 3_600 + 55 * 60) * Ns::SECOND - 1;
    assert!(rig.top(100 * ONE, 101 * ONE).is_empty());
    rig.now += 1;
    let emitted = rig.top(100 * ONE, 101 * ONE);
    assert_eq!((intent(&emitted), emitted[2].0.record::<Reason>().measure), ((Side::Sell, Px(100 * ONE), 10), 15));
}

#[test]
fn an_order_that_came_to_nothing_is_followed_by_a_rest() {
    let id = OrderId::new(Account(1), MOMENTUM, 1).0;
    let answers: [&dyn Fn(&mut Rig); 3] = [
        &|d| drop(d.send(Side::None, &Refused { order_id: id, ..Default::default() })),
        &|d| drop(d.send(Side::None, &Reject { order_id: id, action: 1, ..Default::default() })),
        &|d| drop(d.send(Side::None, &Cancelled { order_id: id, ..Default::default() })),
    ];
    for answer in answers {
        let mut rig = Rig::new(&[("cooldown", "3")]);
        rig.trade(200);
        answer(&mut rig);
        assert!(rig.trade(200).is_empty());
        rig.wait(3);
        assert_eq!(rig.trade(200).len(), 5);
    }
    let mut rig = Rig::new(&[("cooldown", "0"), ("max_age", "60000")]);
    rig.trade(200);
    rig.send(Side::None, &Refused { order_id: OrderId::new(Account(1), StrategyId(9), 1).0, ..Default::default() });
    rig.wait(9);
    assert!(rig.trade(200).is_empty(), "another's refusal is not ours");
    rig.wait(1);
    assert_eq!(rig.trade(200).len(), 5, "without an answer it is given up");
}

/// A position that a bust brings back has neither stop nor target: it is left at the next top.
#[test]
fn what_a_bust_brings_back_is_left_at_once() {
    let mut rig = Rig::new(&[("cooldown", "0")]);
    rig.trade(200);
    let order_id = OrderId::new(Account(1), MOMENTUM, 1).0;
    let fill = |match_id| Fill { order_id, match_id, px: Px(100 * ONE), qty: Qty(10), cause: 0 };
    let bust = |match_id| Bust { order_id, match_id, px: Px(100 * ONE), qty: Qty(10), fee: 0 };
    rig.send(Side::Buy, &fill(1));
    assert_eq!(rig.top(104 * ONE, 105 * ONE).len(), 3, "the target is reached");
    rig.send(Side::Sell, &fill(2));
    assert!(rig.top(104 * ONE, 105 * ONE).is_empty(), "flat");
    rig.send(Side::Sell, &bust(2));
    rig.send(Side::Sell, &bust(2));
    let emitted = rig.top(100 * ONE, 101 * ONE);
    assert_eq!((intent(&emitted), emitted.len()), ((Side::Sell, Px(100 * ONE), 10), 3));
    let reason: &Reason = emitted[2].0.record();
    assert_eq!((reason.measure, reason.value), (u16::from(Kind::Position.0), Real::of(10.0)));
    rig.send(Side::Buy, &bust(1));
    rig.send(Side::None, &Cancelled { order_id, ..Default::default() });
    assert!(rig.top(100 * ONE, 101 * ONE).is_empty(), "flat: the purchase is void too");
}

#[test]
fn a_loaded_strategy_goes_on_alike() {
    let listings = Listings::default();
    for at in 0..6 {
        let (mut one, mut two) = (Rig::new(&[]), Rig::new(&[("symbols", "")]));
        let steps: [fn(&mut Rig) -> Vec<Emitted>; 6] = [
            |d| d.trade(60),
            |d| d.trade(60),
            |d| d.fill(Side::Buy, 10),
            |d| d.top(104 * ONE, 105 * ONE),
            |d| d.fill(Side::Sell, 3),
            |d| d.top(97 * ONE, 98 * ONE),
        ];
        let mut emitted = Vec::new();
        for (i, step) in steps.into_iter().enumerate() {
            if i == at {
                let bytes = harness::saved(&one.pipeline.stage, &listings);
                harness::load(&mut two.pipeline.stage, &listings, &bytes).unwrap();
                assert_eq!(harness::saved(&two.pipeline.stage, &listings), bytes);
                (two.now, two.cvd, two.volume, two.trades) = (one.now, one.cvd, one.volume, one.trades);
            }
            let first = step(&mut one);
            if i >= at {
                assert_eq!(first, step(&mut two), "saved at {at}, step {i}");
            }
            emitted.push(first.len());
        }
        assert_eq!(emitted, [0, 5, 0, 3, 0, 0]);
        assert_eq!(harness::saved(&one.pipeline.stage, &listings), harness::saved(&two.pipeline.stage, &listings));
    }
}

#[test]
fn texts_that_are_none_are_refused() {
    let bads = [("bar", "7s"), ("session_start", "9"), ("session_end", "24:01"), ("session_end", "09:35")];
    for (name, text) in bads {
        let params = harness::params("momentum", &[(name, text)]);
        let fault =
            MomentumStage::new(&params, Setup::plain(MOMENTUM, Space { instruments: 4, fills: 64, positions: 64 }))
                .err()
                .unwrap();
        assert_eq!(fault.key, format!("momentum.{name}"));
    }
}
