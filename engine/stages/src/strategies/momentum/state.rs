//! What the strategy keeps per instrument.
//!
//! Bound: 450 bytes per instrument.

use super::super::emit::Touch;
use super::super::holding::Holding;
use super::super::session::Day;
use super::atr::Atr;
use super::flow::Window;
use flow::records::Memory;
use flow::{Calendar, Lasting, Ns, Px, Tick};
use serde::{Deserialize, Serialize};

/// Keys of the rows that outlive a journal; the page describes them.
const STOPS: u16 = 1;
const WAIT: u16 = 2;
const ATR: u16 = 3;

/// One instrument.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(super) struct InstrumentState {
    /// Whether any event concerned it.
    pub(super) known: bool,
    pub(super) calendar: Calendar,
    pub(super) tick: Tick,
    pub(super) touch: Touch,
    /// When the touch was last published.
    pub(super) touch_ts: Ns,
    /// Exchange time of the touch.
    pub(super) exchange_ts: Ns,
    pub(super) day: Day,
    pub(super) flow: Window,
    pub(super) atr: Atr,
    /// Imbalance at the touch; NaN = unknown.
    pub(super) imbalance: f64,
    /// VPIN; NaN = unknown.
    pub(super) vpin: f64,
    pub(super) held: Holding,
}

impl InstrumentState {
    /// Initial state. Not all zero, so that filling memory with it touches the memory.
    pub(super) const NONE: InstrumentState = InstrumentState {
        known: false,
        calendar: Calendar::Utc,
        tick: Tick::UNKNOWN,
        touch: Touch::NONE,
        touch_ts: Ns(0),
        exchange_ts: Ns(0),
        day: Day::NONE,
        flow: Window::NONE,
        atr: Atr::NONE,
        imbalance: f64::NAN,
        vpin: f64::NAN,
        held: Holding::NONE,
    };

    /// Says what outlives the journal. The position itself comes from the fills.
    pub(super) fn remember(&self, instrument: u32, to: &mut Lasting) {
        let held = &self.held;
        if held.position != 0 {
            to.put(instrument, STOPS, 0, [held.stop.0, held.target.0, held.position]);
        }
        if held.pause_until != Ns(0) || !self.vpin.is_nan() {
            to.put(instrument, WAIT, 0, [held.pause_until.0 as i64, self.vpin.to_bits() as i64, 0]);
        }
        if self.atr != Atr::NONE {
            to.put(instrument, ATR, 0, self.atr.lasting());
        }
    }

    /// Takes a row back; stop and target only for the position that they protect.
    pub(super) fn recall(&mut self, row: &Memory) {
        self.known = true;
        match (row.key, row.values()) {
            (STOPS, [stop, target, position]) if position == self.held.position => {
                (self.held.stop, self.held.target) = (Px(stop), Px(target));
            }
            (WAIT, [until, vpin, _]) => {
                (self.held.pause_until, self.vpin) = (Ns(until as u64), f64::from_bits(vpin as u64));
            }
            (ATR, values) => self.atr = Atr::recalled(values),
            _ => {}
        }
    }
}
