//! Volatility of bars: how widely closes scatter from one bar to the next, and how far prices reach within them.
//!
//! Each bar gives a return and three estimates of its own variance, from its open, high, low and close; the last of them are added up anew at
//! every bar, so nothing drifts. All are for a year.
//!
//! Bound: per instrument 16 bytes and a ring of 40 a bar. Worst case: a thousand bars added up, and seven logarithms.

use super::bar_hours::{INTERVAL, length, whole_bar};
use super::{Context, Measure, MeasureState, PerInstrument, Rings};
use crate::Space;
use flow::records::{self, Bar, VolatilityRanges};
use flow::{
    Event, Flags, IntParam, Interval, Kind, Kinds, Param, ParamError, Params, Px, Real, StateError, StateReader,
    StateWriter,
};
use serde::{Deserialize, Serialize};
use std::f64::consts::LN_2;

const BARS: IntParam<u16> = IntParam::new("bars", (2, 1_000), "60", "returns that it is of").unit("bars");
const BARS_A_YEAR: IntParam<u32> = IntParam::new(
    "bars_a_year",
    (0, 10_000_000),
    "0",
    "bars of a year; 0 = those of 252 sessions of 6 hours and a half, and of bars of a day 252",
);

/// Parameters.
pub const PARAMS: &[Param] = &[INTERVAL.param(), BARS.param(), BARS_A_YEAR.param()];

/// Sessions of a year, and the seconds of one.
const SESSIONS: u32 = 252;
const SESSION_S: u32 = 23_400;

/// The measure `volatility`.
pub struct Volatility {
    interval: Interval,
    bars: u16,
    bars_a_year: f64,
}

/// What a bar gives.
#[derive(Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct OfBar {
    /// Logarithm of its close over that of the bar before.
    returned: f64,
    /// Its variance as Parkinson, Garman and Klass, and Rogers and Satchell estimate it; none without an open.
    variances: Option<[f64; 3]>,
}

/// What is known of all instruments.
pub struct Returns {
    closes: PerInstrument<Option<Px>>,
    bars: Rings<OfBar>,
}

impl MeasureState for Returns {
    fn list(&mut self, instrument: u32) {
        self.closes.list(instrument);
        self.bars.list(instrument);
    }

    fn save(&self, to: &mut StateWriter<'_>) {
        self.closes.save(to);
        self.bars.save(to);
    }

    fn load(&mut self, from: &mut StateReader<'_>) -> Result<(), StateError> {
        self.closes.load(from)?;
        self.bars.load(from)
    }
}

impl Measure for Volatility {
    type Records = (records::Volatility, VolatilityRanges);
    type State = Returns;

    fn new(params: &Params, space: Space) -> Result<(Volatility, Returns), ParamError> {
        let interval = length("volatility.interval", params.get(INTERVAL))?;
        let usual = if interval.is_day() { SESSIONS } else { SESSIONS * SESSION_S / interval.seconds() };
        let bars_a_year = Some(params.get(BARS_A_YEAR)).filter(|bars| *bars > 0).unwrap_or(usual);
        let bars = params.get(BARS);
        let returns = Returns { closes: PerInstrument::new(space), bars: Rings::new(space, bars) };
        Ok((Volatility { interval, bars, bars_a_year: bars_a_year.into() }, returns))
    }

    const WANTS: &'static [&'static [Kind]] = &[&[Kind::Bar]];

    #[inline(always)]
    fn reads(&self) -> Kinds {
        const { Kinds::of(&[Kind::Bar]) }
    }

    fn terms(&self) -> Vec<u64> {
        vec![self.interval.seconds().into(), self.bars.into()]
    }

    /// Nothing of it rests on sides.
    #[inline(always)]
    fn badge(&self, _: &Returns, _: &Event) -> Flags {
        Flags::NONE
    }

    fn on(&self, returns: &mut Returns, _: &Context, event: &Event) -> Option<Self::Records> {
        let bar = whole_bar(event, self.interval.seconds())?;
        let instrument = event.instrument;
        let before = returns.closes.get_mut(instrument)?.replace(bar.close);
        if let Some(before) = before {
            match log_ratio(bar.close, before) {
                Some(returned) => _ = returns.bars.push(instrument, OfBar { returned, variances: variances(bar) }),
                // Of such prices there is no return, and the window would have a gap.
                None => returns.bars.empty(instrument),
            }
        }
        Some(self.records(bar, returns.bars.full(instrument)))
    }
}

impl Volatility {
    fn records(
        &self,
        bar: &Bar,
        last: Option<impl Iterator<Item = OfBar> + Clone>,
    ) -> (records::Volatility, VolatilityRanges) {
        let of = f64::from(self.bars);
        let yearly = |variance: f64| Real::of((variance * self.bars_a_year).sqrt());
        let [mut scattered, mut zero_mean, mut realised_variance] = [Real::NONE; 3];
        let mut ranges = None;
        if let Some(last) = last {
            let mean = last.clone().map(|bar| bar.returned).sum::<f64>() / of;
            let off: f64 = last.clone().map(|bar| (bar.returned - mean) * (bar.returned - mean)).sum();
            let squares: f64 = last.clone().map(|bar| bar.returned * bar.returned).sum();
            (scattered, zero_mean, realised_variance) =
                (yearly(off / (of - 1.0)), yearly(squares / of), Real::of(squares));
            ranges = sum_of_variances(last).map(|sums| sums.map(|sum| yearly(sum / of)));
        }
        let [parkinson, garman_klass, rogers_satchell] = ranges.unwrap_or([Real::NONE; 3]);
        let first = records::Volatility {
            volatility: scattered,
            zero_mean,
            realised_variance,
            start_s: bar.start_s,
            interval_s: bar.interval_s,
            bars: self.bars,
            ..records::Volatility::default()
        };
        let bars_a_year = self.bars_a_year as u32;
        (
            first,
            VolatilityRanges { parkinson, garman_klass, rogers_satchell, bars_a_year, ..VolatilityRanges::default() },
        )
    }
}

/// The sums of the three estimates; none where a bar has none.
fn sum_of_variances(mut bars: impl Iterator<Item = OfBar>) -> Option<[f64; 3]> {
    bars.try_fold([0.0; 3], |[parkinson, garman_klass, rogers_satchell], bar| {
        let [p, g, r] = bar.variances?;
        Some([parkinson + p, garman_klass + g, rogers_satchell + r])
    })
}

/// What a bar alone says of the variance of its return.
fn variances(bar: &Bar) -> Option<[f64; 3]> {
    let (open, high, low, close) = (bar.open.known()?, bar.high, bar.low, bar.close);
    let (reach, way) = (log_ratio(high, low)?, log_ratio(close, open)?);
    let parkinson = reach * reach / (4.0 * LN_2);
    let garman_klass = 0.5 * reach * reach - (2.0 * LN_2 - 1.0) * way * way;
    let above = log_ratio(high, close)? * log_ratio(high, open)?;
    let below = log_ratio(low, close)? * log_ratio(low, open)?;
    Some([parkinson, garman_klass, above + below])
}

/// The logarithm of a price over another; none where one of them is not above zero.
pub fn log_ratio(px: Px, of: Px) -> Option<f64> {
    (px.0 > 0 && of.0 > 0).then(|| libm::log(px.0 as f64 / of.0 as f64))
}
