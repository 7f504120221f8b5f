//! Trades of a session: how many, and the largest.
//!
//! Sixteen bytes an instrument and session.

use super::{Context, Measure, Needs, OfSession, PerInstrument, counted};
use crate::Space;
use flow::{Event, Kind, Kinds, Param, ParamError, Params, Qty, records};
use serde::{Deserialize, Serialize};

/// What can be set: nothing.
pub const PARAMS: &[Param] = &[];

/// The measure `dummy`.
pub struct Dummy;

/// What it keeps of an instrument and session.
#[derive(Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trades {
    count: u64,
    largest: Qty,
}

impl Measure for Dummy {
    type Records = (records::Dummy, records::DummySize);
    type State = PerInstrument<OfSession<Trades>>;

    fn new(_: &Params, space: Space) -> Result<(Dummy, Self::State), ParamError> {
        Ok((Dummy, PerInstrument::new(space)))
    }

    fn reads(&self) -> Kinds {
        Kinds::of(&[Kind::Trade])
    }

    fn needs(&self) -> Needs {
        Needs::SESSIONS
    }

    #[inline]
    fn on(&self, trades: &mut Self::State, context: &Context, event: &Event) -> Option<Self::Records> {
        let trade = counted(event)?;
        let trades = trades.in_session(event.instrument, event.ts, context)?;
        (trades.count, trades.largest) = (trades.count + 1, trades.largest.max(trade.qty));
        let count = records::Dummy { trades: trades.count, reserved: [0; 32] };
        Some((count, records::DummySize { largest: trades.largest, reserved: [0; 32] }))
    }
}
