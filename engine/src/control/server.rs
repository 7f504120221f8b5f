//! The control socket: the engine's end and the operator's end.

use super::message::{ControlReply, ControlRequest};
use super::status::{self, Status};
use crate::drive::Control;
use crate::ingress::{CommandSender, Submission, wall_now};
use flow::records::Command;
use serde::de::DeserializeOwned;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

const SOCKET: &str = "control.sock";
const MOST_ASKED: u64 = 4_096;
const MOST_ANSWERED: u64 = 1 << 20;
/// Timeout of either end.
const PATIENCE: Duration = Duration::from_secs(5);

/// Why a command could not be sent or received.
#[derive(Debug, thiserror::Error)]
#[error("{}: {error}; {next}", path.display())]
pub struct ControlError {
    path: PathBuf,
    error: io::Error,
    next: &'static str,
}

/// The listening end; it listens until it is dropped.
pub struct Server {
    path: PathBuf,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// Listens in a journal's folder, sends commands to `commands`, and answers with the status of the run under `control`.
    ///
    /// # Errors
    /// When the socket cannot be created.
    pub fn start(journal: &Path, commands: CommandSender, control: Control) -> Result<Server, ControlError> {
        let path = journal.join(SOCKET);
        let failed = |error| ControlError {
            path: path.clone(),
            error,
            next: "choose a journal folder with a shorter path, on a file system that supports sockets",
        };
        // A killed run may have left its socket; the journal's lock proves that no other run listens on it.
        let _ = std::fs::remove_file(&path);
        let listener = UnixListener::bind(&path).map_err(failed)?;
        listener.set_nonblocking(true).map_err(failed)?;
        let stop = Arc::new(AtomicBool::new(false));
        let ended = Arc::clone(&stop);
        let listen = move || {
            while !ended.load(Ordering::Relaxed) {
                match listener.accept() {
                    // A connection that breaks off has sent no complete command.
                    Ok((stream, _)) => drop(serve(&stream, &commands, &control)),
                    Err(_) => std::thread::sleep(Duration::from_millis(20)),
                }
            }
        };
        let thread = std::thread::Builder::new().name("control".to_owned()).spawn(listen).map_err(failed)?;
        Ok(Server { path, stop, thread: Some(thread) })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            // A panic in the thread sends no command, and the run is over.
            let _ = thread.join();
        }
        let _ = std::fs::remove_file(&self.path);
    }
}

fn serve(stream: &UnixStream, commands: &CommandSender, control: &Control) -> io::Result<()> {
    stream.set_nonblocking(false)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    let mut line = String::new();
    BufReader::new(stream.take(MOST_ASKED)).read_line(&mut line)?;
    let answer = match serde_json::from_str::<ControlRequest>(&line) {
        Ok(asked) if asked.action == status::ACTION => serde_json::to_string(&Status::of(control))?,
        asked => serde_json::to_string(&entered(asked.map_err(|e| e.to_string()), peer(stream), commands))?,
    };
    let mut to = stream;
    writeln!(to, "{answer}")
}

/// The user id of the process at the other end, if the system reports it.
fn peer(stream: &UnixStream) -> u32 {
    rustix::net::sockopt::socket_peercred(stream).map_or(Command::NO_UID, |peer| peer.uid.as_raw())
}

/// Sends a command of the user `uid` to the ingress.
fn entered(asked: Result<ControlRequest, String>, uid: u32, commands: &CommandSender) -> ControlReply {
    let entered = asked.and_then(|asked| {
        let events = asked.events(uid, wall_now()).map_err(|e| e.to_string())?;
        let submission = Submission::new(events.to_vec(), None);
        commands.send(submission).map_err(|_| "the run is ending".to_owned())
    });
    ControlReply { entered: entered.is_ok(), why: entered.err() }
}

/// Sends a command to the run that writes the journal in this folder.
///
/// # Errors
/// When no run listens there, or it does not answer.
pub fn ask(journal: &Path, asked: &ControlRequest) -> Result<ControlReply, ControlError> {
    exchange(journal, asked)
}

/// Asks the run that writes the journal in this folder for its status.
///
/// # Errors
/// When no run listens there, or it does not answer.
pub fn status(journal: &Path) -> Result<Status, ControlError> {
    exchange(journal, &ControlRequest::plain(status::ACTION, ""))
}

fn exchange<T: DeserializeOwned>(journal: &Path, asked: &ControlRequest) -> Result<T, ControlError> {
    let path = journal.join(SOCKET);
    let failed = |error| ControlError {
        path: path.clone(),
        error,
        next: "is `tidegate run` running with this journal, and may you write to its folder?",
    };
    let mut stream = UnixStream::connect(&path).map_err(failed)?;
    stream.set_read_timeout(Some(PATIENCE)).map_err(failed)?;
    writeln!(stream, "{}", serde_json::to_string(asked).map_err(|e| failed(e.into()))?).map_err(failed)?;
    let mut line = String::new();
    BufReader::new(stream.take(MOST_ANSWERED)).read_line(&mut line).map_err(failed)?;
    serde_json::from_str(&line).map_err(|e| failed(e.into()))
}
