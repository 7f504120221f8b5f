//! Rows that are made of several events.
//!
//! What is wider than a body is two kinds, the second of which follows the first, once or as often as the first says.
//! [`JOINED`] names them and how each row is shown. The sink keeps a first until its followers have come: on the same
//! instrument, with no other first of that kind between them. A first without its followers has no row.

use super::cell::Cell;
use super::orders;
use super::render::Scale;
use super::schema::{Column, column};
use flow::records::{Bar, BarFlow, Vpin, VpinFlow};
use flow::{Event, Interval, Kind, Ns, decimal};

/// Kinds that are one row.
pub(super) struct Join {
    /// The first: the row has its name, number and time.
    pub(super) kind: Kind,
    /// The second.
    pub(super) follower: Kind,
    /// How many of the second follow.
    pub(super) followers: fn(&Event) -> usize,
    /// Columns after the common ones.
    pub(super) columns: &'static [Column],
    /// Their cells, from the first and its followers.
    pub(super) cells: fn(&Event, &[Event], Scale) -> Vec<Cell>,
}

/// All of them.
pub(super) const JOINED: &[Join] = &[
    Join { kind: Kind::Bar, follower: Kind::BarFlow, followers: one, columns: &BAR, cells: bar },
    Join { kind: Kind::Vpin, follower: Kind::VpinFlow, followers: one, columns: &VPIN, cells: vpin },
    Join {
        kind: Kind::Signal,
        follower: Kind::Reason,
        followers: orders::reasons,
        columns: &orders::SIGNAL,
        cells: orders::signal,
    },
    Join { kind: Kind::Fill, follower: Kind::FillCost, followers: one, columns: &orders::FILL, cells: orders::fill },
    Join {
        kind: Kind::Position,
        follower: Kind::PositionMoney,
        followers: one,
        columns: &orders::POSITION,
        cells: orders::position,
    },
];

fn one(_: &Event) -> usize {
    1
}

/// The row that a kind is the first of.
pub(super) fn join(kind: Kind) -> Option<&'static Join> {
    JOINED.iter().find(|j| j.kind == kind)
}

/// Whether a kind's fields stand in the row of another kind.
pub(super) fn is_follower(kind: Kind) -> bool {
    JOINED.iter().any(|j| j.follower == kind)
}

const BAR: [Column; 11] = [
    column("interval", "text", "", "length of the bar"),
    column("start_ns", "integer", "ns since 1970-01-01 UTC", "start of the bar"),
    column("open", "decimal", "currency", "first price"),
    column("high", "decimal", "currency", "highest price"),
    column("low", "decimal", "currency", "lowest price"),
    column("close", "decimal", "currency", "last price"),
    column("volume", "integer or decimal", "smallest unit or instrument", "quantity traded"),
    column("trades", "integer", "", "number of trades"),
    column("vwap", "decimal or null", "currency", "volume-weighted average price, 9 decimals, half to even"),
    column("buy_volume", "integer or decimal", "smallest unit or instrument", "quantity with a buying aggressor"),
    column("sell_volume", "integer or decimal", "smallest unit or instrument", "quantity with a selling aggressor"),
];

fn bar(first: &Event, followers: &[Event], scale: Scale) -> Vec<Cell> {
    let (bar, flow) = (first.record::<Bar>(), followers[0].record::<BarFlow>());
    let interval = match Interval::from_seconds(bar.interval_s) {
        Some(interval) => interval.to_string(),
        None => format!("{}s", bar.interval_s),
    };
    let vwap = flow.vwap.known().map_or(Cell::Null, |px| Cell::Text(decimal(px.0.into(), 9, 9)));
    vec![
        Cell::Text(interval),
        Cell::Uint(u64::from(bar.start_s) * Ns::SECOND),
        scale.px(bar.open),
        scale.px(bar.high),
        scale.px(bar.low),
        scale.px(bar.close),
        scale.qty(flow.volume),
        Cell::Uint(flow.trades.into()),
        vwap,
        scale.qty(flow.buy_volume),
        scale.qty(flow.sell_volume),
    ]
}

const VPIN: [Column; 11] = [
    column(
        "vpin",
        "number or null",
        "",
        "mean of |bought - sold| / bucket quantity over the window; null before it is full",
    ),
    column("buckets", "integer", "", "buckets closed since the session began"),
    column("bucket_qty", "integer or decimal", "smallest unit or instrument", "quantity of a bucket"),
    column("buy_qty", "integer or decimal", "smallest unit or instrument", "quantity bought since the session began"),
    column("sell_qty", "integer or decimal", "smallest unit or instrument", "quantity sold since the session began"),
    column(
        "unsigned_qty",
        "integer or decimal",
        "smallest unit or instrument",
        "quantity left out: it had no aggressor",
    ),
    column("mode", "text", "exact|bulk", "how trades are signed"),
    column("closed", "integer", "", "buckets that this trade or bar closed"),
    column("window", "integer", "", "buckets that the mean is over"),
    column("bucket_buy_qty", "integer or decimal", "smallest unit or instrument", "bought in the last closed bucket"),
    column("bucket_sell_qty", "integer or decimal", "smallest unit or instrument", "sold in the last closed bucket"),
];

fn vpin(first: &Event, followers: &[Event], scale: Scale) -> Vec<Cell> {
    let (vpin, flow) = (first.record::<Vpin>(), followers[0].record::<VpinFlow>());
    let mode = match vpin.mode {
        1 => "exact".to_owned(),
        2 => "bulk".to_owned(),
        other => format!("mode-{other}"),
    };
    vec![
        Cell::Float(vpin.vpin),
        Cell::Uint(vpin.buckets),
        scale.qty(vpin.bucket_qty),
        scale.qty(flow.buy_qty),
        scale.qty(flow.sell_qty),
        scale.qty(flow.unsigned_qty),
        Cell::Text(mode),
        Cell::Uint(vpin.closed.into()),
        Cell::Uint(vpin.window.into()),
        scale.qty(flow.bucket_buy_qty),
        scale.qty(flow.bucket_sell_qty),
    ]
}
