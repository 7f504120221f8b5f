//! Correlation: how alike the returns of two instruments are, of each two that run, over the last bars.
//!
//! It is the one measure that looks at several instruments at once: each takes a place with its first bar, up to a bound, and those that come
//! later are left out. A bar brings the return of its own instrument, and with it the correlations with all others that have a bar of that
//! time: so of a time each pair is emitted once, with the later of its two bars.
//!
//! Bound: 64 instruments, 512 bytes a time for all of them together and 96 for each pair. Worst case: a bar that begins another time,
//! at which all pairs lose the oldest one, and the last bar of a time, which emits a record for each other instrument.

mod window;

use super::bar_hours::{INTERVAL, length, whole_bar};
use super::measure::emit;
use super::volatility::log_ratio;
use super::{Context, Measure, MeasureState, PerInstrument};
use crate::Space;
use flow::records::{self, Bar};
use flow::{
    Event, Flags, IntParam, Interval, Kind, Kinds, Out, Param, ParamError, Params, Px, Real, Scope, StateError,
    StateReader, StateWriter,
};
use serde::{Deserialize, Serialize};
pub use window::Sums;
use window::{MOST, Window};

const BARS: IntParam<u16> = IntParam::new("bars", (2, 4_000), "120", "last times of bars that count").unit("bars");
const LEAST: IntParam<u16> =
    IntParam::new("least", (2, 4_000), "30", "returns that two instruments must have in common").unit("bars");

/// Parameters.
pub const PARAMS: &[Param] = &[INTERVAL.param(), BARS.param(), LEAST.param()];

/// The measure `correlation`.
pub struct Correlation {
    interval: Interval,
    bars: u16,
    least: u16,
}

/// An instrument that has a place.
#[derive(Clone, Copy)]
struct Member {
    instrument: u32,
    /// Start and close of its last bar.
    last: (u32, Px),
}

/// What is known of all instruments.
pub struct Returns {
    places: PerInstrument<Option<u8>>,
    members: Vec<Member>,
    window: Window,
}

/// An instrument as it is saved, by the key of its listing.
#[derive(Serialize, Deserialize)]
struct Saved {
    key: String,
    last: (u32, Px),
}

impl Returns {
    /// The place of an instrument, and the bar before this one; it takes a place if it has none and there is one.
    fn place(&mut self, instrument: u32, bar: &Bar) -> Option<(usize, Option<(u32, Px)>)> {
        let (place, last) = (self.places.get_mut(instrument)?, (bar.start_s, bar.close));
        if let Some(place) = *place {
            let place = usize::from(place);
            return Some((place, Some(std::mem::replace(&mut self.members[place].last, last))));
        }
        if self.members.len() == MOST {
            return None;
        }
        *place = Some(self.members.len() as u8);
        self.members.push(Member { instrument, last });
        Some((self.members.len() - 1, None))
    }
}

impl MeasureState for Returns {
    fn list(&mut self, instrument: u32) {
        self.places.list(instrument);
    }

    fn save(&self, to: &mut StateWriter<'_>) {
        let saved = |member: &Member| Saved { key: to.key(member.instrument), last: member.last };
        let members: Vec<Saved> = self.members.iter().map(saved).collect();
        to.put(&members);
        to.put(&self.window.saved());
    }

    fn load(&mut self, from: &mut StateReader<'_>) -> Result<(), StateError> {
        self.members.clear();
        self.places.iter_mut().for_each(|place| *place = None);
        for Saved { key, last } in from.get::<Vec<Saved>>()? {
            let instrument = from.instrument(&key)?;
            self.places.list(instrument);
            let place = self.members.len();
            match self.places.get_mut(instrument) {
                Some(free) if free.is_none() && place < MOST => *free = Some(place as u8),
                _ => return Err(StateError::Inconsistent("correlations of more instruments than there are")),
            }
            self.members.push(Member { instrument, last });
        }
        if !self.window.restore(&from.get::<Vec<_>>()?) {
            return Err(StateError::Inconsistent("returns of more times than are kept, or not in their order"));
        }
        Ok(())
    }
}

impl Measure for Correlation {
    type Records = records::Correlation;
    type State = Returns;

    /// One for each other instrument.
    const FAN_OUT: usize = MOST - 1;

    const SCOPE: Scope = Scope::Global;

    fn new(params: &Params, space: Space) -> Result<(Correlation, Returns), ParamError> {
        let interval = length("correlation.interval", params.get(INTERVAL))?;
        let (bars, least) = (params.get(BARS), params.get(LEAST));
        if least > bars {
            let (key, found) = ("correlation.least".to_owned(), least.to_string());
            return Err(ParamError { key, found, valid: format!("valid: no more than correlation.bars, {bars}") });
        }
        let (places, members) = (PerInstrument::new(space), Vec::with_capacity(MOST));
        Ok((Correlation { interval, bars, least }, Returns { places, members, window: Window::new(bars) }))
    }

    const WANTS: &'static [&'static [Kind]] = &[&[Kind::Bar]];

    #[inline(always)]
    fn reads(&self) -> Kinds {
        const { Kinds::of(&[Kind::Bar]) }
    }

    fn terms(&self) -> Vec<u64> {
        vec![self.interval.seconds().into(), self.bars.into()]
    }

    #[inline]
    fn run(&self, all: &mut Returns, _: &Context, event: &Event, out: &mut Out) {
        if let Some(bar) = whole_bar(event, self.interval.seconds()) {
            self.bar(all, event, bar, out);
        }
    }
}

impl Correlation {
    fn bar(&self, all: &mut Returns, event: &Event, bar: &Bar, out: &mut Out) {
        let Some((place, Some((start_s, close)))) = all.place(event.instrument, bar) else { return };
        // Over a gap or a night the return is of another length than those of others.
        let is_next = self.interval.is_day() || start_s.checked_add(bar.interval_s) == Some(bar.start_s);
        let Some(returned) = log_ratio(bar.close, close).filter(|_| is_next) else { return };
        let Some(slot) = all.window.slot(bar.start_s) else { return };
        if !all.window.add(slot, place, returned) {
            return;
        }
        for (at, other) in all.members.iter().enumerate() {
            if at == place || !all.window.has(slot, at) {
                continue;
            }
            let (correlation, common) = all.window.correlation(place, at);
            let correlation = correlation.filter(|_| common >= self.least).map_or(Real::NONE, Real::of);
            let record = records::Correlation {
                correlation,
                other: other.instrument,
                start_s: bar.start_s,
                interval_s: bar.interval_s,
                common,
                bars: self.bars,
                ..records::Correlation::default()
            };
            emit(&record, Flags::NONE, event, out);
        }
    }
}
