//! Relative strength index of bars, as Wilder has it.
//!
//! What closes gained and what they lost is averaged apart; the index is the part of the gains in both. Its first averages are the means of
//! as many changes as it has bars, so it needs one close more.
//!
//! Bound: 48 bytes an instrument, three divisions a bar.

use super::any_bars::{AnyBars, EVENT_BARS, OF, WANTED};
use super::bar_hours::INTERVAL;
use super::gliding::Gliding;
use super::{Context, Measure, PerInstrument};
use crate::Space;
use flow::records;
use flow::{Event, Flags, IntParam, Kind, Kinds, Param, ParamError, Params, Px, Real};
use serde::{Deserialize, Serialize};

const BARS: IntParam<u16> =
    IntParam::new("bars", (1, 1_000), "14", "changes that the first averages are of").unit("bars");

/// Parameters.
pub const PARAMS: &[Param] = &[OF.param(), INTERVAL.param(), EVENT_BARS.param(), BARS.param()];

/// The measure `rsi`.
pub struct Rsi {
    bars_of: AnyBars,
    bars: u16,
}

/// What is known of an instrument.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Changes {
    close: Option<Px>,
    gains: Gliding,
    losses: Gliding,
}

impl Changes {
    /// Adds a close; `of` changes make the first averages.
    fn add(&mut self, close: Px, of: u16) {
        if let Some(before) = self.close.replace(close) {
            let change = close.0.saturating_sub(before.0) as f64;
            self.gains.wilder(change.max(0.0), of);
            self.losses.wilder((-change).max(0.0), of);
        }
    }

    /// The index, once the averages are known: 50 where nothing has changed.
    fn index(&self, of: u16) -> Option<f64> {
        let (gains, losses) = (self.gains.known(of)?, self.losses.known(of)?);
        let all = gains + losses;
        Some(if all == 0.0 { 50.0 } else { 100.0 * gains / all })
    }
}

impl Measure for Rsi {
    type Records = records::Rsi;
    type State = PerInstrument<Changes>;

    fn new(params: &Params, space: Space) -> Result<(Rsi, Self::State), ParamError> {
        let bars_of = AnyBars::new("rsi", params)?;
        Ok((Rsi { bars_of, bars: params.get(BARS) }, PerInstrument::new(space)))
    }

    const WANTS: &'static [&'static [Kind]] = WANTED;

    #[inline(always)]
    fn reads(&self) -> Kinds {
        self.bars_of.reads()
    }

    fn terms(&self) -> Vec<u64> {
        let [interval_s, instance] = self.bars_of.terms();
        vec![interval_s, instance, self.bars.into()]
    }

    /// Nothing of it rests on sides.
    #[inline(always)]
    fn badge(&self, _: &Self::State, _: &Event) -> Flags {
        Flags::NONE
    }

    fn on(&self, changes: &mut Self::State, _: &Context, event: &Event) -> Option<records::Rsi> {
        let bar = self.bars_of.bar(event)?;
        let changes = changes.get_mut(event.instrument)?;
        changes.add(bar.close, self.bars);
        Some(records::Rsi {
            rsi: Real::of(changes.index(self.bars)),
            close: bar.close,
            start_s: bar.start_s,
            interval_s: bar.interval_s,
            bars: self.bars,
            ..records::Rsi::default()
        })
    }
}
