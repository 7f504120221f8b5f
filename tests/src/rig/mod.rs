//! The hostile rig: what the engine is attacked with, from outside.
//!
//! A venue that misbehaves ([`HostileVenue`]), a proxy that cuts, delays, doubles and spoils what passes ([`Proxy`]), and the
//! engine as a process that can be killed, stopped and commanded ([`Service`], [`Life`]). Venue and proxy live in the
//! process of the test, so that what they saw can be asked for at any time, with the moment at which they saw it.

mod disk;
mod process;
mod proxy;
mod retimed;
mod service;
mod venue;

pub use disk::Disk;
pub use process::{Life, ended_within};
pub use proxy::{Hostility, Proxy};
pub use service::Service;
pub use venue::{Adverse, HostileVenue, Seen};
