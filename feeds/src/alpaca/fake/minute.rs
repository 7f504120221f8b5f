//! The minutes of the made-up market: the bar of each, and the one that is sent again.
//!
//! A bar is told when its minute is over, of the trades that were told until then. Of every second one a trade comes late: it is told
//! then, out of sequence, and the bar again with it. That is [`LATE`] after the minute, sooner than the half a minute of the real
//! stream, so that who tries it for a short while sees one. Bound: two bars a symbol.

use super::wire::{Body, Minute};
use flow::Ns;

const MINUTE: u64 = 60 * Ns::SECOND;
/// How long after its minute a bar comes again.
const LATE: u64 = 2 * Ns::SECOND;

/// A bar that is being made, of prices in cents.
#[derive(Clone, Copy, Default)]
struct Sum {
    start: Ns,
    prices: [u64; 4],
    volume: u64,
    trades: u64,
    /// Cents times shares.
    money: u64,
}

impl Sum {
    fn add(&mut self, cents: u64, qty: u64) {
        let [open, high, low, _] = if self.trades == 0 { [cents; 4] } else { self.prices };
        self.prices = [open, high.max(cents), low.min(cents), cents];
        self.volume += qty;
        self.trades += 1;
        self.money += cents * qty;
    }

    fn told(&self) -> Minute {
        let vwap = self.money as f64 / self.volume as f64 / 100.0;
        let prices = self.prices.map(|cents| cents as f64 / 100.0);
        Minute { prices, volume: self.volume, trades: self.trades, vwap: (vwap * 1e6).round() / 1e6 }
    }
}

/// The minutes of a symbol.
#[derive(Default)]
pub(super) struct Minutes {
    open: Sum,
    closed: Option<Sum>,
    bars: u64,
}

/// A trade that comes late.
pub(super) struct LateTrade {
    pub(super) time: Ns,
    pub(super) cents: u64,
}

/// What a minute's end, or a late trade, has to tell.
pub(super) enum Due {
    Nothing,
    Bar(Ns, Body),
    Again(Ns, Minute, LateTrade),
}

/// Shares of a late trade.
pub(super) const LATE_QTY: u64 = 100;

impl Minutes {
    /// A trade, in the minute of the last [`Minutes::due`].
    pub(super) fn trade(&mut self, cents: u64, qty: u64) {
        self.open.add(cents, qty);
    }

    /// What is due at this time; asked until it is nothing.
    pub(super) fn due(&mut self, now: Ns) -> Due {
        let start = Ns(now.0 - now.0 % MINUTE);
        if let Some(mut sum) = self.closed.take_if(|sum| now.0 >= sum.start.0 + MINUTE + LATE) {
            let cents = sum.prices[3];
            sum.add(cents, LATE_QTY);
            let late = LateTrade { time: Ns(sum.start.0 + MINUTE - 1), cents };
            return Due::Again(sum.start, sum.told(), late);
        }
        if self.open.start == start {
            return Due::Nothing;
        }
        let sum = std::mem::replace(&mut self.open, Sum { start, ..Sum::default() });
        if sum.trades == 0 {
            return Due::Nothing;
        }
        self.bars += 1;
        self.closed = (!self.bars.is_multiple_of(2)).then_some(sum);
        Due::Bar(sum.start, Body::Bar(sum.told()))
    }
}
