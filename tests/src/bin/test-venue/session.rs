//! A session: frames off the socket, answers onto it, and the points at which the client is killed.

use crate::exchange::Exchange;
use flow::records::{Command, Sent};
use flow::{Event, Flags, Kind, Ns, OrderId};
use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};
use tidegate_tests::{Inlet, Outlet};

const VERSION: u32 = 3;
/// A frame with an event on the socket.
const FRAME: usize = 16 + size_of::<Event>();
/// After so much silence of a client its session is over.
const TIMEOUT: Duration = Duration::from_secs(2);

/// Where a client is killed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Point {
    /// Its hello has come and is not answered.
    Hello,
    /// A question has come and is not answered.
    Asked,
    /// A route has come.
    Route,
    /// Half of an answer is on the socket.
    Half,
    /// A whole answer is on the socket.
    Written,
}

impl Point {
    pub(crate) fn named(name: &str) -> Option<Point> {
        Some(match name {
            "hello" => Point::Hello,
            "asked" => Point::Asked,
            "route" => Point::Route,
            "half" => Point::Half,
            "written" => Point::Written,
            _ => return None,
        })
    }
}

/// A kill that waits for its point, to be passed so many times before.
pub(crate) struct Armed {
    pub(crate) pid: i32,
    pub(crate) after: u64,
    pub(crate) point: Point,
}

/// Kills the client when it is time.
fn pass(point: Point, armed: &mut Option<Armed>) -> bool {
    let Some(kill) = armed.as_mut().filter(|a| a.point == point) else { return false };
    if kill.after > 0 {
        kill.after -= 1;
        return false;
    }
    let pid = rustix::process::Pid::from_raw(kill.pid).expect("a pid is not 0");
    // It may have ended by itself just now.
    let _ = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
    *armed = None;
    true
}

/// Why a session is refused, and what the refusal says of it.
pub(crate) enum Refusal {
    /// The engine of that journal has the session.
    AnotherEngine(u64),
    /// The client has not proved that it has the secret.
    Secret,
    /// The client does not speak version 3.
    Version,
}

/// The proof of one end that it has the secret.
fn proof(secret: &str, end: &[u8; 6], journal: u64, hellos: &[Event; 2]) -> [u8; 32] {
    let key = blake3::derive_key("tidegate wire 3: proof of the secret", secret.as_bytes());
    let mut hashed = end.to_vec();
    hashed.extend_from_slice(&journal.to_le_bytes());
    hashed.extend_from_slice(bytemuck::cast_slice(hellos));
    *blake3::keyed_hash(&key, &hashed).as_bytes()
}

/// A connection.
pub(crate) struct Session {
    stream: TcpStream,
    inlet: Inlet,
    outlet: Outlet,
    /// The client's journal, once its hello has come.
    pub(crate) journal: u64,
    /// The client's hello, until it is answered.
    pub(crate) hello: Option<Event>,
    /// The proof that the client has to give before anything else.
    owed: Option<[u8; 32]>,
    /// Answers handed to the outlet; `None` while none are given.
    given: Option<usize>,
    greeted: bool,
    over: bool,
    heard: Instant,
    sent: Instant,
    /// The silence after which the client wants a heartbeat.
    beat: Duration,
}

impl Session {
    pub(crate) fn new(stream: TcpStream) -> Session {
        stream.set_nonblocking(true).and_then(|()| stream.set_nodelay(true)).expect("a socket can be asked");
        let (inlet, outlet, now) = (Inlet::default(), Outlet::default(), Instant::now());
        Session {
            stream,
            inlet,
            outlet,
            journal: 0,
            hello: None,
            owed: None,
            given: None,
            greeted: false,
            over: false,
            heard: now,
            sent: now,
            beat: TIMEOUT,
        }
    }

    /// Whether the client has left, has sent what is no frame, or is silent for too long.
    pub(crate) fn is_over(&self) -> bool {
        self.over || self.heard.elapsed() > TIMEOUT
    }

    /// Takes everything that has come; whether anything had.
    pub(crate) fn read(&mut self, exchange: &mut Exchange, armed: &mut Option<Armed>) -> bool {
        let mut any = false;
        let mut chunk = [0; 16 << 10];
        while !self.over {
            match self.stream.read(&mut chunk) {
                Ok(0) => self.over = true,
                Ok(n) => {
                    (any, self.heard) = (true, Instant::now());
                    self.inlet.add(&chunk[..n]);
                    self.take_all(exchange, armed);
                }
                Err(e) if e.kind() == ErrorKind::WouldBlock => break,
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                Err(_) => self.over = true,
            }
        }
        any
    }

    fn take_all(&mut self, exchange: &mut Exchange, armed: &mut Option<Armed>) {
        loop {
            match self.inlet.take() {
                Ok(None) => return,
                Ok(Some((journal, payload))) => {
                    self.journal = journal;
                    if let Some(expected) = self.owed {
                        self.owed = None;
                        if payload != expected {
                            return self.refuse(&Refusal::Secret);
                        }
                    } else if payload.len() == size_of::<Event>() {
                        self.take(&bytemuck::pod_read_unaligned(&payload), exchange, armed);
                    }
                }
                Err(what) => {
                    eprintln!("a session is over: {what}");
                    self.over = true;
                    return;
                }
            }
        }
    }

    fn take(&mut self, frame: &Event, exchange: &mut Exchange, armed: &mut Option<Armed>) {
        match frame.kind {
            Kind::Command => {
                pass(Point::Hello, armed);
                self.hello = Some(*frame);
            }
            _ if !self.greeted => self.over = true,
            Kind::Sent => {
                pass(Point::Asked, armed);
                let question: &Sent = frame.record();
                exchange.asked.insert(question.order_id);
                let known = exchange.knows(OrderId(question.order_id));
                let action = if known { 1 } else { 2 };
                let answer = Sent { action, ..*question };
                self.give(exchange);
                self.outlet.event(self.journal, &Event::new(Ns(0), 0, Flags::NONE, &answer));
            }
            Kind::Route => {
                exchange.take(*frame);
                pass(Point::Route, armed);
            }
            other => panic!("a frame of kind {other:?}: {frame:?}"),
        }
    }

    /// Answers the hello: the session is open, once the client has proved that it has the secret.
    pub(crate) fn welcome(&mut self, exchange: &mut Exchange, secret: Option<&str>) {
        let frame = self.hello.take().expect("its hello has come");
        let hello: &Command = frame.record();
        let given = exchange.answers().len();
        let received = usize::try_from(hello.new).ok();
        assert!(received.is_none_or(|n| n <= given), "{received:?} answers received of {given}");
        exchange.sessions += 1;
        (self.given, self.greeted) = (received, true);
        self.beat = Duration::from_millis(u64::try_from(hello.old).expect("a time")) / 3;
        let (target, old) = (VERSION, TIMEOUT.as_millis() as i64);
        let own = Command { action: 0, target, old, new: given as i64, asked_ts: Ns(given as u64 ^ 77), ..*hello };
        self.say(&own);
        if let Some(secret) = secret {
            let hellos = [frame, Event::new(Ns(0), 0, Flags::NONE, &own)];
            let of = |end| proof(secret, end, self.journal, &hellos);
            self.outlet.push(self.journal, &of(b"venue "));
            self.owed = Some(of(b"engine"));
        }
    }

    /// Answers the hello with a refusal.
    pub(crate) fn refuse(&mut self, why: &Refusal) {
        let (actor, new) = match why {
            Refusal::AnotherEngine(journal) => {
                eprintln!(
                    "refused the engine of journal {:016x}: that of {journal:016x} has the session",
                    self.journal
                );
                (1, *journal as i64)
            }
            Refusal::Secret => {
                eprintln!("refused the engine of journal {:016x}: it does not have the secret", self.journal);
                (2, 0)
            }
            Refusal::Version => (3, i64::from(VERSION)),
        };
        self.hello = None;
        self.say(&Command { action: 0, target: 0, actor, new, ..Command::default() });
        let _ = self.stream.write(&self.outlet.bytes);
        self.over = true;
    }

    fn say(&mut self, command: &Command) {
        self.outlet.event(self.journal, &Event::new(Ns(0), 0, Flags::NONE, command));
    }

    /// Queues the answers that were not given yet.
    fn give(&mut self, exchange: &Exchange) {
        if let Some(given) = self.given.as_mut().filter(|_| self.owed.is_none()) {
            let new = &exchange.answers()[*given..];
            *given += new.len();
            new.iter().for_each(|answer| self.outlet.event(self.journal, answer));
        }
    }

    /// Puts what waits onto the socket; whether anything was.
    pub(crate) fn write(&mut self, exchange: &Exchange, armed: &mut Option<Armed>) -> bool {
        self.give(exchange);
        if self.outlet.bytes.is_empty() && self.sent.elapsed() > self.beat {
            self.outlet.push(self.journal, &[]);
        }
        let halves = armed.as_ref().is_some_and(|a| a.point == Point::Half);
        let mut any = false;
        while !self.outlet.bytes.is_empty() && !self.over {
            let frame = self.outlet.bytes.len().min(FRAME);
            let most = if halves { frame.div_ceil(2) } else { self.outlet.bytes.len() };
            match self.stream.write(&self.outlet.bytes[..most]) {
                Ok(n) => {
                    (any, self.sent) = (true, Instant::now());
                    self.outlet.bytes.drain(..n);
                    if self.given.is_some() {
                        pass(if halves { Point::Half } else { Point::Written }, armed);
                    }
                }
                Err(e) if e.kind() == ErrorKind::WouldBlock => return any,
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                Err(_) => self.over = true,
            }
        }
        any
    }
}
