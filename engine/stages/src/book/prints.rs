//! The last trades, by the match numbers under which the venue can break them.
//!
//! A `break` names a trade by its number alone, perhaps hours later. The numbers of a venue begin anew with a session, so the
//! newest trade of a number is the one that is meant. The trades of all instruments share one ring: a venue gives its members
//! a time in which to complain of a trade, and not a number of trades, so a quiet instrument's must be kept as long as a busy
//! one's and no longer.
//!
//! Bound: the parameter. Worst case: a break, which is rare, walks once over all that is remembered, about a millisecond.

use crate::recent::{Kept, MOST_WORDS, Recent};
use flow::records::{BrokenTrade, Trade};
use flow::{Event, Flags, Ns, Px, Qty};

/// A trade that can be broken.
#[derive(Clone, Copy)]
pub(super) struct Print {
    match_id: u64,
    exchange_ts: Ns,
    ts: Ns,
    px: Px,
    qty: Qty,
    instrument: u32,
    flags: Flags,
    broken: bool,
}

const _: () = assert!(size_of::<Print>() == 48);

impl Kept for Print {
    const WORDS: usize = 6;
    const VACANT: Print = Print {
        match_id: 0,
        exchange_ts: Ns::NONE,
        ts: Ns::NONE,
        px: Px::NONE,
        qty: Qty(0),
        instrument: 0,
        flags: Flags::NONE,
        broken: false,
    };

    fn instrument(&mut self) -> &mut u32 {
        &mut self.instrument
    }

    fn words(&self) -> [u64; MOST_WORDS] {
        let last = u64::from(self.instrument) | u64::from(self.flags.0) << 32 | u64::from(self.broken) << 48;
        [self.match_id, self.exchange_ts.0, self.ts.0, self.px.0.cast_unsigned(), self.qty.0, last]
    }

    fn of([match_id, exchange_ts, ts, px, qty, last]: [u64; MOST_WORDS]) -> Print {
        Print {
            match_id,
            exchange_ts: Ns(exchange_ts),
            ts: Ns(ts),
            px: Px(px.cast_signed()),
            qty: Qty(qty),
            instrument: last as u32,
            flags: Flags((last >> 32) as u16),
            broken: last >> 48 != 0,
        }
    }
}

/// The trades that can be broken.
pub(super) type Prints = Recent<Print>;

impl Prints {
    /// Remembers a trade with these flags, if it has a number.
    #[inline]
    pub(super) fn remember(&mut self, event: &Event, flags: Flags, trade: &Trade) {
        let Trade { exchange_ts, px, qty, match_id, .. } = *trade;
        if match_id != 0 {
            let (ts, instrument) = (event.ts, event.instrument);
            self.push(Print { match_id, exchange_ts, ts, px, qty, instrument, flags, broken: false });
        }
    }

    /// Breaks the newest trade of that number, unless it is broken: the trade, and its flags.
    pub(super) fn take(&mut self, instrument: u32, match_id: u64) -> Option<(BrokenTrade, Flags)> {
        let is_meant = |print: &&mut Print| print.match_id == match_id && print.instrument == instrument;
        let print = self.newest_first().find(is_meant)?;
        let Print { exchange_ts, ts, px, qty, flags, .. } = *print;
        let trade = BrokenTrade { exchange_ts, trade_ts: ts, px, qty, match_id };
        (!std::mem::replace(&mut print.broken, true)).then_some((trade, flags))
    }
}
