//! A single row, made of the events that it shows.

use super::cell::Cell;
use super::render::{Print, Scale};
use super::schema::{Made, RowKind};
use flow::{Event, Listings, Ns};
use stages::Instances;

/// Where the input of a row came from, as far as it is known.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct CameFrom<'a> {
    /// Exchange time of the input.
    pub(super) exchange_ts: Option<Ns>,
    /// Name of the input.
    pub(super) input: Option<&'a str>,
    /// Number of the message in its file.
    pub(super) record: Option<u64>,
}

/// The cells of the columns that every row has.
pub(super) fn common(kind: &RowKind, event: &Event, symbol: Option<&str>, from: CameFrom<'_>) -> [Cell; 7] {
    let exchange_ts = event.exchange_ts().or(from.exchange_ts);
    [
        Cell::text(kind.name),
        Cell::Uint(event.id.seq()),
        Cell::Long(event.ts.0),
        exchange_ts.map_or(Cell::Null, |ts| Cell::Long(ts.0)),
        symbol.map_or(Cell::Null, Cell::text),
        from.input.map_or(Cell::Null, Cell::text),
        from.record.into(),
    ]
}

/// The row of an event and its followers as an export of a journal prints it: each column with its cell. `None` if followers
/// are missing, or the kind of row shows more than its own events.
pub(crate) fn row(
    kind: &RowKind,
    events: &[Event],
    listings: &Listings,
    names: &Instances,
) -> Option<Vec<(&'static str, Cell)>> {
    let Made::Shown { values, follower } = &kind.made else { return None };
    let first = events.first()?;
    let followers = follower.map_or(0, |f| f.times.map_or(1, |field| field.number(&first.body) as usize));
    if events.len() != followers + 1 {
        return None;
    }
    let listed = listings.get(first.instrument);
    let print = Print { scale: Scale::of(listed), names };
    let symbol = listed.map(|l| l.symbol.as_str());
    let common = common(kind, first, symbol, CameFrom::default());
    let cells = common.into_iter().chain(values.iter().map(|value| print.cell(value, events)));
    Some(kind.columns.iter().map(|column| column.name).zip(cells).collect())
}
