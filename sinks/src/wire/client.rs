//! Our end of the connection.
//!
//! The socket never blocks once the session is open. A write that finds no room reads meanwhile, so that two ends that
//! both write do not deadlock; it fails after the timeout. Answers must be numbered without gaps: a venue that skips or
//! repeats a number violates the protocol.

use super::frame::{ANSWERS, VERSION, hello, order_status_of, parse_hello, question};
use flow::records::Route;
use flow::{Action, Approved, Event, EventId, Flags, Ns, OrderId, Px, Venue, VenueError, VenueReply};
use std::collections::VecDeque;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream, ToSocketAddrs};
use std::time::{Duration, Instant};

const FRAME: usize = size_of::<Event>();
/// Bytes per read.
const CHUNK: usize = 64 << 10;
/// How long closing a session waits for the venue to close its end.
const LINGER: Duration = Duration::from_millis(200);
/// The most frames received while a write waits for room.
const MAX_WAITING: usize = 1 << 20;

/// A venue at an address.
pub(super) struct Wire {
    address: String,
    timeout: Duration,
    stream: Option<TcpStream>,
    /// Bytes of an incomplete frame.
    part: Vec<u8>,
    frames: VecDeque<Event>,
    /// Number of the last answer.
    received: u64,
}

impl Wire {
    pub(super) fn new(address: String, timeout: Duration) -> Wire {
        Wire { address, timeout, stream: None, part: Vec::new(), frames: VecDeque::new(), received: 0 }
    }

    fn error(&self, what: String, next: &'static str, transient: bool) -> VenueError {
        VenueError { what, place: format!("venue wire at {}", self.address), next, transient }
    }

    fn broken(&mut self, what: &str, error: &io::Error) -> VenueError {
        self.stream = None;
        self.error(format!("{what}: {error}"), "check that the venue is running and reachable", true)
    }

    fn protocol_error(&mut self, what: String) -> VenueError {
        self.stream = None;
        self.error(what, "give the address of the venue that this journal traded with", false)
    }

    fn connect(&self) -> io::Result<TcpStream> {
        let mut last = io::Error::new(ErrorKind::NotFound, "the host name has no address");
        for address in self.address.to_socket_addrs()? {
            match TcpStream::connect_timeout(&address, self.timeout) {
                Ok(stream) => return Ok(stream),
                Err(e) => last = e,
            }
        }
        Err(last)
    }

    /// Sends our hello and waits for the venue's.
    fn handshake(&self, received: u64) -> io::Result<(TcpStream, Event)> {
        let mut stream = self.connect()?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(self.timeout))?;
        stream.set_write_timeout(Some(self.timeout))?;
        stream.write_all(bytemuck::bytes_of(&hello(received)))?;
        let mut bytes = [0; FRAME];
        stream.read_exact(&mut bytes)?;
        stream.set_nonblocking(true)?;
        Ok((stream, bytemuck::cast(bytes)))
    }

    /// Reads what has arrived; returns whether anything had.
    fn read(&mut self) -> Result<bool, VenueError> {
        let mut chunk = [0; CHUNK];
        let stream = self.stream.as_mut().ok_or_else(|| io::Error::from(ErrorKind::NotConnected));
        let read = match stream.and_then(|stream| stream.read(&mut chunk)) {
            Ok(0) => Err(io::Error::new(ErrorKind::UnexpectedEof, "the venue closed the connection")),
            Err(e) if matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => return Ok(false),
            other => other,
        };
        let n = read.map_err(|e| self.broken("reading", &e))?;
        self.part.extend_from_slice(&chunk[..n]);
        let whole = self.part.len() / FRAME * FRAME;
        let events = self.part[..whole].chunks_exact(FRAME).map(bytemuck::pod_read_unaligned::<Event>);
        self.frames.extend(events);
        self.part.drain(..whole);
        Ok(true)
    }

    fn write(&mut self, frame: &Event) -> Result<(), VenueError> {
        let bytes = bytemuck::bytes_of(frame);
        let (mut written, mut since) = (0, None);
        while written < FRAME {
            let stream = self.stream.as_mut().ok_or_else(|| io::Error::from(ErrorKind::NotConnected));
            match stream.and_then(|stream| stream.write(&bytes[written..])) {
                Ok(n) => written += n,
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                Err(e) if e.kind() == ErrorKind::WouldBlock => {
                    let late = since.get_or_insert_with(Instant::now).elapsed() > self.timeout;
                    if late || self.frames.len() > MAX_WAITING {
                        return Err(self.broken("sending", &io::Error::from(ErrorKind::TimedOut)));
                    }
                    if !self.read()? {
                        std::thread::sleep(Duration::from_micros(50));
                    }
                }
                Err(e) => return Err(self.broken("sending", &e)),
            }
        }
        Ok(())
    }

    fn interpret(&mut self, frame: Event) -> Result<VenueReply, VenueError> {
        if let Some((order_id, known)) = order_status_of(&frame) {
            return Ok(VenueReply::OrderStatus { order_id, known });
        }
        if !ANSWERS.has(frame.kind) {
            return Err(self.protocol_error(format!("sent a frame that is not an answer: {frame:?}")));
        }
        if frame.id.0 != self.received + 1 {
            return Err(self.protocol_error(format!("answer {} came after answer {}", frame.id.0, self.received)));
        }
        self.received += 1;
        Ok(VenueReply::Numbered(frame))
    }
}

impl Drop for Wire {
    /// Closing a socket with unread data may discard what was just sent, so this reads first.
    fn drop(&mut self) {
        let Some(mut stream) = self.stream.take() else { return };
        let patience = Instant::now() + LINGER;
        let mut chunk = [0; CHUNK];
        let mut open = stream.shutdown(Shutdown::Write).is_ok();
        while open && Instant::now() < patience {
            open = match stream.read(&mut chunk) {
                Ok(n) => n > 0,
                Err(e) if e.kind() == ErrorKind::WouldBlock => {
                    std::thread::sleep(Duration::from_millis(1));
                    true
                }
                Err(_) => false,
            };
        }
    }
}

impl Venue for Wire {
    fn resume(&mut self, received: u64) -> Result<u64, VenueError> {
        self.stream = None;
        self.part.clear();
        self.frames.clear();
        let (stream, reply) = self.handshake(received).map_err(|e| self.broken("handshake", &e))?;
        let Some((version, given)) = parse_hello(&reply) else {
            return Err(self.protocol_error(format!("answered the hello with {reply:?}")));
        };
        if version != VERSION {
            return Err(self.protocol_error(format!("speaks version {version} of the protocol, not {VERSION}")));
        }
        if given < received {
            return Err(self.protocol_error(format!("gave {given} answers, but {received} are recorded")));
        }
        (self.stream, self.received) = (Some(stream), received);
        Ok(given)
    }

    fn send(&mut self, route: &Approved<Event>) -> Result<(), VenueError> {
        self.write(route.get())
    }

    fn query(&mut self, order_id: OrderId) -> Result<(), VenueError> {
        self.write(&question(order_id))
    }

    fn poll(&mut self) -> Result<Option<VenueReply>, VenueError> {
        if self.frames.is_empty() {
            self.read()?;
        }
        self.frames.pop_front().map(|frame| self.interpret(frame)).transpose()
    }

    fn cancel_all(&mut self) -> Result<(), VenueError> {
        let all = Route { action: Action::CancelAll.code(), px: Px::NONE, ..Route::default() };
        let frame = Event { id: EventId(0), ..Event::new(Ns(0), 0, Flags::NONE, &all) };
        self.write(&frame)
    }
}
