//! One client of the fake: its handshake, its requests, and what it is sent.

use super::shared::{Faults, Shared, Tally};
use super::wire::Sent;
use crate::alpaca::message::Encoding;
use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::{Rng, SeedableRng};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::io::{ErrorKind, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, TryRecvError};
use std::time::Duration;
use tungstenite::handshake::server::{Request, Response};
use tungstenite::{Error, Message, WebSocket};

/// The channels, in the order in which a subscription names them.
const CHANNELS: [&str; 9] =
    ["trades", "quotes", "bars", "updatedBars", "dailyBars", "statuses", "lulds", "corrections", "cancelErrors"];

/// How long a turn of a connection waits for a request.
const TURN: Duration = Duration::from_millis(2);

#[derive(Deserialize, Default)]
#[serde(default)]
struct Asked {
    action: String,
    key: String,
    secret: String,
    trades: Vec<String>,
    quotes: Vec<String>,
    bars: Vec<String>,
    #[serde(rename = "updatedBars")]
    updated_bars: Vec<String>,
    statuses: Vec<String>,
    lulds: Vec<String>,
}

#[derive(Serialize)]
struct Control<'a> {
    #[serde(rename = "T")]
    kind: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<u16>,
    msg: &'a str,
}

/// What happens to a frame.
enum Fate {
    Sent,
    Dropped,
    Twice,
    Later,
    ThenHungUp,
    Half,
    Garbage,
    ThenSilent,
}

pub(super) struct Guest<'s> {
    socket: WebSocket<TcpStream>,
    encoding: Encoding,
    shared: &'s Shared,
    random: Xoshiro256PlusPlus,
    is_authenticated: bool,
    is_silent: bool,
    subscribed: BTreeMap<&'static str, BTreeSet<String>>,
    later: Option<Vec<u8>>,
}

/// Why a connection is over.
struct Over;

impl<'s> Guest<'s> {
    pub(super) fn serve(stream: TcpStream, number: u64, shared: &'s Shared, from: Receiver<Arc<Vec<Sent>>>) {
        // What fails here is a client that has gone.
        let _ = Guest::begin(stream, number, shared).and_then(|mut guest| guest.run(&from));
    }

    fn begin(stream: TcpStream, number: u64, shared: &'s Shared) -> Result<Guest<'s>, Over> {
        stream.set_nonblocking(false).map_err(|_| Over)?;
        stream.set_nodelay(true).map_err(|_| Over)?;
        stream.set_read_timeout(Some(Duration::from_secs(5))).map_err(|_| Over)?;
        stream.set_write_timeout(Some(Duration::from_secs(5))).map_err(|_| Over)?;
        let mut encoding = Encoding::Json;
        #[expect(clippy::result_large_err, reason = "it is the type of the library, and nothing is refused")]
        let look = |request: &Request, response: Response| {
            let content = request.headers().get("Content-Type").and_then(|value| value.to_str().ok());
            if content == Some("application/msgpack") {
                encoding = Encoding::MessagePack;
            }
            Ok(response)
        };
        let socket = tungstenite::accept_hdr(stream, look).map_err(|_| Over)?;
        socket.get_ref().set_read_timeout(Some(TURN)).map_err(|_| Over)?;
        let random = Xoshiro256PlusPlus::seed_from_u64(shared.settings.faults.seed ^ number);
        let subscribed = CHANNELS.map(|channel| (channel, BTreeSet::new())).into();
        let (is_authenticated, is_silent, later) = (false, false, None);
        Ok(Guest { socket, encoding, shared, random, is_authenticated, is_silent, subscribed, later })
    }

    fn run(&mut self, from: &Receiver<Arc<Vec<Sent>>>) -> Result<(), Over> {
        self.say("success", None, "connected")?;
        let hung_up = self.shared.hung_up.load(Ordering::Acquire);
        while !self.shared.is_over.load(Ordering::Acquire) {
            if self.shared.hung_up.load(Ordering::Acquire) != hung_up {
                return Err(self.ended());
            }
            loop {
                match from.try_recv() {
                    Ok(messages) => self.tell(&messages)?,
                    Err(TryRecvError::Empty) => break,
                    Err(TryRecvError::Disconnected) => {
                        self.say("error", Some(407), "slow client")?;
                        return Err(Over);
                    }
                }
            }
            if self.is_silent {
                std::thread::sleep(TURN);
                continue;
            }
            match self.socket.read() {
                Ok(Message::Text(text)) => self.request(serde_json::from_str(&text).ok())?,
                Ok(Message::Binary(bytes)) => self.request(rmp_serde::from_slice(&bytes).ok())?,
                Ok(Message::Close(_)) => return Err(Over),
                Ok(_) => {}
                Err(Error::Io(e)) if matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
                Err(_) => return Err(Over),
            }
        }
        // What a client does with it is its own affair.
        let _ = self.socket.close(None);
        Ok(())
    }

    fn tally(&self) -> &Tally {
        &self.shared.tally
    }

    fn request(&mut self, asked: Option<Asked>) -> Result<(), Over> {
        self.tally().requests.fetch_add(1, Ordering::AcqRel);
        let Some(asked) = asked else { return self.say("error", Some(400), "invalid syntax") };
        match (asked.action.as_str(), self.is_authenticated) {
            ("auth", true) => self.say("error", Some(403), "already authenticated"),
            ("auth", false) => self.authenticate(&asked),
            (_, false) => self.say("error", Some(401), "not authenticated"),
            ("subscribe", true) => self.subscribe(&asked),
            ("unsubscribe", true) => self.unsubscribe(&asked),
            _ => self.say("error", Some(400), "invalid syntax"),
        }
    }

    fn authenticate(&mut self, asked: &Asked) -> Result<(), Over> {
        let is_refused = self.happens(self.shared.settings.faults.refuse);
        if is_refused || asked.key != self.shared.settings.key || asked.secret != self.shared.settings.secret {
            self.say("error", Some(402), "auth failed")?;
            return Err(Over);
        }
        self.is_authenticated = true;
        self.tally().authenticated.fetch_add(1, Ordering::AcqRel);
        self.say("success", None, "authenticated")
    }

    fn lists(asked: &Asked) -> [(&'static str, &Vec<String>); 6] {
        [
            ("trades", &asked.trades),
            ("quotes", &asked.quotes),
            ("bars", &asked.bars),
            ("updatedBars", &asked.updated_bars),
            ("statuses", &asked.statuses),
            ("lulds", &asked.lulds),
        ]
    }

    /// More than the plan has room for changes nothing.
    fn subscribe(&mut self, asked: &Asked) -> Result<(), Over> {
        let mut wanted = self.subscribed.clone();
        for (channel, symbols) in Guest::lists(asked) {
            wanted.entry(channel).or_default().extend(symbols.iter().cloned());
        }
        let counted = wanted["trades"].iter().chain(&wanted["quotes"]);
        let is_everything = counted.clone().any(|symbol| symbol == "*");
        if is_everything || counted.count() > self.shared.settings.symbols {
            return self.say("error", Some(405), "symbol limit exceeded");
        }
        self.subscribed = wanted;
        self.say_subscription()
    }

    fn unsubscribe(&mut self, asked: &Asked) -> Result<(), Over> {
        for (channel, symbols) in Guest::lists(asked) {
            self.subscribed.entry(channel).or_default().retain(|symbol| !symbols.contains(symbol));
        }
        self.say_subscription()
    }

    fn say_subscription(&mut self) -> Result<(), Over> {
        let trades = self.subscribed["trades"].clone();
        self.subscribed.insert("corrections", trades.clone());
        self.subscribed.insert("cancelErrors", trades);
        #[derive(Serialize)]
        struct Subscription<'a> {
            #[serde(rename = "T")]
            kind: &'a str,
            #[serde(flatten)]
            channels: BTreeMap<&'a str, Vec<&'a str>>,
        }
        let channels =
            self.subscribed.iter().map(|(channel, of)| (*channel, of.iter().map(String::as_str).collect())).collect();
        let frame = self.encoded(&[Subscription { kind: "subscription", channels }]);
        self.send(frame)
    }

    fn say(&mut self, kind: &str, code: Option<u16>, msg: &str) -> Result<(), Over> {
        let frame = self.encoded(&[Control { kind, code, msg }]);
        self.send(frame)
    }

    fn encoded<T: Serialize>(&self, messages: &[T]) -> Vec<u8> {
        match self.encoding {
            Encoding::Json => serde_json::to_vec(messages).expect("texts and numbers"),
            Encoding::MessagePack => rmp_serde::to_vec_named(messages).expect("texts and numbers"),
        }
    }

    fn send(&mut self, frame: Vec<u8>) -> Result<(), Over> {
        let message = match self.encoding {
            Encoding::Json => Message::text(String::from_utf8(frame).expect("JSON is text")),
            Encoding::MessagePack => Message::binary(frame),
        };
        self.socket.send(message).map_err(|_| Over)
    }

    fn happens(&mut self, chances: u32) -> bool {
        chances != 0 && self.random.next_u32().is_multiple_of(chances)
    }

    fn fate(&mut self) -> Fate {
        let Faults { drop, duplicate, reorder, hang_up, half, garbage, silence, .. } = self.shared.settings.faults;
        if self.happens(drop) {
            Fate::Dropped
        } else if self.happens(duplicate) {
            Fate::Twice
        } else if self.happens(reorder) {
            Fate::Later
        } else if self.happens(hang_up) {
            Fate::ThenHungUp
        } else if self.happens(half) {
            Fate::Half
        } else if self.happens(garbage) {
            Fate::Garbage
        } else if self.happens(silence) {
            Fate::ThenSilent
        } else {
            Fate::Sent
        }
    }

    /// Sends what was subscribed to of these messages, in one frame.
    fn tell(&mut self, messages: &[Sent]) -> Result<(), Over> {
        let has = |sent: &&Sent| {
            let of = &self.subscribed[sent.channel()];
            of.contains(&sent.symbol) || of.contains("*")
        };
        let mine: Vec<_> = messages.iter().filter(has).collect();
        if mine.is_empty() || self.is_silent {
            return Ok(());
        }
        let count = mine.len() as u64;
        let frame = self.encoded(&mine);
        let sent = |guest: &Guest<'_>, times| _ = guest.tally().messages.fetch_add(times * count, Ordering::AcqRel);
        let fate = self.fate();
        match fate {
            Fate::Dropped => return Ok(()),
            Fate::Later => {
                if let Some(before) = self.later.replace(frame) {
                    self.send(before)?;
                }
                return Ok(());
            }
            Fate::Half => {
                self.half(&frame);
                return Err(self.ended());
            }
            Fate::Garbage => self.send(b"[{\"T\":".to_vec())?,
            Fate::Twice => {
                self.send(frame.clone())?;
                sent(self, 1);
            }
            Fate::Sent | Fate::ThenHungUp | Fate::ThenSilent => {}
        }
        self.send(frame)?;
        sent(self, 1);
        if let Some(later) = self.later.take() {
            self.send(later)?;
        }
        match fate {
            Fate::ThenHungUp => Err(self.ended()),
            Fate::ThenSilent => {
                self.is_silent = true;
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn ended(&self) -> Over {
        self.tally().ended.fetch_add(1, Ordering::AcqRel);
        Over
    }

    /// The beginning of a frame, as its bytes would stand on the wire.
    fn half(&mut self, frame: &[u8]) {
        let opcode = if self.encoding == Encoding::Json { 0x81 } else { 0x82 };
        let mut bytes = vec![opcode, 126];
        bytes.extend_from_slice(&(frame.len() as u16).to_be_bytes());
        bytes.extend_from_slice(&frame[..frame.len() / 2]);
        // The connection ends anyway.
        let _ = self.socket.get_mut().write_all(&bytes);
    }
}
