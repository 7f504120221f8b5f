//! Slope of depth: how much quantity a book gains with the distance from its mid.
//!
//! It is computed when the book emits a new touch. The book has the levels, so it fits the line through them itself and says its slope
//! directly before; no level is read or kept here.
//!
//! Bound: one `weighed-depth`, forgotten with its input.

use super::{Context, LastDepth, Measure};
use crate::Space;
use crate::book::Weighing;
use flow::records::{self, BookTop};
use flow::{Event, IntParam, Kind, Kinds, Param, ParamError, Params, Real};

const LEVELS: IntParam<u32> = IntParam::new("levels", (2, 64), "5", "best levels per side of the fit").unit("levels");

/// Parameters.
pub const PARAMS: &[Param] = &[LEVELS.param()];

/// The measure `depth-slope`.
pub struct DepthSlope {
    levels: u32,
}

impl Measure for DepthSlope {
    type Records = records::DepthSlope;
    type State = LastDepth;

    fn new(params: &Params, _: Space) -> Result<(DepthSlope, LastDepth), ParamError> {
        Ok((DepthSlope { levels: params.get(LEVELS) }, LastDepth::default()))
    }

    fn weighing(params: &Params) -> Option<Weighing> {
        Some(Weighing::slope(params.get(LEVELS)))
    }

    const WANTS: &'static [&'static [Kind]] = &[&[Kind::BookTop]];

    #[inline(always)]
    fn reads(&self) -> Kinds {
        const { Kinds::of(&[Kind::WeighedDepth, Kind::BookTop]) }
    }

    #[inline]
    fn on(&self, last: &mut LastDepth, _: &Context, event: &Event) -> Option<records::DepthSlope> {
        if let Some(depth) = event.get() {
            if Weighing::slope(self.levels).is_of(depth) {
                last.take(event);
            }
            return None;
        }
        let _: &BookTop = event.get()?;
        let (bid, ask) = last.at(event).map_or((Real::NONE, Real::NONE), |(bid, ask)| (Real::of(bid), Real::of(ask)));
        Some(records::DepthSlope { bid, ask, levels: self.levels, ..records::DepthSlope::default() })
    }
}
