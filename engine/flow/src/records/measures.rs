//! What the line measures.
//!
//! Measures are f64; everything that is a sum of market numbers stays an integer.

use crate::record::records;
use crate::{Ns, Px, Qty};

records! {
    /// Best bid and ask of a book, on change only.
    BookTop = 32 "book-top" {
        exchange_ts: Ns as TimeNs "exchange time of the event that changed it",
        bid_px: Px as Price "best bid; absent = no bid",
        bid_qty: Qty as Qty "displayed quantity at the bid",
        ask_px: Px as Price "best ask; absent = no ask",
        ask_qty: Qty as Qty "displayed quantity at the ask",
    }
    /// Prices of a bar; joined with `bar-flow` on seq, instrument and interval. From the line when it closes, or from a feed of bars.
    Bar = 33 "bar" {
        open: Px as Price "first price",
        high: Px as Price "highest price",
        low: Px as Price "lowest price",
        close: Px as Price "last price",
        start_s: u32 as Seconds "start of the bar, Unix time",
        interval_s: u32 as Seconds "length of the bar",
    }
    /// Volumes of a bar; follows its `bar`.
    BarFlow = 34 "bar-flow" {
        volume: Qty as Qty "quantity traded",
        vwap: Px as Price "volume-weighted average price, rounded half to even at 1e-9; absent when the feed does not tell",
        buy_volume: Qty as Qty "quantity whose aggressor was the buyer",
        sell_volume: Qty as Qty "quantity whose aggressor was the seller",
        trades: u32 as Uint "number of trades",
        interval_s: u32 as Seconds "length of the bar",
    }
}
