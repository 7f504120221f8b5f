//! Imbalance of the book: which side has more resting quantity.
//!
//! It is computed when the book emits a new touch, at the end of a group of changes. What more than the touch comes to says
//! the book itself directly before, so no level is read or kept here.
//!
//! Bound: one `weighed-depth`, forgotten with its input.

use super::{Context, LastDepth, Measure};
use crate::Space;
use crate::book::Weighing;
use flow::records::{self, BookTop};
use flow::{
    ChoiceParam, Event, Flags, FloatParam, IntParam, Kind, Kinds, Param, ParamError, Params, Px, Real, Weighting,
    divide_half_even,
};

/// Most levels per side.
const DEEPEST: u64 = 64;

const LEVELS: IntParam<u32> =
    IntParam::new("levels", (1, DEEPEST), "5", "best levels per side in the depth measure; 1 = the touch")
        .unit("levels");
const WEIGHTING: ChoiceParam<Weighting> = ChoiceParam::new(
    "weighting",
    Weighting::CHOICES,
    "equal",
    "weight of the k-th level, from 1: 1, 1/k, or exp(-lambda (k - 1))",
);
const LAMBDA: FloatParam =
    FloatParam::new("lambda", (0.0, 100.0), "0.5", "decay of exponential weights from level to level");

/// Parameters.
pub const PARAMS: &[Param] = &[LEVELS.param(), WEIGHTING.param(), LAMBDA.param()];

/// The measure `imbalance`.
pub struct Imbalance {
    levels: u32,
    weighting: Weighting,
    /// `None` = only the touch is needed.
    weighing: Option<Weighing>,
}

impl Measure for Imbalance {
    type Records = records::Imbalance;
    type State = LastDepth;

    fn new(params: &Params, _: Space) -> Result<(Imbalance, LastDepth), ParamError> {
        let (levels, weighting) = (params.get(LEVELS), params.get(WEIGHTING));
        Ok((Imbalance { levels, weighting, weighing: Imbalance::weighing(params) }, LastDepth::default()))
    }

    fn weighing(params: &Params) -> Option<Weighing> {
        let (levels, weighting, lambda) = (params.get(LEVELS), params.get(WEIGHTING), params.get(LAMBDA));
        (levels > 1).then(|| Weighing::new(levels, weighting, lambda))
    }

    const WANTS: &'static [&'static [Kind]] = &[&[Kind::BookTop]];

    #[inline(always)]
    fn reads(&self) -> Kinds {
        const TOUCH: Kinds = Kinds::of(&[Kind::BookTop]);
        const DEPTH: Kinds = Kinds::of(&[Kind::WeighedDepth, Kind::BookTop]);
        if self.weighing.is_some() { DEPTH } else { TOUCH }
    }

    /// A touch that is locked or crossed makes a doubtful imbalance.
    #[inline(always)]
    fn badge(&self, _: &LastDepth, event: &Event) -> Flags {
        Flags(event.flags.0 & Flags::CROSSED.0)
    }

    #[inline(always)]
    fn on(&self, last: &mut LastDepth, _: &Context, event: &Event) -> Option<records::Imbalance> {
        if let (Some(depth), Some(weighing)) = (event.get(), self.weighing) {
            if weighing.is_of(depth) {
                last.take(event);
            }
            return None;
        }
        let top: &BookTop = event.get()?;
        let (levels, weighting) = (self.levels, self.weighting.code());
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
            depth: match self.weighing {
                Some(_) => last.at(event).map_or(Real::NONE, |(bid, ask)| balance(bid, ask)),
                None => l1,
            },
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
