//! The last trades, by the match numbers under which the venue can break them.
//!
//! A `break` names a trade by its number alone, perhaps hours later. The numbers of a venue begin anew with a session, so the
//! newest trade of a number is the one that is meant. The trades of all instruments share one ring: a venue gives its members
//! a time in which to complain of a trade, and not a number of trades, so a quiet instrument's must be kept as long as a busy
//! one's and no longer.
//!
//! Bound: the parameter. Worst case: a break, which is rare, walks once over all that is remembered, about a millisecond.

use crate::recent::{Kept, Recent};
use flow::records::{BrokenTrade, Trade};
use flow::{Event, Flags, Ns, Px, Qty};
use serde::{Deserialize, Serialize};

/// A trade that can be broken.
#[derive(Clone, Copy, Serialize, Deserialize)]
pub(super) struct Print {
    match_id: u64,
    exchange_ts: Ns,
    ts: Ns,
    px: Px,
    qty: Qty,
    #[serde(skip)]
    instrument: u32,
    flags: Flags,
    broken: bool,
}

const _: () = assert!(size_of::<Print>() == 48);

impl Kept for Print {
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
