//! Average true range of bars, as Wilder has it, over sessions.
//!
//! What a market covers from one bar to the next: it goes on from one session to the other, so the first bar of a day holds the gap. Measures
//! that ask for the range within a session keep their own.
//!
//! Bound: 24 bytes an instrument, a division a bar.

use super::any_bars::{AnyBars, EVENT_BARS, OF, WANTED};
use super::bar_hours::INTERVAL;
use super::true_range::TrueRange;
use super::{Context, Measure, PerInstrument};
use crate::Space;
use flow::records;
use flow::{Event, Flags, IntParam, Kind, Kinds, Param, ParamError, Params};
use serde::{Deserialize, Serialize};

const BARS: IntParam<u16> =
    IntParam::new("bars", (1, 1_000), "14", "true ranges that the first average is of").unit("bars");

/// Parameters.
pub const PARAMS: &[Param] = &[OF.param(), INTERVAL.param(), EVENT_BARS.param(), BARS.param()];

/// The measure `atr`.
pub struct Atr {
    bars_of: AnyBars,
    bars: u16,
}

/// What is known of an instrument.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Ranges(TrueRange);

impl Measure for Atr {
    type Records = records::Atr;
    type State = PerInstrument<Ranges>;

    fn new(params: &Params, space: Space) -> Result<(Atr, Self::State), ParamError> {
        let bars_of = AnyBars::new("atr", params)?;
        Ok((Atr { bars_of, bars: params.get(BARS) }, PerInstrument::new(space)))
    }

    const WANTS: &'static [&'static [Kind]] = WANTED;

    #[inline(always)]
    fn reads(&self) -> Kinds {
        self.bars_of.reads()
    }

    fn terms(&self) -> Vec<u64> {
        let [interval_s, instance] = self.bars_of.terms();
        vec![interval_s, instance, self.bars.into()]
    }

    /// Nothing of it rests on sides.
    #[inline(always)]
    fn badge(&self, _: &Self::State, _: &Event) -> Flags {
        Flags::NONE
    }

    fn on(&self, ranges: &mut Self::State, _: &Context, event: &Event) -> Option<records::Atr> {
        let bar = self.bars_of.bar(event)?;
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
