//! A WebSocket over TCP, or over TLS where the build has it, on a socket that never blocks.
//!
//! `mio` says when the socket is ready, `tungstenite` makes frames of its bytes. Whoever uses a connection waits in [`Connection::wait`],
//! for at most as long as it says, and takes frames until there is none: no call here waits longer than its deadline. Bound: one
//! frame, of at most [`FRAME`] bytes. Worst case: a name that resolves slowly, which the system decides.

use super::address::Address;
use super::message::Encoding;
use super::stream::{self, Stream, wait};
use mio::{Events, Poll};
use std::io::ErrorKind;
use std::net::ToSocketAddrs;
use std::time::{Duration, Instant};
use tungstenite::client::IntoClientRequest;
use tungstenite::handshake::HandshakeError;
use tungstenite::http::HeaderValue;
use tungstenite::protocol::WebSocketConfig;
use tungstenite::{Bytes, Error, Message, WebSocket};

/// The longest frame.
const FRAME: usize = 16 << 20;
/// How long a step of connecting waits before it looks again.
const STEP: Duration = Duration::from_millis(20);

/// What came.
pub(super) enum Frame {
    Data(Encoding, Bytes),
    /// A sign of life.
    Pong,
    Closed(String),
}

/// An open connection.
pub(super) struct Connection {
    poll: Poll,
    events: Events,
    socket: WebSocket<Stream>,
}

impl Connection {
    /// Connects.
    ///
    /// # Errors
    /// When that fails, or is not done within `patience`; a sentence.
    pub(super) fn open(
        address: &Address,
        encoding: Encoding,
        tls: &stream::Settings,
        patience: Duration,
    ) -> Result<Connection, String> {
        let deadline = Instant::now() + patience;
        let failed =
            |what: &str, e: &dyn std::fmt::Display| format!("{what} {}:{} fails: {e}", address.host, address.port);
        let mut poll = Poll::new().map_err(|e| failed("waiting for", &e))?;
        let mut events = Events::with_capacity(8);
        let found = (address.host.as_str(), address.port).to_socket_addrs().map_err(|e| failed("finding", &e))?;
        let mut last = failed("finding", &"it has no address");
        for one in found {
            match stream::connect(one, &mut poll, &mut events, deadline) {
                Ok(tcp) => {
                    let stream = Stream::new(tcp, address, tls).map_err(|e| failed("connecting to", &e))?;
                    let mut waited = || (Instant::now() < deadline).then(|| wait(&mut poll, &mut events, STEP));
                    let socket = shaken(stream, address, encoding, &mut waited);
                    let socket = socket.map_err(|e| failed("connecting to", &e))?;
                    return Ok(Connection { poll, events, socket });
                }
                Err(e) => last = failed("connecting to", &e),
            }
        }
        Err(last)
    }

    /// Waits until there may be something, at most so long.
    pub(super) fn wait(&mut self, time: Duration) {
        wait(&mut self.poll, &mut self.events, time);
    }

    /// The next frame, if one is there.
    ///
    /// # Errors
    /// When the connection is broken; a sentence.
    pub(super) fn read(&mut self) -> Result<Option<Frame>, String> {
        loop {
            return match self.socket.read() {
                Ok(Message::Text(text)) => Ok(Some(Frame::Data(Encoding::Json, text.into()))),
                Ok(Message::Binary(bytes)) => Ok(Some(Frame::Data(Encoding::MessagePack, bytes))),
                Ok(Message::Pong(_)) => Ok(Some(Frame::Pong)),
                Ok(Message::Ping(_) | Message::Frame(_)) => continue,
                Ok(Message::Close(why)) => {
                    let why = why.map_or_else(|| "without a reason".to_owned(), |why| why.to_string());
                    Ok(Some(Frame::Closed(format!("the other side closed the connection, {why}"))))
                }
                Err(Error::Io(e)) if e.kind() == ErrorKind::WouldBlock => Ok(None),
                Err(Error::ConnectionClosed | Error::AlreadyClosed) => {
                    Ok(Some(Frame::Closed("the other side closed the connection".to_owned())))
                }
                Err(e) => Err(format!("the connection is broken: {e}")),
            };
        }
    }

    /// Sends a request.
    ///
    /// # Errors
    /// When the connection is broken; a sentence.
    pub(super) fn send(&mut self, encoding: Encoding, request: Vec<u8>) -> Result<(), String> {
        let message = match encoding {
            Encoding::Json => Message::text(String::from_utf8(request).expect("JSON is text")),
            Encoding::MessagePack => Message::binary(request),
        };
        self.write(message)
    }

    /// Asks for a sign of life.
    ///
    /// # Errors
    /// When the connection is broken; a sentence.
    pub(super) fn ping(&mut self) -> Result<(), String> {
        self.write(Message::Ping(Bytes::new()))
    }

    fn write(&mut self, message: Message) -> Result<(), String> {
        match self.socket.send(message) {
            Ok(()) => Ok(()),
            // It stays in the buffer, and the next read or send takes it along.
            Err(Error::Io(e)) if e.kind() == ErrorKind::WouldBlock => Ok(()),
            Err(e) => Err(format!("the connection is broken: {e}")),
        }
    }

    /// Says that this is the end.
    pub(super) fn close(mut self) {
        // Whoever does not hear it notices by the end of the socket.
        let _ = self.socket.close(None);
        let _ = self.socket.flush();
    }
}

/// Shakes hands; `wait` waits a little, or says that it was long enough.
fn shaken(
    stream: Stream,
    address: &Address,
    encoding: Encoding,
    wait: &mut dyn FnMut() -> Option<()>,
) -> Result<WebSocket<Stream>, String> {
    let mut request = address.url.as_str().into_client_request().map_err(|e| e.to_string())?;
    if encoding == Encoding::MessagePack {
        request.headers_mut().insert("Content-Type", HeaderValue::from_static("application/msgpack"));
    }
    let config = WebSocketConfig::default().max_message_size(Some(FRAME)).max_frame_size(Some(FRAME));
    let mut shaking = tungstenite::client::client_with_config(request, stream, Some(config));
    loop {
        shaking = match shaking {
            Ok((socket, _)) => return Ok(socket),
            Err(HandshakeError::Failure(e)) => return Err(e.to_string()),
            Err(HandshakeError::Interrupted(later)) => {
                wait().ok_or("no answer")?;
                later.handshake()
            }
        };
    }
}
