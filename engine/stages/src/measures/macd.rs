//! Moving average convergence and divergence of closes: a fast average less a slow one, and an average of that.
//!
//! All three are exponential, and each begins with the mean of its own first values. The fast average does not wait for the slow one.
//!
//! Bound: 48 bytes an instrument, three multiplications a bar.

use super::any_bars::{AnyBars, EVENT_BARS, OF, WANTED};
use super::bar_hours::INTERVAL;
use super::gliding::Gliding;
use super::{Context, Measure, PerInstrument};
use crate::Space;
use flow::records;
use flow::{Event, Flags, IntParam, Kind, Kinds, Param, ParamError, Params, Px, Real};
use serde::{Deserialize, Serialize};

const FAST: IntParam<u16> = IntParam::new("fast", (1, 1_000), "12", "bars of the fast average").unit("bars");
const SLOW: IntParam<u16> =
    IntParam::new("slow", (2, 1_000), "26", "bars of the slow average, more than of the fast one").unit("bars");
const SIGNAL: IntParam<u16> =
    IntParam::new("signal", (1, 1_000), "9", "bars of the average of the difference").unit("bars");

/// Parameters.
pub const PARAMS: &[Param] =
    &[OF.param(), INTERVAL.param(), EVENT_BARS.param(), FAST.param(), SLOW.param(), SIGNAL.param()];

/// The measure `macd`.
pub struct Macd {
    bars_of: AnyBars,
    fast: u16,
    slow: u16,
    signal: u16,
}

/// The averages of an instrument, in 1e-9.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Averages {
    fast: Gliding,
    slow: Gliding,
    signal: Gliding,
}

impl Measure for Macd {
    type Records = records::Macd;
    type State = PerInstrument<Averages>;

    fn new(params: &Params, space: Space) -> Result<(Macd, Self::State), ParamError> {
        let bars_of = AnyBars::new("macd", params)?;
        let (fast, slow, signal) = (params.get(FAST), params.get(SLOW), params.get(SIGNAL));
        if fast >= slow {
            let valid = format!("valid: below macd.slow, which is {slow}");
            return Err(ParamError { key: "macd.fast".to_owned(), found: fast.to_string(), valid });
        }
        Ok((Macd { bars_of, fast, slow, signal }, PerInstrument::new(space)))
    }

    const WANTS: &'static [&'static [Kind]] = WANTED;

    #[inline(always)]
    fn reads(&self) -> Kinds {
        self.bars_of.reads()
    }

    fn terms(&self) -> Vec<u64> {
        let [interval_s, instance] = self.bars_of.terms();
        vec![interval_s, instance, self.fast.into(), self.slow.into(), self.signal.into()]
    }

    /// Nothing of it rests on sides.
    #[inline(always)]
    fn badge(&self, _: &Self::State, _: &Event) -> Flags {
        Flags::NONE
    }

    fn on(&self, averages: &mut Self::State, _: &Context, event: &Event) -> Option<records::Macd> {
        let bar = self.bars_of.bar(event)?;
        let averages = averages.get_mut(event.instrument)?;
        averages.fast.exponential(bar.close.0 as f64, self.fast);
        averages.slow.exponential(bar.close.0 as f64, self.slow);
        let macd = averages.fast.known(self.fast).zip(averages.slow.known(self.slow)).map(|(fast, slow)| fast - slow);
        if let Some(macd) = macd {
            averages.signal.exponential(macd, self.signal);
        }
        let signal = averages.signal.known(self.signal);
        let real = |number: Option<f64>| Real::of(number.map(|number| number / Px::ONE as f64));
        Some(records::Macd {
            macd: real(macd),
            signal: real(signal),
            histogram: real(macd.zip(signal).map(|(macd, signal)| macd - signal)),
            start_s: bar.start_s,
            interval_s: bar.interval_s,
            fast: self.fast,
            slow: self.slow,
            signal_bars: self.signal,
            ..records::Macd::default()
        })
    }
}
