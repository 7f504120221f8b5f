//! Cumulative volume delta: quantity bought less quantity sold by aggressors, since the session began.
//!
//! Three sums per instrument, in less than a cache line. They saturate rather than wrap. A broken trade of the session that is
//! open is taken out of them.

use super::{Context, Measure, Needs, OfSession, PerInstrument, counted, counted_before, take_out};
use crate::Space;
use flow::records::Memory;
use flow::{Event, Flags, Kind, Kinds, Lasting, Param, ParamError, Params, Qty, Side, records};
use serde::{Deserialize, Serialize};

/// Keys of the rows that outlive a journal; the page describes them.
const SUMS: u16 = 1;
const SESSION: u16 = 2;

/// Parameters: none.
pub const PARAMS: &[Param] = &[];

/// The measure `cvd`.
pub struct Cvd;

/// Volumes of an instrument's session.
#[derive(Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Volumes {
    /// Unsigned, bought, sold: indexed by the side's number, since a branch on it could not be predicted.
    sums: [u64; 3],
    trades: u32,
    /// Whether a side was inferred.
    is_inferred: bool,
}

impl Volumes {
    #[inline]
    fn add(&mut self, qty: u64, flags: Flags) {
        let sum = &mut self.sums[flags.side() as usize];
        *sum = sum.saturating_add(qty);
        self.is_inferred |= flags.has(Flags::INFERRED_AGGRESSOR);
        self.trades = self.trades.saturating_add(1);
    }

    fn take_out(&mut self, qty: u64, side: Side) {
        take_out(&mut self.sums[side as usize], qty);
        self.trades = if self.trades == u32::MAX { u32::MAX } else { self.trades.saturating_sub(1) };
    }

    #[inline]
    fn record(&self) -> records::Cvd {
        let [unsigned, bought, sold] = self.sums;
        let cvd = i128::from(bought) - i128::from(sold);
        records::Cvd {
            cvd: cvd.clamp(i64::MIN.into(), i64::MAX.into()) as i64,
            buy_qty: Qty(bought),
            sell_qty: Qty(sold),
            unsigned_qty: Qty(unsigned),
            trades: self.trades,
            ..records::Cvd::default()
        }
    }
}

impl Measure for Cvd {
    type Records = records::Cvd;
    type State = PerInstrument<OfSession<Volumes>>;

    fn new(_: &Params, space: Space) -> Result<(Cvd, Self::State), ParamError> {
        Ok((Cvd, PerInstrument::new(space)))
    }

    #[inline(always)]
    fn reads(&self) -> Kinds {
        const { Kinds::of(&[Kind::Trade, Kind::BrokenTrade]) }
    }

    #[inline(always)]
    fn needs(&self) -> Needs {
        Needs::SESSIONS
    }

    const LASTS: bool = true;

    fn remember(&self, volumes: &Self::State, to: &mut Lasting) {
        for (instrument, of_session) in volumes.iter() {
            let (Volumes { sums, trades, is_inferred }, session) = of_session.coded();
            if *trades > 0 {
                to.put(instrument, SUMS, 0, sums.map(|sum| sum as i64));
                to.put(instrument, SESSION, 0, [i64::from(*trades), i64::from(session), i64::from(*is_inferred)]);
            }
        }
    }

    fn recall(&self, volumes: &mut Self::State, instrument: u32, row: &Memory) {
        let Some(of_session) = volumes.get_mut(instrument) else { return };
        let (now, session) = of_session.coded();
        let [first, second, third] = row.values();
        *of_session = match row.key {
            SUMS => OfSession::decoded(Volumes { sums: [first, second, third].map(|sum| sum as u64), ..*now }, session),
            SESSION => {
                OfSession::decoded(Volumes { trades: first as u32, is_inferred: third != 0, ..*now }, second as u32)
            }
            _ => return,
        };
    }

    #[inline]
    fn badge(&self, volumes: &Self::State, event: &Event) -> Flags {
        let is_inferred = volumes.get(event.instrument).is_some_and(|volumes| volumes.coded().0.is_inferred);
        if is_inferred { Flags::INFERRED_AGGRESSOR } else { Flags::NONE }
    }

    #[inline]
    fn on(&self, volumes: &mut Self::State, context: &Context, event: &Event) -> Option<records::Cvd> {
        let Some(trade) = counted(event) else { return broken(volumes, context, event) };
        let volumes = volumes.in_session(event.instrument, event.ts, context)?;
        volumes.add(trade.qty.0, event.flags);
        Some(volumes.record())
    }
}

#[cold]
fn broken(volumes: &mut PerInstrument<OfSession<Volumes>>, context: &Context, event: &Event) -> Option<records::Cvd> {
    let trade = counted_before(event)?;
    let volumes = volumes.of_session(event.instrument, trade.trade_ts, context)?;
    volumes.take_out(trade.qty.0, event.side());
    Some(volumes.record())
}
