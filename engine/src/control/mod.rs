//! Commands to a running engine, over a Unix socket in its journal's folder.
//!
//! One line of JSON is one command or a request for the status; one line answers it. One thread serves all clients and
//! waits in the kernel until one of them speaks, an outcome comes, or a deadline passes. No client can hold up another:
//! nothing here blocks, a command has to be read whole within `READING`, and when there are `CLIENTS` of them the
//! oldest that has not yet said anything whole makes room.
//!
//! A halt and a cancel-all pull the kill switch the moment they are read whole, even if their client is gone. Every other
//! command of a client that is gone or was not taken in time is given up, and the ticket settles which of the two happened. The
//! answer is what became of the command: the risk stage says it in the sequence, the tail hands it on here. A halt that is not
//! stored soon is noted beside the journal, so that it holds over a kill.
//!
//! The socket and the folder belong to the user of the engine alone. Bound: `CLIENTS` clients; a request of 4 KiB, a
//! reply of 1 MiB. Worst case: an answer takes `READING` and `ANSWERING` together, less than two seconds.

mod answer;
mod ask;
mod beside;
mod client;
mod in_force;
mod intake;
mod message;
mod outcomes;
mod parameter;
mod reloading;
mod server;
mod socket;
mod status;
#[cfg(test)]
mod tests;
mod trading;
mod watching;

pub use ask::{AskError, ask, in_force, last, status};
pub use in_force::{InForce, ValueInForce};
pub use intake::{Entering, Intake};
pub use message::{AddedInput, BadCommand, ControlReply, ControlRequest, SetValue, WatchedInput};
pub use outcomes::{OutcomeSink, Outcomes};
pub use server::{ControlError, Pipeline, Server};
pub use status::{ReconciledReport, Status, VenueReport};
pub use trading::{
    ClosingStatus, FeedStatus, FlattenOf, FlattenStatus, LimitStatus, OrderStatus, PositionStatus, TableStatus,
    TradingStatus,
};
