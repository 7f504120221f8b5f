//! One value of a row.
//!
//! JSON has no integers, only numbers, and many parsers keep them as doubles: from 2^53 on they would change, and ids would
//! become each other's. So times and ids are text in JSON, and so is any other integer that is too large.

use serde::{Serialize, Serializer};

/// One value of a row. An absent value is null in JSON and empty in CSV.
#[derive(Clone, Debug, PartialEq)]
pub enum Cell {
    /// Absent.
    Null,
    /// A time or an id: text in JSON.
    Long(u64),
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

/// The largest integer that a double holds with all before it.
const SAFE: u64 = (1 << 53) - 1;

impl Cell {
    /// A text.
    pub fn text(text: impl Into<String>) -> Cell {
        Cell::Text(text.into())
    }

    /// The value as CSV text.
    pub fn to_csv(&self) -> String {
        match self {
            Cell::Null => String::new(),
            Cell::Uint(v) | Cell::Long(v) => v.to_string(),
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
            Cell::Uint(v) if *v <= SAFE => to.serialize_u64(*v),
            Cell::Int(v) if v.unsigned_abs() <= SAFE => to.serialize_i64(*v),
            Cell::Uint(v) | Cell::Long(v) => to.collect_str(v),
            Cell::Int(v) => to.collect_str(v),
            Cell::Float(v) if v.is_nan() => to.serialize_none(),
            Cell::Float(v) => to.serialize_f64(*v),
            Cell::Text(v) => to.serialize_str(v),
            Cell::Bool(v) => to.serialize_bool(*v),
            Cell::List(v) => v.serialize(to),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_integer_of_a_row_changes_in_a_parser_that_keeps_doubles() {
        let safe = SAFE as i64;
        let cells = [
            (Cell::Long(7), "\"7\""),
            (Cell::Long(u64::MAX), "\"18446744073709551615\""),
            (Cell::Uint(SAFE), "9007199254740991"),
            (Cell::Uint(SAFE + 1), "\"9007199254740992\""),
            (Cell::Int(-safe), "-9007199254740991"),
            (Cell::Int(-safe - 1), "\"-9007199254740992\""),
            (Cell::Int(i64::MAX), "\"9223372036854775807\""),
            (Cell::List(vec![vec![Cell::Uint(u64::MAX)]]), "[[\"18446744073709551615\"]]"),
        ];
        for (cell, json) in cells {
            assert_eq!(serde_json::to_string(&cell).unwrap(), json);
            if !matches!(cell, Cell::List(_)) {
                assert_eq!(cell.to_csv(), json.trim_matches('"'));
            }
        }
    }
}
