//! The last trades of all bars, from which a bar is found anew when the venue breaks one of its trades.
//!
//! A trade can be subtracted from a sum, and not from a high; and a bar that has closed is no sum any more. So the stage remembers what it put
//! into bars, in a ring. Where all the trades of an open bar are still in it, first, highest, lowest and last are looked for again; a closed bar
//! is added up again. Whether all of a closed bar's trades are there shows an older trade of the instrument, or its first one ever.
//!
//! Bound: the parameter. Worst case: for each bar that a broken trade changes, a walk back to its first trade; over all of
//! the ring, where that is forgotten.

use super::sum::{Prices, Sum};
use crate::recent::{Kept, MOST_WORDS, Recent};
use flow::records::{BrokenTrade, Trade};
use flow::{Event, Flags, Ns, Px, Qty};

/// A trade that went into bars.
#[derive(Clone, Copy)]
pub(super) struct Print {
    match_id: u64,
    ts: Ns,
    /// [`Px::NONE`] once it is broken.
    px: Px,
    qty: Qty,
    instrument: u32,
    flags: Flags,
    /// Whether it is the first of its instrument that the stage has seen.
    is_first: u16,
}

const _: () = assert!(size_of::<Print>() == 40);

impl Kept for Print {
    const WORDS: usize = 5;
    const VACANT: Print =
        Print { match_id: 0, ts: Ns::NONE, px: Px::NONE, qty: Qty(0), instrument: 0, flags: Flags::NONE, is_first: 0 };

    fn instrument(&mut self) -> &mut u32 {
        &mut self.instrument
    }

    fn words(&self) -> [u64; MOST_WORDS] {
        let whose = u64::from(self.instrument) | u64::from(self.flags.0) << 32 | u64::from(self.is_first) << 48;
        [self.match_id, self.ts.0, self.px.0.cast_unsigned(), self.qty.0, whose, 0]
    }

    fn of([match_id, ts, px, qty, whose, _]: [u64; MOST_WORDS]) -> Print {
        let (instrument, flags, is_first) = (whose as u32, Flags((whose >> 32) as u16), (whose >> 48) as u16);
        Print { match_id, ts: Ns(ts), px: Px(px.cast_signed()), qty: Qty(qty), instrument, flags, is_first }
    }
}

/// The trades that are remembered.
pub(super) type Prints = Recent<Print>;

impl Prints {
    /// Remembers a trade; `is_first` if its instrument had none before it.
    #[inline]
    pub(super) fn remember(&mut self, event: &Event, trade: &Trade, is_first: bool) {
        let Trade { match_id, px, qty, .. } = *trade;
        let (ts, instrument, flags, is_first) = (event.ts, event.instrument, event.flags, is_first.into());
        self.push(Print { match_id, ts, px, qty, instrument, flags, is_first });
    }

    /// Forgets a trade that is broken.
    pub(super) fn forget(&mut self, instrument: u32, broken: &BrokenTrade) {
        let BrokenTrade { match_id, trade_ts: ts, px, .. } = *broken;
        let is_it = |p: &&mut Print| (p.match_id, p.instrument, p.ts, p.px) == (match_id, instrument, ts, px);
        if let Some(print) = self.newest_first().find(is_it) {
            print.px = Px::NONE;
        }
    }

    /// The prices of an instrument's open bar, if all of its trades are remembered.
    pub(super) fn prices(&mut self, instrument: u32, bar: &Sum) -> Option<Prices> {
        let of_bar = |p: &&mut Print| p.instrument == instrument && p.makes_a_price() && bar.has(p.ts);
        let mut pxs = self.newest_first().filter(of_bar).take(bar.trades as usize).map(|print| print.px);
        let close = pxs.next()?;
        let (mut found, mut prices) = (1, Prices { open: close, high: close, low: close, close });
        for px in pxs {
            found += 1;
            prices = Prices { high: prices.high.max(px), low: prices.low.min(px), open: px, ..prices };
        }
        (found == bar.trades).then_some(prices)
    }

    /// An instrument's bar with what it still has, `bar` being the empty one of that time, if all of its trades are remembered.
    pub(super) fn sum(&mut self, instrument: u32, mut bar: Sum) -> Option<Sum> {
        let (mut is_whole, end) = (false, bar.end);
        let of_instrument = self.newest_first().filter(|print| print.instrument == instrument);
        for print in of_instrument.skip_while(|print| print.ts >= end) {
            if !bar.spans(print.ts) {
                return Some(bar);
            }
            is_whole |= print.is_first != 0;
            match (print.px, print.flags.has(Flags::VOLUME_ONLY)) {
                (Px::NONE, _) => {}
                (_, true) => bar.add_besides(print.qty),
                (px, false) => bar.add_before(px, print.qty, print.flags),
            }
        }
        is_whole.then_some(bar)
    }
}

impl Print {
    fn makes_a_price(&self) -> bool {
        self.px != Px::NONE && !self.flags.has(Flags::VOLUME_ONLY)
    }
}
