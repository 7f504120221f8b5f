//! The score of the rules against one that looks at the whole day for every trade.

use crate::harness::{self, INSTRUMENTS, Pipeline};
use crate::measures_trades::opening;
use flow::records::{BookTop, Signing, Trade};
use flow::{Event, Flags, Ns, Px, Qty, Side};
use proptest::prelude::*;
use stages::Space;
use stages::measures::signing::Signing as SigningMeasure;
use stages::measures::{Host, One};

/// 2026-01-12 15:00 UTC.
const START: u64 = 1_768_230_000;

fn pipeline(trades: &str) -> Pipeline<Host<One<SigningMeasure>>> {
    let space = Space { instruments: INSTRUMENTS, fills: 64, positions: 64 };
    let params = harness::params("signing", &[("trades", trades)]);
    let mut pipeline = Pipeline::new(Host::alone(&params, space).unwrap());
    opening().0.iter().for_each(|event| assert!(pipeline.feed(event).is_empty()));
    pipeline
}

/// Half a day until it, whether it is a top, two prices, and the flags of a trade.
type Step = (bool, bool, i64, i64, u8);

fn event((gap, is_top, first, second, flags): Step, ts: &mut u64) -> Event {
    *ts += if gap { 43_200 } else { 1 };
    let at = Ns(*ts * Ns::SECOND);
    if is_top {
        let px = |px: i64| if px == 0 { Px::NONE } else { Px(px) };
        let top = BookTop { bid_px: px(first), ask_px: px(second), ..BookTop::default() };
        return Event::new(at, 1, Flags::LAST_OF_GROUP, &top);
    }
    let side = [Side::None, Side::Buy, Side::Sell][usize::from(flags) % 3];
    let more = [Flags::NONE, Flags::HIDDEN, Flags::INFERRED_AGGRESSOR, Flags::VOLUME_ONLY][usize::from(flags / 3) % 4];
    Event::new(
        at,
        1,
        Flags::LAST_OF_GROUP.with(more).with_side(side),
        &Trade { px: Px(first), qty: Qty(1), ..Trade::default() },
    )
}

/// What tick, quote, and both in this order say of the last of these events, a trade.
fn said(events: &[Event]) -> [Side; 3] {
    let trades: Vec<i64> = events
        .iter()
        .filter(|e| !e.flags.has(Flags::VOLUME_ONLY))
        .filter_map(|e| e.get::<Trade>().map(|t| t.px.0))
        .collect();
    let of = |above: bool| if above { Side::Buy } else { Side::Sell };
    let moved = trades.windows(2).rev().find(|pair| pair[0] != pair[1]);
    let tick = moved.map_or(Side::None, |pair| of(pair[1] > pair[0]));
    let px = *trades.last().unwrap();
    let quote = events.iter().rev().find_map(|e| e.get::<BookTop>()).map_or(Side::None, |top| {
        let (bid, ask) = (top.bid_px.0, top.ask_px.0);
        let silent = top.bid_px == Px::NONE || top.ask_px == Px::NONE || bid >= ask || 2 * px == bid + ask;
        if silent { Side::None } else { of(2 * px > bid + ask) }
    });
    [tick, quote, if quote == Side::None { tick } else { quote }]
}

/// The day in New York or UTC, which the instrument's calendar says: number 1 is UTC's.
fn day(event: &Event) -> u64 {
    event.ts.0 / Ns::SECOND / 86_400
}

/// The counters after the last of these events; `None` if it is not judged.
fn reference(events: &[Event], judged: &str) -> Option<[u32; 7]> {
    let is_judged = |e: &Event| {
        let is_hidden = e.flags.has(Flags::HIDDEN);
        let wanted = judged == "all" || is_hidden == (judged == "hidden");
        let is_told = e.side() != Side::None && !e.flags.has(Flags::INFERRED_AGGRESSOR);
        e.get::<Trade>().is_some() && wanted && is_told && !e.flags.has(Flags::VOLUME_ONLY)
    };
    let last = events.last().filter(|e| is_judged(e))?;
    // Quotes outlive the day, trades do not.
    let of_day = |end: usize| {
        let kept = |e: &&Event| e.get::<BookTop>().is_some() || day(e) == day(last);
        events[..=end].iter().filter(kept).copied().collect::<Vec<_>>()
    };
    let mut counters = [0; 7];
    for (at, trade) in events.iter().enumerate().filter(|(_, e)| day(e) == day(last) && is_judged(e)) {
        counters[0] += 1;
        for (rule, side) in said(&of_day(at)).into_iter().enumerate().filter(|(_, side)| *side != Side::None) {
            counters[1 + 2 * rule + usize::from(side != trade.side())] += 1;
        }
    }
    Some(counters)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]
    #[test]
    fn the_score_is_the_twins(
        steps in prop::collection::vec((prop::bool::weighted(0.05), any::<bool>(), 0..6_i64, 0..6_i64, any::<u8>()), 1..80),
        judged in prop::sample::select(&["all", "displayed", "hidden"][..]),
    ) {
        let (mut pipeline, mut ts) = (pipeline(judged), START);
        let events: Vec<Event> = steps.into_iter().map(|step| event(step, &mut ts)).collect();
        for at in 0..events.len() {
            let found = pipeline.feed(&events[at]).first().map(|e| {
                let s: &Signing = e.0.record();
                [s.trades, s.tick_right, s.tick_wrong, s.quote_right, s.quote_wrong, s.lee_ready_right, s.lee_ready_wrong]
            });
            prop_assert_eq!(found, reference(&events[..=at], judged), "after {:?}", events[at]);
        }
    }
}
