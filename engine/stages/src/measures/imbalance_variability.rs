//! Variability of the book's imbalance: how far it swings about its mean.
//!
//! The imbalance at the touch is sampled at the end of every second, so that a busy second weighs no more than a quiet one. A sample is an
//! integer of 1e-12, so what leaves the sums leaves all of it, and the deviation is the same however long they have been kept.
//!
//! Bound: per instrument a ring of 8 bytes a second. Worst case: the first `book-top` after a quiet window fills the whole ring.

use super::{Context, Measure, MeasureState, Needs, PerInstrument, Rings, Session};
use crate::Space;
use flow::records::{self, BookTop};
use flow::{
    Event, IntParam, Kind, Kinds, Ns, Param, ParamError, Params, Real, StateError, StateReader, StateWriter,
    divide_half_even,
};
use serde::{Deserialize, Serialize};

const WINDOW: IntParam<u16> = IntParam::new("window", (2, 3_600), "300", "length of the window").unit("seconds");
const LEAST: IntParam<u16> =
    IntParam::new("least", (1, 3_600), "30", "samples in the window before there is a variability").unit("samples");

/// Parameters.
pub const PARAMS: &[Param] = &[WINDOW.param(), LEAST.param()];

/// How many parts an imbalance of one has.
const PARTS: i64 = 1_000_000_000_000;
/// The sample of a second at whose end a side was empty.
const ABSENT: i64 = i64::MIN;

/// The measure `imbalance-variability`.
pub struct ImbalanceVariability {
    window_s: u16,
    least: u16,
}

/// Sums of samples.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Sums {
    samples: u16,
    sum: i64,
    squares: i128,
}

impl Sums {
    fn add(&mut self, sample: i64) {
        if sample != ABSENT {
            self.samples += 1;
            self.sum += sample;
            self.squares += i128::from(sample) * i128::from(sample);
        }
    }

    fn take_out(&mut self, sample: i64) {
        if sample != ABSENT {
            self.samples -= 1;
            self.sum -= sample;
            self.squares -= i128::from(sample) * i128::from(sample);
        }
    }

    fn mean(&self) -> f64 {
        self.sum as f64 / (f64::from(self.samples) * PARTS as f64)
    }

    /// Of the samples as they are, not as an estimate from them: so it never exceeds one.
    fn deviation(&self) -> f64 {
        let (of, sum) = (i128::from(self.samples), i128::from(self.sum));
        let spread = of * self.squares - sum * sum;
        (spread as f64).sqrt() / (f64::from(self.samples) * PARTS as f64)
    }
}

/// What is known of an instrument besides its samples.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Now {
    session: Session,
    /// The running second, Unix time.
    second: u64,
    /// The imbalance that stands.
    standing: i64,
    sums: Sums,
}

impl Default for Now {
    fn default() -> Now {
        Now { session: Session::NONE, second: 0, standing: ABSENT, sums: Sums::default() }
    }
}

/// The samples of all instruments.
pub struct Samples {
    now: PerInstrument<Now>,
    rings: Rings<i64>,
}

impl Measure for ImbalanceVariability {
    type Records = records::ImbalanceVariability;
    type State = Samples;

    fn new(params: &Params, space: Space) -> Result<(ImbalanceVariability, Samples), ParamError> {
        let (window_s, least) = (params.get(WINDOW), params.get(LEAST));
        if least > window_s {
            let (key, found) = ("imbalance-variability.least".to_owned(), least.to_string());
            let valid = format!("valid: no more than imbalance-variability.window, {window_s}");
            return Err(ParamError { key, found, valid });
        }
        let samples = Samples { now: PerInstrument::new(space), rings: Rings::new(space, window_s) };
        Ok((ImbalanceVariability { window_s, least }, samples))
    }

    const WANTS: &'static [&'static [Kind]] = &[&[Kind::BookTop]];

    #[inline(always)]
    fn reads(&self) -> Kinds {
        const { Kinds::of(&[Kind::BookTop]) }
    }

    fn needs(&self) -> Needs {
        Needs::SESSIONS
    }

    fn terms(&self) -> Vec<u64> {
        vec![self.window_s.into()]
    }

    #[inline]
    fn on(&self, samples: &mut Samples, context: &Context, event: &Event) -> Option<records::ImbalanceVariability> {
        let top: &BookTop = event.get()?;
        let second = event.ts.0 / Ns::SECOND;
        let now = samples.now.get_mut(event.instrument)?;
        if now.session.is_over(event.ts) {
            let session = context.session(event.instrument, event.ts);
            *now = Now { session, second, standing: sample(top), sums: Sums::default() };
            samples.rings.empty(event.instrument);
            return None;
        }
        // What stood until now stood at the end of every second since the last event.
        let stood = std::mem::replace(&mut now.standing, sample(top));
        let ended = second.saturating_sub(now.second);
        if ended == 0 {
            return None;
        }
        now.second = second;
        for _ in 0..ended.min(self.window_s.into()) {
            now.sums.add(stood);
            if let Some(gone) = samples.rings.push(event.instrument, stood) {
                now.sums.take_out(gone);
            }
        }
        Some(self.record(&now.sums))
    }
}

impl ImbalanceVariability {
    fn record(&self, sums: &Sums) -> records::ImbalanceVariability {
        let is_enough = sums.samples >= self.least;
        let known = |number: f64| if is_enough { Real::of(number) } else { Real::NONE };
        records::ImbalanceVariability {
            variability: known(sums.deviation()),
            mean: known(sums.mean()),
            samples: sums.samples,
            window_s: self.window_s,
            ..records::ImbalanceVariability::default()
        }
    }
}

/// The imbalance at a touch, rounded half to even.
#[inline]
fn sample(top: &BookTop) -> i64 {
    let [bid, ask] = [top.bid_qty.0, top.ask_qty.0].map(i128::from);
    let has_both = top.bid_px.known().is_some() && top.ask_px.known().is_some() && bid > 0 && ask > 0;
    if has_both { divide_half_even((bid - ask) * i128::from(PARTS), bid + ask) } else { ABSENT }
}

impl MeasureState for Samples {
    fn list(&mut self, instrument: u32) {
        self.now.list(instrument);
        self.rings.list(instrument);
    }

    fn save(&self, to: &mut StateWriter<'_>) {
        self.now.save(to);
        self.rings.save(to);
    }

    fn load(&mut self, from: &mut StateReader<'_>) -> Result<(), StateError> {
        self.now.load(from)?;
        self.rings.load(from)?;
        for (instrument, now) in self.now.iter() {
            let mut sums = Sums::default();
            for sample in std::iter::once(now.standing).chain(self.rings.held(instrument)) {
                if sample != ABSENT && sample.unsigned_abs() > PARTS.unsigned_abs() {
                    return Err(StateError::Inconsistent("an imbalance beyond one"));
                }
            }
            self.rings.held(instrument).for_each(|sample| sums.add(sample));
            if sums != now.sums {
                return Err(StateError::Inconsistent("sums that are not those of their samples"));
            }
        }
        Ok(())
    }
}
