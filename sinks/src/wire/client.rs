//! Our end of the connection.
//!
//! The socket never blocks: what it has no room for is kept and offered again at the next flush. Deadlines are looked at
//! whenever the gateway calls: one for the whole greeting (connection, hello, proofs), one until the socket has taken all
//! that was sent, one for silence. While the venue has nothing to say it sends heartbeats, and so do we. Answers must be numbered
//! without gaps: a venue that skips or repeats a number violates the protocol, and no retry can mend that. Damaged bytes
//! break the session only, and the next one gets the answers again.

use super::connect::Connector;
use super::frame::{ANSWERS, Hello, Refusal, VERSION, cancel, cancel_all, order_status, question};
use super::framing::{BadFrame, Incoming, Outgoing, Payload};
use super::proof::{End, is_proof, proof};
use flow::{
    Approved, Event, Known, OpenOrder, Opened, OrderAnswer, OrderId, Patience, SecretPlace, Venue, VenueError,
    VenueReply,
};
use secret::Secret;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::{Duration, Instant};

/// Bytes per read.
const CHUNK: usize = 64 << 10;
/// How long closing a session waits for the venue to close its end.
const LINGER: Duration = Duration::from_millis(100);
/// Heartbeats within the other end's timeout.
const BEATS: u32 = 3;
/// Advice for a connection that broke.
const CHECK: &str = "check that the venue is running and reachable";

/// What the parameters say.
#[derive(Clone, Debug)]
pub(super) struct Settings {
    pub(super) address: String,
    pub(super) timeout: Duration,
    pub(super) patience: Patience,
    pub(super) mass_cancel: bool,
    /// Where the secret is that both ends prove to have.
    pub(super) secret: Option<SecretPlace>,
}

/// How far a session is.
#[derive(Clone, Copy, PartialEq)]
enum Phase {
    Closed,
    Connecting,
    /// Our hello is out.
    Greeting(Event),
    /// The venue's is here too, and its proof is to follow.
    Proving(Event, Event),
    Open,
}

/// What of the record a session begins with.
#[derive(Clone, Copy, PartialEq)]
struct Begun {
    journal: u64,
    received: Option<u64>,
}

/// A venue at an address.
pub(super) struct Wire {
    settings: Settings,
    connector: Connector,
    phase: Phase,
    stream: Option<TcpStream>,
    how: Begun,
    /// The secret, until both ends have proved that they have it.
    secret: Option<Secret>,
    /// When the greeting must be over.
    deadline: Instant,
    incoming: Incoming,
    outgoing: Outgoing,
    chunk: Box<[u8]>,
    /// Number of the last answer.
    received: u64,
    heard: Option<Instant>,
    /// When the socket last took bytes.
    sent: Instant,
    /// Since when it has not taken everything.
    full: Option<Instant>,
    /// The silence after which a heartbeat is due.
    beat: Duration,
}

impl Wire {
    pub(super) fn new(settings: Settings) -> Wire {
        let now = Instant::now();
        Wire {
            connector: Connector::new(settings.address.clone()),
            phase: Phase::Closed,
            stream: None,
            how: Begun { journal: 0, received: None },
            secret: None,
            deadline: now,
            incoming: Incoming::default(),
            outgoing: Outgoing::default(),
            chunk: vec![0; CHUNK].into_boxed_slice(),
            received: 0,
            heard: None,
            sent: now,
            full: None,
            beat: settings.timeout,
            settings,
        }
    }

    fn error(&mut self, what: String, next: &'static str, transient: bool) -> VenueError {
        (self.phase, self.stream) = (Phase::Closed, None);
        VenueError { what, place: format!("venue wire at {}", self.connector.address()), next, transient }
    }

    fn broken(&mut self, what: &str, error: &io::Error) -> VenueError {
        self.error(format!("{what}: {error}"), CHECK, true)
    }

    fn late(&mut self, what: &str) -> VenueError {
        self.error(format!("{what} within {:?}", self.settings.timeout), CHECK, true)
    }

    fn violated(&mut self, what: String) -> VenueError {
        self.error(what, "give the address of the venue that this journal traded with", false)
    }

    fn damaged(&mut self, frame: BadFrame) -> VenueError {
        let what = format!("frame {} of the session is damaged, or is not a frame of version {VERSION}", frame.number);
        self.error(what, "check the connection, and that the address is that of the venue", true)
    }

    fn begin(&mut self, how: Begun) -> Result<(), VenueError> {
        let secret = self.settings.secret.as_ref().map(Secret::read).transpose();
        self.secret = secret.map_err(|e| self.error(e.to_string(), "put the secret there", false))?;
        self.connector.reset();
        (self.phase, self.stream, self.how) = (Phase::Connecting, None, how);
        (self.incoming, self.outgoing) = (Incoming::default(), Outgoing::default());
        (self.full, self.beat) = (None, self.settings.timeout / BEATS);
        self.deadline = Instant::now() + self.settings.timeout;
        Ok(())
    }

    fn push(&mut self, event: &Event) {
        self.outgoing.push(self.how.journal, bytemuck::bytes_of(event));
    }

    fn greet(&mut self, stream: TcpStream) -> Result<(), VenueError> {
        self.stream = Some(stream);
        let mut nonce = [0; 16];
        rustix::rand::getrandom(&mut nonce, rustix::rand::GetRandomFlags::empty())
            .map_err(|e| self.broken("drawing a nonce", &e.into()))?;
        let timeout = self.settings.timeout;
        let hello = Hello { version: VERSION, timeout, answers: self.how.received, nonce }.event();
        self.push(&hello);
        self.phase = Phase::Greeting(hello);
        Ok(())
    }

    /// The next step of the greeting: the venue's hello, then its proof if we have a secret. Returns the number of answers
    /// that the venue has given, once the session is open.
    fn greeted(&mut self) -> Result<Option<u64>, VenueError> {
        self.write()?;
        let Some(payload) = self.payload()? else { return Ok(None) };
        match (self.phase, payload) {
            (Phase::Greeting(ours), Payload::Event(theirs)) => {
                let hello = self.hello(&theirs)?;
                self.beat = (hello.timeout / BEATS).max(Duration::from_millis(1));
                if self.secret.is_some() {
                    self.phase = Phase::Proving(ours, theirs);
                    return self.greeted();
                }
                Ok(Some(self.opened(&hello)))
            }
            (Phase::Proving(ours, theirs), payload) => {
                self.prove(payload, &ours, &theirs)?;
                let hello = self.hello(&theirs)?;
                Ok(Some(self.opened(&hello)))
            }
            (_, other) => Err(self.violated(format!("answered the hello with {other:?}"))),
        }
    }

    fn opened(&mut self, hello: &Hello) -> u64 {
        (self.phase, self.received) = (Phase::Open, self.how.received.unwrap_or(0));
        hello.answers.unwrap_or(0)
    }

    /// Compares the venue's proof with the one that it must give, and gives ours.
    fn prove(&mut self, payload: Payload, ours: &Event, theirs: &Event) -> Result<(), VenueError> {
        const NEXT: &str = "check wire.address and wire.secret: something else may listen there";
        let secret = self.secret.take().expect("only with a secret does the venue have to prove anything");
        let of = |end| proof(&secret, end, self.how.journal, ours, theirs);
        let (expected, own) = (of(End::Venue), of(End::Engine));
        match payload {
            Payload::Proof(found) if is_proof(found, &expected) => {
                self.outgoing.push(self.how.journal, own.as_bytes());
                Ok(())
            }
            Payload::Proof(_) => Err(self.error("does not have our secret".to_owned(), NEXT, false)),
            _ => Err(self.error("does not prove that it has our secret".to_owned(), NEXT, false)),
        }
    }

    /// The venue's hello, if the frame is one that we can go on with.
    fn hello(&mut self, frame: &Event) -> Result<Hello, VenueError> {
        if let Some(refusal) = Refusal::parse(frame) {
            let (what, next) = refusal.words();
            return Err(self.error(what, next, false));
        }
        let Some(hello) = Hello::parse(frame) else {
            return Err(self.violated(format!("answered the hello with {frame:?}")));
        };
        if hello.version != VERSION {
            return Err(self.violated(format!("speaks version {} of the protocol, not {VERSION}", hello.version)));
        }
        let (received, given) = (self.how.received.unwrap_or(0), hello.answers.unwrap_or(0));
        if given < received {
            return Err(self.violated(format!("gave {given} answers, but {received} are recorded")));
        }
        Ok(hello)
    }

    /// The next payload, if it is here; reads when no whole frame is left.
    fn payload(&mut self) -> Result<Option<Payload>, VenueError> {
        loop {
            match self.incoming.next(self.how.journal) {
                Ok(Some(payload)) => {
                    self.heard = Some(Instant::now());
                    return Ok(Some(payload));
                }
                Ok(None) => {}
                Err(e) => return Err(self.damaged(e)),
            }
            if !self.read()? {
                return Ok(None);
            }
        }
    }

    /// Reads what has arrived; returns whether anything had.
    fn read(&mut self) -> Result<bool, VenueError> {
        let stream = self.stream.as_mut().ok_or_else(|| io::Error::from(ErrorKind::NotConnected));
        let read = match stream.and_then(|stream| stream.read(&mut self.chunk)) {
            Ok(0) => Err(io::Error::new(ErrorKind::UnexpectedEof, "the venue closed the connection")),
            Err(e) if matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => return Ok(false),
            other => other,
        };
        let n = read.map_err(|e| self.broken("reading", &e))?;
        self.incoming.add(&self.chunk[..n]);
        Ok(true)
    }

    /// Offers the socket what it does not have; whether it has everything.
    fn write(&mut self) -> Result<bool, VenueError> {
        while !self.outgoing.left().is_empty() {
            let stream = self.stream.as_mut().ok_or_else(|| io::Error::from(ErrorKind::NotConnected));
            match stream.and_then(|stream| stream.write(self.outgoing.left())) {
                Ok(n) => {
                    self.outgoing.gave(n);
                    self.sent = Instant::now();
                }
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                Err(e) if e.kind() == ErrorKind::WouldBlock => {
                    if self.full.get_or_insert_with(Instant::now).elapsed() > self.settings.timeout {
                        return Err(self.late("did not take what was sent"));
                    }
                    return Ok(false);
                }
                Err(e) => return Err(self.broken("sending", &e)),
            }
        }
        self.full = None;
        Ok(true)
    }

    fn interpret(&mut self, frame: Event) -> Result<Option<VenueReply>, VenueError> {
        if let Some((order_id, known)) = order_status(&frame) {
            return Ok(Some(VenueReply::Status { order_id, is: OrderAnswer::known(known) }));
        }
        if let Some(refusal) = Refusal::parse(&frame) {
            let (what, next) = refusal.words();
            return Err(self.error(what, next, false));
        }
        if !ANSWERS.has(frame.kind) {
            return Err(self.violated(format!("sent a frame that is not an answer: {frame:?}")));
        }
        if self.how.received.is_none() {
            // A session for cancels alone takes no answers: the next one that does gets them again.
            return Ok(None);
        }
        if frame.id.0 != self.received + 1 {
            return Err(self.violated(format!("answer {} came after answer {}", frame.id.0, self.received)));
        }
        self.received += 1;
        Ok(Some(VenueReply::Answer(frame)))
    }
}

impl Drop for Wire {
    /// Closing a socket with unread data may discard what was just sent, so this reads first.
    fn drop(&mut self) {
        let Some(mut stream) = self.stream.take() else { return };
        let patience = Instant::now() + LINGER;
        let mut open = self.phase == Phase::Open && stream.shutdown(Shutdown::Write).is_ok();
        while open && Instant::now() < patience {
            open = match stream.read(&mut self.chunk) {
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
    fn patience(&self) -> Patience {
        self.settings.patience
    }

    fn resume(&mut self, known: &Known) -> Result<Option<Opened>, VenueError> {
        let how = Begun { journal: known.journal, received: known.received };
        if matches!(self.phase, Phase::Closed | Phase::Open) || self.how != how {
            self.begin(how)?;
        }
        if self.phase == Phase::Connecting {
            match self.connector.step() {
                Ok(Some(stream)) => self.greet(stream)?,
                Ok(None) => {}
                Err(e) => return Err(self.broken("connecting", &e)),
            }
        }
        if matches!(self.phase, Phase::Greeting(_) | Phase::Proving(..))
            && let Some(given) = self.greeted()?
        {
            return Ok(Some(Opened::Numbered(given)));
        }
        if Instant::now() > self.deadline {
            return Err(self.late("did not complete the greeting"));
        }
        Ok(None)
    }

    fn send(&mut self, route: &Approved<Event>) {
        self.push(route.get());
    }

    fn ask(&mut self, order_id: OrderId) {
        self.push(&question(order_id));
    }

    fn cancels_all(&self) -> bool {
        self.settings.mass_cancel
    }

    fn cancel_all(&mut self) {
        self.push(&cancel_all());
    }

    fn cancel(&mut self, order: &OpenOrder) {
        self.push(&cancel(order));
    }

    fn flush(&mut self) -> Result<bool, VenueError> {
        if self.phase == Phase::Open && self.outgoing.left().is_empty() && self.sent.elapsed() > self.beat {
            self.outgoing.push(self.how.journal, &[]);
        }
        self.write()
    }

    fn poll(&mut self) -> Result<Option<VenueReply>, VenueError> {
        while let Some(payload) = self.payload()? {
            match payload {
                Payload::Heartbeat => {}
                Payload::Event(frame) => {
                    if let Some(reply) = self.interpret(frame)? {
                        return Ok(Some(reply));
                    }
                }
                Payload::Proof(_) => {
                    let next = "set wire.secret to the secret of that venue";
                    return Err(self.error("asks us for a secret".to_owned(), next, false));
                }
            }
        }
        if self.heard.is_none_or(|heard| heard.elapsed() > self.settings.timeout) {
            return Err(self.late("sent nothing, not even a heartbeat,"));
        }
        Ok(None)
    }

    fn silence(&self) -> Option<Duration> {
        self.heard.map(|heard| heard.elapsed())
    }
}
