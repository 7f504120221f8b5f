//! Price impact: how much the mid moves with signed volume (Kyle's lambda).
//!
//! Time is cut into intervals. Of each that has ended a ring keeps what aggressors bought less what they sold, and how far the mid moved; a
//! line through the last of them, least squares with an intercept, has the impact as its slope. Sums are integers: a mid is twice itself,
//! and every number of the fit is one division at the end.
//!
//! Bound: per instrument a ring of 24 bytes an interval. Worst case: the first event after a quiet window fills the ring, and adds it up once.

use super::{Aggressor, Context, Measure, MeasureState, Needs, PerInstrument, Rings, Session, Touch};
use super::{counted, counted_before};
use crate::Space;
use flow::records::PriceImpact;
use flow::{Event, IntParam, Kind, Kinds, Ns, Param, ParamError, Params, Real, StateError, StateReader, StateWriter};
use serde::{Deserialize, Serialize};

const SECONDS: IntParam<u16> = IntParam::new("seconds", (1, 3_600), "60", "length of an interval").unit("seconds");
const WINDOW: IntParam<u16> = IntParam::new("window", (3, 1_000), "30", "most intervals of the fit").unit("intervals");

/// Parameters.
pub const PARAMS: &[Param] = &[SECONDS.param(), WINDOW.param()];

/// Fewest intervals of a line: through two points there always is one.
const LEAST: i128 = 3;
/// A step of twice a mid, as a price.
const STEP: f64 = 2e9;

/// The measure `price-impact`.
pub struct KyleLambda {
    seconds: u16,
    intervals: u16,
}

/// An interval that has ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Ended {
    signed: i64,
    /// How far twice the mid moved; none where it was not known at both ends.
    moved: Option<i64>,
}

/// The running interval of an instrument.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Running {
    session: Session,
    /// The first event of the session.
    since: Ns,
    /// Its number, from the Unix epoch.
    number: u64,
    signed: i64,
    /// Twice the mid where the interval before ended.
    from: Option<i64>,
}

/// The intervals of all instruments.
pub struct Intervals {
    running: PerInstrument<Running>,
    ended: Rings<Ended>,
}

impl Measure for KyleLambda {
    type Records = PriceImpact;
    type State = Intervals;

    fn new(params: &Params, space: Space) -> Result<(KyleLambda, Intervals), ParamError> {
        let (seconds, intervals) = (params.get(SECONDS), params.get(WINDOW));
        let state = Intervals { running: PerInstrument::new(space), ended: Rings::new(space, intervals) };
        Ok((KyleLambda { seconds, intervals }, state))
    }

    const WANTS: &'static [&'static [Kind]] = &[&[Kind::BookTop]];

    #[inline(always)]
    fn reads(&self) -> Kinds {
        const { Kinds::of(&[Kind::BookTop, Kind::Trade, Kind::BrokenTrade]) }
    }

    fn needs(&self) -> Needs {
        Needs { touch: true, ..Needs::SESSIONS }
    }

    fn terms(&self) -> Vec<u64> {
        vec![self.seconds.into(), self.intervals.into()]
    }

    #[inline]
    fn on(&self, state: &mut Intervals, context: &Context, event: &Event) -> Option<PriceImpact> {
        let number = self.number(event.ts);
        let running = state.running.get_mut(event.instrument)?;
        let has_ended = if running.session.is_over(event.ts) {
            let session = context.session(event.instrument, event.ts);
            *running = Running { session, since: event.ts, number, ..Running::default() };
            state.ended.empty(event.instrument);
            0
        } else {
            number.saturating_sub(running.number)
        };
        if has_ended > 0 {
            let stood = twice_mid(&context.touch(event.instrument));
            let moved = running.from.zip(stood).map(|(from, to)| to.saturating_sub(from));
            let ended = Ended { signed: running.signed, moved };
            state.ended.push(event.instrument, ended);
            // In those without an event nothing traded and nothing moved.
            let quiet = Ended { signed: 0, moved: stood.map(|_| 0) };
            (1..has_ended.min(u64::from(self.intervals) + 1))
                .for_each(|_| _ = state.ended.push(event.instrument, quiet));
            *running = Running { number, signed: 0, from: stood, ..*running };
        }
        self.count(running, event);
        let last = (has_ended > 0).then(|| state.ended.held(event.instrument).last()).flatten()?;
        Some(self.record(last.signed, state.ended.held(event.instrument)))
    }
}

impl KyleLambda {
    /// The interval that an instant belongs to.
    #[inline]
    fn number(&self, ts: Ns) -> u64 {
        ts.0 / (u64::from(self.seconds) * Ns::SECOND)
    }

    /// Counts a trade, or takes one of the running interval back.
    fn count(&self, running: &mut Running, event: &Event) {
        let signed = |qty| {
            let (bought, sold) = Aggressor::of(event).split(qty);
            (i128::from(bought) - i128::from(sold)).clamp(i64::MIN.into(), i64::MAX.into()) as i64
        };
        if let Some(trade) = counted(event) {
            running.signed = running.signed.saturating_add(signed(trade.qty));
        } else if let Some(broken) = counted_before(event)
            && self.number(broken.trade_ts) == running.number
            && broken.trade_ts >= running.since
        {
            running.signed = running.signed.saturating_sub(signed(broken.qty));
        }
    }

    #[cold]
    fn record(&self, signed_qty: i64, ended: impl Iterator<Item = Ended>) -> PriceImpact {
        let mut points = Points::default();
        let is_exact =
            ended.filter_map(|ended| Some((ended.signed, ended.moved?))).all(|(x, y)| points.add(x, y).is_some());
        let line = if is_exact { points.line() } else { None };
        let real = |number: Option<f64>| number.map_or(Real::NONE, Real::of);
        PriceImpact {
            slope: real(line.map(|line| line.slope / STEP)),
            intercept: real(line.map(|line| line.intercept / STEP)),
            r2: real(line.and_then(|line| line.r2)),
            signed_qty,
            interval_s: self.seconds,
            window: self.intervals,
            intervals: points.of as u16,
            ..PriceImpact::default()
        }
    }
}

/// Twice the mid of a touch; none where a side is empty.
fn twice_mid(touch: &Touch) -> Option<i64> {
    let (bid, ask) = touch.bid_px.known().zip(touch.ask_px.known())?;
    (touch.bid_qty.0 > 0 && touch.ask_qty.0 > 0).then(|| bid.0.saturating_add(ask.0))
}

/// Sums of points. They are exact, or there are none: real ones are far below 2^127.
#[derive(Default)]
struct Points {
    of: i128,
    x: i128,
    y: i128,
    xx: i128,
    xy: i128,
    yy: i128,
}

/// The line that lies nearest to points.
#[derive(Clone, Copy)]
struct Line {
    slope: f64,
    intercept: f64,
    r2: Option<f64>,
}

impl Points {
    fn add(&mut self, x: i64, y: i64) -> Option<()> {
        let (x, y) = (i128::from(x), i128::from(y));
        self.of += 1;
        self.x += x;
        self.y += y;
        self.xx = self.xx.checked_add(x * x)?;
        self.xy = self.xy.checked_add(x * y)?;
        self.yy = self.yy.checked_add(y * y)?;
        Some(())
    }

    fn line(&self) -> Option<Line> {
        let less =
            |one: i128, other: (i128, i128)| self.of.checked_mul(one)?.checked_sub(other.0.checked_mul(other.1)?);
        let xx = less(self.xx, (self.x, self.x))?;
        let xy = less(self.xy, (self.x, self.y))?;
        let yy = less(self.yy, (self.y, self.y))?;
        let at_zero = self.y.checked_mul(self.xx)?.checked_sub(self.x.checked_mul(self.xy)?)?;
        (self.of >= LEAST && xx > 0).then(|| Line {
            slope: xy as f64 / xx as f64,
            intercept: at_zero as f64 / xx as f64,
            r2: (yy > 0).then(|| ((xy as f64 / xx as f64) * (xy as f64 / yy as f64)).clamp(0.0, 1.0)),
        })
    }
}

impl MeasureState for Intervals {
    fn list(&mut self, instrument: u32) {
        self.running.list(instrument);
        self.ended.list(instrument);
    }

    fn save(&self, to: &mut StateWriter<'_>) {
        self.running.save(to);
        self.ended.save(to);
    }

    fn load(&mut self, from: &mut StateReader<'_>) -> Result<(), StateError> {
        self.running.load(from)?;
        self.ended.load(from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(points: &[(i64, i64)]) -> Option<Line> {
        let mut sums = Points::default();
        points.iter().try_for_each(|(x, y)| sums.add(*x, *y))?;
        sums.line()
    }

    #[test]
    fn the_worked_numbers() {
        let moved = [0.01, -0.02, 0.015, 0.0, -0.01, 0.03].map(|moved: f64| (moved * STEP).round() as i64);
        let points: Vec<(i64, i64)> = [100, -150, 120, 20, -90, 260].into_iter().zip(moved).collect();
        let Line { slope, intercept, r2 } = line(&points).unwrap();
        assert!((slope / STEP - 1.200_775_656e-4).abs() < 1e-13);
        assert!((intercept / STEP + 1.036_694_5e-3).abs() < 1e-10);
        assert!((r2.unwrap() - 0.993_958).abs() < 1e-6);
    }

    #[test]
    fn too_few_points_or_equal_volumes_have_no_line_and_equal_mids_no_share() {
        assert!(line(&[(1, 1), (2, 2)]).is_none() && line(&[(5, 1), (5, 2), (5, 3)]).is_none());
        let flat = line(&[(1, 4), (2, 4), (3, 4)]).unwrap();
        assert_eq!((flat.slope, flat.intercept, flat.r2), (0.0, 4.0, None));
    }

    #[test]
    fn sums_that_do_not_fit_have_no_line() {
        assert!(line(&[(i64::MAX, i64::MAX), (i64::MIN, 1), (1, i64::MIN)]).is_none());
    }
}
