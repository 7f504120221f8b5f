//! The synthetic exchange as a feed: the generator as a stream, read by a thread of its own, under the ITCH decoder.

use super::{Synthetic, SyntheticConfig};
use crate::itch::ItchDecoder;
use crate::{Feed, FindError, OpenError, Opened, Request};
use chrono::NaiveDate;
use flow::{Effective, Param, ParamType, Params};

/// The pipeline in the registry.
pub const FEED: Feed = Feed {
    name: NAME,
    doc: "feeds/docs/synthetic.md",
    about: "A seeded synthetic exchange that emits ITCH 5.0, made while it is read",
    params: PARAMS,
    recognise: |_| false,
    find,
};

const NAME: &str = "synthetic";

const PARAMS: &[Param] = &[
    Param {
        name: "seed",
        ty: ParamType::Int(0, u64::MAX),
        unit: "",
        default: "1",
        effective: Effective::Restart,
        about: "Seed of everything that is left to chance.",
    },
    Param {
        name: "messages",
        ty: ParamType::Int(SyntheticConfig::min_messages(1), SyntheticConfig::MAX_MESSAGES),
        unit: "messages",
        default: "1000000",
        effective: Effective::Restart,
        about: "Messages of the whole day, exactly.",
    },
    Param {
        name: "symbols",
        ty: ParamType::Int(1, SyntheticConfig::MAX_SYMBOLS as u64),
        unit: "symbols",
        default: "500",
        effective: Effective::Restart,
        about: "Symbols of the day.",
    },
    Param {
        name: "live_orders",
        ty: ParamType::Int(SyntheticConfig::MIN_ORDERS_PER_SYMBOL as u64, SyntheticConfig::MAX_LIVE_ORDERS as u64),
        unit: "orders",
        default: "20000",
        effective: Effective::Restart,
        about: "Orders that rest at once, about, after the ramp-up; at least two for each symbol.",
    },
];

impl SyntheticConfig {
    /// The configuration of a section of parameters; the default trading date unless one is given.
    ///
    /// # Panics
    /// When `params` are not those of this feed's registry entry, whose ranges they were checked against.
    pub fn from_params(params: &Params, date: Option<NaiveDate>) -> SyntheticConfig {
        let small = |name| u32::try_from(params.int(name)).expect("in the range of its parameter");
        SyntheticConfig {
            seed: params.int("seed"),
            messages: params.int("messages"),
            symbols: small("symbols"),
            live_orders: small("live_orders"),
            date: date.unwrap_or(SyntheticConfig::default().date),
        }
    }
}

fn find(request: &Request) -> Result<Opened, FindError> {
    if let Some(path) = request.paths.first() {
        return Err(OpenError {
            what: format!("the feed {NAME} makes its own messages and reads no file, but {} was given", path.display()),
            next: "leave the file out, or name the feed that reads it".to_owned(),
        }
        .into());
    }
    let config = SyntheticConfig::from_params(&request.params, request.date);
    let exchange = Synthetic::new(&config).map_err(|faults| OpenError {
        what: format!("no synthetic day can be made: {faults}"),
        next: "set the parameters of the feed to what is valid".to_owned(),
    })?;
    let decoder = Box::new(ItchDecoder::new(Some(config.date)));
    Ok(Opened { name: NAME.to_owned(), warnings: Vec::new(), decoder, streams: vec![Box::new(exchange)] })
}
