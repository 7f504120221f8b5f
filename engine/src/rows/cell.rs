//! One value of a row.

use serde::{Serialize, Serializer};

/// One value of a row. An absent value is null in JSON and empty in CSV.
#[derive(Clone, Debug, PartialEq)]
pub enum Cell {
    /// Absent.
    Null,
    /// An unsigned integer.
    Uint(u64),
    /// A signed integer.
    Int(i64),
    /// A floating-point number; NaN = absent.
    Float(f64),
    /// A text, or an exact decimal.
    Text(String),
    /// True or false.
    Bool(bool),
    /// A list of tuples: price and quantity by level, measure and value by reason.
    List(Vec<Vec<Cell>>),
}

impl Cell {
    /// A text.
    pub fn text(text: impl Into<String>) -> Cell {
        Cell::Text(text.into())
    }

    /// The value as CSV text.
    pub fn to_csv(&self) -> String {
        match self {
            Cell::Null => String::new(),
            Cell::Uint(v) => v.to_string(),
            Cell::Int(v) => v.to_string(),
            Cell::Float(v) if v.is_nan() => String::new(),
            Cell::Float(v) => v.to_string(),
            Cell::Text(v) => v.clone(),
            Cell::Bool(v) => v.to_string(),
            Cell::List(_) => serde_json::to_string(self).expect("a list holds plain values"),
        }
    }
}

impl From<Option<u64>> for Cell {
    fn from(value: Option<u64>) -> Cell {
        value.map_or(Cell::Null, Cell::Uint)
    }
}

impl Serialize for Cell {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self {
            Cell::Null => to.serialize_none(),
            Cell::Uint(v) => to.serialize_u64(*v),
            Cell::Int(v) => to.serialize_i64(*v),
            Cell::Float(v) if v.is_nan() => to.serialize_none(),
            Cell::Float(v) => to.serialize_f64(*v),
            Cell::Text(v) => to.serialize_str(v),
            Cell::Bool(v) => to.serialize_bool(*v),
            Cell::List(v) => v.serialize(to),
        }
    }
}
