//! What a copy of the strategy acts on in a rehearsal: any flow enters, on any lean of the book, at any hour.
//!
//! Bound: three events.

use super::super::occasion::{Occasion, Occasions};
use flow::records::{Bar, Cvd, Imbalance};
use flow::{Px, Qty, Real, Side};

/// A bar whose range is known, a book that leans, and a trade.
pub const OCCASION: Occasion = Occasion {
    params: &[
        ("qty", "1"),
        ("lookback", "60"),
        ("min_flow", "0"),
        ("min_volume", "0"),
        ("min_imbalance", "-1"),
        ("max_vpin", "1"),
        ("cvd", "cvd"),
        ("imbalance", "imbalance"),
        ("vpin", "vpin"),
        ("bar", "1m"),
        ("atr_bars", "1"),
        ("cooldown", "0"),
        ("max_age", "5000"),
        ("patience", "0"),
        ("session_start", "00:00"),
        ("session_end", "24:00"),
    ],
    events,
};

fn events(n: u64, to: &mut Occasions) {
    let (low, high) = (Px(Px::ONE), Px(Px::ONE + Px::ONE / 100));
    to.add(Side::None, &Bar { open: low, high, low, close: high, interval_s: 60, ..Bar::default() });
    to.add(Side::None, &Imbalance { l1: Real::of(0.5), ..Imbalance::default() });
    to.add(Side::Buy, &Cvd { cvd: n as i64, buy_qty: Qty(n), trades: 1, ..Cvd::default() });
}
