//! The columns of every kind of row.

use super::join::{is_follower, join};
use super::words;
use flow::{Field, FieldType, KINDS, Kind, KindInfo, Kinds};

/// A column of a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// Its name: a public contract.
    pub name: &'static str,
    /// Type as printed: `decimal`, `integer`, `text` ….
    pub ty: &'static str,
    /// Unit.
    pub unit: &'static str,
    /// What it is.
    pub about: &'static str,
}

/// How a kind is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// Side (where it has one), then the record's fields.
    Record {
        side: bool,
    },
    Trade,
    /// Made of two events: see [`super::join`].
    Joined,
    Anomaly,
    /// Rebuilt from `level` events.
    Depth,
}

/// A kind of row: what `--emit` names.
#[derive(Clone, Debug)]
pub struct RowKind {
    /// Name.
    pub name: &'static str,
    /// What it is.
    pub about: &'static str,
    /// Columns, the common ones first.
    pub columns: Vec<Column>,
    /// Events that it is made of.
    pub reads: Kinds,
    /// The kind whose fields it shows.
    pub(super) kind: Kind,
    pub(super) shape: Shape,
}

pub(super) const fn column(name: &'static str, ty: &'static str, unit: &'static str, about: &'static str) -> Column {
    Column { name, ty, unit, about }
}

const COMMON: [Column; 7] = [
    column("kind", "text", "", "kind of the row"),
    column("seq", "integer", "", "ingress number of the input that caused it"),
    column("ts_ns", "integer", "ns since 1970-01-01 UTC", "ingress time"),
    column(
        "exchange_ts_ns",
        "integer or null",
        "ns since 1970-01-01 UTC",
        "exchange time of the event, else of its input",
    ),
    column("symbol", "text or null", "", "symbol of the instrument"),
    column("input", "text or null", "", "file or source of the input"),
    column("record", "integer or null", "", "1-based number of the message in its file; null from a journal"),
];

const SIDE: Column = column("side", "text", "buy|sell|none", "side of the order or level");

const TRADE: [Column; 8] = [
    column("px", "decimal", "currency", "price"),
    column("qty", "integer or decimal", "smallest unit or instrument", "quantity"),
    column("aggressor", "text", "buy|sell|none", "side that took liquidity"),
    column("inferred", "boolean", "", "whether the aggressor was inferred by a rule"),
    column("displayed", "boolean", "", "whether the resting interest was displayed"),
    column("auction", "boolean", "", "whether it is an auction's print"),
    column("match_id", "integer", "", "the venue's number of the match; 0 = none"),
    column("order_ref", "integer", "", "the resting order; 0 = not known"),
];

const ANOMALY: [Column; 4] = [
    column("what", "text", "", "which anomaly"),
    column("detail", "text", "", "the number that explains it"),
    column("px", "decimal or null", "currency", "a price that explains it"),
    column("qty", "integer or decimal", "smallest unit or instrument", "a quantity that explains it"),
];

const DEPTH: [Column; 2] = [
    column("bids", "array of [decimal, quantity]", "", "bid levels, best first"),
    column("asks", "array of [decimal, quantity]", "", "ask levels, best first"),
];

fn of_field(field: &Field) -> Column {
    let (ty, unit) = match field.ty {
        FieldType::Price => ("decimal or null", "currency"),
        FieldType::Qty => ("integer or decimal", "smallest unit or instrument"),
        FieldType::TimeNs => ("integer or null", "ns since 1970-01-01 UTC"),
        FieldType::Seconds => ("integer", "s"),
        FieldType::Uid => ("integer or null", ""),
        FieldType::Uint | FieldType::Int => ("integer", ""),
        FieldType::Float => ("number or null", ""),
        FieldType::Text => ("text", ""),
        FieldType::Nano => ("decimal", ""),
    };
    column(field.name, ty, unit, field.about)
}

/// Kinds whose side stands in the flags.
const SIDED: Kinds = Kinds::of(&[
    Kind::Add,
    Kind::Exec,
    Kind::Cancel,
    Kind::Delete,
    Kind::Level,
    Kind::Intent,
    Kind::Request,
    Kind::ReplaceRequest,
    Kind::Order,
    Kind::Refused,
    Kind::Route,
    Kind::Sent,
    Kind::Ack,
    Kind::Reject,
    Kind::Cancelled,
    Kind::Bust,
]);

fn of_kind(info: &'static KindInfo) -> RowKind {
    let join = join(info.kind);
    let (shape, own) = match info.kind {
        _ if let Some(join) = join => (Shape::Joined, join.columns.to_vec()),
        Kind::Trade => (Shape::Trade, TRADE.to_vec()),
        Kind::Anomaly => (Shape::Anomaly, ANOMALY.to_vec()),
        _ => {
            let side = SIDED.has(info.kind);
            let owner = words::is_owned(info).then_some(words::OWNER);
            let fields = info.fields.iter().filter(|f| f.name != "exchange_ts");
            let fields =
                fields.map(|f| words::find(info.kind, f.name).map_or_else(|| of_field(f), |w| w.column.clone()));
            let own = side.then_some(SIDE).into_iter().chain(owner.into_iter().flatten()).chain(fields);
            (Shape::Record { side }, own.collect())
        }
    };
    let reads = join.into_iter().fold(Kinds::of(&[info.kind]), |kinds, j| kinds.or(Kinds::of(&[j.follower])));
    let columns = COMMON.into_iter().chain(own).collect();
    RowKind { name: info.name, about: info.about, columns, reads, kind: info.kind, shape }
}

/// Every kind of row, in the order of the table of kinds; `depth` follows `level`.
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
                shape: Shape::Depth,
            });
        }
    }
    kinds
}

impl RowKind {
    /// Whether another kind's row shows the same event beside its own.
    pub fn is_part_of_another(&self) -> bool {
        self.shape != Shape::Joined && is_follower(self.kind)
    }
}

/// The kind of row of that name.
pub fn row_kind(name: &str) -> Option<RowKind> {
    row_kinds().into_iter().find(|k| k.name == name)
}
