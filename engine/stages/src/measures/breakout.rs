//! Breakouts: price leaves a range, and comes back or stays out.
//!
//! The range is the value area of the session before; without one, that of the last hour as it stood before the bar that is judged.
//! Bars in market hours are judged when they close. While price is out the range stays as it was, and the breakout ends when a bar
//! closes inside again, goes over to the other side, or with the session.
//!
//! Bound: some 400 bytes an instrument. Worst case: a bar that begins a session ends a breakout of the one before, begins another
//! and, if it is the last of its session too, ends that.

use super::bar_hours::{BarHours, end_of, length_below_a_day, start_of, whole_bar};
use super::true_range::TrueRange;
use super::value_area::{LastArea, ValueArea};
use super::{Context, Measure, Needs, PerInstrument, emit};
use crate::Space;
use flow::records::{self, Bar, BreakoutRange, Profile, ProfileArea};
use flow::{
    BreakoutStep, Event, Flags, FloatParam, IntParam, Kind, Kinds, Ns, Out, Param, ParamError, Params, PriceDirection,
    ProfileOf, Px, Seen, TextParam,
};
use serde::{Deserialize, Serialize};

const INTERVAL: TextParam =
    TextParam::new("interval", "1m", "length of the bars, below a day, one that the pipeline or a feed provides");
const PROFILE: IntParam<u8> =
    IntParam::new("profile", (0, 255), "0", "number of the instance of `profile` that it reads; 0 = the plain one");
const RANGE_MINUTES: IntParam<u16> = IntParam::new(
    "range_minutes",
    (1, 1_440),
    "60",
    "without a session before: minutes of this one before the first bar that is judged",
)
.unit("minutes");
const ATR_BARS: IntParam<u16> =
    IntParam::new("atr_bars", (1, 240), "14", "bars of the average true range").unit("bars");
const ATR_FACTOR: FloatParam =
    FloatParam::new("atr_factor", (0.0, 1e3), "0.25", "true ranges beyond the range that a bar closes, at the least");
const FAILED_BARS: IntParam<u16> =
    IntParam::new("failed_bars", (1, 480), "30", "bars within which a close inside is a failure").unit("bars");
const ACCEPTED_BARS: IntParam<u16> =
    IntParam::new("accepted_bars", (1, 480), "60", "bars outside after which a breakout is accepted").unit("bars");

/// Parameters.
pub const PARAMS: &[Param] = &[
    INTERVAL.param(),
    PROFILE.param(),
    RANGE_MINUTES.param(),
    ATR_BARS.param(),
    ATR_FACTOR.param(),
    FAILED_BARS.param(),
    ACCEPTED_BARS.param(),
];

/// The measure `breakout`.
pub struct Breakout {
    interval_s: u32,
    profile: u8,
    range_minutes: u16,
    atr_bars: u16,
    atr_factor: f64,
    failed_bars: u16,
    accepted_bars: u16,
}

/// A range that price can leave.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Range {
    area: ValueArea,
    of: ProfileOf,
}

/// Price is out of a range.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Outside {
    range: Range,
    direction: PriceDirection,
    /// Start of the bar with which it began, and the number of that bar.
    since_s: u32,
    bar: u16,
    /// The furthest price of its bars.
    extreme: Px,
    has_gap: bool,
    has_crossed: bool,
}

/// What is known of an instrument.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Now {
    hours: BarHours,
    true_range: TrueRange,
    /// Value area of the session before.
    previous: LastArea,
    /// That of the last minutes, and as it stood at the end of the last bar.
    rolling: LastArea,
    before: Option<ValueArea>,
    /// Whose rows the next `profile-area` has.
    waiting: Option<ProfileOf>,
    /// The last bar: its number in the session, its start, its close.
    bar: u16,
    start_s: u32,
    close: Px,
    outside: Option<Outside>,
}

impl Measure for Breakout {
    type Records = (records::Breakout, BreakoutRange);
    type State = PerInstrument<Now>;

    /// The end of a breakout of the session before, the beginning of another, and its end.
    const FAN_OUT: usize = 3 * 2;

    fn new(params: &Params, space: Space) -> Result<(Breakout, Self::State), ParamError> {
        let measure = Breakout {
            interval_s: length_below_a_day("breakout.interval", params.get(INTERVAL))?.seconds(),
            profile: params.get(PROFILE),
            range_minutes: params.get(RANGE_MINUTES),
            atr_bars: params.get(ATR_BARS),
            atr_factor: params.get(ATR_FACTOR),
            failed_bars: params.get(FAILED_BARS),
            accepted_bars: params.get(ACCEPTED_BARS),
        };
        Ok((measure, PerInstrument::new(space)))
    }

    const WANTS: &'static [&'static [Kind]] = &[&[Kind::Bar], &[Kind::Profile]];

    #[inline(always)]
    fn reads(&self) -> Kinds {
        const { Kinds::of(&[Kind::Bar, Kind::Profile, Kind::ProfileArea]) }
    }

    #[inline(always)]
    fn needs(&self) -> Needs {
        Needs::HOURS
    }

    fn terms(&self) -> Vec<u64> {
        vec![self.interval_s.into(), self.profile.into(), self.atr_bars.into()]
    }

    #[inline]
    fn run(&self, state: &mut Self::State, context: &Context, event: &Event, out: &mut Out) {
        let Some(now) = state.get_mut(event.instrument) else { return };
        match event.kind {
            Kind::Profile => now.profile(event, self.profile),
            Kind::ProfileArea => now.area(event.record()),
            Kind::Bar => {
                if let Some(bar) = whole_bar(event, self.interval_s) {
                    self.bar(now, context, bar, &mut Emitter { event, out });
                }
            }
            _ => {}
        }
    }
}

impl Now {
    fn profile(&mut self, event: &Event, instance: u8) {
        let profile: &Profile = event.record();
        let of = ProfileOf::from_code(profile.of).filter(|_| profile.instance == instance);
        let area = ValueArea::of(profile, event.ts);
        match of {
            Some(ProfileOf::Previous) => self.previous.take(area, event.id.seq()),
            Some(ProfileOf::Rolling) => self.rolling.take(area, event.id.seq()),
            _ => {}
        }
        self.waiting = of;
    }

    fn area(&mut self, record: &ProfileArea) {
        match self.waiting.take() {
            Some(ProfileOf::Previous) => self.previous.take_row(record.row_px),
            Some(ProfileOf::Rolling) => self.rolling.take_row(record.row_px),
            _ => {}
        }
    }

    /// The range that a bar of that input is held against.
    fn range(&self, start: Ns, least: Ns, seq: u64) -> Option<Range> {
        if let Some(outside) = self.outside {
            return Some(outside.range);
        }
        let from = self.hours.from();
        let of_session = |area: Option<ValueArea>| area.filter(|area| area.is_since(from));
        let previous = of_session(self.previous.before(seq)).map(|area| Range { area, of: ProfileOf::Previous });
        let rolling = || of_session(self.before).filter(|_| start.0.saturating_sub(from.0) >= least.0);
        previous.or_else(|| rolling().map(|area| Range { area, of: ProfileOf::Rolling }))
    }
}

/// Where rows go.
struct Emitter<'a> {
    event: &'a Event,
    out: &'a mut Out,
}

impl Breakout {
    fn bar(&self, now: &mut Now, context: &Context, bar: &Bar, emitter: &mut Emitter<'_>) {
        let (start, seq) = (start_of(bar), emitter.event.id.seq());
        if let Some(hours) = now.hours.next(emitter.event.instrument, start, context) {
            self.end(now, emitter);
            *now = Now { hours, previous: now.previous, rolling: now.rolling, waiting: now.waiting, ..Now::default() };
        } else if now.start_s != 0 {
            now.bar = now.bar.saturating_add(u16::from(now.hours.hold(start)));
        }
        if now.hours.hold(start) {
            now.true_range.add(bar.high, bar.low, bar.close, self.atr_bars);
            (now.start_s, now.close) = (bar.start_s, bar.close);
            if let Some(range) = now.range(start, Ns(u64::from(self.range_minutes) * 60 * Ns::SECOND), seq) {
                self.decide(now, bar, range, emitter);
            }
            now.before = now.rolling.before(seq);
        }
        if now.hours.are_over(end_of(bar)) {
            self.end(now, emitter);
        }
    }

    /// Holds a bar against a range.
    fn decide(&self, now: &mut Now, bar: &Bar, range: Range, emitter: &mut Emitter<'_>) {
        let (close, ValueArea { vah, val, .. }) = (bar.close, range.area);
        let least = self.least(now, &range).0;
        let direction = if close.0.saturating_sub(vah.0) >= least {
            Some(PriceDirection::Up)
        } else if val.0.saturating_sub(close.0) >= least {
            Some(PriceDirection::Down)
        } else {
            None
        };
        let (last, is_inside) = (now.outside, val <= close && close <= vah);
        let step = match (last, direction) {
            (Some(last), Some(direction)) if last.direction != direction => BreakoutStep::Out,
            (None, Some(_)) => BreakoutStep::Out,
            (None, None) => return,
            (Some(last), _) => {
                now.outside = Some(last.with(bar));
                match now.bar.saturating_sub(last.bar) {
                    bars if is_inside && bars <= self.failed_bars => BreakoutStep::Failed,
                    _ if is_inside => BreakoutStep::Returned,
                    bars if bars == self.accepted_bars => BreakoutStep::Accepted,
                    _ => return,
                }
            }
        };
        if let Some(direction) = direction.filter(|_| step == BreakoutStep::Out) {
            now.outside = Some(Outside {
                range,
                direction,
                since_s: bar.start_s,
                bar: now.bar,
                extreme: if direction == PriceDirection::Up { bar.high } else { bar.low },
                has_gap: now.bar == 0,
                has_crossed: last.is_some(),
            });
        }
        self.emit(now, step, emitter);
        if is_inside {
            now.outside = None;
        }
    }

    /// Ends the breakout with its session, if there is one.
    fn end(&self, now: &mut Now, emitter: &mut Emitter<'_>) {
        self.emit(now, BreakoutStep::Ended, emitter);
        now.outside = None;
    }

    /// How far beyond a range a bar has to close: a row, or the part of the true range if that is known and more.
    fn least(&self, now: &Now, range: &Range) -> Px {
        let part = now.true_range.known(self.atr_bars).map_or(0, |atr| (atr * self.atr_factor).ceil() as i64);
        range.area.row_px.max(Px(part)).max(Px(1))
    }

    /// Emits what has become of the breakout, as it is at the last bar.
    #[cold]
    fn emit(&self, now: &Now, step: BreakoutStep, emitter: &mut Emitter<'_>) {
        let Some(outside) = &now.outside else { return };
        let area = outside.range.area;
        let first = records::Breakout {
            close: now.close,
            vah: area.vah,
            val: area.val,
            start_s: now.start_s,
            since_s: outside.since_s,
            bars: now.bar.saturating_sub(outside.bar),
            what: step.code(),
            direction: outside.direction.code(),
            gap: Seen::of(outside.has_gap).code(),
            crossed: Seen::of(outside.has_crossed).code(),
            range_of: outside.range.of.code(),
            instance: 0,
        };
        let range = BreakoutRange {
            poc: area.poc,
            row_px: area.row_px,
            extreme: outside.extreme,
            least_px: self.least(now, &outside.range),
            atr: now.true_range.real(self.atr_bars),
        };
        emit(&(first, range), Flags::NONE, emitter.event, emitter.out);
    }
}

impl Outside {
    /// With one more bar.
    fn with(self, bar: &Bar) -> Outside {
        let extreme = match self.direction {
            PriceDirection::Up => self.extreme.max(bar.high),
            PriceDirection::Down => self.extreme.min(bar.low),
        };
        Outside { extreme, ..self }
    }
}
