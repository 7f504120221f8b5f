//! Patterns of trades: odd lots, blocks, sweeps, hidden orders and icebergs; and how aggressive the last trades were by them.
//!
//! Each pattern is told by itself, and where a feed does not say enough it is unknown and not absent. The score is the mean of the weights of
//! the last trades by their quantity, most of which show no pattern and weigh nothing.
//!
//! Bound: about 450 bytes an instrument, and 16 a trade of the window. Worst case: a trade that has gone through 16 prices, or an order that
//! is added where four were executed: a look at each.

mod icebergs;
mod sweep;

use super::last_trades::{Beside, Every, Kept, Sums, Weighed, weight_of};
use super::{Context, Measure, Needs, Touch, counted, emit, inferred};
use crate::Space;
use flow::records::{Add, Anomaly, Listing, PatternScore, Trade, TradePattern};
use flow::{
    AnomalyKind, BoolParam, ChoiceParam, Event, Flags, FloatParam, HiddenTrade, IcebergTrade, IntParam, Kind, Kinds,
    Ns, Out, Param, ParamError, Params, Px, Real, Side, StateError, Tell, choices,
};
use icebergs::Icebergs;
use serde::{Deserialize, Serialize};
use sweep::{PRICES, Run};

/// Where the round lot comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum RoundLots {
    /// The listing.
    Listing,
    /// The price of the trade, by the table that is in force since 2025-11-03.
    Tiers,
}

const ROUND_LOTS: ChoiceParam<RoundLots> = ChoiceParam::new(
    "round_lots",
    choices! { "listing" => RoundLots::Listing, "tiers-2025" => RoundLots::Tiers },
    "listing",
    "where the round lot comes from: the listing, or the price of the trade by the table of 2025-11-03",
);
const BLOCK_QTY: IntParam =
    IntParam::new("block_qty", (1, 1_000_000_000_000), "10000", "a trade of so many is a block").unit("shares");
const BLOCK_VALUE: IntParam =
    IntParam::new("block_value", (1, 1_000_000_000_000), "200000", "and so is one that is worth so much")
        .unit("the instrument's currency");
const SWEEP_PRICES: IntParam<u8> =
    IntParam::new("sweep_prices", (2, PRICES as u64), "3", "so many prices, taken by one side, are a sweep");
const SWEEP_MS: IntParam =
    IntParam::new("sweep_ms", (1, 60_000), "100", "when they are taken within this time").unit("ms");
const ICEBERGS: BoolParam = BoolParam::new(
    "icebergs",
    true,
    "look for icebergs, where a feed names orders; every order that is added is then read",
);
const REFILL_MS: IntParam =
    IntParam::new("refill_ms", (1, 60_000), "300", "an order in the place of an executed one comes within this time")
        .unit("ms");
const REFILLS: IntParam<u8> =
    IntParam::new("refills", (1, 255), "2", "so many orders in the place of executed ones are an iceberg");
const ODD_LOT: FloatParam = FloatParam::new("odd_lot", (-1.0, 1.0), "0.7", "weight of an odd lot in the score");
const SWEEP: FloatParam = FloatParam::new("sweep", (-1.0, 1.0), "0.9", "weight of a sweep");
const BLOCK: FloatParam = FloatParam::new("block", (-1.0, 1.0), "-0.5", "weight of a block");
const WINDOW: IntParam<u16> =
    IntParam::new("window", (1, 10_000), "500", "trades that the score is of; 16 bytes each per instrument")
        .unit("trades");
const EVERY: IntParam<u32> = IntParam::new(
    "every",
    (0, 86_400),
    "1",
    "the score is emitted at the first trade of every interval of this length; 0 = at every trade",
)
.unit("seconds");

/// Parameters.
pub const PARAMS: &[Param] = &[
    ROUND_LOTS.param(),
    BLOCK_QTY.param(),
    BLOCK_VALUE.param(),
    SWEEP_PRICES.param(),
    SWEEP_MS.param(),
    ICEBERGS.param(),
    REFILL_MS.param(),
    REFILLS.param(),
    ODD_LOT.param(),
    SWEEP.param(),
    BLOCK.param(),
    WINDOW.param(),
    EVERY.param(),
];

/// Nanoseconds of a millisecond.
const MS: u64 = 1_000_000;

/// Marks of a trade in the window.
const IS_ODD_LOT: u8 = 1;
const IS_SWEEP: u8 = 2;
const IS_BLOCK: u8 = 4;

/// The measure `patterns`.
pub struct Patterns {
    round_lots: RoundLots,
    block_qty: u64,
    block_value: u64,
    sweep_prices: u8,
    sweep_ns: u64,
    icebergs: bool,
    refill_ns: u64,
    refills: u8,
    /// By the marks of a trade.
    weights: [i16; 8],
    window: u16,
    every: Every,
}

/// What is kept of an instrument.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Market {
    /// Of its listing; 0 = not known.
    round_lot: u32,
    /// Units of its quantities in a share, and price times quantity of a unit of money; 0 = it was not listed.
    share: u64,
    money: u128,
    /// Interval of the last score.
    said: u64,
    run: Run,
    icebergs: Icebergs,
}

impl Kept for Market {
    fn check(&self) -> Result<(), StateError> {
        let is_sound = self.run.is_sound();
        if is_sound { Ok(()) } else { Err(StateError::Inconsistent("a run of more prices than are kept")) }
    }
}

/// Its state.
type State = Beside<Market>;

/// The weight of every set of marks: that of its patterns together, within -1 and 1.
fn weights(params: &Params) -> [i16; 8] {
    let each = [params.get(ODD_LOT), params.get(SWEEP), params.get(BLOCK)];
    std::array::from_fn(|marks| {
        let of = |mark: usize| if marks >> mark & 1 == 1 { each[mark] } else { 0.0 };
        weight_of((of(0) + of(1) + of(2)).clamp(-1.0, 1.0))
    })
}

impl Measure for Patterns {
    type Records = (TradePattern, PatternScore);
    type State = State;

    fn new(params: &Params, space: Space) -> Result<(Patterns, State), ParamError> {
        let window = params.get(WINDOW);
        let measure = Patterns {
            round_lots: params.get(ROUND_LOTS),
            block_qty: params.get(BLOCK_QTY),
            block_value: params.get(BLOCK_VALUE),
            sweep_prices: params.get(SWEEP_PRICES),
            sweep_ns: params.get(SWEEP_MS) * MS,
            icebergs: params.get(ICEBERGS),
            refill_ns: params.get(REFILL_MS) * MS,
            refills: params.get(REFILLS),
            weights: weights(params),
            window,
            every: Every { seconds: params.get(EVERY) },
        };
        Ok((measure, State::new(space, window)))
    }

    #[inline(always)]
    fn reads(&self) -> Kinds {
        match self.icebergs {
            true => const { Kinds::of(&[Kind::Listing, Kind::Trade, Kind::Add, Kind::Anomaly]) },
            false => const { Kinds::of(&[Kind::Listing, Kind::Trade]) },
        }
    }

    fn needs(&self) -> Needs {
        Needs { touch: true, ..Needs::NONE }
    }

    fn terms(&self) -> Vec<u64> {
        let weights = self.weights.iter().map(|weight| u64::from(weight.cast_unsigned()));
        [self.window.into()].into_iter().chain(weights).collect()
    }

    #[inline(always)]
    fn run(&self, state: &mut State, context: &Context, event: &Event, out: &mut Out) {
        match event.kind {
            Kind::Trade => self.trade(state, context, event, out),
            Kind::Add if self.icebergs => self.add(state, event),
            Kind::Anomaly if self.icebergs => state.overfilled(event),
            Kind::Listing => state.listing(event),
            _ => {}
        }
    }
}

impl Patterns {
    #[inline]
    fn add(&self, state: &mut State, event: &Event) {
        let Some(market) = state.kept.get_mut(event.instrument) else { return };
        let (add, since): (&Add, _) = (event.record(), Ns(event.ts.0.saturating_sub(self.refill_ns)));
        market.icebergs.add(add.order_ref, event.side(), add.px, add.qty.0, since);
    }

    fn trade(&self, state: &mut State, context: &Context, event: &Event, out: &mut Out) {
        let (Some(trade), Some(market)) = (counted(event), state.kept.get_mut(event.instrument)) else { return };
        let pattern = self.pattern(market, context.touch(event.instrument), event, trade);
        let marks = marks(&pattern);
        if marks != 0 || is_hidden(&pattern) || is_iceberg(&pattern) {
            let badge = Flags::side_only(event.side()).with(inferred(event));
            let weight = Real::of(f64::from(self.weights[usize::from(marks)]) / super::last_trades::SCALE);
            emit(&TradePattern { weight, ..pattern }, badge, event, out);
        }
        let weighed = Weighed { qty: trade.qty.0, weight: self.weights[usize::from(marks)], marks };
        let is_due = self.every.is_due(event.ts, &mut market.said);
        let Some(sums) = state.trades.push(event.instrument, weighed).filter(|_| is_due) else { return };
        emit(&self.score(sums), inferred(event), event, out);
    }

    /// What a trade shows.
    fn pattern(&self, market: &mut Market, touch: Touch, event: &Event, trade: &Trade) -> TradePattern {
        let round_lot = self.round_lot(market, trade.px);
        let is_odd_lot = round_lot.map(|lot| trade.qty.0 < u64::from(lot).saturating_mul(market.share));
        let levels = self.prices(market, event, trade.px);
        let (iceberg, refills) = self.iceberg(market, event, trade);
        TradePattern {
            px: trade.px,
            qty: trade.qty,
            weight: Real::NONE,
            round_lot: round_lot.unwrap_or(u32::MAX),
            odd_lot: Tell::of(is_odd_lot).code(),
            block: Tell::of(self.is_block(market, trade)).code(),
            sweep: Tell::of((levels > 0).then_some(levels >= self.sweep_prices)).code(),
            hidden: hidden(touch, event.flags, trade).code(),
            iceberg: iceberg.code(),
            levels,
            refills,
            ..TradePattern::default()
        }
    }

    fn round_lot(&self, market: &Market, px: Px) -> Option<u32> {
        match self.round_lots {
            RoundLots::Listing => Some(market.round_lot).filter(|lot| *lot > 0),
            RoundLots::Tiers => Some(tier(px)),
        }
    }

    /// By its quantity, or by its value if the instrument is listed.
    fn is_block(&self, market: &Market, trade: &Trade) -> Option<bool> {
        if market.share == 0 {
            return None;
        }
        let value = u128::from(trade.px.0.max(0).unsigned_abs()) * u128::from(trade.qty.0);
        let least = market.money.saturating_mul(self.block_value.into());
        Some(trade.qty.0 >= self.block_qty.saturating_mul(market.share) || value >= least)
    }

    /// How many prices the aggressor of a trade has taken; 0 without one.
    fn prices(&self, market: &mut Market, event: &Event, px: Px) -> u8 {
        if event.side() == Side::None || event.flags.has(Flags::AUCTION) {
            return 0;
        }
        market.run.trade(event.side(), px, event.ts, Ns(event.ts.0.saturating_sub(self.sweep_ns)))
    }

    fn iceberg(&self, market: &mut Market, event: &Event, trade: &Trade) -> (IcebergTrade, u8) {
        let is_told = trade.order_ref != 0 && event.side() != Side::None && !event.flags.has(Flags::HIDDEN);
        if !self.icebergs || !is_told {
            return (IcebergTrade::Unknown, 0);
        }
        let resting = event.side().opposite();
        let (refills, is_native) = market.icebergs.trade(trade.order_ref, resting, trade.px, trade.qty.0, event.ts);
        let found = match is_native {
            true => IcebergTrade::Native,
            false if refills >= self.refills => IcebergTrade::Synthetic,
            false => IcebergTrade::No,
        };
        (found, refills)
    }

    fn score(&self, sums: &Sums) -> PatternScore {
        let [odd_lots, sweeps, blocks] = sums.marks;
        PatternScore {
            score: Real::of(sums.mean().map(|mean| (0.5 + mean / 2.0).clamp(0.0, 1.0))),
            volume: sums.volume(),
            trades: sums.trades,
            window: self.window,
            odd_lots,
            sweeps,
            blocks,
            ..PatternScore::default()
        }
    }
}

/// The round lot of a stock at this price, by the table in force since 2025-11-03.
fn tier(px: Px) -> u32 {
    const TIERS: [(i64, u32); 3] = [(250, 100), (1_000, 40), (10_000, 10)];
    TIERS.iter().find(|(up_to, _)| px.0 <= up_to * Px::ONE).map_or(1, |(_, lot)| *lot)
}

/// Whether a trade was against an order that was not displayed.
fn hidden(touch: Touch, flags: Flags, trade: &Trade) -> HiddenTrade {
    let touch = touch.bid_px.known().zip(touch.ask_px.known());
    match touch {
        _ if flags.has(Flags::HIDDEN) => HiddenTrade::Reported,
        _ if flags.has(Flags::AUCTION) => HiddenTrade::No,
        Some((bid, ask)) if bid < trade.px && trade.px < ask => HiddenTrade::Inside,
        None if trade.order_ref == 0 => HiddenTrade::Unknown,
        _ => HiddenTrade::No,
    }
}

fn is_hidden(of: &TradePattern) -> bool {
    [HiddenTrade::Reported, HiddenTrade::Inside].map(HiddenTrade::code).contains(&of.hidden)
}

fn is_iceberg(of: &TradePattern) -> bool {
    [IcebergTrade::Native, IcebergTrade::Synthetic].map(IcebergTrade::code).contains(&of.iceberg)
}

/// The marks of a trade in the window.
fn marks(of: &TradePattern) -> u8 {
    let mark = |told: u8, mark: u8| if told == Tell::Yes.code() { mark } else { 0 };
    mark(of.odd_lot, IS_ODD_LOT) | mark(of.sweep, IS_SWEEP) | mark(of.block, IS_BLOCK)
}

impl Beside<Market> {
    #[cold]
    fn listing(&mut self, event: &Event) {
        let Some(market) = self.kept.get_mut(event.instrument) else { return };
        let listing: &Listing = event.record();
        market.round_lot = listing.round_lot;
        market.share = 10_u64.checked_pow(listing.qty_decimals.into()).unwrap_or(0);
        // Price in 1e-9 times quantity in its units, of one unit of money.
        let units = u128::from(market.share) * u128::from(Px::ONE.unsigned_abs());
        let multiplier = u128::from(listing.multiplier.max(0).unsigned_abs());
        // Without a multiplier nobody knows what a trade is worth, and only its quantity counts.
        market.money = (units * u128::from(Px::ONE.unsigned_abs())).div_ceil(multiplier.max(1));
        if multiplier == 0 {
            market.money = u128::MAX;
        }
    }

    #[cold]
    fn overfilled(&mut self, event: &Event) {
        let anomaly: &Anomaly = event.record();
        if anomaly.what == AnomalyKind::Overfill.code()
            && let Some(market) = self.kept.get_mut(event.instrument)
        {
            market.icebergs.overfilled(anomaly.detail);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn round_lots_by_price_are_those_of_the_table() {
        let cents = |cents: i64| tier(Px::from_scaled(cents, 2));
        let at = [25_000, 25_001, 100_000, 100_001, 1_000_000, 1_000_001].map(cents);
        assert_eq!(at, [100, 40, 40, 10, 10, 1]);
    }

    #[test]
    fn patterns_of_one_trade_weigh_together() {
        let params = Params::defaults(PARAMS);
        assert_eq!(weights(&params), [0, 7_000, 9_000, 10_000, -5_000, 2_000, 4_000, 10_000]);
    }
}
