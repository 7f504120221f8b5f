//! Events of the engine and its operator: ticks, the end of input, commands, halts, anomalies.
//!
//! An anomaly is an event, not an error: it can be replayed, counted and seen by risk.

use crate::record::records;
use crate::{Ns, Px, Qty};

records! {
    /// Time passes for a slice of the instruments; `ts` is the boundary. Slices bound what one event may cause.
    Tick = 20 "tick" {
        first: u32 as Uint "first instrument of the slice",
        last: u32 as Uint "last instrument of the slice",
    } reserved 32
    /// All sources have ended: from here on only replies and refusals enter.
    EndOfInput = 21 "end-of-input" {
        inputs: u64 as Uint "how many inputs came before",
    } reserved 32
    /// An operator or a configuration change; the text of a value comes before it as a `name`.
    Command = 22 "command" {
        action: u32 as Enum(CommandAction) "what to do",
        target: u32 as Uint "what it addresses: the check whose limit is set; else 0",
        actor: u32 as Uint "handle of the name of who asked; 0 = the engine",
        uid: u32 as Uid "user of the requesting process, if the system reports it",
        old: i64 as Int "value before",
        new: i64 as Int "value from now on",
        asked_ts: Ns as TimeNs "wall time of the request; absent for a command of the engine",
    }
    /// Trading stops: terminal, or entered at the head.
    Halt = 23 "halt" {
        reason: u32 as Enum(HaltReason) "why",
        group: u32 as Uint "group that halted; 0 = the ingress",
        detail: u64 as Uint "a number that explains the reason",
    } reserved 24
    /// Something that should not happen. What the numbers mean depends on `what`.
    Anomaly = 24 "anomaly" {
        exchange_ts: Ns as TimeNs "exchange time of the event that showed it",
        px: Px as Price "a price, if one explains it",
        qty: Qty as Qty "a quantity, if one explains it",
        detail: u64 as Detail "the number that explains it: a reference, a type or a sequence number, by `what`",
        what: u16 as Enum(AnomalyKind) "which anomaly",
    } reserved 6 row [what, detail, px, qty]
}

impl Command {
    /// The `uid` of a command whose process is not known.
    pub const NO_UID: u32 = u32::MAX;
}
