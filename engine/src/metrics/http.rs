//! Answers over HTTP, in a thread and a runtime of its own.
//!
//! Everything that is answered is in memory: no answer waits for the disk, a venue or the pipeline. Bound: [`CONNECTIONS`] at
//! once, each of which has [`HEADER`] to ask. Worst case: further ones wait to be accepted.

use super::exposed::Exposed;
use super::scrape::Format;
use axum::Router;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::header::{ACCEPT, CONTENT_TYPE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use serde_json::{Value, json};
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::{Semaphore, oneshot};

/// Most connections at once.
const CONNECTIONS: usize = 64;
/// How long a connection may take to ask, or to ask again.
const HEADER: Duration = Duration::from_secs(30);
/// Pause after a connection could not be accepted, for lack of a file descriptor.
const PAUSE: Duration = Duration::from_millis(100);

/// Nothing can be answered at an address.
#[derive(Debug, thiserror::Error)]
#[error("metrics.listen {address}: {error}; {next}")]
pub struct EndpointError {
    address: SocketAddr,
    error: io::Error,
    next: &'static str,
}

/// An address that is taken and not answered at yet.
pub struct Endpoint {
    listener: TcpListener,
    address: SocketAddr,
}

/// Answers until it is dropped.
pub struct Served {
    stop: Option<oneshot::Sender<()>>,
}

impl Drop for Served {
    fn drop(&mut self) {
        // Nobody is waited for: a client that reads slowly must not hold up the end of a run.
        self.stop.take().map(|stop| stop.send(()));
    }
}

impl Endpoint {
    /// Takes an address; port 0 becomes a free one.
    ///
    /// # Errors
    /// When it cannot be listened at.
    pub fn bind(address: SocketAddr) -> Result<Endpoint, EndpointError> {
        let failed = |error: io::Error| {
            let next = match error.kind() {
                io::ErrorKind::AddrInUse => "another program listens there: stop it, or give another port",
                _ => "give an address of this host",
            };
            EndpointError { address, error, next }
        };
        let listener = TcpListener::bind(address).map_err(failed)?;
        listener.set_nonblocking(true).map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        Ok(Endpoint { listener, address })
    }

    /// Where it is.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Whether others than the programs of this host can reach it.
    pub fn is_open_to_others(&self) -> bool {
        !self.address.ip().is_loopback()
    }

    /// Answers there with what `of` shows.
    ///
    /// # Errors
    /// When the system gives no thread or no runtime.
    pub fn serve(self, of: Arc<dyn Exposed>) -> Result<Served, EndpointError> {
        let address = self.address;
        let failed = |error| EndpointError { address, error, next: "raise the limits of the process" };
        let runtime = Builder::new_current_thread().enable_all().build().map_err(failed)?;
        let (stop, stopped) = oneshot::channel();
        let listener = self.listener;
        let serve = move || run(&runtime, listener, router(of), stopped);
        std::thread::Builder::new().name("metrics".to_owned()).spawn(serve).map_err(failed)?;
        Ok(Served { stop: Some(stop) })
    }
}

fn run(runtime: &Runtime, listener: TcpListener, router: Router, stopped: oneshot::Receiver<()>) {
    runtime.block_on(async {
        // It was made for this: a listener that is not blocking.
        let Ok(listener) = tokio::net::TcpListener::from_std(listener) else { return };
        tokio::select! {
            () = accept_all(listener, router) => {}
            _ = stopped => {}
        }
    });
}

async fn accept_all(listener: tokio::net::TcpListener, router: Router) {
    let room = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        let Ok(permit) = Arc::clone(&room).acquire_owned().await else { return };
        let Ok((stream, _)) = listener.accept().await else {
            tokio::time::sleep(PAUSE).await;
            continue;
        };
        let service = TowerToHyperService::new(router.clone());
        tokio::spawn(async move {
            let mut http = http1::Builder::new();
            http.timer(TokioTimer::new()).header_read_timeout(HEADER);
            // What a client does wrong, or that it goes, is its own affair.
            let _ = http.serve_connection(TokioIo::new(stream), service).await;
            drop(permit);
        });
    }
}

fn router(of: Arc<dyn Exposed>) -> Router {
    Router::new()
        .route("/metrics", get(metrics))
        .route("/healthz", get(healthz))
        .route("/readyz", get(readyz))
        .route("/version", get(version))
        .route("/last", get(last_keys))
        .route("/last/{*key}", get(last))
        .fallback(unknown)
        .with_state(of)
}

async fn metrics(State(of): State<Arc<dyn Exposed>>, headers: HeaderMap) -> Response {
    let accept = headers.get(ACCEPT).and_then(|accept| accept.to_str().ok()).unwrap_or_default();
    let format = Format::accepted(accept);
    ([(CONTENT_TYPE, format.content_type())], of.scrape().text(format)).into_response()
}

async fn healthz(State(of): State<Arc<dyn Exposed>>) -> Response {
    judged("healthy", &of.ails())
}

async fn readyz(State(of): State<Arc<dyn Exposed>>) -> Response {
    judged("ready", &of.lacks())
}

async fn version(State(of): State<Arc<dyn Exposed>>) -> Response {
    answered(StatusCode::OK, &of.version())
}

async fn last_keys(State(of): State<Arc<dyn Exposed>>) -> Response {
    kept(of.last(None))
}

async fn last(State(of): State<Arc<dyn Exposed>>, Path(key): Path<String>) -> Response {
    kept(of.last(Some(&key)))
}

fn kept(found: Option<Result<Value, String>>) -> Response {
    match found {
        Some(Ok(value)) => answered(StatusCode::OK, &value),
        Some(Err(why)) => answered(StatusCode::NOT_FOUND, &json!({ "error": why })),
        None => {
            let why = "no last values are kept here, or what is recorded is not read yet";
            answered(StatusCode::SERVICE_UNAVAILABLE, &json!({ "error": why }))
        }
    }
}

async fn unknown() -> Response {
    let there = ["/metrics", "/healthz", "/readyz", "/version", "/last"];
    answered(StatusCode::NOT_FOUND, &json!({ "error": "there is no such page", "pages": there }))
}

/// 200 if nothing is against it, else 503 with all that is.
fn judged(what: &str, against: &[String]) -> Response {
    let status = if against.is_empty() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    answered(status, &json!({ what: against.is_empty(), "why": against }))
}

fn answered(status: StatusCode, value: &Value) -> Response {
    (status, [(CONTENT_TYPE, "application/json")], Body::from(format!("{value}\n"))).into_response()
}
