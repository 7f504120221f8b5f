//! A session: frames off the socket, answers onto it, and the points at which the client is killed.

use crate::exchange::Exchange;
use flow::records::{Command, Sent};
use flow::{Event, EventId, Flags, Kind, Ns, OrderId};
use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;

const FRAME: usize = size_of::<Event>();

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

/// A connection.
pub(crate) struct Session {
    stream: TcpStream,
    part: Vec<u8>,
    out: Vec<u8>,
    /// Answers handed to `out`; `None` before the hello.
    given: Option<usize>,
    over: bool,
}

impl Session {
    pub(crate) fn new(stream: TcpStream) -> Session {
        stream.set_nonblocking(true).and_then(|()| stream.set_nodelay(true)).expect("a socket can be asked");
        Session { stream, part: Vec::new(), out: Vec::new(), given: None, over: false }
    }

    pub(crate) fn is_over(&self) -> bool {
        self.over
    }

    /// Takes everything that has come; whether anything had.
    pub(crate) fn read(&mut self, exchange: &mut Exchange, armed: &mut Option<Armed>) -> bool {
        let mut any = false;
        let mut chunk = [0; 16 << 10];
        loop {
            match self.stream.read(&mut chunk) {
                Ok(0) => self.over = true,
                Ok(n) => {
                    any = true;
                    self.part.extend_from_slice(&chunk[..n]);
                    let whole = self.part.len() / FRAME * FRAME;
                    let frames: Vec<Event> =
                        self.part[..whole].chunks_exact(FRAME).map(bytemuck::pod_read_unaligned).collect();
                    self.part.drain(..whole);
                    frames.iter().for_each(|frame| self.take(frame, exchange, armed));
                    continue;
                }
                Err(e) if e.kind() == ErrorKind::WouldBlock => {}
                Err(e) if e.kind() == ErrorKind::Interrupted => continue,
                Err(_) => self.over = true,
            }
            return any;
        }
    }

    fn take(&mut self, frame: &Event, exchange: &mut Exchange, armed: &mut Option<Armed>) {
        match frame.kind {
            Kind::Command => {
                exchange.sessions += 1;
                pass(Point::Hello, armed);
                let hello: &Command = frame.record();
                assert_eq!((hello.action, hello.target), (0, 2), "a hello of version 2");
                let given = exchange.answers().len();
                let mut reply = *frame;
                reply.record_mut::<Command>().new = given as i64;
                self.out.extend_from_slice(bytemuck::bytes_of(&reply));
                let received = usize::try_from(hello.new).expect("a count");
                assert!(received <= given, "{received} answers received of {given}");
                self.given = Some(received);
            }
            Kind::Sent => {
                pass(Point::Asked, armed);
                let question: &Sent = frame.record();
                let known = exchange.knows(OrderId(question.order_id));
                let action = if known { 1 } else { 2 };
                let answer = Sent { action, ..*question };
                self.give(exchange);
                self.out.extend_from_slice(bytemuck::bytes_of(&Event::new(Ns(0), 0, Flags::NONE, &answer)));
            }
            Kind::Route => {
                exchange.take(*frame);
                pass(Point::Route, armed);
            }
            other => panic!("a frame of kind {other:?}: {frame:?}, id {:?}", EventId(frame.id.0)),
        }
    }

    /// Queues the answers that were not given yet.
    fn give(&mut self, exchange: &Exchange) {
        if let Some(given) = &mut self.given {
            let new = &exchange.answers()[*given..];
            *given += new.len();
            self.out.extend_from_slice(bytemuck::cast_slice(new));
        }
    }

    /// Puts what waits onto the socket; whether anything was.
    pub(crate) fn write(&mut self, exchange: &Exchange, armed: &mut Option<Armed>) -> bool {
        self.give(exchange);
        let halves = armed.as_ref().is_some_and(|a| a.point == Point::Half);
        let mut any = false;
        while !self.out.is_empty() && !self.over {
            let frame = self.out.len().min(FRAME);
            let most = if halves { frame.div_ceil(2) } else { self.out.len() };
            match self.stream.write(&self.out[..most]) {
                Ok(n) => {
                    any = true;
                    self.out.drain(..n);
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
