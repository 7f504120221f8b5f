//! Answers metrics over HTTP, and says where.

use super::console;
use super::exit::Failure;
use crate::metrics::{Endpoint, Exposed, Served};
use std::net::SocketAddr;
use std::sync::Arc;

/// Answers at an address with what `of` shows, until the answer is dropped.
pub(super) fn serve(address: SocketAddr, of: Arc<dyn Exposed>) -> Result<Served, Failure> {
    let endpoint = Endpoint::bind(address).map_err(Failure::failed)?;
    console::say(format!("metrics   http://{}/metrics, /healthz, /readyz", endpoint.address()));
    if endpoint.is_open_to_others() {
        console::say("warning   whoever reaches this host can read the metrics: nobody is asked for a name there");
    }
    endpoint.serve(of).map_err(Failure::failed)
}
