//! Averages of the closes of bars, exponential or simple.
//!
//! An exponential average begins with the mean of as many closes as it has bars, and from then on each close moves it. A simple one is the
//! mean of the last closes, which are added up anew at every bar: they are integers, so nothing drifts.
//!
//! Bound: per instrument 16 bytes, and for a simple average a ring of closes. Worst case: it has a thousand to add up.

use super::any_bars::{AnyBars, EVENT_BARS, OF, WANTED};
use super::bar_hours::INTERVAL;
use super::gliding::Gliding;
use super::{Context, Measure, MeasureState, PerInstrument, Rings};
use crate::Space;
use flow::records;
use flow::{
    AverageMethod, ChoiceParam, Event, Flags, IntParam, Kind, Kinds, Param, ParamError, Params, Px, Real, StateError,
    StateReader, StateWriter,
};

const METHOD: ChoiceParam<AverageMethod> =
    ChoiceParam::new("method", AverageMethod::CHOICES, "ema", "how it weighs closes: exponentially, or all alike");
const BARS: IntParam<u16> = IntParam::new("bars", (1, 1_000), "20", "bars of the average").unit("bars");

/// Parameters.
pub const PARAMS: &[Param] = &[OF.param(), INTERVAL.param(), EVENT_BARS.param(), METHOD.param(), BARS.param()];

/// The measure `average`.
pub struct Average {
    bars_of: AnyBars,
    method: AverageMethod,
    bars: u16,
}

/// What is known of all instruments.
pub struct Averages {
    /// Averages in 1e-9.
    exponential: PerInstrument<Gliding>,
    /// The last closes, for a simple average.
    closes: Option<Rings<Px>>,
}

impl MeasureState for Averages {
    fn list(&mut self, instrument: u32) {
        self.exponential.list(instrument);
        self.closes.iter_mut().for_each(|closes| closes.list(instrument));
    }

    fn save(&self, to: &mut StateWriter<'_>) {
        self.exponential.save(to);
        self.closes.iter().for_each(|closes| closes.save(to));
    }

    fn load(&mut self, from: &mut StateReader<'_>) -> Result<(), StateError> {
        self.exponential.load(from)?;
        self.closes.iter_mut().try_for_each(|closes| closes.load(from))
    }
}

impl Measure for Average {
    type Records = records::Average;
    type State = Averages;

    fn new(params: &Params, space: Space) -> Result<(Average, Averages), ParamError> {
        let bars_of = AnyBars::new("average", params)?;
        let (method, bars) = (params.get(METHOD), params.get(BARS));
        let closes = (method == AverageMethod::Simple).then(|| Rings::new(space, bars));
        Ok((Average { bars_of, method, bars }, Averages { exponential: PerInstrument::new(space), closes }))
    }

    const WANTS: &'static [&'static [Kind]] = WANTED;

    #[inline(always)]
    fn reads(&self) -> Kinds {
        self.bars_of.reads()
    }

    fn terms(&self) -> Vec<u64> {
        let [interval_s, instance] = self.bars_of.terms();
        vec![interval_s, instance, self.method.code().into(), self.bars.into()]
    }

    /// Nothing of it rests on sides.
    #[inline(always)]
    fn badge(&self, _: &Averages, _: &Event) -> Flags {
        Flags::NONE
    }

    fn on(&self, averages: &mut Averages, _: &Context, event: &Event) -> Option<records::Average> {
        let bar = self.bars_of.bar(event)?;
        let exponential = averages.exponential.get_mut(event.instrument)?;
        let average = match &mut averages.closes {
            None => {
                exponential.exponential(bar.close.0 as f64, self.bars);
                exponential.known(self.bars)
            }
            Some(closes) => {
                closes.push(event.instrument, bar.close);
                closes.full(event.instrument).map(|closes| sum(closes) as f64 / f64::from(self.bars))
            }
        };
        Some(records::Average {
            average: Real::of(average.map(|average| average / Px::ONE as f64)),
            close: bar.close,
            start_s: bar.start_s,
            interval_s: bar.interval_s,
            bars: self.bars,
            method: self.method.code(),
            ..records::Average::default()
        })
    }
}

/// The sum of prices, in 1e-9.
pub(super) fn sum(prices: impl Iterator<Item = Px>) -> i128 {
    prices.map(|px| i128::from(px.0)).sum()
}
