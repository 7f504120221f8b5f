//! Events for the stage `orders`, made short.

use crate::harness::{self, Behind, Emitted, INSTRUMENTS, Pipeline};
use flow::records::{
    Ack, Bust, Cancelled, Fill, FillCost, Intent, Listing, Position, PositionMoney, Refused, Reject, Sent, Trade,
};
use flow::{Account, Action, Event, Flags, Kind, Ns, OrderId, OrderType, Px, Qty, Record, Side, StrategyId, Tif};
use stages::Space;
use stages::orders::OrdersStage;

/// Account and strategy of most tests.
pub(crate) const ACCOUNT: Account = Account(1);
pub(crate) const STRATEGY: StrategyId = StrategyId(3);

/// Fills that a pipeline remembers.
pub(crate) const FILLS: u32 = 24;

/// The n-th order of that strategy.
pub(crate) fn id(n: u64) -> OrderId {
    OrderId::new(ACCOUNT, STRATEGY, n)
}

pub(crate) fn event<R: Record>(instrument: u32, side: Side, record: &R) -> Event {
    Event::new(Ns(1), instrument, Flags::side_only(side), record)
}

/// A stage with these limits that knows instruments 1 to 8, behind a portfolio.
pub(crate) fn pipeline(orders: u32, in_flight: u32, positions: usize) -> Pipeline<Behind<OrdersStage>> {
    let [orders, in_flight] = [orders, in_flight].map(|n| n.to_string());
    let set = [("max_orders", &*orders), ("max_in_flight", &in_flight), ("max_accounts", "2")];
    let space = Space { instruments: INSTRUMENTS, fills: FILLS, positions };
    let mut pipeline = Pipeline::new(Behind::showing(space, OrdersStage::new(&harness::params("orders", &set), space)));
    for instrument in 1..=8 {
        pipeline.feed(&listing(instrument));
    }
    pipeline
}

/// Instrument 2 has a multiplier of 50, 3 a scale of 8 decimals.
pub(crate) fn listing(instrument: u32) -> Event {
    let multiplier = if instrument == 2 { 50 * Px::ONE } else { Px::ONE };
    let qty_decimals = if instrument == 3 { 8 } else { 0 };
    event(instrument, Side::None, &Listing { multiplier, qty_decimals, ..Default::default() })
}

pub(crate) fn new(instrument: u32, side: Side, qty: u64) -> Event {
    let intent = Intent {
        px: Px(100 * Px::ONE),
        qty: Qty(qty),
        strategy: STRATEGY,
        account: ACCOUNT,
        action: Action::New.code(),
        order_type: OrderType::Limit.code(),
        tif: Tif::Day.code(),
        ..Default::default()
    };
    event(instrument, side, &intent)
}

pub(crate) fn change(action: Action, instrument: u32, of: OrderId, qty: u64) -> Event {
    let mut wanted = new(instrument, Side::None, qty);
    let intent: &mut Intent = wanted.record_mut();
    (intent.action, intent.order_id) = (action.code(), of.0);
    wanted
}

pub(crate) fn sent(instrument: u32, id: OrderId) -> Event {
    event(instrument, Side::None, &Sent { order_id: id.0, action: 1, ..Default::default() })
}

pub(crate) fn ack(instrument: u32, id: OrderId, replaces: OrderId) -> Event {
    event(instrument, Side::None, &Ack { order_id: id.0, replaces: replaces.0, ..Default::default() })
}

pub(crate) fn refused(instrument: u32, id: OrderId) -> Event {
    event(instrument, Side::None, &Refused { order_id: id.0, ..Default::default() })
}

pub(crate) fn reject(instrument: u32, id: OrderId, action: Action) -> Event {
    let reject = Reject { order_id: id.0, cause: 1, action: action.code(), reason: 1, ..Default::default() };
    event(instrument, Side::None, &reject)
}

pub(crate) fn cancelled(instrument: u32, id: OrderId) -> Event {
    event(instrument, Side::None, &Cancelled { order_id: id.0, reason: 1, ..Default::default() })
}

pub(crate) fn fill(instrument: u32, id: OrderId, side: Side, px: i64, qty: u64) -> Event {
    event(instrument, side, &Fill { order_id: id.0, px: Px(px), qty: Qty(qty), ..Default::default() })
}

/// A fill with a name: the venue's number, price and quantity.
pub(crate) fn execution(instrument: u32, id: OrderId, number: u64, side: Side, (px, qty): (i64, u64)) -> Event {
    let mut named = fill(instrument, id, side, px, qty);
    named.record_mut::<Fill>().match_id = number;
    named
}

/// The cost of a fill.
pub(crate) fn cost_of(fill: &Event, fee: i64) -> Event {
    let Fill { order_id, match_id, .. } = *fill.record();
    event(fill.instrument, Side::None, &FillCost { order_id, match_id, fee, ..Default::default() })
}

/// Takes a fill back, with a fee.
pub(crate) fn bust(fill: &Event, fee: i64) -> Event {
    let Fill { order_id, match_id, px, qty, .. } = *fill.record();
    event(fill.instrument, fill.side(), &Bust { order_id, match_id, px, qty, fee })
}

pub(crate) fn cost(instrument: u32, id: OrderId, fee: i64) -> Event {
    event(instrument, Side::None, &FillCost { order_id: id.0, fee, ..Default::default() })
}

pub(crate) fn trade(instrument: u32, px: i64) -> Event {
    event(instrument, Side::None, &Trade { px: Px(px), qty: Qty(1), ..Default::default() })
}

/// The anomalies among what was emitted: what and detail.
pub(crate) fn anomalies(emitted: &[Emitted]) -> Vec<(u16, u64)> {
    emitted.iter().filter_map(|s| s.0.get::<flow::records::Anomaly>()).map(|a| (a.what, a.detail)).collect()
}

pub(crate) fn position(emitted: &[Emitted]) -> Option<Position> {
    emitted.iter().find(|s| s.0.kind == Kind::Position).map(|s| *s.0.record())
}

pub(crate) fn money(emitted: &[Emitted]) -> Option<PositionMoney> {
    emitted.iter().find(|s| s.0.kind == Kind::PositionMoney).map(|s| *s.0.record())
}
