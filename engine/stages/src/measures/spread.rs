//! Quoted spread: how far the best ask lies above the best bid, in price and in basis points of the mid.
//!
//! A touch that is one-sided, locked or crossed has no spread, and the record says which of these it is: a spread of zero or below would
//! make every mean of spreads too small. Bound: nothing is kept.

use super::{Context, Measure};
use crate::Space;
use flow::records::{BookTop, QuotedSpread};
use flow::{Event, Kind, Kinds, Param, ParamError, Params, Px, Real, TouchState};

/// Parameters: none.
pub const PARAMS: &[Param] = &[];

/// The measure `spread`.
pub struct Spread;

impl Measure for Spread {
    type Records = QuotedSpread;
    type State = ();

    fn new(_: &Params, _: Space) -> Result<(Spread, ()), ParamError> {
        Ok((Spread, ()))
    }

    const WANTS: &'static [&'static [Kind]] = &[&[Kind::BookTop]];

    #[inline(always)]
    fn reads(&self) -> Kinds {
        const { Kinds::of(&[Kind::BookTop]) }
    }

    #[inline]
    fn on(&self, (): &mut (), _: &Context, event: &Event) -> Option<QuotedSpread> {
        let top: &BookTop = event.get()?;
        let touch = state(top);
        let (spread, bps) = match touch {
            TouchState::Apart => apart(top.bid_px, top.ask_px),
            _ => (Px::NONE, Real::NONE),
        };
        Some(QuotedSpread { spread, bps, touch: touch.code(), ..QuotedSpread::default() })
    }
}

/// How the sides stand; one without quantity is empty, as for `imbalance`.
fn state(top: &BookTop) -> TouchState {
    match (top.bid_px.known(), top.ask_px.known()) {
        (Some(bid), Some(ask)) if top.bid_qty.0 > 0 && top.ask_qty.0 > 0 => match ask.0.cmp(&bid.0) {
            std::cmp::Ordering::Greater => TouchState::Apart,
            std::cmp::Ordering::Equal => TouchState::Locked,
            std::cmp::Ordering::Less => TouchState::Crossed,
        },
        _ => TouchState::OneSided,
    }
}

/// The spread of an ask above its bid. Prices below zero may lie further apart than a price can say; then it is absent.
fn apart(bid: Px, ask: Px) -> (Px, Real) {
    if let Some((spread, sum, parts)) = narrow(bid, ask) {
        return (Px(spread), Real::of(parts as f64 / sum as f64));
    }
    let (bid, ask) = (i128::from(bid.0), i128::from(ask.0));
    let (spread, sum) = (ask - bid, ask + bid);
    let bps = if sum > 0 { Real::of((20_000 * spread) as f64 / sum as f64) } else { Real::NONE };
    (i64::try_from(spread).map_or(Px::NONE, Px), bps)
}

/// Spread, sum and spread times 20,000 in 64 bits, where they fit and the mid is above zero, as they usually do and it is: a conversion from
/// 128 bits is a call. The numbers are the same.
#[inline]
fn narrow(bid: Px, ask: Px) -> Option<(i64, i64, i64)> {
    let (spread, sum) = (ask.0.checked_sub(bid.0)?, ask.0.checked_add(bid.0).filter(|sum| *sum > 0)?);
    Some((spread, sum, spread.checked_mul(20_000)?))
}
