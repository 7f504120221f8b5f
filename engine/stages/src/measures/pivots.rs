//! Classic pivot levels: prices at which traders expect a turn, from high, low and close of the session before.
//!
//! Bars are summed up until their session is over, and then the levels are emitted once: with the bar that ends it, or where that has no
//! trade with the first bar of a later one. They are thirds of sums of integers, each rounded once.
//!
//! Bound: 64 bytes an instrument. Worst case: a bar that begins a session looks up its hours.

use super::bar_hours::{BarHours, INTERVAL, end_of, length, start_of, whole_bar};
use super::{Context, Measure, Needs, PerInstrument};
use crate::Space;
use flow::records::{self, Bar, PivotLevels};
use flow::{
    ChoiceParam, Event, Flags, Interval, Kind, Kinds, Param, ParamError, Params, Px, choices, divide_half_even,
};
use serde::{Deserialize, Serialize};

const OF: ChoiceParam<bool> = ChoiceParam::new(
    "of",
    choices! { "hours" => false, "session" => true },
    "hours",
    "what of a session counts: bars that start in market hours, or all of its trade date; bars of a day always do",
);

/// Parameters.
pub const PARAMS: &[Param] = &[INTERVAL.param(), OF.param()];

/// The measure `pivots`.
pub struct Pivots {
    interval: Interval,
    is_of_date: bool,
}

/// The bars of a session so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Prices {
    high: Px,
    low: Px,
    close: Px,
    /// Start of the first.
    since_s: u32,
    bars: u32,
}

/// What is known of an instrument.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Now {
    hours: BarHours,
    prices: Option<Prices>,
}

impl Measure for Pivots {
    type Records = (records::Pivots, PivotLevels);
    type State = PerInstrument<Now>;

    fn new(params: &Params, space: Space) -> Result<(Pivots, Self::State), ParamError> {
        let interval = length("pivots.interval", params.get(INTERVAL))?;
        Ok((Pivots { interval, is_of_date: params.get(OF) || interval.is_day() }, PerInstrument::new(space)))
    }

    const WANTS: &'static [&'static [Kind]] = &[&[Kind::Bar]];

    #[inline(always)]
    fn reads(&self) -> Kinds {
        const { Kinds::of(&[Kind::Bar]) }
    }

    #[inline(always)]
    fn needs(&self) -> Needs {
        Needs::HOURS
    }

    fn terms(&self) -> Vec<u64> {
        vec![self.interval.seconds().into(), self.is_of_date.into()]
    }

    /// Nothing of it rests on sides.
    #[inline(always)]
    fn badge(&self, _: &Self::State, _: &Event) -> Flags {
        Flags::NONE
    }

    fn on(&self, markets: &mut Self::State, context: &Context, event: &Event) -> Option<Self::Records> {
        let bar = whole_bar(event, self.interval.seconds())?;
        let now = markets.get_mut(event.instrument)?;
        let mut ended = None;
        if let Some(hours) = now.hours.next(event.instrument, start_of(bar), context) {
            ended = now.prices.take();
            now.hours = hours;
        }
        if self.is_of_date || now.hours.hold(start_of(bar)) {
            let prices = Prices::with(now.prices, bar);
            let is_over =
                if self.is_of_date { now.hours.is_past(end_of(bar)) } else { now.hours.are_over(end_of(bar)) };
            // A trade date of 25 hours is one bar too.
            if is_over || self.interval.is_day() {
                (ended, now.prices) = (Some(prices), None);
            } else {
                now.prices = Some(prices);
            }
        }
        ended.map(|prices| prices.levels(bar))
    }
}

impl Prices {
    /// Those of a bar after others.
    fn with(before: Option<Prices>, bar: &Bar) -> Prices {
        let Some(Prices { high, low, since_s, bars, .. }) = before else {
            return Prices { high: bar.high, low: bar.low, close: bar.close, since_s: bar.start_s, bars: 1 };
        };
        let bars = bars.saturating_add(1);
        Prices { high: high.max(bar.high), low: low.min(bar.low), close: bar.close, since_s, bars }
    }

    /// Their levels, which are known with that bar.
    fn levels(&self, bar: &Bar) -> (records::Pivots, PivotLevels) {
        let [high, low, close] = [self.high, self.low, self.close].map(|px| i128::from(px.0));
        let (all, reach) = (high + low + close, high - low);
        let third = |of: i128| Px(divide_half_even(of, 3));
        let first = records::Pivots {
            pivot: third(all),
            r1: third(2 * all - 3 * low),
            s1: third(2 * all - 3 * high),
            start_s: bar.start_s,
            since_s: self.since_s,
            bars: self.bars,
            ..records::Pivots::default()
        };
        let levels = PivotLevels {
            r2: third(all + 3 * reach),
            s2: third(all - 3 * reach),
            r3: third(3 * high + 2 * (all - 3 * low)),
            s3: third(3 * low - 2 * (3 * high - all)),
            close: self.close,
        };
        (first, levels)
    }
}
