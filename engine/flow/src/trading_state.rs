//! Where trading stands: what the stages of a running pipeline say when an operator asks.
//!
//! Bound: [`TradingState::ROWS`] open orders and one limit a check; how many orders there are besides is counted.

use crate::{OrderId, Side};

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
    /// The most that a command may set.
    pub ceiling: i64,
}

/// What the stages say; every stage adds what it knows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TradingState {
    /// Whether trading is halted; `None` if nothing trades.
    pub halted: Option<bool>,
    /// The limits in force.
    pub limits: Vec<LimitInForce>,
    /// The first open orders.
    pub orders: Vec<WorkingOrder>,
    /// How many orders are open.
    pub open_orders: u64,
}

impl TradingState {
    /// Most rows of open orders.
    pub const ROWS: usize = 64;
}
