//! What a connection asks for, and what the other side says that it sends.
//!
//! Both are lists of symbols by channel, under the names that Alpaca gives its channels. Bound: the symbols that are watched.

use super::message::Encoding;
use flow::Symbols;
use serde::de::{IgnoredAny, MapAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;

/// A channel of the stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Channel {
    Trades,
    Quotes,
    Bars,
    UpdatedBars,
    Statuses,
    Lulds,
}

impl Channel {
    pub(super) const ALL: [Channel; 6] =
        [Channel::Trades, Channel::Quotes, Channel::Bars, Channel::UpdatedBars, Channel::Statuses, Channel::Lulds];

    /// Its name, on the wire and in a configuration.
    pub(super) fn name(self) -> &'static str {
        match self {
            Channel::Trades => "trades",
            Channel::Quotes => "quotes",
            Channel::Bars => "bars",
            Channel::UpdatedBars => "updatedBars",
            Channel::Statuses => "statuses",
            Channel::Lulds => "lulds",
        }
    }

    /// Whether its symbols count against the room of a plan.
    pub(super) fn is_counted(self) -> bool {
        matches!(self, Channel::Trades | Channel::Quotes)
    }
}

/// What is sent.
#[derive(Default)]
pub(super) struct Request<'a> {
    action: &'static str,
    /// The key and its secret.
    pair: Option<[&'a str; 2]>,
    channels: &'a [Channel],
    symbols: &'a [&'a str],
}

impl<'a> Request<'a> {
    pub(super) fn authentication(key: &'a str, secret: &'a str) -> Request<'a> {
        Request { action: "auth", pair: Some([key, secret]), ..Request::default() }
    }

    pub(super) fn about(action: &'static str, channels: &'a [Channel], symbols: &'a [&'a str]) -> Request<'a> {
        Request { action, pair: None, channels, symbols }
    }

    pub(super) fn encoded(&self, encoding: Encoding) -> Vec<u8> {
        match encoding {
            Encoding::Json => serde_json::to_vec(self).expect("texts are JSON"),
            Encoding::MessagePack => rmp_serde::to_vec_named(self).expect("texts are MessagePack"),
        }
    }
}

impl Serialize for Request<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut map = to.serialize_map(None)?;
        map.serialize_entry("action", self.action)?;
        for (name, text) in ["key", "secret"].iter().zip(self.pair.iter().flatten()) {
            map.serialize_entry(name, text)?;
        }
        for channel in self.channels {
            map.serialize_entry(channel.name(), self.symbols)?;
        }
        map.end()
    }
}

/// What the other side says that it sends.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Subscription(Vec<(Channel, Vec<String>)>);

impl Subscription {
    /// That of a frame.
    pub(super) fn of(encoding: Encoding, frame: &[u8]) -> Option<Subscription> {
        let said: Vec<Subscription> = match encoding {
            Encoding::Json => serde_json::from_slice(frame).ok()?,
            Encoding::MessagePack => rmp_serde::from_slice(frame).ok()?,
        };
        said.into_iter().next()
    }

    fn symbols(&self, channel: Channel) -> &[String] {
        self.0.iter().find(|(of, _)| *of == channel).map_or(&[], |(_, symbols)| symbols)
    }

    /// Whether these symbols come on each of these channels, and no others; `None` = all.
    pub(super) fn is(&self, wanted: Option<&Symbols>, channels: &[Channel]) -> bool {
        channels.iter().all(|channel| {
            let comes = self.symbols(*channel);
            match wanted {
                None => comes == ["*"],
                Some(wanted) => comes.len() == wanted.len() && comes.iter().all(|symbol| wanted.contains(symbol)),
            }
        })
    }

    pub(super) fn sentence(&self) -> String {
        let count = |channel: Channel| {
            let name = channel.name();
            match self.symbols(channel) {
                [] => None,
                [all] if all == "*" => Some(format!("{name} (all)")),
                [one] => Some(format!("{name} ({one})")),
                many => Some(format!("{name} ({})", many.len())),
            }
        };
        let parts: Vec<_> = Channel::ALL.into_iter().filter_map(count).collect();
        if parts.is_empty() {
            "subscribed to nothing".to_owned()
        } else {
            format!("subscribed to {}", parts.join(", "))
        }
    }
}

impl<'de> Deserialize<'de> for Subscription {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Subscription, D::Error> {
        struct Lists;
        impl<'de> Visitor<'de> for Lists {
            type Value = Subscription;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("lists of symbols by channel")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Subscription, A::Error> {
                let mut lists = Vec::new();
                while let Some(key) = map.next_key::<String>()? {
                    match Channel::ALL.into_iter().find(|channel| channel.name() == key) {
                        Some(channel) => lists.push((channel, map.next_value::<Option<_>>()?.unwrap_or_default())),
                        None => _ = map.next_value::<IgnoredAny>()?,
                    }
                }
                Ok(Subscription(lists))
            }
        }
        from.deserialize_map(Lists)
    }
}
