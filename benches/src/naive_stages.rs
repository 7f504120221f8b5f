//! Naive measures: every definition written down straight, on the standard collections.
//!
//! Each gives, to the bit, what the engine's stage of the same name emits on the same events: a map of instruments, a
//! queue for what slides, sums taken anew when they are asked for. What is left out is what the benchmark does not feed:
//! snapshots, trades without a price, states that are saved, answers to orders.

use flow::records::{Bar, BarFlow, BookTop, Cvd, Imbalance, Listing, Tick, Trade, Vpin, VpinFlow};
use flow::{BarDay, Calendar, Event, Interval, Kind, Mic, Ns, Px, Qty, Real, Record, Side};
use std::collections::{BTreeMap, HashMap, VecDeque};

/// A sum over what was emitted, in its order.
#[derive(Default)]
pub struct Tally(pub u64);

impl Tally {
    /// Adds the body of an event.
    #[inline]
    pub fn add(&mut self, instrument: u32, body: &[u8; 40]) {
        let [a, b, c, d, e]: [u64; 5] = bytemuck::cast(*body);
        let all = a ^ b.rotate_left(13) ^ c.rotate_left(27) ^ d.rotate_left(41) ^ e.rotate_left(53);
        self.0 = self.0.rotate_left(7).wrapping_add(all ^ u64::from(instrument));
    }

    pub(crate) fn push<R: Record>(&mut self, instrument: u32, record: &R) {
        self.add(instrument, bytemuck::cast_ref(record));
    }
}

/// What reads events and adds its results to the tally.
pub trait Naive {
    /// Takes an event.
    fn on_event(&mut self, event: &Event, tally: &mut Tally);
}

/// The days of instruments.
#[derive(Default)]
struct Days {
    calendars: HashMap<u32, Mic>,
    ends: HashMap<u32, Ns>,
}

impl Days {
    fn listed(&mut self, event: &Event) {
        if let Some(listing) = event.get::<Listing>() {
            self.calendars.insert(event.instrument, Mic(listing.calendar));
        }
    }

    /// Whether another day begins.
    fn turns(&mut self, instrument: u32, ts: Ns) -> bool {
        if self.ends.get(&instrument).is_some_and(|end| ts < *end) {
            return false;
        }
        let day = Interval::from_seconds(86_400).expect("a day is a length");
        let calendar = self.calendars.get(&instrument).copied().unwrap_or(Mic(*b"----"));
        self.ends.insert(instrument, day.bounds(ts, || BarDay::without_hours(Calendar::of(calendar), ts)).1);
        true
    }
}

/// Signed volume.
#[derive(Default)]
pub struct SignedVolume {
    days: Days,
    sums: HashMap<u32, (HashMap<Side, u64>, u32)>,
}

impl Naive for SignedVolume {
    fn on_event(&mut self, event: &Event, tally: &mut Tally) {
        let Some(trade) = event.get::<Trade>() else { return self.days.listed(event) };
        if self.days.turns(event.instrument, event.ts) {
            self.sums.remove(&event.instrument);
        }
        let (sums, trades) = self.sums.entry(event.instrument).or_default();
        *sums.entry(event.side()).or_default() += trade.qty.0;
        *trades += 1;
        let sum = |side| sums.get(&side).copied().unwrap_or(0);
        let (buy, sell, unsigned) = (sum(Side::Buy), sum(Side::Sell), sum(Side::None));
        let cvd = Cvd {
            cvd: buy as i64 - sell as i64,
            buy_qty: Qty(buy),
            sell_qty: Qty(sell),
            unsigned_qty: Qty(unsigned),
            trades: *trades,
            instance: 0,
            reserved: [0; 3],
        };
        tally.push(event.instrument, &cvd);
    }
}

/// Imbalance of the touch.
pub struct Lean;

/// The nearest whole number to a quotient, half to even.
fn half_even(a: i128, b: i128) -> i64 {
    let (down, rest) = (a.div_euclid(b), a.rem_euclid(b));
    let up = 2 * rest > b || (2 * rest == b && down % 2 != 0);
    (down + i128::from(up)) as i64
}

impl Naive for Lean {
    fn on_event(&mut self, event: &Event, tally: &mut Tally) {
        let Some(top) = event.get::<BookTop>() else { return };
        let mut imbalance = Imbalance {
            l1: Real::NONE,
            depth: Real::NONE,
            mid: Px::NONE,
            weighted_mid: Px::NONE,
            levels: 1,
            weighting: 1,
            instance: 0,
            reserved: [0; 2],
        };
        if let (Some(bid), Some(ask)) = (top.bid_px.known(), top.ask_px.known()) {
            let (bid_qty, ask_qty) = (top.bid_qty.0, top.ask_qty.0);
            let [bid, ask, b, a] = [bid.0.into(), ask.0.into(), i128::from(bid_qty), i128::from(ask_qty)];
            let l1 = (bid_qty as f64 - ask_qty as f64) / (bid_qty as f64 + ask_qty as f64);
            imbalance.l1 = Real::of(l1);
            imbalance.depth = Real::of(l1);
            imbalance.mid = Px(half_even(bid + ask, 2));
            imbalance.weighted_mid = Px(half_even(ask * b + bid * a, a + b));
        }
        tally.push(event.instrument, &imbalance);
    }
}

/// Buckets of an instrument.
#[derive(Default)]
struct Filling {
    filled: u64,
    bought: u64,
    imbalances: VecDeque<u64>,
    closed: u64,
    sums: [u64; 3],
}

/// VPIN by aggressor, or by the moves of bars.
pub struct Toxicity {
    quantity: u64,
    window: usize,
    /// Bars of this length, moves that sigma is over.
    bulk: Option<(u32, usize)>,
    days: Days,
    flows: HashMap<u32, Filling>,
    moves: HashMap<u32, Moves>,
}

#[derive(Default)]
struct Moves {
    last: Option<i64>,
    moves: VecDeque<i64>,
    /// Start and part of the bar whose volume comes next.
    part: (u32, u64),
    carry: u64,
}

const ALL: u64 = 1 << 52;

impl Toxicity {
    /// By aggressor.
    pub fn exact(quantity: u64, window: usize) -> Toxicity {
        let (days, flows, moves) = (Days::default(), HashMap::new(), HashMap::new());
        Toxicity { quantity, window, bulk: None, days, flows, moves }
    }

    /// By bars of so many seconds.
    pub fn bulk(quantity: u64, window: usize, seconds: u32, bars: usize) -> Toxicity {
        Toxicity { bulk: Some((seconds, bars)), ..Toxicity::exact(quantity, window) }
    }

    fn shift(&self) -> u32 {
        let all = self.quantity * self.window as u64;
        if self.bulk.is_some() { (all.leading_zeros() - 1).min(32) } else { 0 }
    }

    /// Fills buckets with a volume of which `part` of 2^52 was bought.
    fn fill(&mut self, instrument: u32, volume: u64, part: u64, tally: &mut Tally) {
        let (quantity, window, shift) = (self.quantity, self.window, self.shift());
        let flow = self.flows.entry(instrument).or_default();
        let units = |first: u64| ((u128::from(first) * u128::from(part)) >> (52 - shift)) as u64;
        let (mut done, mut closed, mut last) = (0, 0, 0);
        while done < volume {
            let piece = (quantity - flow.filled).min(volume - done);
            flow.bought += units(done + piece) - units(done);
            flow.filled += piece;
            done += piece;
            if flow.filled == quantity {
                last = flow.bought;
                flow.imbalances.push_back(last.abs_diff((quantity << shift) - last));
                if flow.imbalances.len() > window {
                    flow.imbalances.pop_front();
                }
                (flow.filled, flow.bought, closed) = (0, 0, closed + 1);
            }
        }
        if closed == 0 {
            return;
        }
        flow.closed += closed;
        let whole = ((quantity * window as u64) << shift) as f64;
        let mean = flow.imbalances.iter().sum::<u64>() as f64 / whole;
        let bought = (last + ((1 << shift) >> 1)) >> shift;
        let vpin = Vpin {
            vpin: Real::of((flow.imbalances.len() == window).then_some(mean)),
            bucket_qty: Qty(quantity),
            buckets: flow.closed,
            closed: closed as u32,
            window: window as u32,
            mode: if self.bulk.is_some() { 2 } else { 1 },
            instance: 0,
            reserved: [0; 6],
        };
        let volumes = VpinFlow {
            buy_qty: Qty(flow.sums[0]),
            sell_qty: Qty(flow.sums[1]),
            unsigned_qty: Qty(flow.sums[2]),
            bucket_buy_qty: Qty(bought),
            bucket_sell_qty: Qty(quantity - bought),
        };
        tally.push(instrument, &vpin);
        tally.push(instrument, &volumes);
    }

    fn session(&mut self, instrument: u32, ts: Ns) -> bool {
        let turns = self.days.turns(instrument, ts);
        if turns {
            let flow = self.flows.entry(instrument).or_default();
            (flow.closed, flow.sums) = (0, [0; 3]);
        }
        turns
    }

    fn trade(&mut self, event: &Event, trade: &Trade, tally: &mut Tally) {
        self.session(event.instrument, event.ts);
        let sums = &mut self.flows.entry(event.instrument).or_default().sums;
        let part = match event.side() {
            Side::None => {
                sums[2] += trade.qty.0;
                return;
            }
            Side::Buy => ALL,
            Side::Sell => 0,
        };
        sums[usize::from(part == 0)] += trade.qty.0;
        self.fill(event.instrument, trade.qty.0, part, tally);
    }

    fn bar(&mut self, event: &Event, bars: usize) {
        let bar: &Bar = event.record();
        let moves = self.moves.entry(event.instrument).or_default();
        let last = moves.last.replace(bar.close.0);
        let mut part = ALL / 2;
        if let Some(last) = last {
            let by = bar.close.0 - last;
            moves.moves.push_back(by);
            if moves.moves.len() > bars {
                moves.moves.pop_front();
            }
            let n = moves.moves.len() as i128;
            let sum: i128 = moves.moves.iter().map(|m| i128::from(*m)).sum();
            let squares: i128 = moves.moves.iter().map(|m| i128::from(*m) * i128::from(*m)).sum();
            let spread = n * squares - sum * sum;
            if spread > 0 {
                let sigma = (spread as f64).sqrt() / n as f64;
                let bought = 0.5 * libm::erfc(-(by as f64) / sigma * std::f64::consts::FRAC_1_SQRT_2);
                part = (bought.clamp(0.0, 1.0) * ALL as f64 + 0.5) as u64;
            }
        }
        moves.part = (bar.start_s, part);
    }

    fn volume(&mut self, event: &Event, tally: &mut Tally) {
        let volume = event.record::<BarFlow>().volume.0;
        let Some((start, part)) = self.moves.get(&event.instrument).map(|m| m.part) else { return };
        let turned = self.session(event.instrument, Ns(u64::from(start) * Ns::SECOND));
        let shift = self.shift();
        let moves = self.moves.entry(event.instrument).or_default();
        let carry = if turned { 0 } else { moves.carry };
        let units = ((u128::from(volume) * u128::from(part)) >> (52 - shift)) + u128::from(carry);
        let bought = (units >> shift) as u64;
        moves.carry = (units & ((1 << shift) - 1)) as u64;
        let sums = &mut self.flows.entry(event.instrument).or_default().sums;
        (sums[0], sums[1]) = (sums[0] + bought, sums[1] + volume - bought);
        self.fill(event.instrument, volume, part, tally);
    }
}

impl Naive for Toxicity {
    fn on_event(&mut self, event: &Event, tally: &mut Tally) {
        match (event.kind, self.bulk) {
            (Kind::Trade, None) => self.trade(event, event.record(), tally),
            (Kind::Bar, Some((seconds, bars))) if event.record::<Bar>().interval_s == seconds => self.bar(event, bars),
            (Kind::BarFlow, Some((seconds, _))) if event.record::<BarFlow>().interval_s == seconds => {
                self.volume(event, tally);
            }
            _ => self.days.listed(event),
        }
    }
}

/// A bar that is open.
struct Open {
    end: Ns,
    prices: Bar,
    flow: BarFlow,
    money: i128,
}

/// Bars of one length below a day.
pub struct Bars {
    interval: Interval,
    open: BTreeMap<u32, Open>,
}

impl Bars {
    /// Of so many seconds.
    ///
    /// # Panics
    /// When that is no length.
    pub fn new(seconds: u32) -> Bars {
        Bars { interval: Interval::from_seconds(seconds).expect("a length"), open: BTreeMap::new() }
    }

    fn close(&mut self, first: u32, last: u32, ts: Ns, tally: &mut Tally) {
        let due: Vec<u32> = self.open.range(first..=last).filter(|(_, o)| ts >= o.end).map(|(i, _)| *i).collect();
        for instrument in due {
            let open = self.open.remove(&instrument).expect("it is open");
            let vwap = Px(half_even(open.money, i128::from(open.flow.volume.0)));
            tally.push(instrument, &open.prices);
            tally.push(instrument, &BarFlow { vwap, ..open.flow });
        }
    }
}

impl Naive for Bars {
    fn on_event(&mut self, event: &Event, tally: &mut Tally) {
        if let Some(tick) = event.get::<Tick>() {
            return self.close(tick.first, tick.last, event.ts, tally);
        }
        let Some(trade) = event.get::<Trade>() else { return };
        self.close(event.instrument, event.instrument, event.ts, tally);
        let (start, end) = self.interval.bounds(event.ts, || BarDay::without_hours(Calendar::Utc, event.ts));
        let (px, interval_s) = (trade.px, self.interval.seconds());
        let open = self.open.entry(event.instrument).or_insert_with(|| {
            let start_s = (start.0 / Ns::SECOND) as u32;
            let prices = Bar { open: px, high: px, low: px, close: px, start_s, interval_s };
            Open { end, prices, flow: BarFlow { interval_s, ..BarFlow::default() }, money: 0 }
        });
        open.prices.high = open.prices.high.max(px);
        open.prices.low = open.prices.low.min(px);
        open.prices.close = px;
        open.money += i128::from(px.0) * i128::from(trade.qty.0);
        open.flow.volume.0 += trade.qty.0;
        open.flow.trades += 1;
        match event.side() {
            Side::Buy => open.flow.buy_volume.0 += trade.qty.0,
            Side::Sell => open.flow.sell_volume.0 += trade.qty.0,
            Side::None => {}
        }
    }
}
