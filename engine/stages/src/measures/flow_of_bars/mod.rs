//! Order flow of every bar in market hours: how much aggressors bought and sold, how that changes, and how unusual it is.
//!
//! It follows from the bars that the pipeline closes, so a trade costs one look at its flags. All windows are bars of one session.
//! Two sets of rules score aggressive flow: `tidegate` measures a change by the changes before it, and looks at the side that the
//! change is of; `published` are the rules of an earlier platform with a limit in shares. Sums are integers, each number is one
//! division.
//!
//! Bound: per instrument, a ring of bars. Worst case: a bar, linear in the ring.

mod minutes;

use super::bar_hours::length_below_a_day;
use super::{Context, Measure, Needs, emit};
use crate::Space;
use flow::records::{self, Bar, BarFlow, BrokenTrade, FlowVolume, Trade};
use flow::{
    Event, Flags, FloatParam, FlowDirection, IntParam, Kind, Kinds, Out, Param, ParamError, Params, Px, Qty, Real,
    Seen, TextParam,
};
use minutes::{Minute, Minutes, Past, clamped};

const INTERVAL: TextParam =
    TextParam::new("interval", "1m", "length of the bars, below a day, one that the pipeline or a feed provides");
const LOOK_BACK: IntParam<u16> =
    IntParam::new("look_back", (1, 240), "5", "bars of the change, the sum of their deltas").unit("bars");
const MEAN_BARS: IntParam<u16> = IntParam::new(
    "mean_bars",
    (2, 480),
    "60",
    "bars before a bar that its volume and its change are compared with; 40 bytes each per instrument",
)
.unit("bars");
const LEAST_BARS: IntParam<u16> =
    IntParam::new("least_bars", (1, 480), "15", "fewest of them that make a mean; unknown before").unit("bars");
const VOLUME_RATIO: FloatParam =
    FloatParam::new("volume_ratio", (0.0, 1e6), "2", "volume is unusual above this many times the mean");
const CHANGE_RATIO: FloatParam = FloatParam::new(
    "change_ratio",
    (0.0, 1e6),
    "2",
    "rules `tidegate`: a change is large above this many times the mean",
);
const PUBLISHED_CHANGE: FloatParam = FloatParam::new(
    "published_change",
    (0.0, 1e18),
    "1000",
    "rules `published`: a change is large above this quantity a bar",
)
.unit("smallest unit of the instrument");
const PRESSURE: FloatParam =
    FloatParam::new("pressure", (0.0, 100.0), "70", "pressure is high above this").unit("per cent");
const VOLUME_POINTS: IntParam<u16> =
    IntParam::new("volume_points", (0, 100), "30", "score of unusual volume").unit("points");
const CHANGE_POINTS: IntParam<u16> =
    IntParam::new("change_points", (0, 100), "40", "score of a large change").unit("points");
const PRESSURE_POINTS: IntParam<u16> =
    IntParam::new("pressure_points", (0, 100), "30", "score of high pressure").unit("points");

/// Parameters.
pub const PARAMS: &[Param] = &[
    INTERVAL.param(),
    LOOK_BACK.param(),
    MEAN_BARS.param(),
    LEAST_BARS.param(),
    VOLUME_RATIO.param(),
    CHANGE_RATIO.param(),
    PUBLISHED_CHANGE.param(),
    PRESSURE.param(),
    VOLUME_POINTS.param(),
    CHANGE_POINTS.param(),
    PRESSURE_POINTS.param(),
];

/// The measure `flow`.
pub struct FlowOfBars {
    interval_s: u32,
    look_back: u16,
    mean_bars: u16,
    least_bars: u16,
    volume_ratio: f64,
    change_ratio: f64,
    published_change: f64,
    pressure: f64,
    volume_points: u16,
    change_points: u16,
    pressure_points: u16,
}

/// The records of a bar.
type Measured = (records::Flow, FlowVolume);

/// A mean that is not divided yet.
#[derive(Clone, Copy)]
struct Mean {
    sum: u128,
    count: u64,
}

impl Mean {
    /// The mean of those of the last `bars` that have a value, if that is at least `least` of them.
    fn of(past: &Past<'_>, bars: u16, least: u16, value: impl Fn(&Minute) -> Option<u64>) -> Option<Mean> {
        let none = Mean { sum: 0, count: 0 };
        let add = |mean: Mean, value: u64| Mean { sum: mean.sum + u128::from(value), count: mean.count + 1 };
        let mean = past.newest_first().take(bars.into()).filter_map(value).fold(none, add);
        (mean.count >= u64::from(least)).then_some(mean)
    }

    /// How many times the mean a number is.
    fn ratio(self, number: i128) -> Real {
        Real::of((number * i128::from(self.count)) as f64 / self.sum as f64)
    }
}

/// A part of a whole, in per cent; absent without a whole.
fn per_cent(part: u128, whole: u128) -> Real {
    Real::of((part * 100) as f64 / whole as f64)
}

fn is_above(number: Real, limit: f64) -> bool {
    number.known().is_some_and(|number| number > limit)
}

impl Measure for FlowOfBars {
    type Records = Measured;
    type State = Minutes;

    fn new(params: &Params, space: Space) -> Result<(FlowOfBars, Minutes), ParamError> {
        let interval = length_below_a_day("flow.interval", params.get(INTERVAL))?;
        let measure = FlowOfBars {
            interval_s: interval.seconds(),
            look_back: params.get(LOOK_BACK),
            mean_bars: params.get(MEAN_BARS),
            least_bars: params.get(LEAST_BARS),
            volume_ratio: params.get(VOLUME_RATIO),
            change_ratio: params.get(CHANGE_RATIO),
            published_change: params.get(PUBLISHED_CHANGE),
            pressure: params.get(PRESSURE),
            volume_points: params.get(VOLUME_POINTS),
            change_points: params.get(CHANGE_POINTS),
            pressure_points: params.get(PRESSURE_POINTS),
        };
        let len = measure.mean_bars.max(measure.look_back);
        Ok((measure, Minutes::new(space, len.into())))
    }

    const WANTS: &'static [&'static [Kind]] = &[&[Kind::Bar]];

    #[inline(always)]
    fn reads(&self) -> Kinds {
        const { Kinds::of(&[Kind::Trade, Kind::BrokenTrade, Kind::Bar, Kind::BarFlow]) }
    }

    #[inline(always)]
    fn needs(&self) -> Needs {
        Needs::HOURS
    }

    fn terms(&self) -> Vec<u64> {
        vec![self.interval_s.into(), self.look_back.into(), self.mean_bars.into()]
    }

    fn on(&self, minutes: &mut Minutes, context: &Context, event: &Event) -> Option<Measured> {
        if event.flags.has(Flags::SNAPSHOT) {
            return None;
        }
        match event.kind {
            Kind::Trade | Kind::BrokenTrade => self.besides(minutes, event),
            Kind::Bar => {
                let bar: &Bar = event.record();
                if bar.interval_s == self.interval_s {
                    minutes.announce(event.instrument, bar.start_s);
                }
            }
            Kind::BarFlow => return self.bar(minutes, context, event),
            _ => {}
        }
        None
    }

    #[inline(always)]
    fn run(&self, minutes: &mut Minutes, context: &Context, event: &Event, out: &mut Out) {
        let is_usual = event.kind == Kind::Trade && !event.flags.has(Flags::VOLUME_ONLY);
        if !is_usual && self.reads().has(event.kind) {
            self.run_seldom(minutes, context, event, out);
        }
    }
}

impl FlowOfBars {
    /// Every case but the usual trade, out of line: output needs stack space that the usual trade should not reserve.
    #[cold]
    #[inline(never)]
    fn run_seldom(&self, minutes: &mut Minutes, context: &Context, event: &Event, out: &mut Out) {
        if let Some(measured) = self.on(minutes, context, event) {
            emit(&measured, self.badge(minutes, event), event, out);
        }
    }

    /// Keeps what is volume alone beside the bars.
    fn besides(&self, minutes: &mut Minutes, event: &Event) {
        if !event.flags.has(Flags::VOLUME_ONLY) {
            return;
        }
        let interval = u64::from(self.interval_s);
        let start_s = |ns: u64| u32::try_from(ns / 1_000_000_000 / interval * interval).unwrap_or(u32::MAX);
        if let Some(Trade { px, qty, .. }) = event.get::<Trade>() {
            if *px != Px::NONE {
                minutes.add_besides(event.instrument, start_s(event.ts.0), qty.0);
            }
        } else if let Some(BrokenTrade { px, qty, trade_ts, .. }) = event.get::<BrokenTrade>()
            && *px != Px::NONE
        {
            minutes.take_besides(event.instrument, start_s(trade_ts.0), qty.0);
        }
    }

    fn bar(&self, minutes: &mut Minutes, context: &Context, event: &Event) -> Option<Measured> {
        let bar: &BarFlow = event.record();
        if bar.interval_s != self.interval_s {
            return None;
        }
        let (start_s, besides) = minutes.begin(event.instrument, context)?;
        let (volume, bought, sold) = (bar.volume.known()?.0, bar.buy_volume.known()?.0, bar.sell_volume.known()?.0);
        let minute = Minute { volume: volume.saturating_sub(besides), bought, sold, change: None };
        let (minute, measured) = self.measured(&minutes.past(event.instrument), start_s, minute);
        minutes.push(event.instrument, minute);
        Some(measured)
    }

    fn measured(&self, past: &Past<'_>, start_s: u32, minute: Minute) -> (Minute, Measured) {
        let look_back = usize::from(self.look_back);
        let sum = |of: fn(&Minute) -> i128| of(&minute) + past.newest_first().take(look_back - 1).map(of).sum::<i128>();
        let is_known = past.newest_first().take(look_back - 1).count() == look_back - 1;
        let change = is_known.then(|| clamped(sum(|m| m.delta().into())));
        let earlier = past.newest_first().nth(look_back - 1).and_then(|m| m.change);
        let mean = |value: fn(&Minute) -> Option<u64>| Mean::of(past, self.mean_bars, self.least_bars, value);
        let changes = mean(|m| m.change.map(i64::unsigned_abs));
        let difference = change.zip(earlier).map(|(change, earlier)| i128::from(change) - i128::from(earlier));
        let of_mean =
            |mean: Option<Mean>, of: Option<i128>| mean.zip(of).map_or(Real::NONE, |(mean, of)| mean.ratio(of));
        let volume_ratio = of_mean(mean(|m| Some(m.volume)), Some(minute.volume.into()));
        let side_pressure = match change.map_or(0, i64::signum) {
            0 => Real::NONE,
            1 => per_cent(sum(|m| m.bought.into()) as u128, sum(|m| m.volume.into()) as u128),
            _ => per_cent(sum(|m| m.sold.into()) as u128, sum(|m| m.volume.into()) as u128),
        };
        let volumes = FlowVolume {
            volume: Qty(minute.volume),
            buy_pressure: per_cent(minute.bought.into(), minute.volume.into()),
            sell_pressure: per_cent(minute.sold.into(), minute.volume.into()),
            side_pressure,
            volume_ratio,
        };
        let size = change.map(|change| i128::from(change.unsigned_abs()));
        let flow = records::Flow {
            delta: minute.delta(),
            change: Real::of(change.map(|change| change as f64)),
            momentum: of_mean(changes, difference),
            start_s,
            interval_s: self.interval_s,
            score: self.score(&volumes, is_above(of_mean(changes, size), self.change_ratio), side_pressure),
            direction: direction(change, FlowDirection::None),
            published_score: self.score(&volumes, self.is_large(change), volumes.buy_pressure),
            published_direction: direction(change, FlowDirection::Sell),
            accelerating: Seen::of(change.zip(earlier).is_some_and(is_accelerating)).code(),
            unusual_volume: Seen::of(is_above(volume_ratio, self.volume_ratio)).code(),
            ..records::Flow::default()
        };
        (Minute { change, ..minute }, (flow, volumes))
    }

    /// Whether a change is large by the rules `published`.
    fn is_large(&self, change: Option<i64>) -> bool {
        change.is_some_and(|change| change.unsigned_abs() as f64 / f64::from(self.look_back) > self.published_change)
    }

    /// The points of what is unusual, 100 at most.
    fn score(&self, volumes: &FlowVolume, is_large: bool, pressure: Real) -> u8 {
        let points = [
            (is_above(volumes.volume_ratio, self.volume_ratio), self.volume_points),
            (is_large, self.change_points),
            (is_above(pressure, self.pressure), self.pressure_points),
        ];
        points.iter().filter(|(is, _)| *is).map(|(_, points)| points).sum::<u16>().min(100) as u8
    }
}

/// Whether a change is larger than an earlier one and of the same sign.
fn is_accelerating((change, earlier): (i64, i64)) -> bool {
    change.signum() == earlier.signum() && change.unsigned_abs() > earlier.unsigned_abs()
}

/// The direction of a change; `at_zero` where there is none.
fn direction(change: Option<i64>, at_zero: FlowDirection) -> u8 {
    let direction = change.map_or(FlowDirection::None, |change| match change {
        1.. => FlowDirection::Buy,
        0 => at_zero,
        _ => FlowDirection::Sell,
    });
    direction.code()
}
