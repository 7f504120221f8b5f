//! A message of the stream, in either of its two encodings.
//!
//! The same fields come as JSON text or as MessagePack, where a time is an extension and no text. One visitor reads both, and
//! copies nothing: what is text is borrowed from the frame. The fields of all types of message stand in one struct by the letters
//! of the wire, since a letter means several things: `c` is the conditions of a trade and the close of a bar. Bound: the length
//! of a frame. Worst case: a message with many fields that nobody asked for, which are skipped.

use chrono::DateTime;
use flow::{Ns, Px, Qty};
use serde::Deserialize;
use serde::de::{Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use std::borrow::Cow;
use std::fmt;

/// The most conditions of a trade that are kept; a trade has one of each of four groups.
const CONDITIONS: usize = 8;

/// The conditions of a trade.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Conditions<'a> {
    codes: [&'a str; CONDITIONS],
    len: usize,
}

impl<'a> Conditions<'a> {
    pub(super) fn iter(&self) -> impl Iterator<Item = &'a str> + '_ {
        self.codes[..self.len].iter().copied()
    }
}

/// What a field holds.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) enum Value<'a> {
    #[default]
    Absent,
    Number(f64),
    /// A whole number: of a trade, it may have more digits than a float.
    Whole(u64),
    Text(Cow<'a, str>),
    Conditions(Conditions<'a>),
    Time(Ns),
    /// A price that was read from its digits.
    Exact(Px),
}

impl Value<'_> {
    pub(super) fn text(&self) -> &str {
        match self {
            Value::Text(text) => text,
            _ => "",
        }
    }

    pub(super) fn whole(&self) -> Option<u64> {
        match *self {
            Value::Whole(whole) => Some(whole),
            Value::Number(number) if number.fract() == 0.0 && (0.0..9e15).contains(&number) => Some(number as u64),
            _ => None,
        }
    }

    /// A price, exact to 1e-9: a float has the digits of any price of up to nine decimals below four million.
    pub(super) fn px(&self) -> Option<Px> {
        let number = match *self {
            Value::Exact(px) => return Some(px),
            Value::Whole(whole) => whole as f64,
            Value::Number(number) => number,
            _ => return None,
        };
        let nano = (number * Px::ONE as f64).round();
        (nano.abs() < 9e18).then_some(Px(nano as i64))
    }

    pub(super) fn qty(&self) -> Option<Qty> {
        self.whole().map(Qty)
    }

    /// A time, as an extension or as RFC 3339 writes it.
    pub(super) fn time(&self) -> Option<Ns> {
        match self {
            Value::Time(time) => Some(*time),
            Value::Text(text) => {
                let time = DateTime::parse_from_rfc3339(text).ok()?;
                time.timestamp_nanos_opt().and_then(|ns| u64::try_from(ns).ok()).map(Ns)
            }
            _ => None,
        }
    }
}

/// What a frame does not hold, although it should.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a message of type {kind:?} has no valid `{field}`")]
pub(super) struct Missing {
    pub(super) kind: char,
    pub(super) field: &'static str,
}

macro_rules! message {
    ($($field:ident $key:literal)*) => {
        /// A message: its fields by the letters of the wire.
        #[derive(Clone, Debug, Default, PartialEq)]
        pub(super) struct Message<'a> {
            $(pub(super) $field: Value<'a>,)*
        }

        impl<'a> Message<'a> {
            fn field(&mut self, key: &str) -> Option<&mut Value<'a>> {
                match key {
                    $($key => Some(&mut self.$field),)*
                    _ => None,
                }
            }
        }
    };
}

message! {
    kind "T" symbol "S" a "a" ap "ap" as_ "as" bp "bp" bs "bs" c "c" cc "cc" ci "ci" cp "cp" cs "cs" d "d" h "h" i "i" l "l"
    n "n" o "o" oi "oi" p "p" rc "rc" s "s" sc "sc" t "t" u "u" v "v" vw "vw" x "x" z "z"
    code "code" msg "msg"
}

impl<'a> Message<'a> {
    /// The letter of its type; `None` of a control message.
    pub(super) fn letter(&self) -> Option<char> {
        let mut letters = self.kind.text().chars();
        letters.next().filter(|_| letters.next().is_none())
    }

    /// The tape: `A` and `B` of the exchanges' plan, `C` of Nasdaq's.
    pub(super) fn tape(&self) -> char {
        self.z.text().chars().next().unwrap_or(' ')
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Message<'a> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Message<'a>, D::Error> {
        struct Fields;
        impl<'de> Visitor<'de> for Fields {
            type Value = Message<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a message")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Message<'de>, A::Error> {
                let mut message = Message::default();
                while let Some(key) = map.next_key::<Key<'de>>()? {
                    match message.field(&key.0) {
                        Some(field) => *field = map.next_value()?,
                        None => _ = map.next_value::<IgnoredAny>()?,
                    }
                }
                Ok(message)
            }
        }
        from.deserialize_map(Fields)
    }
}

#[derive(Deserialize)]
struct Key<'a>(#[serde(borrow)] Cow<'a, str>);

impl<'de: 'a, 'a> Deserialize<'de> for Value<'a> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Value<'a>, D::Error> {
        from.deserialize_any(Any)
    }
}

struct Any;

impl<'de> Visitor<'de> for Any {
    type Value = Value<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number, a text, a list of texts or a time")
    }

    fn visit_u64<E: Error>(self, whole: u64) -> Result<Value<'de>, E> {
        Ok(Value::Whole(whole))
    }

    fn visit_i64<E: Error>(self, whole: i64) -> Result<Value<'de>, E> {
        Ok(u64::try_from(whole).map_or(Value::Number(whole as f64), Value::Whole))
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Value<'de>, E> {
        Ok(Value::Number(number))
    }

    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Value<'de>, E> {
        Ok(Value::Text(Cow::Borrowed(text)))
    }

    /// Text with an escape in it.
    fn visit_str<E: Error>(self, text: &str) -> Result<Value<'de>, E> {
        Ok(Value::Text(Cow::Owned(text.to_owned())))
    }

    fn visit_unit<E: Error>(self) -> Result<Value<'de>, E> {
        Ok(Value::Absent)
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<Value<'de>, E> {
        Ok(Value::Absent)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value<'de>, A::Error> {
        let mut conditions = Conditions::default();
        while let Some(value) = seq.next_element::<Value<'de>>()? {
            if let Value::Text(Cow::Borrowed(code)) = value
                && conditions.len < CONDITIONS
            {
                conditions.codes[conditions.len] = code;
                conditions.len += 1;
            }
        }
        Ok(Value::Conditions(conditions))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value<'de>, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Value::Absent)
    }

    /// An extension of MessagePack, of which there is one: the time.
    fn visit_newtype_struct<D: Deserializer<'de>>(self, from: D) -> Result<Value<'de>, D::Error> {
        let (tag, Bytes(bytes)) = <(i8, Bytes<'de>)>::deserialize(from)?;
        let time = (tag == -1).then(|| time(bytes)).flatten();
        time.map(Value::Time).ok_or_else(|| Error::custom("an extension that is no time"))
    }
}

struct Bytes<'a>(&'a [u8]);

impl<'de: 'a, 'a> Deserialize<'de> for Bytes<'a> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Bytes<'a>, D::Error> {
        <&'a [u8]>::deserialize(from).map(Bytes)
    }
}

/// MessagePack's time: seconds in 4 bytes, nanoseconds and seconds in 8 bytes (30 and 34 bits), or in 12 (4 and 8 bytes).
fn time(bytes: &[u8]) -> Option<Ns> {
    let (nanos, seconds) = match bytes.len() {
        4 => (0, u32::from_be_bytes(bytes.try_into().ok()?).into()),
        8 => {
            let both = u64::from_be_bytes(bytes.try_into().ok()?);
            (both >> 34, both & ((1 << 34) - 1))
        }
        12 => {
            let (nanos, seconds) = bytes.split_at(4);
            let seconds = u64::try_from(i64::from_be_bytes(seconds.try_into().ok()?)).ok()?;
            (u32::from_be_bytes(nanos.try_into().ok()?).into(), seconds)
        }
        _ => return None,
    };
    let whole = seconds.checked_mul(Ns::SECOND).filter(|_| nanos < Ns::SECOND)?;
    whole.checked_add(nanos).map(Ns)
}

/// How a connection encodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Encoding {
    Json,
    MessagePack,
}

impl Encoding {
    /// The messages of a frame, one after the other.
    ///
    /// # Errors
    /// When the frame is not a list of messages; what came before the fault has been taken.
    pub(super) fn read<'a>(self, frame: &'a [u8], take: &mut dyn FnMut(&Message<'a>)) -> Result<(), String> {
        match self {
            Encoding::Json => {
                let mut from = serde_json::Deserializer::from_slice(frame);
                Each(take).read(&mut from).map_err(|e| e.to_string())?;
                from.end().map_err(|e| e.to_string())
            }
            Encoding::MessagePack => {
                Each(take).read(&mut rmp_serde::Deserializer::from_read_ref(frame)).map_err(|e| e.to_string())
            }
        }
    }
}

/// Takes each message of a list.
struct Each<'t, 'a>(&'t mut dyn FnMut(&Message<'a>));

impl<'a> Each<'_, 'a> {
    fn read<D: Deserializer<'a>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_seq(self)
    }
}

impl<'a> Visitor<'a> for Each<'_, 'a> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of messages")
    }

    fn visit_seq<A: SeqAccess<'a>>(self, mut seq: A) -> Result<(), A::Error> {
        while let Some(message) = seq.next_element::<Message<'a>>()? {
            (self.0)(&message);
        }
        Ok(())
    }
}
