//! Net signed volume over the lookback, in sixteen slots of time.
//!
//! A slot is a sixteenth of the lookback. Old volume drops out slot by slot, so the sum covers between fifteen and sixteen
//! sixteenths of it. A broken trade is taken out of the slot of its time. Bound: sixteen slots; a pause clears at most all of
//! them.

use flow::records::{BrokenTrade, Cvd};
use flow::{Ns, Side};
use serde::{Deserialize, Serialize};

const SLOTS: usize = 16;

/// The sliding window.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Window {
    signed: [i64; SLOTS],
    volume: [u64; SLOTS],
    /// Number of the current slot.
    slot: u64,
    /// The last `cvd`: signed volume, total volume, trades.
    last: (i64, u64, u32),
}

impl Window {
    /// Empty. Not all zero, so that filling memory with it touches the memory.
    pub(super) const NONE: Window = Window { signed: [0; SLOTS], volume: [0; SLOTS], slot: u64::MAX, last: (0, 0, 0) };

    /// Adds the difference to the last `cvd`; after a new session it counts from zero.
    pub(super) fn add(&mut self, now: Ns, lookback_ns: u64, cvd: &Cvd) {
        self.advance(now, lookback_ns);
        if cvd.trades < self.last.2 {
            self.last = (0, 0, 0);
        }
        let all = cvd.buy_qty.0.saturating_add(cvd.sell_qty.0);
        let at = (self.slot % SLOTS as u64) as usize;
        self.signed[at] = self.signed[at].saturating_add(cvd.cvd.saturating_sub(self.last.0));
        self.volume[at] = self.volume[at].saturating_add(all.saturating_sub(self.last.1));
        self.last = (cvd.cvd, all, cvd.trades);
    }

    /// Takes out a broken trade that is still in the window; the `cvd` that is without it follows.
    pub(super) fn take_out(&mut self, trade: &BrokenTrade, side: Side, lookback_ns: u64) {
        let slot = trade.trade_ts.0 / (lookback_ns / SLOTS as u64).max(1);
        let held = self.slot != u64::MAX && self.slot.checked_sub(slot).is_some_and(|back| back < SLOTS as u64);
        let qty = i64::try_from(trade.qty.0).unwrap_or(i64::MAX);
        let signed = match side {
            Side::Buy => qty,
            Side::Sell => -qty,
            Side::None => return,
        };
        if held {
            let at = (slot % SLOTS as u64) as usize;
            self.signed[at] = self.signed[at].saturating_sub(signed);
            self.volume[at] = self.volume[at].saturating_sub(trade.qty.0);
        }
    }

    /// Empties it: its slots are to be of another length.
    pub(super) fn empty(&mut self) {
        *self = Window { last: self.last, ..Window::NONE };
    }

    /// A `cvd` that is the last one without a broken trade: nothing was traded.
    pub(super) fn restate(&mut self, cvd: &Cvd) {
        self.last = (cvd.cvd, cvd.buy_qty.0.saturating_add(cvd.sell_qty.0), cvd.trades);
    }

    fn advance(&mut self, now: Ns, lookback_ns: u64) {
        let slot = now.0 / (lookback_ns / SLOTS as u64).max(1);
        let gone = if self.slot == u64::MAX { SLOTS as u64 } else { slot.saturating_sub(self.slot) };
        for back in 0..gone.min(SLOTS as u64) {
            let at = (slot.wrapping_sub(back) % SLOTS as u64) as usize;
            (self.signed[at], self.volume[at]) = (0, 0);
        }
        self.slot = slot;
    }

    /// Net signed volume as a fraction of the volume, -1 to 1, and the volume.
    pub(super) fn net(&self) -> (f64, u64) {
        let volume = self.volume.iter().fold(0_u64, |sum, v| sum.saturating_add(*v));
        let signed = self.signed.iter().fold(0_i64, |sum, v| sum.saturating_add(*v));
        (if volume == 0 { 0.0 } else { signed as f64 / volume as f64 }, volume)
    }
}
