//! Commands to a running engine, over a socket in its journal's folder.
//!
//! One line of JSON is one command, or asks how the engine is; one line answers it. The thread that listens puts commands where the ingress hears
//! them: they are stored and numbered like every other input. Who may write to the folder may command. Bound: one
//! connection at a time; a command of 4 KiB, an answer of 1 MiB.

mod message;
mod server;
mod status;

pub use message::{BadCommand, ControlReply, ControlRequest};
pub use server::{ControlError, Server, ask, status};
pub use status::Status;
