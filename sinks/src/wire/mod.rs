//! The venue adapter `wire`: a venue that exchanges 64-byte events over TCP.
//!
//! Events travel unchanged in both directions, so nothing is translated and nothing can be lost in translation.
//! `docs/wire.md` of this folder specifies the protocol frame by frame. Bound: one read buffer, and the frames that
//! arrive while a write waits for room. Worst case: a venue that neither reads nor writes holds the gateway's thread
//! for `timeout_ms`; then the connection counts as broken.

mod client;
mod frame;

pub use frame::{ANSWERS, VERSION, hello, order_status, question};

use client::Wire;
use flow::{IntParam, Param, ParamError, Params, TextParam, Venue};
use std::time::Duration;

const ADDRESS: TextParam = TextParam::new("address", "127.0.0.1:7400", "where the venue listens").unit("host:port");
const TIMEOUT_MS: IntParam = IntParam::new(
    "timeout_ms",
    (10, 600_000),
    "2000",
    "how long the venue may take to answer a hello, or to take what is sent, before the connection counts as broken",
)
.unit("ms");

/// The adapter's parameters.
pub(crate) const PARAMS: &[Param] = &[ADDRESS.param(), TIMEOUT_MS.param()];

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
    Ok(Box::new(Wire::new(address.to_owned(), Duration::from_millis(params.get(TIMEOUT_MS)))))
}
