//! What the strategy knows of an instrument.
//!
//! At most one order of an instrument is on its way or at the venue, and it never rests, so every answer that names the
//! strategy and the instrument is that order's. Bound: 450 bytes an instrument.

use super::super::emit::Touch;
use super::super::session::Day;
use super::atr::Atr;
use super::flow::Window;
use flow::{Ns, Px, Side};
use serde::{Deserialize, Serialize};

/// One instrument.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(super) struct InstrumentState {
    /// Whether anything was told of it.
    pub(super) known: bool,
    pub(super) calendar: [u8; 4],
    pub(super) tick: i64,
    pub(super) touch: Touch,
    /// When the touch was told.
    pub(super) told: Ns,
    /// Exchange time of the touch.
    pub(super) exchange_ts: Ns,
    pub(super) day: Day,
    pub(super) flow: Window,
    pub(super) atr: Atr,
    /// At the touch; NaN = not known.
    pub(super) imbalance: f64,
    /// NaN = not known.
    pub(super) vpin: f64,
    pub(super) position: i64,
    pub(super) stop: Px,
    pub(super) target: Px,
    /// Quantity of the order on its way that no answer accounts for yet; 0 = none is on its way.
    pub(super) working: u64,
    /// When the order is given up.
    pub(super) patience: Ns,
    /// No entry before.
    pub(super) rest_until: Ns,
}

impl InstrumentState {
    /// Nothing known. Not all zero, so that filling memory with it touches the memory.
    pub(super) const NONE: InstrumentState = InstrumentState {
        known: false,
        calendar: *b"----",
        tick: 1,
        touch: Touch::NONE,
        told: Ns(0),
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
        rest_until: Ns(0),
    };

    /// A fill of ours; `of_working` of it is of the order on its way.
    pub(super) fn fill(&mut self, side: Side, qty: u64, of_working: u64, now: Ns, cooldown_ns: u64) {
        let size = i64::try_from(qty).unwrap_or(i64::MAX);
        self.position = match side {
            Side::Buy => self.position.saturating_add(size),
            Side::Sell => self.position.saturating_sub(size),
            Side::None => self.position,
        };
        if of_working >= self.working {
            self.settle(now, cooldown_ns);
        } else {
            self.working -= of_working;
        }
    }

    /// Our order is over, whatever became of it.
    pub(super) fn settle(&mut self, now: Ns, cooldown_ns: u64) {
        self.working = 0;
        self.close(now, cooldown_ns);
    }

    /// Without a position there is neither stop nor target, and no entry for a while.
    pub(super) fn close(&mut self, now: Ns, cooldown_ns: u64) {
        if self.position == 0 {
            (self.stop, self.target) = (Px::NONE, Px::NONE);
            self.rest_until = Ns(now.0.saturating_add(cooldown_ns));
        }
    }

    /// Whether an order is on its way; one that got no answer in time is given up.
    pub(super) fn is_working(&mut self, now: Ns, cooldown_ns: u64) -> bool {
        if self.working > 0 && now >= self.patience {
            self.settle(now, cooldown_ns);
        }
        self.working > 0
    }
}
