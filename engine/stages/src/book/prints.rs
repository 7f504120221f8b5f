//! The last trades, by the match numbers under which the venue can break them.
//!
//! A `break` names a trade by its number alone, perhaps hours later. The numbers of a venue begin anew with a session, so the
//! newest trade of a number is the one that is meant.
//!
//! Bound: the parameter. Worst case: a break, which is rare, walks once over all that is remembered.

use crate::recent::{OfInstrument, Recent};
use flow::records::{BrokenTrade, Trade};
use flow::{Event, Flags, Ns, Px, Qty, StateError, StateReader, StateWriter};
use serde::{Deserialize, Serialize};

/// A trade that can be broken.
#[derive(Clone, Copy, Serialize, Deserialize)]
struct Print {
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

impl OfInstrument for Print {
    fn instrument(&self) -> u32 {
        self.instrument
    }

    fn set_instrument(&mut self, instrument: u32) {
        self.instrument = instrument;
    }
}

/// The trades that can be broken.
pub(super) struct Prints(Recent<Print>);

impl Prints {
    /// Room for so many.
    pub(super) fn new(len: usize) -> Prints {
        let (ts, px, flags) = (Ns::NONE, Px::NONE, Flags::NONE);
        let vacant = Print { match_id: 0, exchange_ts: ts, ts, px, qty: Qty(0), instrument: 0, flags, broken: false };
        Prints(Recent::new(len, vacant))
    }

    /// Whether any are remembered.
    pub(super) fn remembers(&self) -> bool {
        self.0.keeps()
    }

    /// Remembers a trade with these flags, if it has a number.
    #[inline]
    pub(super) fn remember(&mut self, event: &Event, flags: Flags, trade: &Trade) {
        let Trade { exchange_ts, px, qty, match_id, .. } = *trade;
        if match_id != 0 {
            let (ts, instrument) = (event.ts, event.instrument);
            self.0.push(Print { match_id, exchange_ts, ts, px, qty, instrument, flags, broken: false });
        }
    }

    /// Breaks the newest trade of that number, unless it is broken: the trade, and its flags.
    pub(super) fn take(&mut self, instrument: u32, match_id: u64) -> Option<(BrokenTrade, Flags)> {
        let is_meant = |print: &&mut Print| print.match_id == match_id && print.instrument == instrument;
        let print = self.0.newest_first().find(is_meant)?;
        let Print { exchange_ts, ts, px, qty, flags, .. } = *print;
        let trade = BrokenTrade { exchange_ts, trade_ts: ts, px, qty, match_id };
        (!std::mem::replace(&mut print.broken, true)).then_some((trade, flags))
    }

    pub(super) fn save(&self, to: &mut StateWriter<'_>) {
        self.0.save(to);
    }

    pub(super) fn load(&mut self, from: &mut StateReader<'_>) -> Result<(), StateError> {
        self.0.load(from, "trades")
    }
}
