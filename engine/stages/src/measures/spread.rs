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
    let (bid, ask) = (i128::from(bid.0), i128::from(ask.0));
    let (spread, sum) = (ask - bid, ask + bid);
    let bps = if sum > 0 { Real::of((20_000 * spread) as f64 / sum as f64) } else { Real::NONE };
    (i64::try_from(spread).map_or(Px::NONE, Px), bps)
}
