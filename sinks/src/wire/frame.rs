//! The events besides routes and answers: hello, refusal, question, and the venue's replies to it.
//!
//! They are events of kinds with a related meaning, marked by values that no event of the pipeline has: a `command`
//! with action 0 is a hello or a refusal, a `sent` with action 0 is a question. None of them is numbered: their `id` is 0.

use flow::records::{Command, Route, Sent};
use flow::{Action, Event, Flags, Kind, Kinds, Ns, OpenOrder, OrderId, Px};
use std::time::Duration;

/// Version of the protocol, part of every hello.
pub const VERSION: u32 = 3;

/// The kinds that a venue numbers and keeps.
pub const ANSWERS: Kinds =
    Kinds::of(&[Kind::Ack, Kind::Fill, Kind::FillCost, Kind::Reject, Kind::Cancelled, Kind::Bust]);

/// `new` in a hello of a session for cancels alone.
const NOTHING_AGAIN: i64 = -1;
/// Actions of a question and of its two replies.
const ASK: u8 = 0;
const KNOWN: u8 = 1;
const UNKNOWN: u8 = 2;

/// What either end says first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Hello {
    pub(super) version: u32,
    /// After so much silence the sender takes the session for broken.
    pub(super) timeout: Duration,
    /// Answers received (ours) or given (the venue's); `None`: nothing is to be sent again.
    pub(super) answers: Option<u64>,
    /// Drawn by the sender for this session.
    pub(super) nonce: [u8; 16],
}

impl Hello {
    pub(super) fn event(&self) -> Event {
        let number = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
        let word = |at: usize| u32::from_le_bytes(self.nonce[at..at + 4].try_into().expect("four bytes"));
        let command = Command {
            action: 0,
            target: self.version,
            actor: word(0),
            uid: word(4),
            old: number(self.timeout.as_millis() as u64),
            new: self.answers.map_or(NOTHING_AGAIN, number),
            asked_ts: Ns(u64::from(word(8)) | u64::from(word(12)) << 32),
        };
        Event::new(Ns(0), 0, Flags::NONE, &command)
    }

    pub(super) fn parse(frame: &Event) -> Option<Hello> {
        let command = frame.get::<Command>().filter(|c| c.action == 0)?;
        let mut nonce = [0; 16];
        nonce[..4].copy_from_slice(&command.actor.to_le_bytes());
        nonce[4..8].copy_from_slice(&command.uid.to_le_bytes());
        nonce[8..].copy_from_slice(&command.asked_ts.0.to_le_bytes());
        let timeout = Duration::from_millis(u64::try_from(command.old).ok()?);
        let answers = if command.new == NOTHING_AGAIN { None } else { Some(u64::try_from(command.new).ok()?) };
        Some(Hello { version: command.target, timeout, answers, nonce })
    }
}

/// Why a venue refuses a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// Another engine has a session: the one of this journal.
    AnotherEngine(u64),
    /// We did not prove that we have its secret.
    Secret,
    /// It does not speak our version, but this one.
    Version(u32),
    /// A reason that this version does not know.
    Unknown(u32),
}

impl Refusal {
    /// The refusal in the venue's first event, if it is one: a hello of version 0.
    pub(super) fn parse(frame: &Event) -> Option<Refusal> {
        let command = frame.get::<Command>().filter(|c| c.action == 0 && c.target == 0)?;
        Some(match command.actor {
            1 => Refusal::AnotherEngine(command.new as u64),
            2 => Refusal::Secret,
            3 => Refusal::Version(command.new as u32),
            other => Refusal::Unknown(other),
        })
    }

    /// The refusal in words, and what the user can do.
    pub(super) fn words(self) -> (String, &'static str) {
        match self {
            Refusal::AnotherEngine(journal) => (
                format!("refuses us: another engine trades there, with the journal {journal:016x}"),
                "stop that engine, or give this one a venue of its own",
            ),
            Refusal::Secret => {
                ("refuses us: we do not have its secret".to_owned(), "set wire.secret to the secret of that venue")
            }
            Refusal::Version(version) => (
                format!("refuses us: it speaks version {version} of the protocol, not {VERSION}"),
                "use a build that speaks the venue's version",
            ),
            Refusal::Unknown(reason) => (format!("refuses us for the reason {reason}"), "ask the venue's support"),
        }
    }
}

/// Asks whether the venue knows the order.
pub(super) fn question(order_id: OrderId) -> Event {
    Event::new(Ns(0), 0, Flags::NONE, &Sent { order_id: order_id.0, action: ASK, ..Sent::default() })
}

/// The order, and whether the venue knows it, if the frame is a reply to a question.
pub(super) fn order_status(frame: &Event) -> Option<(OrderId, bool)> {
    let sent = frame.get::<Sent>()?;
    let known = match sent.action {
        KNOWN => true,
        UNKNOWN => false,
        _ => return None,
    };
    Some((OrderId(sent.order_id), known))
}

/// The reply to a question about an order that the venue does not know.
pub(super) fn unknown(order_id: u64) -> Event {
    Event::new(Ns(0), 0, Flags::NONE, &Sent { order_id, action: UNKNOWN, ..Sent::default() })
}

/// A cancel of all orders that the gateway itself requests.
pub(super) fn cancel_all() -> Event {
    let all = Route { action: Action::CancelAll.code(), px: Px::NONE, ..Route::default() };
    Event::new(Ns(0), 0, Flags::NONE, &all)
}

/// A cancel of one order that the gateway itself requests.
pub(super) fn cancel(order: &OpenOrder) -> Event {
    let OpenOrder { order_id, instrument, side } = *order;
    let one = Route { order_id: order_id.0, action: Action::Cancel.code(), px: Px::NONE, ..Route::default() };
    Event::new(Ns(0), instrument, Flags::side_only(side), &one)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hello_comes_as_it_went() {
        let nonce = *b"0123456789abcdef";
        for answers in [None, Some(0), Some(12)] {
            let hello = Hello { version: VERSION, timeout: Duration::from_millis(1_500), answers, nonce };
            assert_eq!(Hello::parse(&hello.event()), Some(hello));
            assert_eq!(Refusal::parse(&hello.event()), None);
        }
    }
}
