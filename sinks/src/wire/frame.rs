//! The frames besides routes and answers: hello, question, and the venue's replies to them.
//!
//! They are events of kinds with a related meaning, marked by values that no event of the pipeline has: a `command`
//! with action 0 is a hello, a `sent` with action 0 is a question. None of them is numbered: their `id` is 0.

use flow::records::{Command, Sent};
use flow::{Event, Flags, Kind, Kinds, Ns, OrderId};

/// Version of the protocol, part of every hello.
pub const VERSION: u32 = 2;

/// The kinds that a venue numbers and keeps.
pub const ANSWERS: Kinds =
    Kinds::of(&[Kind::Ack, Kind::Fill, Kind::FillCost, Kind::Reject, Kind::Cancelled, Kind::Bust]);

/// Actions of a question and of its two replies.
const ASK: u8 = 0;
const KNOWN: u8 = 1;
const UNKNOWN: u8 = 2;

/// A hello with the number of answers received (ours) or given (the venue's).
pub fn hello(answers: u64) -> Event {
    let new = i64::try_from(answers).unwrap_or(i64::MAX);
    let command = Command { action: 0, target: VERSION, new, ..Command::default() };
    Event::new(Ns(0), 0, Flags::NONE, &command)
}

/// Version and number of answers in a hello.
pub(super) fn parse_hello(frame: &Event) -> Option<(u32, u64)> {
    let command = frame.get::<Command>().filter(|c| c.action == 0)?;
    Some((command.target, u64::try_from(command.new).ok()?))
}

/// Asks whether the venue knows the order.
pub fn question(order_id: OrderId) -> Event {
    Event::new(Ns(0), 0, Flags::NONE, &Sent { order_id: order_id.0, action: ASK, ..Sent::default() })
}

/// The venue's reply to a question.
pub fn order_status(order_id: OrderId, known: bool) -> Event {
    let action = if known { KNOWN } else { UNKNOWN };
    Event::new(Ns(0), 0, Flags::NONE, &Sent { order_id: order_id.0, action, ..Sent::default() })
}

/// The order, and whether the venue knows it, if the frame is a reply to a question.
pub(super) fn order_status_of(frame: &Event) -> Option<(OrderId, bool)> {
    let sent = frame.get::<Sent>()?;
    let known = match sent.action {
        KNOWN => true,
        UNKNOWN => false,
        _ => return None,
    };
    Some((OrderId(sent.order_id), known))
}
