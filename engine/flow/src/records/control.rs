//! Events of the engine and its operator: ticks, sessions, the end of input, commands, halts, anomalies.
//!
//! An anomaly is an event, not an error: it is replayed and counted like any other, and risk sees it.

use crate::record::records;
use crate::{Event, Ns, Px, Qty};

records! {
    /// A time boundary, `ts`, has passed for a slice of the instruments. Slices bound the number of events that one tick can cause.
    Tick = 20 "tick" {
        first: u32 as Uint "first instrument of the slice; 0 = none: a heartbeat",
        last: u32 as Uint "last instrument of the slice",
        interval_s: u32 as Seconds "the longest interval that ends here; 0 = market hours have ended",
    } reserved 28
    /// All sources have ended: from here on, only replies and refusals enter.
    EndOfInput = 21 "end-of-input" {
        inputs: u64 as Uint "number of inputs before this one",
    } reserved 32
    /// A command of an operator, or a configuration change; a `name` with the text of a value comes before it.
    Command = 22 "command" {
        action: u32 as Enum(CommandAction) "what to do",
        target: u32 as Uint "number of the check whose limit is set, and 65,536 times that of its table of limits; else 0",
        actor: u32 as Uint "handle of the requester's name; 0 = the engine",
        uid: u32 as Uid "user id of the requesting process; absent if the system does not report it",
        old: i64 as Int "value before",
        new: i64 as Int "new value",
        asked_ts: Ns as TimeNs "wall time of the request; absent if it follows from the inputs before it",
    }
    /// Trading stops: as a final event, or by a halt entered at the head.
    Halt = 23 "halt" {
        reason: u32 as Enum(HaltReason) "why",
        group: u32 as Uint "group that halted; 0 = the ingress",
        detail: u64 as Uint "detail of the reason",
        asked_ts: Ns as TimeNs "wall time of the halt; absent if it follows from the inputs before it",
    } reserved 16
    /// Something that should not happen. The meaning of the numbers depends on `what`.
    Anomaly = 24 "anomaly" {
        exchange_ts: Ns as TimeNs "exchange time of the event that revealed it",
        px: Px as Price "related price, if any",
        qty: Qty as Qty "related quantity, if any",
        detail: u64 as Detail "a reference, a message type or a sequence number, depending on `what`",
        what: u16 as Enum(AnomalyKind) "type of anomaly",
    } reserved 6 row [what, detail, px, qty]
    /// What became of an operator's command, in the sequence right after it. For a halt and a resume the values are 0 for trading and 1 for halted.
    CommandOutcome = 25 "command-outcome" {
        action: u32 as Enum(CommandAction) "action of the command",
        target: u32 as Uint "target of the command",
        old: i64 as Int "value before",
        new: i64 as Int "value in force now",
        result: u16 as Enum(CommandResult) "what became of it",
        effective: u8 as Enum(Effective) "when a new value of a parameter takes effect; absent for any other command",
    } reserved 13
    /// All that an input caused has been delivered: whoever acts, acts now. It is the last event of each input that ends a group.
    Pulse = 26 "pulse" {
        cause: u16 as Kind "kind of the input",
    } reserved 38
    /// From here on other symbols of the source are watched. What is newly watched is listed next, with a `gap`.
    Watching = 27 "watching" {
        from: u64 as Uint "inputs of the source before it, also those that were left out",
    } reserved 32
    /// A calendar says what its market does from here on, and on which trade date. It changes state alone; what follows for single
    /// instruments comes with the ticks behind it.
    Session = 28 "session" {
        open_ts: Ns as TimeNs "when market hours of the date begin; absent if there are none or they are not known",
        close_ts: Ns as TimeNs "when market hours of the date end; absent likewise",
        start_s = "start_ns": u32 as Start "first instant of the trade date",
        end_s = "end_ns": u32 as Start "first instant of the next one",
        since_s = "since_ns": u32 as Start "since when the market does what `phase` says",
        date: u32 as Uint "trade date, as 20200130",
        early_s: u32 as Seconds "how much earlier than usual market hours end; 0 = they do not",
        calendar: u8 as Enum(Calendar) "which calendar",
        phase: u8 as Enum(SessionPhase) "what the market does",
    } reserved 2
    /// What a stage or a measure had learned in an earlier journal, as a row of numbers; the next journal begins with them. A `name` says whose it is.
    Memory = 29 "memory" {
        owner: u16 as Uint "whose it is: the position of its stage, and 256 times its ordinal there",
        key: u16 as Uint "which of the owner's tables; the page of the owner says what it holds",
        index: u32 as Uint "row of that table",
        first: i64 as Int "first value",
        second: i64 as Int "second value",
        third: i64 as Int "third value",
        as_of: Ns as TimeNs "time of the last input that it follows from",
    }
}

impl Tick {
    /// The interval of a tick that follows the end of market hours.
    pub const CLOSE: u32 = 0;
}

impl Pulse {
    /// The pulse after an input.
    #[inline]
    pub fn after(input: &Event) -> Pulse {
        Pulse { cause: u16::from(input.kind.0), ..Pulse::default() }
    }
}

impl Command {
    /// The `uid` of a command whose process is unknown.
    pub const NO_UID: u32 = u32::MAX;
}
