//! The kinds of rows and their columns.

use super::column::{Column, Value, column, columns};
use flow::{Field, KINDS, Kind, KindInfo, Kinds, follower_of};

/// The source of a row's cells.
#[derive(Clone, Debug)]
pub(super) enum Made {
    /// One event, with its followers if it has any.
    Shown {
        /// Source of each column after the common ones.
        values: Vec<Value>,
        /// The followers that complete the row.
        follower: Option<Follower>,
    },
    /// Depth, rebuilt from `level` events.
    Depth,
}

/// The kind that follows.
#[derive(Clone, Copy, Debug)]
pub(super) struct Follower {
    /// The field of the first event with the number of followers; `None` = one.
    pub(super) times: Option<&'static Field>,
}

/// A kind of row, named by `--emit`.
#[derive(Clone, Debug)]
pub struct RowKind {
    /// Name.
    pub name: &'static str,
    /// Description.
    pub about: &'static str,
    /// Columns, the common ones first.
    pub columns: Vec<Column>,
    /// Kinds of events that it is made from.
    pub reads: Kinds,
    /// The kind whose fields it shows; of two, the first.
    pub(super) kind: Kind,
    pub(super) made: Made,
    is_follower: bool,
}

const COMMON: [Column; 7] = [
    column("kind", "text", "", "kind of the row"),
    column("seq", "integer", "", "sequence number of the input that caused it"),
    column("ts_ns", "integer as text", "ns since 1970-01-01 UTC", "ingress time"),
    column(
        "exchange_ts_ns",
        "integer as text or null",
        "ns since 1970-01-01 UTC",
        "exchange time of the event, or else of its input",
    ),
    column("symbol", "text or null", "", "symbol of the instrument"),
    column("input", "text or null", "", "file or source of the input"),
    column("record", "integer or null", "", "1-based number of the message in its file; null from a journal"),
];

const DEPTH: [Column; 2] = [
    column("bids", "array of [decimal, quantity]", "", "bid levels, best first"),
    column("asks", "array of [decimal, quantity]", "", "ask levels, best first"),
];

fn of_kind(info: &'static KindInfo) -> RowKind {
    let second = follower_of(info.kind);
    let (own, values): (Vec<_>, Vec<_>) = columns(info, second).into_iter().unzip();
    let times = second.and_then(|s| s.follows).and_then(|f| f.times);
    let times = times.and_then(|name| info.fields.iter().find(|f| f.name == name));
    let reads = second.map_or(Kinds::NONE, |s| Kinds::of(&[s.kind])).or(Kinds::of(&[info.kind]));
    RowKind {
        name: info.name,
        about: info.about,
        columns: COMMON.into_iter().chain(own).collect(),
        reads,
        kind: info.kind,
        made: Made::Shown { values, follower: second.map(|_| Follower { times }) },
        is_follower: info.follows.is_some(),
    }
}

/// Every kind of row, in the order of the table of kinds, with `depth` after `level`.
pub fn row_kinds() -> Vec<RowKind> {
    let mut kinds = Vec::new();
    for info in KINDS {
        kinds.push(of_kind(info));
        if info.kind == Kind::Level {
            kinds.push(RowKind {
                name: "depth",
                about: "The book's best levels after each record that changed it (`--levels N`).",
                columns: COMMON.into_iter().chain(DEPTH).collect(),
                reads: Kinds::of(&[Kind::Level, Kind::Clear]),
                kind: Kind::Level,
                made: Made::Depth,
                is_follower: false,
            });
        }
    }
    kinds
}

impl RowKind {
    /// Whether the row of another kind also shows this kind's events.
    pub fn is_part_of_another(&self) -> bool {
        self.is_follower
    }

    /// Whether a row begins with an event of this kind.
    pub(crate) fn is_first(&self, kind: Kind) -> bool {
        self.kind == kind && !self.needs_the_past()
    }

    /// Whether a row shows more than its own events: what came before them, from the beginning.
    pub fn needs_the_past(&self) -> bool {
        matches!(self.made, Made::Depth)
    }
}

/// The kind of row with this name.
pub fn row_kind(name: &str) -> Option<RowKind> {
    row_kinds().into_iter().find(|k| k.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(kind: &str) -> Vec<&'static str> {
        row_kind(kind).unwrap().columns.iter().skip(COMMON.len()).map(|c| c.name).collect()
    }

    #[test]
    fn a_row_has_the_columns_that_the_table_of_kinds_says() {
        assert_eq!(names("bar")[..3], ["interval", "start_ns", "open"]);
        assert_eq!(names("bar-flow"), ["volume", "vwap", "buy_volume", "sell_volume", "trades", "interval_s"]);
        assert_eq!(names("signal"), ["strategy", "side", "entry", "stop", "target", "confidence", "reasons"]);
        assert_eq!(names("reason"), ["value", "threshold", "strategy", "measure", "index"]);
        assert_eq!(names("sent"), ["side", "account", "strategy", "order_id", "cause", "qty", "action"]);
        assert_eq!(names("anomaly"), ["what", "detail", "px", "qty"]);
        assert_eq!(names("depth"), ["bids", "asks"]);
    }

    #[test]
    fn no_column_of_a_row_is_named_twice() {
        for kind in row_kinds() {
            let mut names: Vec<_> = kind.columns.iter().map(|c| c.name).collect();
            names.sort_unstable();
            names.dedup();
            assert_eq!(names.len(), kind.columns.len(), "{}", kind.name);
        }
    }

    #[test]
    fn a_type_of_words_lists_them() {
        let order = row_kind("order").unwrap();
        let tif = order.columns.iter().find(|c| c.name == "tif").unwrap();
        assert_eq!((&*tif.ty, &*tif.unit), ("text", "day|gtc|ioc|fok"));
        let signal = row_kind("signal").unwrap();
        assert_eq!(signal.columns.last().unwrap().ty, "array of [text, number or null]");
    }
}
