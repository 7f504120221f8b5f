//! A venue on the loopback that ends every order at once: it acknowledges it and cancels what is left, which is all of it.
//!
//! So the strategy goes on, and nothing rests. A cancel or a replace comes too late. With a core of its own it looks at its socket
//! all the time. Without one it shares that of the gateway, and would be woken inside the `write` that is measured; so it rests
//! [`REST`] between two looks, and answers in batches. Bound: what came since its last look.

use flow::records::{Ack, Cancelled, Reject, Route};
use flow::{Action, CancelReason, Event, RejectReason};
use ring::thread::{SpawnError, Worker, spawn_pinned};
use sinks::wire::VenueEnd;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Time between two looks of a venue without a core of its own.
pub(super) const REST: Duration = Duration::from_millis(20);
/// After so much silence the engine counts as gone; it is asked to send heartbeats.
const TIMEOUT: Duration = Duration::from_secs(10);
/// How often it says that it is alive.
const BEAT: Duration = Duration::from_millis(200);

/// Where the venue runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) core: usize,
    /// Whether no other thread runs there.
    pub(super) own: bool,
}

/// The running venue.
pub(super) struct LoopbackVenue {
    port: u16,
    over: Arc<AtomicBool>,
    worker: Worker<io::Result<u64>>,
}

impl LoopbackVenue {
    /// Listens on a port of the loopback and serves one engine, which has no journal.
    ///
    /// # Errors
    /// When there is no port, or no thread.
    pub(super) fn start(place: Place) -> Result<LoopbackVenue, VenueStartError> {
        let listener = TcpListener::bind("127.0.0.1:0").map_err(VenueStartError::Port)?;
        listener.set_nonblocking(true).map_err(VenueStartError::Port)?;
        let port = listener.local_addr().map_err(VenueStartError::Port)?.port();
        let over = Arc::new(AtomicBool::new(false));
        let ended = Arc::clone(&over);
        let worker = spawn_pinned("venue", Some(place.core), move || served(&listener, place, &ended))?;
        Ok(LoopbackVenue { port, over, worker })
    }

    /// Where it listens.
    pub(super) fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Ends it; how many answers it has given.
    ///
    /// # Errors
    /// When its connection failed.
    pub(super) fn end(self) -> io::Result<u64> {
        self.over.store(true, Ordering::Relaxed);
        self.worker.join().unwrap_or_else(|panicked| Err(io::Error::other(panicked)))
    }
}

/// Why the venue could not start.
#[derive(Debug, thiserror::Error)]
pub enum VenueStartError {
    /// There is no port on the loopback.
    #[error("no port on the loopback: {0}; allow 127.0.0.1 to be listened on")]
    Port(io::Error),
    /// There is no thread.
    #[error("{0}")]
    Thread(#[from] SpawnError),
}

/// Serves until it is over, or the engine has left.
fn served(listener: &TcpListener, place: Place, over: &AtomicBool) -> io::Result<u64> {
    let (mut end, mut chunk) = (VenueEnd::new(0, TIMEOUT), vec![0; 64 << 10]);
    let (mut stream, mut beat): (Option<TcpStream>, _) = (None, Instant::now());
    while !over.load(Ordering::Relaxed) {
        match &mut stream {
            None => stream = accepted(listener)?,
            Some(stream) => {
                if !took(stream, &mut chunk, &mut end)? {
                    break;
                }
                if beat.elapsed() > BEAT {
                    beat = Instant::now();
                    end.beat();
                }
                give(stream, &mut end)?;
            }
        }
        match place.own {
            true => std::hint::spin_loop(),
            false => std::thread::sleep(REST),
        }
    }
    Ok(end.answers())
}

fn accepted(listener: &TcpListener) -> io::Result<Option<TcpStream>> {
    match listener.accept() {
        Ok((stream, _)) => {
            stream.set_nonblocking(true)?;
            stream.set_nodelay(true)?;
            Ok(Some(stream))
        }
        Err(e) if e.kind() == ErrorKind::WouldBlock => Ok(None),
        Err(e) => Err(e),
    }
}

/// Reads what has come and answers it; whether the engine is still there.
fn took(stream: &mut TcpStream, chunk: &mut [u8], end: &mut VenueEnd) -> io::Result<bool> {
    loop {
        match stream.read(chunk) {
            Ok(0) => return Ok(false),
            Ok(n) => end.add(&chunk[..n]),
            Err(e) if e.kind() == ErrorKind::WouldBlock => return Ok(true),
            Err(e) if e.kind() == ErrorKind::Interrupted => {}
            Err(e) if e.kind() == ErrorKind::ConnectionReset => return Ok(false),
            Err(e) => return Err(e),
        }
        while let Some(route) = end.take().map_err(io::Error::other)? {
            answer(&route, end);
        }
    }
}

fn answer(route: &Event, end: &mut VenueEnd) {
    let Route { order_id, qty, action, .. } = *route.record();
    let (instrument, side, cause) = (route.instrument, route.side(), route.id.0);
    match Action::from_code(action) {
        Some(Action::New) => {
            end.answer(instrument, side, &Ack { order_id, venue_order: order_id, cause, ..Ack::default() });
            let reason = CancelReason::ImmediateOrCancel.code();
            end.answer(instrument, side, &Cancelled { order_id, qty, reason, ..Cancelled::default() });
        }
        Some(Action::Cancel | Action::Replace) => {
            let reason = RejectReason::TooLate.code();
            end.answer(instrument, side, &Reject { order_id, cause, reason, action, ..Reject::default() });
        }
        Some(Action::CancelAll) | None => {}
    }
}

fn give(stream: &mut TcpStream, end: &mut VenueEnd) -> io::Result<()> {
    while !end.left().is_empty() {
        match stream.write(end.left()) {
            Ok(n) => end.gave(n),
            Err(e) if e.kind() == ErrorKind::Interrupted => {}
            Err(e) if e.kind() == ErrorKind::WouldBlock => return Ok(()),
            // The engine has left: the next look finds that out.
            Err(e) if matches!(e.kind(), ErrorKind::BrokenPipe | ErrorKind::ConnectionReset) => return Ok(()),
            Err(e) => return Err(e),
        }
    }
    Ok(())
}
