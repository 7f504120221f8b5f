//! Footprints: the worked bar, rows without room, and a reference that keeps every trade.

use crate::harness::{self, Emitted, INSTRUMENTS, Pipeline};
use flow::records::{BrokenTrade, Exhaustion, Footprint, FootprintBar, FootprintRows, Listing, Tick, Trade};
use flow::{Event, Extremes, Flags, Kind, Listings, Ns, Px, Qty, Seen, Side};
use proptest::prelude::*;
use stages::Space;
use stages::bars::BarStage;
use stages::measures::footprint::Footprint as FootprintMeasure;
use stages::measures::{Host, One};
use std::collections::BTreeMap;

const SPACE: Space = Space { instruments: INSTRUMENTS, fills: 64, positions: 64 };
/// 2026-01-12 15:00 UTC.
const START: u64 = 1_768_230_000;
const TICK: i64 = 10_000_000;

/// Bars of five seconds, and the measure behind them.
struct Chain {
    bars: Pipeline<BarStage>,
    behind: Pipeline<Host<One<FootprintMeasure>>>,
}

fn behind(set: &[(&str, &str)]) -> Pipeline<Host<One<FootprintMeasure>>> {
    let set: Vec<_> = [("interval", "5s")].iter().chain(set).copied().collect();
    Pipeline::new(Host::alone(&harness::params("footprint", &set), SPACE).unwrap())
}

impl Chain {
    fn new(set: &[(&str, &str)]) -> Chain {
        let bars = BarStage::new(&harness::params("bars", &[("intervals", "5s")]), SPACE).unwrap();
        let mut chain = Chain { bars: Pipeline::new(bars), behind: behind(set) };
        for instrument in 1..4 {
            let listing = Listing { tick_px: Px(TICK), ..Listing::default() };
            assert!(chain.feed(&Event::new(Ns(1), instrument, Flags::NONE, &listing)).is_empty());
        }
        chain
    }

    /// What the measure makes of an input, and then of the bars that it closes.
    fn feed(&mut self, event: &Event) -> Vec<Emitted> {
        let mut emitted = if event.kind == Kind::Tick { Vec::new() } else { self.behind.feed(event) };
        for bar in self.bars.feed(event).iter().filter(|e| e.0.kind != Kind::Anomaly) {
            emitted.extend(self.behind.feed(&Event { ts: event.ts, ..bar.0 }));
        }
        emitted
    }
}

fn at(second: u64) -> Ns {
    Ns((START + second) * Ns::SECOND)
}

fn trade(second: u64, instrument: u32, side: Side, px: i64, qty: u64) -> Event {
    let flags = Flags::LAST_OF_GROUP.with_side(side);
    Event::new(at(second), instrument, flags, &Trade { px: Px(px * TICK), qty: Qty(qty), ..Trade::default() })
}

fn breaks(second: u64, instrument: u32, broken: &Event) -> Event {
    let Trade { px, qty, .. } = *broken.record();
    let record = BrokenTrade { px, qty, trade_ts: broken.ts, ..BrokenTrade::default() };
    Event::new(at(second), instrument, broken.flags, &record)
}

fn tick(second: u64) -> Event {
    Event::new(at(second), 0, Flags::LAST_OF_GROUP, &Tick { first: 0, last: 8, interval_s: 5, ..Tick::default() })
}

/// The bar among what was emitted.
fn bar(emitted: &[Emitted]) -> Option<(FootprintBar, FootprintRows)> {
    let at = emitted.iter().position(|e| e.0.kind == Kind::FootprintBar)?;
    Some((*emitted[at].0.record(), *emitted[at + 1].0.record()))
}

const BUY: Side = Side::Buy;
const SELL: Side = Side::Sell;

#[test]
fn the_worked_bar() {
    let mut chain = Chain::new(&[]);
    let trades = [
        (SELL, 1_000, 40),
        (BUY, 1_001, 120),
        (SELL, 1_001, 30),
        (BUY, 1_002, 100),
        (SELL, 1_002, 10),
        (BUY, 1_003, 60),
        (Side::None, 1_003, 500),
        (BUY, 1_005, 4),
        (SELL, 1_005, 1),
    ];
    for (side, px, qty) in trades {
        let emitted = chain.feed(&trade(1, 1, side, px, qty));
        assert_eq!(emitted.len(), 1);
        let row: &Footprint = emitted[0].0.record();
        assert_eq!((row.row_px, row.interval_s, row.start_s), (Px(px * TICK), 5, START as u32));
    }
    let emitted = chain.feed(&tick(5));
    let (bar, rows) = bar(&emitted).unwrap();
    assert_eq!((bar.delta, bar.max_delta, bar.min_delta), (203, 204, -40));
    assert_eq!((bar.poc_px, bar.whole, bar.start_s), (Px(1_003 * TICK), Seen::Yes.code(), START as u32));
    // Bought at 1001, 1002 and 1003 against sold one below: 120 to 40, 100 to 30, 60 to 10. Four of 865 at 1005 are too few.
    assert_eq!((rows.buy_imbalances, rows.buy_stacks, rows.buy_stack_rows), (3, 1, 3));
    assert_eq!((rows.buy_stack_px, rows.sell_imbalances), (Px(1_001 * TICK), 0));
    assert_eq!((rows.sell_stack_px, rows.left_out_qty), (Px::NONE, Qty(0)));
    assert_eq!(rows.unfinished, Extremes::High.code());
    assert_eq!(rows.exhausted, Extremes::None.code(), "no twenty bars");
}

#[test]
fn the_trade_that_ends_a_bar_is_in_the_next_one() {
    let mut chain = Chain::new(&[]);
    chain.feed(&trade(4, 1, BUY, 10, 7));
    let emitted = chain.feed(&trade(5, 1, SELL, 10, 2));
    assert_eq!(harness::kinds(&emitted), [Kind::Footprint, Kind::FootprintBar, Kind::FootprintRows]);
    let row: &Footprint = emitted[0].0.record();
    assert_eq!((row.start_s, row.buy_qty, row.sell_qty), (START as u32 + 5, Qty(0), Qty(2)));
    assert_eq!(bar(&emitted).unwrap().0.delta, 7);
    assert_eq!(bar(&chain.feed(&tick(10))).unwrap().0.delta, -2);
}

#[test]
fn a_new_extreme_where_hardly_anybody_traded_is_exhausted() {
    let mut chain = Chain::new(&[("exhaustion_bars", "3")]);
    let (mut found, mut told) = (Vec::new(), Vec::new());
    let bars: [&[(Side, i64, u64)]; 5] = [
        &[(BUY, 10, 50), (SELL, 9, 50)],
        &[(BUY, 11, 50), (BUY, 12, 5)],
        &[(BUY, 12, 50), (BUY, 13, 5), (SELL, 12, 5)],
        &[(BUY, 13, 5), (BUY, 12, 50)],
        &[(SELL, 8, 3), (SELL, 9, 30), (BUY, 14, 6), (BUY, 13, 50)],
    ];
    for (minute, trades) in (0..).zip(bars) {
        trades.iter().for_each(|(side, px, qty)| drop(chain.feed(&trade(5 * minute, 1, *side, *px, *qty))));
        let emitted = chain.feed(&tick(5 * minute + 5));
        found.push(bar(&emitted).unwrap().1.exhausted);
        told.extend(emitted.iter().filter(|e| e.0.kind == Kind::Exhaustion).map(|e| (e.0.side(), *e.0.record())));
    }
    let [none, high, low] = [Extremes::None, Extremes::High, Extremes::Low].map(Extremes::code);
    // The first two have no two bars before; the fourth is no new high; in the last the high has 12 % of the largest row.
    assert_eq!(found, [none, none, high, none, low]);
    let of = |bar: u32, px: i64, before: i64, qty: u64, largest: u64| Exhaustion {
        row_px: Px(px * TICK),
        qty: Qty(qty),
        largest_qty: Qty(largest),
        before_px: Px(before * TICK),
        start_s: START as u32 + 5 * bar,
        interval_s: 5,
        ..Exhaustion::default()
    };
    assert_eq!(told, [(BUY, of(2, 13, 12, 5, 50)), (SELL, of(4, 8, 12, 3, 30))]);
}

#[test]
fn who_finds_no_row_is_counted_and_the_bar_says_so() {
    let mut chain = Chain::new(&[("max_rows", "64")]);
    (0..64).for_each(|px| drop(chain.feed(&trade(0, 1, BUY, px, 2))));
    let first = trade(1, 2, SELL, 7, 5);
    let emitted = chain.feed(&first);
    let row: &Footprint = emitted[0].0.record();
    assert_eq!((row.row_px, row.sell_qty, row.buy_qty), (Px(7 * TICK), Qty::NONE, Qty::NONE));
    chain.feed(&trade(1, 2, SELL, 8, 3));
    chain.feed(&breaks(2, 2, &first));
    let bars: Vec<_> = chain.feed(&tick(5)).chunks(2).filter_map(bar).collect();
    let whole = bars.iter().map(|(bar, rows)| (bar.delta, bar.whole, rows.left_out_qty)).collect::<Vec<_>>();
    assert_eq!(whole, [(128, Seen::Yes.code(), Qty(0)), (-3, Seen::No.code(), Qty(3))]);
    assert_eq!((bars[1].0.poc_px, bars[1].1.unfinished), (Px::NONE, Extremes::None.code()));
    chain.feed(&trade(6, 2, SELL, 7, 5));
    assert_eq!(bar(&chain.feed(&tick(10))).unwrap().0.whole, Seen::Yes.code(), "there is room again");
}

/// A trade of a bar: row, side, quantity.
type Print = (i64, Side, u64);

/// The row and its volumes, unsigned, bought and sold.
fn rows(prints: &[Print]) -> BTreeMap<i64, [u64; 3]> {
    let mut rows = BTreeMap::<i64, [u64; 3]>::new();
    prints.iter().for_each(|(row, side, qty)| rows.entry(*row).or_default()[*side as usize] += qty);
    rows
}

/// Stacks of two rows or more among imbalanced ones: how many, the longest and where it begins.
fn stacks(imbalanced: &[i64]) -> (u16, u16, Option<i64>) {
    let lines = imbalanced.chunk_by(|a, b| a + 1 == *b).filter(|line| line.len() >= 2);
    let longest = lines.clone().max_by_key(|line| (line.len(), line[0]));
    (lines.count() as u16, longest.map_or(0, |line| line.len() as u16), longest.map(|line| line[0]))
}

fn compare(prints: &[Print], (bar, found): &(FootprintBar, FootprintRows), row: i64) {
    let rows = rows(prints);
    let of = |at: i64, side: Side| rows.get(&at).map_or(0, |sums| sums[side as usize]);
    let (low, high) = (*rows.keys().next().unwrap(), *rows.keys().last().unwrap());
    let volume: u64 = rows.values().flatten().sum();
    let outweighs = |qty: u64, other: u64| qty > 0 && qty * 10 >= volume && qty >= 2 * other;
    let buys: Vec<i64> = (low + 1..=high).filter(|at| outweighs(of(*at, BUY), of(at - 1, SELL))).collect();
    let sells: Vec<i64> = (low..high).filter(|at| outweighs(of(*at, SELL), of(at + 1, BUY))).collect();
    let total = |at: i64| rows.get(&at).map_or(0, |sums| sums.iter().sum::<u64>());
    let key = |at: i64| (std::cmp::Reverse(total(at)), (2 * at - low - high).abs(), at);
    let busiest = (low..=high).min_by_key(|at| key(*at)).unwrap();
    let deltas: Vec<i64> = prints
        .iter()
        .scan(0, |delta, (_, side, qty)| {
            *delta += match side {
                Side::Buy => *qty as i64,
                Side::Sell => -(*qty as i64),
                Side::None => 0,
            };
            Some(*delta)
        })
        .collect();
    let px = |at: Option<i64>| at.map_or(Px::NONE, |at| Px(at * row));
    assert_eq!(Some(&bar.delta), deltas.last());
    assert_eq!((Some(&bar.max_delta), Some(&bar.min_delta)), (deltas.iter().max(), deltas.iter().min()));
    assert_eq!(bar.poc_px, px(Some(busiest)), "{rows:?}");
    assert_eq!((found.buy_imbalances as usize, found.sell_imbalances as usize), (buys.len(), sells.len()), "{rows:?}");
    assert_eq!((found.buy_stacks, found.buy_stack_rows, found.buy_stack_px), {
        let (count, longest, from) = stacks(&buys);
        (count, longest, px(from))
    });
    assert_eq!((found.sell_stacks, found.sell_stack_rows, found.sell_stack_px), {
        let (count, longest, from) = stacks(&sells);
        (count, longest, px(from))
    });
    let both = |at: i64| of(at, BUY) > 0 && of(at, SELL) > 0;
    assert_eq!(found.unfinished, Extremes::of(both(high), both(low)).code());
}

/// Tenths of a second since the last, instrument, price in ticks, side, quantity, whether it is broken at once.
type Step = (u64, u32, i64, u8, u64, bool);

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let gap = prop_oneof![12 => 0..4_u64, 1 => 0..90_u64];
    let px = prop_oneof![12 => 990..1_006_i64, 1 => -30..0_i64];
    prop::collection::vec((gap, 1..4_u32, px, 0..3_u8, 1..30_u64, prop::bool::weighted(0.1)), 1..400)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]
    #[test]
    fn rows_are_the_references(steps in steps(), save_at in 0..400_usize) {
        let set = [("row_ticks", "2"), ("stack_rows", "2"), ("ratio", "2"), ("least_part", "10")];
        let (mut chain, row) = (Chain::new(&set), 2 * TICK);
        let mut prints: [(u64, Vec<Print>); 4] = Default::default();
        let mut tenths = 0;
        for (at, (gap, instrument, px, side, qty, is_broken)) in steps.into_iter().enumerate() {
            if at == save_at {
                let mut listings = Listings::default();
                for instrument in 1..4 {
                    let all = crate::stream::listing(instrument, flow::BookKind::None, flow::InstrumentType::Equity);
                    all.iter().for_each(|event| listings.observe(event));
                }
                let saved = harness::saved(&chain.behind.stage, &listings);
                let mut loaded = behind(&set);
                harness::load(&mut loaded.stage, &listings, &saved).unwrap();
                prop_assert!(harness::saved(&loaded.stage, &listings) == saved);
                chain.behind = loaded;
            }
            tenths += gap;
            let side = [Side::None, BUY, SELL][usize::from(side)];
            let fed = Event { ts: Ns(START * Ns::SECOND + tenths * 100_000_000), ..trade(0, instrument, side, px, qty) };
            let emitted = chain.feed(&fed);
            let (bar_of, all) = &mut prints[instrument as usize];
            if *bar_of != tenths / 50 {
                prop_assert_eq!(bar(&emitted).is_some(), !all.is_empty());
                if let Some(ended) = bar(&emitted) {
                    compare(all, &ended, row);
                }
                (*bar_of, *all) = (tenths / 50, Vec::new());
            }
            all.push((px.div_euclid(2), side, qty));
            let told: &Footprint = emitted[0].0.record();
            let sums = rows(all)[&px.div_euclid(2)].map(Qty);
            prop_assert_eq!([told.unsigned_qty, told.buy_qty, told.sell_qty], sums);
            // One that is not the first: the extremes of the delta stay as they were seen, so it is one without a side.
            if is_broken && all.len() > 1 && side == Side::None {
                all.pop();
                let emitted = chain.feed(&Event { ts: fed.ts, ..breaks(0, instrument, &fed) });
                let told: &Footprint = emitted[0].0.record();
                let sums = rows(all).get(&px.div_euclid(2)).copied().unwrap_or_default().map(Qty);
                prop_assert_eq!([told.unsigned_qty, told.buy_qty, told.sell_qty], sums);
            }
        }
    }
}

#[test]
fn a_broken_trade_leaves_its_row_and_the_delta() {
    let mut chain = Chain::new(&[]);
    let first = trade(0, 1, BUY, 10, 50);
    chain.feed(&first);
    chain.feed(&trade(1, 1, SELL, 9, 20));
    let emitted = chain.feed(&breaks(2, 1, &first));
    let row: &Footprint = emitted[0].0.record();
    assert_eq!((row.row_px, row.buy_qty), (Px(10 * TICK), Qty(0)));
    let (bar, _) = bar(&chain.feed(&tick(5))).unwrap();
    assert_eq!((bar.delta, bar.max_delta, bar.min_delta, bar.poc_px), (-20, 50, -20, Px(9 * TICK)));
}

#[test]
fn another_price_step_begins_bars_anew() {
    let mut chain = Chain::new(&[]);
    chain.feed(&trade(0, 1, BUY, 10, 50));
    let listing = Listing { tick_px: Px(2 * TICK), ..Listing::default() };
    chain.feed(&Event::new(at(0), 1, Flags::NONE, &listing));
    let emitted = chain.feed(&trade(1, 1, BUY, 11, 5));
    let row: &Footprint = emitted[0].0.record();
    assert_eq!((row.row_px, row.buy_qty), (Px(10 * TICK), Qty(5)));
}

#[test]
fn a_length_that_is_none_or_a_day_is_refused() {
    for length in ["7s", "1d"] {
        let params = harness::params("footprint", &[("interval", length)]);
        assert_eq!(Host::<One<FootprintMeasure>>::alone(&params, SPACE).err().unwrap().key, "footprint.interval");
    }
}
