//! Commands to a running engine, over a Unix socket in its journal's folder.
//!
//! One line of JSON is one command or a request for the status; one line answers it. The listening thread sends commands
//! to the ingress, which stores and numbers them like every other input. Whoever may write to the folder may command the
//! engine. Bound: one connection at a time; a request of 4 KiB, a reply of 1 MiB.

mod message;
mod server;
mod status;

pub use message::{BadCommand, ControlReply, ControlRequest};
pub use server::{ControlError, Server, ask, status};
pub use status::Status;
