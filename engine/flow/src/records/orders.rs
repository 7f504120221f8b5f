//! The life of an order: signal, intent, request, approval or refusal, route, execution reports.
//!
//! ```text
//! signal ─► intent ─► request, cancel-request, replace-request ─► order | refused ─► route ─► sent ─► ack, fill, reject, cancelled ─► bust
//! fill, bust ─► position, booked
//! ```
//!
//! An order id holds account, strategy and counter, so these need no fields of their own. What does not fit one body is
//! two kinds: a signal and its reasons, a fill and its cost, a position and its money.

use crate::record::records;
use crate::words::words;
use crate::{Account, Px, Qty, Real, StrategyId};

words! {
    /// The first condition of a set-up that is not met, in this order.
    #[derive(Default)]
    Unmet: u8 {
        /// All are met: its signal has been emitted.
        #[default]
        None = 0 "none",
        /// The data are doubtful after a gap.
        Data = 1 "data",
        /// It is not the time of day.
        Hours = 2 "hours",
        /// The state of the market.
        State = 3 "state",
        /// There is no leg of its type.
        Leg = 4 "leg",
        /// The leg is not closed.
        LegOpen = 5 "leg-open",
        /// The leg has no low-volume node.
        Node = 6 "node",
        /// Price has not come back to a node, or that was too long ago.
        Pullback = 7 "pullback",
        /// There was a signal of this node already.
        Signalled = 8 "signalled",
        /// Flow does not go with the leg.
        Flow = 9 "flow",
        /// Price is at the stop, or beyond it.
        Stop = 10 "stop",
        /// Price is at the target, or beyond it.
        Target = 11 "target",
        /// Reward over risk.
        Reward = 12 "reward",
    }
    /// What a target is.
    #[derive(Default)]
    TargetType: u8 {
        /// None.
        #[default]
        None = 0 "none",
        /// A high-volume node of past sessions.
        Node = 1 "node",
        /// A multiple of the risk.
        Risk = 2 "risk",
        /// The point of control of the range.
        Poc = 3 "poc",
    }
}

records! {
    /// A strategy's signal to trade; the side is in the flags. `reasons` is the number of `reason` events that follow.
    Signal = 64 "signal" : sided {
        entry: Px as Price "price at which the strategy would enter",
        stop: Px as Price "stop price, at which the signal is wrong; absent = none",
        target: Px as Price "target price, at which it takes profit; absent = none",
        confidence: Real as Float "0 to 1",
        strategy: StrategyId as Strategy "strategy",
        reasons: u16 as Uint "number of `reason` events that follow",
    } reserved 4 row [strategy, side, entry, stop, target, confidence, reasons]
    /// A measure that led to a signal; follows it.
    Reason = 65 "reason" follows Signal times reasons {
        value: Real as Float "value of the measure",
        threshold: Real as Float "threshold that the value had to pass",
        strategy: StrategyId as Strategy "strategy",
        measure: u16 as Kind "kind of the measure",
        index: u16 as Uint "position among the signal's reasons, from 0",
    } reserved 18 row [measure, value]
    /// A strategy's intent to trade, cancel or replace; the side is in the flags.
    Intent = 66 "intent" : sided {
        px: Px as Price "limit price; absent for a market order",
        qty: Qty as Qty "quantity",
        order_id: u64 as OrderId "order to cancel or replace; 0 for a new one",
        group: u32 as Uint "group of legs, approved together or not at all; 0 = none",
        strategy: StrategyId as Strategy "strategy",
        account: Account as Account "account",
        action: u8 as Enum(Action) "requested action",
        order_type = "type": u8 as Enum(OrderType) "type of the order",
        tif: u8 as Enum(Tif) "time in force",
        legs: u8 as Uint "number of legs in the group",
        reduces: u8 as Enum(Reduces) "whether it may only reduce its position",
    } reserved 4
    /// A new order before the risk checks; the side is in the flags.
    Request = 67 "request" : sided {
        order_id: u64 as OrderId "account, strategy and counter",
        px: Px as Price "limit price; absent for a market order",
        qty: Qty as Qty "quantity",
        group: u32 as Uint "group of legs; 0 = none",
        order_type = "type": u8 as Enum(OrderType) "type of the order",
        tif: u8 as Enum(Tif) "time in force",
        legs: u8 as Uint "number of legs in the group",
        reduces: u8 as Enum(Reduces) "whether it may only reduce its position",
    } reserved 8
    /// A request to cancel an order. Risk never blocks it.
    CancelRequest = 68 "cancel-request" {
        order_id: u64 as OrderId "order to cancel; 0 = every order of this account and strategy",
        strategy: StrategyId as Strategy "strategy, for a mass cancel; 0 = all",
        account: Account as Account "account, for a mass cancel; 0 = all",
    } reserved 29 row [order_id, account, strategy]
    /// New terms for an order, before the risk checks, which treat them like a new order.
    ReplaceRequest = 69 "replace-request" : sided {
        order_id: u64 as OrderId "order to replace",
        new_id: u64 as OrderId "its new id",
        px: Px as Price "new limit price",
        qty: Qty as Qty "new total quantity, including what is already executed",
    } reserved 8
    /// An order that risk approved; the side is in the flags.
    Order = 70 "order" : sided {
        order_id: u64 as OrderId "account, strategy and counter",
        px: Px as Price "limit price; absent for a market order",
        qty: Qty as Qty "quantity",
        replaces: u64 as OrderId "order that it replaces; 0 = a new order",
        group: u32 as Uint "group of legs; 0 = none",
        order_type = "type": u8 as Enum(OrderType) "type of the order",
        tif: u8 as Enum(Tif) "time in force",
        legs: u8 as Uint "number of legs in the group",
    } reserved 1
    /// A request that risk refused: the check, its limit, and the value that breached it.
    Refused = 71 "refused" : sided {
        order_id: u64 as OrderId "id of the refused request",
        limit: i64 as Int "limit of the check, in the check's unit",
        value: i64 as Int "value that the check found, in the same unit",
        group: u32 as Uint "group of legs refused with it; 0 = none",
        check: u16 as Check "the check",
        level: u16 as Limit "the most specific table of limits that refuses, from 1; 0 = that of the section `risk`",
    } reserved 8
    /// An order, cancel or replace on its way to the venue that the router chose; the side is in the flags.
    Route = 72 "route" : sided {
        order_id: u64 as OrderId "account, strategy and counter",
        px: Px as Price "limit price; absent for a market order",
        qty: Qty as Qty "quantity",
        replaces: u64 as OrderId "order that it replaces; 0 = none",
        venue: u16 as Uint "number of the venue in the plan",
        action: u8 as Enum(Action) "requested action",
        order_type = "type": u8 as Enum(OrderType) "type of the order",
        tif: u8 as Enum(Tif) "time in force",
    } reserved 3
    /// The gateway handed a route to the venue's connection.
    Sent = 73 "sent" : sided {
        order_id: u64 as OrderId "account, strategy and counter",
        cause: u64 as Id "id of the route",
        qty: Qty as Qty "quantity of the route; 0 for a cancel",
        action: u8 as Enum(Action) "action of the route",
    } reserved 15
    /// The venue acknowledged an order.
    Ack = 74 "ack" : sided {
        order_id: u64 as OrderId "account, strategy and counter",
        venue_order: u64 as Id "the venue's order id, or the handle of its name",
        cause: u64 as Id "id of the route",
        replaces: u64 as OrderId "order that it replaced; 0 = none",
    } reserved 8
    /// A fill of our order; the side is in the flags. Its `fill-cost` follows.
    Fill = 75 "fill" : sided doubtful {
        order_id: u64 as OrderId "account, strategy and counter",
        px: Px as Price "price",
        qty: Qty as Qty "quantity",
        match_id: u64 as Id "the venue's execution number",
        cause: u64 as Id "id of the event that caused it; 0 = none",
    } row [order_id, account, strategy, side, px, qty, fee, liquidity, match_id, doubtful]
    /// The fee of a fill; follows it.
    FillCost = 76 "fill-cost" follows Fill {
        order_id: u64 as OrderId "account, strategy and counter",
        fee: i64 as Money "fee in the listing's currency; negative = rebate",
        match_id: u64 as Id "the venue's execution number",
        liquidity: u8 as Enum(Liquidity) "whether our order was resting or marketable",
    } reserved 15
    /// The venue rejected an order, a cancel or a replace.
    Reject = 77 "reject" : sided {
        order_id: u64 as OrderId "account, strategy and counter",
        cause: u64 as Id "id of the route",
        reason: u32 as Enum(RejectReason) "why",
        action: u8 as Enum(Action) "action that was rejected",
    } reserved 19
    /// The venue cancelled an order, or what remained of it.
    Cancelled = 78 "cancelled" : sided {
        order_id: u64 as OrderId "account, strategy and counter",
        qty: Qty as Qty "quantity cancelled",
        cause: u64 as Id "id of the route; 0 = cancelled by the venue on its own",
        reason: u32 as Enum(CancelReason) "why",
    } reserved 12
    /// A position after it changed; `position-money` follows.
    Position = 79 "position" {
        qty: i64 as Int "signed quantity",
        avg_px: Px as Price "average entry price; absent when flat",
        strategy: StrategyId as Strategy "strategy",
        account: Account as Account "account",
    } reserved 21 row [account, strategy, qty, avg_px, realised, unrealised, fees]
    /// P&L and fees of a position; follows it.
    PositionMoney = 80 "position-money" follows Position {
        realised: i64 as Money "realised profit before fees",
        unrealised: i64 as Money "profit of the open quantity at the last price",
        fees: i64 as Money "fees so far",
        strategy: StrategyId as Strategy "strategy",
        account: Account as Account "account",
    } reserved 13 row [realised, unrealised, fees, account, strategy]
    /// The venue busts one of our fills, in full; the side is the fill's. A correction is a bust, then a `fill` and its `fill-cost` with the same order and match.
    Bust = 81 "bust" : sided {
        order_id: u64 as OrderId "order, as in the fill",
        match_id: u64 as Id "the venue's execution number, as in the fill",
        px: Px as Price "price of the fill",
        qty: Qty as Qty "quantity of the fill",
        fee: i64 as Nano "fee refunded, in the listing's currency; negative = a rebate reclaimed",
    }
    /// A route reaches the simulated exchange. Only under wall time, where it follows from nothing else; no stage reads it.
    Arrival = 82 "arrival" : sided {
        order_id: u64 as OrderId "account, strategy and counter",
        cause: u64 as Id "id of the route",
        action: u8 as Enum(Action) "action of the route",
    } reserved 23
    /// What a `fill` or a `bust` was to the positions of this run: the stage `portfolio` says it once, and whoever follows fills
    /// follows these. The side is the fill's. It follows the `position`.
    Booked = 83 "booked" : sided {
        order_id: u64 as OrderId "account, strategy and counter",
        qty: Qty as Qty "quantity of the fill",
        number: u64 as Id "number of the fill among those that were booked, from 1; of a bust, that of the fill that it takes back",
        corrects: u64 as Id "number of the busted fill that it corrects; 0 = none",
        what: u8 as Enum(Booking) "what it is",
    } reserved 7 row [order_id, account, strategy, side, qty, what, number, corrects]
    /// The venue tells an execution, or an open order, that nobody here sent: a trade by hand in the same account. The
    /// portfolio books an execution under its account, without a strategy.
    DropCopy = 84 "drop-copy" : sided {
        px: Px as Price "price of the execution, or limit price of the order",
        qty: Qty as Qty "quantity",
        match_id: u64 as Id "the venue's execution number; of an order the number that stands for its id",
        account: Account as Account "account",
        what: u8 as Enum(CopyOf) "what it is a copy of",
    } reserved 14 row [account, what, side, px, qty, match_id]
    /// What a venue that numbers nothing said of an order when it was asked, where it settles something or leaves it open. As long
    /// as the state is absent, or something is missing, no new order of the instrument is approved there.
    OrderStatus = 85 "order-status" : sided {
        order_id: u64 as OrderId "account, strategy and counter",
        filled: Qty as Qty "quantity filled, as the venue says",
        missing: Qty as Qty "what of it no execution accounts for",
        state: u8 as Enum(OrderState) "what has become of it; absent if the venue cannot say",
    } reserved 15
    /// A session with a venue that numbers nothing: first that it has opened, with zeros, then what was found when every order
    /// had been asked for. No stage reads it.
    Reconciled = 86 "reconciled" {
        asked: u32 as Uint "orders that the venue was asked for",
        made: u32 as Uint "answers that were missing and were made here",
        came: u32 as Uint "executions of our orders that came",
        unsolicited: u32 as Uint "executions and orders that came and that nobody here sent",
        unexplained: u32 as Uint "orders of which the venue says more than it tells",
        unknown: u32 as Uint "orders of which it cannot say anything",
        done: u8 as Uint "0 = the session has opened, 1 = every order has been asked for",
    } reserved 15
    /// How far a set-up of a strategy is: the first of its conditions that is not met, with its value, or none of them. The side is that of its leg.
    Setup = 87 "setup" : sided {
        px: Px as Price "price of the last trade; absent before there is one",
        node_px: Px as Price "the low-volume node that it is about; absent where it is about none",
        value: Real as Float "what the condition looks at; absent where that is not known",
        threshold: Real as Float "what the value would have to be; absent where the strategy does not know it",
        strategy: StrategyId as Strategy "strategy",
        unmet: u8 as Enum(Unmet) "the first condition that is not met",
        target: u8 as Enum(TargetType) "what the target is",
        rules: u8 as Enum(RuleSet) "the rules by which state and flow are judged",
    } reserved 3 row [strategy, side, unmet, value, threshold, px, node_px, target, rules]
}
