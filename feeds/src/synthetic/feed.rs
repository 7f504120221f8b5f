//! The synthetic exchange as a feed: its byte stream, read by a thread of its own, behind the ITCH decoder.

use super::{Synthetic, SyntheticConfig};
use crate::itch::ItchDecoder;
use crate::{Feed, Files, FindError, Open, OpenError, Opened, Request};
use chrono::NaiveDate;
use flow::{IntParam, Param, Params, TextParam};
use std::io::{self, Read};

/// The entry in the registry.
pub const FEED: Feed = Feed {
    name: NAME,
    doc: "feeds/docs/synthetic.md",
    about: "A seeded synthetic exchange that publishes ITCH 5.0, generated while it is read",
    params: PARAMS,
    open: Open::Bytes { files: Files::None, recognise: |_| false, find },
};

const NAME: &str = "synthetic";

const SEED: IntParam = IntParam::new("seed", (0, u64::MAX), "1", "Seed of the random generator.");
const MESSAGES: IntParam = IntParam::new(
    "messages",
    (SyntheticConfig::min_messages(1), SyntheticConfig::MAX_MESSAGES),
    "1000000",
    "Exact number of messages in the day.",
)
.unit("messages");
const SYMBOLS: IntParam<u32> =
    IntParam::new("symbols", (1, SyntheticConfig::MAX_SYMBOLS as u64), "500", "Number of symbols.").unit("symbols");
const LIVE_ORDERS: IntParam<u32> = IntParam::new(
    "live_orders",
    (SyntheticConfig::MIN_ORDERS_PER_SYMBOL as u64, SyntheticConfig::MAX_LIVE_ORDERS as u64),
    "20000",
    "Approximate number of resting orders after the ramp-up; at least two per symbol.",
)
.unit("orders");
const PREFIX: TextParam = TextParam::new(
    "prefix",
    "",
    "What every symbol begins with, up to 4 capital letters and digits: days that run together need different ones.",
);

const PARAMS: &[Param] = &[SEED.param(), MESSAGES.param(), SYMBOLS.param(), LIVE_ORDERS.param(), PREFIX.param()];

impl SyntheticConfig {
    /// Builds a configuration from parameters; uses the default trading date if none is given.
    ///
    /// # Panics
    /// When `params` were not checked against the ranges in this feed's registry entry.
    pub fn from_params(params: &Params, date: Option<NaiveDate>) -> SyntheticConfig {
        SyntheticConfig {
            seed: params.get(SEED),
            messages: params.get(MESSAGES),
            symbols: params.get(SYMBOLS),
            live_orders: params.get(LIVE_ORDERS),
            prefix: params.get(PREFIX).to_owned(),
            date: date.unwrap_or(SyntheticConfig::default().date),
        }
    }
}

fn find(request: &Request) -> Result<Opened, FindError> {
    let config = SyntheticConfig::from_params(&request.params, request.date);
    config.validate().map_err(|faults| OpenError {
        what: format!("invalid synthetic day: {faults}"),
        next: "set the feed's parameters to valid values".to_owned(),
    })?;
    let (memory, decoder) = (config.memory(), Box::new(ItchDecoder::new(Some(config.date))));
    let streams: Vec<Box<dyn Read + Send>> = vec![Box::new(Unbuilt { config, exchange: None })];
    Ok(Opened { name: NAME.to_owned(), warnings: Vec::new(), decoder, streams, memory, part: None })
}

/// The bytes of a day whose exchange is built when they are read: an input that is only looked at costs nothing.
struct Unbuilt {
    config: SyntheticConfig,
    exchange: Option<Synthetic>,
}

impl Read for Unbuilt {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        if self.exchange.is_none() {
            self.exchange = Some(Synthetic::new(&self.config).map_err(io::Error::other)?);
        }
        self.exchange.as_mut().map_or(Ok(0), |exchange| exchange.read(to))
    }
}
