//! Imbalance of the book: which side has more resting quantity.
//!
//! It is computed when the book emits a new touch, at the end of a group of changes. All levels of the group are known by
//! then, because a stage's events pass the pipeline in order.

use super::depth::quantities;
use super::{Context, Depth, DepthLimits, Measure, Needs};
use crate::Space;
use flow::records::{self, BookTop};
use flow::{
    ChoiceParam, Event, FloatParam, IntParam, Kind, Kinds, Param, ParamError, Params, Px, Real, Side, Weighting,
    divide_half_even,
};

/// Most levels per side.
const DEEPEST: u64 = 64;

const LEVELS: IntParam = IntParam::new(
    "levels",
    (1, DEEPEST),
    "5",
    "best levels per side in the depth measure; 1 = the touch, and no levels are read or kept",
)
.unit("levels");
const WEIGHTING: ChoiceParam<Weighting> = ChoiceParam::new(
    "weighting",
    Weighting::CHOICES,
    "equal",
    "weight of the k-th level, from 1: 1, 1/k, or exp(-lambda (k - 1))",
);
const LAMBDA: FloatParam =
    FloatParam::new("lambda", (0.0, 100.0), "0.5", "decay of exponential weights from level to level");
const MAX_LEVELS: IntParam<u32> = IntParam::new(
    "max_levels",
    (16, 16_777_216),
    "262144",
    "price levels kept over all books; 110 bytes each, taken as they come; none if levels = 1",
)
.unit("levels");
const MAX_BOOKS: IntParam<u32> = IntParam::new(
    "max_books",
    (1, 1_048_576),
    "16384",
    "instruments whose levels are kept; 580 bytes each, taken as they come; none if levels = 1",
)
.unit("books");

/// Parameters.
pub const PARAMS: &[Param] =
    &[LEVELS.param(), WEIGHTING.param(), LAMBDA.param(), MAX_LEVELS.param(), MAX_BOOKS.param()];

/// The measure `imbalance`.
pub struct Imbalance {
    weighting: Weighting,
    /// Weights of the levels, best first.
    weights: Box<[f64]>,
    /// `None` = only the touch is needed.
    depth: Option<DepthLimits>,
}

impl Imbalance {
    fn read(params: &Params) -> Imbalance {
        let (weighting, levels, lambda) = (params.get(WEIGHTING), params.get(LEVELS), params.get(LAMBDA));
        let weight = |k: u64| match weighting {
            Weighting::Equal => 1.0,
            Weighting::Harmonic => 1.0 / k as f64,
            Weighting::Exponential => libm::exp(-lambda * (k - 1) as f64),
        };
        let limits = DepthLimits { books: params.get(MAX_BOOKS), levels: params.get(MAX_LEVELS) };
        Imbalance { weighting, weights: (1..=levels).map(weight).collect(), depth: (levels > 1).then_some(limits) }
    }

    /// The depth measure; absent if the depth is unknown or does not begin with the touch of the event.
    fn depth(&self, instrument: u32, top: &BookTop, l1: Real, context: &Context) -> Real {
        if self.depth.is_none() {
            return l1;
        }
        let book = match context.depth(instrument) {
            Depth::Levels(book) => book,
            Depth::TouchOnly => return l1,
            Depth::Unknown => return Real::NONE,
        };
        let kept = book.top();
        let touch = (top.bid_px, top.bid_qty.0, top.ask_px, top.ask_qty.0);
        if (kept.bid_px, kept.bid_qty, kept.ask_px, kept.ask_qty) != touch {
            return Real::NONE;
        }
        let weighed = |side| self.weights.iter().zip(quantities(&book, side)).map(|(w, qty)| w * qty).sum::<f64>();
        balance(weighed(Side::Buy), weighed(Side::Sell))
    }
}

impl Measure for Imbalance {
    type Records = records::Imbalance;
    type State = ();

    fn new(params: &Params, _: Space) -> Result<(Imbalance, ()), ParamError> {
        Ok((Imbalance::read(params), ()))
    }

    #[inline(always)]
    fn reads(&self) -> Kinds {
        const { Kinds::of(&[Kind::BookTop]) }
    }

    #[inline(always)]
    fn needs(&self) -> Needs {
        Needs { depth: self.depth, ..Needs::NONE }
    }

    fn terms(&self) -> Vec<u64> {
        vec![u64::from(self.depth.is_some())]
    }

    #[inline(always)]
    fn on(&self, (): &mut (), context: &Context, event: &Event) -> Option<records::Imbalance> {
        let top: &BookTop = event.get()?;
        let (levels, weighting) = (self.weights.len() as u32, self.weighting.code());
        let touch = (top.bid_px.known(), top.ask_px.known());
        let ((Some(bid), Some(ask)), true) = (touch, top.bid_qty.0 > 0 && top.ask_qty.0 > 0) else {
            let (l1, depth, none) = (Real::NONE, Real::NONE, Px::NONE);
            return Some(records::Imbalance {
                l1,
                depth,
                mid: none,
                weighted_mid: none,
                levels,
                weighting,
                ..records::Imbalance::default()
            });
        };
        let l1 = balance(top.bid_qty.0 as f64, top.ask_qty.0 as f64);
        Some(records::Imbalance {
            l1,
            depth: self.depth(event.instrument, top, l1, context),
            mid: Px(divide_half_even(i128::from(bid.0) + i128::from(ask.0), 2)),
            weighted_mid: weighted_mid(bid, top.bid_qty.0, ask, top.ask_qty.0),
            levels,
            weighting,
            ..records::Imbalance::default()
        })
    }
}

/// (bid - ask) / (bid + ask); absent when both are zero.
#[inline]
fn balance(bid: f64, ask: f64) -> Real {
    Real::of((bid - ask) / (bid + ask))
}

/// The weighted mid, nearer to the thinner side, exact before rounding. Absent if the money at the touch exceeds 2^127 in
/// units of 1e-9.
#[inline]
fn weighted_mid(bid: Px, bid_qty: u64, ask: Px, ask_qty: u64) -> Px {
    let money = |px: Px, qty: u64| i128::from(px.0) * i128::from(qty);
    match money(ask, bid_qty).checked_add(money(bid, ask_qty)) {
        Some(sum) => Px(divide_half_even(sum, i128::from(bid_qty) + i128::from(ask_qty))),
        None => Px::NONE,
    }
}
