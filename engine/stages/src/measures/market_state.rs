//! Market state: whether a market is in balance, or on its way from one value area to another.
//!
//! At the end of every bar in market hours its close is held against the value area of the last hour and against the close of
//! some bars earlier. Two sets of rules decide: `tidegate` asks for a momentum that the market's own range makes unlikely, `published`
//! are those of an earlier platform with a momentum in per cent. The profile that counts is the last one emitted before the bar, which
//! is how the bar left it.
//!
//! Bound: per instrument some 200 bytes and a ring of closes. Worst case: a bar that begins a session looks up its hours.

use super::bar_hours::{BarHours, length_below_a_day, start_of, whole_bar};
use super::true_range::TrueRange;
use super::value_area::{LastArea, ValueArea};
use super::{Context, Measure, MeasureState, Needs, PerInstrument, Rings};
use crate::Space;
use flow::records::{self, Bar, MarketStateNumbers, Profile};
use flow::{
    Event, Flags, FloatParam, IntParam, Kind, Kinds, MarketBalance, Param, ParamError, Params, ProfileOf, Px, Real,
    Seen, StateError, StateReader, StateWriter, TextParam,
};
use serde::{Deserialize, Serialize};

const INTERVAL: TextParam =
    TextParam::new("interval", "1m", "length of the bars, below a day, one that the pipeline or a feed provides");
const PROFILE: IntParam<u8> =
    IntParam::new("profile", (0, 255), "0", "number of the instance of `profile` that it reads; 0 = the plain one");
const LOOK_BACK: IntParam<u16> =
    IntParam::new("look_back", (1, 240), "20", "bars over which momentum is measured").unit("bars");
const ATR_BARS: IntParam<u16> =
    IntParam::new("atr_bars", (1, 240), "14", "bars of the average true range").unit("bars");
const ATR_FACTOR: FloatParam = FloatParam::new(
    "atr_factor",
    (0.0, 1e3),
    "1",
    "rules `tidegate`: momentum is large above this many true ranges times the root of the look-back",
);
const PUBLISHED_MOMENTUM: FloatParam =
    FloatParam::new("published_momentum", (0.0, 1e3), "0.5", "rules `published`: momentum is large above this")
        .unit("per cent");

/// Parameters.
pub const PARAMS: &[Param] = &[
    INTERVAL.param(),
    PROFILE.param(),
    LOOK_BACK.param(),
    ATR_BARS.param(),
    ATR_FACTOR.param(),
    PUBLISHED_MOMENTUM.param(),
];

/// The measure `state`.
pub struct MarketState {
    interval_s: u32,
    profile: u8,
    look_back: u16,
    atr_bars: u16,
    atr_factor: f64,
    published_momentum: f64,
}

/// The records of a bar.
type Decided = (records::MarketState, MarketStateNumbers);

/// What is known of an instrument besides its closes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Now {
    hours: BarHours,
    /// Value area of the last hour.
    area: LastArea,
    true_range: TrueRange,
    /// The states of the bar before, by both rules.
    states: [u8; 2],
}

/// What is known of all instruments.
pub struct Markets {
    now: PerInstrument<Now>,
    closes: Rings<Px>,
}

impl MeasureState for Markets {
    fn list(&mut self, instrument: u32) {
        self.now.list(instrument);
        self.closes.list(instrument);
    }

    fn save(&self, to: &mut StateWriter<'_>) {
        self.now.save(to);
        self.closes.save(to);
    }

    fn load(&mut self, from: &mut StateReader<'_>) -> Result<(), StateError> {
        self.now.load(from)?;
        self.closes.load(from)
    }
}

impl Measure for MarketState {
    type Records = Decided;
    type State = Markets;

    fn new(params: &Params, space: Space) -> Result<(MarketState, Markets), ParamError> {
        let measure = MarketState {
            interval_s: length_below_a_day("state.interval", params.get(INTERVAL))?.seconds(),
            profile: params.get(PROFILE),
            look_back: params.get(LOOK_BACK),
            atr_bars: params.get(ATR_BARS),
            atr_factor: params.get(ATR_FACTOR),
            published_momentum: params.get(PUBLISHED_MOMENTUM),
        };
        let markets = Markets { now: PerInstrument::new(space), closes: Rings::new(space, measure.look_back) };
        Ok((measure, markets))
    }

    const WANTS: &'static [&'static [Kind]] = &[&[Kind::Bar], &[Kind::Profile]];

    #[inline(always)]
    fn reads(&self) -> Kinds {
        const { Kinds::of(&[Kind::Bar, Kind::Profile]) }
    }

    #[inline(always)]
    fn needs(&self) -> Needs {
        Needs::HOURS
    }

    fn terms(&self) -> Vec<u64> {
        vec![self.interval_s.into(), self.profile.into(), self.look_back.into(), self.atr_bars.into()]
    }

    /// Nothing of it rests on sides.
    #[inline(always)]
    fn badge(&self, _: &Markets, _: &Event) -> Flags {
        Flags::NONE
    }

    fn on(&self, markets: &mut Markets, context: &Context, event: &Event) -> Option<Decided> {
        if let Some(profile) = event.get::<Profile>() {
            if profile.of == ProfileOf::Rolling.code() && profile.instance == self.profile {
                let area = ValueArea::of(profile, event.ts);
                markets.now.get_mut(event.instrument)?.area.take(area, event.id.seq());
            }
            return None;
        }
        self.bar(markets, context, event, whole_bar(event, self.interval_s)?)
    }
}

impl MarketState {
    fn bar(&self, markets: &mut Markets, context: &Context, event: &Event, bar: &Bar) -> Option<Decided> {
        let instrument = event.instrument;
        let (now, start) = (markets.now.get_mut(instrument)?, start_of(bar));
        if let Some(hours) = now.hours.next(instrument, start, context) {
            *now = Now { hours, area: now.area, ..Now::default() };
            markets.closes.empty(instrument);
        }
        if !now.hours.hold(start) {
            return None;
        }
        now.true_range.add(bar.high, bar.low, bar.close, self.atr_bars);
        let area = now.area.before(event.id.seq()).filter(|area| area.is_since(now.hours.from()));
        let numbers = self.numbers(bar.close, markets.closes.push(instrument, bar.close), area, &now.true_range);
        let published = Real::of(self.published_momentum);
        let states = [numbers.threshold, published].map(|limit| state(bar.close, area, numbers.momentum, limit).code());
        let has_changed = states != std::mem::replace(&mut now.states, states);
        let price = |of: fn(&ValueArea) -> Px| area.as_ref().map_or(Px::NONE, of);
        let first = records::MarketState {
            close: bar.close,
            poc: price(|area| area.poc),
            vah: price(|area| area.vah),
            val: price(|area| area.val),
            start_s: bar.start_s,
            state: states[0],
            published_state: states[1],
            changed: Seen::of(has_changed).code(),
            instance: 0,
        };
        Some((first, numbers))
    }

    /// The numbers that decide.
    fn numbers(&self, close: Px, before: Option<Px>, area: Option<ValueArea>, range: &TrueRange) -> MarketStateNumbers {
        let per_cent = |part: i64, of: Px| part.saturating_mul(100) as f64 / of.0.unsigned_abs() as f64;
        let apart = |px: Px, of: Px| px.0.saturating_sub(of.0);
        let unlikely =
            |atr: f64| atr * self.atr_factor * f64::from(self.look_back).sqrt() / close.0.unsigned_abs() as f64 * 100.0;
        let distance = |area: ValueArea| per_cent(apart(close, area.poc).saturating_abs(), area.poc);
        MarketStateNumbers {
            close_before: before.unwrap_or(Px::NONE),
            momentum: Real::of(before.map(|before| per_cent(apart(close, before), before))),
            threshold: Real::of(range.known(self.atr_bars).map(unlikely)),
            poc_distance: Real::of(area.map(distance)),
            atr: range.real(self.atr_bars),
        }
    }
}

/// The state of a market that closed there, if momentum above that limit is large.
fn state(close: Px, area: Option<ValueArea>, momentum: Real, limit: Real) -> MarketBalance {
    let known = area.zip(momentum.known()).zip(limit.known());
    known.map_or(MarketBalance::Unknown, |((area, momentum), limit)| {
        if momentum > limit && close > area.vah {
            MarketBalance::Up
        } else if momentum < -limit && close < area.val {
            MarketBalance::Down
        } else {
            MarketBalance::Balance
        }
    })
}
