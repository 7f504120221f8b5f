//! The venue adapter `wire`: a venue that speaks 64-byte events over TCP.
//!
//! What the pipeline says goes out as it is and what the venue says comes in as it is, so nothing is translated and nothing
//! can be lost in a translation. `docs/wire.md` of this folder is the protocol, frame by frame. Bound: one buffer of what
//! a read gave, and what comes while a write waits for room. Worst case: a venue that neither reads nor writes holds the
//! gateway's thread for `timeout_ms`, then the pipeline counts as broken.

mod client;
mod frame;

pub use frame::{ANSWERS, VERSION, asked, hello, question};

use client::Wire;
use flow::{Effective, Param, ParamError, ParamType, Params, Venue};
use std::time::Duration;

/// What can be set.
pub(crate) const PARAMS: &[Param] = &[
    Param {
        name: "address",
        ty: ParamType::Text,
        unit: "host:port",
        default: "127.0.0.1:7400",
        effective: Effective::Restart,
        about: "where the venue listens",
    },
    Param {
        name: "timeout_ms",
        ty: ParamType::Int(10, 600_000),
        unit: "ms",
        default: "2000",
        effective: Effective::Restart,
        about: "how long the venue may take to answer a hello, or to take what is sent, before the pipeline counts as broken",
    },
];

/// The registry's builder. It connects when the gateway resumes.
///
/// # Errors
/// When the address has no port.
pub(crate) fn open(params: &Params) -> Result<Box<dyn Venue>, ParamError> {
    let address = params.text("address");
    let port = address.rsplit_once(':').filter(|(host, _)| !host.is_empty()).map(|(_, port)| port.parse::<u16>());
    if !matches!(port, Some(Ok(_))) {
        let valid = "valid: host:port, as 127.0.0.1:7400".to_owned();
        return Err(ParamError { key: "wire.address".to_owned(), found: address.to_owned(), valid });
    }
    Ok(Box::new(Wire::new(address.to_owned(), Duration::from_millis(params.int("timeout_ms")))))
}
