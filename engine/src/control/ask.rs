//! The operator's end of the control socket.
//!
//! Bound: [`PATIENCE`], and what the engine itself may take to read the configuration again or to begin a new journal. Worst case: an engine
//! that is stopped takes nothing, and that it has not answered is said.

use super::client::{LOADING, ROLLING};
use super::in_force::{self, InForce};
use super::message::{ControlReply, ControlRequest, LAST, RELOAD, ROLL};
use super::socket;
use super::status::{self, Status};
use super::watching::{WATCHING, WatchAction};
use crate::last_values::LastAnswer;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// How long the engine may take.
const PATIENCE: Duration = Duration::from_secs(3);
/// How long a client that was turned away tries again.
const TURNED_AWAY: Duration = Duration::from_secs(1);
/// Most bytes of a reply.
const MOST: u64 = 1 << 20;

/// Why there is no reply.
#[derive(Debug, thiserror::Error)]
pub enum AskError {
    /// Nobody listens.
    #[error("{}: {error}; is `tidegate run` running with this journal, and is it yours?", path.display())]
    Unreachable {
        /// The socket.
        path: PathBuf,
        /// The error.
        error: io::Error,
    },
    /// The engine serves as many clients as it can, and answered none of this one's questions.
    #[error("{}: the engine serves too many other clients at the moment; try again", path.display())]
    TurnedAway {
        /// The socket.
        path: PathBuf,
    },
    /// The engine does not know at the moment.
    #[error("it is not known: {why}; try again")]
    NotKnown {
        /// The reason.
        why: String,
    },
    /// There is no answer to it.
    #[error("{why}")]
    NoSuch {
        /// The reason.
        why: String,
    },
    /// A question was asked, and nothing came back.
    #[error("{}: no answer ({error})", path.display())]
    NothingCame {
        /// The socket.
        path: PathBuf,
        /// The error.
        error: io::Error,
    },
    /// The request was sent, and nothing came back.
    #[error("{}: no answer ({error}); it is not known whether the command entered", path.display())]
    NoAnswer {
        /// The socket.
        path: PathBuf,
        /// The error.
        error: io::Error,
    },
}

/// Sends a command to the run that writes the journal in this folder.
///
/// # Errors
/// When no run listens there, or it does not answer.
pub fn ask(journal: &Path, asked: &ControlRequest) -> Result<ControlReply, AskError> {
    let last = Instant::now() + TURNED_AWAY;
    loop {
        match exchange(journal, asked)? {
            ControlReply::Busy if Instant::now() < last => std::thread::sleep(Duration::from_millis(5)),
            reply => return Ok(reply),
        }
    }
}

/// Asks the run that writes the journal in this folder for its status.
///
/// # Errors
/// When no run listens there, or it does not answer.
pub fn status(journal: &Path) -> Result<Status, AskError> {
    inquire(journal, &ControlRequest::plain(status::ACTION, ""))
}

/// Asks the run that writes the journal in this folder for the values that commands may set.
///
/// # Errors
/// When no run listens there, it does not answer, or its pipeline does not.
pub fn in_force(journal: &Path) -> Result<InForce, AskError> {
    inquire(journal, &ControlRequest::plain(in_force::ACTION, ""))
}

/// Asks the run that writes the journal in this folder what it keeps under a key.
///
/// # Errors
/// When no run listens there, it does not answer, or nothing can be kept under that key.
pub fn last(journal: &Path, key: &str) -> Result<LastAnswer, AskError> {
    let asked = ControlRequest { key: Some(key.to_owned()), ..ControlRequest::plain(LAST, "") };
    inquire(journal, &asked)
}

fn inquire<T: DeserializeOwned>(journal: &Path, asked: &ControlRequest) -> Result<T, AskError> {
    let last = Instant::now() + TURNED_AWAY;
    loop {
        match exchange(journal, asked) {
            Ok(Inquired::Answer(answer)) => return Ok(*answer),
            Ok(Inquired::Other(ControlReply::Busy)) if Instant::now() < last => {
                std::thread::sleep(Duration::from_millis(5))
            }
            Ok(Inquired::Other(ControlReply::NotKnown { why })) => return Err(AskError::NotKnown { why }),
            Ok(Inquired::Other(ControlReply::Refused { why })) => return Err(AskError::NoSuch { why }),
            Ok(Inquired::Other(_)) => return Err(AskError::TurnedAway { path: socket::path(journal) }),
            Err(AskError::NoAnswer { path, error }) => return Err(AskError::NothingCame { path, error }),
            Err(e) => return Err(e),
        }
    }
}

/// What an engine answers to a question.
#[derive(Deserialize)]
#[serde(untagged)]
enum Inquired<T> {
    Answer(Box<T>),
    /// It turns this client away, or does not know.
    Other(ControlReply),
}

fn exchange<T: DeserializeOwned>(journal: &Path, asked: &ControlRequest) -> Result<T, AskError> {
    let path = || socket::path(journal);
    let patience = match asked.action.as_str() {
        RELOAD => LOADING + PATIENCE,
        ROLL => ROLLING + PATIENCE,
        action if WatchAction::of(action).is_some() => WATCHING + PATIENCE,
        _ => PATIENCE,
    };
    let until = Instant::now() + patience;
    let stream = socket::connected(journal, PATIENCE);
    let mut stream = stream.map_err(|error| AskError::Unreachable { path: path(), error })?;
    let mut line = serde_json::to_vec(asked).expect("a request is plain values");
    line.push(b'\n');
    // An engine that turns this client away has not read it, but has answered.
    let sent = stream.write_all(&line);
    let reply = reply(&mut stream, until, patience).and_then(|line| Ok(serde_json::from_slice(&line)?));
    reply.map_err(|error| AskError::NoAnswer { path: path(), error: sent.err().unwrap_or(error) })
}

/// The line that the engine answers.
fn reply(stream: &mut UnixStream, until: Instant, patience: Duration) -> io::Result<Vec<u8>> {
    let mut line = Vec::new();
    loop {
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(io::Error::new(io::ErrorKind::TimedOut, format!("none within {patience:?}")));
        }
        stream.set_read_timeout(Some(left))?;
        let mut piece = [0; 4_096];
        match stream.read(&mut piece) {
            Ok(0) => return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the engine closed the connection")),
            Ok(n) => line.extend_from_slice(&piece[..n]),
            Err(e) if matches!(e.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted) => {}
            Err(e) => return Err(e),
        }
        if line.last() == Some(&b'\n') {
            return Ok(line);
        }
        if line.len() as u64 > MOST {
            return Err(io::Error::other("the reply is too long"));
        }
    }
}
