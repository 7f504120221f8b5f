//! The running sums of one bar.
//!
//! Quantities and money are integers and saturate rather than wrap; money is an `i128`, which holds the largest trade that
//! an event can carry. A broken trade is taken out of them; where one has saturated, that cannot be told. The VWAP is rounded once, half to even, when the bar closes. Bound: O(1) per trade.

use flow::records::{Bar, BarFlow, BrokenTrade, CorrectedBar, CorrectedBarFlow, Trade};
use flow::{Flags, Interval, Ns, Px, Qty, Side, divide_half_even};
use serde::{Deserialize, Serialize};

/// First, highest, lowest and last price of a bar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Prices {
    pub(super) open: Px,
    pub(super) high: Px,
    pub(super) low: Px,
    pub(super) close: Px,
}

/// A bar; it is open once it has a trade.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Sum {
    notional: i128,
    pub(super) start: Ns,
    /// First instant after the bar.
    pub(super) end: Ns,
    open: Px,
    high: Px,
    low: Px,
    close: Px,
    /// Of the trades that make a price.
    volume: u64,
    /// Of those that do not.
    besides: u64,
    bought: u64,
    sold: u64,
    pub(super) trades: u32,
    /// Whether a side was inferred.
    is_inferred: bool,
}

impl Sum {
    /// No bar. Not all zero, so that filling memory with it touches the memory.
    pub(super) const CLOSED: Sum = Sum {
        notional: 0,
        start: Ns::NONE,
        end: Ns::NONE,
        open: Px::NONE,
        high: Px::NONE,
        low: Px::NONE,
        close: Px::NONE,
        volume: 0,
        besides: 0,
        bought: 0,
        sold: 0,
        trades: 0,
        is_inferred: false,
    };

    /// A bar over `start..end` that waits for its first trade.
    pub(super) fn between(start: Ns, end: Ns) -> Sum {
        Sum { start, end, ..Sum::CLOSED }
    }

    #[inline]
    pub(super) fn is_open(&self) -> bool {
        self.trades > 0
    }

    /// Whether it is open and has ended by `ts`.
    #[inline]
    pub(super) fn is_due(&self, ts: Ns) -> bool {
        self.is_open() && ts >= self.end
    }

    #[inline]
    pub(super) fn add(&mut self, trade: &Trade, flags: Flags) {
        let px = trade.px;
        if self.trades == 0 {
            (self.open, self.high, self.low) = (px, px, px);
        }
        self.close = px;
        self.count(px, trade.qty, flags);
    }

    /// Adds a trade that was before all that it has.
    pub(super) fn add_before(&mut self, px: Px, qty: Qty, flags: Flags) {
        if self.trades == 0 {
            (self.close, self.high, self.low) = (px, px, px);
        }
        self.open = px;
        self.count(px, qty, flags);
    }

    #[inline]
    fn count(&mut self, px: Px, Qty(qty): Qty, flags: Flags) {
        self.high = self.high.max(px);
        self.low = self.low.min(px);
        self.volume = self.volume.saturating_add(qty);
        self.notional = self.notional.saturating_add(i128::from(px.0) * i128::from(qty));
        self.is_inferred |= flags.has(Flags::INFERRED_AGGRESSOR);
        match flags.side() {
            Side::Buy => self.bought = self.bought.saturating_add(qty),
            Side::Sell => self.sold = self.sold.saturating_add(qty),
            Side::None => {}
        }
        self.trades = self.trades.saturating_add(1);
    }

    /// Adds a trade that makes no price. Before the first one that does, it waits.
    pub(super) fn add_besides(&mut self, qty: Qty) {
        self.besides = self.besides.saturating_add(qty.0);
    }

    /// Takes out a broken trade that made no price. A sum at its limit may have lost some, so it stays.
    pub(super) fn take_besides(&mut self, trade: &BrokenTrade) {
        if self.besides != u64::MAX {
            self.besides = self.besides.saturating_sub(trade.qty.0);
        }
    }

    /// Whether this time is in it, open or not.
    pub(super) fn spans(&self, ts: Ns) -> bool {
        (self.start..self.end).contains(&ts)
    }

    /// Whether it is open and a trade of that time is in it.
    pub(super) fn has(&self, ts: Ns) -> bool {
        self.is_open() && self.spans(ts)
    }

    /// Itself without a broken trade, with its prices as they were; `None` where a sum has saturated, so that nobody knows what
    /// it would be, or where the trade cannot be in it.
    pub(super) fn without(&self, trade: &BrokenTrade, side: Side) -> Option<Sum> {
        if self.has_saturated() {
            return None;
        }
        let (px, qty, mut left) = (trade.px, trade.qty.0, *self);
        left.trades = left.trades.checked_sub(1)?;
        left.volume = left.volume.checked_sub(qty)?;
        left.notional = left.notional.checked_sub(i128::from(px.0) * i128::from(qty))?;
        match side {
            Side::Buy => left.bought = left.bought.checked_sub(qty)?,
            Side::Sell => left.sold = left.sold.checked_sub(qty)?,
            Side::None => {}
        }
        ((left.trades == 0) == (left.volume == 0)).then_some(left)
    }

    /// Whether one of its sums has reached its limit, so that it may have lost some.
    pub(super) fn has_saturated(&self) -> bool {
        self.volume == u64::MAX || self.trades == u32::MAX
    }

    /// Whether a trade at this price may have given it one of its prices.
    pub(super) fn is_priced_by(&self, px: Px) -> bool {
        [self.open, self.high, self.low, self.close].contains(&px)
    }

    /// Itself with the trades that make no price alone.
    pub(super) fn emptied(&self) -> Sum {
        Sum { besides: self.besides, ..Sum::between(self.start, self.end) }
    }

    /// Itself with these prices.
    pub(super) fn with(self, Prices { open, high, low, close }: Prices) -> Sum {
        Sum { open, high, low, close, ..self }
    }

    /// Its `corrected-bar` and `corrected-bar-flow`. Without a trade that makes a price there is no bar: volume 0, the rest absent.
    pub(super) fn corrected(&self, interval: Interval) -> (CorrectedBar, CorrectedBarFlow) {
        let kept = if self.is_open() { *self } else { Sum::between(self.start, self.end) };
        let (Bar { open, high, low, close, start_s, interval_s }, flow) = kept.records(interval);
        let BarFlow { volume, vwap, buy_volume, sell_volume, trades, .. } = flow;
        let bar = CorrectedBar { open, high, low, close, start_s, interval_s };
        (bar, CorrectedBarFlow { volume, vwap, buy_volume, sell_volume, trades, interval_s })
    }

    /// How its sides were found.
    pub(super) fn badge(&self) -> Flags {
        if self.is_inferred { Flags::INFERRED_AGGRESSOR } else { Flags::NONE }
    }

    /// Its `bar` and `bar-flow`.
    pub(super) fn records(&self, interval: Interval) -> (Bar, BarFlow) {
        let interval_s = interval.seconds();
        let start_s = u32::try_from(self.start.0 / Ns::SECOND).unwrap_or(u32::MAX);
        let bar = Bar { open: self.open, high: self.high, low: self.low, close: self.close, start_s, interval_s };
        let flow = BarFlow {
            volume: Qty(self.volume.saturating_add(self.besides)),
            vwap: if self.volume == 0 {
                Px::NONE
            } else {
                Px(divide_half_even(self.notional, i128::from(self.volume)))
            },
            buy_volume: Qty(self.bought),
            sell_volume: Qty(self.sold),
            trades: self.trades,
            interval_s,
        };
        (bar, flow)
    }
}
