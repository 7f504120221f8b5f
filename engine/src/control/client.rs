//! One client of the control socket: its request, its command, its answer.
//!
//! Every call returns at once. A client has [`READING`] for its whole request, its command [`ANSWERING`] to take effect,
//! and then [`READING`] again to take the answer.

use super::answer::Submitted;
use super::message::ControlReply;
use super::reloading::Steps;
use flow::records::Command;
use serde::Serialize;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::sync::mpsc::Receiver;
use std::time::{Duration, Instant};

/// How long a client may take for its whole request.
pub(super) const READING: Duration = Duration::from_millis(900);
/// How long a command may take until it is answered.
pub(super) const ANSWERING: Duration = Duration::from_millis(1_000);
/// How long the pipeline may take to say where trading stands; after that the last answer is shown, with its age.
const INQUIRING: Duration = Duration::from_millis(250);
/// How long it may take to open what was added to the configuration.
pub(super) const LOADING: Duration = Duration::from_secs(60);
/// How long it may take to begin a new journal.
pub(super) const ROLLING: Duration = Duration::from_secs(20);
/// Most bytes of a request.
const MOST: usize = 4_096;

/// What a thread has done beside the control thread.
pub(super) enum Loaded {
    /// What was added to the configuration is open, and is to be handed over.
    Opened(Box<Steps>),
    /// All of it.
    Done(ControlReply),
}

/// What a thread does meanwhile.
pub(super) struct Loading {
    pub(super) from: Receiver<Loaded>,
    /// What to answer if it is not done in time.
    pub(super) late: ControlReply,
}

/// What a client asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Question {
    /// The status of the engine.
    Status,
    /// The values that commands may set.
    InForce,
}

/// Where a client is.
pub(super) enum State {
    /// The request so far.
    Asking(Vec<u8>),
    /// A thread opens what was added to the configuration, or changes what is watched.
    Loading(Loading),
    /// It asked for a new journal, by the request of that number.
    Rolling(u64),
    /// Its command is submitted.
    Commanded(Submitted),
    /// It asked this at this time, and the pipeline has yet to say where trading stands.
    Inquiring(Question, Instant),
    /// What is left of the answer.
    Answered(Vec<u8>),
    /// Nothing is left to do.
    Left,
}

/// A client.
pub(super) struct Client {
    stream: UnixStream,
    pub(super) state: State,
    /// When it must have got further.
    pub(super) deadline: Instant,
    /// It has closed its end, so nobody reads an answer.
    is_gone: bool,
}

impl Client {
    /// # Errors
    /// When its stream cannot be used without waiting.
    pub(super) fn new(stream: UnixStream) -> io::Result<Client> {
        stream.set_nonblocking(true)?;
        let deadline = Instant::now() + READING;
        Ok(Client { stream, state: State::Asking(Vec::new()), deadline, is_gone: false })
    }

    /// Its stream, unless it has closed it.
    pub(super) fn stream(&self) -> Option<BorrowedFd<'_>> {
        (!self.is_gone).then(|| self.stream.as_fd())
    }

    /// The user id of its process, if the system reports it.
    pub(super) fn uid(&self) -> u32 {
        rustix::net::sockopt::socket_peercred(&self.stream).map_or(Command::NO_UID, |peer| peer.uid.as_raw())
    }

    /// It has closed its end. A halt and a cancel-all are followed to their end all the same; another command is given up.
    pub(super) fn leave(&mut self) {
        self.is_gone = true;
        if let State::Commanded(command) = &self.state
            && command.kills()
        {
            return;
        }
        if let State::Commanded(command) = &self.state {
            command.ticket.give_up();
        }
        self.state = State::Left;
    }

    /// Reads what is there; returns the request once it is whole.
    pub(super) fn request(&mut self) -> Option<Vec<u8>> {
        let State::Asking(line) = &mut self.state else { return None };
        let mut piece = [0; 1_024];
        loop {
            match self.stream.read(&mut piece) {
                Ok(0) => {
                    self.state = State::Left;
                    return None;
                }
                Ok(n) => line.extend_from_slice(&piece[..n]),
                Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => return None,
                Err(_) => {
                    self.leave();
                    return None;
                }
            }
            if let Some(end) = line.iter().position(|byte| *byte == b'\n') {
                line.truncate(end);
                return Some(std::mem::take(line));
            }
            if line.len() > MOST {
                self.answer(&ControlReply::NotCarriedOut { why: format!("a request has at most {MOST} bytes") });
                return None;
            }
        }
    }

    /// It waits for a thread, for so long at most.
    pub(super) fn load(&mut self, loading: Loading, time: Duration) {
        self.state = State::Loading(loading);
        self.deadline = Instant::now() + time;
    }

    /// It waits for a new journal.
    pub(super) fn roll(&mut self, request: u64) {
        self.state = State::Rolling(request);
        self.deadline = Instant::now() + ROLLING;
    }

    /// Its command is submitted.
    pub(super) fn submit(&mut self, command: Submitted) {
        self.state = State::Commanded(command);
        self.deadline = Instant::now() + ANSWERING;
    }

    /// It waits for what the pipeline says.
    pub(super) fn inquire(&mut self, question: Question) {
        let now = Instant::now();
        self.state = State::Inquiring(question, now);
        self.deadline = now + if question == Question::Status { INQUIRING } else { ANSWERING };
    }

    /// Writes an answer, as far as it goes at once.
    pub(super) fn answer(&mut self, reply: &impl Serialize) {
        let mut line = serde_json::to_vec(reply).expect("an answer is plain values");
        line.push(b'\n');
        self.state = State::Answered(line);
        self.deadline = Instant::now() + READING;
        self.write();
    }

    /// Writes more of the answer.
    pub(super) fn write(&mut self) {
        let State::Answered(rest) = &mut self.state else { return };
        while !rest.is_empty() && !self.is_gone {
            match self.stream.write(rest) {
                Ok(n) if n > 0 => drop(rest.drain(..n)),
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => return,
                _ => break,
            }
        }
        self.state = State::Left;
    }

    /// Its time is over: a request that is not whole is not carried out, and an answer that nobody reads is dropped.
    pub(super) fn is_late(&mut self) {
        match self.state {
            State::Asking(_) => {
                let why = format!("the command was not read whole within {} ms", READING.as_millis());
                self.answer(&ControlReply::NotCarriedOut { why });
            }
            State::Answered(_) => self.state = State::Left,
            State::Loading(_) | State::Rolling(_) | State::Commanded(_) | State::Inquiring(..) | State::Left => {}
        }
    }
}
