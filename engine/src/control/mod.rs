//! Commands to a running engine, over a socket in its journal's folder.
//!
//! One line of JSON is one command, one line answers it. The thread that listens puts commands where the ingress hears
//! them: they are stored and numbered like every other input. Who may write to the folder may command. Bound: one
//! connection at a time; a line of 4 KiB.

mod message;
mod server;

pub use message::{Asked, BadCommand, Said};
pub use server::{ControlError, Server, ask};
