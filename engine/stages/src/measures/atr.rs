//! Average true range of bars, as Wilder has it, over sessions.
//!
//! What a market covers from one bar to the next: it goes on from one session to the other, so the first bar of a day holds the gap. Measures
//! that ask for the range within a session keep their own.
//!
//! Bound: 24 bytes an instrument, a division a bar.

use super::bar_hours::{INTERVAL, length, whole_bar};
use super::true_range::TrueRange;
use super::{Context, Measure, PerInstrument};
use crate::Space;
use flow::records;
use flow::{Event, Flags, IntParam, Kind, Kinds, Param, ParamError, Params};
use serde::{Deserialize, Serialize};

const BARS: IntParam<u16> =
    IntParam::new("bars", (1, 1_000), "14", "true ranges that the first average is of").unit("bars");

/// Parameters.
pub const PARAMS: &[Param] = &[INTERVAL.param(), BARS.param()];

/// The measure `atr`.
pub struct Atr {
    interval_s: u32,
    bars: u16,
}

/// What is known of an instrument.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Ranges(TrueRange);

impl Measure for Atr {
    type Records = records::Atr;
    type State = PerInstrument<Ranges>;

    fn new(params: &Params, space: Space) -> Result<(Atr, Self::State), ParamError> {
        let interval_s = length("atr.interval", params.get(INTERVAL))?.seconds();
        Ok((Atr { interval_s, bars: params.get(BARS) }, PerInstrument::new(space)))
    }

    const WANTS: &'static [&'static [Kind]] = &[&[Kind::Bar]];

    #[inline(always)]
    fn reads(&self) -> Kinds {
        const { Kinds::of(&[Kind::Bar]) }
    }

    fn terms(&self) -> Vec<u64> {
        vec![self.interval_s.into(), self.bars.into()]
    }

    /// Nothing of it rests on sides.
    #[inline(always)]
    fn badge(&self, _: &Self::State, _: &Event) -> Flags {
        Flags::NONE
    }

    fn on(&self, ranges: &mut Self::State, _: &Context, event: &Event) -> Option<records::Atr> {
        let bar = whole_bar(event, self.interval_s)?;
        let Ranges(ranges) = ranges.get_mut(event.instrument)?;
        let true_range = ranges.add(bar.high, bar.low, bar.close, self.bars);
        Some(records::Atr {
            atr: ranges.real(self.bars),
            true_range,
            close: bar.close,
            start_s: bar.start_s,
            interval_s: bar.interval_s,
            bars: self.bars,
            ..records::Atr::default()
        })
    }
}
