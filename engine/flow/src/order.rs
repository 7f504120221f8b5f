//! Order ids, accounts, strategies, and the enums of an order's terms and reports.
//!
//! An order id holds account, strategy and counter, so a report finds its order's owner without a table. Bound: 255
//! accounts, 65,535 strategies, 2^40 orders of each pair.

use crate::words::words;
use bytemuck::{Pod, Zeroable};
use serde::{Deserialize, Serialize};

/// Source of what returns to the head: refusals, and what the simulated exchange says. Gateways have [`crate::Gateway::source`].
pub const SOURCE_RETURNS: u8 = 255;
/// Source of an operator's commands.
pub const SOURCE_OPERATOR: u8 = 254;

/// Our id of an order, never reused: 8 bits of account, 16 bits of strategy, 40 bits of counter (from 1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct OrderId(pub u64);

/// An account, as every order id holds it, from 1; 0 = none, or all of them where a record says so.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Pod, Zeroable)]
#[serde(transparent)]
#[repr(transparent)]
pub struct Account(pub u8);

impl Account {
    /// No account.
    pub const NONE: Account = Account(0);
}

/// A strategy, as every order id holds it, from 1; 0 = none, or all of them where a record says so.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Pod, Zeroable)]
#[serde(transparent)]
#[repr(transparent)]
pub struct StrategyId(pub u16);

impl StrategyId {
    /// No strategy.
    pub const NONE: StrategyId = StrategyId(0);
}

impl OrderId {
    /// The largest counter.
    pub const MAX_COUNTER: u64 = (1 << 40) - 1;

    /// Joins the three parts.
    #[inline]
    pub const fn new(account: Account, strategy: StrategyId, counter: u64) -> OrderId {
        OrderId((account.0 as u64) << 56 | (strategy.0 as u64) << 40 | (counter & Self::MAX_COUNTER))
    }

    /// The account.
    #[inline]
    pub const fn account(self) -> Account {
        Account((self.0 >> 56) as u8)
    }

    /// The strategy.
    #[inline]
    pub const fn strategy(self) -> StrategyId {
        StrategyId((self.0 >> 40) as u16)
    }

    /// The counter.
    #[inline]
    pub const fn counter(self) -> u64 {
        self.0 & Self::MAX_COUNTER
    }
}

impl OrderId {
    /// In place of the id of an order that nobody here sent: what its executions are booked under.
    pub const fn unsolicited(account: Account) -> OrderId {
        OrderId::new(account, StrategyId::NONE, 0)
    }

    /// Whether it is in place of one.
    #[inline]
    pub const fn is_unsolicited(self) -> bool {
        self.0 & ((1 << 56) - 1) == 0
    }
}

impl Action {
    /// Whether the action of this number makes an order: a new one, or one in place of another.
    #[inline]
    pub const fn makes_an_order(code: u8) -> bool {
        matches!(Action::from_code(code), Some(Action::New | Action::Replace))
    }
}

words! {
    /// What an intent or a route requests.
    Action: u8 {
        /// A new order.
        New = 1 "new",
        /// Cancel an order.
        Cancel = 2 "cancel",
        /// Replace an order's terms.
        Replace = 3 "replace",
        /// Cancel all orders; the gateway expands it.
        CancelAll = 4 "cancel-all",
    }
    /// Type of an order.
    OrderType: u8 {
        /// At the limit price or better.
        Limit = 1 "limit",
        /// At any price.
        Market = 2 "market",
    }
    /// Time in force.
    Tif: u8 {
        /// Until the session ends.
        Day = 1 "day",
        /// Until it is cancelled.
        GoodTillCancelled = 2 "gtc",
        /// Fills at once; the remainder is cancelled.
        ImmediateOrCancel = 3 "ioc",
        /// Fills completely at once, or is cancelled.
        FillOrKill = 4 "fok",
    }
    /// Whether an order may only reduce the position of its account and strategy.
    #[derive(Default)]
    Reduces: u8 {
        /// It may open a position or enlarge one.
        #[default]
        No = 0 "no",
        /// It takes no position beyond flat: a stop, a target.
        Only = 1 "only",
        /// It closes a position because an operator commanded it, also under a halt.
        Commanded = 2 "commanded",
    }
    /// Whether a fill added liquidity or removed it.
    Liquidity: u8 {
        /// Our order rested.
        Added = 1 "added",
        /// Our order was marketable.
        Removed = 2 "removed",
    }
    /// What a report of a fill or a bust was to the positions.
    Booking: u8 {
        /// A fill was booked.
        Filled = 1 "filled",
        /// A fill was booked that corrects a busted one.
        Corrected = 2 "corrected",
        /// A fill was booked that corrects a busted one and is larger: the order has no room for it.
        Enlarged = 3 "enlarged",
        /// A fill was taken back.
        Busted = 4 "busted",
    }
    /// Why a venue rejected an order, a cancel or a replace.
    RejectReason: u32 {
        /// The venue has no such order.
        UnknownOrder = 1 "unknown-order",
        /// The order is filled or cancelled already.
        TooLate = 2 "too-late",
        /// The instrument has no book, or no price to trade at.
        NoMarket = 3 "no-market",
        /// Price, quantity, type or time in force is invalid.
        BadTerms = 4 "bad-terms",
        /// Its id was used before.
        DuplicateId = 5 "duplicate-id",
        /// The venue's table of orders is full.
        TooManyOrders = 6 "too-many-orders",
        /// Trading in the instrument is halted.
        Halted = 7 "halted",
        /// It was never sent: found so after a stop, or held back by a gateway whose kill switch was pulled.
        NeverSent = 8 "never-sent",
        /// Market hours are over, and the order was for them.
        Closed = 9 "closed",
        /// The venue did not tell the rejection: it said so when it was asked for the order.
        Untold = 10 "untold",
    }
    /// Why the venue cancelled an order, or what was left of it.
    CancelReason: u32 {
        /// We requested it.
        Requested = 1 "requested",
        /// The remainder of an immediate-or-cancel order.
        ImmediateOrCancel = 2 "ioc",
        /// A fill-or-kill order that could not fill completely.
        FillOrKill = 3 "fok",
        /// The session ended.
        EndOfDay = 4 "end-of-day",
        /// The other side had nothing left for a market order.
        NoLiquidity = 5 "no-liquidity",
        /// A mass cancel.
        MassCancel = 6 "mass-cancel",
        /// The venue did not tell the cancel: it said so when it was asked for the order.
        Untold = 7 "untold",
    }
    /// What has become of an order, as its venue says when it is asked.
    OrderState: u8 {
        /// It is open.
        Open = 1 "open",
        /// It is filled.
        Filled = 2 "filled",
        /// It is cancelled, or what was left of it has expired.
        Cancelled = 3 "cancelled",
        /// It was rejected.
        Rejected = 4 "rejected",
        /// Another order has replaced it.
        Replaced = 5 "replaced",
    }
    /// What a venue reports that nobody here sent.
    CopyOf: u8 {
        /// An execution.
        Execution = 1 "execution",
        /// An order that is open.
        Order = 2 "order",
    }
    /// A command of an operator, or of the engine on his behalf.
    CommandAction: u32 {
        /// Nothing is approved any more; all orders are cancelled.
        Halt = 1 "halt",
        /// Trading resumes.
        Resume = 2 "resume",
        /// All orders are cancelled; trading continues.
        CancelAll = 3 "cancel-all",
        /// A check's limit changes.
        SetLimit = 4 "set-limit",
        /// Counters of order ids skip ahead, after an unclean stop.
        SkipCounters = 5 "skip-counters",
        /// Data that are doubtful after a gap are trusted again.
        Trust = 7 "trust",
        /// Positions are closed.
        Flatten = 8 "flatten",
        /// The configuration was read again: inputs join, and other symbols are watched. Names say which.
        Reload = 9 "reload",
        /// A parameter changes. Names say which, and of which instrument if it is of one.
        SetParam = 10 "set-param",
        /// The first input of a journal that continues another.
        CarriedOver = 6 "carried-over",
        /// How many messages of a venue are in earlier journals; the target is the number of its gateway, from 0.
        Received = 11 "received",
        /// Other symbols of one input are watched; the target is its number. Names say which.
        Watch = 12 "watch",
    }
    /// What became of a command.
    CommandResult: u16 {
        /// It is in force.
        Applied = 1 "applied",
        /// The value that it would replace is not the one in force.
        WrongOld = 2 "wrong-old",
        /// The new value is out of the parameter's range.
        OutOfRange = 3 "out-of-range",
        /// The new value is above the ceiling for commands.
        AboveCeiling = 4 "above-ceiling",
        /// There is nothing of that number, or it cannot be set.
        UnknownTarget = 5 "unknown-target",
        /// Trading was not halted, so there was nothing to resume.
        NotHalted = 6 "not-halted",
        /// As many of its kind as there is room for are being carried out.
        TooMany = 7 "too-many",
    }
    /// Why trading halted.
    HaltReason: u32 {
        /// An operator commanded it.
        Operator = 1 "operator",
        /// A group panicked.
        Panic = 2 "panic",
        /// A group made no progress.
        Stalled = 3 "stalled",
        /// The input log is full.
        LogFull = 4 "log-full",
        /// More returned from the pipeline than its bound.
        ReturnsFull = 5 "returns-full",
        /// The previous run ended uncleanly.
        Unclean = 6 "unclean-stop",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_of_an_id_come_back() {
        let (account, strategy) = (Account(255), StrategyId(65_535));
        let id = OrderId::new(account, strategy, OrderId::MAX_COUNTER);
        assert_eq!((id.account(), id.strategy(), id.counter()), (account, strategy, OrderId::MAX_COUNTER));
        assert_eq!(OrderId::new(Account(1), StrategyId(2), 3).0, 1 << 56 | 2 << 40 | 3);
    }

    #[test]
    fn words_and_numbers_are_the_same_table() {
        for word in RejectReason::ALL {
            assert_eq!(RejectReason::from_code(word.code()), Some(*word));
        }
        assert_eq!(Tif::from_code(0), None);
        assert_eq!(Tif::WORDS[2], (3, "ioc"));
        assert_eq!(Tif::ImmediateOrCancel.name(), "ioc");
    }
}
