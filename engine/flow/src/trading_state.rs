//! Where trading stands: what the stages of a running pipeline say when an operator asks.
//!
//! Bound: [`TradingState::ROWS`] open orders, doubtful instruments and positions being closed, one limit a check
//! and table of limits, and [`TradingState::PARAMS`] parameters; how many there are besides is counted. Of every position its
//! money: profit follows the last trade, and no event says it then.

use crate::records::PositionMoney;
use crate::{Account, OrderId, Side, StrategyId, Valuation};

/// An order that is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WorkingOrder {
    /// Its id.
    pub id: OrderId,
    /// Its instrument.
    pub instrument: u32,
    /// Its side.
    pub side: Side,
    /// Quantity that is open.
    pub left: u64,
    /// Quantity that is filled.
    pub filled: u64,
}

/// A limit of a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LimitInForce {
    /// Number of the check.
    pub check: u16,
    /// The limit in force.
    pub limit: i64,
    /// The limit that the configuration has.
    pub configured: i64,
    /// The most that a command may set.
    pub ceiling: i64,
}

/// A limit of a table of limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LevelInForce {
    /// Number of the table, from 1, in the order of the configuration.
    pub table: u16,
    /// The limit, in the check's unit.
    pub of: LimitInForce,
}

/// A parameter that commands may set, of all instruments or of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ParamInForce {
    /// Number of the instance.
    pub owner: u16,
    /// Place of the parameter in the entry.
    pub param: u16,
    /// The instrument; 0 = all that have no value of their own.
    pub instrument: u32,
    /// The value in force, in bits.
    pub value: i64,
    /// The value that waits for its bar or session, if one does.
    pub waits: Option<i64>,
    /// The value that the configuration has.
    pub configured: i64,
}

/// Whose positions are closed by command, and where; 0 = all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FlattenTarget {
    /// Account.
    pub account: Account,
    /// Strategy.
    pub strategy: StrategyId,
    /// Instrument.
    pub instrument: u32,
}

impl FlattenTarget {
    /// Whether it is about positions of this pair in this instrument.
    #[inline]
    pub fn holds(self, account: Account, strategy: StrategyId, instrument: u32) -> bool {
        (self.account == Account::NONE || self.account == account)
            && (self.strategy == StrategyId::NONE || self.strategy == strategy)
            && (self.instrument == 0 || self.instrument == instrument)
    }
}

/// What a position that is closed by command waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClosingWait {
    /// Its instrument is halted.
    Halt,
    /// The gate refused its last order, for this check; another follows within a second.
    Refused(u16),
    /// Its order is at the venue, or on its way.
    Fill,
    /// Its turn, or another order after one that did not fill all of it.
    Turn,
}

/// A position that is not flat yet and closed by command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClosingPosition {
    /// Account.
    pub account: Account,
    /// Strategy.
    pub strategy: StrategyId,
    /// Instrument.
    pub instrument: u32,
    /// Signed quantity that is left.
    pub qty: i64,
    /// What it waits for.
    pub waits: ClosingWait,
}

/// How far the closing of positions by command is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FlattenState {
    /// Whose positions.
    pub of: Vec<FlattenTarget>,
    /// How many orders have not ended; as long as there are any, nothing is closed.
    pub orders: u64,
    /// How many positions are not flat.
    pub left: u64,
    /// The first of them; those that wait for a halt, or were refused, before the others.
    pub positions: Vec<ClosingPosition>,
}

/// What the stages say; every stage adds what it knows.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TradingState {
    /// Whether trading is halted; `None` if nothing trades.
    pub halted: Option<bool>,
    /// The limits in force.
    pub limits: Vec<LimitInForce>,
    /// Those of the tables beside them, table by table.
    pub levels: Vec<LevelInForce>,
    /// The parameters that commands may set.
    pub params: Vec<ParamInForce>,
    /// How many found no room there.
    pub params_left_out: u64,
    /// The first open orders.
    pub orders: Vec<WorkingOrder>,
    /// How many orders are open.
    pub open_orders: u64,
    /// Instrument and money of every position, what is open at its last trade.
    pub money: Vec<(u32, PositionMoney)>,
    /// What that money is worth in the currencies of the accounts.
    pub valuation: Valuation,
    /// How many instruments have doubtful data.
    pub doubtful: u64,
    /// The first of them.
    pub doubtful_instruments: Vec<u32>,
    /// What is closed by command, if anything is.
    pub flatten: Option<FlattenState>,
}

impl TradingState {
    /// Most rows of a list.
    pub const ROWS: usize = 64;
    /// Most parameters.
    pub const PARAMS: usize = 4_096;

    /// Adds parameters, as far as there is room.
    pub fn add_params(&mut self, params: impl IntoIterator<Item = ParamInForce>) {
        for param in params {
            if self.params.len() < TradingState::PARAMS {
                self.params.push(param);
            } else {
                self.params_left_out += 1;
            }
        }
    }
}
