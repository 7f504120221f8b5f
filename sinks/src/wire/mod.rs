//! The venue adapter `wire`: a venue that exchanges 64-byte events over TCP.
//!
//! Events travel unchanged in both directions, so nothing is translated and nothing can be lost in translation.
//! `docs/wire.md` of this folder specifies the protocol byte by byte. Bound: one read buffer, and what the socket had no room
//! for. Worst case: a venue that is silent, or that takes nothing, costs `timeout_ms`; then the session counts as broken
//! and is opened anew. No call waits for the venue. What waits is reading the secret before a session is opened, as long as the
//! disk does if a file holds it: without the secret there is no session, and so nothing that could be sent meanwhile.

mod client;
mod connect;
mod frame;
mod framing;
mod proof;
#[cfg(test)]
mod tests;
mod venue_end;

pub use frame::{ANSWERS, VERSION};
pub use venue_end::{NotAnEngine, VenueEnd};

use crate::threading::{CORE, IDLE};
use client::{Settings, Wire};
use flow::{BoolParam, IntParam, Param, ParamError, Params, Patience, SecretParam, TextParam, Venue};
use std::time::Duration;

const ADDRESS: TextParam = TextParam::new("address", "127.0.0.1:7400", "where the venue listens").unit("host:port");
const TIMEOUT_MS: IntParam = IntParam::new(
    "timeout_ms",
    (10, 600_000),
    "2000",
    "how long the venue may take for the greeting, for the next promised answer, to take what is sent, or be silent, before the session counts as broken",
)
.unit("ms");
const ANSWER_MS: IntParam = IntParam::new(
    "answer_ms",
    (0, 600_000),
    "2000",
    "how long a route may be unanswered before its instrument is blocked and the order is asked for; 0: for ever",
)
.unit("ms");
const SESSION_MS: IntParam = IntParam::new(
    "session_ms",
    (0, 86_400_000),
    "30_000",
    "how long a lost session is opened anew before the run ends; new orders are refused meanwhile",
)
.unit("ms");
const MASS_CANCEL: BoolParam = BoolParam::new(
    "mass_cancel",
    true,
    "whether the venue has a cancel of all orders in one frame; else each order is cancelled by itself",
);
const SECRET: SecretParam =
    SecretParam::new("secret", "a secret that both ends prove to have before anything else; unset: neither does");

/// The adapter's parameters.
pub(crate) const PARAMS: &[Param] = &[
    ADDRESS.param(),
    TIMEOUT_MS.param(),
    ANSWER_MS.param(),
    SESSION_MS.param(),
    MASS_CANCEL.param(),
    SECRET.param(),
    CORE.param(),
    IDLE.param(),
];

/// Creates the adapter for the registry. It connects when the gateway resumes.
///
/// # Errors
/// When the address has no port.
pub(crate) fn open(params: &Params) -> Result<Box<dyn Venue>, ParamError> {
    let address = params.get(ADDRESS);
    let port = address.rsplit_once(':').filter(|(host, _)| !host.is_empty()).map(|(_, port)| port.parse::<u16>());
    if !matches!(port, Some(Ok(_))) {
        let valid = "valid: host:port, as 127.0.0.1:7400".to_owned();
        return Err(ParamError { key: "wire.address".to_owned(), found: address.to_owned(), valid });
    }
    let time = |param| Duration::from_millis(params.get(param));
    let timeout = time(TIMEOUT_MS);
    let answer = Some(time(ANSWER_MS)).filter(|t| !t.is_zero());
    Ok(Box::new(Wire::new(Settings {
        address: address.to_owned(),
        timeout,
        patience: Patience { reply: timeout, answer, session: time(SESSION_MS) },
        mass_cancel: params.get(MASS_CANCEL),
        secret: params.get(SECRET),
    })))
}
