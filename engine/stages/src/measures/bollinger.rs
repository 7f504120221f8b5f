//! Bollinger bands: the mean of the last closes, and some standard deviations above and below it.
//!
//! The closes are looked at anew at every bar: their sum is exact, and so is how far each lies from the mean as long as it is counted in
//! parts of their number. So nothing is lost where closes hardly differ, and nothing drifts.
//!
//! Bound: per instrument a ring of closes. Worst case: a thousand of them, looked at twice.

use super::any_bars::{AnyBars, EVENT_BARS, OF, WANTED};
use super::average::sum;
use super::bar_hours::INTERVAL;
use super::{Context, Measure, Rings};
use crate::Space;
use flow::records;
use flow::{Event, Flags, FloatParam, IntParam, Kind, Kinds, Param, ParamError, Params, Px, Real};

const BARS: IntParam<u16> = IntParam::new("bars", (2, 1_000), "20", "closes that the mean is of").unit("bars");
const TIMES: FloatParam =
    FloatParam::new("times", (0.0, 100.0), "2", "standard deviations between the mean and a band");

/// Parameters.
pub const PARAMS: &[Param] = &[OF.param(), INTERVAL.param(), EVENT_BARS.param(), BARS.param(), TIMES.param()];

/// The measure `bollinger`.
pub struct Bollinger {
    bars_of: AnyBars,
    bars: u16,
    times: f64,
}

impl Measure for Bollinger {
    type Records = records::Bollinger;
    type State = Rings<Px>;

    fn new(params: &Params, space: Space) -> Result<(Bollinger, Rings<Px>), ParamError> {
        let bars_of = AnyBars::new("bollinger", params)?;
        let (bars, times) = (params.get(BARS), params.get(TIMES));
        Ok((Bollinger { bars_of, bars, times }, Rings::new(space, bars)))
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
    fn badge(&self, _: &Rings<Px>, _: &Event) -> Flags {
        Flags::NONE
    }

    fn on(&self, closes: &mut Rings<Px>, _: &Context, event: &Event) -> Option<records::Bollinger> {
        let bar = self.bars_of.bar(event)?;
        let instrument = event.instrument;
        if !closes.has(instrument) {
            return None;
        }
        closes.push(instrument, bar.close);
        let [middle, upper, lower] = match closes.full(instrument) {
            Some(closes) => self.bands(closes).map(|nano| Real::of(nano / Px::ONE as f64)),
            None => [Real::NONE; 3],
        };
        Some(records::Bollinger {
            middle,
            upper,
            lower,
            start_s: bar.start_s,
            interval_s: bar.interval_s,
            bars: self.bars,
            ..records::Bollinger::default()
        })
    }
}

impl Bollinger {
    /// The mean of closes, the upper and the lower band, in 1e-9.
    fn bands(&self, closes: impl Iterator<Item = Px> + Clone) -> [f64; 3] {
        let (all, of) = (sum(closes.clone()), f64::from(self.bars));
        // How far each is from the mean, times their number.
        let off = |px: Px| (i128::from(px.0) * i128::from(self.bars) - all) as f64;
        let squares: f64 = closes.map(|px| off(px) * off(px)).sum();
        let (middle, deviation) = (all as f64 / of, (squares / of).sqrt() / of);
        [middle, middle + self.times * deviation, middle - self.times * deviation]
    }
}
