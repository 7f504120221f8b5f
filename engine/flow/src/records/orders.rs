//! The life of an order: signal, intent, request, risk's word, route, and what the venue answers.
//!
//! ```text
//! signal ─► intent ─► request, cancel-request, replace-request ─► order | refused ─► route ─► sent ─► ack, fill, reject, cancelled ─► bust
//! ```
//!
//! An order id holds account, strategy and counter, so nothing else needs to name them. What is wider than a body is
//! two kinds: a signal and its reasons, a fill and its cost, a position and its money.

use crate::record::records;
use crate::{Px, Qty};

records! {
    /// A strategy sees a reason to trade; its side is in the flags. As many `reason` events follow as it says.
    Signal = 64 "signal" {
        entry: Px as Price "price at which the strategy would enter",
        stop: Px as Price "price at which it would be wrong; absent = none",
        target: Px as Price "price at which it would take its profit; absent = none",
        confidence: f64 as Float "0 to 1",
        strategy: u16 as Uint "strategy",
        reasons: u16 as Uint "how many reasons follow",
    } reserved 4
    /// A measure that made a signal; follows it.
    Reason = 65 "reason" {
        value: f64 as Float "value of the measure",
        threshold: f64 as Float "value that it had to pass",
        strategy: u16 as Uint "strategy",
        measure: u16 as Uint "kind of the measure",
        index: u16 as Uint "ordinal among the signal's reasons, from 0",
    } reserved 18
    /// What a strategy wants done; its side is in the flags.
    Intent = 66 "intent" {
        px: Px as Price "limit price; absent for a market order",
        qty: Qty as Qty "quantity",
        order_id: u64 as Uint "order to cancel or replace; 0 for a new one",
        group: u32 as Uint "group of legs that is approved whole or not at all; 0 = none",
        strategy: u16 as Uint "strategy",
        account: u8 as Uint "account",
        action: u8 as Uint "1 new, 2 cancel, 3 replace",
        order_type: u8 as Uint "1 limit, 2 market",
        tif: u8 as Uint "1 day, 2 good till cancelled, 3 immediate or cancel, 4 fill or kill",
        legs: u8 as Uint "legs of the group",
    } reserved 5
    /// A new order that risk has not seen; its side is in the flags.
    Request = 67 "request" {
        order_id: u64 as Uint "account, strategy and counter",
        px: Px as Price "limit price; absent for a market order",
        qty: Qty as Qty "quantity",
        group: u32 as Uint "group of legs; 0 = none",
        order_type: u8 as Uint "1 limit, 2 market",
        tif: u8 as Uint "1 day, 2 good till cancelled, 3 immediate or cancel, 4 fill or kill",
        legs: u8 as Uint "legs of the group",
    } reserved 9
    /// A request to cancel an order. Risk never blocks it.
    CancelRequest = 68 "cancel-request" {
        order_id: u64 as Uint "order to cancel; 0 = every order of the account and strategy below",
        account: u32 as Uint "account, for a mass cancel; 0 = all",
        strategy: u32 as Uint "strategy, for a mass cancel; 0 = all",
    } reserved 24
    /// An intent to give an order new terms; risk sees it as it sees a new order.
    ReplaceRequest = 69 "replace-request" {
        order_id: u64 as Uint "order to replace",
        new_id: u64 as Uint "its id from then on",
        px: Px as Price "new limit price",
        qty: Qty as Qty "new intended quantity, executed shares included",
    } reserved 8
    /// An order that risk let pass; its side is in the flags.
    Order = 70 "order" {
        order_id: u64 as Uint "account, strategy and counter",
        px: Px as Price "limit price; absent for a market order",
        qty: Qty as Qty "quantity",
        replaces: u64 as Uint "order that it replaces; 0 = a new one",
        group: u32 as Uint "group of legs; 0 = none",
        order_type: u8 as Uint "1 limit, 2 market",
        tif: u8 as Uint "1 day, 2 good till cancelled, 3 immediate or cancel, 4 fill or kill",
        legs: u8 as Uint "legs of the group",
    } reserved 1
    /// Risk stopped a request. Which check, what it allows and what it saw.
    Refused = 71 "refused" {
        order_id: u64 as Uint "the request",
        limit: i64 as Int "what the check allows, in the check's unit",
        value: i64 as Int "what it saw, in the same unit",
        group: u32 as Uint "group of legs that fell with it; 0 = none",
        check: u16 as Uint "which check",
    } reserved 10
    /// What goes to a venue: the router's choice. Its side is in the flags.
    Route = 72 "route" {
        order_id: u64 as Uint "account, strategy and counter",
        px: Px as Price "limit price; absent for a market order",
        qty: Qty as Qty "quantity",
        replaces: u64 as Uint "order that it replaces; 0 = none",
        venue: u16 as Uint "venue of the plan",
        action: u8 as Uint "1 new, 2 cancel, 3 replace, 4 cancel all",
        order_type: u8 as Uint "1 limit, 2 market",
        tif: u8 as Uint "1 day, 2 good till cancelled, 3 immediate or cancel, 4 fill or kill",
    } reserved 3
    /// The gateway handed a route to its socket.
    Sent = 73 "sent" {
        order_id: u64 as Uint "account, strategy and counter",
        cause: u64 as Uint "id of the route",
        action: u8 as Uint "as the route's",
    } reserved 23
    /// The venue took an order.
    Ack = 74 "ack" {
        order_id: u64 as Uint "account, strategy and counter",
        venue_order: u64 as Uint "the venue's id, or the handle of its name",
        cause: u64 as Uint "id of the route",
        replaces: u64 as Uint "order that it replaced; 0 = none",
    } reserved 8
    /// A fill of our order; its side is in the flags. Its `fill-cost` follows.
    Fill = 75 "fill" {
        order_id: u64 as Uint "account, strategy and counter",
        px: Px as Price "price",
        qty: Qty as Qty "quantity",
        match_id: u64 as Uint "the venue's number of the execution",
        cause: u64 as Uint "id of the event that caused it; 0 = none",
    }
    /// What a fill cost; follows it.
    FillCost = 76 "fill-cost" {
        order_id: u64 as Uint "account, strategy and counter",
        fee: i64 as Nano "fee in the listing's currency; negative = rebate",
        match_id: u64 as Uint "the venue's number of the execution",
        liquidity: u8 as Uint "1 added, 2 removed",
    } reserved 15
    /// The venue refused an order, a cancel or a replace.
    Reject = 77 "reject" {
        order_id: u64 as Uint "account, strategy and counter",
        cause: u64 as Uint "id of the route",
        reason: u32 as Uint "why; see the list of reasons",
        action: u8 as Uint "what was refused, as the route's",
    } reserved 19
    /// An order, or what was left of it, is gone from the venue.
    Cancelled = 78 "cancelled" {
        order_id: u64 as Uint "account, strategy and counter",
        qty: Qty as Qty "quantity taken out",
        cause: u64 as Uint "id of the route; 0 = the venue's own doing",
        reason: u32 as Uint "why; see the list of reasons",
    } reserved 12
    /// A position after it changed; `position-money` follows.
    Position = 79 "position" {
        qty: i64 as Int "signed quantity",
        avg_px: Px as Price "average entry price; absent when flat",
        account: u16 as Uint "account",
        strategy: u16 as Uint "strategy",
    } reserved 20
    /// Money of a position; follows it.
    PositionMoney = 80 "position-money" {
        realised: i64 as Nano "realised profit before fees",
        unrealised: i64 as Nano "profit of the open part at the last price",
        fees: i64 as Nano "fees so far",
        account: u16 as Uint "account",
        strategy: u16 as Uint "strategy",
    } reserved 12
    /// The venue takes an execution of ours back, whole; its side is the fill's. A correction is a bust, then a `fill` and its `fill-cost` with the same order and match.
    Bust = 81 "bust" {
        order_id: u64 as Uint "order, as in the fill",
        match_id: u64 as Uint "the venue's number of the execution, as in the fill",
        px: Px as Price "price of the fill",
        qty: Qty as Qty "quantity of the fill",
        fee: i64 as Nano "fee given back, in the listing's currency; negative = a rebate taken back",
    }
}
