//! What is asked for, and how a request says it.

use crate::alpaca::translate::Manner;
use crate::alpaca::{QUOTE_SIZES, SOURCE, VENUES};
use chrono::{DateTime, SecondsFormat};
use flow::{Ns, Params, SIGNING, SecretPlace, Symbols};
use std::fmt::Write as _;

/// What is fetched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Channel {
    /// Trades.
    Trades,
    /// Quotes.
    Quotes,
    /// Bars of a minute.
    Bars,
}

impl Channel {
    /// All of them.
    pub const ALL: [Channel; 3] = [Channel::Trades, Channel::Quotes, Channel::Bars];

    /// Its name in addresses, answers and options.
    pub fn name(self) -> &'static str {
        match self {
            Channel::Trades => "trades",
            Channel::Quotes => "quotes",
            Channel::Bars => "bars",
        }
    }

    /// The letter of its messages in the stream.
    pub(super) fn letter(self) -> &'static str {
        match self {
            Channel::Trades => "t",
            Channel::Quotes => "q",
            Channel::Bars => "b",
        }
    }
}

/// A fetch.
#[derive(Clone, Debug)]
pub struct Ask {
    /// Where: `http://HOST:PORT` or `https://HOST:PORT`.
    pub address: String,
    /// Place of the key's identity.
    pub key: SecretPlace,
    /// Place of its secret.
    pub secret: SecretPlace,
    /// Certificates of authorities in PEM; empty = those of the system.
    pub authorities: String,
    /// Of which symbols.
    pub symbols: Symbols,
    /// From this time on.
    pub from: Ns,
    /// Up to and with this time.
    pub to: Ns,
    /// How prices are adjusted.
    pub adjustment: String,
    /// Rows of a page.
    pub page: usize,
    /// The parameters of the feed: source, signing, sizes of quotes, venues.
    pub params: Params,
}

/// A time as Alpaca reads it.
fn text(at: Ns) -> String {
    DateTime::from_timestamp_nanos(at.0.cast_signed()).to_rfc3339_opts(SecondsFormat::AutoSi, true)
}

impl Ask {
    /// What Alpaca calls the source.
    pub(super) fn feed(&self) -> &'static str {
        let path = self.params.get(SOURCE).path;
        path.rsplit('/').next().unwrap_or(path)
    }

    /// How its rows become inputs.
    pub(super) fn manner(&self) -> Manner {
        Manner {
            venue: self.params.get(SOURCE).venue,
            rule: self.params.get(SIGNING),
            quote_sizes: self.params.get(QUOTE_SIZES),
            says_venues: self.params.get(VENUES),
        }
    }

    /// What tells it from other fetches of a channel: the first line of its file of rows.
    pub(super) fn head(&self, channel: Channel) -> String {
        format!("alpaca {}", self.query(channel))
    }

    /// What tells the file of these channels from any other: what was asked for, and how rows become inputs.
    pub(super) fn name(&self, channels: &[Channel]) -> String {
        let shaping = [SIGNING.param(), QUOTE_SIZES.param(), VENUES.param()].map(|param| param.name);
        let params = self.params.iter().filter(|(name, _)| shaping.contains(name));
        let params = params.map(|(name, value)| format!(" {name}={value}")).collect::<String>();
        let each = channels.iter().map(|channel| format!("{} {}", channel.name(), self.query(*channel)));
        format!("alpaca {}{params}", each.collect::<Vec<_>>().join(" "))
    }

    /// The request for the page with this token, or for the first.
    pub(super) fn target(&self, channel: Channel, token: Option<&str>) -> String {
        let base = self.address.trim_end_matches('/');
        let mut target = format!("{base}/v2/stocks/{}?{}&limit={}", channel.name(), self.query(channel), self.page);
        if let Some(token) = token {
            let _ = write!(target, "&page_token={}", escaped(token));
        }
        target
    }

    fn query(&self, channel: Channel) -> String {
        let symbols = self.symbols.iter().map(String::as_str).collect::<Vec<_>>().join(",");
        let [from, to] = [self.from, self.to].map(|at| escaped(&text(at)));
        let mut query = format!("symbols={}&start={from}&end={to}&feed={}&sort=asc", escaped(&symbols), self.feed());
        if channel == Channel::Bars {
            let _ = write!(query, "&timeframe=1Min&adjustment={}", escaped(&self.adjustment));
        }
        query
    }
}

/// A value of a query.
fn escaped(text: &str) -> String {
    let mut to = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~,".contains(&byte) {
            to.push(char::from(byte));
        } else {
            let _ = write!(to, "%{byte:02X}");
        }
    }
    to
}
