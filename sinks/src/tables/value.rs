//! One value of a row, as a database takes it.

use std::borrow::Cow;

/// One value of a row. What is not known is [`Value::Absent`].
#[derive(Clone, Debug, PartialEq)]
pub enum Value<'a> {
    /// Not known, or there is none.
    Absent,
    /// A word.
    Word(Cow<'a, str>),
    /// An integer. Ids are unsigned in the record: one of 2^63 or more is here less than 0, by 2^64.
    Long(i64),
    /// A number in floating point, never NaN.
    Float(f64),
    /// True or false.
    Truth(bool),
    /// Nanoseconds since 1970-01-01 UTC.
    Time(i64),
    /// A value that no column of 64 bits can hold, with the reason: the row cannot be written as it is.
    Unfit(&'static str),
}

impl Value<'_> {
    /// The word of a number that has one; 0 without a word is absent.
    pub(super) fn named(number: u64, word: Option<&str>) -> Value<'_> {
        match (number, word) {
            (_, Some(word)) => Value::Word(word.into()),
            (0, None) => Value::Absent,
            (number, None) => Value::Word(number.to_string().into()),
        }
    }

    /// An unsigned number that counts something.
    pub(super) fn counted(number: u64) -> Value<'static> {
        i64::try_from(number).map_or(Value::Unfit("it is above 2^63 - 1"), Value::Long)
    }

    /// A signed number.
    pub(super) fn signed(number: i64) -> Value<'static> {
        if number == i64::MIN {
            Value::Unfit("it is -2^63, which a database takes for absent")
        } else {
            Value::Long(number)
        }
    }

    /// An id; 0 is none.
    pub(super) fn id(number: u64) -> Value<'static> {
        if number == 0 { Value::Absent } else { Value::signed(number as i64) }
    }

    /// A time.
    pub(super) fn time(ns: u64) -> Value<'static> {
        match (ns, i64::try_from(ns)) {
            (u64::MAX, _) => Value::Absent,
            (_, Ok(ns)) => Value::Time(ns),
            _ => Value::Unfit("the time is after the year 2262"),
        }
    }
}
