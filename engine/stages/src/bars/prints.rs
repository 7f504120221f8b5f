//! The last trades of all bars, from which the prices of a bar are found anew when the venue breaks one of its trades.
//!
//! A trade can be subtracted from a sum, and not from a high. So the stage remembers what it put into bars, in a ring, and where all the trades of
//! a bar are still in it, first, highest, lowest and last are looked for again.
//!
//! Bound: the parameter. Worst case: for each bar that a broken trade gave a price, a walk back to its first trade; over all of
//! the ring, where that is forgotten.

use super::sum::{Prices, Sum};
use crate::recent::{Kept, MOST_WORDS, Recent};
use flow::records::{BrokenTrade, Trade};
use flow::{Event, Ns, Px};

/// A trade that went into bars.
#[derive(Clone, Copy)]
pub(super) struct Print {
    match_id: u64,
    ts: Ns,
    /// [`Px::NONE`] once it is broken.
    px: Px,
    instrument: u32,
}

const _: () = assert!(size_of::<Print>() == 32);

impl Kept for Print {
    const WORDS: usize = 4;
    const VACANT: Print = Print { match_id: 0, ts: Ns::NONE, px: Px::NONE, instrument: 0 };

    fn instrument(&mut self) -> &mut u32 {
        &mut self.instrument
    }

    fn words(&self) -> [u64; MOST_WORDS] {
        [self.match_id, self.ts.0, self.px.0.cast_unsigned(), self.instrument.into(), 0, 0]
    }

    fn of([match_id, ts, px, instrument, ..]: [u64; MOST_WORDS]) -> Print {
        Print { match_id, ts: Ns(ts), px: Px(px.cast_signed()), instrument: instrument as u32 }
    }
}

/// The trades that are remembered.
pub(super) type Prints = Recent<Print>;

impl Prints {
    #[inline]
    pub(super) fn remember(&mut self, event: &Event, trade: &Trade) {
        let (ts, instrument) = (event.ts, event.instrument);
        self.push(Print { match_id: trade.match_id, ts, px: trade.px, instrument });
    }

    /// Forgets a trade that is broken.
    pub(super) fn forget(&mut self, instrument: u32, broken: &BrokenTrade) {
        let BrokenTrade { match_id, trade_ts: ts, px, .. } = *broken;
        let is_it = |p: &&mut Print| (p.match_id, p.instrument, p.ts, p.px) == (match_id, instrument, ts, px);
        if let Some(print) = self.newest_first().find(is_it) {
            print.px = Px::NONE;
        }
    }

    /// The prices of an instrument's bar, if all of its trades are remembered.
    pub(super) fn prices(&mut self, instrument: u32, bar: &Sum) -> Option<Prices> {
        let of_bar = |p: &&mut Print| p.instrument == instrument && p.px != Px::NONE && bar.has(p.ts);
        let mut pxs = self.newest_first().filter(of_bar).take(bar.trades as usize).map(|print| print.px);
        let close = pxs.next()?;
        let (mut found, mut prices) = (1, Prices { open: close, high: close, low: close, close });
        for px in pxs {
            found += 1;
            prices = Prices { high: prices.high.max(px), low: prices.low.min(px), open: px, ..prices };
        }
        (found == bar.trades).then_some(prices)
    }
}
