//! The life of an order: signal, intent, request, risk's word, route, and what the venue answers.
//!
//! A request or an order is preceded by its [`OrderTerms`]; a fill is followed by its [`FillCost`]. Order ids hold
//! account, strategy and counter.

use crate::record::records;
use crate::{Px, Qty};

records! {
    /// Terms that do not change while an order lives; comes before the first event with that `order_id`.
    OrderTerms = 64 "order-terms" {
        order_id: u64 as Uint "account, strategy and counter",
        account: u32 as Uint "account",
        strategy: u32 as Uint "strategy",
        group: u64 as Uint "group of legs that is approved whole or not at all; 0 = none",
        order_type: u8 as Uint "1 limit, 2 market",
        tif: u8 as Uint "1 day, 2 good till cancelled, 3 immediate or cancel, 4 fill or kill",
        legs: u8 as Uint "legs of the group",
    } reserved 13
    /// An order that risk let pass; its side is in the flags.
    Order = 65 "order" {
        order_id: u64 as Uint "account, strategy and counter",
        px: Px as Price "limit price; absent for a market order",
        qty: Qty as Qty "quantity",
    } reserved 16
    /// A fill of our order; its side is in the flags.
    Fill = 66 "fill" {
        order_id: u64 as Uint "account, strategy and counter",
        px: Px as Price "price",
        qty: Qty as Qty "quantity",
        match_id: u64 as Uint "the venue's number of the execution",
        cause: u64 as Uint "id of the event that caused it; 0 = none",
    }
    /// What a fill cost; follows its `fill`.
    FillCost = 67 "fill-cost" {
        order_id: u64 as Uint "account, strategy and counter",
        fee: i64 as Nano "fee in the listing's currency, 1e-9; negative = rebate",
        match_id: u64 as Uint "the venue's number of the execution",
        liquidity: u8 as Uint "1 added, 2 removed",
    } reserved 15
}
