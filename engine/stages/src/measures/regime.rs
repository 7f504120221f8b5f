//! Regimes of volatility: whether a market is calm, as usual or restless, by its own history or by limits that are set.
//!
//! The last returns of closes come to a number, and the place of this number among those before it is the percentile. No market is compared
//! with another, and nothing is assumed about how the numbers are spread. A regime is entered at one percentile and left at a farther one,
//! so that it does not flicker. Where limits are set, learned from other days for instance (`tidegate discover`), the number itself decides,
//! and it decides from the first number on.
//!
//! Bound: per instrument a ring of returns and one of past numbers, 8 bytes each, and two bytes for its limits. Worst case: a bar adds up a thousand returns and looks at
//! ten thousand numbers.

use super::bar_hours::{INTERVAL, length, whole_bar};
use super::measure::emit;
use super::volatility::log_ratio;
use super::{Context, Measure, MeasureState, PerInstrument, Rings};
use crate::Space;
use flow::records::{self, Bar, RegimeChange};
use flow::{
    Event, Flags, FloatParam, IntParam, Kind, Kinds, Out, Param, ParamError, Params, PerSymbol, Px, Real, StateError,
    StateReader, StateWriter, VolatilityRegime,
};
use serde::{Deserialize, Serialize};

const BARS: IntParam<u16> = IntParam::new("bars", (2, 1_000), "60", "returns that a number is of").unit("bars");
const HISTORY: IntParam<u16> =
    IntParam::new("history", (2, 10_000), "1950", "last numbers that one is compared with").unit("bars");
const LEAST: IntParam<u16> =
    IntParam::new("least", (1, 10_000), "390", "numbers before there is a percentile").unit("bars");
const LOW: FloatParam = FloatParam::new("low", (0.0, 50.0), "20", "percentile at which the regime becomes low");
const HIGH: FloatParam = FloatParam::new("high", (50.0, 100.0), "80", "percentile at which it becomes high");
const LEAVE: FloatParam =
    FloatParam::new("leave", (0.0, 50.0), "5", "how far beyond that percentile a low or high regime is left");
const LOW_VOLATILITY: FloatParam = FloatParam::new(
    "low_volatility",
    (0.0, 100.0),
    "0",
    "`realised` below which the regime is low, a ratio as it is emitted; set both or none: 0 is none, and percentiles decide",
);
const HIGH_VOLATILITY: FloatParam = FloatParam::new(
    "high_volatility",
    (0.0, 100.0),
    "0",
    "`realised` above which the regime is high, a ratio; no less than low_volatility",
);

/// Parameters.
pub const PARAMS: &[Param] = &[
    INTERVAL.param(),
    BARS.param(),
    HISTORY.param(),
    LEAST.param(),
    LOW.param(),
    HIGH.param(),
    LEAVE.param(),
    LOW_VOLATILITY.per_symbol().param(),
    HIGH_VOLATILITY.per_symbol().param(),
];

/// The limits of a symbol: below the first its regime is low, above the second high; `None` = its own history decides.
type Limits = Option<(f64, f64)>;

fn limits(params: &Params) -> Result<Limits, ParamError> {
    let (low, high) = (params.get(LOW_VOLATILITY), params.get(HIGH_VOLATILITY));
    let fault = |key: &str, found: f64, valid: String| {
        Err(ParamError { key: format!("regime.{key}"), found: found.to_string(), valid })
    };
    match (low > 0.0, high > 0.0) {
        (false, false) => Ok(None),
        (true, true) if low <= high => Ok(Some((low, high))),
        (true, false) => {
            fault("high_volatility", high, format!("valid: {low} or more, as low_volatility is set; or set none"))
        }
        (true, true) => fault("high_volatility", high, format!("valid: no less than regime.low_volatility, {low}")),
        (false, true) => fault(
            "low_volatility",
            low,
            format!("valid: above 0 and up to {high}, as high_volatility is set; or set none"),
        ),
    }
}

/// The measure `regime`.
pub struct Regime {
    interval_s: u32,
    bars: u16,
    history: u16,
    least: u16,
    low: f64,
    high: f64,
    leave: f64,
}

/// What is known of an instrument besides its rings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Last {
    close: Option<Px>,
    /// Code of its regime.
    regime: u8,
}

/// What is known of all instruments.
pub struct History {
    limits: PerSymbol<Limits>,
    last: PerInstrument<Last>,
    returns: Rings<f64>,
    numbers: Rings<f64>,
}

impl MeasureState for History {
    fn list(&mut self, instrument: u32) {
        self.last.list(instrument);
        self.returns.list(instrument);
        self.numbers.list(instrument);
    }

    fn save(&self, to: &mut StateWriter<'_>) {
        self.limits.save(to);
        self.last.save(to);
        self.returns.save(to);
        self.numbers.save(to);
    }

    fn load(&mut self, from: &mut StateReader<'_>) -> Result<(), StateError> {
        self.limits.load(from)?;
        self.last.load(from)?;
        self.returns.load(from)?;
        self.numbers.load(from)
    }
}

impl Measure for Regime {
    type Records = (records::Regime, RegimeChange);
    type State = History;

    fn new(params: &Params, space: Space) -> Result<(Regime, History), ParamError> {
        let interval_s = length("regime.interval", params.get(INTERVAL))?.seconds();
        let (bars, history, least) = (params.get(BARS), params.get(HISTORY), params.get(LEAST));
        if least > history {
            let (key, found) = ("regime.least".to_owned(), least.to_string());
            return Err(ParamError { key, found, valid: format!("valid: no more than regime.history, {history}") });
        }
        let (low, high, leave) = (params.get(LOW), params.get(HIGH), params.get(LEAVE));
        let state = History {
            limits: PerSymbol::new(PARAMS, 0, params, space.instruments, limits)?,
            last: PerInstrument::new(space),
            returns: Rings::new(space, bars),
            numbers: Rings::new(space, history),
        };
        Ok((Regime { interval_s, bars, history, least, low, high, leave }, state))
    }

    const WANTS: &'static [&'static [Kind]] = &[&[Kind::Bar]];

    #[inline(always)]
    fn reads(&self) -> Kinds {
        const { Kinds::of(&[Kind::Bar]) }
    }

    fn terms(&self) -> Vec<u64> {
        vec![self.interval_s.into(), self.bars.into(), self.history.into()]
    }

    const VARIES: bool = true;

    /// Limits are read when an instrument is named, and no command sets them.
    fn vary(&self, history: &mut History, event: &Event, _: &mut Out) {
        if event.kind == Kind::Name {
            history.limits.name(event);
        }
    }

    #[inline]
    fn run(&self, history: &mut History, _: &Context, event: &Event, out: &mut Out) {
        if let Some(bar) = whole_bar(event, self.interval_s) {
            self.bar(history, event, bar, out);
        }
    }
}

impl Regime {
    fn bar(&self, history: &mut History, event: &Event, bar: &Bar, out: &mut Out) {
        let instrument = event.instrument;
        let Some(last) = history.last.get_mut(instrument) else { return };
        if let Some(before) = last.close.replace(bar.close) {
            match log_ratio(bar.close, before) {
                Some(returned) => _ = history.returns.push(instrument, returned),
                // Of such prices there is no return, and the window would have a gap.
                None => history.returns.empty(instrument),
            }
        }
        let mut found = records::Regime {
            realised: Real::NONE,
            percentile: Real::NONE,
            start_s: bar.start_s,
            interval_s: bar.interval_s,
            bars: self.bars,
            regime: last.regime,
            ..records::Regime::default()
        };
        if let Some(returns) = history.returns.full(instrument) {
            let number = returns.map(|returned| returned * returned).sum::<f64>().sqrt();
            found.realised = Real::of(number);
            (found.percentile, found.among) = self.place(number, history.numbers.held(instrument));
            history.numbers.push(instrument, number);
        }
        let was = VolatilityRegime::from_code(last.regime).unwrap_or_default();
        let regime = match history.limits.get(instrument) {
            Some(limits) => found.realised.known().map(|realised| within(realised, *limits)),
            None => found.percentile.known().map(|percentile| self.next(was, percentile)),
        };
        let regime = regime.unwrap_or(was);
        (last.regime, found.regime) = (regime.code(), regime.code());
        emit(&found, Flags::NONE, event, out);
        if was != VolatilityRegime::Unknown && was != regime {
            emit(&change(&found, was), Flags::NONE, event, out);
        }
    }

    /// How many per cent of numbers are lower than one, equal ones counting half, if there are enough of them; and how many there are.
    fn place(&self, number: f64, among: impl Iterator<Item = f64>) -> (Real, u16) {
        let (halves, all) = among.fold((0_u32, 0_u16), |(halves, all), other| {
            (halves + u32::from(other < number) + u32::from(other <= number), all + 1)
        });
        let percentile = 50.0 * f64::from(halves) / f64::from(all);
        (if all < self.least { Real::NONE } else { Real::of(percentile) }, all)
    }

    /// The regime after `was`, at a percentile.
    fn next(&self, was: VolatilityRegime, percentile: f64) -> VolatilityRegime {
        let stays_low = was == VolatilityRegime::Low && percentile < self.low + self.leave;
        let stays_high = was == VolatilityRegime::High && percentile > self.high - self.leave;
        if percentile <= self.low || (stays_low && percentile < self.high) {
            VolatilityRegime::Low
        } else if percentile >= self.high || stays_high {
            VolatilityRegime::High
        } else {
            VolatilityRegime::Normal
        }
    }
}

/// The regime of a number, by limits.
fn within(realised: f64, (low, high): (f64, f64)) -> VolatilityRegime {
    if realised < low {
        VolatilityRegime::Low
    } else if realised > high {
        VolatilityRegime::High
    } else {
        VolatilityRegime::Normal
    }
}

fn change(to: &records::Regime, was: VolatilityRegime) -> RegimeChange {
    RegimeChange {
        realised: to.realised,
        percentile: to.percentile,
        start_s: to.start_s,
        interval_s: to.interval_s,
        regime: to.regime,
        was: was.code(),
        ..RegimeChange::default()
    }
}
