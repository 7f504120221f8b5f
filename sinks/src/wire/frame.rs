//! The frames beside routes and answers: hello, question, and what the venue says to them.
//!
//! They are events of kinds that mean something near it, with numbers that no event of the pipeline has: a `command` of
//! action 0 is a hello, a `sent` of action 0 is a question. None of them is numbered: their `id` is 0.

use flow::records::{Command, Sent};
use flow::{Event, Flags, Kind, Kinds, Ns, OrderId};

/// Version of the protocol, said in every hello.
pub const VERSION: u32 = 2;

/// What a venue numbers and keeps.
pub const ANSWERS: Kinds =
    Kinds::of(&[Kind::Ack, Kind::Fill, Kind::FillCost, Kind::Reject, Kind::Cancelled, Kind::Bust]);

/// Action of a question, and of its two answers.
const ASKS: u8 = 0;
const KNOWN: u8 = 1;
const UNKNOWN: u8 = 2;

/// A hello: how many answers were received, or were given.
pub fn hello(answers: u64) -> Event {
    let new = i64::try_from(answers).unwrap_or(i64::MAX);
    let command = Command { action: 0, target: VERSION, new, ..Command::default() };
    Event::new(Ns(0), 0, Flags::NONE, &command)
}

/// What a hello says: version and number.
pub(super) fn greeting(frame: &Event) -> Option<(u32, u64)> {
    let command = frame.get::<Command>().filter(|c| c.action == 0)?;
    Some((command.target, u64::try_from(command.new).ok()?))
}

/// Whether the venue knows the order.
pub fn question(order_id: OrderId) -> Event {
    Event::new(Ns(0), 0, Flags::NONE, &Sent { order_id: order_id.0, action: ASKS, ..Sent::default() })
}

/// What the venue says to a question.
pub fn asked(order_id: OrderId, known: bool) -> Event {
    let action = if known { KNOWN } else { UNKNOWN };
    Event::new(Ns(0), 0, Flags::NONE, &Sent { order_id: order_id.0, action, ..Sent::default() })
}

/// The order and what the venue says of it, when the frame is that.
pub(super) fn told(frame: &Event) -> Option<(OrderId, bool)> {
    let sent = frame.get::<Sent>()?;
    let known = match sent.action {
        KNOWN => true,
        UNKNOWN => false,
        _ => return None,
    };
    Some((OrderId(sent.order_id), known))
}
