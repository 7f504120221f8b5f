//! What head and tail say when an operator asks where trading stands.

use super::halt_causes::HaltCause;
use super::trades::{Pnl, Purse};
use flow::records::{BookTop, Position, PositionMoney};
use flow::{Account, Ns, StrategyId};
use std::collections::BTreeMap;

/// Most positions in an answer.
pub(super) const MOST: usize = 256;

/// A feed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FeedState {
    /// Its name.
    pub name: String,
    /// Inputs so far.
    pub inputs: u64,
    /// When the last one entered, on the pipeline's clock.
    pub last: Ns,
    /// Whether it has ended.
    pub ended: bool,
    /// Why nothing more comes of a live one.
    pub failed: Option<String>,
}

/// What the head says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HeadState {
    /// The last number that it gave.
    pub seq: u64,
    /// The time of that input.
    pub now: Ns,
    /// The wall time when it said so; `None` under the event clock.
    pub clock: Option<Ns>,
    /// Whether recorded inputs are still to be replayed.
    pub replaying: bool,
    /// How many instruments there are, and the most that there may be.
    pub instruments: [u32; 2],
    /// The feeds, in order.
    pub feeds: Vec<FeedState>,
}

/// A position.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct HeldPosition {
    /// Account.
    pub account: Account,
    /// Strategy.
    pub strategy: StrategyId,
    /// Instrument.
    pub instrument: u32,
    /// Quantity and average price.
    pub position: Position,
    /// Profit and fees.
    pub money: PositionMoney,
}

/// An instrument that an answer shows: its symbol and key, the decimals of its prices, and its best bid and ask.
#[derive(Clone, Debug, PartialEq)]
pub struct QuotedInstrument {
    /// Instrument.
    pub instrument: u32,
    /// Its symbol.
    pub symbol: String,
    /// Its key, `symbol@venue`.
    pub key: String,
    /// The least number of decimals of its prices.
    pub decimals: u32,
    /// Best bid and ask, if there ever was one.
    pub top: Option<BookTop>,
}

/// What the tail says.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TailState {
    /// The first positions that are not flat.
    pub positions: Vec<HeldPosition>,
    /// How many there are.
    pub held: u64,
    /// Profit and fees of all positions.
    pub pnl: BTreeMap<Purse, Pnl>,
    /// The instruments that are held, have open orders, doubtful data or parameters of their own, or are flattened.
    pub quotes: Vec<QuotedInstrument>,
    /// The last halt that no resume followed.
    pub halt: Option<HaltCause>,
}
