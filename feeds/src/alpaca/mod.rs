//! Alpaca: US stocks, live over a WebSocket, of IEX or of all exchanges.
//!
//! A thread of its own connects and decodes (`receive`); the pipeline gets 64-byte events ([`crate::live`]). The conversation is
//! separate from its socket (`session`), and a message from its encoding (`message`): what a test says is what Alpaca says.

mod address;
mod conditions;
mod connection;
pub mod fake;
mod handover;
pub mod history;
mod message;
mod receive;
mod session;
mod stream;
mod subscription;
mod translate;

use crate::live::RingSource;
use crate::{Feed, Open, OpenError, Request};
use address::Address;
use flow::{
    BoolParam, ChoiceParam, Event, FileParam, Inputs, ListParam, Mic, Ns, SIGNING, SecretParam, SecretPlace,
    SigningRule, Source, TextParam, choices,
};
use message::Encoding;
use receive::{Receiver, Settings};
use subscription::Channel;
use translate::{INSTRUMENTS, Manner, QuoteSizes, Translator};

/// A source of Alpaca: what it is called in the address, and the venue of its listings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Market {
    path: &'static str,
    venue: Mic,
}

/// IEX alone.
const IEX: Market = Market { path: "v2/iex", venue: Mic(*b"IEXG") };
const fn consolidated(path: &'static str) -> Market {
    Market { path, venue: Mic(*b"EQUS") }
}

const ADDRESS: TextParam = TextParam::new(
    "address",
    "wss://stream.data.alpaca.markets",
    "where to connect: ws://HOST:PORT or wss://HOST:PORT",
);
const SOURCE: ChoiceParam<Market> = ChoiceParam::new(
    "source",
    choices! {
        "iex" => IEX,
        "sip" => consolidated("v2/sip"),
        "delayed-sip" => consolidated("v2/delayed_sip"),
        "test" => consolidated("v2/test"),
        "boats" => consolidated("v1beta1/boats"),
        "overnight" => consolidated("v1beta1/overnight"),
    },
    "iex",
    "whose data: IEX alone (2 to 3 % of the volume), or all exchanges, where the plan has them",
);
const ENCODING: ChoiceParam<Encoding> = ChoiceParam::new(
    "encoding",
    choices! { "msgpack" => Encoding::MessagePack, "json" => Encoding::Json },
    "msgpack",
    "how messages are encoded",
);
const QUOTE_SIZES: ChoiceParam<QuoteSizes> = ChoiceParam::new(
    "quote_sizes",
    choices! { "round-lots" => QuoteSizes::RoundLots, "shares" => QuoteSizes::Shares },
    "round-lots",
    "what the sizes of quotes count: round lots of 100 shares, as Alpaca's page says, or shares",
);
const CHANNELS: ListParam = ListParam::new(
    "channels",
    "trades,quotes,statuses",
    "what is asked for: trades, quotes, statuses, lulds, bars (of a minute; leave trades out then), updatedBars",
);
const VENUES: BoolParam =
    BoolParam::new("venues", false, "say before every trade at which venue it was, as a `trade-venue`");
const KEY: SecretParam = SecretParam::new("key", "place of the key's identity");
const SECRET: SecretParam = SecretParam::new("secret", "place of the key's secret");
const AUTHORITIES: FileParam =
    FileParam::new("authorities", "certificates of authorities in PEM that TLS trusts; empty = those of the system");

/// The entry in the registry.
pub const FEED: Feed = Feed {
    name: "alpaca",
    doc: "feeds/docs/alpaca.md",
    about: "Alpaca, live: trades, quotes, halts and bars of US stocks",
    params: &[
        SOURCE.param(),
        KEY.param(),
        SECRET.param(),
        CHANNELS.param(),
        SIGNING.param(),
        VENUES.param(),
        QUOTE_SIZES.param(),
        ENCODING.param(),
        ADDRESS.param(),
        AUTHORITIES.param(),
    ],
    open: Open::Live(open),
};

/// Decodes frames without a connection: those of a transcript, of a test or of a benchmark.
pub struct Frames {
    translator: Translator,
    inputs: Inputs,
}

impl Default for Frames {
    fn default() -> Frames {
        let manner = Manner {
            venue: IEX.venue,
            rule: SigningRule::LeeReady,
            quote_sizes: QuoteSizes::RoundLots,
            says_venues: false,
        };
        Frames { translator: Translator::new(manner), inputs: Inputs::with_capacity(0) }
    }
}

impl Frames {
    /// Gives the inputs of each message of a frame, of text or of bytes, to `take`. What is no market data gives none.
    ///
    /// # Errors
    /// When it is no list of messages, or a message lacks a field; a sentence. What came before that was given.
    pub fn read(&mut self, frame: &[u8], is_text: bool, due: Ns, take: &mut dyn FnMut(&[Event])) -> Result<(), String> {
        let Frames { translator, inputs } = self;
        let mut fault = None;
        let encoding = if is_text { Encoding::Json } else { Encoding::MessagePack };
        encoding.read(frame, &mut |message| {
            fault = translator.message(message, due, inputs).err().or(fault);
            take(inputs.waiting());
            handover::clear(inputs);
        })?;
        fault.map_or(Ok(()), |fault| Err(fault.to_string()))
    }
}

fn open(request: &Request) -> Result<Box<dyn Source>, OpenError> {
    let settings = settings(request)?;
    let name = format!("alpaca {}", request.params.get(SOURCE).path);
    let source = RingSource::new(&name, INSTRUMENTS, move |sender| Receiver::new(settings, sender).run());
    Ok(Box::new(source.answering()))
}

fn settings(request: &Request) -> Result<Settings, OpenError> {
    let params = &request.params;
    let market = params.get(SOURCE);
    let fault = |what: String, next: &str| OpenError { what, next: next.to_owned() };
    let address = params.get(ADDRESS);
    let parsed = Address::parse(address, market.path);
    let parsed =
        parsed.ok_or_else(|| fault(format!("{address:?} is no address"), "write ws://HOST:PORT or wss://HOST:PORT"))?;
    if parsed.is_secure && cfg!(not(feature = "tls")) {
        let next = "build it with `--features tls`";
        return Err(fault(format!("{address} needs TLS, which this build does not have"), next));
    }
    let place = |place: Option<SecretPlace>, what: &str| {
        let next = "name its place: `env:NAME`, `file:PATH` or `credential:NAME`";
        place.ok_or_else(|| fault(format!("the alpaca feed has no `{what}`"), next))
    };
    Ok(Settings {
        address: parsed,
        encoding: params.get(ENCODING),
        channels: channels(params.get(CHANNELS))?,
        key: place(params.get(KEY), "key")?,
        secret: place(params.get(SECRET), "secret")?,
        tls: stream::Settings::trusting(params.get(AUTHORITIES)),
        manner: Manner {
            venue: market.venue,
            rule: params.get(SIGNING),
            quote_sizes: params.get(QUOTE_SIZES),
            says_venues: params.get(VENUES),
        },
    })
}

fn channels(names: &[String]) -> Result<Vec<Channel>, OpenError> {
    let known = Channel::ALL.map(Channel::name).join(", ");
    let of = |name: &String| {
        let found = Channel::ALL.into_iter().find(|channel| channel.name() == name);
        let what = format!("{name:?} is no channel of Alpaca");
        found.ok_or_else(|| OpenError { what, next: format!("channels are: {known}") })
    };
    names.iter().map(of).collect()
}

#[cfg(test)]
mod day_tests;
#[cfg(test)]
mod tests;
