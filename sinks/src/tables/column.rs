//! The columns of a table, derived from the records of its kinds.
//!
//! A column has one type for all kinds of its table; a kind without it leaves it absent. Yes and no are words where not every
//! kind says one of them, since databases know no third state of a truth value.

use super::spec::{TableSpec, completes, has_kinds, info};
use flow::{Field, FieldType, FlagColumn, KindInfo};

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ColumnType {
    /// A word out of few.
    Word,
    /// A small integer, 0 to 65,535.
    Small,
    /// An integer of 64 bits.
    Long,
    /// A number in floating point.
    Float,
    /// True or false, never absent.
    Truth,
    /// Nanoseconds since 1970-01-01 UTC.
    Time,
}

/// A column of a table.
#[derive(Clone, Debug)]
pub struct Column {
    /// Its name; an integer of 1e-9 ends in `_e9`.
    pub name: String,
    /// What it holds.
    pub ty: ColumnType,
    /// Description.
    pub about: &'static str,
    /// Whether it is part of the key of a row.
    pub is_key: bool,
    /// Where its value is found, by the place of the row's kind among those of the table.
    pub(super) from: Vec<Option<From>>,
}

impl Column {
    /// Whether it is a price, money or a factor in 1e-9.
    pub fn is_scaled(&self) -> bool {
        self.name.ends_with(SCALED)
    }
}

/// The end of the name of a column in 1e-9.
pub const SCALED: &str = "_e9";

/// Where a value is found.
#[derive(Clone, Copy, Debug)]
pub(super) enum From {
    /// In the header, or around the event.
    Header(Header),
    /// A flag of the event.
    Flag(FlagColumn),
    /// The account in this order id.
    Account(&'static Field),
    /// The strategy in this order id.
    Strategy(&'static Field),
    /// A field of the event.
    Field(&'static Field),
    /// A field of the event that completes the row.
    Follower(&'static Field),
}

/// What every row has.
#[derive(Clone, Copy, Debug)]
pub(super) enum Header {
    Ts,
    Journal,
    Seq,
    Position,
    Ordinal,
    Kind,
    Symbol,
    Instrument,
    Source,
}

/// The columns of a table, the common ones first.
pub(super) fn columns(spec: &TableSpec) -> Vec<Column> {
    let common = |name: &str, ty, about, is_key, from: Header| Column {
        name: name.to_owned(),
        ty,
        about,
        is_key,
        from: vec![Some(From::Header(from)); spec.kinds.len()],
    };
    let mut columns = vec![
        common("ts", ColumnType::Time, "time of the input that caused it, by the clock of the run", true, Header::Ts),
        common("journal", ColumnType::Word, "id of the journal, 16 hex digits", true, Header::Journal),
        common("seq", ColumnType::Long, "number of the input that caused it", true, Header::Seq),
        common(
            "position",
            ColumnType::Small,
            "position of the stage that made it; 0 = an input",
            true,
            Header::Position,
        ),
        common("ordinal", ColumnType::Small, "ordinal among what that stage made of the input", true, Header::Ordinal),
    ];
    if has_kinds(spec) {
        columns.push(common("kind", ColumnType::Word, "kind of the event", false, Header::Kind));
    }
    columns.push(common("symbol", ColumnType::Word, "symbol of the instrument", false, Header::Symbol));
    columns.push(common(
        "instrument",
        ColumnType::Long,
        "index of the instrument in the run",
        false,
        Header::Instrument,
    ));
    columns.push(common("source", ColumnType::Small, "number of the input or the venue", false, Header::Source));
    for (place, kind) in spec.kinds.iter().enumerate() {
        let (own, follower) = (info(*kind), completes(*kind).map(info));
        for (name, ty, about, from) in of_kind(own, follower) {
            let column = columns.iter_mut().find(|column| column.name == name);
            let column = match column {
                Some(column) => column,
                None => {
                    columns.push(Column { name, ty, about, is_key: false, from: vec![None; spec.kinds.len()] });
                    columns.last_mut().expect("it was pushed")
                }
            };
            assert_eq!(column.ty, ty, "{}.{}: two types", spec.name, column.name);
            assert!(column.from[place].is_none(), "{}.{}: twice in one kind", spec.name, column.name);
            column.from[place] = Some(from);
        }
    }
    for column in &mut columns {
        if column.ty == ColumnType::Truth && column.from.iter().any(Option::is_none) {
            column.ty = ColumnType::Word;
        }
    }
    columns
}

/// Name, type, description and source of each column that a kind and its follower add.
fn of_kind(
    own: &'static KindInfo,
    follower: Option<&'static KindInfo>,
) -> Vec<(String, ColumnType, &'static str, From)> {
    let mut found = Vec::new();
    for flag in own.flags {
        let ty = if flag.is_side() { ColumnType::Word } else { ColumnType::Truth };
        found.push((flag.name().to_owned(), ty, flag.about(), From::Flag(*flag)));
    }
    if let Some(id) = own.order() {
        found.push(("account".to_owned(), ColumnType::Long, "account of the order", From::Account(id)));
        found.push(("strategy".to_owned(), ColumnType::Word, "strategy of the order", From::Strategy(id)));
    }
    for field in own.fields {
        found.push((name_of(field), type_of(field.ty), field.about, From::Field(field)));
    }
    for field in follower.into_iter().flat_map(|info| info.fields) {
        let name = name_of(field);
        if found.iter().all(|(has, ..)| *has != name) {
            found.push((name, type_of(field.ty), field.about, From::Follower(field)));
        }
    }
    found
}

fn name_of(field: &Field) -> String {
    // The unit of these columns is in their type.
    let name = field.column.strip_suffix("_ns").unwrap_or(field.column);
    if is_scaled(field.ty) { format!("{name}{SCALED}") } else { name.to_owned() }
}

const fn is_scaled(ty: FieldType) -> bool {
    matches!(
        ty,
        FieldType::Price
            | FieldType::Average
            | FieldType::Step
            | FieldType::Factor
            | FieldType::Nano
            | FieldType::Money
    )
}

const fn type_of(ty: FieldType) -> ColumnType {
    match ty {
        FieldType::TimeNs | FieldType::Start => ColumnType::Time,
        FieldType::Float => ColumnType::Float,
        FieldType::Text
        | FieldType::Interval
        | FieldType::Strategy
        | FieldType::Check
        | FieldType::Limit
        | FieldType::Instance
        | FieldType::Kind
        | FieldType::Enum(_)
        | FieldType::Code(_) => ColumnType::Word,
        _ => ColumnType::Long,
    }
}
