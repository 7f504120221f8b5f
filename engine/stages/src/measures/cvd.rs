//! Signed volume: what aggressors bought less what they sold, since the session began.
//!
//! Three sums an instrument, half a cache line. They saturate rather than wrap.

use super::session::{Calendars, Session};
use super::traded;
use crate::Space;
use flow::records::Cvd;
use flow::{
    Event, Flags, Kind, Kinds, Out, Param, ParamError, Params, Qty, Scope, Side, Stage, StateError, StateReader,
    StateWriter,
};
use serde::{Deserialize, Serialize};

/// What can be set: nothing.
pub const PARAMS: &[Param] = &[];

/// Volumes of an instrument's session.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Volumes {
    /// Unsigned, bought, sold: by the number of the side, since a branch on it could not be guessed.
    sums: [u64; 3],
    trades: u32,
    session: Session,
}

const _: () = assert!(size_of::<Volumes>() == 32);

impl Volumes {
    const NONE: Volumes = Volumes { sums: [0; 3], trades: 0, session: Session::NONE };

    #[inline]
    fn add(&mut self, qty: u64, side: Side) {
        let sum = &mut self.sums[side as usize];
        *sum = sum.saturating_add(qty);
        self.trades = self.trades.saturating_add(1);
    }

    #[inline]
    fn record(&self) -> Cvd {
        let [unsigned, bought, sold] = self.sums;
        let cvd = i128::from(bought) - i128::from(sold);
        Cvd {
            cvd: cvd.clamp(i64::MIN.into(), i64::MAX.into()) as i64,
            buy_qty: Qty(bought),
            sell_qty: Qty(sold),
            unsigned_qty: Qty(unsigned),
            trades: self.trades,
            reserved: [0; 4],
        }
    }
}

/// Sums the signed volume of every instrument.
pub struct CvdStage {
    volumes: Box<[Volumes]>,
    calendars: Calendars,
}

impl CvdStage {
    /// Sums for every instrument of the space.
    pub fn new(space: Space) -> CvdStage {
        let volumes = vec![Volumes::NONE; space.instruments as usize].into_boxed_slice();
        CvdStage { volumes, calendars: Calendars::new(space.instruments) }
    }

    /// The registry's builder.
    ///
    /// # Errors
    /// Never: there is nothing to set.
    pub fn build(_: &Params, space: Space) -> Result<Box<dyn Stage>, ParamError> {
        Ok(Box::new(CvdStage::new(space)))
    }

    #[inline]
    fn trade(&mut self, event: &Event, out: &mut Out) {
        let Some((at, trade)) = traded(event, self.volumes.len()) else { return };
        let volumes = &mut self.volumes[at];
        if volumes.session.is_over(event.ts) {
            *volumes = Volumes { session: self.calendars.session(at, event.ts), ..Volumes::NONE };
        }
        volumes.add(trade.qty.0, event.side());
        out.push(event.instrument, Flags::LAST_OF_GROUP, &volumes.record());
    }
}

impl Stage for CvdStage {
    fn reads(&self) -> Kinds {
        Kinds::of(&[Kind::Listing, Kind::Trade])
    }

    fn emits(&self) -> Kinds {
        Kinds::of(&[Kind::Cvd])
    }

    fn scope(&self) -> Scope {
        Scope::Instrument
    }

    fn fan_out(&self) -> usize {
        1
    }

    #[inline]
    fn on_event(&mut self, event: &Event, out: &mut Out) {
        if event.kind == Kind::Trade {
            self.trade(event, out);
        } else {
            self.calendars.observe(event);
        }
    }

    fn save(&self, to: &mut StateWriter<'_>) {
        let mut saved = Vec::new();
        for (at, volumes) in self.volumes.iter().enumerate() {
            let calendar = self.calendars.get(at);
            if calendar.is_some() || *volumes != Volumes::NONE {
                saved.push(Saved { key: to.key(at as u32), calendar, volumes: *volumes });
            }
        }
        saved.sort_unstable_by(|a, b| a.key.cmp(&b.key));
        to.put(&saved);
    }

    fn load(&mut self, from: &mut StateReader<'_>) -> Result<(), StateError> {
        self.volumes.fill(Volumes::NONE);
        self.calendars.forget();
        for saved in from.get::<Vec<Saved>>()? {
            let at = from.instrument(&saved.key)? as usize;
            if at >= self.volumes.len() {
                return Err(StateError::TooLarge { what: "instruments", found: at + 1, limit: self.volumes.len() });
            }
            self.volumes[at] = saved.volumes;
            self.calendars.set(at, saved.calendar);
        }
        Ok(())
    }
}

/// What is saved of an instrument.
#[derive(Serialize, Deserialize)]
struct Saved {
    key: String,
    calendar: Option<[u8; 4]>,
    volumes: Volumes,
}
