//! A column: its name, and the part of an event that it shows.

use flow::{Field, FieldType, FlagColumn, KindInfo};
use std::borrow::Cow;

/// A column of a row, as `schema` prints it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// Name, a public contract.
    pub name: &'static str,
    /// Type as printed: `decimal`, `integer`, `integer as text`, `text` ….
    pub ty: Cow<'static, str>,
    /// Unit, or the names that it can have.
    pub unit: Cow<'static, str>,
    /// Description.
    pub about: Cow<'static, str>,
}

pub(super) const fn column(name: &'static str, ty: &'static str, unit: &'static str, about: &'static str) -> Column {
    Column { name, ty: Cow::Borrowed(ty), unit: Cow::Borrowed(unit), about: Cow::Borrowed(about) }
}

/// The source of a column's values.
#[derive(Clone, Debug)]
pub(super) enum Value {
    /// A flag of the first event.
    Flag(FlagColumn),
    /// The account in this order id, a field of the first event.
    Account(&'static Field),
    /// The strategy in this order id, a field of the first event.
    Strategy(&'static Field),
    /// A field of the first event.
    First(&'static Field, FieldType),
    /// A field of its only follower.
    Follower(&'static Field),
    /// These fields of each follower.
    Each(Vec<&'static Field>),
}

/// Type and unit of a value, as `schema` prints them.
const fn printed(ty: FieldType) -> (&'static str, &'static str) {
    match ty {
        FieldType::Price | FieldType::Average | FieldType::Step | FieldType::Money => ("decimal or null", "currency"),
        FieldType::Factor | FieldType::Nano => ("decimal or null", ""),
        FieldType::Qty => ("integer or decimal", "smallest unit or instrument"),
        FieldType::Volume => ("integer or decimal or null", "smallest unit or instrument"),
        FieldType::TimeNs | FieldType::Start => ("integer as text or null", "ns since 1970-01-01 UTC"),
        FieldType::Seconds => ("integer", "s"),
        FieldType::Uid | FieldType::Count | FieldType::Sequence => ("integer or null", ""),
        FieldType::OrderId | FieldType::Id => ("integer as text", ""),
        FieldType::Uint | FieldType::Int | FieldType::Account | FieldType::Code(_) => ("integer", ""),
        FieldType::Float => ("number or null", ""),
        FieldType::Text | FieldType::Interval | FieldType::Detail => ("text", ""),
        FieldType::Strategy | FieldType::Check | FieldType::Limit | FieldType::Kind | FieldType::Enum(_) => {
            ("text", "")
        }
        FieldType::Instance => ("text", ""),
    }
}

fn of_field(field: &Field, ty: FieldType) -> Column {
    let (printed, unit) = printed(ty);
    let name = if ty == field.ty { field.column } else { field.name };
    let named = matches!(ty, FieldType::Enum(_));
    let words = field.words().filter(|_| named).map(|words| words.iter().map(|w| w.1).collect::<Vec<_>>().join("|"));
    Column {
        name,
        ty: printed.into(),
        unit: words.map_or(unit.into(), Cow::Owned),
        about: if named { field.about.into() } else { field.about_in_full().into() },
    }
}

fn of_flag(flag: FlagColumn) -> Column {
    let (ty, unit) = if flag.is_side() { ("text", "buy|sell|none") } else { ("boolean", "") };
    column(flag.name(), ty, unit, flag.about())
}

fn of_each(field: &Field, fields: &[&'static Field]) -> Column {
    let types: Vec<_> = fields.iter().map(|f| printed(f.ty).0).collect();
    let names: Vec<_> = fields.iter().map(|f| f.name).collect();
    let about = format!("{}: {} of each", field.name, names.join(" and "));
    Column { ty: format!("array of [{}]", types.join(", ")).into(), about: about.into(), ..of_field(field, field.ty) }
}

/// The columns of a kind after the common ones, with those of its `follower`. A follower's own row shows raw fields.
pub(super) fn columns(info: &'static KindInfo, follower: Option<&'static KindInfo>) -> Vec<(Column, Value)> {
    let columns = in_any_order(info, follower);
    let of_many = info.follows.is_some_and(|f| f.times.is_some());
    if info.row.is_empty() || of_many { columns } else { ordered(columns, info) }
}

/// The columns of a single event of a kind, without those of a follower.
pub(super) fn own_columns(info: &'static KindInfo) -> Vec<(Column, Value)> {
    in_any_order(info, None)
}

fn in_any_order(info: &'static KindInfo, follower: Option<&'static KindInfo>) -> Vec<(Column, Value)> {
    let mut columns: Vec<_> = info.flags.iter().map(|flag| (of_flag(*flag), Value::Flag(*flag))).collect();
    if let Some(id) = info.order() {
        columns.push((column("account", "integer", "", "account of the order"), Value::Account(id)));
        columns.push((column("strategy", "text", "", "strategy of the order"), Value::Strategy(id)));
    }
    let times = follower.and_then(|f| f.follows).and_then(|f| f.times);
    for field in info.fields.iter().filter(|f| f.name != "exchange_ts") {
        let counted = follower.filter(|_| times == Some(field.name));
        columns.push(match counted {
            Some(follower) => {
                let each: Vec<_> = follower.row.iter().map(|name| named(follower, name)).collect();
                (of_each(field, &each), Value::Each(each))
            }
            None => {
                let ty = if info.follows.is_some() { field.ty.raw() } else { field.ty };
                (of_field(field, ty), Value::First(field, ty))
            }
        });
    }
    for field in follower.filter(|_| times.is_none()).into_iter().flat_map(|f| f.fields) {
        if columns.iter().all(|(column, _)| column.name != field.column) {
            columns.push((of_field(field, field.ty), Value::Follower(field)));
        }
    }
    columns
}

/// The columns in the order that the kind gives for its row.
fn ordered(columns: Vec<(Column, Value)>, info: &KindInfo) -> Vec<(Column, Value)> {
    let find = |name: &&str| {
        let found = columns.iter().find(|(column, _)| column.name == *name);
        found.unwrap_or_else(|| panic!("{} has no column {name}", info.name)).clone()
    };
    info.row.iter().map(find).collect()
}

fn named(info: &'static KindInfo, name: &str) -> &'static Field {
    let field = info.fields.iter().find(|f| f.name == name);
    field.unwrap_or_else(|| panic!("{} has no field {name}", info.name))
}
