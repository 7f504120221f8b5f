//! The messages of the fake, as the real stream writes them.
//!
//! The fields stand in the order of the vendor's examples. A time is text in JSON and an extension in MessagePack.

use chrono::{DateTime, SecondsFormat};
use flow::Ns;
use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};

/// A time of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Time(pub Ns);

struct Bytes([u8; 12]);

impl Serialize for Bytes {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_bytes(&self.0)
    }
}

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let (seconds, nanos) = (self.0.0 / Ns::SECOND, self.0.0 % Ns::SECOND);
        if to.is_human_readable() {
            let time = DateTime::from_timestamp(seconds as i64, nanos as u32).unwrap_or_default();
            return to.serialize_str(&time.to_rfc3339_opts(SecondsFormat::Nanos, true));
        }
        let mut bytes = [0; 12];
        bytes[..4].copy_from_slice(&(nanos as u32).to_be_bytes());
        bytes[4..].copy_from_slice(&(seconds as i64).to_be_bytes());
        to.serialize_newtype_struct(rmp_serde::MSGPACK_EXT_STRUCT_NAME, &(-1i8, Bytes(bytes)))
    }
}

/// The values of a minute.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Minute {
    /// Open, high, low and close, in dollars.
    pub prices: [f64; 4],
    /// Shares.
    pub volume: u64,
    /// How many trades.
    pub trades: u64,
    /// Volume-weighted average price.
    pub vwap: f64,
}

impl Minute {
    fn serialize<M: SerializeMap>(&self, to: &mut M) -> Result<(), M::Error> {
        for (key, px) in ["o", "h", "l", "c"].iter().zip(&self.prices) {
            to.serialize_entry(key, px)?;
        }
        to.serialize_entry("v", &self.volume)?;
        to.serialize_entry("n", &self.trades)?;
        to.serialize_entry("vw", &self.vwap)
    }
}

/// A message of market data.
#[derive(Clone, Debug, PartialEq)]
pub enum Body {
    /// A trade.
    Trade {
        /// Its number at its exchange.
        id: u64,
        /// The letter of its exchange.
        exchange: char,
        /// Price in dollars.
        px: f64,
        /// Shares.
        qty: u64,
        /// Its conditions.
        conditions: Vec<String>,
    },
    /// The best bid and ask: price in dollars, and size.
    Quote {
        /// The bid.
        bid: (f64, u64),
        /// The ask.
        ask: (f64, u64),
    },
    /// A bar of a minute, whose time is its start.
    Bar(Minute),
    /// That bar again, with trades that came late.
    UpdatedBar(Minute),
    /// Price bands: limit up, limit down, and their indicator.
    Luld {
        /// Limit up, in dollars.
        up: f64,
        /// Limit down, in dollars.
        down: f64,
        /// The indicator.
        indicator: char,
    },
    /// A state of trading: code and reason.
    Status {
        /// The code.
        code: String,
        /// The reason.
        reason: String,
    },
    /// A trade is cancelled.
    Cancel {
        /// Its number.
        id: u64,
        /// Its exchange.
        exchange: char,
        /// Its price.
        px: f64,
        /// Its shares.
        qty: u64,
    },
    /// A trade is corrected.
    Correction {
        /// The exchange.
        exchange: char,
        /// Number, price and shares as they were.
        old: (u64, f64, u64),
        /// Number, price and shares as they are.
        new: (u64, f64, u64),
    },
}

impl Body {
    /// The letter of its type.
    fn letter(&self) -> &'static str {
        match self {
            Body::Trade { .. } => "t",
            Body::Quote { .. } => "q",
            Body::Bar(_) => "b",
            Body::UpdatedBar(_) => "u",
            Body::Luld { .. } => "l",
            Body::Status { .. } => "s",
            Body::Cancel { .. } => "x",
            Body::Correction { .. } => "c",
        }
    }

    /// Its fields beside time and tape, which the rows of the past have too.
    pub(super) fn fields<M: SerializeMap>(&self, map: &mut M) -> Result<(), M::Error> {
        match self {
            Body::Trade { id, exchange, px, qty, conditions } => {
                map.serialize_entry("i", id)?;
                map.serialize_entry("x", exchange)?;
                map.serialize_entry("p", px)?;
                map.serialize_entry("s", qty)?;
                map.serialize_entry("c", conditions)?;
            }
            Body::Quote { bid, ask } => {
                map.serialize_entry("bx", "V")?;
                map.serialize_entry("bp", &bid.0)?;
                map.serialize_entry("bs", &bid.1)?;
                map.serialize_entry("ax", "V")?;
                map.serialize_entry("ap", &ask.0)?;
                map.serialize_entry("as", &ask.1)?;
                map.serialize_entry("c", &["R"])?;
            }
            Body::Luld { up, down, indicator } => {
                map.serialize_entry("u", up)?;
                map.serialize_entry("d", down)?;
                map.serialize_entry("i", indicator)?;
            }
            Body::Bar(minute) | Body::UpdatedBar(minute) => minute.serialize(map)?,
            Body::Status { code, reason } => {
                for (key, text) in [("sc", code.as_str()), ("sm", ""), ("rc", reason.as_str()), ("rm", "")] {
                    map.serialize_entry(key, text)?;
                }
            }
            Body::Cancel { id, exchange, px, qty } => {
                map.serialize_entry("i", id)?;
                map.serialize_entry("x", exchange)?;
                map.serialize_entry("p", px)?;
                map.serialize_entry("s", qty)?;
                map.serialize_entry("a", "C")?;
            }
            Body::Correction { exchange, old, new } => {
                map.serialize_entry("x", exchange)?;
                for (keys, (id, px, qty)) in [(["oi", "op", "os", "oc"], old), (["ci", "cp", "cs", "cc"], new)] {
                    map.serialize_entry(keys[0], id)?;
                    map.serialize_entry(keys[1], px)?;
                    map.serialize_entry(keys[2], qty)?;
                    map.serialize_entry(keys[3], &["@"])?;
                }
            }
        }
        Ok(())
    }
}

/// A message with its symbol and time.
#[derive(Clone, Debug, PartialEq)]
pub struct Sent {
    /// The symbol.
    pub symbol: String,
    /// The tape of the symbol.
    pub tape: char,
    /// Time of the exchange.
    pub time: Ns,
    /// What it tells.
    pub body: Body,
}

impl Sent {
    /// The channel on which it comes.
    pub fn channel(&self) -> &'static str {
        match self.body {
            Body::Trade { .. } | Body::Cancel { .. } | Body::Correction { .. } => "trades",
            Body::Quote { .. } => "quotes",
            Body::Bar(_) => "bars",
            Body::UpdatedBar(_) => "updatedBars",
            Body::Luld { .. } => "lulds",
            Body::Status { .. } => "statuses",
        }
    }
}

impl Serialize for Sent {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut map = to.serialize_map(None)?;
        map.serialize_entry("T", self.body.letter())?;
        map.serialize_entry("S", &self.symbol)?;
        self.body.fields(&mut map)?;
        map.serialize_entry("t", &Time(self.time))?;
        map.serialize_entry("z", &self.tape)?;
        map.end()
    }
}
