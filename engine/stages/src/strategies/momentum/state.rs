//! What the strategy keeps per instrument.
//!
//! An instrument has at most one order working, and it never rests, so every report for this strategy and instrument is
//! about that order. Bound: 450 bytes per instrument.

use super::super::emit::Touch;
use super::super::session::Day;
use super::atr::Atr;
use super::flow::Window;
use flow::records::Memory;
use flow::{Calendar, Lasting, Ns, Px, Side, Tick};
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
    pub(super) position: i64,
    pub(super) stop: Px,
    pub(super) target: Px,
    /// Quantity of the working order that no report accounts for yet; 0 = no working order.
    pub(super) working: u64,
    /// When the working order is given up.
    pub(super) patience: Ns,
    /// No entry before this time.
    pub(super) cooldown_until: Ns,
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
        position: 0,
        stop: Px::NONE,
        target: Px::NONE,
        working: 0,
        patience: Ns(0),
        cooldown_until: Ns(0),
    };

    /// Says what outlives the journal. The position itself comes from the fills.
    pub(super) fn remember(&self, instrument: u32, to: &mut Lasting) {
        if self.position != 0 {
            to.put(instrument, STOPS, 0, [self.stop.0, self.target.0, self.position]);
        }
        if self.cooldown_until != Ns(0) || !self.vpin.is_nan() {
            to.put(instrument, WAIT, 0, [self.cooldown_until.0 as i64, self.vpin.to_bits() as i64, 0]);
        }
        if self.atr != Atr::NONE {
            to.put(instrument, ATR, 0, self.atr.lasting());
        }
    }

    /// Takes a row back; stop and target only for the position that they protect.
    pub(super) fn recall(&mut self, row: &Memory) {
        self.known = true;
        match (row.key, row.values()) {
            (STOPS, [stop, target, position]) if position == self.position => {
                (self.stop, self.target) = (Px(stop), Px(target));
            }
            (WAIT, [until, vpin, _]) => {
                (self.cooldown_until, self.vpin) = (Ns(until as u64), f64::from_bits(vpin as u64));
            }
            (ATR, values) => self.atr = Atr::recalled(values),
            _ => {}
        }
    }

    /// A fill of ours was taken back.
    pub(super) fn bust(&mut self, side: Side, qty: u64, now: Ns, cooldown_ns: u64) {
        self.add(side.opposite(), qty);
        if self.working == 0 {
            self.close(now, cooldown_ns);
        }
    }

    fn add(&mut self, side: Side, qty: u64) {
        let size = i64::try_from(qty).unwrap_or(i64::MAX);
        self.position = self.position.saturating_add(if side == Side::Sell { -size } else { size });
    }

    /// A fill of ours; `of_working` of it belongs to the working order.
    pub(super) fn fill(&mut self, side: Side, qty: u64, of_working: u64, now: Ns, cooldown_ns: u64) {
        self.add(side, qty);
        if of_working >= self.working {
            self.settle(now, cooldown_ns);
        } else {
            self.working -= of_working;
        }
    }

    /// The working order ended, one way or another.
    pub(super) fn settle(&mut self, now: Ns, cooldown_ns: u64) {
        self.working = 0;
        self.close(now, cooldown_ns);
    }

    /// When flat: removes stop and target, and starts the cooldown.
    pub(super) fn close(&mut self, now: Ns, cooldown_ns: u64) {
        if self.position == 0 {
            (self.stop, self.target) = (Px::NONE, Px::NONE);
            self.cooldown_until = Ns(now.0.saturating_add(cooldown_ns));
        }
    }

    /// Whether an order is working; one without a report in time is given up.
    pub(super) fn is_working(&mut self, now: Ns, cooldown_ns: u64) -> bool {
        if self.working > 0 && now >= self.patience {
            self.settle(now, cooldown_ns);
        }
        self.working > 0
    }
}
