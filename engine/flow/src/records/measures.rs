//! Measures: tops of books, bars, order flow, toxicity.
//!
//! A measure is an `f64`; sums of market numbers stay integers.

use crate::record::records;
use crate::words::words;
use crate::{Ns, Px, Qty};

words! {
    /// How an imbalance over several levels weighs the k-th of them.
    Weighting: u8 {
        /// All alike.
        Equal = 1 "equal",
        /// 1/k.
        Harmonic = 2 "harmonic",
        /// exp(-lambda (k - 1)).
        Exponential = 3 "exponential",
    }
    /// How VPIN separates bought from sold volume.
    VpinMode: u8 {
        /// By the aggressor of each trade.
        Exact = 1 "exact",
        /// By the change of a bar's price.
        Bulk = 2 "bulk",
    }
}

records! {
    /// Best bid and ask of a book, when they change.
    BookTop = 32 "book-top" {
        exchange_ts: Ns as TimeNs "exchange time of the event that changed it",
        bid_px: Px as Price "best bid; absent = no bid",
        bid_qty: Qty as Qty "displayed quantity at the bid",
        ask_px: Px as Price "best ask; absent = no ask",
        ask_qty: Qty as Qty "displayed quantity at the ask",
    }
    /// Prices of a bar; joined with `bar-flow` on seq, instrument and interval. From the pipeline when it closes, or from a feed of bars.
    Bar = 33 "bar" {
        open: Px as Price "first price",
        high: Px as Price "highest price",
        low: Px as Price "lowest price",
        close: Px as Price "last price",
        start_s = "start_ns": u32 as Start "start of the bar, Unix time",
        interval_s = "interval": u32 as Interval "length of the bar",
    } row [interval, start_ns, open, high, low, close, volume, trades, vwap, buy_volume, sell_volume]
    /// Volumes of a bar; follows its `bar`.
    BarFlow = 34 "bar-flow" follows Bar {
        volume: Qty as Qty "quantity traded",
        vwap: Px as Average "volume-weighted average price, rounded half to even at 1e-9; absent when the feed does not tell",
        buy_volume: Qty as Qty "quantity whose aggressor was the buyer",
        sell_volume: Qty as Qty "quantity whose aggressor was the seller",
        trades: u32 as Uint "number of trades",
        interval_s = "interval": u32 as Interval "length of the bar",
    }
    /// Signed volume of an instrument since its session began, after each trade.
    Cvd = 35 "cvd" {
        cvd: i64 as Int "cumulative volume delta: bought less sold quantity, in the instrument's smallest unit",
        buy_qty: Qty as Qty "quantity whose aggressor was the buyer",
        sell_qty: Qty as Qty "quantity whose aggressor was the seller",
        unsigned_qty: Qty as Qty "quantity of trades without an aggressor; in neither of the others",
        trades: u32 as Uint "number of trades",
    } reserved 4
    /// Imbalance of a book, when its best bid or ask changes.
    Imbalance = 36 "imbalance" {
        l1: f64 as Float "(bid quantity - ask quantity) / (bid quantity + ask quantity) at the touch, -1 to 1; absent when a side is empty",
        depth: f64 as Float "the same over the best levels, weighted; absent when a side is empty or its levels are not known",
        mid: Px as Price "(bid + ask) / 2; absent when a side is empty",
        weighted_mid: Px as Price "(ask x bid quantity + bid x ask quantity) / (bid quantity + ask quantity), rounded half to even at 1e-9",
        levels: u32 as Uint "levels of a side that the depth measure takes",
        weighting: u8 as Code(Weighting) "how it weighs the k-th level",
    } reserved 3
    /// Volume-synchronised probability of informed trading, when a bucket closes; its `vpin-flow` follows.
    Vpin = 37 "vpin" {
        vpin: f64 as Float "mean of |bought - sold| / bucket quantity over the last buckets, 0 to 1; absent before there are enough",
        bucket_qty: Qty as Qty "quantity of a bucket",
        buckets: u64 as Uint "buckets closed since the session began",
        closed: u32 as Uint "buckets that this trade, or bar, closed",
        window: u32 as Uint "buckets that the mean is over",
        mode: u8 as Enum(VpinMode) "how trades are signed",
    } reserved 7 row [vpin, buckets, bucket_qty, buy_qty, sell_qty, unsigned_qty, mode, closed, window, bucket_buy_qty, bucket_sell_qty]
    /// The volumes of a `vpin`; follows it.
    VpinFlow = 38 "vpin-flow" follows Vpin {
        buy_qty: Qty as Qty "bought quantity since the session began",
        sell_qty: Qty as Qty "sold quantity since the session began",
        unsigned_qty: Qty as Qty "quantity left out since the session began: it had no aggressor",
        bucket_buy_qty: Qty as Qty "bought quantity of the last closed bucket",
        bucket_sell_qty: Qty as Qty "sold quantity of the last closed bucket",
    }
}
