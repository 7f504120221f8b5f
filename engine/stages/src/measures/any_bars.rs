//! The bars that an indicator is of: those of a length of time, or those of an instance of `event-bars`.
//!
//! An indicator counts bars and does not look at their length, so it takes a bar that trades have ended as it takes one that the clock has
//! ended. What says how long a bar is, is absent of the former. What a session leaves at its end is a bar too: it holds the last price.
//!
//! Bound: one comparison or two for each bar of any length.

use super::bar_hours::{INTERVAL, length, whole_bar};
use flow::records::{Bar, EventBar};
use flow::{ChoiceParam, Event, Flags, IntParam, Kind, Kinds, ParamError, Params, choices};

/// What ends the bars.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BarsOf {
    /// The clock.
    Time,
    /// What was traded.
    Events,
}

/// Whether an indicator is of bars of time.
pub const OF: ChoiceParam<BarsOf> = ChoiceParam::new(
    "of",
    choices! { "time" => BarsOf::Time, "event-bars" => BarsOf::Events },
    "time",
    "which bars: those of a length of time, or event-bars",
);
/// Whose bars, if not of time.
pub const EVENT_BARS: IntParam<u8> = IntParam::new(
    "event_bars",
    (0, 255),
    "0",
    "of event-bars: number of the instance of `event-bars` that it reads; 0 = the plain one",
);

/// Bars of any kind, of which an indicator without them knows nothing.
pub(super) const WANTED: &[&[Kind]] = &[&[Kind::Bar, Kind::EventBar]];

/// The bars of an indicator.
#[derive(Clone, Copy)]
pub(super) enum AnyBars {
    /// Those of this length.
    Time(u32),
    /// Those of this instance.
    Events(u8),
}

/// The number of the instance of `event-bars` whose bars an indicator with these parameters is of, if it is of such.
pub fn instance(params: &Params) -> Option<u8> {
    (params.get(OF) == BarsOf::Events).then(|| params.get(EVENT_BARS))
}

impl AnyBars {
    /// Those that the parameters of a measure name.
    ///
    /// # Errors
    /// When the interval is no length.
    pub(super) fn new(measure: &str, params: &Params) -> Result<AnyBars, ParamError> {
        let interval = length(&format!("{measure}.interval"), params.get(INTERVAL))?;
        Ok(instance(params).map_or(AnyBars::Time(interval.seconds()), AnyBars::Events))
    }

    pub(super) fn reads(self) -> Kinds {
        match self {
            AnyBars::Time(_) => const { Kinds::of(&[Kind::Bar]) },
            AnyBars::Events(_) => const { Kinds::of(&[Kind::EventBar]) },
        }
    }

    /// What of them gives a state its meaning.
    pub(super) fn terms(self) -> [u64; 2] {
        match self {
            AnyBars::Time(interval_s) => [interval_s.into(), 0],
            AnyBars::Events(instance) => [0, u64::from(instance) + 1],
        }
    }

    /// The bar of an event, if it is one of them, has all its prices and is new. One that trades have ended has length 0.
    pub(super) fn bar(self, event: &Event) -> Option<Bar> {
        match self {
            AnyBars::Time(interval_s) => whole_bar(event, interval_s).copied(),
            AnyBars::Events(instance) => {
                let bar: &EventBar = event.get()?;
                let is_one = bar.instance == instance && !event.flags.has(Flags::SNAPSHOT);
                let EventBar { open, high, low, close, start_s, .. } = *bar;
                is_one.then_some(Bar { open, high, low, close, start_s, interval_s: 0 })
            }
        }
    }
}
