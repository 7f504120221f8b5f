//! Anomalies: what should not happen, by number and name.
//!
//! An anomaly is reported as an event and counted; processing goes on. Numbers are part of the journal's format.

use crate::records::Anomaly;
use crate::words::words;
use crate::{Event, Flags, Ns, Px, Qty};

macro_rules! anomalies {
    ($( $(#[doc = $about:literal])+ $name:ident = $number:literal $text:literal $detail:literal ),* $(,)?) => {
        words! {
            /// The kinds of anomalies. Numbers are part of the journal's format.
            AnomalyKind: u16 { $( $(#[doc = $about])+ $name = $number $text ),* }
        }

        impl AnomalyKind {
            /// What its `detail` number means.
            pub const fn detail(self) -> &'static str {
                match self { $( AnomalyKind::$name => $detail ),* }
            }
        }
    };
}

anomalies! {
    /// A message names an order that the book does not have.
    UnknownOrder = 1 "unknown-order" "order",
    /// An `add` repeats the reference of a live order; the first order stays.
    DuplicateOrder = 2 "duplicate-order" "order",
    /// An order is reduced by more than it has; it is removed.
    Overfill = 3 "overfill" "order",
    /// Best bid at or above best ask where the feed's group is complete.
    CrossedBook = 4 "crossed-book" "best ask",
    /// A level is reduced by more than it has; it is emptied.
    LevelUnderflow = 5 "level-underflow" "order",
    /// A bounded table of the book is full; the event was left out.
    BookFull = 6 "book-full" "limit",
    /// An event names an instrument that no listing defined; its data are left out until one does.
    UnknownInstrument = 7 "unknown-instrument" "instrument",
    /// The decoder does not know the message type; the message was skipped by its length.
    UnknownMessage = 8 "unknown-message" "type",
    /// A message of a known type with the wrong length or content; it was skipped.
    MalformedMessage = 9 "malformed-message" "type",
    /// Sequence numbers are missing.
    SequenceGap = 10 "sequence-gap" "messages missing",
    /// A packet was received before, or overlaps one that was; the repeated part is skipped.
    DuplicatePacket = 11 "duplicate-packet" "sequence",
    /// The exchange's clock went back.
    BackwardTime = 12 "backward-time" "nanoseconds back",
    /// The system's clock is behind the run's, which goes on as before: it was set back.
    BackwardClock = 13 "backward-clock" "nanoseconds behind",
    /// A price that is not a positive multiple of the feed's unit, or a quantity of 0 where there must be one.
    BadValue = 14 "bad-value" "order",
    /// The feed's own view of the book differs from the messages.
    Mismatch = 15 "mismatch" "level",
    /// A packet is truncated or not what the feed sends; it was skipped.
    BadPacket = 16 "bad-packet" "packet",
    /// More instruments than there may be; the data of this one are left out.
    InstrumentRange = 17 "instrument-range" "the input's own number of the instrument",
    /// A report of the venue, or an intent of a strategy, that the order's state does not allow; the state stays.
    IllegalTransition = 18 "illegal-transition" "order",
    /// A report of the venue about an order that this pipeline never sent.
    UnknownOwnOrder = 19 "unknown-own-order" "order",
    /// A bounded table of orders, positions or groups is full; the intent was left out.
    OrdersFull = 20 "orders-full" "limit",
    /// Too many replies of the pipeline or the venue at once: trading halts.
    ReturnsFull = 21 "returns-full" "limit",
    /// A command that cannot be carried out: its target is unknown, or its old value is not the current one; it was left out.
    BadCommand = 22 "bad-command" "target",
    /// An invalid intent: no quantity, no side, no listing; it was left out.
    BadIntent = 23 "bad-intent" "strategy",
    /// A bust of a fill that is unknown or forgotten; nothing was reversed.
    UnknownFill = 24 "unknown-fill" "match",
    /// A second bust of the same fill; nothing was reversed.
    RepeatedBust = 25 "repeated-bust" "match",
    /// A bust whose instrument, side, price or quantity is not the fill's; nothing was reversed.
    BustMismatch = 26 "bust-mismatch" "match",
    /// The session with the venue is lost: no new order is approved until it is back.
    SessionLost = 27 "session-lost" "sessions lost so far",
    /// The session with the venue is back, and every route in doubt is settled.
    SessionBack = 28 "session-back" "milliseconds without a session",
    /// The venue does not answer a route: no new order of the instrument is approved until it does.
    UnansweredOrder = 29 "unanswered-order" "order",
    /// A packet, or a part of it, came after its gap was reported; its messages were skipped.
    LatePacket = 30 "late-packet" "sequence",
    /// The venue reported a fill twice, by its order and match number; the second changed nothing.
    RepeatedFill = 31 "repeated-fill" "match",
    /// The system's clock is ahead of the run's, which goes on as before: it was set forward.
    ForwardClock = 32 "forward-clock" "nanoseconds ahead",
    /// Market data of an instrument come from another input, which has not ended; those of this input are left out.
    DuplicateInstrument = 33 "duplicate-instrument" "the input's own number of the instrument",
    /// An intent that would not reduce its position, or one for a position that an operator has commanded to close.
    NotReducing = 34 "not-reducing" "strategy",
    /// A position that is to be closed waits, because its instrument is halted.
    FlattenWaits = 35 "flatten-waits" "strategy",
    /// The venue breaks a trade that the book does not remember, or that was broken before; nothing was taken out.
    UnknownBreak = 36 "unknown-break" "match",
    /// A broken trade made a price of an open bar, and not all its trades are remembered: its prices, or even its sums, stay.
    UncorrectedBar = 37 "uncorrected-bar" "length of the bar in seconds",
    /// There is no room for another position: a fill or its cost was not booked, and no order is approved any more.
    PositionsFull = 38 "positions-full" "limit",
    /// The venue says that more of an order is filled, by this quantity, than the executions that it told: no new order of the
    /// instrument is approved there until it has told them.
    UnexplainedFill = 39 "unexplained-fill" "order",
    /// An execution that nobody here asked for was booked under its account.
    UnsolicitedFill = 40 "unsolicited-fill" "match",
}

impl AnomalyKind {
    /// Whether its `detail` is a price in 1e-9, which may be negative.
    pub const fn details_a_price(self) -> bool {
        matches!(self, AnomalyKind::CrossedBook)
    }

    /// The event that reports it. [`AnomalyKind::detail`] says what `detail` means.
    pub fn event(self, due: Ns, instrument: u32, exchange_ts: Ns, detail: u64) -> Event {
        self.event_at(due, instrument, exchange_ts, detail, Px::NONE, Qty(0))
    }

    /// [`AnomalyKind::event`] with a price and a quantity that explain it.
    pub fn event_at(self, due: Ns, instrument: u32, exchange_ts: Ns, detail: u64, px: Px, qty: Qty) -> Event {
        let record = Anomaly { exchange_ts, px, qty, detail, what: self as u16, reserved: [0; 6] };
        Event::new(due, instrument, Flags::LAST_OF_GROUP, &record)
    }
}
