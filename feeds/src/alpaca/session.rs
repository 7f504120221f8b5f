//! The conversation of one connection, without its socket: what came in, what is to be sent.
//!
//! ```text
//!  opened ── connected ──► greeted ── authenticated ──► subscribed ⟲ data, subscriptions, errors
//!     └───────────────────────┴── error ──► refused: closed, and tried again after a pause
//! ```
//!
//! Control messages come alone in their frame. A subscription that is refused leaves the connection as it was; whoever is asked
//! for too much says so in a sentence with the figures of the plan. Bound: the symbols that are watched.

use super::message::{Encoding, Message};
use super::subscription::{Channel, Request, Subscription};
use flow::Symbols;
use secret::Secret;

/// The key and its secret.
pub(super) struct Credentials {
    pub(super) key: Secret,
    pub(super) secret: Secret,
}

/// Why a connection is of no use any more.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what}; {next}")]
pub(super) struct Refused {
    pub(super) what: String,
    pub(super) next: &'static str,
    /// Trying again soon would not help: something must be changed first.
    pub(super) is_lasting: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Opened,
    Greeted,
    Subscribed,
}

/// What a frame leads to.
#[derive(Debug, Default)]
pub(super) struct Turn {
    /// To be sent.
    pub(super) send: Vec<Vec<u8>>,
    /// To be said.
    pub(super) say: Option<String>,
    /// The symbols that are watched come now, or why they do not.
    pub(super) answer: Option<Result<(), String>>,
}

/// One connection's conversation.
pub(super) struct Session {
    encoding: Encoding,
    channels: Vec<Channel>,
    credentials: Credentials,
    /// The symbols that are asked for, or are to be; `None` = all.
    symbols: Option<Symbols>,
    /// Those that come if the last request is refused.
    if_refused: Option<Symbols>,
    stage: Stage,
}

impl Session {
    pub(super) fn new(
        encoding: Encoding,
        channels: Vec<Channel>,
        credentials: Credentials,
        symbols: Option<Symbols>,
    ) -> Session {
        let if_refused = Some(Symbols::new());
        Session { encoding, channels, credentials, symbols, if_refused, stage: Stage::Opened }
    }

    /// Whether data may come.
    pub(super) fn is_subscribed(&self) -> bool {
        self.stage == Stage::Subscribed
    }

    /// Takes a frame; data go to `take`.
    ///
    /// # Errors
    /// When the other side refuses, or says what no session has.
    pub(super) fn frame<'a>(
        &mut self,
        encoding: Encoding,
        frame: &'a [u8],
        take: &mut dyn FnMut(&Message<'a>),
    ) -> Result<Turn, Refused> {
        let mut control = None;
        let read = encoding.read(frame, &mut |message| match message.letter() {
            Some(_) => take(message),
            None => control = Some(Control::of(message)),
        });
        if let Err(fault) = read {
            let say = format!("a frame of {} bytes cannot be read and is left out: {fault}", frame.len());
            return Ok(Turn { say: Some(say), ..Turn::default() });
        }
        match control {
            Some(control) => self.control(&control, encoding, frame),
            None => Ok(Turn::default()),
        }
    }

    fn control(&mut self, control: &Control, encoding: Encoding, frame: &[u8]) -> Result<Turn, Refused> {
        match (control.kind.as_str(), control.msg.as_str(), self.stage) {
            ("success", "connected", Stage::Opened) => {
                self.stage = Stage::Greeted;
                let auth = self.authentication()?;
                Ok(Turn { send: vec![auth], ..Turn::default() })
            }
            ("success", "authenticated", Stage::Greeted) => {
                self.stage = Stage::Subscribed;
                let symbols = self.symbols.replace(Symbols::new());
                Ok(self.watch(symbols))
            }
            ("subscription", ..) => {
                let Some(said) = Subscription::of(encoding, frame) else { return Ok(Turn::default()) };
                let answer = said.is(self.symbols.as_ref(), &self.channels).then_some(Ok(()));
                Ok(Turn { say: Some(said.sentence()), answer, ..Turn::default() })
            }
            ("error", ..) => self.error(control),
            _ => Ok(Turn::default()),
        }
    }

    fn authentication(&self) -> Result<Vec<u8>, Refused> {
        let text = |secret: &Secret, what: &str| {
            let text = std::str::from_utf8(secret.bytes()).ok().map(str::to_owned);
            text.ok_or_else(|| Refused {
                what: format!("the {what} is no text"),
                next: "put the one from Alpaca's page there",
                is_lasting: true,
            })
        };
        let (key, secret) = (text(&self.credentials.key, "key")?, text(&self.credentials.secret, "secret")?);
        Ok(Request::authentication(&key, &secret).encoded(self.encoding))
    }

    /// These symbols are watched from now on: asks for what is new, and no longer for what is not.
    pub(super) fn watch(&mut self, symbols: Option<Symbols>) -> Turn {
        if !self.is_subscribed() {
            self.symbols = symbols;
            return Turn::default();
        }
        // What is left makes room for what is new.
        let send = [
            ("unsubscribe", left(symbols.as_ref(), self.symbols.as_ref())),
            ("subscribe", new(symbols.as_ref(), self.symbols.as_ref())),
        ];
        let send = send.map(|(action, symbols)| {
            (!symbols.is_empty()).then(|| Request::about(action, &self.channels, &symbols).encoded(self.encoding))
        });
        let send: Vec<_> = send.into_iter().flatten().collect();
        let before = std::mem::replace(&mut self.symbols, symbols);
        self.if_refused = match (before, &self.symbols) {
            (None, Some(_)) => Some(Symbols::new()),
            (Some(before), Some(now)) => Some(before.intersection(now).cloned().collect()),
            (before, None) => before,
        };
        let answer = send.is_empty().then_some(Ok(()));
        Turn { send, say: None, answer }
    }

    fn error(&mut self, control: &Control) -> Result<Turn, Refused> {
        let (code, msg) = (control.code, control.msg.as_str());
        let refused = |next, is_lasting| Err(Refused { what: format!("Alpaca says {code}, {msg}"), next, is_lasting });
        match code {
            402 => refused("see that `key` and `secret` are those of one pair, and of this account", true),
            403 => Ok(Turn::default()),
            404 | 407 | 500 => refused("it is tried again", false),
            405 => {
                let why = self.too_many(msg);
                // What was new does not come; what was left has gone all the same.
                self.symbols = std::mem::take(&mut self.if_refused);
                Ok(Turn { say: Some(why.clone()), answer: Some(Err(why)), ..Turn::default() })
            }
            406 => {
                refused("another connection with this key is open: end it, or wait until Alpaca notices its end", false)
            }
            408 | 409 => {
                refused("the plan of this key does not have this source: set `source`, or change the plan", true)
            }
            _ => refused("it is tried again", false),
        }
    }

    /// What a plan of 30 symbols has no room for.
    fn too_many(&self, msg: &str) -> String {
        let counted: Vec<_> = self.channels.iter().filter(|c| c.is_counted()).map(|c| c.name()).collect();
        let symbols = self.symbols.as_ref().map(|symbols| symbols.len());
        let asked = match symbols {
            Some(symbols) => {
                format!("{symbols} symbols with {} are {}", counted.join(" and "), symbols * counted.len())
            }
            None => format!("{} of every symbol were asked for", counted.join(" and ")),
        };
        format!(
            "Alpaca says 405, {msg}: {asked}, and the plan has room for fewer (the free one for 30). Nothing of this request \
             comes. Watch fewer symbols, or leave quotes out of `channels`"
        )
    }
}

/// What is watched and was not.
fn new<'a>(now: Option<&'a Symbols>, before: Option<&'a Symbols>) -> Vec<&'a str> {
    match (now, before) {
        (None, None) => Vec::new(),
        (None, Some(_)) => vec!["*"],
        (Some(now), None) => now.iter().map(String::as_str).collect(),
        (Some(now), Some(before)) => now.difference(before).map(String::as_str).collect(),
    }
}

/// What was watched and is not.
fn left<'a>(now: Option<&'a Symbols>, before: Option<&'a Symbols>) -> Vec<&'a str> {
    match (now, before) {
        // Every symbol: those of before are among them.
        (None, _) => Vec::new(),
        (Some(_), None) => vec!["*"],
        (Some(now), Some(before)) => before.difference(now).map(String::as_str).collect(),
    }
}

/// A control message.
struct Control {
    kind: String,
    msg: String,
    code: u64,
}

impl Control {
    fn of(message: &Message<'_>) -> Control {
        let code = message.code.whole().unwrap_or(0);
        Control { kind: message.kind.text().to_owned(), msg: message.msg.text().to_owned(), code }
    }
}
