//! Rows of trading that are made of several events: a signal with its reasons, a fill with its cost, a position with its
//! money.

use super::cell::Cell;
use super::render::Scale;
use super::schema::{Column, column};
use super::words;
use flow::records::{Fill, FillCost, Position, PositionMoney, Reason, Signal};
use flow::{Event, Kind, Liquidity, OrderId, decimal, kind_info};

pub(super) const SIGNAL: [Column; 7] = [
    column("strategy", "text", "", "strategy"),
    column("side", "text", "buy|sell|none", "side that it would take"),
    column("entry", "decimal", "currency", "price at which it would enter"),
    column("stop", "decimal or null", "currency", "price at which it would be wrong"),
    column("target", "decimal or null", "currency", "price at which it would take its profit"),
    column("confidence", "number or null", "", "0 to 1"),
    column("reasons", "array of [text, number]", "", "measures that made it, with their values"),
];

pub(super) fn signal(first: &Event, reasons: &[Event], scale: Scale) -> Vec<Cell> {
    let signal = first.record::<Signal>();
    let reason = |event: &Event| {
        let reason = event.record::<Reason>();
        let measure = kind_info(Kind(reason.measure as u8)).map_or("unknown", |k| k.name);
        [Box::new(Cell::text(measure)), Box::new(Cell::Float(reason.value))]
    };
    vec![
        words::strategy(signal.strategy.into()),
        Cell::text(first.side().name()),
        scale.px(signal.entry),
        scale.px(signal.stop),
        scale.px(signal.target),
        Cell::Float(signal.confidence),
        Cell::Levels(reasons.iter().map(reason).collect()),
    ]
}

/// How many reasons follow a signal.
pub(super) fn reasons(first: &Event) -> usize {
    first.record::<Signal>().reasons.into()
}

pub(super) const FILL: [Column; 9] = [
    column("order_id", "integer", "", "account, strategy and counter in one number"),
    column("account", "integer", "", "account"),
    column("strategy", "text", "", "strategy"),
    column("side", "text", "buy|sell", "side of our order"),
    column("px", "decimal", "currency", "price"),
    column("qty", "integer or decimal", "smallest unit or instrument", "quantity"),
    column("fee", "decimal", "currency", "fee; negative = rebate"),
    column("liquidity", "text", "added|removed", "whether our order rested or was marketable"),
    column("match_id", "integer", "", "the venue's number of the execution"),
];

pub(super) fn fill(first: &Event, costs: &[Event], scale: Scale) -> Vec<Cell> {
    let (fill, cost) = (first.record::<Fill>(), costs[0].record::<FillCost>());
    let id = OrderId(fill.order_id);
    vec![
        Cell::Uint(fill.order_id),
        Cell::Uint(id.account().into()),
        words::strategy(id.strategy().into()),
        Cell::text(first.side().name()),
        scale.px(fill.px),
        scale.qty(fill.qty),
        money(cost.fee),
        Liquidity::from_code(cost.liquidity).map_or(Cell::Null, |l| Cell::text(l.name())),
        Cell::Uint(fill.match_id),
    ]
}

pub(super) const POSITION: [Column; 7] = [
    column("account", "integer", "", "account"),
    column("strategy", "text", "", "strategy"),
    column("qty", "integer", "smallest unit", "signed quantity"),
    column("avg_px", "decimal or null", "currency", "average entry price; null when flat"),
    column("realised", "decimal", "currency", "realised profit before fees"),
    column("unrealised", "decimal", "currency", "profit of the open part at the last price"),
    column("fees", "decimal", "currency", "fees so far"),
];

pub(super) fn position(first: &Event, monies: &[Event], scale: Scale) -> Vec<Cell> {
    let (held, state) = (first.record::<Position>(), monies[0].record::<PositionMoney>());
    vec![
        Cell::Uint(held.account.into()),
        words::strategy(held.strategy.into()),
        Cell::Int(held.qty),
        scale.px(held.avg_px),
        money(state.realised),
        money(state.unrealised),
        money(state.fees),
    ]
}

fn money(nano: i64) -> Cell {
    Cell::Text(decimal(nano.into(), 9, 2))
}
